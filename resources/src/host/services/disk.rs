//! Unit files as they lie on disk, compared with what systemd has loaded.
//!
//! systemd's own `NeedDaemonReload` compares modification times only of files it already knows, and
//! only towards newer ones: it misses the first drop-in of a unit, a file that came back with an
//! old time (a downgrade, `cp -p`), and a new file of higher precedence. So what matters here is the
//! *change* time of every file and directory that could define the unit, against the time when
//! systemd last read its units. That a unit was loaded only later, from files as they are, cannot
//! be seen; then one reload too many happens, after which the times agree.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::name::UnitName;
use super::systemd::LoadTime;

/// Where units that nobody at a terminal made lie, most important first, for a root directory
/// whose systemd does not run (systemd.unit(5), "unit file load path").
pub(super) const UNIT_PATH: [&str; 6] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// What systemd has loaded for a unit.
pub(super) struct Loaded<'a> {
    /// All names of the unit.
    pub names: Vec<UnitName>,
    /// The unit file; empty where there is none.
    pub fragment: &'a str,
    /// The drop-ins.
    pub drop_ins: Vec<String>,
    /// systemd's own opinion.
    pub need_reload: bool,
}

/// Why what systemd has loaded is not what is on disk; `None` where nothing tells that.
pub(super) fn staleness(
    search: &[PathBuf],
    loaded: &Loaded<'_>,
    loaded_at: LoadTime,
) -> Option<String> {
    for path in loaded.drop_ins.iter().map(String::as_str).chain([loaded.fragment]) {
        if !path.is_empty() && !Path::new(path).exists() {
            return Some(format!("{path} is gone"));
        }
    }
    // For one of the names only: the others are links to it or instances of the same template.
    let fragment = loaded.names.iter().find_map(|name| fragment(search, name));
    let drop_ins = drop_ins(search, &loaded.names);
    if loaded_at.counts_reloads {
        let newer = |found: &Found| found.changed > loaded_at.microseconds;
        if let Some(found) = fragment.iter().chain(&drop_ins).find(|found| newer(found)) {
            return Some(format!("{} changed", found.path.display()));
        }
    } else if let Some(found) = unknown(&drop_ins, &loaded.drop_ins) {
        return Some(format!("{} is new", found.path.display()));
    }
    loaded.need_reload.then(|| "unit files changed".to_owned())
}

/// For systemd before version 250, which does not tell when it last reloaded: a drop-in file that
/// it does not list.
fn unknown<'a>(found: &'a [Found], known: &[String]) -> Option<&'a Found> {
    let known: Vec<_> = known.iter().filter_map(|path| Path::new(path).file_name()).collect();
    found.iter().find(|found| {
        found.is_file && found.path.file_name().is_some_and(|name| !known.contains(&name))
    })
}

/// Something on disk that defines a unit.
struct Found {
    path: PathBuf,
    /// Microseconds since 1970.
    changed: u64,
    is_file: bool,
}

/// When the file behind `path`, or the link itself, last changed.
fn change_time(link: &Metadata, path: &Path) -> u64 {
    let microseconds = |metadata: &Metadata| {
        let seconds = u64::try_from(metadata.ctime()).unwrap_or(0);
        let rest = u64::try_from(metadata.ctime_nsec()).unwrap_or(0) / 1000;
        seconds.saturating_mul(1_000_000).saturating_add(rest)
    };
    let target = if link.is_symlink() { path.metadata().ok() } else { None };
    // The time of /dev/null says nothing about the mask that leads to it.
    let target = target.filter(|target| target.is_file() || target.is_dir());
    microseconds(link).max(target.as_ref().map_or(0, microseconds))
}

/// The unit file that counts for `unit`: the first on the way, its template's if it has none.
fn fragment(search: &[PathBuf], unit: &UnitName) -> Option<Found> {
    let names = [Some(unit.clone()), unit.template()];
    names.into_iter().flatten().find_map(|name| {
        search.iter().find_map(|directory| {
            let path = directory.join(name.as_str());
            let link = path.symlink_metadata().ok()?;
            Some(Found { changed: change_time(&link, &path), path, is_file: true })
        })
    })
}

/// Every directory with drop-ins for `names`, and every drop-in in them.
fn drop_ins(search: &[PathBuf], names: &[UnitName]) -> Vec<Found> {
    let mut directories: Vec<String> = Vec::new();
    for name in names.iter().flat_map(UnitName::drop_in_directories) {
        if !directories.contains(&name) {
            directories.push(name);
        }
    }
    let mut found = Vec::new();
    for directory in search {
        for name in &directories {
            collect_drop_ins(&directory.join(name), &mut found);
        }
    }
    found
}

