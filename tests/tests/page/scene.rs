//! A week on a host, as the page shows it: who did what, what was mended, and names that would be
//! markup.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use steadfast::drift::{Ending, Episode};
use steadfast::output::{PageData, PageLimits, page};
use steadfast::report::{Report, RunSummary};

/// A title that is an attack, in each way that a page could be attacked by one.
pub(crate) const HOSTILE: &str = "/srv/</script><img src=x onerror=\"window.broken=1\"><script>window.broken=1</script>\u{202e}gpj.exe\u{1b}[2J";

/// The page of the scene with this many runs, written into a scratch directory.
pub(crate) fn written(runs: usize) -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("history.html");
    std::fs::write(&path, text(runs)).expect("the page is written");
    (directory, path)
}

struct Seen {
    /// Runs before the newest.
    before: usize,
    kind: &'static str,
    title: &'static str,
    state: &'static str,
    actor: Value,
    changes: Value,
    reason: Option<&'static str>,
}

fn text(count: usize) -> String {
    let now: Timestamp = "2026-03-14T03:07:00Z".parse().expect("a time");
    let vim = json!({ "pid": 4312, "executable": "/usr/bin/vim.basic", "user": "root", "uid": 0,
        "login_user": "alice", "login_uid": 1000, "session": "3" });
    let rotate = json!({ "pid": 812, "executable": "/usr/sbin/logrotate", "user": "root",
        "unit": "logrotate.service" });
    let text = |value: &str| json!({ "value": value });
    let sshd = json!([
        { "property": "content", "before": text(&format!("sha256:{}", "a1".repeat(32))),
          "after": text(&format!("sha256:{}", "b2".repeat(32))),
          "diff": "--- /etc/ssh/sshd_config\n+++ /etc/ssh/sshd_config\n@@ -31,7 +31,7 @@\n #LoginGraceTime 2m\n-PermitRootLogin yes\n+PermitRootLogin no\n #StrictModes yes\n" },
        { "property": "mode", "before": text("0666"), "after": text("0600") },
    ]);
    let log = json!([{ "property": "owner", "before": text("root"), "after": text("www-data") }]);
    let service =
        json!([{ "property": "ensure", "before": text("stopped"), "after": text("running") }]);
    let secret = json!([{ "property": "password", "before": "redacted", "after": "redacted" }]);
    let seen = [
        Seen {
            before: 0,
            kind: "file",
            title: "/etc/ssh/sshd_config",
            state: "drifted",
            actor: vim.clone(),
            changes: sshd.clone(),
            reason: Some("paused"),
        },
        Seen {
            before: 5,
            kind: "file",
            title: "/etc/ssh/sshd_config",
            state: "corrected",
            actor: vim.clone(),
            changes: sshd,
            reason: None,
        },
        Seen {
            before: 7,
            kind: "service",
            title: "nginx",
            state: "failed",
            actor: Value::Null,
            changes: service.clone(),
            reason: Some("nginx.service failed: address already in use"),
        },
        Seen {
            before: 20,
            kind: "file",
            title: "/var/log/app",
            state: "corrected",
            actor: rotate.clone(),
            changes: log.clone(),
            reason: None,
        },
        Seen {
            before: 44,
            kind: "file",
            title: "/var/log/app",
            state: "corrected",
            actor: rotate,
            changes: log,
            reason: None,
        },
        Seen {
            before: 60,
            kind: "user",
            title: "deploy",
            state: "corrected",
            actor: vim,
            changes: secret,
            reason: None,
        },
        Seen {
            before: 70,
            kind: "file",
            title: HOSTILE,
            state: "corrected",
            actor: json!({ "pid": 1, "executable": HOSTILE }),
            changes: json!([{ "property": "content", "before": text(HOSTILE), "after": text("x"), "diff": format!("--- a\n+++ b\n-{HOSTILE}\n+x\n") }]),
            reason: None,
        },
        Seen {
            before: 90,
            kind: "service",
            title: "nginx",
            state: "corrected",
            actor: Value::Null,
            changes: service,
            reason: None,
        },
    ];
    let mut reports = Vec::new();
    let mut episodes = Vec::new();
    for before in 0..count {
        let minutes = i64::try_from(before).expect("a number") * 5;
        let started = now - SignedDuration::from_mins(minutes);
        let here: Vec<&Seen> = seen.iter().filter(|seen| seen.before == before).collect();
        let resources: Vec<Value> = here
            .iter()
            .map(|seen| {
                let mut resource = json!({
                    "kind": seen.kind, "title": seen.title, "file": "policies/web.toml", "line": 12,
                    "state": seen.state, "drift": true, "changes": seen.changes,
                    "steps": ["put it right"],
                });
                if !seen.actor.is_null() {
                    resource["actor"] = seen.actor.clone();
                }
                resource["reason"] = json!(seen.reason);
                resource
            })
            .collect();
        let outcome = match here.first().map(|seen| seen.state) {
            Some(state) => state,
            None if before % 97 == 50 => "changed",
            None => "converged",
        };
        let counted = |state: &str| here.iter().filter(|seen| seen.state == state).count();
        let report = json!({
            "schema": 1, "id": format!("20260314T{:06}Z-{before:08x}", before % 240_000),
            "host": "web1.example.org", "trigger": if here.is_empty() { "interval" } else { "event" },
            "mode": if before == 0 { "paused" } else { "enforce" }, "agent_version": "0.1.0",
            "started": format!("{started:.3}"), "duration": 0.184,
            "revision": { "source": "https://git.example.org/ops/policy.git",
                "commit": format!("{:040x}", 0x2cf3_48ba_u64 + (before / 100) as u64),
                "author": "Robin", "subject": "Web servers speak TLS 1.3 only", "verification": "none" },
            "policies": ["web"], "outcome": outcome, "scope": "host",
            "counts": { "total": 214, "in_sync": 214 - here.len(), "changed": u32::from(outcome == "changed"),
                "corrected": counted("corrected"), "drifted": counted("drifted"), "failed": counted("failed"),
                "blocked": 0, "skipped": 0, "not_reached": 0, "notified": 0 },
            "resources": resources,
        });
        let report: Report = serde_json::from_value(report).expect("a report");
        for resource in &report.resources {
            let last: Option<&Episode> = None;
            let mut episode = Episode::begin(&report, resource, None, last);
            if resource.title == "/var/log/app" {
                episode.recurrence = 1;
            }
            if resource.reason.is_none() {
                episode.end(&report, Ending::Corrected);
            } else if resource.title == "nginx" {
                episode.end(&report, Ending::Resolved);
            }
            episodes.push(episode);
        }
        reports.push(report);
    }
    let runs: Vec<RunSummary> = reports.iter().map(RunSummary::of).collect();
    let limits = PageLimits::default();
    let mut data = PageData::new(&runs, episodes, None, format!("{now:.3}"), limits);
    for report in reports {
        if !data.add(report) {
            break;
        }
    }
    page(&data).expect("the page")
}
