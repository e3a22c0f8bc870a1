//! Every kind passes the conformance suite on the fake host, with every single failure injected.

use steadfast_tests::conformance::{cases, prove_with_faults};

#[test]
fn every_kind_on_the_fake_host() {
    let mut injected = 0;
    let mut failures = Vec::new();
    for case in cases() {
        if case.booted_only.is_some() {
            continue;
        }
        match prove_with_faults(&case) {
            Ok(count) => injected += count,
            Err(failed) => failures.push(failed.to_string()),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(injected > 0, "no failure was injected");
}
