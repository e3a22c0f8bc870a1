//! Commands that must not be disturbed: not by the end of this process, and not rashly at their
//! deadline.
//!
//! A package manager that loses its standard output in the middle of a transaction leaves packages
//! half configured, and one that is killed leaves worse. So these commands write into files in
//! memory, which stay when we are gone, and at the deadline the caller ends them with care before
//! the whole group is killed.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::unistd::Pid;
use rustix::fs::{MemfdFlags, SeekFrom, memfd_create, seek};

use super::offspring::Running;
use super::real::{kill_group, prepared, wait};
use super::{CommandError, OUTPUT_LIMIT, Output, Request};

/// How often the end of an overdue command is looked for.
const PACE: Duration = Duration::from_millis(100);

/// How an overdue command is brought to its end.
pub trait Ending {
    /// How long after the deadline the command's group is killed.
    fn grace(&self) -> Duration;

    /// Asks the command to end; called every tenth of a second from the deadline to the end of the
    /// grace, while the command runs. `overdue` is the time since the deadline.
    fn press(&mut self, command: Pid, overdue: Duration);
}

/// Runs `request` to its end, at most until `deadline`; then ends it by `ending`, and kills its
/// process group when the grace is over. Overdue commands are [`CommandError::Deadline`], however
/// they ended.
pub fn run_lasting(
    request: &Request,
    deadline: Instant,
    ending: &mut dyn Ending,
) -> Result<Output, CommandError> {
    let program = request.argv.first().cloned().unwrap_or_default();
    let started = Instant::now();
    let (mut child, streams) = spawn(request)
        .map_err(|source| CommandError::Start { program: program.clone(), source })?;
    let _running = Running::new(child.id());
    let group = Pid::from_raw(child.id().cast_signed());
    let mut limit = deadline;
    let finished = loop {
        match wait(&mut child, limit) {
            Ok(None) if deadline.elapsed() < ending.grace() => {
                ending.press(group, deadline.elapsed());
                limit = Instant::now() + PACE;
            }
            other => break other,
        }
    };
    let overdue = limit > deadline;
    if !matches!(finished, Ok(Some(_))) {
        kill_group(group, &mut child);
    }
    let pipe = |source| CommandError::Pipe { program: program.clone(), source };
    let mut output = streams.output().map_err(pipe)?;
    match finished.map_err(pipe)? {
        Some(status) if !overdue => {
            output.code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
            Ok(output)
        }
        _ => Err(CommandError::Deadline {
            program,
            after: started.elapsed(),
            output: Box::new(output),
        }),
    }
}

/// The files in memory that stand for a command's outputs.
struct Streams {
    stdout: File,
    stderr: File,
}

impl Streams {
    fn output(&self) -> std::io::Result<Output> {
        Ok(Output { code: 0, stdout: bounded(&self.stdout)?, stderr: bounded(&self.stderr)? })
    }
}

fn spawn(request: &Request) -> std::io::Result<(Child, Streams)> {
    let streams = Streams { stdout: memory("stdout")?, stderr: memory("stderr")? };
    let stdin = if request.input.is_empty() {
        Stdio::null()
    } else {
        let mut input = memory("stdin")?;
        input.write_all(&request.input)?;
        seek(&input, SeekFrom::Start(0))?;
        Stdio::from(input)
    };
    let child = prepared(request)?
        .stdin(stdin)
        .stdout(streams.stdout.try_clone()?)
        .stderr(streams.stderr.try_clone()?)
        .spawn()?;
    Ok((child, streams))
}

fn memory(name: &str) -> std::io::Result<File> {
    Ok(File::from(memfd_create(name, MemfdFlags::CLOEXEC)?))
}

/// The content of `file`: all of it, or its beginning and its end.
fn bounded(file: &File) -> std::io::Result<Vec<u8>> {
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let head = length.min(if length > OUTPUT_LIMIT { OUTPUT_LIMIT / 2 } else { OUTPUT_LIMIT });
    let mut kept = vec![0; length.min(OUTPUT_LIMIT)];
    let (first, last) = kept.split_at_mut(head);
    file.read_exact_at(first, 0)?;
    let tail = length.saturating_sub(last.len()) as u64;
    file.read_exact_at(last, tail)?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::{Signal, kill};

    use super::*;

    /// Sends SIGTERM once and counts.
    struct Polite {
        presses: u32,
    }

    impl Ending for Polite {
        fn grace(&self) -> Duration {
            Duration::from_secs(10)
        }
        fn press(&mut self, command: Pid, _overdue: Duration) {
            self.presses += 1;
            kill(command, Signal::SIGTERM).unwrap();
        }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn output_input_and_code_are_passed() {
        let request = Request::new(["sh", "-c", "cat; echo warned >&2; exit 3"]).with_input("in");
        let output = run_lasting(&request, soon(), &mut Polite { presses: 0 }).unwrap();
        assert_eq!((output.code, output.text()), (3, "warned\nin".to_owned()));
    }

    #[test]
    fn an_overdue_command_is_pressed_before_it_is_killed() {
        let script = "trap 'echo orderly; exit 0' TERM; echo begun; while :; do sleep 0.05; done";
        let mut ending = Polite { presses: 0 };
        let request = Request::new(["sh", "-c", script]);
        let error = run_lasting(&request, Instant::now() + Duration::from_millis(300), &mut ending)
            .unwrap_err();
        let CommandError::Deadline { output, .. } = error else { panic!("{error}") };
        assert_eq!(output.stdout, b"begun\norderly\n");
        assert!(ending.presses >= 1);
    }

    #[test]
    fn a_flood_keeps_its_beginning_and_its_end() {
        let script = "echo begin; head -c 3000000 /dev/zero; echo end";
        let request = Request::new(["sh", "-c", script]);
        let output = run_lasting(&request, soon(), &mut Polite { presses: 0 }).unwrap();
        assert_eq!(output.stdout.len(), OUTPUT_LIMIT);
        assert!(output.stdout.starts_with(b"begin\n") && output.stdout.ends_with(b"end\n"));
    }
}
