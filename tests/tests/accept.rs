//! `steadfast accept` on the root of an image, as any user: what it prints, and that Git takes it.

#![expect(
    clippy::disallowed_methods,
    reason = "the program is looked at from outside its own doors"
)]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

const POLICY: &str = r#"[params]
port = 80
names = ["one", "two"]
greeting = "hello"

[defaults.file]
mode = "0644"

# The page.
[file."/srv/page"]
content = "<h1>" # a title

[file."/srv/port"]
content = "{{ params.port }}\n"

[file."/srv/greeting"]
content = "{{ params.greeting }} {{ data.site.owner }}\n"

[file."/srv/template"]
template = "templates/page"

[file."/srv/{{ item }}"]
for_each = "params.names"
content = "each"

[module.blue]
source = "note"
name = "blue"

[module.red]
source = "note"
name = "red"

[file."/srv/hidden"]
sensitive = true
content = "hush hush\n"

[file."/srv/beside"]
content = "open"
"#;

const FILES: &[(&str, &str)] = &[
    ("site.toml", "[site]\ndata = [\"common\"]\n[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n"),
    ("data/common.toml", "[web]\nport = 8080\n\n[site]\nowner = \"ann\"\n"),
    ("policies/web/policy.toml", POLICY),
    ("policies/web/templates/page", "port {{ params.port }}\n"),
    (
        "policies/note.toml",
        "[params]\nname = { type = \"string\", required = true }\n\n\
         [file.\"/srv/{{ params.name }}\"]\ncontent = \"a note\"\n",
    ),
];

struct Scene {
    directory: tempfile::TempDir,
    /// Where the policy repository is in its Git repository.
    below: &'static str,
    transcript: String,
}

impl Scene {
    fn new(below: &'static str) -> Self {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let scene = Self { directory, below, transcript: String::new() };
        scene.write("host/etc/hostname", "web1\n");
        scene.write("host/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
        std::fs::create_dir_all(scene.path("host/srv")).expect("a directory");
        std::fs::create_dir_all(scene.path("settings")).expect("a directory");
        for (path, content) in FILES {
            scene.write(&format!("git/{below}{path}"), content);
        }
        scene.git("init -q -b main");
        scene.git("add .");
        scene.git("commit -qm start");
        assert_eq!(scene.steadfast(&format!("apply git/{below} --root host")).2, 0);
        scene
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, content).expect("a file");
    }

    fn git(&self, line: &str) {
        let done = Command::new("git")
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
            .args(line.split_whitespace())
            .current_dir(self.path("git"))
            .output()
            .expect("git runs");
        assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    }

