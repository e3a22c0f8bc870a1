//! What `validate` finds, in the forms that programs read.

mod github;
mod sarif;

pub use github::github;
pub use sarif::sarif;

/// Where a file of the repository is, seen from where the program was started.
fn below(prefix: &str, file: &str) -> String {
    if prefix.is_empty() { file.to_owned() } else { format!("{prefix}/{file}") }
}
