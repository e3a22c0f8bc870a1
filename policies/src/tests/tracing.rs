//! Traces: where a resource comes from, and why a host lacks it.

use serde_json::json;

use super::{Memory, inputs, registry};
use crate::trace::{Absent, Attribute, Effect, Form, Input, Origin, Reason, Subject, Trace, Use};
use crate::{evaluate, evaluate_policy_tracing, evaluate_tracing};

const SITE: &str = r#"[site]
data = ["common", "host/{{ facts.hostname }}"]

[[assign]]
hosts = "*"
policies = ["web"]

[[assign]]
hosts = ["db*"]
policies = ["db"]

[[assign]]
when = "facts.os.family == 'redhat'"
policies = ["rhel"]
"#;

const WEB: &str = r#"[params]
port = 80
names = []
mail = "root@{{ facts.hostname }}"
tls = false

[defaults.note]
mode = "0644"

[note."/n/{{ item.name }}"]
for_each = "params.names"
template = "templates/n"
owner = "root"

[bell.web]
when = "params.tls and labels.role == 'web'"

[note."/plain"]
content = "{{ params.mail }}"
ignore = ["mode"]
words = [
  "a",
  "{{ data.deep.x }}",
]

[module.inner]
source = "inner"
for_each = "[7, 8]"
number = "{{ item + params.port }}"

[module.off]
source = "off"
when = "params.port == 0"

[note."/empty/{{ item }}"]
for_each = "[]"
"#;

fn repository() -> Memory {
    Memory::new(&[
        ("site.toml", SITE),
        ("policies/web/policy.toml", WEB),
        ("policies/web/templates/n", "{{ item.name }}\n{% include \"templates/part\" %}\n"),
        ("policies/web/templates/part", "\nport {{ params.port }}\n"),
        ("policies/inner.toml", "[params]\nnumber = 0\n\n[note.\"/in/{{ params.number }}\"]\n"),
        ("policies/off.toml", "[module.deeper]\nsource = \"deeper\"\n"),
        ("policies/deeper.toml", "[note.\"/deep\"]\n"),
        ("policies/db.toml", "[note.\"/db\"]\n"),
        ("policies/rhel.toml", "[note.\"/rhel\"]\n"),
        ("policies/nobody.toml", "[note.\"/nobody\"]\nbroken = true\n"),
        ("data/common.toml", "[web]\nport = 81\nnames = [{ name = \"a\" }]\n[deep]\nx = \"low\"\n"),
        (
            "data/host/web1.toml",
            "[web]\nport = 82\n\"names+\" = [{ name = \"b\" }]\n[deep]\nx = \"high\"\n",
        ),
    ])
}

fn trace(kind: &str, title: &str) -> Trace {
    evaluate_tracing(&repository(), &inputs(), &registry(), (kind, title)).expect("a catalog").1
}

fn subject(kind: &str, title: &str) -> Subject {
    trace(kind, title).subject.expect("the resource")
}

fn attribute<'s>(subject: &'s Subject, name: &str) -> &'s Attribute {
    subject.attributes.iter().find(|attribute| attribute.name == name).expect("the attribute")
}

fn input<'i>(inputs: &'i [Input], name: &str) -> &'i Input {
    inputs.iter().find(|input| input.name == name).expect("the input")
}

