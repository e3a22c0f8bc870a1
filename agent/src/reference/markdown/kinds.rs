//! Pages about kinds: one each, and one for what all have in common.

use std::fmt::Write as _;

use steadfast_policies::declaration::common_attributes;
use steadfast_resources::{KindDeclaration, Registry};

use super::{entry, tables, top};

/// The list of kinds, and the attributes of every resource.
pub(super) fn index(registry: &Registry) -> String {
    let mut text = top("Kinds");
    text.push_str(
        "A resource is a table `[kind.\"title\"]`. Only what is written is managed: leaving an \
         attribute out does not reset it. Any string may contain `{{ expressions }}`; a string that \
         is exactly one keeps the expression's type, so that integers, booleans, lists and tables \
         can come from one, too.\n\n| kind | what it manages | title |\n|---|---|---|\n",
    );
    for kind in registry.kinds() {
        let declared = kind.declaration();
        let (name, summary) = (declared.name, declared.summary);
        let _ = writeln!(text, "| [`{name}`](kinds/{name}.md) | {summary} | {} |", declared.title);
    }
    text.push_str("\n## Attributes that every resource has\n\n");
    for declared in common_attributes() {
        tables::key(&mut text, declared);
    }
    text
}

/// The page of one kind.
pub(super) fn page(declared: &KindDeclaration) -> String {
    let mut text = top(&format!("`{}`", declared.name));
    let _ = writeln!(text, "{}\n\nThe title is {}.\n", declared.summary, declared.title);
    let _ = writeln!(text, "```toml\n{}```\n", declared.example);
    text.push_str(
        "Besides the attributes below it has [those of every resource]\
         (../kinds.md#attributes-that-every-resource-has).\n\n## Attributes\n\n",
    );
    for own in declared.attributes {
        let secret = if own.secret { "; secret, never shown" } else { "" };
        let form = format!("{}{secret}", own.kind.in_words());
        let default = own.default.map(|default| format!("`{default}`"));
        entry(&mut text, own.name, &form, default.as_deref(), own.documentation);
    }
    text
}
