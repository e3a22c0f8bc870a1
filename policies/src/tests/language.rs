//! What the language means, by example.

use std::sync::Arc;

use steadfast_resources::{Tree, Value};

use super::{Memory, find, inputs, note, policy, registry, titles};
use crate::catalog::{Catalog, EdgeReason, OnRemove};
use crate::diagnostics::Diagnostics;

fn site(files: &[(&str, &str)]) -> Result<Catalog, Diagnostics> {
    crate::evaluate(&Memory::new(files), &inputs(), &registry())
}

fn value<'c>(catalog: &'c Catalog, reference: &str, name: &str) -> Option<&'c Value> {
    note(catalog, reference).values.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
}

#[test]
fn interpolations_keep_types() {
    let catalog = policy(
        r#"
        [params]
        port = 80
        on = true
        words = ["a", "b"]
        pairs = { x = "y" }
        id = 1000
        [note."/{{ params.port }}"]
        count = "{{ params.port }}"
        flag = "{{ params.on }}"
        words = "{{ params.words }}"
        pairs = "{{ params.pairs }}"
        content = "port {{ params.port }}"
        mode = "{{ params.port }}"
        owner = "{{ params.id }}"
        group = "{{ none }}"
        [note."/nested"]
        words = ["x", "{{ params.port }}", "{{ facts.hostname }}-1"]
        pairs = { a = "{{ labels.role }}" }
        "#,
    )
    .unwrap();
    let value = |name| value(&catalog, "note.\"/80\"", name).cloned();
    assert_eq!(value("count"), Some(Value::Integer(80)));
    assert_eq!(value("flag"), Some(Value::Boolean(true)));
    assert_eq!(value("words"), Some(Value::List(vec![Value::text("a"), Value::text("b")])));
    assert_eq!(value("pairs"), Some(Value::Table(vec![("x".into(), Value::text("y"))])));
    assert_eq!(value("mode"), Some(Value::text("80")));
    assert_eq!(value("owner"), Some(Value::Integer(1000)));
    assert_eq!(value("group"), None);
    assert_eq!(note(&catalog, "note.\"/80\"").text.as_deref(), Some("port 80"));
    let nested = |name| self::value(&catalog, "note.\"/nested\"", name).cloned();
    let words = ["x", "80", "web1-1"].map(Value::text).to_vec();
    assert_eq!(nested("words"), Some(Value::List(words)));
    assert_eq!(nested("pairs"), Some(Value::Table(vec![("a".into(), Value::text("web"))])));
}

#[test]
fn a_rendered_value_is_never_rendered_again() {
    let catalog = policy(
        "[params]\nevil = { type = \"string\", default = \"{{ '{{ 1 + 1 }}' }}\" }\n\
         [note.\"/a\"]\ncontent = \"{{ params.evil }}\"\n[note.\"/b\"]\ncontent = \"x{{ params.evil }}\"\n",
    )
    .unwrap();
    assert_eq!(note(&catalog, "note.\"/a\"").text.as_deref(), Some("{{ 1 + 1 }}"));
    assert_eq!(note(&catalog, "note.\"/b\"").text.as_deref(), Some("x{{ 1 + 1 }}"));
}

#[test]
fn for_each_over_lists_and_maps() {
    let catalog = policy(
        r#"
        [params]
        vhosts = [{ name = "a", root = "/srv/a" }, { name = "b", root = "/srv/b" }]
        users = { zoe = 1, adam = 2 }
        [note."/v/{{ item.name }}"]
        for_each = "params.vhosts"
        when = "item.name != 'b'"
        content = "{{ item.root }}"
        [note."/u/{{ item.key }}"]
        for_each = "params.users"
        count = "{{ item.value }}"
        [note."/l/{{ item }}"]
        for_each = ["x", "y"]
        [note."/none/{{ item }}"]
        for_each = "facts.nothing.like.this"
        when = "facts.nothing is defined"
        "#,
    )
    .unwrap();
    let expected =
        ["note.\"/v/a\"", "note.\"/u/zoe\"", "note.\"/u/adam\"", "note.\"/l/x\"", "note.\"/l/y\""];
    assert_eq!(titles(&catalog), expected);
    assert_eq!(value(&catalog, "note.\"/u/adam\"", "count"), Some(&Value::Integer(2)));
}

