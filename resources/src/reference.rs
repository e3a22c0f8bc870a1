//! The name of a resource: kind and title, written `kind.title` or `kind."title"`.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// Kind and title of a resource; cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    kind: &'static str,
    title: Arc<str>,
}

impl Reference {
    /// The reference of the resource of `kind` that is titled `title`.
    pub fn new(kind: &'static str, title: impl Into<Arc<str>>) -> Self {
        Self { kind, title: title.into() }
    }

    /// The kind's name, for instance `file`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The title, for instance `/etc/motd`.
    pub fn title(&self) -> &str {
        &self.title
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = !self.title.is_empty()
            && self.title.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if bare {
            write!(formatter, "{}.{}", self.kind, self.title)
        } else {
            write!(formatter, "{}.{:?}", self.kind, self.title)
        }
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