#[test]
fn a_repeated_resource_with_a_template() {
    let subject = subject("note", "/n/b");
    assert_eq!((subject.declared.line, subject.declared.last_line), (10, 13));
    assert_eq!(subject.policy, "web");
    assert_eq!(subject.written.as_ref().unwrap().text, "/n/{{ item.name }}");
    let each = subject.for_each.as_ref().unwrap();
    assert_eq!((each.position, &each.item), (2, &json!({ "name": "b" })));
    assert_eq!(each.place.as_ref().unwrap().to_string(), "data/host/web1.toml:3");
    let [Use::Assignment { place, hosts, .. }] = subject.way.as_slice() else { panic!() };
    assert_eq!(
        (place.to_string(), hosts.as_slice()),
        ("site.toml:6".to_owned(), &["*".to_owned()][..])
    );

    let template = attribute(&subject, "template");
    assert_eq!(template.form, Form::Template);
    assert_eq!(template.value, json!("b\n\nport 82\n"));
    assert_eq!(template.files, ["policies/web/templates/n", "policies/web/templates/part"]);
    let port = input(&template.inputs, "params.port");
    assert_eq!(port.place.as_ref().unwrap().to_string(), "policies/web/templates/part:2");
    assert_eq!(port.value, json!(82));
    let Origin::Data { key, layers } = &port.origin else { panic!("{port:?}") };
    let told: Vec<_> = layers.iter().map(|l| (l.place.to_string(), &l.value, l.effect)).collect();
    assert_eq!(key, "web.port");
    assert_eq!(
        told,
        [
            ("data/common.toml:2".to_owned(), &json!(81), Effect::Overridden),
            ("data/host/web1.toml:2".to_owned(), &json!(82), Effect::Wins),
        ]
    );
    let names = input(&each.over.inputs, "params.names");
    let Origin::Data { layers, .. } = &names.origin else { panic!("{names:?}") };
    let effects: Vec<Effect> = layers.iter().map(|layer| layer.effect).collect();
    assert_eq!(effects, [Effect::Wins, Effect::Appends]);

    let mode = attribute(&subject, "mode");
    assert!(mode.inherited && mode.form == Form::Literal && mode.place.line == 8, "{mode:?}");
    assert!(!attribute(&subject, "owner").inherited);
}

#[test]
fn defaults_of_parameters_and_values_in_lists() {
    let subject = subject("note", "/plain");
    assert_eq!((subject.declared.line, subject.declared.last_line), (18, 24));
    let content = attribute(&subject, "content");
    assert_eq!(content.form, Form::Computed { text: "{{ params.mail }}".to_owned() });
    let mail = input(&content.inputs, "params.mail");
    let Origin::Default { place, inputs } = &mail.origin else { panic!("{mail:?}") };
    assert_eq!((place.line, inputs.len()), (4, 1));
    assert!(matches!(inputs[0].origin, Origin::Fact) && inputs[0].value == json!("web1"));
    let words = attribute(&subject, "words");
    assert_eq!(words.value, json!(["a", "high"]));
    let deep = input(&words.inputs, "data.deep.x");
    let Origin::Data { key, layers } = &deep.origin else { panic!("{deep:?}") };
    assert_eq!((key.as_str(), layers.len()), ("deep.x", 2));
    let mode = attribute(&subject, "mode");
    assert!(mode.ignored && mode.value.is_null(), "{mode:?}");
}

#[test]
fn what_a_module_gives_is_followed_to_its_source() {
    let subject = subject("note", "/in/90");
    assert_eq!(subject.policy, "inner");
    let [Use::Assignment { .. }, Use::Module { name, place, for_each, .. }] =
        subject.way.as_slice()
    else {
        panic!("{:?}", subject.way)
    };
    assert_eq!((name.as_str(), place.line), ("inner", 27));
    assert_eq!(for_each.as_ref().unwrap().item, json!(8));
    let number = input(&subject.written.as_ref().unwrap().inputs, "params.number");
    let Origin::Given { place, text, inputs } = &number.origin else { panic!("{number:?}") };
    assert_eq!((place.line, text.as_deref()), (29, Some("{{ item + params.port }}")));
    assert_eq!(input(inputs, "item").value, json!(8));
    assert!(matches!(input(inputs, "params.port").origin, Origin::Data { .. }));
}

#[test]
fn why_a_host_lacks_a_resource() {
    let reason = |kind: &str, title: &str| -> (String, Absent) {
        let trace = trace(kind, title);
        assert!(trace.subject.is_none(), "{title}");
        let [absent] = trace.absent.as_slice() else { panic!("{title}: {:?}", trace.absent) };
        let word = match &absent.reason {
            Reason::When(when) => format!("when {}", when.place),
            Reason::NoItems(each) => format!("no items {}", each.place),
            Reason::OtherItems(each) => format!("other items {} {}", each.place, each.value),
            Reason::ModuleWhen { module, when } => format!("module {module} {}", when.place),
            Reason::ModuleNoItems { module, .. } => format!("module {module}"),
            Reason::OtherTitle { title, .. } => format!("other title {title}"),
            Reason::OtherHosts { place, hosts } => format!("hosts {hosts:?} {place}"),
            Reason::AssignmentWhen { place, when } => format!("assignment {place} {}", when.place),
            Reason::Unused => "unused".to_owned(),
        };
        (word, absent.clone())
    };
    for (kind, title, expected, declared) in [
        ("bell", "web", "when policies/web/policy.toml:16", "policies/web/policy.toml:15"),
        (
            "note",
            "/n/c",
            "other items policies/web/policy.toml:11 2",
            "policies/web/policy.toml:10",
        ),
        ("note", "/empty/x", "no items policies/web/policy.toml:36", "policies/web/policy.toml:35"),
        ("note", "/deep", "module off policies/web/policy.toml:33", "policies/deeper.toml:1"),
        ("note", "/in/1", "other title /in/89", "policies/inner.toml:4"),
        ("note", "/db", "hosts [\"db*\"] site.toml:10", "policies/db.toml:1"),
        ("note", "/rhel", "assignment site.toml:14 site.toml:13", "policies/rhel.toml:1"),
        ("note", "/nobody", "unused", "policies/nobody.toml:1"),
    ] {
        let (word, absent) = reason(kind, title);
        assert_eq!((word.as_str(), absent.declared.to_string().as_str()), (expected, declared));
    }
    let (_, bell) = reason("bell", "web");
    let Reason::When(when) = bell.reason else { panic!() };
    assert_eq!(input(&when.inputs, "params.tls").value, json!(false));
    assert_eq!(input(&when.inputs, "labels.role").value, json!("web"));
}

