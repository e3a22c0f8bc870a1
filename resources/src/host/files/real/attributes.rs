//! Owner, permissions and extended attributes: of a candidate through its descriptor, of what is
//! already there through a descriptor that opens nothing (`O_PATH`).
//!
//! The order matters: `chown(2)` clears set-id bits and capabilities, setting an ACL changes the
//! group bits, and changing the group bits changes an ACL's mask. So: owner, then extended
//! attributes, then permissions.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{AtFlags, CWD, Gid, Mode as RawMode, OFlags, Uid, XattrFlags};
use rustix::io::Errno;

use super::read::proc_path;
use super::{RealFiles, look_at};
use crate::host::files::status::Mode;
use crate::host::files::{AbsolutePath, FileError, FileType, Properties, Status};

const ACCESS_ACL: &str = "system.posix_acl_access";
/// What a directory gives to everything that is made in it.
const DEFAULT_ACL: &str = "system.posix_acl_default";
const CAPABILITY: &str = "security.capability";
const SELINUX: &str = "security.selinux";
/// No file system takes more (`xattr(7)`).
const ATTRIBUTE_LIMIT: usize = 64 * 1024;

pub(super) fn raw_mode(mode: Mode) -> RawMode {
    RawMode::from_raw_mode(u32::from(mode.bits()))
}

fn ids(properties: &Properties<'_>) -> (Option<Uid>, Option<Gid>) {
    (properties.owner.map(Uid::from_raw), properties.group.map(Gid::from_raw))
}

/// What becomes of the extended attributes of a thing that is dressed.
#[derive(Clone, Copy)]
pub(super) enum Attributes<'a> {
    /// It takes over those of this regular file, and has no ACL if that file has none.
    Of(&'a OwnedFd),
    /// It keeps its own.
    Own,
    /// Its ACL goes, also one that came from its directory: the mode alone says who may do what.
    WithoutAccessList,
}

/// Sets what `properties` say on a thing that we have just created and hold open.
pub(super) fn dress(
    path: &AbsolutePath,
    fd: &OwnedFd,
    attributes: Attributes<'_>,
    properties: &Properties<'_>,
    mode: Mode,
) -> Result<(), FileError> {
    let (owner, group) = ids(properties);
    if owner.is_some() || group.is_some() {
        let stat = rustix::fs::fstat(fd).map_err(|error| set_owner(path, error))?;
        let owner = owner.filter(|uid| uid.as_raw() != stat.st_uid);
        let group = group.filter(|gid| gid.as_raw() != stat.st_gid);
        if owner.is_some() || group.is_some() {
            rustix::fs::fchown(fd, owner, group).map_err(|error| set_owner(path, error))?;
        }
    }
    match attributes {
        Attributes::Of(old) => copy_attributes(path, old, fd)?,
        Attributes::Own => {}
        Attributes::WithoutAccessList => {
            for name in [ACCESS_ACL, DEFAULT_ACL] {
                removed(path, name, rustix::fs::fremovexattr(fd, name))?;
            }
        }
    }
    if let Some(context) = properties.selinux {
        rustix::fs::fsetxattr(fd, SELINUX, &terminated(context), XattrFlags::empty())
            .map_err(|error| set_attribute(path, SELINUX.as_bytes(), error))?;
    }
    rustix::fs::fchmod(fd, raw_mode(mode)).map_err(|error| set_mode(path, error))
}

