//! Finding and parsing policies by name, each once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use steadfast_resources::Registry;

use super::Files;
use crate::diagnostics::suggest::or_list;
use crate::diagnostics::{Code, Context, Reported, SourceId, Span, Spot};
use crate::parse::{self, Policy};

/// The directory of all policies.
const DIRECTORY: &str = "policies";

/// What came of looking for a policy.
type Loaded = Result<Option<Rc<Policy>>, Reported>;

/// The policies of a repository.
pub(crate) struct Policies<'a> {
    context: &'a Context,
    registry: &'a Registry,
    files: &'a Files<'a>,
    loaded: RefCell<HashMap<String, Loaded>>,
}

impl<'a> Policies<'a> {
    pub(crate) fn new(context: &'a Context, registry: &'a Registry, files: &'a Files<'a>) -> Self {
        Self { context, registry, files, loaded: RefCell::default() }
    }

    /// The policy called `name`, which is written at `spot`.
    pub(crate) fn get(&self, name: &str, spot: Spot) -> Result<Rc<Policy>, Reported> {
        self.load(name)?.ok_or_else(|| self.unknown(name, spot))
    }

    /// The policy called `name`, if there is one.
    pub(crate) fn load(&self, name: &str) -> Loaded {
        if let Some(known) = self.loaded.borrow().get(name) {
            return known.clone();
        }
        let loaded = self.read(name);
        self.loaded.borrow_mut().insert(name.to_owned(), loaded.clone());
        loaded
    }

    /// Forgets what was parsed; what is still in use elsewhere stays.
    pub(crate) fn clear(&self) {
        self.loaded.borrow_mut().clear();
    }

    fn read(&self, name: &str) -> Loaded {
        if !is_name(name) {
            return Ok(None);
        }
        let directory = format!("{DIRECTORY}/{name}");
        let folder = self.files.source(&format!("{directory}/policy.toml"))?;
        let single = self.files.source(&format!("{directory}.toml"))?;
        let (source, directory) = match (folder, single) {
            (Some(first), Some(second)) => return Err(self.twice(name, first, second)),
            // A single file has no files: those beside it are other policies'.
            (Some(source), None) | (None, Some(source)) => (source, directory.as_str()),
            (None, None) => return Ok(None),
        };
        Ok(Some(Rc::new(self.parse(name, directory, source))))
    }

    /// Parses the policy `name` from `source`; its files are relative to `directory`.
    pub(crate) fn parse(&self, name: &str, directory: &str, source: SourceId) -> Policy {
        let document = parse::parse(self.context, source);
        parse::classify(
            self.context,
            self.registry,
            name.into(),
            directory.into(),
            source,
            document,
        )
    }

    fn twice(&self, name: &str, first: SourceId, second: SourceId) -> Reported {
        let start = |source| Spot::new(source, Span::default());
        self.context
            .error(Code::Duplicate, start(second), format!("policy `{name}` exists twice"))
            .related(start(first), "here is the other one")
            .hint("keep either the file or the directory".to_owned())
            .report()
    }

    fn unknown(&self, name: &str, spot: Spot) -> Reported {
        let message = format!("there is no policy `{name}`");
        let hint = if is_name(name) && !self.files.below(&format!("{DIRECTORY}/{name}")).is_empty()
        {
            Some(format!("`{DIRECTORY}/{name}/` has no `policy.toml`"))
        } else {
            let names = self.names();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            // The path of the file in place of the name.
            let bare = name.strip_prefix("policies/").unwrap_or(name);
            let bare = bare.strip_suffix("/policy.toml").unwrap_or(bare);
            let bare = bare.strip_suffix(".toml").unwrap_or(bare);
            let meant = names.iter().find(|known| bare != name && **known == bare);
            let meant = meant.map(|known| format!("write its name alone: \"{known}\""));
            meant
                .or_else(|| or_list(name, "the policies are", &names))
                .or_else(|| Some(format!("write it as `{DIRECTORY}/NAME/policy.toml`")))
        };
        self.context.error(Code::UnknownPolicy, spot, message).hint(hint).report()
    }

    /// The names of all policies, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .files
            .below(DIRECTORY)
            .iter()
            .filter_map(|path| {
                let rest = path.strip_prefix(DIRECTORY)?.strip_prefix('/')?;
                let name = match rest.split_once('/') {
                    Some((name, "policy.toml")) => name,
                    Some(_) => return None,
                    None => rest.strip_suffix(".toml")?,
                };
                Some(name.to_owned())
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Whether a policy can have this name.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
