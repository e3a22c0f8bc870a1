//! The four databases as files: read, and replaced under their lock.
//!
//! A changed database is written beside the old one (`passwd+`, shadow's own name for it) with the
//! same mode, owner and `SELinux` context, made durable, and renamed over it.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Instant;

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid, XattrFlags, openat};
use rustix::io::Errno;

use super::super::AccountError;
use super::super::defaults::Defaults;
use super::super::edit::Databases;
use super::super::snapshot::{ShadowTable, Snapshot};
use super::super::table::Table;
use super::lock::DatabaseLock;
use super::paths;

/// Which database is replaced first, where more than one changes and a crash may fall between:
/// what a rerun looks at to see that work is left goes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// `passwd` last.
    PasswdLast,
    /// `passwd` first.
    PasswdFirst,
}

/// The accounts of `root`. One pass; `shadow` may be unreadable.
pub(super) fn snapshot(root: &Path) -> Result<Snapshot, AccountError> {
    let passwd = table(root, "passwd")?;
    let group = table(root, "group")?;
    match table(root, "shadow") {
        Ok(shadow) => Ok(Snapshot::new(&passwd, ShadowTable::Readable(&shadow), &group)),
        Err(AccountError::Read { source, .. })
            if source.kind() == io::ErrorKind::PermissionDenied =>
        {
            Ok(Snapshot::new(&passwd, ShadowTable::Unreadable, &group))
        }
        Err(error) => Err(error),
    }
}

/// The settings for new accounts.
pub(super) fn defaults(root: &Path) -> Result<Defaults, AccountError> {
    let text = |path: &str| {
        paths::read(root, path)
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .map_err(|source| AccountError::Read { path: root.join(path), source })
    };
    Ok(Defaults::parse(&text("etc/login.defs")?, &text("etc/default/useradd")?))
}

/// Applies `change` to the databases of `root`, under their lock.
pub(super) fn edit(
    root: &Path,
    order: Order,
    deadline: Instant,
    change: impl FnOnce(&mut Databases) -> Result<(), AccountError>,
) -> Result<(), AccountError> {
    let etc_path = root.join("etc");
    let etc =
        open_etc(root).map_err(|source| AccountError::Write { path: etc_path.clone(), source })?;
    let _lock = DatabaseLock::acquire(&etc, &etc_path, deadline)?;
    let before = Databases {
        passwd: table(root, "passwd")?,
        shadow: table(root, "shadow")?,
        group: table(root, "group")?,
        gshadow: table(root, "gshadow")?,
    };
    let mut after = before.clone();
    change(&mut after)?;
    let mut files = vec![
        ("gshadow", &before.gshadow, &after.gshadow),
        ("group", &before.group, &after.group),
        ("shadow", &before.shadow, &after.shadow),
        ("passwd", &before.passwd, &after.passwd),
    ];
    if order == Order::PasswdFirst {
        files.reverse();
    }
    for (name, _, table) in files.into_iter().filter(|(_, before, after)| before != after) {
        replace(&etc, name, &table.render())
            .map_err(|source| AccountError::Write { path: etc_path.join(name), source })?;
    }
    Ok(())
}

fn table(root: &Path, name: &str) -> Result<Table, AccountError> {
    let text = paths::read(root, &format!("etc/{name}"))
        .map_err(|source| AccountError::Read { path: root.join("etc").join(name), source })?;
    Ok(Table::parse(&text))
}

fn open_etc(root: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    match paths::look(root, "etc", flags) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            rustix::fs::mkdir(root.join("etc"), Mode::from_raw_mode(0o755))?;
            paths::look(root, "etc", flags)
        }
        other => other,
    }
}

fn replace(etc: &OwnedFd, name: &str, text: &[u8]) -> io::Result<()> {
    let candidate = format!("{name}+");
    match rustix::fs::unlinkat(etc, &*candidate, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(etc, &*candidate, flags, Mode::from_raw_mode(0o600))?);
    let looking = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(etc, name, looking, Mode::empty()) {
        Ok(old) => keep_attributes(&old, &file)?,
        Err(Errno::NOENT) => {
            let secret = name.ends_with("shadow");
            let mode = if secret { 0o600 } else { 0o644 };
            rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
        }
        Err(error) => return Err(error.into()),
    }
    file.write_all(text)?;
    file.sync_all()?;
    rustix::fs::renameat(etc, &*candidate, etc, name)?;
    rustix::fs::fsync(etc)?;
    Ok(())
}

fn keep_attributes(old: impl AsFd, new: impl AsFd) -> io::Result<()> {
    let (was, is) = (rustix::fs::fstat(&old)?, rustix::fs::fstat(&new)?);
    if (was.st_uid, was.st_gid) != (is.st_uid, is.st_gid) {
        let (uid, gid) = (Uid::from_raw(was.st_uid), Gid::from_raw(was.st_gid));
        rustix::fs::fchown(&new, Some(uid), Some(gid))?;
    }
    rustix::fs::fchmod(&new, Mode::from_raw_mode(was.st_mode & 0o7777))?;
    let mut context = vec![0_u8; 1024];
    // An error means that there is no SELinux here.
    if let Ok(length) = rustix::fs::fgetxattr(&old, "security.selinux", &mut *context) {
        let context = context.get(..length).unwrap_or_default();
        rustix::fs::fsetxattr(&new, "security.selinux", context, XattrFlags::empty())?;
    }
    Ok(())
}
