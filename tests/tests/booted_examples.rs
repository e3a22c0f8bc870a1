//! The policy repositories of `policies/examples/` on booted hosts: applied, quiet the second time,
//! and doing what they are for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use steadfast_tests::host::{Suite, TestHost};

const LONG: Duration = Duration::from_secs(180);

/// Where a host sees the examples.
const PLACE: &str = "/srv/examples";

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/examples")
}

/// A host with the distribution's packages and the examples at hand.
fn host(suite: Suite, name: &str) -> TestHost {
    let options = TestHost::options(suite).hostname(name);
    let host = options.bind_read_only(&examples(), PLACE).boot();
    host.publish_distribution();
    host
}

/// Labels of the host, as its administrator writes them.
fn label(host: &TestHost, labels: &str) {
    host.write("/etc/steadfast/agent.toml", format!("[labels]\n{labels}\n"));
}

fn report(host: &TestHost, repository: &str, code: i32) -> Value {
    let output = host.command(&["steadfast", "apply", "--json", repository]).deadline(LONG).run();
    serde_json::from_str(&output.code(code).stdout).expect("the report is JSON")
}

/// Applies the example, and once more: nothing is left to do.
fn converges(host: &TestHost, example: &str) {
    let repository = format!("{PLACE}/{example}");
    let first = report(host, &repository, 0);
    assert_eq!(first["outcome"], "changed", "{first:#}");
    let second = report(host, &repository, 0);
    assert_eq!(second["outcome"], "converged", "{second:#}");
    assert_eq!(second["counts"]["notified"], 0, "{second:#}");
}

/// What a server on this host answers to a plain request for `path` of the site `name`.
fn page(host: &TestHost, name: &str, port: u16, path: &str) -> String {
    let script = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{port}\n\
         printf 'GET {path} HTTP/1.0\\r\\nHost: {name}\\r\\n\\r\\n' >&3\ncat <&3"
    );
    host.run(&["bash", "-euc", &script]).stdout
}

fn quickstart(suite: Suite) {
    let host = host(suite, "web1");
    converges(&host, "quickstart");
    assert!(host.read_text("/etc/motd").starts_with("This is web1, Debian GNU/Linux "));
    host.must("test -x /usr/bin/less");
    assert_eq!(
        host.must(
            "stat -c '%U %a' /home/ada/.ssh/authorized_keys; getent passwd ada | cut -d: -f5-"
        ),
        "ada 600\nAda, administrator:/home/ada:/bin/bash"
    );
    host.must("grep -q '^ssh-ed25519 .* ada@example.com$' /home/ada/.ssh/authorized_keys");
}

#[test]
fn quickstart_converges_on_debian_12() {
    quickstart(Suite::Bookworm);
}

#[test]
fn quickstart_converges_on_debian_13() {
    quickstart(Suite::Trixie);
}

fn webserver(suite: Suite) {
    let host = host(suite, "staging");
    converges(&host, "webserver");
    assert_eq!(
        host.must("systemctl is-active nginx; systemctl is-enabled nginx"),
        "active\nenabled"
    );
    assert!(page(&host, "www.example.com", 80, "/").contains("<h1>www.example.com</h1>"));
    assert!(page(&host, "example.com", 80, "/").contains("<h1>www.example.com</h1>"));
    assert!(page(&host, "new.example.com", 8080, "/").contains("<h1>new.example.com</h1>"));
    assert_eq!(page(&host, "unknown.example.com", 80, "/"), "", "no site, no answer");
    assert_eq!(host.must("ls /etc/nginx/sites-enabled | wc -l"), "3", "Debian's own site is gone");
    host.must("logrotate --debug /etc/logrotate.conf");

    // Somebody deploys: as a member of the group, into a site's root; it is theirs and stays.
    let deploy = "printf manual > /srv/docs/manual.txt; rm /srv/www/www.example.com/index.html; \
                  printf deployed > /srv/www/www.example.com/index.html";
    host.command(&["sh", "-euc", deploy]).user("ada").run().success();
    let quiet = report(&host, &format!("{PLACE}/webserver"), 0);
    assert_eq!(quiet["outcome"], "converged", "{quiet:#}");
    assert!(page(&host, "www.example.com", 80, "/").ends_with("deployed"));
    assert!(page(&host, "docs.example.com", 80, "/").contains("manual.txt"));

    // A site is taken out of the data: it is served no more, and the server never stops.
    host.must("cp -r /srv/examples/webserver /srv/changed; rm /srv/changed/data/host/staging.toml");
    let process = host.must("systemctl show --property=MainPID nginx");
    let changed = report(&host, "/srv/changed", 0);
    assert_eq!(changed["counts"]["notified"], 1, "{changed:#}");
    host.wait_until("the site is gone", LONG, || {
        page(&host, "new.example.com", 8080, "/").is_empty()
    });
    assert_eq!(host.must("systemctl show --property=MainPID nginx"), process);

    // A site that nginx refuses is not put in place, and what works goes on.
    let data = "/srv/changed/data/common.toml";
    let text = host.read_text(data).replace("\"docs.example.com\"", "\"docs.example.com;}\"");
    host.write(data, text);
    let failed = report(&host, "/srv/changed", 3);
    assert_eq!(failed["outcome"], "failed", "{failed:#}");
    assert!(page(&host, "www.example.com", 80, "/").ends_with("deployed"));
    assert_eq!(host.must("nginx -t -q; ls /etc/nginx/sites-enabled"), "www.example.com.conf");
}

#[test]
fn webserver_serves_its_sites_on_debian_12() {
    webserver(Suite::Bookworm);
}

