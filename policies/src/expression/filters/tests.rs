//! Nothing that a template can call goes uncharged, whatever the engine brings along.

use minijinja::Environment;

use super::super::budget::{Budget, SPENT};
use super::super::environment;

/// Tests that look at the kind of a value or at a number and hand nothing on.
const SHALLOW: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "int",
    "integer",
    "iterable",
    "mapping",
    "none",
    "number",
    "odd",
    "safe",
    "sequence",
    "string",
    "test",
    "true",
    "undefined",
];

/// An environment in which nothing may be charged any more.
fn spent() -> Environment<'static> {
    let budget = Budget::default();
    while budget.charge(1 << 30).is_ok() {}
    environment(&std::sync::Arc::default(), &budget)
}

/// The names in the list `field` of the environment: only its debug output has all of them.
fn names(environment: &Environment<'_>, field: &str) -> Vec<String> {
    let text = format!("{environment:?}");
    let from = text.find(&format!("{field}: ")).unwrap();
    let list = text[from..].split(['[', '{']).nth(1).unwrap();
    let list = list.split([']', '}']).next().unwrap();
    list.split(", ").map(|name| name.trim_matches('"').to_owned()).collect()
}

/// Whether the bare `expression`, compiled as it is, fails for what it costs.
fn is_charged(environment: &Environment<'_>, expression: &str) -> bool {
    let compiled = environment.compile_expression(expression).unwrap();
    let outcome = compiled.eval(minijinja::context! { text => "x" });
    outcome.is_err_and(|error| error.detail() == Some(SPENT))
}

#[test]
fn every_filter_is_charged() {
    let environment = spent();
    let names = names(&environment, "filters");
    assert!(names.len() > 100 && names.iter().any(|name| name == "default"), "{names:?}");
    let free: Vec<_> =
        names.iter().filter(|name| !is_charged(&environment, &format!("text|{name}"))).collect();
    assert!(free.is_empty(), "{free:?} charge nothing");
}

#[test]
fn every_test_that_looks_into_a_value_is_charged() {
    let environment = spent();
    let names = names(&environment, "tests");
    assert!(names.len() > 50, "{names:?}");
    let free: Vec<_> = names
        .iter()
        // The others are operators, which are other names of the same.
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
        .filter(|name| !is_charged(&environment, &format!("text is {name}")))
        .collect();
    assert_eq!(free, SHALLOW);
}

#[test]
fn every_function_is_charged() {
    let environment = spent();
    let mut count = 0;
    for (name, _) in environment.globals() {
        assert!(is_charged(&environment, &format!("{name}(text)")), "{name} charges nothing");
        count += 1;
    }
    assert!(count > 0);
}
