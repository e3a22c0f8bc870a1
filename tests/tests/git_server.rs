//! The test repositories and their server, on the machine's own loopback: no host, no root.

use steadfast_tests::git::{Entry, GitServer, PolicyRepository};

#[test]
fn a_repository_holds_what_no_working_tree_could() {
    let mut repository = PolicyRepository::with(&[("site.toml", "[site]\n"), ("gone", "")]);
    repository.commit_entries(&[
        ("link", Entry::Symlink("/etc/shadow")),
        ("module", Entry::Submodule),
        ("run \"me\"", Entry::Executable(b"\0\xff")),
        ("gone", Entry::Removed),
    ]);
    let listing = repository.git(&["ls-tree", "-r", "--format=%(objectmode) %(path)", "main"]);
    let expected = "120000 link\n160000 module\n100755 \"run \\\"me\\\"\"\n100644 site.toml";
    assert_eq!(listing, expected);
    for name in ["..", ".git", "a/b"] {
        repository.commit_absurd_name(name);
        let listing = repository.git(&["ls-tree", "--format=%(path)", "main"]);
        assert_eq!(listing, name);
    }
}

#[test]
fn commits_have_the_same_ids_in_every_run() {
    let files = [("site.toml", "[site]\n")];
    let (mut one, mut other) = (PolicyRepository::with(&files), PolicyRepository::with(&files));
    assert_eq!(one.head(), other.head());
    assert_ne!(one.commit(&[("new", "")]), other.replace_history(&[("new", "")]));
    assert_eq!(other.git(&["rev-list", "--count", "main"]), "1");
}

#[test]
fn branches_come_and_go_over_https() {
    let mut repository = PolicyRepository::with(&[("site.toml", "[site]\n")]);
    repository.switch_branch("production");
    let commit = repository.commit(&[("site.toml", "[site]\ndata = []\n")]);
    let server = GitServer::on_loopback(&repository);
    let trust = format!("http.sslCAInfo={}", server.certificates().authority_file().display());
    let list = || repository.git(&["-c", &trust, "ls-remote", "--heads", &server.url()]);
    assert!(list().contains(&format!("{commit}\trefs/heads/production")));
    repository.delete_branch("production");
    assert_eq!(list().lines().count(), 1);
    let paths: Vec<_> = server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths[0], "/policy.git/info/refs?service=git-upload-pack");
    assert_eq!(paths.len(), 4, "two requests each: {paths:?}");
}
