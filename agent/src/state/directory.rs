//! The way to the state directory.
//!
//! Below the root of an image every component must be a directory and no link: an image is what
//! somebody else made, and a link in it would lead the agent's writes out of it. What exists is
//! never given other permissions; a directory that others may change is refused, and below the root
//! of an image one that others may exchange: everything after the check goes by paths.

use std::fs::DirBuilder;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, fstat, mkdirat, open, openat};
use rustix::io::Errno;

use super::StateError;

/// Entries of the state directory that must be no links.
const ENTRIES: [&str; 5] =
    ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm", "bucket", "repository"];

/// What to do about components that do not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Make them: the last one for its owner only.
    Make,
    /// Leave it at that: the error is `NotFound`.
    Report,
}

/// Makes sure that `directory` is fit to hold the state. A `root` other than `/` that `directory`
/// lies below bears no links on the way; anywhere else links are followed.
pub(super) fn enter(root: &Path, directory: &Path, missing: Missing) -> Result<(), StateError> {
    let failed = |source| StateError::Directory { path: directory.to_owned(), source };
    let opened = if let Some((root, rest)) = below(root, directory) {
        walk(&root, &rest, missing)?
    } else {
        if missing == Missing::Make {
            DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        }
        open(directory, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| failed(error.into()))?
    };
    let status = fstat(&opened).map_err(|error| failed(error.into()))?;
    if status.st_uid != 0 && status.st_uid != rustix::process::geteuid().as_raw() {
        return Err(failed(io::Error::other(format!(
            "it belongs to user {}: `chown root` it after a look at what is in it",
            status.st_uid
        ))));
    }
    if status.st_mode & 0o022 != 0 {
        return Err(failed(io::Error::other(
            "others than its owner may write to it: `chmod 0700` it after a look at what is in it",
        )));
    }
    ENTRIES.iter().try_for_each(|entry| refuse_link(&directory.join(entry)))
}

/// Refuses a symbolic link at `path`; that nothing is there is as good.
pub(super) fn refuse_link(path: &Path) -> Result<(), StateError> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Err(StateError::Link { path: path.to_owned() }),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(StateError::File { action: "look at", path: path.to_owned(), source }),
    }
}

/// The root and the way from there to `directory`, where links are to be refused.
fn below(root: &Path, directory: &Path) -> Option<(PathBuf, PathBuf)> {
    let real = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    if real == Path::new("/") {
        return None;
    }
    let rest = directory.strip_prefix(root).or_else(|_| directory.strip_prefix(&real)).ok()?;
    Some((real, rest.to_owned()))
}

fn walk(root: &Path, rest: &Path, missing: Missing) -> Result<OwnedFd, StateError> {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let failed =
        |path: &Path, source: io::Error| StateError::Directory { path: path.to_owned(), source };
    let mut path = root.to_owned();
    let mut current =
        open(root, flags, Mode::empty()).map_err(|error| failed(root, error.into()))?;
    let mut components = rest.components().peekable();
    let mut foreign = refuse_foreign(&current, &path);
    while let Some(component) = components.next() {
        // Where there is nothing to be read, it does not matter who could exchange it.
        if missing == Missing::Make {
            std::mem::replace(&mut foreign, Ok(()))?;
        }
        let name = match component {
            Component::CurDir => continue,
            Component::Normal(name) => name,
            _ => return Err(failed(rest, io::ErrorKind::InvalidInput.into())),
        };
        path.push(name);
        let mode = if components.peek().is_none() { 0o700 } else { 0o755 };
        let step = |from: &OwnedFd| openat(from, name, flags | OFlags::NOFOLLOW, Mode::empty());
        let next = match step(&current) {
            Err(Errno::NOENT) if missing == Missing::Make => {
                match mkdirat(current.as_fd(), name, Mode::from_raw_mode(mode)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(failed(&path, error.into())),
                }
                step(&current)
            }
            other => other,
        };
        current = match next {
            Ok(next) => next,
            Err(error) => {
                refuse_link(&path)?;
                return Err(failed(&path, error.into()));
            }
        };
        if foreign.is_ok() && components.peek().is_some() {
            foreign = refuse_foreign(&current, &path);
        }
    }
    foreign.map(|()| current)
}

