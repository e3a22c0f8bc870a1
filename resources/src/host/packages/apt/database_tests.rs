//! Tests of reading dpkg's database.

use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::host::packages::PackageName;

const SAMPLE: &str = "\
Package: dpkg
Essential: yes
Status: install ok installed
Architecture: amd64
Multi-Arch: foreign
Version: 1.21.22
Description: package system
 for Debian

Package: libc6
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Version: 2.36-9

Package: libc6
Status: install ok unpacked
Architecture: i386
Multi-Arch: same
Version: 2.36-8

Package: postfix
Status: hold ok installed
Architecture: amd64
Version: 3.7.11-0+deb12u1
Provides: mail-transport-agent, default-mta (= 3.7),
 postfix-lmtp:any

Package: old
Status: deinstall ok config-files
Architecture: all
Version: 1.0
Provides: mail-transport-agent

Package: torn
Status: install reinstreq half-installed
Architecture: amd64
Version: 2.0

Package: wine32
Status: install ok installed
Architecture: i386
Version: 8.0
";

fn sample() -> Database {
    let mut database = Database { native: Some("amd64".into()), ..Database::default() };
    parse(SAMPLE, &mut database).unwrap();
    database
}

fn find<'a>(database: &'a Database, name: &str) -> Option<&'a Record> {
    database.find(&PackageName::parse(name).unwrap())
}

#[test]
fn states_and_versions() {
    let database = sample();
    let cases = [
        ("dpkg", Selection::Install, false, State::Installed, "1.21.22"),
        ("libc6", Selection::Install, false, State::Installed, "2.36-9"),
        ("libc6:amd64", Selection::Install, false, State::Installed, "2.36-9"),
        ("libc6:i386", Selection::Install, false, State::Unpacked, "2.36-8"),
        ("postfix", Selection::Hold, false, State::Installed, "3.7.11-0+deb12u1"),
        ("old", Selection::Deinstall, false, State::ConfigFiles, "1.0"),
        ("old:amd64", Selection::Deinstall, false, State::ConfigFiles, "1.0"),
        ("torn", Selection::Install, true, State::HalfInstalled, "2.0"),
        ("wine32", Selection::Install, false, State::Installed, "8.0"),
    ];
    for (name, selection, reinstall, state, version) in cases {
        let record = find(&database, name).unwrap_or_else(|| panic!("{name}"));
        let found = (record.selection, record.reinstall_required, record.state);
        assert_eq!(found, (selection, reinstall, state), "{name}");
        assert_eq!(record.version.as_deref(), Some(version), "{name}");
        assert_eq!(record.essential, name == "dpkg");
    }
    assert!(find(&database, "nothing").is_none());
    assert!(find(&database, "wine32:amd64").is_none());
}

#[test]
fn providers_are_configured_packages_only() {
    let database = sample();
    let named = |name: &str| -> Vec<(String, Option<String>)> {
        let list = database.providers.get(name).map(Vec::as_slice).unwrap_or_default();
        list.iter().map(|p| (p.package.clone(), p.version.clone())).collect()
    };
    assert_eq!(named("mail-transport-agent"), [("postfix".to_owned(), None)]);
    assert_eq!(named("default-mta"), [("postfix".to_owned(), Some("3.7".to_owned()))]);
    assert_eq!(named("postfix-lmtp"), [("postfix".to_owned(), None)]);
}

#[test]
fn a_later_stanza_replaces_the_earlier_one() {
    let mut database = sample();
    let update = "Package: postfix\nStatus: install ok half-configured\nArchitecture: amd64\n\
                  Version: 3.8\nProvides: mail-transport-agent\n";
    parse(update, &mut database).unwrap();
    assert_eq!(find(&database, "postfix").unwrap().state, State::HalfConfigured);
    assert!(database.providers["mail-transport-agent"].is_empty());
    assert_eq!(database.packages["postfix"].len(), 1);
}

