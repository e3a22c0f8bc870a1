//! What the kind does to a fake machine.

use std::collections::HashMap;

use super::*;
use crate::host::accounts::AccountChanges;
use crate::host::command::{CommandError, Commands, Output, Request};
use crate::host::files::{FakeNodeKind, FileChanges, FileType};
use crate::host::packages::PackageChanges;
use crate::host::services::ServiceChanges;
use crate::host::{FakeHost, View};
use crate::pending::Provision;
use crate::step::Shown;

fn content(host: &FakeHost, path: &str) -> String {
    match &host.files.get(path).unwrap_or_else(|| panic!("no {path}")).kind {
        FakeNodeKind::File(content) => String::from_utf8_lossy(content).into_owned(),
        other => panic!("{other:?}"),
    }
}

fn mode(host: &FakeHost, path: &str) -> u16 {
    host.files.get(path).unwrap().mode.bits()
}

fn file(content: &str) -> FakeNodeKind {
    FakeNodeKind::File(content.as_bytes().to_vec())
}

fn failure(wanted: &Wanted, host: &FakeHost) -> Failure {
    plan(wanted, host).expect_err("a failure")
}

#[test]
fn only_declared_properties_change() {
    let mut host = FakeHost::scene();
    let node = host.files.put("/etc/kept", file("old\n"), 0o4751);
    (node.uid, node.gid) = (1000, 1001);
    node.attributes.insert("user.note".into(), b"kept".to_vec());
    let wanted = wish("/etc/kept", vec![("content", text("new\n"))]);
    let mut bucket = Kept::default();
    assert_eq!(settle(&wanted, &mut host, &mut bucket), 1);
    let node = host.files.get("/etc/kept").unwrap();
    assert_eq!((node.uid, node.gid, node.mode.bits()), (1000, 1001, 0o4751));
    assert_eq!(node.attributes["user.note"], b"kept");
    assert_eq!(bucket.contents, [("/etc/kept".to_owned(), b"old\n".to_vec())]);
    assert_eq!(bucket.flushed, 1, "durable before the change");
}

#[test]
fn backup_false_keeps_nothing() {
    let mut host = FakeHost::scene();
    host.files.put("/etc/x", file("old\n"), 0o644);
    let wanted =
        wish("/etc/x", vec![("content", text("new\n")), ("backup", Value::Boolean(false))]);
    let mut bucket = Kept::default();
    settle(&wanted, &mut host, &mut bucket);
    assert!(bucket.contents.is_empty());
}

#[test]
fn removed_trees_are_kept_file_by_file() {
    let mut host = FakeHost::scene();
    host.files.put("/srv/d", FakeNodeKind::Directory, 0o755);
    host.files.put("/srv/d/a", file("a"), 0o644);
    host.files.put("/srv/d/f", FakeNodeKind::Special(FileType::Fifo), 0o644);
    let wanted = wish("/srv/d", vec![("ensure", text("absent"))]);
    assert!(failure(&wanted, &host).hint.unwrap().contains("force"));
    let wanted = wish("/srv/d", vec![("ensure", text("absent")), ("force", Value::Boolean(true))]);
    let mut bucket = Kept::default();
    settle(&wanted, &mut host, &mut bucket);
    assert_eq!(bucket.contents, [("/srv/d/a".to_owned(), b"a".to_vec())]);
    assert!(host.files.get("/srv/d/a").is_none());
}

