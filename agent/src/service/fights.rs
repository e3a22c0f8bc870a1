//! No fights: a resource that something else keeps changing is corrected twice, then left alone
//! for a while, twice as long each time, and said so. When the other stops, all is as before.
//!
//! Pure: the time is handed in.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use steadfast_resources::Actor;

/// Corrections this close together are one fight.
const WINDOW: Duration = Duration::from_secs(10 * 60);

/// How often a resource is corrected within [`WINDOW`] before it is left alone.
const ROUNDS: usize = 2;

/// How long it is left alone at first.
const FIRST_TRUCE: Duration = Duration::from_secs(60);

/// How long it is left alone at most.
const LONGEST_TRUCE: Duration = Duration::from_secs(3600);

/// The resources that something else changes too, by name.
#[derive(Debug, Default)]
pub(super) struct Fights {
    fights: HashMap<String, Fight>,
}

#[derive(Debug, Default)]
struct Fight {
    /// When it was corrected within the window.
    corrections: VecDeque<Instant>,
    /// How often in all.
    total: u32,
    truce: Option<Truce>,
    /// How often it was left alone before.
    level: u32,
    other: Option<Actor>,
}

#[derive(Debug)]
struct Truce {
    until: Instant,
    lasts: Duration,
    /// Whether the drift has been reported since it began.
    told: bool,
}

impl Fights {
    /// Why `resource` is not to be corrected at `now`, if so.
    pub(super) fn reason_to_leave(&self, resource: &str, now: Instant) -> Option<String> {
        let fight = self.fights.get(resource)?;
        let truce = fight.truce.as_ref().filter(|truce| now < truce.until)?;
        let other = match &fight.other {
            Some(actor) => format!("{actor} keeps changing it"),
            None => "something else keeps changing it".to_owned(),
        };
        let left = truce.until.duration_since(now);
        Some(format!(
            "{other}: it was corrected {} times and is left alone for another {}; make one of the \
             two stop",
            fight.total,
            crate::output::short_duration(left)
        ))
    }

    /// Whether an event on `resource` should be looked into: during a truce, the first one only.
    pub(super) fn is_news(&mut self, resource: &str, actor: Option<&Actor>, now: Instant) -> bool {
        let Some(fight) = self.fights.get_mut(resource) else { return true };
        if let Some(actor) = actor {
            fight.other = Some(actor.clone());
        }
        match &mut fight.truce {
            Some(truce) if now < truce.until => !std::mem::replace(&mut truce.told, true),
            _ => true,
        }
    }

    /// `resource` has been corrected at `now`, after `actor` had changed it.
    pub(super) fn corrected(&mut self, resource: &str, actor: Option<&Actor>, now: Instant) {
        let fight = self.fights.entry(resource.to_owned()).or_default();
        if let Some(actor) = actor {
            fight.other = Some(actor.clone());
        }
        // Once there has been a truce, a correction after it begins the next.
        if let Some(truce) = fight.truce.take() {
            if now.duration_since(truce.until) < truce.lasts.max(WINDOW) {
                fight.level += 1;
                fight.corrections.clear();
                fight.corrections.extend([now; ROUNDS - 1]);
            } else {
                *fight = Fight { other: fight.other.take(), ..Fight::default() };
            }
        }
        fight.total += 1;
        fight.corrections.push_back(now);
        while fight.corrections.front().is_some_and(|first| now.duration_since(*first) > WINDOW) {
            fight.corrections.pop_front();
        }
        if fight.corrections.len() >= ROUNDS {
            let lasts = FIRST_TRUCE.saturating_mul(1 << fight.level.min(16)).min(LONGEST_TRUCE);
            fight.truce = Some(Truce { until: now + lasts, lasts, told: false });
            log::warn!(
                "{resource}: {} corrections within {}: it is left alone for {}",
                fight.corrections.len(),
                crate::output::short_duration(WINDOW),
                crate::output::short_duration(lasts)
            );
        }
    }

