//! The ssh side: the system's ssh program, with our key and our known hosts.
//!
//! What must stay true: ssh never asks anybody anything, never trusts a host key that is not
//! known, and gets nothing from a URL that it could take for an option. Its messages are the only
//! place where its failures are explained, so they are kept and read.

use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use gix::protocol::transport::Protocol;
use gix::protocol::transport::client::git::ConnectMode;
use gix::protocol::transport::client::git::blocking_io::Connection;

use super::contract::Credentials;
use super::failure::FetchFailure;

/// A running ssh with Git's server program on the other side.
pub(super) struct Ssh {
    child: Child,
    messages: mpsc::Receiver<String>,
    host: String,
}

/// The transport over a running ssh.
pub(super) type Transport = Connection<BufReader<ChildStdout>, ChildStdin>;

/// The last part of ssh's messages that is kept, in bytes.
const MESSAGE_LIMIT: usize = 8 * 1024;

/// Starts ssh.
pub(super) fn connect(
    user: Option<&str>,
    host: &str,
    port: Option<u16>,
    path: &str,
    credentials: &Credentials,
    shown_url: &str,
) -> Result<(Ssh, Transport), FetchFailure> {
    let missing = |reason: String| FetchFailure::SshMissing { reason };
    let arguments = arguments(user, host, port, path, credentials)?;
    #[expect(
        clippy::disallowed_methods,
        reason = "the conversation is streamed; the deadline is that of the fetching process, whose \
                  process group is killed with everything in it"
    )]
    let mut command = std::process::Command::new("ssh");
    let mut child = command
        .args(arguments)
        .env("GIT_PROTOCOL", "version=2")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| missing(error.to_string()))?;
    let (Some(writer), Some(reader), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(missing("no pipes".to_owned()));
    };
    let messages = collect(stderr);
    let transport = Connection::new(
        BufReader::new(reader),
        writer,
        Protocol::V2,
        path,
        None::<(String, Option<u16>)>,
        ConnectMode::Process,
        false,
    )
    .custom_url(Some(shown_url.into()));
    Ok((Ssh { child, messages, host: host.to_owned() }, transport))
}

/// Reads all of ssh's messages, so that it never blocks on them, and sends the last part.
fn collect(mut stderr: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let mut buffer = [0_u8; 1024];
        while let Ok(read @ 1..) = stderr.read(&mut buffer) {
            kept.extend_from_slice(buffer.get(..read).unwrap_or_default());
            if kept.len() > 2 * MESSAGE_LIMIT {
                kept.drain(..kept.len() - MESSAGE_LIMIT);
            }
        }
        // Nobody listens when the conversation went well.
        let _ = sender.send(String::from_utf8_lossy(&kept).into_owned());
    });
    receiver
}

impl Ssh {
    /// What ssh says about why the conversation ended; `None` if it says nothing.
    pub(super) fn failure(mut self) -> Option<FetchFailure> {
        // The transport is gone by now, so ssh has no input and ends; if not, it is not the one
        // that failed.
        let messages = self.messages.recv_timeout(Duration::from_secs(2)).unwrap_or_default();
        let failure = classify(&messages, &self.host);
        self.end();
        failure
    }

