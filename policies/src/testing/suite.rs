//! Reading `tests/*.toml`: cases, and what they expect.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use globset::GlobBuilder;
use steadfast_resources::{AnyKind, AttributeDeclaration, Registry, Text};

use super::attribute::{self, Wanted};
use crate::declaration::{CASE, CASES};
use crate::diagnostics::suggest::did_you_mean;
use crate::diagnostics::{Code, Context, Reported, SourceId, Span, Spot};
use crate::evaluate::{Argument, Assigned, Files};
use crate::expression::from_item;
use crate::parse::{self, Common, Document, Entry, Node, Shape};
use crate::samples::{DEFAULT, merge};
use crate::trial::{FactSets, Host, Trial, Tried, of_entries};

/// The directory of the cases.
const DIRECTORY: &str = "tests";

/// All files of cases.
#[derive(Default)]
pub(crate) struct Suites {
    pub(crate) list: Vec<Suite>,
}

/// One file of cases.
pub(crate) struct Suite {
    pub(crate) path: Arc<str>,
    source: SourceId,
    document: Rc<Document>,
    pub(crate) cases: Vec<Case>,
}

/// A case as it is written.
pub(crate) struct Case {
    pub(crate) name: Text,
    pub(crate) spot: Spot,
    /// Where it is among the cases of its file.
    index: usize,
    sample: (Text, Spot),
    pub(crate) policy: Option<(Text, Spot)>,
    arguments: Vec<Argument>,
    labels: BTreeMap<String, String>,
    pub(crate) policies: Option<(Vec<Text>, Spot)>,
    pub(crate) lacks: Vec<(Text, Spot)>,
    pub(crate) order: Vec<(Text, Spot)>,
    pub(crate) errors: Vec<(Text, Spot)>,
    pub(crate) warnings: Vec<(Text, Spot)>,
    pub(crate) resources: Vec<Expected>,
    /// Whether something about it was reported.
    pub(crate) broken: bool,
}

/// A resource that is expected to exist.
pub(crate) struct Expected {
    pub(crate) kind: &'static dyn AnyKind,
    pub(crate) title: Text,
    pub(crate) spot: Spot,
    pub(crate) attributes: Vec<ExpectedAttribute>,
}

/// An attribute that a resource is expected to have.
pub(crate) struct ExpectedAttribute {
    pub(crate) name: ExpectedName,
    pub(crate) spot: Spot,
    pub(crate) wanted: Wanted,
}

/// What kind of attribute is expected.
#[derive(Clone, Copy)]
pub(crate) enum ExpectedName {
    Own(&'static AttributeDeclaration),
    Common(Common),
}

impl Case {
    /// Evaluates it for `host`; `None` where there is nothing to evaluate (which was reported).
    pub(crate) fn tried(&self, trial: &Trial<'_>, host: &Host<'_>) -> Option<Tried> {
        let Some((name, spot)) = &self.policy else {
            return Some(trial.whole(host, trial.site.as_ref()?));
        };
        let policy = trial.policies.get(name, *spot).ok()?;
        let (arguments, tags) = (self.arguments.clone(), Vec::new());
        Some(trial.alone(host, Assigned { policy, spot: *spot, arguments, tags }, None))
    }

    /// Whether evaluation is expected to fail.
    pub(crate) fn expects_errors(&self) -> bool {
        !self.errors.is_empty()
    }
}

/// Reads every file of cases. What is wrong with them is reported.
pub(crate) fn read(context: &Context, registry: &Registry, files: &Files<'_>) -> Suites {
    let mut list = Vec::new();
    for path in files.below(DIRECTORY) {
        let rest = path.strip_prefix(DIRECTORY).unwrap_or_default().trim_start_matches('/');
        if rest.contains('/') || rest.strip_suffix(".toml").is_none() {
            continue;
        }
        let Ok(Some((source, document))) = files.document(path) else { continue };
        let mut suite = Suite { path: path.as_str().into(), source, document, cases: Vec::new() };
        if suite.document.sound {
            let document = Rc::clone(&suite.document);
            suite.cases = Reader { context, registry, source }.cases(&document.entries);
        }
        list.push(suite);
    }
    Suites { list }
}

impl Suite {
    /// The host that `case` is about. `recorded`: [`Host::recorded`].
    pub(crate) fn host(
        &self,
        sets: &FactSets<'_>,
        case: &Case,
        recorded: bool,
    ) -> Result<Host<'_>, Reported> {
        let (name, spot) = &case.sample;
        let mut facts = sets.get(name, *spot)?;
        let own = self.case_entries(case);
        for entries in [&self.document.entries[..], own] {
            if let Some(Node::Table(over)) = parse::find(entries, "facts").map(|e| &e.item.node) {
                merge(Rc::make_mut(&mut facts), &of_entries(over));
            }
        }
        let data =
            [&self.document.entries[..], own].into_iter().filter_map(|entries| match &parse::find(
                entries, "data",
            )?
            .item
            .node
            {
                Node::Table(entries) => Some((self.source, &entries[..])),
                _ => None,
            });
        let data = data.collect();
        Ok(Host { facts, labels: case.labels.clone(), data, doubt: None, recorded })
    }

