use std::collections::BTreeSet;

use super::*;
use crate::report::{Counts, Outcome, Report, Revision, Scope};

fn snapshot() -> Snapshot {
    let counts = Counts { total: 4, in_sync: 2, drifted: 1, failed: 1, ..Counts::default() };
    Snapshot {
        now: 1_700_000_060.5,
        version: "1.2.3".to_owned(),
        audit: true,
        interval: 300.0,
        last_run: Some(LastRun {
            started: 1_700_000_000.25,
            duration: 1.5,
            outcome: Outcome::Failed,
            counts,
            applied: Applied {
                commit: "abc".to_owned(),
                committed: Some(1_600_000_000.0),
                verification: "none: \"believed\"\\\nas it is".to_owned(),
            },
            refused: true,
        }),
        totals: Totals { runs: 7, corrected: 3, succeeded: 1_690_000_000_500, ..Totals::default() },
        open_drift: 2,
        owed: 1,
        pause: Some(Period { since: 1_700_000_000.0, until: 1_700_000_360.5 }),
        rollback: None,
        answered: Some(1_699_999_999.0),
        failures: Some(4),
        left_alone: Some(2),
    }
}

#[test]
fn what_is_known_is_told() {
    let text = exposition(&snapshot());
    for line in [
        "# TYPE steadfast_runs_total counter",
        "steadfast_build_info{version=\"1.2.3\"} 1",
        "steadfast_audit_mode 1",
        "steadfast_interval_seconds 300",
        "steadfast_last_run_timestamp_seconds 1700000000.25",
        "steadfast_last_run_outcome{outcome=\"failed\"} 1",
        "steadfast_last_run_outcome{outcome=\"converged\"} 0",
        "steadfast_resources{state=\"in_sync\"} 2",
        "steadfast_last_success_timestamp_seconds 1690000000.5",
        "steadfast_revision_info{commit=\"abc\",verification=\"none: \\\"believed\\\"\\\\\\nas it is\"} 1",
        "steadfast_revision_verified 0",
        "steadfast_revision_refused 1",
        "steadfast_repository_answer_timestamp_seconds 1699999999",
        "steadfast_open_drift 2",
        "steadfast_repository_failures 4",
        "steadfast_resources_left_alone 2",
        "steadfast_owed_notifications 1",
        "steadfast_corrected_resources_total 3",
        "steadfast_order{order=\"pause\"} 1",
        "steadfast_order{order=\"rollback\"} 0",
        "steadfast_order_remaining_seconds{order=\"pause\"} 300",
        "steadfast_order_end_timestamp_seconds{order=\"rollback\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nin\n{text}");
    }
}

/// The names in `text` that look like metrics.
fn names(text: &str) -> BTreeSet<&str> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.split(|letter: char| !is_name(letter))
        .filter(|word| word.starts_with("steadfast_") && word.len() > "steadfast_".len())
        .collect()
}

#[test]
fn each_metric_has_one_head_and_is_there_from_the_first_moment() {
    let text = exposition(&snapshot());
    let heads: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let families: BTreeSet<&str> = heads.iter().copied().collect();
    assert_eq!(heads.len(), families.len());
    assert_eq!(families, names(&text));
    let blank = exposition(&Snapshot::default());
    let missing: Vec<&&str> = families.iter().filter(|name| !blank.contains(**name)).collect();
    let of_the_agent_alone = [
        &"steadfast_repository_answer_timestamp_seconds",
        &"steadfast_repository_failures",
        &"steadfast_resources_left_alone",
    ];
    assert_eq!(missing, of_the_agent_alone);
}

#[test]
fn rules_and_dashboard_name_only_what_there_is() {
    let known = exposition(&snapshot());
    let known = names(&known);
    for file in ["prometheus/steadfast.rules.yml", "prometheus/tests.yml", "grafana/steadfast.json"]
    {
        let path = format!("{}/../packaging/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap();
        let used = names(&text);
        let unknown: Vec<_> = used.difference(&known).collect();
        assert!(!used.is_empty() && unknown.is_empty(), "{file}: {unknown:?}");
    }
}

fn report(outcome: Outcome) -> Report {
    let mut report = crate::drift::tests::report("1", "2026-01-01T00:00:00.250Z", "enforce");
    report.outcome = outcome;
    report
}

#[test]
fn totals_come_together() {
    let mut totals = Totals::default();
    let mut run = report(Outcome::Corrected);
    run.counts = Counts { corrected: 2, changed: 1, ..Counts::default() };
    totals.add(&run, true);
    let first = totals;
    assert_eq!((first.runs, first.failed_runs, first.corrected, first.changed), (1, 0, 2, 1));
    assert_eq!(first.succeeded, 1_767_225_600_250);
    run.started = "2026-01-02T00:00:00.000Z".to_owned();
    // About a part only; with an older revision than the one that is wanted; failed.
    totals.add(&run, false);
    run.wanted = Some(Revision::default());
    totals.add(&run, true);
    run.wanted = None;
    run.outcome = Outcome::Failed;
    run.scope = Scope::Host;
    totals.add(&run, true);
    assert_eq!((totals.runs, totals.failed_runs), (4, 1));
    assert_eq!(totals.succeeded, first.succeeded);
}
