//! The Steadfast agent and its command.
//!
//! `source` (Git) → `steadfast_policies` (catalog) → [`engine`] (plan, apply) → [`report`], with
//! [`state`] underneath, [`cli`] on top and [`output`] as the only part that prints. [`reference`]
//! turns declarations into schemas and documentation.

pub mod accept;
mod allocator;
pub mod cli;
pub mod clock;
pub mod config;
pub mod download;
pub mod drift;
pub mod engine;
pub mod explain;
pub mod journal;
pub mod logging;
pub mod managed;
pub mod output;
pub mod reference;
pub mod report;
pub mod service;
pub mod source;
pub mod state;
