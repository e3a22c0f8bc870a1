//! The history as people read it: lists of runs, the ledger of drift, the chain of reports.

use std::fmt::Write;

use jiff::Timestamp;
use steadfast_resources::Shown;

use super::plan_text::short;
use super::style::{Style, printable, printable_lines};
use super::table::{Cell, Cut, Paint, Table};
use crate::drift::{Ending, Episode};
use crate::report::{Counts, Outcome, ResourceState, RunSummary, Scope};
use crate::state::ChainCheck;

/// The most actors that a line names.
const NAMED: usize = 3;

/// The longest diff that is shown instead of digests, in lines that differ.
const DIFF_LINES: usize = 6;

/// Episodes as a table, each with who did it and what had drifted below it.
pub fn drift_text(episodes: &[Episode], style: Style, width: Option<usize>) -> String {
    let mut table = Table::new(&["STATE", "FIRST SEEN", "LASTED", "TIMES", "RESOURCE"])
        .right(&[2, 3])
        .flexible(&[(4, Cut::Middle)]);
    for episode in episodes {
        let (word, paint) = ending_word(episode);
        let mut below = String::new();
        if !episode.actors.is_empty() {
            let _ = writeln!(below, "    by {}", printable(&actors(episode)));
        }
        below.push_str(&episode_details(episode, "    ", style));
        table.row(
            vec![
                Cell::new(word).painted(paint),
                Cell::new(&moment(&episode.first_seen)),
                Cell::new(&lasted(episode)),
                Cell::new(&episode.recurrence.saturating_add(1).to_string()),
                Cell::new(&episode.reference()).painted(Paint::Strong),
            ],
            below,
        );
    }
    table.text(style, width)
}

/// One episode in a line, and what had drifted below it.
pub fn episode_text(episode: &Episode, style: Style) -> String {
    let (word, paint) = ending_word(episode);
    let word = match paint {
        Paint::Good => style.good(word),
        Paint::Bad => style.bad(word),
        _ => style.faint(word),
    };
    let mut text = format!("{word}  first seen {}", moment(&episode.first_seen));
    if let Some(end) = &episode.end {
        let _ = write!(text, ", ended {} by run {}", moment(&end.at), printable(&end.run));
    } else {
        let _ = write!(text, ", last seen {}", moment(&episode.last_seen));
    }
    if episode.seen > 1 {
        let _ = write!(text, ", in {} runs", episode.seen);
    }
    if episode.recurrence > 0 {
        let _ = write!(text, ", {} before it within a day of each other", episode.recurrence);
    }
    text.push('\n');
    if !episode.actors.is_empty() {
        let _ = writeln!(text, "  by {}", printable(&actors(episode)));
    }
    text.push_str(&episode_details(episode, "  ", style));
    text
}

fn episode_details(episode: &Episode, indent: &str, style: Style) -> String {
    let mut text = String::new();
    for change in &episode.changes {
        let property = printable(&change.property);
        let lines = change.diff.as_deref().map(diff_lines).unwrap_or_default();
        if !lines.is_empty() && lines.len() <= DIFF_LINES {
            let diff = style.diff(&printable_lines(&lines.join("\n")), &format!("{indent}  "));
            let _ = write!(text, "{indent}{property}:\n{diff}");
        } else {
            let value = |shown: &Shown| shortened_digest(&printable(&shown.to_string()));
            let _ = writeln!(
                text,
                "{indent}{property}: {} → {}",
                style.bad(value(&change.before)),
                style.good(value(&change.after))
            );
        }
    }
    if episode.changes.is_empty() {
        for step in &episode.steps {
            let _ = writeln!(text, "{indent}{}", printable(step));
        }
    }
    if let (Some(reason), true) = (&episode.reason, episode.is_open()) {
        let _ = writeln!(text, "{indent}{} {}", style.faint("not corrected:"), printable(reason));
    }
    text
}

/// The lines of a unified diff that differ.
fn diff_lines(diff: &str) -> Vec<&str> {
    let differs = |line: &&str| line.starts_with(['+', '-']);
    diff.lines().skip(2).filter(differs).collect()
}

/// A digest by its first digits: enough to tell it from others.
fn shortened_digest(text: &str) -> String {
    match text.strip_prefix("sha256:").and_then(|digits| digits.get(..12)) {
        Some(digits) => format!("sha256:{digits}…"),
        None => text.to_owned(),
    }
}

