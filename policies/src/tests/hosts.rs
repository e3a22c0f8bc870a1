//! Validation with the facts of many hosts: what is told, and above all what is not.

use std::fmt::Write;

use super::{Memory, registry};
use crate::diagnostics::Severity;

/// What `validate` tells of a repository: place, message and fact sets, a line each.
fn told(files: &[(&str, &str)]) -> Vec<String> {
    let found = crate::validate(&Memory::new(files), &registry());
    found
        .iter()
        .map(|diagnostic| {
            let mut line = match diagnostic.severity {
                Severity::Error => String::new(),
                Severity::Warning => "warning: ".to_owned(),
            };
            if let Some(place) = &diagnostic.place {
                let _ = write!(line, "{}:{}: ", place.file, place.line);
            }
            line.push_str(&diagnostic.message);
            if let Some(facts) = diagnostic.facts_in_words() {
                let _ = write!(line, " ({facts})");
            }
            line
        })
        .collect()
}

/// The same where `web` is assigned to all hosts.
fn web(text: &str) -> Vec<String> {
    told(&[
        ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n"),
        ("policies/web.toml", text),
    ])
}

#[test]
fn what_fails_only_with_certain_facts_is_told_with_them() {
    let note = |content: &str| format!("[note.\"/a\"]\ncontent = \"{content}\"\n");
    for (text, expected) in [
        (
            note("{{ facts.os.famly }}"),
            "policies/web.toml:2: `facts.os.famly` is undefined (with the facts of every sample)",
        ),
        (
            note("{{ {'debian': 'x', 'suse': 'y', 'redhat': 'z', 'arch': 'a'}[facts.os.family] }}"),
            "policies/web.toml:2: this expression has no value (with the facts of sample alpine-3.21)",
        ),
        (
            note("{% if facts.os.id == 'arch' %}{{ facts.os.nme }}{% endif %}"),
            "policies/web.toml:2: `facts.os.nme` is undefined (with the facts of sample arch)",
        ),
        (
            "[note.\"/a\"]\nmode = \"{{ 'abc' if facts.os.id == 'fedora' else '0644' }}\"\n".to_owned(),
            "policies/web.toml:2: this is no mode (with the facts of sample fedora-42)",
        ),
        (
            "[note.\"/a\"]\n[note.\"{{ '/a' if facts.os.major == 9 else '/b' }}\"]\n".to_owned(),
            "policies/web.toml:2: `note.\"/a\"` is defined twice (with the facts of sample rhel-9)",
        ),
        (
            "[note.\"/a\"]\nrequire = [\"note.{{ '/x' if facts.os.id == 'sles' else '/a/b' }}\"]\n[note.\"/a/b\"]\n"
                .to_owned(),
            "policies/web.toml:2: there is no resource `note./x` (with the facts of sample sles-15)",
        ),
    ] {
        assert_eq!(web(&text), [expected], "{text}");
    }
}

#[test]
fn what_a_real_host_may_have_is_no_error() {
    for text in [
        "content = \"{{ labels.role }}\"",
        "content = \"{% if labels.role == 'x' %}{{ facts.os.nme }}{% endif %}\"",
        "content = \"{{ labels.role | default('') }}\"\nmode = \"{{ labels.mode | default('abc') }}\"",
        "when = \"labels.role == 'web'\"\ncontent = \"{{ facts.custom.rack }}\"",
        "content = \"{{ facts.network.interfaces.eth7.mac }}\"",
        "content = \"{{ facts.mounts['/data'].device }}\"",
        "content = \"{{ facts.disks.sdb.size }}\"",
        "when = \"facts.os.family == 'debian'\"\ncontent = \"{{ {'bookworm': 1, 'trixie': 2, 'noble': 3}[facts.os.codename] }}\"",
        "for_each = \"labels.list | default([])\"\ncontent = \"{{ item }}\"",
        "for_each = \"facts.custom.list\"\ncontent = \"{{ item.name }}\"",
        "require = [\"note.{{ labels.x }}\"]",
    ] {
        assert_eq!(web(&format!("[note.\"/a\"]\n{text}\n")), [""; 0], "{text}");
    }
}

