//! Many resources together: their candidates are all written, brought to the disk by one `syncfs`,
//! then renamed, then brought to the disk once more. Durable, and yet two waits instead of twenty
//! thousand.
//!
//! What must stay true: steps take effect in the order of the resources wherever that can be seen
//! (a validated file is checked with everything before it in place; what a link or a removal
//! comes after is there); one resource's failure does not fail another.

use super::File;
use super::action::FileAction;
use super::apply::{act, apply, commit, discard, keep, stage};
use crate::failure::Failure;
use crate::host::Host;
use crate::host::files::{FileError, Obstacle, Staged};
use crate::kind::{Batch, Gathering, Kind, Member, Turn};

/// As many resources as one batch holds at most.
const MEMBERS: usize = 1024;

impl Batch<Self> for File {
    fn gathering(&self) -> Gathering {
        Gathering::Consecutive(MEMBERS)
    }

    fn apply_together(
        &self,
        members: &[Member<'_, Self>],
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Vec<Result<(), Failure>> {
        let mut results: Vec<Result<(), Failure>> = members.iter().map(|_| Ok(())).collect();
        let mut waiting: Vec<Waiting> = Vec::new();
        for (index, member) in members.iter().enumerate() {
            for step in &member.steps {
                if results.get(index).is_none_or(Result::is_err) {
                    break;
                }
                if must_find_everything_in_place(member.wanted, step.action) {
                    commit_all(&mut waiting, &mut results, host, turn);
                }
                let done = one(index, member.wanted, step.action, &mut waiting, host, turn);
                if let (Err(failure), Some(result)) = (done, results.get_mut(index)) {
                    *result = Err(failure);
                }
                if waiting.len() >= MEMBERS {
                    commit_all(&mut waiting, &mut results, host, turn);
                }
            }
        }
        commit_all(&mut waiting, &mut results, host, turn);
        if let Err(error) = host.files().settle() {
            let failure = Failure::from(error);
            for result in results.iter_mut().filter(|result| result.is_ok()) {
                *result = Err(failure.clone());
            }
        }
        results
    }
}

/// A candidate that waits to be put in place.
struct Waiting {
    member: usize,
    over: Obstacle,
    staged: Staged,
}

type FileWanted = <File as Kind>::Wanted;

/// Whether the step must come after the candidates before it are in place. Not so: another
/// candidate; a directory where nothing is; owner and permissions.
fn must_find_everything_in_place(wanted: &FileWanted, action: &FileAction) -> bool {
    match action {
        FileAction::Write { over, .. } => {
            wanted.validate.is_some()
                || matches!(over, Obstacle::EmptyDirectory | Obstacle::FullDirectory)
        }
        FileAction::MakeDirectory { over, .. } => *over != Obstacle::Nothing,
        FileAction::Adjust { .. } => false,
        FileAction::MakeLink { .. } | FileAction::Remove { .. } => true,
    }
}

fn one(
    member: usize,
    wanted: &FileWanted,
    action: &FileAction,
    waiting: &mut Vec<Waiting>,
    host: &mut dyn Host,
    turn: &mut Turn<'_>,
) -> Result<(), Failure> {
    match action {
        FileAction::Write { .. } if wanted.validate.is_some() => apply(wanted, action, host, turn),
        FileAction::Write { over, .. } => {
            keep(wanted, action, host, turn)?;
            let staged = stage(wanted, action, host, turn)?;
            waiting.push(Waiting { member, over: *over, staged });
            Ok(())
        }
        _ => act(wanted, action, host, turn),
    }
}

/// Makes all waiting candidates durable and puts them in place, in order.
fn commit_all(
    waiting: &mut Vec<Waiting>,
    results: &mut [Result<(), Failure>],
    host: &mut dyn Host,
    turn: &mut Turn<'_>,
) {
    if waiting.is_empty() {
        return;
    }
    let candidates: Vec<&Staged> = waiting.iter().map(|waiting| &waiting.staged).collect();
    let synced = host.files().sync(&candidates);
    let kept = turn.bucket.flush().map_err(|error| Failure::from(FileError::from(error)));
    for (Waiting { member, over, staged }, synced) in waiting.drain(..).zip(synced) {
        let ready = synced.map_err(Failure::from).and_then(|()| match over {
            Obstacle::Nothing => Ok(()),
            _ => kept.clone(),
        });
        let done = match ready {
            Ok(()) => commit(staged, over, host),
            Err(failure) => {
                discard(staged, host);
                Err(failure)
            }
        };
        if let (Err(failure), Some(result)) = (done, results.get_mut(member))
            && result.is_ok()
        {
            *result = Err(failure);
        }
    }
}
