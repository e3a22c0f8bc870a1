//! What a policy repository must not hold: each refused with its path.

use std::os::unix::fs::symlink;

use steadfast::source::{Refusal, RefusalReason, Source, SourceError, SourceSettings};
use steadfast_policies::Repository;
use tempfile::TempDir;

use crate::origin::{Origin, write};
use crate::source;

fn settings(origin: &Origin) -> SourceSettings {
    let mut settings = SourceSettings::new(origin.url());
    settings.limits.max_blob_bytes = 1000;
    settings.limits.max_total_bytes = 5000;
    settings.limits.max_files = 20;
    settings
}

/// Fetches from a local repository, with small limits.
fn fetched(origin: &Origin) -> (Source, TempDir) {
    let scratch = tempfile::tempdir().unwrap();
    let source = source(settings(origin), scratch.path()).unwrap();
    source.fetch().unwrap();
    (source, scratch)
}

/// Why the current revision is refused.
fn refusals(origin: &Origin) -> Vec<Refusal> {
    let (source, _scratch) = fetched(origin);
    match source.revision(source.current().unwrap().unwrap()).map(|_| ()) {
        Err(SourceError::Refused(refusals)) => refusals,
        other => panic!("{other:?}"),
    }
}

fn pairs(refusals: &[Refusal]) -> Vec<(&str, RefusalReason)> {
    refusals.iter().map(|refusal| (refusal.path.as_str(), refusal.reason)).collect()
}

#[test]
fn links_and_submodules() {
    let (origin, first) = Origin::new();
    std::fs::create_dir(origin.work().join("files")).unwrap();
    symlink("/etc/shadow", origin.work().join("files/shadow")).unwrap();
    let cache_info = format!("160000,{first},policies/other");
    origin.git(&["add", "--all"]);
    origin.git(&["update-index", "--add", "--cacheinfo", &cache_info]);
    origin.git(&["commit", "--quiet", "--message=bad"]);
    assert_eq!(
        pairs(&refusals(&origin)),
        [
            ("files/shadow", RefusalReason::SymbolicLink),
            ("policies/other", RefusalReason::Submodule)
        ]
    );
}

