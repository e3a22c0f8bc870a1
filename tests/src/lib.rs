//! Support for the whole-program tests.

pub mod conformance;
