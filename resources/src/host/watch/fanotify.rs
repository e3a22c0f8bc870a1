//! fanotify(7): events of directories with the entry's name and the process that did it.
//!
//! A group that reports directory handles and names (`FAN_REPORT_DFID_NAME`, Linux 5.9) in the class
//! that asks nobody's permission. Directories are recognised by the handle they had when they
//! were marked, so that no handle is ever opened. Kernels and sandboxes that forbid it are told
//! apart by the caller ([`super::marker`]).

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;

use nix::sys::fanotify::{EventFFlags, Fanotify as Group, InitFlags, MarkFlags, MaskFlags};
use rustix::io::Errno;

use super::handle;
use super::occurrence::{Key, Occurrence, Raw};

/// `FAN_REPORT_DIR_FID | FAN_REPORT_NAME`, which nix does not name.
const REPORT_NAMES: u32 = 0x400 | 0x800;
/// `FAN_EVENT_INFO_TYPE_DFID_NAME`.
const DIRECTORY_AND_NAME: u8 = 2;
/// `struct fanotify_event_metadata`.
const METADATA: usize = 24;
const VERSION: u8 = 3;
/// How much is read at once.
const BUFFER: usize = 64 * 1024;

pub(super) struct Fanotify {
    group: Group,
    buffer: Vec<u8>,
}

impl Fanotify {
    pub(super) fn new() -> io::Result<Self> {
        let flags = InitFlags::FAN_CLASS_NOTIF | InitFlags::FAN_CLOEXEC | InitFlags::FAN_NONBLOCK;
        let flags = flags | InitFlags::from_bits_retain(REPORT_NAMES);
        let group = Group::init(flags, EventFFlags::O_RDONLY | EventFFlags::O_CLOEXEC)?;
        Ok(Self { group, buffer: Vec::new() })
    }

    /// Marks the open `directory`, adding to what is asked of it already.
    pub(super) fn mark(&self, directory: BorrowedFd<'_>, asked: Occurrence) -> io::Result<Key> {
        let key = handle::key(directory)?;
        self.change(MarkFlags::FAN_MARK_ADD, directory, asked)?;
        Ok(key)
    }

    /// Takes the mark of the open `directory` away.
    pub(super) fn unmark(&self, directory: BorrowedFd<'_>) -> io::Result<()> {
        self.change(MarkFlags::FAN_MARK_REMOVE, directory, Occurrence::CONTENTS)
    }

    fn change(
        &self,
        change: MarkFlags,
        directory: BorrowedFd<'_>,
        asked: Occurrence,
    ) -> io::Result<()> {
        let mask = MaskFlags::from_bits_retain(u64::from(asked.bits()));
        let mask = mask | MaskFlags::FAN_EVENT_ON_CHILD;
        Ok(self.group.mark(change | MarkFlags::FAN_MARK_ONLYDIR, mask, directory, Some("."))?)
    }

    /// Appends what has happened; false when there is more to be read.
    pub(super) fn read(&mut self, into: &mut Vec<Raw>) -> io::Result<bool> {
        self.buffer.resize(BUFFER, 0);
        let length = match rustix::io::read(self.group.as_fd(), self.buffer.as_mut_slice()) {
            Ok(length) => length,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        let events = self.buffer.get(..length).unwrap_or_default();
        parse(events, into).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(false)
    }

    /// Gives the memory for reading back.
    pub(super) fn rest(&mut self) {
        self.buffer = Vec::new();
    }
}

impl AsFd for Fanotify {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.group.as_fd()
    }
}

/// Reads a run of `struct fanotify_event_metadata`; `None` where it is malformed.
fn parse(mut events: &[u8], into: &mut Vec<Raw>) -> Option<()> {
    while !events.is_empty() {
        let length = number(events, 0)?;
        let (event, rest) = events.split_at_checked(length)?;
        events = rest;
        if *event.get(4)? != VERSION || length < METADATA {
            return None;
        }
        let mask = u64::from_ne_bytes(event.get(8..16)?.try_into().ok()?);
        let pid = i32::from_ne_bytes(event.get(20..24)?.try_into().ok()?);
        let what = Occurrence::from_bits(mask);
        // Processes of an outer namespace have the number 0 here.
        let pid = (pid > 0).then_some(pid);
        if what.contains(Occurrence::OVERFLOW) {
            let directory = Key::Descriptor(-1);
            into.push(Raw { directory, name: OsString::new(), what, pid: None });
            continue;
        }
        let mut records = event.get(usize::from(half(event, 6)?)..)?;
        while let Some(&kind) = records.first() {
            let (record, rest) = records.split_at_checked(usize::from(half(records, 2)?))?;
            records = rest;
            if kind == DIRECTORY_AND_NAME {
                let (directory, name) = directory_and_name(record)?;
                into.push(Raw { directory, name, what, pid });
            } else if record.is_empty() {
                return None;
            }
        }
    }
    Some(())
}

/// `struct fanotify_event_info_fid`, with the name that follows the handle.
fn directory_and_name(record: &[u8]) -> Option<(Key, OsString)> {
    // The two halves of the id, in the order that statvfs(3) joins them.
    let (low, high) = (number(record, 4)?, number(record, 8)?);
    let file_system = u64::try_from(low).ok()? | (u64::try_from(high).ok()? << 32);
    let length = number(record, 12)?;
    let kind = i32::from_ne_bytes(record.get(16..20)?.try_into().ok()?);
    let (handle, name) = record.get(20..)?.split_at_checked(length)?;
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    Some((handle::assemble(file_system, kind, handle), OsString::from_vec(name.to_vec())))
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let number = u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
    usize::try_from(number).ok()
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_malformed_is_refused_and_never_read_past_its_end() {
        let mut into = Vec::new();
        assert!(parse(&[1, 2, 3], &mut into).is_none());
        let mut event = vec![0; METADATA];
        event[0] = 24;
        event[4] = VERSION;
        event[6] = 24;
        assert!(parse(&event, &mut into).is_some());
        for length in 0..event.len() {
            let cut = event.get(..length).unwrap();
            assert_eq!(parse(cut, &mut into).is_some(), length == 0, "{length}");
        }
        event[6] = 200;
        assert!(parse(&event, &mut into).is_none());
        event[6] = 24;
        event[0] = 28;
        event.extend([DIRECTORY_AND_NAME, 0, 0, 0]);
        assert!(parse(&event, &mut into).is_none());
        assert!(into.is_empty());
    }

    #[test]
    fn an_overflow_has_no_directory() {
        let mut event = vec![0; METADATA];
        event[0] = 24;
        event[4] = VERSION;
        event[6] = 24;
        event[9] = 0x40;
        let mut into = Vec::new();
        parse(&event, &mut into).unwrap();
        assert!(into[0].what.contains(Occurrence::OVERFLOW));
    }
}
