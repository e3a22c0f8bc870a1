//! Where in an expression values grow or cost more the larger they are.
//!
//! `~`, `+` and `*` make texts: the result is charged where nothing else does that, and at least
//! after every few operands. Comparisons, `in`, slices and the like look at whole values: one side is
//! weighed, unless the other is short because it is written there. What gets a name, is an argument
//! or becomes part of another value is bounded, unless it is a name, an attribute or the outcome of a
//! filter, which are bounded already.

use std::ops::Range;

use minijinja::machinery::ast::{BinOpKind, Call, CallArg, Expr, Macro, Stmt};
use minijinja::value::ValueKind;

use super::{Filter, Insertion, MARK};

/// How many operands a text may be put together from before its length is looked at.
const MAXIMUM_OPERANDS: usize = 4;

/// The largest index that is found quickly in a text.
const NEAR: i64 = 1000;

/// Filters that nest nothing: they make no list or map, or hand on what they were given.
const FLAT: &[&str] = &[
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

pub(super) fn of_template(text: &str, parsed: &Stmt<'_>) -> Vec<Insertion> {
    let mut finder = Finder { text, found: Vec::new() };
    finder.statement(parsed);
    finder.found
}

pub(super) fn of_expression(text: &str, parsed: &Expr<'_>) -> Vec<Insertion> {
    let mut finder = Finder { text, found: Vec::new() };
    finder.kept(parsed);
    finder.found
}

struct Finder<'t> {
    text: &'t str,
    found: Vec<Insertion>,
}

