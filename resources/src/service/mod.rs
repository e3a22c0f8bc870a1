//! The `service` kind.
