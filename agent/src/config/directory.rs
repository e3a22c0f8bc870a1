//! Reading the configuration directory, and looking at the permissions of files.
//!
//! The only place of this module that touches the disk.

use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::problem::ConfigError;
use super::schema::Guard;

/// The most that a configuration file may hold, in bytes.
const LIMIT: u64 = 1 << 20;

/// The files of a configuration directory, in the order in which later ones win.
#[derive(Debug, Default)]
pub(super) struct Directory {
    /// Path and text of each file.
    pub(super) files: Vec<(PathBuf, String)>,
    /// What the operator should know.
    pub(super) warnings: Vec<String>,
}

/// Reads `agent.toml` and `agent.toml.d/*.toml` (by name) below `directory`. What does not exist is
/// as good as empty.
pub(super) fn read(directory: &Path) -> Result<Directory, ConfigError> {
    let mut found = Directory::default();
    found.add(directory.join("agent.toml"))?;
    let drop_ins = directory.join("agent.toml.d");
    for path in list(&drop_ins)? {
        let shown = path.display();
        if path.extension().is_none_or(|suffix| suffix != "toml") {
            let reason = "not read, because its name does not end in .toml";
            found.warnings.push(format!("{shown}: {reason}"));
        } else if path.is_dir() {
            found.warnings.push(format!("{shown}: not read, because it is a directory"));
        } else {
            found.add(path)?;
        }
    }
    Ok(found)
}

fn list(directory: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let failed = |source| ConfigError::List { path: directory.to_owned(), source };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    Ok(paths)
}

impl Directory {
    fn add(&mut self, path: PathBuf) -> Result<(), ConfigError> {
        match text(&path) {
            Ok(text) => {
                self.warnings.extend(exposure(&path, Guard::Trust));
                self.files.push((path, text));
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => Ok(()),
            Err(source) => Err(ConfigError::Read { path, source }),
        }
    }
}

fn text(path: &Path) -> io::Result<String> {
    // A FIFO would block when it is opened, so its kind is asked first.
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
    }
    if metadata.len() > LIMIT {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "larger than 1 MiB"));
    }
    let mut text = String::new();
    std::fs::File::open(path)?.take(LIMIT).read_to_string(&mut text)?;
    Ok(text)
}

/// What is wrong with the permissions of the file at `path`, in one line with what to do.
pub(super) fn exposure(path: &Path, guard: Guard) -> Option<String> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(_) if guard == Guard::Written => return None,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Some(format!("{} does not exist", path.display()));
        }
        Err(error) => return Some(format!("cannot look at {}: {error}", path.display())),
    };
    let path = path.display();
    let owner = metadata.uid();
    if guard == Guard::Secret && metadata.mode() & 0o004 != 0 {
        return Some(format!("{path} is a secret that every user can read; run chmod o= {path}"));
    }
    if guard != Guard::Written && metadata.mode() & 0o022 != 0 {
        return Some(format!("{path} can be written by others; run chmod go-w {path}"));
    }
    let own = nix::unistd::geteuid().as_raw();
    (guard != Guard::Written && owner != 0 && owner != own).then(|| {
        format!("{path} belongs to user {owner}, who can change it; run chown root {path}")
    })
}