impl Finder<'_> {
    fn statements(&mut self, statements: &[Stmt<'_>]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitExpr(emit) => {
                self.value(&emit.expr, true);
            }
            Stmt::ForLoop(block) => {
                match &block.iter {
                    // What a filter makes is charged.
                    Expr::Filter(_) => {
                        self.value(&block.iter, true);
                    }
                    iter => self.looked_at(iter, Filter::Sliced),
                }
                if let Some(condition) = &block.filter_expr {
                    self.value(condition, false);
                }
                self.statements(&block.body);
                self.statements(&block.else_body);
            }
            Stmt::IfCond(block) => {
                self.value(&block.expr, false);
                self.statements(&block.true_body);
                self.statements(&block.false_body);
            }
            Stmt::WithBlock(block) => {
                for (_, value) in &block.assignments {
                    self.kept(value);
                }
                self.statements(&block.body);
            }
            // An attribute is one of a namespace.
            Stmt::Set(set) => match &set.target {
                Expr::GetAttr(_) if !is_constant(&set.expr) => {
                    self.within(&set.expr, Filter::Stored, |finder| {
                        finder.value(&set.expr, true);
                    });
                }
                Expr::Var(_) => self.kept(&set.expr),
                _ => self.looked_at(&set.expr, Filter::Stored),
            },
            Stmt::SetBlock(block) => {
                if let Some(filter) = &block.filter {
                    self.value(filter, true);
                }
                self.statements(&block.body);
            }
            Stmt::AutoEscape(block) => {
                self.value(&block.enabled, false);
                self.statements(&block.body);
            }
            Stmt::FilterBlock(block) => {
                self.value(&block.filter, true);
                self.statements(&block.body);
            }
            Stmt::Block(block) => self.statements(&block.body),
            Stmt::Macro(declared) => self.declared(declared),
            Stmt::CallBlock(block) => {
                self.call(&block.call);
                self.declared(&block.macro_decl);
            }
            Stmt::Do(block) => self.call(&block.call),
            Stmt::Include(block) => {
                self.value(&block.name, false);
            }
            Stmt::Import(block) => {
                self.value(&block.expr, false);
            }
            Stmt::FromImport(block) => {
                self.value(&block.expr, false);
            }
            Stmt::Extends(block) => {
                self.value(&block.name, false);
            }
            Stmt::EmitRaw(_) | Stmt::Continue(_) | Stmt::Break(_) => {}
        }
    }

    fn declared(&mut self, declared: &Macro<'_>) {
        for default in &declared.defaults {
            self.kept(default);
        }
        self.statements(&declared.body);
    }

    fn call(&mut self, call: &Call<'_>) {
        self.value(&call.expr, false);
        self.arguments(&call.args);
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value) | CallArg::Kwarg(_, value) => self.kept(value),
                CallArg::PosSplat(value) | CallArg::KwargSplat(value) => {
                    self.looked_at(value, Filter::Bounded);
                }
            }
        }
    }

    /// A value that gets a name or becomes an argument.
    fn kept(&mut self, value: &Expr<'_>) {
        match value {
            Expr::List(_) | Expr::Tuple(_) | Expr::Map(_) if is_constant(value) => {}
            Expr::BinOp(operation) => match operation.op {
                BinOpKind::ScAnd | BinOpKind::ScOr => {
                    self.kept(&operation.left);
                    self.kept(&operation.right);
                }
                BinOpKind::Concat | BinOpKind::Add | BinOpKind::Mul => {
                    self.looked_at(value, Filter::Bounded);
                }
                _ => {
                    self.value(value, false);
                }
            },
            Expr::List(_) | Expr::Tuple(_) | Expr::Map(_) | Expr::Slice(_) => {
                self.looked_at(value, Filter::Bounded);
            }
            Expr::Filter(filter) if !FLAT.contains(&filter.name) => {
                self.looked_at(value, Filter::Bounded);
            }
            Expr::Call(call) if may_nest(call) => self.looked_at(value, Filter::Bounded),
            Expr::IfExpr(choice) => {
                self.value(&choice.test_expr, false);
                self.kept(&choice.true_expr);
                if let Some(other) = &choice.false_expr {
                    self.kept(other);
                }
            }
            _ => {
                self.value(value, false);
            }
        }
    }

    /// A part of a list or map.
    fn part(&mut self, value: &Expr<'_>) -> usize {
        match value {
            Expr::List(_) | Expr::Tuple(_) | Expr::Map(_) => self.value(value, true),
            _ => {
                self.kept(value);
                1
            }
        }
    }

    /// A value that is looked at as a whole.
    fn looked_at(&mut self, value: &Expr<'_>, filter: Filter) {
        if is_constant(value) {
            self.value(value, true);
        } else {
            self.within(value, filter, |finder| {
                finder.value(value, true);
            });
        }
    }

    /// Goes through `value`; `charged` tells whether what takes it charges for it. Returns from how
    /// many values of full size it may be put together.
    fn value(&mut self, value: &Expr<'_>, charged: bool) -> usize {
        match value {
            Expr::Const(_) => 0,
            Expr::Var(_) => 1,
            Expr::BinOp(operation) => {
                let (left, right) = (&operation.left, &operation.right);
                match operation.op {
                    BinOpKind::Concat | BinOpKind::Add => self.joined(value, left, right, charged),
                    BinOpKind::Mul => self.repeated(value, left, right),
                    BinOpKind::ScAnd | BinOpKind::ScOr => {
                        self.value(left, charged).max(self.value(right, charged))
                    }
                    BinOpKind::In => {
                        if is_constant(right) {
                            self.value(left, false);
                        } else {
                            self.looked_at(left, Filter::Weighed);
                            self.looked_at(right, Filter::Searched);
                        }
                        0
                    }
                    operator if is_comparison(operator) => {
                        self.compared(left, right);
                        0
                    }
                    _ => {
                        self.value(left, false);
                        self.value(right, false);
                        1
                    }
                }
            }
            Expr::Compare(chain) => {
                self.looked_at(&chain.expr, Filter::Weighed);
                for operation in &chain.ops {
                    self.looked_at(&operation.expr, Filter::Weighed);
                }
                0
            }
            Expr::UnaryOp(operation) => {
                self.value(&operation.expr, false);
                0
            }
            Expr::IfExpr(choice) => {
                self.value(&choice.test_expr, false);
                let yes = self.value(&choice.true_expr, charged);
                let other = choice.false_expr.as_ref();
                other.map_or(0, |other| self.value(other, charged)).max(yes)
            }
            Expr::Filter(filter) => {
                match &filter.expr {
                    Some(value @ (Expr::List(_) | Expr::Tuple(_) | Expr::Map(_))) => {
                        self.kept(value);
                    }
                    Some(value) => {
                        self.value(value, true);
                    }
                    None => {}
                }
                for argument in &filter.args {
                    match argument {
                        // A filter charges for its arguments itself.
                        CallArg::Pos(value @ Expr::BinOp(_))
                        | CallArg::Kwarg(_, value @ Expr::BinOp(_)) => {
                            self.value(value, true);
                        }
                        argument => self.arguments(std::slice::from_ref(argument)),
                    }
                }
                1
            }
            Expr::Test(test) => {
                self.value(&test.expr, false);
                let from = self.found.len();
                self.arguments(&test.args);
                // An argument without brackets takes whatever begins with one for all of them.
                if let [CallArg::Pos(argument)] = &*test.args
                    && self.found.len() > from
                    && let Some(written) = range(self.text, argument)
                {
                    let name = value.span().start_offset as usize;
                    let between = self.text.get(name..written.start).unwrap_or_default();
                    if !between.contains('(') {
                        self.around(from, argument, Filter::Made);
                    }
                }
                0
            }
            Expr::GetAttr(attribute) => self.value(&attribute.expr, false).min(1),
            Expr::GetItem(item) => {
                if is_near(&item.subscript_expr) {
                    self.value(&item.expr, false);
                } else {
                    self.looked_at(&item.expr, Filter::Indexed);
                    self.value(&item.subscript_expr, false);
                }
                1
            }
            Expr::Slice(slice) => {
                self.looked_at(&slice.expr, Filter::Sliced);
                for bound in [&slice.start, &slice.stop, &slice.step].into_iter().flatten() {
                    self.value(bound, false);
                }
                1
            }
            Expr::Call(call) => {
                self.call(call);
                1
            }
            Expr::List(list) => list.items.iter().map(|item| self.part(item)).sum(),
            Expr::Tuple(tuple) => tuple.items.iter().map(|item| self.part(item)).sum(),
            Expr::Map(map) => {
                for key in &map.keys {
                    self.kept(key);
                }
                map.values.iter().map(|item| self.part(item)).sum()
            }
        }
    }

    fn joined(
        &mut self,
        whole: &Expr<'_>,
        left: &Expr<'_>,
        right: &Expr<'_>,
        charged: bool,
    ) -> usize {
        let from = self.found.len();
        let operands = self.value(left, true) + self.value(right, true);
        if operands > MAXIMUM_OPERANDS || (operands > 0 && !charged) {
            self.around(from, whole, Filter::Made);
            1
        } else {
            operands
        }
    }

    /// What is written there is hidden from the compiler, which would repeat it.
    fn repeated(&mut self, whole: &Expr<'_>, left: &Expr<'_>, right: &Expr<'_>) -> usize {
        if is_number(left) && is_number(right) {
            return 0;
        }
        let from = self.found.len();
        for side in [left, right] {
            if is_constant(side) && !is_number(side) {
                self.within(side, Filter::Made, |finder| {
                    finder.value(side, true);
                });
            } else {
                self.value(side, true);
            }
        }
        self.around(from, whole, Filter::Made);
        1
    }

    /// Comparing takes as long as the smaller side is large.
    fn compared(&mut self, left: &Expr<'_>, right: &Expr<'_>) {
        if is_constant(left) || is_constant(right) {
            self.value(left, false);
            self.value(right, false);
        } else {
            self.looked_at(left, Filter::Weighed);
            self.value(right, false);
        }
    }

    /// Puts `filter` around `value`, outside of what `visit` puts around its parts.
    fn within(&mut self, value: &Expr<'_>, filter: Filter, visit: impl FnOnce(&mut Self)) {
        let from = self.found.len();
        visit(self);
        self.around(from, value, filter);
    }

    fn around(&mut self, from: usize, value: &Expr<'_>, filter: Filter) {
        let Some(range) = range(self.text, value) else { return };
        self.found.insert(from, (range.start, format!("(({MARK}")));
        self.found.push((range.end, format!(")|{}){MARK}", filter.name())));
    }
}

