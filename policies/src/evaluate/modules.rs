//! Modules: a policy used by another, with parameters, as often as needed.

use std::sync::Arc;

use steadfast_resources::Text;

use super::expand::Items;
use super::load::Policies;
use super::parameters::{Argument, Arguments};
use super::texts::{Locals, Outcome};
use super::{Evaluator, Frame, Link};
use crate::catalog;
use crate::diagnostics::{Code, Reported, Spot};
use crate::parse::{Entry, Module, Name, Policy};

/// How deep modules may nest.
const MAXIMUM_MODULES: usize = 32;

impl Evaluator<'_> {
    pub(super) fn module(&mut self, policies: &Policies<'_>, frame: &Frame<'_>, module: &Module) {
        self.modules.insert(module.name.to_string());
        let Some((source, span)) = &module.source else {
            self.unsound = true;
            return;
        };
        let spot = frame.spot(*span);
        let Ok(policy) = policies.get(source, spot) else {
            self.unsound = true;
            return;
        };
        let repetition = self.repetition(frame, module.when.as_ref(), module.for_each.as_ref());
        let (items, when) = match repetition {
            Ok(Some(repetition)) => repetition,
            Ok(None) => return,
            Err(Reported) => {
                self.unsound = true;
                return;
            }
        };
        let each: Box<dyn Iterator<Item = Locals>> = match items {
            Items::Single => Box::new(std::iter::once(frame.locals.clone())),
            Items::Unknown => Box::new(std::iter::once(frame.locals.with_unknown_item())),
            Items::Each(items) => {
                Box::new(items.into_iter().map(|item| frame.locals.with_item(item)))
            }
        };
        for locals in each {
            if self.is_exhausted(spot) {
                break;
            }
            self.uses += 1;
            match when.map_or(Ok(true), |when| self.condition(frame, &locals, when)) {
                Ok(true) => self.instantiate(policies, frame, &locals, module, &policy, spot),
                Ok(false) => {}
                Err(Reported) => self.unsound = true,
            }
        }
    }

    fn instantiate(
        &mut self,
        policies: &Policies<'_>,
        frame: &Frame<'_>,
        locals: &Locals,
        module: &Module,
        policy: &Policy,
        spot: Spot,
    ) {
        let (Ok(arguments), Ok(mut links)) = (
            self.arguments(frame, locals, &module.parameters),
            self.module_links(frame, locals, module),
        ) else {
            self.unsound = true;
            return;
        };
        if self.check() {
            // The policy itself is checked on its own.
            if self.check_arguments(policy, &arguments, spot).is_err() {
                self.unsound = true;
            }
            return;
        }
        if frame.chain.contains(&policy.name) || frame.chain.len() >= MAXIMUM_MODULES {
            let mut chain: Vec<&str> = frame.chain.iter().map(|name| &**name).collect();
            chain.push(&policy.name);
            let message = format!("policies use each other without end: {}", chain.join(" → "));
            self.context.error(Code::Cycle, spot, message).report();
            self.unsound = true;
            return;
        }
        self.broken_titles.extend(policy.broken_titles.iter().cloned());
        self.unsound |= !policy.sound;
        let Ok(mut inner) = self.frame(policy, &arguments, Some(spot)) else {
            self.unsound = true;
            return;
        };
        inner.chain = frame.chain.iter().cloned().chain([Arc::clone(&policy.name)]).collect();
        let names = frame.modules.iter().cloned().chain([module.name.clone()]);
        inner.modules = names.collect::<Vec<Text>>().into();
        links.extend(frame.links.iter().cloned());
        inner.links = links;
        self.elements(policies, &inner);
    }

    fn module_links(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        module: &Module,
    ) -> Result<Vec<Link>, Reported> {
        let mut links = Vec::new();
        for given in &module.links {
            if let Name::Common(name) = given.name {
                let mut common = catalog::Common::default();
                self.common(frame, locals, name, given, &mut common, &mut links)?;
            }
        }
        Ok(links)
    }

    /// Evaluates what the user of a policy gives to it.
    pub(crate) fn arguments(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        entries: &[Entry],
    ) -> Result<Arguments, Reported> {
        entries
            .iter()
            .map(|entry| {
                let value = match self.data_value(frame, locals, &entry.item)? {
                    Outcome::Known(value) => Some(value),
                    Outcome::Guess(_) | Outcome::Unknown => None,
                };
                Ok(Argument {
                    name: entry.key.to_string(),
                    name_spot: frame.spot(entry.key_span),
                    spot: frame.spot(entry.item.span),
                    value,
                })
            })
            .collect()
    }
}
