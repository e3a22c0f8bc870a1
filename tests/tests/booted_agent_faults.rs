//! The agent among faults: killed again and again, its database gone or damaged, its disk full, a
//! fact that hangs, a thousand files changed at once, a thousand clients.

use std::time::{Duration, Instant};

use serde_json::Value;
use steadfast_tests::fleet::{Fleet, LONG, SITE, motd, outcome};
use steadfast_tests::git::{Fault, PolicyRepository};
use steadfast_tests::host::{Suite, TestHost};

/// The second number of `steadfast status`'s agent, which every start changes.
fn started(status: &Value) -> String {
    status["agent"]["started"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn killed_a_hundred_times_it_loses_nothing() {
    let fleet = Fleet::new(Suite::Bookworm, "watch = false\n");
    fleet.host.must(
        "mkdir -p /etc/systemd/system/steadfast.service.d; \
         printf '[Service]\nRestartSec=0\n' >/etc/systemd/system/steadfast.service.d/soon.conf; \
         systemctl daemon-reload",
    );
    fleet.start();
    fleet.wait_for("the first run", |_| fleet.motd() == "one\n");
    // Killed at whatever it is doing: starting, evaluating, writing the file, keeping the report.
    fleet
        .host
        .command(&[
            "sh",
            "-c",
            "last=0; for turn in $(seq 100); do \
                 echo \"drift $turn\" >/etc/motd; pid=$last; \
                 while [ \"$pid\" = 0 ] || [ \"$pid\" = \"$last\" ]; do \
                     pid=$(systemctl show --value --property MainPID steadfast); done; \
                 last=$pid; sleep 0.0$((turn % 10)); \
                 kill -9 \"$pid\"; \
             done",
        ])
        .deadline(LONG * 4)
        .run()
        .success();
    fleet.wait_for("the correction", |_| fleet.motd() == "one\n");
    fleet.wait_for("calm", |status| status["outcome"] == "converged");
    fleet.host.must("steadfast report --verify");
    assert_eq!(fleet.host.must("ls -A /etc | grep -F .steadfast. || true"), "", "nothing is left");
    let restarts = fleet.host.must("systemctl show --value --property NRestarts steadfast");
    assert!(restarts.parse::<u32>().expect("a number") >= 99, "{restarts}");
}

#[test]
fn a_database_that_goes_or_is_damaged_is_built_anew_under_the_agent() {
    let fleet = Fleet::new(Suite::Trixie, "");
    fleet.start();
    fleet.wait_for("the first run", |_| fleet.motd() == "one\n");
    let started_at = started(&fleet.status());
    fleet.host.must("rm -f /var/lib/steadfast/state.sqlite*");
    fleet.host.write("/etc/motd", "mine\n");
    fleet.wait_for("the correction without a database", |_| fleet.motd() == "one\n");
    fleet.host.wait_until("a new database", LONG, || {
        fleet.host.run(&["steadfast", "report"]).stdout.contains("Run ")
    });
    fleet.host.must(
        "dd if=/dev/urandom of=/var/lib/steadfast/state.sqlite bs=4096 count=8 conv=notrunc \
         status=none; rm -f /var/lib/steadfast/state.sqlite-*",
    );
    fleet.host.write("/etc/motd", "mine\n");
    fleet.host.must("systemctl reload steadfast");
    fleet.wait_for("the correction with a damaged one", |_| fleet.motd() == "one\n");
    fleet.host.wait_until("a readable database", LONG, || {
        let report = fleet.host.run(&["steadfast", "report"]);
        report.stdout.contains("Run ") && !report.stderr.contains("damaged")
    });
    assert_eq!(started(&fleet.status()), started_at, "it is the same agent");
}

#[test]
fn a_full_disk_keeps_it_from_reports_only_and_only_while_it_is_full() {
    let repository =
        PolicyRepository::with(&[("site.toml", SITE), ("policies/motd.toml", &motd("one"))]);
    let host = TestHost::options(Suite::Bookworm).small_disk("/var/lib/steadfast", 4096).boot();
    let fleet = Fleet::on(host, repository, "");
    fleet.start();
    fleet.wait_for("the first run", |_| fleet.motd() == "one\n");
    let newest = || {
        let report = fleet.host.run(&["steadfast", "report", "--json"]).stdout;
        let report: Value = serde_json::from_str(&report).unwrap_or_default();
        (report["id"].clone(), report["outcome"].clone())
    };
    fleet.host.sh("dd if=/dev/zero of=/var/lib/steadfast/ballast bs=1k 2>/dev/null; sync");
    fleet.host.write("/etc/motd", "mine\n");
    // The content that would be replaced cannot be kept: that fails, and says so.
    fleet.wait_for("the failure", |status| outcome(status) == "failed");
    assert_eq!(fleet.motd(), "mine\n");
    let kept = newest();
    fleet.host.must("rm /var/lib/steadfast/ballast");
    fleet.wait_for("the correction", |status| {
        fleet.motd() == "one\n" && outcome(status) != "failed"
    });
    fleet.host.wait_until("a kept report", LONG, || {
        let (id, outcome) = newest();
        id != kept.0 && outcome != "failed" && id.is_string()
    });
}

#[test]
fn a_fact_that_hangs_delays_a_run_and_nothing_else() {
    let fleet = Fleet::new(Suite::Bookworm, "");
    fleet.host.must(
        "mkdir -p /etc/steadfast/facts.d; \
         printf '#!/bin/sh\nsleep 1000\n' >/etc/steadfast/facts.d/slow; \
         chmod 755 /etc/steadfast/facts.d/slow",
    );
    fleet.start();
    fleet.wait_for("the run at work", |status| status["agent"]["running"].is_object());
    let asked = Instant::now();
    assert!(fleet.status()["agent"].is_object());
    assert!(asked.elapsed() < Duration::from_secs(5), "it answers meanwhile");
    fleet.wait_for("the first run", |_| fleet.motd() == "one\n");
    fleet.wait_for("the complaint", |status| status["messages"].to_string().contains("slow"));
    fleet.host.must("systemctl stop steadfast");
}

#[test]
fn many_files_changed_at_once_are_all_mended() {
    const FILES: usize = 2000;
    let mut policy = String::new();
    for number in 0..FILES {
        use std::fmt::Write;
        let _ = writeln!(policy, "[file.\"/srv/f{number}\"]\ncontent = \"{number}\\n\"");
    }
    let repository =
        PolicyRepository::with(&[("site.toml", SITE), ("policies/motd.toml", &policy)]);
    let host = TestHost::options(Suite::Bookworm).with_fanotify().boot();
    let fleet = Fleet::on(host, repository, "");
    fleet.host.must("sed -i 's/interval = .*/interval = \"1h\"/' /etc/steadfast/agent.toml");
    fleet.start();
    let all = || fleet.host.sh("cat /srv/f* 2>/dev/null | sort -n | md5sum").stdout;
    let wanted = fleet.host.must(&format!("seq 0 {} | md5sum", FILES - 1)) + "\n";
    fleet.wait_for("the first run", |_| all() == wanted);
    fleet.host.must("for file in /srv/f*; do echo drift >$file; done");
    fleet.wait_for("the corrections", |_| all() == wanted);
}

#[test]
fn a_thousand_clients_do_not_keep_it_from_its_work() {
    let fleet = Fleet::new(Suite::Bookworm, "");
    fleet.start();
    fleet.wait_for("the first run", |_| fleet.motd() == "one\n");
    let pid = fleet.pid();
    // A thousand that connect, say half a request and wait: more than are served or queued at once.
    let clients = fleet.host.command(&[
        "perl",
        "-e",
        "use Socket; my @all; for (1..1000) { socket(my $s, PF_UNIX, SOCK_STREAM, 0) or last; \
         connect($s, pack_sockaddr_un('/run/steadfast/agent.sock')) or last; \
         syswrite($s, \"GET /v1/status HTTP/1.1\\r\\n\"); push @all, $s; \
         open(my $f, '>', '/run/clients'); print $f scalar(@all); close($f); } sleep 1000;",
    ]);
    let _running = clients.start();
    let count = || fleet.host.sh("cat /run/clients").stdout.parse::<u32>().unwrap_or_default();
    fleet.host.wait_until("more clients than places", LONG, || count() > 150);
    fleet.host.write("/etc/motd", "mine\n");
    fleet.host.wait_until("the correction", LONG, || fleet.motd() == "one\n");
    // Those that say nothing more are shown out, and the next one is served.
    fleet.wait_for("an answer", |status| status["agent"].is_object());
    fleet.host.wait_until("all of them", LONG, || count() == 1000);
    assert_eq!(fleet.pid(), pid);
    let memory = fleet.host.must(&format!("awk '/VmRSS/{{print $2}}' /proc/{pid}/status"));
    assert!(memory.parse::<u32>().expect("a number") < 150_000, "{memory} KiB");
}

#[test]
fn a_server_that_never_answers_keeps_it_from_nothing() {
    let fleet = Fleet::new(Suite::Bookworm, "watch = false\n");
    fleet.start();
    fleet.wait_for("the first run", |_| fleet.motd() == "one\n");
    fleet.server.fail_with(Fault::Stall);
    let stalled = Instant::now();
    fleet.wait_for("a question without an answer", |status| {
        status["agent"]["polling"]["next"].is_null() && stalled.elapsed().as_secs() >= 5
    });
    let pid = fleet.pid();
    let used = || {
        let fields = fleet.host.must(&format!("cut -d ' ' -f 14,15 /proc/{pid}/stat"));
        fields.split(' ').map(|ticks| ticks.parse::<u32>().expect("a number")).sum::<u32>()
    };
    let before = used();
    let begun = Instant::now();
    // Nobody watches: full passes correct it, twice.
    for _ in 0..2 {
        fleet.host.write("/etc/motd", "mine\n");
        let soon = Duration::from_secs(20);
        fleet.host.wait_until("the correction meanwhile", soon, || fleet.motd() == "one\n");
    }
    // Waiting costs nothing: well below a tenth of a processor, passes included.
    let (ticks, seconds) = (used() - before, begun.elapsed().as_secs_f64());
    assert!(f64::from(ticks) < 10.0 * seconds.max(5.0), "{ticks} ticks in {seconds} s");
    let stopping = Instant::now();
    fleet.host.must("systemctl stop steadfast");
    assert!(stopping.elapsed() < Duration::from_secs(20), "{:?}", stopping.elapsed());
}