    /// A person asks: nothing is left alone any longer.
    pub(super) fn forget(&mut self) {
        self.fights.clear();
    }

    /// The resources that are left alone at `now`.
    pub(super) fn left_alone(&self, now: Instant) -> Vec<String> {
        let mut names: Vec<String> = self
            .fights
            .iter()
            .filter(|(_, fight)| fight.truce.as_ref().is_some_and(|truce| now < truce.until))
            .map(|(name, _)| name.clone())
            .collect();
        names.sort();
        names
    }

    /// When the next truce ends after `now`.
    pub(super) fn next_end(&self, now: Instant) -> Option<Instant> {
        self.truces().map(|truce| truce.until).filter(|until| *until > now).min()
    }

    /// The resources whose truce ended between `since` and `now`: they are looked at again. What
    /// has been quiet for long enough is forgotten.
    pub(super) fn ended(&mut self, since: Instant, now: Instant) -> Vec<String> {
        self.fights.retain(|_, fight| match (&fight.truce, fight.corrections.back()) {
            (Some(truce), _) => now < truce.until + truce.lasts.max(WINDOW),
            (None, Some(last)) => now.duration_since(*last) <= WINDOW,
            (None, None) => false,
        });
        self.fights
            .iter()
            .filter(|(_, fight)| {
                fight.truce.as_ref().is_some_and(|truce| truce.until > since && truce.until <= now)
            })
            .map(|(name, _)| name.clone())
            .collect()
    }

    fn truces(&self) -> impl Iterator<Item = &Truce> {
        self.fights.values().filter_map(|fight| fight.truce.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "file.\"/etc/motd\"";

    #[test]
    fn two_corrections_then_truces_that_double_and_an_end_when_the_other_stops() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let vim = Actor { pid: 7, executable: Some("/usr/bin/vim".into()), ..Actor::default() };
        let mut fights = Fights::default();
        fights.corrected(FILE, None, at(0));
        assert_eq!(fights.reason_to_leave(FILE, at(1)), None, "once is no fight");
        assert!(fights.is_news(FILE, Some(&vim), at(5)));
        fights.corrected(FILE, Some(&vim), at(5));
        let reason = fights.reason_to_leave(FILE, at(6)).unwrap();
        assert!(reason.starts_with("vim (pid 7) keeps changing it"), "{reason}");
        assert!(reason.contains("2 times") && reason.contains("59 s"), "{reason}");
        assert!(fights.is_news(FILE, None, at(7)), "that it drifts is told once");
        assert!(!fights.is_news(FILE, None, at(8)));
        assert_eq!(fights.left_alone(at(8)), [FILE]);
        assert_eq!(fights.next_end(at(8)), Some(at(65)));
        assert_eq!(fights.ended(at(8), at(66)), [FILE]);
        assert!(fights.ended(at(66), at(67)).is_empty(), "only once");

        let mut lengths = Vec::new();
        let mut time = 66;
        for _ in 0..8 {
            fights.corrected(FILE, None, at(time));
            let end = fights.next_end(at(time)).unwrap();
            lengths.push(end.duration_since(at(time)).as_secs());
            time += lengths.last().unwrap() + 1;
        }
        assert_eq!(lengths, [120, 240, 480, 960, 1920, 3600, 3600, 3600]);

        // Quiet for longer than the last truce and the window: as if nothing had been.
        let quiet = at(time + 3600 + 601);
        assert!(fights.ended(at(time), quiet).is_empty());
        fights.corrected(FILE, None, quiet);
        assert_eq!(fights.reason_to_leave(FILE, quiet), None);
    }

    #[test]
    fn corrections_far_apart_are_no_fight() {
        let start = Instant::now();
        let mut fights = Fights::default();
        for turn in 0..20 {
            let now = start + Duration::from_secs(601 * turn);
            fights.corrected(FILE, None, now);
            assert_eq!(fights.reason_to_leave(FILE, now), None);
        }
    }
}
