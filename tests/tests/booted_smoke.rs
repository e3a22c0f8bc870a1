//! The test hosts themselves: they boot, install, serve and fetch, and keep what was written.

use std::time::{Duration, Instant};

use steadfast_tests::git::{Behaviour, Fault, GitServer, Identity, PolicyRepository};
use steadfast_tests::host::{Suite, TestHost};
use steadfast_tests::packages::{self, WEB_1_0};
use steadfast_tests::wait_until;

const GIT: &str = "git -c http.sslCAInfo=/etc/test-authority.pem";

fn boots(suite: Suite) {
    let host = TestHost::boot(suite);
    assert_eq!(host.must("systemctl is-system-running"), "running");
    assert_eq!(host.must(". /etc/os-release; echo $VERSION_ID"), suite.version());
    assert_eq!(host.must("hostname"), "host");
    assert_eq!(host.must("ip -brief link | cut -d ' ' -f 1"), "lo", "nothing but loopback");
    assert_eq!(host.run(&["sh", "-c", "echo out; echo err >&2; exit 3"]).code(3).stderr, "err\n");
    host.write("/var/lib/some/where/file", b"\0\xff\n");
    assert_eq!(host.read("/var/lib/some/where/file"), b"\0\xff\n");
    assert_eq!(host.command(&["id", "-un"]).user("www-data").run().success().stdout, "www-data\n");
}

#[test]
fn debian_12_boots() {
    boots(Suite::Bookworm);
}

#[test]
fn debian_13_boots() {
    boots(Suite::Trixie);
}

fn installs(suite: Suite) {
    let host = TestHost::boot(suite);
    host.publish(&[WEB_1_0]);
    host.must("apt-get update && apt-get install -y sf-web");
    assert_eq!(
        host.must("systemctl is-active sf-web; systemctl is-enabled sf-web"),
        "active\nenabled"
    );
    assert_eq!(host.read_text("/var/lib/sf-web/history"), "start hello\n");
    host.publish_all();
    host.must("apt-get install -y sf-web && systemctl reload sf-web");
    assert_eq!(host.must("dpkg-query -W -f '${Version}' sf-web"), "2.0-1");
    host.wait_until("sf-web has reloaded", Duration::from_secs(10), || {
        host.read_text("/var/lib/sf-web/history").ends_with("reload hello\n")
    });
    host.must("apt-get purge -y sf-web && test ! -e /etc/sf-web");
}

#[test]
fn packages_are_installed_from_the_local_repository_on_debian_12() {
    installs(Suite::Bookworm);
}

#[test]
fn packages_are_installed_from_the_local_repository_on_debian_13() {
    installs(Suite::Trixie);
}

#[test]
fn the_web_server_dies_and_validates_as_told() {
    let host = TestHost::boot(Suite::Bookworm);
    host.publish_all();
    host.must("apt-get install -y sf-web");
    host.write("/etc/sf-web/sf-web.conf", "crash=now\n");
    assert!(!host.run(&["systemctl", "restart", "sf-web"]).succeeded());
    host.write("/etc/sf-web/sf-web.conf", "crash=soon\n");
    host.run(&["systemctl", "restart", "sf-web"]).success();
    host.wait_until("sf-web has died", Duration::from_secs(10), || {
        host.run(&["systemctl", "is-failed", "sf-web"]).succeeded()
    });
    host.write("/tmp/candidate", "nonsense\n");
    assert!(host.run(&["sf-web", "-t", "/tmp/candidate"]).stderr.contains("candidate:1"));
}

