//! What can be told of an expression without running it.

use minijinja::machinery::ast::{BinOpKind, Call, Expr};
use minijinja::value::ValueKind;

/// How many operands a text may be put together from before its length is looked at.
pub(super) const MAXIMUM_OPERANDS: usize = 4;

/// The largest index that is found quickly in a text.
pub(super) const NEAR: i64 = 1000;

/// Filters that never nest anything deeper. Most make no list or map; `first` and `last` return a part
/// of what they are given, `default` the value or its argument, which are bounded before.
pub(super) const FLAT: &[&str] = &[
    "abs",
    "b64decode",
    "b64encode",
    "basename",
    "bool",
    "capitalize",
    "comment",
    "count",
    "d",
    "default",
    "dirname",
    "first",
    "float",
    "hash",
    "indent",
    "int",
    "join",
    "last",
    "length",
    "lower",
    "quote",
    "regex_replace",
    "regex_search",
    "replace",
    "round",
    "sha256",
    "string",
    "sum",
    "title",
    "to_json",
    "to_nice_json",
    "to_yaml",
    "trim",
    "truncate",
    "upper",
];

/// Filters of those that may hand on the very value that they are given.
pub(super) const PASSING: &[&str] = &["d", "default"];

/// Whether what `call` returns may be a list or map. Macros return text.
pub(super) fn may_nest(call: &Call<'_>) -> bool {
    match &call.expr {
        Expr::Var(name) => ["dict", "namespace"].contains(&name.id),
        _ => true,
    }
}

pub(super) fn is_comparison(operator: BinOpKind) -> bool {
    use BinOpKind::{Eq, Gt, Gte, Lt, Lte, Ne};
    matches!(operator, Eq | Ne | Lt | Lte | Gt | Gte)
}

/// Whether `value` is as long as it is written.
pub(super) fn is_constant(value: &Expr<'_>) -> bool {
    match value {
        Expr::Const(_) => true,
        Expr::UnaryOp(operation) => is_constant(&operation.expr),
        Expr::List(list) => list.items.iter().all(is_constant),
        Expr::Tuple(tuple) => tuple.items.iter().all(is_constant),
        Expr::Map(map) => map.keys.iter().chain(&map.values).all(is_constant),
        _ => false,
    }
}

pub(super) fn is_number(value: &Expr<'_>) -> bool {
    match value {
        Expr::Const(constant) => constant.value.kind() == ValueKind::Number,
        Expr::UnaryOp(operation) => is_number(&operation.expr),
        _ => false,
    }
}

/// Whether `index` is a key, or a small number.
pub(super) fn is_near(index: &Expr<'_>) -> bool {
    let Expr::Const(constant) = index else { return false };
    constant.value.as_i64().is_none_or(|number| (0..NEAR).contains(&number))
}
