//! Who touched what: the same answers as Git's own, and the truth about where history ends.

use std::fmt::Write;
use std::time::{Duration, Instant};

use steadfast::source::{History, NoHistory, RevisionId, Source, SourceSettings, Touch, Transfer};
use tempfile::TempDir;

use crate::origin::{Origin, git, write};

/// The source with this URL, with a copy of its own.
fn fetched(url: &str, depth: u32) -> (TempDir, Source, RevisionId) {
    let directory = tempfile::tempdir().unwrap();
    let settings = SourceSettings { depth, ..SourceSettings::new(url) };
    let store = directory.path().join("copy");
    let source = Source::open_with(settings, &store, Transfer::InProcess).unwrap();
    let revision = source.fetch().unwrap().revision;
    (directory, source, revision)
}

/// What `git blame` says about each line of a file at `main`.
fn blamed(origin: &Origin, path: &str) -> Vec<String> {
    let text = origin.git(&["blame", "--line-porcelain", "main", "--", path]);
    let is_id = |word: &str| word.len() == 40 && word.bytes().all(|b| b.is_ascii_hexdigit());
    text.lines()
        .filter(|line| !line.starts_with('\t'))
        .filter_map(|line| line.split(' ').next().filter(|word| is_id(word)))
        .map(str::to_owned)
        .collect()
}

fn id(touch: &Touch) -> String {
    match touch {
        Touch::Commit(commit) => commit.id.to_string(),
        Touch::AtOrBefore(commit) => format!("<= {}", commit.id),
        Touch::Uncommitted => "uncommitted".to_owned(),
    }
}

fn touched(history: &History, path: &str, content: &str) -> Vec<String> {
    let lines: Vec<u32> = (1..).zip(content.lines()).map(|(number, _)| number).collect();
    let touches = history.lines(path, content.as_bytes(), &lines).unwrap();
    touches.iter().map(id).collect()
}

fn show(origin: &Origin, path: &str) -> String {
    origin.git(&["show", &format!("main:{path}")])
}

/// A history with insertions, deletions, moves of a file, a branch, and a merge that has lines of
/// both sides and of its own.
fn eventful() -> Origin {
    let (origin, _) = Origin::new();
    let file = "policies/web.toml";
    origin.commit(&[(file, "one\ntwo\nthree\nfour\nfive\n")]);
    origin.commit(&[(file, "zero\none\ntwo\nTHREE\nfour\nfive\n")]);
    origin.git(&["checkout", "--quiet", "-b", "side"]);
    origin.commit(&[(file, "zero\none\ntwo\nTHREE\nfour\nfive\nsix from the side\n")]);
    origin.git(&["checkout", "--quiet", "main"]);
    origin.commit(&[(file, "ZERO\none\nTHREE\nfour\nfive\n"), ("other", "x\n")]);
    origin.git(&["merge", "--quiet", "--no-commit", "side"]);
    origin.commit(&[(file, "ZERO\none\nof the merge\nTHREE\nfour\nfive\nsix from the side\n")]);
    origin.git(&["mv", file, "policies/renamed.toml"]);
    origin.commit(&[("other", "y\n")]);
    origin.commit(&[("policies/renamed.toml", &(show_file(&origin) + "seven\n"))]);
    origin
}

fn show_file(origin: &Origin) -> String {
    std::fs::read_to_string(origin.work().join("policies/renamed.toml")).unwrap()
}

#[test]
fn lines_are_given_to_the_commits_that_git_gives_them_to() {
    let origin = eventful();
    let (_copy, source, revision) = fetched(&origin.url(), 0);
    let history = source.history(revision).unwrap();
    for path in ["policies/renamed.toml", "site.toml", "other"] {
        let content = show(&origin, path) + "\n";
        let expected = blamed(&origin, path);
        assert_eq!(touched(&history, path, &content), expected, "{path}\n{content}");
        assert!(!expected.is_empty(), "{path}");
    }
}

#[test]
fn the_last_change_of_a_file_or_directory_is_found() {
    let origin = eventful();
    let (_copy, source, revision) = fetched(&origin.url(), 0);
    let history = source.history(revision).unwrap();
    for path in ["policies/renamed.toml", "site.toml", "other", "policies"] {
        let expected = origin.git(&["log", "-1", "--format=%H", "main", "--", path]);
        let found = history.last_change(path).unwrap().unwrap();
        assert_eq!(id(&found), expected, "{path}");
    }
    assert_eq!(history.last_change("policies/none").unwrap(), None);
    assert_eq!(history.last_change("site.toml/none").unwrap(), None);
    assert!(history.has("other", b"y\n").unwrap());
    assert!(!history.has("other", b"z\n").unwrap());
    assert!(!history.has("none", b"").unwrap());
}

