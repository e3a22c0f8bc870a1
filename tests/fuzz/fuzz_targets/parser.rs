//! See `steadfast_tests::fuzzed::parser`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| steadfast_tests::fuzzed::parser(bytes));
