//! Exit codes, and errors as a person sees them at the edge.

use std::error::Error;
use std::fmt::Write;
use std::process::{ExitCode, Termination};

use crate::output::{Style, printable_lines};
use crate::state::AtWork;

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// In sync, or done.
    Done,
    /// The command failed.
    Failed,
    /// Changes or drift are pending.
    Pending,
    /// Applied, with failures.
    AppliedWithFailures,
    /// Refused: limits, window, pause, lock held.
    Refused,
    /// The command line is wrong.
    Usage,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Pending => 2,
            Self::AppliedWithFailures => 3,
            Self::Refused => 4,
            Self::Usage => 64,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

/// Why a command ended early: a chain of causes, what to do about it, and the exit code.
#[derive(Debug)]
pub struct CommandError {
    /// What happened, outermost first.
    pub chain: Vec<String>,
    /// What a person can do about it.
    pub hint: Option<String>,
    /// Text that is shown as it is, before the message (diagnostics).
    pub details: Option<String>,
    /// The exit code.
    pub exit: Exit,
}

impl CommandError {
    /// The refusal to work on a host that another process is changing.
    pub fn at_work(other: &AtWork) -> Self {
        Self::new(other.to_string())
            .with_hint("wait for it to end; the lock goes with the process")
            .with_exit(Exit::Refused)
    }

    /// A failure with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { chain: vec![message.into()], hint: None, details: None, exit: Exit::Failed }
    }

    /// The same error with its cause, and what caused that.
    #[must_use]
    pub fn because(mut self, error: &dyn Error) -> Self {
        self.chain.push(error.to_string());
        let mut source = error.source();
        while let Some(cause) = source {
            self.chain.push(cause.to_string());
            source = cause.source();
        }
        self
    }

    /// The same error with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error with another exit code.
    #[must_use]
    pub fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The error in lines without colours, for a report.
    pub fn plain(&self) -> Vec<String> {
        let details = self.details.iter().flat_map(|text| text.lines().map(str::to_owned));
        self.chain.iter().cloned().chain(details).chain(self.hint.clone()).collect()
    }

    /// The error as text for standard error.
    pub fn text(&self, style: Style) -> String {
        let mut text = self.details.clone().unwrap_or_default();
        if let Some((first, causes)) = self.chain.split_first() {
            let _ = writeln!(text, "{} {}", style.bad("error:"), printable_lines(first));
            for cause in causes {
                let _ = writeln!(text, "  because: {}", printable_lines(cause));
            }
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "  {} {}", style.good("help:"), printable_lines(hint));
        }
        text
    }
}

impl<E: Error> From<E> for CommandError {
    fn from(error: E) -> Self {
        let empty = Self { chain: Vec::new(), hint: None, details: None, exit: Exit::Failed };
        empty.because(&error)
    }
}
