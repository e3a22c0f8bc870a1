//! The reference in `docs/reference`, a page for each part, in Markdown.
//!
//! The pages are committed, so that they can be read where the code is; a test compares them with
//! what is generated here and says how to write them anew.

mod commands;
mod configuration;
mod expressions;
mod kinds;
mod tables;

use std::fmt::Write as _;

use steadfast_policies::declaration::{CASES, POLICY, SITE_FILE};
use steadfast_resources::Registry;

use crate::reference::schema::{self, Topic};

/// A page of the reference.
#[derive(Debug)]
pub struct Page {
    /// Its path below `docs/reference`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Every page, with the kinds of `registry`.
pub fn pages(registry: &Registry) -> Vec<Page> {
    let page = |path: &str, text: String| Page { path: path.to_owned(), text };
    let mut pages = vec![
        page("site.md", tables::page("The site", &SITE_FILE)),
        page("policy.md", tables::page("Policies", &POLICY)),
        page("tests.md", tables::page("Tests", &CASES)),
        page("filters.md", expressions::page()),
        page("configuration.md", configuration::page()),
        page("commands.md", commands::page()),
        page("kinds.md", kinds::index(registry)),
    ];
    pages.extend(Topic::PRINTED.map(|topic| {
        page(&format!("schemas/{}", topic.file_name()), schema::text(topic, registry))
    }));
    pages.extend(registry.kinds().map(|kind| {
        let declared = kind.declaration();
        page(&format!("kinds/{}.md", declared.name), kinds::page(declared))
    }));
    pages
}

/// The top of a page.
fn top(title: &str) -> String {
    format!(
        "<!-- Generated from the program's own declarations; see docs/README.md. -->\n\n# {title}\n\n"
    )
}

/// A key, attribute or setting: its name, what may be written, its default, what it means.
fn entry(text: &mut String, name: &str, form: &str, default: Option<&str>, meaning: &str) {
    let default = default.map(|default| format!(" Default: {default}.")).unwrap_or_default();
    let _ = writeln!(text, "### `{name}`\n\n*{}.*{default}\n\n{meaning}\n", sentence(form));
}

/// `words` with a large first letter, what would be markup made harmless.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    let whole = format!("{}{}", first.unwrap_or_default(), letters.as_str());
    whole.replace('*', "\\*").replace('_', "\\_")
}
