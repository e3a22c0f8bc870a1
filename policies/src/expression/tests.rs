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
        (
            "[' a '.lstrip(), ' a '.rstrip(), '--a-'.strip('-'), 'a//'.rstrip('/')]",
            "['a ', ' a', 'a', 'a']",
        ),
        (
            "['a.conf'.removesuffix('.conf'), 'v1'.removeprefix('v'), 'x'.removeprefix('v')]",
            "['a', '1', 'x']",
        ),
        ("['7'.zfill(3), 'a'.ljust(3, '.'), 'a'.rjust(3)]", "['007', 'a..', '  a']"),
        ("'a\nb'.splitlines() | length ~ 'a,b,c'.count(',') ~ '12'.isdigit()", "22True"),
        ("['the web'.title(), 'THE web'.capitalize()]", "['The Web', 'The web']"),
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
fn addresses_and_networks() {
    for (text, expected) in [
        ("'192.0.2.17/24' | ipaddr('address')", "192.0.2.17"),
        ("'192.0.2.17/24' | ipaddr('network')", "192.0.2.0"),
        ("'192.0.2.17/24' | ipaddr('netmask')", "255.255.255.0"),
        ("'192.0.2.17/24' | ipaddr('hostmask')", "0.0.0.255"),
        ("'192.0.2.17/24' | ipaddr('prefix')", "24"),
        ("'192.0.2.17/24' | ipaddr('broadcast')", "192.0.2.255"),
        ("'192.0.2.17/24' | ipaddr('size')", "256"),
        ("'192.0.2.17/24' | ipaddr('subnet')", "192.0.2.0/24"),
        ("'192.0.2.17/24' | ipaddr('host')", "192.0.2.17/24"),
        ("'192.0.2.17/24' | ipaddr('first_usable')", "192.0.2.1"),
        ("'192.0.2.17/24' | ipaddr('last_usable')", "192.0.2.254"),
        ("'192.0.2.0/31' | ipaddr('first_usable')", "192.0.2.0"),
        ("'192.0.2.0/255.255.254.0' | ipaddr('prefix')", "23"),
        ("'10.1.2.3/0' | ipaddr('network')", "0.0.0.0"),
        ("'10.1.2.3/0' | ipaddr('size')", "4294967296"),
        ("'192.0.2.17' | ipaddr('prefix')", "32"),
        ("'192.0.2.17' | ipaddr('192.0.2.0/24')", "192.0.2.17"),
        ("'198.51.100.1' | ipaddr('192.0.2.0/24')", "False"),
        ("'192.0.2.0/24' | ipaddr(5)", "192.0.2.5/24"),
        ("'192.0.2.0/24' | ipaddr(-2)", "192.0.2.254/24"),
        ("'192.0.2.0/24' | nthhost(300 - 45)", "192.0.2.255"),
        ("'nonsense' | ipaddr", "False"),
        ("'192.0.2.1' | ipaddr", "192.0.2.1"),
        ("['192.0.2.1', 'x', '10.0.0.1', '2001:db8::1'] | ipaddr('192.0.2.0/24')", "['192.0.2.1']"),
        ("['192.0.2.1', 'x', '2001:db8::1'] | ipv6", "['2001:db8::1']"),
        (
            "['192.0.2.1/24', '2001:db8::1'] | ipv4 | map('ipaddr', 'network') | join(',')",
            "192.0.2.0",
        ),
        ("'2001:db8::17/64' | ipaddr('network')", "2001:db8::"),
        ("'2001:db8::17/64' | ip_network", "2001:db8::"),
        ("'2001:db8::17/64' | ip_version", "6"),
        ("'2001:db8::17/64' | ipaddr('netmask')", "ffff:ffff:ffff:ffff::"),
        ("'2001:db8::17/120' | ip_size", "256"),
        ("'::1/0' | ipaddr('network')", "::"),
        ("'192.0.2.17/24' | ip_address", "192.0.2.17"),
        ("'192.0.2.17/24' | ip_netmask", "255.255.255.0"),
        ("'192.0.2.17/24' | ip_prefix", "24"),
        ("'192.0.2.17/24' | ip_broadcast", "192.0.2.255"),
        ("'192.0.2.17' | ip_in('192.0.2.0/24')", "True"),
        ("'192.0.2.17' is ip_in('10.0.0.0/8')", "False"),
        ("'192.0.2.0/24' is ip_in('192.0.2.0/25')", "False"),
        ("'2001:db8::1' is ip_in('0.0.0.0/0')", "False"),
        ("'192.0.2.17' | is_ip and '::1' is ipv6 and '192.0.2.1' is not ipv6", "True"),
        ("'192.0.2.17/24' | is_ip", "False"),
        ("'192.0.2.256' is ip", "False"),
    ] {
        match eval(text) {
            Ok(value) => assert_eq!(value.to_string(), expected, "{text}"),
            Err(error) => panic!("{text}: {error}"),
        }
    }
    for text in [
        "'x' | ipaddr('address')",
        "'192.0.2.1' | ipaddr('netwrok')",
        "'192.0.2.0/24' | ipaddr(256)",
        "'192.0.2.0/24' | nthhost(-257)",
        "'192.0.2.1/33' | ip_network",
        "'192.0.2.1/255.0.255.0' | ip_network",
        "'2001:db8::1/64' | ip_broadcast",
        "'::/0' | ip_size",
        "'x' is ip_in('10.0.0.0/8')",
        "'10.0.0.1' is ip_in('x')",
        "params.nope | ipaddr",
    ] {
        assert!(eval(text).is_err(), "{text}");
    }
}

