//! Real processes.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::offspring::Running;
use super::{CommandError, Commands, OUTPUT_LIMIT, Output, PATH, Request};
use crate::host::HostOptions;

/// Runs commands on the real machine (inside the root directory where there is one).
#[derive(Debug)]
pub struct RealCommands {
    root: PathBuf,
}

impl RealCommands {
    /// Commands for the machine that `options` names.
    pub fn new(options: &HostOptions) -> Self {
        Self { root: options.root.clone() }
    }
}

impl Commands for RealCommands {
    fn run(&mut self, request: &Request, deadline: Instant) -> Result<Output, CommandError> {
        if self.root == Path::new("/") {
            return run(request, deadline);
        }
        let mut inside = request.clone();
        let root = self.root.to_string_lossy().into_owned();
        inside.argv.splice(0..0, ["chroot".to_owned(), root]);
        run(&inside, deadline).map_err(|error| {
            // What was asked for is what a person knows, not the `chroot` around it; that one is
            // meant only where it cannot be started itself.
            let asked = request.argv.first().cloned().unwrap_or_default();
            match error {
                CommandError::Deadline { after, output, .. } => {
                    CommandError::Deadline { program: asked, after, output }
                }
                CommandError::Pipe { source, .. } => CommandError::Pipe { program: asked, source },
                start @ CommandError::Start { .. } => start,
            }
        })
    }
}

/// Runs `request` in a process group of its own and waits for its end, at most until `deadline`.
/// The group is killed when the deadline passes.
pub fn run(request: &Request, deadline: Instant) -> Result<Output, CommandError> {
    let program = request.argv.first().cloned().unwrap_or_default();
    let started = Instant::now();
    let mut child = spawn(request)
        .map_err(|source| CommandError::Start { program: program.clone(), source })?;
    let _running = Running::new(child.id());
    let group = Pid::from_raw(child.id().cast_signed());
    let mut output = Output::default();
    let talked = converse(&mut child, &request.input, &mut output, deadline);
    let finished = match talked {
        Ok(true) => wait(&mut child, deadline),
        Ok(false) => Ok(None),
        Err(source) => Err(source),
    };
    match finished {
        Ok(Some(status)) => {
            output.code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
            Ok(output)
        }
        Ok(None) => {
            kill_group(group, &mut child);
            Err(CommandError::Deadline {
                program,
                after: started.elapsed(),
                output: Box::new(output),
            })
        }
        Err(source) => {
            kill_group(group, &mut child);
            Err(CommandError::Pipe { program, source })
        }
    }
}

fn spawn(request: &Request) -> std::io::Result<Child> {
    let mut command = prepared(request)?;
    command
        .stdin(if request.input.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn()
}

/// The command of `request`, all but its three streams.
pub(super) fn prepared(request: &Request) -> std::io::Result<std::process::Command> {
    let Some((program, arguments)) = request.argv.split_first() else {
        return Err(std::io::Error::new(ErrorKind::InvalidInput, "empty command"));
    };
    #[expect(clippy::disallowed_methods, reason = "this is the one place that starts commands")]
    let mut command = std::process::Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("LANG", "C.UTF-8")
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", "/root")
        .envs(&request.environment)
        .current_dir(request.directory.as_deref().unwrap_or(Path::new("/")))
        .process_group(0);
    if let Some((uid, gid)) = request.identity {
        command.uid(uid).gid(gid);
    }
    Ok(command)
}

/// Feeds and reads the child until both its outputs are closed. False when the deadline passed.
fn converse(
    child: &mut Child,
    input: &[u8],
    output: &mut Output,
    deadline: Instant,
) -> std::io::Result<bool> {
    let mut stdin = child.stdin.take();
    let mut stdout = child.stdout.take();
    let mut stderr = child.stderr.take();
    for fd in [
        stdin.as_ref().map(AsFd::as_fd),
        stdout.as_ref().map(AsFd::as_fd),
        stderr.as_ref().map(AsFd::as_fd),
    ]
    .into_iter()
    .flatten()
    {
        let flags = rustix::fs::fcntl_getfl(fd)?;
        rustix::fs::fcntl_setfl(fd, flags | rustix::fs::OFlags::NONBLOCK)?;
    }
    let mut unwritten = input;
    while stdout.is_some() || stderr.is_some() {
        // A daemon that the command left behind may hold its outputs open; the command's own end
        // is what counts.
        if child.try_wait()?.is_some() {
            drain(&mut stdout, &mut output.stdout)?;
            drain(&mut stderr, &mut output.stderr)?;
            return Ok(true);
        }
        let remaining = deadline.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            return Ok(false);
        }
        let mut fds = Vec::with_capacity(3);
        if let Some(pipe) = &stdin {
            fds.push(PollFd::new(pipe.as_fd(), PollFlags::POLLOUT));
        }
        if let Some(pipe) = &stdout {
            fds.push(PollFd::new(pipe.as_fd(), PollFlags::POLLIN));
        }
        if let Some(pipe) = &stderr {
            fds.push(PollFd::new(pipe.as_fd(), PollFlags::POLLIN));
        }
        let slice = remaining.min(Duration::from_millis(50));
        match poll(&mut fds, PollTimeout::try_from(slice).unwrap_or(PollTimeout::ZERO)) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(pipe) = &mut stdin {
            match pipe.write(unwritten) {
                Ok(written) => unwritten = unwritten.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::BrokenPipe => unwritten = &[],
                Err(error) => return Err(error),
            }
            if unwritten.is_empty() {
                stdin = None;
            }
        }
        drain(&mut stdout, &mut output.stdout)?;
        drain(&mut stderr, &mut output.stderr)?;
    }
    Ok(true)
}

