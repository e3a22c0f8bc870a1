//! The `group` kind.
