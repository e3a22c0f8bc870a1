//! What people copy from: the example repositories, and the marked blocks of the documentation. Each
//! validates without a warning, gives a host its catalog, and passes its own tests. How blocks are
//! marked is said in `steadfast_tests::documents`.

#![expect(
    clippy::disallowed_methods,
    reason = "the program is looked at from outside its own doors"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use steadfast_tests::documents::{blocks, judge, repositories};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a directory of the repository");
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Every Markdown file below `docs/`, and those of the examples.
fn documents() -> Vec<PathBuf> {
    let examples = entries(&repository().join("policies/examples")).into_iter();
    let all = entries(&repository().join("docs")).into_iter();
    all.chain(examples.map(|example| example.join("README.md")))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_example_repository_is_sound_and_passes_its_tests() {
    let mut complaints = String::new();
    let examples = entries(&repository().join("policies/examples"));
    assert!(examples.len() >= 4, "the examples are gone: {examples:?}");
    for example in examples {
        assert!(example.join("README.md").is_file(), "{}: no README.md", example.display());
        assert!(example.join("tests").is_dir(), "{}: no tests", example.display());
        if let Some(complaint) = judge(&example).complaint() {
            let _ = writeln!(complaints, "{}: {complaint}", example.display());
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}

#[test]
fn every_marked_block_of_the_documentation_is_sound() {
    let mut complaints = String::new();
    let mut count = 0;
    for document in documents() {
        for shown in repositories(&text(&document)) {
            count += 1;
            let directory = tempfile::tempdir().expect("a temporary directory");
            for (path, content) in &shown.files {
                let path = directory.path().join(path);
                std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))
                    .expect("a directory");
                std::fs::write(path, content).expect("a file");
            }
            if let Some(complaint) = judge(directory.path()).complaint() {
                let (name, line) = (document.display(), shown.line);
                let _ = writeln!(complaints, "{name}:{line}: {}: {complaint}", shown.section);
            }
        }
    }
    assert!(count >= 30, "only {count} repositories were found: have the marks changed?");
    assert!(complaints.is_empty(), "{complaints}");
}

/// A link to a file of this repository leads to one.
#[test]
fn every_link_between_documents_leads_somewhere() {
    let link = regex::Regex::new(r"\]\(([^)#:]+)(#[^)]*)?\)").expect("a pattern");
    let mut broken = String::new();
    for document in documents() {
        let whole = text(&document);
        let shown: Vec<String> = blocks(&whole).into_iter().map(|block| block.text).collect();
        let prose = shown.iter().fold(whole.clone(), |prose, block| prose.replace(block, ""));
        for found in link.captures_iter(&prose) {
            let target = document.parent().unwrap_or(Path::new("/")).join(&found[1]);
            if !target.exists() {
                let _ = writeln!(broken, "{}: {}", document.display(), &found[1]);
            }
        }
    }
    assert!(broken.is_empty(), "{broken}");
}

/// What an audit would have created is not missing to what would have been put there.
#[test]
fn a_file_in_a_directory_that_is_only_reported_is_drift() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (host, policy) = (directory.path().join("host"), directory.path().join("audit.toml"));
    std::fs::create_dir(&host).expect("a directory");
    let text = "[defaults.file]\nenforce = false\n[file.\"/srv\"]\nensure = \"directory\"\n\
                [file.\"/srv/x\"]\ncontent = \"x\"\n";
    std::fs::write(&policy, text).expect("a file");
    let output = std::process::Command::new(steadfast_tests::documents::program())
        .args(["apply", "--json", "--config-dir"])
        .arg(directory.path())
        .arg("--root")
        .args([&host, &policy])
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(!host.join("srv").exists());
}
