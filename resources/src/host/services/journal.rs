//! The last journal lines of a unit, for a failure's report.

use std::time::{Duration, Instant};

use super::name::UnitName;
use crate::host::command::{self, Request};

/// How many lines a report carries.
const LINES: &str = "15";

/// How long reading them may take; they are not worth more.
const PATIENCE: Duration = Duration::from_secs(10);

/// The unit's last lines: those of the invocation `invocation` (32 hexadecimal digits) if it is
/// known and wrote any. Empty where there is no journal.
pub(super) fn last_lines(unit: &UnitName, invocation: Option<&str>) -> String {
    let deadline = Instant::now() + PATIENCE;
    // What the unit wrote just before its end may not have arrived yet.
    let _ = command::run(&Request::new(["journalctl", "--quiet", "--sync"]), deadline);
    let of_invocation = invocation.map(|id| {
        // The first is the unit's own output, the second what systemd says about it.
        let matches =
            [format!("_SYSTEMD_INVOCATION_ID={id}"), "+".into(), format!("INVOCATION_ID={id}")];
        read(matches, deadline)
    });
    match of_invocation {
        Some(lines) if !lines.is_empty() => lines,
        _ => read([format!("--unit={unit}"), "--boot".into()], deadline),
    }
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
