//! What Steadfast can manage, and the one door to the managed machine.
//!
//! - A *kind* (one folder each: [`file`], [`package`], [`service`], [`user`], [`group`]) declares its
//!   attributes, observes the machine, plans steps as a pure function, and applies them.
//! - [`host`] is the only code that touches the managed machine. Kinds reach it through a
//!   read-only [`host::View`] or, while applying, through a [`host::Host`].
//!
//! What must stay true: nothing here is async, nothing here knows policies, Git, reports or the
//! agent's own state. A dry run holds a [`host::View`] only, so it cannot change anything.

pub mod accept;
pub mod actor;
pub mod attributes;
pub mod bucket;
pub mod declaration;
pub mod export;
pub mod failure;
pub mod host;
pub mod kind;
pub mod pending;
pub mod reference;
pub mod registry;
pub mod relations;
pub mod step;
pub mod value;
pub mod words;

pub mod facts;
pub mod file;
pub mod group;
pub mod package;
pub mod service;
pub mod user;

pub use accept::{Drift, Edit};
pub use actor::Actor;
pub use attributes::{AttributeError, AttributeReader};
pub use bucket::{Bucket, BucketError};
pub use declaration::{AttributeDeclaration, AttributeType, KindDeclaration};
pub use export::{Beside, Export, Exported, Selection};
pub use failure::Failure;
pub use kind::{AnyKind, Batch, Kind, Prepare, Recover, Refresh, Turn, Watch};
pub use pending::{Pending, Provision};
pub use reference::Reference;
pub use registry::Registry;
pub use relations::{Autoedge, Identity, Relations};
pub use step::{Action, AnyStep, Change, Planned, Shown, Step};
pub use value::{Text, Tree, TreeEntry, Value};
pub use words::split_words;
