//! Plans: presence, versions, ranges, holds, downgrades, virtual names, stale indexes.

use std::collections::HashMap;

use super::*;
use crate::host::packages::{Selection, State};
use crate::pending::Provision;
use crate::step::Shown;

/// What is installed, what is asked for, what is planned.
#[test]
fn versions() {
    let cases = [
        ("", "present", "install sf-web 2.0-1"),
        ("", "latest", "install sf-web 2.0-1"),
        ("", "1.0-1", "install sf-web 1.0-1"),
        ("", ">=1.0, <2", "install sf-web 1.1-1"),
        ("", "absent", ""),
        ("", "purged", ""),
        ("1.0-1", "present", ""),
        ("1.0-1", "1.0-1", ""),
        ("1.0-1", "0:1.0-1", ""),
        ("1.0-1", ">=1.0", ""),
        ("1.0-1", "latest", "upgrade sf-web 1.0-1 to 2.0-1"),
        ("1.0-1", "1.1-1", "upgrade sf-web 1.0-1 to 1.1-1"),
        ("1.0-1", ">1.0-1, <2~", "upgrade sf-web 1.0-1 to 1.1-1"),
        ("1.0-1", "absent", "remove sf-web 1.0-1"),
        ("1.0-1", "purged", "purge sf-web 1.0-1"),
        ("2.0-1", "latest", ""),
        ("9.0-1", "latest", ""),
        ("2.0-1", "1.0-1", "failure: sf-web 2.0-1 would have to be downgraded to 1.0-1"),
        ("2.0-1", "<2", "failure: sf-web 2.0-1 would have to be downgraded to 1.1-1"),
        (
            "2.0-1",
            "3.0-1",
            "failure: cannot install sf-web: no package source has the version 3.0-1",
        ),
        ("", ">3", "failure: cannot install sf-web: no package source has the version >3"),
    ];
    for (installed, wanted, planned) in cases {
        let mut host = fresh();
        if !installed.is_empty() {
            host.packages.install("sf-web", installed);
        }
        let outcome = told(plan(&host, &ensure("sf-web", wanted)));
        assert_eq!(outcome, planned, "{installed:?} wants {wanted:?}");
    }
}

#[test]
fn downgrades_only_where_allowed() {
    let mut host = fresh();
    host.packages.install("sf-web", "2.0-1");
    for wanted in ["1.1-1", "<2"] {
        let allowed = [("ensure", Value::text(wanted)), ("allow_downgrade", Value::Boolean(true))];
        let planned = plan(&host, &package("sf-web", &allowed)).unwrap();
        assert!(planned.steps[0].disruptive);
        assert_eq!(told(Ok(planned)), "downgrade sf-web 2.0-1 to 1.1-1");
    }
}

#[test]
fn holds() {
    // Held by whom, `hold`, `ensure`, what is planned for sf-web 1.0-1.
    let foreign = "failure: sf-web is held at 1.0-1, and not by this policy";
    let cases = [
        (false, None, "present", ""),
        (false, Some(true), "present", "hold sf-web"),
        (false, Some(true), "1.1-1", "upgrade sf-web 1.0-1 to 1.1-1; hold sf-web"),
        (false, Some(false), "present", ""),
        (true, None, "present", ""),
        (true, None, "1.0-1", ""),
        (true, None, "1.1-1", foreign),
        (true, None, "latest", foreign),
        (true, None, "absent", foreign),
        (true, Some(true), "1.0-1", ""),
        (true, Some(true), "1.1-1", "upgrade sf-web 1.0-1 to 1.1-1"),
        (true, Some(false), "present", "lift the hold of sf-web"),
        (true, Some(false), "1.1-1", "lift the hold of sf-web; upgrade sf-web 1.0-1 to 1.1-1"),
        (true, Some(false), "absent", "lift the hold of sf-web; remove sf-web 1.0-1"),
    ];
    for (held, hold, wanted, planned) in cases {
        let mut host = fresh();
        host.packages.install("sf-web", "1.0-1");
        if held {
            host.packages.tamper("sf-web", |record| record.selection = Selection::Hold);
        }
        let mut values = vec![("ensure", Value::text(wanted))];
        values.extend(hold.map(|hold| ("hold", Value::Boolean(hold))));
        let outcome = told(plan(&host, &package("sf-web", &values)));
        assert_eq!(outcome, planned, "held {held}, hold {hold:?}, {wanted}");
    }
    let hold = [("hold", Value::Boolean(true))];
    let outcome = told(plan(&fresh(), &package("sf-web", &hold)));
    assert_eq!(outcome, "install sf-web 2.0-1; hold sf-web");
}

