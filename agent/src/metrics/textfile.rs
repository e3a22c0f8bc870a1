//! The metrics as a file for the textfile collector of the node exporter, which reads it whenever it
//! is asked: a new one takes the place of the old one as a whole.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::Builder;
use thiserror::Error;

use super::{Resident, Snapshot, exposition};
use crate::clock;
use crate::config::Settings;
use crate::state::{State, StateError};

/// What a response with metrics says that it is.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Why there are no new metrics.
#[derive(Debug, Error)]
enum TextfileError {
    #[error("the state cannot be read")]
    State(#[from] StateError),
    #[error("cannot write {path}")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Writes the metrics to the file that `settings` name, if they name one. Where that fails the log
/// says so; no run fails for it.
pub fn publish(state: &State, settings: &Settings, resident: Option<&Resident>) {
    let Some(path) = &settings.reports.textfile else { return };
    let written = Snapshot::gather(state, settings, &clock::now(), resident)
        .map_err(TextfileError::from)
        .and_then(|snapshot| {
            write(path, &exposition(&snapshot))
                .map_err(|source| TextfileError::Write { path: path.clone(), source })
        });
    if let Err(error) = written {
        let reason = steadfast_resources::Failure::from_error(&error).reason;
        log::warn!("the metrics are not written: {reason}");
    }
}

/// The metrics as of now, for whoever asks the running agent; it reads the state, which takes as long
/// as a disk does. Where there is no state yet they say that nothing has happened.
pub fn scrape(
    state_directory: &Path,
    settings: &Settings,
    resident: Option<&Resident>,
) -> Result<String, StateError> {
    let snapshot = match State::open_read_only(Path::new("/"), state_directory)? {
        Some(state) => Snapshot::gather(&state, settings, &clock::now(), resident)?,
        None => Snapshot::blank(settings, &clock::now()),
    };
    Ok(exposition(&snapshot))
}

/// Puts a file with `text` at `path`, readable for everyone. Its name ends otherwise until then: the
/// collector reads every file that ends in `.prom`.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let mut file = Builder::new().prefix(".steadfast-").suffix(".new").tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(Permissions::from_mode(0o644))?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_replaced_as_a_whole_and_a_link_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (path, elsewhere) = (directory.path().join("x.prom"), directory.path().join("other"));
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        for text in ["a 1\n", "a 2\n"] {
            write(&path, text).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        assert!(!elsewhere.exists());
        assert_eq!(path.symlink_metadata().unwrap().permissions().mode() & 0o7777, 0o644);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(write(&directory.path().join("none/x.prom"), "").is_err());
    }
}
