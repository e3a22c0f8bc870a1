//! From what is observed to steps. Pure and total.

use super::action::FileAction;
use super::changes::property;
use super::goal::{Bytes, Goal, GoalShape};
use super::observe::{ContentFinding, Finding, Observed, Resolved};
use super::wanted::Wanted;
use crate::failure::Failure;
use crate::host::files::{AbsolutePath, FileError, FileType, Mode, Obstacle, Status};
use crate::pending::{Pending, Provision};
use crate::reference::Reference;
use crate::step::{Change, Planned, Shown, Step};

type FileStep = Step<FileAction>;

pub(super) fn plan(
    wanted: &Wanted,
    observed: &Observed,
    pending: &Pending<'_>,
) -> Result<Planned<FileAction>, Failure> {
    let mut conditions: Vec<String> = Vec::new();
    if let Some(failure) = &observed.top.unreachable {
        conditions.push(hope_for_directory(&wanted.path, failure, pending)?);
    }
    conditions.extend(hope_for_account("user", &observed.owner, pending)?);
    conditions.extend(hope_for_account("group", &observed.group, pending)?);
    if let Some(program) = &observed.missing_program
        && let Some(provider) = pending.hope(&Provision::Path(program.clone()))
    {
        conditions.push(format!("{provider} brings {program}, which checks the new content"));
    }
    let planning = Planning { wanted, observed, emptied_by: pending.dependencies().first() };
    conditions.extend(planning.emptied_first());
    let mut planned = Planned::in_sync();
    let members = wanted.members();
    for (goal, finding) in
        std::iter::once((&wanted.top(), &observed.top)).chain(members.iter().zip(&observed.members))
    {
        let path = goal.path(&wanted.path);
        if finding.status.is_some_and(|status| status.mount_point)
            && matches!(finding.content, ContentFinding::Differs { .. })
        {
            planned.notes.push(format!(
                "{path} is a mount point and is written in place: a reader may see a part of it"
            ));
        }
        planned.steps.extend(planning.steps(goal, finding, path)?);
    }
    for stray in &observed.strays.removable {
        let over = match stray.kind {
            FileType::Directory if stray.empty => Obstacle::EmptyDirectory,
            FileType::Directory => Obstacle::FullDirectory,
            _ => Obstacle::NonDirectory,
        };
        let change =
            Change::new(property(&stray.below, "ensure"), Shown::value(stray.kind), Shown::Absent);
        let action = FileAction::Remove { path: stray.path.clone(), what: stray.kind, over };
        planned.steps.push(Step::disruptive(action, vec![change]));
    }
    for path in &observed.strays.spared {
        planned.notes.push(format!(
            "{path} is not in the source and not empty; it is removed only with force = true"
        ));
    }
    if matches!(wanted.top().shape, GoalShape::Unspecified) && observed.top.status.is_none() {
        planned.notes.push(format!(
            "{} does not exist, and without `ensure` it is not created",
            wanted.path
        ));
    }
    if !conditions.is_empty() {
        planned.condition = Some(conditions.join("; "));
    }
    Ok(planned)
}

/// Who will make it possible to create something at `path`.
fn hope_for_directory(
    path: &AbsolutePath,
    failure: &Failure,
    pending: &Pending<'_>,
) -> Result<String, Failure> {
    let Some(parent) = path.parent() else { return Err(failure.clone()) };
    let mut missing = None;
    for above in path.ancestors() {
        let directory = pending.provider(&Provision::Directory(above.to_string()));
        let provider = pending.provider(&Provision::Path(above.to_string()));
        // What other kinds bring below a path of theirs are homes: directories.
        match (directory.or(provider.filter(|provider| provider.kind() != "file")), provider) {
            (Some(provider), _) if above == parent => {
                return Ok(format!("{provider} creates {above}"));
            }
            (Some(_), _) => break,
            (None, Some(provider)) => {
                return Err(Failure::new(format!(
                    "cannot create {path}: {provider} does not make {above} a directory"
                ))
                .with_hint(format!("declare {above} with ensure = \"directory\"")));
            }
            // At the root nobody was found, and what was observed says it all.
            (None, None) => missing = Some(above).filter(|above| !above.is_root()),
        }
    }
    // Files that this one rests on have said what they will create; others can create anything.
    match other_dependency(pending) {
        Some(dependency) => Ok(format!("{dependency} may bring {parent}")),
        None => Err(missing.map_or_else(
            || failure.clone(),
            |missing| FileError::NoDirectory { path: missing.to_string() }.into(),
        )),
    }
}

