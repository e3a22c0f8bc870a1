//! File handles: what fanotify calls directories by in its events (name_to_handle_at(2)).
//!
//! The one unsafe call of this crate: neither nix nor rustix has it. Handles are only compared,
//! never opened.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use rustix::fs::fstatvfs;

use super::occurrence::Key;

/// The longest handle there is (`MAX_HANDLE_SZ` of name_to_handle_at(2)).
const LONGEST: usize = 128;

/// `struct file_handle` with room for the longest handle.
#[repr(C)]
struct FileHandle {
    bytes: u32,
    kind: i32,
    handle: [u8; LONGEST],
}

/// What fanotify will call the open `directory`.
pub(super) fn key(directory: impl AsFd) -> io::Result<Key> {
    let directory = directory.as_fd();
    // Identifiers that cannot be opened again exist for file systems that have no others
    // (overlayfs); kernels before 6.5 do not know the flag.
    let handle = match read(directory, libc::AT_EMPTY_PATH | libc::AT_HANDLE_FID) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            read(directory, libc::AT_EMPTY_PATH)
        }
        result => result,
    }?;
    let file_system = fstatvfs(directory)?.f_fsid;
    let length = usize::try_from(handle.bytes).unwrap_or(LONGEST).min(LONGEST);
    Ok(assemble(file_system, handle.kind, handle.handle.get(..length).unwrap_or_default()))
}

/// The key of a directory by the parts that both the handle and an event have.
pub(super) fn assemble(file_system: u64, kind: i32, handle: &[u8]) -> Key {
    let mut key = Vec::with_capacity(12 + handle.len());
    key.extend(file_system.to_ne_bytes());
    key.extend(kind.to_ne_bytes());
    key.extend(handle);
    Key::Handle(key.into_boxed_slice())
}

#[expect(unsafe_code, reason = "name_to_handle_at(2) has no safe wrapper in nix or rustix")]
fn read(directory: impl AsFd, flags: i32) -> io::Result<FileHandle> {
    let mut handle =
        FileHandle { bytes: u32::try_from(LONGEST).unwrap_or(0), kind: 0, handle: [0; LONGEST] };
    let mut mount = 0;
    // SAFETY: the descriptor is open for the time of the call; the path is an empty C string; the
    // handle has the layout of `struct file_handle` and says how much room follows, which the
    // kernel does not exceed; `mount` is written to once.
    let result = unsafe {
        libc::name_to_handle_at(
            directory.as_fd().as_raw_fd(),
            c"".as_ptr(),
            (&raw mut handle).cast(),
            &raw mut mount,
            flags,
        )
    };
    if result == 0 { Ok(handle) } else { Err(io::Error::last_os_error()) }
}