/// Gives `new` the extended attributes of `old`, in every namespace that can be read. Left out are
/// those that describe the old content itself (integrity measurements) or belong to an overlay.
fn copy_attributes(path: &AbsolutePath, old: &OwnedFd, new: &OwnedFd) -> Result<(), FileError> {
    let mut names = vec![0; ATTRIBUTE_LIMIT];
    let length = match rustix::fs::flistxattr(old, names.as_mut_slice()) {
        Ok(length) => length,
        Err(Errno::OPNOTSUPP) => 0,
        Err(error) => return Err(set_attribute(path, b"(list)", error)),
    };
    names.truncate(length);
    let mut value = Vec::new();
    let mut has_access_acl = false;
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        if name.starts_with(b"trusted.overlay.")
            || name == b"security.ima"
            || name == b"security.evm"
        {
            continue;
        }
        has_access_acl |= name == ACCESS_ACL.as_bytes();
        value.resize(ATTRIBUTE_LIMIT, 0);
        let name_text = OsStr::from_bytes(name);
        let length = match rustix::fs::fgetxattr(old, name_text, value.as_mut_slice()) {
            Ok(length) => length,
            Err(Errno::NODATA) => continue,
            Err(error) => return Err(set_attribute(path, name, error)),
        };
        value.truncate(length);
        match rustix::fs::fsetxattr(new, name_text, &value, XattrFlags::empty()) {
            Ok(()) => {}
            // What only a more privileged process could set stays behind; the security module
            // labels the new file itself.
            Err(Errno::PERM | Errno::ACCESS | Errno::OPNOTSUPP)
                if !name.starts_with(b"user.") && name != ACCESS_ACL.as_bytes() => {}
            Err(error) => return Err(set_attribute(path, name, error)),
        }
    }
    if !has_access_acl {
        // The candidate may have got one from its directory's default ACL.
        removed(path, ACCESS_ACL, rustix::fs::fremovexattr(new, ACCESS_ACL))?;
    }
    Ok(())
}

/// There being none is no failure. A thing that is no directory cannot have a default ACL, which
/// some file systems call a lack of permission.
fn removed(path: &AbsolutePath, name: &str, outcome: Result<(), Errno>) -> Result<(), FileError> {
    match outcome {
        Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(()),
        Err(Errno::ACCESS) if name == DEFAULT_ACL => Ok(()),
        Err(error) => Err(set_attribute(path, name.as_bytes(), error)),
    }
}

impl RealFiles {
    /// Whether what belongs to `found` is a stranger's once it shall belong to `owner`: the access
    /// rights that it carries were given by somebody who is to have no say any more.
    pub(super) fn is_strangers(&self, found: u32, owner: Option<u32>) -> bool {
        found != owner.unwrap_or(self.own_uid) && !self.is_trusted_owner(found)
    }

    /// Whether there is an ACL at `path`; of a directory, also one for what is made in it.
    pub(super) fn has_access_list(&self, path: &AbsolutePath) -> Result<bool, FileError> {
        let directory = self.holding_directory(path)?;
        let (_, name) = path.split();
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let thing = rustix::fs::openat(&directory, name, flags, RawMode::empty())
            .map_err(|error| FileError::Look { path: path.clone(), source: error.into() })?;
        for name in [ACCESS_ACL, DEFAULT_ACL] {
            let mut nothing: [u8; 0] = [];
            match rustix::fs::getxattr(proc_path(&thing), name, &mut nothing) {
                Ok(_) | Err(Errno::RANGE) => return Ok(true),
                Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
                Err(error) => return Err(set_attribute(path, name.as_bytes(), error)),
            }
        }
        Ok(false)
    }

    pub(super) fn adjust_in_place(
        &mut self,
        path: &AbsolutePath,
        seen: &Status,
        properties: &Properties<'_>,
    ) -> Result<(), FileError> {
        let directory = self.holding_directory(path)?;
        let (_, name) = path.split();
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let look = |error: Errno| FileError::Look { path: path.clone(), source: error.into() };
        let thing = rustix::fs::openat(&directory, name, flags, RawMode::empty()).map_err(look)?;
        let now = look_at(&thing, OsStr::new("")).map_err(look)?;
        if now.identity != seen.identity || now.kind != seen.kind {
            return Err(FileError::ChangedMeanwhile { path: path.clone() });
        }
        let planted = now.kind != FileType::Directory
            && now.links > 1
            && !self.names_made_only_by(&directory, now.uid).map_err(look)?;
        if planted {
            return Err(FileError::PlantedHardLink {
                path: path.clone(),
                links: u64::from(now.links),
                owner: now.uid,
            });
        }
        change_owner(path, &thing, now.kind, properties)?;
        // Only now: before, the owner could have given it a new one.
        if properties.owner.is_some()
            && now.kind != FileType::Symlink
            && self.is_strangers(now.uid, properties.owner)
        {
            for name in [ACCESS_ACL, DEFAULT_ACL] {
                removed(path, name, rustix::fs::removexattr(proc_path(&thing), name))?;
            }
        }
        if let Some(context) = properties.selinux {
            set_context(path, &thing, context)?;
        }
        if let Some(mode) = properties.mode
            && now.kind != FileType::Symlink
        {
            rustix::fs::chmodat(CWD, proc_path(&thing), raw_mode(mode), AtFlags::empty())
                .map_err(|error| set_mode(path, error))?;
        }
        Ok(())
    }
}

