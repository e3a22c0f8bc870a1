//! What is not known about an example of a host, and what follows from that: no error is told, and no
//! value relied upon, that a real host may not have.
//!
//! Labels, custom facts, interfaces, mounts and disks differ from host to host. Data that rests on
//! them may be given by a layer that the example does not get. Everything else is as certain as on
//! a host: a misspelt fact, a wrong type, a template that fails.

use std::collections::BTreeSet;
use std::collections::HashSet;
use std::rc::Rc;

use minijinja::Error;
use minijinja::value::ValueKind;

use super::texts::{Locals, Outcome};
use super::{Evaluator, Frame};
use crate::expression::{Compiled, conjuncts, undefined_in};
use crate::parse::{Item, Module, Node};

/// What is not known.
#[derive(Debug, Default)]
pub(crate) struct Doubt {
    /// The labels.
    pub(crate) labels: bool,
    /// What every machine has its own of: its name, custom facts, interfaces, mounts, disks.
    pub(crate) machine: bool,
    /// Which data layers count. These dotted names are given by some of them.
    pub(crate) data: Option<Rc<BTreeSet<String>>>,
    /// What the users of the policy give it.
    pub(crate) parameters: bool,
}

/// Facts that hold one entry for each thing a machine has.
const ENTRIES: [&str; 4] = ["custom", "network", "mounts", "disks"];

/// Facts that tell one machine from all others.
const NAMES: [&str; 4] = ["hostname", "fqdn", "domain", "machine_id"];

/// The policies that evaluation came across.
#[derive(Debug, Default)]
pub(crate) struct Met {
    /// Those that were evaluated, alone or as modules.
    pub(crate) evaluated: BTreeSet<String>,
    /// Those that a host like this may use.
    pub(crate) possible: BTreeSet<String>,
}

impl Doubt {
    /// Whether the value at `name` may be another one on a real host like this.
    fn changes(&self, name: &str, locals: &Locals) -> bool {
        let (root, rest) = name.split_once('.').unwrap_or((name, ""));
        let first = rest.split('.').next().unwrap_or_default();
        match root {
            "labels" => self.labels,
            "facts" => self.machine && first == "custom",
            "params" => locals.doubtful.iter().any(|known| known == first),
            _ => false,
        }
    }

    /// Whether `name`, which `policy` asks for and which is not there, may be there on a real host.
    fn gives(&self, name: &str, policy: &str, locals: &Locals) -> bool {
        let (root, rest) = name.split_once('.').unwrap_or((name, ""));
        let first = rest.split('.').next().unwrap_or_default();
        match root {
            "labels" => self.labels,
            "facts" => self.machine && ENTRIES.contains(&first),
            "data" => self.data_gives(rest),
            "params" => {
                self.parameters
                    || locals.doubtful.iter().any(|known| known == first)
                    || self.data_gives(&format!("{policy}.{first}"))
            }
            _ => false,
        }
    }

    /// Whether some data layer gives `name`.
    pub(super) fn data_gives(&self, name: &str) -> bool {
        self.data.as_ref().is_some_and(|names| names.contains(name))
    }

    /// Whether something may come out otherwise because of `name`, as when it is a key to look up.
    fn touches(&self, name: &str, locals: &Locals) -> bool {
        let (root, rest) = name.split_once('.').unwrap_or((name, ""));
        let first = rest.split('.').next().unwrap_or_default();
        match root {
            "facts" => {
                self.machine
                    && (first.is_empty() || ENTRIES.contains(&first) || NAMES.contains(&first))
            }
            "data" => self.data.is_some(),
            "params" => self.parameters || self.changes(name, locals),
            _ => self.changes(name, locals),
        }
    }
}

impl Evaluator<'_> {
    /// Whether what `compiled` yields may be something else on a real host.
    pub(super) fn doubtful(&self, locals: &Locals, compiled: &Compiled<'_>, text: &str) -> bool {
        let Some(doubt) = &self.doubt else { return false };
        self.names(compiled, text).iter().any(|name| doubt.changes(name, locals))
    }

    /// Whether `error` may not come up on a real host.
    pub(super) fn excuses(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        compiled: &Compiled<'_>,
        text: &str,
        error: &Error,
    ) -> bool {
        let Some(doubt) = &self.doubt else { return false };
        match undefined_in(error).filter(|name| !name.contains('[')) {
            Some(name) if name.contains('.') => doubt.gives(&name, &frame.policy.name, locals),
            _ => self.names(compiled, text).iter().any(|name| doubt.touches(name, locals)),
        }
    }

    /// The same where the value as a whole is undefined and `missing` is the first name that is not
    /// there.
    pub(super) fn excuses_missing(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        compiled: &Compiled<'_>,
        text: &str,
        missing: Option<&str>,
    ) -> bool {
        let Some(doubt) = &self.doubt else { return false };
        match missing {
            Some(name) => doubt.gives(name, &frame.policy.name, locals),
            None => self.names(compiled, text).iter().any(|name| doubt.touches(name, locals)),
        }
    }

    fn names(&self, compiled: &Compiled<'_>, text: &str) -> Rc<HashSet<String>> {
        self.engine.names(compiled, text)
    }

    /// Whether the expression `item` holds; `None` where a real host may have another answer.
    pub(crate) fn possibility(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        item: &Item,
    ) -> Option<bool> {
        if let Node::Boolean(value) = item.node {
            return Some(value);
        }
        match self.bare(frame, locals, "when", item) {
            Ok(Outcome::Known(value)) if value.kind() == ValueKind::Bool => Some(value.is_true()),
            _ => self.refuted(locals, item).then_some(false),
        }
    }

    /// Whether one of the conditions that `item` joins with `and` certainly does not hold.
    fn refuted(&self, locals: &Locals, item: &Item) -> bool {
        let Node::Text(text) = &item.node else { return false };
        conjuncts(text).into_iter().any(|part| {
            let Ok(compiled) = self.engine.once(part) else { return false };
            !self.doubtful(locals, &compiled, part)
                && compiled
                    .run(&locals.value(), &self.engine.budget)
                    .is_ok_and(|value| value.kind() == ValueKind::Bool && !value.is_true())
        })
    }

    /// Notes that `module` may use the policy `name` on a host like this.
    pub(super) fn note_module(&self, frame: &Frame<'_>, module: &Module, name: &str) {
        if self.doubt.is_none() {
            return;
        }
        let never = module.when.as_ref().is_some_and(|when| {
            !self.uses(frame, when, "item")
                && self.possibility(frame, &frame.locals, when) == Some(false)
        });
        if !never {
            self.met.borrow_mut().possible.insert(name.to_owned());
        }
    }

    /// Notes that the policy `name` is evaluated.
    pub(super) fn note_evaluated(&self, name: &str) {
        if self.doubt.is_some() {
            self.met.borrow_mut().evaluated.insert(name.to_owned());
        }
    }
}
