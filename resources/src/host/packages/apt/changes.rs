//! Transactions, holds and answers.

use std::time::Instant;

use super::locks::CHANGE;
use super::session::failed;
use super::{Apt, arguments, database, simulation};
use crate::host::packages::{Answer, ConfigFiles, PackageError, PackageName, Transaction};

/// Simulates, judges, does.
pub(super) fn transact(
    apt: &Apt,
    transaction: &Transaction,
    deadline: Instant,
) -> Result<(), PackageError> {
    if transaction.install.is_empty() && transaction.remove.is_empty() {
        return Ok(());
    }
    apt.settle(deadline)?;
    let request = |simulate: bool| {
        let argv = arguments::transaction(transaction, simulate);
        apt.quiet_request(argv, transaction.options.config_files)
    };
    let simulated = apt.alone(&request(true)?, CHANGE, deadline)?;
    if !simulated.success() {
        return Err(failed(&simulated));
    }
    let effects = simulation::parse(&String::from_utf8_lossy(&simulated.stdout));
    simulation::judge(&effects, transaction, &database::read(&apt.root)?)?;
    let output = apt.alone(&request(false)?, CHANGE, deadline)?;
    if output.success() { Ok(()) } else { Err(failed(&output)) }
}

/// Through dpkg's selections: one process, names on standard input.
pub(super) fn set_holds(
    apt: &Apt,
    holds: &[(PackageName, bool)],
    deadline: Instant,
) -> Result<(), PackageError> {
    if holds.is_empty() {
        return Ok(());
    }
    let mut lines = String::new();
    for (name, hold) in holds {
        let selection = if *hold { "hold" } else { "install" };
        lines.extend([&name.to_string(), "\t", selection, "\n"]);
    }
    let argv = vec!["dpkg".into(), "--set-selections".into()];
    let request = apt.quiet_request(argv, ConfigFiles::Keep)?.with_input(lines);
    let output = apt.alone(&request, CHANGE, deadline)?;
    if output.success() { Ok(()) } else { Err(failed(&output)) }
}

/// Through debconf-set-selections(1): one process, values on standard input.
pub(super) fn preset_answers(
    apt: &Apt,
    answers: &[Answer],
    deadline: Instant,
) -> Result<(), PackageError> {
    if answers.is_empty() {
        return Ok(());
    }
    let mut lines = String::new();
    for Answer { package, question, kind, value } in answers {
        lines.extend([package, " ", question, " ", kind, " ", value, "\n"]);
    }
    let argv = vec!["debconf-set-selections".into()];
    let request = apt.quiet_request(argv, ConfigFiles::Keep)?.with_input(lines);
    let output = apt.alone(&request, CHANGE, deadline)?;
    if output.success() { Ok(()) } else { Err(failed(&output)) }
}
