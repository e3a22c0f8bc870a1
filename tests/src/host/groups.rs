//! Control groups: every host gets its own, in each hierarchy that systemd uses.
//!
//! Without a group of its own, two hosts booted by one user would share a tree, and each systemd
//! would take the other's services for its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::waiting::became_true;

/// The directories of the groups named `name`, below the groups that this process is in.
pub(super) fn directories(name: &str) -> Vec<PathBuf> {
    let read = |path: &str| {
        fs::read_to_string(path).unwrap_or_else(|error| panic!("reading {path}: {error}"))
    };
    let parents = parents(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"));
    assert!(!parents.is_empty(), "no cgroup file system is mounted that systemd could use");
    parents.into_iter().map(|parent| parent.join(name)).collect()
}

/// Removes a group and those below it, when their processes are gone.
pub(super) fn remove(group: &Path) {
    became_true(Duration::from_secs(5), || {
        remove_below(group);
        !group.exists()
    });
}

fn remove_below(group: &Path) {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        remove_below(&entry.path());
    }
    // Fails while a process is left; `remove` looks again.
    fs::remove_dir(group).unwrap_or_default();
}

/// See cgroups(7) for `/proc/PID/cgroup` and proc(5) for `/proc/PID/mountinfo`.
fn parents(mounts: &str, memberships: &str) -> Vec<PathBuf> {
    memberships
        .lines()
        .filter_map(|line| {
            let (hierarchy, path) = line.split_once(':')?.1.split_once(':')?;
            let (mounted_root, place) = match hierarchy {
                "" => mount_of(mounts, |kind, _| kind == "cgroup2"),
                "name=systemd" => mount_of(mounts, |kind, options| {
                    kind == "cgroup" && options.split(',').any(|option| option == "name=systemd")
                }),
                _ => None,
            }?;
            let below = path.strip_prefix(&mounted_root).unwrap_or(path);
            Some(place.join(below.trim_start_matches('/')))
        })
        .collect()
}

/// The root within its file system, and the place, of the first mount that `matches` type and options.
fn mount_of(mounts: &str, matches: impl Fn(&str, &str) -> bool) -> Option<(String, PathBuf)> {
    mounts.lines().find_map(|line| {
        let (front, back) = line.split_once(" - ")?;
        let mut front = front.split(' ').skip(3);
        let mut back = back.split(' ');
        let (root, place) = (front.next()?, front.next()?);
        let (kind, options) = (back.next()?, back.nth(1)?);
        matches(kind, options).then(|| (root.to_owned(), PathBuf::from(place)))
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::parents;

    #[test]
    fn groups_are_found_in_every_layout() {
        let unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw";
        let hybrid = "33 32 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n\
                      34 32 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
                      35 32 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
        let contained = "30 23 0:26 /box/one /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
        let table = [
            (unified, "0::/user.slice\n", vec!["/sys/fs/cgroup/user.slice"]),
            (unified, "0::/\n", vec!["/sys/fs/cgroup"]),
            (
                hybrid,
                "9:name=systemd:/\n4:memory:/x\n0::/a\n",
                vec!["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified/a"],
            ),
            (contained, "0::/box/one/below\n", vec!["/sys/fs/cgroup/below"]),
        ];
        for (mounts, memberships, expected) in table {
            let expected: Vec<_> = expected.into_iter().map(PathBuf::from).collect();
            assert_eq!(parents(mounts, memberships), expected, "{memberships}");
        }
    }
}
