//! Who comes before whom, and why: references resolved, automatic edges found, duplicates refused.

use std::collections::{HashMap, HashSet};

use globset::GlobBuilder;
use steadfast_resources::{Autoedge, Identity, Registry, Text};

use super::cycles::report_cycles;
use super::deaf::warn_of_deaf;
use super::mutual;
use super::reference::{Parsed, parse_reference};
use crate::diagnostics::suggest::{did_you_mean, nearest};
use crate::diagnostics::{Code, Context, Reported, Spot};
use crate::evaluate::{Instance, Link, Skipped};
use crate::parse;

/// The kind that references to modules name.
const MODULE: &str = "module";

/// An edge between instances, by their indices in written order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawEdge {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) why: Why,
}

/// Why an edge exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Somebody wrote it.
    Link(parse::Common, Spot),
    /// The kinds know.
    Automatic,
}

/// What references are resolved against.
pub(crate) struct World<'a> {
    pub(crate) context: &'a Context,
    pub(crate) registry: &'a Registry,
    pub(crate) instances: &'a [Instance],
    pub(crate) skipped: &'a [Skipped],
    pub(crate) modules: &'a [Text],
    pub(crate) broken_titles: &'a [Text],
    /// Whether any resource may be missing because of an error that was already reported.
    pub(crate) unsound: bool,
}

/// The resources by name.
struct Index<'a> {
    world: &'a World<'a>,
    titles: HashMap<(&'a str, &'a str), u32>,
    kinds: HashMap<&'a str, Vec<u32>>,
    skipped: HashSet<(&'a str, &'a str)>,
    globs: HashMap<(String, String), Vec<u32>>,
}

/// All edges. Errors are reported.
pub(crate) fn resolve(world: &World<'_>) -> Vec<RawEdge> {
    duplicates(world, |_| true);
    mutual::report(world, |_| true);
    let mut edges = links(world);
    edges.extend(automatic(world.instances));
    edges
}

/// Checks what can be checked without a host: references, and cycles and duplicates among the
/// resources from `own` on that exist under no condition.
pub(crate) fn check(world: &World<'_>, own: &[std::ops::Range<usize>]) {
    let edges = links(world);
    let fixed = |index: u32| {
        world.instances.get(index as usize).is_some_and(|instance| !instance.conditional)
    };
    for range in own {
        let inside = |index: u32| range.contains(&(index as usize)) && fixed(index);
        duplicates(world, inside);
        mutual::report(world, inside);
        let own: Vec<RawEdge> =
            edges.iter().filter(|edge| inside(edge.from) && inside(edge.to)).copied().collect();
        report_cycles(world, &own);
    }
}

/// The edges that references make. A reference to nothing is reported.
pub(crate) fn links(world: &World<'_>) -> Vec<RawEdge> {
    let mut index = Index::new(world);
    let mut edges = Vec::new();
    let mut deaf = HashSet::new();
    for (own, instance) in (0_u32..).zip(world.instances) {
        for link in &instance.links {
            let Ok(others) = index.find(link) else { continue };
            warn_of_deaf(world, link, instance, &others, &mut deaf);
            for other in others {
                if other == own
                    && parse_reference(&link.text).is_ok_and(|parsed| parsed.may_be_glob())
                {
                    continue;
                }
                let (from, to) = match link.relation {
                    parse::Common::Require | parse::Common::Subscribe => (other, own),
                    _ => (own, other),
                };
                edges.push(RawEdge { from, to, why: Why::Link(link.relation, link.spot) });
            }
        }
    }
    edges
}

impl<'a> Index<'a> {
    fn new(world: &'a World<'a>) -> Self {
        let mut index = Self {
            world,
            titles: HashMap::with_capacity(world.instances.len()),
            kinds: HashMap::new(),
            skipped: world
                .skipped
                .iter()
                .filter(|skipped| !skipped.glob)
                .map(|skipped| (skipped.kind, &*skipped.title))
                .collect(),
            globs: HashMap::new(),
        };
        for (position, instance) in (0_u32..).zip(world.instances) {
            let reference = &instance.reference;
            index.titles.entry((reference.kind(), reference.title())).or_insert(position);
            index.kinds.entry(reference.kind()).or_default().push(position);
        }
        index
    }

