//! Conditions of a query that are put together as somebody asks for them.

use rusqlite::types::Value;

/// What rows must fulfil, each part with its values.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    parts: Vec<&'static str>,
    values: Vec<Value>,
}

impl Conditions {
    /// Adds a part, with a value for each of its question marks.
    pub(super) fn add<const COUNT: usize>(&mut self, part: &'static str, values: [&str; COUNT]) {
        self.parts.push(part);
        self.values.extend(values.map(|value| Value::Text(value.to_owned())));
    }

    /// The query: `select`, the conditions, the newest `number` first, at most `limit` rows.
    pub(super) fn query(mut self, select: &str, limit: Option<u32>) -> (String, Vec<Value>) {
        let parts = if self.parts.is_empty() { "1".to_owned() } else { self.parts.join(" AND ") };
        self.values.push(Value::Integer(limit.map_or(-1, i64::from)));
        (format!("{select} WHERE {parts} ORDER BY number DESC LIMIT ?"), self.values)
    }
}
