//! The managed host: its settings, its facts, and where the agent's state about it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use steadfast_policies::Inputs;
use steadfast_resources::facts::{Facts, FactsError};
use steadfast_resources::host::HostOptions;
use steadfast_resources::host::files::ContentMemory;

use crate::config::{Mode, Settings, Verify};
use crate::source::SourceSettings;

/// How long facts may take altogether.
const FACTS_TIME: Duration = Duration::from_secs(30);

/// The host that a command or the agent works on.
pub struct ManagedHost {
    /// Its root directory.
    pub root: PathBuf,
    /// Where the agent's state about it is.
    pub state_directory: PathBuf,
    /// The agent's settings.
    pub settings: Settings,
    /// What policies can know about it; null until it is gathered.
    pub facts: serde_json::Value,
    /// What the report should say about all this.
    pub messages: Vec<String>,
    /// What a resident agent remembers of contents from run to run.
    pub memory: Option<Arc<ContentMemory>>,
}

impl ManagedHost {
    /// A host whose facts are not known yet. `root` is canonical.
    pub fn new(root: PathBuf, state_directory: PathBuf, settings: Settings) -> Self {
        let messages = settings.warnings.clone();
        Self {
            root,
            state_directory,
            settings,
            facts: serde_json::Value::Null,
            messages,
            memory: None,
        }
    }

    /// Looks at the host; replaces what was known and said before.
    pub fn gather_facts(&mut self) -> Result<(), FactsError> {
        let gathered = Facts::gather(&self.root, Instant::now() + FACTS_TIME)?;
        self.facts = gathered.values;
        self.messages = self.settings.warnings.iter().cloned().chain(gathered.warnings).collect();
        Ok(())
    }

    /// Whether the host is configured to change nothing.
    pub fn audit(&self) -> bool {
        self.settings.agent.mode == Mode::Audit
    }

    /// Whether this is the running system and not an image.
    pub fn is_running_system(&self) -> bool {
        self.root == Path::new("/")
    }

    /// The configured policy repository.
    pub fn source(&self) -> Option<SourceSettings> {
        self.settings.repository.as_ref().map(SourceSettings::from)
    }

    /// Whether only signed commits are to be believed.
    pub fn demands_signatures(&self) -> bool {
        let configured = self.settings.repository.as_ref();
        configured.is_some_and(|source| matches!(source.verify, Verify::Signed { .. }))
    }

    /// How the machine is reached.
    pub fn host_options(&self) -> HostOptions {
        HostOptions {
            root: self.root.clone(),
            repair_packages: self.settings.agent.repair,
            memory: self.memory.clone(),
        }
    }

    /// What policies are evaluated with.
    pub fn inputs(&self) -> Inputs {
        Inputs { facts: self.facts.clone(), labels: self.settings.labels.clone() }
    }

    /// The host's name, as reports have it.
    pub fn host_name(&self) -> String {
        ["fqdn", "hostname"]
            .iter()
            .find_map(|key| self.facts.get(key)?.as_str().filter(|name| !name.is_empty()))
            .unwrap_or("localhost")
            .to_owned()
    }

    /// Where the copy of the repository at `url` is. The configured one has one place; every other
    /// URL has its own.
    pub fn store_directory(&self, url: &str, configured: bool) -> PathBuf {
        let name = if configured {
            "configured".to_owned()
        } else {
            crate::report::document_digest(url).chars().take(16).collect()
        };
        self.state_directory.join("repository").join(name)
    }
}
