//! Policies that bring in others, and the tags that resources have.

use steadfast_resources::Value;

use super::{Memory, find, inputs, note, registry, titles};

#[test]
fn includes_come_once_and_first() {
    let repository = Memory::new(&[
        (
            "site.toml",
            "[site]\ndata = [\"common\"]\n[[assign]]\nhosts = \"*\"\npolicies = [\"web\", \"db\"]\n\
             [[assign]]\nhosts = \"*\"\npolicies = [\"base\"]\ntags = \"ground\"\n\
             [assign.params.base]\nowner = \"me\"\n",
        ),
        ("data/common.toml", "[users]\nname = \"zoe\"\n"),
        (
            "policies/web.toml",
            "include = [\"base\", \"users\"]\n[note.\"/web\"]\nrequire = \"note./base\"\n[module.m]\nsource = \"part\"\n",
        ),
        ("policies/db.toml", "include = \"base\"\n[note.\"/db\"]\n"),
        // Policies may include each other: each comes once.
        (
            "policies/base.toml",
            "include = \"web\"\n[params]\nowner = \"root\"\n[note.\"/base\"]\nowner = \"{{ params.owner }}\"\n",
        ),
        ("policies/users.toml", "[params]\nname = \"nobody\"\n[note.\"/{{ params.name }}\"]\n"),
        ("policies/part.toml", "include = \"late\"\n[note.\"/part\"]\n"),
        ("policies/late.toml", "[note.\"/late\"]\nnotify = \"bell.*\"\n[bell.x]\n"),
    ]);
    let catalog = crate::evaluate(&repository, &inputs(), &registry())
        .unwrap_or_else(|errors| panic!("{errors}"));
    let expected = [
        "note.\"/base\"",
        "note.\"/zoe\"",
        "note.\"/web\"",
        "note.\"/late\"",
        "bell.x",
        "note.\"/part\"",
        "note.\"/db\"",
    ];
    assert_eq!(titles(&catalog), expected);
    assert_eq!(catalog.policies, ["web", "base", "users", "late", "db"]);
    let values = &note(&catalog, "note.\"/base\"").values;
    let owner = values.iter().find(|(name, _)| *name == "owner").map(|(_, value)| value);
    assert_eq!(owner, Some(&Value::text("me")));
    assert!(find(&catalog, "note.\"/base\"").has_tag("ground"));
    assert!(!find(&catalog, "note.\"/web\"").has_tag("ground"));
    assert!(crate::validate(&repository, &registry()).is_empty());
}

#[test]
fn tags_are_inherited() {
    let repository = Memory::new(&[
        (
            "site.toml",
            "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\ntags = [\"{{ labels.role }}s\"]\n",
        ),
        (
            "policies/web.toml",
            r#"
            tags = ["edge"]
            [params]
            tier = "front"
            [note."/a"]
            tags = ["z", "own"]
            [module.blog]
            source = "vhost"
            tags = "{{ params.tier }}"
            "#,
        ),
        ("policies/vhost.toml", "tags = \"v\"\n[bell.b]\n"),
    ]);
    let catalog = crate::evaluate(&repository, &inputs(), &registry())
        .unwrap_or_else(|errors| panic!("{errors}"));
    let tags = |reference: &str| {
        let mut tags: Vec<&str> = find(&catalog, reference).tags().collect();
        tags.sort_unstable();
        tags.join(" ")
    };
    assert_eq!(tags("note.\"/a\""), "edge note own web webs z");
    assert_eq!(tags("bell.b"), "bell blog edge front v vhost web webs");
}
