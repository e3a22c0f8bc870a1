//! A booted host with the agent as its service, and the Git server that it follows.

use std::time::Duration;

use serde_json::Value;

use crate::git::{GitServer, PolicyRepository};
use crate::host::{Suite, TestHost};

/// How long anything may take here.
pub const LONG: Duration = Duration::from_secs(60);

/// A site that gives every host the policy `motd`.
pub const SITE: &str = "[[assign]]\nhosts = \"*\"\npolicies = [\"motd\"]\n";

/// A policy of one file.
pub fn motd(text: &str) -> String {
    format!("[file.\"/etc/motd\"]\ncontent = \"{text}\\n\"\nmode = \"0644\"\n")
}

/// The host, its agent's repository and its server.
pub struct Fleet {
    /// The policy repository.
    pub repository: PolicyRepository,
    /// Its server, in the host.
    pub server: GitServer,
    /// The host.
    pub host: TestHost,
}

impl Fleet {
    /// A host of this release whose agent is configured, with `agent` at the end of its agent.toml, and not started.
    pub fn new(suite: Suite, agent: &str) -> Self {
        let repository =
            PolicyRepository::with(&[("site.toml", SITE), ("policies/motd.toml", &motd("one"))]);
        Self::on(TestHost::boot(suite), repository, agent)
    }

    /// The same with this host and repository.
    pub fn on(host: TestHost, repository: PolicyRepository, agent: &str) -> Self {
        let server = GitServer::in_host(&repository, &host);
        host.write(
            "/etc/steadfast/agent.toml",
            format!(
                "[repository]\nurl = \"{}\"\nbranch = \"main\"\nca_file = \"/etc/test-authority.pem\"\n\
                 [repository.verify]\nmode = \"none\"\n[agent]\ninterval = \"2s\"\nsplay = \"0s\"\n{agent}",
                server.url()
            ),
        );
        let unit = include_str!("../../packaging/systemd/steadfast.service");
        host.write("/etc/systemd/system/steadfast.service", unit);
        host.must("systemctl daemon-reload");
        Self { repository, server, host }
    }

    /// Starts the agent.
    pub fn start(&self) {
        self.host.must("systemctl start steadfast");
    }

    /// What `steadfast status --json` says; null where it says nothing.
    pub fn status(&self) -> Value {
        let output = self.host.run(&["steadfast", "status", "--json"]);
        serde_json::from_str(&output.stdout).unwrap_or(Value::Null)
    }

    /// Looks at the status until `condition` holds.
    #[track_caller]
    pub fn wait_for(&self, what: &str, condition: impl Fn(&Value) -> bool) {
        let mut last = Value::Null;
        self.host.wait_until(what, LONG, || {
            last = self.status();
            condition(&last)
        });
    }

    /// The content of /etc/motd.
    pub fn motd(&self) -> String {
        self.host.run(&["cat", "/etc/motd"]).stdout
    }

    /// The agent's process id.
    pub fn pid(&self) -> String {
        self.host.must("systemctl show --value --property MainPID steadfast")
    }
}

/// How the host is, in a word.
pub fn outcome(status: &Value) -> &str {
    status["outcome"].as_str().unwrap_or_default()
}
