//! From the tree of a policy file to what it declares: parameters, defaults, resources, modules.
//!
//! Here names are checked (keys, kinds, attributes); values are checked when they are evaluated.

mod checks;
mod elsewhere;
mod include;
mod modules;
mod names;
mod parameters;

use std::sync::Arc;

use steadfast_resources::{AnyKind, AttributeDeclaration, Registry, Text};

use super::Document;
use super::node::{Entry, Item, Node};
use crate::declaration::POLICY;
use crate::diagnostics::suggest::{did_you_mean, nearest};
use crate::diagnostics::{Code, Context, SourceId, Span, Spot};
use crate::map::Map;

pub use checks::CHECK;
pub(crate) use checks::{CheckDeclaration, checks};
pub(crate) use names::Common;
pub use names::common_attributes;
pub(crate) use parameters::{Parameter, ParameterType};

/// A policy as it is written.
pub(crate) struct Policy {
    pub(crate) name: Arc<str>,
    pub(crate) source: SourceId,
    /// The directory that templates and sources are relative to; empty for the repository's root.
    pub(crate) directory: Arc<str>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) defaults: Map<&'static str, Vec<Given>>,
    /// The names of the policies that it brings in, and where each is written.
    pub(crate) includes: Vec<(Text, Span)>,
    /// What `tags` is given.
    pub(crate) tags: Option<Item>,
    /// In written order.
    pub(crate) elements: Vec<Element>,
    /// In written order.
    pub(crate) checks: Vec<CheckDeclaration>,
    /// Titles of resources that could not be understood: nobody complains that they are missing.
    pub(crate) broken_titles: Vec<Text>,
    /// Whether the file could be parsed at all.
    pub(crate) sound: bool,
}

/// One thing that a policy asks for.
pub(crate) enum Element {
    Resource(Declaration),
    Module(Box<Module>),
}

/// A resource as it is written.
pub(crate) struct Declaration {
    pub(crate) kind: &'static dyn AnyKind,
    pub(crate) title: Text,
    pub(crate) title_span: Span,
    /// The byte after its last value.
    pub(crate) end: u32,
    pub(crate) given: Vec<Given>,
    /// Attributes that an unknown name was probably meant to be: nothing is known about them.
    pub(crate) misspelt: Vec<&'static AttributeDeclaration>,
    /// Whether something about it was already reported.
    pub(crate) broken: bool,
}

/// An attribute as it is written.
pub(crate) struct Given {
    pub(crate) name: Name,
    pub(crate) item: Item,
}

/// An attribute's name.
#[derive(Clone, Copy)]
pub(crate) enum Name {
    /// One of the kind's own.
    Own(&'static AttributeDeclaration),
    /// One that every resource has.
    Common(Common),
}

/// The use of another policy.
pub(crate) struct Module {
    pub(crate) name: Text,
    pub(crate) source: Option<(Text, Span)>,
    pub(crate) when: Option<Item>,
    pub(crate) for_each: Option<Item>,
    /// `require`, `before`, `notify`, `subscribe`, passed on to each of its resources.
    pub(crate) links: Vec<Given>,
    /// What `tags` is given.
    pub(crate) tags: Option<Item>,
    pub(crate) parameters: Vec<Entry>,
}

/// Words at the top of a policy that are not kinds.
fn sections() -> impl Iterator<Item = &'static str> {
    POLICY.keys.iter().map(|key| key.name)
}

/// Reads what `document` declares.
pub(crate) fn classify(
    context: &Context,
    registry: &Registry,
    name: Arc<str>,
    directory: Arc<str>,
    source: SourceId,
    document: Document,
) -> Policy {
    let mut policy = Policy { name, directory, sound: document.sound, ..Policy::bare("", source) };
    if !document.sound {
        for entry in document.entries {
            policy.break_titles(entry.item);
        }
        return policy;
    }
    let mut classifier = Classifier { context, registry, source, placed: Vec::new() };
    for entry in document.entries {
        classifier.top_level(&mut policy, entry);
    }
    classifier.placed.sort_by_key(|(position, _)| *position);
    policy.elements = classifier.placed.into_iter().map(|(_, element)| element).collect();
    policy
}

impl Policy {
    /// A policy that declares nothing: strings of the site are evaluated as if they were its own.
    pub(crate) fn bare(name: &str, source: SourceId) -> Self {
        Self {
            name: name.into(),
            source,
            directory: "".into(),
            parameters: Vec::new(),
            defaults: Map::default(),
            includes: Vec::new(),
            tags: None,
            elements: Vec::new(),
            checks: Vec::new(),
            broken_titles: Vec::new(),
            sound: true,
        }
    }

