//! All that is printed. Data goes to standard output, messages to standard error; colour only on a
//! terminal, and never with `NO_COLOR`.

mod duration;
mod explain_text;
mod findings;
mod plan_document;
mod plan_text;
mod report_text;
mod status_text;
mod style;
mod test_text;

use std::io::{self, IsTerminal, Write};

pub use duration::short_duration;
pub use explain_text::explain_text;
pub use findings::{github, sarif};
pub use plan_document::{PLAN_SCHEMA, PlanDocument};
pub use plan_text::plan_text;
pub use report_text::{report_text, resource_text, summary_line};
pub use status_text::{STATUS_SCHEMA, StatusDocument, status_text};
pub use style::Style;
pub(crate) use style::{printable, printable_lines};
pub use test_text::{test_document, test_text};

/// Where a command prints.
pub struct Output {
    /// How standard output is styled.
    pub style: Style,
    /// How standard error is styled.
    pub message_style: Style,
}

impl Output {
    /// Standard output and error of this process.
    pub fn standard() -> Self {
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            style: Style::new(!forbidden && io::stdout().is_terminal()),
            message_style: Style::new(!forbidden && io::stderr().is_terminal()),
        }
    }

    /// Prints data. A reader that has gone away (`| head`) is no error.
    pub fn data(&self, text: &str) -> io::Result<()> {
        ignore_broken_pipe(io::stdout().lock().write_all(text.as_bytes()))
    }

    /// Prints a message.
    pub fn message(&self, text: &str) {
        // Where standard error cannot be written to there is nobody to tell.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

fn ignore_broken_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