/// Reads what is there; forgets the pipe at its end.
fn drain<R: Read>(pipe: &mut Option<R>, kept: &mut Vec<u8>) -> std::io::Result<()> {
    let mut buffer = [0_u8; 16 * 1024];
    while let Some(reader) = pipe {
        match reader.read(&mut buffer) {
            Ok(0) => *pipe = None,
            Ok(read) => {
                kept.extend_from_slice(buffer.get(..read).unwrap_or_default());
                if kept.len() > OUTPUT_LIMIT {
                    // The beginning and the end say most; the middle goes.
                    let excess = kept.len() - OUTPUT_LIMIT;
                    kept.drain(OUTPUT_LIMIT / 2..OUTPUT_LIMIT / 2 + excess);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits for the child's end; `None` when the deadline passed.
pub(super) fn wait(child: &mut Child, deadline: Instant) -> std::io::Result<Option<ExitStatus>> {
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let remaining = deadline.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            return Ok(None);
        }
        let timeout = PollTimeout::try_from(pause.min(remaining)).unwrap_or(PollTimeout::ZERO);
        let _ = poll(&mut [], timeout);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

pub(super) fn kill_group(group: Pid, child: &mut Child) {
    if let Err(error) = killpg(group, Signal::SIGKILL) {
        log::warn!("cannot kill process group {group}: {error}");
    }
    if let Err(error) = child.wait() {
        log::warn!("cannot reap process {group}: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn output_and_code_are_returned() {
        let request = Request::new(["sh", "-c", "cat; echo warned >&2; exit 3"]).with_input("in");
        let output = run(&request, soon()).unwrap();
        assert_eq!((output.code, output.stdout.as_slice()), (3, b"in".as_slice()));
        assert_eq!(output.text(), "warned\nin");
    }

    #[test]
    fn deadline_kills_the_whole_group() {
        let request = Request::new(["sh", "-c", "echo begun; sleep 60 & sleep 60"]);
        let started = Instant::now();
        let error = run(&request, Instant::now() + Duration::from_millis(200)).unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(10));
        let CommandError::Deadline { output, .. } = error else { panic!("{error}") };
        assert_eq!(output.stdout, b"begun\n");
    }

    #[test]
    #[ignore = "needs root"]
    fn a_deadline_below_a_root_directory_names_what_was_asked_for() {
        let mut commands = RealCommands { root: "/proc/self/root".into() };
        let deadline = Instant::now() + Duration::from_millis(980);
        let error = commands.run(&Request::new(["sleep", "60"]), deadline).unwrap_err();
        assert_eq!(error.to_string(), "sleep did not finish within 1 s and was killed");
    }

    #[test]
    fn a_daemon_left_behind_does_not_hold_the_command() {
        let started = Instant::now();
        let request = Request::new(["sh", "-c", "sleep 30 & echo $!"]);
        let output = run(&request, soon()).unwrap();
        assert!(output.success());
        assert!(started.elapsed() < Duration::from_secs(10));
        let daemon: i32 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        nix::sys::signal::kill(Pid::from_raw(daemon), Signal::SIGKILL).unwrap();
    }

    #[test]
    fn the_environment_is_clean_and_the_output_bounded() {
        let output = run(&Request::new(["env"]), soon()).unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 4);
        let flood = Request::new(["sh", "-c", "head -c 5000000 /dev/zero"]);
        assert_eq!(run(&flood, soon()).unwrap().stdout.len(), OUTPUT_LIMIT);
    }

    #[test]
    fn a_missing_program_is_a_start_error() {
        let error = run(&Request::new(["/nonexistent/program"]), soon()).unwrap_err();
        assert!(matches!(error, CommandError::Start { .. }));
    }
}