#[test]
fn a_strangers_access_list_goes_as_a_shown_change() {
    const ACCESS: &str = "system.posix_acl_access";
    for (found, wanted, stays) in [
        (1000, vec![("owner", Value::Integer(0))], false),
        (1000, vec![("owner", Value::Integer(0)), ("content", text("new\n"))], false),
        (1000, vec![("owner", Value::Integer(1000)), ("content", text("new\n"))], true),
        (1000, vec![("content", text("new\n"))], true),
        (0, vec![("owner", Value::Integer(1000)), ("content", text("new\n"))], true),
    ] {
        let mut host = FakeHost::scene();
        let node = host.files.put("/srv/app", file("old\n"), 0o640);
        node.uid = found;
        node.attributes.insert(ACCESS.into(), b"user:1000:rwx".to_vec());
        let wanted = wish("/srv/app", wanted);
        let planned = plan(&wanted, &host).unwrap();
        let shown = planned.steps[0].changes.iter().find(|change| change.property == "acl");
        let before = shown.map(|change| (&change.before, &change.after));
        let expected = (&Shown::value("given by uid 1000"), &Shown::Absent);
        assert_eq!(before, (!stays).then_some(expected), "{wanted:?}");
        settle(&wanted, &mut host, &mut Kept::default());
        let node = host.files.get("/srv/app").unwrap();
        assert_eq!(node.attributes.contains_key(ACCESS), stays, "{wanted:?}");
    }
}

#[test]
fn a_diff_is_shown_unless_it_must_not_be() {
    let long = "x".repeat(200_000);
    for (found, found_mode, wanted, attributes, shown) in [
        ("a\nb\n", 0o644, "a\nc\n", vec![], true),
        ("a\nb\n", 0o640, "a\nc\n", vec![], false),
        ("a\nb\n", 0o640, "a\nc\n", vec![("show_diff", Value::Boolean(true))], true),
        ("a\nb\n", 0o600, "a\nc\n", vec![("show_diff", Value::Boolean(true))], false),
        ("a\nb\n", 0o600, "a\nc\n", vec![], false),
        ("a\nb\n", 0o644, "a\nc\n", vec![("mode", text("0600"))], false),
        ("a\nb\n", 0o600, "a\nc\n", vec![("mode", text("0644"))], false),
        ("a\nb\n", 0o644, "a\nc\n", vec![("show_diff", Value::Boolean(false))], false),
        ("a\0b\n", 0o644, "a\nc\n", vec![], false),
        ("a\n", 0o644, "a\u{1b}[31m\n", vec![], false),
        (long.as_str(), 0o644, "short\n", vec![], false),
    ] {
        let mut host = FakeHost::scene();
        host.files.put("/etc/x", file(found), found_mode);
        let mut all = vec![("content", text(wanted))];
        all.extend(attributes);
        let planned = plan(&wish("/etc/x", all), &host).unwrap();
        let change = &planned.steps[0].changes[0];
        assert_eq!(change.property, "content");
        assert_eq!(change.diff.is_some(), shown, "{found_mode:o} {wanted:?}");
        if let Some(diff) = &change.diff {
            assert!(diff.contains("-b\n") && diff.contains("+c\n"), "{diff}");
        }
    }
}

#[test]
fn a_hidden_file_is_not_even_shown_by_digest() {
    let mut host = FakeHost::scene();
    host.files.put("/etc/pin", file("1234"), 0o600);
    let wanted = wish("/etc/pin", vec![("content", text("4321"))]);
    let planned = plan(&wanted, &host).unwrap();
    let change = &planned.steps[0].changes[0];
    assert_eq!((&change.before, &change.after), (&Shown::Redacted, &Shown::Redacted));
    assert!(!serde_json::to_string(&planned.steps[0]).unwrap().contains("4321"));
}

#[test]
fn changes_name_what_they_were() {
    let mut host = FakeHost::scene();
    host.files.put("/etc/x", file("same"), 0o600).uid = 33;
    let wanted = wish(
        "/etc/x",
        vec![
            ("content", text("same")),
            ("owner", text("root")),
            ("group", Value::Integer(4)),
            ("mode", text("0644")),
        ],
    );
    let planned = plan(&wanted, &host).unwrap();
    let changes: Vec<String> = planned.steps[0]
        .changes
        .iter()
        .map(|change| format!("{}: {} -> {}", change.property, change.before, change.after))
        .collect();
    assert_eq!(changes, ["owner: www-data -> root", "group: 0 -> 4", "mode: 0600 -> 0644"]);
    assert_eq!(planned.steps[0].action.to_string(), "set owner, group, mode 0644 of /etc/x");
}

