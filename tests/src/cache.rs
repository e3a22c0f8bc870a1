//! What is expensive to make and the same every time: kept in `/var/tmp/steadfast-test`.
//!
//! An entry's name contains a digest of everything it was made from, so it is never stale. It is made
//! in a directory beside its place, under a lock, and renamed: an entry is whole or it is not there.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};

/// Where the cache is: `STEADFAST_TEST_CACHE`, or the ordinary place. As another user than root, a
/// place of that user's own.
pub fn directory() -> PathBuf {
    let directory = std::env::var_os("STEADFAST_TEST_CACHE").map_or_else(ordinary, PathBuf::from);
    fs::create_dir_all(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let owner = fs::symlink_metadata(&directory).map(|metadata| metadata.uid()).ok();
    let own = owner == Some(nix::unistd::geteuid().as_raw());
    assert!(own, "{} belongs to someone else; it is not used", directory.display());
    directory
}

fn ordinary() -> PathBuf {
    let user = nix::unistd::geteuid();
    if user.is_root() {
        PathBuf::from("/var/tmp/steadfast-test")
    } else {
        PathBuf::from(format!("/var/tmp/steadfast-test-{user}"))
    }
}

/// The directory `name-<digest of ingredients>`, made by `make` if it is not there yet.
pub(crate) fn prepared(name: &str, ingredients: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let place = directory().join(format!("{name}-{}", short_digest(ingredients.as_bytes())));
    if place.is_dir() {
        return place;
    }
    let _lock = locked(&place.with_extension("lock"));
    if place.is_dir() {
        return place;
    }
    let unfinished = place.with_extension("unfinished");
    if unfinished.exists() {
        remove_tree(&unfinished);
    }
    fs::create_dir(&unfinished).unwrap_or_else(|error| panic!("{}: {error}", unfinished.display()));
    make(&unfinished);
    fs::rename(&unfinished, &place).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
    place
}

/// Holds a lock file until dropped; waits for whoever holds it.
pub(crate) fn locked(path: &Path) -> Flock<File> {
    let file = File::create(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Flock::lock(file, FlockArg::LockExclusive)
        .unwrap_or_else(|(_, error)| panic!("locking {}: {error}", path.display()))
}

/// Holds a lock file if nobody else does.
pub(crate) fn try_locked(path: &Path) -> Option<Flock<File>> {
    let file = File::create(path).ok()?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).ok()
}

/// Removes a directory of ours, as far as that is possible.
pub(crate) fn remove_tree(path: &Path) {
    if let Err(error) = fs::remove_dir_all(path) {
        log(&format!("leaving {} behind: {error}", path.display()));
    }
}

/// A line for whoever reads the output of a failed test.
#[expect(clippy::print_stderr, reason = "the test runner collects it and shows it with a failure")]
pub(crate) fn log(line: &str) {
    eprintln!("{line}");
}

fn short_digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
