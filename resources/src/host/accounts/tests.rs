//! Parsing and editing of the account databases.

use proptest::prelude::*;

use super::defaults::Defaults;
use super::edit::Databases;
use super::snapshot::{ShadowTable, Snapshot};
use super::table::Table;
use super::{Group, GroupReference, NewGroup, NewUser, PasswordHash, Secrets};

fn snapshot(passwd: &str, shadow: &str, group: &str) -> Snapshot {
    let tables = [passwd, shadow, group].map(|text| Table::parse(text.as_bytes()));
    let [passwd, shadow, group] = &tables;
    Snapshot::new(passwd, ShadowTable::Readable(shadow), group)
}

#[test]
fn malformed_lines_are_passed_over() {
    let snapshot = snapshot(
        "\n#comment\nroot:x:0:0:root:/root:/bin/bash\nshort:x:1\nbad:x:many:0:::\n\
         +nis:x:::::\n-nobody:::::::\n+::::::\nroot:x:99:99::/tmp:/bin/sh\n\
         tail:x:7:7:a,b,c:/h:/bin/sh:rest\n::::::\n",
        "root:*:1:2:3:4:5:6:7\ntail\n",
        "root:x:0:\nwheel:x:10:root,,tail, \nnogid:x::\n+:::\n",
    );
    let names: Vec<&str> = snapshot.users().iter().map(|user| user.name.as_str()).collect();
    assert_eq!(names, ["root", "tail"]);
    assert_eq!(snapshot.user("root").unwrap().uid, 0);
    assert_eq!(snapshot.user("tail").unwrap().shell, "/bin/sh:rest");
    assert_eq!(snapshot.user("tail").unwrap().secrets, Secrets::Missing);
    let Secrets::Shadow(shadow) = &snapshot.user("root").unwrap().secrets else { panic!() };
    assert_eq!(
        (shadow.minimum, shadow.maximum, shadow.warning, shadow.expiry),
        (Some(2), Some(3), Some(4), Some(6))
    );
    let wheel =
        Group { name: "wheel".into(), gid: 10, members: vec!["root".into(), "tail".into()] };
    assert_eq!(snapshot.group("wheel"), Some(&wheel));
    assert_eq!(snapshot.groups().len(), 2);
    assert_eq!(snapshot.groups_of("tail"), ["wheel"]);
}

#[test]
fn new_entries_stand_before_the_lines_of_nis() {
    let mut table = Table::parse(b"a:x\n+:::\n");
    table.add(&["b", "y"]);
    assert_eq!(table.render(), b"a:x\nb:y\n+:::\n");
}

#[test]
fn numbers_are_chosen_as_shadow_chooses_them() {
    let defaults = Defaults { gids: (1000, 1003), ..Defaults::default() };
    let mut databases = Databases::default();
    let mut make = |name: &str, gid: Option<u32>, system: bool| {
        databases.create_group(&NewGroup { name: name.into(), gid, system }, &defaults)?;
        Ok::<_, super::AccountError>(databases.snapshot().group(name).unwrap().gid)
    };
    assert_eq!(make("a", None, false).unwrap(), 1000);
    assert_eq!(make("b", Some(1003), false).unwrap(), 1003);
    assert_eq!(make("c", None, false).unwrap(), 1001);
    assert_eq!(make("d", None, true).unwrap(), 999);
    assert_eq!(make("e", None, true).unwrap(), 998);
    assert_eq!(make("f", None, false).unwrap(), 1002);
    assert!(make("g", None, false).is_err());
    assert!(make("h", Some(1003), false).is_err());
}

/// A line as it might be found: mostly accounts, sometimes anything.
fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-c]:[x!*]?:[0-9]{0,4}:[0-9]{0,4}:[a-z, ]{0,5}:/[a-z]{0,3}:/bin/[a-z]{1,3}".prop_map(String::into_bytes),
        1 => "[+-][a-c]?::::::".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>().prop_filter("newline", |byte| *byte != b'\n'), 0..12),
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(line(), 0..8).prop_map(|lines| {
        lines.into_iter().flat_map(|line| line.into_iter().chain([b'\n'])).collect()
    })
}

proptest! {
    #[test]
    fn what_is_read_is_written_back(text in text()) {
        prop_assert_eq!(Table::parse(&text).render(), text);
    }

    #[test]
    fn any_bytes_can_be_read(passwd in text(), shadow in text(), group in text()) {
        let tables = [passwd, shadow, group].map(|text| Table::parse(&text));
        let [passwd, shadow, group] = &tables;
        let snapshot = Snapshot::new(passwd, ShadowTable::Readable(shadow), group);
        for user in snapshot.users() {
            prop_assert!(!user.name.is_empty() && !user.name.starts_with(['+', '-']));
            prop_assert_eq!(snapshot.user(&user.name), Some(user));
        }
    }

    #[test]
    fn a_changed_field_leaves_the_rest(text in text(), value in "[a-z]{0,4}", index in 1_usize..7) {
        let mut table = Table::parse(&text);
        let before = table.clone();
        if table.set_field("a", index, value.as_bytes()) {
            prop_assert_eq!(table.field("a", index), Some(value.as_bytes()));
            let lines = |table: &Table| table.render().split(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
            let (old, new) = (lines(&before), lines(&table));
            prop_assert_eq!(old.len(), new.len());
            prop_assert!(old.iter().zip(&new).filter(|(old, new)| old != new).count() <= 1);
        } else {
            prop_assert_eq!(table, before);
        }
    }

    #[test]
    fn created_and_deleted_leaves_no_trace(passwd in text(), group in text()) {
        let mut databases = Databases {
            passwd: Table::parse(&passwd),
            group: Table::parse(&group),
            ..Databases::default()
        };
        let before = databases.clone();
        let user = NewUser {
            name: "sf-new".into(), uid: None, group: GroupReference::Number(100),
            comment: "new".into(), home: "/home/new".into(), shell: None, system: false,
        };
        databases.create_user(&user, &Defaults::default(), 20_000).unwrap();
        let made = databases.snapshot();
        let made = made.user("sf-new").unwrap();
        let Secrets::Shadow(shadow) = &made.secrets else { panic!("no shadow line") };
        prop_assert!(shadow.hash.is_locked());
        databases.set_password("sf-new", &PasswordHash::new("*"), 20_001).unwrap();
        databases.delete_user("sf-new").unwrap();
        prop_assert_eq!(databases, before);
    }
}
