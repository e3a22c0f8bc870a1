//! What is done to a host is told by the watcher: with fanotify, and with inotify where a container
//! forbids that.

#![expect(clippy::print_stderr, reason = "what was seen and how long it took is worth reading")]

use std::path::Path;
use std::time::Duration;

use steadfast_tests::host::{Suite, TestHost};

fn is_watched(suite: Suite, files: &str) {
    let program = Path::new(env!("CARGO_BIN_EXE_watch-trial"));
    let options = TestHost::options(suite).bind_read_only(program, "/usr/bin/watch-trial");
    let options = if files == "fanotify" { options.with_fanotify() } else { options };
    let host = options.boot();
    host.publish_all();
    // As a service: only what the host's own init starts is subject to what nspawn forbids.
    let service = ["systemd-run", "--quiet", "--wait", "--pipe", "--unit=watch-trial"];
    let trial = ["watch-trial", "--change-this-machine", files];
    let output =
        host.command(&[&service[..], &trial[..]].concat()).deadline(Duration::from_secs(300)).run();
    eprintln!("{output}");
    assert!(output.succeeded(), "{output}");
    assert!(output.stdout.contains("ok      a package upgraded"), "{output}");
    if files == "fanotify" {
        let told = |what: &str| {
            let line = output.stdout.lines().find(|line| line.contains(what));
            line.unwrap_or_default().to_owned()
        };
        // Transient units are called so. Of a writer that is gone at once less may be known.
        assert!(told("a writer that stays").contains("dash (pid "), "{output}");
        assert!(told("a writer that stays").contains("root, run-"), "{output}");
        assert!(told("a user made").contains("useradd (pid "), "{output}");
        assert!(told("a package upgraded").contains("dpkg (pid "), "{output}");
    }
}

#[test]
#[ignore = "boots a host"]
fn by_fanotify_on_debian_12() {
    is_watched(Suite::Bookworm, "fanotify");
}

#[test]
#[ignore = "boots a host"]
fn by_fanotify_on_debian_13() {
    is_watched(Suite::Trixie, "fanotify");
}

#[test]
#[ignore = "boots a host"]
fn by_inotify_on_debian_12() {
    is_watched(Suite::Bookworm, "inotify");
}

#[test]
#[ignore = "boots a host"]
fn by_inotify_on_debian_13() {
    is_watched(Suite::Trixie, "inotify");
}
