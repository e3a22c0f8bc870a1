//! `steadfast export`: from this host to a policy that says what is there.
//!
//! What must stay true: nothing on the host is changed; what is printed validates, and planning it
//! on this host plans nothing; what not everybody may read is never printed.

mod beside;
mod directory;
mod document;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use steadfast_resources::host::{Host, HostOptions, RealHost, View};
use steadfast_resources::{AnyKind, Failure, Reference, Registry, Selection};

use super::{CommandError, Exit};
use crate::output::{Output, printable};
use beside::Beside;
use document::Document;

/// Arguments of `export`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What to export: file, package, service, user, group [default: list what can be]
    kind: Option<String>,
    /// Only these (paths, names) [default: all that a person would have chosen]
    titles: Vec<String>,
    /// Accounts of the system, too
    #[arg(long)]
    system: bool,
    /// Everything below the named directories, too
    #[arg(long)]
    recurse: bool,
    /// Write a policy directory, with contents that do not belong into a policy's text beside it
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Export password hashes, too
    #[arg(long)]
    show_secrets: bool,
    /// The root directory of the system to export
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<Exit, CommandError> {
    let registry = Registry::standard();
    let Some(name) = &arguments.kind else {
        output.data(&listing(&registry))?;
        return Ok(Exit::Done);
    };
    let kind = kind(&registry, name)?;
    let root = arguments.root.canonicalize().map_err(|error| {
        let root = arguments.root.display();
        CommandError::new(format!("cannot use the root directory {root}")).because(&error)
    })?;
    let host = RealHost::new(&HostOptions { root, ..HostOptions::default() });
    let view = host.view();
    let selection = Selection {
        named: &arguments.titles,
        system: arguments.system,
        recurse: arguments.recurse,
    };
    let mut titles = kind.titles(&selection, &view).map_err(failed)?;
    let mut seen = HashSet::new();
    titles.retain(|title| seen.insert(title.clone()));
    let mut beside = Beside::default();
    let mut document = Document::new(kind, arguments.show_secrets);
    let mut missing = Vec::new();
    for title in &titles {
        let named = arguments.titles.contains(title);
        let added = exported(kind, title, &view)
            .and_then(|exported| document.add(title, exported, &mut beside, &view));
        match added {
            Ok(()) => {}
            Err(failure) if named => missing.push(failure),
            Err(failure) => output.message(&left_out(kind, title, &failure)),
        }
    }
    if !missing.is_empty() {
        return Err(not_exported(&missing));
    }
    if document.is_empty() {
        output.message(&format!("note: there is no {name} to export\n"));
        return Ok(Exit::Done);
    }
    match &arguments.out {
        Some(directory) => {
            beside.write(directory, document.text())?;
            output.message(&format!("wrote {}\n", directory.join(beside::POLICY).display()));
        }
        None if beside.is_empty() => output.data(document.text())?,
        None => return Err(beside.refusal()),
    }
    Ok(Exit::Done)
}

fn exported(
    kind: &dyn AnyKind,
    title: &str,
    view: &View<'_>,
) -> Result<steadfast_resources::Exported, Failure> {
    kind.exported(title, view)?.ok_or_else(|| {
        let name = kind.declaration().name;
        Failure::new(format!("there is no {name} {title:?} here"))
    })
}

/// The kinds that can be exported, a line each.
fn listing(registry: &Registry) -> String {
    let mut text = String::new();
    for kind in registry.kinds().filter(|kind| kind.exports()) {
        let declaration = kind.declaration();
        let _ = writeln!(text, "{:<10}{}", declaration.name, declaration.summary);
    }
    text
}

fn kind(registry: &Registry, name: &str) -> Result<&'static dyn AnyKind, CommandError> {
    let able = || registry.kinds().filter(|kind| kind.exports());
    if let Some(kind) = able().find(|kind| kind.declaration().name == name) {
        return Ok(kind);
    }
    let names: Vec<&str> = able().map(|kind| kind.declaration().name).collect();
    let reason = if registry.kind(name).is_some() {
        format!("the kind {name} cannot be exported")
    } else {
        format!("there is no kind {name:?}")
    };
    Err(CommandError::new(reason).with_hint(format!("what can be exported: {}", names.join(", "))))
}

fn failed(failure: Failure) -> CommandError {
    let error = CommandError::new(failure.reason);
    match failure.hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

fn left_out(kind: &dyn AnyKind, title: &str, failure: &Failure) -> String {
    let reference = Reference::new(kind.declaration().name, title).to_string();
    format!("warning: {} is left out: {}\n", printable(&reference), printable(&failure.reason))
}

fn not_exported(failures: &[Failure]) -> CommandError {
    let mut error = match failures {
        [only] => failed(only.clone()),
        several => CommandError::new(format!("{} resources cannot be exported", several.len())),
    };
    if failures.len() > 1 {
        error.chain.extend(failures.iter().map(|failure| failure.reason.clone()));
    }
    error
}
