//! A repository's own tests: what passes, what fails, and what is said about it.

use std::fmt::Write;

use super::Memory;

const SITE: &str = "[site]\ndata = [\"common\"]\n[[assign]]\nhosts = \"*\"\npolicies = [\"base\"]\n[[assign]]\nwhen = \"labels.role | default('') == 'web'\"\npolicies = [\"web\"]\n";

const BASE: &str = "[file.\"/etc/motd\"]\ncontent = \"{{ facts.hostname }}\\n\"\n\n[group.admin]\nwhen = \"facts.os.family == 'redhat'\"\n";

const WEB: &str = r#"[params]
port = 80
admin = { type = "string", required = true }

[package.nginx]

[file."/etc/nginx/nginx.conf"]
template = "templates/nginx.conf"
mode = "0644"
notify = ["service.nginx"]
tags = ["b", "a"]

[service.nginx]
ensure = "running"
enforce = false

[user.deploy]
groups = ["www-data", "adm"]
password = "$6$salt$0123456789012345678901234567890123456789012345678901234567890123456789012345678901234."
"#;

const TEMPLATE: &str = "user www-data;\nlisten {{ params.port }};\nadmin {{ params.admin }};\n";

/// The results of the cases in `text`, as the command shows them.
fn results(text: &str) -> String {
    let repository = Memory::new(&[
        ("site.toml", SITE),
        ("policies/base.toml", BASE),
        ("policies/web/policy.toml", WEB),
        ("policies/web/templates/nginx.conf", TEMPLATE),
        ("data/common.toml", "[web]\nadmin = \"root@localhost\"\n"),
        ("tests/facts/db.toml", "hostname = \"db1\"\n[os]\nfamily = \"redhat\"\n"),
        ("tests/web.toml", text),
    ]);
    let results = crate::test(&repository, &steadfast_resources::Registry::standard(), None);
    let mut shown = results.diagnostics.render(false);
    for case in &results.cases {
        let word = if case.passed() { "ok" } else { "FAILED" };
        let _ = writeln!(shown, "{word} {} ({}:{})", case.name, case.file, case.line);
        for failure in &case.failures {
            let _ = writeln!(shown, "  {}:{}: {}", failure.file, failure.line, failure.message);
            for note in &failure.notes {
                let _ = writeln!(shown, "    {note}");
            }
            for line in failure.diff.iter().flat_map(|diff| diff.lines()) {
                let _ = writeln!(shown, "    {line}");
            }
        }
    }
    let coverage = results.coverage.expect("coverage");
    let _ = writeln!(shown, "{}/{}", coverage.seen, coverage.declarations);
    for unseen in &coverage.unseen {
        let _ = writeln!(shown, "unseen {} {}:{}", unseen.resource, unseen.file, unseen.line);
    }
    shown
}

#[test]
fn what_is_as_expected_passes() {
    let passed = results(
        r#"
        description = "all that a case can say"
        [facts]
        hostname = "web9"
        [labels]
        role = "web"
        [data]
        web = { port = 8080 }

        [case.everything]
        description = "x"
        policies = ["base", "web"]
        lacks = ["package.apache2", "file./etc/old*", "group.*"]
        order = ["package.nginx", 'file."/etc/nginx/nginx.conf"', "service.nginx"]
        [case.everything.expect.package.nginx]
        [case.everything.expect.file."/etc/motd"]
        content = "web9\n"
        [case.everything.expect.file."/etc/nginx/nginx.conf"]
        mode = "0644"
        template = "templates/nginx.conf"
        content = { contains = ["listen 8080;", "root@"], lacks = ["ssl"], matches = "(?m)^user www-data;$" }
        notify = ["service.nginx"]
        before = ["service.nginx"]
        tags = ["a", "b"]
        timeout = "5m"
        retries = 0
        [case.everything.expect.service.nginx]
        subscribe = "file./etc/nginx/*"
        require = ["package.nginx"]
        enforce = false
        ensure = "running"
        [case.everything.expect.user.deploy]
        groups = { contains = "adm", lacks = ["wheel"], matches = "^www" }
        on_remove = "orphan"

        [case."the label decides"]
        labels = { role = "db" }
        sample = "db"
        policies = ["base"]
        [case."the label decides".expect.group.admin]

        [case.alone]
        policy = "web"
        params = { admin = "a@b", port = 1 }
        policies = ["web"]
        [case.alone.expect.file."/etc/nginx/nginx.conf"]
        content = "user www-data;\nlisten 1;\nadmin a@b;\n"

        [case."a parameter is missing"]
        policy = "web"
        error = ["needs its parameter `admin`"]
        "#,
    );
    insta::assert_snapshot!(passed);
}

