//! Metrics, alert rules and dashboard before a real Prometheus on loopback.
//!
//! Alerts that wait (`for: 5m`) do so in the unit tests of the rules, where time costs nothing; here
//! they do not, and everything else about them is as it is shipped.

#![expect(
    clippy::disallowed_methods,
    reason = "Prometheus is driven from outside, and ages are measured against its clock"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use steadfast::metrics::{Applied, LastRun, Period, Snapshot, Totals, exposition};
use steadfast::report::{Counts, Outcome};
use steadfast_tests::wait_until;

const LONG: Duration = Duration::from_secs(90);

fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging").join(name)
}

/// A program of Debian's package prometheus: where `tests/run` has put it, or an installed one.
fn program(name: &str) -> PathBuf {
    std::env::var_os("STEADFAST_PROMETHEUS").map_or_else(PathBuf::new, PathBuf::from).join(name)
}

/// A host in good order, as of `now`.
fn good(now: f64) -> Snapshot {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
    let succeeded = ((now - 60.0) * 1000.0) as i64;
    Snapshot {
        now,
        version: "1.0.0".to_owned(),
        interval: 300.0,
        last_run: Some(LastRun {
            started: now - 60.0,
            duration: 1.5,
            outcome: Outcome::Converged,
            counts: Counts { total: 3, in_sync: 3, ..Counts::default() },
            applied: Applied {
                commit: "0123456789ab".to_owned(),
                committed: Some(now - 3600.0),
                verification: "none: \"believed\"\\\n".to_owned(),
            },
            refused: false,
        }),
        totals: Totals { runs: 9, succeeded, ..Totals::default() },
        answered: Some(now - 30.0),
        ..Snapshot::default()
    }
}

fn run(snapshot: &mut Snapshot) -> &mut LastRun {
    snapshot.last_run.as_mut().expect("a run")
}

/// Hosts, and the alerts that each is to raise.
fn hosts(now: f64) -> Vec<(&'static str, Snapshot, &'static [&'static str])> {
    let with = |change: &dyn Fn(&mut Snapshot)| {
        let mut snapshot = good(now);
        change(&mut snapshot);
        snapshot
    };
    let paused = |hours: f64| Period { since: now - 3600.0 * hours, until: now + 3600.0 };
    vec![
        ("good", good(now), &[]),
        ("fails", with(&|host| run(host).outcome = Outcome::Failed), &["SteadfastFailing"]),
        ("drifts", with(&|host| host.open_drift = 2), &["SteadfastDrifted"]),
        ("stale", with(&|host| host.totals.succeeded = 0), &["SteadfastStale"]),
        (
            "dead",
            with(&|host| {
                run(host).started = now - 86_400.0;
                host.totals.succeeded = 0;
            }),
            &["SteadfastAgentDown", "SteadfastStale"],
        ),
        ("paused-long", with(&|host| host.pause = Some(paused(5.0))), &["SteadfastPausedLong"]),
        ("paused-a-while", with(&|host| host.pause = Some(paused(1.0))), &[]),
        ("rolled-back", with(&|host| host.rollback = Some(paused(5.0))), &[]),
        ("refuses", with(&|host| run(host).refused = true), &["SteadfastRevisionRefused"]),
        ("audited", with(&|host| host.audit = true), &["SteadfastAuditMode"]),
        ("owes", with(&|host| host.owed = 1), &["SteadfastOwedNotification"]),
        ("cut-off", with(&|host| host.failures = Some(5)), &["SteadfastRepositoryUnreachable"]),
        ("fought", with(&|host| host.left_alone = Some(1)), &["SteadfastFighting"]),
    ]
}

/// Serves each host's metrics at `/HOST`, as long as the test runs.
fn serve(hosts: Vec<(&'static str, String)>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its number").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut line = String::new();
            let mut reader = BufReader::new(&stream);
            let _ = reader.read_line(&mut line);
            let mut header = String::new();
            while reader.read_line(&mut header).is_ok_and(|length| length > 2) {
                header.clear();
            }
            let path = line.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
            let found = hosts.iter().find(|(name, _)| *name == path);
            let (status, text) = found.map_or(("404 Not Found", ""), |(_, text)| ("200 OK", text));
            let kind = steadfast::metrics::CONTENT_TYPE;
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{text}",
                text.len()
            );
        }
    });
    port
}

