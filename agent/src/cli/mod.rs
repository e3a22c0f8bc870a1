//! The command line: what is asked, and with which exit code it ends.

mod accept;
mod agent;
mod apply;
mod config;
mod demo;
mod drift;
mod exit;
mod explain;
mod export;
mod facts;
mod history;
mod input;
mod pause;
mod plan;
mod report;
mod restore;
mod rollback;
mod run;
mod schema;
mod selection;
mod since;
mod single;
mod status;
mod supposed;
mod test;
mod timings;
mod validate;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use exit::{CommandError, Exit};

use crate::config::Settings;
use crate::output::Output;
use crate::service::{Client, SOCKET};

/// Keeps Linux hosts as Git says they should be.
#[derive(Debug, Parser)]
#[command(name = "steadfast", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 in sync or done, 1 the command failed, 2 changes or drift \
    pending, 3 applied with failures, 4 refused (another run is at work, a saved plan no longer \
    holds), 64 usage.")]
pub struct CommandLine {
    #[command(flatten)]
    locations: Locations,
    #[command(subcommand)]
    command: Command,
}

/// Where the agent's own files are.
#[derive(Debug, Args, Clone)]
struct Locations {
    /// The directory with agent.toml [default: /etc/steadfast]
    #[arg(long, global = true, value_name = "DIR")]
    config_dir: Option<PathBuf>,
    /// The agent's own state [default: /var/lib/steadfast, below --root where that is given]
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// The running agent's socket [default: /run/steadfast/agent.sock]
    #[arg(long, global = true, value_name = "PATH")]
    socket: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep this host in order: the service
    Agent(agent::Arguments),
    /// Ask the running agent for a run now, and follow it
    Run(run::Arguments),
    /// Show how this host is kept: mode, revision, last run, drift, pauses
    Status(status::Arguments),
    /// Let the running agent change nothing for a while; it goes on to look and to report
    Pause(pause::Arguments),
    /// End a pause now
    Resume(pause::ResumeArguments),
    /// Hold this host at an earlier revision for a while
    Rollback(rollback::Arguments),
    /// Find every error of a policy repository, without a host
    Validate(validate::Arguments),
    /// Run a policy repository's own tests: what its catalogs must have, without a host
    Test(test::Arguments),
    /// Show what would change on this host; exits with 2 when something would
    Plan(plan::Arguments),
    /// Bring this host in order, once
    Apply(apply::Arguments),
    /// Show what a run did (the last one unless told otherwise), or which runs there were
    Report(report::Arguments),
    /// Show what drifted, since when, by whom, and whether it is mended; exits with 2 when some is not
    Drift(drift::Arguments),
    /// Show where a resource comes from: who declared it, what fed it, what rests on it
    Explain(explain::Arguments),
    /// Show what policies can know about this host
    Facts(facts::Arguments),
    /// Show the effective settings, and where each comes from
    Config(config::Arguments),
    /// Turn what is on this host into a policy
    Export(export::Arguments),
    /// Turn drift into a patch for the policy repository; exits with 2 when not all could be accepted
    Accept(accept::Arguments),
    /// Print JSON Schema: of policies, site.toml, tests and agent.toml for editors, of reports and drift
    Schema(schema::Arguments),
    /// Put back content that was replaced, from the file bucket
    Restore(restore::Arguments),
    /// Show the whole loop in a scratch directory: harmless, as any user
    Demo(demo::Arguments),
}

/// Runs the command that `arguments` name (the program's name first) and returns its exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // The fetching process comes first: it must neither parse nor log anything else.
    if arguments.get(1).is_some_and(|word| word == crate::source::HELPER_COMMAND) {
        return input::fetch_helper();
    }
    crate::allocator::keep_small();
    let output = Output::standard();
    let command_line = match CommandLine::try_parse_from(arguments) {
        Ok(command_line) => command_line,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    crate::logging::start();
    let locations = &command_line.locations;
    let result = match &command_line.command {
        Command::Agent(arguments) => agent::run(arguments, locations),
        Command::Run(arguments) => run::run(arguments, locations, &output),
        Command::Status(arguments) => status::run(arguments, locations, &output),
        Command::Pause(arguments) => pause::run(arguments, locations, &output),
        Command::Resume(arguments) => pause::resume(arguments, locations, &output),
        Command::Rollback(arguments) => rollback::run(arguments, locations, &output),
        Command::Validate(arguments) => validate::run(arguments, locations, &output),
        Command::Test(arguments) => test::run(arguments, locations, &output),
        Command::Plan(arguments) => plan::run(arguments, locations, &output),
        Command::Apply(arguments) => apply::run(arguments, locations, &output),
        Command::Report(arguments) => report::run(arguments, locations, &output),
        Command::Drift(arguments) => drift::run(arguments, locations, &output),
        Command::Explain(arguments) => explain::run(arguments, locations, &output),
        Command::Facts(arguments) => facts::run(arguments, &output),
        Command::Config(arguments) => config::run(arguments, locations, &output),
        Command::Export(arguments) => export::run(arguments, &output),
        Command::Accept(arguments) => accept::run(arguments, locations, &output),
        Command::Schema(arguments) => schema::run(arguments, &output),
        Command::Restore(arguments) => restore::run(arguments, locations, &output),
        Command::Demo(arguments) => demo::run(arguments, &output),
    };
    match result {
        Ok(exit) => exit,
        Err(error) => {
            output.message(&error.text(output.message_style));
            error.exit
        }
    }
}

impl Locations {
    /// The agent's settings. Only the usual directory may be missing: one that was named is meant.
    fn settings(&self) -> Result<Settings, CommandError> {
        let usual = std::path::Path::new("/etc/steadfast");
        let Some(named) = self.config_dir.as_deref() else { return Ok(Settings::load(usual)?) };
        if !named.is_dir() {
            let message = format!("there is no directory {}", named.display());
            let hint = "`--config-dir` names the directory with agent.toml; without it, that is /etc/steadfast";
            return Err(CommandError::new(message).with_hint(hint));
        }
        Ok(Settings::load(named)?)
    }

    /// The running agent.
    fn client(&self) -> Client {
        Client::new(self.socket.as_deref().unwrap_or(std::path::Path::new(SOCKET)))
    }

    /// The state directory, for a managed root directory.
    fn state_directory(&self, root: &std::path::Path) -> PathBuf {
        self.state_dir.clone().unwrap_or_else(|| root.join("var/lib/steadfast"))
    }
}
