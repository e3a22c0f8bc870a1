//! Running the programs that change packages: alone on the machine, without questions, and ended
//! with care.

use std::borrow::Cow;
use std::time::Instant;

use super::database::{UPDATES, journal};
use super::ending::Orderly;
use super::locks::{CHANGE, Wait, contention};
use super::{Apt, arguments, complaint};
use crate::host::command::{CommandError, Output, Request, run_lasting};
use crate::host::packages::{ConfigFiles, PackageError};

impl Apt {
    /// Runs `argv` to its end when nobody holds any of `locks`; again when somebody was faster.
    /// A failure of the program is its output, not an error.
    pub(super) fn alone(
        &self,
        request: &Request,
        locks: &'static [&'static str],
        deadline: Instant,
    ) -> Result<Output, PackageError> {
        self.needs_root()?;
        let mut wait = Wait::new(&self.root, locks, deadline);
        loop {
            wait.until_free()?;
            if Instant::now() >= deadline {
                return Err(PackageError::NoTime);
            }
            let started = Instant::now();
            let mut ending = Orderly::default();
            let output =
                run_lasting(request, deadline, &mut ending).map_err(|error| match error {
                    CommandError::Deadline { output, .. } => PackageError::Deadline {
                        seconds: started.elapsed().as_secs(),
                        during: ending.during.take(),
                        output: output.text(),
                    },
                    other => PackageError::Run(other),
                })?;
            if output.success() {
                return Ok(output);
            }
            match contention(&output.text()) {
                Some(contention) => wait.again(contention.holder)?,
                None => return Ok(output),
            }
        }
    }

    /// A program of the package manager that never asks anything.
    pub(super) fn quiet_request(
        &self,
        argv: Vec<String>,
        config_files: ConfigFiles,
    ) -> Result<Request, PackageError> {
        let ucf = match config_files {
            ConfigFiles::Keep => "UCF_FORCE_CONFFOLD",
            ConfigFiles::Replace => "UCF_FORCE_CONFFNEW",
        };
        let mut request = self
            .request(argv)?
            .with_variable("DEBIAN_FRONTEND", "noninteractive")
            .with_variable("APT_LISTCHANGES_FRONTEND", "none")
            .with_variable("APT_LISTBUGS_FRONTEND", "none")
            .with_variable("NEEDRESTART_MODE", "l")
            .with_variable("NEEDRESTART_SUSPEND", "1")
            .with_variable(ucf, "1");
        if self.is_foreign() {
            // Nothing may start in a root directory that is not running: invoke-rc.d(8) refuses in
            // this runlevel, and systemd's tools refuse in a chroot by themselves.
            request = request.with_variable("RUNLEVEL", "1");
        }
        Ok(request)
    }

    /// Makes sure that no earlier run of dpkg was cut off; repairs that where it is allowed.
    pub(super) fn settle(&self, deadline: Instant) -> Result<(), PackageError> {
        self.needs_root()?;
        Wait::new(&self.root, CHANGE, deadline).until_free()?;
        if journal(&self.root).is_empty() {
            return Ok(());
        }
        if !self.repair {
            return Err(PackageError::Interrupted { path: self.root.join(UPDATES) });
        }
        log::warn!("dpkg was interrupted; repairing it by dpkg --configure -a");
        let mut argv: Vec<String> = vec!["dpkg".into()];
        let options = arguments::configuration_files(ConfigFiles::Keep);
        argv.extend(options.iter().map(|option| format!("--force-{option}")));
        argv.extend(["--configure", "-a"].map(Into::into));
        let request = self.quiet_request(argv, ConfigFiles::Keep)?;
        let output = self.alone(&request, CHANGE, deadline)?;
        // A package that cannot be configured is its own failure; the journal is what counts here.
        if journal(&self.root).is_empty() {
            return Ok(());
        }
        Err(failed(&output))
    }
}

/// The failure that a program's output shows.
pub(super) fn failed(output: &Output) -> PackageError {
    // apt tells what it was about to do on stdout, dpkg's scripts on both; errors are on stderr.
    let (stdout, stderr) = texts(output);
    let text = format!("{stdout}\n{stderr}");
    PackageError::Transaction {
        complaint: complaint::summary(&text),
        hint: complaint::hint(&text),
        output: complaint::excerpt(&stdout, &stderr),
    }
}

fn texts(output: &Output) -> (Cow<'_, str>, Cow<'_, str>) {
    (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
