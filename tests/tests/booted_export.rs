//! `steadfast export` on booted hosts: what it prints validates, and planning it there plans nothing.

use std::time::Duration;

use steadfast_tests::host::{Suite, TestHost};

const LONG: Duration = Duration::from_secs(180);

fn steadfast(host: &TestHost, words: &str, code: i32) -> String {
    let mut all = vec!["steadfast"];
    all.extend(words.split_whitespace());
    host.command(&all).deadline(LONG).run().code(code).stdout
}

/// Exports with `words`, and shows that the host is what the policy says.
fn exported(host: &TestHost, words: &str) -> String {
    let policy = steadfast(host, &format!("export {words}"), 0);
    host.write("/root/exported.toml", &policy);
    let found = steadfast(host, "validate /root/exported.toml", 0);
    assert_eq!(found, "0 errors, 0 warnings\n", "{policy}");
    let plan = steadfast(host, "plan /root/exported.toml", 0);
    assert!(plan.contains("Nothing to do."), "{plan}{policy}");
    assert!(!policy.contains("# to do"), "{policy}");
    policy
}

fn every_kind(suite: Suite) {
    let host = TestHost::boot(suite);
    host.publish_all();
    host.must("apt-get update && apt-get install -y sf-web sf-tool sf-application");
    host.must("apt-mark hold sf-tool && systemctl stop sf-web");
    host.must("groupadd -g 4300 readers && useradd -m -u 4200 -G readers -c 'Möller, {{ x }}' ann");
    host.must(
        "echo 'ann:correct' | chpasswd && usermod -e 2037-01-31 ann && gpasswd -a root readers",
    );
    host.must("useradd -M -N -g readers -s /usr/sbin/nologin -p '!' locked");
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAbcdefghijklmnopqrstuvwxyzABCDEFGHIJ ann@home";
    host.must(&format!(
        "install -d -o ann -g ann -m 700 /home/ann/.ssh && printf '# mine\\n{key}\\n' \
         >/home/ann/.ssh/authorized_keys && chown ann: /home/ann/.ssh/authorized_keys"
    ));
    host.must("systemctl mask fstrim.timer && systemctl enable ssh.service");

    let packages = exported(&host, "package");
    for text in ["[package.sf-web]\nensure = \"present\"\n", "[package.sf-application]\n"] {
        assert!(packages.contains(text), "{text} in {packages}");
    }
    assert!(!packages.contains("sf-library"), "it came by itself: {packages}");
    assert!(
        packages.contains("[package.sf-tool]\nensure = \"1:0.5-1\"\nhold = true\n"),
        "{packages}"
    );

    let services = exported(&host, "service");
    for text in [
        "[service.sf-web]\nensure = \"stopped\"\nenable = true\n",
        "[service.\"fstrim.timer\"]\nensure = \"stopped\"\nenable = \"masked\"\n",
        "[service.\"getty@tty1\"]\n",
    ] {
        assert!(services.contains(text), "{text} in {services}");
    }
    assert!(
        !services.contains("systemd-journald]"),
        "static units were chosen by nobody: {services}"
    );
    exported(&host, "service systemd-journald dbus.socket");

    let users = exported(&host, "user");
    assert!(users.starts_with("[user.ann]\n# `password` is left out"), "{users}");
    assert!(users.contains("groups = [\"readers\"]"), "{users}");
    assert!(
        users.contains("manage_home = true") && users.contains("expiry = \"2037-01-31\""),
        "{users}"
    );
    assert!(users.contains("ann@home\""), "{users}");
    assert!(!users.contains("$y$") && !users.contains("$6$"), "{users}");
    let shown = exported(&host, "user ann locked --show-secrets");
    assert!(shown.contains("password = \"$y$") && shown.contains("password = \"!\""), "{shown}");
    let system = exported(&host, "user --system");
    assert!(system.contains("[user.root]") && system.contains("[user.nobody]"), "{system}");

    let groups = exported(&host, "group");
    assert!(
        groups.contains("[group.readers]\ngid = 4300\nmembers = [\"ann\", \"root\"]"),
        "{groups}"
    );
    assert!(!groups.contains("[group.adm]"), "{groups}");
    assert!(exported(&host, "group --system").contains("[group.adm]"));
}

#[test]
fn what_is_exported_plans_nothing_on_debian_12() {
    every_kind(Suite::Bookworm);
}

#[test]
fn what_is_exported_plans_nothing_on_debian_13() {
    every_kind(Suite::Trixie);
}

fn files(suite: Suite) {
    let host = TestHost::boot(suite);
    host.must("mkdir -p '/srv/a b/.hidden' && ln -s ../etc/passwd /srv/link && touch /srv/empty");
    host.write(
        "/srv/a b/{{ weird }} \"name\"",
        "text {{ not }} {% evaluated %} \\ \"\"\"\r\nno end",
    );
    host.write("/srv/a b/.hidden/binary", b"\0\x01\xff");
    host.write("/srv/secret", "the secret\n");
    host.must("chmod 0600 /srv/secret && chown www-data: /srv/secret && chmod 4755 /srv/empty");
    host.must("seq 20000 >/srv/long && mkfifo /srv/fifo");
    exported(&host, "file /etc/passwd /etc/localtime /srv/link /srv/empty /etc /tmp");

    let refused = host.run(&["steadfast", "export", "file", "/srv/secret", "/srv/long"]).code(1);
    assert_eq!(refused.stdout, "", "nothing is printed of a policy that cannot stand alone");
    assert!(refused.stderr.contains("/srv/secret is not for everybody's eyes"), "{refused}");
    assert!(refused.stderr.contains("/srv/long is long"), "{refused}");
    assert!(!refused.stderr.contains("the secret"), "{refused}");

    let output =
        host.run(&["steadfast", "export", "file", "/srv", "--recurse", "--out", "/root/out"]);
    let output = output.code(0);
    assert!(output.stderr.contains("left out: /srv/fifo is a FIFO"), "{output}");
    assert_eq!(host.must("stat -c %a /root/out/files/srv/secret"), "600");
    assert_eq!(host.read("/root/out/files/srv/a b/dot.hidden/binary"), b"\0\x01\xff");
    let policy = host.read_text("/root/out/policy.toml");
    assert!(!policy.contains("the secret"), "{policy}");
    assert_eq!(steadfast(&host, "validate /root/out/policy.toml", 0), "0 errors, 0 warnings\n");
    let plan = steadfast(&host, "plan /root/out/policy.toml", 0);
    assert!(plan.contains("10 in sync. Nothing to do."), "{plan}{policy}");
    // Not in sync because nothing is compared: a change shows.
    host.must("echo more >>/srv/secret && chmod 0755 /srv/empty");
    assert!(steadfast(&host, "plan /root/out/policy.toml", 2).contains("2 to change"));
    host.run(&["steadfast", "export", "file", "/srv", "--out", "/root/out"]).code(1);
    host.run(&["steadfast", "export", "file"]).code(1);
    host.run(&["steadfast", "export", "file", "/srv/fifo"]).code(1);
    host.run(&["steadfast", "export", "user", "nobodyhere"]).code(1);
}

#[test]
fn files_are_exported_on_debian_12() {
    files(Suite::Bookworm);
}

#[test]
fn files_are_exported_on_debian_13() {
    files(Suite::Trixie);
}
