//! Mistakes of authors who come from Puppet, Ansible or Salt, and what `validate` says of each. When
//! a text here changes, read it as one who does not know the program.

use super::Script;

const SITE: &str = "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n";

/// A case begins with `=== NAME`, a file of it with `--- PATH`. Without one of its own it has
/// [`SITE`]; `--- no site` leaves that out.
const MISTAKES: &str = include_str!("mistakes.txt");

/// The mistakes that cannot be seen in a file of text.
const INVISIBLE: &[(&str, &str)] = &[
    ("line ends of Windows", "[file.\"/etc/motd\"]\r\ncontent = \"x\"\r\nonwer = \"root\"\r\n"),
    ("a byte order mark", "\u{feff}[file.\"/etc/motd\"]\ncontent = \"x\"\nonwer = \"root\"\n"),
    ("tabs", "[file.\"/etc/motd\"]\n\tcontent\t=\t\"x\"\n\tonwer = \"root\"\n"),
    ("blanks that do not break", "[file.\"/etc/motd\"]\ncontent\u{a0}= \"x\"\n"),
    ("quotes of a word processor", "[file.\"/etc/motd\"]\ncontent = \u{201c}x\u{201d}\n"),
];

fn transcript(cases: impl Iterator<Item = (String, Vec<(String, String)>)>) -> String {
    let mut told = String::new();
    for (name, files) in cases {
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let mut script = Script::new(&files);
        script.note(&name);
        script.run("validate policy");
        told.push_str(&script.transcript());
    }
    told
}

#[test]
fn mistakes_of_newcomers_are_told_in_their_words() {
    let cases = MISTAKES.split("=== ").skip(1).map(|case| {
        let (name, rest) = case.split_once('\n').expect("a case has a name");
        let file = |file: &str| {
            let (path, text) = file.split_once('\n').unwrap_or((file, ""));
            (path.to_owned(), text.to_owned())
        };
        let mut files: Vec<(String, String)> = rest.split("--- ").skip(1).map(file).collect();
        if !files.iter().any(|(path, _)| path == "site.toml" || path == "no site") {
            files.push(("site.toml".to_owned(), SITE.to_owned()));
        }
        files.retain(|(path, _)| path != "no site");
        (name.to_owned(), files)
    });
    assert!(cases.clone().count() >= 40);
    insta::assert_snapshot!(transcript(cases));
}

#[test]
fn mistakes_that_cannot_be_seen_are_told() {
    let cases = INVISIBLE.iter().map(|(name, policy)| {
        let files = [("policies/web.toml", *policy), ("site.toml", SITE)];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        ((*name).to_owned(), files.to_vec())
    });
    insta::assert_snapshot!(transcript(cases));
}
