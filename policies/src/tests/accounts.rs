//! What accounts claim and which lists of theirs contradict each other, by the real kinds.

use steadfast_resources::Registry;

use super::{Memory, inputs};

fn told(policy: &str) -> String {
    let repository = Memory::default();
    let registry = Registry::standard();
    let told = crate::evaluate_policy(&repository, "test.toml", policy, &inputs(), &registry);
    told.map_or_else(|errors| errors.render(false), |_| "fine".to_owned())
}

#[test]
fn a_number_is_claimed_once_and_whole_lists_are_not_added_to() {
    for (policy, expected) in [
        ("[user.a]\nuid = 1500\n[user.b]\nuid = 1500", "`user.b` has the `uid` of `user.a`"),
        ("[group.a]\ngid = 1500\n[group.b]\ngid = 1500", "`group.b` has the `gid` of `group.a`"),
        ("[user.a]\nuid = 1500\n[group.b]\ngid = 1500", "fine"),
        ("[user.a]\nuid = 1500\n[user.b]\nuid = 1501", "fine"),
        ("[user.a]\nuid = 1500\n[user.b]\nensure = \"absent\"\nuid = 1500", "fine"),
        (
            "[user.bob]\ngroups = [\"x\"]\nmembership = \"inclusive\"\n[group.x]\n[group.extra]\nmembers = [\"bob\"]",
            "`group.extra` names `user.bob`, whose own list is the whole one",
        ),
        (
            "[group.extra]\nmembers = [\"alice\"]\nmembership = \"inclusive\"\n[user.bob]\ngroups = [\"extra\"]",
            "`user.bob` names `group.extra`, whose own list is the whole one",
        ),
        (
            "[user.bob]\ngroups = [\"x\"]\nmembership = \"inclusive\"\n[group.x]\n[group.extra]\nensure = \"absent\"",
            "fine",
        ),
        ("[user.bob]\ngroups = [\"x\"]\n[group.x]\n[group.extra]\nmembers = [\"bob\"]", "fine"),
        (
            "[user.www]\ngid = \"www\"\ngroups = []\nmembership = \"inclusive\"\n[group.www]\nmembers = []\nmembership = \"inclusive\"",
            "fine",
        ),
    ] {
        let told = told(policy);
        assert!(told.contains(expected), "{policy}\n{told}");
    }
}

#[test]
fn both_places_are_told() {
    let policy = "[user.a]\nuid = 1500\n\n[user.b]\nuid = 1500\n\n[user.c]\ngroups = []\nmembership = \"inclusive\"\n\n[group.d]\nmembers = [\"c\"]\n";
    insta::assert_snapshot!("accounts", format!("{policy}\n{}", told(policy)));
}