#[test]
fn defaults_and_common_attributes() {
    let catalog = policy(
        r#"
        [defaults.note]
        owner = "root"
        group = "{{ labels.role }}"
        tags = ["b", "a", "b"]
        [note."/a"]
        owner = "me"
        enforce = false
        sensitive = true
        on_remove = "restore"
        timeout = "1h30m"
        retries = 2
        mode = "0644"
        ignore = ["mode"]
        [bell.b]
        timeout = 5
        "#,
    )
    .unwrap();
    let resource = find(&catalog, "note.\"/a\"");
    assert!(!resource.common.enforce && resource.common.sensitive);
    assert_eq!(resource.common.on_remove, OnRemove::Restore);
    assert_eq!(resource.common.tags, ["a", "b"]);
    assert_eq!(resource.common.timeout.as_secs(), 5400);
    assert_eq!(resource.common.retries, 2);
    assert_eq!(value(&catalog, "note.\"/a\"", "owner"), Some(&Value::text("me")));
    assert_eq!(value(&catalog, "note.\"/a\"", "group"), Some(&Value::text("web")));
    assert_eq!(value(&catalog, "note.\"/a\"", "mode"), None);
    assert!(find(&catalog, "bell.b").common.tags.is_empty());
    assert_eq!(find(&catalog, "bell.b").common.timeout.as_secs(), 5);
}

#[test]
fn order_edges_and_notifications() {
    let catalog = policy(
        r#"
        [bell.last]
        require = ["note./a/b", "bell.first"]
        [note."/a/b"]
        notify = "bell.first"
        [note."/a"]
        ensure = "directory"
        [bell.first]
        [bell.listener]
        subscribe = "note.\"/a\""
        [bell.early]
        before = "note./*"
        "#,
    )
    .unwrap();
    let expected =
        ["bell.early", "note.\"/a\"", "note.\"/a/b\"", "bell.first", "bell.last", "bell.listener"];
    assert_eq!(titles(&catalog), expected);
    let dependencies: Vec<&[u32]> =
        catalog.resources.iter().map(|resource| &*resource.dependencies).collect();
    assert_eq!(dependencies, [&[][..], &[0], &[0, 1], &[2], &[2, 3], &[1]]);
    let notifies: Vec<&[u32]> =
        catalog.resources.iter().map(|resource| &*resource.notifies).collect();
    assert_eq!(notifies, [&[][..], &[5], &[3], &[], &[], &[]]);
    let automatic = catalog.edges.iter().find(|edge| edge.reason == EdgeReason::Automatic).unwrap();
    assert_eq!((automatic.from, automatic.to), (1, 2));
    let EdgeReason::Require(place) =
        &catalog.edges.iter().find(|edge| edge.to == 4).unwrap().reason
    else {
        panic!("a require edge");
    };
    assert_eq!(place.to_string(), "test.toml:3");
    assert_eq!(find(&catalog, "bell.listener").place.to_string(), "test.toml:9");
}

#[test]
fn automatic_edges_turn_round_for_what_goes_away_and_yield_to_explicit_ones() {
    let catalog = policy(
        "[note.\"/a\"]\nensure = \"absent\"\n[note.\"/a/b\"]\nensure = \"absent\"\n\
         [note.\"/x/y\"]\nbefore = \"note./x\"\n[note.\"/x\"]\n\
         [bell.b]\n[note.\"/bells/b/drop-in\"]\n",
    )
    .unwrap();
    let expected = [
        "note.\"/a/b\"",
        "note.\"/a\"",
        "note.\"/x/y\"",
        "note.\"/x\"",
        "note.\"/bells/b/drop-in\"",
        "bell.b",
    ];
    assert_eq!(titles(&catalog), expected);
}