/// Something of another kind that may bring what is missing.
fn other_dependency<'a>(pending: &Pending<'a>) -> Option<&'a Reference> {
    let dependency = pending.dependency().filter(|dependency| dependency.kind() != "file");
    dependency.or_else(|| pending.package())
}

fn hope_for_account(
    kind: &'static str,
    account: &Resolved,
    pending: &Pending<'_>,
) -> Result<Option<String>, Failure> {
    let Resolved::Unknown(name) = account else { return Ok(None) };
    let provision = match kind {
        "user" => Provision::User(name.clone()),
        _ => Provision::Group(name.clone()),
    };
    let provider = pending.provider(&provision).or_else(|| other_dependency(pending));
    match provider {
        Some(provider) => Ok(Some(format!("{provider} creates the {kind} {name}"))),
        None => Err(Failure::new(format!("there is no {kind} {name}"))
            .with_hint(format!("declare {kind}.{name}, or require the package that brings it"))),
    }
}

pub(super) struct Planning<'a> {
    pub(super) wanted: &'a Wanted,
    pub(super) observed: &'a Observed,
    /// A resource with pending steps before this one: it may remove what fills a directory.
    emptied_by: Option<&'a Reference>,
}

impl Planning<'_> {
    /// The condition under which a directory in the way will be empty.
    fn emptied_first(&self) -> Option<String> {
        let status = self.observed.top.status?;
        let in_the_way = !matches!(
            self.wanted.top().shape,
            GoalShape::Directory | GoalShape::Present | GoalShape::Unspecified
        );
        let full = status.kind == FileType::Directory && !self.observed.top.empty;
        if !in_the_way || !full || self.wanted.force {
            return None;
        }
        let path = &self.wanted.path;
        self.emptied_by.map(|before| format!("{before} leaves the directory {path} empty"))
    }

    fn steps(
        &self,
        goal: &Goal<'_>,
        finding: &Finding,
        path: AbsolutePath,
    ) -> Result<Option<FileStep>, Failure> {
        let Some(status) = &finding.status else {
            return Ok(match goal.shape {
                GoalShape::Absent | GoalShape::Unspecified => None,
                _ => Some(self.create(goal, finding, path, Obstacle::Nothing)),
            });
        };
        let fits = match goal.shape {
            GoalShape::Absent => {
                let over = self.obstacle(status, finding, &path)?;
                return Ok(Some(remove(goal, status, path, over)));
            }
            GoalShape::Unspecified | GoalShape::Present => true,
            GoalShape::File { .. } => {
                if status.kind == FileType::Symlink && !self.wanted.replace {
                    return Ok(None);
                }
                status.kind == FileType::File
                    && !matches!(finding.content, ContentFinding::Differs { .. })
            }
            GoalShape::Directory => status.kind == FileType::Directory,
            GoalShape::Symlink(target) => {
                finding.target.as_deref().is_some_and(|found| found == target)
            }
        };
        if fits {
            return Ok(self.adjust(goal, finding, status, path));
        }
        let over = self.obstacle(status, finding, &path)?;
        refuse_top_level_link(goal, status, &path, self.wanted.force)?;
        Ok(Some(self.create(goal, finding, path, over)))
    }

    /// What has to give way, if it may.
    fn obstacle(
        &self,
        status: &Status,
        finding: &Finding,
        path: &AbsolutePath,
    ) -> Result<Obstacle, Failure> {
        let removal = matches!(self.wanted.top().shape, GoalShape::Absent);
        match status.kind {
            FileType::Directory if finding.empty => Ok(Obstacle::EmptyDirectory),
            FileType::Directory if self.wanted.force => Ok(Obstacle::FullDirectory),
            FileType::Directory if self.emptied_by.is_some() => Ok(Obstacle::EmptyDirectory),
            FileType::Directory => {
                Err(Failure::new(format!("{path} is a directory that is not empty"))
                    .with_hint("with force = true it is removed with all that is in it"))
            }
            kind if kind.is_special() && !self.wanted.force && !removal => {
                Err(Failure::new(format!("there is a {kind} at {path}"))
                    .with_hint("with force = true it is replaced; it is never opened"))
            }
            _ => Ok(Obstacle::NonDirectory),
        }
    }

    /// The step that puts something new at `path`.
    fn create(
        &self,
        goal: &Goal<'_>,
        finding: &Finding,
        path: AbsolutePath,
        over: Obstacle,
    ) -> FileStep {
        let old = finding.status.filter(|old| {
            old.kind == FileType::File
                && !matches!(goal.shape, GoalShape::Directory | GoalShape::Symlink(_))
        });
        let owner = self.observed.owner.number().or(old.map(|old| old.uid));
        let group = self.observed.group.number().or(old.map(|old| old.gid));
        let mode = match old {
            Some(old) => self.final_mode(goal, &old),
            None => goal.created_mode(),
        };
        let changes = self.creation_changes(goal, finding, &path, mode, old.is_some());
        let action = match goal.shape {
            GoalShape::Directory => FileAction::MakeDirectory {
                path,
                over,
                owner,
                group,
                mode: goal.mode.map(|_| mode),
            },
            GoalShape::Symlink(target) => {
                FileAction::MakeLink { path, target: target.to_owned(), over, owner, group }
            }
            _ => FileAction::Write {
                path,
                below: goal.below.to_owned(),
                bytes: match goal.shape {
                    GoalShape::File { content: Some(Bytes::Here(content)), .. } => {
                        Some(content.len() as u64)
                    }
                    GoalShape::File { content: Some(Bytes::Remote(_)), .. } => None,
                    _ => Some(0),
                },
                over,
                inherit: old.is_some(),
                owner,
                group,
                mode,
            },
        };
        let disruptive = matches!(over, Obstacle::EmptyDirectory | Obstacle::FullDirectory);
        Step { action, changes, disruptive }
    }

    /// The step that corrects properties of what is there, if any differs.
    fn adjust(
        &self,
        goal: &Goal<'_>,
        finding: &Finding,
        status: &Status,
        path: AbsolutePath,
    ) -> Option<FileStep> {
        let mode = self.final_mode(goal, status);
        let changes = self.property_changes(goal, finding, status, mode);
        if changes.is_empty() {
            return None;
        }
        let owner = self.observed.owner.number().filter(|owner| *owner != status.uid);
        let group = self.observed.group.number().filter(|group| *group != status.gid);
        let changes_owner = owner.is_some() || group.is_some();
        // The kernel clears set-id bits with a change of owner: those that stay are set again.
        let set_again =
            changes_owner && status.kind == FileType::File && mode != mode.without_set_id();
        let selinux = self
            .wanted
            .selinux
            .as_deref()
            .is_some_and(|context| finding.selinux.as_deref() != Some(context));
        let action = FileAction::Adjust {
            path,
            seen: *status,
            owner,
            group,
            mode: (mode != status.mode || set_again).then_some(mode),
            selinux,
        };
        Some(Step::new(action, changes))
    }

    /// The permissions that what is there ends up with. A change of owner drops set-id bits that
    /// nobody declares, as `chown(2)` does: kept, they would lend the new owner's rights to
    /// content that the old one chose.
    fn final_mode(&self, goal: &Goal<'_>, status: &Status) -> Mode {
        if status.kind == FileType::Symlink {
            return status.mode;
        }
        let is_directory = status.kind == FileType::Directory;
        let changes = |account: &Resolved, found: u32| {
            account != &Resolved::Unmanaged && account.number() != Some(found)
        };
        let mut kept = status.mode;
        if !is_directory {
            if changes(&self.observed.owner, status.uid) {
                kept = kept.without_set_id();
            } else if changes(&self.observed.group, status.gid) {
                kept = Mode::new(kept.bits() & !Mode::SET_GROUP);
            }
        }
        goal.mode.map_or(kept, |mode| mode.applied(kept, is_directory))
    }
}

fn remove(goal: &Goal<'_>, status: &Status, path: AbsolutePath, over: Obstacle) -> FileStep {
    let change =
        Change::new(property(goal.below, "ensure"), Shown::value(status.kind), Shown::Absent);
    Step::disruptive(FileAction::Remove { path, what: status.kind, over }, vec![change])
}

/// `/bin`, `/lib` and their like are links on a merged-usr system; a directory in their place
/// leaves a host that starts no program any more.
fn refuse_top_level_link(
    goal: &Goal<'_>,
    status: &Status,
    path: &AbsolutePath,
    force: bool,
) -> Result<(), Failure> {
    let at_top = path.parent().is_some_and(|parent| parent.is_root());
    if !at_top || force || status.kind != FileType::Symlink {
        return Ok(());
    }
    if !matches!(goal.shape, GoalShape::Directory) {
        return Ok(());
    }
    Err(Failure::new(format!("{path} is a symlink at the top of the file system"))
        .with_hint("manage the directory that it leads to; with force = true the link is replaced"))
}
