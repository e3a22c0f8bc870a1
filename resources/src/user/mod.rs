//! The `user` kind.
