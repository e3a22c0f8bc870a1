//! The lock on a managed root: two runs with different state directories must not work on one
//! system either.
//!
//! It is a file in `/run/steadfast` of the machine that the run happens on, named after the root's
//! device and inode. The managed root itself is no place for it: whoever can open a directory can
//! lock it, and an image may be read-only, full, or somebody else's. Only root can write to
//! `/run/steadfast`, where the agent's socket is as well, and only root can open the file, so that
//! nobody else can hold the lock. A process without privileges uses `/run/user/UID/steadfast`.
//!
//! The holder removes the file before it lets go, so that images leave no trace: who has locked
//! a file must see that it still is the one with that name.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, fstat, mkdirat, open, openat, stat, statat, unlinkat};
use rustix::io::Errno;

use super::lock::{LockHeld, acquire, sign};

/// How often a file is locked that its last holder has just removed, before that is given up.
const TRIES: u32 = 100;

/// Held while a run changes what is below a root.
#[derive(Debug)]
pub struct RootLock {
    directory: OwnedFd,
    name: PathBuf,
    _file: File,
}

impl RootLock {
    /// Takes the lock on the managed `root`. An error means that there is no place for such a lock
    /// that is out of everybody else's reach, and no reason to stay away.
    pub fn take(root: &Path) -> io::Result<Result<Self, LockHeld>> {
        let user = rustix::process::geteuid();
        let place = if user.is_root() {
            PathBuf::from("/run")
        } else {
            PathBuf::from(format!("/run/user/{}", user.as_raw()))
        };
        Self::take_in(&place, root)
    }

    fn take_in(place: &Path, root: &Path) -> io::Result<Result<Self, LockHeld>> {
        let managed = stat(root)?;
        let directory = enter(place)?;
        let name = PathBuf::from(format!("root-{}-{}.lock", managed.st_dev, managed.st_ino));
        for _ in 0..TRIES {
            let mut file = match acquire(&directory, &name).map_err(io::Error::other)? {
                Ok(file) => file,
                Err(held) => return Ok(Err(held)),
            };
            let locked = fstat(&file)?;
            let same = statat(&directory, &name, AtFlags::SYMLINK_NOFOLLOW)
                .is_ok_and(|named| (named.st_dev, named.st_ino) == (locked.st_dev, locked.st_ino));
            if same {
                // Only to be named to others; there may be no room for it.
                let _ = sign(&mut file);
                return Ok(Ok(Self { directory, name, _file: file }));
            }
        }
        Err(io::Error::other("others take it and let it go again all the time"))
    }
}

impl Drop for RootLock {
    fn drop(&mut self) {
        // While it is still locked: a file with this name is never somebody else's.
        let _ = unlinkat(&self.directory, &self.name, AtFlags::empty());
    }
}

/// Opens `place/steadfast`, which is made where it does not exist, if nobody else has a say there.
fn enter(place: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let own = |directory: &OwnedFd, others: u32| {
        let status = fstat(directory)?;
        let owner = status.st_uid == 0 || status.st_uid == rustix::process::geteuid().as_raw();
        if owner && status.st_mode & others == 0 {
            return Ok(());
        }
        Err(io::Error::other(format!("others than the agent have a say in {}", place.display())))
    };
    let outer = open(place, flags, Mode::empty())?;
    own(&outer, 0o022)?;
    match mkdirat(outer.as_fd(), "steadfast", Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let inner = openat(&outer, "steadfast", flags | OFlags::NOFOLLOW, Mode::empty())?;
    own(&inner, 0o022)?;
    Ok(inner)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn entries(place: &Path) -> usize {
        place.join("steadfast").read_dir().unwrap().count()
    }

    #[test]
    fn one_root_has_one_lock_by_whatever_path_and_it_leaves_no_trace() {
        let place = tempfile::tempdir().unwrap();
        let root = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        symlink(root.path(), other.path().join("link")).unwrap();
        let first = RootLock::take_in(place.path(), root.path()).unwrap().unwrap();
        let held = RootLock::take_in(place.path(), &other.path().join("link")).unwrap();
        assert_eq!(held.unwrap_err().holder, std::process::id().to_string());
        let second = RootLock::take_in(place.path(), other.path()).unwrap().unwrap();
        assert_eq!(entries(place.path()), 2);
        drop((first, second));
        assert_eq!(entries(place.path()), 0);
        assert_eq!(root.path().read_dir().unwrap().count(), 0);
        assert!(RootLock::take_in(place.path(), root.path()).unwrap().is_ok());
    }

    #[test]
    fn a_lock_on_the_root_itself_keeps_nobody_away() {
        let place = tempfile::tempdir().unwrap();
        let root = tempfile::tempdir().unwrap();
        let opened = File::open(root.path()).unwrap();
        rustix::fs::flock(&opened, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
        let lock = RootLock::take_in(place.path(), root.path()).unwrap().unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let directory = place.path().join("steadfast");
        assert_eq!((mode(&directory), mode(&directory.join(&lock.name))), (0o755, 0o600));
    }

    #[test]
    fn a_place_that_others_can_reach_is_not_used() {
        let root = tempfile::tempdir().unwrap();
        for (outer, inner) in [(0o1777, 0o755), (0o755, 0o775)] {
            let place = tempfile::tempdir().unwrap();
            let directory = place.path().join("steadfast");
            std::fs::create_dir(&directory).unwrap();
            for (path, mode) in [(directory.as_path(), inner), (place.path(), outer)] {
                let opened = File::open(path).unwrap();
                opened.set_permissions(Permissions::from_mode(mode)).unwrap();
            }
            assert!(RootLock::take_in(place.path(), root.path()).is_err());
            assert_eq!(entries(place.path()), 0);
        }
        let place = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        symlink(elsewhere.path(), place.path().join("steadfast")).unwrap();
        assert!(RootLock::take_in(place.path(), root.path()).is_err());
    }
}