#[test]
fn references_to_what_is_not_on_this_host_mean_nothing() {
    let catalog = policy(
        r#"
        [note."/a"]
        require = ["bell.off", "bell.x-1", "bell.y-3", "note./z-*"]
        [bell.off]
        when = false
        [bell."x-{{ item }}"]
        for_each = [1, 2]
        when = "item == 2"
        [bell."y-{{ item }}"]
        for_each = []
        "#,
    )
    .unwrap();
    assert_eq!(titles(&catalog), ["note.\"/a\"", "bell.x-2"]);
    assert_eq!(catalog.warnings.len(), 1);
}

#[test]
fn templates_sources_and_files() {
    let catalog = site(&[
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = \"web\"\n"),
        (
            "policies/web/policy.toml",
            r#"
            [params]
            names = ["a", "b"]
            [note."/t"]
            template = "templates/t.conf"
            [note."/{{ item }}"]
            for_each = "params.names"
            template = "templates/{{ item }}"
            [note."/s"]
            source = ["files/none", "files/run.sh"]
            [note."/d"]
            source = "files"
            [note."/f"]
            content = "{{ file('files/x') | trim }}!"
            "#,
        ),
        (
            "policies/web/templates/t.conf",
            "{% for n in params.names %}\n{{ n }}\n{% endfor %}\n{% include 'templates/a' %}",
        ),
        ("policies/web/templates/a", "A {{ facts.hostname }}\n"),
        ("policies/web/templates/b", "{{ item }}\n"),
        ("policies/web/files/run.sh", "#!/bin/sh\n"),
        ("policies/web/files/x", "x\n"),
    ])
    .unwrap();
    let text = |reference| note(&catalog, reference).text.as_deref().unwrap().to_owned();
    assert_eq!(text("note.\"/t\""), "a\nb\nA web1\n");
    assert_eq!(text("note.\"/a\""), "A web1\n");
    assert_eq!(text("note.\"/b\""), "b\n");
    assert_eq!(text("note.\"/f\""), "x!");
    let tree = |reference| note(&catalog, reference).tree.clone().unwrap();
    let content: Arc<[u8]> = b"#!/bin/sh\n"[..].into();
    assert_eq!(*tree("note.\"/s\""), Tree::File { content, executable: true });
    let Tree::Directory(entries) = &*tree("note.\"/d\"") else { panic!("a directory") };
    let paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["run.sh", "x"]);
}

#[test]
fn assignments_choose_by_name_and_condition() {
    let files = |hosts: &str| {
        let text = format!(
            "[[assign]]\n{hosts}\npolicies = [\"a\"]\n[[assign]]\nhosts = \"*\"\npolicies = [\"b\"]\n"
        );
        Memory::new(&[
            ("site.toml", text.as_str()),
            ("policies/a.toml", "[bell.a]\n"),
            ("policies/b.toml", "[bell.b]\n"),
        ])
    };
    for (hosts, expected) in [
        ("hosts = \"web1\"", true),
        ("hosts = \"web*\"", true),
        ("hosts = \"*.example.com\"", true),
        ("hosts = \"WEB1.example.com\"", true),
        ("hosts = [\"db*\", \"web?\"]", true),
        ("hosts = \"db*\"", false),
        ("hosts = []", false),
        ("when = \"labels.role == 'web'\"", true),
        ("when = \"labels.role == 'db'\"", false),
        ("hosts = \"web1\"\nwhen = \"labels.get('x') is not none\"", false),
        ("hosts = \"db1\"\nwhen = \"labels.only_on_db\"", false),
        ("hosts = \"web1\"\nwhen = \"facts.cpu.count > 2\"", true),
    ] {
        let catalog = match crate::evaluate(&files(hosts), &inputs(), &registry()) {
            Ok(catalog) => catalog,
            Err(errors) => panic!("{hosts}: {errors}"),
        };
        assert_eq!(catalog.policies.contains(&"a".to_owned()), expected, "{hosts}");
        assert_eq!(catalog.resources.len(), 1 + usize::from(expected), "{hosts}");
    }
}

