//! Batches: what goes together, what fails alone, and that a rerun converges.

use super::*;
use crate::host::packages::{FakePackage, PackageView, Selection, State};

fn installed(host: &FakeHost, name: &str) -> Option<String> {
    host.packages.installed.get(name)?.present_version().map(Into::into)
}

#[test]
fn one_transaction_serves_all() {
    let mut host = scene();
    let all = [
        ensure("sf-web", "1.0-1"),
        ensure("sf-tool", "present"),
        ensure("sf-slow", "latest"),
        ensure("sf-conflict", "absent"),
    ];
    converge(&mut host, &all.iter().collect::<Vec<_>>());
    assert_eq!(host.packages.transactions.len(), 1);
    assert_eq!(host.packages.refreshes, 1);
    assert_eq!(installed(&host, "sf-web").as_deref(), Some("1.0-1"));
    // In sync: `latest` asks for a fresh index, and nothing is changed.
    converge(&mut host, &all.iter().collect::<Vec<_>>());
    assert_eq!(host.packages.transactions.len(), 1);
}

#[test]
fn an_index_is_refreshed_only_for_what_needs_it() {
    let mut host = scene();
    host.packages.install("sf-web", "1.0-1");
    host.packages.install("sf-virtual-a", "1.0-1");
    let all = [
        ensure("sf-web", ">=1"),
        ensure("sf-virtual", "present"),
        ensure("sf-virtual", "latest"),
        ensure("sf-tool", "purged"),
    ];
    converge(&mut host, &all.iter().collect::<Vec<_>>());
    assert_eq!(host.packages.refreshes, 0);
}

#[test]
fn a_stale_index_is_refreshed_and_the_plan_made_again() {
    let mut host = scene();
    host.packages.stale = true;
    let wanted = ensure("sf-web", ">=1, <2");
    // As an engine that knows nothing of preparing: the steps rest on the stale index.
    let planned = plan(&host, &wanted).unwrap();
    assert_eq!(told(Ok(planned.clone())), "install sf-web");
    let mut bucket = Nowhere;
    let mut turn =
        Turn { deadline: soon(), bucket: &mut bucket, kept: Vec::new(), download: &Echo };
    let step = &planned.steps[0];
    let step = Step { action: &step.action, changes: Vec::new(), disruptive: false };
    Package.apply(&wanted, &step, &mut host, &mut turn).unwrap();
    assert_eq!(installed(&host, "sf-web").as_deref(), Some("1.1-1"));
}

#[test]
fn one_bad_package_does_not_fail_the_rest() {
    let mut host = scene();
    let all = [
        ensure("sf-web", "present"),
        ensure("sf-broken", "present"),
        ensure("sf-nothing", "present"),
        ensure("sf-depends-missing", "present"),
        ensure("sf-tool", "present"),
    ];
    let results = run(&mut host, &all.iter().collect::<Vec<_>>());
    let reasons: Vec<String> = results
        .into_iter()
        .map(|result| result.err().map(|failure| failure.reason).unwrap_or_default())
        .collect();
    assert_eq!(reasons[0], "");
    assert!(reasons[1].contains("post-installation script"), "{}", reasons[1]);
    assert!(reasons[2].contains("no package source has it"), "{}", reasons[2]);
    assert!(reasons[3].contains("sf-nowhere"), "{}", reasons[3]);
    assert_eq!(reasons[4], "");
    // Repaired, a rerun finishes it.
    assert_eq!(host.packages.installed["sf-broken"].state, State::HalfConfigured);
    host.packages.index.iter_mut().for_each(|package| package.broken = false);
    converge(&mut host, &[&all[1]]);
}

#[test]
fn conflicting_wishes_fail_and_do_not_take_turns() {
    let mut host = scene();
    let all = [ensure("sf-tool", "present"), ensure("sf-conflict", "present")];
    let all: Vec<&Wanted> = all.iter().collect();
    for _ in 0..3 {
        let results = run(&mut host, &all);
        assert!(results[0].is_ok());
        let failure = results[1].as_ref().unwrap_err();
        assert!(failure.reason.contains("would remove sf-tool"), "{failure}");
        assert!(failure.hint.as_ref().unwrap().contains("the policy wants sf-tool as well"));
        assert!(installed(&host, "sf-tool").is_some());
        assert!(installed(&host, "sf-conflict").is_none());
    }
}

#[test]
fn one_package_takes_the_place_of_another() {
    let mut host = scene();
    host.packages.install("sf-tool", "1.0-1");
    for word in ["absent", "purged"] {
        let all = [ensure("sf-conflict", "present"), ensure("sf-tool", word)];
        converge(&mut host, &all.iter().collect::<Vec<_>>());
    }
    assert_eq!(host.packages.transactions.len(), 2);
    assert_eq!(host.packages.installed["sf-tool"].state, State::NotInstalled);
}

#[test]
fn removals_and_purges_in_one_batch() {
    let mut host = scene();
    for (name, version) in [("sf-tool", "1.0-1"), ("sf-web", "1.0-1"), ("sf-slow", "1.0-1")] {
        host.packages.install(name, version);
    }
    let all =
        [ensure("sf-tool", "absent"), ensure("sf-web", "purged"), ensure("sf-conflict", "present")];
    converge(&mut host, &all.iter().collect::<Vec<_>>());
    assert_eq!(host.packages.installed["sf-tool"].state, State::ConfigFiles);
    assert_eq!(host.packages.installed["sf-web"].state, State::NotInstalled);
    assert!(installed(&host, "sf-slow").is_some());
}

