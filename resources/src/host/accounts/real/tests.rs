//! The real port below a directory of its own, as whoever runs the tests.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use super::super::model::Ownership;
use super::lock::DatabaseLock;
use super::{RealAccounts, homes, paths};
use crate::failure::Failure;
use crate::host::accounts::{AccountChanges, AccountError, AccountView, NewGroup};
use crate::host::{HostOptions, RealHost};
use crate::user::trial::{apply_all, cases, declared, lacking};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAbcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ";

#[expect(clippy::disallowed_methods, reason = "tests set their scene by hand")]
fn put(root: &Path, path: &str, text: &str, mode: u32) {
    let place = root.join(path);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(&place, text).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(mode)).unwrap();
}

fn root() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    put(
        root,
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\n# kept\nwww-data:x:33:33::/var/www:/bin/sh\n+::::::\n",
        0o644,
    );
    put(root, "etc/shadow", "root:*:19000:0:99999:7:::\n", 0o640);
    put(root, "etc/group", "root:x:0:\nusers:x:100:\nwww-data:x:33:\n", 0o644);
    put(root, "etc/skel/.profile", "# profile\n", 0o644);
    put(root, "etc/skel/bin/tool", "#!/bin/sh\n", 0o755);
    symlink("bin/tool", root.join("etc/skel/tool")).unwrap();
    for shell in ["bash", "sh"] {
        put(root, &format!("usr/bin/{shell}"), "", 0o755);
    }
    put(root, "usr/sbin/nologin", "", 0o755);
    symlink("/usr/bin", root.join("bin")).unwrap();
    directory
}

fn host(root: &Path) -> RealHost {
    RealHost::new(&HostOptions { root: root.to_owned(), ..HostOptions::default() })
}

