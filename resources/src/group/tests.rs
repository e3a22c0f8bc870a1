//! Tables of plans on the fake host; the conformance cases run with those of the `user` kind.

use crate::failure::Failure;
use crate::host::{FakeHost, Host};
use crate::pending::Pending;
use crate::reference::Reference;
use crate::user::trial::{applied, apply_all, declared, planned};

fn plan(policy: &str, host: &FakeHost) -> Result<Vec<String>, Failure> {
    let resources = declared(policy).unwrap();
    let planned = planned(&resources[0], host)?;
    Ok(planned.steps.iter().map(crate::AnyStep::summary).collect())
}

#[test]
fn wrong_attributes_are_refused() {
    for (policy, word) in [
        ("[group.\"-x\"]", "begin with"),
        ("[group.\"99\"]", "is a number"),
        ("[group.a]\ngid = 65535", "not a number that"),
        ("[group.a]\ngid = 0", "root's alone"),
        ("[group.a]\nmembers = [\"a:b\"]", "contains"),
        ("[group.a]\nmembership = \"inclusive\"", "is missing"),
        ("[group.root]\nensure = \"absent\"", "cannot be removed"),
    ] {
        let error = declared(policy).err().unwrap_or_default();
        assert!(error.contains(word), "{policy}: {error}");
    }
}

#[test]
fn what_cannot_be_is_said_before_anything_happens() {
    let mut host = FakeHost::scene();
    host.accounts.remote_groups.insert("ldap".into(), 70_000);
    host.accounts.remote_users.insert("remote".into(), 70_001);
    for (policy, reason) in [
        ("[group.ldap]", "comes from the name service"),
        ("[group.a]\ngid = 33", "gid 33 already belongs to www-data"),
        ("[group.a]\nmembers = [\"none\"]", "the user none does not exist"),
        ("[group.a]\nmembers = [\"remote\"]", "the user remote comes from the name service"),
        ("[group.www-data]\nensure = \"absent\"", "is the primary group of www-data"),
    ] {
        let failure = plan(policy, &host).unwrap_err();
        assert!(failure.reason.contains(reason) && failure.hint.is_some(), "{policy}: {failure}");
    }
    assert!(host.faults.operations().is_empty());
}

#[test]
fn a_primary_group_goes_after_its_users() {
    let mut host = FakeHost::scene();
    apply_all(&declared("[group.a]\n[user.a]").unwrap(), &mut host);
    let removal = declared("[group.a]\nensure = \"absent\"").unwrap();
    let dependencies = [Reference::new("user", "a")];
    let provisions = std::collections::HashMap::new();
    let pending = Pending::new(&provisions, &dependencies);
    let plan = removal[0].kind.plan(&removal[0].wanted, &host.view(), &pending).unwrap();
    assert!(plan.condition.unwrap().contains("user.a"));
    assert!(applied(&removal[0], &mut host).is_err());
    apply_all(&declared("[user.a]\nensure = \"absent\"").unwrap(), &mut host);
    assert_eq!(applied(&removal[0], &mut host).unwrap(), ["remove group"]);
}

#[test]
fn users_follow_the_number_of_their_primary_group() {
    let mut host = FakeHost::scene();
    apply_all(&declared("[group.a]\ngid = 1500\n[user.a]\ngid = \"a\"").unwrap(), &mut host);
    let both = declared("[group.a]\ngid = 1501\n[user.a]\ngid = \"a\"").unwrap();
    assert_eq!(applied(&both[0], &mut host).unwrap(), ["change gid to 1501"]);
    assert_eq!(applied(&both[1], &mut host).unwrap(), Vec::<String>::new());
}

#[test]
fn a_user_and_a_group_that_wait_for_each_other_are_told_so() {
    let policy =
        declared("[group.crew]\nmembers = [\"a\"]\n[user.a]\ngroups = [\"crew\"]").unwrap();
    let host = FakeHost::scene();
    let hint = |index: usize| planned(&policy[index], &host).err().unwrap().hint.unwrap();
    for (index, words) in
        [(0, "[user.a] with `groups = [\"crew\"]`"), (1, "[group.crew] is declared")]
    {
        assert!(hint(index).contains(words), "{}", hint(index));
    }
    let number = declared("[user.a]\ngid = 2000").unwrap();
    let failure = planned(&number[0], &host).err().unwrap();
    assert!(failure.hint.unwrap().contains("declare a group with gid = 2000"));
}
