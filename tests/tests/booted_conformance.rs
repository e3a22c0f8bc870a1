//! Every kind passes the conformance suite on booted hosts.

use std::path::Path;
use std::time::Duration;

use steadfast_tests::host::{Suite, TestHost};

fn conforms(suite: Suite) {
    let program = Path::new(env!("CARGO_BIN_EXE_conformance"));
    let host = TestHost::options(suite).bind_read_only(program, "/usr/bin/conformance").boot();
    host.publish_all();
    let output = host
        .command(&["conformance", "--change-this-machine"])
        .deadline(Duration::from_secs(400))
        .run();
    assert!(output.succeeded(), "{output}");
    assert!(output.stdout.contains("ok      "), "{output}");
}

#[test]
fn every_kind_on_debian_12() {
    conforms(Suite::Bookworm);
}

#[test]
fn every_kind_on_debian_13() {
    conforms(Suite::Trixie);
}
