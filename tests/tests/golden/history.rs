//! The history: lists of runs, drift, the chain of reports.

use std::os::unix::fs::PermissionsExt;

use super::{SITE, Script, WEB};

fn mode(script: &Script, path: &str, mode: u32) {
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(script.path(path), permissions).expect("the mode is set");
}

#[test]
fn drift_is_told_from_its_first_sight_to_its_end() {
    let mut script = Script::new(&[("site.toml", SITE), ("policies/web.toml", WEB)]);
    script.run("drift --root host");
    script.run("apply policy --root host");
    script.run("drift --root host");
    script.note("somebody defaces a page and opens its mode");
    script.write("host/srv/www/index.html", "defaced\n");
    mode(&script, "host/srv/www/index.html", 0o666);
    script.run("apply policy --root host --audit");
    script.run("drift --root host");
    script.note("it is mended, and comes back");
    script.run("apply policy --root host");
    script.write("host/srv/www/index.html", &"defaced again\n".repeat(20));
    script.run("apply policy --root host");
    script.run("drift --root host");
    script.run("drift --root host --open");
    script.run("drift --root host --since 2999-01-01");
    script.run("drift --root host file./srv/www");
    script.note("an intended change is none");
    script.write("policy/policies/web.toml", &WEB.replace("port {{", "Port {{"));
    script.run("apply policy --root host");
    script.run("drift --root host --open --json");
    script.run("report --root host --list");
    script.run("report --root host --resource file./srv/www/current");
    script.run("report --root host --since 2999-01-01");
    script.run("report --root host --verify");
    script.run("explain file./srv/www/index.html policy --root host --runs 1");
    insta::assert_snapshot!(script.transcript());
}

#[test]
fn questions_that_cannot_be_answered_say_why() {
    let mut script = Script::new(&[("site.toml", SITE), ("policies/web.toml", WEB)]);
    script.run("apply policy --root host --audit");
    script.run("drift --root host nonsense");
    script.run("drift --root host --since yesterday");
    script.run("report --root host nothing-like-that");
    script.run("report --root host --verify --list");
    insta::assert_snapshot!(script.transcript());
}

/// What a report says of a run is found again by the short name that lists give it.
#[test]
fn a_run_has_a_short_name() {
    let script = Script::new(&[("site.toml", SITE), ("policies/web.toml", WEB)]);
    script.output("apply policy --root host");
    script.output("apply policy --root host");
    let list = script.output("report --root host --list");
    let names: Vec<&str> =
        list.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names.len(), 2, "{list}");
    for (name, outcome) in names.iter().zip(["converged", "changed"]) {
        let report = script.output(&format!("report --root host {name} --json"));
        let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
        assert_eq!(report["outcome"], outcome);
    }
}
