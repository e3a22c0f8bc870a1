//! The resident agent as a service: it enforces at boot without a network, follows the repository,
//! keeps the last good revision when a bad one comes, pauses, rolls back, reloads, stops in time,
//! and starts anew when its program is replaced.

use std::time::Duration;

use serde_json::Value;
use steadfast_tests::fleet::{Fleet, LONG, SITE, motd, outcome};
use steadfast_tests::git::PolicyRepository;
use steadfast_tests::host::{Suite, TestHost};

#[test]
fn it_follows_the_repository_and_keeps_what_is_good() {
    let mut fleet = Fleet::new(Suite::Bookworm, "");
    fleet.start();
    fleet.wait_for("the first run", |_| fleet.motd() == "one\n");
    assert_eq!(fleet.host.must("systemctl is-active steadfast"), "active");

    // A push arrives by itself.
    let good = fleet.repository.commit(&[("policies/motd.toml", &motd("two"))]);
    fleet.wait_for("the second revision", |_| fleet.motd() == "two\n");

    // Drift goes by itself, with the next pass at the latest.
    fleet.host.write("/etc/motd", "mine\n");
    fleet.wait_for("the correction", |_| fleet.motd() == "two\n");

    // A revision that does not parse: the good one is still enforced, and nobody can overlook it.
    fleet.repository.commit(&[("policies/motd.toml", "[file.\n")]);
    fleet.wait_for("the refusal", |status| outcome(status) == "failed");
    fleet.host.write("/etc/motd", "mine\n");
    fleet.wait_for("the correction meanwhile", |_| fleet.motd() == "two\n");
    let status = fleet.status();
    assert_eq!(status["agent"]["last_run"]["revision"]["commit"], good.as_str(), "{status:#}");
    assert!(status["agent"]["last_run"]["wanted"]["commit"].is_string(), "{status:#}");
    let text = fleet.host.command(&["steadfast", "status"]).run().code(3).stdout;
    assert!(text.contains("refused") && text.contains("stays in force"), "{text}");

    // Mended.
    fleet.repository.commit(&[("policies/motd.toml", &motd("three"))]);
    fleet.wait_for("the third revision", |status| {
        fleet.motd() == "three\n" && outcome(status) != "failed"
    });

    // Rolled back for a while, then not.
    let rolled = fleet.host.sh("steadfast rollback --for 1h --reason 'three is bad'");
    assert_eq!(fleet.motd(), "two\n", "{}{}", rolled.stdout, rolled.stderr);
    fleet.host.write("/etc/motd", "mine\n");
    fleet.host.must("steadfast run");
    assert_eq!(fleet.motd(), "two\n", "the held revision is what is enforced");
    assert!(fleet.host.run(&["steadfast", "status"]).stdout.contains("held at"));
    fleet.host.must("steadfast rollback --end");
    assert_eq!(fleet.motd(), "three\n");
}

#[test]
fn it_pauses_reloads_and_stops() {
    let fleet = Fleet::new(Suite::Trixie, "");
    fleet.start();
    fleet.wait_for("the first run", |_| fleet.motd() == "one\n");

    fleet.host.must("steadfast pause --for 1h --reason 'moving a database'");
    fleet.host.write("/etc/motd", "mine\n");
    fleet.wait_for("drift that stays", |status| outcome(status) == "drifted");
    assert_eq!(fleet.motd(), "mine\n");
    let report = fleet.host.must("steadfast report");
    assert!(report.contains("paused") && report.contains("moving a database"), "{report}");
    fleet.host.must("steadfast resume");
    assert_eq!(fleet.motd(), "one\n");

    // It ends by itself, too.
    fleet.host.must("steadfast pause --for 3s --reason short");
    fleet.host.write("/etc/motd", "mine\n");
    fleet.wait_for("the end of the pause", |_| fleet.motd() == "one\n");

    // A wrong configuration is not used; the agent goes on and says so.
    let pid = fleet.pid();
    fleet.host.must("printf '[agent]\\nintervall = \"1s\"\\n' >/etc/steadfast/agent.toml.d/x.toml \
                     || { mkdir -p /etc/steadfast/agent.toml.d; \
                     printf '[agent]\\nintervall = \"1s\"\\n' >/etc/steadfast/agent.toml.d/x.toml; }; \
                     systemctl reload steadfast");
    fleet.wait_for("the complaint", |status| status["agent"]["configuration"].is_string());
    fleet.host.must(
        "printf '[agent]\\nmode = \"audit\"\\n' >/etc/steadfast/agent.toml.d/x.toml; \
                     systemctl reload steadfast",
    );
    fleet.wait_for("audit mode", |status| {
        status["agent"]["mode"] == "audit" && status["agent"]["configuration"].is_null()
    });
    fleet.host.write("/etc/motd", "mine\n");
    fleet.wait_for("drift in audit mode", |status| outcome(status) == "drifted");
    assert_eq!(fleet.motd(), "mine\n");
    assert_eq!(fleet.pid(), pid, "it is still the same process");

    // A pause ends on the minute, also where nothing else is due, and whoever asks meanwhile.
    fleet.host.must(
        "printf '[agent]\\ninterval = \"1h\"\\nmode = \"enforce\"\\n' \
         >/etc/steadfast/agent.toml.d/x.toml; systemctl reload steadfast",
    );
    fleet.wait_for("enforcing again", |status| status["agent"]["mode"] == "enforce");
    // What comes after two corrections would be a fight; a run by hand ends that.
    fleet.host.must("steadfast run");
    assert_eq!(fleet.motd(), "one\n");
    fleet.host.must("steadfast pause --for 3s --reason short");
    fleet.host.write("/etc/motd", "mine\n");
    fleet.wait_for("the end of the second pause", |_| fleet.motd() == "one\n");

    fleet.host.must("systemctl stop steadfast");
    assert_eq!(fleet.host.must("systemctl show --value --property Result steadfast"), "success");
    fleet.host.command(&["steadfast", "status"]).run().code(1);
    fleet.host.command(&["steadfast", "run"]).run().code(1);
}

