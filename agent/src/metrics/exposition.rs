//! A snapshot as text, in the format that Prometheus reads
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::Write;

use super::Snapshot;
use crate::report::Outcome;

/// Every outcome of a run.
const OUTCOMES: &[Outcome] = &[
    Outcome::Converged,
    Outcome::Changed,
    Outcome::Corrected,
    Outcome::Drifted,
    Outcome::Failed,
    Outcome::Interrupted,
    Outcome::Refused,
];

/// The metrics of `snapshot`.
pub fn exposition(snapshot: &Snapshot) -> String {
    let mut text = Text::default();
    about_agent(&mut text, snapshot);
    about_run(&mut text, snapshot);
    about_revision(&mut text, snapshot);
    about_history(&mut text, snapshot);
    about_orders(&mut text, snapshot);
    text.0
}

fn about_agent(text: &mut Text, snapshot: &Snapshot) {
    text.labelled(
        "steadfast_build_info",
        "The agent's version.",
        &[(&[("version", &snapshot.version)], 1.0)],
    );
    text.gauge(
        "steadfast_metrics_timestamp_seconds",
        "When these metrics were made.",
        snapshot.now,
    );
    text.gauge(
        "steadfast_audit_mode",
        "Whether the host is configured to change nothing.",
        flag(snapshot.audit),
    );
    text.gauge(
        "steadfast_interval_seconds",
        "How often the repository is asked, and the host looked at.",
        snapshot.interval,
    );
}

fn about_run(text: &mut Text, snapshot: &Snapshot) {
    let run = snapshot.last_run.as_ref();
    text.gauge(
        "steadfast_last_run_timestamp_seconds",
        "When the last run about the whole host began; 0 where there was none.",
        run.map_or(0.0, |run| run.started),
    );
    text.gauge(
        "steadfast_last_run_duration_seconds",
        "How long that run took.",
        run.map_or(0.0, |run| run.duration),
    );
    let outcome = run.map(|run| run.outcome);
    let outcomes: Vec<_> = OUTCOMES
        .iter()
        .map(|known| ([("outcome", known.as_str())], flag(outcome == Some(*known))))
        .collect();
    let outcomes: Vec<_> = outcomes.iter().map(|(label, value)| (&label[..], *value)).collect();
    text.labelled(
        "steadfast_last_run_outcome",
        "How that run ended: 1 for its outcome.",
        &outcomes,
    );
    let counts = run.map(|run| run.counts).unwrap_or_default();
    let states = counts.by_state();
    let states = states.map(|(state, count)| ([("state", state.as_str())], f64::from(count)));
    let states: Vec<_> = states.iter().map(|(label, count)| (&label[..], *count)).collect();
    text.labelled("steadfast_resources", "Resources by how they ended in that run.", &states);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit for ages")]
    let succeeded = snapshot.totals.succeeded as f64 / 1000.0;
    text.gauge(
        "steadfast_last_success_timestamp_seconds",
        "When the last run about the whole host began that went through with the revision that is \
         wanted; 0 where there was none.",
        succeeded,
    );
}

fn about_revision(text: &mut Text, snapshot: &Snapshot) {
    let applied = snapshot.last_run.as_ref().map(|run| run.applied.clone()).unwrap_or_default();
    let (commit, verification) = (applied.commit.as_str(), applied.verification.as_str());
    text.labelled(
        "steadfast_revision_info",
        "The commit that was applied last, and how far it was verified.",
        &[(&[("commit", commit), ("verification", verification)], 1.0)],
    );
    text.gauge(
        "steadfast_revision_timestamp_seconds",
        "When that commit was made; 0 where that is not known.",
        applied.committed.unwrap_or_default(),
    );
    text.gauge(
        "steadfast_revision_verified",
        "Whether that commit's signature was verified.",
        flag(!verification.is_empty() && !verification.starts_with("none")),
    );
    text.gauge(
        "steadfast_revision_refused",
        "Whether a newer revision could not be used, and an older one is enforced.",
        flag(snapshot.last_run.as_ref().is_some_and(|run| run.refused)),
    );
    if let Some(answered) = snapshot.answered {
        text.gauge(
            "steadfast_repository_answer_timestamp_seconds",
            "When the repository's server last answered.",
            answered,
        );
    }
    if let Some(failures) = snapshot.failures {
        text.gauge(
            "steadfast_repository_failures",
            "How often in a row the repository's server has not answered.",
            f64::from(failures),
        );
    }
}

fn about_history(text: &mut Text, snapshot: &Snapshot) {
    let totals = &snapshot.totals;
    text.gauge(
        "steadfast_open_drift",
        "Resources that have drifted and that nothing has put right.",
        f64::from(snapshot.open_drift),
    );
    if let Some(left_alone) = snapshot.left_alone {
        text.gauge(
            "steadfast_resources_left_alone",
            "Resources that are not corrected for a while, because something else keeps changing them.",
            f64::from(left_alone),
        );
    }
    text.gauge(
        "steadfast_owed_notifications",
        "Notifications (restarts, reloads) that could not be delivered yet.",
        f64::from(snapshot.owed),
    );
    for (name, help, count) in [
        ("steadfast_runs_total", "Runs that told anything.", totals.runs),
        (
            "steadfast_failed_runs_total",
            "Runs that failed, were refused or were cut off.",
            totals.failed_runs,
        ),
        (
            "steadfast_changed_resources_total",
            "Resources changed because their declarations had changed.",
            totals.changed,
        ),
        (
            "steadfast_corrected_resources_total",
            "Resources that had drifted and were corrected.",
            totals.corrected,
        ),
        ("steadfast_failed_resources_total", "Resources that failed.", totals.failed),
    ] {
        text.counter(name, help, count);
    }
}

fn about_orders(text: &mut Text, snapshot: &Snapshot) {
    let orders = [("pause", snapshot.pause), ("rollback", snapshot.rollback)];
    let kinds = orders.map(|(kind, _)| [("order", kind)]);
    let mut all = |name: &str, help: &str, value: &dyn Fn(super::Period) -> f64| {
        let samples: Vec<_> = kinds
            .iter()
            .zip(orders)
            .map(|(kind, (_, period))| (&kind[..], period.map_or(0.0, value)))
            .collect();
        text.labelled(name, help, &samples);
    };
    all("steadfast_order", "Whether an operator's order is in force.", &|_| 1.0);
    all("steadfast_order_start_timestamp_seconds", "When it began; 0 for none.", &|it| it.since);
    all("steadfast_order_end_timestamp_seconds", "When it ends; 0 for none.", &|it| it.until);
    all(
        "steadfast_order_remaining_seconds",
        "In how many seconds it ends, as of these metrics.",
        &|it| (it.until - snapshot.now).max(0.0),
    );
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// The labels of a sample and its value.
type Sample<'a> = (&'a [(&'a str, &'a str)], f64);

/// The text so far. Writing to a string cannot fail.
#[derive(Default)]
struct Text(String);

impl Text {
    fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.labelled(name, help, &[(&[], value)]);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "counter");
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn labelled(&mut self, name: &str, help: &str, samples: &[Sample<'_>]) {
        self.head(name, help, "gauge");
        for (labels, value) in samples {
            self.0.push_str(name);
            for (index, (label, text)) in labels.iter().enumerate() {
                let open = if index == 0 { '{' } else { ',' };
                let _ = write!(self.0, "{open}{label}=\"");
                self.escaped(text);
                self.0.push('"');
            }
            if !labels.is_empty() {
                self.0.push('}');
            }
            let _ = writeln!(self.0, " {value}");
        }
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn escaped(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                letter => self.0.push(letter),
            }
        }
    }
}
