//! A policy repository that is out of reach: what is in force stays in force, and the report says so.

#![expect(
    clippy::disallowed_methods,
    reason = "the program is looked at from outside its own doors"
)]

use std::process::{Command, Output};

use serde_json::Value;
use steadfast_tests::documents::program;
use steadfast_tests::git::PolicyRepository;

struct Scene {
    directory: tempfile::TempDir,
}

impl Scene {
    fn new(repository: &PolicyRepository) -> Self {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let scene = Self { directory };
        for path in ["root/etc", "root/srv", "settings"] {
            std::fs::create_dir_all(scene.directory.path().join(path)).expect("a directory");
        }
        let settings = format!(
            "[repository]\nurl = {:?}\nbranch = \"main\"\nverify.mode = \"none\"\n",
            repository.path().display().to_string()
        );
        std::fs::write(scene.directory.path().join("settings/agent.toml"), settings)
            .expect("the settings are written");
        scene
    }

    fn run(&self, command: &str) -> Output {
        self.run_with(command, &[])
    }

    fn run_with(&self, command: &str, arguments: &[&str]) -> Output {
        Command::new(program())
            .args(["--config-dir", "settings", command, "--root", "root", "--json"])
            .args(arguments)
            .current_dir(self.directory.path())
            .env("NO_COLOR", "1")
            .output()
            .expect("the program runs")
    }

    fn content(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("root/srv/version")).expect("a file")
    }
}

/// A version whose other resource fails where `broken`.
fn version(number: u32, broken: bool) -> [(&'static str, String); 2] {
    let parent = if broken { "/srv/nowhere/deep" } else { "/srv" };
    [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n".to_owned()),
        (
            "policies/web.toml",
            format!(
                "[file.\"/srv/version\"]\ncontent = \"{number}\"\n\
                 [file.\"{parent}/other\"]\ncontent = \"x\"\n"
            ),
        ),
    ]
}

#[test]
fn an_outage_does_not_lead_back_to_an_older_revision() {
    let commit = |repository: &mut PolicyRepository, number, broken| {
        let files = version(number, broken);
        repository.commit(&files.each_ref().map(|(path, text)| (*path, text.as_str())));
    };
    let mut repository = PolicyRepository::empty();
    commit(&mut repository, 1, false);
    let scene = Scene::new(&repository);
    assert_eq!(scene.run("apply").status.code(), Some(0));
    commit(&mut repository, 2, true);
    assert_eq!(scene.run("apply").status.code(), Some(3), "one resource fails");
    assert_eq!(scene.content(), "2");

    let away = repository.path().with_extension("away");
    std::fs::rename(repository.path(), &away).expect("the repository goes away");
    for command in ["apply", "plan"] {
        let output = scene.run(command);
        assert_eq!(scene.content(), "2", "{command}");
        let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let told =
            String::from_utf8_lossy(&output.stderr).into_owned() + &printed["messages"].to_string();
        assert!(told.contains("stays in force"), "{command}: {told}");
    }
    let report = scene.run("report");
    let report: Value = serde_json::from_slice(&report.stdout).expect("JSON");
    assert!(report["messages"].to_string().contains("stays in force"), "{report:#}");
    std::fs::rename(&away, repository.path()).expect("the repository comes back");
    commit(&mut repository, 3, false);
    assert_eq!(scene.run("apply").status.code(), Some(0));
    assert_eq!(scene.content(), "3");
}

#[test]
fn what_is_refused_is_recorded_as_what_it_was_to_be() {
    let repository = PolicyRepository::with(&[("policies/web.toml", "[file.\n")]);
    let scene = Scene::new(&repository);
    let newest = || -> Value {
        serde_json::from_slice(&scene.run("report").stdout).expect("a report as JSON")
    };
    for (arguments, mode, scope) in [
        (vec![], "enforce", "host"),
        (vec!["--audit"], "audit", "host"),
        (vec!["--tags", "web"], "enforce", "selection"),
    ] {
        assert_eq!(scene.run_with("apply", &arguments).status.code(), Some(1), "{arguments:?}");
        let report = newest();
        assert_eq!(report["outcome"], "failed", "{report:#}");
        assert_eq!((&report["mode"], &report["scope"]), (&mode.into(), &scope.into()));
    }
    // A policy that somebody tries out is answered on the terminal, and no run of the host.
    let before = newest();
    std::fs::write(scene.directory.path().join("draft.toml"), "[file.\n").expect("a draft");
    assert_eq!(scene.run_with("apply", &["draft.toml"]).status.code(), Some(1));
    assert_eq!(newest()["id"], before["id"]);
}
