//! The directory that an export is written into: new or empty, so that nothing in it leads
//! elsewhere. No link is followed from there on.

use std::fs::{DirBuilder, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Dir, Mode, OFlags, mkdirat, open, openat};
use rustix::io::Errno;

use super::super::CommandError;

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

const NEW_FILE: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// An open directory that was empty.
pub(super) struct NewDirectory {
    shown: PathBuf,
    descriptor: OwnedFd,
}

impl NewDirectory {
    /// Makes the directory where it is missing.
    pub(super) fn open(path: &Path) -> Result<Self, CommandError> {
        // Without a trailing slash, which would lead through a link.
        let shown: PathBuf = path.components().collect();
        let failed = |reason: &str| {
            CommandError::new(format!("cannot write into {}: {reason}", shown.display()))
                .with_hint("name a directory that does not exist yet, or one that is empty")
        };
        let descriptor = match open(&shown, DIRECTORY, Mode::empty()) {
            Err(Errno::NOENT) => {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o755)
                    .create(&shown)
                    .map_err(|error| failed(&error.to_string()))?;
                open(&shown, DIRECTORY, Mode::empty())
            }
            opened => opened,
        };
        let descriptor = descriptor.map_err(|error| match error {
            Errno::NOTDIR | Errno::LOOP => failed("it is a link or no directory"),
            error => failed(&std::io::Error::from(error).to_string()),
        })?;
        let entries = Dir::read_from(&descriptor).map_err(|error| failed(&error.to_string()))?;
        for entry in entries {
            let entry = entry.map_err(|error| failed(&error.to_string()))?;
            if entry.file_name() != c"." && entry.file_name() != c".." {
                return Err(failed("it is not empty"));
            }
        }
        Ok(Self { shown, descriptor })
    }

    /// Writes a file that does not exist yet, and the directories that it is in.
    pub(super) fn write(&self, path: &str, content: &[u8], mode: u32) -> Result<(), CommandError> {
        self.try_write(path, content, mode).map_err(|error| {
            let path = self.shown.join(path);
            CommandError::new(format!("cannot write {}", path.display())).because(&error)
        })
    }

    fn try_write(&self, path: &str, content: &[u8], mode: u32) -> std::io::Result<()> {
        let mut directory = self.descriptor.try_clone()?;
        let mut rest = path;
        while let Some((name, below)) = rest.split_once('/') {
            match mkdirat(&directory, name, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            directory = openat(&directory, name, DIRECTORY, Mode::empty())?;
            rest = below;
        }
        let file = openat(&directory, rest, NEW_FILE, Mode::from_raw_mode(mode))?;
        File::from(file).write_all(content)
    }
}
