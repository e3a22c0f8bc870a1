//! What a process leaves behind that was killed while it wrote to the copy.

use std::io::ErrorKind;
use std::path::Path;

use super::error::SourceError;
use super::store::{Lock, Store, failed};

impl Store {
    /// Removes what a killed process has left.
    pub(super) fn clean(&self, _lock: &Lock) -> Result<(), SourceError> {
        let (current, fresh) = (self.path(), self.fresh_path());
        let old = self.old_path();
        if !current.exists() && old.exists() {
            std::fs::rename(&old, &current).map_err(failed("restore", &current))?;
        }
        for directory in [&fresh, &old] {
            remove_directory(directory)?;
        }
        for name in ["shallow.lock", "packed-refs.lock", "config.lock", "HEAD.lock"] {
            remove_file(&current.join(name))?;
        }
        remove_locks(&current.join("refs"))?;
        let packs = current.join("objects/pack");
        let names = names_in(&packs)?;
        for name in &names {
            let leftover = match name.rsplit_once('.') {
                Some((stem, "pack")) => !names.contains(&format!("{stem}.idx")),
                Some((stem, "idx")) => !names.contains(&format!("{stem}.pack")),
                Some((_, "keep" | "lock")) => true,
                _ => name.starts_with(".tmp") || name.starts_with("tmp"),
            };
            if leftover || name.starts_with(".tmp") {
                log::info!("removing {name}, left by a fetch that was ended");
                remove_file(&packs.join(name))?;
            }
        }
        Ok(())
    }
}

pub(super) fn names_in(directory: &Path) -> Result<Vec<String>, SourceError> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("read", directory)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed("read", directory))?;
        names.extend(entry.file_name().into_string());
    }
    Ok(names)
}

/// Removes `*.lock` below the references.
fn remove_locks(directory: &Path) -> Result<(), SourceError> {
    for name in names_in(directory)? {
        let path = directory.join(&name);
        if path.is_dir() {
            remove_locks(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "lock") {
            remove_file(&path)?;
        }
    }
    Ok(())
}

pub(super) fn remove_file(path: &Path) -> Result<(), SourceError> {
    match std::fs::remove_file(path) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(failed("remove", path)(error))
        }
        _ => Ok(()),
    }
}

pub(super) fn remove_directory(path: &Path) -> Result<(), SourceError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the store is the agent's own: only the agent's user can write in it"
    )]
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}
