//! From the declarations of a policy to instances: `when` and `for_each`.

use std::sync::Arc;

use minijinja::Value as Jinja;
use minijinja::value::ValueKind;

use super::load::Policies;
use super::parameters::Argument;
use super::texts::{Locals, Outcome};
use super::{Evaluator, Frame, Skipped};
use crate::catalog::Origin;
use crate::diagnostics::{Code, Reported, Span, Spot};
use crate::expression::{from_item, is_interpolated};
use crate::parse::{self, Declaration, Element, Given, Item, Name, Node, Policy};

/// The most items of one `for_each`.
const MAXIMUM_ITEMS: usize = 100_000;

/// How many items of one `for_each` may fail before the rest is left out: they share one text.
const MAXIMUM_FAILURES: usize = 3;

/// How often, and with which `item`, something is repeated.
pub(super) enum Items {
    /// Once, without `item`.
    Single,
    Each(Vec<Jinja>),
    /// Some times, with items of which nothing is known (when checking).
    Unknown,
}

impl Evaluator<'_> {
    /// Adds what `policy` declares, given `arguments` by its user at `user`. It inherits `tags`.
    pub(crate) fn policy(
        &mut self,
        policies: &Policies<'_>,
        policy: &Policy,
        arguments: &[Argument],
        tags: &[String],
        user: Option<Spot>,
    ) {
        self.broken_titles.extend(policy.broken_titles.iter().cloned());
        self.unsound |= !policy.sound;
        let outer = Origin { tags: tags.to_vec(), ..Origin::default() };
        let Ok(mut frame) = self.frame(policy, arguments, user, outer) else {
            self.unsound = true;
            return;
        };
        frame.locals.lineage = self.lineage(policy, arguments, self.way_from(policy, user));
        self.elements(policies, &frame);
    }

    pub(super) fn frame<'p>(
        &self,
        policy: &'p Policy,
        arguments: &[Argument],
        user: Option<Spot>,
        outer: Origin,
    ) -> Result<Frame<'p>, Reported> {
        self.note_evaluated(&policy.name);
        let (params, doubtful) = self.bind(policy, arguments, user)?;
        let origins = self.origins(policy, arguments);
        let mut locals = Locals::new(self.scope(policy, params));
        locals.doubtful = doubtful.into();
        locals.declared = policy.parameters.iter().map(|known| known.name.to_string()).collect();
        let mut frame = Frame {
            policy,
            locals,
            origin: Arc::default(),
            links: Vec::new(),
            conditional: false,
            origins,
        };
        let mut origin = outer;
        origin.policies.push(Arc::clone(&policy.name));
        if let Some(item) = &policy.tags {
            origin.tags.extend(self.tags(&frame, &frame.locals, item)?);
            origin.tags.sort_unstable();
            origin.tags.dedup();
        }
        frame.origin = Arc::new(origin);
        Ok(frame)
    }

    pub(super) fn elements(&mut self, policies: &Policies<'_>, frame: &Frame<'_>) {
        self.instances.reserve_exact(frame.policy.elements.len());
        for element in &frame.policy.elements {
            if self.exhausted {
                break;
            }
            match element {
                Element::Resource(declaration) => self.resources(frame, declaration),
                Element::Module(module) => self.module(policies, frame, module),
            }
        }
        self.checks(frame, &frame.policy.checks);
    }

    fn resources(&mut self, frame: &Frame<'_>, declaration: &Declaration) {
        self.begin_reads();
        let find = |name: parse::Common| {
            declaration
                .given
                .iter()
                .find(|given| matches!(given.name, Name::Common(found) if found == name))
        };
        if Self::is_sensitive(frame, declaration) {
            self.context.hush(frame.spot(declaration.title_span));
            for given in &declaration.given {
                self.hush(frame, &given.item);
            }
        }
        let when = find(parse::Common::When).map(|given| &given.item);
        let each = find(parse::Common::ForEach).map(|given| &given.item);
        let (items, when) = match self.repetition(frame, when, each) {
            Ok(Some(repetition)) => repetition,
            Ok(None) => {
                self.skip(frame, declaration, None);
                return;
            }
            Err(Reported) => {
                self.broken(frame, declaration);
                return;
            }
        };
        let conditional = when.is_some() || each.is_some();
        match items {
            Items::Single if self.is_exhausted(frame.spot(declaration.title_span)) => {}
            Items::Single => self.one(frame, &frame.locals, declaration, when, conditional),
            Items::Unknown => {
                let locals = frame.locals.with_unknown_item();
                self.one(frame, &locals, declaration, when, true);
            }
            Items::Each(items) => {
                if items.is_empty() {
                    self.skip(frame, declaration, None);
                }
                let before = self.context.count();
                for (position, item) in (1..).zip(items) {
                    if self.is_exhausted(frame.spot(declaration.title_span)) {
                        break;
                    }
                    let locals = frame.locals.with_item(item.clone()).at_item(position, &item);
                    self.one(frame, &locals, declaration, when, conditional);
                    if self.context.count() >= before + MAXIMUM_FAILURES {
                        self.skip(frame, declaration, None);
                        break;
                    }
                }
                self.note_other_items(frame, declaration);
            }
        }
    }

    fn one(
        &mut self,
        frame: &Frame<'_>,
        locals: &Locals,
        declaration: &Declaration,
        when: Option<&Item>,
        conditional: bool,
    ) {
        match when.map_or(Ok(true), |when| self.condition(frame, locals, when)) {
            Ok(true) => self.instance(frame, locals, declaration, conditional),
            Ok(false) => self.skip(frame, declaration, Some(locals)),
            Err(Reported) => self.broken(frame, declaration),
        }
    }

    /// The items to repeat with, and the condition that is still to be asked for each of them;
    /// `None` where a condition that concerns all items does not hold.
    pub(super) fn repetition<'i>(
        &self,
        frame: &Frame<'_>,
        when: Option<&'i Item>,
        each: Option<&Item>,
    ) -> Result<Option<(Items, Option<&'i Item>)>, Reported> {
        let Some(each) = each else { return Ok(Some((Items::Single, when))) };
        // A condition that does not look at the item guards the list itself.
        let once = when.filter(|when| !self.uses(frame, when, "item"));
        if let Some(when) = once
            && !self.condition(frame, &frame.locals, when)?
        {
            return Ok(None);
        }
        let rest = if once.is_some() { None } else { when };
        self.items(frame, each).map(|items| Some((items, rest)))
    }

    /// Whether the expression `item` of the site holds; see [`Self::condition`].
    pub(crate) fn holds(&self, frame: &Frame<'_>, item: &Item) -> Result<bool, Reported> {
        self.condition(frame, &frame.locals, item)
    }

    /// Whether the expression `item` holds. When checking, what is not known counts as true.
    pub(super) fn condition(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        item: &Item,
    ) -> Result<bool, Reported> {
        if let Node::Boolean(value) = item.node {
            return Ok(value || self.check());
        }
        match self.bare(frame, locals, "when", item)? {
            Outcome::Known(value) if value.kind() == ValueKind::Bool => {
                Ok(value.is_true() || self.check())
            }
            Outcome::Known(value) => {
                let message =
                    format!("`when` must be true or false, and this is a {}", value.kind());
                Err(self
                    .context
                    .error(Code::WrongType, frame.spot(item.span), message)
                    .hint("compare it with something, or ask `… is defined`".to_owned())
                    .report())
            }
            Outcome::Guess(_) | Outcome::Unknown if self.check() => Ok(true),
            // What a real host may have otherwise is taken as it is here, or as absent.
            Outcome::Guess(value) => Ok(value.is_true()),
            Outcome::Unknown => Ok(false),
        }
    }

    fn items(&self, frame: &Frame<'_>, each: &Item) -> Result<Items, Reported> {
        let outcome = match &each.node {
            Node::List(_) | Node::Table(_) => Outcome::Known(from_item(each)),
            _ => self.bare(frame, &frame.locals, "for_each", each)?,
        };
        let value = match outcome {
            Outcome::Guess(_) | Outcome::Unknown if self.check() => return Ok(Items::Unknown),
            Outcome::Known(value) | Outcome::Guess(value) => value,
            Outcome::Unknown => return Ok(Items::Each(Vec::new())),
        };
        let spot = frame.spot(each.span);
        let items: Vec<Jinja> = match value.kind() {
            ValueKind::Seq | ValueKind::Iterable => {
                value.try_iter().into_iter().flatten().take(MAXIMUM_ITEMS + 1).collect()
            }
            ValueKind::Map => value
                .try_iter()
                .into_iter()
                .flatten()
                .take(MAXIMUM_ITEMS + 1)
                .map(|key| {
                    let item = value.get_item(&key).unwrap_or_default();
                    Jinja::from_pairs([(Jinja::from("key"), key), (Jinja::from("value"), item)])
                })
                .collect(),
            kind => {
                let message = format!("`for_each` must be a list or a map, and this is a {kind}");
                return Err(self.context.error(Code::WrongType, spot, message).report());
            }
        };
        if items.len() > MAXIMUM_ITEMS {
            let message = format!("`for_each` has more than {MAXIMUM_ITEMS} items");
            return Err(self.context.error(Code::Limit, spot, message).report());
        }
        // When checking, the text is judged once, whatever the items are.
        Ok(if self.check() { Items::Unknown } else { Items::Each(items) })
    }

    /// Notes that the resource is not on this host, so that references to it are no mistakes.
    pub(crate) fn skip(
        &mut self,
        frame: &Frame<'_>,
        declaration: &Declaration,
        locals: Option<&Locals>,
    ) {
        let kind = declaration.kind.declaration().name;
        let title = &declaration.title;
        if !is_interpolated(title) {
            self.note_skipped(frame, declaration, locals, None);
            self.skipped.push(Skipped { kind, title: title.to_string(), glob: false });
            return;
        }
        // Rendering it may fail exactly because the condition does not hold; nobody is told.
        let rendered = locals.and_then(|locals| {
            let compiled = self.engine.string(
                super::key(frame.policy.source, declaration.title_span),
                &frame.policy.directory,
                title,
            );
            let value = compiled.ok()?.run(&locals.value(), &self.engine.budget).ok()?;
            value.as_str().map(str::to_owned)
        });
        self.note_skipped(frame, declaration, locals, rendered.as_deref());
        self.skipped.push(match rendered {
            Some(title) => Skipped { kind, title, glob: false },
            None => Skipped { kind, title: pattern(title), glob: true },
        });
    }

    /// Notes that the resource is there and already known to be wrong.
    pub(crate) fn broken(&mut self, frame: &Frame<'_>, declaration: &Declaration) {
        self.skip(frame, declaration, None);
    }
}