struct Prometheus {
    process: Child,
    port: u16,
    _directory: tempfile::TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Prometheus {
    fn start(targets: u16, names: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let rules = std::fs::read_to_string(packaging("prometheus/steadfast.rules.yml"));
        let rules = rules.expect("the rules");
        let hasty: String = rules
            .lines()
            .filter(|line| !line.trim_start().starts_with("for: "))
            .fold(String::new(), |text, line| text + line + "\n");
        assert_ne!(hasty, rules);
        let mut configuration = "global: { scrape_interval: 1s, evaluation_interval: 1s }\n\
             rule_files: [rules.yml]\nscrape_configs:\n"
            .to_owned();
        for name in names {
            let _ = writeln!(
                configuration,
                "  - {{ job_name: {name}, metrics_path: /{name}, static_configs: [ {{ targets: \
                 [\"127.0.0.1:{targets}\"], labels: {{ instance: {name} }} }} ] }}"
            );
        }
        std::fs::write(directory.path().join("rules.yml"), hasty).expect("rules");
        let configured = directory.path().join("prometheus.yml");
        std::fs::write(&configured, configuration).expect("a configuration");
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("its number").port();
        drop(free);
        // It dies with the thread of the test, also when that is killed.
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program("prometheus"))
            .arg(format!("--config.file={}", configured.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus (a Debian package) starts");
        Self { process, port, _directory: directory }
    }

    /// What the API answers; null where it does not yet.
    fn ask(&self, path: &str) -> Value {
        let answer = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(LONG))?;
            write!(stream, "GET {path} HTTP/1.0\r\nHost: prometheus\r\n\r\n")?;
            let mut text = String::new();
            stream.read_to_string(&mut text)?;
            Ok(text)
        };
        let text = answer().unwrap_or_default();
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        serde_json::from_str(body).unwrap_or(Value::Null)
    }

    /// The alerts that fire, as `instance alert`.
    fn firing(&self) -> BTreeSet<String> {
        let answer = self.ask("/api/v1/alerts");
        let alerts = answer["data"]["alerts"].as_array().cloned().unwrap_or_default();
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        let text = |alert: &Value, label: &str| {
            alert["labels"][label].as_str().unwrap_or_default().to_owned()
        };
        firing
            .map(|alert| format!("{} {}", text(alert, "instance"), text(alert, "alertname")))
            .collect()
    }
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        let _ = write!(encoded, "%{byte:02x}");
        encoded
    })
}

#[test]
fn alerts_fire_for_the_hosts_that_need_somebody_and_the_dashboard_is_understood() {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock");
    let hosts = hosts(since.as_secs_f64());
    let texts = hosts.iter().map(|(name, host, _)| (*name, exposition(host))).collect();
    let names: Vec<&str> = hosts.iter().map(|(name, ..)| *name).collect();
    let prometheus = Prometheus::start(serve(texts), &names);
    let expected: BTreeSet<String> = hosts
        .iter()
        .flat_map(|(name, _, alerts)| alerts.iter().map(move |alert| format!("{name} {alert}")))
        .collect();
    let mut firing = BTreeSet::new();
    wait_until("the alerts fire", LONG, || {
        firing = prometheus.firing();
        firing.is_superset(&expected)
    });
    let scraped = prometheus.ask("/api/v1/query?query=count(steadfast_build_info)");
    assert_eq!(scraped["data"]["result"][0]["value"][1], names.len().to_string(), "{scraped}");
    assert_eq!(firing, expected, "no other alert fires");

    let dashboard = std::fs::read_to_string(packaging("grafana/steadfast.json"));
    let dashboard: Value = serde_json::from_str(&dashboard.expect("a dashboard")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    assert!(panels.len() > 10);
    for panel in panels {
        for target in panel["targets"].as_array().expect("targets") {
            let expression = target["expr"].as_str().expect("an expression");
            let expression = expression.replace("$instance", ".*");
            let query = format!("/api/v1/query?query={}", encoded(&expression));
            let answer = prometheus.ask(&query);
            assert_eq!(answer["status"], "success", "{expression}: {answer}");
        }
    }
}

/// Runs Debian's promtool, with `input`.
fn promtool(arguments: &[&str], input: &str) {
    let mut tool = Command::new(program("promtool"))
        .args(arguments)
        .current_dir(packaging("prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool (of Debian's package prometheus) starts");
    let mut stdin = tool.stdin.take().expect("its input");
    stdin.write_all(input.as_bytes()).expect("promtool reads");
    drop(stdin);
    let output = tool.wait_with_output().expect("promtool ends");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn promtool_finds_nothing_wrong() {
    promtool(&["check", "metrics"], &exposition(&good(1_700_000_000.0)));
    promtool(&["check", "metrics"], &exposition(&Snapshot::default()));
    promtool(&["check", "rules", "steadfast.rules.yml"], "");
    promtool(&["test", "rules", "tests.yml"], "");
}
