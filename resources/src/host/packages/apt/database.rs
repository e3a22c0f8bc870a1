//! dpkg's database: `var/lib/dpkg/status`, and the journal `updates/` over it.
//!
//! While dpkg runs, and after it was cut off, newer stanzas stand in numbered files of `updates/`
//! (dpkg replays them at its next start); without them the state would look older than it is.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::STATUS;
use super::control::{Field, Stray, stanzas};
use crate::host::packages::backend::{Database, Stamp};
use crate::host::packages::{PackageError, Provider, Record, Selection, State};

/// dpkg's journal, relative to the root directory.
pub(super) const UPDATES: &str = "var/lib/dpkg/updates";

/// See [`crate::host::packages::backend::Backend::database_stamp`].
pub(super) fn stamp(root: &Path) -> Result<Stamp, PackageError> {
    let mut stamp = Vec::with_capacity(2);
    for (file, needed) in [(STATUS, true), (UPDATES, false)] {
        let path = root.join(file);
        match fs::metadata(&path) {
            Ok(status) => stamp.push(stamp_of(path, &status)),
            Err(source) if needed => return Err(PackageError::ReadDatabase { path, source }),
            Err(_) => {}
        }
    }
    Ok(stamp)
}

pub(super) fn stamp_of(path: PathBuf, status: &fs::Metadata) -> (PathBuf, u64, u64, u64, i64, i64) {
    (path, status.dev(), status.ino(), status.size(), status.mtime(), status.mtime_nsec())
}

/// The journal's files, in the order in which they count. Empty unless dpkg runs or was cut off.
pub(super) fn journal(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root.join(UPDATES)) else { return Vec::new() };
    let numbered = |path: &PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(numbered).collect();
    files.sort();
    files
}

/// Reads the whole database.
pub(super) fn read(root: &Path) -> Result<Database, PackageError> {
    let mut database = Database::default();
    for path in [root.join(STATUS)].into_iter().chain(journal(root)) {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            // dpkg finished in this moment and took its journal away; the next look sees that.
            Err(error) if path != root.join(STATUS) && error.kind() == NOT_FOUND => continue,
            Err(source) => return Err(PackageError::ReadDatabase { path, source }),
        };
        let text = String::from_utf8_lossy(&bytes);
        parse(&text, &mut database).map_err(|Damage { line, problem }| {
            PackageError::DamagedDatabase { path, line, problem }
        })?;
    }
    database.native = ["dpkg", "libc6", "base-files"].iter().find_map(|name| {
        let records = database.packages.get(*name)?;
        let native = |record: &&Record| record.state.is_present() && record.architecture != "all";
        records.iter().find(native).map(|record| record.architecture.clone())
    });
    Ok(database)
}

const NOT_FOUND: std::io::ErrorKind = std::io::ErrorKind::NotFound;

/// What is wrong with a database file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) line: usize,
    pub(super) problem: String,
}

impl From<Stray> for Damage {
    fn from(stray: Stray) -> Self {
        Self { line: stray.line, problem: "neither a field nor a continuation".into() }
    }
}

/// Adds the stanzas of `text`; a later one of the same name and architecture replaces an earlier.
pub(super) fn parse(text: &str, database: &mut Database) -> Result<(), Damage> {
    stanzas(text, |fields| {
        let mut names = "";
        let record = record(fields, &mut names)?;
        let providers = &mut database.providers;
        let present = record.state.is_present();
        let records = database.packages.entry(record.name.clone()).or_default();
        let same = |other: &Record| other.architecture == record.architecture;
        if records.iter().any(same) {
            records.retain(|other| !same(other));
            for list in providers.values_mut() {
                list.retain(|provider| {
                    provider.package != record.name || provider.architecture != record.architecture
                });
            }
        }
        // A package that is unpacked does not provide yet; dpkg counts configured ones only.
        if matches!(record.state, State::Installed | State::TriggersPending) && present {
            for (name, version) in provided(names) {
                providers.entry(name.into()).or_default().push(Provider {
                    package: record.name.clone(),
                    architecture: record.architecture.clone(),
                    version: version.map(Into::into),
                });
            }
        }
        records.push(record);
        Ok(())
    })
}

fn record<'a>(fields: &[Field<'a>], provides: &mut &'a str) -> Result<Record, Damage> {
    let first_line = fields.first().map_or(0, |field| field.line);
    let mut name = None;
    let mut status = None;
    let mut architecture = "";
    let mut version = None;
    let mut essential = false;
    for field in fields {
        match field.name {
            "Package" => name = Some(field.value),
            "Status" => status = Some(*field),
            "Architecture" => architecture = field.value,
            "Version" => version = Some(field.value).filter(|version| !version.is_empty()),
            "Provides" => *provides = field.value,
            "Essential" => essential = field.value == "yes",
            _ => {}
        }
    }
    let missing = |what: &str| Damage { line: first_line, problem: format!("no {what} field") };
    let name = name.filter(|name| !name.is_empty()).ok_or_else(|| missing("Package"))?;
    let status = status.ok_or_else(|| missing("Status"))?;
    let (selection, reinstall_required, state) = states(status.value).ok_or_else(|| Damage {
        line: status.line,
        problem: format!("unknown status {:?} of {name}", status.value),
    })?;
    Ok(Record {
        name: name.into(),
        architecture: architecture.into(),
        selection,
        reinstall_required,
        state,
        version: version.map(Into::into),
        essential,
    })
}

/// The three words of a `Status` field.
fn states(status: &str) -> Option<(Selection, bool, State)> {
    let mut words = status.split_ascii_whitespace();
    let selection = match words.next()? {
        "unknown" => Selection::Unknown,
        "install" => Selection::Install,
        "hold" => Selection::Hold,
        "deinstall" => Selection::Deinstall,
        "purge" => Selection::Purge,
        _ => return None,
    };
    let reinstall_required = match words.next()? {
        "ok" => false,
        "reinstreq" => true,
        _ => return None,
    };
    let state = match words.next()? {
        "not-installed" => State::NotInstalled,
        "config-files" => State::ConfigFiles,
        "half-installed" => State::HalfInstalled,
        "unpacked" => State::Unpacked,
        "half-configured" => State::HalfConfigured,
        "triggers-awaited" => State::TriggersAwaited,
        "triggers-pending" => State::TriggersPending,
        "installed" => State::Installed,
        _ => return None,
    };
    words.next().is_none().then_some((selection, reinstall_required, state))
}

/// The names of a `Provides` field, with their versions: `mta, foo (= 1.2), bar:any`.
fn provided(value: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    value.split(',').filter_map(|item| {
        let item = item.trim_ascii();
        let (name, version) = match item.split_once('(') {
            Some((name, version)) => {
                let version = version.trim_end().trim_end_matches(')').trim_ascii();
                (name, version.strip_prefix('=').map(str::trim_ascii))
            }
            None => (item, None),
        };
        let name = name.split(':').next().unwrap_or_default().trim_ascii();
        (!name.is_empty()).then_some((name, version))
    })
}

#[cfg(test)]
#[path = "database_tests.rs"]
mod tests;