#[test]
fn parameters_come_from_the_user_then_the_data_then_the_default() {
    let catalog = site(&[
        (
            "site.toml",
            "[site]\ndata = [\"common\", \"os/{{ facts.os.family }}\", \"none\"]\n\
             [[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n[assign.params.web]\nc = \"given {{ labels.role }}\"\n\
             [[assign]]\nhosts = \"web*\"\npolicies = [\"web\"]\n[assign.params.web]\nd = 4\n",
        ),
        ("data/common.toml", "other = 7\n[web]\nb = \"common\"\nc = \"common\"\nlist = [\"x\"]\n"),
        ("data/os/debian.toml", "[web]\nb = \"debian\"\n\"list+\" = [\"y\"]\n"),
        (
            "policies/web.toml",
            "[params]\na = \"default {{ facts.hostname }}\"\nb = \"default\"\nc = \"default\"\nd = 1\nlist = []\n\
             e = { type = \"string\", required = false }\nm = { x = 1 }\n\
             [note.\"/a\"]\ncontent = \"{{ params.a }}/{{ params.b }}/{{ params.c }}/{{ params.d }}/{{ params.list }}/{{ data.other }}/{{ params.e is none }}/{{ params.m.x }}\"\ngroup = \"{{ params.e }}\"\n",
        ),
    ])
    .unwrap();
    let expected = "default web1/debian/given web/4/['x', 'y']/7/True/1";
    assert_eq!(note(&catalog, "note.\"/a\"").text.as_deref(), Some(expected));
    assert_eq!(catalog.policies, ["web"]);
}

#[test]
fn modules_are_used_as_often_as_needed() {
    let catalog = site(&[
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n"),
        (
            "policies/web.toml",
            r#"
            [module.one]
            source = "vhost"
            name = "one"
            notify = "bell.reload"
            [module.more]
            source = "vhost"
            for_each = ["two", "three"]
            when = "item != 'three'"
            name = "{{ item }}"
            require = "module.one"
            [bell.reload]
            [module.off]
            source = "vhost"
            when = "false"
            [bell.after]
            require = ["module.off"]
            "#,
        ),
        (
            "policies/vhost/policy.toml",
            "[params]\nname = { type = \"string\", required = true }\n\
             [note.\"/v/{{ params.name }}\"]\ntemplate = \"templates/v\"\n",
        ),
        ("policies/vhost/templates/v", "{{ params.name }}"),
    ])
    .unwrap();
    let expected = ["note.\"/v/one\"", "note.\"/v/two\"", "bell.reload", "bell.after"];
    assert_eq!(titles(&catalog), expected);
    assert_eq!(note(&catalog, "note.\"/v/two\"").text.as_deref(), Some("two"));
    assert_eq!(find(&catalog, "note.\"/v/one\"").notifies, [2]);
    assert_eq!(find(&catalog, "note.\"/v/two\"").dependencies, [0]);
    assert_eq!(find(&catalog, "note.\"/v/one\"").place.to_string(), "policies/vhost/policy.toml:3");
}

#[test]
fn digests_tell_wishes_apart() {
    let digest = |text: &str| policy(text).unwrap().digest;
    let base = digest("[note.\"/a\"]\nmode = \"0644\"\ncontent = \"x\"\n");
    for (text, equal) in [
        ("[note.\"/a\"]\nmode = \"0644\"\ncontent = \"x\"\n", true),
        ("# moved\n\n[note.\"/a\"]\ncontent = \"x\"\nmode = \"{{ '0644' }}\"\n", true),
        ("[note.\"/a\"]\nmode = \"0644\"\ncontent = \"y\"\n", false),
        ("[note.\"/b\"]\nmode = \"0644\"\ncontent = \"x\"\n", false),
        ("[note.\"/a\"]\nmode = \"0644\"\ncontent = \"x\"\nenforce = false\n", false),
        ("[note.\"/a\"]\nmode = \"0644\"\ncontent = \"x\"\nretries = 1\n", false),
        ("[note.\"/a\"]\nmode = \"0644\"\ncontent = \"x\"\n[bell.b]\n", false),
    ] {
        assert_eq!(digest(text) == base, equal, "{text}");
    }
}

