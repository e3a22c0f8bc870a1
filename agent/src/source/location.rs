//! Where a policy repository is: URLs and the `REPO` argument of commands.
//!
//! What must stay true: nothing that came from a URL can become an option of ssh or of the shell
//! on the other side (CVE-2024-32884); credentials are never part of a URL, since URLs are shown;
//! plain http and git:// are refused, because anybody on the way could replace the policy.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A place from which a repository can be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Location {
    /// Over https (or http on a loopback address): the URL as given, without credentials.
    Http {
        /// The URL.
        url: String,
        /// The host, for messages.
        host: String,
    },
    /// Over ssh.
    Ssh {
        /// The login, if given.
        user: Option<String>,
        /// The host.
        host: String,
        /// The port, if given.
        port: Option<u16>,
        /// The repository's path on that host.
        path: String,
    },
    /// A repository on this machine.
    Local {
        /// The work tree's or the bare repository's directory.
        path: PathBuf,
    },
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { url, .. } => formatter.write_str(url),
            Self::Local { path } => write!(formatter, "{}", path.display()),
            Self::Ssh { user, host, port, path } => {
                formatter.write_str("ssh://")?;
                if let Some(user) = user {
                    write!(formatter, "{user}@")?;
                }
                if host.contains(':') {
                    write!(formatter, "[{host}]")?;
                } else {
                    formatter.write_str(host)?;
                }
                if let Some(port) = port {
                    write!(formatter, ":{port}")?;
                }
                let separator = if path.starts_with('/') { "" } else { "/" };
                write!(formatter, "{separator}{path}")
            }
        }
    }
}

/// Why a URL is not usable. Shown beside the URL, so it does not repeat it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LocationError {
    /// It does not parse.
    #[error("not a URL of a Git repository ({0})")]
    Syntax(String),
    /// http to another machine.
    #[error("http is neither private nor authentic; use https (http works for loopback only)")]
    PlainHttp,
    /// `git://`, `ext::` and the like.
    #[error("{0} is not supported; use https, ssh or a local path")]
    Scheme(String),
    /// `https://user:password@host/`.
    #[error("a URL must not contain credentials, since URLs are shown; use token_file")]
    Credentials,
    /// A host, login or path that would be taken for an option or holds strange characters.
    #[error("the {part} {value:?} is not acceptable")]
    Unsafe {
        /// Which part.
        part: &'static str,
        /// That part.
        value: String,
    },
    /// A relative path where there is no working directory to relate it to.
    #[error("a local path must be absolute")]
    RelativePath,
    /// The name of a branch is not one.
    #[error("{0:?} is not the name of a branch")]
    Branch(String),
    /// A `REPO` argument that is nothing.
    #[error("no such directory or file, and not a URL")]
    Missing,
}

impl Location {
    /// Parses a URL of the settings.
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        if text.is_empty() || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(LocationError::Syntax("empty, or with spaces in it".to_owned()));
        }
        if let Some((scheme, _)) = text.split_once("::")
            && scheme.chars().all(|c| c.is_ascii_alphanumeric())
        {
            return Err(LocationError::Scheme(format!("{scheme}::")));
        }
        let url =
            gix::url::parse(text).map_err(|error| LocationError::Syntax(error.to_string()))?;
        if url.password().is_some() {
            return Err(LocationError::Credentials);
        }
        let path = url.path.to_str().map_err(|_| LocationError::Syntax("not UTF-8".to_owned()))?;
        match url.scheme {
            gix::url::Scheme::Https | gix::url::Scheme::Http => {
                let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
                checked("host", host, host_character)?;
                if url.user().is_some() {
                    return Err(LocationError::Credentials);
                }
                if url.scheme == gix::url::Scheme::Http && !is_loopback(host) {
                    return Err(LocationError::PlainHttp);
                }
                if text.contains(['#', '?']) {
                    return Err(LocationError::Syntax("with a query or fragment".to_owned()));
                }
                Ok(Self::Http { url: text.to_owned(), host: host.to_owned() })
            }
            gix::url::Scheme::Ssh => {
                let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
                checked("host", host, host_character)?;
                if let Some(user) = url.user() {
                    checked("login", user, |c| c.is_ascii_alphanumeric() || "._-+@".contains(c))?;
                }
                // The path is handed to a shell on the other side, between single quotes.
                checked("path", path, |c| !c.is_control() && !"'\"\\!`$".contains(c))?;
                Ok(Self::Ssh {
                    user: url.user().map(str::to_owned),
                    host: host.to_owned(),
                    port: url.port,
                    path: path.to_owned(),
                })
            }
            gix::url::Scheme::File => {
                let path = PathBuf::from(path);
                if path.is_absolute() {
                    Ok(Self::Local { path })
                } else {
                    Err(LocationError::RelativePath)
                }
            }
            other => Err(LocationError::Scheme(format!("{other}://"))),
        }
    }
}

fn host_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || ".-_:".contains(character)
}

fn checked(
    part: &'static str,
    value: &str,
    allowed: impl Fn(char) -> bool,
) -> Result<(), LocationError> {
    if value.is_empty() || value.starts_with('-') || !value.chars().all(allowed) {
        return Err(LocationError::Unsafe { part, value: value.to_owned() });
    }
    Ok(())
}

/// Whether `host` is this machine by definition, not by a lookup.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Checks a branch's name by Git's rules (git-check-ref-format(1)).
pub(super) fn check_branch(branch: &str) -> Result<(), LocationError> {
    let full = format!("refs/heads/{branch}");
    if branch.starts_with('-') || gix::validate::reference::name(full.as_str().into()).is_err() {
        return Err(LocationError::Branch(branch.to_owned()));
    }
    Ok(())
}

