//! Lengths of time as a person reads them.

use std::time::Duration;

/// The two largest units of `duration`: `850 ms`, `59 s`, `10 min`, `1 h 5 min`, `3 d`.
pub fn short_duration(duration: Duration) -> String {
    const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)];
    let seconds = duration.as_secs();
    if seconds == 0 && !duration.is_zero() {
        return format!("{} ms", duration.as_millis());
    }
    let Some(first) = UNITS.iter().position(|(_, length)| seconds >= *length) else {
        return "0 s".to_owned();
    };
    let mut left = seconds;
    let mut words = Vec::new();
    for (unit, length) in UNITS.iter().skip(first).take(2) {
        if left / length > 0 {
            words.push(format!("{} {unit}", left / length));
        }
        left %= length;
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_at_most_two_units() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (0.85, "850 ms"),
            (59.9, "59 s"),
            (600.0, "10 min"),
            (3900.0, "1 h 5 min"),
            (3_600.0, "1 h"),
            (259_200.0, "3 d"),
            (90_061.0, "1 d 1 h"),
        ] {
            assert_eq!(short_duration(Duration::from_secs_f64(seconds)), text);
        }
    }
}
