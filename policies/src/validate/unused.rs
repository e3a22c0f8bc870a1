//! What is written and never read: parameters, keys of data, files of data.
//!
//! A name that is used without its rest (`params`, `data[key]`) counts as a use of everything
//! below it. Where a file has errors, what it reads is not known, and nothing is said.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::diagnostics::suggest::did_you_mean;
use crate::diagnostics::{Code, Severity, SourceId, Spot};
use crate::evaluate::{Evaluator, pattern};
use crate::expression::{Known, Library};
use crate::parse::{Entry, Node, Policy};
use crate::site::Site;
use crate::trial::Trial;

/// The names that a policy and its templates use.
pub(super) type Uses = BTreeSet<String>;

/// Warns of what nothing reads. `uses` are of `all` policies, in the same order; `site_uses` of the
/// site.
pub(super) fn report(trial: &Trial<'_>, all: &[Rc<Policy>], uses: &[Uses], site_uses: &Uses) {
    let faulty = faulty_files(trial);
    let is_faulty = |policy: &Policy| {
        let own = trial.context.sources.get(policy.source);
        let below = |file: &String| {
            !policy.directory.is_empty()
                && file.strip_prefix(&*policy.directory).is_some_and(|rest| rest.starts_with('/'))
        };
        !policy.sound || faulty.contains(&*own.path) || faulty.iter().any(below)
    };
    for (policy, uses) in all.iter().zip(uses).filter(|(policy, _)| !is_faulty(policy)) {
        parameters(trial, policy, uses);
    }
    let known = all.len() == trial.policies.names().len();
    let sound = known && !all.iter().any(|policy| is_faulty(policy));
    let Some(site) = trial.site.as_ref().filter(|_| sound && !faulty.contains("site.toml")) else {
        return;
    };
    let uses: Uses = uses.iter().chain([site_uses]).flatten().cloned().collect();
    let data = Data { trial, all, uses };
    for path in trial.files.below("data") {
        let Ok(Some((source, document))) = trial.files.document(path) else { continue };
        if !document.sound || path.strip_suffix(".toml").is_none() {
            continue;
        }
        if is_layer(site, path) {
            data.entries(source, "data", &document.entries);
        } else {
            let spot = Spot::new(source, crate::diagnostics::Span::default());
            let message = format!("no data layer of `site.toml` names `{path}`");
            let draft = trial.context.warning(Code::Unused, spot, message);
            draft.hint("add it to `data` of `[site]`, or remove the file".to_owned()).report();
        }
    }
}

fn faulty_files(trial: &Trial<'_>) -> BTreeSet<String> {
    let found = trial.context.take();
    let files = found
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .filter_map(|diagnostic| Some(diagnostic.place.as_ref()?.file.to_string()))
        .collect();
    trial.context.put(found);
    files
}

/// Whether some layer of the site can be the file at `path`.
fn is_layer(site: &Site, path: &str) -> bool {
    site.data.iter().any(|item| {
        let Some(name) = item.as_text() else { return true };
        let glob = pattern(&format!("data/{name}.toml"));
        let built = globset::GlobBuilder::new(&glob).backslash_escape(true).build();
        built.is_ok_and(|glob| glob.compile_matcher().is_match(path))
    })
}

/// Whether `uses` has `name`, something below it, or something above it as a whole.
fn used(uses: &Uses, name: &str) -> bool {
    let above = name.match_indices('.').filter_map(|(at, _)| name.get(..at));
    above.chain([name]).any(|part| uses.contains(part)) || used_below(uses, name)
}

fn used_below(uses: &Uses, name: &str) -> bool {
    let prefix = format!("{name}.");
    uses.range(prefix.clone()..).next().is_some_and(|next| next.starts_with(&prefix))
}

fn parameters(trial: &Trial<'_>, policy: &Policy, uses: &Uses) {
    for parameter in &policy.parameters {
        if used(uses, &format!("params.{}", parameter.name)) {
            continue;
        }
        let spot = Spot::new(policy.source, parameter.name_span);
        let message =
            format!("nothing in policy `{}` uses its parameter `{}`", policy.name, parameter.name);
        let draft = trial.context.warning(Code::Unused, spot, message);
        draft.hint(format!("use it as `params.{}`, or remove it", parameter.name)).report();
    }
}

struct Data<'d, 't> {
    trial: &'d Trial<'t>,
    all: &'d [Rc<Policy>],
    uses: Uses,
}

