//! Bringing policies in: each once for the host, however many assign or include it, and what it
//! includes before it.

use std::rc::Rc;

use super::Evaluator;
use super::load::Policies;
use super::parameters::Argument;
use crate::diagnostics::{Code, Spot};
use crate::parse::Policy;

/// How deep includes may nest. (Policies that include each other are no depth: each comes once.)
const MAXIMUM_DEPTH: usize = 100;

/// A policy that a host gets.
#[derive(Clone)]
pub(crate) struct Assigned {
    pub(crate) policy: Rc<Policy>,
    /// Where it is assigned first.
    pub(crate) spot: Spot,
    /// What the assignments give it; later ones win.
    pub(crate) arguments: Vec<Argument>,
    /// The tags that the assignments give to its resources.
    pub(crate) tags: Vec<String>,
}

impl Evaluator<'_> {
    /// Adds what the assigned policies declare, and what they include.
    pub(crate) fn bring_in_assigned(&mut self, policies: &Policies<'_>, assigned: Vec<Assigned>) {
        self.assigned = assigned;
        for index in 0..self.assigned.len() {
            let Some(assigned) = self.assigned.get(index) else { break };
            let (policy, spot) = (Rc::clone(&assigned.policy), assigned.spot);
            self.bring_in(policies, &policy, Some(spot));
        }
    }

    /// Adds what `policy` declares, unless it is already there. `user` is where it is asked for.
    pub(crate) fn bring_in(
        &mut self,
        policies: &Policies<'_>,
        policy: &Rc<Policy>,
        user: Option<Spot>,
    ) {
        if self.brought_in.contains(&policy.name) {
            return;
        }
        self.brought_in.push(policy.name.clone());
        self.includes(policies, policy);
        let found = self.assigned.iter().find(|known| Rc::ptr_eq(&known.policy, policy));
        let (arguments, tags, spot) = match found.cloned() {
            Some(assigned) => (assigned.arguments, assigned.tags, Some(assigned.spot)),
            None => (Vec::new(), Vec::new(), user),
        };
        self.policy(policies, policy, &arguments, &tags, spot);
    }

    /// Brings in what `policy` includes. When checking, every policy is looked at in any case: then
    /// only the names are judged.
    pub(crate) fn includes(&mut self, policies: &Policies<'_>, policy: &Policy) {
        for (name, span) in &policy.includes {
            let spot = Spot::new(policy.source, *span);
            let Ok(other) = policies.get(name, spot) else {
                self.unsound = true;
                continue;
            };
            if self.check() {
                continue;
            }
            if self.including >= MAXIMUM_DEPTH {
                let message = format!("policies include each other {MAXIMUM_DEPTH} deep");
                self.context.error(Code::Limit, spot, message).report();
                self.unsound = true;
                return;
            }
            self.including += 1;
            self.bring_in(policies, &other, Some(spot));
            self.including -= 1;
        }
    }
}
