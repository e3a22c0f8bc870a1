//! From merged values to settings: forms, and what keys demand of one another.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::describe::Description;
use super::directory::exposure;
use super::document::Raw;
use super::merged::{Located, Merged};
use super::problem::{ConfigError, Origin, Place, Problem};
use super::schema::{self, Form, LABELS, SETTINGS};
use super::settings::{Agent, Limits, Mode, Reports, Repository, Settings, Verify};
use super::values;

/// The settings, or every problem: those of reading (`problems`) and those found here.
pub(super) fn settings(merged: &Merged, problems: Vec<Problem>) -> Result<Settings, ConfigError> {
    let mut reader = Reader { merged, problems, warnings: Vec::new() };
    reader.forms();
    if !reader.problems.is_empty() {
        // What keys demand of one another would only repeat it: a misspelt `url` is a missing one.
        return Err(ConfigError::Invalid { problems: reader.problems });
    }
    let repository = reader.repository();
    let agent = reader.agent();
    let reports = reader.reports();
    let Reader { problems, warnings, .. } = reader;
    if !problems.is_empty() {
        return Err(ConfigError::Invalid { problems });
    }
    Ok(Settings {
        repository,
        agent,
        labels: labels(merged),
        reports,
        warnings,
        files: Vec::new(),
        description: Description::of(merged),
    })
}

fn labels(merged: &Merged) -> BTreeMap<String, String> {
    merged
        .values
        .iter()
        .filter_map(|(key, located)| {
            let name = key.strip_prefix(LABELS)?.strip_prefix('.')?;
            match &located.value {
                Raw::Text(text) => Some((name.to_owned(), text.clone())),
                _ => None,
            }
        })
        .collect()
}

struct Reader<'a> {
    merged: &'a Merged,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

