//! What the worker is asked to do, and what it tells.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use steadfast_resources::Actor;

use super::event::Event;
use crate::report::{Override, Report};

/// One run.
#[derive(Debug, Default)]
pub(super) struct Job {
    /// Counts up within the life of the agent.
    pub(super) number: u64,
    /// What started it: `interval`, `event`, `push`, `manual`, `boot`.
    pub(super) trigger: &'static str,
    /// The names of the resources that are looked at; all of them where absent.
    pub(super) focus: Option<BTreeSet<Arc<str>>>,
    /// Who changed which resource.
    pub(super) actors: HashMap<Arc<str>, Actor>,
    /// Orders in force.
    pub(super) overrides: Vec<Override>,
    /// What the report should say that was known before.
    pub(super) messages: Vec<String>,
}

/// What the worker tells while it works.
pub(super) enum News {
    /// For those who follow.
    Event(Event),
    /// The job is done.
    Ended(Box<Ended>),
}

/// How a job ended.
pub(super) struct Ended {
    pub(super) number: u64,
    /// Whether it was about everything.
    pub(super) whole: bool,
    /// The report, without its resources. `None` where there was no run.
    pub(super) report: Option<Report>,
    /// Why there was none.
    pub(super) refused: Option<String>,
    /// Resources that are left alone because something else keeps changing them.
    pub(super) left_alone: Vec<String>,
    /// When the next of them is looked at again.
    pub(super) next_end: Option<Instant>,
}
