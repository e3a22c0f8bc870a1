//! The inputs that are kept for the fuzzers of `tests/fuzz`, through the same functions: what was once
//! found stays mended.

use std::path::Path;

use steadfast_tests::fuzzed;

fn all(target: &str, run: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut count = 0;
    for entry in std::fs::read_dir(&directory).expect("the inputs are there") {
        let path = entry.expect("an input").path();
        run(&std::fs::read(&path).expect("an input can be read"));
        count += 1;
    }
    assert!(count > 3, "{} has only {count} inputs", directory.display());
}

#[test]
fn parser() {
    all("parser", fuzzed::parser);
}

#[test]
fn evaluator() {
    all("evaluator", fuzzed::evaluator);
}

#[test]
fn report() {
    all("report", fuzzed::report);
}