#[test]
fn a_policy_is_tried_only_with_hosts_that_may_get_it() {
    let codename = "[note.\"/a\"]\ncontent = \"{{ {'bookworm': 1, 'trixie': 2, 'noble': 3}[facts.os.codename] }}\"\n";
    let everywhere = [
        "policies/deb.toml:2: this expression has no value (with the facts of sample fedora-42 and 5 others)",
    ];
    for (site, expected) in [
        ("[[assign]]\nwhen = \"facts.os.family == 'debian'\"\npolicies = [\"deb\"]\n", &[][..]),
        (
            "[[assign]]\nhosts = \"db*\"\nwhen = \"facts.os.family == 'debian'\"\npolicies = [\"deb\"]\n",
            &[],
        ),
        (
            "[[assign]]\nwhen = \"labels.role == 'db' and facts.os.family == 'debian'\"\npolicies = [\"deb\"]\n",
            &[],
        ),
        (
            "[[assign]]\nwhen = \"labels.role | default('') == 'db'\"\npolicies = [\"deb\"]\n",
            &everywhere,
        ),
        ("[[assign]]\nhosts = \"db*\"\npolicies = [\"deb\"]\n", &everywhere),
        ("", &everywhere),
    ] {
        let found = told(&[("site.toml", site), ("policies/deb.toml", codename)]);
        assert_eq!(found, expected, "{site}");
    }
    let module = "[module.x]\nwhen = \"facts.os.family == 'debian'\"\nsource = \"deb\"\n";
    let files = [("site.toml", ""), ("policies/deb.toml", codename), ("policies/use.toml", module)];
    assert_eq!(told(&files), [""; 0]);
    // Nothing that uses it is ever tried, and its own parameters are unknown: it still is.
    let module = "[params]\nlist = []\n[module.x]\nfor_each = \"params.list\"\nsource = \"deb\"\n";
    let files = [("site.toml", ""), ("policies/deb.toml", codename), ("policies/use.toml", module)];
    assert_eq!(told(&files), everywhere);
}

#[test]
fn data_of_other_hosts_is_no_error_and_data_of_nobody_is() {
    let site = "[site]\ndata = [\"common\", \"host/{{ facts.hostname }}\"]\n[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n";
    let policy = "[params]\nadmin = { type = \"string\", required = true }\n[note.\"/a\"]\ncontent = \"{{ params.admin }}\"\nowner = \"{{ data.zone.name }}\"\n";
    let own = "[web]\nadmin = \"x\"\n[zone]\nname = \"y\"\n";
    let common = "[zone]\nother = 1\n[web]\n";
    let with = |host: &str| {
        told(&[
            ("site.toml", site),
            ("policies/web.toml", policy),
            ("data/common.toml", common),
            ("data/host/web7.toml", host),
        ])
    };
    let unused = "warning: data/common.toml:2: nothing reads `data.zone.other`";
    assert_eq!(with(own), [unused]);
    let nobody = with("[web]\n");
    assert!(nobody.iter().any(|line| line.contains("needs its parameter `admin`")), "{nobody:?}");
    let typo = with("[web]\nadmin = \"x\"\n[zone]\nnmae = \"y\"\n");
    assert!(
        typo.iter().any(|line| line.starts_with(
            "policies/web.toml:5: `data.zone.name` is undefined (with the facts of every"
        )),
        "{typo:?}"
    );
}

#[test]
fn facts_of_the_repository_and_cases_know_more() {
    let site = "[[assign]]\nhosts = \"web*\"\npolicies = [\"web\"]\n";
    let policy =
        "[note.\"/a\"]\nowner = \"{{ labels.role }}\"\ngroup = \"x{{ facts.custom.rack }}\"\n";
    let with = |path: &str, text: &str| {
        told(&[("site.toml", site), ("policies/web.toml", policy), (path, text)])
    };
    let toml = "hostname = \"web1\"\nfqdn = \"web1.example.com\"\n[custom]\n";
    assert_eq!(
        with("tests/facts/web1.toml", toml),
        [
            "policies/web.toml:3: `facts.custom.rack` is undefined (with the facts of tests/facts/web1.toml)"
        ]
    );
    let json = r#"{ "hostname": "web1", "fqdn": "web1", "custom": { "rack": 4 } }"#;
    assert_eq!(with("tests/facts/web1.json", json), [""; 0]);
    assert_eq!(
        with("tests/facts/web1.json", "{ \"hostname\": \"web1\",\n }"),
        ["tests/facts/web1.json:2: this is not JSON: trailing comma"]
    );
    let case = "[case.x]\nfacts = { hostname = \"web1\", custom = { rack = 1 } }\n";
    assert_eq!(
        with("tests/web.toml", case),
        [
            "policies/web.toml:2: `labels.role` is undefined (with the facts of case x of tests/web.toml)"
        ]
    );
    let expected = format!("{case}error = \"labels.role\"\n");
    assert_eq!(with("tests/web.toml", &expected), [""; 0]);
    assert_eq!(with("tests/web.toml", &format!("{case}[case.x.labels]\nrole = \"a\"\n")), [""; 0]);
}