impl Data<'_, '_> {
    fn entries(&self, source: SourceId, above: &str, entries: &[Entry]) {
        for entry in entries {
            let key = entry.key.trim_end_matches('+');
            let name = format!("{above}.{key}");
            if self.is_parameter(&name) || self.whole(&name) {
                continue;
            }
            let owner = (above == "data").then(|| self.policy(key)).flatten();
            match &entry.item.node {
                Node::Table(inner) if owner.is_some() || used_below(&self.uses, &name) => {
                    self.entries(source, &name, inner);
                }
                _ if used_below(&self.uses, &name) => {}
                _ => self.unused(Spot::new(source, entry.key_span), &name),
            }
        }
    }

    fn whole(&self, name: &str) -> bool {
        let above = name.match_indices('.').filter_map(|(at, _)| name.get(..at));
        above.chain([name]).any(|part| self.uses.contains(part))
    }

    fn policy(&self, name: &str) -> Option<&Rc<Policy>> {
        self.all.iter().find(|policy| *policy.name == *name)
    }

    /// Whether `name` is `data.<policy>.<parameter>`.
    fn is_parameter(&self, name: &str) -> bool {
        let mut parts = name.split('.').skip(1);
        let (Some(policy), Some(parameter), None) = (parts.next(), parts.next(), parts.next())
        else {
            return false;
        };
        self.policy(policy)
            .is_some_and(|policy| policy.parameters.iter().any(|known| *known.name == *parameter))
    }

    fn unused(&self, spot: Spot, name: &str) {
        let path = name.strip_prefix("data.").unwrap_or(name);
        let mut parts = path.split('.');
        let (first, second) = (parts.next().unwrap_or_default(), parts.next());
        let policy = self.policy(first).zip(second);
        let (message, hint) = if let Some((policy, parameter)) = policy {
            let names = policy.parameters.iter().map(|known| &*known.name);
            let what = format!("policy `{first}` has no parameter `{parameter}`");
            (format!("{what}, and nothing reads `{name}`"), did_you_mean(parameter, names))
        } else {
            let names = self.all.iter().map(|policy| &*policy.name);
            let hint = match path.split_once("::") {
                Some((policy, parameter)) => {
                    Some(format!("write `{parameter} = …` below a table of its own, `[{policy}]`"))
                }
                None => did_you_mean(first, names),
            };
            (format!("nothing reads `{name}`"), hint)
        };
        self.trial.context.warning(Code::Unused, spot, message).hint(hint).report();
    }
}

/// What the defaults of `policy` use, whether or not it has such resources.
pub(super) fn of_defaults(policy: &Policy, uses: &mut Uses) {
    for given in policy.defaults.values().flatten() {
        given.item.visit_texts(&mut |text| {
            let roots = ["params", "data"].into_iter().filter(|root| text.contains(root));
            uses.extend(roots.map(str::to_owned));
        });
    }
}

/// The names that the templates of `policy` use, whether or not a resource uses them. Where a
/// template includes what is not among them, everything counts as used.
pub(super) fn of_templates(
    trial: &Trial<'_>,
    evaluator: &Evaluator<'_>,
    policy: &Policy,
    directory: &str,
    uses: &mut Uses,
) {
    for path in trial.files.below(directory) {
        if !trial.files.in_library(path) {
            continue;
        }
        let relative =
            path.strip_prefix(&*policy.directory).unwrap_or(path).trim_start_matches('/');
        let name = Library::file_name(&policy.directory, relative);
        if let Ok(compiled) = evaluator.engine.template(&name) {
            uses.extend(compiled.names(true));
        }
        let Some(Known::Text(text)) = trial.files.library().file(path) else { continue };
        if includes_elsewhere(&text) {
            uses.extend(["params".to_owned(), "data".to_owned()]);
        }
    }
}

/// Whether the template `text` includes something that is not below `templates/`.
fn includes_elsewhere(text: &str) -> bool {
    ["include", "import", "extends", "from"].iter().any(|word| {
        text.split("{%").skip(1).any(|block| {
            let block = block.split("%}").next().unwrap_or_default();
            let mut words = block.trim_start_matches(['-', '+']).split_whitespace();
            words.next() == Some(word)
                && !words
                    .next()
                    .is_some_and(|path| path.trim_matches(['"', '\'']).starts_with("templates/"))
        })
    })
}
