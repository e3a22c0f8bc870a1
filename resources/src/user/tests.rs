//! The kind on the fake host: its conformance cases, with failures at every operation, and tables
//! of plans.

use std::collections::HashMap;

use super::trial::{applied, apply_all, cases, declared, lacking, planned};
use crate::host::accounts::{FakeHome, Process};
use crate::host::{FakeHost, Host};
use crate::pending::{Pending, Provision};
use crate::reference::Reference;
use crate::relations::{Autoedge, Identity};
use crate::step::Shown;

const HASH: &str = "$6$saltsalt$0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijkl";
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAbcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ one@example";

fn plan(policy: &str, host: &FakeHost) -> Result<Vec<String>, String> {
    let resources = declared(policy)?;
    let planned = planned(&resources[0], host).map_err(|failure| failure.to_string())?;
    Ok(planned.steps.iter().map(crate::AnyStep::summary).collect())
}

fn converge(policy: &str, host: &mut FakeHost) -> Vec<String> {
    let resources = declared(policy).unwrap();
    let done = applied(&resources[0], host).unwrap();
    assert_eq!(lacking(&resources, host), Vec::<String>::new());
    done
}

fn host_with(policy: &str) -> FakeHost {
    let mut host = FakeHost::scene();
    converge(policy, &mut host);
    host
}

#[test]
fn conformance_cases_converge_and_stay() {
    for text in [include_str!("conformance.toml"), include_str!("../group/conformance.toml")] {
        for (case, policies) in cases(text) {
            let mut host = FakeHost::scene();
            for policy in &policies {
                let resources = declared(policy).unwrap();
                let failures = apply_all(&resources, &mut host);
                assert!(failures.is_empty(), "{case}: {failures:?}\n{policy}");
                assert_eq!(lacking(&resources, &host), Vec::<String>::new(), "{case}\n{policy}");
            }
        }
    }
}

#[test]
fn a_failure_at_any_operation_is_made_good_by_a_rerun() {
    for text in [include_str!("conformance.toml"), include_str!("../group/conformance.toml")] {
        for (case, policies) in cases(text) {
            for number in 0..policies.len() {
                let mut index = 0;
                loop {
                    let mut host = FakeHost::scene();
                    for policy in &policies[..number] {
                        apply_all(&declared(policy).unwrap(), &mut host);
                    }
                    let resources = declared(&policies[number]).unwrap();
                    host.faults.fail_at(index);
                    let failures = apply_all(&resources, &mut host);
                    if failures.is_empty() {
                        break;
                    }
                    let failures = apply_all(&resources, &mut host);
                    assert!(failures.is_empty(), "{case} after a failure at {index}: {failures:?}");
                    assert_eq!(lacking(&resources, &host), Vec::<String>::new(), "{case}");
                    index += 1;
                }
            }
        }
    }
}

