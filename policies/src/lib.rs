//! The policy language: from the blobs of a revision to a catalog.
//!
//! `Repository ──parse──▶ site and policies ──evaluate (facts, labels)──▶ Catalog`
//!
//! What must stay true: a catalog is a pure function of the repository's blobs and the
//! [`Inputs`]; there is no I/O (the caller hands in a [`Repository`]), no clock, no randomness, no
//! network, no async. Every error has a place, and all errors of a repository come in one go.

pub mod catalog;
pub mod repository;

pub use catalog::{Catalog, Common, Edge, EdgeReason, Inputs, OnRemove, Place, Resource};
pub use repository::{Repository, RepositoryError};