#[test]
fn special_files_are_reported_and_only_force_replaces_them() {
    for kind in [FileType::Fifo, FileType::Socket, FileType::CharacterDevice, FileType::BlockDevice]
    {
        for attributes in [
            vec![("content", text("x"))],
            vec![("ensure", text("directory"))],
            vec![("target", text("y"))],
        ] {
            let mut host = FakeHost::scene();
            host.files.put("/srv/it", FakeNodeKind::Special(kind), 0o644);
            let failed = failure(&wish("/srv/it", attributes.clone()), &host);
            assert!(failed.reason.contains(&kind.to_string()), "{}", failed.reason);
            let mut forced = attributes;
            forced.push(("force", Value::Boolean(true)));
            settle(&wish("/srv/it", forced), &mut host, &mut Kept::default());
        }
    }
}

#[test]
fn special_files_are_removed_without_force() {
    let mut host = FakeHost::scene();
    host.files.put("/srv/it", FakeNodeKind::Special(FileType::Fifo), 0o644);
    settle(&wish("/srv/it", vec![("ensure", text("absent"))]), &mut host, &mut Kept::default());
    assert!(host.files.get("/srv/it").is_none());
}

#[test]
fn a_link_in_the_way_of_a_file_is_replaced_and_its_target_untouched() {
    let mut host = FakeHost::scene();
    host.files.put("/srv/link", FakeNodeKind::Symlink("/etc/target".into()), 0o777);
    host.files.put("/etc/target", file("same"), 0o600);
    settle(&wish("/srv/link", vec![("content", text("same"))]), &mut host, &mut Kept::default());
    assert_eq!(
        (content(&host, "/srv/link"), content(&host, "/etc/target")),
        ("same".into(), "same".into())
    );
    assert_eq!(mode(&host, "/etc/target"), 0o600);
}

#[test]
fn links_of_a_merged_usr_stay() {
    let host = FakeHost::scene();
    let wanted = wish("/bin", vec![("ensure", text("directory"))]);
    assert!(failure(&wanted, &host).reason.contains("/bin"));
}

/// A fake machine on which every command fails.
struct Refusing {
    host: FakeHost,
    asked: Vec<Vec<String>>,
    too_slow: bool,
}

impl Commands for Refusing {
    fn run(&mut self, request: &Request, _: Instant) -> Result<Output, CommandError> {
        self.asked.push(request.argv.clone());
        let output = Output { code: 1, stdout: b"line 1: nonsense".to_vec(), stderr: Vec::new() };
        if !self.too_slow {
            return Ok(output);
        }
        let after = Duration::from_millis(970);
        Err(CommandError::Deadline { program: "chroot".into(), after, output: Box::new(output) })
    }
}

impl Host for Refusing {
    fn view(&self) -> View<'_> {
        self.host.view()
    }
    fn files(&mut self) -> &mut dyn FileChanges {
        self.host.files()
    }
    fn accounts(&mut self) -> &mut dyn AccountChanges {
        self.host.accounts()
    }
    fn packages(&mut self) -> &mut dyn PackageChanges {
        self.host.packages()
    }
    fn services(&mut self) -> &mut dyn ServiceChanges {
        self.host.services()
    }
    fn commands(&mut self) -> &mut dyn Commands {
        self
    }
}

