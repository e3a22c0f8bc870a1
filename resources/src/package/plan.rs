//! From what is there to what is wanted. Pure.

use std::cmp::Ordering;

use crate::failure::Failure;
use crate::host::packages::{Availability, Index, PackageName, Record, Refreshed, State};
use crate::pending::Pending;
use crate::step::{Change, Planned, Shown, Step};

use super::action::{PackageAction, Verb};
use super::ensure::Ensure;
use super::observed::{Observed, Offer, provides};
use super::wanted::Wanted;

/// The version to come.
enum Goal {
    /// The one that is there.
    Keep,
    /// This one.
    Version(String),
    /// Only a refreshed index, another resource or the package file will tell.
    Open,
}

pub(super) fn plan(
    wanted: &Wanted,
    observed: &Observed,
    pending: &Pending<'_>,
) -> Result<Planned<PackageAction>, Failure> {
    let present = observed.record.as_ref().filter(|record| record.state.is_present());
    match present {
        _ if wanted.ensure.is_absence() => absence(wanted, observed),
        Some(record) => {
            Presence { wanted, observed, pending, planned: Planned::in_sync() }.of_installed(record)
        }
        None => Presence { wanted, observed, pending, planned: Planned::in_sync() }.of_missing(),
    }
}

fn absence(wanted: &Wanted, observed: &Observed) -> Result<Planned<PackageAction>, Failure> {
    let mut planned = Planned::in_sync();
    if let Some(provider) = observed.providers.first() {
        let name = &wanted.name;
        planned.notes.push(format!("{} provides {name} and stays", provider.package));
    }
    let Some(record) = &observed.record else { return Ok(planned) };
    let purge = wanted.ensure == Ensure::Purged;
    let left = record.state == State::ConfigFiles;
    let goes = record.state.is_present() || (purge && left);
    if !goes {
        return Ok(planned);
    }
    if record.essential && record.state.is_present() {
        return Err(Failure::new(format!("{} is essential and cannot be removed", wanted.name))
            .with_hint("the system does not run without it; take it out of the policy"));
    }
    if record.is_held() && record.state.is_present() {
        if wanted.hold.is_none() {
            return Err(held(wanted, record));
        }
        planned.steps.push(unhold(wanted));
    }
    let version = record.version.clone();
    let before = match &version {
        Some(version) if record.state.is_present() => Shown::value(version),
        _ => Shown::value(record.state),
    };
    let after = Shown::value(&wanted.ensure);
    let verb = if purge { Verb::Purge { version } } else { Verb::Remove { version } };
    let action = PackageAction { package: wanted.name.clone(), verb, held: false };
    let changes = vec![Change::new("ensure", before, after)];
    planned.steps.push(if record.state.is_present() {
        Step::disruptive(action, changes)
    } else {
        Step::new(action, changes)
    });
    Ok(planned)
}

fn unhold(wanted: &Wanted) -> Step<PackageAction> {
    hold_step(wanted, Verb::Unhold, true, false)
}

fn hold_step(wanted: &Wanted, verb: Verb, before: bool, after: bool) -> Step<PackageAction> {
    let action = PackageAction { package: wanted.name.clone(), verb, held: false };
    Step::new(action, vec![Change::new("hold", Shown::value(before), Shown::value(after))])
}

fn held(wanted: &Wanted, record: &Record) -> Failure {
    let version = record.version.as_deref().unwrap_or("its state");
    Failure::new(format!("{} is held at {version}, and not by this policy", wanted.name))
        .with_hint("give `hold` (true or false) in the policy, or lift it: apt-mark unhold")
}

/// Planning a package that is to be there.
struct Presence<'a> {
    wanted: &'a Wanted,
    observed: &'a Observed,
    pending: &'a Pending<'a>,
    planned: Planned<PackageAction>,
}

