//! From the template engine's errors to diagnostics with the exact place, in the policy's string or
//! in the template file, and a suggestion.

use std::error::Error as _;
use std::ops::Range;

use minijinja::{Error, ErrorKind};

use super::compiled::Compiled;
use super::filters;
use super::guard;
use super::library::{Library, Resolved};
use super::scope::{Missing, ROOTS, Scope};
use super::syntax;
use crate::diagnostics::hidden::REFUSED;
use crate::diagnostics::suggest::{did_you_mean, nearest};
use crate::diagnostics::{Code, Context, Reported, SourceId, Span, Spot};
use crate::parse::place_in_literal;

/// Where an expression or string is written.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// The literal in the policy, quotes included.
    pub(crate) spot: Spot,
    /// The decoded string.
    pub(crate) text: &'a str,
    /// Where the compiled source starts in the decoded string.
    pub(crate) offset: usize,
}

/// What the diagnostics of a failed evaluation may rest on.
pub(crate) struct Told<'a> {
    pub(crate) context: &'a Context,
    pub(crate) scope: &'a Scope,
    pub(crate) origin: Origin<'a>,
    /// Every file of the repository, for suggestions.
    pub(crate) paths: &'a [String],
    /// The policy's directory.
    pub(crate) directory: &'a str,
    /// Whether the origin says where a template is used; otherwise it is only where to look from.
    pub(crate) used: bool,
}

/// Records `error` at its exact place.
pub(crate) fn tell(told: &Told<'_>, error: &Error) -> Reported {
    let error = innermost(error);
    let detail = error.detail().unwrap_or_default();
    let discreet = told.context.discreet(told.origin.spot);
    // A filter's message may quote anything.
    let telling = !discreet || error.kind() == ErrorKind::UndefinedError;
    let undefined = undefined_name(detail).filter(|_| telling);
    let (source, text, base) = told.text_of(error);
    let mut span = narrowed(&text, error, undefined);
    if matches!(error.kind(), ErrorKind::UnknownFilter | ErrorKind::UnknownTest) {
        // The name without its arguments.
        let written = text.get(span.clone()).unwrap_or_default();
        let name = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
        let length = written.find(|letter| !name(letter)).unwrap_or(written.len());
        span.end = span.start + length;
    }
    let spot = match source {
        Some(source) => Spot::new(source, Span::new(&span)),
        None => told.in_origin(base + span.start..base + span.end),
    };
    let at = span.start;
    let written = text.get(span).unwrap_or_default();
    let (code, message, hint) = match (error.kind(), undefined) {
        // Which value was looked into is not told reliably.
        (_, Some(name)) if name.contains('[') => (
            Code::Undefined,
            "a key that is looked up here does not exist".to_owned(),
            Some("for a value that may be missing write `… | default(…)`".to_owned()),
        ),
        (_, Some(name)) => return told.undefined(name, spot, source.is_some()),
        (ErrorKind::UndefinedError, None) => {
            (Code::Undefined, "this value is undefined".to_owned(), None)
        }
        (ErrorKind::SyntaxError, _) => {
            let (message, hint) = syntax::words(detail, &text, at);
            (Code::ExpressionSyntax, format!("this is not Jinja: {message}"), hint)
        }
        (ErrorKind::UnknownFilter, _) => {
            return told.no_filter(written, spot, source.is_some());
        }
        (ErrorKind::UnknownTest, _) => {
            let name = detail.strip_prefix("test ").and_then(|rest| rest.split(' ').next());
            let name = name.unwrap_or(written).trim_matches('`');
            return told.no_test(name, spot, source.is_some());
        }
        (ErrorKind::UnknownFunction, _) => {
            let name = detail.strip_suffix(" is unknown").unwrap_or(detail);
            let (message, hint) = no_function(name);
            (Code::Undefined, message, hint)
        }
        (ErrorKind::OutOfFuel, _) => {
            let message = if detail.is_empty() { "this takes too many steps" } else { detail };
            (Code::Limit, message.to_owned(), Some("is there a loop without end?".to_owned()))
        }
        (_, _) if detail.contains("recursion limit") => {
            let message = "templates or macros include each other without end";
            (Code::Limit, message.to_owned(), None)
        }
        (kind, _) if discreet => (code_of(kind, detail), without_values(written), None),
        (ErrorKind::TemplateNotFound, _) => {
            let name = quoted(detail).unwrap_or(detail);
            let name = Library::within(name, told.directory);
            (Code::MissingFile, format!("there is no template `{name}`"), told.path_hint(name))
        }
        _ if detail.starts_with(filters::NO_FILE) => {
            let hint = quoted(detail).and_then(|name| told.path_hint(name));
            (Code::MissingFile, detail.to_owned(), hint)
        }
        (kind, _) if detail.is_empty() => (Code::Evaluation, kind.to_string(), None),
        _ => (Code::Evaluation, detail.to_owned(), None),
    };
    let draft = told.context.error(code, spot, message).hint(hint);
    if source.is_some() && told.used {
        draft.related(told.origin.spot, "the template is used here").report()
    } else {
        draft.report()
    }
}

