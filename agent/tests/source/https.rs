//! Fetching over https (and loopback http), and every way in which that fails.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use steadfast::source::{
    Advance, FetchFailure, Fetched, RevisionId, Source, SourceError, SourceSettings,
};
use steadfast_policies::Repository;
use tempfile::TempDir;

use crate::certificates::{Authority, Flaw};
use crate::origin::{Origin, git, noise, write};
use crate::server::{Behaviour, Server};
use crate::source;

/// A repository, a server for it, and a place for the copy.
struct Scene {
    origin: Origin,
    first: RevisionId,
    server: Server,
    scratch: TempDir,
    authority: Authority,
}

impl Scene {
    fn new() -> Self {
        Self::with(Flaw::None)
    }

    fn with(flaw: Flaw) -> Self {
        let (origin, first) = Origin::new();
        let authority = Authority::new("Test authority");
        let config = authority.server(flaw, None);
        let server = Server::start(origin.root().to_owned(), Some(config));
        Self { origin, first, server, scratch: tempfile::tempdir().unwrap(), authority }
    }

    fn settings(&self) -> SourceSettings {
        let mut settings = SourceSettings::new(self.server.url());
        settings.branch = Some("main".to_owned());
        settings.ca_file = Some(self.authority.file(self.scratch.path()));
        settings.limits.deadline = Duration::from_secs(30);
        settings
    }

    fn store(&self) -> std::path::PathBuf {
        self.scratch.path().join("store")
    }

    fn source(&self) -> Source {
        self.source_with(|_| {})
    }

    fn source_with(&self, change: impl FnOnce(&mut SourceSettings)) -> Source {
        let mut settings = self.settings();
        change(&mut settings);
        source(settings, &self.store()).unwrap()
    }
}

fn failure<T: std::fmt::Debug>(result: Result<T, SourceError>) -> FetchFailure {
    match result {
        Err(SourceError::Fetch { failure, .. }) => failure,
        other => panic!("{other:?}"),
    }
}

/// After every failure: the good revision is in place, and the next fetch works.
fn still_good(scene: &Scene, source: &Source) {
    assert_eq!(source.good().unwrap(), Some(scene.first));
    let revision = source.revision(scene.first).unwrap();
    assert_eq!(revision.read("site.toml").unwrap().unwrap(), b"[site]\n");
}

#[test]
fn a_revision_arrives_and_is_read() {
    let scene = Scene::new();
    let source = scene.source();
    assert_eq!(source.head().unwrap(), scene.first);
    let fetched = source.fetch().unwrap();
    assert_eq!(
        fetched,
        Fetched {
            revision: scene.first,
            branch: "main".to_owned(),
            previous: None,
            advance: Advance::First,
            from: scene.server.url(),
        }
    );
    let revision = source.revision(scene.first).unwrap();
    assert_eq!(revision.paths().unwrap(), ["policies/motd.toml", "site.toml"]);
    assert_eq!(revision.read("policies/motd.toml").unwrap().unwrap(), b"# motd\n");
    assert_eq!(revision.read("nothing").unwrap(), None);
    let information = revision.information();
    assert_eq!(information.author, "Ada <ada@example.com>");
    assert_eq!(information.committer, "Grace <grace@example.com>");
    assert_eq!(information.subject, "A change");

    let second = scene.origin.commit(&[("site.toml", "[site]\n# more\n")]);
    assert_eq!(source.head().unwrap(), second);
    let fetched = source.fetch().unwrap();
    assert_eq!(fetched.previous, Some(scene.first));
    assert_eq!((fetched.revision, fetched.advance), (second, Advance::FastForward));
    assert_eq!(source.current().unwrap(), Some(second));
    assert_eq!(source.fetch().unwrap().advance, Advance::Unchanged);
}

#[test]
fn the_default_branch_is_found() {
    let scene = Scene::new();
    scene.origin.git(&["branch", "--move", "main", "trunk/one"]);
    scene.origin.git(&["symbolic-ref", "HEAD", "refs/heads/trunk/one"]);
    let source = scene.source_with(|settings| settings.branch = None);
    assert_eq!(source.head().unwrap(), scene.first);
    assert_eq!(source.fetch().unwrap().branch, "trunk/one");
}

#[test]
fn head_is_cheap() {
    let scene = Scene::new();
    let source = scene.source();
    source.head().unwrap();
    assert_eq!(scene.server.log().len(), 2);
}