    fn break_titles(&mut self, item: Item) {
        if let Node::Table(entries) = item.node {
            self.broken_titles.extend(entries.into_iter().map(|entry| entry.key));
        }
    }
}

/// Whether `key` is, or was probably meant to be, an attribute whose value is secret.
fn may_be_secret(declaration: &steadfast_resources::KindDeclaration, key: &str) -> bool {
    if let Some(attribute) = declaration.attribute(key) {
        return attribute.secret;
    }
    let secret = declaration.attributes.iter().filter(|attribute| attribute.secret);
    nearest(key, secret.map(|attribute| attribute.name)).is_some()
}

struct Classifier<'a> {
    context: &'a Context,
    registry: &'a Registry,
    source: SourceId,
    /// Elements and where they are written.
    placed: Vec<(u32, Element)>,
}

impl Classifier<'_> {
    fn spot(&self, span: Span) -> Spot {
        Spot::new(self.source, span)
    }

    fn top_level(&mut self, policy: &mut Policy, entry: Entry) {
        match &*entry.key {
            "description" => {
                if entry.item.as_text().is_none() {
                    let message = format!(
                        "`description` must be a string, not a {}",
                        entry.item.node.type_name()
                    );
                    self.context
                        .error(Code::WrongType, self.spot(entry.item.span), message)
                        .report();
                }
            }
            "params" => {
                if let Some(entries) = self.section(&entry) {
                    policy.parameters = parameters::read(self.context, self.source, entries);
                }
            }
            "include" => {
                policy.includes =
                    include::read(self.context, self.source, &policy.name, &entry.item);
            }
            "tags" => policy.tags = Some(entry.item),
            "defaults" => self.defaults(policy, entry),
            "module" => self.modules(entry),
            "check" => policy.checks = checks(self.context, self.source, entry),
            _ => self.resources(policy, entry),
        }
    }

    fn section<'e>(&self, entry: &'e Entry) -> Option<&'e [Entry]> {
        match &entry.item.node {
            Node::Table(entries) => Some(entries),
            other => {
                let message =
                    format!("`{}` must be a table, not a {}", entry.key, other.type_name());
                let spot = self.spot(entry.item.span);
                self.context
                    .error(Code::WrongType, spot, message)
                    .hint(format!("write `[{}]` on a line of its own", entry.key))
                    .report();
                None
            }
        }
    }

    fn unknown_kind(&self, name: &str, span: Span, only_kinds: bool) {
        let names: Vec<&str> = self.registry.kinds().map(|kind| kind.declaration().name).collect();
        let sections = sections().filter(|_| !only_kinds);
        let attribute = only_kinds && self.has_attribute(name);
        let hint = elsewhere::kind(name)
            .map(str::to_owned)
            .or_else(|| {
                attribute.then(|| "defaults are given for a kind: `[defaults.file]`".to_owned())
            })
            .or_else(|| did_you_mean(name, names.iter().copied().chain(sections)))
            .unwrap_or_else(|| format!("the kinds are: {}", names.join(", ")));
        self.context
            .error(Code::UnknownKind, self.spot(span), format!("there is no kind `{name}`"))
            .hint(hint)
            .report();
    }

    fn has_attribute(&self, name: &str) -> bool {
        let known = |kind: &&'static dyn AnyKind| kind.declaration().attribute(name).is_some();
        Common::named(name).is_some() || self.registry.kinds().any(|kind| known(&kind))
    }

    fn resources(&mut self, policy: &mut Policy, entry: Entry) {
        let Some(kind) = self.registry.kind(&entry.key) else {
            if matches!(entry.item.node, Node::Table(_)) {
                self.unknown_kind(&entry.key, entry.key_span, false);
                policy.break_titles(entry.item);
            } else {
                let message = format!("a policy has no key `{}`", entry.key);
                self.context
                    .error(Code::UnknownKey, self.spot(entry.key_span), message)
                    .hint(did_you_mean(&entry.key, sections()).unwrap_or_else(|| {
                        if self.has_attribute(&entry.key) {
                            return "an attribute belongs below its resource, `[kind.\"title\"]`"
                                .to_owned();
                        }
                        format!(
                            "a parameter belongs below `[params]`, and is used as `params.{}`",
                            entry.key
                        )
                    }))
                    .report();
            }
            return;
        };
        let entries = match entry.item.node {
            Node::Table(entries) => entries,
            other => {
                let message = format!("`{}` must be a table of resources", entry.key);
                self.context
                    .error(Code::WrongType, self.spot(entry.item.span), message)
                    .hint(format!("write `[{}.\"title\"]`, not a {}", entry.key, other.type_name()))
                    .report();
                return;
            }
        };
        self.placed.reserve(entries.len());
        for entry in entries {
            self.resource(policy, kind, entry);
        }
    }

    fn resource(&mut self, policy: &mut Policy, kind: &'static dyn AnyKind, entry: Entry) {
        let declaration = kind.declaration();
        let Node::Table(entries) = entry.item.node else {
            let hint = if declaration.attribute(&entry.key).is_some() {
                format!(
                    "give the resource a title, `[{0}.\"{1}\"]`, or write `[defaults.{0}]`",
                    declaration.name, declaration.title
                )
            } else {
                format!("write `[{}.{:?}]` and its attributes below", declaration.name, &*entry.key)
            };
            let message = format!("`{}` is no resource: it has no attributes", entry.key);
            self.context
                .error(Code::WrongType, self.spot(entry.key_span), message)
                .hint(hint)
                .report();
            policy.broken_titles.push(entry.key);
            return;
        };
        let before = self.context.count();
        let end = entries.iter().map(|entry| entry.item.end()).max();
        let (given, misspelt) = self.attributes(kind, entries, false);
        self.placed.push((
            entry.key_span.start,
            Element::Resource(Declaration {
                kind,
                title: entry.key,
                title_span: entry.key_span,
                end: end.unwrap_or(0).max(entry.key_span.end),
                given,
                misspelt,
                broken: self.context.count() > before,
            }),
        ));
    }

    fn attributes(
        &self,
        kind: &'static dyn AnyKind,
        entries: Vec<Entry>,
        defaults: bool,
    ) -> (Vec<Given>, Vec<&'static AttributeDeclaration>) {
        let declaration = kind.declaration();
        let mut given = Vec::with_capacity(entries.len());
        let mut misspelt = Vec::new();
        let sensitive = entries.iter().any(|entry| {
            &*entry.key == "sensitive" && !matches!(entry.item.node, Node::Boolean(false))
        });
        for entry in entries {
            if sensitive || may_be_secret(declaration, &entry.key) {
                entry.item.visit_literals(&mut |span| self.context.hide(self.spot(span)));
            }
            let own = declaration.attribute(&entry.key).map(Name::Own);
            let Some(name) = own.or_else(|| Common::named(&entry.key).map(Name::Common)) else {
                self.unknown_attribute(declaration, &entry);
                if !self.context.tells() {
                    continue;
                }
                let own = declaration.attributes.iter().map(|attribute| attribute.name);
                misspelt
                    .extend(nearest(&entry.key, own).and_then(|name| declaration.attribute(name)));
                continue;
            };
            if defaults && matches!(name, Name::Common(Common::When | Common::ForEach)) {
                let message = format!("`{}` cannot have a default", entry.key);
                self.context
                    .error(Code::UnknownAttribute, self.spot(entry.key_span), message)
                    .report();
                continue;
            }
            given.push(Given { name, item: entry.item });
        }
        (given, misspelt)
    }

    fn unknown_attribute(&self, declaration: &steadfast_resources::KindDeclaration, entry: &Entry) {
        let message = format!("`{}` has no attribute `{}`", declaration.name, entry.key);
        let draft = self.context.error(Code::UnknownAttribute, self.spot(entry.key_span), message);
        if !self.context.tells() {
            draft.report();
            return;
        }
        let own = declaration.attributes.iter().map(|attribute| attribute.name);
        let near = nearest(&entry.key, own.clone().chain(Common::names()));
        let hint = elsewhere::attribute(declaration.name, &entry.key)
            .or_else(|| near.map(|name| format!("did you mean `{name}`?")))
            .unwrap_or_else(|| {
                let own: Vec<&str> = own.collect();
                format!("attributes of `{}`: {}", declaration.name, own.join(", "))
            });
        draft.hint(hint).report();
    }

    fn defaults(&self, policy: &mut Policy, entry: Entry) {
        if self.section(&entry).is_none() {
            return;
        }
        let Node::Table(entries) = entry.item.node else { return };
        for entry in entries {
            let Some(kind) = self.registry.kind(&entry.key) else {
                self.unknown_kind(&entry.key, entry.key_span, true);
                continue;
            };
            if self.section(&entry).is_none() {
                continue;
            }
            if let Node::Table(attributes) = entry.item.node {
                let (given, _) = self.attributes(kind, attributes, true);
                policy.defaults.insert(kind.declaration().name, given);
            }
        }
    }
}
