//! What a package manager is asked to do in one go.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use super::PackageName;

/// Installations and removals that go together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transaction {
    /// What is installed, upgraded, downgraded or finished.
    pub install: Vec<Install>,
    /// What is removed.
    pub remove: Vec<PackageName>,
    /// Whether removing takes the configuration, too.
    pub purge: bool,
    /// How.
    pub options: TransactionOptions,
    /// Packages that may also go, because the same run removes them anyway.
    pub tolerated_removals: BTreeSet<PackageName>,
}

/// One package to be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Install {
    /// The package.
    pub name: PackageName,
    /// The exact version; `None` leaves it to the package manager.
    pub version: Option<String>,
    /// The staged file it comes from, instead of an index.
    pub file: Option<PathBuf>,
    /// Whether it is unpacked again even if that version is there.
    pub again: bool,
}

/// How a transaction is done. Packages with equal options can share one.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransactionOptions {
    /// Whether recommended packages are installed, too.
    pub recommends: bool,
    /// What happens to configuration files that were edited here.
    pub config_files: ConfigFiles,
    /// Whether a version may go down.
    pub allow_downgrade: bool,
    /// Whether the packages' own holds are overridden.
    pub allow_held: bool,
    /// The package manager's own options, as a policy gives them.
    pub install_options: Vec<String>,
}

/// What happens to a configuration file that was edited here when its package brings a new one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigFiles {
    /// The local file stays.
    #[default]
    Keep,
    /// The package's file replaces it.
    Replace,
}

/// The answer to a question that a package asks (debconf).
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The package that asks.
    pub package: String,
    /// The question's name, for instance `postfix/mailname`.
    pub question: String,
    /// The question's type, for instance `string` or `password`.
    pub kind: String,
    /// The answer. May be secret.
    pub value: String,
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {} (redacted)", self.package, self.question, self.kind)
    }
}

/// A package file that a policy names.
#[derive(Debug, Clone, Copy)]
pub enum PackageFile<'a> {
    /// Its downloaded and verified bytes.
    Bytes(&'a [u8]),
    /// A file of this machine.
    Local {
        /// Its absolute path.
        path: &'a str,
        /// Its SHA-256 in hexadecimal. Without it the file must be root's alone to write.
        sha256: Option<&'a str>,
    },
}

/// A package file in its private place; removed when dropped.
#[derive(Debug)]
pub struct Staged {
    /// Where the package manager finds it.
    pub path: PathBuf,
    /// The version it contains.
    pub version: String,
    #[expect(dead_code, reason = "held for what happens when it is dropped")]
    pub(super) keeper: Option<super::staging::Keeper>,
}
