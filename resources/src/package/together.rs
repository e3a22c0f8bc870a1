//! Many packages in as few transactions as possible, and each alone when one of those fails.
//!
//! What counts is what the machine is afterwards, not an exit code: one package that cannot be
//! configured makes apt fail for all, although the others are installed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::failure::Failure;
use crate::host::Host;
use crate::host::packages::{
    Answer, Install, PackageError, PackageFile, PackageName, Refreshed, Staged, Transaction,
};
use crate::kind::Turn;

use super::action::Verb;
use super::ensure::Ensure;
use super::job::{Job, Sharing};
use super::observed::needs_fresh_index;
use super::wanted::{Source, Wanted};

/// The largest package file that is downloaded, in bytes.
const LARGEST_FILE: u64 = 1 << 30;

/// Refreshes the index if one of `wanted` needs that and it was not tried yet. Returns whether it
/// did.
pub(super) fn refresh_where_needed(
    wanted: &[&Wanted],
    host: &mut dyn Host,
    deadline: Instant,
) -> bool {
    let view = host.view().packages;
    let stale = view.index().is_ok_and(|index| index.refreshed == Refreshed::NotYet);
    let needed = |wanted: &&Wanted| needs_fresh_index(wanted, view).unwrap_or(false);
    if stale && wanted.iter().any(needed) {
        // Half the time, so that some is left for what the present indexes know.
        let remaining = deadline.saturating_duration_since(Instant::now());
        host.packages().refresh_index(Instant::now() + remaining / 2);
        return true;
    }
    false
}

/// Does what `jobs` ask for. One result each, in order.
pub(super) fn apply(
    mut jobs: Vec<Job<'_>>,
    host: &mut dyn Host,
    turn: &mut Turn<'_>,
) -> Vec<Result<(), Failure>> {
    let installing: Vec<&Wanted> =
        jobs.iter().filter(|job| job.installs()).map(|job| job.wanted).collect();
    if refresh_where_needed(&installing, host, turn.deadline) {
        let view = host.view();
        jobs.iter_mut().filter(|job| job.installs()).for_each(|job| job.replan(&view));
    }
    lift_holds(&mut jobs, host, turn.deadline);
    preset_answers(&mut jobs, host, turn.deadline);
    stage_files(&mut jobs, host, turn);
    change(&mut jobs, host, turn.deadline);
    set_holds(&mut jobs, host, turn.deadline);
    jobs.into_iter()
        .map(|job| match job.result {
            Some(result) => result,
            None => finally(&job, host),
        })
        .collect()
}

/// The verdict over a job for which nothing failed.
fn finally(job: &Job<'_>, host: &dyn Host) -> Result<(), Failure> {
    let outstanding = job.outstanding(&host.view())?;
    match outstanding.first() {
        None => Ok(()),
        Some(step) => Err(Failure::new(format!(
            "the package manager reported success, but there is still to do: {step}"
        ))
        .with_hint("another package or the package's own scripts may have undone it")),
    }
}

