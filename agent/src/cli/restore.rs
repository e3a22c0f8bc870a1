//! `steadfast restore`: put back content that was replaced.

use std::fmt::Write;
use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use steadfast_resources::Bucket;
use steadfast_resources::host::files::{AbsolutePath, Mode, NewFile, Obstacle, Properties};
use steadfast_resources::host::{Host, HostOptions, RealHost};

use super::{CommandError, Exit, Locations};
use crate::output::Output;
use crate::state::{KeptContent, Locks, State};

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file, by its absolute path on the managed system
    #[arg(required_unless_present = "list")]
    path: Option<String>,
    /// Which content: its digest, or the beginning of it [default: the newest kept]
    #[arg(long)]
    digest: Option<String>,
    /// Only list what is kept (for the path, or for all)
    #[arg(long)]
    list: bool,
    /// The root directory of the managed system
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
}

pub(super) fn run(
    arguments: &Arguments,
    locations: &Locations,
    output: &Output,
) -> Result<Exit, CommandError> {
    let directory = locations.state_directory(&arguments.root);
    if !directory.join("state.sqlite").exists() {
        return Err(CommandError::new(format!("nothing is kept in {}", directory.display())));
    }
    let mut state = State::open_below(&arguments.root, &directory)?;
    let kept = state.kept(arguments.path.as_deref())?;
    if arguments.list {
        output.data(&listing(&kept))?;
        return Ok(Exit::Done);
    }
    let Some(path) = &arguments.path else {
        return Err(CommandError::new("name a file").with_exit(Exit::Usage));
    };
    let wanted = arguments.digest.as_deref().unwrap_or_default();
    let Some(content) = kept.iter().find(|kept| kept.digest.starts_with(wanted)) else {
        return Err(CommandError::new(format!("no such content of {path} is kept"))
            .with_hint("`steadfast restore --list` shows what is"));
    };
    let locks =
        Locks::take(&mut state, &arguments.root)?.map_err(|other| CommandError::at_work(&other))?;
    if let Some(message) = &locks.message {
        output.message(&format!("note: {message}\n"));
    }
    put_back(content, path, arguments, &mut state)?;
    output.data(&format!(
        "restored {path} ({} bytes, kept {}, digest {})\n",
        content.size, content.kept_at, content.digest
    ))?;
    output.message("note: where a policy declares this file, the next run changes it again\n");
    Ok(Exit::Done)
}

fn put_back(
    content: &KeptContent,
    path: &str,
    arguments: &Arguments,
    state: &mut State,
) -> Result<(), CommandError> {
    let mut bytes = Vec::new();
    state.bucket.open(&content.digest)?.read_to_end(&mut bytes)?;
    if crate::state::digest(&bytes) != content.digest {
        return Err(CommandError::new(format!("the kept content {} is damaged", content.digest)));
    }
    let options = HostOptions { root: arguments.root.canonicalize()?, ..HostOptions::default() };
    let mut host = RealHost::new(&options);
    let path = AbsolutePath::parse(path)?;
    let present = host.view().files.look(&path)?;
    let over = match &present {
        None => Obstacle::Nothing,
        Some(_) => Obstacle::NonDirectory,
    };
    if present.is_some() {
        host.view().files.keep(&path, &mut state.bucket)?;
        state.bucket.flush()?;
    }
    let privileged = nix::unistd::geteuid().is_root();
    let properties = Properties {
        owner: privileged.then_some(content.uid),
        group: privileged.then_some(content.gid),
        mode: Some(Mode::new(u16::try_from(content.mode & 0o7777).unwrap_or(0o600))),
        selinux: None,
    };
    let files = host.files();
    let staged =
        files.stage(&path, &NewFile { content: &bytes, properties, inherit: present.is_some() })?;
    for result in files.sync(&[&staged]) {
        result?;
    }
    files.commit(staged, over)?;
    files.settle()?;
    Ok(())
}

fn listing(kept: &[KeptContent]) -> String {
    let mut text = String::new();
    for content in kept {
        let _ = writeln!(
            text,
            "{}  {}  {:>9}  {:04o} {}:{}  {}",
            content.kept_at,
            content.digest.get(..16).unwrap_or(&content.digest),
            content.size,
            content.mode,
            content.uid,
            content.gid,
            content.path.escape_debug()
        );
    }
    if text.is_empty() {
        text.push_str("nothing is kept\n");
    }
    text
}
