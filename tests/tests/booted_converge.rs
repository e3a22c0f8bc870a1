//! The main job: a repository with all five kinds converges from https Git in one `apply`, a second
//! one changes nothing and says so, and every kind of drift is shown, corrected and gone.

use std::time::Duration;

use serde_json::Value;
use steadfast_tests::git::{GitServer, PolicyRepository};
use steadfast_tests::host::{Suite, TestHost};
use steadfast_tests::site;

const LONG: Duration = Duration::from_secs(180);

/// A booted host, its Git server, and the host's configuration for it.
struct Fleet {
    repository: PolicyRepository,
    _server: GitServer,
    host: TestHost,
}

fn borrowed<'a>(files: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    files.iter().map(|(path, content)| (*path, content.as_str())).collect()
}

fn fleet(suite: Suite) -> Fleet {
    let files = site::files("welcome");
    let repository = PolicyRepository::with(&borrowed(&files));
    let host = TestHost::boot(suite);
    host.publish_all();
    let server = GitServer::in_host(&repository, &host);
    let configuration = format!(
        "[repository]\nurl = \"{}\"\nbranch = \"main\"\nca_file = \"/etc/test-authority.pem\"\n\
         [repository.verify]\nmode = \"none\"\n",
        server.url()
    );
    host.write("/etc/steadfast/agent.toml", configuration);
    Fleet { repository, _server: server, host }
}

impl Fleet {
    fn steadfast(&self, words: &[&str], code: i32) -> String {
        let mut all = vec!["steadfast"];
        all.extend(words);
        self.host.command(&all).deadline(LONG).run().code(code).stdout
    }

    fn plan(&self, code: i32) -> Value {
        serde_json::from_str(&self.steadfast(&["plan", "--json"], code)).expect("the plan is JSON")
    }

    fn apply(&self, code: i32) -> Value {
        serde_json::from_str(&self.steadfast(&["apply", "--json"], code))
            .expect("the report is JSON")
    }
}

fn converges(suite: Suite) {
    let mut fleet = fleet(suite);
    let planned = fleet.plan(2);
    let total = planned["total"].as_u64().expect("a number");
    assert_eq!(planned["in_sync"], 0, "{planned:#}");
    assert!(
        planned["resources"].as_array().expect("a list").iter().all(|r| r["failure"].is_null()),
        "what rests on a package to come is conditional, not a failure: {planned:#}"
    );

    let report = fleet.apply(0);
    assert_eq!(report["outcome"], "changed", "{report:#}");
    // The package has started its service itself: that alone is in sync when its turn comes.
    assert_eq!(report["counts"]["changed"].as_u64(), Some(total), "{report:#}");
    assert_eq!(
        fleet.host.must("systemctl is-active sf-web; systemctl is-enabled sf-web"),
        "active\nenabled"
    );
    assert_eq!(
        fleet.host.must("stat -c '%a %U %G' /srv/www /srv/www/index.html"),
        "2775 sf-deploy sf-ops\n640 sf-deploy sf-ops"
    );
    assert_eq!(fleet.host.must("id -un 4201; id -gn sf-deploy"), "sf-deploy\nsf-ops");
    assert_eq!(fleet.host.must("apt-mark showhold"), "sf-web");

    let quiet = fleet.apply(0);
    assert_eq!(quiet["outcome"], "converged", "{quiet:#}");
    assert_eq!(quiet["counts"]["in_sync"].as_u64(), Some(total), "{quiet:#}");
    assert!(fleet.steadfast(&["plan"], 0).contains("Nothing to do"));
    assert!(fleet.steadfast(&["apply"], 0).contains("nothing to do"));

    // A new commit: an intentional change, and exactly one restart of the running service.
    let starts = fleet.host.must("grep -c ^start /var/lib/sf-web/history");
    let files = site::files("good day");
    fleet.repository.commit(&borrowed(&files));
    let report = fleet.apply(0);
    assert_eq!(report["outcome"], "changed", "{report:#}");
    assert_eq!(report["counts"]["notified"], 1, "{report:#}");
    assert_eq!(fleet.host.must("tail -n 1 /var/lib/sf-web/history"), "start good day");
    let now: u32 =
        fleet.host.must("grep -c ^start /var/lib/sf-web/history").parse().expect("a number");
    assert_eq!(now, starts.parse::<u32>().expect("a number") + 1);

    for drift in DRIFTS {
        fleet.drifts(drift);
    }
}

