//! Policy repositories for tests, and the https server that hands them out.
//!
//! A [`PolicyRepository`] is written with Git's own plumbing, so that a test can also commit what no
//! working tree could hold (a link, a submodule, a name with `..`). A [`GitServer`] serves it on
//! loopback, of the machine or of a booted host, with certificates of its own making, and can be told
//! to misbehave while it runs.
//!
//! Deliberately absent: pushing over the wire, and plain http.

mod certificates;
mod repository;
mod server;

pub use certificates::Certificates;
pub use repository::{Entry, PolicyRepository};
pub use server::{Behaviour, Fault, GitServer, Identity, Request};

use std::process::Command;

use crate::outer;

/// Git, uninfluenced by whoever runs the tests.
fn git() -> Command {
    let mut command = outer::command("git");
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("LC_ALL", "C.UTF-8");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    command
}
