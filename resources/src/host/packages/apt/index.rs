//! apt's package indexes: how old they are, what they come from, and refreshing them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::database::stamp_of;
use super::locks::REFRESH;
use super::session::failed;
use super::{Apt, arguments};
use crate::failure::Failure;
use crate::host::packages::ConfigFiles;
use crate::host::packages::backend::{RefreshFailure, Stamp};

const LISTS: &str = "var/lib/apt/lists";

/// What decides which indexes there are and what they are worth.
const SOURCES: &[&str] = &[
    "etc/apt/sources.list",
    "etc/apt/sources.list.d",
    "etc/apt/preferences",
    "etc/apt/preferences.d",
    "etc/apt/apt.conf",
    "etc/apt/apt.conf.d",
    "etc/apt/auth.conf",
    "etc/apt/auth.conf.d",
    "etc/apt/keyrings",
    "etc/apt/trusted.gpg.d",
    "usr/share/keyrings",
];

/// When the indexes were last refreshed. `None` where there are none. apt moves what it fetches
/// through `partial`, so that directory's time is the latest refresh; an index file's own time is
/// the server's.
pub(super) fn date(root: &Path) -> Option<String> {
    let lists = root.join(LISTS);
    let is_index = |entry: fs::DirEntry| {
        let name = entry.file_name();
        name.to_string_lossy().contains("_Packages")
    };
    if !fs::read_dir(&lists).ok()?.flatten().any(is_index) {
        return None;
    }
    let modified = |path: PathBuf| fs::metadata(path).ok()?.modified().ok();
    let latest = modified(lists.join("partial")).max(modified(lists))?;
    let time = jiff::Timestamp::try_from(latest).ok()?;
    Some(time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// See [`crate::host::packages::backend::Backend::sources_stamp`].
pub(super) fn sources_stamp(root: &Path) -> Stamp {
    let mut stamp = Vec::new();
    for source in SOURCES {
        let path = root.join(source);
        let mut add = |path: PathBuf| {
            if let Ok(status) = fs::metadata(&path) {
                stamp.push(stamp_of(path, &status));
            }
        };
        if let Ok(entries) = fs::read_dir(&path) {
            entries.flatten().for_each(|entry| add(entry.path()));
        }
        add(path);
    }
    stamp.sort();
    stamp
}

/// See [`crate::host::packages::backend::Backend::refresh_index`].
pub(super) fn refresh(apt: &Apt, deadline: Instant) -> Result<(), RefreshFailure> {
    let unreached = |failure: Failure| RefreshFailure { failure, reached: false };
    let request = apt
        .quiet_request(arguments::refresh(), ConfigFiles::Keep)
        .map_err(|error| unreached(error.into()))?;
    let output = apt.alone(&request, REFRESH, deadline).map_err(|error| unreached(error.into()))?;
    if output.success() {
        return Ok(());
    }
    Err(RefreshFailure {
        failure: failed(&output).into(),
        reached: reached(&String::from_utf8_lossy(&output.stdout)),
    })
}

/// Whether any source answered. apt numbers what it fetches and says `Get:` when it begins, `Hit:`
/// when it has it already, `Ign:` or `Err:` when it failed; the last word on a number counts.
fn reached(output: &str) -> bool {
    let mut verdicts: BTreeMap<&str, bool> = BTreeMap::new();
    for line in output.lines() {
        let Some((verdict, rest)) = line.split_once(':') else { continue };
        let number = rest.split(' ').next().unwrap_or_default();
        match verdict {
            "Get" | "Hit" => verdicts.insert(number, true),
            "Ign" | "Err" => verdicts.insert(number, false),
            _ => None,
        };
    }
    verdicts.into_values().any(|reached| reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_that_answered_are_seen() {
        assert!(reached("Hit:1 http://a InRelease\nErr:2 http://b InRelease\n"));
        assert!(!reached("Get:1 file:/x ./ InRelease\nIgn:1 file:/x ./ InRelease\nErr:2 x\n"));
        assert!(reached("Get:1 a InRelease\nIgn:1 a InRelease\nGet:3 a Packages [1 B]\nErr:4 b\n"));
        assert!(!reached("Ign:1 http://a InRelease\nErr:1 http://a InRelease\nReading...\n"));
    }

    #[test]
    fn a_changed_source_changes_the_stamp() {
        let root = tempfile::tempdir_in("/var/tmp").unwrap();
        let directory = root.path().join("etc/apt/sources.list.d");
        fs::create_dir_all(&directory).unwrap();
        let before = sources_stamp(root.path());
        fs::File::create(directory.join("new.sources")).unwrap();
        let after = sources_stamp(root.path());
        assert_ne!(before, after);
        assert_eq!(after, sources_stamp(root.path()));
    }

    #[test]
    fn no_lists_have_no_date() {
        let root = tempfile::tempdir_in("/var/tmp").unwrap();
        assert_eq!(date(root.path()), None);
        let lists = root.path().join(LISTS);
        fs::create_dir_all(lists.join("partial")).unwrap();
        assert_eq!(date(root.path()), None);
        fs::File::create(lists.join("x_dists_y_main_binary-amd64_Packages")).unwrap();
        assert!(date(root.path()).is_some_and(|date| date.ends_with("UTC")));
    }
}