/// Where `value` is written, with the brackets around its first part.
fn range(text: &str, value: &Expr<'_>) -> Option<Range<usize>> {
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

/// Whether what `call` returns may be a list or map. Macros return text.
fn may_nest(call: &Call<'_>) -> bool {
    match &call.expr {
        Expr::Var(name) => ["dict", "namespace"].contains(&name.id),
        _ => true,
    }
}

fn is_comparison(operator: BinOpKind) -> bool {
    use BinOpKind::{Eq, Gt, Gte, In, Lt, Lte, Ne};
    matches!(operator, Eq | Ne | Lt | Lte | Gt | Gte | In)
}

/// Whether `value` is as long as it is written.
fn is_constant(value: &Expr<'_>) -> bool {
    match value {
        Expr::Const(_) => true,
        Expr::UnaryOp(operation) => is_constant(&operation.expr),
        Expr::List(list) => list.items.iter().all(is_constant),
        Expr::Tuple(tuple) => tuple.items.iter().all(is_constant),
        Expr::Map(map) => map.keys.iter().chain(&map.values).all(is_constant),
        _ => false,
    }
}

fn is_number(value: &Expr<'_>) -> bool {
    match value {
        Expr::Const(constant) => constant.value.kind() == ValueKind::Number,
        Expr::UnaryOp(operation) => is_number(&operation.expr),
        _ => false,
    }
}

/// Whether `index` is a key, or a small number.
fn is_near(index: &Expr<'_>) -> bool {
    let Expr::Const(constant) = index else { return false };
    constant.value.as_i64().is_none_or(|number| (0..NEAR).contains(&number))
}