#[test]
fn sizes_and_counts() {
    let (origin, _) = Origin::new();
    origin.commit(&[("big", &"x".repeat(1001))]);
    let reason = RefusalReason::TooLarge { size: 1001, limit: 1000 };
    assert_eq!(pairs(&refusals(&origin)), [("big", reason)]);

    let (origin, _) = Origin::new();
    for number in 0..6 {
        origin.commit(&[(&format!("{number}"), &"x".repeat(900))]);
    }
    let found = refusals(&origin);
    assert_eq!(pairs(&found), [("5", RefusalReason::TotalTooLarge { limit: 5000 })]);

    let (origin, _) = Origin::new();
    let names: Vec<String> = (10..31).map(|number| format!("a{number}")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    origin.commit(&files);
    assert_eq!(pairs(&refusals(&origin)), [("a30", RefusalReason::TooMany { limit: 20 })]);
}

#[test]
fn names_that_git_itself_would_not_write() {
    for (name, path, reason) in [
        (&b".."[..], "..", RefusalReason::Traversal),
        (b".", ".", RefusalReason::Traversal),
        (b"../../etc/passwd", "../../etc/passwd", RefusalReason::Traversal),
        (b"/etc/passwd", "/etc/passwd", RefusalReason::Traversal),
        (b".git", ".git", RefusalReason::GitDirectory),
        (b".GIT", ".GIT", RefusalReason::GitDirectory),
        (b"a\\b", "a\\b", RefusalReason::Character),
        (b"a\nb", "a\\nb", RefusalReason::Character),
        (b"a\x1b[2J", "a\\u{1b}[2J", RefusalReason::Character),
        (b"\xff", "\u{fffd}", RefusalReason::Encoding),
    ] {
        let origin = Origin::empty();
        let blob = origin.blob(b"x\n");
        let inner = origin.raw_tree(&[("100644", name, &blob)]);
        let root = origin.raw_tree(&[("40000", b"policies", &inner)]);
        origin.commit_tree(&root);
        let path = format!("policies/{path}");
        assert_eq!(pairs(&refusals(&origin)), [(path.as_str(), reason)]);
    }
}

#[test]
fn a_directory_by_a_bad_name_is_not_entered() {
    let origin = Origin::empty();
    let blob = origin.blob(b"x\n");
    let inner = origin.raw_tree(&[("100644", b"config", &blob)]);
    origin.commit_tree(&origin.raw_tree(&[("40000", b"..", &inner)]));
    assert_eq!(pairs(&refusals(&origin)), [("..", RefusalReason::Traversal)]);
}

#[test]
fn strange_modes_and_twins() {
    let origin = Origin::empty();
    let blob = origin.blob(b"x\n");
    let root = origin.raw_tree(&[
        ("100644", b"a", &blob),
        ("100755", b"a", &blob),
        ("100666", b"b", &blob),
        ("104755", b"c", &blob),
        ("100664", b"d", &blob),
    ]);
    origin.commit_tree(&root);
    let found = refusals(&origin);
    let expected =
        [("b", RefusalReason::Mode), ("c", RefusalReason::Mode), ("a", RefusalReason::Duplicate)];
    assert_eq!(pairs(&found), expected);
}

#[test]
fn a_tree_of_trees_that_explodes_ends_at_the_limit() {
    let origin = Origin::empty();
    let blob = origin.blob(b"x\n");
    let mut tree = origin.raw_tree(&[("100644", b"leaf", &blob)]);
    for _ in 0..30 {
        tree = origin.raw_tree(&[
            ("40000", b"a", &tree),
            ("40000", b"b", &tree),
            ("40000", b"c", &tree),
        ]);
    }
    origin.commit_tree(&tree);
    assert_eq!(refusals(&origin).len(), 1);
}

#[test]
fn many_refusals_are_told_in_one_line() {
    let (origin, _) = Origin::new();
    for number in 0..15 {
        symlink("x", origin.work().join(format!("link{number:02}"))).unwrap();
    }
    origin.commit(&[]);
    let (source, _scratch) = fetched(&origin);
    let error = source.revision(source.current().unwrap().unwrap()).map(|_| ()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("link00 is a symbolic link"), "{text}");
    assert!(text.ends_with("; and 5 more"), "{text}");
}

#[test]
fn the_directory_of_the_site() {
    let (origin, _) = Origin::new();
    origin.commit(&[("sites/web/site.toml", "[site]\n"), ("sites/web/b.toml", "")]);
    // Outside of the directory, a link harms nobody.
    symlink("x", origin.work().join("link")).unwrap();
    let id = origin.commit(&[]);
    let open = |path: &str| {
        let scratch = tempfile::tempdir().unwrap();
        let mut settings = settings(&origin);
        settings.path = path.to_owned();
        let source = source(settings, scratch.path())?;
        source.fetch()?;
        source.revision(id)
    };
    for path in ["sites/web", "./sites//web/"] {
        let revision = open(path).unwrap();
        assert_eq!(revision.paths().unwrap(), ["b.toml", "site.toml"]);
        assert_eq!(revision.read("site.toml").unwrap().unwrap(), b"[site]\n");
    }
    for path in ["sites/none", "site.toml", "sites/web/site.toml"] {
        let error = open(path).map(|_| ()).unwrap_err();
        assert!(matches!(error, SourceError::NoDirectory { .. }), "{error}");
    }
    for path in ["../x", "/etc", "sites/../.."] {
        let error = open(path).map(|_| ()).unwrap_err();
        assert!(matches!(error, SourceError::Refused(_)), "{error}");
    }
}

#[test]
fn executables_and_odd_names_are_kept() {
    use std::os::unix::fs::OpenOptionsExt;
    let (origin, _) = Origin::new();
    write(&origin.work().join("größe -x"), b"1");
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o755)
        .open(origin.work().join("run"))
        .unwrap();
    let id = origin.commit(&[]);
    let (source, _scratch) = fetched(&origin);
    let revision = source.revision(id).unwrap();
    assert_eq!(revision.paths().unwrap(), ["größe -x", "policies/motd.toml", "run", "site.toml"]);
    assert!(revision.executable("run").unwrap());
    assert!(!revision.executable("site.toml").unwrap());
    assert_eq!(revision.read("run").unwrap().unwrap(), b"");
}

#[test]
fn a_terminal_is_not_steered_by_a_commit() {
    let (origin, _) = Origin::new();
    origin.git(&[
        "-c",
        "user.name=x\u{1b}[31m",
        "commit",
        "--quiet",
        "--allow-empty",
        "--message=red\u{1b}[31m\u{7} text",
    ]);
    let (source, _scratch) = fetched(&origin);
    let revision = source.revision(source.current().unwrap().unwrap()).unwrap();
    assert_eq!(revision.information().subject, "red[31m text");
}
