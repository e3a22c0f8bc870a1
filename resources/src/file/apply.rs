//! Doing steps. The plan leaves no choice here.

use std::borrow::Cow;
use std::time::Instant;

use super::action::FileAction;
use super::diff;
use super::goal::Bytes;
use super::wanted::Wanted;
use crate::failure::Failure;
use crate::host::Host;
use crate::host::command::{CommandError, Request};
use crate::host::files::{
    AbsolutePath, FileError, FileType, NewFile, Obstacle, Placement, Properties, Staged,
};
use crate::kind::Turn;

/// The largest https source that is fetched, in bytes.
const DOWNLOAD_LIMIT: u64 = 1 << 30;

/// Does one step and makes it durable.
pub(super) fn apply(
    wanted: &Wanted,
    action: &FileAction,
    host: &mut dyn Host,
    turn: &mut Turn<'_>,
) -> Result<(), Failure> {
    if let FileAction::Write { over, .. } = action {
        keep(wanted, action, host, turn)?;
        let staged = stage(wanted, action, host, turn)?;
        let checked = validate(wanted, action, &staged, host, turn).and_then(|()| {
            let synced = host.files().sync(&[&staged]).into_iter().collect::<Result<Vec<_>, _>>();
            synced.map_err(Failure::from)?;
            turn.bucket.flush().map_err(|error| Failure::from(FileError::from(error)))
        });
        if let Err(failure) = checked {
            discard(staged, host);
            return Err(failure);
        }
        commit(staged, *over, host)?;
    } else {
        act(wanted, action, host, turn)?;
    }
    host.files().settle()?;
    Ok(())
}

/// Does any step but a write. Not durable yet.
pub(super) fn act(
    wanted: &Wanted,
    action: &FileAction,
    host: &mut dyn Host,
    turn: &mut Turn<'_>,
) -> Result<(), Failure> {
    in_time(turn)?;
    let selinux = wanted.selinux.as_deref();
    if action.over() != Obstacle::Nothing {
        keep(wanted, action, host, turn)?;
        turn.bucket.flush().map_err(|error| Failure::from(FileError::from(error)))?;
    }
    let files = host.files();
    match action {
        FileAction::Write { .. } => return apply(wanted, action, host, turn),
        FileAction::MakeDirectory { path, over, owner, group, mode } => {
            let properties = Properties { owner: *owner, group: *group, mode: *mode, selinux };
            files.make_directory(path, &properties, *over)?;
        }
        FileAction::MakeLink { path, target, over, owner, group } => {
            let properties = Properties { owner: *owner, group: *group, mode: None, selinux };
            files.make_link(path, target.as_ref(), &properties, *over)?;
        }
        FileAction::Adjust { path, seen, owner, group, mode, selinux: context } => {
            let selinux = selinux.filter(|_| *context);
            let properties = Properties { owner: *owner, group: *group, mode: *mode, selinux };
            files.adjust(path, seen, &properties)?;
        }
        FileAction::Remove { path, over, .. } => files.remove(path, *over)?,
    }
    Ok(())
}

/// Keeps the content that gives way to the step.
pub(super) fn keep(
    wanted: &Wanted,
    action: &FileAction,
    host: &mut dyn Host,
    turn: &mut Turn<'_>,
) -> Result<(), Failure> {
    if wanted.backup && action.over() != Obstacle::Nothing {
        let kept = host.view().files.keep(action.path(), turn.bucket)?;
        turn.kept.extend(kept.into_iter().map(|(path, digest)| (digest, path)));
    }
    Ok(())
}

