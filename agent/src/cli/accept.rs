//! `steadfast accept`: drift applied back to Git, as a patch that `git am` takes.

use std::path::PathBuf;

use clap::Args;
use steadfast_policies::Catalog;
use steadfast_resources::host::{Host, RealHost};
use steadfast_resources::{Reference, Registry};

use super::input::{CopyPlace, Input};
use super::{CommandError, Exit, Locations};
use crate::accept::{AcceptError, Acceptance, Ground, Mail, Refusal, accept};
use crate::output::{Output, printable};

/// Arguments of `accept`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Resources (`file./etc/motd`, `user.ann`), and last a directory or a Git URL
    /// [default: the configured repository]
    #[arg(required = true, value_name = "KIND.TITLE|REPOSITORY")]
    words: Vec<String>,
    /// Who the patch says has made it [default: steadfast on this host]
    #[arg(long, value_name = "NAME <MAIL>")]
    author: Option<String>,
    /// Write the patch to a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Put secrets into the patch, too
    #[arg(long)]
    show_secrets: bool,
    /// The root directory of the managed system
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
}

pub(super) fn run(
    arguments: &Arguments,
    locations: &Locations,
    output: &Output,
) -> Result<Exit, CommandError> {
    let (names, repository) = words(&arguments.words)?;
    let author = arguments.author.as_deref().map(checked_author).transpose()?;
    let target = super::input::target(&arguments.root, locations, None)?;
    let input = Input::open(repository, &target, CopyPlace::Temporary, output)?;
    let Some(repository) = input.repository() else {
        return Err(CommandError::new("a single policy file is no repository that takes a patch")
            .with_hint("name the directory of the whole repository"));
    };
    let evaluate =
        |repository: &dyn steadfast_policies::Repository| Input::recorded(repository, &target);
    let catalog = evaluate(repository)
        .map_err(|errors| failed(AcceptError::Evaluate(errors.into()), output))?;
    let wanted: Vec<usize> =
        names.iter().map(|name| find(&catalog, name)).collect::<Result<_, _>>()?;
    let host = RealHost::new(&target.host_options());
    let ground = Ground {
        repository,
        evaluate: &evaluate,
        view: host.view(),
        show_secrets: arguments.show_secrets,
    };
    let mut acceptance =
        accept(&ground, &catalog, &wanted).map_err(|error| failed(error, output))?;
    for reference in &acceptance.in_sync {
        output.message(&format!("{}: as declared, nothing to accept\n", shown(reference)));
    }
    for refusal in &acceptance.refused {
        output.message(&refusal_text(refusal, output));
    }
    for change in &mut acceptance.changes {
        change.path = format!("{}{}", input.prefix, change.path);
    }
    let exit = if acceptance.refused.is_empty() { Exit::Done } else { Exit::Pending };
    if acceptance.changes.is_empty() {
        return Ok(exit);
    }
    committed(&input, &acceptance)?;
    let host_name = target.host_name();
    let author = author.unwrap_or_else(|| format!("steadfast on {host_name} <root@{host_name}>"));
    let patch = mail(&acceptance, &author, &host_name, &input).text();
    match &arguments.out {
        Some(file) => super::input::write_new(file, patch.as_bytes())?,
        None => output.data(&patch)?,
    }
    Ok(exit)
}

/// Refuses a patch of text that no commit has: `git am` would not find what it is made against.
fn committed(input: &Input, acceptance: &Acceptance) -> Result<(), CommandError> {
    let Some(root) = input.root() else { return Ok(()) };
    let files = acceptance.changes.iter().map(|it| (it.path.as_str(), it.before.as_slice()));
    match crate::source::uncommitted(root, files) {
        None => Ok(()),
        Some(path) => {
            let path = printable(path);
            Err(CommandError::new(format!("{path} is not as in the commit that is checked out"))
                .with_hint("a patch is made against a commit: commit or stash it first"))
        }
    }
}

/// The commit's first line.
fn mail_subject(acceptance: &Acceptance, host_name: &str) -> String {
    match acceptance.accepted.as_slice() {
        [only] => {
            let name = only.split(": ").next().unwrap_or(only);
            format!("Accept {name} as it is on {host_name}")
        }
        several => format!("Accept {} resources as they are on {host_name}", several.len()),
    }
}

fn mail<'a>(
    acceptance: &'a Acceptance,
    author: &'a str,
    host_name: &str,
    input: &Input,
) -> OwnedMail<'a> {
    let mut body = String::from("Not as declared, and to be so from now on:\n\n");
    for line in &acceptance.accepted {
        body.extend(["- ", &printable(line), "\n"]);
    }
    if let Some(commit) = &input.revision.commit {
        body.extend(["\nSeen on ", host_name, " against ", commit, ".\n"]);
    }
    OwnedMail {
        author,
        date: crate::clock::mail_date(),
        subject: mail_subject(acceptance, host_name),
        body,
        acceptance,
    }
}

