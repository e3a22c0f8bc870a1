//! Transactions, holds and answers.

use std::time::Instant;

use super::arguments::Purpose;
use super::locks::CHANGE;
use super::session::failed;
use super::{Apt, arguments, database, simulation};
use crate::host::packages::backend::Database;
use crate::host::packages::{
    Answer, ConfigFiles, Install, PackageError, PackageName, Record, Transaction,
};

/// Mends what would be in the way, then simulates, judges, does.
pub(super) fn transact(
    apt: &Apt,
    transaction: &Transaction,
    deadline: Instant,
) -> Result<(), PackageError> {
    if transaction.install.is_empty() && transaction.remove.is_empty() {
        return Ok(());
    }
    apt.settle(deadline)?;
    let database = database::read(&apt.root)?;
    if let Some(mending) = mending(transaction, &database) {
        log::info!("unpacking again what was left half installed: {}", names(&mending));
        if let Err(error) = judged(apt, &mending, &database, deadline) {
            log::warn!("cannot mend {}: {error}", names(&mending));
        }
    }
    judged(apt, transaction, &database, deadline)
}

fn judged(
    apt: &Apt,
    transaction: &Transaction,
    database: &Database,
    deadline: Instant,
) -> Result<(), PackageError> {
    let torn = transaction
        .remove
        .iter()
        .any(|name| database.find(name).is_some_and(|record| record.reinstall_required));
    let request = |purpose: Purpose| {
        let mut argv = arguments::transaction(transaction, purpose);
        if torn {
            // What is to go need not be made whole before (dpkg(1), --force-remove-reinstreq).
            let force = "Dpkg::Options::=--force-remove-reinstreq";
            argv.splice(1..1, ["-o".to_owned(), force.to_owned()]);
        }
        apt.quiet_request(argv, transaction.options.config_files)
    };
    let simulated = apt.alone(&request(Purpose::Simulate)?, CHANGE, deadline)?;
    if !simulated.success() {
        return Err(failed(&simulated));
    }
    let effects = simulation::parse(&String::from_utf8_lossy(&simulated.stdout));
    simulation::judge(&effects, transaction, database)?;
    let output = apt.alone(&request(Purpose::Do)?, CHANGE, deadline)?;
    if output.success() { Ok(()) } else { Err(failed(&output)) }
}

/// Packages that a cut-off run left half unpacked. apt unpacks them again in its next run, whatever
/// that is about, but configures what depends on them before that, and fails: so they go first.
fn mending(transaction: &Transaction, database: &Database) -> Option<Transaction> {
    let going = |name: &str| transaction.remove.iter().any(|gone| gone.name() == name);
    let coming = |name: &str| transaction.install.iter().any(|it| it.name.name() == name);
    let torn = |record: &&Record| {
        record.reinstall_required && !going(&record.name) && !coming(&record.name)
    };
    let mut install: Vec<Install> = database
        .packages
        .values()
        .flatten()
        .filter(torn)
        .filter_map(|record| PackageName::parse(&record.name).ok())
        .map(|name| Install { name, version: None, file: None, again: true })
        .collect();
    install.sort_by(|left, right| left.name.cmp(&right.name));
    (!install.is_empty()).then(|| Transaction { install, ..Transaction::default() })
}

fn names(transaction: &Transaction) -> String {
    let names = transaction.install.iter().map(|install| install.name.to_string());
    names.collect::<Vec<_>>().join(", ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_half_unpacked_is_mended_unless_it_is_concerned_itself() {
        let text = "Package: torn\nStatus: install reinstreq half-installed\nArchitecture: all\n\n\
                    Package: whole\nStatus: install ok half-configured\nArchitecture: all\n";
        let mut database = Database::default();
        assert!(database::parse(text, &mut database).is_ok());
        let torn = PackageName::parse("torn").unwrap();
        let mut transaction = Transaction::default();
        let mended = mending(&transaction, &database).unwrap();
        assert_eq!(names(&mended), "torn");
        assert!(mended.install[0].again);
        transaction.remove = vec![torn.clone()];
        assert_eq!(mending(&transaction, &database), None);
        transaction.remove.clear();
        transaction.install = vec![Install { name: torn, version: None, file: None, again: false }];
        assert_eq!(mending(&transaction, &database), None);
    }
}
