//! The last journal lines of a unit, for a failure's report.

use std::time::{Duration, Instant};

use super::name::UnitName;
use crate::host::command::{self, Request};

/// How many lines a report carries.
const LINES: &str = "15";

/// How long reading them may take; they are not worth more.
const PATIENCE: Duration = Duration::from_secs(10);

/// The unit's last lines since the boot, its own and what systemd says about it. Empty where there
/// is no journal.
///
/// They are not chosen by invocation: of a process that died at once journald often learns no more
/// than the unit.
pub(super) fn last_lines(unit: &UnitName) -> String {
    let deadline = Instant::now() + PATIENCE;
    // What the unit wrote just before its end may not have arrived yet.
    let _ = command::run(&Request::new(["journalctl", "--quiet", "--sync"]), deadline);
    read([format!("--unit={unit}"), "--boot".into()], deadline)
}

fn read(selection: impl IntoIterator<Item = String>, deadline: Instant) -> String {
    let arguments =
        ["journalctl", "--quiet", "--no-pager", "--no-hostname", "--output=cat", "--lines", LINES];
    let argv = arguments.map(String::from).into_iter().chain(selection);
    match command::run(&Request::new(argv), deadline) {
        Ok(output) if output.success() => {
            String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
        }
        Ok(output) => {
            log::debug!("journalctl: {}", output.text());
            String::new()
        }
        Err(error) => {
            log::debug!("{error}");
            String::new()
        }
    }
}
