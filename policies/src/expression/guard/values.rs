//! Where in an expression values grow or cost more the larger they are.
//!
//! `~`, `+` and `*` make texts: the result is charged where nothing else does that, and at least
//! after every few operands. Comparisons, `in`, slices and the like look at whole values: one side is
//! weighed, unless the other is short because it is written there. What gets a name, is an argument
//! or becomes part of another value is bounded, unless it is a name, an attribute or the outcome of a
//! filter, which are bounded already.

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr};

use super::known::{
    FLAT, MAXIMUM_OPERANDS, PASSING, is_comparison, is_constant, is_near, is_number, may_nest,
};
use super::place::range;
use super::statements::Finder;
use super::{Filter, MARK};

impl Finder<'_> {
    /// A value that gets a name or becomes an argument.
    pub(super) fn kept(&mut self, value: &Expr<'_>) {
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
    pub(super) fn part(&mut self, value: &Expr<'_>) -> usize {
        match value {
            Expr::List(_) | Expr::Tuple(_) | Expr::Map(_) => self.value(value, true),
            _ => {
                self.kept(value);
                1
            }
        }
    }

    /// A value that is looked at as a whole.
    pub(super) fn looked_at(&mut self, value: &Expr<'_>, filter: Filter) {
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
    pub(super) fn value(&mut self, value: &Expr<'_>, charged: bool) -> usize {
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
                    Some(value) if PASSING.contains(&filter.name) => self.kept(value),
                    Some(value) => {
                        self.value(value, true);
                    }
                    None => {}
                }
                // What is made may have the arguments in it, at full size.
                self.arguments(&filter.args);
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
    pub(super) fn within(
        &mut self,
        value: &Expr<'_>,
        filter: Filter,
        visit: impl FnOnce(&mut Self),
    ) {
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
