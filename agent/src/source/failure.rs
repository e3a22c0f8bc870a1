//! What a conversation with a server can end in: plain data, since the fetching process reports it
//! to the one that asked.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How a conversation with a server failed.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FetchFailure {
    /// The host's name does not resolve.
    #[error("the name {host} does not resolve ({reason})")]
    UnknownHost {
        /// The name.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// No connection.
    #[error("{host} cannot be reached ({reason})")]
    Unreachable {
        /// The host.
        host: String,
        /// What the system said.
        reason: String,
    },
    /// The server's certificate comes from an authority that is not trusted.
    #[error("{host} shows a certificate of an authority that is not trusted")]
    UntrustedCertificate {
        /// The host.
        host: String,
    },
    /// The server's certificate has expired.
    #[error("the certificate of {host} has expired ({reason})")]
    ExpiredCertificate {
        /// The host.
        host: String,
        /// Since when.
        reason: String,
    },
    /// The server's certificate is not valid yet.
    #[error("the certificate of {host} is not valid yet ({reason})")]
    EarlyCertificate {
        /// The host.
        host: String,
        /// Until when.
        reason: String,
    },
    /// The server's certificate is for another name.
    #[error("the certificate of {host} is for another name ({reason})")]
    WrongHostName {
        /// The host.
        host: String,
        /// Which names it is for.
        reason: String,
    },
    /// Something else is wrong with the server's certificate.
    #[error("the certificate of {host} is not valid ({reason})")]
    InvalidCertificate {
        /// The host.
        host: String,
        /// What.
        reason: String,
    },
    /// The server wants a client certificate, or another one.
    #[error("{host} does not accept our client certificate ({reason})")]
    ClientCertificateRefused {
        /// The host.
        host: String,
        /// What the server said.
        reason: String,
    },
    /// Our own certificates or keys cannot be used.
    #[error("{setting} cannot be used ({reason})")]
    UnusableCredential {
        /// Which setting.
        setting: String,
        /// Why.
        reason: String,
    },
    /// The TLS handshake failed otherwise.
    #[error("no TLS connection to {host} ({reason})")]
    Tls {
        /// The host.
        host: String,
        /// Why.
        reason: String,
    },
    /// 401.
    #[error("{}", if *.token_sent { "the server does not accept the token" } else { "the server wants a token" })]
    Unauthorized {
        /// Whether a token was sent.
        token_sent: bool,
    },
    /// 403.
    #[error("the server forbids reading this repository")]
    Forbidden,
    /// 404, or a path without a repository.
    #[error("there is no repository at that address ({reason})")]
    NoRepository {
        /// What the server said.
        reason: String,
    },
    /// A redirection that was not followed.
    #[error("the server redirects to another address{}", to.as_ref().map(|to| format!(" ({to})")).unwrap_or_default())]
    Redirected {
        /// Where to.
        to: Option<String>,
    },
    /// Any other HTTP status.
    #[error("the server answered with HTTP status {status}")]
    Status {
        /// The status.
        status: u16,
    },
    /// The server went silent, or is too slow.
    #[error("the server did not finish within {seconds} s")]
    Stalled {
        /// How long was waited.
        seconds: u64,
    },
    /// The connection ended too early.
    #[error("the connection ended before everything had arrived ({reason})")]
    Truncated {
        /// What was noticed.
        reason: String,
    },
    /// What arrived is not a sound pack.
    #[error("what the server sent is damaged ({reason})")]
    CorruptPack {
        /// What was noticed.
        reason: String,
    },
    /// More than the limit.
    #[error("the server sent more than {limit} bytes")]
    PackTooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// One object needs more memory than the limit.
    #[error("an object of the repository is larger than {limit} bytes")]
    ObjectTooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The branch does not exist (any more).
    #[error("there is no branch {branch}")]
    NoBranch {
        /// The branch.
        branch: String,
    },
    /// ssh does not know the server's key.
    #[error("the ssh host key of {host} is not known")]
    UnknownHostKey {
        /// The host.
        host: String,
    },
    /// ssh knows another key for the server.
    #[error("the ssh host key of {host} is not the known one")]
    ChangedHostKey {
        /// The host.
        host: String,
    },
    /// ssh could not log in.
    #[error("{host} does not accept our ssh key ({reason})")]
    SshRefused {
        /// The host.
        host: String,
        /// What ssh said.
        reason: String,
    },
    /// The ssh program is missing or cannot be started.
    #[error("the ssh program cannot be started ({reason})")]
    SshMissing {
        /// Why.
        reason: String,
    },
    /// ssh failed otherwise.
    #[error("ssh failed: {reason}")]
    Ssh {
        /// What ssh said.
        reason: String,
    },
    /// The server's repository names its objects by another hash than our copy.
    #[error("the repository uses {format} object names")]
    ObjectFormat {
        /// Which.
        format: String,
    },
    /// The copy cannot be written.
    #[error("the copy of the policy repository cannot be written ({reason})")]
    Write {
        /// Why.
        reason: String,
    },
    /// The copy contradicts itself.
    #[error("the copy of the policy repository does not work ({reason})")]
    Copy {
        /// How.
        reason: String,
    },
    /// The conversation did not go by Git's rules.
    #[error("the conversation with the server failed ({reason})")]
    Protocol {
        /// What Git's library says.
        reason: String,
    },
    /// The fetching process itself failed.
    #[error("the fetching process failed ({reason})")]
    Helper {
        /// How.
        reason: String,
    },
}

