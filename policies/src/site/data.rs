//! Hierarchical data: layers of TOML files below `data/`, later ones winning.
//!
//! Maps merge deeply, everything else replaces, and a key that ends in `+` appends its list to the
//! one below it. Data is literal: nothing in it is evaluated. A layer that does not exist is fine,
//! one that does not parse is not.

use minijinja::Value as Jinja;
use steadfast_resources::Text;

use super::Site;
use super::assignment::as_text;
use crate::diagnostics::{Code, Context, Reported, SourceId, Spot};
use crate::evaluate::{Evaluator, Files, Frame};
use crate::expression::{Resolved, from_item, resolve};
use crate::map::Map;
#[cfg(test)]
use crate::parse;
use crate::parse::{Entry, Item, Node, Policy};

/// A merged value and where it is written.
#[derive(Debug, Clone)]
pub(crate) struct Datum {
    pub(crate) spot: Spot,
    content: Content,
    /// Every layer's say about it, the weakest first. Only kept where somebody asks for it.
    trail: Vec<Said>,
}

/// What one layer says about a key.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) spot: Spot,
    pub(crate) value: Jinja,
    /// Whether it appends to what the layers below say, and does not replace it.
    pub(crate) appends: bool,
    /// Where each item of a list is.
    pub(crate) items: Vec<Spot>,
}

#[derive(Debug, Clone)]
enum Content {
    Leaf(Jinja),
    List(Vec<Jinja>),
    Map(Vec<(Text, Datum)>),
}

impl Said {
    fn new(source: SourceId, item: &Item, appends: bool) -> Self {
        let spot = |item: &Item| Spot::new(source, item.span);
        let items = match &item.node {
            Node::List(items) => items.iter().map(spot).collect(),
            _ => Vec::new(),
        };
        Self { spot: spot(item), value: from_item(item), appends, items }
    }
}

impl Datum {
    /// The entries of one layer.
    fn layer(context: &Context, source: SourceId, entries: &[Entry], spot: Spot) -> Self {
        Self::empty(spot).merged(context, source, entries)
    }

    /// The value `item`, which a layer gives, with what those below said.
    fn given(notes: &Context, source: SourceId, item: &Item, below: Option<Self>) -> Self {
        let mut trail = Vec::new();
        if notes.tracer.is_some() {
            trail = below.map(Self::said).unwrap_or_default();
            trail.push(Said::new(source, item, false));
        }
        let content = match &item.node {
            Node::List(items) => Content::List(items.iter().map(from_item).collect()),
            _ => Content::Leaf(from_item(item)),
        };
        Self { spot: Spot::new(source, item.span), content, trail }
    }

    /// Every layer's say; for a map, its last value as a whole.
    fn said(self) -> Vec<Said> {
        match self.content {
            Content::Map(_) => {
                let (spot, value) = (self.spot, self.value());
                vec![Said { spot, value, appends: false, items: Vec::new() }]
            }
            _ => self.trail,
        }
    }

    /// This, with `entries` on top.
    pub(crate) fn merged(mut self, context: &Context, source: SourceId, entries: &[Entry]) -> Self {
        if !matches!(self.content, Content::Map(_)) {
            self.content = Content::Map(Vec::new());
        }
        let Content::Map(map) = &mut self.content else { return self };
        // A key with `+` counts after the one without, in whichever order they are written.
        let (appends, plain): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|entry| entry.key.ends_with('+'));
        let mut places: Map<String, usize> =
            map.iter().enumerate().map(|(place, (key, _))| (key.to_string(), place)).collect();
        for entry in plain {
            let spot = Spot::new(source, entry.item.span);
            let place = *places.entry(entry.key.to_string()).or_insert(map.len());
            let known = map.get_mut(place).map(|(_, datum)| datum);
            let empty = Self::empty(spot);
            let (known, below) = match known {
                Some(known) => {
                    let below = std::mem::replace(known, empty);
                    (Some(known), Some(below))
                }
                None => (None, None),
            };
            let datum = match (&entry.item.node, below) {
                (Node::Table(entries), Some(mut below)) => {
                    if !matches!(below.content, Content::Map(_)) {
                        // This layer makes a map of it, and not the one below.
                        below.spot = spot;
                    }
                    below.merged(context, source, entries)
                }
                (Node::Table(entries), None) => Self::layer(context, source, entries, spot),
                (_, below) => Self::given(context, source, &entry.item, below),
            };
            match known {
                Some(known) => *known = datum,
                None => map.push((entry.key.clone(), datum)),
            }
        }
        for entry in appends {
            append(context, source, map, &mut places, entry);
        }
        self
    }

    /// No data at all, as if it were written at `spot`.
    pub(crate) fn empty(spot: Spot) -> Self {
        Self { spot, content: Content::Map(Vec::new()), trail: Vec::new() }
    }

    /// The part called `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.content {
            Content::Map(map) => {
                map.iter().find(|(known, _)| **known == *key).map(|(_, datum)| datum)
            }
            _ => None,
        }
    }

    /// Every layer's say, the weakest first, about this key and the keys below it, each with the
    /// way there from here. Empty where nobody asked for it.
    pub(crate) fn trail(&self) -> Vec<(String, &Said)> {
        let mut trail: Vec<(String, &Said)> =
            self.trail.iter().map(|said| (String::new(), said)).collect();
        if let Content::Map(map) = &self.content {
            for (key, datum) in map {
                trail.extend(datum.trail().into_iter().map(|(way, said)| {
                    (if way.is_empty() { key.to_string() } else { format!("{key}.{way}") }, said)
                }));
            }
        }
        trail
    }

    /// The value as expressions see it.
    pub(crate) fn value(&self) -> Jinja {
        match &self.content {
            Content::Leaf(value) => value.clone(),
            Content::List(items) => Jinja::from(items.clone()),
            Content::Map(map) => Jinja::from_pairs(
                map.iter().map(|(key, datum)| (Jinja::from(key.as_str()), datum.value())),
            ),
        }
    }
}