/// How long it lasted, or has lasted as far as anybody looked.
fn lasted(episode: &Episode) -> String {
    let end = episode.end.as_ref().map_or(&episode.last_seen, |end| &end.at);
    let (Ok(first), Ok(end)) = (episode.first_seen.parse::<Timestamp>(), end.parse::<Timestamp>())
    else {
        return "?".to_owned();
    };
    let seconds = end.duration_since(first).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn ending_word(episode: &Episode) -> (&'static str, Paint) {
    match (&episode.end, episode.state) {
        (None, ResourceState::Failed) => ("failing", Paint::Bad),
        (None, _) => ("open", Paint::Bad),
        (Some(end), _) => match end.how {
            Ending::Corrected => ("corrected", Paint::Good),
            Ending::Redeclared => ("redeclared", Paint::Faint),
            Ending::Resolved => ("resolved", Paint::Faint),
            Ending::Undeclared => ("undeclared", Paint::Faint),
        },
    }
}

fn actors(episode: &Episode) -> String {
    let mut names: Vec<String> =
        episode.actors.iter().take(NAMED).map(ToString::to_string).collect();
    if let Some(more) = episode.actors.len().checked_sub(NAMED).filter(|more| *more > 0) {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// How many of them are open, and how far they go back.
pub fn drift_summary(episodes: &[Episode], since: Option<&str>, style: Style) -> String {
    let open = episodes.iter().filter(|episode| episode.is_open()).count();
    let since = since.map(|since| format!(" since {}", moment(since))).unwrap_or_default();
    let noun = if episodes.len() == 1 { "episode" } else { "episodes" };
    let open = match open {
        0 => style.good("none of them open"),
        open => style.bad(format!("{open} open")),
    };
    if episodes.is_empty() {
        return format!("{}{since}\n", style.good("no drift"));
    }
    format!("{} {noun} of drift{since}: {open}\n", episodes.len())
}

/// Runs as a table.
pub fn runs_text(runs: &[RunSummary], style: Style, width: Option<usize>) -> String {
    let mut table =
        Table::new(&["RUN", "STARTED", "OUTCOME", "TOOK", "TRIGGER", "REVISION", "RESOURCES"])
            .right(&[3])
            .flexible(&[(5, Cut::End), (4, Cut::End), (6, Cut::End)]);
    for run in runs {
        let trigger = match (run.mode.as_str(), run.scope) {
            ("enforce", Scope::Host | Scope::Focus) => run.trigger.clone(),
            (mode, Scope::Host | Scope::Focus) => format!("{}, {mode}", run.trigger),
            (_, scope) => format!("{}, {}", run.trigger, scope.as_str()),
        };
        table.row(
            vec![
                Cell::new(short_run(&run.id)),
                Cell::new(&minute(&run.started)),
                Cell::new(run.outcome.as_str()).painted(outcome_paint(run.outcome)),
                Cell::new(&format!("{:.2} s", run.duration)),
                Cell::new(&trigger),
                Cell::new(run.commit.as_deref().map_or("", short)),
                Cell::new(&counts(&run.counts)),
            ],
            String::new(),
        );
    }
    table.text(style, width)
}

/// The part of a run's id that is enough to name it.
fn short_run(id: &str) -> &str {
    id.rsplit_once('-').map_or(id, |(_, random)| random)
}

fn outcome_paint(outcome: Outcome) -> Paint {
    match outcome {
        Outcome::Converged | Outcome::Changed => Paint::Good,
        Outcome::Corrected => Paint::Change,
        Outcome::Drifted => Paint::Uncertain,
        Outcome::Failed | Outcome::Interrupted | Outcome::Refused => Paint::Bad,
    }
}

fn counts(counts: &Counts) -> String {
    let parts: Vec<String> = [
        (counts.failed, "failed"),
        (counts.blocked, "blocked"),
        (counts.not_reached, "not reached"),
        (counts.drifted, "drifted"),
        (counts.corrected, "corrected"),
        (counts.changed, "changed"),
        (counts.notified, "notified"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    match parts.as_slice() {
        [] => format!("{} in sync", counts.in_sync),
        parts => format!("{} of {}", parts.join(", "), counts.total),
    }
}

/// What came of following the chain of reports.
pub fn chain_text(check: &ChainCheck, style: Style) -> String {
    let mut text = String::new();
    match &check.broken {
        None => {
            let whole = style.good("whole");
            let _ = writeln!(
                text,
                "{whole}: each of {} reports names the one before it",
                check.checked
            );
        }
        Some(broken) => {
            let place = match (&broken.run, &broken.started) {
                (Some(run), Some(started)) => {
                    format!("run {} of {} ", printable(run), moment(started))
                }
                _ => String::new(),
            };
            let _ = writeln!(text, "{}: {place}{}", style.bad("broken"), broken.problem);
            let _ = writeln!(text, "  followed    {} reports up to there", check.checked);
        }
    }
    for (word, run) in [("oldest", &check.oldest), ("newest", &check.newest)] {
        if let Some(run) = run {
            let _ = writeln!(text, "  {word}      {}", printable(run));
        }
    }
    if let Some(digest) = &check.digest {
        let _ = writeln!(text, "  its digest  {digest}");
    }
    text
}

/// A stored time, to the minute.
fn minute(time: &str) -> String {
    let moment = moment(time);
    match moment.strip_suffix('Z').and_then(|text| text.get(..16)) {
        Some(minute) => format!("{minute}Z"),
        None => moment,
    }
}

/// A stored time, to the second.
fn moment(time: &str) -> String {
    match (time.get(..10), time.get(11..19)) {
        (Some(date), Some(clock)) if time.ends_with('Z') => format!("{date} {clock}Z"),
        _ => printable(time),
    }
}
