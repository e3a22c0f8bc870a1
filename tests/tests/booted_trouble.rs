//! A bad day: each trouble fails its own resource with the reason and what to do, blocks what rests on
//! it by name, and leaves everything else converged and the old content intact.

use serde_json::Value;
use std::time::Duration;
use steadfast_tests::host::{Suite, TestHost};

struct Bench {
    host: TestHost,
}

impl Bench {
    fn new(host: TestHost) -> Self {
        host.publish_all();
        Self { host }
    }

    fn apply(&self, policy: &str, code: i32) -> Value {
        self.host.write("/root/policy.toml", policy);
        let output = self
            .host
            .command(&["steadfast", "apply", "--json", "/root/policy.toml"])
            .deadline(Duration::from_secs(240))
            .run();
        assert_eq!(output.status, code, "{policy}\n{output}");
        serde_json::from_str(&output.stdout).expect("the report is JSON")
    }

    /// Applies `policy` together with a dependent and an independent file. The resource `troubled`
    /// must fail with `reason`, the dependent be blocked by it, the independent be in order.
    fn trouble(&self, what: &str, policy: &str, troubled: &str, reason: &str) -> Value {
        self.host.must("rm -f /root/dependent /root/independent");
        let whole = format!(
            "{policy}\n[file.\"/root/dependent\"]\ncontent = \"x\"\nrequire = [{troubled:?}]\n\
             [file.\"/root/independent\"]\ncontent = \"y\"\n"
        );
        let report = self.apply(&whole, 3);
        assert_eq!(report["outcome"], "failed", "{what}");
        let failed = find(&report, "failed");
        let text = format!(
            "{} {} {}",
            failed["reason"].as_str().unwrap_or_default(),
            failed["hint"].as_str().unwrap_or_default(),
            failed["output"].as_str().unwrap_or_default()
        );
        assert!(text.contains(reason), "{what}: expected {reason:?} in: {text}");
        assert!(failed["hint"].is_string(), "{what}: nothing says what to do: {failed:#}");
        let dependent = report["resources"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["title"] == "/root/dependent"))
            .unwrap_or_else(|| panic!("{what}: the dependent is not reported: {report:#}"));
        assert_eq!(dependent["state"], "blocked", "{what}");
        let blocked_by = dependent["blocked_by"].as_str().unwrap_or_default().replace('"', "");
        assert_eq!(blocked_by, troubled.replace(['"', '\\'], ""), "{what}");
        assert_eq!(
            self.host.must("cat /root/independent; test ! -e /root/dependent"),
            "y",
            "{what}"
        );
        report
    }
}

fn find<'a>(report: &'a Value, state: &str) -> &'a Value {
    report["resources"]
        .as_array()
        .and_then(|resources| resources.iter().find(|resource| resource["state"] == state))
        .unwrap_or_else(|| panic!("no resource is {state}: {report:#}"))
}

