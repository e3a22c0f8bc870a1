//! What the page shows, no more than its bounds.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use steadfast_resources::Change;

use crate::drift::Episode;
use crate::report::{Outcome, Report, ResourceReport, ResourceState, RunSummary, Scope};

/// How much a page holds.
#[derive(Debug, Clone, Copy)]
pub struct PageLimits {
    /// Runs, a line each.
    pub runs: usize,
    /// Episodes of drift.
    pub episodes: usize,
    /// Runs whose resources are told.
    pub details: usize,
    /// Bytes of one difference.
    pub diff: usize,
    /// Bytes of all differences and messages together.
    pub bytes: usize,
}

impl Default for PageLimits {
    fn default() -> Self {
        Self { runs: 10_000, episodes: 5_000, details: 500, diff: 16 << 10, bytes: 6 << 20 }
    }
}

/// Everything that a page shows.
#[derive(Debug, Serialize)]
pub struct PageData {
    host: String,
    written: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    version: &'static str,
    /// How many episodes there are, shown or not.
    total_episodes: usize,
    /// How many of them are open.
    open: usize,
    /// How many runs there are, shown or not.
    total_runs: usize,
    episodes: Vec<ShownEpisode>,
    runs: Vec<RunRow>,
    /// Commit and subject of the revisions that `runs` name by number.
    revisions: Vec<(String, String)>,
    details: BTreeMap<String, Details>,
    #[serde(skip)]
    limits: PageLimits,
    #[serde(skip)]
    bytes_left: usize,
}

#[derive(Debug, Serialize)]
struct ShownEpisode {
    #[serde(flatten)]
    episode: Episode,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    clipped: bool,
}

/// Id, start, seconds, outcome, trigger, mode, scope, number of the revision, counts.
type RunRow = (String, String, f64, Outcome, String, String, Scope, Option<usize>, [u32; 10]);

#[derive(Debug, Default, Serialize)]
struct Details {
    messages: Vec<String>,
    resources: Vec<ShownResource>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    clipped: bool,
}

#[derive(Debug, Serialize)]
struct ShownResource {
    kind: String,
    title: String,
    state: ResourceState,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Change>,
}

impl PageData {
    /// The page of these runs and episodes, the newest first, written at this time. Episodes that
    /// are open come before all others.
    pub fn new(
        runs: &[RunSummary],
        mut episodes: Vec<Episode>,
        since: Option<String>,
        written: String,
        limits: PageLimits,
    ) -> Self {
        let total_episodes = episodes.len();
        let open = episodes.iter().filter(|episode| episode.is_open()).count();
        episodes.sort_by_key(|episode| !episode.is_open());
        episodes.truncate(limits.episodes);
        let mut revisions = Revisions::default();
        let rows = runs.iter().take(limits.runs).map(|run| row(run, &mut revisions)).collect();
        let mut page = Self {
            host: String::new(),
            written,
            since,
            version: env!("CARGO_PKG_VERSION"),
            total_episodes,
            open,
            total_runs: runs.len(),
            episodes: Vec::with_capacity(episodes.len()),
            runs: rows,
            revisions: revisions.list,
            details: BTreeMap::new(),
            limits,
            bytes_left: limits.bytes,
        };
        for mut episode in episodes {
            let clipped = page.clip(&mut episode.changes);
            page.episodes.push(ShownEpisode { episode, clipped });
        }
        page
    }

    /// Adds what a run did to its resources. Answers whether there is room for more.
    pub fn add(&mut self, report: Report) -> bool {
        if self.host.is_empty() {
            self.host.clone_from(&report.host);
        }
        let mut details = Details::default();
        for message in report.messages {
            details.clipped |= !self.pay(message.len());
            if !details.clipped {
                details.messages.push(message);
            }
        }
        for resource in report.resources {
            let ResourceReport { kind, title, state, reason, mut changes, .. } = resource;
            if matches!(state, ResourceState::InSync | ResourceState::Skipped) {
                continue;
            }
            let size = kind.len() + title.len() + reason.as_ref().map_or(0, String::len) + 64;
            if !self.pay(size) {
                details.clipped = true;
                break;
            }
            details.clipped |= self.clip(&mut changes);
            details.resources.push(ShownResource { kind, title, state, reason, changes });
        }
        if !details.resources.is_empty() || !details.messages.is_empty() {
            self.details.insert(report.id, details);
        }
        self.details.len() < self.limits.details && self.bytes_left > 0
    }

    /// The host's name, as the newest report has it.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Cuts differences that are too long, and leaves out those for which there is no room.
    fn clip(&mut self, changes: &mut [Change]) -> bool {
        let mut clipped = false;
        for change in changes {
            let Some(diff) = &mut change.diff else { continue };
            if diff.len() > self.limits.diff {
                let fits = |end: &usize| diff.is_char_boundary(*end);
                let end = (0..=self.limits.diff).rev().find(fits).unwrap_or(0);
                diff.truncate(end);
                clipped = true;
            }
            if !self.pay(diff.len()) {
                change.diff = None;
                clipped = true;
            }
        }
        clipped
    }

    fn pay(&mut self, bytes: usize) -> bool {
        let left = self.bytes_left.checked_sub(bytes);
        self.bytes_left = left.unwrap_or(0);
        left.is_some()
    }
}

#[derive(Debug, Default)]
struct Revisions {
    list: Vec<(String, String)>,
    known: HashMap<String, usize>,
}

impl Revisions {
    fn number(&mut self, commit: &str, subject: &str) -> usize {
        *self.known.entry(commit.to_owned()).or_insert_with(|| {
            self.list.push((commit.to_owned(), subject.to_owned()));
            self.list.len() - 1
        })
    }
}

fn row(run: &RunSummary, revisions: &mut Revisions) -> RunRow {
    let subject = run.subject.as_deref().unwrap_or_default();
    let revision = run.commit.as_deref().map(|commit| revisions.number(commit, subject));
    let counts = run.counts;
    let [in_sync, changed, corrected, drifted, failed, blocked, skipped, not_reached] =
        counts.by_state().map(|(_, count)| count);
    (
        run.id.clone(),
        run.started.clone(),
        (run.duration * 100.0).round() / 100.0,
        run.outcome,
        run.trigger.clone(),
        run.mode.clone(),
        run.scope,
        revision,
        [
            counts.total,
            in_sync,
            changed,
            corrected,
            drifted,
            failed,
            blocked,
            skipped,
            not_reached,
            counts.notified,
        ],
    )
}
