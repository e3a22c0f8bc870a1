//! The committed reference against what is generated.

use std::collections::BTreeSet;
use std::path::Path;

use steadfast::config::schema::SETTINGS;
use steadfast::reference::markdown::pages;
use steadfast_resources::Registry;

use super::{docs, page};

const HINT: &str = "run `UPDATE_DOCS=1 cargo test -p steadfast --test documentation`";

#[test]
fn the_reference_is_up_to_date() {
    let pages = pages(&Registry::standard());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        for page in &pages {
            let path = docs("reference").join(&page.path);
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
            std::fs::write(path, &page.text).expect("a page");
        }
    }
    for expected in &pages {
        let committed = std::fs::read_to_string(docs("reference").join(&expected.path));
        let committed = committed.unwrap_or_default();
        let differs = committed.lines().zip(expected.text.lines()).find(|(old, new)| old != new);
        assert!(
            committed == expected.text,
            "docs/reference/{} is not what the declarations say ({differs:?}): {HINT}",
            expected.path
        );
    }
    let generated: BTreeSet<String> = pages.into_iter().map(|page| page.path).collect();
    let mut committed = BTreeSet::new();
    files(&docs("reference"), "", &mut committed);
    assert_eq!(committed, generated, "pages that nothing generates any more: remove them");
}

fn files(directory: &Path, below: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).expect("docs/reference") {
        let entry = entry.expect("an entry");
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files(&entry.path(), &format!("{name}/"), found);
        } else {
            found.insert(name);
        }
    }
}

#[test]
fn every_attribute_and_setting_has_a_sentence_of_documentation() {
    for kind in Registry::standard().kinds() {
        let declared = kind.declaration();
        assert!(declared.summary.ends_with('.'), "{}", declared.name);
        assert!(
            !declared.title.ends_with('.'),
            "{}: the title is part of a sentence",
            declared.name
        );
        for own in declared.attributes {
            let text = own.documentation;
            let sentence = text.ends_with('.')
                && text.starts_with(|letter: char| letter.is_uppercase() || letter == '`');
            assert!(sentence && text.len() > 20, "{}.{}: {text}", declared.name, own.name);
        }
        let example = steadfast_policies::validate_policy(
            &Nothing,
            "example.toml",
            declared.example,
            &Registry::standard(),
        );
        assert!(!example.has_errors(), "{}: {example}", declared.name);
        assert!(declared.example.contains(&format!("[{}.", declared.name)), "{}", declared.name);
    }
    for setting in SETTINGS {
        let text = setting.summary;
        assert!(text.ends_with('.') && text.len() > 20, "{}: {text}", setting.key());
    }
}

/// Every page is reached from the index, and every link within `docs/` leads somewhere.
#[test]
fn links_lead_somewhere() {
    let mut linked = BTreeSet::new();
    let mut all = BTreeSet::new();
    files(&docs(""), "", &mut all);
    for path in
        all.iter().filter(|path| Path::new(path).extension().is_some_and(|suffix| suffix == "md"))
    {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        for target in links(&page(path)) {
            let (file, _) = target.split_once('#').unwrap_or((&target, ""));
            if file.is_empty() || file.contains("://") {
                continue;
            }
            let place = docs(directory).join(file);
            assert!(place.exists(), "{path} links to {target}");
            let place = place.canonicalize().expect("it exists");
            let root = docs("").canonicalize().expect("docs");
            if let Ok(inside) = place.strip_prefix(root) {
                linked.insert(inside.to_string_lossy().into_owned());
            }
        }
    }
    all.remove("README.md");
    let lost: Vec<&String> = all.difference(&linked).collect();
    assert!(lost.is_empty(), "no page links to {lost:?}");
}

/// The targets of all links of a page, its blocks of code left out.
fn links(text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    prose
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target.to_owned()))
        .collect()
}

/// A repository without files.
pub(super) struct Nothing;

impl steadfast_policies::Repository for Nothing {
    fn paths(&self) -> Result<Vec<String>, steadfast_policies::RepositoryError> {
        Ok(Vec::new())
    }
    fn read(&self, _path: &str) -> Result<Option<Vec<u8>>, steadfast_policies::RepositoryError> {
        Ok(None)
    }
    fn executable(&self, _path: &str) -> Result<bool, steadfast_policies::RepositoryError> {
        Ok(false)
    }
}