    fn case_entries(&self, case: &Case) -> &[Entry] {
        let cases = parse::find(&self.document.entries, "case").map(|entry| &entry.item.node);
        match cases {
            Some(Node::Table(cases)) => match cases.get(case.index).map(|entry| &entry.item.node) {
                Some(Node::Table(entries)) => entries,
                _ => &[],
            },
            _ => &[],
        }
    }
}

struct Reader<'a> {
    context: &'a Context,
    registry: &'a Registry,
    source: SourceId,
}

impl Reader<'_> {
    fn spot(&self, span: Span) -> Spot {
        Spot::new(self.source, span)
    }

    fn cases(&self, entries: &[Entry]) -> Vec<Case> {
        let names = CASES.names();
        let shape = Shape::new(self.context, self.source, "a file of cases", entries, &names);
        shape.text("description");
        shape.table("facts");
        shape.table("data");
        let labels = self.labels(&shape);
        let mut cases = Vec::new();
        for (index, entry) in shape.table("case").unwrap_or_default().iter().enumerate() {
            if let Node::Table(entries) = &entry.item.node {
                cases.push(self.case(index, entry, entries, &labels));
                continue;
            }
            let message = format!("case `{}` must be a table", entry.key);
            let draft = self.context.error(Code::WrongType, self.spot(entry.item.span), message);
            draft.hint(format!("write `[case.{}]`", entry.key)).report();
        }
        cases
    }

    fn case(
        &self,
        index: usize,
        entry: &Entry,
        entries: &[Entry],
        labels: &BTreeMap<String, String>,
    ) -> Case {
        let before = self.context.count();
        let spot = self.spot(entry.key_span);
        let names = CASE.names();
        let shape = Shape::new(self.context, self.source, "a case", entries, &names);
        for key in ["facts", "data"] {
            shape.table(key);
        }
        shape.text("description");
        let at = |key: &str| shape.get(key).map_or(spot, |entry| self.spot(entry.item.span));
        let mut all_labels = labels.clone();
        all_labels.extend(self.labels(&shape));
        let policy = shape.text("policy").map(|name| (name.clone(), at("policy")));
        let params = shape.table("params").unwrap_or_default();
        if let (Some(entry), None) = (shape.get("params"), shape.get("policy")) {
            let message = "`params` are given to nothing: this case is about the whole site";
            let draft = self.context.error(Code::UnknownKey, self.spot(entry.key_span), message);
            draft.hint("name the policy: `policy = \"…\"`".to_owned()).report();
        }
        let texts = |key: &str| self.texts(&shape, key);
        let policies = shape.get("policies").map(|_| {
            (texts("policies").into_iter().map(|(text, _)| text).collect(), at("policies"))
        });
        let mut case = Case {
            name: entry.key.clone(),
            spot,
            index,
            sample: shape
                .text("sample")
                .map_or((Text::from(DEFAULT), spot), |name| (name.clone(), at("sample"))),
            policy,
            arguments: params.iter().map(|entry| self.argument(entry)).collect(),
            labels: all_labels,
            policies,
            lacks: texts("lacks"),
            order: texts("order"),
            errors: texts("error"),
            warnings: texts("warning"),
            resources: self.resources(shape.table("expect").unwrap_or_default()),
            broken: false,
        };
        for (text, spot) in case.lacks.iter().chain(&case.order) {
            self.reference(text, *spot);
        }
        for (text, spot) in &case.lacks {
            self.glob(text, *spot);
        }
        if case.expects_errors() {
            for key in ["policies", "lacks", "order", "expect"] {
                let Some(entry) = shape.get(key) else { continue };
                let message = format!(
                    "`{key}` cannot be met: this case expects an error, and so no resources"
                );
                let spot = self.spot(entry.key_span);
                self.context.error(Code::InvalidValue, spot, message).report();
            }
        }
        case.broken = self.context.count() > before;
        case
    }

    fn argument(&self, entry: &Entry) -> Argument {
        Argument {
            name: entry.key.to_string(),
            name_spot: self.spot(entry.key_span),
            spot: self.spot(entry.item.span),
            value: Some(from_item(&entry.item)),
            origin: None,
        }
    }

    fn texts(&self, shape: &Shape<'_>, key: &str) -> Vec<(Text, Spot)> {
        let texts = shape.strings(key).unwrap_or_default();
        texts.into_iter().map(|(text, span)| (text.clone(), self.spot(span))).collect()
    }

    fn labels(&self, shape: &Shape<'_>) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        for entry in shape.table("labels").unwrap_or_default() {
            if let Some(text) = entry.item.as_text() {
                labels.insert(entry.key.to_string(), text.to_string());
                continue;
            }
            let found = parse::name_of(&entry.item.node);
            let message = format!("label `{}` must be a string, not {found}", entry.key);
            self.context
                .error(Code::WrongType, self.spot(entry.item.span), message)
                .hint("labels are strings in agent.toml".to_owned())
                .report();
        }
        labels
    }

    /// Reports `text` where it can match nothing.
    fn reference(&self, text: &str, spot: Spot) {
        match crate::graph::reference(text) {
            Some((kind, _)) if self.registry.kind(&kind).is_some() => {}
            Some((kind, _)) => {
                self.unknown_kind(&kind, spot);
            }
            None => {
                let message = format!("{text:?} is no reference to a resource");
                let hint = "write `kind.title`, for instance `service.nginx` or `file./etc/motd`";
                let draft = self.context.error(Code::UnknownReference, spot, message);
                draft.hint(hint.to_owned()).report();
            }
        }
    }

    /// Reports `text` where it cannot be read as a glob and would be found in no catalog.
    fn glob(&self, text: &str, spot: Spot) {
        let title = crate::graph::reference(text).map(|(_, title)| title).unwrap_or_default();
        if let Err(error) = GlobBuilder::new(&title).build() {
            let message = format!("{title:?} is no glob: {}", error.kind());
            self.context.error(Code::InvalidValue, spot, message).report();
        }
    }

    fn unknown_kind(&self, name: &str, spot: Spot) {
        let names: Vec<&str> = self.registry.kinds().map(|kind| kind.declaration().name).collect();
        let hint = did_you_mean(name, names.iter().copied())
            .unwrap_or_else(|| format!("the kinds are: {}", names.join(", ")));
        let message = format!("there is no kind `{name}`");
        self.context.error(Code::UnknownKind, spot, message).hint(hint).report();
    }

    fn resources(&self, entries: &[Entry]) -> Vec<Expected> {
        let mut resources = Vec::new();
        for entry in entries {
            let Some(kind) = self.registry.kind(&entry.key) else {
                self.unknown_kind(&entry.key, self.spot(entry.key_span));
                continue;
            };
            let Node::Table(titles) = &entry.item.node else {
                self.no_table(entry, &format!("[case.NAME.expect.{}.\"title\"]", entry.key));
                continue;
            };
            for title in titles {
                let Node::Table(attributes) = &title.item.node else {
                    let form = format!("[case.NAME.expect.{}.{:?}]", entry.key, &*title.key);
                    self.no_table(title, &form);
                    continue;
                };
                resources.push(Expected {
                    kind,
                    title: title.key.clone(),
                    spot: self.spot(title.key_span),
                    attributes: attributes
                        .iter()
                        .filter_map(|entry| self.attribute(kind, entry))
                        .collect(),
                });
            }
        }
        resources
    }

    fn no_table(&self, entry: &Entry, form: &str) {
        let found = parse::name_of(&entry.item.node);
        let message = format!("`{}` must be a table, not {found}", entry.key);
        let draft = self.context.error(Code::WrongType, self.spot(entry.item.span), message);
        draft.hint(format!("write `{form}`")).report();
    }

    fn attribute(&self, kind: &'static dyn AnyKind, entry: &Entry) -> Option<ExpectedAttribute> {
        let declaration = kind.declaration();
        let spot = self.spot(entry.key_span);
        let own = declaration.attribute(&entry.key).map(ExpectedName::Own);
        let common = || Common::named(&entry.key).map(ExpectedName::Common);
        let name = own.or_else(common).filter(|name| {
            !matches!(name, ExpectedName::Common(Common::When | Common::ForEach | Common::Ignore))
        });
        let Some(name) = name else {
            let own = declaration.attributes.iter().map(|attribute| attribute.name);
            let names: Vec<&str> = own.chain(Common::names()).collect();
            let hint = did_you_mean(&entry.key, names.iter().copied());
            let message = format!("`{}` has no attribute `{}`", declaration.name, entry.key);
            self.context.error(Code::UnknownAttribute, spot, message).hint(hint).report();
            return None;
        };
        let wanted = attribute::wanted(self.context, self.source, name, entry).ok()?;
        Some(ExpectedAttribute { name, spot, wanted })
    }
}
