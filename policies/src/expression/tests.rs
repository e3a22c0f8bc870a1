use std::sync::Arc;

use minijinja::{Environment, Error, ErrorKind, Value};

use super::*;

fn engine() -> Environment<'static> {
    environment(&Arc::default(), &Budget::default())
}

fn eval(text: &str) -> Result<Value, Error> {
    let scope = Scope {
        params: Some(Value::from_pairs([
            (Value::from("port"), Value::from(80)),
            (Value::from("hosts"), Value::from(vec!["a", "b", "a"])),
            (Value::from("map"), Value::from_pairs([(Value::from("z"), 1), (Value::from("a"), 2)])),
        ])),
        ..Scope::default()
    };
    engine().compile_expression_owned(text.to_owned())?.eval(Value::from_object(scope))
}

#[test]
fn filters_as_authors_know_them() {
    for (text, expected) in [
        ("params.map | to_json", r#"{"z":1,"a":2}"#),
        ("'a<b' | to_json", r#""a<b""#),
        ("params.hosts | to_nice_json", "[\n    \"a\",\n    \"b\",\n    \"a\"\n]"),
        ("params.hosts | to_json(indent=2)", "[\n  \"a\",\n  \"b\",\n  \"a\"\n]"),
        ("params.map | to_yaml", "z: 1\na: 2\n"),
        ("params.map | to_toml", "a = 2\nz = 1\n"),
        ("params.hosts | to_toml", "[\"a\", \"b\", \"a\"]"),
        ("('{\"a\": [1]}' | from_json).a[0]", "1"),
        ("'hello' | b64encode", "aGVsbG8="),
        ("'aGVsbG8=' | b64decode", "hello"),
        ("'abc' | sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("'abc' | hash('sha256') == 'abc' | sha256", "True"),
        (r"'host12' | regex_replace('([a-z]+)(\\d+)', '\\2-\\1$')", "12-host$"),
        (r"'host12' | regex_replace('(?P<n>\\d+)', '<\\g<n>>')", "host<12>"),
        (r"'host12' | regex_search('\\d+')", "12"),
        (r"'host12' | regex_search('x')", "None"),
        (r"'host12' | regex_search('([a-z]+)(\\d+)', '\\2', '\\1')", "['12', 'host']"),
        (r"'a1b2' | regex_findall('\\d')", "['1', '2']"),
        ("'HOST' | regex_search('host', ignorecase=true)", "HOST"),
        ("'a.b' | regex_escape", r"a\.b"),
        ("'host12' is match('host')", "True"),
        ("'host12' is match('12')", "False"),
        ("'host12' is search('12')", "True"),
        ("'/etc/nginx/nginx.conf' | basename", "nginx.conf"),
        ("'/etc/nginx/nginx.conf' | dirname", "/etc/nginx"),
        ("'/etc' | dirname", "/"),
        ("'etc' | dirname", ""),
        ("\"it's\" | quote", r#"'it'"'"'s'"#),
        ("'' | quote", "''"),
        ("'/plain-word' | quote", "/plain-word"),
        ("params.map | combine({'a': 3, 'b': 4}) | to_json", r#"{"z":1,"a":3,"b":4}"#),
        (
            "{'a': {'b': 1}} | combine({'a': {'c': 2}}, recursive=true) | to_json",
            r#"{"a":{"b":1,"c":2}}"#,
        ),
        ("params.map | dict2items | map(attribute='key') | join(',')", "z,a"),
        ("params.map | dict2items | items2dict | to_json", r#"{"z":1,"a":2}"#),
        ("[[1, [2]], 3] | flatten", "[1, 2, 3]"),
        ("params.hosts | union(['c'])", "['a', 'b', 'c']"),
        ("params.hosts | intersect(['a'])", "['a']"),
        ("params.hosts | difference(['a'])", "['b']"),
        ("params.map.get('z')", "1"),
        ("params.map.get('q', 5)", "5"),
        ("params.map.items() | list", "[['z', 1], ['a', 2]]"),
        ("params.map.keys() | join(',')", "z,a"),
        ("' a b '.strip().split(' ') | join('-')", "a-b"),
        ("'a.conf'.endswith('.conf') and 'a'.upper() == 'A'", "True"),
        ("','.join(params.hosts)", "a,b,a"),
        ("true | ternary('yes', 'no')", "yes"),
        ("params.nope | default('z')", "z"),
        ("params.port", "80"),
        ("'a' ~ params.port", "a80"),
    ] {
        match eval(text) {
            Ok(value) => assert_eq!(value.to_string(), expected, "{text}"),
            Err(error) => panic!("{text}: {error}"),
        }
    }
}

#[test]
fn undefined_is_an_error_wherever_it_would_count() {
    for text in [
        "nope == 1",
        "params.nope == 'x'",
        "params.nope and true",
        "not params.nope",
        "params.nope + 1",
        "params.nope ~ 'x'",
        "'x' in params.nope",
        "params.nope.deeper",
        "params.nope | upper",
        "params.nope | to_json",
        "[params.nope] | to_json",
        "{'a': params.nope} | to_yaml",
        "params.nope | sha256",
        "params.nope | mandatory",
        "params.nope | regex_search('x')",
        "params.nope | quote",
        "params.nope | b64encode",
    ] {
        let error = eval(text).expect_err(text);
        assert!(
            error.kind() == ErrorKind::UndefinedError || error.to_string().contains("undefined"),
            "{text}: {error}"
        );
    }
}

#[test]
fn nothing_impure_is_there() {
    for text in [
        "now()",
        "random()",
        "lipsum()",
        "debug()",
        "uuid4()",
        "env('HOME')",
        "lookup('file', 'x')",
    ] {
        assert_eq!(eval(text).expect_err(text).kind(), ErrorKind::UnknownFunction, "{text}");
    }
    for text in ["[1] | random", "[1] | shuffle", "1 | now"] {
        assert_eq!(eval(text).expect_err(text).kind(), ErrorKind::UnknownFilter, "{text}");
    }
}

#[test]
fn wrong_arguments_are_errors_and_not_panics() {
    for text in [
        "1 | from_json",
        "'x' | from_json",
        "'*' | b64decode",
        "'/w==' | b64decode",
        "'x' | hash('md5')",
        "'x' | regex_search('(')",
        "1 | combine({})",
        "none | dict2items",
        "range | to_json",
        "{'a': none} | to_toml",
        "params.hosts | to_json(indnt=2)",
    ] {
        assert!(eval(text).is_err(), "{text}");
    }
}

#[test]
fn blocks_leave_no_lines_behind_and_the_last_line_break_stays() {
    let engine = engine();
    let text = "a\n  {% if true %}\nb\n  {% endif %}\nc\n";
    assert_eq!(engine.render_str(text, ()).unwrap(), "a\nb\nc\n");
}

#[test]
fn nothing_is_escaped() {
    let mut engine = engine();
    for name in ["a.html", "a.json", "a.yaml", "a.xml"] {
        engine.add_template(name, "{{ '<&\"' }}").unwrap();
        assert_eq!(engine.get_template(name).unwrap().render(()).unwrap(), "<&\"");
    }
}