#[test]
fn what_nothing_reads_is_warned_of() {
    let site = "[site]\ndata = [\"common\", \"os/{{ facts.os.family }}\"]\n[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n";
    let policy = "[params]\nport = 80\nprot = 81\nvhosts = {}\n[note.\"/a\"]\ncontent = \"{{ params.port }} {{ data.zones[facts.os.id] | default('') }} {{ data.ntp.server }}\"\n[note.\"/b/{{ item.key }}\"]\nfor_each = \"params.vhosts\"\n";
    let data = "[web]\nport = 1\nporrt = 2\n[wbe]\nport = 1\n[zones]\narch = 1\n[ntp]\nserver = \"x\"\npeer = \"y\"\n";
    assert_eq!(
        told(&[
            ("site.toml", site),
            ("policies/web.toml", policy),
            ("data/common.toml", data),
            ("data/os/debian.toml", "[web]\nport = 2\n"),
            ("data/role/db.toml", "x = 1\n"),
        ]),
        [
            "warning: data/common.toml:3: policy `web` has no parameter `porrt`, and nothing reads `data.web.porrt`",
            "warning: data/common.toml:4: nothing reads `data.wbe`",
            "warning: data/common.toml:10: nothing reads `data.ntp.peer`",
            "warning: data/role/db.toml:1: no data layer of `site.toml` names `data/role/db.toml`",
            "warning: policies/web.toml:3: nothing in policy `web` uses its parameter `prot`",
        ]
    );
    // What is used as a whole, or by a template alone, is used.
    for (path, text) in [
        (
            "policies/all/policy.toml",
            "[params]\nx = 1\n[note.\"/a\"]\ncontent = \"{{ params | to_json }}\"\n",
        ),
        (
            "policies/all/policy.toml",
            "[params]\nx = 1\n[note.\"/a\"]\ntemplate = \"templates/a\"\n",
        ),
        (
            "policies/all/policy.toml",
            "[params]\nx = 1\n[module.m]\nsource = \"other\"\ny = \"{{ params.x }}\"\n",
        ),
    ] {
        let files = [
            ("site.toml", ""),
            (path, text),
            ("policies/all/templates/a", "{% include 'templates/b' %}"),
            ("policies/all/templates/b", "{{ params.x }}"),
            (
                "policies/other.toml",
                "[params]\ny = 1\n[note.\"{{ '/x' if params.y else '/y' }}\"]\n",
            ),
        ];
        assert_eq!(told(&files), [""; 0], "{text}");
    }
}