#[test]
fn a_failing_check_leaves_the_old_file_and_reports_its_output() {
    let mut refusing = Refusing { host: FakeHost::scene(), asked: Vec::new(), too_slow: false };
    refusing.host.files.put("/etc/x.conf", file("old\n"), 0o644);
    let wanted = wish(
        "/etc/x.conf",
        vec![("content", text("new\n")), ("validate", text("false {candidate}"))],
    );
    let failed = converge(&wanted, &mut refusing, &mut Kept::default()).unwrap_err();
    assert_eq!(failed.output.as_deref(), Some("line 1: nonsense"));
    let secret = wish(
        "/etc/x.conf",
        vec![
            ("content", text("new\n")),
            ("validate", text("false {candidate}")),
            ("mode", text("0640")),
        ],
    );
    let failed = converge(&secret, &mut refusing, &mut Kept::default()).unwrap_err();
    assert_eq!(failed.output, None);
    assert!(failed.reason.contains("its output is hidden"), "{failed:?}");
    let argv = &refusing.asked[0];
    assert_eq!((argv[0].as_str(), argv.len()), ("false", 2));
    assert!(argv[1].starts_with("/etc/.steadfast."), "{argv:?}");
    assert_eq!(content(&refusing.host, "/etc/x.conf"), "old\n");
    let mut paths = refusing.host.files.paths();
    assert!(paths.all(|path| !path.to_string().contains(".steadfast.")));
}

#[test]
fn a_check_that_takes_too_long_is_named_as_the_policy_has_it() {
    let mut refusing = Refusing { host: FakeHost::scene(), asked: Vec::new(), too_slow: true };
    let wanted = wish(
        "/etc/x.conf",
        vec![("content", text("new\n")), ("validate", text("slow --in '{candidate}'"))],
    );
    let failed = converge(&wanted, &mut refusing, &mut Kept::default()).unwrap_err();
    assert_eq!(
        failed.reason,
        "the check of the new content of /etc/x.conf did not finish: \
         `slow --in '{candidate}'` was killed after 60 s, the time left of the resource's `timeout`"
    );
    assert_eq!(failed.output.as_deref(), Some("line 1: nonsense"));
}

#[test]
fn an_unknown_owner_fails_before_anything_is_created() {
    let host = FakeHost::scene();
    let wanted = wish("/srv/new", vec![("content", text("x")), ("owner", text("deploy"))]);
    let failed = failure(&wanted, &host);
    assert_eq!(failed.reason, "there is no user deploy");
    assert!(host.files.get("/srv/new").is_none());
    let user = Reference::new("user", "deploy");
    let provisions = HashMap::from([(Provision::User("deploy".into()), user)]);
    let planned = plan_pending(&wanted, &host, &Pending::new(&provisions, &[])).unwrap();
    assert_eq!(planned.condition.as_deref(), Some("user.deploy creates the user deploy"));
    assert_eq!(planned.steps.len(), 1);
    let package = [Reference::new("package", "app")];
    let none = HashMap::new();
    let planned = plan_pending(&wanted, &host, &Pending::new(&none, &package)).unwrap();
    assert!(planned.condition.unwrap().contains("package.app"));
    let other = [Reference::new("file", "/srv")];
    assert!(plan_pending(&wanted, &host, &Pending::new(&none, &other)).is_err());
}

#[test]
fn a_missing_directory_fails_unless_someone_will_create_it() {
    let mut host = FakeHost::scene();
    let wanted = wish("/srv/a/b/c", vec![("content", text("x"))]);
    assert_eq!(failure(&wanted, &host).reason, "there is no directory /srv/a");
    let creator = Reference::new("file", "/srv/a");
    let provided = |attributes| -> HashMap<Provision, Reference> {
        let provisions = File.provides(&wish("/srv/a", attributes)).into_iter();
        provisions.map(|provision| (provision, creator.clone())).collect()
    };
    let above = provided(vec![("ensure", text("directory"))]);
    let failed = plan_pending(&wanted, &host, &Pending::new(&above, &[])).unwrap_err();
    assert_eq!(failed.reason, "there is no directory /srv/a/b");
    let regular = provided(vec![("ensure", text("file"))]);
    let failed = plan_pending(&wanted, &host, &Pending::new(&regular, &[])).unwrap_err();
    assert!(failed.reason.contains("does not make /srv/a a directory"), "{failed:?}");
    let copied = provided(vec![("source", tree(&[("b/x", "")]))]);
    let planned = plan_pending(&wanted, &host, &Pending::new(&copied, &[])).unwrap();
    assert_eq!(planned.condition.as_deref(), Some("file.\"/srv/a\" creates /srv/a/b"));
    let package = Reference::new("package", "x");
    let pending = Pending::nothing().with_package(Some(&package));
    let planned = plan_pending(&wanted, &host, &pending).unwrap();
    assert_eq!(planned.condition.as_deref(), Some("package.x may bring /srv/a/b"));
    host.files.put("/srv/a", file("x"), 0o644);
    assert!(failure(&wanted, &host).reason.contains("/srv/a is a file, not a directory"));
    assert!(
        plan(&wish("/srv/x/y", vec![("ensure", text("absent"))]), &host).unwrap().steps.is_empty()
    );
}

