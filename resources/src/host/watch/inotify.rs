//! inotify(7): events of directories with the entry's name, without the process.
//!
//! For kernels, sandboxes and file systems where fanotify is not to be had.

use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::occurrence::{Key, Occurrence, Raw};

const BUFFER: usize = 32 * 1024;

pub(super) struct Inotify(OwnedFd);

impl Inotify {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?))
    }

    /// Watches the open `directory`, adding to what is asked of it already.
    pub(super) fn mark(&self, directory: BorrowedFd<'_>, asked: Occurrence) -> io::Result<Key> {
        let flags = WatchFlags::from_bits_retain(asked.bits() & !Occurrence::DIRECTORY.bits());
        let flags = flags | WatchFlags::ONLYDIR | WatchFlags::MASK_ADD;
        // There is no call that takes a descriptor.
        let path = format!("/proc/self/fd/{}", directory.as_raw_fd());
        Ok(Key::Descriptor(inotify::add_watch(&self.0, path, flags)?))
    }

    /// Stops to watch. One that is gone already is no error.
    pub(super) fn unmark(&self, descriptor: i32) -> io::Result<()> {
        match inotify::remove_watch(&self.0, descriptor) {
            Err(Errno::INVAL) => Ok(()),
            result => Ok(result?),
        }
    }

    /// Appends what has happened, until there is no more or `into` has about `enough`.
    pub(super) fn read(&self, into: &mut Vec<Raw>, enough: usize) -> io::Result<()> {
        let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
        let mut reader = Reader::new(&self.0, &mut buffer);
        while into.len() < enough || !reader.is_buffer_empty() {
            match reader.next() {
                Ok(event) => {
                    let name = event.file_name().map_or(&b"."[..], std::ffi::CStr::to_bytes);
                    into.push(Raw {
                        directory: Key::Descriptor(event.wd()),
                        name: OsString::from(OsStr::from_bytes(name)),
                        what: Occurrence::from_bits(u64::from(event.events().bits())),
                        pid: None,
                    });
                }
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl AsFd for Inotify {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