impl Told<'_> {
    /// Records that `name` does not exist, at `spot`.
    pub(crate) fn undefined(&self, name: &str, spot: Spot, in_file: bool) -> Reported {
        let source = self.context.sources.get(spot.source);
        let called =
            source.text.get(spot.span.end as usize..).is_some_and(|rest| rest.starts_with('('));
        let (message, hint) = match self.scope.follow(name) {
            _ if called && !name.contains('.') => no_function(name),
            Ok(_) => (format!("`{name}` is undefined"), None),
            Err(missing) => {
                let hint = missing.known.is_empty().then(|| self.scope.meant(name)).flatten();
                let hint = hint.map(|path| format!("did you mean `{path}`?"));
                let hint = hint.or_else(|| elsewhere(name)).or_else(|| missing_hint(&missing));
                (format!("`{name}` is undefined"), hint)
            }
        };
        let draft = self.context.error(Code::Undefined, spot, message).hint(hint);
        if in_file && self.used {
            draft.related(self.origin.spot, "the template is used here").report()
        } else {
            draft.report()
        }
    }

    /// Records that there is no filter called `name`, at `spot`.
    pub(crate) fn no_filter(&self, name: &str, spot: Spot, in_file: bool) -> Reported {
        let message = format!("there is no filter `{name}`");
        let draft = self.context.error(Code::Undefined, spot, message).hint(filters::hint(name));
        if in_file && self.used {
            draft.related(self.origin.spot, "the template is used here").report()
        } else {
            draft.report()
        }
    }

    /// Records that there is no test called `name`, at `spot`.
    pub(crate) fn no_test(&self, name: &str, spot: Spot, in_file: bool) -> Reported {
        let message = format!("there is no test `{name}`");
        let draft = self.context.error(Code::Undefined, spot, message);
        let draft = draft.hint(filters::test_hint(name));
        if in_file && self.used {
            draft.related(self.origin.spot, "the template is used here").report()
        } else {
            draft.report()
        }
    }

    /// The place of `range` of the decoded string.
    pub(crate) fn in_origin(&self, range: Range<usize>) -> Spot {
        let source = self.context.sources.get(self.origin.spot.source);
        let span = place_in_literal(&source.text, self.origin.spot.span, &range);
        Spot::new(self.origin.spot.source, span)
    }

    /// The place of `name` in the origin: where it is written, or all of it.
    pub(crate) fn place_of(&self, name: &str) -> Spot {
        let length = self.origin.text.len();
        let range = word(self.origin.text, name, self.origin.offset..length);
        range.map_or(self.origin.spot, |range| self.in_origin(range))
    }

    /// The place of `name` in the template file at `path`.
    pub(crate) fn place_in_file(&self, path: &str, text: &str, name: &str) -> Spot {
        let range = word(text, name, 0..text.len()).unwrap_or_default();
        self.in_file(path, text, range)
    }

    /// The place of `range` of the template file at `path`.
    pub(crate) fn in_file(&self, path: &str, text: &str, range: Range<usize>) -> Spot {
        Spot::new(self.file_source(path, text), Span::new(&range))
    }

    fn file_source(&self, path: &str, text: &str) -> SourceId {
        let sources = &self.context.sources;
        sources.find(path).unwrap_or_else(|| sources.add(path, text))
    }

    /// The file that `error` is in, if it is one, its text, and where that starts in the origin.
    fn text_of(&self, error: &Error) -> (Option<SourceId>, String, usize) {
        if let Some(Resolved::Path(path)) = error.name().and_then(Library::path) {
            let text = guard::written(error.template_source().unwrap_or_default());
            return (Some(self.file_source(&path, &text)), text, 0);
        }
        let offset = self.origin.offset;
        (None, self.origin.text.get(offset..).unwrap_or_default().to_owned(), offset)
    }

    /// Which file of the policy `name` was probably meant to be.
    pub(crate) fn path_hint(&self, name: &str) -> Option<String> {
        path_hint(self.paths, self.directory, name)
    }
}

