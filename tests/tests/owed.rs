//! A notification that is owed is never lost: whatever fails, wherever, however often it is tried.

use std::collections::BTreeMap;

use steadfast::engine::Selection;
use steadfast::report::{Outcome, ResourceState};
use steadfast_resources::host::FakeHost;
use steadfast_tests::conformance::{Bench, policy_catalog};

fn files(content: &str) -> BTreeMap<String, String> {
    ["tree/a", "tree/b", "tree/sub/c"]
        .into_iter()
        .map(|path| (path.to_owned(), content.to_owned()))
        .collect()
}

fn policy(retries: u32) -> String {
    format!(
        "[file.\"/srv/tree\"]\nsource = \"tree\"\nnotify = \"service.sf-web\"\nretries = {retries}\n\
         [service.sf-web]\nensure = \"running\"\n"
    )
}

fn restarts(operations: &[String]) -> usize {
    operations.iter().filter(|operation| operation.to_lowercase().contains("restart")).count()
}

/// From each operation on everything fails, for a while. Whenever anything of the tree has changed,
/// exactly one restart follows once things work again; when nothing has, none does in that run.
#[test]
fn a_restart_survives_failures_from_any_operation_on() {
    for retries in 0..=1 {
        for operation in 0.. {
            let mut host = FakeHost::scene();
            let faults = host.faults.clone();
            let mut bench = Bench::new(&mut host);
            let before = policy_catalog(&files("old"), &policy(retries)).expect("a policy");
            assert_ne!(bench.run(&before).outcome, Outcome::Failed);

            let after = policy_catalog(&files("new"), &policy(retries)).expect("a policy");
            faults.fail_from(operation);
            let report = bench.run(&after);
            let done = faults.operations().len();
            faults.relent();
            if report.outcome != Outcome::Failed {
                assert!(operation > 2, "nothing was injected");
                break;
            }
            let place = format!("retries {retries}, from operation {operation} of {done}");

            let report = bench.run(&after);
            assert_ne!(report.outcome, Outcome::Failed, "{place}: {report:?}");
            assert_eq!(restarts(&faults.operations()), 1, "{place}: {:?}", faults.operations());
            assert!(bench.state.owed().expect("the state").is_empty(), "{place}");
            assert_eq!(bench.run(&after).outcome, Outcome::Converged, "{place}");
        }
    }
}

/// A run that was told to leave the target out delivers nothing to it, and owes it all the same.
#[test]
fn a_target_that_is_not_selected_is_still_owed_its_restart() {
    let mut host = FakeHost::scene();
    let faults = host.faults.clone();
    let mut bench = Bench::new(&mut host);
    let before = policy_catalog(&files("old"), &policy(0)).expect("a policy");
    assert_ne!(bench.run(&before).outcome, Outcome::Failed);

    let after = policy_catalog(&files("new"), &policy(0)).expect("a policy");
    let only = |tag: &str| Selection { tags: vec![tag.to_owned()], ..Selection::default() };
    let report = bench.run_selected(&after, only("file"));
    assert_eq!(report.outcome, Outcome::Drifted, "{report:?}");
    assert_eq!((report.counts.changed, report.counts.skipped), (1, 1));
    let skipped: Vec<&str> = report
        .resources
        .iter()
        .filter(|resource| resource.state == ResourceState::Skipped)
        .filter_map(|resource| resource.reason.as_deref())
        .collect();
    assert_eq!(skipped, ["not selected by --tags file"]);
    assert_eq!(report.owed.len(), 1);
    assert_eq!(restarts(&faults.operations()), 0, "{:?}", faults.operations());

    let report = bench.run_selected(&after, only("service"));
    assert_eq!(report.counts.notified, 1, "{report:?}");
    assert_eq!(restarts(&faults.operations()), 1, "{:?}", faults.operations());
    assert_eq!(bench.run(&after).outcome, Outcome::Converged);
}
