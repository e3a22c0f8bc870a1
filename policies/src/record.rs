//! How a resource came to be: which policy declares it and where, with which attributes after
//! evaluation, and what was read to get there.
//!
//! Only [`evaluate_recorded`](crate::evaluate_recorded) keeps this; a run on a host does without.
//! Values of secret attributes are here as they are: whoever shows them masks them.

use std::sync::Arc;

use serde::Serialize;
use steadfast_resources::{Text, Value};

/// How one resource came to be.
#[derive(Debug, Clone)]
pub struct Record {
    /// The policies that led here through modules, outermost first; the last one declares it.
    pub policies: Vec<Arc<str>>,
    /// The modules it was made by, outermost first.
    pub modules: Arc<[Text]>,
    /// The directory that the declaring policy's templates and sources are relative to.
    pub directory: Arc<str>,
    /// The expression of `for_each`, where the declaration has one.
    pub for_each: Option<Extent>,
    /// The whole declaration, from its title to its last value.
    pub declaration: Extent,
    /// The title as it is written, before evaluation.
    pub title: Text,
    /// The kind's own attributes after evaluation, sorted by name. Those that are ignored or whose
    /// value is `none` are left out.
    pub attributes: Vec<RecordedAttribute>,
    /// The parameters of the declaring policy, and where each one's value is written.
    pub parameters: Vec<(String, Extent)>,
    /// Where the data is written that it reads by name (`data.web.port`), as far as that is known.
    pub data: Vec<(String, Extent)>,
    /// The dotted names that its expressions and templates use (`facts.os.family`), sorted. What a
    /// name is followed by at run time (`data[key]`) is not known: only its beginning is there.
    pub reads: Vec<String>,
}

impl Record {
    /// The policy that declares it.
    pub fn policy(&self) -> &str {
        self.policies.last().map_or("", |name| name)
    }

    /// The attribute called `name`, if it is given.
    pub fn attribute(&self, name: &str) -> Option<&RecordedAttribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// One attribute of a recorded resource.
#[derive(Debug, Clone)]
pub struct RecordedAttribute {
    /// Its name.
    pub name: &'static str,
    /// Its value: of a template the text rendered, of a source the files.
    pub value: Value,
    /// What is written, where that is text without interpolation: of a template or a source its path.
    pub written: Option<Text>,
    /// The value as it is written in the policy, quotes included.
    pub given: Extent,
    /// Whether it comes from the policy's `[defaults]`.
    pub default: bool,
}

/// A stretch of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Extent {
    /// The file, relative to the repository's root.
    pub file: Arc<str>,
    /// The first line, from 1.
    pub line: u32,
    /// The last line.
    pub last_line: u32,
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl std::fmt::Display for Extent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}
