//! When the repository is asked again. Pure: time and chance are handed in.

use std::time::Duration;

/// However long the repository is out of reach, it is asked at least this often; or at the
/// configured interval where that is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// The pauses between one question to the repository and the next.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    interval: Duration,
    splay: Duration,
    failures: u32,
}

impl Schedule {
    /// `interval` between the end of one cycle and the next, plus at most `splay` by chance.
    pub(super) fn new(interval: Duration, splay: Duration) -> Self {
        Self { interval, splay, failures: 0 }
    }

    /// Takes over changed settings.
    pub(super) fn change(&mut self, interval: Duration, splay: Duration) {
        self.interval = interval;
        self.splay = splay;
    }

    /// How often in a row the repository was out of reach.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// The pause before the first question: hosts that boot together do not ask together.
    pub(super) fn first(&self, chance: f64) -> Duration {
        self.splay.mul_f64(chance)
    }

    /// The pause after the repository has answered; `chance` is between 0 and 1.
    pub(super) fn answered(&mut self, chance: f64) -> Duration {
        self.failures = 0;
        self.interval + self.splay.mul_f64(chance)
    }

    /// The pause after it has not. It doubles with each failure, and is anything between half and
    /// one and a half of that: the hosts of a fleet come back one after another.
    pub(super) fn failed(&mut self, chance: f64) -> Duration {
        let doubled = self.interval.saturating_mul(1 << self.failures.min(16));
        let pause = doubled.min(LONGEST_PAUSE.max(self.interval));
        self.failures = self.failures.saturating_add(1);
        pause.mul_f64(0.5 + chance) + self.splay.mul_f64(chance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_start_again_after_an_answer() {
        let mut schedule = Schedule::new(Duration::from_secs(5 * 60), Duration::from_secs(60));
        let minutes = |pause: Duration| pause.as_secs_f64() / 60.0;
        assert!((minutes(schedule.answered(0.5)) - 5.5).abs() < 1e-9);
        let pauses: Vec<f64> = (0..4).map(|_| minutes(schedule.failed(0.5))).collect();
        assert_eq!(pauses, vec![5.5, 10.5, 15.5, 15.5]);
        assert_eq!(schedule.failures(), 4);
        assert!((minutes(schedule.answered(0.0)) - 5.0).abs() < 1e-9);
        for _ in 0..100 {
            schedule.failed(1.0);
        }
        assert!(minutes(schedule.failed(1.0)) < 24.0, "no overflow, no endless pause");
    }

    #[test]
    fn a_fleet_does_not_come_back_all_at_once() {
        // A server that was down for three hours and is asked by two thousand hosts.
        const HOSTS: u32 = 2000;
        let chance = |host: u32, turn: u32| {
            let mixed = (u64::from(host) * 1000 + u64::from(turn) + 1)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .rotate_left(29)
                .wrapping_mul(0xBF58_476D_1CE4_E5B9);
            f64::from(u32::try_from(mixed >> 32).unwrap()) / f64::from(u32::MAX)
        };
        let back = Duration::from_secs(180 * 60);
        let mut asked = [0_u32; 60];
        for host in 0..HOSTS {
            let mut schedule = Schedule::new(Duration::from_secs(5 * 60), Duration::from_secs(60));
            let (mut time, mut turn) = (schedule.first(chance(host, 0)), 1);
            while time < back {
                time += schedule.failed(chance(host, turn));
                turn += 1;
            }
            let after = time.saturating_sub(back).as_secs() / 60;
            asked[usize::try_from(after).unwrap()] += 1;
        }
        let most = asked.iter().max().copied().unwrap();
        let last = asked.iter().rposition(|count| *count > 0).unwrap();
        assert!(most * 7 < HOSTS, "at most a seventh in any minute: {asked:?}");
        assert!(last < 24, "everybody is back after 24 minutes: {asked:?}");
    }
}
