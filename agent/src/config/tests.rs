//! Whole configurations: what they become, and the exact text of what is wrong with them.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::schema::{Form, SETTINGS, tables};
use super::{Agent, ConfigError, Mode, Origin, Reports, Settings, Verify};

/// A configuration directory; file names are relative to it.
struct Scene(TempDir);

impl Scene {
    fn new(files: &[(&str, &str)]) -> Self {
        let scene = Self(TempDir::new().unwrap());
        for (name, text) in files {
            scene.file(name, text, 0o644);
        }
        scene
    }

    #[expect(clippy::disallowed_methods, reason = "a scene for the test, in its own directory")]
    fn file(&self, name: &str, text: &str, mode: u32) -> String {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        path.display().to_string()
    }

    fn load(&self) -> Result<Settings, ConfigError> {
        Settings::load(self.0.path())
    }

    /// The text with the directory's path left out.
    fn plain(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "")
    }

    fn errors(&self) -> Vec<String> {
        let text = self.plain(&self.load().unwrap_err().to_string());
        text.lines().map(str::to_owned).collect()
    }

    fn warnings(&self) -> Vec<String> {
        let settings = self.load().unwrap();
        settings.warnings.iter().map(|warning| self.plain(warning)).collect()
    }
}

/// What a repository needs at least.
const LEAST: &str = "[repository]\nurl = '/srv/policy'\nverify.mode = 'none'\n";

#[test]
fn without_files_the_defaults_hold() {
    for scene in [Scene::new(&[]), Scene::new(&[("agent.toml", "# nothing\n")])] {
        let settings = scene.load().unwrap();
        assert_eq!(settings.repository, None);
        assert_eq!(
            settings.agent,
            Agent {
                mode: Mode::Enforce,
                interval: Duration::from_secs(300),
                splay: Duration::from_secs(60),
                watch: true,
                run_timeout: Duration::from_secs(3600),
                repair: false,
            }
        );
        assert_eq!(settings.reports, Reports { keep_runs: 1000, keep_days: 90, textfile: None });
        assert!(settings.labels.is_empty());
        assert_eq!(settings.warnings, Vec::<String>::new());
    }
    let missing = Settings::load(Path::new("/nonexistent/steadfast")).unwrap();
    assert_eq!(missing.files, Vec::<PathBuf>::new());
}

