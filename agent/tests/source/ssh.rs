//! Fetching over ssh, from a real sshd on a port of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use steadfast::source::{FetchFailure, RevisionId, Source, SourceError, SourceSettings};
use steadfast_policies::Repository;
use steadfast_resources::host::command::{Request, run};
use tempfile::TempDir;

use crate::origin::{Origin, write};
use crate::source;

const SSHD: &str = "/usr/sbin/sshd";

/// A repository behind an sshd.
struct Scene {
    origin: Origin,
    first: RevisionId,
    scratch: TempDir,
    port: u16,
    sshd: Child,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = self.sshd.kill();
        let _ = self.sshd.wait();
    }
}

fn key(path: &Path) -> String {
    let arguments = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path.to_str().unwrap()];
    let output = run(&Request::new(arguments), Instant::now() + Duration::from_secs(20)).unwrap();
    assert!(output.success(), "{}", output.text());
    std::fs::read_to_string(path.with_extension("pub")).unwrap().trim().to_owned()
}

impl Scene {
    fn new() -> Self {
        let (origin, first) = Origin::new();
        let scratch = tempfile::tempdir().unwrap();
        let path = |name: &str| scratch.path().join(name);
        let host_key = key(&path("host_key"));
        write(&path("authorized_keys"), key(&path("id")).as_bytes());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        write(&path("known_hosts"), format!("[127.0.0.1]:{port} {host_key}\n").as_bytes());
        let configuration = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\n\
             PermitRootLogin yes\nAcceptEnv GIT_PROTOCOL\nPidFile none\n\
             SetEnv GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=*\n",
            path("host_key").display(),
            path("authorized_keys").display(),
        );
        write(&path("sshd_config"), configuration.as_bytes());
        // sshd wants the directory of its privilege separation, which a service would have made.
        std::fs::create_dir_all("/run/sshd").unwrap();
        #[expect(clippy::disallowed_methods, reason = "a server that outlives the call")]
        let sshd = std::process::Command::new(SSHD)
            .arg("-D")
            .arg("-e")
            .arg("-f")
            .arg(path("sshd_config"))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let scene = Self { origin, first, scratch, port, sshd };
        let end = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "sshd does not listen");
            std::thread::yield_now();
        }
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn source_with(&self, change: impl FnOnce(&mut SourceSettings)) -> Source {
        let bare = self.origin.url();
        let mut settings = SourceSettings::new(format!("ssh://root@127.0.0.1:{}{bare}", self.port));
        settings.ssh_key = Some(self.path("id"));
        settings.known_hosts = Some(self.path("known_hosts"));
        settings.limits.deadline = Duration::from_secs(30);
        change(&mut settings);
        source(settings, &self.path("store")).unwrap()
    }
}

fn failure<T: std::fmt::Debug>(result: Result<T, SourceError>) -> FetchFailure {
    match result {
        Err(SourceError::Fetch { failure, .. }) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
#[ignore = "needs sshd"]
fn a_revision_arrives_over_ssh_and_failures_are_told() {
    let able = rustix::process::geteuid().is_root() && Path::new(SSHD).exists();
    assert!(able, "this test needs root and the package openssh-server");
    let scene = Scene::new();
    let source = scene.source_with(|_| {});
    assert_eq!(source.head().unwrap(), scene.first);
    assert_eq!(source.fetch().unwrap().revision, scene.first);
    source.mark_good(scene.first).unwrap();
    let second = scene.origin.commit(&[("site.toml", "# 2\n")]);
    assert_eq!(source.fetch().unwrap().revision, second);
    let revision = source.revision(second).unwrap();
    assert_eq!(revision.read("site.toml").unwrap().unwrap(), b"# 2\n");

    // Not authorized.
    key(&scene.path("stranger"));
    let stranger = scene.path("stranger");
    let failed = failure(scene.source_with(|settings| settings.ssh_key = Some(stranger)).fetch());
    assert!(matches!(failed, FetchFailure::SshRefused { .. }), "{failed:?}");

    // No host key known, and another one known.
    write(&scene.path("nobody"), b"");
    let nobody = scene.path("nobody");
    let failed = failure(scene.source_with(|settings| settings.known_hosts = Some(nobody)).fetch());
    assert_eq!(failed, FetchFailure::UnknownHostKey { host: "127.0.0.1".to_owned() });
    let other = key(&scene.path("other"));
    write(&scene.path("changed"), format!("[127.0.0.1]:{} {other}\n", scene.port).as_bytes());
    let changed = scene.path("changed");
    let failed = failure(scene.source_with(|settings| settings.known_hosts = Some(changed)).head());
    assert_eq!(failed, FetchFailure::ChangedHostKey { host: "127.0.0.1".to_owned() });

    // Nothing there.
    let url = format!("ssh://root@127.0.0.1:{}/nonexistent/policy.git", scene.port);
    let failed = failure(scene.source_with(|settings| settings.url = url).fetch());
    assert!(matches!(failed, FetchFailure::NoRepository { .. }), "{failed:?}");
    let source = scene.source_with(|settings| settings.branch = Some("none".to_owned()));
    assert_eq!(failure(source.fetch()), FetchFailure::NoBranch { branch: "none".to_owned() });
    assert_eq!(source.good().unwrap(), Some(scene.first));
}

fn for_address(address: &str) -> FetchFailure {
    let scratch = tempfile::tempdir().unwrap();
    let settings = SourceSettings::new(format!("ssh://git@{address}/policy.git"));
    failure(source(settings, scratch.path()).unwrap().fetch())
}

#[test]
fn an_ssh_server_that_is_not_there() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failed = for_address(&closed.to_string());
    assert!(matches!(failed, FetchFailure::Unreachable { .. }), "{failed:?}");
    let failed = for_address("name.invalid");
    assert!(matches!(failed, FetchFailure::UnknownHost { .. }), "{failed:?}");
}

#[test]
fn an_ssh_server_that_says_nothing_is_given_up_with_everything_that_was_started() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let held = std::thread::spawn(move || silent.accept().unwrap().0);
    let scratch = tempfile::tempdir().unwrap();
    let mut settings = SourceSettings::new(format!("ssh://git@{address}/policy.git"));
    settings.limits.deadline = Duration::from_secs(2);
    let failed = failure(source(settings, scratch.path()).unwrap().fetch());
    assert_eq!(failed, FetchFailure::Stalled { seconds: 2 });
    // ssh is gone too: its end of the connection is closed.
    let mut stream = held.join().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
}

#[test]
fn a_key_that_is_missing_is_told_before_anything_is_tried() {
    let scratch = tempfile::tempdir().unwrap();
    let mut settings = SourceSettings::new("git@name.invalid:policy.git");
    settings.ssh_key = Some(scratch.path().join("none"));
    let error = source(settings, scratch.path()).unwrap().fetch().unwrap_err();
    assert!(matches!(error, SourceError::ReadCredential { setting: "ssh_key", .. }), "{error}");
}