/// Refuses a directory on the way in which somebody else can exchange a name: what has just been
/// looked at would be something else a moment later.
fn refuse_foreign(directory: &OwnedFd, path: &Path) -> Result<(), StateError> {
    let failed = |source| StateError::Directory { path: path.to_owned(), source };
    let status = fstat(directory).map_err(|error| failed(error.into()))?;
    let user = rustix::process::geteuid().as_raw();
    let group = rustix::process::getegid().as_raw();
    if status.st_uid != 0 && status.st_uid != user {
        return Err(failed(io::Error::other(format!(
            "user {} owns it, who could exchange what is in it: `chown root` it after a look at \
             what is in it, or choose a directory outside of the root with --state-dir",
            status.st_uid
        ))));
    }
    let own_group = status.st_gid == 0 || status.st_gid == group;
    let others = if own_group { 0o002 } else { 0o022 };
    // Where the sticky bit is set, only owners exchange names.
    if status.st_mode & others != 0 && status.st_mode & 0o1000 == 0 {
        return Err(failed(io::Error::other(
            "others than its owner may write to it, and could exchange what is in it: `chmod go-w` \
             it, or choose a directory outside of the root with --state-dir",
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_link_below_the_root_is_refused_by_name() {
        let outside = tempfile::tempdir().unwrap();
        let root = tempfile::tempdir().unwrap();
        symlink(outside.path(), root.path().join("var")).unwrap();
        let directory = root.path().join("var/lib/steadfast");
        let error = enter(root.path(), &directory, Missing::Make).unwrap_err();
        assert!(matches!(error, StateError::Link { path } if path.ends_with("var")));
        assert_eq!(outside.path().read_dir().unwrap().count(), 0);
        enter(Path::new("/"), &directory, Missing::Make).unwrap();
    }

    #[test]
    fn only_the_last_directory_is_private_and_nothing_is_made_unasked() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("var/lib/steadfast");
        assert!(enter(root.path(), &directory, Missing::Report).is_err());
        assert!(!root.path().join("var").exists());
        enter(root.path(), &directory, Missing::Make).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory), 0o700);
        assert_ne!(mode(&root.path().join("var")), 0o700);
    }

    #[test]
    fn a_directory_that_others_may_write_is_refused_and_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("state");
        DirBuilder::new().create(&directory).unwrap();
        let opened = std::fs::File::open(&directory).unwrap();
        opened.set_permissions(std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(enter(root.path(), &directory, Missing::Make).is_err());
        assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o777, 0o777);
    }

    #[test]
    fn a_way_on_which_others_may_exchange_a_directory_is_refused() {
        let refused = |change: &dyn Fn(&Path)| {
            let root = tempfile::tempdir().unwrap();
            let directory = root.path().join("var/lib/steadfast");
            enter(root.path(), &directory, Missing::Make).unwrap();
            change(root.path());
            [Missing::Make, Missing::Report].map(|missing| {
                enter(root.path(), &directory, missing)
                    .err()
                    .map(|error| steadfast_resources::Failure::from_error(&error).reason)
            })
        };
        let mode = |path: PathBuf, mode| {
            let opened = std::fs::File::open(path).unwrap();
            opened.set_permissions(std::fs::Permissions::from_mode(mode)).unwrap();
        };
        assert_eq!(refused(&|_| ()), [None, None]);
        assert_eq!(refused(&|root| mode(root.join("var/lib"), 0o1777)), [None, None]);
        for way in ["", "var", "var/lib"] {
            for error in refused(&|root| mode(root.join(way), 0o777)) {
                assert!(error.unwrap().contains("--state-dir"), "{way}");
            }
        }
        let open_root = tempfile::tempdir().unwrap();
        mode(open_root.path().to_owned(), 0o777);
        let nothing = enter(open_root.path(), &open_root.path().join("var"), Missing::Report);
        assert!(matches!(
            nothing,
            Err(StateError::Directory { source, .. }) if source.kind() == io::ErrorKind::NotFound
        ));
        if !rustix::process::geteuid().is_root() {
            return;
        }
        for way in ["", "var", "var/lib"] {
            let give = |root: &Path| std::os::unix::fs::chown(root.join(way), Some(1000), None);
            for error in refused(&|root| give(root).unwrap()) {
                assert!(error.unwrap().contains("user 1000 owns it"), "{way}");
            }
        }
    }

    #[test]
    fn linked_entries_are_refused() {
        for entry in ENTRIES {
            let directory = tempfile::tempdir().unwrap();
            symlink("/nonexistent", directory.path().join(entry)).unwrap();
            let error = enter(Path::new("/"), directory.path(), Missing::Make).unwrap_err();
            assert!(matches!(error, StateError::Link { .. }), "{entry}");
        }
    }
}
