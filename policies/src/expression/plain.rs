//! The strings that policies are full of (`"{{ item.name }}"`, `"/etc/{{ item.name }}.conf"`): text and
//! dotted names, put together without running the engine.
//!
//! What must stay true: the outcome is what the engine's would be. Whatever is not plainly so (a name
//! that does not exist, a value that is neither text nor an integer) is left to the engine.

use std::fmt::Write;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::scope::{ROOTS, Scope};

/// How long a value mostly is at most, in bytes.
const LIKELY: usize = 16;

/// Text and names in turn.
#[derive(Debug)]
pub(crate) struct Plain(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Text(Box<str>),
    /// The parts of a dotted name.
    Name(Box<[Box<str>]>),
}

impl Plain {
    /// `text`, if it is plain.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.contains("{%") || text.contains("{#") {
            return None;
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find("{{") {
            let (before, tail) = rest.split_at(at);
            let (name, after) = tail.get(2..)?.split_once("}}")?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.into()));
            }
            pieces.push(Piece::Name(name_parts(name.trim_matches(' '))?));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        Some(Self(pieces))
    }

    /// Its value with the names of `scope`; `None` where the engine is to be asked.
    pub(super) fn value(&self, scope: &Scope) -> Option<Value> {
        if let [Piece::Name(parts)] = self.0.as_slice() {
            return found(scope, parts);
        }
        let sizes = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.len(),
            Piece::Name(_) => LIKELY,
        });
        let mut text = String::with_capacity(sizes.sum());
        for piece in &self.0 {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Name(parts) => {
                    let value = found(scope, parts)?;
                    match value.as_str() {
                        Some(piece) => text.push_str(piece),
                        None if value.kind() == ValueKind::Number && value.is_integer() => {
                            write!(text, "{value}").ok()?;
                        }
                        None => return None,
                    }
                }
            }
            if text.len() > super::MAXIMUM_OUTPUT {
                return None;
            }
        }
        Some(Value::from(text))
    }
}

/// The parts of a dotted name that begins with one of the roots.
fn name_parts(name: &str) -> Option<Box<[Box<str>]>> {
    let identifier = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let known = name.split('.').next().is_some_and(|root| ROOTS.contains(&root));
    let parts = name.split('.').map(|part| identifier(part).then(|| part.into()));
    parts.collect::<Option<_>>().filter(|_| known)
}

fn found(scope: &Scope, parts: &[Box<str>]) -> Option<Value> {
    let (root, parts) = parts.split_first()?;
    let mut value = scope.named(root)?.clone();
    for part in parts {
        value = value.get_attr(part).ok().filter(|value| !value.is_undefined())?;
    }
    (!value.is_undefined()).then_some(value)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::expression::{Budget, Engine, environment};

    #[test]
    fn the_engine_says_the_same() {
        let pair = |name: &str, value: Value| (Value::from(name), value);
        let item = Value::from_pairs([
            pair("name", Value::from("web")),
            pair("port", Value::from(80)),
            pair("big", Value::from(u64::MAX)),
            pair("ratio", Value::from(1.5)),
            pair("on", Value::from(true)),
            pair("none", Value::from(())),
            pair("list", Value::from(vec![1, 2])),
            pair("text", Value::from("{{ item.name }} \n")),
        ]);
        let scope = Scope { item: Some(item), ..Scope::default() };
        let object = Value::from_object(scope.clone());
        let library = Arc::default();
        let budget = Budget::default();
        let environment = environment(&library, &budget);
        let engine = Engine::new(&environment, &library, budget.clone());
        let source = crate::diagnostics::Sources::default().add("x", "");
        let names =
            ["name", "port", "big", "ratio", "on", "none", "list", "text", "nope", "name.nope"];
        let mut position = 0;
        let mut plain = 0;
        for name in names {
            for text in [
                format!("{{{{ item.{name} }}}}"),
                format!("{{{{item.{name}}}}}"),
                format!("{{{{- item.{name} }}}}"),
                format!("a\n{{{{ item.{name} }}}}"),
                format!("a {{{{ item.{name} }}}} }}}} {{{{ item.name }}}}\n"),
                format!("a {{{{ item.{name} }}}} {{# c #}}"),
                format!("a {{{{ item.{name} | upper }}}}"),
            ] {
                position += 1;
                let Some(read) = Plain::read(&text) else { continue };
                let Some(value) = read.value(&scope) else { continue };
                plain += 1;
                let asked = engine.unoptimised((source, position), &text).unwrap();
                let asked = asked.run(&object, &budget).unwrap();
                assert_eq!(asked, value, "{text}");
                assert_eq!(asked.kind(), value.kind(), "{text}");
            }
        }
        assert_eq!(plain, 8 * 2 + 4 * 2);
    }
}
