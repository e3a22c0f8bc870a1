//! The agent's copy: local repositories, crashes, damage, good revisions.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use steadfast::source::{Advance, FetchFailure, RevisionId, Source, SourceError, SourceSettings};
use steadfast_policies::Repository;
use tempfile::TempDir;

use crate::origin::{Origin, git, noise, write};
use crate::source;

struct Scene {
    origin: Origin,
    first: RevisionId,
    store: TempDir,
}

impl Scene {
    fn new() -> Self {
        let (origin, first) = Origin::new();
        Self { origin, first, store: tempfile::tempdir().unwrap() }
    }

    fn source(&self) -> Source {
        source(SourceSettings::new(self.origin.url()), self.store.path()).unwrap()
    }

    fn copy(&self) -> PathBuf {
        self.store.path().join("repository.git")
    }

    fn packs(&self) -> Vec<PathBuf> {
        let mut packs: Vec<PathBuf> = std::fs::read_dir(self.copy().join("objects/pack"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "pack"))
            .collect();
        packs.sort();
        packs
    }
}

fn site(source: &Source, id: RevisionId) -> Vec<u8> {
    source.revision(id).unwrap().read("site.toml").unwrap().unwrap()
}

#[test]
fn a_local_repository_is_copied_without_its_history() {
    let scene = Scene::new();
    let second = scene.origin.commit(&[("site.toml", "[site]\n# 2\n")]);
    let source = scene.source();
    assert_eq!(source.head().unwrap(), second);
    let fetched = source.fetch().unwrap();
    assert_eq!((fetched.revision, fetched.branch.as_str()), (second, "main"));
    assert_eq!(site(&source, second), b"[site]\n# 2\n");
    assert!(matches!(source.revision(scene.first), Err(SourceError::UnknownRevision { .. })));
    // Git itself finds nothing to complain about.
    git(&[("GIT_DIR", scene.copy().to_str().unwrap())], &["fsck", "--strict"]);

    let third = scene.origin.commit(&[("site.toml", "[site]\n# 3\n")]);
    let fetched = source.fetch().unwrap();
    assert_eq!((fetched.previous, fetched.advance), (Some(second), Advance::FastForward));
    assert_eq!(site(&source, third), b"[site]\n# 3\n");
    scene.origin.git(&["reset", "--quiet", "--hard", &second.to_string()]);
    let fetched = source.fetch().unwrap();
    assert_eq!((fetched.revision, fetched.advance), (second, Advance::Rewritten));
}

#[test]
fn a_work_tree_is_a_local_repository_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    git(&[], &["init", "--quiet", "--initial-branch=trunk", path]);
    write(&directory.path().join("site.toml"), b"[site]\n");
    git(&[], &["-C", path, "add", "--all"]);
    git(&[], &["-C", path, "commit", "--quiet", "--message=x"]);
    // What is not committed does not exist.
    write(&directory.path().join("site.toml"), b"changed");
    let store = tempfile::tempdir().unwrap();
    let url = format!("file://{path}");
    let source = source(SourceSettings::new(url), store.path()).unwrap();
    let fetched = source.fetch().unwrap();
    assert_eq!(fetched.branch, "trunk");
    assert_eq!(site(&source, fetched.revision), b"[site]\n");
}

#[test]
fn local_failures() {
    let scene = Scene::new();
    let fetch = |url: &str, branch: Option<&str>| {
        let store = tempfile::tempdir().unwrap();
        let mut settings = SourceSettings::new(url);
        settings.branch = branch.map(str::to_owned);
        match source(settings, store.path()).unwrap().fetch() {
            Err(SourceError::Fetch { failure, .. }) => failure,
            other => panic!("{other:?}"),
        }
    };
    let failed = fetch("/nonexistent/policy.git", None);
    assert!(matches!(failed, FetchFailure::NoRepository { .. }), "{failed:?}");
    let plain = tempfile::tempdir().unwrap();
    let failed = fetch(plain.path().to_str().unwrap(), None);
    assert!(matches!(failed, FetchFailure::NoRepository { .. }), "{failed:?}");
    let failed = fetch(&scene.origin.url(), Some("nothing"));
    assert_eq!(failed, FetchFailure::NoBranch { branch: "nothing".to_owned() });
    let empty = Origin::empty();
    assert_eq!(fetch(&empty.url(), None), FetchFailure::NoBranch { branch: "main".to_owned() });
}