/// Which file below `directory` `name` was probably meant to be.
pub(crate) fn path_hint(paths: &[String], directory: &str, name: &str) -> Option<String> {
    let has = |path: &str| paths.binary_search_by(|known| known.as_str().cmp(path)).is_ok();
    if has(&format!("{directory}.toml")) && !has(&format!("{directory}/policy.toml")) {
        return Some(format!(
            "a policy in a single file has no files beside it: make it `{directory}/policy.toml`"
        ));
    }
    let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
    let files = || paths.iter().filter_map(|path| path.strip_prefix(prefix.as_str()));
    let last = name.rsplit('/').next().unwrap_or(name);
    if let Some(found) = files().find(|path| path.rsplit('/').next() == Some(last) && *path != name)
    {
        return Some(format!("did you mean `{found}`? Paths are relative to the policy"));
    }
    nearest(name, files()).map(|path| format!("did you mean `{path}`?")).or_else(|| {
        let place = if directory.is_empty() { "the policy's directory" } else { directory };
        Some(format!("paths are relative to {place}"))
    })
}

fn no_function(name: &str) -> (String, Option<String>) {
    let hint = did_you_mean(name, ["file", "range", "dict", "namespace"]).or_else(|| {
        if filters::exists(name) {
            return Some(format!("`{name}` is a filter: write `value | {name}`"));
        }
        filters::hint(name)
    });
    (format!("there is no function `{name}`"), hint)
}

/// Facts that authors write without `facts.`.
const FACTS: &[&str] = &[
    "hostname",
    "fqdn",
    "domain",
    "machine_id",
    "architecture",
    "os",
    "kernel",
    "virtualization",
    "cpu",
    "memory",
    "network",
    "mounts",
    "disks",
    "timezone",
    "selinux",
    "package_manager",
    "init_system",
];

/// What other tools call what has another name here.
fn elsewhere(name: &str) -> Option<String> {
    let (root, rest) = name.split_once('.').unwrap_or((name, ""));
    let fact = match root {
        "inventory_hostname" | "ansible_hostname" | "ansible_nodename" => "facts.hostname",
        "ansible_fqdn" => "facts.fqdn",
        "ansible_os_family" | "osfamily" => "facts.os.family",
        "ansible_distribution" | "operatingsystem" => "facts.os.name",
        "grains" | "ansible_facts" | "trusted" => {
            return Some("facts are below `facts`: `steadfast facts` shows them".to_owned());
        }
        "pillar" | "hiera" | "lookup" | "hostvars" | "group_vars" => {
            let rest = if rest.is_empty() { "NAME" } else { rest };
            return Some(format!("write `data.{rest}`, or a parameter: `params.{rest}`"));
        }
        _ if FACTS.contains(&root) => return Some(format!("did you mean `facts.{name}`?")),
        _ if root.starts_with("ansible_") => {
            return Some("facts are below `facts`: `steadfast facts` shows them".to_owned());
        }
        _ => return None,
    };
    Some(format!("write `{fact}`"))
}

fn missing_hint(missing: &Missing) -> Option<String> {
    let names = missing.names.iter().map(String::as_str);
    if let Some(name) = nearest(&missing.part, names.clone()) {
        let dot = if missing.known.is_empty() { "" } else { "." };
        return Some(format!("did you mean `{}{dot}{name}`?", missing.known));
    }
    let names: Vec<&str> = names.take(20).collect();
    match (missing.known.as_str(), names.as_slice()) {
        ("params", []) => Some("this policy has no parameters: declare it under `[params]`".into()),
        ("params", names) => {
            Some(format!("declare it under `[params]`, or use one of: {}", names.join(", ")))
        }
        ("", _) if missing.part == "item" => Some("`item` exists only with `for_each`".into()),
        ("facts" | "labels" | "data", []) => Some(format!(
            "for a value that may be missing write `{}.{} | default(…)`",
            missing.known, missing.part
        )),
        (_, []) => None,
        ("", names) => Some(format!("the names here are: {}", names.join(", "))),
        (known, names) => Some(format!(
            "`{known}` has: {} (for a value that may be missing write `… | default(…)`)",
            names.join(", ")
        )),
    }
}

