//! What operators ask of the running agent.

use super::Supervisor;
use crate::clock;
use crate::metrics::Resident;
use crate::report::{Override, OverrideKind};
use crate::service::control::{Answered, Command, Measured, Request};
use crate::service::live::Live;
use crate::state::{State, StateError};

impl Supervisor {
    /// Does what somebody asks.
    pub(super) fn command(&mut self, command: Command) {
        let Command { request, answer } = command;
        let answered = match request {
            Request::Status => Answered::Status(Box::new(self.status())),
            Request::Metrics => Answered::Metrics(Box::new(self.measured())),
            Request::Run => Answered::Job(self.want_run("manual")),
            Request::Order(order) => self.order(&order),
            Request::End(kind) => self.end_order(kind),
        };
        // Who asked may have gone.
        let _ = answer.send(answered);
    }

    /// The agent as it is now.
    fn status(&mut self) -> Live {
        self.end_orders();
        let now = std::time::Instant::now();
        self.live.polling.next = self.poll_at.map(|at| at.saturating_duration_since(now).as_secs());
        self.live.clone()
    }

    /// What metrics are made of.
    fn measured(&self) -> Measured {
        let left_alone = u32::try_from(self.live.left_alone.len()).unwrap_or(u32::MAX);
        Measured {
            settings: self.host.settings.clone(),
            state_directory: self.options.state_directory.clone(),
            resident: Resident { polling: self.live.polling.clone(), left_alone },
        }
    }

    /// Remembers what was ordered before the agent started.
    pub(super) fn load_orders(&mut self) {
        match self.state().and_then(|state| state.overrides(&clock::now())) {
            Ok(orders) => self.live.overrides = orders,
            Err(error) => log::warn!("what an operator has ordered cannot be read: {error}"),
        }
    }

    /// The orders in force: from here on only this agent gives and ends them.
    pub(super) fn overrides(&self) -> Vec<Override> {
        let now = clock::now();
        self.live.overrides.iter().filter(|order| order.until > now).cloned().collect()
    }

    /// When the next of them ends by itself.
    pub(super) fn orders_end(&self) -> Option<std::time::Instant> {
        let ends = self.live.overrides.iter().filter_map(|order| clock::until(&order.until));
        ends.min().map(|left| std::time::Instant::now() + left)
    }

    /// Notices orders that have ended by themselves: the host is brought in order again.
    pub(super) fn end_orders(&mut self) {
        if self.live.overrides.is_empty() {
            return;
        }
        let now = self.overrides();
        let before = std::mem::replace(&mut self.live.overrides, now.clone());
        for ended in before.iter().filter(|order| !now.contains(order)) {
            log::info!("{} has ended: {}", named(ended.kind), ended.reason);
            self.want_run("interval");
        }
    }

    fn order(&mut self, order: &Override) -> Answered {
        if let Err(error) = self.state().and_then(|state| state.put_override(order)) {
            return Answered::Failed(error.to_string());
        }
        log::warn!("{} by {} until {}: {}", named(order.kind), order.by, order.until, order.reason);
        self.live.overrides.retain(|other| other.kind != order.kind);
        self.live.overrides.push(order.clone());
        if order.kind == OverrideKind::Pause {
            // What is at work is let finish; everything after it only looks.
            return Answered::Done;
        }
        Answered::Job(self.want_run("manual"))
    }

    fn end_order(&mut self, kind: OverrideKind) -> Answered {
        let cleared = self.state().and_then(|state| state.clear_override(kind));
        let held = self.live.overrides.iter().any(|order| order.kind == kind);
        self.live.overrides.retain(|order| order.kind != kind);
        match cleared {
            Ok(kept) if kept || held => {
                log::info!("{} is over", named(kind));
                Answered::Job(self.want_run("manual"))
            }
            Ok(_) => Answered::Nothing,
            Err(error) => {
                self.want_run("manual");
                let reason = steadfast_resources::Failure::from_error(&error).reason;
                Answered::Failed(format!(
                    "{} is over, but comes back when the agent starts anew: {reason}",
                    named(kind)
                ))
            }
        }
    }

    fn state(&self) -> Result<State, StateError> {
        State::open_for_run(&self.host.root, &self.host.state_directory)
    }
}

fn named(kind: OverrideKind) -> &'static str {
    match kind {
        OverrideKind::Pause => "a pause",
        OverrideKind::Rollback => "a rollback",
    }
}