#[test]
fn damage_is_named_with_its_line() {
    let cases = [
        ("Package: a\nStatus: install ok great\n", 2, "unknown status"),
        ("Package: a\nStatus: install ok installed extra\n", 2, "unknown status"),
        ("Package: a\n\nPackage: b\nStatus: install ok installed\n", 1, "no Status"),
        ("Status: install ok installed\n", 1, "no Package"),
        ("Package: a\nStatus: install ok installed\ngarbage\n", 3, "neither"),
    ];
    for (text, line, problem) in cases {
        let damage = parse(text, &mut Database::default()).unwrap_err();
        assert_eq!(damage.line, line, "{text}");
        assert!(damage.problem.contains(problem), "{damage:?}");
    }
}

#[test]
fn the_journal_counts_over_the_status_file() {
    let root = tempfile::tempdir_in("/var/tmp").unwrap();
    let updates = root.path().join(UPDATES);
    fs::create_dir_all(&updates).unwrap();
    let write = |path: &Path, text: &str| {
        std::io::Write::write_all(&mut fs::File::create(path).unwrap(), text.as_bytes()).unwrap();
    };
    write(&root.path().join(STATUS), SAMPLE);
    assert!(journal(root.path()).is_empty());
    let before = stamp(root.path()).unwrap();
    let stanza = |state: &str| {
        format!("Package: postfix\nStatus: install ok {state}\nArchitecture: amd64\nVersion: 4\n")
    };
    write(&updates.join("0001"), &stanza("installed"));
    write(&updates.join("0000"), &stanza("unpacked"));
    write(&updates.join("tmp.i"), "Package: half a li");
    assert_eq!(journal(root.path()).len(), 2);
    assert_ne!(stamp(root.path()).unwrap(), before);
    let database = read(root.path()).unwrap();
    assert_eq!(database.native.as_deref(), Some("amd64"));
    let record = find(&database, "postfix").unwrap();
    assert_eq!((record.state, record.version.as_deref()), (State::Installed, Some("4")));
}

fn state() -> impl Strategy<Value = (&'static str, State)> {
    prop_oneof![
        Just(("not-installed", State::NotInstalled)),
        Just(("config-files", State::ConfigFiles)),
        Just(("half-installed", State::HalfInstalled)),
        Just(("unpacked", State::Unpacked)),
        Just(("half-configured", State::HalfConfigured)),
        Just(("triggers-awaited", State::TriggersAwaited)),
        Just(("triggers-pending", State::TriggersPending)),
        Just(("installed", State::Installed)),
    ]
}

proptest! {
    #[test]
    fn every_written_package_is_read_back(
        packages in prop::collection::btree_map(
            "[a-z0-9][a-z0-9+.-]{1,12}",
            (state(), "[0-9][A-Za-z0-9.+~-]{0,8}", any::<bool>(), "( [!-~][ -~]{0,20}\n){0,3}"),
            0..20,
        )
    ) {
        let mut text = String::new();
        for (name, ((state, _), version, held, description)) in &packages {
            let want = if *held { "hold" } else { "install" };
            write!(
                text,
                "Package: {name}\nStatus: {want} ok {state}\nDescription: x\n{description}\
                 Architecture: amd64\nVersion: {version}\n\n",
            )
            .unwrap();
        }
        let mut database = Database::default();
        parse(&text, &mut database).unwrap();
        prop_assert_eq!(database.packages.len(), packages.len());
        for (name, ((_, state), version, held, _)) in &packages {
            let record = &database.packages[name][0];
            prop_assert_eq!(record.state, *state);
            prop_assert_eq!(record.version.as_deref(), Some(version.as_str()));
            prop_assert_eq!(record.is_held(), *held);
        }
    }

    #[test]
    fn no_text_brings_the_parser_down(text in "(\\PC|[\n: \t]|Package: |Status: |install ok installed){0,60}") {
        let _ = parse(&text, &mut Database::default());
    }
}
