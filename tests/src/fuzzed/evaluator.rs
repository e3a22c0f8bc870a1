//! Whole repositories: evaluated twice and validated.

use std::collections::BTreeMap;

use steadfast_policies::{Inputs, evaluate, validate};
use steadfast_resources::Registry;

use super::{Memory, check_places};

fn inputs() -> Inputs {
    Inputs {
        facts: serde_json::json!({
            "os": { "id": "debian", "family": "debian", "version": "12" },
            "hostname": "web1",
            "fqdn": "web1.example.com",
            "cpu": { "count": 4 },
            "networking": { "interfaces": { "eth0": { "ip": ["10.0.0.1", "2001:db8::1"] } } },
        }),
        labels: BTreeMap::from([("role".to_owned(), "web".to_owned())]),
    }
}

/// Evaluates the repository that `bytes` are split into, for one host, and validates it.
pub fn evaluator(bytes: &[u8]) {
    let registry = Registry::standard();
    let repository = Memory::split(bytes);
    check_places(&validate(&repository, &registry), &repository);
    let first = evaluate(&repository, &inputs(), &registry);
    let second = evaluate(&repository, &inputs(), &registry);
    match (first, second) {
        (Ok(first), Ok(second)) => {
            assert_eq!(first.digest, second.digest, "two evaluations differ");
            check_places(&first.warnings, &repository);
            let count = first.resources.len();
            for (index, resource) in first.resources.iter().enumerate() {
                let before = |other: &u32| (*other as usize) < index;
                let after = |other: &u32| (*other as usize) > index && (*other as usize) < count;
                assert!(resource.dependencies.iter().all(before), "a dependency comes later");
                assert!(resource.notifies.iter().all(after), "a notification comes earlier");
            }
        }
        (Err(first), Err(second)) => {
            assert!(first.has_errors(), "refused without an error");
            assert_eq!(first, second, "two evaluations differ");
            check_places(&first, &repository);
        }
        _ => panic!("the same repository is right once and wrong once"),
    }
}
