//! Small Debian packages, built on the spot and served from a repository inside the host.
//!
//! Every name begins with `sf-`, so that none can be mistaken for a package of the distribution, and
//! nothing needs the network. (What the distribution itself has is in `distribution`, fetched once.) A package is a constant: the plain ones, the awkward ones, and `sf-web`,
//! the web server with a service, a configuration file and maintainer scripts as debhelper writes them.
//!
//! The definitions are data; `build` turns them into files with dpkg-deb(1), once for all tests.

mod awkward;
mod build;
mod distribution;
mod plain;
mod repository;
mod web;

pub use awkward::{ASKING, BROKEN, CONFLICTING, DEPENDING_ON_NOTHING, SLOW, VIRTUAL_A, VIRTUAL_B};
pub use distribution::distribution;
pub use plain::{APPLICATION, LIBRARY, RECOMMENDING, TOOL_1_0, TOOL_1_2, TOOL_EPOCH};
pub use web::{WEB_1_0, WEB_1_1, WEB_2_0};

/// Every package there is.
pub const ALL: &[Package] = &[
    WEB_1_0,
    WEB_1_1,
    WEB_2_0,
    TOOL_1_0,
    TOOL_1_2,
    TOOL_EPOCH,
    LIBRARY,
    APPLICATION,
    RECOMMENDING,
    ASKING,
    BROKEN,
    CONFLICTING,
    DEPENDING_ON_NOTHING,
    SLOW,
    VIRTUAL_A,
    VIRTUAL_B,
];

/// A package to be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: &'static str,
    /// Its version as Debian prints it, epoch included.
    pub version: &'static str,
    /// Further fields of its control file, see deb-control(5).
    fields: &'static [(&'static str, &'static str)],
    /// Its files: path without the leading slash, mode, content.
    files: &'static [(&'static str, u32, &'static str)],
    /// Which of its files are configuration, see deb-conffiles(5).
    conffiles: &'static [&'static str],
    /// The rest of its control directory: maintainer scripts and debconf's files.
    control: &'static [(&'static str, u32, &'static str)],
}

/// What a package has unless it says otherwise: nothing.
const BLANK: Package =
    Package { name: "", version: "1.0-1", fields: &[], files: &[], conffiles: &[], control: &[] };

impl Package {
    /// The name of its file. A colon is escaped as the archive does.
    fn file_name(&self) -> String {
        format!("{}_{}_all.deb", self.name, self.version.replace(':', "%3a"))
    }

    /// Its control file.
    fn control_file(&self) -> String {
        let mut text = format!(
            "Package: {}\nVersion: {}\nArchitecture: all\n\
             Maintainer: Test <test@example.com>\nDescription: A package for tests\n",
            self.name, self.version
        );
        for (field, value) in self.fields {
            text.extend([field, ": ", value, "\n"]);
        }
        text
    }
}
