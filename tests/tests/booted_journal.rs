//! What a run tells others on a host: the journal, with a catalog that explains it, and metrics in a
//! file.

use std::time::Duration;

use serde_json::Value;
use steadfast_tests::git::{GitServer, PolicyRepository};
use steadfast_tests::host::{Suite, TestHost};

const LONG: Duration = Duration::from_secs(60);

const POLICY: &str = r#"
[file."/etc/motd"]
content = "one\n"

[file."/etc/left"]
content = "as declared\n"
enforce = false

[file."/no/such/directory/x"]
content = "x"

[file."/etc/behind"]
content = "x"
require = 'file."/no/such/directory/x"'
"#;

const TEXTFILE: &str = "/var/lib/collector/steadfast.prom";

fn entries(host: &TestHost) -> Vec<Value> {
    let text = host.must("journalctl --sync && journalctl -t steadfast -o json --no-pager");
    text.lines().map(|line| serde_json::from_str(line).expect("an entry")).collect()
}

/// The entries about `state`, or (with none) about runs.
fn about<'e>(entries: &'e [Value], state: Option<&str>) -> Vec<&'e Value> {
    let fits = |entry: &&Value| match state {
        Some(state) => entry["STEADFAST_STATE"] == state,
        None => entry["STEADFAST_OUTCOME"].is_string(),
    };
    entries.iter().filter(fits).collect()
}

#[test]
#[ignore = "boots a host"]
fn the_journal_and_the_metrics_tell_what_happened() {
    let host = TestHost::boot(Suite::Bookworm);
    host.write("/etc/steadfast/agent.toml", format!("[reports]\ntextfile = \"{TEXTFILE}\"\n"));
    host.write("/policy/site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"all\"]\n");
    host.write("/policy/policies/all.toml", POLICY);
    host.must("mkdir /var/lib/collector");
    host.run(&["steadfast", "apply", "/policy"]).code(3);
    host.write("/etc/motd", "mine\n");
    host.run(&["steadfast", "apply", "/policy"]).code(3);

    let all = entries(&host);
    let [changed] = about(&all, Some("changed"))[..] else { panic!("{all:#?}") };
    assert_eq!(changed["STEADFAST_RESOURCE"], "file.\"/etc/motd\"");
    assert_eq!(changed["STEADFAST_KIND"], "file");
    assert_eq!(changed["STEADFAST_FILE"], "policies/all.toml");
    assert_eq!(changed["STEADFAST_LINE"], "2");
    assert_eq!(changed["STEADFAST_REVISION"], "none");
    assert_eq!(changed["PRIORITY"], "5");
    let [corrected] = about(&all, Some("corrected"))[..] else { panic!("{all:#?}") };
    assert_eq!(corrected["PRIORITY"], "4");
    for (state, priority) in [("failed", "3"), ("blocked", "4"), ("drifted", "4")] {
        let found = about(&all, Some(state));
        assert_eq!(found.len(), 2, "{state}: {all:#?}");
        assert_eq!(found[0]["PRIORITY"], priority, "{state}");
    }
    let runs = about(&all, None);
    assert_eq!(runs.len(), 2, "{all:#?}");
    assert_eq!(runs[1]["STEADFAST_RUN"], corrected["STEADFAST_RUN"]);
    assert_ne!(changed["STEADFAST_RUN"], corrected["STEADFAST_RUN"]);
    assert_eq!(runs[1]["STEADFAST_OUTCOME"], "failed");

    // What each entry means is in the catalog.
    let id = |entry: &Value| entry["MESSAGE_ID"].as_str().expect("a MESSAGE_ID").to_owned();
    let catalog = steadfast::journal::messages::catalog();
    for entry in &all {
        assert!(catalog.contains(&id(entry)), "{entry:#}");
    }
    host.write("/usr/lib/systemd/catalog/steadfast.catalog", &catalog);
    host.must("journalctl --update-catalog");
    let text = host.must(&format!("journalctl -x --no-pager MESSAGE_ID={}", id(corrected)));
    assert!(text.contains("file.\"/etc/motd\" had drifted and was corrected"), "{text}");
    assert!(text.contains("policies/all.toml"), "{text}");

    let metrics = host.read_text(TEXTFILE);
    for line in [
        "steadfast_last_run_outcome{outcome=\"failed\"} 1",
        "steadfast_resources{state=\"corrected\"} 1",
        "steadfast_resources{state=\"blocked\"} 1",
        "steadfast_runs_total 2",
        "steadfast_corrected_resources_total 1",
        "steadfast_changed_resources_total 1",
        "steadfast_failed_resources_total 2",
        "steadfast_last_success_timestamp_seconds 0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\nin\n{metrics}");
    }
    assert_eq!(host.must(&format!("stat -c %a {TEXTFILE}")), "644");
    assert_eq!(host.must("ls -A /var/lib/collector"), "steadfast.prom");
}

#[test]
#[ignore = "boots a host"]
fn the_agent_tells_who_changed_what_and_when_the_server_answered() {
    let repository = PolicyRepository::with(&[
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"motd\"]\n"),
        ("policies/motd.toml", "[file.\"/etc/motd\"]\ncontent = \"one\\n\"\n"),
    ]);
    let host = TestHost::options(Suite::Bookworm).with_fanotify().boot();
    let server = GitServer::in_host(&repository, &host);
    host.write(
        "/etc/steadfast/agent.toml",
        format!(
            "[repository]\nurl = \"{}\"\nbranch = \"main\"\nca_file = \"/etc/test-authority.pem\"\n\
             verify.mode = \"none\"\n[agent]\ninterval = \"1h\"\nsplay = \"0s\"\n\
             [reports]\ntextfile = \"{TEXTFILE}\"\n",
            server.url()
        ),
    );
    let unit = include_str!("../../packaging/systemd/steadfast.service");
    host.write("/etc/systemd/system/steadfast.service", unit);
    host.must("mkdir /var/lib/collector && systemctl daemon-reload && systemctl start steadfast");
    let file = |path: &str| host.run(&["cat", path]).stdout;
    host.wait_until("the first metrics", LONG, || {
        file(TEXTFILE).contains("outcome=\"changed\"} 1")
            && host.run(&["steadfast", "status"]).succeeded()
    });
    host.must("echo mine > /etc/motd");
    host.wait_until("the correction", LONG, || {
        file("/etc/motd") == "one\n"
            && file(TEXTFILE).contains("steadfast_corrected_resources_total 1")
    });
    let all = entries(&host);
    let [corrected] = about(&all, Some("corrected"))[..] else { panic!("{all:#?}") };
    let actor = corrected["STEADFAST_ACTOR"].as_str().unwrap_or_default();
    assert!(actor.contains("(pid "), "{corrected:#}");
    let message = corrected["MESSAGE"].as_str().unwrap_or_default();
    assert!(message.ends_with(&format!("changed by {actor}")), "{message}");
    let metrics = file(TEXTFILE);
    let answered = metrics
        .lines()
        .find_map(|line| line.strip_prefix("steadfast_repository_answer_timestamp_seconds "))
        .and_then(|value| value.parse::<f64>().ok());
    assert!(answered.is_some_and(|answered| answered > 1.7e9), "{metrics}");
}
