//! Checks and the rules of a site, as the agent gets them.

use std::time::Duration;

use super::{Memory, inputs, registry};
use crate::catalog::Catalog;
use crate::check::Probe;
use crate::rules::ChangeLimit;

fn site(files: &[(&str, &str)]) -> Catalog {
    crate::evaluate(&Memory::new(files), &inputs(), &registry())
        .unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn rules_of_a_site() {
    let catalog = site(&[
        (
            "site.toml",
            r#"
            [[assign]]
            hosts = "*"
            policies = ["web"]
            [limits]
            deletions = 20
            changes = "50%"
            [rollout]
            waves = [{ percent = 5 }, { percent = 50, after = "1h" }, { percent = 100, after = "4h" }]
            [[window]]
            allow = "Mon..Fri 22:00-04:00"
            timezone = "Europe/Berlin"
            [[window]]
            allow = ["Sat 10:00-12:00", "Sun 10:00-12:00"]
            timezone = "UTC"
            "#,
        ),
        ("policies/web.toml", ""),
    ]);
    let rules = &catalog.rules;
    assert_eq!(rules.limits.deletions, Some(20));
    assert_eq!(rules.limits.restarts, None);
    assert_eq!(rules.limits.changes, Some(ChangeLimit::Percent(50)));
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let waves: Vec<_> = rules.waves.iter().map(|wave| (wave.percent, wave.after)).collect();
    assert_eq!(waves, [(5, hours(0)), (50, hours(1)), (100, hours(4))]);
    assert_eq!(rules.windows.len(), 2);
    assert_eq!(rules.windows[1].spans.len(), 2);
    assert_eq!(rules.windows[0].place.line, 10);
    assert_eq!(rules.declared(), ["[limits]", "[rollout]", "[[window]]"]);
    let open = "2026-11-28T11:00:00Z".parse().unwrap();
    assert!(rules.may_interrupt(open));
}

#[test]
fn checks_of_sites_policies_and_modules() {
    let catalog = site(&[
        (
            "site.toml",
            "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n\
             [check.ssh]\ntcp = \"[::1]:22\"\n\
             [check.not_here]\nwhen = \"facts.os.family == 'windows'\"\nunit = \"x\"\n",
        ),
        (
            "policies/web.toml",
            r#"
            [params]
            port = 8080
            [check."site {{ item }}"]
            for_each = ["a", "b"]
            http = "http://{{ item }}:{{ params.port }}/"
            status = [200, "300..399"]
            contains = "ok"
            within = "2m"
            interval = "5s"
            [check.pid]
            file = "/run/web.pid"
            max_age = "1d"
            [module.one]
            source = "vhost"
            "#,
        ),
        (
            "policies/vhost.toml",
            "[check.up]\nunit = \"vhost@x\"\n[check.ready]\ncommand = \"test -e '/run/a b'\"\n",
        ),
    ]);
    let names: Vec<String> = catalog.checks.iter().map(crate::Check::qualified).collect();
    let expected =
        ["site/ssh", "web/one/up", "web/one/ready", "web/site a", "web/site b", "web/pid"];
    assert_eq!(names, expected);
    let check = |name: &str| {
        catalog.checks.iter().find(|check| check.qualified() == name).expect("a check")
    };
    assert_eq!(check("site/ssh").probe, Probe::Tcp { host: "::1".into(), port: 22 });
    assert_eq!(check("site/ssh").within, Duration::from_secs(30));
    let site_a = check("web/site a");
    let probe = Probe::Http {
        url: "http://a:8080/".into(),
        status: vec![(200, 200), (300, 399)],
        contains: Some("ok".into()),
    };
    assert_eq!(site_a.probe, probe);
    assert_eq!((site_a.within.as_secs(), site_a.interval.as_secs()), (120, 5));
    assert_eq!((&*site_a.place.file, site_a.place.line), ("policies/web.toml", 4));
    assert!(
        matches!(&check("web/one/up").probe, Probe::Unit(name) if name.as_str() == "vhost@x.service")
    );
    let argv = ["test", "-e", "/run/a b"].map(str::to_owned).to_vec();
    assert_eq!(check("web/one/ready").probe, Probe::Command { argv, contains: None });
    assert!(matches!(
        &check("web/pid").probe,
        Probe::File { max_age: Some(age), .. } if age.as_secs() == 86400
    ));
}

#[test]
fn a_check_changes_no_digest() {
    let with = |more: &str| {
        let site = format!("[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n{more}");
        self::site(&[("site.toml", &site), ("policies/web.toml", "[note.\"/a\"]\n")]).digest
    };
    assert_eq!(with(""), with("[check.ssh]\ntcp = \"x:22\"\n[limits]\ndeletions = 1\n"));
}
