//! What is due, and what happens then.

use std::time::{Duration, Instant};

use super::Supervisor;
use crate::config::Settings;
use crate::report::{Outcome, Report, Revision, Scope};
use crate::service::fetching::Question;
use crate::service::worker::Order;
use crate::service::{End, ServiceError, systemd};
use crate::state::{Retention, State};

/// The longest sleep: clocks and overrides are looked at now and then in any case.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

impl Supervisor {
    /// When the next thing is due.
    pub(super) fn next_timer(&self) -> Instant {
        let longest = Instant::now() + LONGEST_SLEEP.min(self.watchdog.unwrap_or(LONGEST_SLEEP));
        let deadline = self.current.map(|(_, deadline)| deadline);
        if let Some((_, patience)) = self.ending {
            // Nothing else is done any more.
            return deadline.into_iter().chain(patience).fold(longest, Instant::min);
        }
        [self.poll_at, Some(self.pass_at), self.truce_at, deadline, self.orders_end()]
            .into_iter()
            .flatten()
            .fold(longest, Instant::min)
    }

    /// Does what is due.
    pub(super) fn timers(&mut self) -> Result<(), ServiceError> {
        let now = Instant::now();
        if let Some((_, deadline)) = self.current
            && now >= deadline
        {
            return Err(self.hung());
        }
        if self.ending.is_some() {
            return Ok(());
        }
        self.end_orders();
        if self.poll_at.is_some_and(|at| at <= now) {
            self.poll();
        }
        // Whether the server answers or not.
        if self.pass_at <= now {
            self.want_run("interval");
        }
        if self.truce_at.is_some_and(|at| at <= now) {
            self.truce_at = None;
            self.truce_ended = true;
        }
        self.look_for_program = true;
        Ok(())
    }

    /// Asks the server.
    pub(super) fn poll(&mut self) {
        let Some(settings) = self.host.source() else { return };
        if self.host.demands_signatures() {
            // The worker refuses, and its report says why.
            self.want_run("interval");
            self.poll_at = Some(self.pass_at);
            return;
        }
        self.poll_at = None;
        let store = self.host.store_directory(&settings.url, true);
        if self.channels.questions.send(Question { settings, store }).is_err() {
            log::error!("the thread that fetches is gone");
            self.end(End::Broken);
        }
    }

    /// Reads the configuration again. One that is wrong is not used.
    pub(super) fn reload(&mut self) {
        systemd::reloading();
        match Settings::load(&self.options.config_directory) {
            Ok(settings) if settings.repository.is_none() => {
                self.keep_settings("it names no repository");
            }
            Ok(settings) => {
                log::info!("the configuration was read again");
                self.live.configuration = None;
                let agent = &settings.agent;
                if agent.watch != self.host.settings.agent.watch {
                    // The watcher comes and goes with the process.
                    self.end(End::Replaced);
                    return;
                }
                self.schedule.change(agent.interval, agent.splay);
                self.host.settings = settings.clone();
                self.describe_settings();
                if self.channels.orders.send(Order::Settings(Box::new(settings))).is_err() {
                    self.end(End::Broken);
                }
                if self.poll_at.is_some() {
                    self.poll_at = Some(Instant::now());
                }
                self.want_run("interval");
            }
            Err(error) => {
                let reason = steadfast_resources::Failure::from_error(&error).reason;
                self.keep_settings(&reason);
            }
        }
        systemd::ready();
    }

    fn keep_settings(&mut self, reason: &str) {
        let problem = format!("the configuration on disk is not used, the one before is: {reason}");
        log::error!("{problem}");
        self.live.configuration = Some(problem);
    }

    /// A run has not ended in its time. Its thread cannot be ended alone: the process is, and
    /// systemd starts the agent again. The report says so first.
    fn hung(&mut self) -> ServiceError {
        let running = self.live.running.as_ref();
        let trigger = running.map_or("interval", |running| running.trigger.as_str()).to_owned();
        let since = running.map(|running| running.since.clone()).unwrap_or_default();
        let done = running.map_or(0, |running| running.done);
        let reason = format!(
            "the run that began at {since} has not ended within {} and was killed, after {done} \
             resources had had their turn; the agent was started anew",
            crate::output::short_duration(self.host.settings.agent.run_timeout)
        );
        log::error!("{reason}");
        let revision =
            self.live.last_run.as_ref().map_or_else(Revision::default, |run| run.revision.clone());
        match State::open_for_run(&self.host.root, &self.host.state_directory) {
            Ok(state) => {
                let refusal = crate::engine::Refusal {
                    reasons: std::slice::from_ref(&reason),
                    revision,
                    host: self.host.host_name(),
                    trigger: &trigger,
                    scope: if self.focused { Scope::Focus } else { Scope::Host },
                    audit: self.host.audit(),
                    overrides: self.overrides(),
                };
                let report = Report { outcome: Outcome::Interrupted, ..refusal.report(&state) };
                let reports = &self.host.settings.reports;
                let retention = Retention::new(reports.keep_runs, reports.keep_days);
                if let Err(error) = state.keep_report(&report, None, &retention) {
                    log::error!("the report of that is not kept: {error}");
                }
                crate::journal::tell(&report);
            }
            Err(error) => log::error!("the report of that is not kept: {error}"),
        }
        ServiceError::Hung(reason)
    }
}
