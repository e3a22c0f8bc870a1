//! What a trace says.

use serde::Serialize;
use serde_json::Value;

use crate::catalog::Place;
use crate::record::Extent;

/// What is known about where a resource comes from.
#[derive(Debug, Default, Serialize)]
pub struct Trace {
    /// The resource, if this host has it.
    pub subject: Option<Subject>,
    /// Declarations that this host leaves out and that may be the resource asked for, each with the
    /// reason; empty where the host has it.
    pub absent: Vec<Absent>,
    /// Names of resources of this host that were perhaps meant; empty where there is one of that name.
    pub near: Vec<String>,
}

/// A resource of this host.
#[derive(Debug, Clone, Serialize)]
pub struct Subject {
    /// The lines that declare it.
    pub declared: Extent,
    /// The title as it is written, and what fed it; `None` where it is literal.
    pub written: Option<Expression>,
    /// The policy that declares it.
    pub policy: String,
    /// How that policy came to be used, outermost first.
    pub way: Vec<Use>,
    /// Its own `when`, which holds.
    pub when: Option<Expression>,
    /// Its own `for_each`, and the item that made it.
    pub for_each: Option<Repetition>,
    /// Its attributes, in written order, defaults of the policy last.
    pub attributes: Vec<Attribute>,
}

/// A resource that the policies have and this host does not.
#[derive(Debug, Clone, Serialize)]
pub struct Absent {
    /// The lines that declare it.
    pub declared: Extent,
    /// The title as it is written.
    pub title: String,
    /// The policy that declares it.
    pub policy: String,
    /// How that policy came to be used, outermost first, as far as it is.
    pub way: Vec<Use>,
    /// Why the host does not have it.
    pub reason: Reason,
}

/// Why a host does not have a resource.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its own `when` does not hold.
    When(Expression),
    /// Its own `for_each` has no items.
    NoItems(Expression),
    /// No item of its `for_each` makes this title.
    OtherItems(Expression),
    /// Its title has become another one.
    OtherTitle {
        /// That title.
        title: String,
        /// What it was made of.
        inputs: Vec<Input>,
    },
    /// A module that would make it has a `when` that does not hold.
    ModuleWhen {
        /// The module.
        module: String,
        /// The condition.
        when: Expression,
    },
    /// A module that would make it has a `for_each` without items.
    ModuleNoItems {
        /// The module.
        module: String,
        /// The list.
        for_each: Expression,
    },
    /// An assignment of its policy is not for this host.
    OtherHosts {
        /// Where the policy is assigned.
        place: Place,
        /// The globs, none of which matches the host's name.
        hosts: Vec<String>,
    },
    /// An assignment of its policy has a `when` that does not hold.
    AssignmentWhen {
        /// Where the policy is assigned.
        place: Place,
        /// The condition.
        when: Expression,
    },
    /// Nothing uses its policy.
    Unused,
}

impl Reason {
    /// Whether it is only one possibility: the declaration has made, or may make, other titles.
    pub fn is_weak(&self) -> bool {
        matches!(self, Self::OtherItems(_) | Self::OtherTitle { .. })
    }
}

/// How a policy came to be used.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// By an assignment of the site.
    Assignment {
        /// Where the policy is named.
        place: Place,
        /// The policy.
        policy: String,
        /// The hosts that the assignment names; empty where it names none.
        hosts: Vec<String>,
        /// Its condition.
        when: Option<Expression>,
    },
    /// By `include` of another policy.
    Include {
        /// Where it is included.
        place: Place,
        /// The policy.
        policy: String,
    },
    /// By a module of another policy.
    Module {
        /// The module's name.
        name: String,
        /// Where it names its source.
        place: Place,
        /// The policy.
        policy: String,
        /// Its condition.
        when: Option<Expression>,
        /// What it is repeated over, and the item at hand.
        for_each: Option<Box<Repetition>>,
    },
}

/// An expression, its value and what fed it.
#[derive(Debug, Clone, Serialize)]
pub struct Expression {
    /// Where it is written.
    pub place: Place,
    /// The expression; hidden where it may hold a secret.
    pub text: String,
    /// Its value, if it has one.
    pub value: Value,
    /// What it reads.
    pub inputs: Vec<Input>,
}

/// One item of a `for_each`.
#[derive(Debug, Clone, Serialize)]
pub struct Repetition {
    /// The list or map.
    pub over: Expression,
    /// Which item, from 1.
    pub position: usize,
    /// Where the item is written, where it comes from the data as it is.
    pub place: Option<Place>,
    /// The item.
    pub item: Value,
}

/// An attribute of a resource.
#[derive(Debug, Clone, Serialize)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Where its value is written.
    pub place: Place,
    /// Whether it comes from `[defaults]` of the policy.
    pub inherited: bool,
    /// Whether `ignore` leaves it out.
    pub ignored: bool,
    /// Whether its value is hidden.
    pub secret: bool,
    /// Its value; for content the text, for files of the repository what they are.
    pub value: Value,
    /// How it is given.
    pub form: Form,
    /// What it reads.
    pub inputs: Vec<Input>,
    /// Files of the repository that it is made of.
    pub files: Vec<String>,
}

/// How an attribute's value is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As it is.
    Literal,
    /// By an expression, or a string with some in it.
    Computed {
        /// What is written.
        text: String,
    },
    /// By a template of the policy.
    Template,
    /// By a file or directory of the policy, or a download.
    Source,
}

/// A name that an expression reads.
#[derive(Debug, Clone, Serialize)]
pub struct Input {
    /// The name, for instance `params.port`.
    pub name: String,
    /// Where it is read, where that is not the expression itself (a template).
    pub place: Option<Place>,
    /// Its value; null where there is none.
    pub value: Value,
    /// Where the value comes from.
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The host's facts.
    Fact,
    /// The agent's configuration.
    Label,
    /// Whoever uses the policy gives it.
    Given {
        /// Where.
        place: Place,
        /// What is written there, where that is an expression.
        text: Option<String>,
        /// What it reads.
        inputs: Vec<Input>,
    },
    /// The data.
    Data {
        /// The key.
        key: String,
        /// What each layer says, the weakest first.
        layers: Vec<Layer>,
    },
    /// The parameter's default.
    Default {
        /// Where.
        place: Place,
        /// What it reads.
        inputs: Vec<Input>,
    },
    /// The parameter is optional and nothing gives it.
    NotGiven {
        /// Where it is declared.
        place: Place,
    },
    /// The item of a `for_each`.
    Item,
    /// Several of these, or nothing.
    Other,
}

/// What one layer of the data says about a key.
#[derive(Debug, Clone, Serialize)]
pub struct Layer {
    /// The key.
    pub key: String,
    /// Where.
    pub place: Place,
    /// The value it gives.
    pub value: Value,
    /// What becomes of it.
    pub effect: Effect,
}

/// What becomes of what a layer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It holds.
    Wins,
    /// A stronger layer replaces it.
    Overridden,
    /// It is added to what the layers below say.
    Appends,
}
