//! From policies and inputs to instances: the resources of one host with all values known.
//!
//! The same code serves a host ([`Mode::Host`]) and validation without one ([`Mode::Check`]), where
//! facts, labels, data and the parameters actually given are not known: what rests on them is not
//! judged, everything else is.

mod attributes;
mod checks;
mod common;
mod digest;
mod doubt;
mod expand;
mod files;
mod includes;
mod lint;
mod load;
mod modules;
mod parameters;
mod probe;
mod recording;
mod resource;
mod texts;
mod types;

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use minijinja::Value as Jinja;
use steadfast_resources::kind::AnyWanted;
use steadfast_resources::{AnyKind, Reference, Registry, Relations, Text};

use crate::catalog::{Common, Origin};
use crate::check::Check;
use crate::diagnostics::{Code, Context, SourceId, Span, Spot};
use crate::expression::{Engine, Library, Scope, file_function};
use crate::map::Set;
use crate::parse::{self, Policy};
use crate::record::Record;
use crate::site::Datum;

pub(crate) use digest::catalog as catalog_digest;
pub(crate) use doubt::{Doubt, Met};
pub(crate) use expand::pattern;
pub(crate) use files::Files;
pub(crate) use includes::Assigned;
pub(crate) use load::Policies;
pub(crate) use parameters::Argument;
pub(crate) use texts::{Locals, Outcome};
pub(crate) use types::conform;

/// Whether there is a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Everything is known.
    Host,
    /// Nothing about the host and about who uses a policy is known.
    Check,
}

/// A resource with all values known.
pub(crate) struct Instance {
    pub(crate) kind: &'static dyn AnyKind,
    pub(crate) reference: Reference,
    /// The title as it is written.
    pub(crate) spot: Spot,
    /// `None` where an error was reported, or (when checking) not everything is known.
    pub(crate) wanted: Option<AnyWanted>,
    pub(crate) relations: Option<Relations>,
    pub(crate) common: Common,
    pub(crate) digest: [u8; 32],
    pub(crate) links: Vec<Link>,
    /// Titles that this one may have, as a glob, where its own is not known (when checking).
    pub(crate) pattern: Option<String>,
    /// Whether it exists only under some condition (when checking).
    pub(crate) conditional: bool,
    /// How it came to be declared.
    pub(crate) origin: Arc<Origin>,
    /// How it came to be, where that is recorded.
    pub(crate) record: Option<Box<Record>>,
}

/// A reference to other resources, as it is written.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) relation: parse::Common,
    pub(crate) text: Text,
    pub(crate) spot: Spot,
    /// Whether a module hands it on to all its resources.
    pub(crate) handed_on: bool,
}

/// A resource that the policies have and this host does not: references to it mean nothing here.
pub(crate) struct Skipped {
    pub(crate) kind: &'static str,
    /// The title, or a glob of the titles it may have.
    pub(crate) title: String,
    pub(crate) glob: bool,
}

/// Turns policies into instances.
pub(crate) struct Evaluator<'a> {
    pub(crate) context: &'a Context,
    pub(crate) registry: &'a Registry,
    pub(crate) files: &'a Files<'a>,
    pub(crate) library: Arc<Library>,
    pub(crate) engine: Engine<'a>,
    pub(crate) mode: Mode,
    /// Facts, labels and data, as far as they are known.
    pub(crate) base: Scope,
    /// The data, with places.
    pub(crate) data: Option<Datum>,
    pub(crate) instances: Vec<Instance>,
    pub(crate) skipped: Vec<Skipped>,
    /// The checks, and where each is named.
    pub(crate) checks: Vec<(Check, Spot)>,
    /// Names of modules that were used or skipped, for references to them.
    pub(crate) modules: HashSet<String>,
    /// Policies brought in so far, each once for the host.
    pub(crate) brought_in: Vec<Arc<str>>,
    /// What assignments give to policies, for those that are included first.
    pub(crate) assigned: Vec<Assigned>,
    /// How many policies that include others are being brought in.
    pub(crate) including: usize,
    /// The expressions judged so far, by where they are written.
    pub(crate) linted: RefCell<Set<(SourceId, u32)>>,
    /// The template that was rendered last.
    pub(crate) last_template: RefCell<Option<texts::LastTemplate<'a>>>,
    /// Titles of resources that could not be understood.
    pub(crate) broken_titles: Vec<Text>,
    /// Whether a file could not be parsed, so that any resource may be missing.
    pub(crate) unsound: bool,
    /// How often a module was used.
    uses: usize,
    /// Whether there are more resources or uses of modules than there may be.
    exhausted: bool,
    /// The names that expressions use, where records are kept.
    pub(crate) reads: Option<recording::Reads>,
    /// What is not known, where the host is only an example.
    pub(crate) doubt: Option<Rc<Doubt>>,
    /// The policies that were come across, where there is doubt.
    pub(crate) met: RefCell<Met>,
    /// The policies that a host like this may get, where there is doubt.
    pub(crate) possible: Vec<Assigned>,
}

