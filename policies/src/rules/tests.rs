use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use proptest::prelude::*;

use super::clock::TimeSpan;
use super::{ChangeLimit, SiteRules, Window};
use crate::catalog::Place;

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

fn rules(zone_name: &str, spans: &[&str]) -> SiteRules {
    let place = Place { file: "site.toml".into(), line: 1 };
    let spans = spans.iter().map(|span| TimeSpan::parse(span).unwrap()).collect();
    let window = Window { spans, timezone: zone(zone_name), place };
    SiteRules { windows: vec![window], ..SiteRules::default() }
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_window_reads_the_clock_on_the_wall() {
    for (zone, span, time, expected) in [
        // 2026-11-25 is a Wednesday; Berlin is an hour ahead in winter, two in summer.
        ("Europe/Berlin", "Mon..Fri 22:00-04:00", "2026-11-25T20:59:59Z", false),
        ("Europe/Berlin", "Mon..Fri 22:00-04:00", "2026-11-25T21:00:00Z", true),
        ("Europe/Berlin", "Mon..Fri 22:00-04:00", "2026-11-26T02:59:59Z", true),
        ("Europe/Berlin", "Mon..Fri 22:00-04:00", "2026-11-26T03:00:00Z", false),
        ("Europe/Berlin", "Mon..Fri 22:00-04:00", "2026-07-01T20:00:00Z", true),
        // The night from Friday belongs to Friday, the one from Sunday to Sunday.
        ("Europe/Berlin", "Mon..Fri 22:00-04:00", "2026-11-28T01:00:00Z", true),
        ("Europe/Berlin", "Mon..Fri 22:00-04:00", "2026-11-28T22:00:00Z", false),
        ("Europe/Berlin", "Mon..Fri 22:00-04:00", "2026-11-30T01:00:00Z", false),
        ("UTC", "Mon,Wed 10:00-12:00", "2026-11-25T11:00:00Z", true),
        ("UTC", "Mon,Wed 10:00-12:00", "2026-11-26T11:00:00Z", false),
        ("UTC", "Sat..Mon 10:00-12:00", "2026-11-29T11:00:00Z", true),
        ("UTC", "Sat..Mon 10:00-12:00", "2026-11-27T11:00:00Z", false),
        ("UTC", "10:00-12:00", "2026-11-26T10:00:00Z", true),
        ("UTC", "* 22:00-00:00", "2026-11-26T23:59:59Z", true),
        ("UTC", "* 22:00-00:00", "2026-11-26T00:00:00Z", false),
        ("UTC", "Thu 00:00-24:00", "2026-11-26T23:59:59Z", true),
        ("Pacific/Kiritimati", "Thu 01:00-02:00", "2026-11-25T11:30:00Z", true),
        // Clocks in Berlin go from 02:00 to 03:00 on 2026-03-29 and from 03:00 to 02:00 on
        // 2026-10-25: what is skipped does not come, what comes twice counts twice.
        ("Europe/Berlin", "02:00-03:00", "2026-03-29T00:59:59Z", false),
        ("Europe/Berlin", "02:00-03:00", "2026-03-29T01:00:00Z", false),
        ("Europe/Berlin", "02:15-02:45", "2026-10-25T00:30:00Z", true),
        ("Europe/Berlin", "02:15-02:45", "2026-10-25T01:00:00Z", false),
        ("Europe/Berlin", "02:15-02:45", "2026-10-25T01:30:00Z", true),
    ] {
        let found = rules(zone, &[span]).may_interrupt(instant(time));
        assert_eq!(found, expected, "{span} in {zone} at {time}");
    }
}

#[test]
fn the_next_opening() {
    for (zone, spans, from, expected) in [
        (
            "Europe/Berlin",
            &["Mon..Fri 22:00-04:00"][..],
            "2026-11-25T12:00:00Z",
            "2026-11-25T21:00:00Z",
        ),
        (
            "Europe/Berlin",
            &["Mon..Fri 22:00-04:00"],
            "2026-11-25T22:34:56Z",
            "2026-11-25T22:34:56Z",
        ),
        (
            "Europe/Berlin",
            &["Mon..Fri 22:00-04:00"],
            "2026-11-28T03:00:00Z",
            "2026-11-30T21:00:00Z",
        ),
        (
            "UTC",
            &["Sun 04:00-05:00", "Wed 03:00-04:00"],
            "2026-11-26T00:00:00Z",
            "2026-11-29T04:00:00Z",
        ),
        ("UTC", &["Wed 10:00-12:00"], "2026-11-25T12:00:00Z", "2026-12-02T10:00:00Z"),
        // Into the hour that does not exist: a window that is longer opens when it is over.
        ("Europe/Berlin", &["02:30-05:00"], "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", &["02:15-02:45"], "2026-03-29T00:00:00Z", "2026-03-30T00:15:00Z"),
        ("Europe/Berlin", &["Sun 02:15-02:45"], "2026-03-29T00:00:00Z", "2026-04-05T00:15:00Z"),
        // Out of it and back into it when the hour comes again.
        ("Europe/Berlin", &["01:00-02:30"], "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z"),
        ("Europe/Berlin", &["02:15-02:45"], "2026-10-25T00:45:00Z", "2026-10-25T01:15:00Z"),
        // Samoa had no 2011-12-30.
        ("Pacific/Apia", &["Fri 10:00-12:00"], "2011-12-30T00:00:00Z", "2012-01-05T20:00:00Z"),
    ] {
        let found = rules(zone, spans).next_opening(instant(from));
        assert_eq!(found, Some(instant(expected)), "{spans:?} in {zone} from {from}");
    }
}

#[test]
fn without_windows_everything_is_open() {
    let now = instant("2026-11-25T12:00:00Z");
    assert!(SiteRules::default().may_interrupt(now));
    assert_eq!(SiteRules::default().next_opening(now), Some(now));
    assert!(SiteRules::default().declared().is_empty());
    assert_eq!(rules("UTC", &["10:00-12:00"]).declared(), ["[[window]]"]);
}

#[test]
fn spans_that_are_none() {
    for (text, message, at) in [
        ("", "this is no span of time: it is empty", ""),
        ("Mon..Fri", "\"Mon..Fri\" is no span of time", "Mon..Fri"),
        ("Mon-Fri 22:00-04:00", "\"Mon-Fri\" is no day of the week", "Mon-Fri"),
        ("Mon,Tus 22:00-04:00", "\"Tus\" is no day of the week", "Tus"),
        ("Mon..Frei 22:00-04:00", "\"Frei\" is no day of the week", "Mon..Frei"),
        ("Mon Fri 22:00-04:00", "\"Fri\" is one word too many", "Fri"),
        ("22:00-24:01", "\"24:01\" is no time of day", "24:01"),
        ("22:60-23:00", "\"22:60\" is no time of day", "22:60"),
        ("10pm-11pm", "\"10pm\" is no time of day", "10pm"),
        ("24:00-01:00", "a span cannot start at 24:00", "24:00"),
        ("Mon 10:00-10:00", "this span ends when it starts", "10:00-10:00"),
        ("10:00-+1:00", "\"+1:00\" is no time of day", "+1:00"),
    ] {
        let malformed = TimeSpan::parse(text).unwrap_err();
        assert_eq!(malformed.message, message, "{text}");
        assert_eq!(&text[malformed.range], at, "{text}");
    }
}

#[test]
fn percentages_round_down() {
    for (limit, total, expected) in [
        (ChangeLimit::Count(20), 5, 20),
        (ChangeLimit::Percent(50), 5, 2),
        (ChangeLimit::Percent(100), 7, 7),
        (ChangeLimit::Percent(1), 99, 1),
    ] {
        assert_eq!(limit.of(total), expected, "{limit:?} of {total}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,30}") {
        let _ = TimeSpan::parse(&text);
    }

    /// The next opening is open, and no quarter of an hour before it is.
    #[test]
    fn nothing_before_the_next_opening_is_open(
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
        span in prop::sample::select(vec!["Sun 02:15-02:45", "Mon..Wed 22:30-04:00", "01:30-02:15", "Sat,Sun 00:00-24:00"]),
        second in 1_772_000_000_i64..1_795_000_000,
    ) {
        let rules = rules(zone, &[span]);
        let from = Timestamp::from_second(second).unwrap();
        let opening = rules.next_opening(from).unwrap();
        prop_assert!(rules.may_interrupt(opening));
        let mut second = second;
        while second < opening.as_second() {
            prop_assert!(!rules.may_interrupt(Timestamp::from_second(second).unwrap()));
            second += 900;
        }
    }
}