fn accounts(root: &Path) -> RealAccounts {
    RealAccounts::new(&HostOptions { root: root.to_owned(), ..HostOptions::default() })
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

#[test]
fn conformance_cases_converge_below_a_directory() {
    for text in [
        include_str!("../../../user/conformance.toml"),
        include_str!("../../../group/conformance.toml"),
    ] {
        for (case, policies) in cases(text) {
            let directory = root();
            for policy in policies {
                let resources = declared(&policy).unwrap();
                let failures = apply_all(&resources, &mut host(directory.path()));
                assert!(failures.is_empty(), "{case}: {failures:?}\n{policy}");
                let lacking = lacking(&resources, &host(directory.path()));
                assert_eq!(lacking, Vec::<String>::new(), "{case}\n{policy}");
            }
            let passwd = fs::read_to_string(directory.path().join("etc/passwd")).unwrap();
            assert!(passwd.contains("\n# kept\n") && passwd.ends_with("\n+::::::\n"), "{passwd}");
        }
    }
}

#[test]
fn databases_keep_their_modes_and_new_ones_are_private() {
    let directory = root();
    apply_all(&declared("[user.a]\npassword = \"*\"").unwrap(), &mut host(directory.path()));
    let mode =
        |name: &str| fs::metadata(directory.path().join("etc").join(name)).unwrap().mode() & 0o7777;
    assert_eq!((mode("passwd"), mode("shadow")), (0o644, 0o640));
    assert_eq!(mode("gshadow"), 0o600);
    assert!(!directory.path().join("etc/passwd+").exists());
    let empty = tempfile::tempdir().unwrap();
    let failures = apply_all(&declared("[user.a]").unwrap(), &mut host(empty.path()));
    assert!(failures.is_empty(), "{failures:?}");
    assert!(fs::read_to_string(empty.path().join("etc/passwd")).unwrap().starts_with("a:x:1000:"));
}

#[test]
fn a_home_is_made_from_the_skeleton() {
    let directory = root();
    put(directory.path(), "etc/login.defs", "HOME_MODE 0750\n", 0o644);
    let policy = declared("[user.a]\nhome = \"/srv/homes/a\"\nmanage_home = true").unwrap();
    assert!(apply_all(&policy, &mut host(directory.path())).is_empty());
    let home = directory.path().join("srv/homes/a");
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().mode() & 0o7777;
    assert_eq!(mode(&home), 0o750);
    assert_eq!(mode(home.parent().unwrap()), 0o755);
    assert_eq!(mode(&home.join("bin/tool")), 0o755);
    assert_eq!(fs::read_link(home.join("tool")).unwrap(), Path::new("bin/tool"));
    assert_eq!(fs::read_dir(home.parent().unwrap()).unwrap().count(), 1, "a candidate was left");
}

#[test]
fn a_candidate_left_by_a_crash_is_replaced() {
    let directory = root();
    apply_all(&declared("[user.a]").unwrap(), &mut host(directory.path()));
    put(directory.path(), "home/.a.steadfast-new/deep/old", "", 0o644);
    let policy = declared("[user.a]\nmanage_home = true").unwrap();
    assert!(apply_all(&policy, &mut host(directory.path())).is_empty());
    assert!(!directory.path().join("home/.a.steadfast-new").exists());
    assert!(!directory.path().join("home/a/deep").exists());
}

#[test]
fn keys_are_private_and_links_are_not_followed() {
    let directory = root();
    let root = directory.path();
    let policy =
        declared(&format!("[user.a]\nmanage_home = true\nssh_authorized_keys = [\"{KEY}\"]"))
            .unwrap();
    assert!(apply_all(&policy, &mut host(root)).is_empty());
    let ssh = root.join("home/a/.ssh");
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!((mode(&ssh), mode(&ssh.join("authorized_keys"))), (0o700, 0o600));
    // The file becomes a link, then the directory.
    put(root, "outside/authorized_keys", "untouched\n", 0o644);
    fs::remove_file(ssh.join("authorized_keys")).unwrap();
    symlink("../../../outside/authorized_keys", ssh.join("authorized_keys")).unwrap();
    let failures = apply_all(&policy, &mut host(root));
    assert!(failures[0].reason.contains("is a symbolic link"), "{failures:?}");
    fs::remove_file(ssh.join("authorized_keys")).unwrap();
    fs::remove_dir(&ssh).unwrap();
    symlink("../../outside", &ssh).unwrap();
    let failures = apply_all(&policy, &mut host(root));
    assert!(failures[0].reason.contains("is a symbolic link"), "{failures:?}");
    let outside = fs::read_to_string(root.join("outside/authorized_keys")).unwrap();
    assert_eq!(outside, "untouched\n");
}

#[test]
fn removal_takes_links_and_not_what_they_point_to() {
    let directory = root();
    let root = directory.path();
    apply_all(&declared("[user.a]\nmanage_home = true").unwrap(), &mut host(root));
    put(root, "outside/file", "untouched\n", 0o644);
    put(root, "home/a/deep/er/file", "", 0o400);
    symlink(root.join("outside"), root.join("home/a/deep/link")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        root.join("home/a/fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    // A user's own files; only root can have given them away.
    if rustix::process::geteuid().is_root() {
        let to = Ownership { uid: 1000, gid: 1000 };
        let home = root.join("home/a");
        std::os::unix::fs::lchown(home.join("deep/link"), Some(0), Some(0)).unwrap();
        homes::reown(root, "/home/a", Ownership { uid: 0, gid: 0 }, to, soon()).unwrap();
        assert_eq!(fs::metadata(home.join("deep/er/file")).unwrap().uid(), 1000);
        assert_eq!(fs::symlink_metadata(home.join("deep/link")).unwrap().uid(), 1000);
        assert_eq!(fs::metadata(root.join("outside/file")).unwrap().uid(), 0);
    }
    let policy = declared("[user.a]\nensure = \"absent\"\nmanage_home = true").unwrap();
    let failures: Vec<Failure> = apply_all(&policy, &mut host(root));
    assert!(failures.is_empty(), "{failures:?}");
    assert!(!root.join("home/a").exists());
    assert_eq!(fs::read_to_string(root.join("outside/file")).unwrap(), "untouched\n");
}

#[test]
fn a_link_in_a_directory_that_others_can_write_stops_the_way() {
    let directory = root();
    let root = directory.path();
    put(root, "srv/homes/x", "", 0o644);
    symlink("/srv/homes", root.join("home")).unwrap();
    // Ours, in a directory of ours: followed, inside the root.
    let place = paths::entry(root, "/home/a", false).unwrap();
    assert!(paths::status(&place.parent, "x").unwrap().is_some());
    // In a directory that anyone can write: not followed.
    put(root, "open/x", "", 0o644);
    symlink("/srv/homes", root.join("open/link")).unwrap();
    #[expect(clippy::disallowed_methods, reason = "tests set their scene by hand")]
    fs::set_permissions(root.join("open"), fs::Permissions::from_mode(0o777)).unwrap();
    let error = paths::entry(root, "/open/link/a", true).unwrap_err();
    let AccountError::PlantedLink { path } = error else { panic!("{error}") };
    assert_eq!(path, Path::new("/open/link"));
    // Never out of the root.
    let place = paths::entry(root, "/../../home/../../srv/homes/a", false).unwrap();
    assert!(paths::status(&place.parent, "x").unwrap().is_some());
}

#[test]
fn a_held_lock_is_waited_for_until_the_deadline() {
    let directory = root();
    let etc = fs::File::open(directory.path().join("etc")).unwrap();
    let held = DatabaseLock::acquire(&etc, directory.path(), soon()).unwrap();
    let mut accounts = accounts(directory.path());
    let group = NewGroup { name: "a".into(), gid: None, system: false };
    let error =
        accounts.create_group(&group, Instant::now() + Duration::from_millis(120)).unwrap_err();
    assert!(matches!(error, AccountError::Locked { .. }), "{error}");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || {
            let mut accounts = super::tests::accounts(directory.path());
            accounts.create_group(&group, soon()).unwrap();
            accounts.group("a").unwrap().map(|group| group.gid)
        });
        drop(held);
        assert_eq!(waiting.join().unwrap(), Some(1000));
    });
}

