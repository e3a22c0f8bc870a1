//! Mounts that come and go: a path that leads over a mount point means something else then.
//!
//! The kernel tells that the table changed (poll(2) of `/proc/self/mountinfo`, proc(5)), not what; the
//! tables before and after are compared.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

pub(super) struct Mounts {
    table: File,
    /// By mount id and mount point.
    mounted: BTreeSet<(u32, PathBuf)>,
}

impl Mounts {
    pub(super) fn new() -> io::Result<Self> {
        let table = File::open("/proc/self/mountinfo")?;
        let mut mounts = Self { table, mounted: BTreeSet::new() };
        mounts.changed()?;
        Ok(mounts)
    }

    /// Tells a change as an exceptional condition.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.table.as_fd()
    }

    /// The mount points where something was mounted or unmounted since the last call.
    pub(super) fn changed(&mut self) -> io::Result<BTreeSet<PathBuf>> {
        let mut text = Vec::new();
        self.table.rewind()?;
        self.table.read_to_end(&mut text)?;
        let mounted: BTreeSet<(u32, PathBuf)> =
            text.split(|byte| *byte == b'\n').filter_map(mount).collect();
        let different = mounted.symmetric_difference(&self.mounted);
        let points = different.map(|(_, point)| point.clone()).collect();
        self.mounted = mounted;
        Ok(points)
    }
}

/// The id and the mount point in a line of the table.
fn mount(line: &[u8]) -> Option<(u32, PathBuf)> {
    let mut fields = line.split(|byte| *byte == b' ');
    let id = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    Some((id, PathBuf::from(OsString::from_vec(unescaped(fields.nth(3)?)))))
}

/// Undoes octal escapes (`\040` for a blank).
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let code = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(escaped) if byte == b'\\' => {
                plain.push(escaped);
                rest = after.get(3..).unwrap_or_default();
            }
            _ => plain.push(byte),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_with_their_escapes() {
        for (line, expected) in [
            ("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw", Some((36, "/mnt2"))),
            ("7 1 8:1 / /a\\040b\\134c rw - ext4 /dev/a rw", Some((7, "/a b\\c"))),
            ("", None),
            ("x y z", None),
        ] {
            let expected = expected.map(|(id, point)| (id, PathBuf::from(point)));
            assert_eq!(mount(line.as_bytes()), expected, "{line}");
        }
    }
}
