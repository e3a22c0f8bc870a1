//! The page about the command line, read from its own description.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory};

use super::top;
use crate::cli::CommandLine;

pub(super) fn page() -> String {
    let mut command = CommandLine::command();
    command.build();
    let mut text = top("Commands");
    if let Some(about) = command.get_about() {
        let _ = writeln!(text, "{about}.\n");
    }
    if let Some(after) = command.get_after_help() {
        let _ = writeln!(text, "{after}\n");
    }
    text.push_str("These options go with every command:\n\n");
    for argument in command.get_arguments().filter(|argument| argument.is_global_set()) {
        option(&mut text, argument);
    }
    for each in command.get_subcommands() {
        if each.get_name() != "help" && !each.is_hide_set() {
            subcommand(&mut text, each, "steadfast");
        }
    }
    text
}

fn subcommand(text: &mut String, command: &Command, before: &str) {
    let name = format!("{before} {}", command.get_name());
    let _ = writeln!(text, "\n## `{name}`\n");
    if let Some(about) = command.get_long_about().or(command.get_about()) {
        let _ = writeln!(text, "{about}.\n");
    }
    let usage = command.clone().render_usage().to_string();
    let _ = writeln!(text, "```\n{}\n```\n", usage.trim_start_matches("Usage: "));
    for argument in command.get_arguments() {
        let general = matches!(argument.get_id().as_str(), "help" | "version");
        if !general && !argument.is_global_set() && !argument.is_hide_set() {
            option(text, argument);
        }
    }
    if let Some(after) = command.get_after_help() {
        let _ = writeln!(text, "\n{after}");
    }
    for each in command.get_subcommands().filter(|each| each.get_name() != "help") {
        subcommand(text, each, &name);
    }
}

fn option(text: &mut String, argument: &Arg) {
    let values = argument.get_value_names().unwrap_or_default();
    let takes = argument.get_action().takes_values();
    let value = values.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" ");
    let name = match (argument.get_long(), argument.get_short()) {
        (Some(long), _) if takes => format!("--{long} {value}"),
        (Some(long), _) => format!("--{long}"),
        (None, Some(short)) if takes => format!("-{short} {value}"),
        (None, Some(short)) => format!("-{short}"),
        (None, None) => value,
    };
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let _ = write!(text, "- `{name}`: {help}");
    let choices: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|_| takes)
        .map(|choice| format!("`{}`", choice.get_name()))
        .collect();
    if !choices.is_empty() {
        let _ = write!(text, " ({})", choices.join(", "));
    }
    let defaults: Vec<String> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy().into()).collect();
    if takes && !defaults.is_empty() {
        let _ = write!(text, " [default: {}]", defaults.join(" "));
    }
    text.push('\n');
}
