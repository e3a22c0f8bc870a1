//! Who last touched lines and files, as it is told.

use serde::Serialize;

use crate::source::{History, SourceError, Touch};

/// A commit that changed something, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The commit; `None` for what is not committed yet.
    pub commit: Option<String>,
    /// Who wrote it: `Name <mail>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When it was written (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authored: Option<String>,
    /// The first line of its message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whether it may have been an older one: the history that is kept ends with this one.
    pub or_before: bool,
}

/// Lines with the commit that last changed them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedLines {
    /// Ranges of lines, first and last.
    pub lines: Vec<(u32, u32)>,
    /// The commit.
    #[serde(flatten)]
    pub change: Change,
}

/// A file or directory of the repository with the commit that last changed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedFile {
    /// Its path.
    pub path: String,
    /// The commit; that of a file that was never committed is unknown.
    #[serde(flatten)]
    pub change: Change,
    /// Whether it differs from what is committed.
    pub modified: bool,
}

impl From<&Touch> for Change {
    fn from(touch: &Touch) -> Self {
        let (information, or_before) = match touch {
            Touch::Commit(information) => (information, false),
            Touch::AtOrBefore(information) => (information, true),
            Touch::Uncommitted => {
                return Self {
                    commit: None,
                    author: None,
                    authored: None,
                    subject: None,
                    or_before: false,
                };
            }
        };
        Self {
            commit: Some(information.id.to_string()),
            author: Some(information.author.clone()),
            authored: jiff::Timestamp::from_second(information.authored)
                .ok()
                .map(|time| time.to_string()),
            subject: Some(information.subject.clone()),
            or_before,
        }
    }
}

/// Who last touched the lines from `first` to `last` of the file at `path`, which has `content`
/// now. What is not committed comes first, then the youngest change.
pub fn changed_lines(
    history: &History,
    path: &str,
    content: &[u8],
    (first, last): (u32, u32),
) -> Result<Vec<ChangedLines>, SourceError> {
    let numbers: Vec<u32> = (first..=last).collect();
    let touches = history.lines(path, content, &numbers)?;
    Ok(grouped(numbers.into_iter().zip(touches.iter().map(Change::from))))
}

fn grouped(lines: impl Iterator<Item = (u32, Change)>) -> Vec<ChangedLines> {
    let mut groups: Vec<ChangedLines> = Vec::new();
    for (line, change) in lines {
        let Some(group) = groups.iter_mut().find(|group| group.change == change) else {
            groups.push(ChangedLines { lines: vec![(line, line)], change });
            continue;
        };
        match group.lines.last_mut() {
            Some((_, last)) if *last + 1 == line => *last = line,
            _ => group.lines.push((line, line)),
        }
    }
    groups.sort_by(|left, right| {
        let key =
            |group: &ChangedLines| (group.change.commit.is_none(), group.change.authored.clone());
        key(right).cmp(&key(left))
    });
    groups
}

/// Who last touched the file or directory at `path`; `content` is a file's content now.
pub fn changed_file(
    history: &History,
    path: &str,
    content: Option<&[u8]>,
) -> Result<ChangedFile, SourceError> {
    let touch = history.last_change(path)?.unwrap_or(Touch::Uncommitted);
    let modified = match content {
        Some(content) => touch != Touch::Uncommitted && !history.has(path, content)?,
        None => false,
    };
    Ok(ChangedFile { path: path.to_owned(), change: Change::from(&touch), modified })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(commit: Option<&str>, authored: &str) -> Change {
        Change {
            commit: commit.map(str::to_owned),
            author: None,
            authored: commit.map(|_| authored.to_owned()),
            subject: None,
            or_before: false,
        }
    }

    #[test]
    fn lines_of_one_commit_are_told_together() {
        let (old, new) = (change(Some("a"), "2020"), change(Some("b"), "2021"));
        let open = change(None, "");
        let lines = [&old, &old, &new, &open, &old];
        let groups = grouped((5..).zip(lines.into_iter().cloned()));
        let told: Vec<_> =
            groups.iter().map(|group| (&group.change, group.lines.as_slice())).collect();
        assert_eq!(told, [(&open, &[(8, 8)][..]), (&new, &[(7, 7)]), (&old, &[(5, 6), (9, 9)])]);
    }
}
