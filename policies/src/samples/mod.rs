//! Facts of hosts that do not exist: one for each distribution that policies are written for, as
//! `steadfast facts --json` would print them on a virtual machine freshly installed.
//!
//! They have no labels and no custom facts; addresses and names are those that documentation uses.

use serde_json::Value;

/// Name and facts of every sample, in the order in which they are tried.
const SAMPLES: [(&str, &str); 9] = [
    ("debian-12", include_str!("debian-12.json")),
    ("debian-13", include_str!("debian-13.json")),
    ("ubuntu-24.04", include_str!("ubuntu-24.04.json")),
    ("fedora-42", include_str!("fedora-42.json")),
    ("rhel-9", include_str!("rhel-9.json")),
    ("sles-15", include_str!("sles-15.json")),
    ("opensuse-leap-15.6", include_str!("opensuse-leap-15.6.json")),
    ("arch", include_str!("arch.json")),
    ("alpine-3.21", include_str!("alpine-3.21.json")),
];

/// The sample that a case has unless it names another.
pub(crate) const DEFAULT: &str = "debian-12";

/// The names of the samples.
pub fn sample_names() -> impl Iterator<Item = &'static str> {
    SAMPLES.iter().map(|(name, _)| *name)
}

/// The facts of the sample called `name`.
pub fn sample_facts(name: &str) -> Option<Value> {
    let (_, text) = SAMPLES.iter().find(|(known, _)| *known == name)?;
    serde_json::from_str(text).ok()
}

/// The texts that the fact at `path` is in the samples, sorted.
pub(crate) fn sample_values(path: &[&str]) -> Vec<String> {
    let value = |name: &str| {
        let facts = sample_facts(name)?;
        let found = path.iter().try_fold(&facts, |facts, name| facts.get(*name))?;
        found.as_str().map(str::to_owned)
    };
    let mut values: Vec<String> = sample_names().filter_map(value).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// `over` on top of `facts`: tables merge deeply, everything else replaces.
pub(crate) fn merge(facts: &mut Value, over: &Value) {
    match (facts, over) {
        (Value::Object(facts), Value::Object(over)) => {
            for (key, value) in over {
                merge(facts.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (facts, over) => facts.clone_from(over),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    /// The shape of facts: which names there are, and of which type each value is.
    fn shape(facts: &Value) -> BTreeMap<String, &'static str> {
        let mut shape = BTreeMap::new();
        let mut open = vec![(String::new(), facts)];
        while let Some((name, value)) = open.pop() {
            let kind = match value {
                Value::Object(entries) => {
                    open.extend(
                        entries.iter().map(|(key, value)| (format!("{name}/{key}"), value)),
                    );
                    "table"
                }
                Value::Array(_) => "list",
                Value::String(_) => "text",
                Value::Bool(_) => "boolean",
                Value::Number(_) | Value::Null => "number or none",
            };
            shape.insert(name, kind);
        }
        shape
    }

    /// What is the same everywhere, once the names that differ are taken out.
    fn common(name: &str) -> BTreeMap<String, &'static str> {
        let mut facts = sample_facts(name).unwrap();
        for (table, first) in [("interfaces", "lo"), ("mounts", "/")] {
            let table = match table {
                "interfaces" => &mut facts["network"]["interfaces"],
                _ => &mut facts["mounts"],
            };
            table.as_object_mut().unwrap().retain(|key, _| key == first);
        }
        shape(&facts)
    }

    #[test]
    fn all_samples_have_the_same_shape() {
        let expected = common(DEFAULT);
        for name in sample_names() {
            assert_eq!(common(name), expected, "{name}");
        }
    }

    /// What policies can see of this very machine is what they can see of a sample.
    #[test]
    fn samples_have_the_shape_of_facts_gathered() {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let gathered =
            steadfast_resources::facts::Facts::gather(std::path::Path::new("/"), deadline)
                .expect("facts")
                .values;
        let fixed = |facts: &Value| {
            let mut names = shape(facts);
            names.retain(|name, _| {
                !["/mounts/", "/disks/", "/custom/", "/network/interfaces/"]
                    .iter()
                    .any(|start| name.starts_with(start))
            });
            names
        };
        assert_eq!(fixed(&gathered), fixed(&sample_facts(DEFAULT).unwrap()));
    }

    #[test]
    fn merging() {
        let mut facts = json!({ "os": { "id": "debian", "major": 12 }, "list": [1, 2] });
        merge(&mut facts, &json!({ "os": { "major": 13 }, "list": [3], "new": { "a": 1 } }));
        let expected =
            json!({ "os": { "id": "debian", "major": 13 }, "list": [3], "new": { "a": 1 } });
        assert_eq!(facts, expected);
    }
}
