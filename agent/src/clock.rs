//! The agent's clock: the one place that asks what time it is.

use jiff::Timestamp;

/// Now, in UTC, RFC 3339 with milliseconds.
pub fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

/// The time `days` days ago, in the same form.
pub fn days_ago(days: u32) -> String {
    let past = Timestamp::now()
        .checked_sub(jiff::SignedDuration::from_hours(24 * i64::from(days)))
        .unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{past:.3}")
}

/// Now, as a mail says it (RFC 5322).
pub fn mail_date() -> String {
    Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// A run's id: the time to the second, then random letters, so that ids sort by age.
pub fn run_id() -> String {
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let mut random = [0_u8; 4];
    // A run's id need not be secret, only different from others; zeros are better than no run.
    let _ = rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty());
    format!("{time}-{}", crate::state::hexadecimal(&random))
}

/// A random number between 0 and 1, for delays.
pub fn chance() -> f64 {
    let mut random = [0_u8; 4];
    // Without chance hosts only ask a little more in step.
    let _ = rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty());
    f64::from(u32::from_ne_bytes(random)) / f64::from(u32::MAX)
}

/// The time `duration` from now, in the form of [`now`].
pub fn after(duration: std::time::Duration) -> String {
    let until = jiff::SignedDuration::try_from(duration)
        .ok()
        .and_then(|duration| Timestamp::now().checked_add(duration).ok())
        .unwrap_or(Timestamp::MAX);
    format!("{until:.3}")
}

/// How long ago a time (RFC 3339) was; nothing where it is in the future. `None` where it is no time.
pub fn since(time: &str) -> Option<std::time::Duration> {
    let then: Timestamp = time.parse().ok()?;
    Some(std::time::Duration::try_from(Timestamp::now().duration_since(then)).unwrap_or_default())
}

/// How long it is until a time (RFC 3339); nothing where it is past. `None` where it is no time.
pub fn until(time: &str) -> Option<std::time::Duration> {
    let then: Timestamp = time.parse().ok()?;
    Some(std::time::Duration::try_from(then.duration_since(Timestamp::now())).unwrap_or_default())
}
