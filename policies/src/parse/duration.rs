//! Times such as `90s`, `5m`, `1h30m`, `2d`, as the agent's configuration writes them too.

/// The seconds that `text` says.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut number: Option<u64> = None;
    for letter in text.chars() {
        if let Some(digit) = letter.to_digit(10) {
            let value = number.unwrap_or(0).checked_mul(10)?.checked_add(u64::from(digit))?;
            number = Some(value);
            continue;
        }
        let unit = match letter {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86400,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    (number.is_none() && !text.is_empty()).then_some(total)
}
