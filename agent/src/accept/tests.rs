//! Patches are taken by Git itself, to the byte.

use std::path::Path;
use std::process::Command;

use steadfast_policies::{Inputs, Repository, RepositoryError, evaluate_recorded};
use steadfast_resources::Registry;
use steadfast_resources::host::files::FakeNodeKind;
use steadfast_resources::host::{FakeHost, Host};

use super::{FileChange, Ground, Mail, accept};

#[expect(clippy::disallowed_methods, reason = "git is the judge of what is made for it")]
fn git(directory: &Path, words: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
        .args(["-c", "core.autocrlf=false"])
        .args(words)
        .current_dir(directory)
        .output()
        .expect("git runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{words:?}: {said}{printed}");
    printed
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a scratch repository")]
fn git_am_brings_every_content_to_every_other() {
    let long = vec![7; 70_000];
    let contents: [&[u8]; 11] = [
        b"one\ntwo\nthree\n",
        b"one\nTWO\nthree",
        b"",
        b"only",
        "ü€ \u{1f600}\n\n\n".as_bytes(),
        b"From me\n-- \n---\ndiff --git a/x b/x\n",
        b"\0\x01\xff",
        b"not utf-8 \xfc\n",
        b"one\r\ntwo\r\n",
        "\u{feff}one\ntwo\rthree\n".as_bytes(),
        &long,
    ];
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    git(root, &["init", "--quiet", "--initial-branch=main"]);
    let mut changes = Vec::new();
    for (index, before) in contents.iter().enumerate() {
        for (other, after) in contents.iter().enumerate() {
            let path = format!("files/{index} to ü{other}\"");
            std::fs::create_dir_all(root.join("files")).unwrap();
            std::fs::write(root.join(&path), before).unwrap();
            if index != other {
                let (before, after) = (before.to_vec(), Some(after.to_vec()));
                changes.push(FileChange { path, executable: false, before, after });
            }
        }
    }
    for (index, before) in contents.iter().enumerate() {
        let path = format!("files/gone {index}");
        std::fs::write(root.join(&path), before).unwrap();
        changes.push(FileChange { path, executable: false, before: before.to_vec(), after: None });
    }
    git(root, &["add", "."]);
    git(root, &["commit", "--quiet", "--message=before"]);
    let mail = Mail {
        author: "Änne Example <anne@example.com>",
        date: "Wed, 25 Nov 2026 01:52:17 +0000",
        subject: "Accept file.\"/etc/motd\" as it is on web1\nForged: header",
        body: "- one\n- two\n",
        changes: &changes,
    };
    let patch = root.join("patch.mail");
    std::fs::write(&patch, mail.text()).unwrap();
    git(root, &["am", "--quiet", "patch.mail"]);
    for change in &changes {
        assert_eq!(std::fs::read(root.join(&change.path)).ok(), change.after, "{}", change.path);
    }
    git(root, &["diff", "--exit-code", "HEAD"]);
    let message = git(root, &["log", "-1", "--format=%an <%ae>%n%B"]);
    assert_eq!(
        message.trim(),
        "Änne Example <anne@example.com>\nAccept file.\"/etc/motd\" as it is on web1 Forged: \
         header\n\n- one\n- two"
    );
}

const SITE: &str = "[site]\n[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n";

const POLICY: &str =
    "[file.\"/srv/a\"]\ncontent = \"one\"\n\n[file.\"/srv/b\"]\ncontent = \"two\"\n";

struct Texts;

impl Repository for Texts {
    fn paths(&self) -> Result<Vec<String>, RepositoryError> {
        Ok(["policies/web.toml", "site.toml"].map(str::to_owned).into())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
        let text = match path {
            "policies/web.toml" => POLICY,
            "site.toml" => SITE,
            _ => return Ok(None),
        };
        Ok(Some(text.as_bytes().to_vec()))
    }

    fn executable(&self, _path: &str) -> Result<bool, RepositoryError> {
        Ok(false)
    }
}

/// A repository in which the word "mine" means another.
struct Spoiled<'a>(&'a dyn Repository);

impl Repository for Spoiled<'_> {
    fn paths(&self) -> Result<Vec<String>, RepositoryError> {
        self.0.paths()
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
        let content = self.0.read(path)?;
        let text = content.map(|content| String::from_utf8_lossy(&content).into_owned());
        Ok(text.map(|text| text.replace("mine", "yours").into_bytes()))
    }

    fn executable(&self, path: &str) -> Result<bool, RepositoryError> {
        self.0.executable(path)
    }
}

#[test]
fn no_patch_is_made_that_leaves_something_to_do() {
    let mut host = FakeHost::scene();
    host.files.put("/srv/a", FakeNodeKind::File(b"mine".to_vec()), 0o644);
    host.files.put("/srv/b", FakeNodeKind::File(b"other".to_vec()), 0o644);
    let inputs = Inputs {
        facts: serde_json::json!({ "hostname": "web1", "fqdn": "web1" }),
        ..Inputs::default()
    };
    let evaluate = |repository: &dyn Repository| {
        evaluate_recorded(&Spoiled(repository), &inputs, &Registry::standard())
    };
    let catalog = evaluate(&Texts).expect("a catalog");
    let ground =
        Ground { repository: &Texts, evaluate: &evaluate, view: host.view(), show_secrets: false };
    let acceptance = accept(&ground, &catalog, &[0, 1]).unwrap();
    let [refusal] = acceptance.refused.as_slice() else { panic!("{acceptance:?}") };
    assert_eq!(refusal.reference.title(), "/srv/a");
    assert!(refusal.reason.contains("still something to do"), "{refusal:?}");
    let [change] = acceptance.changes.as_slice() else { panic!("{acceptance:?}") };
    let expected = POLICY.replace("two", "other");
    assert_eq!(change.after.as_deref(), Some(expected.as_bytes()));
    let alone = accept(&ground, &catalog, &[0]).unwrap();
    assert!(alone.changes.is_empty() && alone.refused.len() == 1, "{alone:?}");
}
