//! The resources by name, and what references mean.
//!
//! Nothing here looks at all resources for each reference: names are looked up, globs only see the
//! titles that begin as they do, each glob once. What that cannot bound is counted and refused.

use std::rc::Rc;

use globset::{GlobBuilder, GlobMatcher};

use steadfast_resources::Text;

use super::edges::World;
use super::reference::{Parsed, parse_reference};
use crate::diagnostics::suggest::{did_you_mean, nearest};
use crate::diagnostics::{Code, Reported, Spot};
use crate::evaluate::{Instance, Link};
use crate::map::{Map, Set, map_for};

/// The kind that references to modules name.
const MODULE: &str = "module";

/// How many titles globs may be held against, all together.
const MAXIMUM_COMPARISONS: usize = 4_000_000;

/// How many titles may be looked at to find what unknown references were meant to be.
const MAXIMUM_SUGGESTIONS: usize = 200_000;

/// The resources by name.
pub(super) struct Index<'a> {
    world: &'a World<'a>,
    titles: Map<(&'a str, &'a str), u32>,
    /// The resources of each kind, in written order.
    kinds: Map<&'a str, Vec<u32>>,
    /// The same by title, for the kinds that globs name.
    sorted: Map<&'a str, Rc<[u32]>>,
    skipped: Set<(&'a str, &'a str)>,
    skipped_globs: Vec<(&'a str, GlobMatcher)>,
    /// Resources whose titles are not known (when checking), and what they may be.
    patterned: Vec<(&'a str, GlobMatcher)>,
    globs: Map<(String, String), Rc<[u32]>>,
    modules: Option<Map<&'a str, Rc<[u32]>>>,
    comparisons: usize,
    suggestions: usize,
}

/// The resources that a reference means.
pub(super) struct Found {
    pub(super) resources: Rc<[u32]>,
    /// Whether the reference may be meant as a glob, and then never means its own resource.
    pub(super) glob: bool,
}

impl Found {
    fn of(resources: Rc<[u32]>, parsed: &Parsed) -> Self {
        Self { resources, glob: parsed.may_be_glob() }
    }
}

impl<'a> Index<'a> {
    pub(super) fn new(world: &'a World<'a>) -> Self {
        let mut index = Self {
            world,
            titles: map_for(world.instances.len()),
            kinds: Map::default(),
            sorted: Map::default(),
            skipped: Set::default(),
            skipped_globs: Vec::new(),
            patterned: Vec::new(),
            globs: Map::default(),
            modules: None,
            comparisons: 0,
            suggestions: 0,
        };
        let mut seen: Set<(&str, &str)> = Set::default();
        for skipped in world.skipped {
            let name = (skipped.kind, &*skipped.title);
            if !skipped.glob {
                index.skipped.insert(name);
            } else if seen.insert(name) {
                index.skipped_globs.extend(matcher(&skipped.title).map(|it| (skipped.kind, it)));
            }
        }
        seen.clear();
        for (position, instance) in (0_u32..).zip(world.instances) {
            let reference = &instance.reference;
            index.titles.entry((reference.kind(), reference.title())).or_insert(position);
            index.kinds.entry(reference.kind()).or_default().push(position);
            if let Some(pattern) = &instance.pattern
                && seen.insert((reference.kind(), pattern))
            {
                index.patterned.extend(matcher(pattern).map(|it| (reference.kind(), it)));
            }
        }
        index
    }

    pub(super) fn find(&mut self, link: &Link) -> Result<Found, Reported> {
        let world = self.world;
        let Ok(parsed) = parse_reference(&link.text) else {
            let message = format!("{:?} is no reference to a resource", &*link.text);
            let hint = self.meant(&link.text).unwrap_or_else(|| {
                "write `kind.title`, for instance `service.nginx` or `file./etc/motd`".to_owned()
            });
            let draft = world.context.error(Code::UnknownReference, link.spot, message);
            return Err(draft.hint(hint).report());
        };
        let none = || Found::of(Rc::new([]), &parsed);
        if parsed.kind == MODULE {
            return self.module(link, &parsed).map(|found| Found::of(found, &parsed));
        }
        if world.registry.kind(&parsed.kind).is_none() {
            return Err(self.unknown_kind(link, &parsed));
        }
        if let Some(found) = self.titles.get(&(&*parsed.kind, &*parsed.title)) {
            return Ok(Found::of(Rc::new([*found]), &parsed));
        }
        if self.is_skipped(&parsed, link.spot)? || self.may_be_patterned(&parsed, link.spot)? {
            return Ok(none());
        }
        if parsed.may_be_glob() {
            return self.glob(link, &parsed).map(|found| Found::of(found, &parsed));
        }
        Err(self.unknown(link, &parsed))
    }

    /// What `text` was probably meant to refer to: `Service['nginx']` as Puppet writes it, or the title
    /// alone.
    fn meant(&self, text: &str) -> Option<String> {
        if let Some((kind, title)) = text.strip_suffix(']').and_then(|text| text.split_once('[')) {
            let (kind, title) = (kind.to_ascii_lowercase(), title.trim_matches(['"', '\'']));
            let known = self.world.registry.kind(&kind).is_some();
            return known.then(|| format!("write `{kind}.{title}`"));
        }
        let kinds = self.world.registry.kinds().map(|kind| kind.declaration().name);
        let mut known = kinds.filter(|kind| self.titles.contains_key(&(*kind, text)));
        known.next().map(|kind| format!("did you mean `{kind}.{text}`?"))
    }

    /// Warns if no resource of any policy may be what `text` refers to.
    pub(super) fn warn_of_impossible(&mut self, text: &Text, spot: Spot) {
        let Ok(parsed) = parse_reference(text) else { return };
        // Whoever writes a glob may well mean what is not there yet.
        if parsed.may_be_glob()
            || self.titles.contains_key(&(&*parsed.kind, &*parsed.title))
            || self.is_skipped(&parsed, spot) != Ok(false)
            || self.may_be_patterned(&parsed, spot) != Ok(false)
        {
            return;
        }
        let sorted = self.sorted(&parsed.kind);
        let titles = sorted.iter().map(|index| self.title(*index));
        let hint = nearest(&parsed.title, titles)
            .map(|title| format!("did you mean `{}.{title}`?", parsed.kind));
        let message = format!("no policy ever declares `{text}`, so that this says nothing");
        self.world.context.warning(Code::Unused, spot, message).hint(hint).report();
    }

    fn of_kind(&self, kind: &str) -> &[u32] {
        self.kinds.get(kind).map_or(&[], Vec::as_slice)
    }

    fn instance(&self, index: u32) -> Option<&'a Instance> {
        self.world.instances.get(index as usize)
    }

    fn title(&self, index: u32) -> &'a str {
        self.instance(index).map_or("", |instance| instance.reference.title())
    }

    /// Takes `count` comparisons of titles with globs from what there may be.
    fn compare(&mut self, count: usize, spot: Spot) -> Result<(), Reported> {
        if self.comparisons > MAXIMUM_COMPARISONS {
            return Err(Reported);
        }
        self.comparisons += count;
        if self.comparisons > MAXIMUM_COMPARISONS {
            let message = "the references of this host are too many globs for too many resources";
            let draft = self.world.context.error(Code::Limit, spot, message);
            return Err(draft.hint("name a module instead: `module.NAME`".to_owned()).report());
        }
        Ok(())
    }

    fn is_skipped(&mut self, parsed: &Parsed, spot: Spot) -> Result<bool, Reported> {
        if self.skipped.contains(&(&*parsed.kind, &*parsed.title)) {
            return Ok(true);
        }
        self.compare(self.skipped_globs.len(), spot)?;
        let fits = |(kind, glob): &(&str, GlobMatcher)| {
            *kind == parsed.kind && glob.is_match(&parsed.title)
        };
        Ok(self.skipped_globs.iter().any(fits))
    }

    /// Whether there are resources whose titles are not known and may be this one.
    fn may_be_patterned(&mut self, parsed: &Parsed, spot: Spot) -> Result<bool, Reported> {
        self.compare(self.patterned.len(), spot)?;
        let fits = |(kind, glob): &(&str, GlobMatcher)| {
            *kind == parsed.kind && (parsed.may_be_glob() || glob.is_match(&parsed.title))
        };
        Ok(self.patterned.iter().any(fits))
    }

    /// The resources of `kind` by title.
    fn sorted(&mut self, kind: &str) -> Rc<[u32]> {
        let Some((kind, resources)) = self.kinds.get_key_value(kind) else { return Rc::new([]) };
        let world = self.world;
        let title = |index: &u32| {
            world.instances.get(*index as usize).map_or("", |it| it.reference.title())
        };
        let sorted = self.sorted.entry(*kind).or_insert_with(|| {
            let mut resources = resources.clone();
            resources.sort_by(|left, right| title(left).cmp(title(right)));
            resources.into()
        });
        Rc::clone(sorted)
    }

    fn glob(&mut self, link: &Link, parsed: &Parsed) -> Result<Rc<[u32]>, Reported> {
        let key = (parsed.kind.clone(), parsed.title.clone());
        if let Some(known) = self.globs.get(&key) {
            return Ok(Rc::clone(known));
        }
        let context = self.world.context;
        let matcher = match GlobBuilder::new(&parsed.title).build() {
            Ok(glob) => glob.compile_matcher(),
            Err(error) => {
                let message = format!("{:?} is no glob: {}", parsed.title, error.kind());
                return Err(context.error(Code::UnknownReference, link.spot, message).report());
            }
        };
        // What is before the first special character is how every match begins.
        let special = parsed.title.find(['*', '?', '[', '{', '\\']).unwrap_or(0);
        let prefix = parsed.title.get(..special).unwrap_or_default();
        let sorted = self.sorted(&parsed.kind);
        let start = sorted.partition_point(|index| self.title(*index) < prefix);
        let rest = sorted.get(start..).unwrap_or_default();
        let count = rest.partition_point(|index| self.title(*index).starts_with(prefix));
        // Compiling a glob costs as much as a few hundred comparisons.
        self.compare(count + 200, link.spot)?;
        let candidates = rest.iter().take(count).copied();
        let mut found: Vec<u32> =
            candidates.filter(|index| matcher.is_match(self.title(*index))).collect();
        found.sort_unstable();
        if found.is_empty() && !self.world.unsound {
            self.compare(self.world.skipped.len(), link.spot)?;
            let skipped = self.world.skipped.iter().any(|skipped| {
                skipped.kind == parsed.kind && (skipped.glob || matcher.is_match(&skipped.title))
            });
            if !skipped {
                let message = format!("`{}` matches no resource", &*link.text);
                context.warning(Code::Unused, link.spot, message).report();
            }
        }
        let found: Rc<[u32]> = found.into();
        self.globs.insert(key, Rc::clone(&found));
        Ok(found)
    }

    fn module(&mut self, link: &Link, parsed: &Parsed) -> Result<Rc<[u32]>, Reported> {
        let world = self.world;
        if !world.modules.contains(&parsed.title) {
            if world.unsound {
                return Err(Reported);
            }
            let hint = if self.may_suggest(world.modules.len()) {
                let mut names: Vec<&str> = world.modules.iter().map(String::as_str).collect();
                names.sort_unstable();
                did_you_mean(&parsed.title, names)
            } else {
                None
            };
            let message = format!("there is no module `{}`", parsed.title);
            let draft = world.context.error(Code::UnknownReference, link.spot, message);
            return Err(draft.hint(hint).report());
        }
        let modules = self.modules.get_or_insert_with(|| {
            let mut modules: Map<&str, Vec<u32>> = Map::default();
            for (index, instance) in (0_u32..).zip(world.instances) {
                for name in &*instance.origin.modules {
                    let inside = modules.entry(name).or_default();
                    if inside.last() != Some(&index) {
                        inside.push(index);
                    }
                }
            }
            modules.into_iter().map(|(name, inside)| (name, inside.into())).collect()
        });
        let found = modules.get(&*parsed.title);
        Ok(found.map_or_else(|| Rc::new([]) as Rc<[u32]>, Rc::clone))
    }

    fn unknown_kind(&self, link: &Link, parsed: &Parsed) -> Reported {
        let names = self.world.registry.kinds().map(|kind| kind.declaration().name);
        let hint = nearest(&parsed.kind, names.chain([MODULE]))
            .map(|kind| format!("did you mean `{kind}.{}`?", parsed.title));
        let message = format!("there is no kind `{}`", parsed.kind);
        self.world.context.error(Code::UnknownKind, link.spot, message).hint(hint).report()
    }

    /// Whether `count` more names may be looked at for a suggestion.
    fn may_suggest(&mut self, count: usize) -> bool {
        let before = self.suggestions;
        self.suggestions = before.saturating_add(count);
        before == 0 || self.suggestions <= MAXIMUM_SUGGESTIONS
    }

    fn unknown(&mut self, link: &Link, parsed: &Parsed) -> Reported {
        if self.world.unsound
            || self.world.broken_titles.iter().any(|title| **title == *parsed.title)
        {
            return Reported;
        }
        let hint = if self.may_suggest(self.world.instances.len()) {
            let titles = self.of_kind(&parsed.kind).iter().map(|index| self.title(*index));
            nearest(&parsed.title, titles).map(|title| (parsed.kind.as_str(), title)).or_else(
                || {
                    let same = |instance: &&Instance| instance.reference.title() == parsed.title;
                    let other = self.world.instances.iter().find(same)?;
                    Some((other.reference.kind(), other.reference.title()))
                },
            )
        } else {
            None
        };
        let hint = hint.map_or_else(
            || format!("declare `[{}.{:?}]`, or remove the reference", parsed.kind, parsed.title),
            |(kind, title)| format!("did you mean `{kind}.{title}`?"),
        );
        let message = format!("there is no resource `{}`", &*link.text);
        self.world.context.error(Code::UnknownReference, link.spot, message).hint(hint).report()
    }
}

fn matcher(pattern: &str) -> Option<GlobMatcher> {
    let glob = GlobBuilder::new(pattern).backslash_escape(true).build();
    glob.ok().map(|glob| glob.compile_matcher())
}