impl Presence<'_> {
    fn of_installed(mut self, record: &Record) -> Result<Planned<PackageAction>, Failure> {
        let wanted = self.wanted;
        let version = record.version.clone().unwrap_or_default();
        let goal = self.goal_of_installed(&version)?;
        if wanted.hold == Some(false) && record.is_held() {
            self.planned.steps.push(unhold(wanted));
        }
        let verb = match goal {
            Goal::Keep if record.state.is_unfinished() => Some(Verb::Finish {
                version: record.version.clone(),
                state: record.state,
                again: record.reinstall_required,
            }),
            Goal::Keep => None,
            Goal::Version(to) => Some(self.version_change(&version, to)?),
            Goal::Open => {
                Some(Verb::Change { from: version.clone(), to: wanted.ensure.to_string() })
            }
        };
        if let Some(verb) = verb {
            let changes_version = !matches!(verb, Verb::Finish { .. });
            if changes_version && record.is_held() && wanted.hold.is_none() {
                return Err(held(wanted, record));
            }
            let before = if record.state.is_unfinished() {
                Shown::value(format!("{version} ({})", record.state))
            } else {
                Shown::value(&version)
            };
            let after = match &verb {
                Verb::Upgrade { to, .. } | Verb::Downgrade { to, .. } | Verb::Change { to, .. } => {
                    to
                }
                _ => &version,
            };
            let changes = vec![Change::new("ensure", before, Shown::value(after))];
            let held = record.is_held() && wanted.hold == Some(true);
            let action = PackageAction { package: wanted.name.clone(), verb, held };
            self.planned.steps.push(if changes_version {
                Step::disruptive(action, changes)
            } else {
                Step::new(action, changes)
            });
        }
        if wanted.hold == Some(true) && !record.is_held() {
            self.planned.steps.push(hold_step(wanted, Verb::Hold, false, true));
        }
        Ok(self.planned)
    }

    fn version_change(&self, from: &str, to: String) -> Result<Verb, Failure> {
        let from = from.to_owned();
        if self.observed.scheme.compare(&to, &from) != Ordering::Less {
            return Ok(Verb::Upgrade { from, to });
        }
        if self.wanted.options.allow_downgrade {
            return Ok(Verb::Downgrade { from, to });
        }
        let name = &self.wanted.name;
        Err(Failure::new(format!("{name} {from} would have to be downgraded to {to}"))
            .with_hint("set `allow_downgrade = true` if that is meant"))
    }

    fn of_missing(mut self) -> Result<Planned<PackageAction>, Failure> {
        let wanted = self.wanted;
        let Some(offer) = &self.observed.offer else {
            // A package file: what it contains is seen when it is staged.
            let version = match &wanted.ensure {
                Ensure::Exactly(version) => Some(version.clone()),
                _ => None,
            };
            return Ok(self.install(wanted.name.clone(), version));
        };
        if !offer.availability.is_real() {
            let scheme = self.observed.scheme;
            if provides(&self.observed.providers, &wanted.ensure, scheme) {
                return self.provided();
            }
            return self.of_virtual(offer);
        }
        let version = match self.goal(&offer.availability, &offer.index, None)? {
            Goal::Version(version) => Some(version),
            Goal::Keep | Goal::Open => None,
        };
        Ok(self.install(wanted.name.clone(), version))
    }

    /// An installed package provides the name: that is what was asked for.
    fn provided(self) -> Result<Planned<PackageAction>, Failure> {
        let provider = self.observed.providers.first().map(|it| it.package.as_str());
        let provider = provider.unwrap_or_default();
        if self.wanted.hold == Some(true) {
            let name = &self.wanted.name;
            return Err(Failure::new(format!("{name} is provided by {provider} and no package"))
                .with_hint("declare `hold` on the package itself"));
        }
        Ok(self.planned.with_note(format!("provided by {provider}")))
    }

    /// No package has the name, and no installed one provides it.
    fn of_virtual(mut self, offer: &Offer) -> Result<Planned<PackageAction>, Failure> {
        let wanted = self.wanted;
        self.note_index(&offer.index);
        if let Some((provider, availability)) = &offer.provider {
            // A provided version is the provider's promise; what is installed is its own version.
            let version = availability.candidate.clone();
            self.planned.notes.push(format!("{provider} provides {}", wanted.name));
            return Ok(self.install(provider.clone(), version));
        }
        let several: Vec<&str> =
            offer.availability.providers.iter().map(|it| it.package.as_str()).collect();
        if several.is_empty() {
            self.unknown("no package source has it", &offer.availability, &offer.index)?;
            return Ok(self.install(wanted.name.clone(), None));
        }
        Err(Failure::new(format!(
            "{} is no package but a name that several provide: {}",
            wanted.name,
            several.join(", ")
        ))
        .with_hint("name the one you want"))
    }

    fn install(mut self, package: PackageName, version: Option<String>) -> Planned<PackageAction> {
        let wanted = self.wanted;
        let after = version.as_ref().map_or_else(|| Shown::value(&wanted.ensure), Shown::value);
        let changes = vec![Change::new("ensure", Shown::Absent, after)];
        // Options such as `-t backports` choose a version that the plan cannot know.
        let left_open =
            wanted.ensure == Ensure::Present && !wanted.options.install_options.is_empty();
        let version = version.filter(|_| !left_open);
        let action = PackageAction { package, verb: Verb::Install { version }, held: false };
        self.planned.steps.push(Step::new(action, changes));
        if wanted.hold == Some(true) {
            self.planned.steps.push(hold_step(wanted, Verb::Hold, false, true));
        }
        self.planned
    }

    fn goal_of_installed(&mut self, version: &str) -> Result<Goal, Failure> {
        let admitted = self.wanted.ensure.admits(version, self.observed.scheme);
        match &self.observed.offer {
            Some(offer) => self.goal(&offer.availability, &offer.index, Some(version)),
            None if admitted => Ok(Goal::Keep),
            None => Ok(match &self.wanted.ensure {
                Ensure::Exactly(version) => Goal::Version(version.clone()),
                _ => Goal::Open,
            }),
        }
    }

    /// The version to come, from what the indexes offer.
    fn goal(
        &mut self,
        availability: &Availability,
        index: &Index,
        installed: Option<&str>,
    ) -> Result<Goal, Failure> {
        let scheme = self.observed.scheme;
        let wanted = self.wanted;
        let candidate = availability.candidate.as_deref();
        let admitted = |version: &&str| wanted.ensure.admits(version, scheme);
        self.note_index(index);
        if let (Ensure::Latest, Refreshed::Failed { failure, reached: false }) =
            (&wanted.ensure, &index.refreshed)
        {
            return Err(unrefreshed(wanted, failure));
        }
        let found = match (&wanted.ensure, installed) {
            (Ensure::Latest, Some(now)) => {
                let newer = |candidate: &&str| scheme.compare(candidate, now) == Ordering::Greater;
                if candidate.is_none() {
                    let note = format!("no package source offers {}", wanted.name);
                    self.planned.notes.push(note);
                }
                return Ok(candidate
                    .filter(newer)
                    .map_or(Goal::Keep, |candidate| Goal::Version(candidate.into())));
            }
            (_, Some(now)) if admitted(&now) => return Ok(Goal::Keep),
            (Ensure::Latest | Ensure::Present, _) => candidate,
            _ => candidate.filter(admitted).or_else(|| {
                let versions = availability.versions.iter().map(String::as_str);
                versions.filter(admitted).max_by(|left, right| scheme.compare(left, right))
            }),
        };
        if let Some(version) = found {
            return Ok(Goal::Version(version.into()));
        }
        let problem = match &wanted.ensure {
            _ if availability.versions.is_empty() => "no package source has it".to_owned(),
            Ensure::Latest | Ensure::Present => "its priorities forbid every version".to_owned(),
            version => format!("no package source has the version {version}"),
        };
        self.unknown(&problem, availability, index)?;
        Ok(Goal::Open)
    }

    /// What is wanted is not in the present indexes: fails, unless they may still learn of it.
    fn unknown(
        &mut self,
        problem: &str,
        availability: &Availability,
        index: &Index,
    ) -> Result<(), Failure> {
        let name = &self.wanted.name;
        if let Some(dependency) = self.pending.dependency() {
            let condition = format!("{dependency} brings a package source that has {name}");
            self.planned.condition = Some(condition);
            return Ok(());
        }
        match &index.refreshed {
            Refreshed::NotYet => {
                if index.date.is_some() {
                    let note = format!("{problem} in the present index, which may be stale");
                    self.planned.notes.push(note);
                }
                Ok(())
            }
            Refreshed::Failed { failure, .. } => Err(unrefreshed(self.wanted, failure)),
            Refreshed::Done => Err(self.not_found(problem, availability)),
        }
    }

    fn not_found(&self, problem: &str, availability: &Availability) -> Failure {
        let failure = Failure::new(format!("cannot install {}: {problem}", self.wanted.name));
        let versions: Vec<&str> =
            availability.versions.iter().take(5).map(String::as_str).collect();
        if versions.is_empty() {
            failure.with_hint("check the name and the package sources")
        } else {
            failure.with_hint(format!(
                "the sources have {}; a version is written with epoch and revision",
                versions.join(", ")
            ))
        }
    }

    /// Says by which index this was decided, where that will be refreshed first.
    fn note_index(&mut self, index: &Index) {
        if index.refreshed == Refreshed::NotYet {
            self.planned.notes.push(match &index.date {
                Some(date) => format!("by the package index of {date}, which is refreshed first"),
                None => "there is no package index yet; it is refreshed first".into(),
            });
        } else if let Refreshed::Failed { failure, .. } = &index.refreshed {
            let note = format!("the package index could not all be refreshed: {failure}");
            self.planned.notes.push(note);
        }
    }
}

fn unrefreshed(wanted: &Wanted, failure: &Failure) -> Failure {
    Failure {
        reason: format!(
            "cannot look for {}: the package index could not be refreshed: {}",
            wanted.name, failure.reason
        ),
        hint: failure.hint.clone(),
        output: failure.output.clone(),
    }
}
