//! Edits of policies: what changes, and all that stays as it was.

use super::*;

const POLICY: &str = r#"# top
[package]
nginx = { ensure = "present", hold = true } # the web server

[file."/etc/motd"]
# read by everybody
content = '''
C:\path
second
'''  # end
mode = "0644" # all

[user.ann]
groups = [
  "adm", # logs
  # the old crew
  "crew",
]
shell = '/bin/sh'

[user.bob] # last
"#;

fn edited(edit: impl FnOnce(&mut PolicyText) -> Result<(), EditError>) -> Vec<String> {
    let mut policy = PolicyText::parse("web.toml", POLICY.as_bytes()).unwrap();
    assert_eq!(policy.text(), POLICY, "nothing changes by itself");
    edit(&mut policy).unwrap();
    let text = policy.text();
    let diff = similar::TextDiff::from_lines(POLICY, &text);
    diff.iter_all_changes()
        .filter(|change| change.tag() != similar::ChangeTag::Equal)
        .map(|change| format!("{}{}", change.tag(), change.value().trim_end_matches('\n')))
        .collect()
}

#[test]
fn only_the_value_changes() {
    let motd = ("file", "/etc/motd");
    assert_eq!(
        edited(|policy| policy.set(motd, "mode", &Value::text("0600"))),
        ["-mode = \"0644\" # all", "+mode = \"0600\" # all"]
    );
    assert_eq!(
        edited(|policy| policy.set(motd, "content", &Value::text("C:\\path\n{{ x }}\n"))),
        ["-second", "+{{ '{{' }} x }}"]
    );
    assert_eq!(
        edited(|policy| policy.set(("user", "ann"), "shell", &Value::text("/bin/bash"))),
        ["-shell = '/bin/sh'", "+shell = '/bin/bash'"]
    );
    let inline = ("package", "nginx");
    assert_eq!(
        edited(|policy| policy.set(inline, "ensure", &Value::text("1.0-1"))),
        [
            "-nginx = { ensure = \"present\", hold = true } # the web server",
            "+nginx = { ensure = \"1.0-1\", hold = true } # the web server"
        ]
    );
    assert_eq!(
        edited(|policy| policy.set(("user", "bob"), "locked", &Value::Boolean(true))),
        ["+locked = true"]
    );
}

#[test]
fn lists_lose_and_gain_items_and_keep_the_others() {
    let ann = ("user", "ann");
    assert_eq!(
        edited(|policy| policy.set(ann, "groups", &Value::texts(["adm"]))),
        ["-  # the old crew", "-  \"crew\","]
    );
    let found = edited(|policy| policy.set(ann, "groups", &Value::texts(["adm", "crew", "new"])));
    assert!(found.contains(&"+  \"new\",".to_owned()), "{found:?}");
    assert!(!found.iter().any(|line| line.starts_with('-')), "{found:?}");
}

#[test]
fn what_is_taken_out_leaves_its_comment_to_its_successor() {
    let edits = |policy: &mut PolicyText| {
        let motd = ("file", "/etc/motd");
        policy.remove(motd, "content")?;
        policy.remove(motd, "mode")?;
        policy.remove(motd, "owner")?;
        policy.set(motd, "ensure", &Value::text("absent"))
    };
    let mut policy = PolicyText::parse("web.toml", POLICY.as_bytes()).unwrap();
    edits(&mut policy).unwrap();
    let text = policy.text();
    assert!(
        text.contains(
            "[file.\"/etc/motd\"]\n# read by everybody\nensure = \"absent\"\n\n[user.ann]"
        ),
        "{text}"
    );
    assert!(policy.set(("file", "/none"), "mode", &Value::text("0644")).is_err());
    assert!(PolicyText::parse("web.toml", b"[x").is_err());
}

#[test]
fn expressions_are_seen_wherever_they_stand() {
    let policy = "[a.b]\none = \"{{ x }}\"\ntwo = [\"a\", \"{% if x %}\"]\nthree = { c = \"{{ y }}\" }\nfour = \"{\"\n";
    let mut policy = PolicyText::parse("x.toml", policy.as_bytes()).unwrap();
    for (attribute, evaluated) in
        [("one", true), ("two", true), ("three", true), ("four", false), ("five", false)]
    {
        assert_eq!(policy.is_evaluated("a", "b", attribute), evaluated, "{attribute}");
    }
}