#[test]
fn every_awkward_package_is_awkward_in_its_way() {
    let host = TestHost::boot(Suite::Trixie);
    host.publish_all();
    let install = |name: &str| {
        let command = host.command(&["apt-get", "install", "-y", name]);
        command.environment("DEBIAN_FRONTEND", "noninteractive").run()
    };
    assert!(!install("sf-broken").succeeded(), "its postinst fails");
    assert_eq!(host.must("dpkg-query -W -f '${Status}' sf-broken"), "install ok half-configured");
    host.write("/etc/sf-broken.repaired", "");
    host.must("dpkg --configure -a");
    assert!(install("sf-depends-missing").stderr.contains("sf-nowhere"));
    assert!(install("sf-virtual").stdout.contains("sf-virtual-b"));
    host.must("echo 'sf-debconf sf-debconf/colour string red' | debconf-set-selections");
    install("sf-debconf").success();
    assert_eq!(host.read_text("/etc/sf-debconf.answer"), "red\n");
    install("sf-tool").success();
    assert_eq!(host.must("sf-tool"), "1:0.5-1");
    install("sf-conflict").success();
    assert!(!host.run(&["sf-tool"]).succeeded(), "its conflict has removed it");
    host.write("/etc/sf-slow.seconds", "0.2\n");
    install("sf-slow").success();
    assert!(packages::ALL.iter().all(|package| package.name.starts_with("sf-")));
}

#[test]
fn a_repository_is_fetched_over_https() {
    let mut repository = PolicyRepository::with(&[("site.toml", "[site]\n")]);
    let commit = repository.commit(&[("policies/motd.toml", "description = \"motd\"\n")]);
    let host = TestHost::boot(Suite::Bookworm);
    let server = GitServer::in_host(&repository, &host);
    let list = format!("{GIT} ls-remote {} refs/heads/main", server.url());
    assert_eq!(host.must(&list), format!("{commit}\trefs/heads/main"));
    host.must(&format!("{GIT} clone --depth 1 {} /tmp/clone", server.url()));
    assert_eq!(host.read_text("/tmp/clone/policies/motd.toml"), "description = \"motd\"\n");
    assert!(
        !host.sh(&format!("git ls-remote {}", server.url())).succeeded(),
        "an unknown authority"
    );
    assert!(server.requests().iter().any(|request| request.method == "POST" && request.sent > 100));
}

#[test]
fn the_server_misbehaves_as_told() {
    let repository = PolicyRepository::with(&[("site.toml", "[site]\n")]);
    let host = TestHost::boot(Suite::Trixie);
    let mut server = GitServer::in_host(&repository, &host);
    let ordinary = Behaviour::default();
    let (certificate, key) = server.certificates().client();
    for (outside, inside) in [(certificate, "/root/client.pem"), (key, "/root/client.key")] {
        host.write(inside, std::fs::read(outside).expect("the certificates are there"));
    }
    let with_certificate = "-c http.sslCert=/root/client.pem -c http.sslKey=/root/client.key";
    let with_token = "-c http.extraHeader='Authorization: Bearer right'";
    let clone = |options: &str| {
        let url = server.url();
        let script = format!(
            "rm -rf /tmp/clone; export GIT_TERMINAL_PROMPT=0; timeout 3 {GIT} {options} clone {url} /tmp/clone"
        );
        host.sh(&script)
    };
    let refuses = |behaviour: &Behaviour, options: &str, reason: &str| {
        server.behave(behaviour);
        let output = clone(options);
        assert!(!output.succeeded() && output.stderr.contains(reason), "{behaviour:?}: {output}");
    };
    let fault = |fault| Behaviour { fault, ..ordinary.clone() };
    let identity = |identity| Behaviour { identity, ..ordinary.clone() };
    let token = Behaviour { token: Some("right".to_owned()), ..ordinary.clone() };
    let client = Behaviour { client_certificate: true, ..ordinary.clone() };

    clone("").success();
    refuses(&identity(Identity::OtherName), "", "certificate");
    refuses(&identity(Identity::OtherAuthority), "", "certificate");
    refuses(&token, "-c http.extraHeader='Authorization: Bearer wrong'", "could not read Username");
    clone(with_token).success();
    refuses(&client, "", "");
    clone(with_certificate).success();
    refuses(&fault(Fault::ServerError), "", "503");
    refuses(&fault(Fault::NotGit), "", "");
    refuses(&fault(Fault::TruncatePack), "", "");
    refuses(&fault(Fault::DropPack), "", "");
    refuses(&fault(Fault::DamagePack), "", "");
    for stalling in [Fault::Stall, Fault::StallPack] {
        server.behave(&fault(stalling));
        assert_eq!(clone("").status, 124, "{stalling:?} never ends by itself");
    }
    server.behave(&ordinary);
    clone("").success();
    server.stop();
}