#[test]
fn without_a_network_the_last_good_revision_is_enforced_at_boot() {
    let mut fleet = Fleet::new(Suite::Bookworm, "");
    fleet.host.must("systemctl enable steadfast");
    fleet.start();
    fleet.wait_for("the first run", |_| fleet.motd() == "one\n");
    fleet.server.stop();
    fleet.host.write("/etc/motd", "mine\n");
    fleet.host.reboot();
    fleet.wait_for("the correction at boot", |_| fleet.motd() == "one\n");
    fleet.wait_for("the server's silence", |status| {
        status["agent"]["polling"]["failure"].is_string()
    });
    fleet.wait_for("a report of it", |status| {
        let messages = status["messages"].as_array().cloned().unwrap_or_default();
        messages.iter().any(|text| text.as_str().unwrap_or_default().contains("has not answered"))
    });
}

#[test]
fn a_run_can_be_asked_for_and_followed() {
    let fleet = Fleet::new(Suite::Bookworm, "");
    fleet.start();
    fleet.wait_for("the first run", |_| fleet.motd() == "one\n");
    fleet.host.write("/etc/motd", "mine\n");
    let output = fleet.host.run(&["steadfast", "run", "--json"]);
    let output = output.success();
    let events: Vec<Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events.last().expect("events")["event"], "ended", "{events:#?}");

    // Root and the group get in, nobody else.
    fleet.host.must(
        "groupadd --system steadfast; useradd -G steadfast alice; useradd bob; \
         systemctl restart steadfast",
    );
    fleet.wait_for("the agent again", |status| status["agent"]["pid"].is_number());
    let mode = fleet.host.must("stat -c '%a %U %G' /run/steadfast/agent.sock /run/steadfast");
    assert_eq!(mode, "660 root steadfast\n755 root root");
    let as_user = |user: &str, words: &str| {
        fleet.host.run(&[
            "setpriv",
            "--reuid",
            user,
            "--regid",
            user,
            "--init-groups",
            "sh",
            "-c",
            words,
        ])
    };
    as_user("alice", "steadfast run").success();
    let refused = as_user("alice", "steadfast rollback 0123456789 --for 1h --reason x").code(1);
    assert!(refused.stderr.contains("only root"), "{}", refused.stderr);
    // The agent itself says no as well.
    let refused = as_user(
        "alice",
        "perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(\"/run/steadfast/agent.sock\"); \
         print $s \"DELETE /v1/rollback HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n\"; print <$s>'",
    );
    assert!(refused.success().stdout.starts_with("HTTP/1.1 403 "));
    let metrics = fleet.host.must(
        "perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(\"/run/steadfast/agent.sock\"); \
         print $s \"GET /metrics HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n\"; print <$s>'",
    );
    assert!(metrics.contains("steadfast_repository_failures 0"), "{metrics}");
    assert!(metrics.contains("steadfast_resources_left_alone 0"), "{metrics}");
    let refused = as_user("bob", "steadfast run");
    let refused = refused.code(1);
    assert!(refused.stderr.contains("only root and members"), "{}", refused.stderr);
}

