//! Processor, memory and disks, as the kernel shows them.

use serde_json::{Map, Value, json};

use super::machine::{Live, Machine};

/// `cpu`: count of processors online, model, vendor. Absent for an image.
pub(super) fn cpu(machine: &Machine) -> Option<Value> {
    let live = machine.live.as_ref()?;
    // The beginning describes the first processor; the whole is long and slow on large machines.
    let processor = live.tree.beginning("/proc/cpuinfo", 4096).unwrap_or_default();
    let field = |names: &[&str]| {
        names.iter().find_map(|name| {
            processor.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                (key.trim() == *name).then(|| value.trim().to_owned())
            })
        })
    };
    let count = live
        .tree
        .word("/sys/devices/system/cpu/online")
        .and_then(|ranges| count_in_ranges(&ranges))
        .unwrap_or_else(|| count_of_blocks(live));
    Some(json!({
        "count": count,
        "model": field(&["model name", "Model", "Processor", "cpu", "uarch"]).unwrap_or_default(),
        "vendor": field(&["vendor_id", "CPU implementer"]).unwrap_or_default(),
    }))
}

/// How many numbers `0-3,8` names.
fn count_in_ranges(ranges: &str) -> Option<u64> {
    ranges.split(',').try_fold(0_u64, |count, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        count.checked_add(last.checked_sub(first)?)?.checked_add(1)
    })
}

fn count_of_blocks(live: &Live) -> u64 {
    let text = live.tree.text("/proc/cpuinfo").unwrap_or_default();
    text.lines().filter(|line| line.starts_with("processor")).count().max(1) as u64
}

/// `memory`: total and swap, in bytes. Absent for an image.
pub(super) fn memory(machine: &Machine) -> Option<Value> {
    let table = machine.live.as_ref()?.tree.text("/proc/meminfo")?;
    Some(json!({
        "total": meminfo(&table, "MemTotal"),
        "swap": meminfo(&table, "SwapTotal"),
    }))
}

/// A line of `/proc/meminfo` (proc(5)), in bytes.
pub(super) fn meminfo(table: &str, name: &str) -> Option<u64> {
    let (_, value) =
        table.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| *key == name)?;
    let kibibytes: u64 = value.trim().trim_end_matches("kB").trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// `disks`: those that stand for a device (no loop, RAM, device-mapper or RAID devices, no optical
/// or floppy drives), by name: size in bytes, model, vendor, rotational, removable. Absent for an
/// image.
pub(super) fn disks(machine: &Machine) -> Option<Value> {
    let tree = &machine.live.as_ref()?.tree;
    let mut disks = Map::new();
    for name in tree.names("/sys/block").unwrap_or_default() {
        let read = |file: &str| tree.word(&format!("/sys/block/{name}/{file}"));
        let drive = name.starts_with("sr") || name.starts_with("fd");
        let hidden = read("hidden").is_some_and(|flag| flag == "1");
        if drive || hidden || !tree.exists(&format!("/sys/block/{name}/device")) {
            continue;
        }
        // The kernel counts in sectors of 512 bytes whatever the device's own are.
        let size = read("size").and_then(|sectors| sectors.parse::<u64>().ok());
        let disk = json!({
            "size": size.and_then(|sectors| sectors.checked_mul(512)).unwrap_or_default(),
            "model": read("device/model").unwrap_or_default(),
            "vendor": read("device/vendor").filter(|id| !id.starts_with("0x")).unwrap_or_default(),
            "rotational": read("queue/rotational").is_some_and(|flag| flag == "1"),
            "removable": read("removable").is_some_and(|flag| flag == "1"),
        });
        disks.insert(name, disk);
    }
    Some(Value::Object(disks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_counted() {
        for (ranges, count) in [
            ("0", Some(1)),
            ("0-1", Some(2)),
            ("0-3,8,10-11", Some(7)),
            ("", None),
            ("3-1", None),
            ("a-b", None),
            ("0-18446744073709551615", None),
        ] {
            assert_eq!(count_in_ranges(ranges), count, "{ranges:?}");
        }
    }

    #[test]
    fn memory_is_in_bytes() {
        let table = "MemTotal:       24684084 kB\nMemFree: 5 kB\nBroken: x kB\n";
        assert_eq!(meminfo(table, "MemTotal"), Some(25_276_502_016));
        assert_eq!(meminfo(table, "MemFree"), Some(5120));
        assert_eq!(meminfo(table, "Broken"), None);
        assert_eq!(meminfo(table, "SwapTotal"), None);
    }
}
