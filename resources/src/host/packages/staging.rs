//! Package files in a place that only root can reach, so that what was verified is what is
//! installed.
//!
//! The place is a directory of the managed root's `/var/cache`; no symbolic link on the way to it
//! is followed. Files left by a killed run are replaced by the next one of the same name.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, ResolveFlags, fstat, mkdirat, openat, openat2, unlinkat,
};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use super::backend::Backend;
use super::{PackageError, PackageFile, PackageName, Staged};

const PARENT: &str = "var/cache";
const DIRECTORY: &str = "steadfast-packages";

/// Removes a staged file.
#[derive(Debug)]
pub(super) struct Keeper {
    directory: OwnedFd,
    file: String,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Err(error) = unlinkat(&self.directory, self.file.as_str(), AtFlags::empty()) {
            log::warn!("cannot remove the staged {}: {error}", self.file);
        }
    }
}

/// See [`super::PackageChanges::stage`].
pub(super) fn stage(
    root: &Path,
    backend: &dyn Backend,
    name: &PackageName,
    file: &PackageFile<'_>,
) -> Result<Staged, PackageError> {
    let shown = match file {
        PackageFile::Bytes(_) => name.to_string(),
        PackageFile::Local { path, .. } => (*path).to_owned(),
    };
    let failed = |source: std::io::Error| PackageError::Stage { path: shown.clone(), source };
    let root_directory = openat(CWD, root, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| failed(error.into()))?;
    let directory = private_directory(&root_directory).map_err(failed)?;
    let file_name = format!("{name}{}", backend.file_suffix());
    let target = fresh_file(&directory, &file_name).map_err(failed)?;
    let keeper = Keeper { directory, file: file_name.clone() };
    match file {
        PackageFile::Bytes(bytes) => write_all(target, bytes).map_err(failed)?,
        PackageFile::Local { path, sha256 } => {
            let source = local_file(&root_directory, path, sha256.is_some())?;
            let actual = copy(source, target).map_err(failed)?;
            if let Some(wanted) = sha256.filter(|wanted| !wanted.eq_ignore_ascii_case(&actual)) {
                let wanted = wanted.to_owned();
                return Err(PackageError::Digest { path: shown, actual, wanted });
            }
        }
    }
    let path = PathBuf::from("/").join(PARENT).join(DIRECTORY).join(file_name);
    let identity = backend.identify(&path)?;
    let other_architecture =
        name.architecture().is_some_and(|wanted| identity.architecture != wanted);
    if identity.name != name.name() || other_architecture {
        return Err(PackageError::OtherPackage {
            actual: format!("{}:{}", identity.name, identity.architecture),
            wanted: name.to_string(),
        });
    }
    Ok(Staged { path, version: identity.version, keeper: Some(keeper) })
}

fn private_directory(root: &OwnedFd) -> std::io::Result<OwnedFd> {
    let strict = ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH;
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let parent = openat2(root, PARENT, flags, Mode::empty(), strict)?;
    match mkdirat(&parent, DIRECTORY, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let directory = openat2(&parent, DIRECTORY, flags, Mode::empty(), strict)?;
    let status = fstat(&directory)?;
    if status.st_uid != rustix::process::geteuid().as_raw() || status.st_mode & 0o077 != 0 {
        let message = format!("/{PARENT}/{DIRECTORY} is not private to root; remove it");
        return Err(std::io::Error::other(message));
    }
    Ok(directory)
}

fn fresh_file(directory: &OwnedFd, name: &str) -> std::io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let create = || openat(directory, name, flags, Mode::RUSR | Mode::WUSR);
    match create() {
        Err(Errno::EXIST) => {
            unlinkat(directory, name, AtFlags::empty())?;
            Ok(File::from(create()?))
        }
        other => Ok(File::from(other?)),
    }
}

/// Opens a regular file of the managed root; links cannot lead out of it.
fn local_file(root: &OwnedFd, path: &str, vouched_for: bool) -> Result<File, PackageError> {
    let failed = |error: Errno| PackageError::Stage { path: path.into(), source: error.into() };
    let mut resolve = ResolveFlags::IN_ROOT;
    if !vouched_for {
        resolve |= ResolveFlags::NO_SYMLINKS;
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = openat2(root, path, flags, Mode::empty(), resolve).map_err(failed)?;
    let status = fstat(&file).map_err(failed)?;
    if status.st_mode & 0o170_000 != 0o100_000 {
        let source = std::io::Error::other("not a regular file");
        return Err(PackageError::Stage { path: path.into(), source });
    }
    if !vouched_for && (status.st_uid != 0 || status.st_mode & 0o022 != 0) {
        return Err(PackageError::Untrusted { path: path.into() });
    }
    Ok(File::from(file))
}

fn write_all(mut target: File, bytes: &[u8]) -> std::io::Result<()> {
    target.write_all(bytes)
}

/// Copies and returns the SHA-256 of what was copied.
fn copy(mut source: File, mut target: File) -> std::io::Result<String> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0_u8; 128 * 1024];
    loop {
        let read = source.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        digest.update(bytes);
        target.write_all(bytes)?;
    }
    let digits =
        digest.finalize().iter().flat_map(|byte| [byte >> 4, byte & 15]).collect::<Vec<_>>();
    Ok(digits.into_iter().filter_map(|digit| char::from_digit(digit.into(), 16)).collect())
}