#[test]
fn a_planted_link_in_the_path_is_refused() {
    let mut host = FakeHost::scene();
    host.files.put("/home/eve", FakeNodeKind::Directory, 0o755).uid = 1000;
    host.files.put("/home/eve/conf", FakeNodeKind::Symlink("/etc".into()), 0o777).uid = 1000;
    let wanted = wish("/home/eve/conf/shadow", vec![("content", text("x"))]);
    let failed = failure(&wanted, &host);
    assert!(failed.reason.contains("/home/eve/conf") && failed.reason.contains("1000"), "{failed}");
    // Root's own link in the user's directory is no better: the user chose where it is.
    host.files.put("/home/eve/conf", FakeNodeKind::Symlink("/etc".into()), 0o777);
    failure(&wanted, &host);
    // A directory that will take the link's place makes it a condition.
    let provisions = HashMap::from([(
        Provision::Directory("/home/eve/conf".into()),
        Reference::new("file", "/home/eve/conf"),
    )]);
    let planned = plan_pending(&wanted, &host, &Pending::new(&provisions, &[])).unwrap();
    assert!(planned.condition.is_some());
}

#[test]
fn https_sources_are_fetched_when_the_digest_differs() {
    let digest = super::super::diff::digest(b"from far away\n");
    let wanted = wish(
        "/srv/x",
        vec![("source", text("https://example.org/x")), ("sha256", text(&digest.to_uppercase()))],
    );
    let mut host = FakeHost::scene();
    assert_eq!(settle(&wanted, &mut host, &mut Kept::default()), 1);
    assert_eq!(content(&host, "/srv/x"), "from far away\n");
    host.files.put("/srv/x", file("drift"), 0o644);
    assert_eq!(settle(&wanted, &mut host, &mut Kept::default()), 1);
}

#[test]
fn executables_of_the_repository_are_created_executable() {
    let mut host = FakeHost::scene();
    let source = || {
        Value::Tree(Arc::new(Tree::File {
            content: b"#!/bin/sh\n".as_slice().into(),
            executable: true,
        }))
    };
    settle(&wish("/srv/run", vec![("source", source())]), &mut host, &mut Kept::default());
    assert_eq!(mode(&host, "/srv/run"), 0o755);
    settle(
        &wish("/srv/run2", vec![("source", source()), ("mode", text("0600"))]),
        &mut host,
        &mut Kept::default(),
    );
    assert_eq!(mode(&host, "/srv/run2"), 0o600);
    settle(
        &wish("/srv/t", vec![("source", tree(&[("script", "x"), ("b", "x")]))]),
        &mut host,
        &mut Kept::default(),
    );
    assert_eq!((mode(&host, "/srv/t/script"), mode(&host, "/srv/t/b")), (0o755, 0o644));
}