    fn find(&mut self, link: &Link) -> Result<Vec<u32>, Reported> {
        let world = self.world;
        let Ok(parsed) = parse_reference(&link.text) else {
            let message = format!("{:?} is no reference to a resource", &*link.text);
            let hint = "write `kind.title`, for instance `service.nginx` or `file./etc/motd`";
            let draft = world.context.error(Code::UnknownReference, link.spot, message);
            return Err(draft.hint(hint.to_owned()).report());
        };
        if parsed.kind == MODULE {
            return self.module(link, &parsed);
        }
        if world.registry.kind(&parsed.kind).is_none() {
            return Err(self.unknown_kind(link, &parsed));
        }
        if let Some(found) = self.titles.get(&(&*parsed.kind, &*parsed.title)) {
            return Ok(vec![*found]);
        }
        if self.is_skipped(&parsed) {
            return Ok(Vec::new());
        }
        let patterned = self.patterned(&parsed);
        if !patterned.is_empty() {
            return Ok(Vec::new());
        }
        if parsed.may_be_glob() {
            return self.glob(link, &parsed);
        }
        Err(self.unknown(link, &parsed))
    }

    fn of_kind(&self, kind: &str) -> &[u32] {
        self.kinds.get(kind).map_or(&[], Vec::as_slice)
    }

    fn instance(&self, index: u32) -> Option<&'a Instance> {
        self.world.instances.get(index as usize)
    }

    fn is_skipped(&self, parsed: &Parsed) -> bool {
        self.skipped.contains(&(&*parsed.kind, &*parsed.title))
            || self.world.skipped.iter().any(|skipped| {
                skipped.glob
                    && skipped.kind == parsed.kind
                    && glob_matches(&skipped.title, &parsed.title)
            })
    }

    /// Instances whose titles are not known and may be this one.
    fn patterned(&self, parsed: &Parsed) -> Vec<u32> {
        let may_be = |index: &&u32| {
            let pattern = self.instance(**index).and_then(|instance| instance.pattern.as_deref());
            pattern
                .is_some_and(|pattern| parsed.may_be_glob() || glob_matches(pattern, &parsed.title))
        };
        self.of_kind(&parsed.kind).iter().filter(may_be).copied().collect()
    }

    fn glob(&mut self, link: &Link, parsed: &Parsed) -> Result<Vec<u32>, Reported> {
        let key = (parsed.kind.clone(), parsed.title.clone());
        if let Some(known) = self.globs.get(&key) {
            return Ok(known.clone());
        }
        let context = self.world.context;
        let matcher = match GlobBuilder::new(&parsed.title).build() {
            Ok(glob) => glob.compile_matcher(),
            Err(error) => {
                let message = format!("{:?} is no glob: {}", parsed.title, error.kind());
                return Err(context.error(Code::UnknownReference, link.spot, message).report());
            }
        };
        let fits = |index: &&u32| {
            self.instance(**index)
                .is_some_and(|instance| matcher.is_match(instance.reference.title()))
        };
        let found: Vec<u32> = self.of_kind(&parsed.kind).iter().filter(fits).copied().collect();
        let skipped = || {
            self.world.skipped.iter().any(|skipped| {
                skipped.kind == parsed.kind && (skipped.glob || matcher.is_match(&skipped.title))
            })
        };
        if found.is_empty() && !self.world.unsound && !skipped() {
            let message = format!("`{}` matches no resource", &*link.text);
            context.warning(Code::Unused, link.spot, message).report();
        }
        self.globs.insert(key, found.clone());
        Ok(found)
    }

    fn module(&self, link: &Link, parsed: &Parsed) -> Result<Vec<u32>, Reported> {
        if !self.world.modules.iter().any(|name| **name == *parsed.title) {
            if self.world.unsound {
                return Err(Reported);
            }
            let names = self.world.modules.iter().map(Text::as_str);
            let hint = did_you_mean(&parsed.title, names);
            let message = format!("there is no module `{}`", parsed.title);
            let draft = self.world.context.error(Code::UnknownReference, link.spot, message);
            return Err(draft.hint(hint).report());
        }
        let inside = |instance: &Instance| {
            instance.origin.modules.iter().any(|name| **name == *parsed.title)
        };
        Ok((0_u32..)
            .zip(self.world.instances)
            .filter(|(_, instance)| inside(instance))
            .map(|(index, _)| index)
            .collect())
    }

    fn unknown_kind(&self, link: &Link, parsed: &Parsed) -> Reported {
        let names = self.world.registry.kinds().map(|kind| kind.declaration().name);
        let hint = nearest(&parsed.kind, names.chain([MODULE]))
            .map(|kind| format!("did you mean `{kind}.{}`?", parsed.title));
        let message = format!("there is no kind `{}`", parsed.kind);
        self.world.context.error(Code::UnknownKind, link.spot, message).hint(hint).report()
    }

    fn unknown(&self, link: &Link, parsed: &Parsed) -> Reported {
        if self.world.unsound
            || self.world.broken_titles.iter().any(|title| **title == *parsed.title)
        {
            return Reported;
        }
        let titles = self.of_kind(&parsed.kind).iter().filter_map(|index| self.instance(*index));
        let titles = titles.map(|instance| instance.reference.title());
        let hint = nearest(&parsed.title, titles)
            .map(|title| (parsed.kind.as_str(), title))
            .or_else(|| {
                let same = |instance: &&Instance| instance.reference.title() == parsed.title;
                let other = self.world.instances.iter().find(same)?;
                Some((other.reference.kind(), other.reference.title()))
            })
            .map(|(kind, title)| format!("did you mean `{kind}.{title}`?"))
            .or_else(|| {
                Some(format!(
                    "declare `[{}.{:?}]`, or remove the reference",
                    parsed.kind, parsed.title
                ))
            });
        let message = format!("there is no resource `{}`", &*link.text);
        self.world.context.error(Code::UnknownReference, link.spot, message).hint(hint).report()
    }
}