#[test]
fn what_is_not_as_expected_is_shown() {
    let failed = results(
        r#"
        labels = { role = "web" }

        [case.policies]
        policies = ["base", "db"]

        [case.resources]
        lacks = ["file./etc/nginx/*"]
        order = ["service.nginx", "package.nginx", "package.ngnix"]
        [case.resources.expect.package.apache2]
        [case.resources.expect.file."/etc/nginx/nginx.conf"]
        mode = "0600"
        owner = "root"
        content = { contains = "ssl", lacks = "www-data", matches = "^listen" }
        notify = ["service.apache2", "package.nginx"]
        require = ["service.nginx"]
        retries = 3
        timeout = 10
        [case.resources.expect.user.deploy]
        password = "$6$salt$x"
        groups = { contains = "wheel", lacks = "adm", matches = "x$" }

        [case.difference.expect.file."/etc/nginx/nginx.conf"]
        content = "user www-data;\nlisten 443;\nadmin root@localhost;\n"

        [case.fails]
        labels = { role = "web" }
        data = { web = { port = "eighty" } }

        [case."fails otherwise"]
        data = { web = { port = "eighty" } }
        error = "cannot be"

        [case."does not fail"]
        error = "x"
        warning = "nothing"
        "#,
    );
    insta::assert_snapshot!(failed);
}

#[test]
fn a_case_that_makes_no_sense_is_told_where() {
    let wrong = results(
        r#"
        descripton = "x"
        [labels]
        role = 7
        [case.a]
        sampel = "debian-12"
        sample = "debian-11"
        lacks = ["pakcage.x", "nonsense"]
        params = { x = 1 }
        [case.a.expect.fiel."/a"]
        [case.a.expect.file."/etc/motd"]
        mdoe = "0644"
        mode = 644
        when = "x"
        ensure = "presnt"
        content = { contain = "x", contains = "y" }
        owner = { matches = "(" }
        [case.a.expect.package]
        nginx = 1
        [case.b]
        policy = "wbe"
        error = "x"
        policies = ["web"]
        [case]
        c = 1
        "#,
    );
    insta::assert_snapshot!(wrong);
}

#[test]
fn a_filter_leaves_cases_out_and_coverage_too() {
    let repository = Memory::new(&[
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = []\n"),
        ("tests/a.toml", "[case.one]\n[case.two]\n"),
        ("tests/b.toml", "[case.three]\n"),
    ]);
    let registry = steadfast_resources::Registry::standard();
    for (filter, expected) in [
        (None, vec!["one", "two", "three"]),
        (Some("tw"), vec!["two"]),
        (Some("b.toml"), vec!["three"]),
        (Some("none"), vec![]),
    ] {
        let results = crate::test(&repository, &registry, filter);
        let names: Vec<&str> = results.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, expected);
        assert_eq!(results.coverage.is_some(), filter.is_none());
        assert!(results.passed());
    }
}

#[test]
fn the_default_sample_is_the_one_that_is_declared() {
    let sample = crate::declaration::CASE.keys.iter().find(|key| key.name == "sample");
    assert_eq!(sample.and_then(|key| key.default), Some(crate::samples::DEFAULT));
}

