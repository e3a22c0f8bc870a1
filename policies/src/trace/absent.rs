//! Notes about declarations that this host leaves out, and why.

use std::collections::HashMap;
use std::rc::Rc;

use steadfast_resources::Registry;

use super::subject::{common, whole};
use super::{Absent, Expression, Reason, Tracer, Use};
use crate::diagnostics::{Context, Spot};
use crate::evaluate::{Evaluator, Files, Frame, Locals, Policies};
use crate::expression::is_interpolated;
use crate::parse::{self, Declaration, Element, Item, Module, Node, Policy};
use crate::repository::Repository;

impl Evaluator<'_> {
    /// Takes notes about a declaration that is left out: for the item that `locals` have, or
    /// altogether.
    pub(crate) fn note_skipped(
        &self,
        frame: &Frame<'_>,
        declaration: &Declaration,
        locals: Option<&Locals>,
        title: Option<&str>,
    ) {
        let Some(tracer) = &self.context.tracer else { return };
        let other = title.is_some_and(|title| title != tracer.title);
        if other || !tracer.may_be(declaration) {
            return;
        }
        let when = common(declaration, parse::Common::When);
        let each = common(declaration, parse::Common::ForEach);
        let reason = match self.why_not(frame, locals, when, each) {
            Some((Some(when), _)) => Reason::When(when),
            Some((None, Some(each))) => Reason::NoItems(each),
            _ => return,
        };
        self.note_absent(frame, declaration, reason);
    }

    /// Takes notes about a repeated declaration none of whose items may have made the title.
    pub(crate) fn note_other_items(&self, frame: &Frame<'_>, declaration: &Declaration) {
        let Some(tracer) = &self.context.tracer else { return };
        if !tracer.may_be(declaration) || !is_interpolated(&declaration.title) {
            return;
        }
        if let Some(each) = common(declaration, parse::Common::ForEach) {
            let mut each = self.expression(frame, &frame.locals, "for_each", each);
            // Items that nothing was made of may hold anything.
            let count = each.value.as_array().map(Vec::len);
            let count = count.or_else(|| each.value.as_object().map(serde_json::Map::len));
            each.value = serde_json::Value::from(count);
            self.note_absent(frame, declaration, Reason::OtherItems(each));
        }
    }

    fn note_absent(&self, frame: &Frame<'_>, declaration: &Declaration, reason: Reason) {
        let Some(tracer) = &self.context.tracer else { return };
        let lineage = frame.locals.lineage.as_ref();
        let absent = Absent {
            declared: self.extent(frame, declaration),
            title: declaration.title.to_string(),
            policy: frame.policy.name.to_string(),
            way: lineage.map(|known| without_items(&known.way)).unwrap_or_default(),
            reason,
        };
        let notes = &mut tracer.notes.borrow_mut().absent;
        let same = |known: &&mut Absent| {
            known.declared == absent.declared && known.way.len() == absent.way.len()
        };
        match notes.iter_mut().find(same) {
            // That a condition does not hold says more than that other titles were made.
            Some(known) if known.reason.is_weak() && !absent.reason.is_weak() => *known = absent,
            Some(_) => {}
            None => notes.push(absent),
        }
    }

    /// Takes notes about a declaration that may have made the title asked for, and made another.
    pub(super) fn note_other_title(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        declaration: &Declaration,
        made: &str,
    ) {
        let Some(tracer) = &self.context.tracer else { return };
        let repeated = common(declaration, parse::Common::ForEach).is_some();
        if repeated || !tracer.may_be(declaration) {
            return;
        }
        let title = self.title_trace(frame, locals, declaration, made);
        let inputs = title.map(|title| title.inputs).unwrap_or_default();
        let reason = Reason::OtherTitle { title: made.to_owned(), inputs };
        self.note_absent(frame, declaration, reason);
    }

    /// Which condition does not hold, or which list is empty.
    fn why_not(
        &self,
        frame: &Frame<'_>,
        locals: Option<&Locals>,
        when: Option<&Item>,
        each: Option<&Item>,
    ) -> Option<(Option<Expression>, Option<Expression>)> {
        let here = locals.unwrap_or(&frame.locals);
        let asked = when.filter(|when| locals.is_some() || !self.uses(frame, when, "item"));
        if let Some(when) = asked {
            let when = self.expression(frame, here, "when", when);
            if when.value == serde_json::Value::Bool(false) {
                return Some((Some(when), None));
            }
        }
        let each = self.expression(frame, &frame.locals, "for_each", each?);
        Some((None, Some(each)))
    }

    /// Takes notes about a module that is left out: for the item that `locals` have, or altogether.
    pub(crate) fn note_skipped_module(
        &self,
        frame: &Frame<'_>,
        module: &Module,
        locals: Option<&Locals>,
    ) {
        let (Some(tracer), Some((source, _))) = (&self.context.tracer, &module.source) else {
            return;
        };
        let (when, each) = (module.when.as_ref(), module.for_each.as_ref());
        let name = module.name.to_string();
        let reason = match self.why_not(frame, locals, when, each) {
            Some((Some(when), _)) => Reason::ModuleWhen { module: name, when },
            Some((None, Some(for_each))) => Reason::ModuleNoItems { module: name, for_each },
            _ => return,
        };
        let way = frame.locals.lineage.as_ref().map(|known| without_items(&known.way));
        let unmade = (source.to_string(), way.unwrap_or_default(), reason);
        tracer.notes.borrow_mut().unmade.push(unmade);
    }

    /// How `module` leads on from `frame`.
    pub(crate) fn way_through(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        module: &Module,
        policy: &Policy,
        spot: Spot,
    ) -> Vec<Use> {
        if self.context.tracer.is_none() {
            return Vec::new();
        }
        let mut way = locals.lineage.as_ref().map(|known| known.way.clone()).unwrap_or_default();
        let when = module.when.as_ref();
        way.push(Use::Module {
            name: module.name.to_string(),
            place: self.context.sources.place(spot),
            policy: policy.name.to_string(),
            when: when.map(|when| self.expression(frame, locals, "when", when)),
            for_each: self.repetition_at(frame, locals, module.for_each.as_ref()).map(Box::new),
        });
        way
    }

    /// Takes notes about an assignment of policies, whether it is `made` for this host or not.
    pub(crate) fn note_assignment(
        &self,
        frame: &Frame<'_>,
        policies: &Item,
        hosts: &[String],
        when: Option<&Item>,
        (made, matched): (bool, bool),
    ) {
        let Some(tracer) = &self.context.tracer else { return };
        let names: Vec<(String, Spot)> = match &policies.node {
            Node::List(items) => items
                .iter()
                .filter_map(|item| Some((item.as_text()?.to_string(), frame.spot(item.span))))
                .collect(),
            Node::Text(text) => vec![(text.to_string(), frame.spot(policies.span))],
            _ => Vec::new(),
        };
        let when = || when.map(|when| self.expression(frame, &frame.locals, "when", when));
        let mut notes = tracer.notes.borrow_mut();
        for (policy, spot) in names {
            let place = self.context.sources.place(spot);
            if made {
                let hosts = hosts.to_vec();
                notes
                    .assignments
                    .push((spot, Use::Assignment { place, policy, hosts, when: when() }));
                continue;
            }
            let reason = match when() {
                Some(when) if matched => Reason::AssignmentWhen { place, when },
                _ => Reason::OtherHosts { place, hosts: hosts.to_vec() },
            };
            notes.unmade.push((policy, Vec::new(), reason));
        }
    }

    /// The way to a policy that is assigned or included at `spot`.
    pub(crate) fn way_from(&self, policy: &Policy, spot: Option<Spot>) -> Vec<Use> {
        let (Some(tracer), Some(spot)) = (&self.context.tracer, spot) else { return Vec::new() };
        let notes = tracer.notes.borrow();
        let found = notes.assignments.iter().find(|(known, _)| *known == spot);
        let found = found.map(|(_, made)| made.clone());
        vec![found.unwrap_or_else(|| Use::Include {
            place: self.context.sources.place(spot),
            policy: policy.name.to_string(),
        })]
    }
}