#[test]
fn a_sha256_repository() {
    let origin = Origin::with_format("sha256");
    let id = origin.commit(&[("site.toml", "[site]\n")]);
    let store = tempfile::tempdir().unwrap();
    let source = source(SourceSettings::new(origin.url()), store.path()).unwrap();
    assert_eq!(source.fetch().unwrap().revision, id);
    assert_eq!(id.to_string().len(), 64);
    assert_eq!(site(&source, id), b"[site]\n");
}

#[test]
fn replaced_objects_are_not_believed() {
    let scene = Scene::new();
    let other = scene.origin.commit(&[("site.toml", "evil")]);
    scene.origin.git(&["reset", "--quiet", "--hard", &scene.first.to_string()]);
    scene.origin.git(&["replace", &scene.first.to_string(), &other.to_string()]);
    let source = scene.source();
    let fetched = source.fetch().unwrap();
    assert_eq!(fetched.revision, scene.first);
    assert_eq!(site(&source, scene.first), b"[site]\n");
}

#[test]
#[ignore = "needs root"]
fn root_refuses_a_repository_of_somebody_else() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let scene = Scene::new();
    std::os::unix::fs::chown(scene.origin.bare(), Some(65534), None).unwrap();
    let error = scene.source().fetch().unwrap_err();
    assert!(matches!(error, SourceError::Owner { owner: 65534, .. }), "{error}");
}

#[test]
fn good_revisions_survive_everything() {
    let scene = Scene::new();
    let source = scene.source();
    assert_eq!(source.good().unwrap(), None);
    source.fetch().unwrap();
    source.mark_good(scene.first).unwrap();
    let missing: RevisionId = "0123456789012345678901234567890123456789".parse().unwrap();
    assert!(matches!(source.mark_good(missing), Err(SourceError::UnknownRevision { .. })));
    // The repository starts anew, and so does the copy.
    scene.origin.git(&["checkout", "--quiet", "--orphan", "other"]);
    let other = scene.origin.commit(&[("site.toml", "other")]);
    scene.origin.git(&["branch", "--force", "main", "other"]);
    source.mark_damaged();
    assert_eq!(source.fetch().unwrap().revision, other);
    assert!(!scene.store.path().join("damaged").exists());
    let reopened = scene.source();
    assert_eq!(reopened.good().unwrap(), Some(scene.first));
    assert_eq!(site(&reopened, scene.first), b"[site]\n");
    assert_eq!(site(&reopened, other), b"other");
}

#[test]
fn what_a_killed_fetch_left_is_removed() {
    let scene = Scene::new();
    let source = scene.source();
    source.fetch().unwrap();
    let second = scene.origin.commit(&[("site.toml", "2")]);
    let leftovers = [
        "shallow.lock",
        "packed-refs.lock",
        "refs/remotes/origin/main.lock",
        "refs/steadfast/current.lock",
        "objects/pack/.tmpAbCdEf",
        "objects/pack/tmp_pack_x",
        "objects/pack/pack-0000000000000000000000000000000000000000.pack",
        "objects/pack/pack-0000000000000000000000000000000000000001.idx",
        "objects/pack/pack-0000000000000000000000000000000000000002.keep",
    ];
    for leftover in leftovers {
        write(&scene.copy().join(leftover), b"x");
    }
    write(&scene.store.path().join("fresh.git/HEAD"), b"half");
    assert_eq!(source.fetch().unwrap().revision, second);
    for leftover in leftovers {
        assert!(!scene.copy().join(leftover).exists(), "{leftover}");
    }
    assert!(!scene.store.path().join("fresh.git").exists());
}

#[test]
fn a_swap_that_was_cut_short_is_finished() {
    let scene = Scene::new();
    let source = scene.source();
    source.fetch().unwrap();
    source.mark_good(scene.first).unwrap();
    std::fs::rename(scene.copy(), scene.store.path().join("old.git")).unwrap();
    let reopened = scene.source();
    assert_eq!(reopened.good().unwrap(), Some(scene.first));
    assert_eq!(site(&reopened, scene.first), b"[site]\n");
}

#[test]
fn a_copy_that_does_not_open_is_repaired_with_what_it_holds() {
    for damage in ["config", "HEAD"] {
        let scene = Scene::new();
        let source = scene.source();
        source.fetch().unwrap();
        source.mark_good(scene.first).unwrap();
        // What a power loss makes of a file.
        write(&scene.copy().join(damage), b"\0\0\0\0");
        let reopened = scene.source();
        assert_eq!(reopened.good().unwrap(), Some(scene.first), "{damage}");
        assert_eq!(site(&reopened, scene.first), b"[site]\n");
        assert_eq!(reopened.fetch().unwrap().revision, scene.first);
    }
}