    /// Ends ssh.
    pub(super) fn end(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

fn arguments(
    user: Option<&str>,
    host: &str,
    port: Option<u16>,
    path: &str,
    credentials: &Credentials,
) -> Result<Vec<String>, FetchFailure> {
    let mut arguments: Vec<String> = [
        "-T",
        "-o",
        "BatchMode=yes",
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        "UpdateHostKeys=no",
        "-o",
        "ForwardAgent=no",
        "-o",
        "ForwardX11=no",
        "-o",
        "ClearAllForwardings=yes",
        "-o",
        "PermitLocalCommand=no",
        "-o",
        "ControlMaster=no",
        "-o",
        "ControlPath=none",
        "-o",
        "ConnectTimeout=20",
        "-o",
        "ServerAliveInterval=15",
        "-o",
        "SendEnv=GIT_PROTOCOL",
    ]
    .map(str::to_owned)
    .to_vec();
    if let Some(key) = &credentials.ssh_key {
        let key = option_value("ssh_key", key)?;
        arguments.extend(["-o".to_owned(), "IdentitiesOnly=yes".to_owned()]);
        arguments.extend(["-o".to_owned(), "IdentityAgent=none".to_owned()]);
        arguments.extend(["-o".to_owned(), format!("IdentityFile={key}")]);
    }
    if let Some(known_hosts) = &credentials.known_hosts {
        let known_hosts = option_value("known_hosts", known_hosts)?;
        arguments.extend(["-o".to_owned(), format!("UserKnownHostsFile={known_hosts}")]);
        arguments.extend(["-o".to_owned(), "GlobalKnownHostsFile=/dev/null".to_owned()]);
    }
    if let Some(port) = port {
        arguments.extend(["-p".to_owned(), port.to_string()]);
    }
    if let Some(user) = user {
        arguments.extend(["-l".to_owned(), user.to_owned()]);
    }
    // `Location::parse` has refused what could be taken for an option or end the quotes; this is
    // the second lock on the same door.
    if host.starts_with('-') || path.contains('\'') || path.starts_with('-') {
        return Err(FetchFailure::Ssh { reason: "refusing that host or path".to_owned() });
    }
    arguments.extend([
        "--".to_owned(),
        host.to_owned(),
        format!("git-upload-pack {}", quoted(path)),
    ]);
    Ok(arguments)
}

/// The path for the shell on the other side; a leading `~` or `~user` stays outside the quotes.
fn quoted(path: &str) -> String {
    let relative = path.strip_prefix('/').filter(|path| path.starts_with('~'));
    if let Some(home) = relative {
        let (home, rest) = home.split_once('/').unwrap_or((home, ""));
        if home.chars().skip(1).all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
            return format!("{home}/'{rest}'");
        }
    }
    format!("'{path}'")
}

/// A path as the value of an ssh option: quoted; without what ssh would expand.
fn option_value(setting: &'static str, path: &Path) -> Result<String, FetchFailure> {
    match path.to_str() {
        Some(text)
            if !text.contains(['"', '%', '$', '~', '\\']) && !text.contains(char::is_control) =>
        {
            Ok(format!("\"{text}\""))
        }
        _ => Err(FetchFailure::UnusableCredential {
            setting: setting.to_owned(),
            reason: "its path holds characters that ssh would expand".to_owned(),
        }),
    }
}

/// What ssh's messages mean. OpenSSH has one exit code (255) for everything.
fn classify(messages: &str, host: &str) -> Option<FetchFailure> {
    let host = host.to_owned();
    let line = |needle: &str| messages.lines().find(|line| line.contains(needle)).map(str::trim);
    let reason = || {
        let lines: Vec<&str> = messages
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("Warning: Permanently added"))
            .collect();
        lines.join("; ")
    };
    if messages.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        return Some(FetchFailure::ChangedHostKey { host });
    }
    if messages.contains("host key is known for")
        || messages.contains("Host key verification failed")
    {
        return Some(FetchFailure::UnknownHostKey { host });
    }
    if let Some(line) =
        line("Permission denied (").or_else(|| line("Too many authentication failures"))
    {
        return Some(FetchFailure::SshRefused { host, reason: line.to_owned() });
    }
    if let Some(line) = line("Could not resolve hostname") {
        let reason = line.rsplit(": ").next().unwrap_or(line).to_owned();
        return Some(FetchFailure::UnknownHost { host, reason });
    }
    for sign in ["Connection refused", "No route to host", "Network is unreachable", "timed out"] {
        if let Some(line) = line(sign) {
            return Some(FetchFailure::Unreachable { host, reason: line.to_owned() });
        }
    }
    for sign in [
        "does not appear to be a git repository",
        "not a git repository",
        "Repository not found",
        "could not be found",
    ] {
        if let Some(line) = line(sign) {
            return Some(FetchFailure::NoRepository { reason: line.to_owned() });
        }
    }
    let reason = reason();
    if reason.is_empty() { None } else { Some(FetchFailure::Ssh { reason }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_fixed_and_safe() {
        let credentials = Credentials {
            ssh_key: Some("/etc/steadfast/my key".into()),
            known_hosts: Some("/etc/steadfast/known_hosts".into()),
            ..Credentials::default()
        };
        let all = arguments(Some("git"), "h", Some(22), "/srv/p.git", &credentials).unwrap();
        let text = all.join("\n");
        for expected in [
            "BatchMode=yes",
            "StrictHostKeyChecking=yes",
            "IdentitiesOnly=yes",
            "IdentityFile=\"/etc/steadfast/my key\"",
            "UserKnownHostsFile=\"/etc/steadfast/known_hosts\"",
        ] {
            assert!(text.contains(expected), "{expected}");
        }
        assert!(text.ends_with("-p\n22\n-l\ngit\n--\nh\ngit-upload-pack '/srv/p.git'"), "{text}");
    }

    #[test]
    fn dangerous_values_are_refused() {
        let none = Credentials::default();
        assert!(arguments(None, "-oProxyCommand=x", None, "/p", &none).is_err());
        assert!(arguments(None, "h", None, "/p'`id`'", &none).is_err());
        for path in ["/a%d", "/a$X", "/a\"b", "~/k", "/a\nb"] {
            let key = Credentials { ssh_key: Some(path.into()), ..Credentials::default() };
            assert!(arguments(None, "h", None, "/p", &key).is_err(), "{path}");
        }
    }

    #[test]
    fn homes_are_expanded_by_the_other_side() {
        for (path, expected) in [
            ("/srv/p", "'/srv/p'"),
            ("/~/p.git", "~/'p.git'"),
            ("/~me/a b", "~me/'a b'"),
            ("/~$(id)/p", "'/~$(id)/p'"),
            ("ops/p.git", "'ops/p.git'"),
        ] {
            assert_eq!(quoted(path), expected);
        }
    }

    #[test]
    fn messages_are_understood() {
        let host = || "h".to_owned();
        for (messages, expected) in [
            ("", None),
            (
                "No ED25519 host key is known for h and you have requested strict checking.\r\nHost key verification failed.\r\n",
                Some(FetchFailure::UnknownHostKey { host: host() }),
            ),
            (
                "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
                Some(FetchFailure::ChangedHostKey { host: host() }),
            ),
            (
                "git@h: Permission denied (publickey).",
                Some(FetchFailure::SshRefused {
                    host: host(),
                    reason: "git@h: Permission denied (publickey).".to_owned(),
                }),
            ),
            (
                "ssh: Could not resolve hostname h: Name or service not known",
                Some(FetchFailure::UnknownHost {
                    host: host(),
                    reason: "Name or service not known".to_owned(),
                }),
            ),
            (
                "ssh: connect to host h port 22: Connection refused",
                Some(FetchFailure::Unreachable {
                    host: host(),
                    reason: "ssh: connect to host h port 22: Connection refused".to_owned(),
                }),
            ),
            (
                "fatal: '/p' does not appear to be a git repository",
                Some(FetchFailure::NoRepository {
                    reason: "fatal: '/p' does not appear to be a git repository".to_owned(),
                }),
            ),
            ("odd\n", Some(FetchFailure::Ssh { reason: "odd".to_owned() })),
        ] {
            assert_eq!(classify(messages, "h"), expected, "{messages}");
        }
    }
}
