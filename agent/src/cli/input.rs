//! What a command works on: the managed host (settings, facts) and the policies (a directory, a
//! commit, or a single file).

mod tracing;

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use steadfast_policies::{
    Catalog, Diagnostics, Repository, TestResults, evaluate, evaluate_policy, evaluate_recorded,
    validate, validate_policy,
};
use steadfast_resources::{Failure, Registry};

use super::{CommandError, Exit, Locations};
use crate::managed::ManagedHost;
use crate::output::{Output, PlanDocument};
use crate::report::Revision;
use crate::source::{
    DirectoryIdentity, Limits, RepositoryArgument, RevisionId, Source, SourceSettings,
    WorkingDirectory, helper_main,
};

/// Where copies go that nobody keeps.
const TEMPORARY_DIRECTORY: &str = "/tmp";

/// The host with this root directory, with its own facts or those supposed.
pub(super) fn target(
    root: &Path,
    locations: &Locations,
    supposed: Option<serde_json::Value>,
) -> Result<ManagedHost, CommandError> {
    let root = root.canonicalize().map_err(|error| {
        CommandError::new(format!("cannot use the root directory {}", root.display()))
            .because(&error)
    })?;
    let settings = locations.settings()?;
    let state_directory = locations.state_directory(&root);
    let mut target = ManagedHost::new(root, state_directory, settings);
    match supposed {
        Some(facts) => target.facts = facts,
        None => target.gather_facts()?,
    }
    Ok(target)
}

/// Settings without facts: for what concerns no host.
pub(super) fn target_for_validation(
    root: &Path,
    locations: &Locations,
) -> Result<ManagedHost, CommandError> {
    let settings = locations.settings()?;
    Ok(ManagedHost::new(root.to_owned(), locations.state_directory(root), settings))
}

/// Where the copy of a Git repository goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CopyPlace {
    /// Into the state directory, for the next time.
    Kept,
    /// Into a directory that goes with the command, which changes nothing on the host.
    Temporary,
}

/// The policies that a command works with.
pub(super) struct Input {
    policies: Policies,
    /// What a report says about where they came from.
    pub(super) revision: Revision,
    /// Whether they are all this host should be, and not a single policy tried out.
    pub(super) whole_host: bool,
    /// Where the repository lies in its Git repository: empty, or a path that ends in a slash.
    pub(super) prefix: String,
    /// What the report should say about how they were got.
    pub(super) messages: Vec<String>,
    accepted: Option<(Source, RevisionId)>,
    /// The directory, where it is one.
    root: Option<PathBuf>,
    _copy: Option<tempfile::TempDir>,
}

enum Policies {
    Site(Box<dyn Repository>),
    Single { directory: Box<dyn Repository>, file: String, text: String },
}

impl Input {
    /// Opens what `argument` names: a directory, a policy file, a Git URL; without it, the
    /// configured repository.
    pub(super) fn open(
        argument: Option<&str>,
        target: &ManagedHost,
        place: CopyPlace,
        output: &Output,
    ) -> Result<Self, CommandError> {
        let Some(argument) = argument else {
            let Some(settings) = target.source() else {
                return Err(CommandError::new("no policy repository is named or configured")
                    .with_hint(
                        "name a directory, a policy file or a Git URL, or set repository.url in \
                         agent.toml",
                    ));
            };
            return Self::git(settings, target, true, place, output);
        };
        let here = std::env::current_dir()?;
        match RepositoryArgument::parse(argument, &here).map_err(|error| {
            CommandError::new(format!("cannot use {argument:?}")).because(&error)
        })? {
            RepositoryArgument::Directory(path) => Self::directory(&path),
            RepositoryArgument::PolicyFile(path) => Self::single(&path),
            RepositoryArgument::Git { url, branch } => {
                // The configured credentials are for the configured repository alone.
                let settings = match target.source() {
                    Some(configured) if configured.url == url => configured,
                    _ => SourceSettings::new(url),
                };
                Self::git(SourceSettings { branch, ..settings }, target, false, place, output)
            }
        }
    }

    fn directory(path: &Path) -> Result<Self, CommandError> {
        let directory = WorkingDirectory::open(path, &Limits::default())?;
        let revision = directory_revision(&directory);
        let root = Some(directory.root().to_owned());
        let prefix = prefix_in_git(directory.root());
        let policies = Policies::Site(Box::new(directory));
        Ok(Self {
            policies,
            revision,
            whole_host: true,
            prefix,
            messages: Vec::new(),
            accepted: None,
            root,
            _copy: None,
        })
    }

