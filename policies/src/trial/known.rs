//! The fact sets of a repository: the samples, and what is below `tests/facts/`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::diagnostics::suggest::did_you_mean;
use crate::diagnostics::{Code, Context, Reported, Span, Spot};
use crate::evaluate::Files;
use crate::parse::{Entry, Item, Node};
use crate::samples::{sample_facts, sample_names};

/// Where a repository keeps facts of its own.
pub(crate) const DIRECTORY: &str = "tests/facts";

/// The fact sets by name, each read once.
pub(crate) struct FactSets<'a> {
    context: &'a Context,
    files: &'a Files<'a>,
    known: RefCell<BTreeMap<String, Result<Rc<Value>, Reported>>>,
}

impl<'a> FactSets<'a> {
    pub(crate) fn new(context: &'a Context, files: &'a Files<'a>) -> Self {
        Self { context, files, known: RefCell::default() }
    }

    /// Name and path of every fact set of the repository's own.
    pub(crate) fn own(&self) -> Vec<(&'a str, &'a str)> {
        let name = |path: &'a String| {
            let rest = path.strip_prefix(DIRECTORY)?.strip_prefix('/')?;
            let name = rest.strip_suffix(".toml").or_else(|| rest.strip_suffix(".json"))?;
            (!name.contains('/')).then_some((name, path.as_str()))
        };
        self.files.below(DIRECTORY).iter().filter_map(name).collect()
    }

    /// The fact set called `name`, which is written at `spot`.
    pub(crate) fn get(&self, name: &str, spot: Spot) -> Result<Rc<Value>, Reported> {
        if let Some(known) = self.known.borrow().get(name) {
            return known.clone();
        }
        let found = match self.own().iter().find(|(own, _)| *own == name) {
            Some((_, path)) => self.read(path).map(Rc::new),
            None => match sample_facts(name) {
                Some(facts) => Ok(Rc::new(facts)),
                None => return Err(self.unknown(name, spot)),
            },
        };
        self.known.borrow_mut().insert(name.to_owned(), found.clone());
        found
    }

    fn unknown(&self, name: &str, spot: Spot) -> Reported {
        let mut names: Vec<&str> = self.own().iter().map(|(name, _)| *name).collect();
        for sample in sample_names() {
            names.push(sample);
        }
        let hint = did_you_mean(name, names.iter().copied()).unwrap_or_else(|| {
            format!("there are: {}; `{DIRECTORY}/{name}.toml` would add one", names.join(", "))
        });
        let message = format!("there is no sample `{name}`");
        self.context.error(Code::UnknownSample, spot, message).hint(hint).report()
    }

    fn read(&self, path: &str) -> Result<Value, Reported> {
        if path.strip_suffix(".toml").is_some() {
            let Some((_, document)) = self.files.document(path)? else { return Err(Reported) };
            return if document.sound { Ok(of_entries(&document.entries)) } else { Err(Reported) };
        }
        let Some(source) = self.files.source(path)? else { return Err(Reported) };
        let text = &self.context.sources.get(source).text;
        let wrong = |at: usize, message: String| {
            let spot = Spot::new(source, Span::new(&(at..at + 1)));
            let draft = self.context.error(Code::Syntax, spot, message);
            draft.hint("write what `steadfast facts --json` prints".to_owned()).report()
        };
        match serde_json::from_str::<Value>(text) {
            Ok(facts) if facts.is_object() => Ok(facts),
            Ok(_) => Err(wrong(0, "facts must be a JSON object".to_owned())),
            Err(error) => {
                let before = text.split_inclusive('\n').take(error.line().saturating_sub(1));
                let at = before.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or_default();
                Err(wrong(at.min(text.len()), format!("this is not JSON: {message}")))
            }
        }
    }
}

/// The table `entries` as facts.
pub(crate) fn of_entries(entries: &[Entry]) -> Value {
    let pairs = entries.iter().map(|entry| (entry.key.to_string(), of_item(&entry.item)));
    Value::Object(pairs.collect::<Map<_, _>>())
}

fn of_item(item: &Item) -> Value {
    match &item.node {
        Node::Text(text) => Value::from(text.as_str()),
        Node::Integer(integer) => Value::from(*integer),
        Node::Float(float) => Value::from(*float),
        Node::Boolean(boolean) => Value::from(*boolean),
        Node::Datetime(datetime) => Value::from(&**datetime),
        Node::List(items) => items.iter().map(of_item).collect(),
        Node::Table(entries) => of_entries(entries),
    }
}