#[test]
fn what_was_written_survives_a_reboot_and_a_power_cut() {
    let repository = PolicyRepository::with(&[("site.toml", "[site]\n")]);
    let mut host = TestHost::boot(Suite::Bookworm);
    let mut server = GitServer::in_host(&repository, &host);
    let boot = host.must("cat /proc/sys/kernel/random/boot_id");
    host.write("/etc/kept", "kept\n");
    host.write("/run/lost", "lost\n");
    let before = host.container_init_pid();
    host.reboot();
    assert_ne!(host.container_init_pid(), before, "{boot}");
    assert_eq!(host.must("cat /etc/kept; test ! -e /run/lost"), "kept");
    server.move_into(&host);
    host.must(&format!("{GIT} ls-remote {}", server.url()));
    host.write("/etc/kept", "still kept\n");
    host.cut_power();
    assert_eq!(host.read_text("/etc/kept"), "still kept\n");
}

#[test]
fn a_small_disk_fills_up() {
    let shared = tempfile::tempdir().expect("a temporary directory can be made");
    let host = TestHost::options(Suite::Trixie)
        .hostname("web-1")
        .small_disk("/mnt/small", 64)
        .bind(shared.path(), "/mnt/shared")
        .with_fanotify()
        .boot();
    assert_eq!(host.must("hostname"), "web-1");
    let full = host.sh("head -c 100000 /dev/zero >/mnt/small/file");
    assert!(full.stderr.contains("No space left"), "{full}");
    host.write("/mnt/shared/file", "from inside\n");
    let read = std::fs::read_to_string(shared.path().join("file"));
    assert_eq!(read.expect("it is the same directory"), "from inside\n");
}

/// This test starts itself once more, and the child, told apart by its environment, is what gets killed.
#[test]
#[expect(clippy::disallowed_methods, reason = "the process to be killed is this very program")]
fn a_killed_test_leaves_nothing_running() {
    const CHILD: &str = "STEADFAST_TEST_TO_BE_KILLED";
    if std::env::var_os(CHILD).is_some() {
        let host = TestHost::boot(Suite::Bookworm);
        let marker = std::env::var(CHILD).expect("it is the name of a file");
        std::fs::write(marker, host.container_init_pid().to_string()).expect("it can be written");
        host.command(&["sleep", "1000"]).deadline(Duration::from_secs(1000)).run();
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let marker = directory.path().join("init");
    let program = std::env::current_exe().expect("this program has a path");
    let mut child = std::process::Command::new(program)
        .args(["--exact", "a_killed_test_leaves_nothing_running"])
        .env(CHILD, &marker)
        .spawn()
        .expect("this program can be started");
    let mut init = String::new();
    wait_until("the other process has booted its host", Duration::from_secs(60), || {
        init = std::fs::read_to_string(&marker).unwrap_or_default();
        !init.is_empty()
    });
    child.kill().and_then(|()| child.wait()).expect("a child can be killed");
    wait_until("its host is gone", Duration::from_secs(10), || {
        !std::path::Path::new("/proc").join(&init).exists()
    });
}

#[test]
fn a_command_can_be_killed_in_its_course() {
    let host = TestHost::boot(Suite::Bookworm);
    let started = Instant::now();
    let running = host.command(&["sleep", "100"]).start();
    running.kill();
    assert_eq!(running.wait(Duration::from_secs(10)).status, 128 + 9);
    assert!(started.elapsed() < Duration::from_secs(10));
    let script = "trap 'exit 7' TERM; touch /run/ready; while :; do sleep 0.1; done";
    let running = host.command(&["sh", "-c", script]).start();
    host.wait_until("the trap is set", Duration::from_secs(5), || {
        host.run(&["test", "-e", "/run/ready"]).succeeded()
    });
    running.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(running.wait(Duration::from_secs(10)).status, 7);
}
