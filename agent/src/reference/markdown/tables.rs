//! Pages about tables with a fixed set of keys, and about those within them.

use std::fmt::Write as _;

use steadfast_policies::declaration::{Form, KeyDeclaration, TableDeclaration};

use super::{entry, top};

/// The page about `table` and all that it leads to.
pub(super) fn page(title: &str, table: &'static TableDeclaration) -> String {
    let mut text = top(title);
    let mut tables = Vec::new();
    collect(table, &mut tables);
    for (index, table) in tables.iter().enumerate() {
        if index > 0 {
            let _ = writeln!(text, "## `{}`\n", table.heading);
        }
        let _ = writeln!(text, "{}\n", table.summary);
        for (rule, names) in
            [("At least one", table.some_of), ("Exactly one", table.exactly_one_of)]
        {
            if !names.is_empty() {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                let _ = writeln!(text, "{rule} of {} must be there.\n", names.join(", "));
            }
        }
        for own in table.attributes {
            entry(&mut text, own.name, &own.kind.in_words(), own.default, own.documentation);
        }
        for declared in table.keys.iter().chain(&table.others) {
            key(&mut text, declared);
        }
    }
    text
}

/// The entry of one key.
pub(super) fn key(text: &mut String, declared: &KeyDeclaration) {
    let required = if declared.required { "; required" } else { "" };
    let form = format!("{}{required}", declared.form.in_words());
    entry(text, declared.name, &form, declared.default, declared.documentation);
}

/// Every table that `table` leads to, itself first, each once.
fn collect(table: &'static TableDeclaration, found: &mut Vec<&'static TableDeclaration>) {
    if found.iter().any(|known| std::ptr::eq(*known, table)) {
        return;
    }
    found.push(table);
    for declared in table.keys.iter().chain(&table.others) {
        below(&declared.form, found);
    }
}

fn below(form: &'static Form, found: &mut Vec<&'static TableDeclaration>) {
    match form {
        Form::Table(table) | Form::Tables(table) | Form::Named(table) => collect(table, found),
        Form::List(inner) | Form::Map(inner) | Form::Evaluated(inner) => below(inner, found),
        Form::AnyOf(forms) => forms.iter().for_each(|form| below(form, found)),
        _ => {}
    }
}