#[test]
fn a_store_that_is_gone_is_made_again() {
    let scene = Scene::new();
    let source = scene.source();
    source.fetch().unwrap();
    std::fs::rename(scene.copy(), scene.store.path().join("elsewhere")).unwrap();
    assert_eq!(source.fetch().unwrap().revision, scene.first);
    assert_eq!(site(&source, scene.first), b"[site]\n");
}

/// Changes one byte in the middle of a file that may be read-only.
fn damage(path: &Path) {
    std::fs::remove_file(path.with_extension("old")).ok();
    let content = std::fs::read(path).unwrap();
    std::fs::rename(path, path.with_extension("old")).unwrap();
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path).unwrap();
    file.write_all(&content).unwrap();
    let middle = content.len() / 2;
    file.seek(SeekFrom::Start(middle as u64)).unwrap();
    file.write_all(&[content[middle] ^ 0x55, content[middle + 1] ^ 0xaa]).unwrap();
}

#[test]
fn a_damaged_object_is_noticed_and_the_next_fetch_heals() {
    let scene = Scene::new();
    // One large blob that does not compress: the middle of the pack is inside of it.
    let noise = noise(20_000);
    let id = scene.origin.commit(&[("noise", &noise)]);
    let source = scene.source();
    source.fetch().unwrap();
    damage(&scene.packs()[0]);
    let reopened = scene.source();
    let revision = reopened.revision(id).unwrap();
    let error = revision.read("noise").unwrap_err();
    assert!(error.to_string().contains("next fetch makes a new copy"), "{error}");
    assert_eq!(reopened.fetch().unwrap().revision, id);
    assert_eq!(reopened.revision(id).unwrap().read("noise").unwrap().unwrap(), noise.as_bytes());
}

#[test]
fn a_pack_that_is_gone_is_noticed_by_the_fetch() {
    let scene = Scene::new();
    let source = scene.source();
    source.fetch().unwrap();
    for pack in scene.packs() {
        std::fs::remove_file(pack).unwrap();
    }
    assert_eq!(source.fetch().unwrap().revision, scene.first);
    assert_eq!(site(&source, scene.first), b"[site]\n");
}

#[test]
fn many_local_fetches() {
    let scene = Scene::new();
    let source = scene.source();
    source.fetch().unwrap();
    source.mark_good(scene.first).unwrap();
    for number in 0..60 {
        let id = scene.origin.commit(&[("site.toml", &format!("# {number}\n"))]);
        assert_eq!(source.fetch().unwrap().revision, id);
    }
    assert!(scene.packs().len() <= 51);
    assert_eq!(site(&source, scene.first), b"[site]\n");
}

#[test]
fn two_at_once_take_turns() {
    let scene = Scene::new();
    scene.source().fetch().unwrap();
    scene.origin.commit(&[("site.toml", "2")]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| scene.source().fetch().unwrap());
        }
    });
}

#[test]
fn somebody_who_never_finishes_is_named() {
    let scene = Scene::new();
    let mut settings = SourceSettings::new(scene.origin.url());
    settings.limits.deadline = std::time::Duration::from_millis(300);
    let source = source(settings, scene.store.path()).unwrap();
    let lock = OpenOptions::new().write(true).open(scene.store.path().join("lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let error = source.fetch().unwrap_err();
    assert!(matches!(error, SourceError::StoreInUse { .. }), "{error}");
}

#[test]
fn the_store_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    let directory = scene.store.path().join("a/b");
    source(SourceSettings::new(scene.origin.url()), &directory).unwrap();
    let mode = directory.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn settings_that_make_no_sense_are_refused_at_once() {
    let store = tempfile::tempdir().unwrap();
    for (url, secret) in [
        ("http://git.example.com/p.git", ""),
        ("https://user:hunter2@git.example.com/p.git", "hunter2"),
        ("ext::sh -c id", ""),
        ("ssh://-oProxyCommand=id/p", ""),
        ("policy.git", ""),
    ] {
        let error = source(SourceSettings::new(url), store.path()).map(|_| ()).unwrap_err();
        assert!(matches!(error, SourceError::Location { .. }), "{error}");
        assert!(secret.is_empty() || !format!("{error} {error:?}").contains(secret), "{error}");
    }
    let mut settings = SourceSettings::new("/srv/p.git");
    settings.branch = Some("--upload-pack=id".to_owned());
    assert!(source(settings, store.path()).is_err());
}
