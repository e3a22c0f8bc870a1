//! Hash tables of the names of a catalog: ten thousand titles are looked up a dozen times each.
//!
//! The hasher is seeded, so that nobody can choose titles that collide. Nothing may rest on the order
//! of a table.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

/// A map by names.
pub(crate) type Map<K, V> = HashMap<K, V, RandomState>;

/// A set of names.
pub(crate) type Set<K> = HashSet<K, RandomState>;

/// An empty map with room for `count` names.
pub(crate) fn map_for<K, V>(count: usize) -> Map<K, V> {
    Map::with_capacity_and_hasher(count, RandomState::default())
}

/// An empty set with room for `count` names.
pub(crate) fn set_for<K>(count: usize) -> Set<K> {
    Set::with_capacity_and_hasher(count, RandomState::default())
}
