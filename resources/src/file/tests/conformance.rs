//! The kind's conformance cases: on the fake machine, with a failure at every step, and in a root
//! directory on the real one.

use super::*;
use crate::host::{FakeHost, HostOptions, RealHost};

struct Case {
    name: String,
    policies: Vec<Vec<Wanted>>,
}

fn attribute(name: &str) -> &'static str {
    Kind::declaration(&File).attribute(name).unwrap_or_else(|| panic!("no attribute {name}")).name
}

fn value(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::text(text.as_str()),
        toml::Value::Integer(number) => Value::Integer(*number),
        toml::Value::Boolean(boolean) => Value::Boolean(*boolean),
        toml::Value::Array(items) => Value::List(items.iter().map(self::value).collect()),
        other => panic!("{other:?}"),
    }
}

/// The tree below the first of `sources` that has files.
fn source(sources: &toml::Value, files: Option<&toml::Table>) -> Value {
    let names = match sources {
        toml::Value::Array(names) => names.clone(),
        name => vec![name.clone()],
    };
    let entries: Vec<(String, &str)> = names
        .iter()
        .map(|name| {
            let prefix = format!("{}/", name.as_str().unwrap());
            let files = files.into_iter().flatten();
            files
                .filter_map(|(path, content)| {
                    Some((path.strip_prefix(&prefix)?.to_owned(), content.as_str().unwrap()))
                })
                .collect::<Vec<_>>()
        })
        .find(|entries| !entries.is_empty())
        .expect("a source of the case");
    let entries: Vec<(&str, &str)> = entries.iter().map(|(p, c)| (p.as_str(), *c)).collect();
    tree(&entries)
}

/// The wishes of a policy in the order in which its automatic edges put them.
fn wishes(policy: &str, files: Option<&toml::Table>) -> Vec<Wanted> {
    let policy: toml::Table = toml::from_str(policy).unwrap();
    let mut wishes: Vec<Wanted> = policy["file"]
        .as_table()
        .unwrap()
        .iter()
        .map(|(title, attributes)| {
            let attributes = attributes.as_table().unwrap().iter().map(|(name, given)| {
                let value = if name == "source" { source(given, files) } else { value(given) };
                (attribute(name), value)
            });
            wish(title, attributes.collect())
        })
        .collect();
    wishes.sort_by_key(|wanted| wanted.path.clone());
    if wishes.iter().all(|wanted| File.relations(wanted).absent) {
        wishes.reverse();
    }
    wishes
}

fn cases() -> Vec<Case> {
    let file: toml::Table = toml::from_str(Kind::declaration(&File).conformance).unwrap();
    file["case"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| Case {
            name: case["name"].as_str().unwrap().to_owned(),
            policies: case["policies"]
                .as_array()
                .unwrap()
                .iter()
                .map(|policy| {
                    let files = case.get("files").and_then(toml::Value::as_table);
                    wishes(policy.as_str().unwrap(), files)
                })
                .collect(),
        })
        .collect()
}

fn leftovers(host: &FakeHost) -> usize {
    host.files.paths().filter(|path| path.to_string().contains(".steadfast.")).count()
}

fn converge_all(case: &Case, host: &mut dyn Host) {
    for (number, policy) in case.policies.iter().enumerate() {
        for wanted in policy {
            converge(wanted, host, &mut Kept::default()).unwrap_or_else(|failure| {
                panic!("{} policy {number}, {}: {failure}", case.name, wanted.path)
            });
        }
        for wanted in policy {
            let again = plan(wanted, host).unwrap();
            assert!(again.steps.is_empty(), "{} policy {number}: {:?}", case.name, again.steps);
        }
    }
}

#[test]
fn every_case_converges_on_the_fake_machine() {
    for case in cases() {
        let mut host = FakeHost::scene();
        converge_all(&case, &mut host);
        assert_eq!(leftovers(&host), 0, "{}", case.name);
    }
}

#[test]
fn every_case_converges_in_a_root_directory() {
    for case in cases() {
        let root = tempfile::tempdir().unwrap();
        for directory in ["etc", "srv", "usr/bin"] {
            std::fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        for database in ["passwd", "group"] {
            std::fs::copy(format!("/etc/{database}"), root.path().join("etc").join(database))
                .unwrap();
        }
        let needs_root = case.policies.iter().flatten().any(|wanted| {
            // Only root can read what nobody may read.
            let closed = wanted.mode.as_ref().is_some_and(|mode| mode.to_string() == "0000");
            closed || wanted.owner.is_some() || wanted.group.is_some()
        });
        if needs_root && !rustix::process::geteuid().is_root() {
            continue;
        }
        // A command would run inside the root directory, where there is no program.
        if case.policies.iter().flatten().any(|wanted| wanted.validate.is_some()) {
            continue;
        }
        let mut host =
            RealHost::new(&HostOptions { root: root.path().to_owned(), ..HostOptions::default() });
        converge_all(&case, &mut host);
    }
}

#[test]
fn every_case_converges_after_a_failure_at_every_step() {
    for case in cases() {
        for fail_at in 0.. {
            let mut host = FakeHost::scene();
            host.faults.fail_at(fail_at);
            let mut failures = 0;
            for policy in &case.policies {
                // The failing run, and the rerun that converges.
                for _ in 0..2 {
                    for wanted in policy {
                        failures +=
                            usize::from(converge(wanted, &mut host, &mut Kept::default()).is_err());
                    }
                }
                for wanted in policy {
                    let again = plan(wanted, &host).unwrap();
                    assert!(again.steps.is_empty(), "{} after {fail_at}", case.name);
                }
            }
            assert_eq!(leftovers(&host), 0, "{} after {fail_at}", case.name);
            if failures == 0 {
                break;
            }
        }
    }
}

#[test]
fn every_case_converges_in_batches() {
    for case in cases() {
        let mut host = FakeHost::scene();
        for policy in &case.policies {
            let results = converge_together(policy, &mut host, &mut Kept::default());
            assert!(results.iter().all(Result::is_ok), "{}: {results:?}", case.name);
            for wanted in policy {
                assert!(plan(wanted, &host).unwrap().steps.is_empty(), "{}", case.name);
            }
        }
        assert_eq!(leftovers(&host), 0, "{}", case.name);
    }
}

#[test]
fn the_example_is_valid() {
    assert_eq!(wishes(Kind::declaration(&File).example, None).len(), 3);
}