#[test]
fn an_included_policy_names_the_place() {
    let repository = Memory::new(&[
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n"),
        ("policies/web.toml", "description = \"x\"\ninclude = [\"base\"]\n"),
        ("policies/base.toml", "[note.\"/a\"]\n"),
    ]);
    let name = ("note", "/a");
    let (_, trace) =
        evaluate_tracing(&repository, &inputs(), &registry(), name).expect("a catalog");
    let subject = trace.subject.expect("the resource");
    let [Use::Include { place, policy }] = subject.way.as_slice() else {
        panic!("{:?}", subject.way)
    };
    assert_eq!((place.to_string().as_str(), policy.as_str()), ("policies/web.toml:2", "base"));
}

#[test]
fn near_names_are_proposed_for_what_nobody_declares() {
    for (kind, title, expected) in [
        ("note", "/plian", &["note.\"/plain\""][..]),
        ("bell", "/plain", &["note.\"/plain\""]),
        ("note", "/in", &["note.\"/in/89\"", "note.\"/in/90\""]),
        ("note", "/nothing/like/it", &[]),
    ] {
        let trace = trace(kind, title);
        assert!(trace.subject.is_none() && trace.absent.is_empty(), "{title}");
        assert_eq!(trace.near, expected, "{title}");
    }
}

#[test]
fn tracing_changes_nothing() {
    let plain = evaluate(&repository(), &inputs(), &registry()).expect("a catalog");
    for title in ["/plain", "/n/a", "/nowhere"] {
        let name = ("note", title);
        let (traced, _) =
            evaluate_tracing(&repository(), &inputs(), &registry(), name).expect("a catalog");
        assert_eq!(traced.digest, plain.digest);
        assert_eq!(traced.edges, plain.edges);
        assert_eq!(traced.warnings, plain.warnings);
    }
}

#[test]
fn secrets_are_told_nowhere() {
    // The kind refuses every password, so the attribute is ignored where it must pass.
    let sensitive = "[params]\nkey = \"hunter2hunter2\"\nuser = \"ada\"\n\
        [note.\"/a\"]\nsensitive = true\ncontent = \"{{ params.user }}:{{ params.key }}\"\n\
        [note.\"/b\"]\ncontent = \"b {{ params.user }}\"\n";
    let ask = |text: &str, title: &str| {
        let name = ("note", title);
        let empty = Memory::default();
        let told = evaluate_policy_tracing(&empty, "p.toml", text, &inputs(), &registry(), name);
        serde_json::to_string(&told.expect("a catalog").1).unwrap()
    };
    let told = ask(sensitive, "/a");
    assert!(!told.contains("hunter2") && told.contains("(hidden)"), "{told}");
    let told = ask(sensitive, "/b");
    assert!(told.contains("b ada"), "{told}");
    let literal = "[note.\"/a\"]\nsensitive = true\ncontent = \"hunter2\"\n";
    let told = ask(literal, "/a");
    assert!(!told.contains("hunter2") && told.contains("(hidden)"), "{told}");
    let written = "[note.\"/a\"]\nsensitive = true\ncontent = \"{{ 'hunter2' }}\"\n";
    let told = ask(written, "/a");
    assert!(!told.contains("hunter2"), "{told}");
}
