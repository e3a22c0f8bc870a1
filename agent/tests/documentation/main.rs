//! `docs/`: the reference is what the program says of itself, and every page is found from the first one.

#![expect(
    clippy::disallowed_methods,
    reason = "the documentation lies in the source tree, outside the program's doors"
)]

mod reference;

use std::path::{Path, PathBuf};

/// A place below `docs/`.
fn docs(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(path)
}

/// The text of a page.
fn page(path: &str) -> String {
    let path = docs(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