/// Writes the candidate of a [`FileAction::Write`].
pub(super) fn stage(
    wanted: &Wanted,
    action: &FileAction,
    host: &mut dyn Host,
    turn: &Turn<'_>,
) -> Result<Staged, Failure> {
    in_time(turn)?;
    let FileAction::Write { path, below, inherit, owner, group, mode, .. } = action else {
        return Err(Failure::new("only a write has a candidate"));
    };
    let content: Cow<'_, [u8]> = match wanted.content_at(below) {
        Some(Bytes::Here(content)) => content.into(),
        Some(Bytes::Remote(source)) => turn
            .download
            .download(&source.url, &source.sha256, DOWNLOAD_LIMIT, turn.deadline)?
            .into(),
        None => return Err(Failure::new(format!("{path} is not in the source"))),
    };
    let file = NewFile {
        content: &content,
        properties: Properties {
            owner: *owner,
            group: *group,
            mode: Some(*mode),
            selinux: wanted.selinux.as_deref(),
        },
        inherit: *inherit,
    };
    Ok(host.files().stage(path, &file)?)
}

/// Runs the declared check on a candidate.
fn validate(
    wanted: &Wanted,
    action: &FileAction,
    staged: &Staged,
    host: &mut dyn Host,
    turn: &Turn<'_>,
) -> Result<(), Failure> {
    let Some(command) = &wanted.validate else { return Ok(()) };
    let candidate: AbsolutePath = staged.candidate();
    let shown = may_be_shown(wanted, action, host)?;
    let request = Request::new(command.argv(&candidate));
    let time = turn.deadline.saturating_duration_since(Instant::now());
    match host.commands().run(&request, turn.deadline) {
        Ok(output) if output.success() => Ok(()),
        Ok(output) => {
            let reason = format!(
                "the new content of {} was refused by {} (exit code {}); the old file stays",
                wanted.path,
                command.program(),
                output.code
            );
            let hint = "correct the content in the policy; the candidate is gone";
            Err(with_output(Failure::new(reason).with_hint(hint), output.text(), shown))
        }
        Err(error) => Err(match &error {
            CommandError::Start { program, .. } => Failure::from_error(&error).with_hint(format!(
                "{program} is what `validate` runs: require the package that brings it"
            )),
            CommandError::Deadline { output, .. } => {
                let reason = format!(
                    "the check of the new content of {} did not finish: `{}` was killed after \
                     {} s, the time left of the resource's `timeout`",
                    wanted.path,
                    command.written(),
                    time.as_millis().div_ceil(1000),
                );
                let hint = "the old file stays; raise `timeout` if the check needs longer";
                with_output(Failure::new(reason).with_hint(hint), output.text(), shown)
            }
            CommandError::Pipe { .. } => Failure::from_error(&error),
        }),
    }
}

/// Whether a check may print what the content is.
fn may_be_shown(
    wanted: &Wanted,
    action: &FileAction,
    host: &mut dyn Host,
) -> Result<bool, Failure> {
    let FileAction::Write { path, mode, .. } = action else { return Ok(false) };
    let found = host.view().files.look(path)?;
    let before = found.filter(|found| found.kind == FileType::File).map_or(*mode, |old| old.mode);
    Ok(diff::is_open(before, *mode, wanted.show_diff))
}

fn with_output(mut failure: Failure, output: String, shown: bool) -> Failure {
    if shown {
        return failure.with_output(output);
    }
    failure.reason.push_str("; its output is hidden because the file is not readable by everybody");
    failure
}

/// Puts a candidate in place.
pub(super) fn commit(staged: Staged, over: Obstacle, host: &mut dyn Host) -> Result<(), Failure> {
    let path = staged.target().clone();
    if host.files().commit(staged, over)? == Placement::InPlace {
        log::warn!("{path} is a mount point: it was written in place");
    }
    Ok(())
}

pub(super) fn discard(staged: Staged, host: &mut dyn Host) {
    // The failure that led here is what matters; what is left is swept by the next run.
    if let Err(error) = host.files().discard(staged) {
        log::warn!("a candidate stays behind until the next run: {error}");
    }
}

fn in_time(turn: &Turn<'_>) -> Result<(), Failure> {
    if Instant::now() < turn.deadline {
        return Ok(());
    }
    Err(Failure::new("the time for this resource is over").with_hint("raise its `timeout`"))
}