/// The most resources of one host.
const MAXIMUM_RESOURCES: usize = 200_000;

/// How often modules may be used, all together.
const MAXIMUM_USES: usize = 50_000;

/// One policy with its parameters, being expanded.
pub(crate) struct Frame<'p> {
    pub(crate) policy: &'p Policy,
    pub(crate) locals: Locals,
    /// The policies, modules and tags that led here.
    pub(crate) origin: Arc<Origin>,
    /// References that the module passes on to each resource.
    pub(crate) links: Vec<Link>,
    pub(crate) conditional: bool,
    /// Where the values of the parameters are written, where records are kept.
    pub(crate) origins: recording::Origins,
}

impl<'p> Frame<'p> {
    /// A frame without parameters: for the site's own strings, and for the defaults of parameters.
    pub(crate) fn of_site(policy: &'p Policy, base: Scope) -> Self {
        Self {
            policy,
            locals: Locals::new(base),
            origin: Arc::default(),
            links: Vec::new(),
            conditional: false,
            origins: recording::Origins::default(),
        }
    }

    pub(crate) fn spot(&self, span: Span) -> Spot {
        Spot::new(self.policy.source, span)
    }
}

impl<'a> Evaluator<'a> {
    /// An evaluator in `mode` whose expressions see `base`.
    pub(crate) fn new(
        context: &'a Context,
        registry: &'a Registry,
        files: &'a Files<'a>,
        engine: Engine<'a>,
        mode: Mode,
        base: Scope,
    ) -> Self {
        engine.budget.renew();
        Self {
            context,
            registry,
            files,
            library: files.library(),
            engine,
            mode,
            base,
            data: None,
            instances: Vec::new(),
            skipped: Vec::new(),
            checks: Vec::new(),
            modules: HashSet::new(),
            brought_in: Vec::new(),
            assigned: Vec::new(),
            including: 0,
            linted: RefCell::default(),
            last_template: RefCell::default(),
            broken_titles: Vec::new(),
            unsound: false,
            uses: 0,
            exhausted: false,
            reads: None,
            doubt: None,
            met: RefCell::default(),
            possible: Vec::new(),
        }
    }

    /// Whether no more may be added. The first time it is reported at `spot`.
    fn is_exhausted(&mut self, spot: Spot) -> bool {
        let message = if self.instances.len() >= MAXIMUM_RESOURCES {
            format!("a host cannot have more than {MAXIMUM_RESOURCES} resources")
        } else if self.uses >= MAXIMUM_USES {
            format!("the policies of a host use modules more than {MAXIMUM_USES} times")
        } else {
            return false;
        };
        if !self.exhausted {
            self.context.error(Code::Limit, spot, message).report();
        }
        self.exhausted = true;
        self.unsound = true;
        true
    }

    /// The names that `policy` sees when its parameters are `params`.
    fn scope(&self, policy: &Policy, params: Jinja) -> Scope {
        Scope {
            params: Some(params),
            file: Some(file_function(&self.library, &policy.directory)),
            ..self.base.clone()
        }
    }

    fn check(&self) -> bool {
        self.mode == Mode::Check
    }
}

/// The key under which a string at `span` of `source` is compiled.
pub(crate) fn key(source: SourceId, span: Span) -> (SourceId, u32) {
    (source, span.start)
}
