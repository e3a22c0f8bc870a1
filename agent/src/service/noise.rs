//! Events without end: a resource that is written to again and again is looked at a number of times,
//! then after a rest only, whatever the looks find. (What is corrected again and again is a fight,
//! and rests longer.) A host where nothing may be changed would otherwise fill its history with one
//! busy file.
//!
//! Pure: the time is handed in.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Looks this close together are counted together.
const WINDOW: Duration = Duration::from_secs(60);

/// How often a resource is looked at within [`WINDOW`] because of events.
const LOOKS: usize = 10;

/// How long its events then wait.
const REST: Duration = Duration::from_secs(30);

/// How often resources were looked at because of events, by name.
#[derive(Debug, Default)]
pub(super) struct Noise {
    resources: HashMap<String, Looks>,
}

#[derive(Debug, Default)]
struct Looks {
    times: VecDeque<Instant>,
    rest_until: Option<Instant>,
    /// Whether an event has waited since the rest began.
    waits: bool,
}

impl Noise {
    /// Whether an event on `resource` is looked into at `now`. One that is not is looked into when
    /// the rest ends.
    pub(super) fn allows(&mut self, resource: &str, now: Instant) -> bool {
        let Some(looks) = self.resources.get_mut(resource) else { return true };
        let rests = looks.rest_until.is_some_and(|until| now < until);
        looks.waits |= rests;
        !rests
    }

    /// `resource` is looked at because of an event.
    pub(super) fn looked(&mut self, resource: &str, now: Instant) {
        let looks = self.resources.entry(resource.to_owned()).or_default();
        looks.times.push_back(now);
        while looks.times.front().is_some_and(|first| now.duration_since(*first) > WINDOW) {
            looks.times.pop_front();
        }
        if looks.times.len() >= LOOKS {
            *looks = Looks { rest_until: Some(now + REST), ..Looks::default() };
        }
    }

    /// When the next rest ends after `now`.
    pub(super) fn next_end(&self, now: Instant) -> Option<Instant> {
        self.resources.values().filter_map(|looks| looks.rest_until).filter(|end| *end > now).min()
    }

    /// The resources with waiting events whose rest has ended by `now`. What has been quiet is
    /// forgotten.
    pub(super) fn ended(&mut self, now: Instant) -> Vec<String> {
        let mut due = Vec::new();
        self.resources.retain(|name, looks| {
            let over = looks.rest_until.is_some_and(|until| until <= now);
            if over && looks.waits {
                due.push(name.clone());
            }
            let recent = looks.times.back().is_some_and(|last| now.duration_since(*last) <= WINDOW);
            !over && (recent || looks.rest_until.is_some())
        });
        due.sort();
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_resource_rests_and_nothing_of_it_is_missed() {
        let start = Instant::now();
        let at = |milliseconds: u64| start + Duration::from_millis(milliseconds);
        let mut noise = Noise::default();
        let mut looked = 0;
        for event in 0..200 {
            if noise.allows("file.a", at(event * 100)) {
                noise.looked("file.a", at(event * 100));
                looked += 1;
            }
            assert!(noise.allows("file.b", at(event * 100)), "others are not concerned");
        }
        assert_eq!(looked, LOOKS, "of two hundred in twenty seconds");
        let end = noise.next_end(at(20_000)).unwrap();
        assert_eq!(end, at(900) + REST);
        assert!(noise.ended(at(25_000)).is_empty());
        assert_eq!(noise.ended(end), ["file.a"]);
        assert!(noise.allows("file.a", end));
        assert!(noise.ended(end).is_empty());
    }

    #[test]
    fn seldom_events_are_all_looked_into() {
        let start = Instant::now();
        let mut noise = Noise::default();
        for event in 0..100 {
            let now = start + Duration::from_secs(7 * event);
            assert!(noise.allows("file.a", now));
            noise.looked("file.a", now);
        }
        assert!(noise.next_end(start).is_none());
    }
}
