//! What authors run: `validate` with the facts of many hosts, and the repository's own tests.

use super::Script;

const SITE: &str = r#"[site]
data = ["common", "os/{{ facts.os.family }}", "host/{{ facts.hostname }}"]

[[assign]]
hosts = "*"
policies = ["base"]

[[assign]]
when = "labels.role | default('') == 'web'"
policies = ["nginx"]
"#;

const BASE: &str = r#"[params]
motd = "Welcome"
banner = "unused"

[file."/etc/motd"]
content = "{{ params.motd }} to {{ facts.hostname }} ({{ facts.os.codename }})\n"

[package.chrony]
when = "facts.os.family == 'debian'"
"#;

const NGINX: &str = r#"[params]
port = 80

[package.nginx]

[file."/etc/nginx/nginx.conf"]
template = "templates/nginx.conf"
mode = "0644"
require = ["package.nginx"]
notify = ["service.nginx"]

[service.nginx]
ensure = "running"
"#;

const TEMPLATE: &str = "user {{ {'debian': 'www-data', 'redhat': 'nginx'}[facts.os.family] }};\nlisten {{ params.port }};\n";

const CASES: &str = r#"[case.web-server]
labels = { role = "web" }
data = { nginx = { port = 8080 } }
policies = ["base", "nginx"]
lacks = ["package.apache2"]
order = ["package.nginx", "file./etc/nginx/nginx.conf", "service.nginx"]

[case.web-server.expect.file."/etc/nginx/nginx.conf"]
mode = "0644"
content = { contains = "listen 8080;", lacks = "ssl" }
notify = ["service.nginx"]

[case.fedora]
sample = "fedora-42"
lacks = ["package.chrony"]

[case.fedora.expect.file."/etc/motd"]
content = "Welcome to fedora-42 ()\n"
"#;

fn repository() -> Vec<(&'static str, &'static str)> {
    vec![
        ("site.toml", SITE),
        ("policies/base.toml", BASE),
        ("policies/nginx/policy.toml", NGINX),
        ("policies/nginx/templates/nginx.conf", TEMPLATE),
        ("data/common.toml", "[base]\nmotd = \"Welcome\"\nmodt = \"typo\"\n"),
        ("tests/web.toml", CASES),
    ]
}

#[test]
fn validate_knows_hosts_that_are_not_there() {
    let mut script = Script::new(&repository());
    script.run("validate policy");
    script.note("one form for each reader");
    script.run("validate policy --format github");
    script.run("validate policy --json");
    script.note("mended");
    let fixed = TEMPLATE.replace("'redhat'", "'suse': 'x', 'arch': 'x', 'alpine': 'x', 'redhat'");
    script.write("policy/policies/nginx/templates/nginx.conf", &fixed);
    script.write("policy/data/common.toml", "[base]\nmotd = \"Welcome\"\n");
    let base = BASE.replace("banner = \"unused\"\n", "");
    script.write("policy/policies/base.toml", &base);
    script.run("validate policy");
    script.run("validate policy/policies/base.toml");
    insta::assert_snapshot!(script.transcript());
}

#[test]
fn warnings_count_where_validation_is_strict() {
    let policy = "[file.\"/srv/a\"]\nwhen = \"facts.os.family == 'Debian'\"\n";
    let mut script = Script::new(&[("policies/web.toml", policy)]);
    script.run("validate policy/policies/web.toml");
    script.run("validate ./policy/policies/web.toml --strict");
    script.run("validate policy/policies/web.toml --deny-warnings --format github");
    script.note("the settings directory that is named must be there");
    std::fs::remove_dir(script.path("settings")).expect("removed");
    script.run("validate policy/policies/web.toml");
    insta::assert_snapshot!(script.transcript());
}

#[test]
fn every_file_is_read_whatever_is_wrong_with_the_others() {
    let mut script = Script::new(&[
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolices = [\"one\"]\nwhen = \n"),
        ("policies/one.toml", "[file.\"/srv/a\"]\nmode = 0644\n\n[file.\"/srv/b\"\n"),
        ("policies/two/policy.toml", "[file.\"/srv/c\"]\ncontnet = yes\nx = { y = }\n"),
        ("policies/three.toml", "[file.\"/srv/d\"]\nonwer = \"root\"\nmode = \"9\"\n"),
        ("data/common.toml", "port = \"80\nhost = 1\n"),
        ("data/host/web1.toml", "= 1\n"),
        ("tests/a.toml", "[case.a\nlacks = []\n"),
        ("tests/b.toml", "[case.b]\nlack = []\n"),
        ("tests/facts/c.toml", "hostname = web1\n"),
        ("tests/facts/d.json", "{ \"hostname\": }\n"),
    ]);
    script.run("validate policy");
    insta::assert_snapshot!(script.transcript());
}