/// A way in which somebody changes the host behind our back.
struct Drift {
    what: &'static str,
    script: &'static str,
    /// Kind and title of the resource that shows it.
    resource: &'static str,
    /// Put right by other steps than the drifted resource's own (a removed package's service).
    more: bool,
}

const fn drift(what: &'static str, script: &'static str, resource: &'static str) -> Drift {
    Drift { what, script, resource, more: false }
}

const INDEX: &str = "file /srv/www/index.html";

const DRIFTS: &[Drift] = &[
    drift("content", "echo defaced > /srv/www/index.html", INDEX),
    drift("mode", "chmod 0666 /srv/www/index.html", INDEX),
    drift("owner", "chown nobody /srv/www/index.html", INDEX),
    drift("group", "chgrp nogroup /srv/www/index.html", INDEX),
    drift(
        "type: directory",
        "rm /srv/www/index.html; mkdir /srv/www/index.html; touch /srv/www/index.html/in",
        INDEX,
    ),
    drift("type: link", "ln -sf /etc/passwd /srv/www/index.html", INDEX),
    drift("type: FIFO", "rm /srv/www/index.html; mkfifo /srv/www/index.html", INDEX),
    drift("deleted", "rm /srv/www/index.html", INDEX),
    drift("link's target", "ln -sfn /etc /srv/www/current", "file /srv/www/current"),
    drift("directory's mode", "chmod 0700 /srv/www", "file /srv/www"),
    Drift {
        what: "package removed",
        script: "apt-get remove -y --allow-change-held-packages sf-web",
        resource: "package sf-web",
        more: true,
    },
    Drift {
        what: "package downgraded",
        script: "apt-get install -y --allow-downgrades --allow-change-held-packages sf-web=1.0-1 && apt-mark hold sf-web",
        resource: "package sf-web",
        more: true,
    },
    drift("hold lost", "apt-mark unhold sf-web", "package sf-web"),
    drift("service stopped", "systemctl stop sf-web", "service sf-web"),
    drift("service disabled", "systemctl disable sf-web", "service sf-web"),
    drift("service masked", "systemctl mask --now sf-web", "service sf-web"),
    drift("shell", "usermod -s /bin/sh sf-deploy", "user sf-deploy"),
    drift("home", "usermod -d /home/elsewhere sf-deploy", "user sf-deploy"),
    drift("groups", "gpasswd -d sf-deploy www-data", "user sf-deploy"),
    drift("password", "printf 'sf-deploy:$6$other$abc' | chpasswd -e", "user sf-deploy"),
    drift("lock", "usermod -L sf-deploy", "user sf-deploy"),
    drift("expiry", "chage -E 2030-12-24 sf-deploy", "user sf-deploy"),
    Drift {
        what: "user removed",
        script: "userdel -r sf-deploy 2>/dev/null || userdel -rf sf-deploy",
        resource: "user sf-deploy",
        more: true,
    },
    Drift {
        what: "gid",
        script: "groupmod -g 4999 sf-readers",
        resource: "group sf-readers",
        more: false,
    },
    drift("members", "gpasswd -a nobody sf-readers", "group sf-readers"),
];

impl Fleet {
    fn drifts(&self, drift: &Drift) {
        let what = drift.what;
        // systemd refuses the sixth start within ten seconds, and here are a dozen.
        self.host.sh("systemctl reset-failed sf-web");
        self.host.must(drift.script);
        let planned = self.plan(2);
        let resources = planned["resources"].as_array().expect("a list");
        let shown = resources.iter().any(|resource| {
            let name = format!("{} {}", resource["kind"], resource["title"]).replace('"', "");
            name == drift.resource && resource["intent"] == "drift"
        });
        assert!(shown, "{what}: the plan does not show it: {planned:#}");
        assert!(drift.more || resources.len() == 1, "{what}: the plan shows more: {planned:#}");
        let report = self.apply(0);
        assert_eq!(report["outcome"], "corrected", "{what}: {report:#}");
        let quiet = self.plan(0);
        assert_eq!(quiet["resources"].as_array().map(Vec::len), Some(0), "{what}: {quiet:#}");
        assert_eq!(
            self.host.must("systemctl is-active sf-web; systemctl is-enabled sf-web"),
            "active\nenabled",
            "{what}"
        );
    }
}

#[test]
fn five_kinds_converge_and_drift_is_corrected_on_debian_12() {
    converges(Suite::Bookworm);
}

#[test]
fn five_kinds_converge_and_drift_is_corrected_on_debian_13() {
    converges(Suite::Trixie);
}