#[test]
fn webserver_serves_its_sites_on_debian_13() {
    webserver(Suite::Trixie);
}

/// The fleet's hosts in one environment, each with its role.
fn fleet(suite: Suite) {
    let web = host(suite, "web1");
    label(&web, "role = \"web\"\nenvironment = \"production\"");
    converges(&web, "fleet");
    assert!(page(&web, "shop.example.com", 80, "/").contains("<h1>shop.example.com</h1>"));
    let blog = page(&web, "blog.example.com", 80, "/");
    assert!(blog.contains("<h1>blog.example.com</h1>"), "{blog}");
    assert!(blog.contains("Strict-Transport-Security: max-age=31536000"), "{blog}");
    assert_eq!(web.must("systemctl show --value --property=LimitNOFILE nginx"), "65536");
    assert_eq!(web.must("systemctl is-active clean-uploads.timer"), "active");
    web.must("systemctl start clean-uploads.service; rsyslogd -N1 2>/dev/null; visudo -c -q");
    assert_eq!(web.must("getent group admins"), "admins:x:3000:ada,grace");
    let motd = web.read_text("/etc/motd");
    assert!(
        motd.contains("web1: web, production") && motd.contains("It serves web sites"),
        "{motd}"
    );

    let db = host(suite, "db1");
    label(&db, "role = \"db\"\nenvironment = \"staging\"");
    converges(&db, "fleet");
    assert_eq!(db.must("redis-cli -p 6379 ping; redis-cli -p 6380 ping"), "PONG\nPONG");
    assert_eq!(db.must("redis-cli -p 6380 config get maxmemory | tail -n 1"), "134217728");
    db.must("! systemctl is-active redis-server; systemctl start redis-save-queue.service");
    assert_eq!(db.must("getent group admins"), "admins:x:3000:ada,grace,linus");

    let logs = host(suite, "logs1");
    label(&logs, "role = \"logs\"\nenvironment = \"production\"");
    converges(&logs, "fleet");
    let send = "printf '<13>Nov 25 10:00:00 web7 test: hello\\n' >/dev/tcp/127.0.0.1/514";
    logs.run(&["bash", "-euc", send]).success();
    logs.wait_until("the collector has written the line", LONG, || {
        logs.sh("grep -q hello /var/log/hosts/web7.log").succeeded()
    });
    assert!(!logs.sh("test -e /etc/rsyslog.d/50-forward.conf").succeeded());
}

#[test]
fn fleet_has_its_roles_on_debian_12() {
    fleet(Suite::Bookworm);
}

#[test]
fn fleet_has_its_roles_on_debian_13() {
    fleet(Suite::Trixie);
}

/// What there is below /etc, with modes, owners and contents, and which packages are installed.
fn fingerprint(host: &TestHost) -> String {
    host.must(
        "find /etc -printf '%p %m %u %g %l\\n' | sort\n\
         find /etc -type f -print0 | sort -z | xargs -0 sha256sum\ndpkg-query -W",
    )
}

fn hardening(suite: Suite) {
    let host = host(suite, "host1");
    host.must("systemctl start ssh");
    let before = fingerprint(&host);
    let audited = report(&host, &format!("{PLACE}/hardening"), 2);
    assert_eq!(audited["outcome"], "drifted", "{audited:#}");
    assert_eq!(audited["counts"]["failed"], 0, "{audited:#}");
    assert_eq!(fingerprint(&host), before, "an audit changes nothing");
    assert!(host.sh("sshd -T | grep -q '^permitrootlogin no$'").status != 0);

    let enforcing = "cp -r /srv/examples/hardening /srv/hardening\n\
                     sed -i 's/^enforce = false/enforce = true/' /srv/hardening/data/common.toml";
    host.must(enforcing);
    let first = report(&host, "/srv/hardening", 0);
    assert_eq!(first["outcome"], "changed", "{first:#}");
    let second = report(&host, "/srv/hardening", 0);
    assert_eq!(second["outcome"], "converged", "{second:#}");

    host.must("sshd -t; systemctl is-active ssh");
    let effective = host.must("sshd -T");
    for line in [
        "permitrootlogin no",
        "passwordauthentication no",
        "disableforwarding yes",
        "maxauthtries 4",
    ] {
        assert!(effective.lines().any(|found| found == line), "{line} is not in {effective}");
    }
    let settings = host.read_text("/etc/sysctl.d/60-hardening.conf");
    assert!(settings.contains("kernel.randomize_va_space = 2\n"), "{settings}");
    host.must("visudo -c -q; su -c true nobody -s /bin/sh");
    assert_eq!(
        host.must(
            "stat -c '%a %U:%G' /etc/shadow /etc/ssh/sshd_config /etc/ssh/ssh_host_ed25519_key"
        ),
        "640 root:shadow\n600 root:root\n600 root:root"
    );
    host.must(
        "useradd -m probe; test $(stat -c %a /home/probe) = 750; chage -l probe | grep -q 365",
    );

    // Somebody opens a door again: with the next run it is shut.
    host.must("echo 'PermitRootLogin yes' > /etc/ssh/sshd_config.d/50-hardening.conf");
    let corrected = report(&host, "/srv/hardening", 0);
    assert_eq!(corrected["outcome"], "corrected", "{corrected:#}");
    host.must("sshd -T | grep -q '^permitrootlogin no$'");
}

#[test]
fn hardening_audits_and_then_enforces_on_debian_12() {
    hardening(Suite::Bookworm);
}

#[test]
fn hardening_audits_and_then_enforces_on_debian_13() {
    hardening(Suite::Trixie);
}
