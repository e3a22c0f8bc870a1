//! Where a template has expressions, and what becomes of each: it is written, gets a name, is an
//! argument, or is only looked at.

use minijinja::machinery::ast::{Call, CallArg, Expr, Macro, Stmt};

use super::known::is_constant;
use super::{Filter, Insertion};

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

pub(super) struct Finder<'t> {
    pub(super) text: &'t str,
    pub(super) found: Vec<Insertion>,
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

    pub(super) fn call(&mut self, call: &Call<'_>) {
        self.value(&call.expr, false);
        self.arguments(&call.args);
    }

    pub(super) fn arguments(&mut self, arguments: &[CallArg<'_>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value) | CallArg::Kwarg(_, value) => self.kept(value),
                CallArg::PosSplat(value) | CallArg::KwargSplat(value) => {
                    self.looked_at(value, Filter::Bounded);
                }
            }
        }
    }
}
