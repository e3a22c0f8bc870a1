//! What of a command line may be shown. Pure.
//!
//! Arguments carry passwords now and then (`mysql --password=…`, `curl -u name:…`, `env TOKEN=…`). What
//! follows a name that speaks of a secret is left out, and so is the user part of an address. This is
//! a net with holes: an argument whose place alone makes it a secret is not recognised. So reports
//! with command lines are for root, like everything else in them.

use std::collections::VecDeque;

/// What stands for what is left out.
pub(super) const LEFT_OUT: &str = "(redacted)";

/// How many arguments are kept.
const ARGUMENTS: usize = 24;
/// How many characters of each.
const CHARACTERS: usize = 160;

/// Parts of names that speak of secrets.
const SECRETIVE: &[&str] = &[
    "pass",
    "pwd",
    "secret",
    "token",
    "credential",
    "apikey",
    "api-key",
    "api_key",
    "access-key",
    "access_key",
    "private-key",
    "private_key",
    "auth",
    "bearer",
    "cookie",
    "userpw",
];

/// Options whose next word is a secret, or a name with one.
const OPTIONS: &[&str] = &["-u", "--user", "--proxy-user"];

/// The arguments of a process, as they may be shown.
pub(super) fn shown(command: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(command);
    let mut arguments: VecDeque<&str> = text.split('\0').collect();
    if arguments.back().is_some_and(|last| last.is_empty()) {
        arguments.pop_back();
    }
    let more = arguments.len() > ARGUMENTS;
    let mut shown = Vec::new();
    let mut secret_next = false;
    for argument in arguments.into_iter().take(ARGUMENTS) {
        let (text, next) = argument_shown(argument, secret_next);
        secret_next = next;
        shown.push(text);
    }
    if more {
        shown.push("…".to_owned());
    }
    shown
}

/// One argument, and whether the next one is a secret. An argument of several words (a script
/// for `sh -c`) is looked at word by word.
fn argument_shown(argument: &str, secret: bool) -> (String, bool) {
    if secret && !argument.contains(char::is_whitespace) {
        // `-p --verbose`: the option had no value.
        return match argument.starts_with("--") {
            true => word_shown(argument, false),
            false => (LEFT_OUT.to_owned(), false),
        };
    }
    let mut text = String::new();
    let mut secret = secret;
    for piece in argument.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end_matches(char::is_whitespace);
        let (shown, next) = word_shown(word, secret);
        text.push_str(&shown);
        text.push_str(piece.get(word.len()..).unwrap_or_default());
        if !word.is_empty() {
            secret = next;
        }
        if text.len() > CHARACTERS * 4 {
            break;
        }
    }
    if let Some((end, _)) = text.char_indices().nth(CHARACTERS) {
        text.truncate(end);
        text.push('…');
    }
    (text, secret)
}

fn word_shown(word: &str, secret: bool) -> (String, bool) {
    if word.is_empty() {
        return (String::new(), false);
    }
    if secret {
        // "Authorization: Bearer x" has its secret one word further on.
        let scheme = ["basic", "bearer", "digest", "token"].contains(&&*word.to_ascii_lowercase());
        return if scheme { (word.to_owned(), true) } else { (LEFT_OUT.to_owned(), false) };
    }
    let bare = word.trim_start_matches(['"', '\'']);
    if let Some((name, _)) = bare.split_once('=')
        && speaks_of_secret(name)
    {
        return (format!("{name}={LEFT_OUT}"), false);
    }
    if let Some((name, value)) = bare.split_once(':')
        && !value.starts_with("//")
        && !name.contains('/')
        && speaks_of_secret(name)
    {
        return match value {
            "" => (word.to_owned(), true),
            _ => (format!("{name}:{LEFT_OUT}"), false),
        };
    }
    if OPTIONS.contains(&bare) || (bare.starts_with('-') && speaks_of_secret(bare)) {
        return (word.to_owned(), true);
    }
    (without_user_part(word), false)
}

fn speaks_of_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETIVE.iter().any(|part| name.contains(part))
}

/// An address without the name and password in it.
fn without_user_part(word: &str) -> String {
    if let Some((scheme, rest)) = word.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        if let Some((_, host)) = authority.rsplit_once('@') {
            let path = rest.get(authority.len()..).unwrap_or_default();
            return format!("{scheme}://{LEFT_OUT}@{host}{path}");
        }
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out_and_the_rest_stays() {
        for (command, expected) in [
            ("vim\0/etc/ssh/sshd_config\0", "vim|/etc/ssh/sshd_config"),
            ("sed\0-i\0s/no/yes/\0/etc/x", "sed|-i|s/no/yes/|/etc/x"),
            ("mysql\0--password=hunter2\0-h\0db", "mysql|--password=(redacted)|-h|db"),
            ("x\0--password\0hunter2\0y", "x|--password|(redacted)|y"),
            ("x\0--password\0--verbose", "x|--password|--verbose"),
            ("env\0API_TOKEN=abc\0run", "env|API_TOKEN=(redacted)|run"),
            ("curl\0-u\0me:pw\0https://h/", "curl|-u|(redacted)|https://h/"),
            ("curl\0https://me:pw@h/x?y", "curl|https://(redacted)@h/x?y"),
            ("curl\0-H\0Authorization: Bearer abc", "curl|-H|Authorization: Bearer (redacted)"),
            ("sh\0-c\0SECRET=a b --passwd c d", "sh|-c|SECRET=(redacted) b --passwd (redacted) d"),
            ("sh\0-c\0echo 'PASSWORD=a' > /x", "sh|-c|echo PASSWORD=(redacted) > /x"),
            ("", ""),
        ] {
            assert_eq!(shown(command.as_bytes()).join("|"), expected, "{command:?}");
        }
    }

    #[test]
    fn long_command_lines_are_cut() {
        let long = "a".repeat(100_000);
        let cut = shown(long.as_bytes());
        assert_eq!(cut.len(), 1);
        assert_eq!(cut[0].chars().count(), CHARACTERS + 1);
        let many = "x\0".repeat(1000);
        assert_eq!(shown(many.as_bytes()).len(), ARGUMENTS + 1);
    }
}