    fn single(path: &Path) -> Result<Self, CommandError> {
        let absolute = path.canonicalize()?;
        let parent = absolute.parent().unwrap_or(Path::new("/"));
        let name = absolute
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| CommandError::new("the policy file's name is not UTF-8"))?
            .to_owned();
        let directory = super::single::PolicyDirectory::new(parent);
        let text = std::fs::read_to_string(&absolute).map_err(|error| {
            CommandError::new(format!("cannot read the policy {}", absolute.display()))
                .because(&error)
        })?;
        let revision = Revision {
            source: absolute.display().to_string(),
            verification: "none: a single policy file".to_owned(),
            ..Revision::default()
        };
        let policies = Policies::Single { directory: Box::new(directory), file: name, text };
        Ok(Self {
            policies,
            revision,
            whole_host: false,
            prefix: String::new(),
            messages: Vec::new(),
            accepted: None,
            root: None,
            _copy: None,
        })
    }

    /// A commit. Where the configured repository cannot be reached, the last good one.
    fn git(
        settings: SourceSettings,
        target: &ManagedHost,
        configured: bool,
        place: CopyPlace,
        output: &Output,
    ) -> Result<Self, CommandError> {
        if configured && target.demands_signatures() {
            return Err(CommandError::new(
                "the configuration demands signed commits, and this version cannot verify them",
            )
            .with_hint(
                "set repository.verify.mode = \"none\" to believe whatever the server says, or wait \
                 for a version that can",
            )
            .with_exit(Exit::Refused));
        }
        let url = settings.url.clone();
        let temporary = match place {
            CopyPlace::Kept => None,
            CopyPlace::Temporary => Some(
                tempfile::Builder::new().prefix("steadfast-").tempdir_in(TEMPORARY_DIRECTORY)?,
            ),
        };
        let store = temporary.as_ref().map_or_else(
            || target.store_directory(&url, configured),
            |directory| directory.path().join("copy"),
        );
        let prefix = match settings.path.trim_matches('/') {
            "" | "." => String::new(),
            path => format!("{path}/"),
        };
        let last_good = (place == CopyPlace::Temporary && configured)
            .then(|| target.store_directory(&url, true))
            .filter(|kept| kept.exists());
        let source = Source::open(settings.clone(), &store)?;
        let mut messages = Vec::new();
        let (source, id, from) = match source.fetch() {
            Ok(fetched) => (source, fetched.revision, fetched.from),
            Err(error) if configured => {
                // What a plan works on is the run's own copy; a temporary one knows nothing yet.
                let source = last_good.map_or(Ok(source), |kept| Source::open(settings, &kept))?;
                let Ok(Some(good)) = source.good() else { return Err(error.into()) };
                let hint = error.hint();
                let reason = Failure::from_error(&error).reason;
                messages.push(format!("{reason}: revision {} stays in force", good.short()));
                messages.extend(hint);
                let from = source.location().to_string();
                (source, good, from)
            }
            Err(error) => return Err(error.into()),
        };
        for message in &messages {
            output.message(&format!("warning: {message}\n"));
        }
        let opened = source.revision(id)?;
        let revision = opened.information().described(&from);
        Ok(Self {
            policies: Policies::Site(Box::new(opened)),
            revision,
            whole_host: true,
            prefix,
            messages,
            accepted: Some((source, id)),
            root: None,
            _copy: temporary,
        })
    }

    /// The catalog for the host; its errors are printed.
    pub(super) fn evaluate(
        &self,
        target: &ManagedHost,
        output: &Output,
    ) -> Result<Catalog, CommandError> {
        let inputs = target.inputs();
        let registry = Registry::standard();
        let result = match &self.policies {
            Policies::Site(repository) => evaluate(repository.as_ref(), &inputs, &registry),
            Policies::Single { directory, file, text } => {
                evaluate_policy(directory.as_ref(), file, text, &inputs, &registry)
            }
        };
        result.map_err(|diagnostics| refused(&diagnostics, output))
    }

    /// The repository; `None` for a single policy file.
    pub(super) fn repository(&self) -> Option<&dyn Repository> {
        match &self.policies {
            Policies::Site(repository) => Some(repository.as_ref()),
            Policies::Single { .. } => None,
        }
    }

    /// The directory of the policies, where they are not a commit's.
    pub(super) fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The catalog that `repository` has for the host, with records of how it came to be.
    pub(super) fn recorded(
        repository: &dyn Repository,
        target: &ManagedHost,
    ) -> Result<Catalog, Diagnostics> {
        let inputs = target.inputs();
        evaluate_recorded(repository, &inputs, &Registry::standard())
    }

    /// Everything that is wrong with the policies, whatever the host.
    pub(super) fn validate(&self) -> Diagnostics {
        let registry = Registry::standard();
        match &self.policies {
            Policies::Site(repository) => validate(repository.as_ref(), &registry),
            Policies::Single { directory, file, text } => {
                validate_policy(directory.as_ref(), file, text, &registry)
            }
        }
    }

    /// What comes of the repository's own tests; `None` for a single policy file, which has none.
    pub(super) fn test(&self, filter: Option<&str>) -> Option<TestResults> {
        match &self.policies {
            Policies::Site(repository) => {
                Some(steadfast_policies::test(repository.as_ref(), &Registry::standard(), filter))
            }
            Policies::Single { .. } => None,
        }
    }

    /// Remembers, before the run changes anything, that the revision is the one in force: from here
    /// on a server that is out of reach must not lead back to an older one.
    pub(super) fn accepted(&self) -> Result<(), CommandError> {
        if let Some((source, id)) = &self.accepted {
            source.mark_good(*id)?;
        }
        Ok(())
    }
}