#[test]
fn wrong_attributes_are_refused() {
    for (policy, word) in [
        ("[user.\"-x\"]", "begin with"),
        ("[user.\"1000\"]", "is a number"),
        ("[user.\"a:b\"]", "contains"),
        ("[user.a]\nuid = -1", "not a number that"),
        ("[user.a]\nuid = 4294967295", "not a number that"),
        ("[user.a]\nuid = 0", "root's alone"),
        ("[user.a]\npassword = \"secret\"", "openssl passwd"),
        ("[user.a]\npassword = \"\"", "anyone"),
        ("[user.a]\npassword = \"!$6$\"", "cut short"),
        ("[user.a]\npassword = \"!\"\nlocked = false", "begins with"),
        ("[user.a]\nhome = \"relative\"", "absolute"),
        ("[user.a]\nhome = \"/a/../b\"", "absolute"),
        ("[user.a]\nshell = \"/bin/x:y\"", "colons"),
        ("[user.a]\ncomment = \"a:b\"", "colons"),
        ("[user.a]\ncomment = \"a\\nb\"", "control"),
        ("[user.a]\nexpiry = \"tomorrow\"", "2027-01-31"),
        ("[user.a]\nexpiry = \"1969-01-01\"", "after 1970"),
        ("[user.a]\npassword_max_age = -2", "days"),
        ("[user.a]\ngroups = [\"-g\"]", "begin with"),
        ("[user.a]\ngid = \"a b\"", "contains"),
        ("[user.a]\nmembership = \"inclusive\"", "is missing"),
        ("[user.a]\nssh_authorized_keys = [\"nonsense\"]", "not a public key"),
        ("[user.a]\nssh_authorized_keys = [\"-----BEGIN OPENSSH PRIVATE KEY-----\"]", "private"),
        ("[user.root]\nensure = \"absent\"", "cannot be removed"),
    ] {
        let error = declared(policy).err().unwrap_or_default();
        assert!(error.contains(word), "{policy}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn nothing_is_created_before_all_that_it_needs_exists() {
    let mut host = FakeHost::scene();
    host.accounts.remote_users.insert("ldap".into(), 70_000);
    host.accounts.remote_groups.insert("staff-ldap".into(), 70_001);
    for (policy, reason) in [
        ("[user.a]\ngid = \"none\"", "the group none does not exist"),
        ("[user.a]\ngroups = [\"none\"]", "the group none does not exist"),
        ("[user.a]\ngroups = [\"staff-ldap\"]", "comes from the name service"),
        ("[user.a]\nshell = \"/bin/none\"", "the shell /bin/none does not exist"),
        ("[user.a]\nshell = \"/etc/passwd\"", "the shell /etc/passwd is not executable"),
        ("[user.a]\nuid = 33", "uid 33 already belongs to www-data"),
        ("[user.a]\nuid = 70000", "uid 70000 already belongs to ldap"),
        ("[user.a]\nlocked = false", "has no password"),
        ("[user.ldap]", "comes from the name service"),
        (&format!("[user.a]\nssh_authorized_keys = [\"{KEY}\"]"), "there is no home /home/a"),
    ] {
        let error = plan(policy, &host).unwrap_err();
        assert!(error.contains(reason), "{policy}: {error}");
    }
    assert!(host.faults.operations().is_empty());
}

#[test]
fn a_new_account_is_locked_until_its_last_step() {
    let host = FakeHost::scene();
    let policy = format!(
        "[user.a]\ngroups = [\"users\"]\nmanage_home = true\npassword = \"{HASH}\"\n\
         ssh_authorized_keys = [\"{KEY}\"]\nexpiry = \"2027-01-31\"\n"
    );
    assert_eq!(
        plan(&policy, &host).unwrap(),
        [
            "create group a",
            "create user a",
            "set password ageing",
            "join users",
            "create home /home/a",
            "write authorized_keys (1 keys)",
            "set password",
        ]
    );
}

#[test]
fn each_drift_has_its_step() {
    let policy = format!(
        "[user.a]\nuid = 1500\ngid = \"users\"\ngroups = [\"adm\"]\nmembership = \"inclusive\"\n\
         comment = \"A\"\nhome = \"/home/a\"\nmanage_home = true\nmove_home = true\n\
         shell = \"/bin/sh\"\npassword = \"{HASH}\"\nlocked = false\npassword_max_age = 30\n\
         expiry = \"2027-01-31\"\n"
    );
    for (from, to, steps) in [
        ("a:x:1500:100:A", "a:x:1500:100:B", vec!["change comment"]),
        (":/home/a:/bin/sh", ":/home/a:/bin/bash", vec!["change shell"]),
        (
            "a:x:1500:100:",
            "a:x:1501:100:",
            vec!["change uid"], // the home belongs to 1500 already, the reown has nothing to do
        ),
        ("a:x:1500:100:", "a:x:1500:33:", vec!["re-own the user's files in /home/a", "change gid"]),
        ("adm:x:4:a", "adm:x:4:", vec!["join adm"]),
        ("sudo:x:27:", "sudo:x:27:a", vec!["leave sudo"]),
        (HASH, "*", vec!["set password"]),
        ("a:$6$", "a:!$6$", vec!["unlock password"]),
        (":30:7:", "::7:", vec!["set password ageing"]),
        ("::20849:", ":::", vec!["set password ageing"]),
    ] {
        let mut host = FakeHost::scene();
        let resources = declared(&policy).unwrap();
        applied(&resources[0], &mut host).unwrap();
        let [passwd, shadow, group] = host.accounts.databases();
        let texts = [passwd, shadow, group];
        let changed = texts.clone().map(|text| text.replace(from, to));
        assert_ne!(texts, changed, "{from} is not there: {texts:?}");
        host.accounts.set_databases(&changed[0], &changed[1], &changed[2]);
        let mut planned = plan(&policy, &host).unwrap();
        planned.retain(|step| steps != ["change uid"] || !step.starts_with("re-own"));
        assert_eq!(planned, steps, "{from} -> {to}");
        converge(&policy, &mut host);
    }
}

#[test]
fn an_account_locked_by_hand_stays_locked_when_only_its_password_is_declared() {
    let policy = format!("[user.a]\npassword = \"{HASH}\"");
    let mut host = host_with(&policy);
    let lock = declared("[user.a]\nlocked = true").unwrap();
    applied(&lock[0], &mut host).unwrap();
    let resources = declared(&policy).unwrap();
    let result = planned(&resources[0], &host).unwrap();
    assert!(result.steps.is_empty());
    assert!(result.notes[0].contains("is locked"));
    let [_, shadow, _] = host.accounts.databases();
    assert!(shadow.contains(&format!("a:!{HASH}:")));
}

#[test]
fn a_password_is_shown_nowhere() {
    let resources = declared(&format!("[user.a]\npassword = \"{HASH}\"")).unwrap();
    let mut host = FakeHost::scene();
    let planned = planned(&resources[0], &host).unwrap();
    let change =
        planned.steps.iter().flat_map(|step| &step.changes).find(|c| c.property == "password");
    assert_eq!(change.unwrap().after, Shown::Redacted);
    let shown = format!("{planned:?} {:?}", resources[0].wanted.downcast_ref::<super::Wanted>());
    let json: String = planned.steps.iter().map(|step| step.action_json().to_string()).collect();
    applied(&resources[0], &mut host).unwrap();
    let account = host.view().accounts.user("a").unwrap();
    for text in [shown, json, format!("{account:?}")] {
        assert!(!text.contains("saltsalt"), "{text}");
    }
}

#[test]
fn a_user_with_processes_is_not_removed_without_force() {
    let mut host = host_with("[user.a]\nuid = 1500\nmanage_home = true");
    let process = Process { pid: 77, name: "sleep".into() };
    host.accounts.processes.insert(1500, vec![process]);
    let error = plan("[user.a]\nensure = \"absent\"", &host).unwrap_err();
    assert!(error.contains("sleep (77)"), "{error}");
    let error = plan("[user.a]\nuid = 1501", &host).unwrap_err();
    assert!(error.contains("cannot change the uid"), "{error}");
    assert_eq!(plan("[user.a]\ncomment = \"x\"", &host).unwrap(), ["change comment"]);
    let steps =
        converge("[user.a]\nensure = \"absent\"\nmanage_home = true\nforce = true", &mut host);
    assert_eq!(steps, ["kill 1 processes", "remove home /home/a", "remove user"]);
    assert!(!host.accounts.homes.contains_key("/home/a"));
}

#[test]
fn a_home_of_someone_else_survives() {
    let absent = "[user.a]\nensure = \"absent\"\nmanage_home = true";
    for spoil in
        [|home: &mut FakeHome| home.owner = 33, |home: &mut FakeHome| home.mount_point = true]
    {
        let mut host = host_with("[user.a]\nmanage_home = true");
        spoil(host.accounts.homes.get_mut("/home/a").unwrap());
        assert_eq!(converge(absent, &mut host), ["remove user"]);
        assert!(host.accounts.homes.contains_key("/home/a"));
    }
    let mut host = host_with("[user.a]\nmanage_home = true");
    converge("[user.b]\nhome = \"/home/a/b\"", &mut host);
    assert_eq!(converge(absent, &mut host), ["remove user"]);
    let mut host = host_with("[user.a]\nmanage_home = true");
    let mount = FakeHome { mount_point: true, ..FakeHome::default() };
    host.accounts.homes.insert("/home/a/disk".into(), mount);
    assert_eq!(converge(absent, &mut host), ["remove user"]);
}

#[test]
fn homes_follow_their_accounts() {
    let mut host = host_with("[user.a]\nuid = 1500\nmanage_home = true");
    let steps = converge("[user.a]\nuid = 1600\nhome = \"/home/b\"\nmove_home = true", &mut host);
    assert_eq!(
        steps,
        ["move /home/a to /home/b", "re-own the user's files in /home/b", "change uid, home"]
    );
    let home = &host.accounts.homes["/home/b"];
    assert_eq!(home.owner, 1600);
    assert!(!host.accounts.homes.contains_key("/home/a"));
    // Without `move_home` the old one stays where it is.
    let steps = converge("[user.a]\nhome = \"/home/c\"\nmanage_home = true", &mut host);
    assert_eq!(steps, ["change home", "create home /home/c"]);
    assert!(host.accounts.homes.contains_key("/home/b"));
}

#[test]
fn unmanaged_keys_survive_without_purge() {
    let own = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQDownownownown own@laptop";
    let mut host = host_with("[user.a]\nmanage_home = true");
    host.accounts.homes.get_mut("/home/a").unwrap().authorized_keys =
        Some(format!("# mine\n{own}\nfrom=\"*\" {KEY}\n{KEY}\n").into_bytes());
    converge(&format!("[user.a]\nssh_authorized_keys = ['{KEY}']"), &mut host);
    let text = host.accounts.homes["/home/a"].authorized_keys.clone();
    assert_eq!(text.unwrap(), format!("# mine\n{own}\n{KEY}\n").into_bytes());
    converge(
        &format!("[user.a]\nssh_authorized_keys = ['{KEY}']\npurge_ssh_keys = true"),
        &mut host,
    );
    let text = host.accounts.homes["/home/a"].authorized_keys.clone();
    assert_eq!(text.unwrap(), format!("# mine\n{KEY}\n").into_bytes());
}

#[test]
fn odd_accounts_are_managed_too() {
    // No shadow line; a hash in passwd; two marks as on Fedora.
    let mut host = FakeHost::scene();
    host.accounts.set_databases(
        "root:x:0:0::/root:/bin/sh\na:x:1500:100::/home/a:/bin/sh\n\
         b:abc:1501:100::/home/b:/bin/sh\nc:x:1502:100::/home/c:/bin/sh\n+::::::\n",
        "root:*:::::::\nc:!!:19000:0:99999:7:::\n",
        "root:x:0:\nusers:x:100:\n",
    );
    converge(&format!("[user.a]\npassword = \"{HASH}\"\nexpiry = \"never\""), &mut host);
    converge(&format!("[user.b]\npassword = \"{HASH}\"\nlocked = true"), &mut host);
    assert!(plan("[user.b]\nexpiry = \"never\"", &host).unwrap_err().contains("/etc/passwd"));
    assert!(plan("[user.c]\nlocked = false", &host).unwrap_err().contains("no password"));
    assert_eq!(converge("[user.c]\nlocked = true", &mut host), Vec::<String>::new());
    converge(&format!("[user.c]\npassword = \"{HASH}\""), &mut host);
    let [passwd, shadow, _] = host.accounts.databases();
    assert!(
        passwd.contains(&format!("b:!{HASH}:1501")) && passwd.ends_with("+::::::\n"),
        "{passwd}"
    );
    assert!(shadow.contains(&format!("c:{HASH}:")), "{shadow}");
}

#[test]
fn what_pending_resources_will_bring_makes_a_plan_conditional() {
    let group = Reference::new("group", "crew");
    let zsh = Reference::new("package", "zsh");
    let provisions = HashMap::from([
        (Provision::Group("crew".into()), group.clone()),
        (Provision::Package("zsh".into()), zsh.clone()),
    ]);
    let pending = Pending::new(&provisions, &[]);
    let host = FakeHost::scene();
    let plan = |policy: &str| {
        let resource = declared(policy).unwrap().remove(0);
        resource.kind.plan(&resource.wanted, &host.view(), &pending)
    };
    for (policy, word) in [
        ("[user.a]\ngid = \"crew\"", "group.crew"),
        ("[user.a]\ngroups = [\"crew\"]", "group.crew"),
        ("[user.a]\nshell = \"/usr/bin/zsh\"", "package.zsh"),
    ] {
        let planned = plan(policy).unwrap();
        assert!(planned.condition.unwrap().contains(word), "{policy}");
        assert!(!planned.steps.is_empty());
    }
    assert!(plan("[user.a]\ngroups = [\"other\"]").is_err());
    assert!(plan("[user.a]\nshell = \"/usr/bin/fish\"").is_err());
}

#[test]
fn a_user_comes_after_what_it_names() {
    let resource = declared(
        "[user.a]\ngid = \"g\"\ngroups = [\"h\"]\nshell = \"/bin/zsh\"\nmanage_home = true\nhome = \"/srv/a\"",
    )
    .unwrap()
    .remove(0);
    let relations = resource.kind.relations(&resource.wanted).unwrap();
    for (kind, name) in
        [("group", "a"), ("group", "g"), ("group", "h"), ("file", "/bin/zsh"), ("package", "zsh")]
    {
        let edge = Autoedge::Exactly(Identity::new(kind, name));
        assert!(relations.after.contains(&edge), "{kind}.{name}: {relations:?}");
    }
    let above = relations.after.iter().find(|edge| matches!(edge, Autoedge::Above { .. }));
    let path = "/srv/a".to_owned();
    assert_eq!(above, Some(&Autoedge::Above { kind: "file", path: path.into() }));
}
