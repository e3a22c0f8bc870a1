//! What a step changes, as plans and reports show it: each property before and after. Pure.
//!
//! What must stay true: content that must not be shown is shown neither as a diff nor as a digest.

use super::diff;
use super::goal::{Bytes, Goal, GoalShape};
use super::observe::{ContentFinding, Finding};
use super::plan::Planning;
use super::wanted::Account;
use crate::host::files::{AbsolutePath, FileType, Mode, Status};
use crate::step::{Change, Shown};

impl Planning<'_> {
    pub(super) fn creation_changes(
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
        let name = property(goal.below, "content");
        if !diff::is_open(found_mode, mode, self.wanted.show_diff) {
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

    pub(super) fn property_changes(
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
        if finding.loses_access_list {
            let before = Shown::value(format!("given by uid {}", status.uid));
            changes.push(Change::new(property(goal.below, "acl"), before, Shown::Absent));
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
}

fn account_text(account: &Account) -> String {
    match account {
        Account::Name(name) => name.to_string(),
        Account::Number(number) => number.to_string(),
    }
}

/// The property's name; in a tree, with the path below the top.
pub(super) fn property(below: &str, name: &'static str) -> std::borrow::Cow<'static, str> {
    if below.is_empty() { name.into() } else { format!("{below}: {name}").into() }
}