#[test]
fn a_repository_tests_itself() {
    let mut files = repository();
    files.retain(|(path, _)| *path != "data/common.toml");
    let mut script = Script::new(&files);
    script.run("test policy");
    script.run("test policy --filter fedora --json");
    script.run("test policy --filter nothing");
    script.note("the template changes, its case does not");
    script.write("policy/policies/nginx/templates/nginx.conf", "user x;\nlisten 80;\nssl on;\n");
    let base = BASE.replace(" ({{ facts.os.codename }})", " today\\nand tomorrow");
    script.write("policy/policies/base.toml", &base);
    script.run("test policy");
    script.run("test policy --json --filter web-server");
    script.note("no cases, a broken repository, no repository");
    script.write("policy/tests/web.toml", "");
    script.run("test policy");
    script.write("policy/policies/base.toml", "[fiel.x]\n");
    script.run("test policy");
    script.run("test policy/policies/base.toml");
    insta::assert_snapshot!(script.transcript());
}

/// The structure that SARIF 2.1.0 (OASIS) demands, as far as it concerns what we write.
#[test]
fn sarif_is_what_the_standard_says() {
    let script = Script::new(&repository());
    script.write("policy/data/a b.toml", "x = \n");
    script.write("policy/data/ümlaut.toml", "ä = 1\n");
    let text = script.output("validate policy --format sarif");
    let log: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let keys = |value: &serde_json::Value, required: &[&str], optional: &[&str]| {
        let object = value.as_object().expect("an object");
        for key in required {
            assert!(object.contains_key(*key), "{key} is missing in {value}");
        }
        for key in object.keys() {
            assert!(required.contains(&&**key) || optional.contains(&&**key), "{key} in {value}");
        }
    };
    let items = |value: &serde_json::Value| value.as_array().expect("a list").clone();
    let positive = |value: &serde_json::Value| value.as_u64().is_some_and(|number| number >= 1);
    keys(&log, &["version", "runs"], &["$schema"]);
    assert_eq!(log["version"], "2.1.0");
    let runs = items(&log["runs"]);
    assert_eq!(runs.len(), 1);
    keys(&runs[0], &["tool", "results"], &["columnKind"]);
    assert_eq!(runs[0]["columnKind"], "unicodeCodePoints");
    keys(&runs[0]["tool"], &["driver"], &[]);
    let driver = &runs[0]["tool"]["driver"];
    keys(driver, &["name", "rules"], &["semanticVersion"]);
    let rules = items(&driver["rules"]);
    let mut identities: Vec<&str> = Vec::new();
    for rule in &rules {
        keys(rule, &["id"], &["name", "shortDescription", "defaultConfiguration"]);
        keys(&rule["shortDescription"], &["text"], &[]);
        assert!(
            ["error", "warning"].contains(&rule["defaultConfiguration"]["level"].as_str().unwrap())
        );
        identities.push(rule["id"].as_str().expect("a text"));
    }
    let count = identities.len();
    identities.sort_unstable();
    identities.dedup();
    assert_eq!(identities.len(), count, "identities of rules are unique");
    let results = items(&runs[0]["results"]);
    assert!(results.len() >= 5, "{text}");
    let mut related = 0;
    let mut uris = Vec::new();
    for result in &results {
        keys(
            result,
            &["message", "ruleId", "ruleIndex", "level"],
            &["locations", "relatedLocations", "properties"],
        );
        keys(&result["message"], &["text"], &[]);
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(["error", "warning"].contains(&result["level"].as_str().expect("a level")));
        let mut places = items(&result["locations"]);
        if let Some(others) = result.get("relatedLocations") {
            related += 1;
            places.extend(items(others));
        }
        for place in places {
            keys(&place, &["physicalLocation"], &["id", "message"]);
            let physical = &place["physicalLocation"];
            keys(physical, &["artifactLocation", "region"], &[]);
            let artifact = &physical["artifactLocation"];
            keys(artifact, &["uri"], &["uriBaseId"]);
            let uri = artifact["uri"].as_str().expect("a text").to_owned();
            assert!(uri.starts_with("policy/") && uri.is_ascii() && !uri.contains(' '), "{uri}");
            uris.push(uri);
            let region = &physical["region"];
            keys(region, &["startLine", "startColumn", "endLine", "endColumn"], &[]);
            for key in ["startLine", "startColumn", "endLine", "endColumn"] {
                assert!(positive(&region[key]), "{region}");
            }
            // Equal where something is missing: a point and no stretch.
            assert!(region["endColumn"].as_u64() >= region["startColumn"].as_u64(), "{region}");
        }
    }
    assert!(related > 0, "{text}");
    assert!(uris.iter().any(|uri| uri == "policy/data/a%20b.toml"), "{uris:?}");
    assert!(uris.iter().any(|uri| uri == "policy/data/%C3%BCmlaut.toml"), "{uris:?}");
}
