//! From what is observed to steps. Pure and total.

use super::action::FileAction;
use super::diff;
use super::goal::{Bytes, Goal, GoalShape};
use super::observe::{ContentFinding, Finding, Observed, Resolved};
use super::wanted::{Account, Wanted};
use crate::failure::Failure;
use crate::host::files::{AbsolutePath, FileType, Mode, Obstacle, Status};
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
    let planning = Planning { wanted, observed, emptied_by: pending.dependency() };
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
    for above in path.ancestors() {
        if let Some(provider) = pending.provider(&Provision::Path(above.to_string())) {
            return Ok(format!("{provider} creates {above}"));
        }
    }
    // Files that this one rests on have said what they will create; others can create anything.
    match pending.dependency().filter(|dependency| dependency.kind() != "file") {
        Some(dependency) => Ok(format!("{dependency} may bring the directory of {path}")),
        None => Err(failure.clone()),
    }
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
    let provider = pending
        .provider(&provision)
        .or_else(|| pending.dependency().filter(|dependency| dependency.kind() != "file"));
    match provider {
        Some(provider) => Ok(Some(format!("{provider} creates the {kind} {name}"))),
        None => Err(Failure::new(format!("there is no {kind} {name}"))
            .with_hint(format!("declare {kind}.{name}, or require the package that brings it"))),
    }
}

struct Planning<'a> {
    wanted: &'a Wanted,
    observed: &'a Observed,
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

    fn creation_changes(
        &self,
        goal: &Goal<'_>,
        finding: &Finding,
        path: &AbsolutePath,
        mode: Mode,
        keeps_file: bool,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        let wanted_type = match goal.shape {
            GoalShape::Directory => FileType::Directory,
            GoalShape::Symlink(_) => FileType::Symlink,
            _ => FileType::File,
        };
        match &finding.status {
            Some(status) if status.kind == wanted_type => {}
            found => changes.push(Change::new(
                property(goal.below, "ensure"),
                found.map_or(Shown::Absent, |status| Shown::value(status.kind)),
                Shown::value(wanted_type),
            )),
        }
        if let GoalShape::Symlink(target) = goal.shape {
            let before = finding
                .target
                .as_ref()
                .map_or(Shown::Absent, |target| Shown::value(target.to_string_lossy()));
            changes.push(Change::new(property(goal.below, "target"), before, Shown::value(target)));
        }
        if let GoalShape::File { content: Some(bytes), .. } = goal.shape {
            changes.push(self.content_change(goal, finding, path, bytes, mode));
        }
        if keeps_file {
            if let Some(status) = &finding.status {
                changes.extend(self.property_changes(goal, finding, status, mode));
            }
        } else {
            changes.extend(self.declared_properties(goal, wanted_type, mode));
        }
        changes
    }

    /// The declared properties of something new.
    fn declared_properties(&self, goal: &Goal<'_>, kind: FileType, mode: Mode) -> Vec<Change> {
        let mut changes = Vec::new();
        for (name, account) in [("owner", &self.wanted.owner), ("group", &self.wanted.group)] {
            if let Some(account) = account {
                changes.push(Change::new(
                    property(goal.below, name),
                    Shown::Absent,
                    Shown::value(account_text(account)),
                ));
            }
        }
        if goal.mode.is_some() && kind != FileType::Symlink {
            let after = Shown::value(mode);
            changes.push(Change::new(property(goal.below, "mode"), Shown::Absent, after));
        }
        if let Some(context) = &self.wanted.selinux {
            let after = Shown::value(context);
            changes.push(Change::new(property(goal.below, "selinux"), Shown::Absent, after));
        }
        changes
    }

    fn content_change(
        &self,
        goal: &Goal<'_>,
        finding: &Finding,
        path: &AbsolutePath,
        bytes: Bytes<'_>,
        mode: Mode,
    ) -> Change {
        let found_mode = match &finding.status {
            Some(status) if status.kind == FileType::File => status.mode,
            _ => mode,
        };
        let open = found_mode.is_readable_by_others() && mode.is_readable_by_others();
        let name = property(goal.below, "content");
        if !open || !self.wanted.show_diff {
            // Not even a digest: short secrets can be guessed from one.
            let before = match finding.content {
                ContentFinding::Differs { .. } => Shown::Redacted,
                _ => Shown::Absent,
            };
            return Change::new(name, before, Shown::Redacted);
        }
        let after = match bytes {
            Bytes::Here(content) => diff::digest(content),
            Bytes::Remote(download) => download.sha256.clone(),
        };
        let mut change = Change::new(name, Shown::Absent, Shown::value(diff::digest_text(&after)));
        if let ContentFinding::Differs { digest, text } = &finding.content {
            change.before = Shown::value(diff::digest_text(digest));
            if let (Some(before), Bytes::Here(content)) = (text, bytes) {
                change.diff = diff::as_text(content.to_vec())
                    .map(|after| diff::unified(&path.to_string(), before, &after));
            }
        }
        change
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

    fn property_changes(
        &self,
        goal: &Goal<'_>,
        finding: &Finding,
        status: &Status,
        mode: Mode,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        for (name, asked, resolved, found, found_name) in [
            ("owner", &self.wanted.owner, &self.observed.owner, status.uid, &finding.owner_name),
            ("group", &self.wanted.group, &self.observed.group, status.gid, &finding.group_name),
        ] {
            let Some(account) = asked else { continue };
            if resolved.number() == Some(found) {
                continue;
            }
            let before = match (account, found_name) {
                (Account::Name(_), Some(name)) => Shown::value(name),
                _ => Shown::value(found),
            };
            let after = Shown::value(account_text(account));
            changes.push(Change::new(property(goal.below, name), before, after));
        }
        if mode != status.mode {
            changes.push(Change::new(
                property(goal.below, "mode"),
                Shown::value(status.mode),
                Shown::value(mode),
            ));
        }
        if let Some(context) = self.wanted.selinux.as_deref()
            && finding.selinux.as_deref() != Some(context)
        {
            let before = finding.selinux.as_ref().map_or(Shown::Absent, Shown::value);
            changes.push(Change::new(
                property(goal.below, "selinux"),
                before,
                Shown::value(context),
            ));
        }
        changes
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

fn account_text(account: &Account) -> String {
    match account {
        Account::Name(name) => name.to_string(),
        Account::Number(number) => number.to_string(),
    }
}

/// The property's name; in a tree, with the path below the top.
fn property(below: &str, name: &'static str) -> std::borrow::Cow<'static, str> {
    if below.is_empty() { name.into() } else { format!("{below}: {name}").into() }
}
