//! The `steadfast` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The fetching process comes first: it must neither parse nor log anything else.
    if std::env::args_os().nth(1).is_some_and(|word| word == steadfast::source::HELPER_COMMAND) {
        return steadfast::source::helper_main(std::io::stdin(), std::io::stdout());
    }
    ExitCode::SUCCESS
}
