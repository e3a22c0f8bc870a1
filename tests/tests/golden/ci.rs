//! What `packaging/ci/` offers to authors does what it says.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{Script, program};

const SITE: &str = "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n";

const WEB: &str = "[file.\"/srv/a\"]\ncontent = \"{{ facts.hostname }}\"\n";

const CASES: &str = "[case.a]\nfacts = { hostname = \"web1\" }\n[case.a.expect.file.\"/srv/a\"]\ncontent = \"web1\"\n";

fn packaging(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/ci").join(file)
}

fn git(directory: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .args(arguments)
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "A")
        .env("GIT_AUTHOR_EMAIL", "a@example.com")
        .env("GIT_COMMITTER_NAME", "A")
        .env("GIT_COMMITTER_EMAIL", "a@example.com")
        .env("STEADFAST", program())
        .output()
        .expect("git runs")
}

#[test]
fn the_hook_refuses_what_would_be_wrong_once_committed() {
    let script =
        Script::new(&[("site.toml", SITE), ("policies/web.toml", WEB), ("tests/web.toml", CASES)]);
    let directory = script.path("policy");
    assert!(git(&directory, &["init", "--quiet"]).status.success());
    let hook = directory.join(".git/hooks/pre-commit");
    std::fs::create_dir_all(directory.join(".git/hooks")).expect("a directory");
    std::fs::copy(packaging("pre-commit"), hook).expect("the hook is installed");
    let commit = |message: &str| {
        let output = git(&directory, &["commit", "--quiet", "--message", message]);
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let stage = || assert!(git(&directory, &["add", "--all"]).status.success());
    stage();
    assert_eq!(commit("good"), (true, String::new()));

    script.write("policy/policies/web.toml", "[file.\"/srv/a\"]\ncontnet = \"x\"\n");
    stage();
    let (done, told) = commit("an error");
    assert!(!done && told.contains("did you mean `content`?"), "{told}");

    // The staged content counts, not the mended one beside it.
    script.write("policy/policies/web.toml", WEB);
    let (done, told) = commit("mended, and not staged");
    assert!(!done && told.contains("not committed"), "{told}");

    let other = WEB.replace("facts.hostname", "facts.os.family");
    script.write("policy/policies/web.toml", &other);
    stage();
    let (done, told) = commit("a case that fails");
    assert!(!done && told.contains("not committed"), "{told}");

    script.write("policy/policies/web.toml", &WEB.replace("/srv/a", "/srv/b"));
    script.write("policy/tests/web.toml", &CASES.replace("/srv/a", "/srv/b"));
    stage();
    assert_eq!(commit("good again"), (true, String::new()));
    // Wrong only in the working directory: no reason to refuse what is staged.
    script.write("policy/README", "x\n");
    stage();
    script.write("policy/policies/web.toml", "[fiel.x]\n");
    assert_eq!(commit("good, and beside it something unfinished"), (true, String::new()));
    let log = git(&directory, &["log", "--oneline"]);
    assert_eq!(String::from_utf8_lossy(&log.stdout).lines().count(), 3);
}

/// Every command line that the files for CI give runs, and says that a good repository is good.
#[test]
fn the_jobs_run_commands_that_exist() {
    let script =
        Script::new(&[("site.toml", SITE), ("policies/web.toml", WEB), ("tests/web.toml", CASES)]);
    for (file, expected) in [("github.yml", 2), ("gitlab.yml", 2), ("pre-commit-config.yaml", 2)] {
        let text = std::fs::read_to_string(packaging(file)).expect("the file");
        let lines = text.lines().map(|line| line.trim().trim_start_matches("- "));
        let lines = lines.map(|line| line.trim_start_matches("entry: "));
        let commands: Vec<&str> =
            lines.filter_map(|line| line.strip_prefix("steadfast ")).collect();
        assert_eq!(commands.len(), expected, "{file}: {commands:?}");
        for command in commands {
            let output = script
                .command(command)
                .current_dir(script.path("policy"))
                .output()
                .expect("the program runs");
            assert!(output.status.success(), "{file}: {command}: {output:?}");
        }
    }
}

/// The ready-made repositories are what authors start from: nothing is to be said of them, and
/// their own cases see all of them.
#[test]
fn the_examples_are_valid_and_their_cases_pass() {
    let script = Script::new(&[]);
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/examples");
    let mut count = 0;
    for entry in std::fs::read_dir(&examples).expect("the examples") {
        let directory = entry.expect("an entry").path();
        if !directory.join("site.toml").exists() {
            continue;
        }
        count += 1;
        for (command, expected) in [("validate", "0 errors, 0 warnings\n"), ("test", "(100 %)\n")] {
            let mut command = script.command(command);
            let output = command.arg(&directory).output().expect("the program runs");
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{}: {output:?}", directory.display());
            assert!(told.ends_with(expected), "{}: {told}", directory.display());
        }
    }
    assert!(count >= 4, "{count} examples");
}
