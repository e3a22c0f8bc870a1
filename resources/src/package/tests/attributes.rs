//! What a policy may write, and what it is told when it may not.

use super::*;
use crate::host::packages::ConfigFiles;
use crate::package::{Ensure, Source};
use crate::value::Text;

fn text(text: &str) -> Value {
    Value::text(text)
}

const DIGEST: &str = "ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789";

#[test]
fn good_attributes() {
    let plain = package("nginx", &[]);
    assert_eq!((plain.ensure, plain.hold, plain.source), (Ensure::Present, None, None));
    assert!(!plain.options.recommends && !plain.options.allow_downgrade);
    assert_eq!(plain.options.config_files, ConfigFiles::Keep);
    let full = package(
        "libc6:i386",
        &[
            ("ensure", text("1:2.3-4")),
            ("hold", Value::Boolean(true)),
            ("config_files", text("replace")),
            ("recommends", Value::Boolean(true)),
            ("install_options", Value::List(vec![text("-t"), text("backports")])),
            ("source", text("https://example.com/libc6.deb")),
            ("sha256", text(DIGEST)),
        ],
    );
    assert_eq!(full.name.architecture(), Some("i386"));
    assert_eq!(full.options.config_files, ConfigFiles::Replace);
    let Some(Source::Download { sha256, .. }) = full.source else { panic!("{full:?}") };
    assert_eq!(sha256, DIGEST.to_ascii_lowercase());
}

/// A title, attributes, and what is said about them.
type Case<'a> = (&'a str, &'a [(&'static str, Value)], &'a str);

#[test]
fn bad_attributes() {
    let yes = Value::Boolean(true);
    let cases: &[Case<'_>] = &[
        ("-y", &[], "cannot start with \"-\""),
        ("a/b", &[], "no package name"),
        ("nginx\n", &[], "no package name"),
        ("nginx=1.0", &[], "no package name"),
        ("nginx", &[("ensure", text("instaled"))], "neither a state nor a version"),
        ("nginx", &[("ensure", text("1.0, <2"))], "no bound"),
        ("nginx", &[("ensure", text("absent")), ("hold", yes.clone())], "cannot be held"),
        ("nginx", &[("source", text("http://x/y.deb"))], "neither path nor URL"),
        ("nginx", &[("source", text("files/y.deb"))], "neither path nor URL"),
        ("nginx", &[("source", text("/srv/../etc/y.deb"))], "neither path nor URL"),
        ("nginx", &[("source", text("https://x/y.deb"))], "needs `sha256`"),
        ("nginx", &[("source", text("https://x/y.deb")), ("sha256", text("12"))], "64 hex"),
        ("nginx", &[("sha256", text(DIGEST))], "no `source`"),
        ("nginx", &[("source", text("/y.deb")), ("ensure", text("latest"))], "no latest"),
        ("nginx", &[("install_options", Value::List(vec![text("x")]))], "has to be an option"),
        ("nginx", &[("install_options", Value::List(vec![text("-t"), text("")]))], "neither empty"),
        ("nginx", &[("install_options", Value::List(vec![text("--")]))], "end the options"),
    ];
    for (title, values, wanted) in cases {
        let errors = read(title, values).unwrap_err();
        assert!(errors.iter().any(|it| it.message.contains(wanted)), "{title}: {errors:?}");
    }
}

fn responses(answers: &[(&str, Value)]) -> [(&'static str, Value); 1] {
    let table = answers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    [("responses", Value::Table(table.collect()))]
}

#[test]
fn answers_are_typed() {
    let typed = |kind: &str, value: &str| {
        Value::Table(vec![("type".into(), text(kind)), ("value".into(), text(value))])
    };
    let wanted = package(
        "postfix",
        &responses(&[
            ("postfix/mailname", text("mail.example.com and more")),
            ("postfix/chattr", Value::Boolean(false)),
            ("postfix/limit", Value::Integer(5)),
            ("mysql/root_password", text("s3cret")),
            ("postfix/type", typed("select", "Internet Site")),
        ]),
    );
    let shown: Vec<String> = wanted
        .answers
        .iter()
        .map(|it| format!("{} {} {}", it.question, it.kind, it.value))
        .collect();
    assert_eq!(
        shown,
        [
            "postfix/mailname string mail.example.com and more",
            "postfix/chattr boolean false",
            "postfix/limit string 5",
            "mysql/root_password password s3cret",
            "postfix/type select Internet Site",
        ]
    );
    assert!(!format!("{wanted:?}").contains("s3cret"));
    for bad in [
        ("with space", text("x")),
        ("", text("x")),
        ("q", text("two\nlines")),
        ("q", Value::Float(1.0)),
        ("q", typed("colour", "x")),
        ("q", Value::Table(vec![("value".into(), Value::Text(Text::from("x")))])),
    ] {
        let errors = read("postfix", &responses(&[bad])).unwrap_err();
        assert_eq!(errors[0].attribute, Some("responses"));
    }
}

#[test]
fn the_declaration_hides_answers() {
    let responses = Package.declaration().attribute("responses").unwrap();
    assert!(responses.secret);
}
