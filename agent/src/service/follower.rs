//! What the worker's runs tell while they go.

use std::time::Duration;

use steadfast_policies::Catalog;
use tokio::sync::mpsc::UnboundedSender;

use super::event::Event;
use super::job::News;
use crate::engine::{Entry, Plan, Progress};
use crate::report::ResourceReport;
use crate::source::{RevisionId, Source};

/// Passes a run's progress on, and makes its revision the one in force before anything is changed.
pub(super) struct Follower<'a> {
    job: u64,
    news: &'a UnboundedSender<News>,
    in_force: Option<(&'a Source, RevisionId)>,
}

impl<'a> Follower<'a> {
    pub(super) fn new(
        job: u64,
        news: &'a UnboundedSender<News>,
        in_force: Option<(&'a Source, RevisionId)>,
    ) -> Self {
        Self { job, news, in_force }
    }

    fn tell(&self, event: Event) {
        let _ = self.news.send(News::Event(event));
    }
}

impl Progress for Follower<'_> {
    fn planned(&mut self, catalog: &Catalog, plan: &Plan) -> bool {
        if let Some((source, id)) = self.in_force
            && !matches!(source.good(), Ok(Some(good)) if good == id)
            && let Err(error) = source.mark_good(id)
        {
            log::warn!("{id} is applied and cannot be remembered as the last good one: {error}");
        }
        let settled = |entry: &&Entry| {
            matches!(entry, Entry::InSync(_) | Entry::Skipped(_) | Entry::NotLookedAt)
        };
        self.tell(Event::Planned {
            job: self.job,
            total: catalog.resources.len(),
            open: plan.entries.iter().filter(|entry| !settled(entry)).count(),
            commit: self.in_force.map(|(_, id)| id.to_string()),
        });
        true
    }

    fn finished(&mut self, resource: &ResourceReport) {
        self.tell(Event::Resource { job: self.job, resource: Box::new(resource.clone()) });
    }

    fn phase(&mut self, _name: &'static str, _took: Duration) {}
}