#[test]
fn a_force_pushed_branch_works_and_is_told() {
    let scene = Scene::new();
    let source = scene.source();
    source.fetch().unwrap();
    source.mark_good(scene.first).unwrap();
    scene.origin.git(&["checkout", "--quiet", "--orphan", "other"]);
    let rewritten = scene.origin.commit(&[("site.toml", "[site]\n# rewritten\n")]);
    scene.origin.git(&["branch", "--force", "main", "other"]);
    let fetched = source.fetch().unwrap();
    assert_eq!((fetched.revision, fetched.advance), (rewritten, Advance::Rewritten));
    assert_eq!(fetched.previous, Some(scene.first));
    still_good(&scene, &source);
}

#[test]
fn history_that_is_too_short_is_not_called_rewritten() {
    let scene = Scene::new();
    let source = scene.source_with(|settings| settings.depth = 1);
    source.fetch().unwrap();
    for number in 0..3 {
        scene.origin.commit(&[("site.toml", &format!("[site]\n# {number}\n"))]);
    }
    assert_eq!(source.fetch().unwrap().advance, Advance::Unknown);
}

#[test]
fn a_deleted_branch() {
    let scene = Scene::new();
    let source = scene.source();
    source.fetch().unwrap();
    source.mark_good(scene.first).unwrap();
    scene.origin.git(&["update-ref", "-d", "refs/heads/main"]);
    let expected = FetchFailure::NoBranch { branch: "main".to_owned() };
    assert_eq!(failure(source.head()), expected);
    assert_eq!(failure(source.fetch()), expected);
    still_good(&scene, &source);
}

/// Fetches once, marks it good, commits something more, lets the server misbehave, and fetches.
fn misbehaving(behaviour: Behaviour, change: impl FnOnce(&mut SourceSettings)) -> FetchFailure {
    let scene = Scene::new();
    let source = scene.source_with(change);
    source.fetch().unwrap();
    source.mark_good(scene.first).unwrap();
    // So that the pack has a middle.
    let second = scene.origin.commit(&[("noise", &noise(40_000))]);
    scene.server.behave(behaviour);
    let failed = failure(source.fetch());
    still_good(&scene, &source);
    scene.server.behave(Behaviour::Serve);
    assert_eq!(source.fetch().unwrap().revision, second);
    still_good(&scene, &source);
    failed
}

#[test]
fn a_truncated_pack() {
    for behaviour in [Behaviour::CutPack(3000), Behaviour::ShortenPack(3000)] {
        let failed = misbehaving(behaviour, |_| {});
        assert!(matches!(failed, FetchFailure::Truncated { .. }), "{failed:?}");
    }
}

#[test]
fn a_damaged_pack() {
    let failed = misbehaving(Behaviour::DamagePack(3000), |_| {});
    assert!(
        matches!(failed, FetchFailure::CorruptPack { .. } | FetchFailure::Truncated { .. }),
        "{failed:?}"
    );
}

