//! Drift of files taken for what is wanted.

use std::sync::Arc;

use super::eyes::everybody_reads;
use crate::accept::{Drift, Edit, content};
use crate::export::Exported;
use crate::failure::Failure;
use crate::host::View;
use crate::host::files::{AbsolutePath, FileType};
use crate::value::{Tree, Value};

/// What says of which type something is, or means nothing for another type.
const OF_TYPE: [&str; 12] = [
    "ensure",
    "content",
    "template",
    "source",
    "sha256",
    "target",
    "validate",
    "replace",
    "purge",
    "recurse_limit",
    "exclude",
    "directory_mode",
];

/// What things of every type have, and what the defaults of a policy may say.
const PROPERTIES: [&str; 4] = ["owner", "group", "mode", "selinux"];

pub(super) fn accept(drift: &Drift<'_>, view: &View<'_>) -> Result<Vec<Edit>, Failure> {
    let Some(found) = drift.found else { return Ok(drift.gone()) };
    if drift.declared_text("ensure") == Some("absent") {
        return Ok(drift.appeared(found));
    }
    let mut edits = Vec::new();
    if drift.differs("ensure") {
        edits.extend(of_another_type(drift, found));
    } else if drift.differs("content") {
        edits.push(new_content(drift, found)?);
    }
    for attribute in ["target"].into_iter().chain(PROPERTIES) {
        let set = edits.iter().any(
            |edit| matches!(edit, Edit::Set(name, _) | Edit::Remove(name) if *name == attribute),
        );
        if drift.differs(attribute) && drift.declared(attribute).is_some() && !set {
            edits.push(match found.value(attribute) {
                Some(value) => Edit::Set(attribute, value.clone()),
                None => Edit::Remove(attribute),
            });
        }
    }
    for property in drift.properties {
        if let Some((below, name)) = property.rsplit_once(": ") {
            edits.push(within(drift, below, name, view)?);
        }
    }
    Ok(edits)
}

/// Something of another type stands there.
fn of_another_type(drift: &Drift<'_>, found: &Exported) -> Vec<Edit> {
    let declared = OF_TYPE.iter().filter(|name| drift.declared(name).is_some());
    let mut edits: Vec<Edit> = declared.map(|name| Edit::Remove(name)).collect();
    let of_type = found.attributes.iter().filter(|(name, _)| OF_TYPE.contains(name));
    edits.extend(of_type.map(|(name, value)| Edit::Set(name, value.clone())));
    for name in PROPERTIES {
        match (drift.declared(name), found.value(name)) {
            (Some(declared), Some(value)) if declared != value => {
                edits.push(Edit::Set(name, value.clone()));
            }
            // A link has no mode; what took its place may get one from the policy's defaults.
            (None, Some(value)) if name == "mode" && drift.declared("target").is_some() => {
                edits.push(Edit::Set(name, value.clone()));
            }
            (Some(_), None) => edits.push(Edit::Remove(name)),
            _ => {}
        }
    }
    edits
}

fn new_content(drift: &Drift<'_>, found: &Exported) -> Result<Edit, Failure> {
    let bytes = content(found).ok_or_else(|| Failure::new("there is no content to take over"))?;
    match (drift.declared("source"), drift.declared("template")) {
        (Some(Value::Tree(_)), _) => {
            let tree = Tree::File { content: bytes, executable: false };
            Ok(Edit::Set("source", Value::Tree(Arc::new(tree))))
        }
        (Some(_), _) => Err(Failure::new("the content comes from an https address")
            .with_hint("put the new file on the server, and change `source` and `sha256`")),
        (None, declared) => {
            let attribute = if declared.is_some() { "template" } else { "content" };
            let text = std::str::from_utf8(&bytes).map_err(|_| {
                Failure::new("the content is binary now, which `content` cannot say").with_hint(
                    "`steadfast export file PATH --out DIR` writes it as a file for `source`",
                )
            })?;
            Ok(Edit::Set(attribute, Value::text(text)))
        }
    }
}

/// Something within a tree differs.
fn within(drift: &Drift<'_>, below: &str, name: &str, view: &View<'_>) -> Result<Edit, Failure> {
    let top = AbsolutePath::parse(drift.title).map_err(|error| Failure::from_error(&error))?;
    let path = top.join(below);
    let ours = match drift.declared("source") {
        Some(Value::Tree(tree)) => match tree.as_ref() {
            Tree::Directory(entries) => entries.iter().any(|entry| entry.path == below),
            Tree::File { .. } => false,
        },
        _ => false,
    };
    match (view.files.look(&path)?, name) {
        (None, _) if ours => Ok(Edit::Below(below.to_owned(), None)),
        (Some(status), "content") if ours && status.kind == FileType::File => {
            if !everybody_reads(&path, &status, view)? {
                return Err(Failure::new(format!("{path} is not for everybody's eyes"))
                    .with_hint("take its content over by hand"));
            }
            let bytes = view.files.read(&path, &status, super::export::LIMIT)?;
            Ok(Edit::Below(below.to_owned(), Some(Arc::from(bytes))))
        }
        _ => Err(Failure::new(format!("`{name}` of {path} is that of a whole tree")).with_hint(
            "declare this path as a resource of its own, or leave it out of the tree (`exclude`)",
        )),
    }
}
