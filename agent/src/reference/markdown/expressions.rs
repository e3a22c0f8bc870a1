//! The page about what expressions can use.

use std::fmt::Write as _;

use steadfast_policies::declaration::{FilterDeclaration, filters};

use super::top;

pub(super) fn page() -> String {
    let mut text = top("Filters, tests and functions");
    text.push_str(
        "What expressions and templates can use, besides Jinja's operators and blocks. Nothing here \
         reads the clock, the network or randomness. An undefined value is an error, except for \
         `default`, `is defined` and `is undefined`.\n\n",
    );
    let all = filters();
    section(&mut text, "Filters", "Written `value | name(arguments)`.", all.own);
    section(&mut text, "Jinja's own filters", "Written the same.", all.built_in);
    section(&mut text, "Tests", "Written `value is name(arguments)`.", all.tests);
    section(&mut text, "Functions", "Written `name(arguments)`.", all.functions);
    section(&mut text, "Methods", "Written `value.name(arguments)`.", all.methods);
    text
}

fn section(text: &mut String, title: &str, form: &str, declared: &[FilterDeclaration]) {
    let _ = writeln!(text, "## {title}\n\n{form}\n");
    for each in declared {
        let _ = writeln!(text, "### `{}{}`\n\n{}\n", each.name, each.arguments, each.summary);
        let output = if each.output.contains('\n') {
            format!("{:?}", each.output)
        } else {
            each.output.to_owned()
        };
        let _ = writeln!(text, "```jinja\n{}\n{{# {output} #}}\n```\n", each.example);
    }
}
