//! Mounted file systems that somebody chose to mount.
//!
//! What comes and goes by itself is left out: the kernel's and systemd's own mounts, those of
//! logins, container engines and snaps, and automount points.

use serde_json::{Map, Value, json};

use super::machine::Machine;

/// Where mounts are not of interest.
const ELSEWHERE: [&str; 10] = [
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/snap",
    "/var/snap",
    "/var/lib/docker",
    "/var/lib/containers",
    "/var/lib/containerd",
    "/var/lib/kubelet",
];

/// File systems that hold nothing.
const EMPTY: [&str; 8] =
    ["autofs", "binfmt_misc", "cgroup", "cgroup2", "nsfs", "proc", "rpc_pipefs", "sysfs"];

/// `mounts`: by mount point: device, type, options. Absent for an image.
pub(super) fn mounts(machine: &Machine) -> Option<Value> {
    let table = machine.live.as_ref()?.tree.text("/proc/self/mounts")?;
    Some(Value::Object(of_table(&table)))
}

/// The mounts in a table in the form of fstab(5). The last at a mount point hides the others.
fn of_table(table: &str) -> Map<String, Value> {
    let mut mounts: Vec<(String, Value)> = Vec::new();
    for line in table.lines() {
        let mut fields = line.split(' ').map(unescaped);
        let (Some(device), Some(point), Some(kind), Some(options)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        if EMPTY.contains(&kind.as_str()) || ELSEWHERE.iter().any(|area| is_within(&point, area)) {
            continue;
        }
        let options: Vec<&str> = options.split(',').collect();
        mounts.retain(|(earlier, _)| *earlier != point);
        mounts.push((point, json!({ "device": device, "type": kind, "options": options })));
    }
    mounts.sort_by(|(left, _), (right, _)| left.cmp(right));
    mounts.into_iter().collect()
}

fn is_within(path: &str, area: &str) -> bool {
    path.strip_prefix(area).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Undoes the octal escapes of blanks and backslashes (fstab(5)).
fn unescaped(field: &str) -> String {
    let mut plain = String::with_capacity(field.len());
    let mut rest = field;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        match after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) if byte.is_ascii() => {
                plain.push(char::from(byte));
                rest = after.get(3..).unwrap_or_default();
            }
            _ => {
                plain.push('\\');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_mounts_remain() {
        let table = "proc /proc proc rw 0 0\n\
                     /dev/sda1 / ext4 rw,relatime 0 0\n\
                     tmpfs /run/user/1000 tmpfs rw 0 0\n\
                     overlay /var/lib/docker/overlay2/x/merged overlay rw 0 0\n\
                     /dev/sdb1 /srv/my\\040data xfs rw 0 0\n\
                     systemd-1 /mnt/auto autofs rw 0 0\n\
                     files:/export /running nfs4 rw 0 0\n\
                     tmpfs /srv tmpfs rw 0 0\n\
                     /dev/sdc1 /srv ext4 ro 0 0\n\
                     short line\n";
        let found: Vec<String> = of_table(table)
            .iter()
            .map(|(point, mount)| format!("{point} {} {}", mount["device"], mount["options"]))
            .collect();
        assert_eq!(
            found,
            [
                "/ \"/dev/sda1\" [\"rw\",\"relatime\"]",
                "/running \"files:/export\" [\"rw\"]",
                "/srv \"/dev/sdc1\" [\"ro\"]",
                "/srv/my data \"/dev/sdb1\" [\"rw\"]",
            ]
        );
    }

    #[test]
    fn escapes() {
        for (field, plain) in [
            ("a\\040b", "a b"),
            ("a\\134b", "a\\b"),
            ("a\\", "a\\"),
            ("\\9", "\\9"),
            ("ä\\04", "ä\\04"),
        ] {
            assert_eq!(unescaped(field), plain);
        }
    }
}
