//! A plan's steps as data: the text a person reads, the JSON a program reads, and what the executor
//! runs are one thing.

use std::any::Any;
use std::borrow::Cow;
use std::fmt::{self, Debug, Display};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// What a kind does to the machine in one step. `Display` is the line a person reads
/// ("write /etc/motd (24 bytes)"); serialisation must not contain secrets or whole contents.
pub trait Action: Display + Debug + Serialize + Send + Sync + 'static {}

/// One value before or after a change, as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// The value.
    Value(String),
    /// There is no such thing.
    Absent,
    /// There is a value that must not be shown.
    Redacted,
}

impl Shown {
    /// A value that may be shown.
    pub fn value(value: impl Display) -> Self {
        Self::Value(value.to_string())
    }
}

impl Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => formatter.write_str(value),
            Self::Absent => formatter.write_str("(absent)"),
            Self::Redacted => formatter.write_str("(redacted)"),
        }
    }
}

/// A property that a step changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The property, by its attribute's name (`mode`, `content`, `ensure`).
    pub property: Cow<'static, str>,
    /// The value found.
    pub before: Shown,
    /// The value wanted.
    pub after: Shown,
    /// A unified diff of contents, where it may be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

impl Change {
    /// A change of `property` without diff.
    pub fn new(property: impl Into<Cow<'static, str>>, before: Shown, after: Shown) -> Self {
        Self { property: property.into(), before, after, diff: None }
    }
}

/// One step of a plan: what is done, and which properties that changes.
#[derive(Debug, Clone, Serialize)]
pub struct Step<A> {
    /// What is done.
    pub action: A,
    /// Which properties that changes; empty only for steps that serve another (daemon-reload).
    pub changes: Vec<Change>,
    /// Whether it interrupts something in use (restart, stop, removal, reboot).
    pub disruptive: bool,
}

impl<A> Step<A> {
    /// A step that interrupts nothing.
    pub fn new(action: A, changes: Vec<Change>) -> Self {
        Self { action, changes, disruptive: false }
    }

    /// A step that interrupts something in use.
    pub fn disruptive(action: A, changes: Vec<Change>) -> Self {
        Self { action, changes, disruptive: true }
    }
}

/// What a kind plans for one resource.
#[derive(Debug, Clone)]
pub struct Planned<A> {
    /// The steps, in order; none means in sync.
    pub steps: Vec<Step<A>>,
    /// Why the steps may turn out otherwise: they rest on what another resource's pending steps
    /// will provide. Only while planning; when a resource's turn has come nothing is conditional.
    pub condition: Option<String>,
    /// Anything a person should know although nothing is to be done about it.
    pub notes: Vec<String>,
}

impl<A> Planned<A> {
    /// Nothing to do.
    pub fn in_sync() -> Self {
        Self { steps: Vec::new(), condition: None, notes: Vec::new() }
    }

    /// These steps.
    pub fn steps(steps: Vec<Step<A>>) -> Self {
        Self { steps, condition: None, notes: Vec::new() }
    }

    /// The same plan, resting on `condition`.
    #[must_use]
    pub fn conditional(mut self, condition: impl Into<String>) -> Self {
        self.condition = Some(condition.into());
        self
    }

    /// The same plan with a note.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// A step whose kind is not known by type; what plans and the executor hold.
#[derive(Debug)]
pub struct AnyStep {
    action: Box<dyn AnyAction>,
    /// Which properties the step changes.
    pub changes: Vec<Change>,
    /// Whether it interrupts something in use.
    pub disruptive: bool,
}

trait AnyAction: Debug + Send + Sync {
    fn summary(&self) -> String;
    fn json(&self) -> Result<serde_json::Value, serde_json::Error>;
    fn as_any(&self) -> &dyn Any;
}

impl<A: Action> AnyAction for A {
    fn summary(&self) -> String {
        self.to_string()
    }
    fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self)
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl AnyStep {
    /// Forgets the kind of a step.
    pub fn erase<A: Action>(step: Step<A>) -> Self {
        Self { action: Box::new(step.action), changes: step.changes, disruptive: step.disruptive }
    }

    /// The line a person reads.
    pub fn summary(&self) -> String {
        self.action.summary()
    }

    /// The action as JSON.
    pub fn action_json(&self) -> serde_json::Value {
        self.action.json().unwrap_or_else(|error| serde_json::Value::String(error.to_string()))
    }

    /// The action, for the kind that made it.
    pub(crate) fn action<A: Action>(&self) -> Result<&A, Failure> {
        self.action
            .as_any()
            .downcast_ref()
            .ok_or_else(|| Failure::new("a step was handed to a kind that did not plan it"))
    }
}