#[test]
fn trees_are_purged_as_far_as_asked() {
    let scene = || {
        let mut host = FakeHost::scene();
        for directory in
            ["/srv/t", "/srv/t/sub", "/srv/t/old", "/srv/t/empty", "/srv/t/keep", "/srv/t/keep/in"]
        {
            host.files.put(directory, FakeNodeKind::Directory, 0o755);
        }
        for path in [
            "/srv/t/stray",
            "/srv/t/sub/stray",
            "/srv/t/old/x",
            "/srv/t/keep/y",
            "/srv/t/keep/in/a.local",
            "/srv/t/b.local",
        ] {
            host.files.put(path, file("x"), 0o644);
        }
        host.files.put("/srv/t/fifo", FakeNodeKind::Special(FileType::Fifo), 0o644);
        host.files.put("/srv/t/link", FakeNodeKind::Symlink("/etc".into()), 0o777);
        host
    };
    let below = |host: &FakeHost| -> Vec<String> {
        host.files
            .paths()
            .filter_map(|path| path.to_string().strip_prefix("/srv/t/").map(str::to_owned))
            .collect()
    };
    let base =
        || vec![("source", tree(&[("a", "a"), ("sub/b", "b")])), ("purge", Value::Boolean(true))];
    let force = ("force", Value::Boolean(true));
    let local = ("exclude", Value::List(vec![text("*.local")]));

    let mut host = scene();
    let wanted = wish("/srv/t", base());
    settle(&wanted, &mut host, &mut Kept::default());
    assert_eq!(
        below(&host),
        ["a", "keep", "keep/in", "keep/in/a.local", "keep/y", "old", "old/x", "sub", "sub/b"]
    );
    assert_eq!(plan(&wanted, &host).unwrap().notes.len(), 2);

    let mut host = scene();
    settle(
        &wish("/srv/t", [base(), vec![force.clone()]].concat()),
        &mut host,
        &mut Kept::default(),
    );
    assert_eq!(below(&host), ["a", "sub", "sub/b"]);

    let mut host = scene();
    settle(
        &wish("/srv/t", [base(), vec![force.clone(), local]].concat()),
        &mut host,
        &mut Kept::default(),
    );
    assert_eq!(
        below(&host),
        ["a", "b.local", "keep", "keep/in", "keep/in/a.local", "sub", "sub/b"]
    );

    let mut host = scene();
    settle(
        &wish("/srv/t", [base(), vec![force, ("recurse_limit", Value::Integer(1))]].concat()),
        &mut host,
        &mut Kept::default(),
    );
    assert_eq!(below(&host), ["a", "sub", "sub/stray"]);
}

#[test]
fn changes_of_a_tree_name_the_path_below() {
    let mut host = FakeHost::scene();
    let wanted = wish("/srv/t", vec![("source", tree(&[("d/a", "a")]))]);
    settle(&wanted, &mut host, &mut Kept::default());
    host.files.put("/srv/t/d/a", file("drift"), 0o644);
    let planned = plan(&wanted, &host).unwrap();
    assert_eq!(planned.steps[0].changes[0].property, "d/a: content");
}

#[test]
fn one_member_of_a_batch_fails_alone() {
    let mut host = FakeHost::scene();
    let wishes: Vec<Wanted> = (0..5)
        .map(|number| wish(&format!("/srv/f{number}"), vec![("content", text("x"))]))
        .collect();
    for fail_at in 0..15 {
        for number in 0..5 {
            host.files.take(&format!("/srv/f{number}"));
        }
        host.faults.fail_at(fail_at);
        let results = converge_together(&wishes, &mut host, &mut Kept::default());
        assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1, "{fail_at}");
        for (wanted, result) in wishes.iter().zip(&results) {
            assert_eq!(plan(wanted, &host).unwrap().steps.is_empty(), result.is_ok());
        }
        assert!(host.files.paths().all(|path| !path.to_string().contains(".steadfast.")));
    }
}

#[test]
fn a_validated_file_finds_those_before_it_in_place() {
    let mut host = FakeHost::scene();
    let wishes = [
        wish("/etc/part", vec![("content", text("x"))]),
        wish("/etc/whole", vec![("content", text("x")), ("validate", text("true {candidate}"))]),
        wish("/etc/link", vec![("target", text("whole"))]),
    ];
    converge_together(&wishes, &mut host, &mut Kept::default())
        .into_iter()
        .for_each(Result::unwrap);
    let operations = host.faults.operations();
    assert_eq!(
        operations,
        [
            "stage /etc/part",
            "sync /etc/part",
            "commit /etc/part",
            "stage /etc/whole",
            "sync /etc/whole",
            "commit /etc/whole",
            "make link /etc/link",
        ]
    );
}

