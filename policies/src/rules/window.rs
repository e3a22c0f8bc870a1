//! When something may be interrupted.
//!
//! An instant is inside a window exactly when the clock on the wall of its time zone reads inside
//! one of its spans. So what is written holds on the days on which the clocks change, too: a time
//! that is skipped does not come, and a time that comes twice counts twice.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

use super::{SiteRules, TimeSpan};
use crate::catalog::Place;

/// How far ahead the next opening is looked for, in days: a weekly one may fall into a change of
/// the clocks, or onto a day that its time zone left out.
const HORIZON: i32 = 22;

/// One `[[window]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The times of day, each with its days.
    pub spans: Vec<TimeSpan>,
    /// Where the clock is.
    pub timezone: TimeZone,
    /// Where it is declared.
    pub place: Place,
}

impl Window {
    /// Whether `instant` is inside.
    pub fn contains(&self, instant: Timestamp) -> bool {
        let wall = instant.to_zoned(self.timezone.clone()).datetime();
        self.spans.iter().any(|span| span.contains(wall.weekday(), wall.time()))
    }

    /// The first instant from `from` on that is inside; `None` where there is none within three
    /// weeks.
    fn opening(&self, from: Timestamp) -> Option<Timestamp> {
        if self.contains(from) {
            return Some(from);
        }
        let today = from.to_zoned(self.timezone.clone()).date();
        let end = from.saturating_add((HORIZON * 24).hours()).ok()?;
        // The clock comes to read inside when a span starts, or when the clock is changed.
        let changes = self.timezone.following(from).map(|change| change.timestamp());
        let changes = changes.take_while(|change| *change <= end);
        let starts = (0..HORIZON).flat_map(|days| {
            let date = today.saturating_add(days.days());
            self.spans.iter().flat_map(move |span| self.instants(date.to_datetime(span.opens())))
        });
        starts.chain(changes).filter(|instant| *instant > from && self.contains(*instant)).min()
    }

    /// The instants at which the clock on the wall reads `wall`: one, none or two.
    fn instants(&self, wall: DateTime) -> impl Iterator<Item = Timestamp> + use<> {
        let offsets = match self.timezone.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => [Some(offset), None],
            AmbiguousOffset::Gap { .. } => [None, None],
            AmbiguousOffset::Fold { before, after } => [Some(before), Some(after)],
        };
        offsets.into_iter().flatten().filter_map(move |offset| offset.to_timestamp(wall).ok())
    }
}

impl SiteRules {
    /// Whether something may be interrupted at `instant`: some window is open, or there is none.
    pub fn may_interrupt(&self, instant: Timestamp) -> bool {
        self.windows.is_empty() || self.windows.iter().any(|window| window.contains(instant))
    }

    /// The first instant from `from` on at which something may be interrupted: `from` itself where
    /// it may, and `None` where no window opens within three weeks.
    pub fn next_opening(&self, from: Timestamp) -> Option<Timestamp> {
        if self.windows.is_empty() {
            return Some(from);
        }
        self.windows.iter().filter_map(|window| window.opening(from)).min()
    }
}
