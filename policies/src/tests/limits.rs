//! What must end, ends; what is large, works.

use std::fmt::Write;

use super::{Memory, policy, registry, titles};

#[test]
fn ten_thousand_items() {
    let catalog = policy(
        "[note.\"/{{ item }}\"]\nfor_each = \"range(10000)\"\ncount = \"{{ item }}\"\nnotify = \"bell.b\"\n[bell.b]\n",
    )
    .unwrap();
    assert_eq!(catalog.resources.len(), 10_001);
    assert_eq!(titles(&catalog).last().unwrap(), "bell.b");
    assert_eq!(catalog.resources.last().unwrap().dependencies.len(), 10_000);
}

#[test]
fn more_items_than_allowed() {
    let text =
        "[note.\"/{{ item }}\"]\nfor_each = \"range(100000) | list + range(100000) | list\"\n";
    let errors = policy(text).err().unwrap();
    assert!(errors.render(false).contains("more than 100000 items"), "{errors}");
}

#[test]
fn one_mistake_in_ten_thousand_items_is_told_once() {
    let errors =
        policy("[note.\"/{{ item }}\"]\nfor_each = \"range(10000)\"\nmode = \"{{ item.nope }}\"\n")
            .err()
            .unwrap();
    assert_eq!(errors.len(), 1, "{errors}");
}

#[test]
fn output_is_bounded() {
    let text =
        "[note.\"/a\"]\ncontent = \"{% for i in range(100000) %}{{ 'x' * 1000 }}{% endfor %}\"\n";
    let errors = policy(text).err().unwrap();
    assert!(errors.render(false).contains("exceeds 16 MiB"), "{errors}");
}

#[test]
fn deep_modules_end() {
    let mut files = vec![(
        "site.toml".to_owned(),
        "[[assign]]\nhosts = \"*\"\npolicies = [\"p0\"]\n".to_owned(),
    )];
    for level in 0..40 {
        let text = format!("[module.m{level}]\nsource = \"p{}\"\n", level + 1);
        files.push((format!("policies/p{level}.toml"), text));
    }
    files.push(("policies/p40.toml".to_owned(), String::new()));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
    let errors =
        crate::evaluate(&Memory::new(&files), &super::inputs(), &registry()).err().unwrap();
    assert!(errors.render(false).contains("without end"), "{errors}");
}

#[test]
fn many_references_are_not_quadratic_in_memory_or_messages() {
    let mut text = String::from("[bell.all]\nrequire = \"note.*\"\n");
    for index in 0..1500 {
        let _ = writeln!(
            text,
            "[note.\"/{index}\"]\nbefore = [\"bell.all2\", \"note./{}\"]",
            index + 1
        );
    }
    let errors = policy(&text).err().unwrap();
    assert_eq!(errors.len(), 1501);
}
