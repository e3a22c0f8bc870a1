//! The directory a host lives in: its overlay, its console, its lock.
//!
//! The lock is held as long as the test process lives, so what a killed test left behind can be told
//! from what is in use; it is swept away when the next host is made.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use nix::fcntl::Flock;

use super::groups;
use crate::cache;

/// A host's own directory; removed, with its control groups, when dropped.
pub(super) struct Place {
    path: PathBuf,
    _lock: Flock<File>,
}

impl Place {
    pub(super) fn new() -> Self {
        let hosts = cache::directory().join("hosts");
        fs::create_dir_all(&hosts).unwrap_or_else(|error| panic!("{}: {error}", hosts.display()));
        let _nobody_else_sweeps = cache::locked(&cache::directory().join("hosts.lock"));
        sweep(&hosts);
        let place = tempfile::Builder::new().prefix("host-").tempdir_in(&hosts);
        let path = place.expect("a directory can be made below the cache").keep();
        let lock = cache::try_locked(&path.join("lock")).expect("nobody knows this lock yet");
        for directory in ["upper", "work", "root", "apt"] {
            let directory = path.join(directory);
            fs::create_dir(&directory)
                .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        }
        let place = Self { path, _lock: lock };
        let groups = groups::directories(&format!("steadfast-test-{}", place.name()));
        let lines: Vec<_> = groups.iter().map(|group| group.to_string_lossy()).collect();
        fs::write(place.groups(), lines.join("\n") + "\n")
            .expect("the host's own directory can be written");
        place
    }

    /// Unique among the hosts of this machine.
    pub(super) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        name.replace(['.', '_'], "")
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file that lists the directories of the host's control groups.
    pub(super) fn groups(&self) -> PathBuf {
        self.path.join("groups")
    }

    pub(super) fn console(&self) -> PathBuf {
        self.path.join("console")
    }

    /// What becomes `/srv/apt` in the host.
    pub(super) fn apt(&self) -> PathBuf {
        self.path.join("apt")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn sweep(hosts: &Path) {
    let entries = fs::read_dir(hosts).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if cache::try_locked(&path.join("lock")).is_some() {
            remove(&path);
        }
    }
}

fn remove(path: &Path) {
    let groups = fs::read_to_string(path.join("groups")).unwrap_or_default();
    groups.lines().for_each(|group| groups::remove(Path::new(group)));
    cache::remove_tree(path);
}
