//! Events that wait to be told: joined for a few milliseconds, so that what belongs together is told
//! together.
//!
//! An editor that saves a file renames, creates, writes and closes within a moment. What is finished
//! (closed, renamed into place) is told after [`CALM`]; what announces more (a name that has gone, a
//! file that was created and not yet closed) after [`PATIENCE`]; nothing waits longer than [`LONGEST`].
//! While somebody asks for quiet everything waits, and nothing is lost.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::Event;
use super::listeners::Resource;
use super::processes::Who;
use crate::actor::Actor;

/// How long nothing may have happened before finished events are told.
const CALM: Duration = Duration::from_millis(2);
/// The same, where more is to be expected.
const PATIENCE: Duration = Duration::from_millis(10);
/// How long an event waits at most.
const LONGEST: Duration = Duration::from_millis(40);
/// How many writers are told apart.
const ACTORS: usize = 1_000;

#[derive(Default)]
pub(super) struct Gathering {
    overflow: bool,
    /// By who did it, in the order of their first deeds; those of unknown origin come last.
    by_actor: Vec<(Actor, BTreeSet<Resource>)>,
    places: HashMap<i32, usize>,
    unknown: BTreeSet<Resource>,
    since: Option<Instant>,
    due: Option<Instant>,
}

impl Gathering {
    /// Adds resources that somebody else has changed.
    pub(super) fn add(&mut self, resources: &BTreeSet<Resource>, who: Who, unfinished: bool) {
        if resources.is_empty() {
            return;
        }
        match who {
            Who::Ours => return,
            Who::Other(actor)
                if self.by_actor.len() < ACTORS || self.places.contains_key(&actor.pid) =>
            {
                let index = *self.places.entry(actor.pid).or_insert_with(|| {
                    self.by_actor.push((actor.clone(), BTreeSet::new()));
                    self.by_actor.len() - 1
                });
                if let Some((known, changed)) = self.by_actor.get_mut(index) {
                    *known = actor;
                    changed.extend(resources);
                }
            }
            Who::Other(_) | Who::Unknown => self.unknown.extend(resources),
        }
        self.wait(if unfinished { PATIENCE } else { CALM });
    }

    /// Events were lost.
    pub(super) fn overflow(&mut self) {
        self.overflow = true;
        self.wait(CALM);
    }

    fn wait(&mut self, calm: Duration) {
        let now = Instant::now();
        let since = *self.since.get_or_insert(now);
        self.due = Some((now + calm).min(since + LONGEST));
    }

    /// When what was gathered is to be told; `None` where there is nothing.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// All that was gathered.
    pub(super) fn take(&mut self) -> Vec<Event> {
        let gathered = std::mem::take(self);
        let mut events = Vec::new();
        if gathered.overflow {
            events.push(Event::Overflow);
        }
        let mut unknown = gathered.unknown;
        for (actor, changed) in gathered.by_actor {
            unknown.retain(|resource| !changed.contains(resource));
            events.push(changes(&changed, Some(actor)));
        }
        if !unknown.is_empty() {
            events.push(changes(&unknown, None));
        }
        events
    }
}

fn changes(resources: &BTreeSet<Resource>, actor: Option<Actor>) -> Event {
    let resources = resources.iter().filter_map(|index| usize::try_from(*index).ok()).collect();
    Event::Changed { resources, actor }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(pid: i32) -> Who {
        Who::Other(Actor { pid, ..Actor::default() })
    }

    fn told(events: Vec<Event>) -> Vec<(Vec<usize>, Option<i32>)> {
        let told = |event| match event {
            Event::Changed { resources, actor } => (resources, actor.map(|actor| actor.pid)),
            Event::Overflow => (Vec::new(), None),
        };
        events.into_iter().map(told).collect()
    }

    #[test]
    fn what_one_process_does_is_one_event_and_an_actor_beats_nobody() {
        let mut gathering = Gathering::default();
        assert!(gathering.due().is_none() && gathering.take().is_empty());
        gathering.add(&BTreeSet::from([1, 2]), Who::Unknown, false);
        gathering.add(&BTreeSet::from([1]), other(7), true);
        gathering.add(&BTreeSet::from([3]), other(8), false);
        gathering.add(&BTreeSet::from([4]), other(7), false);
        gathering.add(&BTreeSet::from([5]), Who::Ours, false);
        gathering.add(&BTreeSet::new(), other(9), false);
        assert!(gathering.due().is_some());
        let events = told(gathering.take());
        assert_eq!(events, [(vec![1, 4], Some(7)), (vec![3], Some(8)), (vec![2], None)]);
        assert!(gathering.due().is_none() && gathering.take().is_empty());
    }

    #[test]
    fn nothing_waits_for_ever() {
        let mut gathering = Gathering::default();
        let one = BTreeSet::from([1]);
        gathering.add(&one, other(7), true);
        let first = gathering.due().unwrap();
        for _ in 0..1000 {
            gathering.add(&one, other(7), true);
        }
        assert!(gathering.due().unwrap() >= first);
        assert!(gathering.due().unwrap() <= first + LONGEST);
        gathering.overflow();
        assert_eq!(gathering.take().first(), Some(&Event::Overflow));
    }

    #[test]
    fn thousands_of_writers_are_folded_together() {
        let mut gathering = Gathering::default();
        for pid in 1..5_000_i32 {
            gathering.add(&BTreeSet::from([pid.cast_unsigned()]), other(pid), false);
        }
        let events = told(gathering.take());
        assert_eq!(events.len(), ACTORS + 1);
        assert_eq!(events.iter().map(|(resources, _)| resources.len()).sum::<usize>(), 4_999);
    }
}