#[test]
fn a_new_program_takes_over_with_the_same_process() {
    let repository =
        PolicyRepository::with(&[("site.toml", SITE), ("policies/motd.toml", &motd("one"))]);
    let fleet = Fleet::on(TestHost::boot(Suite::Bookworm), repository, "");
    // The program of a test host is a bind mount, which nothing can replace.
    let program = "/usr/local/sbin/steadfast";
    fleet.host.must(&format!(
        "cp /usr/bin/steadfast {program}; mkdir -p /etc/systemd/system/steadfast.service.d; \
         printf '[Service]\nExecStart=\nExecStart={program} agent\n' \
         >/etc/systemd/system/steadfast.service.d/program.conf; systemctl daemon-reload"
    ));
    fleet.start();
    fleet.wait_for("the first run", |_| fleet.motd() == "one\n");
    let pid = fleet.pid();
    let exe = format!("readlink /proc/{pid}/exe; stat -Lc %i /proc/{pid}/exe");
    let before = fleet.host.must(&exe);
    fleet.host.must(&format!("cp {program} /usr/local/new && mv /usr/local/new {program}"));
    fleet.host.wait_until("the new program", LONG, || {
        let now = fleet.host.sh(&exe).stdout;
        !now.contains("deleted") && !now.is_empty() && now.trim() != before
    });
    fleet.wait_for("the agent again", |status| status["agent"]["pid"].is_number());
    assert_eq!(fleet.pid(), pid);
    assert_eq!(fleet.host.must("systemctl show --value --property NRestarts steadfast"), "0");
    fleet.host.write("/etc/motd", "mine\n");
    fleet.wait_for("the correction", |_| fleet.motd() == "one\n");
}

#[test]
fn drift_is_corrected_at_once_and_the_report_says_who() {
    let policy = motd("one");
    let repository =
        PolicyRepository::with(&[("site.toml", SITE), ("policies/motd.toml", &policy)]);
    let host = TestHost::options(Suite::Bookworm).with_fanotify().boot();
    let fleet = Fleet::on(host, repository, "");
    fleet.host.must("sed -i 's/interval = .*/interval = \"1h\"/' /etc/steadfast/agent.toml");
    fleet.start();
    fleet.wait_for("the first run", |status| {
        outcome(status) == "changed" || outcome(status) == "converged"
    });
    let watching = fleet.status()["agent"]["watching"].as_str().unwrap_or_default().to_owned();
    assert!(watching.contains("fanotify"), "{watching}");
    fleet.host.must("sh -c 'echo mine >/etc/motd; sleep 1'");
    fleet.host.wait_until("the correction", Duration::from_secs(5), || fleet.motd() == "one\n");
    fleet.wait_for("the report", |status| outcome(status) == "corrected");
    let report = fleet.host.must("steadfast report");
    assert!(report.contains("(event, enforce)"), "{report}");
    assert!(report.contains("by dash (pid ") || report.contains("by sh (pid "), "{report}");
}

#[test]
fn what_it_cannot_do_is_never_taken_for_done() {
    let fleet = Fleet::new(Suite::Bookworm, "");
    fleet.start();
    fleet.wait_for("the first run", |_| fleet.motd() == "one\n");
    // Without its copy of the repository it enforces what it has in memory, and says so.
    fleet.host.must(
        "rm -rf /var/lib/steadfast/repository; touch /var/lib/steadfast/repository; \
         echo mine >/etc/motd",
    );
    fleet.wait_for("the correction", |status| {
        fleet.motd() == "one\n"
            && outcome(status) == "failed"
            && status["messages"].to_string().contains("stays in force")
    });
    fleet.host.must("rm /var/lib/steadfast/repository");
    fleet.wait_for("a new copy", |status| outcome(status) == "converged");

    // Watching can be switched off and on; the process stays the same.
    let pid = fleet.pid();
    let set = |text: &str| {
        fleet.host.write("/etc/steadfast/agent.toml.d/x.toml", text);
        fleet.host.must("systemctl reload steadfast");
    };
    set("[agent]\nwatch = false\n");
    fleet.wait_for("no watcher", |status| status["agent"]["watching"] == "at every interval");
    set("[agent]\nwatch = true\n");
    fleet.wait_for("a watcher", |status| {
        status["agent"]["watching"].as_str().is_some_and(|text| text.contains("notify"))
    });
    assert_eq!(fleet.pid(), pid);

    // Signatures cannot be verified yet: nothing is enforced, which must not look like peace.
    fleet.host.write("/etc/steadfast/signers", "a@example.com ssh-ed25519 AAAA\n");
    set("[repository.verify]\nmode = \"signed\"\nallowed_signers = \"/etc/steadfast/signers\"\n");
    fleet.wait_for("the refusal", |status| {
        outcome(status) == "failed" && status["messages"].to_string().contains("signed commits")
    });
    fleet.host.command(&["steadfast", "status"]).run().code(3);
    fleet.host.write("/etc/motd", "mine\n");
    fleet.host.command(&["steadfast", "run"]).run().code(3);
    assert_eq!(fleet.motd(), "mine\n", "not by an event either");
}
