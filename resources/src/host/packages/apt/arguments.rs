//! The argv of `apt-get`. Names and versions come behind `--`, checked before.

use crate::host::packages::{ConfigFiles, PackageName, Transaction};

/// Options of every call: no questions, no colours, no pseudo-terminal (dpkg stays in our process
/// group and its output is ours), no autoremoval whatever apt.conf says.
const ALWAYS: &[&str] = &[
    "-q",
    "-y",
    "-o",
    "Dpkg::Use-Pty=0",
    "-o",
    "APT::Color=0",
    "-o",
    "APT::Get::AutomaticRemove=false",
    "-o",
    "APT::Get::Show-User-Simulation-Note=0",
];

/// Whether apt is only to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Simulate,
    Do,
}

/// What `transaction` is for apt.
pub(super) fn transaction(transaction: &Transaction, purpose: Purpose) -> Vec<String> {
    let simulate = purpose == Purpose::Simulate;
    let options = &transaction.options;
    let mut argv: Vec<String> = vec!["apt-get".into()];
    argv.extend(ALWAYS.iter().copied().map(Into::into));
    let mut add = |option: &str| argv.push(option.into());
    if simulate {
        add("--simulate");
    }
    add(if options.recommends { "--install-recommends" } else { "--no-install-recommends" });
    if options.allow_downgrade {
        add("--allow-downgrades");
    }
    if options.allow_held {
        add("--allow-change-held-packages");
    }
    if transaction.remove.is_empty() && transaction.tolerated_removals.is_empty() {
        // The simulation shows the same; this holds even if the machine changes in between.
        if !simulate {
            add("--no-remove");
        }
    } else if transaction.purge {
        add("--purge");
    }
    if transaction.install.iter().any(|install| install.again) {
        add("--reinstall");
    }
    for option in configuration_files(options.config_files) {
        add("-o");
        add(&format!("Dpkg::Options::=--force-{option}"));
    }
    argv.extend(options.install_options.iter().cloned());
    argv.push(if transaction.install.is_empty() { "remove" } else { "install" }.into());
    argv.push("--".into());
    for install in &transaction.install {
        argv.push(match (&install.file, &install.version) {
            (Some(file), _) => file.to_string_lossy().into_owned(),
            (None, Some(version)) => format!("{}={version}", install.name),
            (None, None) => install.name.to_string(),
        });
    }
    for name in &transaction.remove {
        argv.push(removal(name, transaction.install.is_empty()));
    }
    argv
}

/// `apt-get install` removes what ends with a minus.
fn removal(name: &PackageName, remove: bool) -> String {
    if remove { name.to_string() } else { format!("{name}-") }
}

/// dpkg's options for configuration files that were edited here (dpkg(1), `--force-…`). The
/// package's default answer counts first, except where its file is to win: the default answer to
/// an edited file is to keep it.
pub(super) fn configuration_files(policy: ConfigFiles) -> &'static [&'static str] {
    match policy {
        ConfigFiles::Keep => &["confdef", "confold"],
        ConfigFiles::Replace => &["confnew", "confmiss"],
    }
}

/// What refreshes the indexes. Any source that cannot be fetched is an error.
pub(super) fn refresh() -> Vec<String> {
    let mut argv: Vec<String> = vec!["apt-get".into()];
    argv.extend(ALWAYS.iter().copied().map(Into::into));
    argv.extend(["-o", "APT::Update::Error-Mode=any", "update"].map(Into::into));
    argv
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::packages::{Install, TransactionOptions};

    fn tail(argv: &[String]) -> String {
        argv.get(1 + ALWAYS.len()..).unwrap_or_default().join(" ")
    }

    fn name(text: &str) -> PackageName {
        PackageName::parse(text).unwrap()
    }

    #[test]
    fn what_apt_is_told() {
        let mut asked = Transaction {
            install: vec![
                Install {
                    name: name("a1"),
                    version: Some("1:2-3".into()),
                    file: None,
                    again: false,
                },
                Install {
                    name: name("b1"),
                    version: None,
                    file: Some("/var/cache/x/b1.deb".into()),
                    again: false,
                },
            ],
            ..Transaction::default()
        };
        assert_eq!(
            tail(&transaction(&asked, Purpose::Do)),
            "--no-install-recommends --no-remove -o Dpkg::Options::=--force-confdef \
             -o Dpkg::Options::=--force-confold install -- a1=1:2-3 /var/cache/x/b1.deb"
        );
        asked.remove = vec![name("gone:i386")];
        asked.purge = true;
        asked.options = TransactionOptions {
            recommends: true,
            config_files: ConfigFiles::Replace,
            allow_downgrade: true,
            allow_held: true,
            install_options: vec!["-t".into(), "backports".into()],
        };
        assert_eq!(
            tail(&transaction(&asked, Purpose::Simulate)),
            "--simulate --install-recommends --allow-downgrades --allow-change-held-packages \
             --purge -o Dpkg::Options::=--force-confnew -o Dpkg::Options::=--force-confmiss \
             -t backports install -- a1=1:2-3 /var/cache/x/b1.deb gone:i386-"
        );
        asked.install.clear();
        asked.options = TransactionOptions::default();
        asked.purge = false;
        assert!(tail(&transaction(&asked, Purpose::Do)).ends_with("remove -- gone:i386"));
    }
}