#[test]
fn a_stalled_server() {
    let started = Instant::now();
    for behaviour in [Behaviour::Silent, Behaviour::StallPack(3000)] {
        let failed = misbehaving(behaviour, |settings| {
            settings.limits.deadline = Duration::from_secs(3);
        });
        assert_eq!(failed, FetchFailure::Stalled { seconds: 3 });
    }
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_fetch_that_is_killed_at_any_instant_leaves_what_was_good() {
    let scene = Scene::new();
    scene.source().fetch().unwrap();
    scene.source().mark_good(scene.first).unwrap();
    let mut killed = 0;
    for round in 0..60 {
        scene.origin.commit(&[("noise", &noise(40_000 + round))]);
        let source = scene.source_with(|settings| {
            settings.limits.deadline = Duration::from_millis(4 + 3 * (round as u64 % 30));
        });
        // What is killed is the fetching process, wherever it may be.
        match source.fetch() {
            Ok(_) => {}
            Err(SourceError::Fetch { failure: FetchFailure::Stalled { .. }, .. }) => killed += 1,
            Err(error) => panic!("{error}"),
        }
        assert_eq!(source.good().unwrap(), Some(scene.first));
    }
    assert!(killed > 5, "{killed}");
    let last = scene.origin.commit(&[("site.toml", "[site]\n# last\n")]);
    let source = scene.source();
    assert_eq!(source.fetch().unwrap().revision, last);
    still_good(&scene, &source);
    source.revision(last).unwrap();
}

#[test]
fn statuses() {
    for (status, expected) in [
        (401, FetchFailure::Unauthorized { token_sent: false }),
        (403, FetchFailure::Forbidden),
        (500, FetchFailure::Status { status: 500 }),
        (503, FetchFailure::Status { status: 503 }),
    ] {
        assert_eq!(misbehaving(Behaviour::Status(status), |_| {}), expected);
    }
    let failed = misbehaving(Behaviour::Status(404), |_| {});
    assert!(matches!(failed, FetchFailure::NoRepository { .. }), "{failed:?}");
}

#[test]
fn no_repository_at_that_address() {
    let scene = Scene::new();
    let source =
        scene.source_with(|settings| settings.url = settings.url.replace("policy", "none"));
    let failed = failure(source.fetch());
    assert!(matches!(failed, FetchFailure::NoRepository { .. }), "{failed:?}");
}

#[test]
fn a_pack_that_is_too_large() {
    let scene = Scene::new();
    let source = scene.source_with(|settings| settings.limits.max_pack_bytes = 20_000);
    source.fetch().unwrap();
    source.mark_good(scene.first).unwrap();
    scene.origin.commit(&[("noise", &noise(400_000))]);
    assert_eq!(failure(source.fetch()), FetchFailure::PackTooLarge { limit: 20_000 });
    still_good(&scene, &source);
}

#[test]
fn an_object_that_unpacks_to_too_much() {
    let scene = Scene::new();
    let source = scene.source_with(|settings| settings.limits.max_pack_bytes = 200_000);
    write(&scene.origin.work().join("zeros"), &vec![0; 5_000_000]);
    scene.origin.commit(&[]);
    assert_eq!(failure(source.fetch()), FetchFailure::ObjectTooLarge { limit: 200_000 });
}

fn with_flaw(flaw: Flaw) -> FetchFailure {
    failure(Scene::with(flaw).source().fetch())
}

#[test]
fn wrong_certificates() {
    let failed = with_flaw(Flaw::Expired);
    assert!(matches!(failed, FetchFailure::ExpiredCertificate { .. }), "{failed:?}");
    let failed = with_flaw(Flaw::Early);
    assert!(matches!(failed, FetchFailure::EarlyCertificate { .. }), "{failed:?}");
    let failed = with_flaw(Flaw::OtherName);
    assert!(matches!(failed, FetchFailure::WrongHostName { .. }), "{failed:?}");

    let scene = Scene::new();
    let other = tempfile::tempdir().unwrap();
    let stranger = Authority::new("Another authority").file(other.path());
    let source = scene.source_with(|settings| settings.ca_file = Some(stranger));
    let failed = failure(source.fetch());
    assert!(matches!(failed, FetchFailure::UntrustedCertificate { .. }), "{failed:?}");
}

#[test]
fn an_https_url_of_a_server_without_tls() {
    let (origin, _) = Origin::new();
    let server = Server::start(origin.root().to_owned(), None);
    let scene = Scene::new();
    let url = server.url().replace("http:", "https:");
    let failed = failure(scene.source_with(|settings| settings.url = url).fetch());
    assert!(matches!(failed, FetchFailure::Tls { .. }), "{failed:?}");
}

#[test]
fn client_certificates() {
    let (origin, first) = Origin::new();
    let authority = Authority::new("Server authority");
    let clients = Authority::new("Client authority");
    let config = authority.server(Flaw::None, Some(&clients));
    let server = Server::start(origin.root().to_owned(), Some(config));
    let scratch = tempfile::tempdir().unwrap();
    let fetch = |client: Option<&Authority>| {
        let mut settings = SourceSettings::new(server.url());
        settings.ca_file = Some(authority.file(scratch.path()));
        if let Some((certificate, key)) = client.map(|client| client.client(scratch.path())) {
            settings.client_cert = Some(certificate);
            settings.client_key = Some(key);
        }
        source(settings, &scratch.path().join("store")).unwrap().fetch()
    };
    assert_eq!(fetch(Some(&clients)).unwrap().revision, first);
    for wrong in [None, Some(&authority)] {
        let failed = failure(fetch(wrong));
        assert!(matches!(failed, FetchFailure::ClientCertificateRefused { .. }), "{failed:?}");
    }
}

#[test]
fn unusable_files() {
    let scene = Scene::new();
    let empty = scene.scratch.path().join("empty");
    write(&empty, b"");
    let source = scene.source_with(|settings| settings.ca_file = Some(empty.clone()));
    let failed = failure(source.fetch());
    assert!(matches!(failed, FetchFailure::UnusableCredential { .. }), "{failed:?}");
    let source = scene.source_with(|settings| settings.token_file = Some(empty));
    assert!(matches!(source.fetch(), Err(SourceError::Settings { setting: "token_file", .. })));
    let source = scene.source_with(|settings| settings.token_file = Some("/none".into()));
    let error = source.fetch().unwrap_err();
    assert!(matches!(error, SourceError::ReadCredential { setting: "token_file", .. }), "{error}");
}

fn token(scene: &Scene, text: &str) -> std::path::PathBuf {
    let path = scene.scratch.path().join("token");
    write(&path, text.as_bytes());
    path
}

#[test]
fn tokens() {
    let basic =
        |text: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text));
    for (file, demanded) in [
        ("s3cret\n", "Bearer s3cret".to_owned()),
        ("s3cret\n", basic("x-access-token:s3cret")),
        ("deploy:s3cret", basic("deploy:s3cret")),
        ("Bearer s3cret", "Bearer s3cret".to_owned()),
    ] {
        let scene = Scene::new();
        scene.server.behave(Behaviour::Demand(demanded));
        let file = token(&scene, file);
        let source = scene.source_with(|settings| settings.token_file = Some(file));
        assert_eq!(source.fetch().unwrap().revision, scene.first);
        // The way that worked is remembered.
        let before = scene.server.log().len();
        source.head().unwrap();
        assert_eq!(scene.server.log().len(), before + 2);
    }
}