impl Reader<'_> {
    fn located(&self, key: &str) -> Option<&Located> {
        self.merged.values.get(key)
    }

    /// Where a file sets `key`.
    fn place(&self, key: &str) -> Option<Place> {
        match &self.located(key)?.origin {
            Origin::File(place) => Some(place.clone()),
            Origin::Default => None,
        }
    }

    fn problem(&mut self, place: Option<Place>, message: String, hint: &str) {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        if let Some(place) = place {
            self.problems.push(Problem { place, message, hint });
        }
    }

    /// Checks each value by its form, and the files that values name.
    fn forms(&mut self) {
        for setting in SETTINGS {
            let key = setting.key();
            let Some(Located { value, origin: Origin::File(place), .. }) = self.located(&key)
            else {
                continue;
            };
            let (value, place) = (value.clone(), place.clone());
            if let Err(message) = check(setting.form, &value) {
                self.problem(Some(place), format!("`{key}`: {message}"), "");
                continue;
            }
            if let (Form::Path(guard), Raw::Text(path)) = (setting.form, &value)
                && let Some(exposed) = exposure(Path::new(path), guard)
            {
                self.warnings.push(format!("{place}: `{key}`: {exposed}"));
            }
        }
    }

    fn text(&self, key: &str) -> Option<String> {
        match &self.located(key)?.value {
            Raw::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    fn number<T: TryFrom<i64>>(&self, key: &str, otherwise: T) -> T {
        match self.located(key).map(|located| &located.value) {
            Some(Raw::Number(number)) => T::try_from(*number).unwrap_or(otherwise),
            _ => otherwise,
        }
    }

    fn flag(&self, key: &str) -> bool {
        matches!(self.located(key), Some(Located { value: Raw::Boolean(true), .. }))
    }

    fn duration(&self, key: &str) -> Duration {
        // A wrong one is a problem already.
        self.text(key).and_then(|text| values::duration(&text).ok()).unwrap_or_default()
    }

    fn repository(&mut self) -> Option<Repository> {
        let Some(url) = self.text("repository.url") else {
            let set = |key: &&String| key.starts_with("repository.") && self.place(key).is_some();
            let first =
                self.merged.values.keys().filter(set).filter_map(|key| self.place(key)).min();
            let message = "a repository is configured without saying where it is".to_owned();
            self.problem(first, message, "set `url` in [repository]");
            return None;
        };
        let mirrors = match self.located("repository.mirrors").map(|located| &located.value) {
            Some(Raw::Texts(mirrors)) => mirrors.clone(),
            _ => Vec::new(),
        };
        self.useless_credentials(&url, &mirrors);
        Some(Repository {
            branch: self.text("repository.branch"),
            path: self.text("repository.path").unwrap_or_default(),
            depth: self.number("repository.depth", u32::MAX),
            token_file: self.path("repository.token_file"),
            ssh_key: self.path("repository.ssh_key"),
            known_hosts: self.path("repository.known_hosts"),
            client: self.client(),
            ca_file: self.path("repository.ca_file"),
            verify: self.verify(),
            limits: self.limits(),
            url,
            mirrors,
        })
    }

    /// A key that cannot have an effect is probably a mistake in the URL.
    fn useless_credentials(&mut self, url: &str, mirrors: &[String]) {
        let all = || std::iter::once(url).chain(mirrors.iter().map(String::as_str));
        let https = all().any(|url| url.starts_with("https://") || url.starts_with("http://"));
        let ssh = all()
            .any(|url| url.starts_with("ssh://") || !(url.contains("://") || url.starts_with('/')));
        for (used, way, keys) in [
            (https, "https", ["token_file", "client_cert", "ca_file"].as_slice()),
            (ssh, "ssh", ["ssh_key", "known_hosts"].as_slice()),
        ] {
            for key in keys {
                let key = format!("repository.{key}");
                if let (false, Some(place)) = (used, self.place(&key)) {
                    self.warnings.push(format!(
                        "{place}: `{key}` has no effect: no URL of the repository is one of {way}"
                    ));
                }
            }
        }
    }

    fn client(&mut self) -> Option<(PathBuf, PathBuf)> {
        let (certificate, key) = ("repository.client_cert", "repository.client_key");
        match (self.path(certificate), self.path(key)) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (given, _) => {
                let (there, missing) =
                    if given.is_some() { (certificate, key) } else { (key, certificate) };
                let message = format!("`{there}` is of no use without `{missing}`");
                self.problem(self.place(there), message, "set both or neither");
                None
            }
        }
    }

    fn verify(&mut self) -> Verify {
        let mode = self.text("repository.verify.mode");
        let allowed_signers = self.path("repository.verify.allowed_signers");
        let openpgp_keyring = self.path("repository.verify.openpgp_keyring");
        let keys = allowed_signers.is_some() || openpgp_keyring.is_some();
        match (mode.as_deref(), keys) {
            (Some("none"), _) => {
                if let Some(place) = self.place("repository.verify.mode") {
                    self.warnings.push(format!(
                        "{place}: commits are not verified (`repository.verify.mode` is \"none\")"
                    ));
                }
                Verify::Anything
            }
            (Some("signed") | None, true) => Verify::Signed { allowed_signers, openpgp_keyring },
            (Some(_), _) => {
                let message = "signatures are demanded, but nobody may sign".to_owned();
                let hint = "set `allowed_signers` or `openpgp_keyring` in [repository.verify]";
                self.problem(self.place("repository.verify.mode"), message, hint);
                Verify::Anything
            }
            (None, false) => {
                let message = "it is not said which commits to believe".to_owned();
                let hint = "in [repository.verify] set `allowed_signers` or `openpgp_keyring`, or \
                            `mode = \"none\"` to believe whatever the server says";
                self.problem(self.place("repository.url"), message, hint);
                Verify::Anything
            }
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            max_pack_bytes: self.number("repository.limits.max_pack_bytes", u64::MAX),
            max_blob_bytes: self.number("repository.limits.max_blob_bytes", u64::MAX),
            max_total_bytes: self.number("repository.limits.max_total_bytes", u64::MAX),
            max_files: self.number("repository.limits.max_files", u32::MAX),
            deadline: self.duration("repository.limits.deadline"),
        }
    }

    fn agent(&self) -> Agent {
        Agent {
            mode: match self.text("agent.mode").as_deref() {
                Some("enforce") => Mode::Enforce,
                _ => Mode::Audit,
            },
            interval: self.duration("agent.interval"),
            splay: self.duration("agent.splay"),
            watch: self.flag("agent.watch"),
            run_timeout: self.duration("agent.run_timeout"),
            repair: self.flag("agent.repair"),
        }
    }

    fn reports(&self) -> Reports {
        Reports {
            keep_runs: self.number("reports.keep_runs", u32::MAX),
            keep_days: self.number("reports.keep_days", u32::MAX),
            textfile: self.path("reports.textfile"),
        }
    }
}

fn check(form: Form, value: &Raw) -> Result<(), String> {
    match (form, value) {
        (Form::Url, Raw::Text(text)) => values::url(text),
        (Form::Urls, Raw::Texts(texts)) => {
            texts.iter().enumerate().try_for_each(|(index, text)| {
                values::url(text).map_err(|message| format!("number {}: {message}", index + 1))
            })
        }
        (Form::Branch, Raw::Text(text)) => values::branch(text),
        (Form::RepositoryPath, Raw::Text(text)) => values::repository_path(text),
        (Form::Path(_), Raw::Text(text)) => values::absolute_path(text),
        (Form::Word(words), Raw::Text(text)) if !words.contains(&text.as_str()) => {
            let hint = schema::nearest(text, words).map_or_else(
                || format!("use {}", words.join(" or ")),
                |near| format!("did you mean `{near}`?"),
            );
            Err(format!("{text:?} is unknown; {hint}"))
        }
        (Form::Duration(least), Raw::Text(text)) => {
            if values::duration(text)? < Duration::from_secs(least) {
                return Err(format!("{text:?} is too short; at least {least}s"));
            }
            Ok(())
        }
        (Form::Number(least), Raw::Number(number)) if *number < least => {
            Err(format!("{number} is too small; at least {least}"))
        }
        _ => Ok(()),
    }
}
