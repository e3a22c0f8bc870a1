//! Times as people type them: `2h`, `3d12h`, a date, RFC 3339.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The time that `text` means, as the state writes times (UTC, RFC 3339 with milliseconds).
///
/// A length of time counts back from now; dates and times without a zone are the machine's own.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn parse(text: &str) -> Result<String, String> {
    at(text, Timestamp::now(), &TimeZone::system())
}

fn at(text: &str, now: Timestamp, zone: &TimeZone) -> Result<String, String> {
    let text = text.trim();
    let local = |time: DateTime| time.to_zoned(zone.clone()).map(|time| time.timestamp());
    let time = if let Some(length) = length(text) {
        now.checked_sub(length).ok()
    } else if let Ok(time) = text.parse::<Timestamp>() {
        Some(time)
    } else {
        text.parse::<DateTime>().ok().and_then(|time| local(time).ok())
    };
    time.map(|time| format!("{time:.3}")).ok_or_else(|| {
        format!(
            "{text:?} is no time: write a length like 2h or 3d, a date like 2026-01-31, or RFC 3339"
        )
    })
}

/// `3d12h`: numbers with w, d, h, m or s, none twice, the longest first.
fn length(text: &str) -> Option<SignedDuration> {
    const UNITS: [(char, i64); 5] =
        [('w', 604_800), ('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];
    let mut units = UNITS.iter();
    let mut seconds: i64 = 0;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let number: i64 = rest.get(..digits)?.parse().ok()?;
        let unit = rest.get(digits..)?.chars().next()?;
        let (_, each) = units.find(|(letter, _)| *letter == unit)?;
        seconds = seconds.checked_add(number.checked_mul(*each)?)?;
        rest = rest.get(digits + unit.len_utf8()..)?;
    }
    Some(SignedDuration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_understood_as_people_type_them() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        for (text, expected) in [
            ("2h", "2026-03-01T10:00:00.000Z"),
            ("1d12h", "2026-02-28T00:00:00.000Z"),
            ("90m", "2026-03-01T10:30:00.000Z"),
            ("1w", "2026-02-22T12:00:00.000Z"),
            ("0s", "2026-03-01T12:00:00.000Z"),
            ("2026-02-01", "2026-01-31T23:00:00.000Z"),
            ("2026-02-01 08:30", "2026-02-01T07:30:00.000Z"),
            ("2026-02-01T08:30:00", "2026-02-01T07:30:00.000Z"),
            ("2026-02-01T08:30:00Z", "2026-02-01T08:30:00.000Z"),
            ("2026-02-01T08:30:00.123456+02:00", "2026-02-01T06:30:00.123Z"),
        ] {
            assert_eq!(at(text, now, &zone).as_deref(), Ok(expected), "{text}");
        }
        for wrong in [
            "",
            "2",
            "h",
            "2x",
            "2h1d",
            "2h2h",
            "-2h",
            "yesterday",
            "2026-13-01",
            "99999999999999999999d",
            "9223372036854775807w",
            "9999999d",
        ] {
            let error = at(wrong, now, &zone).unwrap_err();
            assert!(error.contains("is no time: write a length"), "{wrong}: {error}");
        }
    }
}