#[test]
fn every_setting_is_read() {
    let scene = Scene::new(&[]);
    let secret = scene.file("token", "", 0o600);
    let trust = scene.file("signers", "", 0o644);
    let text = format!(
        "[repository]\nurl = 'https://git.example.com/ops/policy.git'\n\
         mirrors = ['git@mirror.example.com:policy.git']\nbranch = 'production'\npath = 'site'\n\
         depth = 0\ntoken_file = '{secret}'\nssh_key = '{secret}'\nknown_hosts = '{trust}'\n\
         client_cert = '{trust}'\nclient_key = '{secret}'\nca_file = '{trust}'\n\
         [repository.verify]\nmode = 'signed'\nallowed_signers = '{trust}'\n\
         openpgp_keyring = '{trust}'\n\
         [repository.limits]\nmax_pack_bytes = 0x10\nmax_blob_bytes = 2\nmax_total_bytes = 3\n\
         max_files = 4\ndeadline = '90s'\n\
         [agent]\nmode = 'audit'\ninterval = '1h30m'\nsplay = '0s'\nwatch = false\n\
         run_timeout = '2h'\nrepair = true\n[labels]\nrole = 'web'\n\
         [reports]\nkeep_runs = 5\nkeep_days = 6\ntextfile = '/var/lib/x.prom'\n"
    );
    scene.file("agent.toml", &text, 0o644);
    let settings = scene.load().unwrap();
    assert_eq!(settings.warnings, Vec::<String>::new());
    let repository = settings.repository.clone().unwrap();
    let path = |text: &str| Some(PathBuf::from(text));
    assert_eq!(repository.url, "https://git.example.com/ops/policy.git");
    assert_eq!(repository.mirrors, ["git@mirror.example.com:policy.git"]);
    assert_eq!(repository.branch.as_deref(), Some("production"));
    assert_eq!((repository.path.as_str(), repository.depth), ("site", 0));
    assert_eq!((repository.token_file, repository.ssh_key), (path(&secret), path(&secret)));
    assert_eq!((repository.known_hosts, repository.ca_file), (path(&trust), path(&trust)));
    assert_eq!(repository.client, path(&trust).zip(path(&secret)));
    let signed = Verify::Signed { allowed_signers: path(&trust), openpgp_keyring: path(&trust) };
    assert_eq!(repository.verify, signed);
    assert_eq!(repository.limits.max_pack_bytes, 16);
    assert_eq!(repository.limits.max_files, 4);
    assert_eq!(repository.limits.deadline, Duration::from_secs(90));
    assert_eq!(
        settings.agent,
        Agent {
            mode: Mode::Audit,
            interval: Duration::from_secs(5400),
            splay: Duration::ZERO,
            watch: false,
            run_timeout: Duration::from_secs(7200),
            repair: true,
        }
    );
    let textfile = path("/var/lib/x.prom");
    assert_eq!(settings.reports, Reports { keep_runs: 5, keep_days: 6, textfile });
    assert_eq!(settings.labels.get("role").map(String::as_str), Some("web"));
    // A declared key that this test does not set would be missing here.
    let unset = settings.describe().settings().iter().filter(|one| one.origin == Origin::Default);
    assert_eq!(unset.map(|one| one.name.as_str()).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn drop_ins_win_by_name_and_lists_are_replaced() {
    let main = "[repository]\nurl = '/srv/a'\nmirrors = ['/srv/b']\nverify.mode = 'none'\n\
                [agent]\ninterval = '1m'\n[labels]\nrole = 'web'\nsite = 'x'\n";
    let scene = Scene::new(&[
        ("agent.toml", main),
        ("agent.toml.d/20-second.toml", "[agent]\ninterval = '3m'\n"),
        ("agent.toml.d/10-first.toml", "[agent]\ninterval = '2m'\n[labels]\nrole = 'db'\n"),
        ("agent.toml.d/30-third.toml", "repository.mirrors = []\n"),
    ]);
    let settings = scene.load().unwrap();
    assert_eq!(settings.agent.interval, Duration::from_secs(180));
    assert_eq!(settings.repository.clone().unwrap().mirrors, Vec::<String>::new());
    let labels: Vec<(&str, &str)> =
        settings.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(labels, [("role", "db"), ("site", "x")]);
    let text = scene.plain(&settings.describe().to_string());
    assert_eq!(
        text,
        "\
[repository]
url = \"/srv/a\"              # agent.toml:2
mirrors = []                # agent.toml.d/30-third.toml:1, instead of agent.toml:3
# branch is not set
path = \".\"                  # default
depth = 50                  # default
# token_file is not set
# ssh_key is not set
# known_hosts is not set
# client_cert is not set
# client_key is not set
# ca_file is not set

[repository.verify]
mode = \"none\"               # agent.toml:4
# allowed_signers is not set
# openpgp_keyring is not set

[repository.limits]
max_pack_bytes = 536870912  # default
max_blob_bytes = 67108864   # default
max_total_bytes = 1073741824  # default
max_files = 200000          # default
deadline = \"5m\"             # default

[agent]
mode = \"enforce\"            # default
interval = \"3m\"             # agent.toml.d/20-second.toml:2, instead of agent.toml.d/10-first.toml:2
splay = \"60s\"               # default
watch = true                # default
run_timeout = \"1h\"          # default
repair = false              # default

[reports]
keep_runs = 1000            # default
keep_days = 90              # default
# textfile is not set

[labels]
role = \"db\"                 # agent.toml.d/10-first.toml:4, instead of agent.toml:8
site = \"x\"                  # agent.toml:9
"
        .lines()
        .map(align)
        .collect::<Vec<_>>()
        .join("\n")
            + "\n"
    );
    // What is printed has the same effect as what was read.
    let copy = Scene::new(&[("agent.toml", &settings.describe().to_string())]);
    let again = copy.load().unwrap();
    assert_eq!(again.agent, settings.agent);
    assert_eq!(again.repository, settings.repository);
    assert_eq!(again.labels, settings.labels);
    let json = serde_json::to_value(settings.describe()).unwrap();
    assert_eq!(json[0]["value"], "/srv/a");
    assert_eq!(json[1]["value"], serde_json::json!([]));
    assert_eq!(json[2]["value"], serde_json::Value::Null);
}

/// Puts the comment of a line of the expected text into the column of the widest assignment.
fn align(line: &str) -> String {
    const WIDEST: usize = "max_total_bytes = 1073741824".len();
    match line.split_once(" #") {
        Some((assignment, comment)) => format!("{:<WIDEST$}  #{comment}", assignment.trim_end()),
        None => line.to_owned(),
    }
}

#[test]
fn errors_have_place_and_suggestion() {
    for (text, expected) in [
        (
            "[agent]\nintervall = '5m'\n",
            vec!["agent.toml:2: unknown key `intervall` in [agent]; did you mean `interval`?"],
        ),
        (
            "interval = '5m'\n",
            vec!["agent.toml:1: unknown key `interval`; `interval` belongs into [agent]"],
        ),
        ("[agents]\n", vec!["agent.toml:1: unknown table `agents`; did you mean `agent`?"]),
        (
            "[repository.verfy]\nmode = 'none'\n",
            vec!["agent.toml:1: unknown table `verfy` in [repository]; did you mean `verify`?"],
        ),
        (
            "[reports]\nxyzzy = 1\n",
            vec![
                "agent.toml:2: unknown key `xyzzy` in [reports]; known here: keep_runs, keep_days, textfile",
            ],
        ),
        (
            "agent = 5\n",
            vec!["agent.toml:1: `agent` must be a table, not an integer; write [agent]"],
        ),
        (
            "[agent]\ninterval = 300\nwatch = 'true'\n\nmode = 'enforced'\n",
            vec![
                "agent.toml:2: `agent.interval` must be a string like \"90s\", \"5m\" or \"2h\", not an integer; for seconds write \"300s\"",
                "agent.toml:3: `agent.watch` must be true or false, not a string; write true without quotes",
                "agent.toml:5: `agent.mode`: \"enforced\" is unknown; did you mean `enforce`?",
            ],
        ),
        (
            "[agent]\ninterval = '0s'\nsplay = '1 minute'\nmode = 'x'\n[reports]\nkeep_runs = 0\n",
            vec![
                "agent.toml:4: `agent.mode`: \"x\" is unknown; use enforce or audit",
                "agent.toml:2: `agent.interval`: \"0s\" is too short; at least 1s",
                "agent.toml:3: `agent.splay`: \"1 minute\" is not a time; write it like \"90s\", \"5m\", \"1h30m\" or \"2d\"",
                "agent.toml:6: `reports.keep_runs`: 0 is too small; at least 1",
            ],
        ),
        (
            "[labels]\nrole = 5\n'a b' = 'x'\n",
            vec![
                "agent.toml:2: the label `role` must be a string, not an integer; write \"5\"",
                "agent.toml:3: \"a b\" cannot be a label's name; letters, digits, _ and -, beginning with a letter or _",
            ],
        ),
        (
            "[repository]\nbranch = 'main'\n",
            vec![
                "agent.toml:2: a repository is configured without saying where it is; set `url` in [repository]",
            ],
        ),
        (
            "[repository]\nurl = '/srv/policy'\n",
            vec![
                "agent.toml:2: it is not said which commits to believe; in [repository.verify] set `allowed_signers` or `openpgp_keyring`, or `mode = \"none\"` to believe whatever the server says",
            ],
        ),
        (
            "[repository]\nurl = '/srv/policy'\nverify.mode = 'signed'\n",
            vec![
                "agent.toml:3: signatures are demanded, but nobody may sign; set `allowed_signers` or `openpgp_keyring` in [repository.verify]",
            ],
        ),
        (
            "[repository]\nurl = 'https://me:hunter2@git.example.com/x'\ntoken_file = 'token'\nmirrors = ['/a', 'b']\n",
            vec![
                "agent.toml:2: `repository.url`: it has credentials in it, and it is shown to people; put them into token_file",
                "agent.toml:4: `repository.mirrors`: number 2: it is neither a URL nor an absolute path",
                "agent.toml:3: `repository.token_file`: \"token\" is not an absolute path; nothing is read from the current directory",
            ],
        ),
        (
            "[repository]\nurl = 'https://git.example.com/x'\nverify.mode = 'none'\nclient_cert = '/c'\n",
            vec![
                "agent.toml:4: `repository.client_cert` is of no use without `repository.client_key`; set both or neither",
            ],
        ),
        ("[agent]\nmode = 'audit'\nmode = 'enforce'\n", vec!["agent.toml:3: duplicate key"]),
    ] {
        let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        expected.sort();
        let mut found = Scene::new(&[("agent.toml", text)]).errors();
        found.sort();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn errors_of_all_files_come_together() {
    let scene = Scene::new(&[
        ("agent.toml", "[agent]\nintervall = '5m'\nsplay = = '5m'\nwatch = 1\n"),
        ("agent.toml.d/10-a.toml", "[reports]\nkeep_runs = 'many'\n"),
    ]);
    let errors = scene.errors();
    let places: Vec<&str> = errors.iter().filter_map(|line| line.split(": ").next()).collect();
    let expected = ["agent.toml:2", "agent.toml:3", "agent.toml:4", "agent.toml.d/10-a.toml:2"];
    assert_eq!(places, expected, "{errors:#?}");
}

#[test]
fn what_is_not_read_is_named() {
    let scene = Scene::new(&[
        ("agent.toml.d/10-site.conf", "[agent]\n"),
        ("agent.toml.d/20-site.toml.bak", "broken = = "),
        ("agent.toml.d/.hidden", ""),
        ("agent.toml.d/more.toml/x.toml", ""),
    ]);
    let reason = "not read, because its name does not end in .toml";
    assert_eq!(
        scene.warnings(),
        [
            format!("agent.toml.d/.hidden: {reason}"),
            format!("agent.toml.d/10-site.conf: {reason}"),
            format!("agent.toml.d/20-site.toml.bak: {reason}"),
            "agent.toml.d/more.toml: not read, because it is a directory".to_owned(),
        ]
    );
}

#[test]
fn permissions_that_give_too_much_away_are_named() {
    let scene = Scene::new(&[]);
    let token = scene.file("token", "x", 0o644);
    let signers = scene.file("signers", "x", 0o664);
    let text = format!(
        "[repository]\nurl = 'https://git.example.com/x'\ntoken_file = '{token}'\n\
         ssh_key = '/nonexistent/key'\nverify.allowed_signers = '{signers}'\n"
    );
    scene.file("agent.toml", &text, 0o646);
    assert_eq!(
        scene.warnings(),
        [
            "agent.toml can be written by others; run chmod go-w agent.toml",
            "agent.toml:3: `repository.token_file`: token is a secret that every user can read; run chmod o= token",
            "agent.toml:4: `repository.ssh_key`: /nonexistent/key does not exist",
            "agent.toml:5: `repository.verify.allowed_signers`: signers can be written by others; run chmod go-w signers",
            "agent.toml:4: `repository.ssh_key` has no effect: no URL of the repository is one of ssh",
        ]
    );
}

#[test]
fn unverified_commits_are_always_mentioned() {
    let scene = Scene::new(&[("agent.toml", LEAST)]);
    assert_eq!(scene.load().unwrap().repository.unwrap().verify, Verify::Anything);
    let expected = "agent.toml:3: commits are not verified (`repository.verify.mode` is \"none\")";
    assert_eq!(scene.warnings(), [expected]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a scene for the test, in its own directory")]
fn files_that_cannot_be_read_are_errors() {
    let dangling = Scene::new(&[]);
    symlink("/nonexistent", dangling.0.path().join("agent.toml")).unwrap();
    let fifo = Scene::new(&[]);
    nix::unistd::mkfifo(&fifo.0.path().join("agent.toml"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let binary = Scene::new(&[]);
    std::fs::write(binary.0.path().join("agent.toml"), b"\xff\xfe").unwrap();
    let large = Scene::new(&[("agent.toml", &"#\n".repeat(600_000))]);
    for scene in [dangling, fifo, binary, large] {
        assert_eq!(scene.errors(), ["cannot read agent.toml"]);
    }
}

#[test]
fn the_schema_is_sound() {
    for (index, setting) in SETTINGS.iter().enumerate() {
        let key = setting.key();
        assert!(!SETTINGS.iter().skip(index + 1).any(|other| other.key() == key), "{key} twice");
        assert!(setting.summary.ends_with('.'), "{key}");
        assert!(tables().contains(&setting.table), "{key}");
        if let (Form::Word(words), Some(super::schema::Default::Text(default))) =
            (setting.form, setting.default)
        {
            assert!(words.contains(&default), "{key}");
        }
    }
}