fn bad_day(suite: Suite) {
    let host = TestHost::options(suite).small_disk("/srv/small", 256).boot();
    let bench = Bench::new(host);
    let host = &bench.host;

    host.must("echo old > /srv/small/file");
    let big = "x".repeat(400 * 1024);
    bench.trouble(
        "a full disk",
        &format!("[file.\"/srv/small/file\"]\ncontent = \"{big}\"\n"),
        "file.\"/srv/small/file\"",
        "No space left",
    );
    assert_eq!(
        host.must("cat /srv/small/file; ls -A /srv/small"),
        "old\nfile",
        "intact, nothing left"
    );

    host.must("mkdir -p /srv/readonly; mount -t tmpfs none /srv/readonly; echo old > /srv/readonly/file; mount -o remount,ro /srv/readonly");
    bench.trouble(
        "a read-only file system",
        "[file.\"/srv/readonly/file\"]\ncontent = \"new\"\n",
        "file.\"/srv/readonly/file\"",
        "ead-only file system",
    );
    assert_eq!(host.must("cat /srv/readonly/file"), "old");

    bench.trouble(
        "a missing user",
        "[file.\"/root/owned\"]\ncontent = \"x\"\nowner = \"nobody-knows-them\"\n",
        "file.\"/root/owned\"",
        "nobody-knows-them",
    );
    assert_eq!(
        host.must("ls /root/owned 2>&1 || true"),
        "ls: cannot access '/root/owned': No such file or directory"
    );

    bench.trouble(
        "no such package",
        "[package.sf-nowhere]\n[package.sf-slow]\n",
        "package.sf-nowhere",
        "sf-nowhere",
    );
    assert_eq!(
        host.must("dpkg-query -W -f '${Status}' sf-slow"),
        "install ok installed",
        "the other went on"
    );

    bench.trouble(
        "a package whose configuration fails",
        "[package.sf-broken]\n[package.sf-recommending]\nensure = \"absent\"\n",
        "package.sf-broken",
        "sf-broken",
    );
    host.must("touch /etc/sf-broken.repaired; dpkg --configure -a");

    let holder = host
        .command(&[
            "perl",
            "-e",
            "use Fcntl; open F, '+>>', '/var/lib/dpkg/lock-frontend'; \
             my $l = pack 's s l! l! i', F_WRLCK, 0, 0, 0, 0; fcntl(F, F_SETLK, $l) or die; \
             open G, '>', '/run/held'; close G; sleep 600",
        ])
        .start();
    host.wait_until("the lock is held", Duration::from_secs(10), || {
        host.run(&["test", "-e", "/run/held"]).succeeded()
    });
    bench.trouble(
        "a held dpkg lock",
        "[package.sf-tool]\ntimeout = \"3s\"\n",
        "package.sf-tool",
        "perl",
    );
    holder.kill();
    let _ = holder.wait(Duration::from_secs(10));

    bench.apply("[package.sf-web]\n", 0);
    bench.trouble(
        "a unit that dies at start",
        "[file.\"/etc/systemd/system/sf-dies.service\"]\ncontent = \"[Service]\\nExecStart=/bin/sh -c 'echo last words; exit 7'\\n\"\n[service.sf-dies]\nensure = \"running\"\n",
        "service.sf-dies",
        "last words",
    );
    bench.trouble(
        "a unit that dies soon after",
        "[file.\"/etc/systemd/system/sf-soon.service\"]\ncontent = \"[Service]\\nExecStart=/bin/sh -c 'sleep 0.3; echo gone soon; exit 7'\\n\"\n[service.sf-soon]\nensure = \"running\"\n",
        "service.sf-soon",
        "gone soon",
    );

    let before = host.must("cat /etc/sf-web/sf-web.conf");
    bench.trouble(
        "a check that fails",
        "[file.\"/etc/sf-web/sf-web.conf\"]\ncontent = \"nonsense\\n\"\nvalidate = \"sf-web -t {candidate}\"\nnotify = \"service.sf-web\"\n[service.sf-web]\n",
        "file.\"/etc/sf-web/sf-web.conf\"",
        "not a setting",
    );
    assert_eq!(host.must("cat /etc/sf-web/sf-web.conf"), before, "the old content is intact");
    assert_eq!(host.must("ls -A /etc/sf-web"), "sf-web.conf");
    let report: Value = serde_json::from_str(&host.must("steadfast report --json")).expect("JSON");
    assert!(
        report["owed"].is_null(),
        "nothing is owed for a change that did not happen: {report:#}"
    );
}

#[test]
fn every_trouble_stays_where_it_is_on_debian_12() {
    bad_day(Suite::Bookworm);
}

#[test]
fn every_trouble_stays_where_it_is_on_debian_13() {
    bad_day(Suite::Trixie);
}

