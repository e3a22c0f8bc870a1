//! What is written is read again as what it was.

use proptest::prelude::*;
use steadfast_resources::Value;

use super::*;
use crate::tests::{note, policy};

/// The title and content that the policy `text` gives its only resource.
fn read(text: &str) -> (String, String) {
    let catalog = policy(text).unwrap_or_else(|errors| panic!("{}{text}", errors.render(false)));
    let reference = &catalog.resources[0].reference;
    let content = note(&catalog, &reference.to_string()).text.clone();
    (reference.title().to_owned(), content.expect("content").as_str().to_owned())
}

fn written(title: &str, value: &str) -> String {
    resource(&Written {
        kind: "note",
        title,
        comments: &["a\nb \u{7}".to_owned()],
        attributes: &[("content", Value::text(value))],
    })
}

#[test]
fn whatever_a_text_holds_it_comes_back() {
    for text in [
        "",
        "plain",
        "two\nlines\n",
        "no end\nhere",
        "\nfirst empty",
        "C:\\path\\",
        "C:\\path\nand \"quotes\" '''\n",
        "say \"\"\" and \"\"\"\"\"\n\"",
        "it's",
        "tab\tcr\r\nbell\u{7}null\u{0}del\u{7f}",
        "{{ facts.hostname }}",
        "{% if x %}{# not a comment #}{{{{{ }}",
        "{# alone #}",
        "{{% raw %}}",
        "{{{#",
        "a {{ '{{' }} b",
        "{{ '\\n' }}\n",
        "ends in {",
        "ends in {{",
        "%} }} #}",
        "\u{feff}ü€𝄞",
        "  {% if a %}  \n  x\n",
    ] {
        // A title has no control characters.
        let named = format!("/t{}", text.replace(char::is_control, ""));
        let text_of_policy = written(&named, text);
        let (title, value) = read(&text_of_policy);
        assert_eq!(value, text, "{text_of_policy}");
        assert_eq!(title, named, "{text_of_policy}");
    }
}

#[test]
fn what_is_written_reads_well() {
    let attributes = [
        ("number", Value::Integer(-3)),
        ("flag", Value::Boolean(true)),
        ("empty", Value::List(Vec::new())),
        ("few", Value::texts(["a", "b"])),
        ("many", Value::texts((0..20).map(|number| format!("item {number}")))),
        ("text", Value::text("one\n\"two\"\n")),
        ("path", Value::text("C:\\x")),
        ("table", Value::Table(vec![("a b".to_owned(), Value::Float(1.0))])),
    ];
    let text = resource(&Written {
        kind: "file",
        title: "/etc/motd",
        comments: &["read this".to_owned()],
        attributes: &attributes,
    });
    insta::assert_snapshot!(text);
}

proptest! {
    #[test]
    fn any_text_comes_back(text in "[a{}%#'\"\\\\\n\r\t -]{0,40}") {
        let text_of_policy = written("/x", &text);
        prop_assert_eq!(read(&text_of_policy).1, text, "{}", text_of_policy);
    }
}
