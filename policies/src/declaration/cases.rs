//! The keys of the files `tests/*.toml` of a policy repository.

use super::{Form, KeyDeclaration as Key, TableDeclaration};

/// A file of cases.
pub static CASES: TableDeclaration = TableDeclaration {
    heading: "tests/*.toml",
    summary: "What the authors of a repository expect of their policies, run by `steadfast test`. \
              No host is needed: every case names the facts and labels that it is about.",
    keys: &[
        Key::new("description", Form::Text, "What these cases are about. For people only."),
        Key::new("facts", ANY_TABLE, "Facts for every case of this file, merged over the sample."),
        Key::new("labels", Form::Map(&Form::Text), "Labels for every case of this file."),
        Key::new("data", ANY_TABLE, "A topmost layer of data for every case of this file."),
        Key::new("case", Form::Named(&CASE), "The cases; the name is the title."),
    ],
    ..TableDeclaration::PLAIN
};

const ANY_TABLE: Form = Form::Map(&Form::Anything);

pub(crate) static CASE: TableDeclaration = TableDeclaration {
    heading: "[case.NAME]",
    summary: "A host as it might be, and what its catalog is expected to be.",
    keys: &[
        Key::new("description", Form::Text, "What the case shows. For people only."),
        Key::new(
            "sample",
            Form::Text,
            "The facts to start from: a built-in sample, or the name of a file \
             `tests/facts/NAME.toml` or `.json`.",
        )
        .with_default("debian-12"),
        Key::new(
            "policy",
            Form::Text,
            "Evaluates this policy alone, without `site.toml`. Without it the whole site is asked.",
        ),
        Key::new("params", ANY_TABLE, "The parameters of `policy`."),
        Key::new("facts", ANY_TABLE, "Facts, merged deeply over the sample and those of the file."),
        Key::new("labels", Form::Map(&Form::Text), "Labels, over those of the file."),
        Key::new("data", ANY_TABLE, "A topmost layer of data, over that of the file."),
        Key::new(
            "policies",
            Form::Texts,
            "Expects exactly these policies to be assigned, in this order.",
        ),
        Key::new(
            "lacks",
            Form::Texts,
            "Expects no resource to match any of these references; globs are allowed.",
        ),
        Key::new(
            "order",
            Form::Texts,
            "Expects these resources to be applied in this order, whatever comes between.",
        ),
        Key::new(
            "error",
            Form::Texts,
            "Expects evaluation to fail with an error that contains this.",
        ),
        Key::new("warning", Form::Texts, "Expects a warning that contains this."),
        Key::new(
            "expect",
            // By kind and title: an attribute each, see `EXPECTATION`.
            Form::Map(&Form::Named(&EXPECTATION)),
            "Expects resources, by kind and title: `[case.web.expect.package.nginx]`.",
        ),
    ],
    ..TableDeclaration::PLAIN
};

/// What is expected of one resource.
pub static EXPECTATION: TableDeclaration = TableDeclaration {
    heading: "[case.NAME.expect.KIND.TITLE]",
    summary: "Expects the resource to exist, and its attributes to be these after evaluation. A \
              rendered template and the text of a source are compared as `content`.",
    others: Some(Key::new(
        "ATTRIBUTE",
        Form::AnyOf(&[Form::Anything, Form::Table(&MATCHER)]),
        "What the attribute is expected to be: a value, or a matcher.",
    )),
    ..TableDeclaration::PLAIN
};

pub(crate) static MATCHER: TableDeclaration = TableDeclaration {
    heading: "[case.NAME.expect.KIND.TITLE.ATTRIBUTE]",
    summary: "What a string or a list is expected to be like.",
    keys: &[
        Key::new("contains", Form::Texts, "Each of these is in it."),
        Key::new("lacks", Form::Texts, "None of these is in it."),
        Key::new("matches", Form::Texts, "Each of these regular expressions matches it."),
    ],
    marks: &["contains", "lacks", "matches"],
    ..TableDeclaration::PLAIN
};
