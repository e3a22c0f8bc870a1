//! The directory of a single policy file that somebody tries out: its templates and sources are
//! beside it, whatever else is there is left alone.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use steadfast_policies::{Repository, RepositoryError};

/// More entries than this are not a policy's own directory.
const MOST_ENTRIES: usize = 10_000;
/// The longest file that is read, in bytes.
const LONGEST_FILE: u64 = 64 << 20;

/// Files below a directory, read as they are asked for. Hidden entries and links do not exist here.
pub(super) struct PolicyDirectory {
    root: PathBuf,
}

impl PolicyDirectory {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn walk(&self, below: &str, found: &mut Vec<String>) -> io::Result<()> {
        for entry in std::fs::read_dir(self.root.join(below))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with('.') {
                continue;
            }
            if found.len() >= MOST_ENTRIES {
                return Err(io::Error::other(format!(
                    "more than {MOST_ENTRIES} files are beside the policy: give it a directory of \
                     its own"
                )));
            }
            let path = if below.is_empty() { name } else { format!("{below}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.walk(&path, found)?;
            } else if kind.is_file() {
                found.push(path);
            }
        }
        Ok(())
    }

    fn open(&self, path: &str) -> io::Result<Option<std::fs::File>> {
        let plain = path.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
        if !plain {
            return Ok(None);
        }
        let mut on_the_way = self.root.clone();
        for part in path.split('/') {
            on_the_way.push(part);
            match std::fs::symlink_metadata(&on_the_way) {
                Ok(metadata) if metadata.is_dir() || metadata.is_file() => {}
                Ok(_) => return Err(io::Error::other("it is a link or a special file")),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(&on_the_way)?;
        Ok(file.metadata()?.is_file().then_some(file))
    }
}

fn failed(path: &str, error: &io::Error) -> RepositoryError {
    RepositoryError { path: path.to_owned(), reason: error.to_string() }
}

impl Repository for PolicyDirectory {
    fn paths(&self) -> Result<Vec<String>, RepositoryError> {
        let mut found = Vec::new();
        self.walk("", &mut found).map_err(|error| failed(".", &error))?;
        found.sort_unstable();
        Ok(found)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
        let read = || -> io::Result<Option<Vec<u8>>> {
            let Some(file) = self.open(path)? else { return Ok(None) };
            if file.metadata()?.len() > LONGEST_FILE {
                return Err(io::Error::other("it is longer than 64 MiB"));
            }
            let mut content = Vec::new();
            file.take(LONGEST_FILE).read_to_end(&mut content)?;
            Ok(Some(content))
        };
        read().map_err(|error| failed(path, &error))
    }

    fn executable(&self, path: &str) -> Result<bool, RepositoryError> {
        let file = self.open(path).map_err(|error| failed(path, &error))?;
        let Some(file) = file else { return Ok(false) };
        let metadata = file.metadata().map_err(|error| failed(path, &error))?;
        Ok(metadata.permissions().mode() & 0o100 != 0)
    }
}