#[test]
fn the_running_machine_answers_from_files_and_name_service() {
    let accounts = accounts(Path::new("/"));
    assert_eq!(accounts.user_id("root").unwrap(), Some(0));
    assert_eq!(accounts.group_name(0).unwrap().as_deref(), Some("root"));
    assert_eq!(accounts.user_id("sf-never-there").unwrap(), None);
    assert_eq!(accounts.group_id("sf-never-there").unwrap(), None);
    assert_eq!(accounts.user_name(4_000_000_001).unwrap(), None);
    assert_eq!(accounts.group_name(4_000_000_001).unwrap(), None);
    let own = rustix::process::geteuid().as_raw();
    let processes = accounts.processes(own).unwrap();
    let this = std::process::id().cast_signed();
    assert!(processes.iter().all(|process| process.pid != this));
}

#[test]
fn the_user_s_identity_ends_with_the_work() {
    use super::identity::as_user;
    let directory = root();
    let secret = directory.path().join("etc/shadow");
    let read = as_user(Ownership { uid: 54_321, gid: 54_321 }, || fs::read(&secret));
    assert_eq!(read.is_err(), rustix::process::geteuid().is_root());
    assert!(fs::read(&secret).is_ok());
}

#[test]
fn foreign_bytes_and_the_mode_of_keys_survive() {
    let directory = root();
    let root = directory.path();
    assert!(
        apply_all(&declared("[user.a]\nmanage_home = true").unwrap(), &mut host(root)).is_empty()
    );
    let path = root.join("home/a/.ssh/authorized_keys");
    let policy = declared(&format!("[user.a]\nssh_authorized_keys = [\"{KEY}\"]")).unwrap();
    for (before, after) in [(0o644, 0o644), (0o600, 0o600), (0o664, 0o600)] {
        put(root, "home/a/.ssh/authorized_keys", "", before);
        if rustix::process::geteuid().is_root() {
            for place in [path.as_path(), path.parent().unwrap()] {
                std::os::unix::fs::lchown(place, Some(1000), Some(1000)).unwrap();
            }
        }
        #[expect(clippy::disallowed_methods, reason = "tests set their scene by hand")]
        fs::write(&path, b"# M\xfcller").unwrap();
        let failures = apply_all(&policy, &mut host(root));
        assert!(failures.is_empty(), "{failures:?}");
        let expected = [b"# M\xfcller\n", KEY.as_bytes(), b"\n"].concat();
        assert_eq!(fs::read(&path).unwrap(), expected);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, after);
    }
}

#[test]
#[ignore = "needs root"]
fn a_foreign_file_linked_into_a_home_keeps_its_group() {
    assert!(rustix::process::geteuid().is_root(), "run as root");
    let directory = root();
    let root = directory.path();
    for (path, uid) in [("outside/foreign", 5), ("home/a/own", 1500), ("home/a/alone", 5)] {
        put(root, path, "", 0o644);
        std::os::unix::fs::lchown(root.join(path), Some(uid), Some(100)).unwrap();
    }
    fs::hard_link(root.join("outside/foreign"), root.join("home/a/linked")).unwrap();
    let (from, to) = (Ownership { uid: 1500, gid: 100 }, Ownership { uid: 1500, gid: 200 });
    homes::reown(root, "/home/a", from, to, soon()).unwrap();
    let group = |path: &str| fs::metadata(root.join(path)).unwrap().gid();
    assert_eq!(
        (group("outside/foreign"), group("home/a/own"), group("home/a/alone")),
        (100, 200, 200)
    );
}
