//! What the guides show does what they say: the first policy from its sections, and every recipe of the
//! cookbook that needs no network, applied to booted hosts; quiet the second time.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use steadfast_tests::documents::{Shown, repositories};
use steadfast_tests::host::{Suite, TestHost};

const LONG: Duration = Duration::from_secs(180);

/// Recipes that install what a host without network cannot have.
const NEED_NETWORK: &[&str] = &[
    "A program from the network",
    "A package at a version, held",
    "An apt source, its key, and a pin",
    "A package that asks questions",
    "One release and another",
    "A step that may need a second try",
];

/// The recipe that only reports.
const AUDIT: &str = "Look first, change later";

/// What recipes expect to find on the host: the programs that their units run.
const PROGRAMS: &str = "for name in app worker; do\n\
     printf '#!/bin/sh\\nexec sleep infinity\\n' > /usr/local/bin/$name; chmod 0755 /usr/local/bin/$name\n\
     done";

fn shown(document: &str) -> Vec<Shown> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(document);
    repositories(&std::fs::read_to_string(path).expect("a guide"))
}

fn host(suite: Suite) -> TestHost {
    let host = TestHost::options(suite).hostname("web1.example.com").boot();
    host.publish_distribution();
    host.write("/etc/steadfast/agent.toml", "[labels]\nrole = \"web\"\n");
    host
}

fn apply(host: &TestHost, shown: &Shown) -> Result<Value, String> {
    host.must("rm -rf /srv/policy");
    for (path, text) in &shown.files {
        host.write(&format!("/srv/policy/{path}"), text);
    }
    let command = host.command(&["steadfast", "apply", "--json", "/srv/policy"]);
    let output = command.deadline(LONG).run();
    let audit = shown.section == AUDIT && output.status == 2;
    if !output.succeeded() && !audit {
        return Err(format!("{}: {output}", shown.section));
    }
    serde_json::from_str(&output.stdout).map_err(|error| format!("{}: {error}", shown.section))
}

fn first_policy(suite: Suite) {
    let host = host(suite);
    let steps = shown("first-policy.md");
    assert!(steps.len() >= 4, "the guide has lost its steps");
    for step in &steps {
        apply(&host, step).unwrap_or_else(|complaint| panic!("{complaint}"));
        let quiet = apply(&host, step).unwrap_or_else(|complaint| panic!("{complaint}"));
        assert_eq!(quiet["outcome"], "converged", "{}: {quiet:#}", step.section);
    }
    let curl = "exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3";
    let page = host.run(&["bash", "-euc", curl]).success().stdout;
    assert!(page.ends_with("<h1>Our first page</h1>\n"), "{page}");
    assert!(host.read_text("/etc/motd").contains("* It serves /srv/www.\n"));

    // The last section: a change by hand is shown, corrected, and can be had back.
    host.must("echo '<h1>Mine</h1>' > /srv/www/index.html");
    host.run(&["steadfast", "plan", "/srv/policy"]).code(2);
    let last = steps.last().expect("a step");
    assert_eq!(apply(&host, last).expect("it applies")["outcome"], "corrected");
    assert!(host.must("steadfast report").contains("/srv/www/index.html"));
    host.must("steadfast restore /srv/www/index.html");
    assert_eq!(host.read_text("/srv/www/index.html"), "<h1>Mine</h1>\n");
}

#[test]
fn the_first_policy_converges_a_host_on_debian_12() {
    first_policy(Suite::Bookworm);
}

#[test]
fn the_first_policy_converges_a_host_on_debian_13() {
    first_policy(Suite::Trixie);
}

fn cookbook(suite: Suite) {
    let host = host(suite);
    host.must(PROGRAMS);
    let recipes = shown("cookbook.md");
    for name in NEED_NETWORK {
        let known = recipes.iter().any(|recipe| recipe.section == *name);
        assert!(known, "there is no recipe {name:?} any more");
    }
    let mut complaints = Vec::new();
    let mut applied = 0;
    for recipe in recipes.iter().filter(|recipe| !NEED_NETWORK.contains(&&*recipe.section)) {
        let outcome = apply(&host, recipe).and_then(|_| apply(&host, recipe));
        match outcome {
            Ok(quiet) if quiet["outcome"] == "converged" => applied += 1,
            Ok(quiet) if recipe.section == AUDIT && quiet["outcome"] == "drifted" => applied += 1,
            Ok(unquiet) => complaints.push(format!("{}: {unquiet:#}", recipe.section)),
            Err(complaint) => complaints.push(complaint),
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(applied >= 20, "only {applied} recipes were applied");
}

#[test]
fn the_recipes_of_the_cookbook_work_on_debian_12() {
    cookbook(Suite::Bookworm);
}

#[test]
fn the_recipes_of_the_cookbook_work_on_debian_13() {
    cookbook(Suite::Trixie);
}

/// The role that the guides for people from elsewhere show side by side.
#[test]
fn the_role_of_the_other_guides_works() {
    let host = host(Suite::Bookworm);
    for document in ["from-puppet.md", "from-ansible.md", "from-salt.md"] {
        let shown = shown(document);
        let [role] = shown.as_slice() else { panic!("{document} shows one role") };
        apply(&host, role).unwrap_or_else(|complaint| panic!("{document}: {complaint}"));
        let quiet =
            apply(&host, role).unwrap_or_else(|complaint| panic!("{document}: {complaint}"));
        assert_eq!(quiet["outcome"], "converged", "{document}: {quiet:#}");
        host.must("nginx -t -q; systemctl is-active nginx; id -nG deploy | grep -w www-data");
        host.must("grep -q 'listen 8080' /etc/nginx/conf.d/site.conf");
    }
}
