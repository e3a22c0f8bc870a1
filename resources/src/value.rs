//! Attribute values after evaluation: what a policy's TOML and templates have become.
//!
//! [`Text`] can be a slice of the policy's own source, so that ten thousand inline files are not
//! copied once more.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// One evaluated attribute value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A string.
    Text(Text),
    /// A 64-bit integer, as in TOML.
    Integer(i64),
    /// A float, as in TOML.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// An array.
    List(Vec<Value>),
    /// A table, in written order.
    Table(Vec<(String, Value)>),
    /// Files of the policy repository, for attributes of type
    /// [`AttributeType::RepositoryPath`](crate::AttributeType::RepositoryPath).
    Tree(Arc<Tree>),
}

impl Value {
    /// A text value.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Text::from(text.into()))
    }

    /// A list of texts.
    pub fn texts(texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }

    /// The name of this value's type, as error messages print it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Integer(_) => "integer",
            Self::Float(_) => "float",
            Self::Boolean(_) => "boolean",
            Self::List(_) => "list",
            Self::Table(_) => "table",
            Self::Tree(_) => "files of the repository",
        }
    }
}

/// A shared, immutable string; either its own or a slice of a larger shared source.
#[derive(Clone)]
pub struct Text(Inner);

#[derive(Clone)]
enum Inner {
    Owned(Arc<str>),
    Slice { source: Arc<str>, start: u32, end: u32 },
}

impl Text {
    /// A slice of `source`. Falls back to a copy where the range does not fit 32 bits, and to the
    /// empty text where it is not a valid range of `source`.
    pub fn slice(source: &Arc<str>, range: Range<usize>) -> Self {
        match (u32::try_from(range.start), u32::try_from(range.end)) {
            (Ok(start), Ok(end)) if source.get(range.clone()).is_some() => {
                Self(Inner::Slice { source: Arc::clone(source), start, end })
            }
            _ => Self(Inner::Owned(source.get(range).unwrap_or_default().into())),
        }
    }

    /// The string itself.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Inner::Owned(text) => text,
            Inner::Slice { source, start, end } => {
                source.get(*start as usize..*end as usize).unwrap_or_default()
            }
        }
    }
}

impl Text {
    /// The string on its own: shared where it is no slice of something larger.
    pub fn shared(&self) -> Arc<str> {
        match &self.0 {
            Inner::Owned(text) => Arc::clone(text),
            Inner::Slice { .. } => self.as_str().into(),
        }
    }
}

impl std::hash::Hash for Text {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Inner::Owned(text.into()))
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Self(Inner::Owned(text))
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self(Inner::Owned(text.as_str().into()))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Inner::Owned(text.into()))
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What a path in the policy repository names: one file, or a directory with all below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// A single file.
    File {
        /// Its bytes.
        content: Arc<[u8]>,
        /// Whether Git has it as executable (mode 100755).
        executable: bool,
    },
    /// A directory: every file below it, sorted by path. Git knows no empty directories.
    Directory(Vec<TreeEntry>),
}

/// One file below a directory of the policy repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// Path relative to the directory, with `/` between components; never absolute, never `..`.
    pub path: String,
    /// The file's bytes.
    pub content: Arc<[u8]>,
    /// Whether Git has it as executable.
    pub executable: bool,
}