fn append(
    context: &Context,
    source: SourceId,
    map: &mut Vec<(Text, Datum)>,
    places: &mut Map<String, usize>,
    entry: &Entry,
) {
    let key = entry.key.trim_end_matches('+');
    let spot = Spot::new(source, entry.item.span);
    let Node::List(items) = &entry.item.node else {
        let message = format!("`{}` must be a list: `+` appends to one", entry.key);
        context.error(Code::WrongType, spot, message).report();
        return;
    };
    let place = *places.entry(key.to_owned()).or_insert(map.len());
    match map.get_mut(place) {
        Some((_, Datum { content: Content::List(list), trail, .. })) => {
            if context.tracer.is_some() {
                trail.push(Said::new(source, &entry.item, true));
            }
            list.extend(items.iter().map(from_item));
        }
        Some((_, below)) => {
            let message = format!("`{}` appends to something that is not a list", entry.key);
            let draft = context.error(Code::WrongType, spot, message);
            draft.related(below.spot, "it is defined here").report();
        }
        None => {
            map.push((Text::from(key), Datum::given(context, source, &entry.item, None)));
        }
    }
}

/// The data of the host that `evaluator` knows.
pub(crate) fn layers(
    evaluator: &Evaluator<'_>,
    files: &Files<'_>,
    site: &Site,
) -> Result<Datum, Reported> {
    let pseudo = Policy::bare("site", site.source);
    let frame = Frame::of_site(&pseudo, evaluator.base.clone());
    let context = evaluator.context;
    let mut merged = Datum::empty(Spot::new(site.source, crate::diagnostics::Span::default()));
    let mut failed = None;
    for item in &site.data {
        let spot = Spot::new(site.source, item.span);
        let outcome = match evaluator.data_value(&frame, &frame.locals, item) {
            Ok(outcome) => outcome,
            Err(reported) => {
                failed = Some(reported);
                continue;
            }
        };
        let Some(name) = as_text(&outcome) else {
            if !matches!(outcome, crate::evaluate::Outcome::Unknown) {
                let message = "the name of a data layer must be a string";
                failed = Some(context.error(Code::WrongType, spot, message).report());
            }
            continue;
        };
        let Resolved::Path(path) = resolve("data", &format!("{name}.toml")) else {
            let message = format!("{name:?} is not a path below `data/`");
            failed = Some(context.error(Code::InvalidPath, spot, message).report());
            continue;
        };
        match files.document(&path) {
            Ok(Some((source, document))) => {
                if document.sound {
                    merged = merged.merged(context, source, &document.entries);
                } else {
                    failed = Some(Reported);
                }
            }
            Ok(None) => {}
            Err(reported) => failed = Some(reported),
        }
    }
    failed.map_or(Ok(merged), Err)
}

/// Checks every file below `data/`.
pub(crate) fn check_all(context: &Context, files: &Files<'_>) {
    for path in files.below("data") {
        if path.rsplit_once('.').is_none_or(|(_, extension)| extension != "toml") {
            continue;
        }
        if let Ok(Some((source, document))) = files.document(path)
            && document.sound
        {
            let spot = Spot::new(source, crate::diagnostics::Span::default());
            Datum::layer(context, source, &document.entries, spot);
            for entry in &document.entries {
                warn_of_expressions(context, source, &entry.item);
            }
        }
    }
}

/// Warns of what looks like an expression of the language: data is literal. (Braces as such may be
/// meant for another program's templates.)
fn warn_of_expressions(context: &Context, source: SourceId, item: &Item) {
    match &item.node {
        Node::Text(text) => {
            let inner = text.split("{{").skip(1).map(str::trim_start);
            let mut roots = inner.map(|inner| inner.split('.').next().unwrap_or_default());
            if roots.any(|root| ["facts", "labels", "params", "data"].contains(&root)) {
                let message = "data is literal: nothing in it is evaluated";
                let hint =
                    "put the expression into the policy, or into a parameter's default there";
                let draft =
                    context.warning(Code::InvalidValue, Spot::new(source, item.span), message);
                draft.hint(hint.to_owned()).report();
            }
        }
        Node::List(items) => {
            for item in items {
                warn_of_expressions(context, source, item);
            }
        }
        Node::Table(entries) => {
            for entry in entries {
                warn_of_expressions(context, source, &entry.item);
            }
        }
        _ => {}
    }
}

/// The merged data of layers given as text.
#[cfg(test)]
pub(super) fn layer_for_tests(layers: &[&str]) -> Datum {
    let context = Context::default();
    let mut merged: Option<Datum> = None;
    for text in layers {
        let source = context.sources.add("data/x.toml", *text);
        let entries = parse::parse(&context, source).entries;
        let spot = Spot::new(source, crate::diagnostics::Span::default());
        merged = Some(match merged {
            Some(below) => below.merged(&context, source, &entries),
            None => Datum::layer(&context, source, &entries, spot),
        });
    }
    assert!(!context.has_errors());
    merged.expect("a layer")
}
