//! The `steadfast` command.

fn main() -> steadfast::cli::Exit {
    steadfast::cli::main(std::env::args_os())
}