#[test]
fn a_wrong_token_is_told_and_not_shown() {
    let scene = Scene::new();
    let right = token(&scene, "right");
    scene.server.behave(Behaviour::Demand("Bearer right".to_owned()));
    let source = scene.source_with(|settings| settings.token_file = Some(right));
    source.fetch().unwrap();
    source.mark_good(scene.first).unwrap();
    token(&scene, "wr0ng");
    let error = source.fetch().unwrap_err();
    let text = format!("{error} {error:?} {:?}", error.hint());
    assert!(!text.contains("wr0ng") && !text.contains("d3IwbmcK"), "{text}");
    assert_eq!(failure(Err::<(), _>(error)), FetchFailure::Unauthorized { token_sent: true });
    still_good(&scene, &source);
}

#[test]
fn a_token_does_not_follow_a_redirection() {
    let scene = Scene::new();
    let (origin, _) = Origin::new();
    let elsewhere = Server::start(origin.root().to_owned(), None);
    scene.server.behave(Behaviour::Redirect(elsewhere.url()));
    let file = token(&scene, "s3cret");
    let source = scene.source_with(|settings| settings.token_file = Some(file));
    let failed = failure(source.fetch());
    assert!(matches!(failed, FetchFailure::Redirected { .. }), "{failed:?}");
    assert!(elsewhere.log().is_empty());
}

#[test]
fn a_redirection_without_credentials_is_followed_but_never_to_plain_http() {
    let scene = Scene::new();
    let config = scene.authority.server(Flaw::None, None);
    let moved = Server::start(scene.origin.root().to_owned(), Some(config));
    scene.server.behave(Behaviour::Redirect(moved.url()));
    assert_eq!(scene.source().fetch().unwrap().revision, scene.first);
    let plain = Server::start(scene.origin.root().to_owned(), None);
    scene.server.behave(Behaviour::Redirect(plain.url()));
    failure(scene.source().fetch());
    assert!(plain.log().is_empty());
}

#[test]
fn plain_http_works_on_loopback() {
    let (origin, first) = Origin::new();
    let server = Server::start(origin.root().to_owned(), None);
    let scratch = tempfile::tempdir().unwrap();
    let source = source(SourceSettings::new(server.url()), scratch.path()).unwrap();
    assert_eq!(source.fetch().unwrap().revision, first);
}

#[test]
fn nobody_listens() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let url = format!("https://{closed}/policy.git");
    let source = source(SourceSettings::new(url), scratch.path()).unwrap();
    for failed in [failure(source.head()), failure(source.fetch())] {
        assert!(matches!(failed, FetchFailure::Unreachable { .. }), "{failed:?}");
    }
}

#[test]
fn a_name_that_does_not_resolve() {
    let scratch = tempfile::tempdir().unwrap();
    let settings = SourceSettings::new("https://name.invalid/policy.git");
    let failed = failure(source(settings, scratch.path()).unwrap().fetch());
    assert!(matches!(failed, FetchFailure::UnknownHost { .. }), "{failed:?}");
}

#[test]
fn a_new_object_format() {
    let origin = Origin::with_format("sha256");
    let first = origin.commit(&[("site.toml", "[site]\n")]);
    let server = Server::start(origin.root().to_owned(), None);
    let scratch = tempfile::tempdir().unwrap();
    let source = source(SourceSettings::new(server.url()), scratch.path()).unwrap();
    assert_eq!(source.head().unwrap(), first);
    assert_eq!(source.fetch().unwrap().revision, first);
    source.mark_good(first).unwrap();
    let revision = source.revision(first).unwrap();
    assert_eq!(revision.read("site.toml").unwrap().unwrap(), b"[site]\n");
    let second = origin.commit(&[("site.toml", "[site]\n# 2\n")]);
    assert_eq!(source.fetch().unwrap().revision, second);
}