fn lift_holds(jobs: &mut [Job<'_>], host: &mut dyn Host, deadline: Instant) {
    let lifting = |job: &Job<'_>| job.is_open() && job.has(&Verb::Unhold);
    let holds = jobs.iter().filter(|job| lifting(job)).map(|job| (job.wanted.name.clone(), false));
    let holds: Vec<(PackageName, bool)> = holds.collect();
    if let Err(error) = host.packages().set_holds(&holds, deadline) {
        let failure = Failure::from(error);
        jobs.iter_mut().filter(|job| lifting(job)).for_each(|job| job.fail(failure.clone()));
    }
}

/// Holds what is to be held: where that was a step, and where a change of version lost it.
fn set_holds(jobs: &mut [Job<'_>], host: &mut dyn Host, deadline: Instant) {
    let mut holding = Vec::new();
    for (index, job) in jobs.iter_mut().enumerate() {
        if !job.is_open() || job.wanted.hold != Some(true) {
            continue;
        }
        let held_step = job.change().is_some_and(|step| step.held);
        if !job.has(&Verb::Hold) && !held_step {
            continue;
        }
        match host.view().packages.package(&job.wanted.name) {
            Ok(Some(record)) if !record.is_held() => holding.push(index),
            Ok(_) => {}
            Err(error) => job.fail(error.into()),
        }
    }
    let names = holding.iter().filter_map(|index| jobs.get(*index));
    let holds: Vec<(PackageName, bool)> =
        names.map(|job| (job.wanted.name.clone(), true)).collect();
    if holds.is_empty() {
        return;
    }
    if let Err(error) = host.packages().set_holds(&holds, deadline) {
        let failure = Failure::from(error);
        for index in holding {
            if let Some(job) = jobs.get_mut(index) {
                job.fail(failure.clone());
            }
        }
    }
}

fn preset_answers(jobs: &mut [Job<'_>], host: &mut dyn Host, deadline: Instant) {
    let asking = |job: &Job<'_>| job.is_open() && job.installs() && !job.wanted.answers.is_empty();
    let answers: Vec<Answer> = jobs
        .iter()
        .filter(|job| asking(job))
        .flat_map(|job| job.wanted.answers.iter().cloned())
        .collect();
    if answers.is_empty() {
        return;
    }
    if let Err(error) = host.packages().preset_answers(&answers, deadline) {
        let mut failure = Failure::from(error);
        failure.reason = format!("cannot preset the answers: {}", failure.reason);
        jobs.iter_mut().filter(|job| asking(job)).for_each(|job| job.fail(failure.clone()));
    }
}

fn stage_files(jobs: &mut [Job<'_>], host: &mut dyn Host, turn: &Turn<'_>) {
    for job in jobs.iter_mut().filter(|job| job.is_open() && job.installs()) {
        let Some(source) = &job.wanted.source else { continue };
        // A package that is only to be finished has been unpacked from it already.
        let again = job.change().is_some_and(|step| match step.verb {
            Verb::Finish { again, .. } => again,
            _ => true,
        });
        if !again {
            continue;
        }
        match stage(source, job.wanted, host, turn) {
            Ok(staged) => job.staged = Some(staged),
            Err(failure) => job.fail(failure),
        }
    }
}

fn stage(
    source: &Source,
    wanted: &Wanted,
    host: &mut dyn Host,
    turn: &Turn<'_>,
) -> Result<Staged, Failure> {
    let staged = match source {
        Source::Local { path, sha256 } => {
            let file = PackageFile::Local { path, sha256: sha256.as_deref() };
            host.packages().stage(&wanted.name, &file)?
        }
        Source::Download { url, sha256 } => {
            let bytes = turn.download.download(url, sha256, LARGEST_FILE, turn.deadline)?;
            host.packages().stage(&wanted.name, &PackageFile::Bytes(&bytes))?
        }
    };
    let scheme = host.view().packages.scheme()?;
    if wanted.ensure.admits(&staged.version, scheme) {
        return Ok(staged);
    }
    let (found, asked) = (&staged.version, &wanted.ensure);
    Err(Failure::new(format!("the package file has the version {found}, not {asked}"))
        .with_hint("name the version of the file, or another file"))
}

/// Installs, changes and removes.
fn change(jobs: &mut [Job<'_>], host: &mut dyn Host, deadline: Instant) {
    for (transaction, members) in transactions(jobs) {
        let outcome = host.packages().transact(&transaction, deadline);
        settle(jobs, &members, outcome, host, deadline);
    }
    // A removal that went with installations could not purge as well.
    let purging = |job: &Job<'_>| job.is_open() && job.purges();
    let members: Vec<usize> =
        (0..jobs.len()).filter(|i| jobs.get(*i).is_some_and(purging)).collect();
    let members: Vec<usize> = members
        .into_iter()
        .filter(|index| {
            let done = jobs.get(*index).map(|job| job.change_is_done(&host.view()));
            !matches!(done, Some(Ok(true)))
        })
        .collect();
    if !members.is_empty() {
        let names = members.iter().filter_map(|index| jobs.get(*index));
        let remove = names.map(|job| job.wanted.name.clone()).collect();
        let transaction = Transaction { remove, purge: true, ..Transaction::default() };
        let outcome = host.packages().transact(&transaction, deadline);
        settle(jobs, &members, outcome, host, deadline);
    }
}

/// Decides about the members of a transaction; after a failure, tries each alone.
fn settle(
    jobs: &mut [Job<'_>],
    members: &[usize],
    outcome: Result<(), PackageError>,
    host: &mut dyn Host,
    deadline: Instant,
) {
    let Err(error) = outcome else { return };
    let shared = error.concerns_all() || members.len() == 1;
    let failure = explained(error, host);
    if !shared {
        log::info!("a package transaction failed ({failure}), trying its packages one by one");
    }
    let leaving = leaving(jobs);
    for index in members {
        let Some(job) = jobs.get_mut(*index) else { continue };
        match job.change_is_done(&host.view()) {
            Ok(true) => {
                log::warn!("{} is done, although a transaction failed: {failure}", job.wanted.name);
            }
            Ok(false) if shared => job.fail(failure.clone()),
            Ok(false) => alone(job, &leaving, host, deadline),
            Err(failure) => job.fail(failure),
        }
    }
}

fn alone(
    job: &mut Job<'_>,
    leaving: &BTreeSet<PackageName>,
    host: &mut dyn Host,
    deadline: Instant,
) {
    let mut transaction = job.transaction();
    transaction.tolerated_removals.clone_from(leaving);
    let outcome = host.packages().transact(&transaction, deadline);
    let Err(error) = outcome else { return };
    match job.change_is_done(&host.view()) {
        Ok(true) => log::warn!("{} is done, although apt failed: {error}", job.wanted.name),
        Ok(false) => job.fail(explained(error, host)),
        Err(failure) => job.fail(failure),
    }
}

/// The failure, with better advice where what would go is something that the policy wants.
fn explained(error: PackageError, host: &dyn Host) -> Failure {
    let PackageError::Refused { removals, .. } = &error else { return error.into() };
    let view = host.view().packages;
    let wanted: Vec<&str> = removals
        .iter()
        .map(|name| name.split(':').next().unwrap_or(name))
        .filter(|name| view.is_announced(name))
        .collect();
    if wanted.is_empty() {
        return error.into();
    }
    let hint = format!(
        "the policy wants {} as well, and they cannot be there together; decide for one",
        wanted.join(", ")
    );
    Failure::from(error).with_hint(hint)
}

/// The packages that this batch removes.
fn leaving(jobs: &[Job<'_>]) -> BTreeSet<PackageName> {
    let removing = jobs.iter().filter(|job| job.is_open() && job.removes());
    removing.map(|job| job.wanted.name.clone()).collect()
}

/// As few transactions as the jobs' options allow, with the jobs each serves. Removals go with
/// installations, so that one package can take another's place.
fn transactions(jobs: &[Job<'_>]) -> Vec<(Transaction, Vec<usize>)> {
    let mut groups: BTreeMap<Sharing, Vec<usize>> = BTreeMap::new();
    let mut removing = Vec::new();
    for (index, job) in jobs.iter().enumerate().filter(|(_, job)| job.is_open()) {
        if job.removes() {
            removing.push(index);
        } else if job.installs() {
            groups.entry(job.sharing()).or_default().push(index);
        }
    }
    let mut all: Vec<(Transaction, Vec<usize>)> = Vec::new();
    for (sharing, members) in groups {
        let mut install: Vec<Install> = Vec::new();
        for found in members.iter().filter_map(|index| jobs.get(*index)?.install()) {
            if !install.contains(&found) {
                install.push(found);
            }
        }
        let transaction =
            Transaction { install, options: sharing.options, ..Transaction::default() };
        all.push((transaction, members));
    }
    if removing.is_empty() {
        return all;
    }
    let leaving_jobs: Vec<&Job<'_>> =
        removing.iter().filter_map(|index| jobs.get(*index)).collect();
    let names: Vec<PackageName> = leaving_jobs.iter().map(|job| job.wanted.name.clone()).collect();
    let purge = leaving_jobs.iter().all(|job| job.wanted.ensure == Ensure::Purged);
    let shared = all.iter_mut().find(|(it, _)| it.options.install_options.is_empty());
    if let Some((transaction, members)) = shared {
        transaction.remove = names;
        transaction.purge = purge;
        members.extend(removing);
    } else {
        let transaction = Transaction { remove: names, purge, ..Transaction::default() };
        all.insert(0, (transaction, removing));
    }
    all
}
