//! The resource graph: identities, edges, and the order that respects them all.
//!
//! What must stay true: a resource comes after everything that it depends on; apart from that the
//! written order stands; an automatic edge never wins against explicit ones.

mod below;
mod build;
mod claims;
mod cycles;
mod deaf;
mod edges;
mod index;
mod mutual;
mod order;
mod reference;

#[cfg(test)]
mod tests;

pub(crate) use build::catalog;
pub(crate) use edges::{World, check, warn_of_impossible};
pub(crate) use reference::reference;