#[test]
fn a_good_repository_has_nothing_to_say() {
    let repository = Memory::new(&[
        ("site.toml", "[site]\ndata = [\"host/{{ facts.hostname }}\"]\n[[assign]]\nwhen = \"labels.role == 'web'\"\npolicies = [\"web\"]\n"),
        ("data/host/web1.toml", "[web]\nadmin = \"a@b\"\n[x]\ny = 1\n"),
        (
            "policies/web/policy.toml",
            r#"
            [params]
            admin = { type = "string", required = true, pattern = "^[^@]+@[^@]+$" }
            vhosts = []
            mode = "bad by default"
            [note."/etc/{{ item.name }}"]
            for_each = "params.vhosts"
            template = "templates/v"
            mode = "{{ params.mode }}"
            notify = ["bell.web"]
            [note."/fixed"]
            require = "note./etc/something"
            content = "{{ params.admin }} {{ facts.os.family }} {{ data.x.y }} {{ params.vhosts[0].name }}"
            ensure = "{{ params.ensure | default('present') if facts.running else 'absent' }}"
            when = "facts.os.family == 'debian'"
            [bell.web]
            enable = "{{ facts.running }}"
            "#
            .replace("params.ensure | default('present')", "labels.x")
            .as_str(),
        ),
        ("policies/web/templates/v", "{{ item.name }} {% include 'templates/' ~ item.part %}"),
    ]);
    let diagnostics = crate::validate(&repository, &registry());
    assert!(diagnostics.is_empty(), "{diagnostics}");
}

#[test]
fn validation_needs_no_host_to_find_errors_in_what_is_fixed() {
    let text = r#"
        [note."/{{ facts.hostname }}"]
        content = "{{ facts.hostname }}"
        template = "templates/x"
        mode = "wrong"
        [note."relative/{{ facts.hostname }}"]
        [note."/b"]
        when = "facts.x == 1"
        mode = 7
        require = "bell.nope"
        content = "{{ facts.x | nope }}"
    "#;
    let diagnostics = crate::validate::validate_policy_without_host(
        &Memory::default(),
        "x.toml",
        text,
        &registry(),
    );
    let lines: Vec<(u32, &str)> = diagnostics
        .iter()
        .map(|diagnostic| (diagnostic.place.as_ref().unwrap().line, diagnostic.code.as_str()))
        .collect();
    let expected = [
        (4, "missing_file"),
        (5, "invalid_value"),
        (9, "wrong_type"),
        (10, "unknown_reference"),
        (11, "undefined"),
    ];
    assert_eq!(lines, expected, "{diagnostics}");
}

#[test]
fn a_group_and_a_user_who_name_each_other_are_told_so() {
    let judge = |text: &str| {
        let registry = steadfast_resources::Registry::standard();
        crate::evaluate_policy(&Memory::default(), "x.toml", text, &inputs(), &registry)
    };
    for user in ["groups = [\"web\"]", "gid = \"web\""] {
        let text = format!("[group.web]\nmembers = [\"alice\"]\n[user.alice]\n{user}\n");
        let errors = judge(&text).err().expect("an error");
        let told: Vec<(u32, &str)> = errors
            .iter()
            .map(|error| (error.place.as_ref().unwrap().line, error.message.as_str()))
            .collect();
        let message =
            "`group.web` and `user.alice` name each other, so that each waits for the other";
        assert_eq!(told, [(3, message)], "{user}");
    }
    for fine in [
        "[group.web]\nmembers = [\"alice\"]\n[user.alice]\ngroups = [\"other\"]\n[group.other]\n",
        "[group.web]\nensure = \"absent\"\n[user.alice]\nensure = \"absent\"\n",
    ] {
        assert!(judge(fine).is_ok(), "{fine}");
    }
}