#[test]
fn a_hundred_fetches_in_a_row() {
    let scene = Scene::new();
    let source = scene.source();
    source.fetch().unwrap();
    source.mark_good(scene.first).unwrap();
    for number in 0..100 {
        let id = scene.origin.commit(&[("site.toml", &format!("[site]\n# {number}\n"))]);
        let fetched = source.fetch().unwrap();
        assert_eq!(fetched.revision, id);
        source.revision(id).unwrap();
    }
    still_good(&scene, &source);
    let packs = count_packs(&scene.store());
    assert!((1..=51).contains(&packs), "{packs}");
}

fn count_packs(store: &Path) -> usize {
    std::fs::read_dir(store.join("repository.git/objects/pack"))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "pack"))
        .count()
}

#[test]
fn a_mirror_answers_where_the_first_server_does_not() {
    let scene = Scene::new();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = format!("https://{closed}/policy.git");
    let source = scene.source_with(|settings| {
        settings.mirrors = vec!["https://name.invalid/policy.git".to_owned(), settings.url.clone()];
        settings.url.clone_from(&closed);
    });
    assert_eq!(source.head().unwrap(), scene.first);
    assert_eq!(source.fetch().unwrap().revision, scene.first);
    scene.server.behave(Behaviour::Status(500));
    // Nobody answers: the first one is to blame.
    let failed = failure(source.fetch());
    assert!(matches!(failed, FetchFailure::Unreachable { .. }), "{failed:?}");
}

#[test]
fn a_mirror_carries_forward_only_and_only_where_the_server_is_out_of_reach() {
    let scene = Scene::new();
    // A mirror by another name of the same server, which lags behind.
    let (behind, root) = (scene.origin.bare(), scene.scratch.path().join("mirror"));
    std::fs::create_dir(&root).unwrap();
    let (from, to) = (behind.to_str().unwrap(), root.join("policy.git"));
    git(&[], &["clone", "--quiet", "--bare", from, to.to_str().unwrap()]);
    let mirror = Server::start(root, Some(scene.authority.server(Flaw::None, None)));
    let file = token(&scene, "s3cret");
    let source = scene.source_with(|settings| {
        settings.mirrors = vec![mirror.url()];
        settings.token_file = Some(file);
    });
    let second = scene.origin.commit(&[("site.toml", "[site]\n# 2\n")]);
    assert_eq!(source.fetch().unwrap().revision, second);
    scene.server.behave(Behaviour::Status(503));
    for _ in 0..2 {
        let error = source.fetch().unwrap_err();
        assert!(matches!(&error, SourceError::Mirror { .. }), "{error}");
        assert_eq!(source.current().unwrap(), Some(second));
    }
    // The token is for the server it was given for.
    assert!(mirror.log().iter().all(|line| line.ends_with(" -")), "{:?}", mirror.log());

    git(&[("GIT_DIR", to.to_str().unwrap())], &["fetch", "--quiet", from, "main:main"]);
    let fetched = source.fetch().unwrap();
    assert_eq!((fetched.revision, fetched.from), (second, mirror.url()));

    // An answer is an answer, whatever a mirror would say.
    for (status, told) in [(403, "forbids"), (404, "no repository")] {
        scene.server.behave(Behaviour::Status(status));
        let error = source.fetch().unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[test]
fn a_fetching_process_ends_with_the_one_that_asked() {
    let (origin, _) = Origin::new();
    let server = Server::start(origin.root().to_owned(), None);
    server.behave(Behaviour::Silent);
    let scratch = tempfile::tempdir().unwrap();
    #[expect(clippy::disallowed_methods, reason = "this test kills the process it starts")]
    let mut asking = std::process::Command::new(env!("CARGO_BIN_EXE_steadfast"))
        .args(["plan", &server.url(), "--config-dir"])
        .arg(scratch.path())
        .arg("--state-dir")
        .arg(scratch.path())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let fetching = wait_for("a fetching process", || fetching_process_of(asking.id()));
    asking.kill().unwrap();
    asking.wait().unwrap();
    wait_for("its end", || (!is_alive(fetching)).then_some(()));
}

fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::yield_now();
    }
}

fn fetching_process_of(parent: u32) -> Option<u32> {
    let children =
        std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    children.split_whitespace().filter_map(|id| id.parse().ok()).find(|id: &u32| {
        let command = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains("fetch-helper")
    })
}

/// A process that has ended and that nobody has waited for yet does not count.
fn is_alive(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    status.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}
