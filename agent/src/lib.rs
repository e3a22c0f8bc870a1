//! The agent: what the `steadfast` command and the long-running service are made of.

pub mod config;
