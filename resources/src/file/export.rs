//! What is at a path, as a declaration would say it.

use std::sync::Arc;

use super::File;
use super::diff::as_text;
use super::eyes::everybody_reads;
use crate::accept::{Drift, Edit};
use crate::export::{Beside, Export, Exported, Selection};
use crate::failure::Failure;
use crate::host::View;
use crate::host::files::{AbsolutePath, FileType, Status};
use crate::value::{Tree, Value};

/// Longer text stands in a file beside the policy, in bytes.
const INLINE_LIMIT: u64 = 32 * 1024;

/// Longer content does not belong into a policy repository, in bytes.
pub(super) const LIMIT: u64 = 16 << 20;

impl Export<Self> for File {
    fn titles(&self, selection: &Selection<'_>, view: &View<'_>) -> Result<Vec<String>, Failure> {
        selection.only(&["recurse"])?;
        if selection.named.is_empty() {
            return Err(Failure::new("which files? Nobody wants them all").with_hint(
                "name paths; with `--recurse` everything below a directory is exported, too",
            ));
        }
        let mut titles = Vec::new();
        for named in selection.named {
            titles.push(named.clone());
            if selection.recurse {
                let path =
                    AbsolutePath::parse(named).map_err(|error| Failure::from_error(&error))?;
                below(&path, view, &mut titles)?;
            }
        }
        Ok(titles)
    }

    fn export(&self, title: &str, view: &View<'_>) -> Result<Option<Exported>, Failure> {
        let path = AbsolutePath::parse(title).map_err(|error| Failure::from_error(&error))?;
        let Some(status) = view.files.look(&path)? else { return Ok(None) };
        let mut exported = Exported::new(Vec::new());
        match status.kind {
            FileType::File => content(&path, &status, view, &mut exported)?,
            FileType::Directory => exported.attributes.push(("ensure", Value::text("directory"))),
            FileType::Symlink => {
                let target = view.files.link_target(&path)?.into_string().map_err(|_| {
                    Failure::new(format!("{path} is a link, and what it says is not UTF-8"))
                })?;
                exported.attributes.push(("target", Value::text(target)));
            }
            kind => {
                return Err(Failure::new(format!("{path} is a {kind}, which no policy declares"))
                    .with_hint("what it belongs to makes it: export that"));
            }
        }
        properties(&path, &status, view, &mut exported)?;
        Ok(Some(exported))
    }

    fn accept(&self, drift: &Drift<'_>, view: &View<'_>) -> Result<Vec<Edit>, Failure> {
        super::accept::accept(drift, view)
    }
}

/// Adds everything below the directory at `path`, without crossing mount points.
fn below(path: &AbsolutePath, view: &View<'_>, titles: &mut Vec<String>) -> Result<(), Failure> {
    let is_directory = |status: Status| status.kind == FileType::Directory;
    if !view.files.look(path)?.is_some_and(is_directory) {
        return Ok(());
    }
    for entry in view.files.list(path)? {
        let path = path.join(&entry.name);
        let shown = path.to_string();
        titles.push(path.as_path().to_str().map_or(shown, str::to_owned));
        let mounted = view.files.look(&path)?.is_some_and(|status| status.mount_point);
        if entry.kind == FileType::Directory && !mounted {
            below(&path, view, titles)?;
        }
    }
    Ok(())
}

fn content(
    path: &AbsolutePath,
    status: &Status,
    view: &View<'_>,
    exported: &mut Exported,
) -> Result<(), Failure> {
    if status.size > LIMIT {
        return Err(Failure::new(format!("{path} has {} bytes", status.size)).with_hint(
            "too much for a policy repository: put it on a server, and declare its https address \
             as `source` with `sha256`",
        ));
    }
    let bytes = view.files.read(path, status, LIMIT)?;
    // What everybody may read holds no secret.
    let private = !everybody_reads(path, status, view)?;
    let text = as_text(bytes.clone());
    let reason = match &text {
        _ if private => "is not for everybody's eyes",
        None => "is binary",
        Some(_) if status.size > INLINE_LIMIT => "is long",
        Some(_) => "",
    };
    if let Some(text) = text.filter(|_| reason.is_empty()) {
        exported.attributes.push(("content", Value::text(text)));
    } else {
        let content = Arc::from(bytes);
        let tree = Arc::new(Tree::File { content, executable: false });
        exported.attributes.push(("source", Value::Tree(tree)));
        exported.beside = Some(Beside { reason: reason.to_owned(), private });
    }
    Ok(())
}

fn properties(
    path: &AbsolutePath,
    status: &Status,
    view: &View<'_>,
    exported: &mut Exported,
) -> Result<(), Failure> {
    let name_of_user = view.accounts.user_name(status.uid)?;
    let owner = match name_of_user {
        Some(name) if view.accounts.user_id(&name)? == Some(status.uid) => Value::text(name),
        _ => Value::Integer(status.uid.into()),
    };
    let name_of_group = view.accounts.group_name(status.gid)?;
    let group = match name_of_group {
        Some(name) if view.accounts.group_id(&name)? == Some(status.gid) => Value::text(name),
        _ => Value::Integer(status.gid.into()),
    };
    exported.attributes.push(("owner", owner));
    exported.attributes.push(("group", group));
    if status.kind != FileType::Symlink {
        exported.attributes.push(("mode", Value::text(status.mode.to_string())));
    }
    if let Some(context) = view.files.selinux(path)? {
        exported.attributes.push(("selinux", Value::text(context)));
    }
    if status.kind == FileType::File && status.links > 1 {
        exported.notes.push(format!("it is one of {} names of the same file", status.links));
    }
    Ok(())
}
