//! The JSON Schemas in the hands of those who read them: the TOML checker that editors use, and a
//! validator that knows nothing of it. What the program accepts both must accept; what the schemas
//! can refuse the program must refuse as well.
//!
//! `tests/run` installs both programs.

#![expect(
    clippy::disallowed_methods,
    reason = "the program is looked at from outside its own doors"
)]

mod bad;
mod corpus;
mod findings;
mod good;
mod judges;
mod printed;

use corpus::Document;
use judges::{Editor, Topic, program_refuses};

#[test]
fn what_the_repository_ships_passes() {
    let editor = Editor::new();
    let documents = corpus::shipped();
    let count = |topic| documents.iter().filter(|document| document.topic == topic).count();
    assert!(count(Topic::Policy) > 50, "{} policies", count(Topic::Policy));
    for topic in [Topic::Site, Topic::Tests, Topic::Agent] {
        assert!(count(topic) > 0, "{topic:?}");
    }
    editor.accepts(&documents);
}

#[test]
fn what_may_be_written_passes() {
    let editor = Editor::new();
    let documents: Vec<Document> = good::documents();
    for document in &documents {
        if let Some(complaint) = program_refuses(document) {
            panic!("{}\nis refused by the program: {complaint}", document.text);
        }
    }
    editor.accepts(&documents);
}

#[test]
fn mistakes_are_found_by_editor_validator_and_program() {
    let document =
        |(topic, text, _): &(Topic, &str, &str)| Document::new(*topic, "mistake.toml", text);
    let documents: Vec<Document> = bad::MISTAKES.iter().map(document).collect();
    let complaints = Editor::new().refuses(&documents);
    for ((_, text, word), complaint) in bad::MISTAKES.iter().zip(complaints) {
        assert!(complaint.contains(word), "{text}\nis refused with\n{complaint}");
    }
    for document in &documents {
        assert!(program_refuses(document).is_some(), "{}\nis accepted", document.text);
    }
}

#[test]
fn a_comment_at_the_top_of_a_file_is_enough() {
    let editor = Editor::new();
    editor.write("policies/good.toml", "#:schema ../policy.json\n[package.nginx]\n");
    editor.write(
        "policies/bad.toml",
        "#:schema ../policy.json\n[package.nginx]\nensur = \"latest\"\n",
    );
    assert_eq!(editor.check(&["policies/good.toml"]), Ok(()));
    let complaint = editor.check(&["policies/bad.toml"]).expect_err("a mistake");
    assert!(complaint.contains("'ensur' was unexpected"), "{complaint}");
}

/// The association that the guide recommends, for a whole repository.
#[test]
fn one_file_tells_an_editor_which_schema_is_for_what() {
    let editor = Editor::new();
    let blocks = steadfast_tests::documents::blocks(&corpus::read("docs/editors.md"));
    let [association] = blocks.as_slice() else { panic!("one block in docs/editors.md") };
    editor.schemas_into(".schema");
    editor.write(".taplo.toml", &association.text);
    let files = ["policies/a.toml", "policies/b/policy.toml", "site.toml", "tests/a.toml"];
    for file in files {
        editor.write(file, "nonesuch = 1\n");
        assert!(editor.check(&[file]).is_err(), "{file} has no schema");
        editor.write(file, "description = \"x\"\n");
        assert_eq!(editor.check(&[file]), Ok(()), "{file}");
    }
}
