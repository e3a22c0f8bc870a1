//! `kill -9` at random instants during `apply`, a hundred times: afterwards `apply` converges, no file
//! was ever partial, no owed restart was lost, no temporary file of ours remains.

#![expect(
    clippy::disallowed_methods,
    reason = "the kill comes after a random time, whatever the program is doing"
)]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use steadfast_tests::host::{Suite, TestHost};

const ROUNDS: u32 = 100;
const FILES: u32 = 40;

/// Every file of a round has one content, long enough to be seen half-written.
fn content(round: u32, file: u32) -> String {
    format!("round {round} file {file}\n").repeat(400)
}

fn policy(round: u32) -> String {
    use std::fmt::Write as _;
    let mut text = format!(
        "[package.sf-web]\n\n[package.sf-tool]\nensure = \"present\"\n\n\
         [file.\"/etc/sf-web/sf-web.conf\"]\ncontent = \"greeting=round-{round}\\nport=8080\\n\"\n\
         require = \"package.sf-web\"\nnotify = \"service.sf-web\"\n\n\
         [service.sf-web]\nensure = \"running\"\n\n[file.\"/srv/many\"]\nensure = \"directory\"\n\n\
         [user.sf-crash]\ncomment = \"round {round}\"\nshell = \"/bin/sh\"\n\n"
    );
    for file in 0..FILES {
        let _ = write!(
            text,
            "[file.\"/srv/many/{file}\"]\nsource = \"many/{file}\"\nmode = \"0640\"\n\n"
        );
    }
    text
}

fn write_repository(host: &TestHost, round: u32) {
    // One tar archive, so that a round costs one command.
    host.must("rm -rf /root/policy && mkdir -p /root/policy/policies/crash/many");
    host.write("/root/policy/site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"crash\"]\n");
    host.write("/root/policy/policies/crash/policy.toml", policy(round));
    host.must(&format!(
        "cd /root/policy/policies/crash/many && for f in $(seq 0 {}); do \
         perl -e 'print \"round {round} file $ARGV[0]\\n\" x 400' $f > $f; done",
        FILES - 1
    ));
}

/// A pseudo-random number below `limit`, from the clock's fast digits: instants must differ from run
/// to run, and which they were is printed with a failure.
fn random_below(limit: u64, begun: Instant) -> u64 {
    let nanoseconds = u64::from(begun.elapsed().subsec_nanos());
    (nanoseconds.wrapping_mul(6_364_136_223_846_793_005) >> 16) % limit.max(1)
}

#[test]
fn a_hundred_kills_lose_nothing_on_debian_12() {
    a_hundred_kills(Suite::Bookworm);
}

#[test]
fn a_hundred_kills_lose_nothing_on_debian_13() {
    a_hundred_kills(Suite::Trixie);
}

fn a_hundred_kills(suite: Suite) {
    let host = TestHost::boot(suite);
    host.publish_all();
    let begun = Instant::now();
    // A restart each second is the test's doing; systemd must not count them.
    host.write(
        "/etc/systemd/system/sf-web.service.d/limit.conf",
        "[Unit]\nStartLimitIntervalSec=0\n",
    );
    write_repository(&host, 0);
    host.run(&["steadfast", "apply", "/root/policy"]).success();
    let mut longest = Duration::from_millis(600);
    let mut cut_off = 0;
    for round in 1..=ROUNDS {
        write_repository(&host, round);
        if round % 5 == 0 {
            host.must("apt-get remove -y sf-tool");
        }
        let started = Instant::now();
        let apply = host.command(&["steadfast", "apply", "/root/policy"]).start();
        let delay = Duration::from_millis(random_below(
            u64::try_from(longest.as_millis()).unwrap_or(1000),
            begun,
        ));
        std::thread::sleep(delay);
        apply.kill();
        let output = apply.wait(Duration::from_secs(60));
        if output.status == 0 {
            longest = started.elapsed().max(Duration::from_millis(100));
        } else {
            cut_off += 1;
        }
        let place = format!("round {round}, killed after {delay:?}");

        // No file is partial: each has the content of this round or of an earlier one.
        let sums = host.must("cd /srv/many && sha256sum *");
        let allowed: BTreeSet<String> = (0..FILES)
            .flat_map(|file| [content(round, file), content(round - 1, file)])
            .map(|text| sha256(&text))
            .collect();
        for line in sums.lines() {
            let sum = line.split_whitespace().next().unwrap_or_default();
            assert!(allowed.contains(sum), "{place}: a partial file: {line}");
        }

        // A package manager that outlived the agent is waited for, and the rerun converges.
        let again = host.run(&["steadfast", "apply", "/root/policy"]);
        assert_eq!(again.status, 0, "{place}: {again}");
        let plan = host.run(&["steadfast", "plan", "/root/policy"]);
        assert_eq!(plan.status, 0, "{place}: {plan}");
        assert_eq!(
            host.must("tail -n 1 /var/lib/sf-web/history"),
            format!("start round-{round}"),
            "{place}: the owed restart was lost"
        );
        let left =
            host.must("find /srv /etc /root /home -name '.steadfast*' -not -path '/root/policy/*'");
        assert_eq!(left, "", "{place}: temporary files remain");
    }
    assert!(cut_off >= ROUNDS / 4, "only {cut_off} of {ROUNDS} runs were really cut off");
}

fn sha256(text: &str) -> String {
    use sha2::{Digest, Sha256};
    let mut text_of_digest = String::new();
    for byte in Sha256::digest(text.as_bytes()) {
        use std::fmt::Write as _;
        let _ = write!(text_of_digest, "{byte:02x}");
    }
    text_of_digest
}