fn collect_drop_ins(directory: &Path, found: &mut Vec<Found>) {
    let Ok(link) = directory.symlink_metadata() else { return };
    let Ok(entries) = directory.read_dir() else { return };
    found.push(Found {
        path: directory.to_owned(),
        changed: change_time(&link, directory),
        is_file: false,
    });
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "conf") {
            continue;
        }
        let Ok(link) = path.symlink_metadata() else { continue };
        if path.is_file() {
            found.push(Found { changed: change_time(&link, &path), path, is_file: true });
        }
    }
}

/// Whether there is a unit file, or a mask, for `unit`.
pub(super) fn exists(search: &[PathBuf], unit: &UnitName) -> bool {
    fragment(search, unit).is_some()
}

/// The units that have a file, or a link that enables them; without templates.
pub(super) fn names(search: &[PathBuf]) -> BTreeSet<UnitName> {
    let mut found = BTreeSet::new();
    for directory in search {
        let Ok(entries) = directory.read_dir() else { continue };
        for entry in entries.filter_map(Result::ok) {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if [".wants", ".requires", ".upholds"].iter().any(|suffix| name.ends_with(suffix)) {
                let links = entry.path().read_dir().into_iter().flatten();
                let linked = links.filter_map(|link| link.ok()?.file_name().into_string().ok());
                found.extend(linked.filter_map(|name| unit_name(&name)));
            } else {
                found.extend(unit_name(&name));
            }
        }
    }
    found
}

/// The unit of which this is the full name, unless it is a template.
pub(super) fn unit_name(text: &str) -> Option<UnitName> {
    UnitName::from_title(text).ok().filter(|unit| unit.as_str() == text && !unit.is_template())
}

/// Whether a unit file lies below the mask of `unit`.
pub(super) fn is_beneath_mask(search: &[PathBuf], unit: &UnitName) -> bool {
    let names = [Some(unit.clone()), unit.template()];
    names.into_iter().flatten().any(|name| {
        search.iter().map(|directory| directory.join(name.as_str())).any(|path| {
            // An empty file and a link to /dev/null are both masks.
            path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0)
        })
    })
}

/// The file in /etc that is where the mask of `unit` would have to go.
pub(super) fn in_place_of_mask(root: &Path, unit: &UnitName) -> Option<PathBuf> {
    let shown = Path::new("/etc/systemd/system").join(unit.as_str());
    let path = below(root, &shown);
    let link = path.symlink_metadata().ok()?;
    let is_mask =
        link.is_symlink() && path.read_link().is_ok_and(|target| target == Path::new("/dev/null"));
    (!is_mask).then_some(shown)
}

/// `path` below `root`.
pub(super) fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// What the `[Install]` section of a unit file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Install {
    /// Whether it says how to enable the unit itself.
    pub rules: bool,
    /// The units that are enabled along with it.
    pub also: Vec<String>,
}

/// The `[Install]` section of `unit` with those of its drop-ins.
pub(super) fn install(search: &[PathBuf], unit: &UnitName) -> Install {
    let mut install = Install::default();
    let files =
        fragment(search, unit).into_iter().chain(drop_ins(search, std::slice::from_ref(unit)));
    for file in files.filter(|file| file.is_file) {
        // Unit files are small; something else that claims to be one is not read.
        if file.path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() < 1 << 20)
            && let Ok(text) = std::fs::read_to_string(&file.path)
        {
            merge_install(&text, &mut install);
        }
    }
    install
}

/// Adds what the unit file `text` says (systemd.syntax(7): later lines add to a list, an empty
/// value empties it, a backslash at the end continues a line).
fn merge_install(text: &str, install: &mut Install) {
    let mut section = false;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.trim().to_owned();
        if line.starts_with(['#', ';']) {
            continue;
        }
        while line.ends_with('\\') {
            line.pop();
            line.push(' ');
            match lines.find(|next| !next.trim_start().starts_with(['#', ';'])) {
                Some(next) => line.push_str(next.trim()),
                None => break,
            }
        }
        if line.starts_with('[') {
            section = line == "[Install]";
        }
        let Some((key, value)) = line.split_once('=').filter(|_| section) else { continue };
        match key.trim() {
            "WantedBy" | "RequiredBy" | "UpheldBy" | "Alias" => {
                install.rules |= !value.trim().is_empty();
            }
            "Also" if value.trim().is_empty() => install.also.clear(),
            "Also" => install.also.extend(value.split_whitespace().map(String::from)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
