//! Records: how resources came to be.

use steadfast_resources::Value;

use super::{Memory, find, inputs};
use crate::{Record, evaluate_recorded};

const SITE: &str = "[site]\ndata = [\"common\"]\n[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n";

const WEB: &str = r#"[params]
port = 80
root = "/srv"

[note."{{ params.root }}/top"]
content = "{{ params.port }}"

[module.blog]
source = "vhost"
name = "blog"
"#;

const VHOST: &str = r#"[params]
name = { type = "string", required = true }

[defaults.note]
owner = "root"

[note."/vhost/{{ params.name }}"]
for_each = "['once']"
when = "facts.os.family == 'debian'"
content = "for {{ params.name }} {{ data.web.port }}"
"#;

#[test]
fn records_tell_where_everything_comes_from() {
    let repository = Memory::new(&[
        ("site.toml", SITE),
        ("policies/web.toml", WEB),
        ("policies/vhost.toml", VHOST),
        ("data/common.toml", "[web]\nport = 8080\n"),
    ]);
    let registry = super::registry();
    let catalog = evaluate_recorded(&repository, &inputs(), &registry).expect("a catalog");
    let record =
        |reference: &str| -> &Record { find(&catalog, reference).record.as_ref().unwrap() };
    let top = record("note.\"/srv/top\"");
    assert_eq!(top.policy(), "web");
    assert_eq!((top.declaration.line, top.declaration.last_line), (5, 6));
    assert_eq!(&*top.title, "{{ params.root }}/top");
    assert_eq!(top.reads, ["params.port", "params.root"]);
    let origins: Vec<String> =
        top.parameters.iter().map(|(name, place)| format!("{name} {place}")).collect();
    assert_eq!(origins, ["port data/common.toml:2", "root policies/web.toml:3"]);

    let blog = record("note.\"/vhost/blog\"");
    let policies: Vec<&str> = blog.policies.iter().map(|name| &**name).collect();
    assert_eq!(policies, ["web", "vhost"]);
    assert_eq!(blog.modules.len(), 1);
    assert_eq!((blog.declaration.line, blog.declaration.last_line), (7, 10));
    assert_eq!(blog.reads, ["data.web.port", "facts.os.family", "params.name"]);
    let data: Vec<String> =
        blog.data.iter().map(|(name, place)| format!("{name} {place}")).collect();
    assert_eq!(data, ["data.web.port data/common.toml:2"]);
    assert_eq!(blog.for_each.as_ref().map(|place| place.line), Some(8));
    assert!(top.for_each.is_none() && &*blog.directory == "policies/vhost");
    let content = blog.attribute("content").unwrap();
    assert_eq!(content.value, Value::text("for blog 8080"));
    assert_eq!((content.given.line, content.default), (10, false));
    let owner = blog.attribute("owner").unwrap();
    assert_eq!((owner.given.line, owner.default), (5, true));
    let text = &VHOST[owner.given.start as usize..owner.given.end as usize];
    assert_eq!(text, "\"root\"");
}

#[test]
fn a_run_keeps_no_records() {
    let repository = Memory::new(&[
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n"),
        ("policies/web.toml", "[note.\"/a\"]\ncontent = \"x\"\n"),
    ]);
    let registry = super::registry();
    let catalog = crate::evaluate(&repository, &inputs(), &registry).expect("a catalog");
    assert!(catalog.resources.iter().all(|resource| resource.record.is_none()));
}