#[test]
fn one_mistake_does_not_hide_another() {
    let lines = |text: &str| {
        let errors = policy(text).err().expect("errors");
        errors.iter().map(|error| error.place.as_ref().unwrap().line).collect::<Vec<_>>()
    };
    // A wrong type beside what only the kind objects to, and in the parameters beside the rest.
    assert_eq!(lines("[note.\"/a\"]\ncount = \"x\"\nmode = \"abc\"\n"), [2, 3]);
    assert_eq!(lines("[note.\"/a\"]\nonwer = \"x\"\nmode = \"abc\"\n"), [2, 3]);
    assert_eq!(
        lines(
            "[params]\nport = { type = \"integer\", default = \"x\" }\n[note.\"/a\"]\nmode = \"abc\"\ncontent = \"{{ params.port }}{{ nope }}\"\n"
        ),
        [2, 4, 5]
    );
    // What may follow from a mistake is not told a second time.
    assert_eq!(lines("[note.\"/a\"]\ncontent = 5\nmode = \"0644\"\n"), [2]);
}

#[test]
fn a_reference_that_rests_on_a_required_parameter_is_not_judged_without_a_host() {
    let text = "[params]\nname = { type = \"string\", required = true }\nextra = [\"a\"]\n\
                [note.\"/{{ params.name }}\"]\nnotify = [\"bell.n-{{ params.name }}\", \"bell.known\"]\nmode = \"0644\"\n\
                ignore = [\"{{ params.name }}\"]\ntags = \"{{ params.extra }}\"\n\
                [bell.\"n-{{ params.name }}\"]\n[bell.known]\n";
    let repository = Memory::new(&[
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"user\"]\n"),
        ("policies/module.toml", text),
        ("policies/user.toml", "[module.m]\nsource = \"module\"\nname = \"mode\"\n"),
    ]);
    let diagnostics = crate::validate(&repository, &registry());
    assert!(diagnostics.is_empty(), "{}", diagnostics.render(false));
    let catalog = crate::evaluate(&repository, &inputs(), &registry()).unwrap();
    assert_eq!(catalog.edges.len(), 2);
    let wrong = text.replace("bell.known\"]", "bell.unknown\"]");
    let repository = Memory::new(&[("site.toml", ""), ("policies/module.toml", &wrong)]);
    let diagnostics = crate::validate(&repository, &registry()).render(false);
    assert!(diagnostics.contains("bell.unknown"), "{diagnostics}");
}

#[test]
fn raw_text_stays_as_it_is() {
    for (text, expected) in [
        ("{% raw %}use endraw; {% set a = 1 %}{% endraw %}", "use endraw; {% set a = 1 %}"),
        ("{% raw %}{{ endraw }} {{ a ~ b }}{% endraw %}!", "{{ endraw }} {{ a ~ b }}!"),
        ("{% set a = 2 * 3 + 4 %}{{ a }}", "10"),
    ] {
        let catalog = policy(&format!("[note.\"/a\"]\ncontent = '''{text}'''\n")).unwrap();
        assert_eq!(note(&catalog, "note.\"/a\"").text.as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn a_policy_in_a_single_file_reads_no_other_policies() {
    for attribute in [
        "content = \"{{ file('b/files/x') }}\"",
        "template = \"b/files/x\"",
        "source = \"b/files/x\"",
        "content = \"a {% include 'b/files/x' %}\"",
    ] {
        let text = format!("[note.\"/a\"]\n{attribute}\n");
        let files = [
            ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"m\"]\n"),
            ("policies/m.toml", text.as_str()),
            ("policies/b/policy.toml", ""),
            ("policies/b/files/x", "of another"),
        ];
        let told = site(&files).err().unwrap().render(false);
        assert!(told.contains("make it `policies/m/policy.toml`"), "{told}");
    }
}