#[test]
fn unfinished_packages_are_finished() {
    let cases = [
        (State::Unpacked, false, "present", "finish installing sf-web 1.0-1 (unpacked)"),
        (
            State::HalfConfigured,
            false,
            "present",
            "finish installing sf-web 1.0-1 (half-configured)",
        ),
        (
            State::TriggersPending,
            false,
            "1.0-1",
            "finish installing sf-web 1.0-1 (triggers-pending)",
        ),
        (State::HalfInstalled, true, "present", "reinstall sf-web 1.0-1 (half-installed)"),
        (State::HalfConfigured, false, "2.0-1", "upgrade sf-web 1.0-1 to 2.0-1"),
        (State::HalfConfigured, false, "absent", "remove sf-web 1.0-1"),
        (State::ConfigFiles, false, "present", "install sf-web 2.0-1"),
        (State::ConfigFiles, false, "absent", ""),
        (State::ConfigFiles, false, "purged", "purge sf-web 1.0-1"),
        (State::NotInstalled, false, "purged", ""),
        (State::NotInstalled, false, "1.0-1", "install sf-web 1.0-1"),
    ];
    for (state, again, wanted, planned) in cases {
        let mut host = fresh();
        host.packages.install("sf-web", "1.0-1");
        host.packages.tamper("sf-web", |record| {
            record.state = state;
            record.reinstall_required = again;
        });
        assert_eq!(told(plan(&host, &ensure("sf-web", wanted))), planned, "{state} {wanted}");
    }
}

#[test]
fn changes_say_before_and_after() {
    let mut host = fresh();
    host.packages.install("sf-web", "1.0-1");
    let planned = plan(&host, &ensure("sf-web", "latest")).unwrap();
    let change = &planned.steps[0].changes[0];
    assert_eq!(change.property, "ensure");
    assert_eq!((&change.before, &change.after), (&Shown::value("1.0-1"), &Shown::value("2.0-1")));
    let planned = plan(&host, &package("sf-tool", &[])).unwrap();
    let change = &planned.steps[0].changes[0];
    assert_eq!((&change.before, &change.after), (&Shown::Absent, &Shown::value("1:0.5-1")));
    let json = serde_json::to_string(&planned.steps[0].action).unwrap();
    assert_eq!(
        json,
        r#"{"package":"sf-tool","action":"install","version":"1:0.5-1","held":false}"#
    );
}

#[test]
fn essential_packages_stay() {
    let mut host = fresh();
    host.packages.install("sf-web", "1.0-1");
    host.packages.tamper("sf-web", |record| record.essential = true);
    let outcome = told(plan(&host, &ensure("sf-web", "absent")));
    assert_eq!(outcome, "failure: sf-web is essential and cannot be removed");
}

#[test]
fn virtual_names() {
    let several = "failure: sf-virtual is no package but a name that several provide: \
                   sf-virtual-a, sf-virtual-b";
    let wanted = ensure("sf-virtual", "present");
    let mut host = fresh();
    assert_eq!(told(plan(&host, &wanted)), several);
    // The policy wants one of them anyway.
    let other = ensure("sf-virtual-b", "present");
    Package.announce(&[&wanted, &other], &host.view());
    assert_eq!(told(plan(&host, &wanted)), "install sf-virtual-b 1.0-1");
    // Any installed provider will do, also for the latest version, also without any index.
    host.packages.install("sf-virtual-a", "1.0-1");
    host.packages.index.clear();
    for word in ["present", "latest"] {
        assert_eq!(told(plan(&host, &ensure("sf-virtual", word))), "");
    }
    // Nothing promises a version, so none is there.
    let outcome = told(plan(&host, &ensure("sf-virtual", "1.0-1")));
    assert_eq!(outcome, "failure: cannot install sf-virtual: no package source has it");
    // A virtual name is not what is removed.
    let planned = plan(&host, &ensure("sf-virtual", "absent")).unwrap();
    assert_eq!(planned.notes, ["sf-virtual-a provides sf-virtual and stays"]);
    assert!(planned.steps.is_empty());
}