/// A mail with its own texts.
struct OwnedMail<'a> {
    author: &'a str,
    date: String,
    subject: String,
    body: String,
    acceptance: &'a Acceptance,
}

impl OwnedMail<'_> {
    fn text(&self) -> String {
        Mail {
            author: self.author,
            date: &self.date,
            subject: &self.subject,
            body: &self.body,
            changes: &self.acceptance.changes,
        }
        .text()
    }
}

/// Names of resources, and a repository where the last word is no name.
fn words(words: &[String]) -> Result<(Vec<Reference>, Option<&str>), CommandError> {
    let registry = Registry::standard();
    let mut names = Vec::new();
    for (index, word) in words.iter().enumerate() {
        match reference(&registry, word) {
            Some(name) => names.push(name),
            None if index + 1 == words.len() && !names.is_empty() => {
                return Ok((names, Some(word)));
            }
            None => {
                let kinds: Vec<&str> =
                    registry.kinds().map(|kind| kind.declaration().name).collect();
                return Err(CommandError::new(format!("{word:?} is not the name of a resource"))
                    .with_hint(format!(
                        "write KIND.TITLE, for instance file./etc/motd; kinds: {}",
                        kinds.join(", ")
                    ))
                    .with_exit(Exit::Usage));
            }
        }
    }
    Ok((names, None))
}

/// `kind.title`, the title in quotes or not.
fn reference(registry: &Registry, word: &str) -> Option<Reference> {
    let (kind, title) = word.split_once('.')?;
    let kind = registry.kind(kind)?.declaration().name;
    let title = title.strip_prefix('"').and_then(|title| title.strip_suffix('"')).map_or_else(
        || title.to_owned(),
        |title| title.replace("\\\"", "\"").replace("\\\\", "\\"),
    );
    (!title.is_empty()).then(|| Reference::new(kind, title))
}

fn find(catalog: &Catalog, name: &Reference) -> Result<usize, CommandError> {
    let position = catalog.resources.iter().position(|resource| resource.reference == *name);
    position.ok_or_else(|| {
        let error = CommandError::new(format!("this host has no resource {}", shown(name)));
        let distance = |other: &Reference| strsim::osa_distance(name.title(), other.title());
        let near = catalog
            .resources
            .iter()
            .map(|resource| &resource.reference)
            .filter(|other| other.kind() == name.kind() || other.title() == name.title())
            .min_by_key(|other| distance(other))
            .filter(|other| distance(other) <= (name.title().len() / 3).max(1));
        match near {
            Some(near) => error.with_hint(format!("did you mean {}?", shown(near))),
            None => error.with_hint("`steadfast plan --json` lists what the policies declare here"),
        }
    })
}

fn checked_author(author: &str) -> Result<String, CommandError> {
    let fits = author.split_once(" <").is_some_and(|(name, mail)| {
        let mail = mail.strip_suffix('>').unwrap_or_default();
        !name.trim().is_empty() && mail.contains('@') && !mail.contains(['<', '>', ' '])
    });
    if fits && !author.chars().any(char::is_control) {
        return Ok(author.to_owned());
    }
    Err(CommandError::new(format!("{author:?} does not name an author"))
        .with_hint("write --author \"Ann Example <ann@example.com>\"")
        .with_exit(Exit::Usage))
}

fn shown(reference: &Reference) -> String {
    printable(&reference.to_string())
}

fn refusal_text(refusal: &Refusal, output: &Output) -> String {
    let attribute = refusal.attribute.as_ref().map_or(String::new(), |name| format!(" {name}"));
    let mut text = format!(
        "{} {}{attribute}: {}\n",
        output.message_style.change("not accepted:"),
        shown(&refusal.reference),
        printable(&refusal.reason)
    );
    if let Some(hint) = &refusal.hint {
        let help = output.message_style.good("help:");
        text.extend(["  ", &help, " ", &printable(hint), "\n"]);
    }
    text
}

fn failed(error: AcceptError, output: &Output) -> CommandError {
    match error {
        AcceptError::Evaluate(diagnostics) => {
            let mut failed = CommandError::new("the policy repository cannot be evaluated");
            failed.details = Some(diagnostics.render(output.message_style.is_coloured()));
            failed
        }
        AcceptError::Plan { reference, failure } => {
            let failed =
                CommandError::new(format!("{} cannot be planned: {}", reference, failure.reason));
            match failure.hint {
                Some(hint) => failed.with_hint(hint),
                None => failed,
            }
        }
        AcceptError::Others(_) => {
            CommandError::from(error).with_hint("edit the policy by hand, or accept these, too")
        }
        AcceptError::Read(error) => error.into(),
    }
}
