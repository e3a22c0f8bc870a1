//! `steadfast accept` on booted hosts: drift of every kind becomes a patch that `git am` takes, and
//! then there is nothing left to do.

use std::time::Duration;

use steadfast_tests::Output;
use steadfast_tests::host::{Suite, TestHost};

const LONG: Duration = Duration::from_secs(180);

const POLICY: &str = r#"# Kept by hand.
[params]
greeting = "hello"

[group.crew]
gid = 4300
members = ["root"] # more to come
membership = "inclusive"

[user.ann] # the first one
uid = 4200
groups = ["adm", "www-data"]
comment = "Ann"
shell = "/bin/bash"
expiry = "2037-01-31"

[user.bob]
uid = 4201
shell = "/bin/sh"

[package.sf-tool]
ensure = "1:0.5-1"

[package.sf-slow]

[package.sf-web]
hold = false

[service.sf-web]
ensure = "running" # always
enable = true

[file."/srv/content"]
content = "one\ntwo\n"
mode = "0644"
owner = "root"

[file."/srv/source"]
source = "files/source"

[file."/srv/gone"]
content = "x"
mode = "0600"

[file."/srv/link"]
target = "content"

[file."/srv/tree"]
source = "files/tree"

[file."/srv/greeting"]
content = "{{ params.greeting }}\n"

[file."/srv/secret"]
content = "old secret\n"
mode = "0600"
"#;

fn steadfast(host: &TestHost, words: &str) -> Output {
    let all: Vec<&str> = ["steadfast"].into_iter().chain(words.split_whitespace()).collect();
    host.command(&all).deadline(LONG).run()
}

fn prepared(suite: Suite) -> TestHost {
    let host = TestHost::boot(suite);
    host.publish_all();
    host.must("apt-get update");
    host.write("/root/policy/site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n");
    host.write("/root/policy/policies/web/policy.toml", POLICY);
    host.write("/root/policy/policies/web/files/source", "a\nb\nno end");
    host.write("/root/policy/policies/web/files/tree/one", "1\n");
    host.write("/root/policy/policies/web/files/tree/two", b"\0binary");
    host.must(
        "cd /root/policy && git init -q -b main && git config user.name Test && \
         git config user.email test@example.com && git add . && git commit -qm start",
    );
    steadfast(&host, "apply /root/policy").code(0);
    steadfast(&host, "plan /root/policy").code(0);
    host
}

/// Accepts `names`, applies the patch, and plans nothing for them any more.
fn accepted(host: &TestHost, names: &str) -> String {
    let output = steadfast(host, &format!("accept {names} /root/policy")).code(0);
    host.write("/root/patch", &output.stdout);
    host.must("cd /root/policy && git am -q /root/patch && git diff --exit-code HEAD");
    for name in names.split_whitespace().filter(|word| word.contains('.')) {
        let again = steadfast(host, &format!("accept {name} /root/policy")).code(0);
        assert!(again.stderr.contains("nothing to accept"), "{again}{}", output.stdout);
    }
    output.stdout
}

fn every_kind(suite: Suite) {
    let host = prepared(suite);

    host.must("printf 'one\\nTWO\\nthree' >/srv/content && chmod 0755 /srv/content");
    host.must("chown www-data /srv/content && printf 'a\\nB\\nno end' >/srv/source");
    host.must("rm /srv/gone && ln -sfn source /srv/link && rm /srv/tree/one");
    host.must("printf '\\0changed' >/srv/tree/two");
    let patch = accepted(
        &host,
        "file./srv/content file./srv/source file./srv/gone file./srv/link file./srv/tree",
    );
    for text in [
        "+owner = \"www-data\"",
        "\n-mode = \"0600\"\n",
        "+target = \"source\"",
        "\\ No newline at end of file",
        "GIT binary patch",
        "deleted file mode 100644",
    ] {
        assert!(patch.contains(text), "{text} in {patch}");
    }

    host.must("DEBIAN_FRONTEND=noninteractive apt-get install -y --allow-downgrades sf-tool=1.0-1");
    host.must("apt-get remove -y sf-slow && apt-mark hold sf-web");
    let patch = accepted(&host, "package.sf-tool package.sf-slow package.sf-web");
    assert!(
        patch.contains("+hold = true")
            && patch.contains("+ensure = \"1.0-1\"")
            && patch.contains("+ensure = \"absent\""),
        "{patch}"
    );

    host.must("systemctl stop sf-web && systemctl disable sf-web");
    let patch = accepted(&host, "service.sf-web");
    assert!(patch.contains("+ensure = \"stopped\" # always\n+enable = false"), "{patch}");

    host.must("usermod -s /bin/sh -c 'Ann B' -G adm,crew -e '' ann && userdel bob");
    host.must("gpasswd -d root crew && gpasswd -a www-data crew");
    let patch = accepted(&host, "user.ann user.bob group.crew");
    for text in [
        "+groups = [\"adm\"]",
        "+comment = \"Ann B\"",
        "+expiry = \"never\"",
        "-uid = 4201",
        "+ensure = \"absent\"",
        "+members = [\"ann\", \"www-data\"] # more to come",
    ] {
        assert!(patch.contains(text), "{text} in {patch}");
    }
    let policy = host.read_text("/root/policy/policies/web/policy.toml");
    assert!(
        policy.starts_with("# Kept by hand.\n") && policy.contains("[user.ann] # the first one")
    );
    steadfast(&host, "validate /root/policy").code(0);
    let plan = steadfast(&host, "plan /root/policy").code(0);
    assert!(plan.stdout.contains("Nothing to do."), "{plan}");
}

#[test]
fn drift_of_every_kind_goes_back_to_git_on_debian_12() {
    every_kind(Suite::Bookworm);
}

#[test]
fn drift_of_every_kind_goes_back_to_git_on_debian_13() {
    every_kind(Suite::Trixie);
}

#[test]
fn what_would_be_a_guess_is_refused() {
    let host = prepared(Suite::Trixie);
    host.must("echo hi >/srv/greeting && echo 'new secret' >/srv/secret");
    let output = steadfast(&host, "accept file./srv/greeting /root/policy").code(2);
    assert_eq!(output.stdout, "");
    assert!(
        output.stderr.contains("edit policies/web/policy.toml:3 (params.greeting)"),
        "{output}"
    );
    let output = steadfast(&host, "accept file./srv/secret /root/policy").code(2);
    assert!(!output.stderr.contains("new secret") && output.stderr.contains("--show-secrets"));
    let output = steadfast(&host, "accept file./srv/secret /root/policy --show-secrets").code(0);
    assert!(output.stdout.contains("+content = \"new secret\\n\""), "{output}");
    let masked = host.must(
        "systemctl mask --now sf-web >/dev/null; steadfast accept service.sf-web /root/policy",
    );
    assert!(masked.contains("+ensure = \"stopped\" # always\n+enable = \"masked\""), "{masked}");
    host.must("systemctl unmask sf-web");
    // A service that has failed is nothing anybody wants.
    host.must(
        "systemctl stop sf-web; echo crash=now >/etc/sf-web/sf-web.conf; ! systemctl start sf-web",
    );
    let output = steadfast(&host, "accept service.sf-web /root/policy").code(2);
    assert!(output.stderr.contains("it is failed"), "{output}");
}