#[test]
fn authors_and_dates_are_told() {
    let (origin, _) = Origin::new();
    let (_copy, source, revision) = fetched(&origin.url(), 0);
    let touch = source.history(revision).unwrap().last_change("site.toml").unwrap().unwrap();
    let Touch::Commit(commit) = touch else { panic!("{touch:?}") };
    assert_eq!(commit.author, "Ada <ada@example.com>");
    let time = origin.git(&["log", "-1", "--format=%at", "main"]);
    assert_eq!(commit.authored.to_string(), time);
}

/// A shallow clone made by Git stands for the agent's copy of a server's repository.
fn shallow_clone(origin: &Origin, depth: u32) -> TempDir {
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", origin.bare().display());
    let (depth, target) = (format!("--depth={depth}"), clone.path().join("clone"));
    git(&[], &["clone", "--quiet", &depth, &url, target.to_str().unwrap()]);
    clone
}

#[test]
fn where_history_was_cut_nobody_is_blamed_for_all_before() {
    let (origin, _) = Origin::new();
    origin.commit(&[("site.toml", "[site]\nold\n")]);
    let second = origin.commit(&[("unrelated", "1\n")]);
    let third = origin.commit(&[("site.toml", "[site]\nold\nnew\n")]);
    let clone = shallow_clone(&origin, 2);
    let history = History::of_directory(&clone.path().join("clone")).unwrap();
    let end = format!("<= {second}");
    assert_eq!(
        touched(&history, "site.toml", "[site]\nold\nnew\n"),
        [end.clone(), end.clone(), third.to_string()]
    );
    let motd = history.last_change("policies/motd.toml").unwrap().unwrap();
    assert_eq!(id(&motd), end);
    assert_eq!(id(&history.last_change("site.toml").unwrap().unwrap()), third.to_string());
}

#[test]
fn what_is_not_committed_is_said_to_be_so() {
    let (origin, first) = Origin::new();
    let clone = shallow_clone(&origin, 10);
    let path = clone.path().join("clone");
    let history = History::of_directory(&path).unwrap();
    let first = first.to_string();
    assert_eq!(
        touched(&history, "site.toml", "# mine\n[site]\n"),
        ["uncommitted".to_owned(), first.clone()]
    );
    assert_eq!(touched(&history, "policies/new.toml", "x\n"), ["uncommitted"]);
    // Below the top of the work tree paths mean the same.
    let below = History::of_directory(&path.join("policies")).unwrap();
    assert_eq!(touched(&below, "motd.toml", "# motd\n"), [first]);
}

#[test]
fn without_a_repository_there_is_no_history() {
    let directory = tempfile::tempdir().unwrap();
    write(&directory.path().join("site.toml"), b"[site]\n");
    let opened = || History::of_directory(directory.path());
    assert_eq!(opened().err(), Some(NoHistory::Unversioned));
    git(&[], &["init", "--quiet", directory.path().to_str().unwrap()]);
    assert_eq!(opened().err(), Some(NoHistory::NoCommit));
}

/// A thousand commits, each of which changes another line of one file, and one line of it that
/// only the first commit wrote.
#[test]
fn a_thousand_commits_are_looked_through_in_no_time() {
    let (origin, first) = Origin::new();
    let mut stream = String::new();
    for number in 1..=1000 {
        let mut content = "[site]\n".to_owned();
        for line in 0..100 {
            let _ = writeln!(content, "line {line} by {}", (number - line) / 100);
        }
        let _ = write!(
            stream,
            "commit refs/heads/main\ncommitter Ada <ada@example.com> {} +0000\ndata 1\nx\n",
            1_800_000_000 + number
        );
        if number == 1 {
            let _ = writeln!(stream, "from {first}");
        }
        let _ = write!(stream, "M 100644 inline site.toml\ndata {}\n{content}\n", content.len());
    }
    origin.git_with_input(&["fast-import", "--quiet", "--force"], stream.as_bytes());
    let (_copy, source, revision) = fetched(&origin.url(), 0);
    let history = source.history(revision).unwrap();
    let content = show(&origin, "site.toml") + "\n";
    let begin = Instant::now();
    let found = touched(&history, "site.toml", &content);
    let took = begin.elapsed();
    assert_eq!(found.first(), Some(&first.to_string()));
    assert_eq!(found, blamed(&origin, "site.toml"));
    // A debug build on a busy machine; a release build takes a small part of this.
    assert!(took < Duration::from_secs(5), "{took:?}");
    let begin = Instant::now();
    history.last_change("policies/motd.toml").unwrap().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}