/// Where `directory` lies in the Git repository that it is part of.
fn prefix_in_git(directory: &Path) -> String {
    let top = directory.ancestors().find(|above| above.join(".git").exists());
    let below = top.and_then(|top| directory.strip_prefix(top).ok()?.to_str());
    match below {
        None | Some("") => String::new(),
        Some(below) => format!("{below}/"),
    }
}

fn refused(diagnostics: &Diagnostics, output: &Output) -> CommandError {
    let count = diagnostics.error_count();
    let noun = if count == 1 { "error" } else { "errors" };
    let mut error =
        CommandError::new(format!("{count} {noun} in the policy repository; nothing was changed"));
    error.details = Some(diagnostics.render(output.message_style.is_coloured()));
    error
}

fn directory_revision(directory: &WorkingDirectory) -> Revision {
    let identity = directory.identity();
    let mut revision = Revision {
        source: directory.root().display().to_string(),
        verification: format!("none: a directory, {identity}"),
        ..Revision::default()
    };
    if let DirectoryIdentity::Git { head: Some(head), modified: Some(false) } = &identity {
        let known = head.described("");
        revision.commit = known.commit;
        revision.author = known.author;
        revision.committed = known.committed;
        revision.subject = known.subject;
    }
    revision
}

/// The facts in a file.
pub(super) fn facts_from(file: &Path) -> Result<serde_json::Value, CommandError> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        CommandError::new(format!("cannot read the facts in {}", file.display())).because(&error)
    })?;
    serde_json::from_str(&text).map_err(|error| {
        CommandError::new(format!("the facts in {} are not JSON", file.display())).because(&error)
    })
}

/// A plan that `plan --out` has kept.
pub(super) fn read_plan(file: &Path) -> Result<PlanDocument, CommandError> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        CommandError::new(format!("cannot read the plan {}", file.display())).because(&error)
    })?;
    serde_json::from_str(&text).map_err(|error| {
        CommandError::new(format!("{} is not a plan of this version", file.display()))
            .because(&error)
            .with_hint("`steadfast plan --out FILE` writes one")
    })
}

/// Writes a file that must not exist yet, readable by its owner only.
pub(super) fn write_new(file: &Path, content: &[u8]) -> Result<(), CommandError> {
    let failed = |error: std::io::Error| {
        CommandError::new(format!("cannot write {}", file.display())).because(&error)
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut opened = options.open(file).map_err(failed)?;
    opened.write_all(content).map_err(failed)
}

/// Fetches for another process.
pub(super) fn fetch_helper() -> Exit {
    let ended = helper_main(std::io::stdin().lock(), std::io::stdout().lock());
    if ended == std::process::ExitCode::SUCCESS { Exit::Done } else { Exit::Failed }
}
