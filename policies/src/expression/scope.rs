//! The names that an expression sees.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};

/// Names whose values depend on the host or on who uses the policy.
pub(crate) const ROOTS: &[&str] = &["facts", "labels", "params", "data", "item"];

/// The names that an expression sees; `None` is a name that does not exist here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) facts: Option<Value>,
    pub(crate) labels: Option<Value>,
    pub(crate) params: Option<Value>,
    pub(crate) data: Option<Value>,
    pub(crate) item: Option<Value>,
    /// The function that reads a file of the policy.
    pub(crate) file: Option<Value>,
}

impl Scope {
    /// The same names, and `item`.
    pub(crate) fn with_item(&self, item: Value) -> Self {
        Self { item: Some(item), ..self.clone() }
    }

    pub(super) fn named(&self, name: &str) -> Option<&Value> {
        match name {
            "facts" => self.facts.as_ref(),
            "labels" => self.labels.as_ref(),
            "params" => self.params.as_ref(),
            "data" => self.data.as_ref(),
            "item" => self.item.as_ref(),
            "file" => self.file.as_ref(),
            _ => None,
        }
    }

    /// The names that exist here.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        ROOTS.iter().copied().chain(["file"]).filter(|name| self.named(name).is_some())
    }

    /// The whole path of `name`, where it is one below a root that was left out: a parameter, a fact, a
    /// label, a key of the data.
    pub(crate) fn meant(&self, name: &str) -> Option<String> {
        let roots = ["params", "facts", "item", "labels", "data"];
        let paths = roots.iter().map(|root| format!("{root}.{name}"));
        paths.into_iter().find(|path| self.follow(path).is_ok())
    }

    /// Follows a dotted path: the value, or the first part that does not exist with the names that
    /// exist in its place.
    pub(crate) fn follow(&self, path: &str) -> Result<Value, Missing> {
        let mut parts = path.split('.');
        let root = parts.next().unwrap_or_default();
        let mut value = self.named(root).cloned().ok_or_else(|| Missing {
            known: String::new(),
            part: root.to_owned(),
            names: ["facts", "labels", "params", "data", "item", "file"]
                .into_iter()
                .filter(|name| *name != "item" || self.item.is_some())
                .map(str::to_owned)
                .collect(),
        })?;
        let mut known = root.to_owned();
        for part in parts {
            match value.get_attr(part) {
                Ok(next) if !next.is_undefined() => value = next,
                _ => {
                    let names = value
                        .try_iter()
                        .ok()
                        .filter(|_| value.kind() == minijinja::value::ValueKind::Map);
                    let names = names.map(|names| names.map(|name| name.to_string()).collect());
                    let names = names.unwrap_or_default();
                    return Err(Missing { known, part: part.to_owned(), names });
                }
            }
            known.push('.');
            known.push_str(part);
        }
        Ok(value)
    }
}

/// Where a path ends too early.
pub(crate) struct Missing {
    /// The part of the path that exists; empty when not even its first name does.
    pub(crate) known: String,
    /// The first name that does not.
    pub(crate) part: String,
    /// The names that exist in its place.
    pub(crate) names: Vec<String>,
}

impl Object for Scope {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.named(key.as_str()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.names().map(Value::from).collect())
    }
}