/// The results of the cases in `cases` about one policy, each failure in a line.
fn failures(policy: &str, cases: &str) -> Vec<String> {
    let repository = Memory::new(&[
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"base\"]\n"),
        ("policies/base.toml", policy),
        ("tests/a.toml", cases),
    ]);
    let results = crate::test(&repository, &steadfast_resources::Registry::standard(), None);
    let told = results.diagnostics.iter().map(|found| found.message.clone());
    let failed = results.cases.iter().flat_map(|case| &case.failures);
    told.chain(failed.map(|failure| failure.message.clone())).collect()
}

#[test]
fn a_thing_is_there_by_whatever_title() {
    let policy = "[file.\"/b\"]\nensure = \"directory\"\n[service.x]\nsubscribe = \"file./b\"\n[service.\"y.service\"]\n";
    for name in [
        "file./b",
        "file./b/",
        "file./b*/",
        "service.x",
        "service.x.service",
        "service.y",
        "service.y.service",
        "service.[x].service",
    ] {
        let cases = format!("[case.a]\nlacks = ['{name}']\n");
        assert_eq!(failures(policy, &cases), [format!("`{name}` is there")]);
    }
    for name in ["file./bb", "file./b/c", "service.x.socket", "service.z", "package.x"] {
        let cases = format!("[case.a]\nlacks = ['{name}']\n");
        assert_eq!(failures(policy, &cases), Vec::<String>::new(), "{name}");
    }
    let found = "[case.a]\norder = ['file./b/', 'service.x.service']\n[case.a.expect.service.\"x.service\"]\nsubscribe = 'file./b/'\n[case.a.expect.file.\"/b/\"]\nnotify = 'service.x.service'\n[case.a.expect.service.y]\n";
    assert_eq!(failures(policy, found), Vec::<String>::new());
    assert_eq!(
        failures(policy, "[case.a.expect.service.\"x.socket\"]\n"),
        ["there is no `service.\"x.socket\"`"]
    );
}

#[test]
fn what_cannot_fail_is_refused() {
    let policy = "[file.\"/a\"]\ncontent = \"x\"\nmode = \"0644\"\n";
    for matcher in [
        "mode = { contains = [] }",
        "mode = { lacks = [] }",
        "mode = { matches = [] }",
        "content = { contains = \"\" }",
        "content = { contains = [\"x\", \"\"] }",
        "content = { matches = \"\", contains = \"x\" }",
    ] {
        let found = failures(policy, &format!("[case.a.expect.file.\"/a\"]\n{matcher}\n"));
        assert_eq!(found.len(), 2, "{matcher}: {found:?}");
        assert!(found[0].contains("is empty"), "{matcher}: {found:?}");
        assert_eq!(found[1], "the case itself has errors");
    }
    let found = failures(policy, "[case.a]\nlacks = ['file./[']\n");
    assert!(found[0].contains("is no glob"), "{found:?}");
}

#[test]
fn an_empty_list_of_edges_means_none() {
    let policy = "[file.\"/a\"]\nnotify = \"service.x\"\n[service.x]\n";
    for (attribute, expected) in [
        ("file.\"/a\"]\nnotify", "`file.\"/a\"` notifies `service.x`"),
        ("file.\"/a\"]\nbefore", "`file.\"/a\"` has to come before `service.x`"),
        ("service.x]\nrequire", "`service.x` comes after `file.\"/a\"`"),
        ("service.x]\nsubscribe", "`service.x` is notified by `file.\"/a\"`"),
    ] {
        let found = failures(policy, &format!("[case.a.expect.{attribute} = []\n"));
        assert_eq!(found, [expected]);
    }
    for attribute in ["file.\"/a\"]\nrequire", "service.x]\nnotify"] {
        let found = failures(policy, &format!("[case.a.expect.{attribute} = []\n"));
        assert_eq!(found, Vec::<String>::new());
    }
}
