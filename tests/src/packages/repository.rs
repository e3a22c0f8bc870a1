//! The repository of a host: `/srv/apt`, a flat one, trusted, read by apt without any network.

use std::fs;
use std::path::{Path, PathBuf};

use super::build::{paragraph_name, pool};
use super::{ALL, Package};
use crate::host::TestHost;

pub(super) const SOURCES: &str = "deb [trusted=yes] file:/srv/apt ./\n";

impl TestHost {
    /// Makes the host's repository hold exactly these packages, and makes it the host's only source.
    /// The host's own index is as old as its last `apt-get update`.
    pub fn publish(&self, packages: &[Package]) {
        let (pool, repository) = (pool(), self.apt_directory());
        let mut index = String::new();
        for package in packages {
            let name = package.file_name();
            copy(&pool.join(&name), &repository.join(&name));
            index.push_str(&read(&pool.join(paragraph_name(package))));
            index.push('\n');
        }
        for path in files(&repository) {
            let kept = |package: &Package| path.ends_with(package.file_name());
            if !packages.iter().any(kept) {
                fs::remove_file(&path)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            }
        }
        let place = repository.join("Packages");
        fs::write(&place, index).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
        self.write("/etc/apt/sources.list", SOURCES);
    }

    /// Makes the host's repository hold every package there is, and reads its index.
    #[track_caller]
    pub fn publish_all(&self) {
        self.publish(ALL);
        self.run(&["apt-get", "update"]).success();
    }
}

pub(super) fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("the host's own directory can be read");
    entries.flatten().map(|entry| entry.path()).collect()
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}

pub(super) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
