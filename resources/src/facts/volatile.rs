//! Facts that change by themselves. A policy that could see them would change by itself, so they
//! are only ever shown to people.

use serde_json::{Map, Value, json};

use super::hardware::meminfo;
use super::machine::Machine;

/// `uptime` in seconds, `load` of the last 1, 5 and 15 minutes, `memory` available and free, `swap`
/// free, in bytes. Empty for an image.
pub(super) fn volatile(machine: &Machine) -> Value {
    let mut values = Map::new();
    let Some(live) = &machine.live else { return Value::Object(values) };
    let numbers = |path: &str| -> Vec<f64> {
        let text = live.tree.text(path).unwrap_or_default();
        text.split_whitespace().map_while(|word| word.parse().ok()).collect()
    };
    if let Some(uptime) = numbers("/proc/uptime").first() {
        values.insert("uptime".to_owned(), json!(uptime));
    }
    if let Some(load) = numbers("/proc/loadavg").get(..3) {
        values.insert("load".to_owned(), json!(load));
    }
    if let Some(table) = live.tree.text("/proc/meminfo") {
        let memory = json!({
            "available": meminfo(&table, "MemAvailable"),
            "free": meminfo(&table, "MemFree"),
        });
        values.insert("memory".to_owned(), memory);
        values.insert("swap".to_owned(), json!({ "free": meminfo(&table, "SwapFree") }));
    }
    Value::Object(values)
}
