//! Reading the files that the settings name, afresh for every conversation.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::contract::{Credentials, TokenScheme};
use super::error::SourceError;
use super::location::Location;
use super::settings::{Secret, SourceSettings};

/// The largest file with a credential or certificates, in bytes.
const SIZE_LIMIT: u64 = 4 << 20;

/// Refuses settings that contradict each other or the URL.
pub(super) fn check(settings: &SourceSettings, location: &Location) -> Result<(), SourceError> {
    let wrong = |setting, problem: &str| {
        Err(SourceError::Settings { setting, problem: problem.to_owned() })
    };
    match (&settings.client_cert, &settings.client_key) {
        (Some(_), None) => return wrong("client_cert", "needs client_key beside it"),
        (None, Some(_)) => return wrong("client_key", "needs client_cert beside it"),
        _ => {}
    }
    let https = [
        ("token_file", settings.token_file.is_some()),
        ("client_cert", settings.client_cert.is_some()),
        ("ca_file", settings.ca_file.is_some()),
    ];
    let ssh =
        [("ssh_key", settings.ssh_key.is_some()), ("known_hosts", settings.known_hosts.is_some())];
    let (foreign, problem) = match location {
        Location::Http { .. } => (&ssh[..], "is for ssh URLs, but url is an https one"),
        Location::Ssh { .. } => (&https[..], "is for https URLs, but url is an ssh one"),
        Location::Local { .. } => return Ok(()),
    };
    match foreign.iter().find(|(_, given)| *given) {
        Some((setting, _)) => wrong(setting, problem),
        None => Ok(()),
    }
}

/// Reads what a conversation with `location` needs.
pub(super) fn read(
    settings: &SourceSettings,
    location: &Location,
    scheme: Option<TokenScheme>,
) -> Result<Credentials, SourceError> {
    match location {
        Location::Local { path } => {
            check_owner(path)?;
            Ok(Credentials::default())
        }
        Location::Ssh { .. } => {
            for (setting, path) in
                [("ssh_key", &settings.ssh_key), ("known_hosts", &settings.known_hosts)]
            {
                // ssh would go on without a key file that is missing, and blame the server.
                if let Some(path) = path {
                    std::fs::File::open(path).map_err(unreadable(setting, path))?;
                }
            }
            Ok(Credentials {
                ssh_key: settings.ssh_key.clone(),
                known_hosts: settings.known_hosts.clone(),
                ..Credentials::default()
            })
        }
        Location::Http { .. } => {
            let token = text("token_file", settings.token_file.as_deref())?;
            if token.as_ref().is_some_and(|token| token.trim().is_empty()) {
                let problem = "names an empty file".to_owned();
                return Err(SourceError::Settings { setting: "token_file", problem });
            }
            Ok(Credentials {
                token: token.map(|token| Secret(token.trim().to_owned())),
                scheme,
                ca: text("ca_file", settings.ca_file.as_deref())?,
                client_cert: text("client_cert", settings.client_cert.as_deref())?,
                client_key: text("client_key", settings.client_key.as_deref())?.map(Secret),
                ..Credentials::default()
            })
        }
    }
}

/// What of `credentials` a mirror at `mirror` may see: the token and the client's key are for the
/// server of `url` alone (scheme, host and port). Where that takes neither, they are the mirror's.
pub(super) fn for_mirror(
    credentials: Credentials,
    url: &Location,
    mirror: &Location,
) -> Credentials {
    let origin = |location: &Location| match location {
        Location::Http { url, .. } => reqwest::Url::parse(url).ok().map(|url| url.origin()),
        Location::Ssh { .. } | Location::Local { .. } => None,
    };
    let (Some(own), Some(other)) = (origin(url), origin(mirror)) else { return credentials };
    if own == other {
        return credentials;
    }
    Credentials { token: None, scheme: None, client_cert: None, client_key: None, ..credentials }
}

fn text(setting: &'static str, path: Option<&Path>) -> Result<Option<String>, SourceError> {
    use std::io::Read;
    let Some(path) = path else { return Ok(None) };
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(SIZE_LIMIT).read_to_string(&mut text))
        .map_err(unreadable(setting, path))?;
    Ok(Some(text))
}

fn unreadable(setting: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> SourceError {
    let path = path.to_owned();
    move |source| SourceError::ReadCredential { setting, path, source }
}

/// Refuses a local repository whose owner could make root do anything (Git's `safe.directory`).
/// Root's own, and that of the user who called sudo, are fine; a normal user harms only themself.
fn check_owner(path: &Path) -> Result<(), SourceError> {
    let user = rustix::process::geteuid().as_raw();
    let caller = std::env::var("SUDO_UID").ok().and_then(|caller| caller.parse::<u32>().ok());
    let git = path.join(".git");
    for part in [path, git.as_path()] {
        match std::fs::metadata(part) {
            Ok(metadata) => {
                if !owner_acceptable(metadata.uid(), user, caller) {
                    return Err(SourceError::Owner {
                        path: part.to_owned(),
                        owner: metadata.uid(),
                    });
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => {
                return Err(SourceError::ReadDirectory { path: part.to_owned(), source });
            }
        }
    }
    Ok(())
}

fn owner_acceptable(owner: u32, user: u32, sudo_caller: Option<u32>) -> bool {
    user != 0 || owner == 0 || sudo_caller == Some(owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_repository_root_trusts() {
        for (owner, user, caller, expected) in [
            (0, 0, None, true),
            (1000, 0, None, false),
            (1000, 0, Some(1000), true),
            (1001, 0, Some(1000), false),
            (1001, 1000, None, true),
        ] {
            assert_eq!(
                owner_acceptable(owner, user, caller),
                expected,
                "{owner} {user} {caller:?}"
            );
        }
    }

    #[test]
    fn settings_that_contradict_the_url() {
        for (url, change, setting) in [
            (
                "https://h/p",
                (|settings: &mut SourceSettings| settings.ssh_key = Some("/k".into()))
                    as fn(&mut SourceSettings),
                "ssh_key",
            ),
            ("git@h:p", |settings| settings.token_file = Some("/t".into()), "token_file"),
            ("https://h/p", |settings| settings.client_cert = Some("/c".into()), "client_cert"),
            ("https://h/p", |settings| settings.client_key = Some("/k".into()), "client_key"),
        ] {
            let mut settings = SourceSettings::new(url);
            change(&mut settings);
            let error = check(&settings, &Location::parse(url).unwrap()).unwrap_err();
            let SourceError::Settings { setting: found, .. } = error else { panic!("{error}") };
            assert_eq!(found, setting);
        }
    }
}
