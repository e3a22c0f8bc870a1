use proptest::prelude::*;

use super::*;

fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().unwrap()
}

/// What is compiled, with `‹` and `›` and the first letter of the filter in place of what was put in.
fn shown(compiled: &str) -> String {
    let mut text = compiled.replace("((\u{c}", "‹");
    for filter in ["bounded", "stored", "made", "weighed", "searched", "sliced", "indexed"] {
        text = text.replace(&format!(")|{filter}__)\u{c}"), &format!("{}›", &filter[..2]));
    }
    text.replace('\u{c}', "^")
}

#[test]
fn expressions_are_guarded() {
    for (text, expected) in [
        ("a", "a"),
        ("a.b == 'x' and not c", "a.b == 'x' and not c"),
        ("a == b", "‹awe› == b"),
        ("(a.b).c == (b)", "‹(a.b).cwe› == (b)"),
        ("((a)|upper).c == b|lower", "‹((a)|upper).cwe› == b|lower"),
        ("a is not defined or a.b[c](d) == 1", "a is not defined or ‹a.bin›[c](d) == 1"),
        ("a in ['x', 'y']", "a in ['x', 'y']"),
        ("'x' in a.b", "'x' in ‹a.bse›"),
        ("a not in b", "‹awe› not in ‹bse›"),
        ("1 < a < b.c", "1 < ‹awe› < ‹b.cwe›"),
        ("a ~ b", "‹a ~ bbo›"),
        ("a + 1 > 2", "‹a + 1ma› > 2"),
        ("(a ~ '.' ~ b) | upper", "(a ~ '.' ~ b) | upper"),
        ("a ~ b ~ c ~ d ~ e ~ f", "‹‹a ~ b ~ c ~ d ~ ema› ~ fbo›"),
        ("'x' * 9", "‹‹‹'x'ma› * 9ma›bo›"),
        ("2 * -3", "‹2 * -3bo›"),
        ("[a, [b, c + d]]", "‹[a, [b, ‹c + dbo›]]bo›"),
        ("[1, ['x']]", "[1, ['x']]"),
        ("{'a': b}['a']", "{'a': b}['a']"),
        ("a[b]", "‹ain›[b]"),
        ("a is divisibleby b[c]", "a is divisibleby ‹‹bin›[c]ma›"),
        ("a[1:].x", "‹asl›[1:].x"),
        ("f(a ~ b, c=[d], *e, **g)", "f(‹a ~ bbo›, c=‹[d]bo›, *‹ebo›, **‹gbo›)"),
        ("a if b == c else d + e", "a if ‹bwe› == c else ‹d + ebo›"),
        ("(a if b else c) == d", "(‹a if b else cwe›) == d"),
        ("a | groupby('x')", "‹a | groupby('x')bo›"),
        ("')' ~ (('(' ~ a).b) == c", "‹')' ~ ((‹'(' ~ ama›).b)we› == c"),
    ] {
        let compiled = expression(text.to_owned());
        assert_eq!(shown(&compiled), expected, "{text}");
        assert_eq!(written(&compiled), text);
        assert!(parse_expr(&compiled).is_ok(), "{compiled}");
    }
}

#[test]
fn templates_are_guarded() {
    let long = "x".repeat(64);
    for (text, expected) in [
        ("{{ a }} b".to_owned(), "{{ a }} b".to_owned()),
        (
            "{% set a.x = b %}{% set a = b %}".to_owned(),
            "{% set a.x = ‹bst› %}{% set a = b %}".to_owned(),
        ),
        ("{%- set a, b = 1, c -%}".to_owned(), "{%- set a, b = ‹1, cst› -%}".to_owned()),
        (
            "{% with x = a + b, y = (2) %}{{ x ~ y }}{% endwith %}".to_owned(),
            "{% with x = ‹a + bbo›, y = (2) %}{{ x ~ y }}{% endwith %}".to_owned(),
        ),
        (
            "{% raw %}{{ a == b }}{% endraw %}{% if a == b %}{% endif %}".to_owned(),
            "{% raw %}{{ a == b }}{% endraw %}{% if ‹awe› == b %}{% endif %}".to_owned(),
        ),
        (
            format!("{long}{{% for a in b -%}}\n {long}{{{{ a }}}}{long}{{% endfor %}}{long}"),
            format!(
                "{long}{{% for a in ‹bsl› -%}}{{%^ set raw__ = 66|raw__ ^-%}}\n {long}{{{{ a }}}}{{{{^ 64|raw__ ^}}}}{long}{{% endfor %}}{long}"
            ),
        ),
        ("{% set a =".to_owned(), "{% set a =".to_owned()),
        ("é{% set e = 'ü' ~ u %}".to_owned(), "é{% set e = ‹'ü' ~ ubo› %}".to_owned()),
    ] {
        let compiled = template(&text, &syntax());
        assert_eq!(shown(&compiled), expected);
        assert_eq!(written(&compiled), text);
        assert_eq!(parse(&compiled, "", syntax()).is_ok(), parse(&text, "", syntax()).is_ok());
    }
}

#[test]
fn places_are_found_in_what_is_written() {
    let long = "x".repeat(64);
    let text = format!("a {{% set a = b + c %}}{{% for x in y %}}{long}{{% endfor %}} d");
    let compiled = template(&text, &syntax());
    assert_ne!(compiled, text);
    for word in ["a {", " + c", "xxx", "y", " d"] {
        let at = compiled.find(word).unwrap();
        let range = written_range(&compiled, &(at..at + word.len()));
        assert_eq!(&text[range], word);
    }
    let at = compiled.find("bounded__").unwrap();
    assert_eq!(&text[written_range(&compiled, &(at..at + 9))], "b + c");
}

/// Expressions of every form, some of them in brackets.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec!["a", "b", "1", "'x)'", "[]", "{}", "facts.c"]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        let form = prop::sample::select(vec![
            "(§)",
            "( (§) )",
            "§ ~ §",
            "§ + §",
            "§ * §",
            "§ - §",
            "§ == §",
            "§ < § < §",
            "§ in §",
            "§ not in §",
            "§ and §",
            "§ or §",
            "not §",
            "-§",
            "§ if § else §",
            "§ if §",
            "§.b",
            "§[§]",
            "§[§:§]",
            "§|upper",
            "§ | join(§)",
            "§ is defined",
            "§ is not eq(§)",
            "§ is not divisibleby §",
            "f(§, x=§)",
            "§.m(§, *§)",
            "[§, §]",
            "(§, §)",
            "(§,)",
            "{'a': §, §: §}",
            "§[-1]",
        ]);
        (form, prop::collection::vec(inner, 3)).prop_map(|(form, parts)| {
            let mut text = String::new();
            for (index, piece) in form.split('§').enumerate() {
                if let Some(part) = index.checked_sub(1).and_then(|index| parts.get(index)) {
                    text.push_str(part);
                }
                text.push_str(piece);
            }
            text
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn whatever_is_jinja_stays_jinja(text in expressions()) {
        let compiled = expression(text.clone());
        prop_assert_eq!(written(&compiled), text.clone());
        let parsed = parse_expr(&text);
        if let Err(error) = parse_expr(&compiled) {
            prop_assert!(parsed.is_err(), "{}: {} is {}", error, text, shown(&compiled));
        }
        // Without the filters, the same parts in the same order.
        let names = |text: &str| {
            let parsed = format!("{:?}", parse_expr(text).ok());
            parsed.matches("Var {").count()
        };
        prop_assert_eq!(names(&text), names(&compiled));
    }
}
