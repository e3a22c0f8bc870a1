//! Who can read a file: its own mode says so only where every directory on the way lets people
//! through.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::failure::Failure;
use crate::host::View;
use crate::host::files::{AbsolutePath, FileType, Status};

/// Links on the way that are followed; the kernel's own limit.
const LINKS: usize = 40;

const READ: u32 = 0o004;
const PASS: u32 = 0o001;

/// Whether everybody can read the file at `path`, which `status` describes.
pub(super) fn everybody_reads(
    path: &AbsolutePath,
    status: &Status,
    view: &View<'_>,
) -> Result<bool, Failure> {
    if u32::from(status.mode.bits()) & READ == 0 {
        return Ok(false);
    }
    let directory = path.split().0;
    let mut names = components(directory.as_bytes());
    let mut current = AbsolutePath::root();
    let mut links = 0;
    while let Some(name) = names.pop_front() {
        if name == ".." {
            current = current.parent().unwrap_or_else(AbsolutePath::root);
            continue;
        }
        let next = current.join(&name);
        let Some(status) = view.files.look(&next)? else { return Ok(false) };
        match status.kind {
            FileType::Directory if u32::from(status.mode.bits()) & PASS != 0 => current = next,
            FileType::Symlink if links < LINKS => {
                links += 1;
                let target = view.files.link_target(&next)?;
                if target.as_bytes().starts_with(b"/") {
                    current = AbsolutePath::root();
                }
                let mut onwards = components(target.as_bytes());
                onwards.append(&mut names);
                names = onwards;
            }
            _ => return Ok(false),
        }
    }
    Ok(true)
}

fn components(path: &[u8]) -> VecDeque<OsString> {
    let parts = path.split(|byte| *byte == b'/');
    let named = parts.filter(|part| !part.is_empty() && *part != b".");
    named.map(|part| OsString::from_vec(part.to_vec())).collect()
}
