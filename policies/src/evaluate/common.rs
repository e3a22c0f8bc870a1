//! The attributes that every resource has.

use std::time::Duration;

use steadfast_resources::{KindDeclaration, Text, Value};

use super::attributes::PLACEHOLDER;
use super::texts::Locals;
use super::types::shown;
use super::{Evaluator, Frame, Link};
use crate::catalog::{Common, OnRemove};
use crate::diagnostics::suggest::{did_you_mean, or_list};
use crate::diagnostics::{Code, Reported, Span, Spot};
use crate::expression::is_interpolated;
use crate::parse::{self, Given, Item, Node};

/// The longest timeout, in seconds.
const MAXIMUM_TIMEOUT: u64 = 7 * 24 * 3600;

/// The most retries.
const MAXIMUM_RETRIES: i64 = 100;

impl Evaluator<'_> {
    /// Evaluates the common attribute `name` into `common`, or its references into `links`.
    pub(crate) fn common(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        name: parse::Common,
        given: &Given,
        common: &mut Common,
        links: &mut Vec<Link>,
    ) -> Result<(), Reported> {
        let evaluated = self.attribute(frame, locals, &given.item)?;
        let Some(value) = evaluated.value else { return Ok(()) };
        if !evaluated.certain && self.doubt.is_some() {
            // What it is on a host is not known; the parts that are fixed are references all the same.
            if let (true, Node::List(items)) = (name.links(), &given.item.node) {
                for item in items.iter().filter(|item| has_no_doubt(item)) {
                    let given = Given { name: given.name, item: item.clone() };
                    self.common(frame, locals, name, &given, common, links)?;
                }
            }
            return Ok(());
        }
        // When checking, what nothing is known about refers to nothing that could be judged.
        let known = |text: &str| evaluated.certain || text != PLACEHOLDER;
        let spot = frame.spot(given.item.span);
        let wrong = |expected: &str| {
            let message = format!("`{}` must be {expected}, not {}", name.name(), shown(&value));
            let hint = match &value {
                Value::Text(text) if matches!(&**text, "true" | "false") => {
                    Some(format!("leave the quotes out: {text}"))
                }
                _ => None,
            };
            Err(self.context.error(Code::WrongType, spot, message).hint(hint).report())
        };
        match (name, &value) {
            (parse::Common::Enforce, Value::Boolean(value)) => common.enforce = *value,
            (parse::Common::Sensitive, Value::Boolean(value)) => common.sensitive = *value,
            (parse::Common::Enforce | parse::Common::Sensitive, _) => {
                return wrong("true or false");
            }
            (parse::Common::OnRemove, Value::Text(text)) => {
                common.on_remove = match &**text {
                    "orphan" => OnRemove::Orphan,
                    "delete" => OnRemove::Delete,
                    "restore" => OnRemove::Restore,
                    other => {
                        let words = ["orphan", "delete", "restore"];
                        let message = format!(
                            "`on_remove` must be \"orphan\", \"delete\" or \"restore\", not {}",
                            shown(&value)
                        );
                        let hint = did_you_mean(other, words);
                        let draft = self.context.error(Code::InvalidValue, spot, message);
                        return Err(draft.hint(hint).report());
                    }
                };
            }
            (parse::Common::OnRemove, _) => return wrong("\"orphan\", \"delete\" or \"restore\""),
            (parse::Common::Timeout, value) => match seconds(value) {
                Some(time) if (1..=MAXIMUM_TIMEOUT).contains(&time) => {
                    common.timeout = Duration::from_secs(time);
                }
                Some(_) => return wrong("between a second and seven days"),
                None => return wrong("seconds or a time such as \"90s\" or \"5m\""),
            },
            (parse::Common::Retries, Value::Integer(count)) => {
                match u32::try_from(*count).ok().filter(|_| *count <= MAXIMUM_RETRIES) {
                    Some(count) => common.retries = count,
                    None => return wrong("a count from 0 to 100"),
                }
            }
            (parse::Common::Retries, _) => return wrong("a count from 0 to 100"),
            (parse::Common::Tags, _) => {
                common.tags = self.tags_of(frame, &value, &given.item)?;
            }
            (name, _) if name.links() => {
                for (text, spot) in self.texts(frame, name, &value, &given.item)? {
                    if known(&text) {
                        links.push(Link { relation: name, text, spot, handed_on: false });
                    }
                }
            }
            // `when`, `for_each` and `ignore` are read where they are needed.
            _ => {}
        }
        Ok(())
    }

    /// The tags that `item`, the `tags` of a policy, a module or an assignment, evaluates to.
    pub(crate) fn tags(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        item: &Item,
    ) -> Result<Vec<String>, Reported> {
        match self.attribute(frame, locals, item)?.value {
            Some(value) => self.tags_of(frame, &value, item),
            None => Ok(Vec::new()),
        }
    }

    /// The tags that `value` is, sorted.
    fn tags_of(
        &self,
        frame: &Frame<'_>,
        value: &Value,
        item: &Item,
    ) -> Result<Vec<String>, Reported> {
        let mut tags = Vec::new();
        for (text, spot) in self.texts(frame, parse::Common::Tags, value, item)? {
            if text.is_empty() || text.contains([',', ' ', '\t', '\n']) {
                let message = format!("{:?} cannot be a tag", &*text);
                let draft = self.context.error(Code::InvalidValue, spot, message);
                let hint = "a tag is one word without blanks and commas; write several as a list";
                return Err(draft.hint(hint.to_owned()).report());
            }
            tags.push(text.to_string());
        }
        tags.sort_unstable();
        tags.dedup();
        Ok(tags)
    }

    /// The attributes that `ignore` names.
    pub(crate) fn ignored(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        declaration: &'static KindDeclaration,
        given: &Given,
    ) -> Result<Vec<Text>, Reported> {
        let evaluated = self.attribute(frame, locals, &given.item)?;
        let Some(value) = evaluated.value else { return Ok(Vec::new()) };
        let mut names = Vec::new();
        let mut outcome = Ok(());
        for (name, spot) in self.texts(frame, parse::Common::Ignore, &value, &given.item)? {
            if declaration.attribute(&name).is_some() {
                names.push(name);
                continue;
            }
            if !evaluated.certain && *name == *PLACEHOLDER {
                continue;
            }
            let known: Vec<&str> =
                declaration.attributes.iter().map(|attribute| attribute.name).collect();
            let message = format!("`{}` has no attribute `{name}` to ignore", declaration.name);
            let hint = or_list(&name, "its attributes are", &known);
            let draft = self.context.error(Code::UnknownAttribute, spot, message);
            outcome = Err(draft.hint(hint).report());
        }
        outcome.map(|()| names)
    }

    /// The strings of `value`, a string or a list of them, and where each is written.
    fn texts(
        &self,
        frame: &Frame<'_>,
        name: parse::Common,
        value: &Value,
        item: &Item,
    ) -> Result<Vec<(Text, Spot)>, Reported> {
        let wrong = |value: &Value, span: Span| {
            let message = format!(
                "`{}` must be a string or a list of strings, not {}",
                name.name(),
                shown(value)
            );
            self.context.error(Code::WrongType, frame.spot(span), message).report()
        };
        match value {
            Value::Text(text) => Ok(vec![(text.clone(), frame.spot(item.span))]),
            Value::List(values) => {
                let mut texts = Vec::with_capacity(values.len());
                for (index, value) in values.iter().enumerate() {
                    let span = match &item.node {
                        Node::List(items) => items.get(index).map_or(item.span, |item| item.span),
                        _ => item.span,
                    };
                    match value {
                        Value::Text(text) => texts.push((text.clone(), frame.spot(span))),
                        other => return Err(wrong(other, span)),
                    }
                }
                Ok(texts)
            }
            other => Err(wrong(other, item.span)),
        }
    }
}

/// Whether `item` is the same on every host.
fn has_no_doubt(item: &Item) -> bool {
    item.as_text().is_some_and(|text| !is_interpolated(text))
}

/// Seconds, as an integer or as text with units: `90`, `"90s"`, `"1h30m"`.
pub(super) fn seconds(value: &Value) -> Option<u64> {
    match value {
        Value::Integer(seconds) => u64::try_from(*seconds).ok(),
        Value::Text(text) => parse::seconds(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (value, expected) in [
            (Value::Integer(90), Some(90)),
            (Value::Integer(-1), None),
            (Value::text("90s"), Some(90)),
            (Value::text("1h30m"), Some(5400)),
            (Value::text("2d"), Some(172_800)),
            (Value::text("90"), None),
            (Value::text("s"), None),
            (Value::text(""), None),
            (Value::text("5 m"), None),
            (Value::text("99999999999999999999s"), None),
            (Value::Boolean(true), None),
        ] {
            assert_eq!(seconds(&value), expected, "{value:?}");
        }
    }
}
