//! Whether `systemctl --root` can be let near the links of units below a root directory. It lets
//! the kernel resolve its paths, as seen from outside that directory: a link that a user planted
//! there, or an absolute one of the image's own, would make root change links somewhere else.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::error::ServicesError;
use super::name::UnitName;
use crate::host::HostOptions;
use crate::host::files::{FileError, RealFiles, Way};

/// Every directory on the way to the links that `systemctl` makes, and the last is where they are.
const WAY: [&str; 4] = ["/", "/etc", "/etc/systemd", "/etc/systemd/system"];
/// The directories in it that hold links, too.
const LINKED: [&str; 3] = [".wants", ".requires", ".upholds"];

/// Fails where `systemctl --root` would not stay below `root`, or where `way` does not hold.
pub(super) fn check(
    root: &Path,
    operation: &'static str,
    unit: &UnitName,
    way: Way,
) -> Result<(), ServicesError> {
    let refuse = |problem| {
        let root = root.display().to_string();
        let unit = unit.clone();
        match problem {
            Problem::Open(source) => {
                let source = Box::new(source);
                ServicesError::Unguarded { operation, unit, root, source }
            }
            Problem::LeadsOut(path) => ServicesError::LeadsOut { operation, unit, root, path },
        }
    };
    check_all(root, way).map_err(refuse)
}

enum Problem {
    Open(FileError),
    LeadsOut(String),
}

fn check_all(root: &Path, way: Way) -> Result<(), Problem> {
    let files = RealFiles::new(&HostOptions { root: root.to_owned(), ..HostOptions::default() });
    for path in WAY {
        // What is not there is made by systemctl, in what was checked before.
        if !is_safe_directory(&files, root, path, way)? {
            return Ok(());
        }
    }
    let [.., last] = WAY;
    // Where it cannot be listed, systemctl says why.
    let entries = outside(root, last).read_dir().into_iter().flatten().filter_map(Result::ok);
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if LINKED.iter().any(|suffix| name.ends_with(suffix)) {
            is_safe_directory(&files, root, &format!("{last}/{name}"), way)?;
        }
    }
    Ok(())
}

/// Whether there is a directory at `path`; fails where the kernel would lead elsewhere.
fn is_safe_directory(
    files: &RealFiles,
    root: &Path,
    path: &str,
    way: Way,
) -> Result<bool, Problem> {
    let leads_out = || Problem::LeadsOut(path.to_owned());
    let seen = outside(root, path);
    let Some(inside) = files.directory_over(path.as_ref(), way).map_err(Problem::Open)? else {
        let is_link = seen.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
        return if is_link { Err(leads_out()) } else { Ok(false) };
    };
    let inside = rustix::fs::fstat(&inside).map_err(|_| leads_out())?;
    let seen = seen.metadata().map_err(|_| leads_out())?;
    if (inside.st_dev, inside.st_ino) == (seen.dev(), seen.ino()) {
        Ok(true)
    } else {
        Err(leads_out())
    }
}

/// `path` below `root` as a program outside sees it.
fn outside(root: &Path, path: &str) -> std::path::PathBuf {
    super::disk::below(root, Path::new(path))
}

#[cfg(test)]
mod tests;