#[test]
fn the_only_provider_is_installed() {
    let mut host = fresh();
    host.packages.index.retain(|package| package.name != "sf-virtual-b");
    let wanted = ensure("sf-virtual", "present");
    assert_eq!(told(plan(&host, &wanted)), "install sf-virtual-a 1.0-1");
    converge(&mut host, &[&wanted]);
}

#[test]
fn a_real_package_is_not_replaced_by_its_provider() {
    let mut host = fresh();
    host.packages.index.retain(|package| package.name != "sf-tool");
    host.packages.index.push(crate::host::packages::FakePackage {
        provides: vec!["sf-web".into()],
        ..crate::host::packages::FakePackage::new("sf-other", "1.0-1")
    });
    host.packages.install("sf-other", "1.0-1");
    assert_eq!(told(plan(&host, &ensure("sf-web", "1.0-1"))), "install sf-web 1.0-1");
}

#[test]
fn an_unknown_name_fails_only_by_a_fresh_index() {
    let wanted = ensure("sf-nothing", "present");
    let outcome = told(plan(&fresh(), &wanted));
    assert_eq!(outcome, "failure: cannot install sf-nothing: no package source has it");
    // An index of unknown age may still learn of it.
    let planned = plan(&scene(), &wanted).unwrap();
    assert_eq!(planned.notes.len(), 2, "{planned:?}");
    assert_eq!(told(Ok(planned)), "install sf-nothing");
    // A machine that never had an index.
    let mut host = scene();
    host.packages.stale = true;
    for (word, told_as) in [("present", "install sf-web"), ("1.0-1", "install sf-web")] {
        assert_eq!(told(plan(&host, &ensure("sf-web", word))), told_as);
    }
    host.packages.install("sf-web", "1.0-1");
    let planned = plan(&host, &ensure("sf-web", "2.0-1")).unwrap();
    assert_eq!(told(Ok(planned)), "change sf-web 1.0-1 to a version 2.0-1");
    let planned = plan(&host, &ensure("sf-web", "latest")).unwrap();
    assert!(planned.notes.iter().any(|note| note.contains("no package index yet")));
    assert_eq!(told(Ok(planned)), "");
}

#[test]
fn what_a_pending_source_may_bring_is_conditional() {
    let provisions: HashMap<Provision, Reference> = HashMap::new();
    let dependencies = [Reference::new("file", "/etc/apt/sources.list.d/x.list")];
    let pending = Pending::new(&provisions, &dependencies);
    let planned = plan_with(&fresh(), &ensure("sf-nothing", "present"), &pending).unwrap();
    assert!(planned.condition.as_ref().is_some_and(|it| it.contains("x.list")), "{planned:?}");
    assert_eq!(told(Ok(planned)), "install sf-nothing");
}

#[test]
fn a_failed_refresh_fails_what_needs_it() {
    let mut host = scene();
    host.packages.unreachable = Some("Temporary failure resolving 'deb'".into());
    host.packages.install("sf-web", "1.0-1");
    host.packages().refresh_index(soon());
    // What the present index knows goes on.
    assert_eq!(told(plan(&host, &ensure("sf-tool", "present"))), "install sf-tool 1:0.5-1");
    assert_eq!(told(plan(&host, &ensure("sf-web", "1.0-1"))), "");
    // What is newest, or unknown, cannot be told.
    for (name, word) in [("sf-web", "latest"), ("sf-nothing", "present"), ("sf-web", "7")] {
        let outcome = told(plan(&host, &ensure(name, word)));
        assert!(outcome.contains("Temporary failure resolving"), "{name} {word}: {outcome}");
    }
}

#[test]
fn options_leave_the_version_to_the_package_manager() {
    let options = Value::List(vec![Value::text("-t"), Value::text("backports")]);
    let wanted = package("sf-web", &[("install_options", options)]);
    assert_eq!(told(plan(&fresh(), &wanted)), "install sf-web");
}

#[test]
fn a_dry_run_changes_nothing() {
    let host = scene();
    let wanted = [ensure("sf-web", "latest"), ensure("sf-tool", "purged")];
    Package.announce(&wanted.iter().collect::<Vec<_>>(), &host.view());
    for wanted in &wanted {
        assert!(plan(&host, wanted).is_ok());
    }
    assert!(host.faults.operations().is_empty());
    let announced = host.packages.announced();
    assert_eq!((announced[0].asked, announced[0].installed), (true, true));
    assert_eq!((announced[1].asked, announced[1].installed), (false, false));
}