/// `way` without the items it was repeated over: nothing was made of them here that could tell
/// whether they hold a secret.
fn without_items(way: &[Use]) -> Vec<Use> {
    let mut way = way.to_vec();
    for made in &mut way {
        if let Use::Module { for_each: Some(repetition), .. } = made {
            repetition.item = serde_json::Value::Null;
        }
    }
    way
}

/// Declarations of what the tracer asks for in policies that this host does not use, each with the
/// reason. Errors in those policies are nobody's concern here.
pub(crate) fn unused(
    tracer: &Tracer,
    repository: &dyn Repository,
    registry: &Registry,
) -> Vec<Absent> {
    let context = Context::default();
    let files = Files::new(&context, repository);
    let policies = Policies::new(&context, registry, &files);
    let loaded: Vec<Rc<Policy>> =
        policies.names().iter().filter_map(|name| policies.load(name).ok().flatten()).collect();
    let mut users: HashMap<&str, Vec<&str>> = HashMap::new();
    for policy in &loaded {
        for (name, _) in &policy.includes {
            users.entry(name).or_default().push(&policy.name);
        }
        for element in &policy.elements {
            if let Element::Module(module) = element
                && let Some((source, _)) = &module.source
            {
                users.entry(source).or_default().push(&policy.name);
            }
        }
    }
    let mut found = Vec::new();
    for policy in &loaded {
        for element in &policy.elements {
            let Element::Resource(declaration) = element else { continue };
            if !tracer.may_be(declaration) {
                continue;
            }
            for (way, reason) in reasons(tracer, &users, &policy.name) {
                found.push(Absent {
                    declared: context.sources.extent(Spot::new(policy.source, whole(declaration))),
                    title: declaration.title.to_string(),
                    policy: policy.name.to_string(),
                    way,
                    reason,
                });
            }
        }
    }
    found
}

/// Why nothing on this host uses `policy`: for itself, or for the policies that would use it.
fn reasons(
    tracer: &Tracer,
    users: &HashMap<&str, Vec<&str>>,
    policy: &str,
) -> Vec<(Vec<Use>, Reason)> {
    let notes = tracer.notes.borrow();
    let mut seen = vec![policy];
    let mut next = 0;
    let mut reasons = Vec::new();
    while let Some(policy) = seen.get(next).copied() {
        next += 1;
        let unmade = notes.unmade.iter().filter(|(name, _, _)| name == policy);
        reasons.extend(unmade.map(|(_, way, reason)| (way.clone(), reason.clone())));
        for user in users.get(policy).into_iter().flatten() {
            if !seen.contains(user) {
                seen.push(user);
            }
        }
    }
    if reasons.is_empty() {
        reasons.push((Vec::new(), Reason::Unused));
    }
    reasons
}
