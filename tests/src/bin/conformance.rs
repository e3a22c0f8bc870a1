//! The conformance suite on the machine it runs on. For booted test hosts only: it changes users,
//! packages, services and files for real.

#![expect(clippy::print_stdout, reason = "a test program that reports what it proved")]

use std::process::ExitCode;

use steadfast_resources::host::{HostOptions, RealHost};
use steadfast_tests::conformance;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() != Some("--change-this-machine") {
        println!("this changes the machine it runs on; say --change-this-machine on a test host");
        return ExitCode::from(64);
    }
    let wanted = std::env::args().nth(2);
    let mut failed = 0;
    let mut passed = 0;
    for case in conformance::cases() {
        if case.fake_only.is_some() || wanted.as_deref().is_some_and(|kind| kind != case.kind) {
            continue;
        }
        let mut host = RealHost::new(&HostOptions::default());
        match conformance::prove(&case, &mut host) {
            Ok(()) => {
                passed += 1;
                println!("ok      {}: {}", case.kind, case.name);
            }
            Err(error) => {
                failed += 1;
                println!("FAILED  {error}");
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
