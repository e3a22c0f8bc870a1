//! The `file` kind.
