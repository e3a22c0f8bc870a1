//! The processes of a user, from `/proc`.

use std::io;
use std::time::Instant;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::super::{AccountError, Process, process_list};
use super::lock::pause;

/// The processes that run with `uid` as any of their user ids (real, effective, saved, file
/// system), zombies and this process left out.
pub(super) fn of(uid: u32) -> Result<Vec<Process>, AccountError> {
    let failed = |source: io::Error| AccountError::Processes { source };
    let own = std::process::id().cast_signed();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if pid != own
            && let Some(name) = name_if_of(pid, uid)
        {
            found.push(Process { pid, name });
        }
    }
    found.sort_by_key(|process| process.pid);
    Ok(found)
}

/// Kills the processes of `uid`, again and again until none is left or `deadline` has come.
pub(super) fn kill(uid: u32, user: &str, deadline: Instant) -> Result<(), AccountError> {
    loop {
        let processes = of(uid)?;
        if processes.is_empty() {
            return Ok(());
        }
        for process in &processes {
            // The descriptor names the process for good; a number could be reused meanwhile.
            let Some(pid) = Pid::from_raw(process.pid) else { continue };
            let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { continue };
            if name_if_of(process.pid, uid).is_some() {
                let _ = pidfd_send_signal(handle, Signal::KILL);
            }
        }
        if !pause(deadline) {
            return Err(AccountError::Unkillable {
                user: user.into(),
                processes: process_list(&processes),
            });
        }
    }
}

fn name_if_of(pid: i32, uid: u32) -> Option<String> {
    // A process may end at any time; then it is nobody's.
    let status = std::fs::read(format!("/proc/{pid}/status")).ok()?;
    of_status(&String::from_utf8_lossy(&status), uid)
}

/// The name in a `status` file if the process is alive and one of its ids is `uid` (proc(5)).
fn of_status(status: &str, uid: u32) -> Option<String> {
    let field = |key: &str| status.lines().find_map(|line| line.strip_prefix(key));
    let alive = !field("State:")?.trim_start().starts_with(['Z', 'X']);
    let mut ids = field("Uid:")?.split_whitespace();
    (alive && ids.any(|id| id.parse() == Ok(uid)))
        .then(|| field("Name:").unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_tells_the_owner() {
        let status = "Name:\tsleep\nState:\tS (sleeping)\nUid:\t0\t1000\t0\t0\n";
        assert_eq!(of_status(status, 1000).as_deref(), Some("sleep"));
        assert_eq!(of_status(status, 100), None);
        assert_eq!(of_status(&status.replace("S (", "Z ("), 1000), None);
    }
}