#[test]
fn nothing_is_removed_that_was_not_asked_for() {
    let mut host = scene();
    host.packages.install("sf-library", "1.0-1");
    host.packages.install("sf-application", "1.0-1");
    let library = ensure("sf-library", "absent");
    let results = run(&mut host, &[&library]);
    let failure = results[0].as_ref().unwrap_err();
    assert!(failure.reason.contains("would remove sf-application"), "{failure}");
    assert!(installed(&host, "sf-library").is_some());
    // Asked for both, in whatever order.
    let application = ensure("sf-application", "absent");
    converge(&mut host, &[&library, &application]);
}

#[test]
fn a_version_is_changed_and_then_held() {
    let mut host = scene();
    let held = |version: &str| {
        package("sf-web", &[("ensure", Value::text(version)), ("hold", Value::Boolean(true))])
    };
    converge(&mut host, &[&held("1.0-1")]);
    assert_eq!(host.packages.installed["sf-web"].selection, Selection::Hold);
    converge(&mut host, &[&held("1.1-1")]);
    assert!(host.packages.transactions.last().unwrap().options.allow_held);
    assert_eq!(host.packages.installed["sf-web"].selection, Selection::Hold);
    let lifted = package("sf-web", &[("hold", Value::Boolean(false))]);
    converge(&mut host, &[&lifted]);
    assert_eq!(host.packages.installed["sf-web"].selection, Selection::Install);
}

#[test]
fn options_divide_transactions() {
    let mut host = scene();
    let recommending = package("sf-web", &[("recommends", Value::Boolean(true))]);
    let options = Value::List(vec![Value::text("--no-upgrade")]);
    let special = package("sf-slow", &[("install_options", options)]);
    let all =
        [&recommending, &special, &ensure("sf-tool", "present"), &ensure("sf-debconf", "present")];
    converge(&mut host, &all);
    let mut sizes: Vec<usize> =
        host.packages.transactions.iter().map(|transaction| transaction.install.len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 1, 2]);
}

#[test]
fn answers_come_before_the_installation_and_never_after() {
    let mut host = scene();
    let table = Value::Table(vec![("sf-debconf/colour".into(), Value::text("green"))]);
    let wanted = package("sf-debconf", &[("responses", table)]);
    converge(&mut host, &[&wanted]);
    let operations = host.faults.operations();
    let place = |what: &str| operations.iter().position(|it| it.contains(what)).unwrap();
    assert!(place("preset answers") < place("transaction"));
    assert_eq!(host.packages.answers[0].value, "green");
    converge(&mut host, &[&wanted]);
    assert_eq!(host.packages.answers.len(), 1);
}

#[test]
fn package_files() {
    let digest = Value::text("0".repeat(64));
    let from = |name: &str, version: &str, url: &str| {
        let values = [
            ("ensure", Value::text(version)),
            ("source", Value::text(url)),
            ("sha256", digest.clone()),
        ];
        package(name, &values)
    };
    let mut host = scene();
    converge(&mut host, &[&from("sf-own", "3.0-1", "https://example.com/sf-own_3.0-1")]);
    assert_eq!(host.packages.refreshes, 0);
    let results = run(&mut host, &[&from("sf-own", "4.0-1", "https://example.com/sf-own_5.0-1")]);
    let failure = results[0].as_ref().unwrap_err();
    assert_eq!(failure.reason, "the package file has the version 5.0-1, not 4.0-1");
    let results = run(&mut host, &[&from("sf-mine", "present", "https://example.com/sf-own_5")]);
    let failure = results[0].as_ref().unwrap_err();
    assert_eq!(failure.reason, "the file is the package sf-own, not sf-mine");
    host.packages.local_files.insert("/srv/sf-own.deb".into(), FakePackage::new("sf-own", "6.0-1"));
    converge(&mut host, &[&from("sf-own", ">=6", "/srv/sf-own.deb")]);
    assert_eq!(installed(&host, "sf-own").as_deref(), Some("6.0-1"));
}

#[test]
fn wherever_it_fails_a_rerun_converges() {
    let table = Value::Table(vec![("sf-debconf/colour".into(), Value::text("green"))]);
    let hold = Value::Boolean(true);
    let all = [
        package("sf-web", &[("ensure", Value::text("1.1-1")), ("hold", hold)]),
        package("sf-debconf", &[("responses", table)]),
        ensure("sf-tool", "purged"),
        ensure("sf-conflict", "present"),
        package("sf-slow", &[("hold", Value::Boolean(false))]),
    ];
    let all: Vec<&Wanted> = all.iter().collect();
    let prepared = || {
        let mut host = scene();
        for (name, version) in [("sf-web", "1.0-1"), ("sf-tool", "1.0-1"), ("sf-slow", "1.0-1")] {
            host.packages.install(name, version);
            host.packages.tamper("sf-slow", |record| record.selection = Selection::Hold);
        }
        host
    };
    let mut whole = prepared();
    converge(&mut whole, &all);
    let operations = whole.faults.operations().len();
    assert!(operations >= 4, "{operations}");
    for index in 0..operations {
        let (mut host, _faults) = failing(prepared(), index);
        let _ = run(&mut host, &all);
        host.packages.begin_run();
        converge(&mut host, &all);
        for name in ["sf-web", "sf-slow", "sf-tool", "sf-conflict"] {
            let name = crate::host::packages::PackageName::parse(name).unwrap();
            assert_eq!(
                host.packages.package(&name).unwrap(),
                whole.packages.package(&name).unwrap()
            );
        }
    }
}
