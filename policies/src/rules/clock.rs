//! Days of the week and times of day, as `allow` of a window writes them:
//! `Mon..Fri 22:00-04:00`.

use std::ops::Range;

use jiff::civil::{Time, Weekday};

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// A set of days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekdays(u8);

impl Weekdays {
    /// All seven.
    pub const EVERY: Self = Self(0x7f);

    /// Whether `day` is one of them.
    pub fn contains(self, day: Weekday) -> bool {
        self.0 & bit(day) != 0
    }
}

/// A time of day on certain days. One that ends before it starts goes over midnight and belongs to
/// the day on which it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSpan {
    /// The days on which it starts.
    pub days: Weekdays,
    /// The first minute of the day.
    start: u16,
    /// The minute after the last one; 24:00 is 1440.
    end: u16,
}

/// What is wrong with a text, and where in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// What is wrong, in one sentence without a full stop.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) hint: String,
    /// The bytes at fault.
    pub(crate) range: Range<usize>,
}

const FORM: &str = "write days and a time, such as \"Mon..Fri 22:00-04:00\"";

impl TimeSpan {
    /// Reads a span as policies write it. No days, or `*`, is every day.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = |message: String, range: Range<usize>| Malformed {
            message,
            hint: FORM.to_owned(),
            range,
        };
        let mut words = words(text);
        let times = words.pop().ok_or_else(|| {
            malformed("this is no span of time: it is empty".to_owned(), 0..text.len())
        })?;
        let days = match words.as_slice() {
            [] => Weekdays::EVERY,
            [days] => parse_days(text, days.clone())?,
            [_, more, ..] => {
                let message = format!("{:?} is one word too many", part(text, more));
                return Err(malformed(message, more.clone()));
            }
        };
        let (start, end) = parse_times(text, times)?;
        Ok(Self { days, start, end })
    }

    /// Whether the clock on the wall at `day`, `time` reads within this span.
    pub(super) fn contains(self, day: Weekday, time: Time) -> bool {
        let minute = minute(time);
        if self.start < self.end {
            return self.days.contains(day) && (self.start..self.end).contains(&minute);
        }
        self.days.contains(day) && minute >= self.start
            || self.days.contains(day.previous()) && minute < self.end
    }

    /// The time of day at which it starts.
    pub(super) fn opens(self) -> Time {
        let (hour, minute) = (self.start / 60, self.start % 60);
        let small = |number: u16| i8::try_from(number).unwrap_or_default();
        Time::new(small(hour), small(minute), 0, 0).unwrap_or_default()
    }
}

fn minute(time: Time) -> u16 {
    u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).unwrap_or_default()
}

fn bit(day: Weekday) -> u8 {
    1 << day.to_monday_zero_offset()
}

/// Where the words of `text` are.
fn words(text: &str) -> Vec<Range<usize>> {
    text.split_ascii_whitespace()
        .map(|word| {
            let start = word.as_ptr() as usize - text.as_ptr() as usize;
            start..start + word.len()
        })
        .collect()
}

fn part(text: &str, range: &Range<usize>) -> String {
    text.get(range.clone()).unwrap_or_default().to_owned()
}

const DAYS: [(&str, &str); 7] = [
    ("mon", "monday"),
    ("tue", "tuesday"),
    ("wed", "wednesday"),
    ("thu", "thursday"),
    ("fri", "friday"),
    ("sat", "saturday"),
    ("sun", "sunday"),
];

/// The index, from Monday, of the day called `name`.
fn day(name: &str) -> Option<u8> {
    let name = name.to_ascii_lowercase();
    let index = DAYS.iter().position(|(short, long)| name == *short || name == *long)?;
    u8::try_from(index).ok()
}

fn parse_days(text: &str, range: Range<usize>) -> Result<Weekdays, Malformed> {
    let mut set = 0;
    let mut start = range.start;
    for item in part(text, &range).split(',') {
        let at = start..start + item.len();
        start = at.end + 1;
        let known = |name: &str| {
            day(name).ok_or_else(|| Malformed {
                message: format!("{name:?} is no day of the week"),
                hint: match item.split_once('-') {
                    Some((from, to)) if day(from).is_some() && day(to).is_some() => {
                        format!("write `{from}..{to}`")
                    }
                    _ => "the days are: Mon, Tue, Wed, Thu, Fri, Sat, Sun; write `*` for every day"
                        .to_owned(),
                },
                range: at.clone(),
            })
        };
        if item == "*" {
            set = Weekdays::EVERY.0;
        } else if let Some((from, to)) = item.split_once("..") {
            let (mut from, to) = (known(from)?, known(to)?);
            // A range may go over the end of the week: `Sat..Mon`.
            while from != to {
                set |= 1 << from;
                from = (from + 1) % 7;
            }
            set |= 1 << to;
        } else {
            set |= 1 << known(item)?;
        }
    }
    Ok(Weekdays(set))
}

fn parse_times(text: &str, range: Range<usize>) -> Result<(u16, u16), Malformed> {
    let word = part(text, &range);
    let wrong = |message: String, range: Range<usize>| Malformed {
        message,
        hint: "write the hours of the day as `HH:MM-HH:MM`, such as `22:00-04:00`".to_owned(),
        range,
    };
    let Some((from, to)) = word.split_once('-') else {
        return Err(wrong(format!("{word:?} is no span of time"), range));
    };
    let start = range.start..range.start + from.len();
    let end = start.end + 1..range.end;
    let time = |text: &str, range| {
        parse_time(text).ok_or_else(|| wrong(format!("{text:?} is no time of day"), range))
    };
    let (first, last) = (time(from, start.clone())?, time(to, end)?);
    if first == DAY {
        return Err(wrong("a span cannot start at 24:00".to_owned(), start));
    }
    if first == last {
        return Err(Malformed {
            message: "this span ends when it starts".to_owned(),
            hint: "write `00:00-24:00` for the whole day".to_owned(),
            range,
        });
    }
    // `22:00-00:00` ends at midnight and does not go over it.
    Ok((first, if last == 0 { DAY } else { last }))
}

/// The minute of the day that `HH:MM` is.
fn parse_time(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        let plain = lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (digits(hour, 1..=2)?, digits(minute, 2..=2)?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= DAY).then_some(total)
}
