//! Where in the text an expression is written.

use std::ops::Range;

use minijinja::machinery::ast::{BinOpKind, Expr};

/// Where `value` is written, with the brackets around its first part.
pub(super) fn range(text: &str, value: &Expr<'_>) -> Option<Range<usize>> {
    let first = first(text, value);
    let end = value.span().end_offset as usize;
    let mut start = first.span().start_offset as usize;
    let (mut open, mut missing) = (0_usize, 0_usize);
    super::walk(text, first.span().end_offset as usize..end, |_, byte, _| {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' if open > 0 => open -= 1,
            b')' => missing += 1,
            _ => {}
        }
        false
    });
    for _ in 0..missing {
        start = text.get(..start)?.trim_end().strip_suffix('(')?.len();
    }
    (start < end && text.is_char_boundary(end)).then_some(start..end)
}

/// The part of `value` that is written first, itself unless it goes on from another. The parser's own
/// answer for one that goes on is the last dot, filter or comparison.
fn first<'e>(text: &str, value: &'e Expr<'e>) -> &'e Expr<'e> {
    match value {
        Expr::Filter(filter) => filter.expr.as_ref().map_or(value, |inner| first(text, inner)),
        Expr::Test(asked) => first(text, &asked.expr),
        Expr::GetAttr(attribute) => first(text, &attribute.expr),
        Expr::GetItem(item) => first(text, &item.expr),
        Expr::Slice(slice) => first(text, &slice.expr),
        Expr::Call(call) => first(text, &call.expr),
        Expr::IfExpr(choice) => first(text, &choice.true_expr),
        Expr::Compare(chain) => first(text, &chain.expr),
        Expr::BinOp(operation) => match operation.op {
            BinOpKind::Add | BinOpKind::Concat | BinOpKind::Mul => value,
            _ => first(text, &operation.left),
        },
        // `a is not b` and `a not in b` are one, too.
        Expr::UnaryOp(operation) => {
            let written = text.get(value.span().start_offset as usize..).unwrap_or_default();
            if written.starts_with("not") || written.starts_with('-') {
                value
            } else {
                first(text, &operation.expr)
            }
        }
        Expr::Tuple(tuple) => tuple.items.first().map_or(value, |item| first(text, item)),
        _ => value,
    }
}
