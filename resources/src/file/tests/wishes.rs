//! From attributes to wishes: what is refused, and identities and edges.

use super::*;
use crate::pending::Provision;
use crate::relations::{Autoedge, Identity};

#[test]
fn refused_with_the_attribute_at_fault() {
    let blob =
        || Value::Tree(Arc::new(Tree::File { content: b"x".as_slice().into(), executable: false }));
    let cases: Vec<(&str, Attributes, Option<&str>)> = vec![
        ("etc/motd", vec![], None),
        ("/etc/../shadow", vec![], None),
        ("/etc/a\0b", vec![], None),
        ("/etc/a\nb", vec![], None),
        ("/", vec![("ensure", text("absent"))], None),
        ("/", vec![("content", text("x"))], None),
        ("/", vec![("target", text("/x"))], None),
        ("/a", vec![("content", text("x")), ("source", blob())], Some("source")),
        ("/a", vec![("content", text("x")), ("target", text("/x"))], Some("target")),
        ("/a", vec![("content", text("x")), ("ensure", text("directory"))], Some("content")),
        ("/a", vec![("content", text("x")), ("ensure", text("symlink"))], Some("content")),
        ("/a", vec![("target", text("/x")), ("ensure", text("file"))], Some("target")),
        ("/a", vec![("ensure", text("symlink"))], Some("target")),
        ("/a", vec![("target", text(""))], Some("target")),
        ("/a", vec![("source", tree(&[("a", "a")])), ("ensure", text("file"))], Some("source")),
        ("/a", vec![("source", blob()), ("ensure", text("directory"))], Some("source")),
        ("/a", vec![("source", text("https://x.example/y"))], Some("source")),
        (
            "/a",
            vec![("source", text("https://x.example/y")), ("sha256", text("abc"))],
            Some("sha256"),
        ),
        ("/a", vec![("content", text("x")), ("sha256", text("abc"))], Some("sha256")),
        ("/a", vec![("ensure", text("file")), ("purge", Value::Boolean(true))], Some("purge")),
        (
            "/a",
            vec![("source", tree(&[("a", "a")])), ("recurse_limit", Value::Integer(0))],
            Some("recurse_limit"),
        ),
        ("/a", vec![("mode", Value::Integer(644))], Some("mode")),
        ("/a", vec![("mode", text("9"))], Some("mode")),
        ("/a", vec![("owner", text("-x"))], Some("owner")),
        ("/a", vec![("owner", text(""))], Some("owner")),
        ("/a", vec![("owner", text("a:b"))], Some("owner")),
        ("/a", vec![("group", Value::Integer(-1))], Some("group")),
        ("/a", vec![("group", text("4294967295"))], Some("group")),
        ("/a", vec![("selinux", text("etc_t"))], Some("selinux")),
        (
            "/a",
            vec![("ensure", text("directory")), ("validate", text("x {candidate}"))],
            Some("validate"),
        ),
        ("/a", vec![("content", text("x")), ("validate", text("nginx -t"))], Some("validate")),
    ];
    for (title, attributes, at_fault) in cases {
        let shown = format!("{title:?} {attributes:?}");
        let errors = read(title, attributes).expect_err(&shown);
        assert_eq!(errors[0].attribute, at_fault, "{shown}: {errors:?}");
    }
}

#[test]
fn a_number_as_mode_is_told_how_to_write_it() {
    let errors = read("/a", vec![("mode", Value::Integer(0o644))]).unwrap_err();
    assert_eq!(
        errors[0].hint.as_deref(),
        Some("write the mode as a string in octal, for instance mode = \"0644\"")
    );
}

#[test]
fn one_path_has_one_identity() {
    for title in ["/srv/www", "//srv///www/", "/srv/./www/."] {
        let relations = File.relations(&wish(title, vec![]));
        assert_eq!(relations.identity, Identity::new("file", "/srv/www"), "{title}");
    }
}

#[test]
fn automatic_edges() {
    let wanted = wish(
        "/srv/www/current",
        vec![("target", text("../releases/5")), ("owner", text("deploy")), ("group", text("33"))],
    );
    let relations = File.relations(&wanted);
    let file = |path: &str| Identity::new("file", path);
    assert_eq!(
        relations.after,
        [
            Autoedge::Above { kind: "file", path: "/srv/www/current".into() },
            Autoedge::Exactly(Identity::new("user", "deploy")),
            Autoedge::Exactly(file("/srv/releases/5")),
        ]
    );
    assert!(!relations.absent);
    assert!(File.relations(&wish("/a", vec![("ensure", text("absent"))])).absent);
}

#[test]
fn a_tree_provides_its_directories() {
    let wanted = wish("/srv/t", vec![("source", tree(&[("a", ""), ("d/e/f", "")]))]);
    let mut provided = File.provides(&wanted);
    provided.sort_by_key(|provision| format!("{provision:?}"));
    let paths = || ["/srv/t", "/srv/t/d", "/srv/t/d/e"].into_iter().map(String::from);
    let all: Vec<Provision> =
        paths().map(Provision::Directory).chain(paths().map(Provision::Path)).collect();
    assert_eq!(provided, all);
    assert!(File.provides(&wish("/a", vec![("ensure", text("absent"))])).is_empty());
}

#[test]
fn absent_wins_over_content() {
    let wanted = wish(
        "/a",
        vec![
            ("ensure", text("absent")),
            ("content", text("x")),
            ("validate", text("x {candidate}")),
        ],
    );
    assert!(File.relations(&wanted).absent);
}

#[test]
fn what_is_watched_is_what_is_declared() {
    use crate::host::watch::Interest;
    use crate::kind::Watch;

    let at = |path: &str| crate::host::files::AbsolutePath::parse(path).unwrap();
    let yes = || Value::Boolean(true);
    let source = || tree(&[("a/b", "x"), ("c", "y")]);
    for (attributes, expected) in [
        (vec![("content", text("x"))], vec![Interest::Path(at("/it"))]),
        (vec![("mode", text("0600"))], vec![Interest::Place(at("/it"))]),
        (vec![("ensure", text("file"))], vec![Interest::Place(at("/it"))]),
        (vec![("ensure", text("absent"))], vec![Interest::Place(at("/it"))]),
        (vec![("target", text("/x"))], vec![Interest::Place(at("/it"))]),
        (
            vec![("content", text("x")), ("replace", Value::Boolean(false))],
            vec![Interest::Place(at("/it"))],
        ),
        (
            vec![("source", source())],
            vec![
                Interest::Place(at("/it")),
                Interest::Place(at("/it/a")),
                Interest::Path(at("/it/a/b")),
                Interest::Path(at("/it/c")),
            ],
        ),
        (
            vec![("ensure", text("directory")), ("purge", yes())],
            vec![Interest::Place(at("/it")), Interest::Tree(at("/it"))],
        ),
    ] {
        let shown = format!("{attributes:?}");
        assert_eq!(File.interests(&wish("/it", attributes)), expected, "{shown}");
    }
}