#[test]
fn a_directory_that_others_will_empty_is_a_condition() {
    let mut host = FakeHost::scene();
    host.files.put("/srv/d", FakeNodeKind::Directory, 0o755);
    host.files.put("/srv/d/a", file("a"), 0o644);
    let wanted = wish("/srv/d", vec![("ensure", text("absent"))]);
    let before = [Reference::new("file", "/srv/d/a")];
    let none = HashMap::new();
    let planned = plan_pending(&wanted, &host, &Pending::new(&none, &before)).unwrap();
    let condition = planned.condition.unwrap();
    assert_eq!(condition, "file.\"/srv/d/a\" leaves the directory /srv/d empty");
    assert_eq!(planned.steps.len(), 1);
}

#[test]
fn purging_leaves_alone_what_other_resources_manage() {
    let mut host = FakeHost::scene();
    for directory in ["/srv/t", "/srv/t/old", "/srv/t/old/in"] {
        host.files.put(directory, FakeNodeKind::Directory, 0o755);
    }
    for path in ["/srv/t/mine", "/srv/t/stray", "/srv/t/old/in/mine", "/srv/t/old/stray"] {
        host.files.put(path, file("x"), 0o644);
    }
    let purge = || vec![("ensure", text("directory")), ("purge", Value::Boolean(true))];
    let forced = || [purge(), vec![("force", Value::Boolean(true))]].concat();
    let mine = wish("/srv/t/mine", vec![("content", text("x"))]);
    let deep = wish("/srv/t/old/in/mine", vec![("content", text("x"))]);
    let below = |host: &FakeHost| -> Vec<String> {
        let paths = host.files.paths().map(ToString::to_string);
        paths.filter_map(|path| path.strip_prefix("/srv/t/").map(str::to_owned)).collect()
    };

    let tree = wish("/srv/t", purge());
    File.preparation().unwrap().announce(&[&tree, &mine, &deep], &host.view());
    settle(&tree, &mut host, &mut Kept::default());
    assert_eq!(below(&host), ["mine", "old", "old/in", "old/in/mine", "old/stray"]);
    assert!(plan(&tree, &host).unwrap().notes.is_empty());

    let tree = wish("/srv/t", forced());
    File.preparation().unwrap().announce(&[&tree, &mine, &deep], &host.view());
    settle(&tree, &mut host, &mut Kept::default());
    assert_eq!(below(&host), ["mine", "old", "old/in", "old/in/mine"]);

    let tree = wish("/srv/t", forced());
    File.preparation().unwrap().announce(&[&tree], &host.view());
    settle(&tree, &mut host, &mut Kept::default());
    assert!(below(&host).is_empty());
}

#[test]
fn a_run_that_was_cut_off_is_cleaned_up_after() {
    let mut host = FakeHost::scene();
    let leftover = ".steadfast.0123456789abcdef0123456789abcdef.tmp";
    for directory in ["/srv/t", "/srv/t/d"] {
        host.files.put(directory, FakeNodeKind::Directory, 0o755);
    }
    for directory in ["/srv", "/srv/t", "/srv/t/d", "/etc"] {
        host.files.put(&format!("{directory}/{leftover}"), file("half"), 0o600);
    }
    let wanted = wish("/srv/t", vec![("source", tree(&[("d/a", "a")]))]);
    let recover = File.recover().unwrap();
    let places = recover.places(&wanted);
    assert_eq!(places, ["/srv", "/srv/t", "/srv/t/d"]);
    let removed = recover.sweep(&places, &mut host).unwrap();
    assert_eq!(removed.len(), 3, "{removed:?}");
    let left: Vec<String> = host.files.paths().map(ToString::to_string).collect();
    assert_eq!(left.iter().filter(|path| path.contains(leftover)).count(), 1);
}