fn change_owner(
    path: &AbsolutePath,
    thing: &OwnedFd,
    kind: FileType,
    properties: &Properties<'_>,
) -> Result<(), FileError> {
    let (owner, group) = ids(properties);
    if owner.is_none() && group.is_none() {
        return Ok(());
    }
    let capability = (kind == FileType::File).then(|| capability_of(thing)).flatten();
    rustix::fs::chownat(thing, "", owner, group, AtFlags::EMPTY_PATH)
        .map_err(|error| set_owner(path, error))?;
    if let Some(capability) = capability {
        rustix::fs::setxattr(proc_path(thing), CAPABILITY, &capability, XattrFlags::empty())
            .map_err(|error| set_attribute(path, CAPABILITY.as_bytes(), error))?;
    }
    Ok(())
}

fn capability_of(thing: &OwnedFd) -> Option<Vec<u8>> {
    let mut value = vec![0; 256];
    let length = rustix::fs::getxattr(proc_path(thing), CAPABILITY, value.as_mut_slice()).ok()?;
    value.truncate(length);
    Some(value)
}

/// Sets owner, group and context of a link just created. Through a descriptor as well: in a
/// directory that a user can write, our name may already mean a hard link to something else.
pub(super) fn dress_link(
    path: &AbsolutePath,
    directory: &OwnedFd,
    name: &OsStr,
    properties: &Properties<'_>,
) -> Result<(), FileError> {
    let (owner, group) = ids(properties);
    if owner.is_none() && group.is_none() && properties.selinux.is_none() {
        return Ok(());
    }
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let link = rustix::fs::openat(directory, name, flags, RawMode::empty())
        .map_err(|error| set_owner(path, error))?;
    let status = look_at(&link, OsStr::new("")).map_err(|error| set_owner(path, error))?;
    if status.kind != FileType::Symlink || status.links != 1 {
        return Err(FileError::ChangedMeanwhile { path: path.clone() });
    }
    change_owner(path, &link, FileType::Symlink, properties)?;
    match properties.selinux {
        Some(context) => set_context(path, &link, context),
        None => Ok(()),
    }
}

/// Sets the `SELinux` context of whatever `thing` is open on, a link's own included.
fn set_context(path: &AbsolutePath, thing: &OwnedFd, context: &str) -> Result<(), FileError> {
    rustix::fs::setxattr(proc_path(thing), SELINUX, &terminated(context), XattrFlags::empty())
        .map_err(|error| set_attribute(path, SELINUX.as_bytes(), error))
}

/// The kernel keeps contexts with their terminating NUL.
fn terminated(context: &str) -> Vec<u8> {
    let mut value = context.as_bytes().to_vec();
    value.push(0);
    value
}

pub(super) fn describe(status: &Status) -> Properties<'static> {
    Properties {
        owner: Some(status.uid),
        group: Some(status.gid),
        mode: Some(status.mode),
        selinux: None,
    }
}

fn set_owner(path: &AbsolutePath, error: Errno) -> FileError {
    FileError::SetOwner { path: path.clone(), source: error.into() }
}

fn set_mode(path: &AbsolutePath, error: Errno) -> FileError {
    FileError::SetMode { path: path.clone(), source: error.into() }
}

fn set_attribute(path: &AbsolutePath, name: &[u8], error: Errno) -> FileError {
    FileError::SetAttribute {
        path: path.clone(),
        attribute: String::from_utf8_lossy(name).into_owned(),
        source: error.into(),
    }
}
