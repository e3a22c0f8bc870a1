//! Diagnostics about secrets do not tell them.

use super::{Memory, inputs, policy, registry};

#[test]
fn a_refused_secret_is_told_nowhere() {
    for (attributes, mark) in [
        ("password = \"hunter2\"", "password = (hidden)"),
        ("password = \"{{ 'hunter2' }}\"", "password = (hidden)"),
        ("password = [\"hunter2\"]", "password = (hidden)"),
        ("pasword = \"hunter2\"", "pasword = (hidden)"),
        ("password = \"\"\"\nhunter2\n{{ nothing }}\"\"\"", "(hidden)"),
        ("sensitive = true\nmode = \"hunter2\"", "mode = (hidden)"),
        ("sensitive = true\ncount = \"hunter2\"", "count = (hidden)"),
        ("sensitive = true\ncount = \"{{ 'hunter2' }}\"", "count = (hidden)"),
        ("sensitive = true\nsource = \"hunter2\"", "source = (hidden)"),
        ("mode = \"hunter2\"\n[defaults.note]\nsensitive = true", "mode = (hidden)"),
    ] {
        let told = policy(&format!("[note.\"/a\"]\n{attributes}\n")).err().unwrap();
        let (text, json) = (told.render(false), serde_json::to_string(&told).unwrap());
        assert!(!text.contains("hunter2") && !json.contains("hunter2"), "{text}{json}");
        assert!(text.contains(mark) && text.contains("test.toml:"), "{attributes}: {text}");
    }
    let told = policy("[note.\"/a\"]\nmode = \"visible\"\n").err().unwrap().render(false);
    assert!(told.contains("visible"), "{told}");
}

/// What is told of `policies/p/policy.toml`, where `data.a.pw` is a secret.
fn with_secret(policy: &str) -> String {
    let files = [
        (
            "site.toml",
            "[site]\ndata = [\"common\"]\n[[assign]]\nhosts = \"*\"\npolicies = [\"p\"]\n",
        ),
        ("data/common.toml", "[p]\npw = \"hunter2secret\"\n[a]\npw = \"hunter2secret\"\n"),
        ("policies/p/policy.toml", policy),
        ("policies/p/t", "{{ params.pw | human_to_bytes }}"),
        ("policies/q/policy.toml", "[params]\npw = \"\"\n"),
    ];
    let told = crate::evaluate(&Memory::new(&files), &inputs(), &registry()).err().unwrap();
    format!("{}{}", told.render(false), serde_json::to_string(&told).unwrap())
}

#[test]
fn an_error_of_a_secret_expression_quotes_no_value() {
    for expression in [
        "params.pw | human_to_bytes",
        "params.pw | human_readable",
        "params.pw | bool",
        "params.pw | ip_address",
        "params.pw | ipaddr(1)",
        "params.pw | nthhost(1)",
        "'10.0.0.1' | ipaddr(params.pw)",
        "'10.0.0.1' is ip_in(params.pw)",
        "'x' | hash(params.pw)",
        "'x' | comment(params.pw)",
        "params.pw | extract({'x': 1})",
        "'x' | regex_search('(' ~ params.pw)",
        "'1' | version_compare('2', params.pw)",
        "file(params.pw)",
        "file('../' ~ params.pw)",
        "params.pw | from_json",
        "params.pw | from_toml",
        "('x = ' ~ params.pw) | from_toml",
        "params.pw + 1",
        "params.pw.nope()",
        "('`' ~ params.pw ~ '` is undefined') | human_to_bytes",
    ] {
        for resource in [
            format!("sensitive = true\ncontent = '''{{{{ {expression} }}}}'''"),
            format!("content = '''{{{{ {expression} }}}}'''\n[defaults.note]\nsensitive = true"),
            format!("sensitive = true\nwhen = '''{expression}'''"),
            format!("password = '''x {{{{ {expression} }}}}'''"),
        ] {
            let policy = format!("[params]\npw = \"\"\n[note.\"/s\"]\n{resource}\n");
            let told = with_secret(&policy);
            assert!(!told.contains("hunter2"), "{policy}: {told}");
            assert!(told.contains("policy.toml"), "{policy}: {told}");
        }
    }
}

#[test]
fn secrets_on_their_way_are_quoted_nowhere() {
    for policy in [
        "[params]\npw = \"\"\n[note.\"/s\"]\nsensitive = true\ntemplate = \"t\"\n",
        "[params]\npw = \"\"\n[note.\"/s\"]\nsensitive = true\ncontent = \"{% include params.pw %}\"\n",
        "[params]\npw = \"\"\n[note.\"/{{ params.pw | human_to_bytes }}\"]\nsensitive = true\n",
        "[params]\nother = \"{{ data.a.pw | human_to_bytes }}\"\n",
        "[params]\nother = [\"{{ data.a.pw | human_to_bytes }}\"]\n",
        "[module.q]\nsource = \"q\"\npw = \"{{ data.a.pw | human_to_bytes }}\"\n",
    ] {
        let told = with_secret(policy);
        assert!(!told.contains("hunter2"), "{policy}: {told}");
        assert!(told.contains("policy.toml"), "{policy}: {told}");
    }
    let told = with_secret(
        "[note.\"/s\"]\nsensitive = true\ncontent = \"{{ data.a.pw | human_to_bytes }}\"\n",
    );
    assert!(told.contains("`human_to_bytes` refuses this value, which may be secret"), "{told}");
}

#[test]
fn no_filter_quotes_more_than_the_start_of_a_value() {
    for expression in [
        "text | human_to_bytes",
        "text | human_readable",
        "text | bool",
        "text | ip_address",
        "'10.0.0.1' | ipaddr(text)",
        "'x' | hash(text)",
        "'x' | comment(text)",
        "text | extract({'x': 1})",
        "'x' | regex_search('(' ~ text)",
        "'1' | version_compare('2', text)",
        "file('../' ~ text)",
    ] {
        let expression = expression.replace("text", "('0123456789' * 20)");
        let policy = format!("[note.\"/s\"]\ncontent = '''{{{{ {expression} }}}}'''\n");
        let told = with_secret(&policy);
        assert!(!told.contains(&"0123456789".repeat(5)), "{policy}: {told}");
    }
}
