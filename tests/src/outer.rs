//! Programs of the machine that runs the tests.
//!
//! Every program started here dies with the test process, also when that is killed outright: it is
//! started through `setpriv --pdeathsig KILL`. The kernel sends that signal when the *thread* that
//! started the program ends, so one thread, which never ends, starts all of them.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use std::os::unix::process::ExitStatusExt;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a killed program may take to be gone.
const AFTER_KILL: Duration = Duration::from_secs(10);

/// What a program left behind.
#[derive(Debug, Clone)]
pub struct Output {
    /// The exit code; 128 plus the signal for a program ended by one, as a shell has it.
    pub status: i32,
    /// Standard output, with anything that is not UTF-8 replaced.
    pub stdout: String,
    /// Standard error, with anything that is not UTF-8 replaced.
    pub stderr: String,
    /// Standard output as it came.
    pub bytes: Vec<u8>,
    /// The program and its arguments, for messages.
    pub command: String,
}

impl Output {
    /// Whether the program ended with 0.
    pub fn succeeded(&self) -> bool {
        self.status == 0
    }

    /// Insists on the exit code 0 and hands the output on.
    #[track_caller]
    #[expect(
        clippy::return_self_not_must_use,
        reason = "often the exit code was all there is to see"
    )]
    pub fn success(self) -> Self {
        self.code(0)
    }

    /// Insists on an exit code and hands the output on.
    #[track_caller]
    #[expect(
        clippy::return_self_not_must_use,
        reason = "often the exit code was all there is to see"
    )]
    pub fn code(self, expected: i32) -> Self {
        assert_eq!(self.status, expected, "exit code of {self}");
        self
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { status, stdout, stderr, command, .. } = self;
        write!(formatter, "`{command}` → {status}\n--- stdout\n{stdout}--- stderr\n{stderr}---")
    }
}

/// A command that will die with this process. Give it to [`start`] or [`run`], nothing else.
pub(crate) fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program.as_ref());
    command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command
}

/// Starts a [`command`] on the thread that outlives every test of this process.
pub(crate) fn start(command: Command) -> Child {
    type Request = (Command, mpsc::Sender<io::Result<Child>>);
    static STARTER: OnceLock<mpsc::Sender<Request>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (requests, inbox) = mpsc::channel::<Request>();
        thread::spawn(move || {
            for (mut command, answer) in inbox {
                // The one who asked waits for the answer; it can only be gone if it panicked.
                drop(answer.send(command.spawn()));
            }
        });
        requests
    });
    let (answer, child) = mpsc::channel();
    let text = words(&command);
    starter.send((command, answer)).expect("the starting thread never ends");
    let child = child.recv().expect("the starting thread always answers");
    child.unwrap_or_else(|error| panic!("cannot start `{text}`: {error}"))
}

/// Runs a [`command`] to its end. Panics, after killing it, when that takes longer than `deadline`.
#[track_caller]
pub(crate) fn run(mut command: Command, input: &[u8], deadline: Duration) -> Output {
    let text = words(&command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = Running::new(start(command), text, input);
    running.wait(deadline)
}

/// Runs a [`command`] that has to succeed.
#[track_caller]
pub(crate) fn must(command: Command, deadline: Duration) -> Output {
    run(command, &[], deadline).success()
}

/// A started program whose output is being collected.
pub(crate) struct Running {
    pub(crate) pid: Pid,
    command: String,
    ended: mpsc::Receiver<io::Result<std::process::Output>>,
}

impl Running {
    pub(crate) fn new(mut child: Child, command: String, input: &[u8]) -> Self {
        let pid = process_id(&child);
        if let Some(mut stdin) = child.stdin.take() {
            let input = input.to_vec();
            // A program that does not read its input to the end is none of our business.
            thread::spawn(move || stdin.write_all(&input).unwrap_or_default());
        }
        let (sender, ended) = mpsc::channel();
        thread::spawn(move || sender.send(child.wait_with_output()).unwrap_or_default());
        Self { pid, command, ended }
    }

    #[track_caller]
    pub(crate) fn wait(self, deadline: Duration) -> Output {
        let Ok(result) = self.ended.recv_timeout(deadline) else {
            send(self.pid, Signal::SIGKILL);
            let collected = self.ended.recv_timeout(AFTER_KILL).ok().and_then(Result::ok);
            let collected = collected.map(|output| finished(self.command.clone(), output));
            let collected = collected.map_or_else(String::new, |output| output.to_string());
            panic!("killed after {deadline:?}: `{}`\n{collected}", self.command);
        };
        let output =
            result.unwrap_or_else(|error| panic!("reading from `{}`: {error}", self.command));
        finished(self.command, output)
    }
}

fn finished(command: String, output: std::process::Output) -> Output {
    Output {
        status: exit_code(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        bytes: output.stdout,
        command,
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// Sends a signal to a process that was started here. Where it has ended since, there is nothing to do.
pub(crate) fn send(process: Pid, signal: Signal) {
    kill(process, signal).unwrap_or_default();
}

/// The process id of a child that has not been waited for.
pub(crate) fn process_id(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("process ids are small"))
}

/// The command as a person would type it, without the `setpriv` in front.
pub(crate) fn words(command: &Command) -> String {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    words.get(3..).unwrap_or_default().join(" ")
}

/// Insists on being root, which booting a host needs.
#[track_caller]
pub(crate) fn insist_on_root() {
    assert!(
        nix::unistd::geteuid().is_root(),
        "booting a host needs root: run `tests/run` as root, or leave the booted_* tests out"
    );
}
