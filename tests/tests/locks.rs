//! Who keeps a command away from a host: another one that changes it, and nobody without the right.

#![expect(
    clippy::disallowed_methods,
    reason = "the program is looked at from outside its own doors"
)]

use std::fs::{File, Metadata};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;
use std::process::{Command, Output};

use steadfast_tests::documents::program;

fn run(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(program())
        .args(["--config-dir", "settings"])
        .args(arguments)
        .args(["--root", "root"])
        .current_dir(directory)
        .env("NO_COLOR", "1")
        .output()
        .expect("the program runs")
}

/// The lock that a run on this root takes; `None` where this user has no place for one.
fn root_lock(root: &Metadata, user: u32) -> Option<File> {
    let place = if user == 0 { "/run".to_owned() } else { format!("/run/user/{user}") };
    let directory = Path::new(&place).join("steadfast");
    if !directory.exists() {
        std::fs::DirBuilder::new().mode(0o700).create(&directory).ok()?;
    }
    File::create(directory.join(format!("root-{}-{}.lock", root.dev(), root.ino()))).ok()
}

#[test]
fn commands_that_change_a_host_exclude_each_other_and_nobody_else_can() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let directory = scratch.path();
    for path in ["root/etc", "settings"] {
        std::fs::create_dir_all(directory.join(path)).expect("a directory");
    }
    let policy = |content: &str| {
        let text = format!("[file.\"/etc/x\"]\ncontent = \"{content}\"\n");
        std::fs::write(directory.join("policy.toml"), text).expect("a policy");
    };
    let apply = ["apply", "policy.toml"];
    let elsewhere = ["--state-dir", "other", "apply", "policy.toml"];
    let restore = ["restore", "/etc/x"];

    // Every local user can do this.
    let root = File::open(directory.join("root")).expect("the root");
    root.try_lock().expect("a lock on the root itself");
    for content in ["one", "two"] {
        policy(content);
        let output = run(directory, &apply);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }

    let user = directory.metadata().expect("its owner").uid();
    let Some(lock) = root_lock(&root.metadata().expect("the root"), user) else { return };
    lock.try_lock().expect("the lock of a run");
    for command in [&apply[..], &elsewhere, &restore] {
        let output = run(directory, command);
        assert_eq!(output.status.code(), Some(4), "{command:?}: {output:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("another run is at work on"), "{told}");
    }
    drop(lock);
    for command in [&restore[..], &elsewhere] {
        let output = run(directory, command);
        assert_eq!(output.status.code(), Some(0), "{command:?}: {output:?}");
    }
    assert_eq!(std::fs::read(directory.join("root/etc/x")).expect("the file"), b"two");
}