/// A glob of all titles that an interpolated title may have.
pub(crate) fn pattern(title: &str) -> String {
    let mut pattern = String::new();
    let mut rest = title;
    while let Some(at) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        push_escaped(rest.get(..at).unwrap_or_default(), &mut pattern);
        pattern.push('*');
        let tail = rest.get(at..).unwrap_or_default();
        let close = if tail.starts_with("{{") { "}}" } else { "%}" };
        rest = tail.find(close).and_then(|end| tail.get(end + 2..)).unwrap_or_default();
    }
    push_escaped(rest, &mut pattern);
    pattern
}

fn push_escaped(text: &str, pattern: &mut String) {
    for letter in text.chars() {
        if matches!(letter, '*' | '?' | '[' | ']' | '{' | '}' | '\\' | '!') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
}

/// The span of the attribute called `name`, where it is given.
pub(crate) fn span_of(given: &[Given], name: &str) -> Option<Span> {
    item_of(given, name).map(|item| item.span)
}

/// The attribute called `name` as it is written, where it is given.
pub(crate) fn item_of<'g>(given: &'g [Given], name: &str) -> Option<&'g Item> {
    given.iter().find_map(|given| match given.name {
        Name::Own(own) if own.name == name => Some(&given.item),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_become_globs() {
        for (title, expected) in [
            ("/etc/{{ item.name }}.conf", "/etc/*.conf"),
            ("{{ a }}{{ b }}", "**"),
            ("{% if a %}x{% endif %}", "*x*"),
            ("/a[1]*/{{ x }}", "/a\\[1\\]\\*/*"),
            ("{{ open", "*"),
        ] {
            assert_eq!(pattern(title), expected);
        }
    }
}
