//! What the machine has, as far as the wish concerns it. Contents are compared where they lie and
//! read only when they may be shown; nothing is looked at that is not declared.

use std::collections::HashSet;
use std::ffi::OsString;

use super::diff;
use super::goal::{Bytes, Goal, GoalShape};
use super::selection::level;
use super::wanted::{Account, Shape, TreeWish, Wanted};
use crate::failure::Failure;
use crate::host::View;
use crate::host::command::PATH;
use crate::host::files::{AbsolutePath, FileError, FileType, Status};

/// What the machine has.
#[derive(Debug)]
pub struct Observed {
    pub(super) owner: Resolved,
    pub(super) group: Resolved,
    pub(super) top: Finding,
    /// One for each of [`Wanted::members`], in that order.
    pub(super) members: Vec<Finding>,
    pub(super) strays: Strays,
    /// The program of `validate`, if something is to be validated and the program is not there.
    pub(super) missing_program: Option<String>,
}

/// An account that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resolved {
    Unmanaged,
    Number(u32),
    /// There is no account of that name.
    Unknown(String),
}

impl Resolved {
    pub(super) fn number(&self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// What is at one path.
#[derive(Debug, Default)]
pub(super) struct Finding {
    /// What is there; `None` where nothing is.
    pub(super) status: Option<Status>,
    /// Why nothing can be created there.
    pub(super) unreachable: Option<Failure>,
    pub(super) content: ContentFinding,
    /// Whether the directory found is empty. Asked only when it is in the way.
    pub(super) empty: bool,
    /// What the link found says.
    pub(super) target: Option<OsString>,
    pub(super) selinux: Option<String>,
    /// Whether an ACL goes with the owner found. Asked only where another owner is declared.
    pub(super) loses_access_list: bool,
    /// Names of the owner and group found, where they are not those asked for.
    pub(super) owner_name: Option<String>,
    pub(super) group_name: Option<String>,
}

/// How the content found compares.
#[derive(Debug, Default)]
pub(super) enum ContentFinding {
    /// There is none, or none is asked for.
    #[default]
    NotCompared,
    Same,
    Differs {
        /// Of the content found, in hexadecimal.
        digest: String,
        /// The content found, where it may be shown.
        text: Option<String>,
    },
}

/// What is in a tree on the machine and not in its source.
#[derive(Debug, Default)]
pub(super) struct Strays {
    /// What goes, in the order in which it can.
    pub(super) removable: Vec<Stray>,
    /// Directories that stay because they are not empty.
    pub(super) spared: Vec<AbsolutePath>,
}

#[derive(Debug)]
pub(super) struct Stray {
    pub(super) path: AbsolutePath,
    pub(super) below: String,
    pub(super) kind: FileType,
    pub(super) empty: bool,
}

pub(super) fn observe(wanted: &Wanted, view: &View<'_>) -> Result<Observed, Failure> {
    let owner = resolve(wanted.owner.as_ref(), |name| view.accounts.user_id(name))?;
    let group = resolve(wanted.group.as_ref(), |name| view.accounts.group_id(name))?;
    let looking = Looking { wanted, view, owner: owner.number(), group: group.number() };
    let goal = wanted.top();
    let mut top = looking.finding(&goal, &wanted.path)?;
    let creates = !matches!(goal.shape, GoalShape::Absent | GoalShape::Unspecified);
    if creates && top.status.is_none() && top.unreachable.is_none() {
        top.unreachable = looking.why_unreachable()?;
    }
    let (mut members, mut strays) = (Vec::new(), Strays::default());
    if let Shape::Tree(tree) = &wanted.shape {
        let is_directory = |status: &Status| status.kind == FileType::Directory;
        let mut directories: HashSet<&str> = HashSet::new();
        if top.status.as_ref().is_some_and(is_directory) {
            directories.insert("");
        }
        for goal in wanted.members() {
            let parent = goal.below.rsplit_once('/').map_or("", |(parent, _)| parent);
            // Below what is no directory yet there is nothing, whatever a link there leads to.
            if !directories.contains(parent) {
                members.push(Finding::default());
                continue;
            }
            let finding = looking.finding(&goal, &goal.path(&wanted.path))?;
            if finding.status.as_ref().is_some_and(is_directory) {
                directories.insert(goal.below);
            }
            members.push(finding);
        }
        if tree.purge {
            strays = looking.strays(tree, &directories)?;
        }
    }
    let changes_content = std::iter::once(&top).any(|finding| {
        finding.status.is_none() || matches!(finding.content, ContentFinding::Differs { .. })
    });
    let missing_program = match &wanted.validate {
        Some(command) if changes_content => missing_program(command.program(), view)?,
        _ => None,
    };
    Ok(Observed { owner, group, top, members, strays, missing_program })
}

fn resolve(
    account: Option<&Account>,
    number: impl Fn(&str) -> Result<Option<u32>, crate::host::accounts::AccountError>,
) -> Result<Resolved, Failure> {
    match account {
        None => Ok(Resolved::Unmanaged),
        Some(Account::Number(number)) => Ok(Resolved::Number(*number)),
        Some(Account::Name(name)) => {
            let found = number(name).map_err(|error| Failure::from_error(&error))?;
            Ok(found.map_or_else(|| Resolved::Unknown(name.to_string()), Resolved::Number))
        }
    }
}

/// `program`, if a command could not start it.
fn missing_program(program: &str, view: &View<'_>) -> Result<Option<String>, Failure> {
    let places: Vec<String> = if program.contains('/') {
        vec![program.to_owned()]
    } else {
        PATH.split(':').map(|directory| format!("{directory}/{program}")).collect()
    };
    for place in &places {
        let Ok(path) = AbsolutePath::parse(place) else { continue };
        match view.files.look(&path) {
            Ok(Some(_)) => return Ok(None),
            Ok(None) | Err(FileError::UntrustedLink { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(program.to_owned()))
}

struct Looking<'a> {
    wanted: &'a Wanted,
    view: &'a View<'a>,
    owner: Option<u32>,
    group: Option<u32>,
}

impl Looking<'_> {
    fn finding(&self, goal: &Goal<'_>, path: &AbsolutePath) -> Result<Finding, Failure> {
        let status = match self.view.files.look(path) {
            Ok(Some(status)) => status,
            Ok(None) => return Ok(Finding::default()),
            Err(error @ FileError::UntrustedLink { .. }) => {
                let unreachable = Some(Failure::from(error));
                return Ok(Finding { unreachable, ..Finding::default() });
            }
            Err(error) => return Err(error.into()),
        };
        let mut finding = Finding { status: Some(status), ..Finding::default() };
        match (status.kind, goal.shape) {
            (FileType::File, GoalShape::File { content: Some(bytes), .. })
                if self.wanted.replace =>
            {
                finding.content = self.content(path, &status, bytes, goal)?;
            }
            (FileType::Symlink, GoalShape::Symlink(_)) => {
                finding.target = Some(self.view.files.link_target(path)?);
            }
            (
                FileType::Directory,
                GoalShape::File { .. } | GoalShape::Symlink(_) | GoalShape::Absent,
            ) => finding.empty = self.view.files.list(path)?.is_empty(),
            _ => {}
        }
        if self.wanted.selinux.is_some() {
            finding.selinux = self.view.files.selinux(path)?;
        }
        let accounts = self.view.accounts;
        if self.owner.is_some_and(|owner| owner != status.uid) {
            // Root's ACLs stay: nobody else had a say in them.
            finding.loses_access_list = status.uid != 0
                && status.kind != FileType::Symlink
                && self.view.files.has_access_list(path)?;
            finding.owner_name =
                accounts.user_name(status.uid).map_err(|error| Failure::from_error(&error))?;
        }
        if self.group.is_some_and(|group| group != status.gid) {
            finding.group_name =
                accounts.group_name(status.gid).map_err(|error| Failure::from_error(&error))?;
        }
        Ok(finding)
    }

    fn content(
        &self,
        path: &AbsolutePath,
        status: &Status,
        bytes: Bytes<'_>,
        goal: &Goal<'_>,
    ) -> Result<ContentFinding, Failure> {
        let files = self.view.files;
        match bytes {
            Bytes::Here(content) => {
                if files.holds(path, status, content)? {
                    return Ok(ContentFinding::Same);
                }
                let digest = files.digest(path, status)?;
                // Another name of the file may be one that a user must not see the content of.
                let may_be_shown = status.links == 1
                    && diff::may_be_shown(status.mode, goal.mode, self.wanted.show_diff)
                    && status.size <= diff::LIMIT
                    && content.len() as u64 <= diff::LIMIT;
                let text = if may_be_shown {
                    diff::as_text(files.read(path, status, diff::LIMIT)?)
                } else {
                    None
                };
                Ok(ContentFinding::Differs { digest, text })
            }
            Bytes::Remote(download) => {
                let digest = files.digest(path, status)?;
                if digest == download.sha256 {
                    return Ok(ContentFinding::Same);
                }
                Ok(ContentFinding::Differs { digest, text: None })
            }
        }
    }

    /// Why nothing can be created at the resource's own path, where nothing is.
    fn why_unreachable(&self) -> Result<Option<Failure>, Failure> {
        let files = self.view.files;
        let path = &self.wanted.path;
        let Some(parent) = path.parent() else { return Ok(None) };
        if files.is_directory(&parent)? {
            return Ok(None);
        }
        let mut nearest = parent;
        for above in nearest.clone().ancestors() {
            if files.is_directory(&above)? {
                break;
            }
            nearest = above;
        }
        let failure = match files.look(&nearest)? {
            None => FileError::NoDirectory { path: nearest.to_string() }.into(),
            Some(status) => Failure::new(format!(
                "cannot create {path}: {nearest} is a {}{}, not a directory",
                status.kind,
                if status.kind == FileType::Symlink { " that leads nowhere" } else { "" },
            ))
            .with_hint(format!("declare {nearest} with ensure = \"directory\"")),
        };
        Ok(Some(failure))
    }

    fn strays(&self, tree: &TreeWish, directories: &HashSet<&str>) -> Result<Strays, Failure> {
        let members = self.wanted.members();
        let wanted: HashSet<&str> = members.iter().map(|goal| goal.below).collect();
        let mut strays = Strays::default();
        let mut sorted: Vec<&str> = directories.iter().copied().collect();
        sorted.sort_unstable();
        for directory in sorted {
            if !tree.selection.reaches(level_within(directory)) {
                continue;
            }
            self.strays_in(directory, tree, &wanted, &mut strays)?;
        }
        Ok(strays)
    }

    /// Collects what does not belong in one directory; true if something in it is to stay.
    fn strays_in(
        &self,
        directory: &str,
        tree: &TreeWish,
        wanted: &HashSet<&str>,
        strays: &mut Strays,
    ) -> Result<bool, Failure> {
        let mut something_stays = false;
        let path = self.wanted.path.join(directory);
        for entry in self.view.files.list(&path)? {
            // Globs match what can be read; a name that is no text is matched as it is shown.
            let name = entry.name.to_string_lossy();
            let below = if directory.is_empty() {
                name.into_owned()
            } else {
                format!("{directory}/{name}")
            };
            if wanted.contains(below.as_str())
                || tree.selection.excludes(&below)
                || tree.neighbours.include(&below)
            {
                something_stays = true;
                continue;
            }
            let path = path.join(&entry.name);
            let mut stray = Stray { path, below, kind: entry.kind, empty: false };
            if stray.kind == FileType::Directory {
                stray.empty = self.view.files.list(&stray.path)?.is_empty();
                let leads_to_neighbour = tree.neighbours.any_below(&stray.below);
                if !stray.empty && !self.wanted.force {
                    if !leads_to_neighbour {
                        strays.spared.push(stray.path);
                    }
                    something_stays = true;
                    continue;
                }
                // Something excluded may lie further down, or something that another resource
                // manages: then only what is beside it goes.
                if leads_to_neighbour || (tree.selection.excludes_something() && !stray.empty) {
                    let mut inner = Strays::default();
                    if self.strays_in(&stray.below, tree, wanted, &mut inner)? {
                        strays.removable.extend(inner.removable);
                        something_stays = true;
                        continue;
                    }
                }
            }
            strays.removable.push(stray);
        }
        Ok(something_stays)
    }
}

/// The level of a directory's entries.
fn level_within(directory: &str) -> usize {
    if directory.is_empty() { 1 } else { level(directory) + 1 }
}
