//! Every kind on the fake host: what is exported plans nothing; what is accepted plans nothing.

use super::{Exported, Selection};
use crate::accept::{Drift, Edit};
use crate::attributes::AttributeReader;
use crate::host::files::FakeNodeKind;
use crate::host::packages::Selection as Marked;
use crate::host::services::{ActiveState, FakeUnit, FileState, UnitName};
use crate::host::{FakeHost, Host};
use crate::kind::AnyKind;
use crate::pending::Pending;
use crate::registry::Registry;
use crate::user::trial::{apply_all, declared};
use crate::value::{Tree, TreeEntry, Value};

const POLICY: &str = r#"
[group.crew]
gid = 1500
[user.ann]
uid = 1501
gid = "crew"
groups = ["www-data"]
comment = "Ann"
expiry = "2037-01-31"
[package.sf-tool]
ensure = "1.0-1"
hold = true
[file."/etc/motd"]
content = "hello\n"
[file."/srv/dir"]
ensure = "directory"
mode = "0750"
[file."/srv/link"]
target = "dir"
[service.sf-web]
ensure = "running"
enable = true
"#;

fn host() -> FakeHost {
    let mut host = FakeHost::scene();
    apply_all(&declared(POLICY).unwrap(), &mut host);
    host
}

/// The steps that the attributes would lead to.
fn steps(
    kind: &dyn AnyKind,
    title: &str,
    attributes: &[(&'static str, Value)],
    host: &FakeHost,
) -> Vec<String> {
    let mut reader = AttributeReader::new(attributes);
    let wanted = kind.wanted(title, &mut reader);
    let wanted =
        wanted.unwrap_or_else(|| panic!("{title} {attributes:?} {:?}", reader.into_errors()));
    let planned = kind.plan(&wanted, &host.view(), &Pending::nothing()).unwrap();
    planned.steps.iter().map(crate::AnyStep::summary).collect()
}

fn exported(kind: &dyn AnyKind, title: &str, host: &FakeHost) -> Exported {
    kind.exported(title, &host.view()).unwrap().unwrap_or_else(|| panic!("{title}"))
}

#[test]
fn what_is_exported_plans_nothing() {
    let host = host();
    for kind in Registry::standard().kinds() {
        let name = kind.declaration().name;
        let named: Vec<String> = match name {
            "file" => ["/etc/motd", "/srv/dir", "/srv/link", "/etc"].map(str::to_owned).into(),
            _ => Vec::new(),
        };
        let system = matches!(name, "user" | "group");
        let selection = Selection { named: &named, system, recurse: false };
        let titles = kind.titles(&selection, &host.view()).unwrap();
        assert!(!titles.is_empty(), "{name}");
        for title in titles {
            let found = exported(kind, &title, &host);
            let order: Vec<usize> = found
                .attributes
                .iter()
                .map(|(name, _)| {
                    let all = kind.declaration().attributes;
                    all.iter().position(|known| known.name == *name).expect("a known name")
                })
                .collect();
            assert!(order.is_sorted(), "{title}: {found:?}");
            let left = steps(kind, &title, &found.attributes, &host);
            assert_eq!(left, Vec::<String>::new(), "{name} {title} {found:?}");
        }
    }
}

#[test]
fn choices_without_meaning_are_refused() {
    let host = host();
    for kind in Registry::standard().kinds() {
        let name = kind.declaration().name;
        let named = ["/etc".to_owned()];
        for (option, selection, meant) in [
            (
                "system",
                Selection { named: &named, system: true, recurse: false },
                ["user", "group"],
            ),
            ("recurse", Selection { named: &named, system: false, recurse: true }, ["file", ""]),
        ] {
            let titles = kind.titles(&selection, &host.view());
            assert_eq!(titles.is_ok(), meant.contains(&name), "{name} --{option}: {titles:?}");
        }
    }
}

/// `edits` done to `attributes`.
fn edited(attributes: &[(&'static str, Value)], edits: &[Edit]) -> Vec<(&'static str, Value)> {
    let mut attributes = attributes.to_vec();
    for edit in edits {
        if let Edit::Set(name, _) | Edit::Remove(name) = edit {
            attributes.retain(|(known, _)| known != name);
        }
        if let Edit::Set(name, value) = edit {
            attributes.push((name, value.clone()));
        }
    }
    attributes
}

/// Accepts the drift of a resource declared with `attributes`, and shows that it is gone.
fn accepted(
    kind: &str,
    title: &str,
    attributes: &[(&'static str, Value)],
    host: &FakeHost,
) -> Vec<Edit> {
    let kind = Registry::standard().kind(kind).unwrap();
    let mut reader = AttributeReader::new(attributes);
    let wanted = kind.wanted(title, &mut reader).unwrap();
    let planned = kind.plan(&wanted, &host.view(), &Pending::nothing()).unwrap();
    let properties: Vec<String> = planned
        .steps
        .iter()
        .flat_map(|step| &step.changes)
        .map(|change| change.property.to_string())
        .collect();
    assert!(!properties.is_empty(), "{title} has drifted");
    let properties: Vec<&str> = properties.iter().map(String::as_str).collect();
    let found = kind.exported(title, &host.view()).unwrap();
    let drift =
        Drift { title, declared: attributes, properties: &properties, found: found.as_ref() };
    let edits = kind.accept(&drift, &host.view()).unwrap();
    let left = steps(kind, title, &edited(attributes, &edits), host);
    assert_eq!(left, Vec::<String>::new(), "{title} {edits:?}");
    edits
}

fn text(value: &str) -> Value {
    Value::text(value)
}

#[test]
fn what_is_gone_is_declared_absent() {
    let host = host();
    let absent = Edit::Set("ensure", text("absent"));
    for (kind, title, attributes) in [
        ("file", "/srv/none", vec![("content", text("x")), ("mode", text("0600"))]),
        ("file", "/srv/none", vec![("ensure", text("directory"))]),
        ("user", "none", vec![("uid", Value::Integer(1600)), ("shell", text("/bin/sh"))]),
        ("group", "none", vec![("gid", Value::Integer(1600))]),
        ("package", "sf-library", vec![("ensure", text("1.0-1")), ("hold", Value::Boolean(true))]),
    ] {
        let edits = accepted(kind, title, &attributes, &host);
        assert!(edits.contains(&absent), "{kind} {edits:?}");
    }
}

#[test]
fn what_appeared_is_declared_as_it_is() {
    let host = host();
    for (kind, title) in
        [("file", "/etc/motd"), ("file", "/srv/dir"), ("user", "ann"), ("package", "sf-tool")]
    {
        // A package that is held is not taken away unless the policy speaks of holds.
        let mut attributes = vec![("ensure", text("absent"))];
        if kind == "package" {
            attributes.push(("hold", Value::Boolean(false)));
        }
        if kind == "file" {
            attributes.push(("force", Value::Boolean(true)));
        }
        accepted(kind, title, &attributes, &host);
    }
}

#[test]
fn only_what_differs_changes() {
    let mut host = host();
    let name = UnitName::from_title("sf-web").unwrap();
    host.services.edit(&name, |unit: &mut FakeUnit| {
        unit.unit.file = FileState::Disabled;
        unit.unmasked = FileState::Disabled;
        if let Some(live) = unit.live() {
            live.active = ActiveState::Inactive;
        }
    });
    host.packages.tamper("sf-tool", |record| record.selection = Marked::Install);
    let list = |names: &[&str]| Value::texts(names.iter().copied());
    for (kind, title, attributes, expected) in [
        (
            "service",
            "sf-web",
            vec![("ensure", text("running")), ("enable", Value::Boolean(true))],
            vec![Edit::Set("ensure", text("stopped")), Edit::Set("enable", Value::Boolean(false))],
        ),
        (
            "package",
            "sf-tool",
            vec![("ensure", text("1.0-1")), ("hold", Value::Boolean(true))],
            vec![Edit::Set("hold", Value::Boolean(false))],
        ),
        (
            "user",
            "ann",
            vec![("uid", Value::Integer(1501)), ("groups", list(&["www-data", "adm"]))],
            vec![Edit::Set("groups", list(&["www-data"]))],
        ),
        (
            "user",
            "ann",
            vec![("groups", list(&["adm"])), ("membership", text("inclusive"))],
            vec![Edit::Set("groups", list(&["www-data"]))],
        ),
        (
            "user",
            "ann",
            vec![("expiry", text("never")), ("comment", text("Ann")), ("gid", text("adm"))],
            vec![Edit::Set("expiry", text("2037-01-31")), Edit::Set("gid", text("crew"))],
        ),
        (
            "group",
            "crew",
            vec![("gid", Value::Integer(1500)), ("members", list(&["root"]))],
            vec![Edit::Set("members", list(&[]))],
        ),
        (
            "file",
            "/etc/motd",
            vec![("content", text("other")), ("mode", text("0600")), ("owner", text("root"))],
            vec![Edit::Set("content", text("hello\n")), Edit::Set("mode", text("0644"))],
        ),
        (
            "file",
            "/srv/link",
            vec![("target", text("elsewhere"))],
            vec![Edit::Set("target", text("dir"))],
        ),
    ] {
        let edits = accepted(kind, title, &attributes, &host);
        assert_eq!(edits, expected, "{kind} {title}");
    }
}

#[test]
fn what_took_the_place_of_a_link_says_its_mode() {
    let edits = accepted("file", "/srv/dir", &[("target", text("elsewhere"))], &host());
    assert!(edits.contains(&Edit::Set("mode", text("0750"))), "{edits:?}");
    let declared = [("ensure", text("directory")), ("mode", text("0700"))];
    let edits = accepted("file", "/srv/link", &declared, &host());
    assert!(edits.contains(&Edit::Remove("mode")), "{edits:?}");
}

#[test]
fn a_closed_directory_on_the_way_hides_what_lies_below() {
    let mut host = host();
    let directory = || FakeNodeKind::Directory;
    let content = || FakeNodeKind::File(b"words\n".to_vec());
    host.files.put("/srv/closed", directory(), 0o700);
    host.files.put("/srv/closed/open", directory(), 0o755);
    host.files.put("/srv/closed/open/file", content(), 0o644);
    host.files.put("/srv/open", directory(), 0o711);
    host.files.put("/srv/open/file", content(), 0o644);
    host.files.put("/srv/open/own", content(), 0o640);
    let kind = Registry::standard().kind("file").unwrap();
    for (path, private) in
        [("/srv/closed/open/file", true), ("/srv/open/file", false), ("/srv/open/own", true)]
    {
        let found = exported(kind, path, &host);
        assert_eq!(found.beside.is_some_and(|beside| beside.private), private, "{path}");
        assert_eq!(found.attributes.iter().any(|(name, _)| *name == "content"), !private, "{path}");
    }
    let content = std::sync::Arc::from(&b"other\n"[..]);
    let entry = TreeEntry { path: "open/file".to_owned(), content, executable: false };
    let tree = Value::Tree(std::sync::Arc::new(Tree::Directory(vec![entry])));
    let drift = Drift {
        title: "/srv/closed",
        declared: &[("source", tree)],
        properties: &["open/file: content"],
        found: Some(&exported(kind, "/srv/closed", &host)),
    };
    let failure = kind.accept(&drift, &host.view()).unwrap_err();
    assert!(failure.reason.contains("not for everybody's eyes"), "{failure}");
}

#[test]
fn states_that_nobody_wants_are_refused() {
    let host = host();
    let name = UnitName::from_title("sf-web").unwrap();
    host.services.edit(&name, |unit: &mut FakeUnit| {
        if let Some(live) = unit.live() {
            live.active = ActiveState::Failed;
        }
    });
    let kind = Registry::standard().kind("service").unwrap();
    let found = exported(kind, "sf-web", &host);
    let declared = [("ensure", text("running"))];
    let drift = Drift {
        title: "sf-web",
        declared: &declared,
        properties: &["ensure"],
        found: Some(&found),
    };
    let failure = kind.accept(&drift, &host.view()).unwrap_err();
    assert!(failure.reason.contains("failed") && failure.hint.is_some(), "{failure}");
}
