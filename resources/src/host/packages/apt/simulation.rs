//! What a transaction would do, as `apt-get --simulate` tells, and whether that was asked for.

use std::cmp::Ordering;

use crate::host::packages::backend::Database;
use crate::host::packages::{PackageError, PackageName, Record, Transaction, VersionScheme};

/// One package that a transaction would touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// It would be installed, or change its version.
    Install { name: PackageName, from: Option<String>, to: String },
    /// It would go.
    Remove { name: PackageName },
}

/// The effects in the output of `apt-get --simulate`.
pub(super) fn parse(text: &str) -> Vec<Effect> {
    text.lines().filter_map(effect).collect()
}

/// `Inst sf-web [1.0-1] (1.1-1 local [all])`, `Remv sf-web [1.0-1]`, `Purg sf-web [1.0-1]`.
fn effect(line: &str) -> Option<Effect> {
    let (verb, rest) = line.split_once(' ')?;
    let mut words = rest.split_ascii_whitespace();
    let name = PackageName::parse(words.next()?).ok()?;
    match verb {
        "Inst" => {
            let mut from = None;
            for word in words {
                if let Some(version) = word.strip_prefix('[') {
                    from = Some(version.trim_end_matches(']').into());
                } else if let Some(version) = word.strip_prefix('(') {
                    let to = version.trim_end_matches(')').into();
                    return Some(Effect::Install { name, from, to });
                }
            }
            None
        }
        "Remv" | "Purg" => Some(Effect::Remove { name }),
        _ => None,
    }
}

/// Refuses what `transaction` did not ask for.
pub(super) fn judge(
    effects: &[Effect],
    transaction: &Transaction,
    database: &Database,
) -> Result<(), PackageError> {
    let mut removals = Vec::new();
    let mut downgrades = Vec::new();
    let mut held = Vec::new();
    for effect in effects {
        match effect {
            Effect::Remove { name } => {
                let mut asked = transaction.remove.iter().chain(&transaction.tolerated_removals);
                if !asked.any(|asked| same(asked, name)) {
                    removals.push(name.to_string());
                }
            }
            Effect::Install { name, from, to } => {
                let asked = transaction.install.iter().any(|asked| same(&asked.name, name));
                let down = from
                    .as_ref()
                    .is_some_and(|from| VersionScheme::Debian.compare(to, from) == Ordering::Less);
                if down && !(asked && transaction.options.allow_downgrade) {
                    downgrades.push(name.to_string());
                } else if !asked && database.find(name).is_some_and(Record::is_held) {
                    held.push(name.to_string());
                }
            }
        }
    }
    removals.dedup();
    if removals.is_empty() && downgrades.is_empty() && held.is_empty() {
        Ok(())
    } else {
        Err(PackageError::Refused { removals, downgrades, held })
    }
}

/// Whether both names mean one package; one without architecture means whichever there is.
fn same(left: &PackageName, right: &PackageName) -> bool {
    left.name() == right.name()
        && (left.architecture().is_none()
            || right.architecture().is_none()
            || left.architecture() == right.architecture())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::packages::{Install, Selection, State, TransactionOptions};

    const OUTPUT: &str = "\
NOTE: This is only a simulation!
Reading package lists...
The following packages will be REMOVED:
  exim4
Remv exim4 [4.96-15] [mailutils:amd64 ]
Inst postfix (3.7.11-0+deb12u1 Debian:12.11/stable [amd64]) []
Inst sf-tool [1.1-1] (1.0-1 local [all])
Inst libc6:i386 (2.36-9 Debian:12/stable [i386])
Conf postfix (3.7.11-0+deb12u1 Debian:12.11/stable [amd64])
Purg old [1.0]
";

    fn name(text: &str) -> PackageName {
        PackageName::parse(text).unwrap()
    }

    fn install(text: &str) -> Install {
        Install { name: name(text), version: None, file: None, again: false }
    }

    #[test]
    fn effects_are_read() {
        let install = |text: &str, from: Option<&str>, to: &str| Effect::Install {
            name: name(text),
            from: from.map(Into::into),
            to: to.into(),
        };
        assert_eq!(
            parse(OUTPUT),
            [
                Effect::Remove { name: name("exim4") },
                install("postfix", None, "3.7.11-0+deb12u1"),
                install("sf-tool", Some("1.1-1"), "1.0-1"),
                install("libc6:i386", None, "2.36-9"),
                Effect::Remove { name: name("old") },
            ]
        );
    }

    #[test]
    fn only_what_was_asked_for_passes() {
        let effects = parse(OUTPUT);
        let mut transaction =
            Transaction { install: vec![install("postfix")], ..Transaction::default() };
        let refused =
            |transaction: &Transaction| match judge(&effects, transaction, &Database::default()) {
                Err(PackageError::Refused { removals, downgrades, held }) => {
                    assert!(held.is_empty());
                    (removals.join(" "), downgrades.join(" "))
                }
                Err(error) => panic!("{error}"),
                Ok(()) => (String::new(), String::new()),
            };
        assert_eq!(refused(&transaction), ("exim4 old".into(), "sf-tool".into()));
        transaction.remove = vec![name("exim4")];
        transaction.tolerated_removals.insert(name("old"));
        transaction.options =
            TransactionOptions { allow_downgrade: true, ..TransactionOptions::default() };
        assert_eq!(refused(&transaction), (String::new(), "sf-tool".into()));
        transaction.install.push(install("sf-tool"));
        assert_eq!(refused(&transaction), (String::new(), String::new()));
    }

    #[test]
    fn packages_held_by_others_stay() {
        let mut database = Database::default();
        database.packages.insert(
            "postfix".into(),
            vec![Record {
                name: "postfix".into(),
                architecture: "amd64".into(),
                selection: Selection::Hold,
                reinstall_required: false,
                state: State::Installed,
                version: Some("3.7".into()),
                essential: false,
            }],
        );
        let effects = parse("Inst postfix [3.7] (3.8 Debian [amd64])\n");
        let mut transaction = Transaction::default();
        let error = judge(&effects, &transaction, &database).unwrap_err();
        assert_eq!(
            error.to_string(),
            "refused: it would change the held postfix, which was not asked for"
        );
        transaction.install.push(install("postfix"));
        assert!(judge(&effects, &transaction, &database).is_ok());
    }
}
