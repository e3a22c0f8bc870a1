//! Policies that people read: the fenced blocks of the documentation, put together to repositories.
//!
//! A block is marked by the second word of its info string:
//!
//! | mark | the file it is | with a path |
//! |---|---|---|
//! | `toml policy` | `policies/example.toml` (a second one in the section: `example-2.toml`) | `toml policy policies/nginx/policy.toml` |
//! | `toml site` | `site.toml` | |
//! | `toml data` | `data/common.toml` | `toml data data/role/web.toml` |
//! | `toml tests` | `tests/example.toml` | `toml tests tests/web.toml` |
//! | `LANGUAGE file` | | `jinja file policies/nginx/templates/site.conf` (always with one) |
//!
//! The blocks of a section (up to the next heading of the first or second level) are one repository.
//! In a document with the line `<!-- one repository -->` they are added to those of the sections
//! before, a path written again replaces the old file, and each section ends in a whole repository.
//! Where no block is `site.toml`, one is made that gives every host the policies that no module uses.
//!
//! What has no mark is only shown to the reader.

mod blocks;
mod judge;

use std::collections::BTreeMap;
use std::fmt::Write as _;

pub use blocks::{Block, blocks};
pub use judge::{Verdict, judge, program};

/// The line that makes a whole document one repository.
const ONE_REPOSITORY: &str = "<!-- one repository -->";

/// A policy repository that a document shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The heading of the section that it is whole with.
    pub section: String,
    /// The line of its last block in the document.
    pub line: usize,
    /// Path and content of each file.
    pub files: BTreeMap<String, String>,
}

/// The repositories that the Markdown text `document` shows.
pub fn repositories(document: &str) -> Vec<Shown> {
    let cumulative = document.lines().any(|line| line.trim() == ONE_REPOSITORY);
    let mut shown: Vec<Shown> = Vec::new();
    let mut files = BTreeMap::new();
    let mut section = String::new();
    let mut unnamed = 0;
    for block in blocks(document) {
        let Some(mark) = block.mark.as_deref() else { continue };
        let new = block.section != section || shown.is_empty();
        if new {
            section.clone_from(&block.section);
            unnamed = 0;
            if !cumulative {
                files.clear();
            }
        }
        let path = block.path.clone().unwrap_or_else(|| {
            unnamed += usize::from(mark == "policy");
            ordinary_path(mark, unnamed, block.line)
        });
        files.insert(path, block.text);
        let now = Shown { section: section.clone(), line: block.line, files: files.clone() };
        match shown.last_mut() {
            Some(last) if !new => *last = now,
            _ => shown.push(now),
        }
    }
    for shown in &mut shown {
        if !shown.files.contains_key("site.toml") {
            let site = ordinary_site(&shown.files);
            shown.files.insert("site.toml".to_owned(), site);
        }
    }
    shown
}

fn ordinary_path(mark: &str, count: usize, line: usize) -> String {
    match mark {
        "policy" if count < 2 => "policies/example.toml".to_owned(),
        "policy" => format!("policies/example-{count}.toml"),
        "site" => "site.toml".to_owned(),
        "data" => "data/common.toml".to_owned(),
        "tests" => "tests/example.toml".to_owned(),
        "file" => panic!("line {line}: a block marked `file` has to name its path"),
        other => panic!("line {line}: there is no mark `{other}`: see tests/src/documents/mod.rs"),
    }
}

/// A site that gives every host the policies that are not modules of others.
fn ordinary_site(files: &BTreeMap<String, String>) -> String {
    let all: String = files.values().map(String::as_str).collect();
    let names = files.keys().filter_map(|path| {
        let name = path.strip_prefix("policies/")?;
        let name = name.strip_suffix("/policy.toml").or_else(|| name.strip_suffix(".toml"))?;
        (!name.contains('/')).then_some(name)
    });
    let mut site =
        "[site]\ndata = [\"common\"]\n\n[[assign]]\nhosts = \"*\"\npolicies = [".to_owned();
    for name in names.filter(|name| !all.contains(&format!("source = \"{name}\""))) {
        let _ = write!(site, "\"{name}\", ");
    }
    site.push_str("]\n");
    site
}

#[cfg(test)]
mod tests {
    use super::repositories;

    fn paths(document: &str) -> Vec<(String, Vec<String>)> {
        let shown = repositories(document).into_iter();
        shown.map(|shown| (shown.section, shown.files.into_keys().collect())).collect()
    }

    const DOCUMENT: &str = "# Title\n```toml policy\na = 1\n```\n## One\n```toml policy\nb = 1\n```\n\
                            ```sh\nls\n```\n```toml policy\nc = 1\n```\n### Part\n\
                            ```jinja file policies/x/templates/t\n{{ x }}\n```\n## Two\n\
                            ```toml policy policies/x/policy.toml\n[module.m]\nsource = \"example\"\n```\n";

    #[test]
    fn a_section_is_a_repository() {
        let expected: &[(&str, &[&str])] = &[
            ("Title", &["policies/example.toml", "site.toml"]),
            (
                "One",
                &[
                    "policies/example-2.toml",
                    "policies/example.toml",
                    "policies/x/templates/t",
                    "site.toml",
                ],
            ),
            ("Two", &["policies/x/policy.toml", "site.toml"]),
        ];
        let expected: Vec<(String, Vec<String>)> = expected
            .iter()
            .map(|(section, files)| {
                (section.to_string(), files.iter().map(ToString::to_string).collect())
            })
            .collect();
        assert_eq!(paths(DOCUMENT), expected);
    }

    #[test]
    fn a_document_can_be_one_repository() {
        let shown = repositories(&format!("<!-- one repository -->\n{DOCUMENT}"));
        let last = shown.last().expect("a repository");
        assert_eq!(last.section, "Two");
        assert_eq!(last.files["policies/example.toml"], "b = 1\n");
        assert!(last.files["site.toml"].contains("policies = [\"example-2\", \"x\", ]"));
    }

    #[test]
    #[should_panic(expected = "line 1: there is no mark `polcy`")]
    fn a_mark_that_is_misspelt_is_told() {
        repositories("```toml polcy\n```\n");
    }
}