#[test]
fn what_ansible_and_salt_authors_write() {
    for (text, expected) in [
        ("'1.10' is version('1.9', '>=')", "True"),
        ("'1.10' is version('1.9', 'lt')", "False"),
        ("'12' is version('12')", "True"),
        ("'1.2.3' | version_compare('1.3', '<')", "True"),
        (
            "('[a]\nb = [1, 2]\nc = 2020-01-02\n' | from_toml) | to_json",
            r#"{"a":{"b":[1,2],"c":"2020-01-02"}}"#,
        ),
        ("'no' | bool or 'off' | bool or 0 | bool or 'False' | bool", "False"),
        ("'yes' | bool and 'On' | bool and 1 | bool and true | bool", "True"),
        ("'managed\nby hand' | comment", "#\n# managed\n# by hand\n#"),
        ("'x' | comment('cblock')", "/*\n *\n * x\n *\n */"),
        ("'x' | comment('xml')", "<!--\n -\n - x\n -\n-->"),
        ("'x\n\ny' | comment('c', prefix_count=0, postfix_count=0)", "// x\n//\n// y"),
        ("'x' | comment(decoration='; ')", ";\n; x\n;"),
        ("'a\nb' | indent(2)", "a\n  b"),
        ("[1, 2] | product(['a', 'b']) | list", "[[1, 'a'], [1, 'b'], [2, 'a'], [2, 'b']]"),
        ("[1, 2] | zip(['a', 'b']) | list", "[(1, 'a'), (2, 'b')]"),
        ("[1, 2] | zip_longest(['a'], fillvalue='-')", "[[1, 'a'], [2, '-']]"),
        ("[1, 2] | symmetric_difference([2, 3])", "[1, 3]"),
        ("['z'] | map('extract', params.map) | list", "[1]"),
        ("[{'n': 'a', 'k': [1, 2]}] | subelements('k') | map('last') | list", "[1, 2]"),
        ("[1] is subset([1, 2]) and [1, 2] is superset([2])", "True"),
        ("[1, 2] is contains(2) and 'abc' is contains('b')", "True"),
        ("[true, 1] is all and [false, 1] is any and [] is not any", "True"),
        ("'x' is truthy and '' is falsy", "True"),
        ("'ab' | center(6)", "  ab  "),
        ("'a b  c' | wordcount", "3"),
        ("'one two three' | wordwrap(8)", "one two\nthree"),
        ("'one two three' | truncate(10)", "one..."),
        ("'one two three' | truncate(10, true)", "one two..."),
        ("'short' | truncate(5)", "short"),
        (
            "[512 | human_readable, 1536 | human_readable, 1048576 | human_readable]",
            "['512 Bytes', '1.50 KB', '1.00 MB']",
        ),
        (
            "['10M' | human_to_bytes, '1.5 GB' | human_to_bytes, '512' | human_to_bytes, '1KiB' | human_to_bytes]",
            "[10485760, 1610612736, 512, 1024]",
        ),
        ("['/etc', 'nginx/', 'x.conf'] | path_join", "/etc/nginx/x.conf"),
        ("'/etc' | path_join('nginx', '/abs')", "/abs"),
        ("'/etc/nginx.conf' | splitext", "['/etc/nginx', '.conf']"),
        ("'/etc/.hidden' | splitext", "['/etc/.hidden', '']"),
        ("'/etc' is abs and 'etc' is not abs", "True"),
        (
            "[1 | type_debug, 1.5 | type_debug, 'x' | type_debug, [] | type_debug, {} | type_debug, true | type_debug]",
            "['integer', 'float', 'string', 'list', 'map', 'boolean']",
        ),
    ] {
        match eval(text) {
            Ok(value) => assert_eq!(value.to_string(), expected, "{text}"),
            Err(error) => panic!("{text}: {error}"),
        }
    }
    for text in [
        "'maybe' | bool",
        "2 | bool",
        "params.nope | bool",
        "'x' | comment('fancy')",
        "'x' | comment(decoraton='; ')",
        "'1' is version('2', '=>')",
        "'x = ' | from_toml",
        "'9z' | human_to_bytes",
        "'-1' | human_readable",
        "'99999999999E' | human_to_bytes",
        "'q' | extract(params.map)",
        "range(1000) | product(range(1000))",
        "params.nope is truthy",
    ] {
        assert!(eval(text).is_err(), "{text}");
    }
}

#[test]
fn every_test_that_we_suggest_exists() {
    for name in filters::tests() {
        let error = eval(&format!("1 is {name}")).err();
        let unknown = error.is_some_and(|error| error.kind() == ErrorKind::UnknownTest);
        assert!(!unknown, "{name}");
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
