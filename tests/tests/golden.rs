//! Golden scripts: whole commands, with all they print and their exit codes, as a user sees them.
//!
//! Everything happens in a scratch directory, as any user. What differs from run to run (the scratch
//! path, times, ids) is replaced; the rest is compared to the letter.

#![expect(
    clippy::disallowed_methods,
    reason = "the program is looked at from outside its own doors"
)]

#[path = "golden/authors.rs"]
mod authors;
#[path = "golden/ci.rs"]
mod ci;
#[path = "golden/history.rs"]
mod history;
#[path = "golden/mistakes.rs"]
mod mistakes;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use steadfast_tests::documents::program;

use regex::Regex;

/// A scratch directory with a policy repository in `policy/` and a host's root in `host/`.
struct Script {
    directory: tempfile::TempDir,
    transcript: String,
}

impl Script {
    fn new(policies: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let script = Self { directory, transcript: String::new() };
        for path in ["host/etc", "host/srv", "settings"] {
            std::fs::create_dir_all(script.path(path)).expect("scratch directories");
        }
        script.write("host/etc/hostname", "web1\n");
        script.write("host/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
        for (path, content) in policies {
            script.write(&format!("policy/{path}"), content);
        }
        script
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a directory");
        std::fs::write(&path, content).expect("a file");
    }

    /// Runs a command line, words separated by spaces, and writes down what it printed.
    fn run(&mut self, line: &str) {
        let output = self.command(line).output().expect("the program runs");
        let _ = writeln!(self.transcript, "$ steadfast {line}");
        self.transcript.push_str(&String::from_utf8_lossy(&output.stdout));
        for message in String::from_utf8_lossy(&output.stderr).lines() {
            let _ = writeln!(self.transcript, "2> {message}");
        }
        let _ = writeln!(self.transcript, "(exit {})\n", output.status.code().unwrap_or(-1));
    }

    /// Runs git in `policy/`, at a time that is always the same.
    fn git(&self, directory: &str, author: &str, line: &[&str]) {
        let date = "1700000000 +0000";
        let output = Command::new("git")
            .args(line)
            .current_dir(self.path(directory))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", author)
            .env("GIT_AUTHOR_EMAIL", format!("{}@example.com", author.to_lowercase()))
            .env("GIT_COMMITTER_NAME", "Robot")
            .env("GIT_COMMITTER_EMAIL", "robot@example.com")
            .env("GIT_AUTHOR_DATE", date)
            .env("GIT_COMMITTER_DATE", date)
            .output()
            .expect("git runs");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {line:?}: {message}");
    }

    /// Commits everything in `policy/`.
    fn commit(&self, author: &str, message: &str) {
        if !self.path("policy/.git").exists() {
            let init = ["init", "--quiet", "--initial-branch=main", "--object-format=sha1"];
            self.git("policy", author, &init);
        }
        self.git("policy", author, &["add", "--all"]);
        self.git("policy", author, &["commit", "--quiet", "--message", message]);
    }

    /// Runs a command line and returns what it printed as data.
    fn output(&self, line: &str) -> String {
        let output = self.command(line).output().expect("the program runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(program());
        command
            .args(line.split_whitespace())
            .arg("--config-dir")
            .arg(self.path("settings"))
            .current_dir(self.directory.path())
            .env_clear()
            .env("NO_COLOR", "1");
        command
    }

    fn note(&mut self, text: &str) {
        let _ = writeln!(self.transcript, "# {text}");
    }

    /// The transcript without what differs from run to run.
    fn transcript(&self) -> String {
        let path = self.directory.path().to_string_lossy();
        let mut text = self.transcript.replace(&*path, "/scratch");
        for (pattern, word) in [
            (r"\d{8}T\d{6}Z-[0-9a-f]{8}", "RUN"),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?Z", "TIME"),
            (r"(?m)^[0-9a-f]{8}  TIME", "RUN  TIME"),
            (r"its digest  [0-9a-f]{64}", "its digest  DIGEST"),
            (r"  \d s ", "  N s "),
            (r"\d+\.\d\d s", "N s"),
            (r"\d+:\d+(  /srv)", "UID:GID$1"),
        ] {
            text = Regex::new(pattern).expect("a pattern").replace_all(&text, word).into_owned();
        }
        text
    }
}

const SITE: &str = "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n";

const WEB: &str = r#"[params]
port = 80

[file."/srv/www"]
ensure = "directory"

[file."/srv/www/index.html"]
content = "port {{ params.port }} on {{ facts.hostname }}\n"
mode = "0644"

[file."/srv/www/current"]
target = "index.html"
"#;

#[test]
fn a_host_converges_drifts_and_is_corrected() {
    let mut script = Script::new(&[("site.toml", SITE), ("policies/web.toml", WEB)]);
    script.run("validate policy");
    script.run("plan policy --root host");
    script.run("apply policy --root host");
    script.run("apply policy --root host");
    script.note("drift: content, a link's target");
    script.write("host/srv/www/index.html", "defaced\n");
    std::fs::remove_file(script.path("host/srv/www/current")).expect("the link is there");
    std::os::unix::fs::symlink("/etc", script.path("host/srv/www/current")).expect("a link");
    script.run("plan policy --root host");
    script.run("apply policy --root host --audit");
    script.run("apply policy --root host");
    script.run("report --root host");
    script.note("the content that was replaced is kept");
    script.run("restore --list --root host");
    script.run("restore /srv/www/index.html --root host");
    script.run("plan policy --root host");
    insta::assert_snapshot!(script.transcript());
}

#[test]
fn a_saved_plan_is_applied_only_while_it_holds() {
    let mut script = Script::new(&[("site.toml", SITE), ("policies/web.toml", WEB)]);
    script.run("plan policy --root host --out saved.json");
    script.note("the host changes after the plan was made");
    std::fs::create_dir(script.path("host/srv/www")).expect("a directory");
    script.run("apply policy --root host --plan saved.json");
    script.run("plan policy --root host --out again.json");
    script.run("apply policy --root host --plan again.json");
    insta::assert_snapshot!(script.transcript());
}

#[test]
fn tags_choose_what_is_looked_at() {
    const BASE: &str = "tags = \"ground\"\n\n[file.\"/srv/motd\"]\ncontent = \"hello\\n\"\n\n\
        [file.\"/srv/issue\"]\ncontent = \"x\\n\"\ntags = [\"banner\"]\n";
    let site = SITE.replace("[\"web\"]", "[\"base\", \"web\"]");
    let mut script = Script::new(&[
        ("site.toml", &site),
        ("policies/base.toml", BASE),
        ("policies/web.toml", WEB),
    ]);
    script.run("plan policy --root host --tags banner");
    script.run("apply policy --root host --tags ground --skip-tags banner");
    script.note("what was not looked at is neither in sync nor forgotten");
    script.run("apply policy --root host --skip-tags ground");
    script.run("apply policy --root host");
    script.note("a tag that nothing has");
    script.run("apply policy --root host --tags grond");
    script.run("plan policy --root host --skip-tags nonsense");
    script.run("plan policy --root host --tags web --skip-tags file");
    script.note("a saved plan knows what it was made for");
    script.write("host/srv/motd", "defaced\n");
    script.write("host/srv/issue", "defaced\n");
    script.run("plan policy --root host --tags banner --out saved.json");
    script.run("apply policy --root host --plan saved.json --tags ground");
    script.run("apply policy --root host --plan saved.json");
    script.run("plan policy --root host");
    insta::assert_snapshot!(script.transcript());
}

#[test]
fn what_is_declared_and_not_kept_yet_is_said() {
    const RULES: &str = "\n[limits]\ndeletions = 20\n\n[rollout]\nwaves = [{ percent = 5 }, { percent = 100, after = \"1h\" }]\n\n\
        [[window]]\nallow = \"22:00-04:00\"\ntimezone = \"UTC\"\n\n[check.ssh]\ntcp = \"127.0.0.1:22\"\n";
    const POLICY: &str = "[file.\"/srv/motd\"]\ncontent = \"hello\\n\"\non_remove = \"delete\"\n\n\
        [check.motd]\nfile = \"/srv/motd\"\n";
    let site = format!("{SITE}{RULES}");
    let mut script = Script::new(&[("site.toml", &site), ("policies/web.toml", POLICY)]);
    script.run("validate policy");
    script.run("plan policy --root host");
    script.run("apply policy --root host");
    insta::assert_snapshot!(script.transcript());
}

#[test]
fn a_failure_blocks_what_rests_on_it_and_nothing_else() {
    let mut script = Script::new(&[
        ("site.toml", SITE),
        (
            "policies/web.toml",
            r#"[file."/srv/missing/file"]
content = "x"

[file."/srv/dependent"]
content = "y"
require = ["file.\"/srv/missing/file\""]

[file."/srv/further"]
content = "z"
require = ["file.\"/srv/dependent\""]

[file."/srv/independent"]
content = "fine"

[file."/srv/watched"]
content = "not enforced"
enforce = false
"#,
        ),
    ]);
    script.run("plan policy --root host");
    script.run("apply policy --root host");
    script.run("report --root host");
    insta::assert_snapshot!(script.transcript());
}

#[test]
fn every_error_of_a_repository_comes_at_once_and_nothing_is_touched() {
    let mut script = Script::new(&[
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\", \"nginxx\", \"broken\"]\n"),
        ("policies/nginx.toml", "[file.\"/srv/nginx\"]\nsource = \"files/missing\"\n"),
        (
            "policies/broken.toml",
            "[file.\"/srv/a\"]\ncontent = \"unterminated\n[file.\"/srv/b\"]\ncontent = 1\n",
        ),
        (
            "policies/web.toml",
            r#"[params]
port = 80

[file."relative/path"]
content = "x"

[file."/srv/one"]
contnet = "x"

[fiel."/srv/two"]
content = "x"

[file."/srv/three"]
content = "{{ params.prot }}"
mode = 644

[file."/srv/four"]
content = "x"
require = ["file.\"/srv/onee\""]

[file."/srv/five"]
source = "../outside"

[package."-o"]

[user.deploy]
password = "secret"
"#,
        ),
    ]);
    script.run("validate policy");
    script.run("apply policy --root host");
    assert!(
        std::fs::read_dir(script.path("host/srv")).expect("the directory").next().is_none(),
        "nothing was touched"
    );
    insta::assert_snapshot!(script.transcript());
}

#[test]
fn a_cycle_shows_the_place_of_every_edge() {
    let mut script = Script::new(&[
        ("site.toml", SITE),
        (
            "policies/web.toml",
            r#"[file."/srv/a"]
content = "a"
require = ["file.\"/srv/b\""]

[file."/srv/b"]
content = "b"
before = ["file.\"/srv/c\""]

[file."/srv/c"]
content = "c"
notify = ["file.\"/srv/b\""]
"#,
        ),
    ]);
    script.run("plan policy --root host");
    insta::assert_snapshot!(script.transcript());
}

#[test]
fn wrong_usage_and_missing_things_are_told_apart() {
    let mut script = Script::new(&[]);
    script.run("plann");
    script.run("apply nowhere --root host");
    script.run("apply --root host");
    script.run("report --root host");
    script.run("facts os.famly --root host");
    script.run("facts os.family --root host");
    script.run("restore /srv/none --root host");
    insta::assert_snapshot!(script.transcript());
}

/// A site with data, a module, a template that includes another, and policies for other hosts.
fn explained() -> Script {
    Script::new(&[
        (
            "site.toml",
            "[site]\ndata = [\"common\", \"host/{{ facts.hostname }}\"]\n\n[[assign]]\nhosts = \"*\"\n\
             policies = [\"web\"]\n\n[[assign]]\nhosts = [\"db*\"]\npolicies = [\"db\"]\n\n\
             [[assign]]\nwhen = \"facts.os.family == 'redhat'\"\npolicies = [\"rhel\"]\n",
        ),
        ("data/common.toml", "[web]\nport = 8080\nhosts = [{ name = \"a\" }]\n"),
        ("data/host/web1.toml", "[web]\nport = 8081\n\"hosts+\" = [{ name = \"b\" }]\n"),
        (
            "policies/web/policy.toml",
            r#"[params]
port = 80
hosts = []
mail = "root@{{ facts.hostname }}"

[defaults.file]
mode = "0644"

[file."/srv/www"]
ensure = "directory"
mode = "0755"

[file."/srv/www/{{ item.name }}.conf"]
for_each = "params.hosts"
template = "templates/host"
before = ["file./srv/motd"]

[file."/srv/motd"]
content = """
Welcome to {{ facts.hostname }}
Mail {{ params.mail }}
"""

[file."/srv/off"]
when = "labels.role | default('') == 'db' or params.port > 9000"
content = "x"

[module.status]
source = "page"
name = "status-{{ facts.hostname }}"

[module.debug]
source = "debug"
when = "params.port == 1"

[file."/srv/key"]
sensitive = true
content = "{{ data.web.port }} and a secret"
"#,
        ),
        (
            "policies/web/templates/host",
            "{% include \"templates/head\" %}\nserver {{ item.name }}\nlisten {{ params.port }}\n",
        ),
        ("policies/web/templates/head", "# for {{ params.mail }}"),
        (
            "policies/page.toml",
            "[params]\nname = { type = \"string\", required = true }\n\n\
             [file.\"/srv/www/{{ params.name }}\"]\ncontent = \"{{ params.name | upper }}\"\n",
        ),
        ("policies/debug.toml", "[file.\"/srv/debug\"]\ncontent = \"x\"\n"),
        ("policies/db.toml", "[file.\"/srv/db\"]\ncontent = \"x\"\n"),
        ("policies/rhel.toml", "[file.\"/srv/rhel\"]\ncontent = \"x\"\n"),
    ])
}

#[test]
fn a_resource_is_explained_from_its_author_to_its_drift() {
    let mut script = explained();
    script.commit("Ada", "First");
    script.write("policy/policies/web/templates/head", "# mail {{ params.mail }}");
    script.commit("Grace", "A better head");
    let policy = std::fs::read_to_string(script.path("policy/policies/web/policy.toml"));
    let policy = policy.expect("the policy").replace("\"0755\"", "\"0750\"");
    script.write("policy/policies/web/policy.toml", &policy);
    script.commit("Grace", "Not for everybody");
    script.run("explain file./srv/www/b.conf policy --root host");
    script.run("explain file.\"/srv/www\" policy --root host");
    script.run("explain file.'/srv/www/status-web1' policy --root host");
    script.note("nothing that may be secret is told");
    script.run("explain file./srv/key policy --root host");
    script.note("what happened to it here");
    script.run("apply policy --root host");
    script.write("host/srv/motd", "defaced\n");
    script.run("apply policy --root host");
    script.run("explain file./srv/motd policy --root host");
    script.note("nobody declares it any more");
    let without = policy.replace("file./srv/motd", "file./srv/welcome");
    let without = without.replace("[file.\"/srv/motd\"]", "[file.\"/srv/welcome\"]");
    script.write("policy/policies/web/policy.toml", &without);
    script.run("explain file./srv/motd policy --root host");
    insta::assert_snapshot!(script.transcript());
}

#[test]
fn what_a_host_lacks_is_explained_too() {
    let mut script = explained();
    script.commit("Ada", "First");
    for title in ["off", "debug", "db", "rhel", "www/c.conf", "mtod", "nothing/like/it"] {
        script.run(&format!("explain file./srv/{title} policy --root host"));
    }
    script.run("explain fiel./srv/motd policy --root host");
    script.run("explain motd policy --root host");
    insta::assert_snapshot!(script.transcript());
}

#[test]
fn an_explanation_hides_secrets_wherever_they_turn_up() {
    let secret = format!("$6$saltsalt${}xx", "hash".repeat(21));
    let mut script = Script::new(&[
        ("site.toml", "[site]\ndata = [\"x\"]\n[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n"),
        ("data/x.toml", &format!("[deploy]\npassword = \"{secret}\"\n")),
        (
            "policies/web.toml",
            "[user.deploy]\npassword = \"{{ data.deploy.password }}\"\n\n[file.\"/srv/leak\"]\n\
             content = \"it is {{ data.deploy.password }}\"\n",
        ),
    ]);
    for arguments in ["user.deploy", "file./srv/leak", "user.deploy --json"] {
        script.run(&format!("explain {arguments} policy --root host"));
    }
    assert!(!script.transcript.contains("hashhash"), "{}", script.transcript);
    assert!(script.transcript.contains("it is (hidden)"), "{}", script.transcript);
}

#[test]
fn history_is_told_as_far_as_there_is_any() {
    let mut script = Script::new(&[("site.toml", SITE), ("policies/web.toml", WEB)]);
    let title = "file./srv/www/index.html";
    script.note("a directory without Git, a single file");
    script.run(&format!("explain {title} policy --root host"));
    script.run(&format!("explain {title} policy/policies/web.toml --root host"));
    script.commit("Ada", "First");
    let longer = format!("{WEB}\n[file.\"/srv/more\"]\ncontent = \"x\"\n");
    script.write("policy/policies/web.toml", &longer);
    script.commit("Grace", "More");
    script.write("policy/policies/web.toml", &longer.replace("\"0644\"", "\"0640\""));
    script.note("a line that is not committed");
    script.run(&format!("explain {title} policy --root host"));
    script.note("a clone that does not reach back to the first commit");
    let url = format!("file://{}", script.path("policy").display());
    script.git("", "Ada", &["clone", "--quiet", "--depth=1", &url, "clone"]);
    script.run(&format!("explain {title} clone --root host"));
    script.note("a repository with commits");
    script.run(&format!("explain {title} {url} --root host"));
    script.note("the same for programs, for another host");
    script.write("facts.json", "{ \"hostname\": \"other\", \"fqdn\": \"other.example.com\" }\n");
    script.run(&format!("explain {title} {url} --facts facts.json --json"));
    insta::assert_snapshot!(script.transcript());
}

/// The demonstration checks the exit code of each of its commands itself.
#[test]
fn the_demonstration_holds() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let output = Command::new(program())
        .arg("demo")
        .arg(directory.path().join("demo"))
        .env_clear()
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("That was the whole loop"), "{text}");
}
