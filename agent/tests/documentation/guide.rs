//! The examples of `docs/language.md`.
