//! What is generated from declarations: JSON Schema for editors, and the reference in `docs/`.
//!
//! What must stay true: nothing about a key, an attribute, a filter, a setting or a command is
//! written down here; it is read from where the program itself reads it. A schema accepts every
//! file that the program accepts: where JSON Schema cannot say a rule, it says nothing.

pub mod markdown;
pub mod schema;
