//! The copy's references, its shallow boundary, and how every repository is opened.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use gix::refs::transaction::{PreviousValue, RefEdit};
use gix::{ObjectId, Repository};

use super::settings::Limits;

/// The reference that follows a branch of the remote.
pub(super) fn tracking_reference(branch: &str) -> String {
    format!("refs/remotes/origin/{branch}")
}

/// How every repository is opened: its own configuration only, no replaced objects, bounded memory.
pub(super) fn open_options(limits: &Limits) -> gix::open::Options {
    gix::open::Options::isolated().config_overrides([
        "core.useReplaceRefs=false".to_owned(),
        format!("gitoxide.objects.allocLimit={}", limits.max_pack_bytes),
        "core.logAllRefUpdates=false".to_owned(),
    ])
}

/// The commit that the reference `name` points to.
pub(super) fn reference(repository: &Repository, name: &str) -> Option<ObjectId> {
    let found = match repository.try_find_reference(name) {
        Ok(found) => found?,
        Err(error) => {
            log::warn!("the reference {name} of the policy repository is damaged: {error}");
            return None;
        }
    };
    found.target().try_id().map(ToOwned::to_owned)
}

/// Where the followed branches are: names without `refs/remotes/origin/`.
pub(super) fn tracked(repository: &Repository) -> Vec<(String, ObjectId)> {
    let prefix = tracking_reference("");
    let Ok(platform) = repository.references() else { return Vec::new() };
    let Ok(references) = platform.prefixed(prefix.as_str()) else { return Vec::new() };
    references
        .filter_map(Result::ok)
        .filter_map(|reference| {
            let name = reference.name().as_bstr().to_string();
            let id = reference.target().try_id()?.to_owned();
            Some((name.strip_prefix(&prefix)?.to_owned(), id))
        })
        .collect()
}

/// Points the reference `name` to `id`.
pub(super) fn set_reference(
    repository: &Repository,
    name: &str,
    id: ObjectId,
) -> Result<(), gix::Error> {
    let name: gix::refs::FullName = name.try_into().map_err(gix::Error::from_error)?;
    repository.edit_reference(RefEdit::update(name, id, PreviousValue::Any, "steadfast"))?;
    Ok(())
}

/// Notes that the parents of `id` are not in the repository at `git_directory`
/// (gitformat-index(5), `shallow`).
pub(super) fn add_shallow(git_directory: &Path, id: ObjectId) -> io::Result<()> {
    let path = git_directory.join("shallow");
    let mut text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let line = id.to_string();
    if text.lines().any(|existing| existing == line) {
        return Ok(());
    }
    text.push_str(&line);
    text.push('\n');
    let lock = git_directory.join("shallow.lock");
    let mut file = OpenOptions::new().write(true).create_new(true).open(&lock)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(lock, path)
}
