//! Meta-tests: every key has a sentence, and the tables agree with what the parser does.

use steadfast_resources::Registry;

use super::{ASSIGNMENT, CASES, Form, MODULE, PARAMETER, POLICY, SITE, SITE_FILE};
use super::{KeyDeclaration, TableDeclaration, common_attributes};
use crate::tests::Memory;

fn keys_of(table: &'static TableDeclaration) -> impl Iterator<Item = &'static KeyDeclaration> {
    table.keys.iter().chain(&table.others)
}

/// Every table that can be reached from `table`, itself included.
fn reachable(table: &'static TableDeclaration, found: &mut Vec<&'static TableDeclaration>) {
    if found.iter().any(|known| std::ptr::eq(*known, table)) {
        return;
    }
    found.push(table);
    for key in keys_of(table) {
        below(&key.form, found);
    }
}

fn below(form: &'static Form, found: &mut Vec<&'static TableDeclaration>) {
    match form {
        Form::Table(table) | Form::Tables(table) | Form::Named(table) => reachable(table, found),
        Form::List(inner) | Form::Map(inner) | Form::Evaluated(inner) => below(inner, found),
        Form::AnyOf(forms) => forms.iter().for_each(|form| below(form, found)),
        _ => {}
    }
}

#[test]
fn every_key_has_a_sentence() {
    let mut tables = Vec::new();
    for root in [&SITE_FILE, &POLICY, &CASES] {
        reachable(root, &mut tables);
    }
    for table in tables {
        assert!(table.summary.ends_with('.'), "{}", table.heading);
        for key in keys_of(table) {
            assert!(key.documentation.ends_with('.'), "{}: {}", table.heading, key.name);
        }
        for attribute in table.attributes {
            assert!(attribute.documentation.ends_with('.'), "{}", attribute.name);
        }
    }
    for attribute in common_attributes() {
        assert!(attribute.documentation.ends_with('.'), "{}", attribute.name);
    }
}

/// The number of unknown keys that validation finds in a repository.
fn unknown(files: &[(&str, &str)]) -> usize {
    let found = crate::validate(&Memory::new(files), &Registry::standard()).to_string();
    found.matches("has no key").count()
}

#[test]
fn the_parser_knows_every_key_and_no_other() {
    let values = |table: &TableDeclaration, indent: &str| {
        let keys = table.names().into_iter().chain(["nonesuch"]);
        keys.fold(String::new(), |text, key| format!("{text}{indent}{key} = 1\n"))
    };
    let site = values(&SITE_FILE, "");
    assert_eq!(unknown(&[("site.toml", &site)]), 1, "{site}");
    let site = format!("[site]\n{}[[assign]]\n{}", values(&SITE, ""), values(&ASSIGNMENT, ""));
    assert_eq!(unknown(&[("site.toml", &site)]), 2, "{site}");
    let policy = format!("{}[params.x]\n{}", values(&POLICY, ""), values(&PARAMETER, ""))
        .replace("params = 1\n", "");
    let site = "[[assign]]\nhosts = \"*\"\npolicies = []\n";
    assert_eq!(unknown(&[("site.toml", site), ("policies/a.toml", &policy)]), 2, "{policy}");
}

#[test]
fn a_module_keeps_its_own_keys_and_passes_on_the_rest() {
    let keys = MODULE.names().iter().fold(String::new(), |keys, key| format!("{keys}{key} = []\n"));
    let keys = keys.replace("source = []", "source = \"b\"").replace("when = []", "when = true");
    let user = format!("[module.m]\n{keys}nonesuch = 1\n");
    let files = [
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"a\"]\n"),
        ("policies/a.toml", user.as_str()),
        ("policies/b.toml", ""),
    ];
    let found = crate::validate(&Memory::new(&files), &Registry::standard()).to_string();
    assert_eq!(found.matches("has no parameter").count(), 1, "{found}");
    assert!(found.contains("has no parameter `nonesuch`"), "{found}");
}
