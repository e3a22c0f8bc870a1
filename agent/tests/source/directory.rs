//! A plain directory as a policy repository.

use std::os::unix::fs::symlink;
use std::path::Path;

use steadfast::source::{
    DirectoryIdentity, Limits, Refusal, RefusalReason, SourceError, WorkingDirectory,
};
use steadfast_policies::Repository;

use crate::origin::{git, write};

fn open(path: &Path) -> Result<WorkingDirectory, SourceError> {
    WorkingDirectory::open(path, &Limits { max_blob_bytes: 1000, ..Limits::default() })
}

fn refusals(path: &Path) -> Vec<(String, RefusalReason)> {
    match open(path) {
        Err(SourceError::Refused(refusals)) => {
            let mut pairs: Vec<(String, RefusalReason)> =
                refusals.into_iter().map(|Refusal { path, reason }| (path, reason)).collect();
            pairs.sort_by(|left, right| left.0.cmp(&right.0));
            pairs
        }
        other => panic!("{:?}", other.map(|_| ())),
    }
}

#[test]
fn files_are_listed_and_read() {
    let directory = tempfile::tempdir().unwrap();
    write(&directory.path().join("site.toml"), b"[site]\n");
    write(&directory.path().join("policies/a.b/x"), b"1");
    write(&directory.path().join("policies/a/x"), b"2");
    write(&directory.path().join(".git/config"), b"not ours");
    let opened = open(directory.path()).unwrap();
    assert_eq!(opened.paths().unwrap(), ["policies/a.b/x", "policies/a/x", "site.toml"]);
    assert_eq!(opened.read("policies/a/x").unwrap().unwrap(), b"2");
    for nothing in ["policies", "none", "../x", "/etc/passwd", ".git/config", ""] {
        assert_eq!(opened.read(nothing).unwrap(), None, "{nothing}");
    }
    assert_eq!(opened.identity(), DirectoryIdentity::Unversioned);
}

#[test]
fn what_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    write(&path.join("site.toml"), b"");
    write(&path.join("big"), &[b'x'; 1001]);
    write(&path.join("nested/.git/HEAD"), b"");
    write(&path.join("back\\slash"), b"");
    symlink("/etc", path.join("link")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path.join("fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let expected = [
        ("back\\slash", RefusalReason::Character),
        ("big", RefusalReason::TooLarge { size: 1001, limit: 1000 }),
        ("fifo", RefusalReason::SpecialFile),
        ("link", RefusalReason::SymbolicLink),
        ("nested/.git", RefusalReason::GitDirectory),
    ]
    .map(|(path, reason)| (path.to_owned(), reason));
    assert_eq!(refusals(path), expected);
}

#[test]
fn what_changes_while_it_is_read_is_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let secret = tempfile::tempdir().unwrap();
    write(&secret.path().join("x"), b"secret");
    write(&path.join("a/x"), b"harmless");
    write(&path.join("b"), b"harmless");
    write(&path.join("c"), b"harmless");
    let opened = open(path).unwrap();
    std::fs::rename(path.join("a"), path.join("elsewhere")).unwrap();
    symlink(secret.path(), path.join("a")).unwrap();
    assert!(opened.read("a/x").is_err());
    std::fs::remove_file(path.join("b")).unwrap();
    symlink(secret.path().join("x"), path.join("b")).unwrap();
    assert!(opened.read("b").is_err());
    std::fs::remove_file(path.join("c")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path.join("c"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    assert!(opened.read("c").is_err());
}

#[test]
fn a_directory_that_is_none() {
    let scratch = tempfile::tempdir().unwrap();
    for path in [&*scratch.path().join("missing"), Path::new("/etc/passwd")] {
        let error = open(path).map(|_| ()).unwrap_err();
        assert!(matches!(error, SourceError::ReadDirectory { .. }), "{error}");
    }
}

/// Whether the directory counts as changed since its commit.
fn modified(path: &Path) -> Option<bool> {
    match open(path).unwrap().identity() {
        DirectoryIdentity::Git { modified, .. } => modified,
        DirectoryIdentity::Unversioned => panic!("it is under version control"),
    }
}

#[test]
fn the_commit_of_a_work_tree_is_told_and_whether_it_was_left() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let text = path.to_str().unwrap();
    git(&[], &["init", "--quiet", text]);
    assert_eq!(
        open(path).unwrap().identity(),
        DirectoryIdentity::Git { head: None, modified: Some(true) }
    );
    write(&path.join("site.toml"), b"one");
    write(&path.join("sub/x"), b"x");
    git(&[], &["-C", text, "add", "--all"]);
    git(&[], &["-C", text, "commit", "--quiet", "--message=first"]);
    let id = git(&[], &["-C", text, "rev-parse", "HEAD"]);
    let DirectoryIdentity::Git { head: Some(head), modified: Some(false) } =
        open(path).unwrap().identity()
    else {
        panic!("{:?}", open(path).unwrap().identity())
    };
    assert_eq!((head.id.to_string(), head.subject.as_str()), (id, "first"));
    assert_eq!(modified(&path.join("sub")), Some(false));

    // Same size, within the same instant.
    write(&path.join("site.toml"), b"two");
    assert_eq!(modified(path), Some(true));
    assert_eq!(modified(&path.join("sub")), Some(false));
    write(&path.join("site.toml"), b"one");
    assert_eq!(modified(path), Some(false));
    write(&path.join("untracked"), b"");
    assert_eq!(modified(path), Some(true));
    std::fs::remove_file(path.join("untracked")).unwrap();
    std::fs::remove_file(path.join("sub/x")).unwrap();
    assert_eq!(modified(path), Some(true));
}
