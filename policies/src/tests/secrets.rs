//! Diagnostics about secrets do not tell them.

use super::policy;

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
