//! How a branch came from one commit to another.

use serde::Serialize;

use super::revision::RevisionId;

/// How a branch came to where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Advance {
    /// It was fetched for the first time.
    First,
    /// It is where it was.
    Unchanged,
    /// The old commit is an ancestor of the new one.
    FastForward,
    /// It is not: the branch was force-pushed, or made anew.
    Rewritten,
    /// The kept history is too short to tell.
    Unknown,
}

/// How many commits are looked at.
const ENOUGH: usize = 100_000;

/// How `repository` explains the way from `previous` to `revision`.
pub(super) fn between(
    repository: &gix::Repository,
    previous: Option<RevisionId>,
    revision: RevisionId,
) -> Advance {
    let Some(previous) = previous else { return Advance::First };
    if previous == revision {
        return Advance::Unchanged;
    }
    let Ok(ancestors) = repository.rev_walk([revision.0]).all() else { return Advance::Unknown };
    // Where history was cut, the parents exist but are not here.
    let cut = repository.shallow_commits().ok().flatten();
    let mut complete = true;
    for ancestor in ancestors.take(ENOUGH) {
        let Ok(ancestor) = ancestor else { return Advance::Unknown };
        if ancestor.id == previous.0 {
            return Advance::FastForward;
        }
        complete &= !cut.as_ref().is_some_and(|cut| cut.iter().any(|id| *id == ancestor.id));
    }
    if complete { Advance::Rewritten } else { Advance::Unknown }
}