#[test]
fn a_parameter_that_nobody_gives_is_told_and_one_that_another_assignment_gives_is_not() {
    let policy = "[params]\nadmin = { type = \"string\", required = true }\n[note.\"/a\"]\ncontent = \"{{ params.admin }}\"\n";
    let one = "[[assign]]\nhosts = \"web*\"\npolicies = [\"web\"]\n";
    let two = "[[assign]]\nwhen = \"labels.role == 'x'\"\npolicies = [\"web\"]\n[assign.params.web]\nadmin = \"x\"\n";
    let with = |site: &str| {
        told(&[("site.toml", site), ("policies/web.toml", policy), ("data/other.toml", "")])
            .into_iter()
            .filter(|line| !line.starts_with("warning: data/other.toml"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        with(one),
        ["site.toml:3: policy `web` needs its parameter `admin` (with the facts of every sample)"]
    );
    assert_eq!(with(two), [""; 0]);
    assert_eq!(with(&format!("{one}{two}")), [""; 0]);
}

#[test]
fn modules_are_tried_with_what_their_users_give() {
    let module = "[params]\nfamily = { type = \"string\", required = true }\nlist = []\n[note.\"/a/{{ params.family }}\"]\ncontent = \"{{ params.list[0] }}\"\n";
    let uses = |list: &str| {
        told(&[
            ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"use\"]\n"),
            ("policies/part.toml", module),
            (
                "policies/use.toml",
                &format!(
                    "[module.x]\nsource = \"part\"\nfamily = \"{{{{ facts.os.family }}}}\"\nlist = {list}\n"
                ),
            ),
        ])
    };
    assert_eq!(uses("[1]"), [""; 0]);
    assert_eq!(uses("\"{{ labels.list }}\""), [""; 0]);
    let empty = uses("[]");
    assert_eq!(empty.len(), 1, "{empty:?}");
    assert!(empty[0].starts_with("policies/part.toml:5: "), "{empty:?}");
}

#[test]
fn what_passes_in_silence_is_warned_of() {
    let site =
        ("site.toml", "data = [\"common\"]\n[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n");
    let site = (site.0, site.1.replacen("data", "[site]\ndata", 1));
    let policy = "[params]\nx = \"\"\ny = \"\"\n\n[note.\"/a\"]\nwhen = \"facts.os.family == 'Debian'\"\ncontent = \"{{ params.x }}{{ params.y }}\"\n\n[note.\"/b/{{ facts.hostname }}\"]\n";
    let data = "[web]\nx = \"{{ facts.hostname }}\"\ny = \"{{ .Values.x }}\"\n";
    let cases = "[case.a]\nlacks = [\"note./aa\", \"note./b/x\", \"note./c*\", \"note./*\"]\nfacts = { os = { family = \"suse\" } }\n";
    let found = told(&[
        (site.0, &site.1),
        ("policies/web.toml", policy),
        ("data/common.toml", data),
        ("tests/web.toml", cases),
    ]);
    insta::assert_snapshot!("silence", found.join("\n"));
}

#[test]
fn what_is_not_a_number_keeps_within_no_bounds() {
    for (bounds, expected) in
        [("minimum = 1", "must be at least 1"), ("maximum = 5", "must be at most 5")]
    {
        let text = format!(
            "[params]\nx = {{ type = \"float\", default = nan, {bounds} }}\n[note.\"/a\"]\ncontent = \"{{{{ params.x }}}}\"\n"
        );
        assert_eq!(web(&text), [format!("policies/web.toml:2: parameter `x` {expected}")]);
    }
    assert_eq!(
        web(
            "[params]\nx = { type = \"float\", default = nan }\n[note.\"/a\"]\ncontent = \"{{ params.x }}\"\n"
        ),
        Vec::<String>::new()
    );
}

#[test]
fn a_percentage_has_no_sign() {
    for (changes, right) in
        [("50%", true), ("050%", true), ("+50%", false), ("-5%", false), ("%", false)]
    {
        let site = format!(
            "[limits]\nchanges = \"{changes}\"\n[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n"
        );
        let found = told(&[("site.toml", &*site), ("policies/web.toml", "")]);
        assert_eq!(found.is_empty(), right, "{changes}: {found:?}");
    }
}

#[test]
fn the_layer_that_makes_a_map_of_a_value_is_to_blame() {
    let found = told(&[
        (
            "site.toml",
            "[site]\ndata = [\"common\", \"host\"]\n[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n",
        ),
        ("policies/web.toml", "[params]\nx = \"s\"\n[note.\"/a\"]\ncontent = \"{{ params.x }}\"\n"),
        ("data/common.toml", "[web]\nx = \"s\"\n"),
        ("data/host.toml", "\n\n[web.x]\nk = 1\n"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("data/host.toml:3: parameter `x` must be of type string"),
        "{found:?}"
    );
}

#[test]
fn a_template_that_is_not_there_is_called_as_it_is_written() {
    for name in ["x:y", "templates/x", ":x"] {
        let found = web(&format!("[note.\"/a\"]\ncontent = \"{{% include '{name}' %}}\"\n"));
        assert!(found[0].contains(&format!("there is no template `{name}`")), "{found:?}");
        let found = told(&[
            ("site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n"),
            ("policies/web/policy.toml", "[note.\"/a\"]\ntemplate = \"templates/a\"\n"),
            ("policies/web/templates/a", &format!("{{% include '{name}' %}}")),
        ]);
        assert!(found[0].contains(&format!("there is no template `{name}`")), "{found:?}");
    }
}

#[test]
fn no_name_begins_a_line_of_its_own() {
    let found = crate::validate(
        &Memory::new(&[
            (
                "site.toml",
                "\"a\\n::error::pwn\" = 1\n[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n",
            ),
            ("policies/web.toml", "[note.\"/a\"]\n\"b\\u001b[31m\\r\" = 1\n"),
        ]),
        &registry(),
    );
    let text = found.render(false);
    assert!(text.contains("`a\\n::error::pwn`") && text.contains("`b\\u001B[31m\\r`"), "{text}");
    assert!(!text.contains(|letter: char| letter != '\n' && letter.is_control()), "{text:?}");
    assert!(!text.lines().any(|line| line.starts_with("::")), "{text}");
}

#[test]
fn what_is_for_nobody_is_told() {
    let site = |hosts: &str, data: &str| {
        let site = format!(
            "[site]\ndata = [{data}]\n[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n[[assign]]\nhosts = {hosts}\npolicies = [\"web\"]\n"
        );
        told(&[("site.toml", &*site), ("policies/web.toml", "")])
    };
    assert_eq!(site("[\"web*\"]", "\"common\""), Vec::<String>::new());
    assert_eq!(
        site("[]", "\"\""),
        [
            "warning: site.toml:2: this data layer has no name",
            "warning: site.toml:7: this assignment is for no host"
        ]
    );
}
