//! What a resident agent remembers of contents it has seen, so that a pass over files that nobody
//! has touched reads none of them.
//!
//! A file is taken for unread only while the kernel says that nothing about it has changed: same
//! device, inode, size, modification time and change time (`ctime`, which no system call can set).
//! Two things can change a content without a new change time, and are allowed for:
//! - a write within the clock's granularity, or through a memory map whose page was already dirty
//!   (written back within some forty seconds): what has changed within the last minute is read;
//! - a clock that was set back, a raw write to the disk: after a day everything is read again.
//!
//! Only file systems that keep change times themselves are trusted with this.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::FsWord;
use rustix::time::{ClockId, clock_gettime};

use super::status::{Inode, Status, Times};

/// What has changed more recently is read again.
const SETTLED: i64 = 60;

/// What was read longer ago is read again.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The most files that are remembered: some 100 bytes each.
const MOST: usize = 200_000;

/// File systems whose change times are their own, and which write dirty pages back (magic numbers of
/// `statfs(2)`): ext2 to ext4, XFS, Btrfs, F2FS, bcachefs. Not tmpfs, where a memory map that was once
/// written to never tells again; nor overlayfs, which may lie on one.
const TRUSTED: [FsWord; 5] = [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0xCA45_1A4E];

/// Contents that were seen, by file. To be kept from run to run.
#[derive(Debug, Default)]
pub struct ContentMemory {
    remembered: Mutex<Remembered>,
}

#[derive(Debug, Default)]
struct Remembered {
    files: HashMap<Inode, Seen, foldhash::fast::RandomState>,
    /// Whether the change times of a device can be trusted.
    devices: HashMap<u64, bool>,
    /// Contents are told apart by this, seeded by chance: no policy can be made to collide.
    contents: foldhash::quality::RandomState,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    size: u64,
    times: Times,
    content: u64,
    when: Instant,
}

impl ContentMemory {
    /// Whether the file with `status` is known to hold `content`, without reading it.
    pub(super) fn knows(&self, status: &Status, content: &[u8]) -> bool {
        let remembered = self.lock();
        let Some(seen) = remembered.files.get(&status.identity) else { return false };
        seen.size == status.size
            && seen.times == status.times
            && seen.when.elapsed() < DAY
            && seen.content == remembered.contents.hash_one(content)
    }

    /// The file with `status` has just been read and holds `content`. `file_system` is asked for
    /// the magic number of the file's file system, once for each device.
    pub(super) fn learn(
        &self,
        status: &Status,
        content: &[u8],
        file_system: impl FnOnce() -> Option<FsWord>,
    ) {
        let now = clock_gettime(ClockId::Realtime).tv_sec;
        if status.times.changed.0 > now - SETTLED {
            return;
        }
        let mut remembered = self.lock();
        let device = status.identity.device;
        let trusted = *remembered
            .devices
            .entry(device)
            .or_insert_with(|| file_system().is_some_and(|magic| TRUSTED.contains(&magic)));
        if !trusted {
            return;
        }
        if remembered.files.len() >= MOST {
            remembered.files.clear();
        }
        let content = remembered.contents.hash_one(content);
        let seen = Seen { size: status.size, times: status.times, content, when: Instant::now() };
        remembered.files.insert(status.identity, seen);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        // What is remembered is whole after every statement.
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::files::{FileType, Mode};

    const EXT4: FsWord = 0xEF53;
    const NFS: FsWord = 0x6969;
    const TMPFS: FsWord = 0x0102_1994;

    fn status(changed: i64) -> Status {
        Status {
            kind: FileType::File,
            mode: Mode::new(0o644),
            uid: 0,
            gid: 0,
            size: 3,
            links: 1,
            mount_point: false,
            identity: Inode { device: 1, number: 2 },
            times: Times { modified: (changed, 5), changed: (changed, 7) },
        }
    }

    #[test]
    fn a_file_is_known_until_the_kernel_says_that_it_changed() {
        let memory = ContentMemory::default();
        let old = status(1_000_000_000);
        assert!(!memory.knows(&old, b"one"));
        memory.learn(&old, b"one", || Some(EXT4));
        assert!(memory.knows(&old, b"one"));
        assert!(!memory.knows(&old, b"two"), "another content is wanted");
        let touched = Status { times: Times { changed: (1_000_000_000, 8), ..old.times }, ..old };
        assert!(!memory.knows(&touched, b"one"));
        let set_back = Status { times: Times { modified: (999, 0), ..old.times }, ..old };
        assert!(!memory.knows(&set_back, b"one"));
        let other = Status { identity: Inode { device: 1, number: 3 }, ..old };
        assert!(!memory.knows(&other, b"one"));
    }

    #[test]
    fn what_changed_just_now_or_lies_elsewhere_is_read_each_time() {
        let memory = ContentMemory::default();
        let now = clock_gettime(ClockId::Realtime).tv_sec;
        for changed in [now, now - 59, now + 3600] {
            memory.learn(&status(changed), b"one", || Some(EXT4));
            assert!(!memory.knows(&status(changed), b"one"), "{}", changed - now);
        }
        for elsewhere in [NFS, TMPFS] {
            let memory = ContentMemory::default();
            memory.learn(&status(1_000_000_000), b"one", || Some(elsewhere));
            assert!(!memory.knows(&status(1_000_000_000), b"one"));
        }
    }
}
