//! The source as a whole: real repositories, a real server, the real fetching process.

#![expect(clippy::unwrap_used, reason = "the whole crate is tests")]

mod certificates;
mod directory;
mod history;
mod https;
mod origin;
mod refusals;
mod server;
mod ssh;
mod store;

use std::path::Path;

use steadfast::source::{Source, SourceError, SourceSettings, Transfer};

/// A source whose conversations run in the program under test.
fn source(settings: SourceSettings, store: &Path) -> Result<Source, SourceError> {
    let program = env!("CARGO_BIN_EXE_steadfast").into();
    Source::open_with(settings, store, Transfer::Process { program })
}
