//! Modules: a policy used by another, with parameters, as often as needed.

use minijinja::Value as Jinja;

use super::expand::Items;
use super::load::Policies;
use super::parameters::{Argument, Arguments};
use super::texts::{Locals, Outcome};
use super::{Evaluator, Frame, Link};
use crate::catalog::{self, Origin};
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
        self.note_module(frame, module, &policy.name);
        let repetition = self.repetition(frame, module.when.as_ref(), module.for_each.as_ref());
        let (items, when) = match repetition {
            Ok(Some(repetition)) => repetition,
            Ok(None) => {
                self.note_skipped_module(frame, module, None);
                return;
            }
            Err(Reported) => {
                self.unsound = true;
                return;
            }
        };
        let each: Box<dyn Iterator<Item = Locals>> = match items {
            Items::Single => Box::new(std::iter::once(frame.locals.clone())),
            Items::Unknown => Box::new(std::iter::once(frame.locals.with_unknown_item())),
            Items::Each(items) => {
                if items.is_empty() {
                    self.note_skipped_module(frame, module, None);
                }
                let at = |(position, item): (usize, Jinja)| {
                    frame.locals.with_item(item.clone()).at_item(position, &item)
                };
                Box::new((1..).zip(items).map(at))
            }
        };
        for locals in each {
            if self.is_exhausted(spot) {
                break;
            }
            self.uses += 1;
            match when.map_or(Ok(true), |when| self.condition(frame, &locals, when)) {
                Ok(true) => self.instantiate(policies, frame, &locals, module, &policy, spot),
                Ok(false) => self.note_skipped_module(frame, module, Some(&locals)),
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
        let tags =
            module.tags.as_ref().map_or(Ok(Vec::new()), |item| self.tags(frame, locals, item));
        if let Some(item) = &module.tags
            && policy.parameters.iter().any(|parameter| &*parameter.name == "tags")
        {
            let message = format!(
                "`tags` of a module are the tags of its resources, and policy `{}` has a parameter \
                 of that name",
                policy.name
            );
            let draft = self.context.error(Code::InvalidValue, frame.spot(item.span), message);
            draft.hint("give the parameter another name".to_owned()).report();
            self.unsound = true;
            return;
        }
        let (Ok(arguments), Ok(mut links), Ok(tags)) = (
            self.arguments(frame, locals, &module.parameters),
            self.module_links(frame, locals, module),
            tags,
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
        let before = &frame.origin.policies;
        if before.contains(&policy.name) || before.len() >= MAXIMUM_MODULES {
            let mut chain: Vec<&str> = before.iter().map(|name| &**name).collect();
            chain.push(&policy.name);
            let message = format!("policies use each other without end: {}", chain.join(" → "));
            self.context.error(Code::Cycle, spot, message).report();
            self.unsound = true;
            return;
        }
        self.broken_titles.extend(policy.broken_titles.iter().cloned());
        self.unsound |= !policy.sound;
        let mut outer = Origin::clone(&frame.origin);
        outer.modules.push(module.name.clone());
        outer.tags.extend(tags);
        outer.tags.sort_unstable();
        outer.tags.dedup();
        let Ok(mut inner) = self.frame(policy, &arguments, Some(spot), outer) else {
            self.unsound = true;
            return;
        };
        self.includes(policies, policy);
        let way = self.way_through(frame, locals, module, policy, spot);
        inner.locals.lineage = self.lineage(policy, &arguments, way);
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
        for link in &mut links {
            link.handed_on = true;
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
                self.hush(frame, &entry.item);
                let value = match self.data_value(frame, locals, &entry.item)? {
                    Outcome::Known(value) => Some(value),
                    Outcome::Guess(_) | Outcome::Unknown => None,
                };
                Ok(Argument {
                    name: entry.key.to_string(),
                    name_spot: frame.spot(entry.key_span),
                    spot: frame.spot(entry.item.span),
                    value,
                    origin: self.argument_origin(frame, locals, &entry.item),
                })
            })
            .collect()
    }
}