fn glob_matches(pattern: &str, title: &str) -> bool {
    GlobBuilder::new(pattern)
        .backslash_escape(true)
        .build()
        .is_ok_and(|glob| glob.compile_matcher().is_match(title))
}

/// Reports resources that are defined twice, by title or by what they are about.
fn duplicates(world: &World<'_>, counts: impl Fn(u32) -> bool) {
    let mut titles: HashMap<(&str, &str), u32> = HashMap::with_capacity(world.instances.len());
    let mut identities: HashMap<&Identity, u32> = HashMap::with_capacity(world.instances.len());
    for (index, instance) in (0_u32..).zip(world.instances) {
        if !counts(index) || instance.pattern.is_some() {
            continue;
        }
        let reference = &instance.reference;
        let same_title = titles.insert((reference.kind(), reference.title()), index);
        let same_thing = instance
            .relations
            .as_ref()
            .and_then(|relations| identities.insert(&relations.identity, index));
        let Some(first) = same_title.or(same_thing) else { continue };
        let Some(first) = world.instances.get(first as usize) else { continue };
        let message = if same_title.is_some() {
            format!("`{reference}` is defined twice")
        } else {
            format!("`{reference}` is the same thing as `{}`", first.reference)
        };
        world
            .context
            .error(Code::Duplicate, instance.spot, message)
            .related(first.spot, "first defined here")
            .hint(
                "a resource has exactly one definition; with `for_each`, make the titles differ"
                    .to_owned(),
            )
            .report();
    }
}

/// The edges that the kinds know of.
fn automatic(instances: &[Instance]) -> Vec<RawEdge> {
    let mut identities: HashMap<&Identity, u32> = HashMap::with_capacity(instances.len());
    for (index, instance) in (0_u32..).zip(instances) {
        if let Some(relations) = &instance.relations {
            identities.entry(&relations.identity).or_insert(index);
        }
    }
    let mut sorted: Option<Vec<(&Identity, u32)>> = None;
    let mut edges = Vec::new();
    for (own, instance) in (0_u32..).zip(instances) {
        let Some(relations) = &instance.relations else { continue };
        for edge in &relations.after {
            match edge {
                Autoedge::First(candidates) => {
                    let found = candidates.iter().find_map(|candidate| identities.get(candidate));
                    edges.extend(found.and_then(|other| turned(instances, own, *other)));
                }
                Autoedge::Exactly(identity) => {
                    let found = identities.get(identity);
                    edges.extend(found.and_then(|other| turned(instances, own, *other)));
                }
                Autoedge::Under { kind, prefix } => {
                    let sorted = sorted.get_or_insert_with(|| {
                        let mut list: Vec<(&Identity, u32)> = identities
                            .iter()
                            .map(|(identity, index)| (*identity, *index))
                            .collect();
                        list.sort_unstable_by(|(left, _), (right, _)| {
                            (left.kind, &left.name).cmp(&(right.kind, &right.name))
                        });
                        list
                    });
                    let start = sorted.partition_point(|(identity, _)| {
                        (identity.kind, identity.name.as_str()) < (*kind, prefix.as_str())
                    });
                    let under = sorted.iter().skip(start).take_while(|(identity, _)| {
                        identity.kind == *kind && identity.name.starts_with(prefix.as_str())
                    });
                    edges.extend(under.filter_map(|(_, other)| turned(instances, own, *other)));
                }
            }
        }
    }
    edges
}

/// The edge by which `own` comes after `other`, or before it where `other` is to be absent.
fn turned(instances: &[Instance], own: u32, other: u32) -> Option<RawEdge> {
    let absent = instances.get(other as usize)?.relations.as_ref()?.absent;
    let (from, to) = if absent { (own, other) } else { (other, own) };
    (own != other).then_some(RawEdge { from, to, why: Why::Automatic })
}
