//! What a resource's observation rests on, in words that kinds know.

use crate::host::files::AbsolutePath;
use crate::host::services::UnitName;

/// Something on the machine that can change behind the agent's back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interest {
    /// What stands at this path: that it is there, its attributes, and its content.
    Path(AbsolutePath),
    /// What stands at this path: that it is there, and its attributes. Its content may change as it
    /// likes (a log).
    Place(AbsolutePath),
    /// That entries come and go in this directory, at any depth. Their content and attributes are of
    /// no interest.
    Tree(AbsolutePath),
    /// What stands at `below` in the home of `user`, wherever the account database says that it
    /// is; its content too.
    Home {
        /// The user's name.
        user: String,
        /// The path below the home, without a leading slash.
        below: &'static str,
    },
    /// A unit: its state, and its links and files below `/etc/systemd/system`.
    Unit(UnitName),
    /// The account databases (passwd(5), shadow(5), group(5), gshadow(5)).
    Accounts,
    /// The package manager's database of what is installed.
    Packages,
}
