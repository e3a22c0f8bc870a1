//! Patches are taken by Git itself, to the byte.

use std::path::Path;
use std::process::Command;

use super::{FileChange, Mail};

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