/// What a command's `REPO` argument names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepositoryArgument {
    /// A directory, read as it is: what an author is working on.
    Directory(PathBuf),
    /// A single policy file, for trying things out.
    PolicyFile(PathBuf),
    /// A Git repository, of which a commit is read.
    Git {
        /// The URL (or absolute path), fit for [`super::SourceSettings::url`].
        url: String,
        /// The branch after `#`.
        branch: Option<String>,
    },
}

impl RepositoryArgument {
    /// Parses a `REPO` argument; relative paths relate to `working_directory`.
    ///
    /// What exists as a file or directory is that; a directory that is a bare Git repository, or is
    /// followed by `#branch`, is a Git repository.
    pub fn parse(text: &str, working_directory: &Path) -> Result<Self, LocationError> {
        let path = working_directory.join(text);
        if path.is_dir() {
            if path.join("HEAD").is_file() && path.join("objects").is_dir() {
                return Ok(Self::Git { url: absolute(&path)?, branch: None });
            }
            return Ok(Self::Directory(path));
        }
        if path.is_file() {
            return Ok(Self::PolicyFile(path));
        }
        let (place, branch) = match text.split_once('#') {
            Some((place, branch)) => (place, Some(branch.to_owned())),
            None => (text, None),
        };
        if let Some(branch) = &branch {
            check_branch(branch)?;
        }
        let path = working_directory.join(place);
        if branch.is_some() && path.is_dir() {
            return Ok(Self::Git { url: absolute(&path)?, branch });
        }
        if !place.contains(':') {
            return Err(LocationError::Missing);
        }
        Location::parse(place)?;
        Ok(Self::Git { url: place.to_owned(), branch })
    }
}

fn absolute(path: &Path) -> Result<String, LocationError> {
    let absolute = path.canonicalize().map_err(|error| LocationError::Syntax(error.to_string()))?;
    absolute
        .into_os_string()
        .into_string()
        .map_err(|_| LocationError::Syntax("not UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usable_urls() {
        for (text, shown) in [
            ("https://git.example.com/ops/policy.git", "https://git.example.com/ops/policy.git"),
            ("https://git.example.com:8443/p", "https://git.example.com:8443/p"),
            ("http://127.0.0.1:3000/p.git", "http://127.0.0.1:3000/p.git"),
            ("http://[::1]:3000/p.git", "http://[::1]:3000/p.git"),
            ("http://localhost/p.git", "http://localhost/p.git"),
            ("ssh://git@host:2222/srv/p.git", "ssh://git@host:2222/srv/p.git"),
            ("ssh://host/~me/p.git", "ssh://host/~me/p.git"),
            ("git@host:ops/policy.git", "ssh://git@host/ops/policy.git"),
            ("git@host:/srv/policy.git", "ssh://git@host/srv/policy.git"),
            ("file:///srv/policy.git", "/srv/policy.git"),
            ("/srv/policy.git", "/srv/policy.git"),
        ] {
            let location = Location::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(location.to_string(), shown);
        }
    }

    #[test]
    fn refused_urls() {
        for text in [
            "",
            "http://git.example.com/p.git",
            "http://127.0.0.1.example.com/p",
            "git://host/p.git",
            "ext::sh -c true",
            "ext::sh",
            "https://user:word@host/p.git",
            "https://token@host/p.git",
            "https://host/p.git?x=1",
            "ssh://-oProxyCommand=true/p",
            "ssh://-oProxyCommand=true@host/p",
            "-oProxyCommand=true:p",
            "git@-oProxyCommand=true:p",
            "ssh://host/p'`id`'",
            "git@host:-upload-pack",
            "ssh://user:word@host/p",
            "ssh://ho st/p",
            "relative/path",
            "ftp://host/p",
        ] {
            let parsed = Location::parse(text);
            assert!(parsed.is_err(), "{text}: {parsed:?}");
        }
    }

    #[test]
    fn branches() {
        for good in ["main", "team/web", "v1.2", "ünïcode"] {
            assert!(check_branch(good).is_ok(), "{good}");
        }
        for bad in ["", "-x", "a..b", "a b", "a:b", "a*", "x.lock", "a/", "@{", "a\nb", "/a"] {
            assert!(check_branch(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn arguments() {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path().canonicalize().unwrap();
        std::fs::create_dir_all(here.join("repo")).unwrap();
        std::fs::create_dir_all(here.join("bare.git/objects")).unwrap();
        std::fs::File::create(here.join("bare.git/HEAD")).unwrap();
        std::fs::File::create(here.join("motd.toml")).unwrap();
        let git = |url: &str, branch: Option<&str>| RepositoryArgument::Git {
            url: url.to_owned(),
            branch: branch.map(str::to_owned),
        };
        let local = |name: &str| here.join(name).to_str().unwrap().to_owned();
        for (text, expected) in [
            ("repo", RepositoryArgument::Directory(here.join("repo"))),
            ("./repo", RepositoryArgument::Directory(here.join("./repo"))),
            ("motd.toml", RepositoryArgument::PolicyFile(here.join("motd.toml"))),
            ("bare.git", git(&local("bare.git"), None)),
            ("repo#staging", git(&local("repo"), Some("staging"))),
            ("https://h/p.git#a/b", git("https://h/p.git", Some("a/b"))),
            ("git@h:p.git", git("git@h:p.git", None)),
            ("file:///srv/p#x", git("file:///srv/p", Some("x"))),
        ] {
            assert_eq!(RepositoryArgument::parse(text, &here).unwrap(), expected, "{text}");
        }
        for text in ["nothing", "nothing#main", "repo#", "repo#a..b", "http://h/p", "--help"] {
            assert!(RepositoryArgument::parse(text, &here).is_err(), "{text}");
        }
    }
}