    fn steadfast(&self, line: &str) -> (String, String, i32) {
        let mut program = std::env::current_exe().expect("the test's own path");
        program.pop();
        program.pop();
        let program = std::env::var_os("STEADFAST_BIN")
            .map_or_else(|| program.join("steadfast"), PathBuf::from);
        let output = Command::new(program)
            .args(line.split_whitespace())
            .arg("--config-dir")
            .arg(self.path("settings"))
            .current_dir(self.directory.path())
            .env("NO_COLOR", "1")
            .output()
            .expect("the program runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code().unwrap_or(-1))
    }

    /// Runs `accept` and writes down what it printed; the patch is kept in `patch`.
    fn accept(&mut self, words: &str) {
        let line = format!("accept {words} git/{} --root host", self.below);
        let (patch, messages, code) = self.steadfast(&line);
        let _ = writeln!(self.transcript, "$ steadfast {line}");
        for message in messages.lines() {
            let _ = writeln!(self.transcript, "2> {message}");
        }
        let changing = ["Date: ", "Seen on ", "steadfast "];
        let constant = |line: &&str| !changing.iter().any(|start| line.starts_with(start));
        for line in patch.lines().filter(constant) {
            let _ = writeln!(self.transcript, "{line}");
        }
        let _ = writeln!(self.transcript, "(exit {code})\n");
        self.write("patch", &patch);
    }
}

#[test]
fn drift_of_an_image_becomes_a_patch() {
    let mut scene = Scene::new("");
    scene.accept("file./srv/page");
    scene.write("host/srv/page", "<h1>{{ not evaluated }}\n</h1>");
    scene.write("host/srv/blue", "more");
    std::fs::remove_file(scene.path("host/srv/greeting")).expect("it was there");
    std::os::unix::fs::symlink("/nowhere", scene.path("host/srv/greeting")).expect("a link");
    scene.accept("file.\"/srv/page\" file./srv/greeting file./srv/one");
    scene.git("am -q ../patch");
    scene.accept("file./srv/page file./srv/greeting");
    let (plan, _, code) = scene.steadfast("plan git --root host");
    assert!(code == 2 && plan.contains("9 in sync, 1 drifted"), "{plan}");
    insta::assert_snapshot!(scene.transcript);
}

#[test]
fn what_is_not_written_out_is_named_with_its_place() {
    let mut scene = Scene::new("");
    for name in ["port", "greeting", "template", "two", "red"] {
        scene.write(&format!("host/srv/{name}"), "changed\n");
        scene.accept(&format!("file./srv/{name}"));
    }
    std::fs::set_permissions(
        scene.path("host/srv/page"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .expect("own file");
    scene.accept("file./srv/page --author Ann<ann@example.com>");
    scene.accept("file./srv/page");
    scene.accept("file./srv/pgae");
    scene.accept("fiel./srv/page");
    insta::assert_snapshot!(scene.transcript);
}

#[test]
fn a_repository_within_another_and_a_commit() {
    let mut scene = Scene::new("ops/policy/");
    scene.write("host/srv/page", "changed\r\n");
    scene.accept("file./srv/page");
    assert!(scene.transcript.contains("--- a/ops/policy/policies/web/policy.toml"));
    scene.git("am -q ../patch");
    scene.accept("file./srv/page");
    assert!(scene.transcript.contains("nothing to accept"), "{}", scene.transcript);

    let scene = Scene::new("");
    scene.write("host/srv/page", "changed\n");
    let url = format!("file://{}", scene.path("git").display());
    let line = format!("accept file./srv/page {url} --root host --out patch");
    let (stdout, stderr, code) = scene.steadfast(&line);
    assert_eq!((stdout.as_str(), code), ("", 0), "{stderr}");
    scene.git("am -q ../patch");
    let (plan, _, code) = scene.steadfast("plan git --root host");
    assert_eq!(code, 0, "{plan}");
}

#[test]
fn secrets_are_not_told_by_the_lines_around_a_change() {
    let scene = Scene::new("");
    scene.write("host/srv/beside", "changed");
    std::fs::remove_file(scene.path("host/srv/hidden")).expect("it was there");
    for name in ["file./srv/beside", "file./srv/hidden"] {
        let (stdout, stderr, code) = scene.steadfast(&format!("accept {name} git --root host"));
        assert_eq!((stdout.as_str(), code), ("", 2), "{stderr}");
        assert!(!stderr.contains("hush") && stderr.contains("--show-secrets"), "{stderr}");
        assert!(stderr.contains("at policies/web/policy.toml:36,"), "{stderr}");
    }
    let line = "accept file./srv/beside file./srv/hidden git --root host --show-secrets";
    let (patch, _, code) = scene.steadfast(line);
    assert!(code == 0 && patch.contains("-content = \"hush hush\\n\""), "{patch}");
    scene.write("patch", &patch);
    scene.git("am -q ../patch");
    assert_eq!(scene.steadfast("plan git --root host").2, 0);
}

#[test]
fn git_takes_a_patch_of_a_policy_with_carriage_returns_or_a_mark() {
    for (mark, end) in [("", "\r\n"), ("\u{feff}", "\n"), ("\u{feff}", "\r\n")] {
        let mut scene = Scene::new("");
        let policy = format!("{mark}{}", POLICY.replace("hush hush", "open").replace('\n', end));
        scene.write("git/policies/web/policy.toml", &policy);
        scene.git("-c core.autocrlf=false commit -qam ends");
        scene.write("host/srv/page", "changed");
        scene.accept("file./srv/page");
        scene.git("-c core.autocrlf=false am -q ../patch");
        let now = std::fs::read_to_string(scene.path("git/policies/web/policy.toml"));
        let expected = policy.replace("content = \"<h1>\"", "content = \"changed\"");
        assert_eq!(now.expect("a policy"), expected, "{}", scene.transcript);
    }
}

#[test]
fn a_policy_that_is_not_committed_is_not_patched() {
    let scene = Scene::new("ops/");
    scene.write("host/srv/page", "changed");
    scene.write("git/ops/unrelated", "not committed");
    let line = "accept file./srv/page git/ops --root host";
    assert_eq!(scene.steadfast(line).2, 0);
    scene.write("git/ops/policies/web/policy.toml", &format!("# new\n{POLICY}"));
    let (stdout, stderr, code) = scene.steadfast(line);
    assert_eq!((stdout.as_str(), code), ("", 1), "{stderr}");
    assert!(stderr.contains("ops/policies/web/policy.toml is not as in the commit"), "{stderr}");
    assert!(stderr.contains("commit or stash it first"), "{stderr}");
}

#[test]
fn a_directory_in_place_of_a_link_keeps_its_mode() {
    let mut scene = Scene::new("");
    let policy = format!("{POLICY}\n[file.\"/srv/link\"]\ntarget = \"page\"\n");
    scene.write("git/policies/web/policy.toml", &policy);
    scene.git("commit -qam link");
    std::fs::create_dir(scene.path("host/srv/link")).expect("a directory");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o750);
    std::fs::set_permissions(scene.path("host/srv/link"), mode).expect("own directory");
    scene.accept("file./srv/link");
    assert!(scene.transcript.contains("+mode = \"0750\""), "{}", scene.transcript);
    assert!(scene.transcript.contains("(exit 0)"), "{}", scene.transcript);
    scene.git("am -q ../patch");
    let (plan, _, code) = scene.steadfast("plan git --root host");
    assert_eq!(code, 0, "{plan}");
}

#[test]
fn a_binary_patch_tells_no_secrets_either() {
    let scene = Scene::new("");
    scene.write("git/policies/web/policy.toml", &POLICY.replace('\n', "\r\n"));
    scene.git("-c core.autocrlf=false commit -qam ends");
    scene.write("host/srv/page", "changed");
    let (stdout, stderr, code) = scene.steadfast("accept file./srv/page git --root host");
    assert_eq!((stdout.as_str(), code), ("", 2), "{stderr}");
    assert!(stderr.contains("would stand in the patch"), "{stderr}");
}