/// The error at the bottom of a chain of includes.
fn innermost(error: &Error) -> &Error {
    let mut error = error;
    while let Some(source) = error.source().and_then(|source| source.downcast_ref::<Error>()) {
        error = source;
    }
    error
}

/// The name that `error` says is undefined.
pub(crate) fn undefined_in(error: &Error) -> Option<String> {
    undefined_name(innermost(error).detail().unwrap_or_default()).map(str::to_owned)
}

/// The `x` of "`x` is undefined".
fn undefined_name(detail: &str) -> Option<&str> {
    let head = detail.get(..detail.find("` is undefined")?)?;
    head.rsplit('`').next().filter(|name| !name.is_empty())
}

fn quoted(detail: &str) -> Option<&str> {
    detail.split(['`', '\'', '"']).nth(1)
}

/// The range of `text` that an error is about, as narrow as it can be told.
fn narrowed(text: &str, error: &Error, undefined: Option<&str>) -> Range<usize> {
    let compiled = error.template_source().unwrap_or_default();
    let range = error.range().map(|range| guard::written_range(compiled, &range));
    let range = range.filter(|range| text.get(range.clone()).is_some());
    let range = range.unwrap_or_else(|| {
        let line = error.line().unwrap_or(1);
        let start: usize =
            text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let body = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        start + (body.len() - body.trim_start().len())..start + body.trim_end().len()
    });
    if let Some(name) = undefined {
        return word(text, name, range.clone()).unwrap_or(range);
    }
    range
}

/// Where `name` is written as a whole word within `range` of `text`.
fn word(text: &str, name: &str, range: Range<usize>) -> Option<Range<usize>> {
    let part = text.get(range.clone())?;
    let inside = |letter: Option<char>| {
        letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    };
    part.match_indices(name).find_map(|(at, _)| {
        let before = part.get(..at).and_then(|head| head.chars().next_back());
        let after = part.get(at + name.len()..).and_then(|tail| tail.chars().next());
        let whole = !inside(before) && before != Some('.') && !inside(after);
        whole.then(|| range.start + at..range.start + at + name.len())
    })
}

/// What is told of an error that may quote a secret, about what is `written` in the expression.
fn without_values(written: &str) -> String {
    let name = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
    let length = written.find(|letter| !name(letter)).unwrap_or(written.len());
    let called = written.get(..length).unwrap_or_default();
    if filters::exists(called) || filters::test_exists(called) || called == "file" {
        format!("`{called}` refuses this value, which may be secret and is not shown")
    } else {
        REFUSED.to_owned()
    }
}

fn code_of(kind: ErrorKind, detail: &str) -> Code {
    if kind == ErrorKind::TemplateNotFound || detail.starts_with(filters::NO_FILE) {
        Code::MissingFile
    } else {
        Code::Evaluation
    }
}

/// Whether `error` is one whatever the facts, labels, parameters and items are.
pub(crate) fn is_certain(error: &Error, uses_unknown: bool) -> bool {
    let error = innermost(error);
    let undefined = undefined_name(error.detail().unwrap_or_default());
    match (error.kind(), undefined) {
        (
            ErrorKind::SyntaxError
            | ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownFunction
            | ErrorKind::TemplateNotFound,
            _,
        ) => true,
        (_, Some(name)) => {
            let root = name.split(['.', '[']).next().unwrap_or(name);
            !ROOTS.contains(&root) && !uses_unknown
        }
        _ => !uses_unknown,
    }
}

/// The plain dotted names in `compiled` that do not exist whatever the host is, sorted. `params` are
/// the parameters declared, `item` tells whether there is one.
pub(crate) fn undefined_names(compiled: &Compiled<'_>, params: &[&str], item: bool) -> Vec<String> {
    let known = |name: &str| {
        let mut parts = name.split('.');
        match (parts.next().unwrap_or_default(), parts.next()) {
            ("params", Some(param)) => params.contains(&param),
            ("item", _) => item,
            ("params" | "facts" | "labels" | "data" | "file", _) => true,
            (root, _) => FUNCTIONS.contains(&root),
        }
    };
    let mut names: Vec<String> =
        compiled.names(true).into_iter().filter(|name| !known(name)).collect();
    names.sort();
    names
}

/// Names that the template language itself has.
const FUNCTIONS: &[&str] = &["range", "dict", "namespace", "loop", "super", "self", "caller"];
