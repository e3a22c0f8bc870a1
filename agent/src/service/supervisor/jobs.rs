//! What the worker is asked to do next, and what becomes of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Supervisor;
use crate::clock;
use crate::service::End;
use crate::service::event::Event;
use crate::service::job::{Ended, Job, News};
use crate::service::live::{LastRun, Running};
use crate::service::watching::Observed;
use crate::service::worker::Order;

/// How much longer than its timeout a run may take before it counts as hung: commands have
/// deadlines of their own, and are ended at the run's.
const HANG_PATIENCE: Duration = Duration::from_secs(120);

/// How long a job may take to begin: it waits for a run by hand to end, for two minutes.
const BEGIN_PATIENCE: Duration = Duration::from_secs(240);

/// How soon everything is looked at after a run that could not even begin.
const RETRY: Duration = Duration::from_secs(30);

impl Supervisor {
    /// A run about everything is due. Returns the number of its job.
    pub(super) fn want_run(&mut self, trigger: &'static str) -> u64 {
        self.pass_at = Instant::now() + self.host.settings.agent.interval;
        if let Some(waiting) = &mut self.whole {
            // Somebody who asks sees that in the report, whatever else comes.
            if trigger != "interval" && waiting.trigger != "manual" {
                waiting.trigger = trigger;
            }
            return waiting.number;
        }
        self.numbers += 1;
        let number = self.numbers;
        self.whole = Some(Job { number, trigger, ..Job::default() });
        self.tell(Event::Queued { job: number });
        number
    }

    /// Gives the worker its next job, if it has none.
    pub(super) fn dispatch(&mut self) {
        if self.current.is_some() || self.ending.is_some() {
            return;
        }
        let mut job = if let Some(whole) = self.whole.take() {
            // Whatever events concern is looked at as well.
            self.focus.clear();
            whole
        } else if !self.focus.is_empty() || self.truce_ended {
            self.numbers += 1;
            let trigger = if self.focus.is_empty() { "truce" } else { "event" };
            self.truce_ended &= trigger != "truce";
            let focus = Some(std::mem::take(&mut self.focus));
            Job { number: self.numbers, trigger, focus, ..Job::default() }
        } else {
            // Nobody waits for anything.
            if std::mem::take(&mut self.look_for_program) && self.program.is_replaced() {
                log::info!("the program was replaced: the agent starts anew");
                self.end(End::Replaced);
            }
            return;
        };
        job.actors = std::mem::take(&mut self.actors);
        job.overrides = self.overrides();
        job.polling = self.live.polling.clone();
        if let Some(failure) = &self.live.polling.failure {
            let since = self.live.polling.answered.as_deref().unwrap_or("the agent started");
            job.messages.push(format!("the repository has not answered since {since}: {failure}"));
        }
        if let Some(problem) = &self.live.configuration {
            job.messages.push(problem.clone());
        }
        self.current = Some((job.number, Instant::now() + BEGIN_PATIENCE));
        self.focused = job.focus.is_some() || job.trigger == "truce";
        self.live.running = Some(Running {
            trigger: job.trigger.to_owned(),
            since: clock::now(),
            total: 0,
            open: 0,
            done: 0,
        });
        if self.channels.orders.send(Order::Run(Box::new(job))).is_err() {
            log::error!("the worker is gone");
            self.end(End::Broken);
        }
    }

    pub(super) fn news(&mut self, news: News) {
        match news {
            News::Event(event) => {
                match (&event, &mut self.live.running) {
                    (Event::Planned { total, open, .. }, Some(running)) => {
                        running.total = *total;
                        running.open = *open;
                    }
                    (Event::Resource { .. }, Some(running)) => running.done += 1,
                    (Event::Begun { job, .. }, _) => {
                        let limit = self.host.settings.agent.run_timeout + HANG_PATIENCE;
                        self.current = Some((*job, Instant::now() + limit));
                    }
                    _ => {}
                }
                self.tell(event);
            }
            News::Ended(ended) => self.ended(*ended),
        }
    }

    /// The watcher has noticed something.
    pub(super) fn observed(&mut self, observed: Observed) {
        match observed {
            Observed::Changed { resources, actor } => {
                if let Some(actor) = actor {
                    for name in &resources {
                        self.actors.insert(Arc::clone(name), actor.clone());
                    }
                }
                self.focus.extend(resources);
            }
            Observed::Anything => {
                self.want_run("event");
            }
            Observed::Description(text) => self.live.watching = text,
        }
    }

    pub(super) fn ended(&mut self, ended: Ended) {
        self.current = None;
        self.live.running = None;
        self.live.left_alone = ended.left_alone;
        self.truce_ended |= self.truce_at.is_some_and(|at| at <= Instant::now());
        self.truce_at = ended.next_end;
        match &ended.report {
            Some(report) if ended.whole => {
                self.live.last_run = Some(LastRun::from(report));
                self.live.last_event = None;
                self.live.messages.clone_from(&report.messages);
            }
            Some(report) if !report.is_nothing() => {
                self.live.last_event = Some(LastRun::from(report));
            }
            _ => {}
        }
        self.live.problem.clone_from(&ended.refused);
        if ended.refused.is_some() {
            // Also what an event concerned has not been looked at.
            self.pass_at = self.pass_at.min(Instant::now() + RETRY);
        }
        self.tell(Event::Ended {
            job: ended.number,
            report: ended.report.map(Box::new),
            refused: ended.refused,
        });
        self.look_for_program = true;
    }
}