/// A restart that is owed when a run fails is paid by the next one.
#[test]
fn an_owed_restart_survives_a_failed_run() {
    let bench = Bench::new(TestHost::boot(Suite::Bookworm));
    let policy = |greeting: &str, gate: &str| {
        format!(
            "[package.sf-web]\n[file.\"/etc/sf-web/sf-web.conf\"]\ncontent = \"greeting={greeting}\\n\"\nrequire = \"package.sf-web\"\nnotify = \"service.sf-web\"\n\
             [file.\"/root/gate/file\"]\ncontent = \"{gate}\"\n\
             [service.sf-web]\nensure = \"running\"\nrequire = [\"file.\\\"/root/gate/file\\\"\"]\n"
        )
    };
    bench.host.must("mkdir /root/gate");
    bench.apply(&policy("one", "a"), 0);
    bench.host.must("rm -r /root/gate");
    let report = bench.apply(&policy("two", "b"), 3);
    assert_eq!(report["owed"][0]["target_title"], "sf-web", "{report:#}");
    assert_eq!(bench.host.must("tail -n 1 /var/lib/sf-web/history"), "start one");
    bench.host.must("mkdir /root/gate");
    let report = bench.apply(&policy("two", "b"), 0);
    assert!(report["owed"].is_null(), "{report:#}");
    assert_eq!(bench.host.must("tail -n 1 /var/lib/sf-web/history"), "start two");
    bench.apply(&policy("two", "b"), 0);
    assert_eq!(bench.host.must("grep -c 'start two' /var/lib/sf-web/history"), "1");
}

/// Neither a full, a read-only nor a damaged state keeps a run from doing what needs no state.
#[test]
fn a_state_that_cannot_be_written_does_not_keep_a_run_from_its_work() {
    let host = TestHost::options(Suite::Bookworm).small_disk("/srv/small", 1024).boot();
    host.publish_all();
    let apply = |policy: &str, code: i32| -> Value {
        host.write("/root/policy.toml", policy);
        let arguments = ["steadfast", "apply", "--json", "--state-dir", "/srv/small/state"];
        let output = host.command(&[&arguments[..], &["/root/policy.toml"]].concat()).run();
        assert_eq!(output.status, code, "{policy}\n{output}");
        serde_json::from_str(&output.stdout).expect("the report is JSON")
    };
    let policy = |new: &str, content: &str| {
        format!(
            "[package.sf-web]\n[service.sf-web]\nensure = \"running\"\n\
             [file.\"/etc/sf-web/sf-web.conf\"]\ncontent = \"greeting={content}\\n\"\nnotify = \"service.sf-web\"\n\
             [file.\"/root/replaced\"]\ncontent = \"{content}\"\n[file.\"{new}\"]\ncontent = \"new\"\n"
        )
    };
    apply(&policy("/root/first", "one"), 0);
    let troubled = |new: &str, reason: &str| {
        let report = apply(&policy(new, "two"), 3);
        assert_eq!(
            host.must(&format!("cat {new} /root/replaced /etc/sf-web/sf-web.conf")),
            "newonegreeting=one"
        );
        for title in ["/root/replaced", "/etc/sf-web/sf-web.conf"] {
            let resources = report["resources"].as_array().expect("resources");
            let resource = resources.iter().find(|one| one["title"] == title).expect(title);
            assert_eq!(resource["state"], "failed", "{title}");
            let told = resource["reason"].as_str().unwrap_or_default();
            assert!(told.contains(reason) && resource["hint"].is_string(), "{resource:#}");
        }
        assert!(report["messages"].to_string().contains("not kept"), "{report:#}");
    };
    host.must("dd if=/dev/zero of=/srv/small/filling bs=1024 2>/dev/null || true");
    troubled("/root/second", "its file system is full");
    host.must("rm /srv/small/filling; mount -o remount,ro /srv/small");
    troubled("/root/third", "mounted read-only");
    host.must("mount -o remount,rw /srv/small");
    let report = apply(&policy("/root/third", "two"), 0);
    assert_eq!(report["outcome"], "changed", "{report:#}");
    assert_eq!(host.must("tail -n 1 /var/lib/sf-web/history"), "start two");

    host.must("head -c 9000 /dev/urandom > /srv/small/state/state.sqlite");
    let report = apply(&policy("/root/fourth", "two"), 0);
    assert_eq!(report["counts"]["changed"], 1, "{report:#}");
}