impl FetchFailure {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::UnknownHost { .. } => "check the host in `url`, and DNS: getent hosts NAME",
            Self::Unreachable { .. } => "check the address, the network and firewalls",
            Self::UntrustedCertificate { .. } => {
                "if the authority is your own, name its certificate in `ca_file`; else somebody may \
                 be in between"
            }
            Self::ExpiredCertificate { .. } | Self::EarlyCertificate { .. } => {
                "renew the server's certificate, and check this machine's clock: timedatectl"
            }
            Self::WrongHostName { .. } => "use the name in the certificate in `url`",
            Self::InvalidCertificate { .. } | Self::Tls { .. } => {
                "try: openssl s_client -connect HOST:443 -servername HOST"
            }
            Self::ClientCertificateRefused { .. } => "check `client_cert` and `client_key`",
            Self::UnusableCredential { .. } => "check that the file is PEM and complete",
            Self::Unauthorized { token_sent: true } => {
                "make a new token with read access and put it into `token_file`"
            }
            Self::Unauthorized { token_sent: false } => "name a file with a token in `token_file`",
            Self::Forbidden => "give the token or key read access to this repository",
            Self::NoRepository { .. } => {
                "check the path in `url`; some servers also say this when the token lacks access"
            }
            Self::Redirected { .. } => "put the new address into `url`; credentials never follow",
            Self::Status { .. } => "look into the server's log",
            Self::Stalled { .. } => "check the network, or raise `deadline` in [repository.limits]",
            Self::Truncated { .. } | Self::CorruptPack { .. } => {
                "it is tried again; if it stays, check proxies in between and the server's repository \
                 with git fsck"
            }
            Self::PackTooLarge { .. } => {
                "keep large files out of the policy repository, lower `depth`, or raise \
                 `max_pack_bytes` in [repository.limits]"
            }
            Self::ObjectTooLarge { .. } => "keep large files out of the policy repository",
            Self::NoBranch { .. } => "check `branch`, or push the branch again",
            Self::UnknownHostKey { .. } => {
                "compare the key with the server's (ssh-keyscan shows it) and add it to `known_hosts`"
            }
            Self::ChangedHostKey { .. } => {
                "find out why it changed before replacing it in `known_hosts`: somebody may be in \
                 between"
            }
            Self::SshRefused { .. } => "add the public half of `ssh_key` to the repository",
            Self::SshMissing { .. } => "install the OpenSSH client",
            Self::Ssh { .. } | Self::Protocol { .. } | Self::Helper { .. } => return None,
            Self::ObjectFormat { .. } => "the copy must be made anew",
            Self::Write { .. } => "check permissions and free space",
            Self::Copy { .. } => "the next fetch makes a new copy",
        };
        Some(hint.to_owned())
    }

    /// Whether trying again later can help without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::UnknownHost { .. }
            | Self::Unreachable { .. }
            | Self::Stalled { .. }
            | Self::Truncated { .. }
            | Self::CorruptPack { .. }
            | Self::Write { .. }
            | Self::Copy { .. }
            | Self::Protocol { .. }
            | Self::Helper { .. }
            | Self::Ssh { .. }
            | Self::Tls { .. } => true,
            Self::Status { status } => *status >= 500 || *status == 429,
            _ => false,
        }
    }
}
