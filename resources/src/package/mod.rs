//! The `package` kind.
