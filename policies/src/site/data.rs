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
use crate::parse::{self, Entry, Node, Policy};

/// A merged value and where it is written.
#[derive(Debug, Clone)]
pub(crate) struct Datum {
    pub(crate) spot: Spot,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Leaf(Jinja),
    List(Vec<Jinja>),
    Map(Vec<(Text, Datum)>),
}

impl Datum {
    /// The entries of one layer.
    fn layer(context: &Context, source: SourceId, entries: &[Entry], spot: Spot) -> Self {
        let empty = Self { spot, content: Content::Map(Vec::new()) };
        empty.merged(context, source, entries)
    }

    /// This, with `entries` on top.
    fn merged(mut self, context: &Context, source: SourceId, entries: &[Entry]) -> Self {
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
            let mut below = map.get_mut(place).map(|(_, datum)| datum);
            let datum = match &entry.item.node {
                Node::Table(entries) => {
                    let empty = Self { spot, content: Content::Map(Vec::new()) };
                    let below =
                        below.as_deref_mut().map(|below| std::mem::replace(below, empty.clone()));
                    below.unwrap_or(empty).merged(context, source, entries)
                }
                Node::List(items) => {
                    Self { spot, content: Content::List(items.iter().map(from_item).collect()) }
                }
                _ => Self { spot, content: Content::Leaf(from_item(&entry.item)) },
            };
            match below {
                Some(below) => *below = datum,
                None => map.push((entry.key.clone(), datum)),
            }
        }
        for entry in appends {
            append(context, source, map, &mut places, entry);
        }
        self
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
    let items = items.iter().map(from_item);
    let place = *places.entry(key.to_owned()).or_insert(map.len());
    match map.get_mut(place) {
        Some((_, Datum { content: Content::List(list), .. })) => list.extend(items),
        Some((_, below)) => {
            let message = format!("`{}` appends to something that is not a list", entry.key);
            let draft = context.error(Code::WrongType, spot, message);
            draft.related(below.spot, "it is defined here").report();
        }
        None => {
            let list = Content::List(items.collect());
            map.push((Text::from(key), Datum { spot, content: list }));
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
    let mut merged = Datum {
        spot: Spot::new(site.source, crate::diagnostics::Span::default()),
        content: Content::Map(Vec::new()),
    };
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
        match files.source(&path) {
            Ok(Some(source)) => {
                let document = parse::parse(context, source);
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
        if let Ok(Some(source)) = files.source(path) {
            let document = parse::parse(context, source);
            if document.sound {
                let spot = Spot::new(source, crate::diagnostics::Span::default());
                Datum::layer(context, source, &document.entries, spot);
            }
        }
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
