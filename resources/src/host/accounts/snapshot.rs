//! The four account databases, parsed: what every question during a run is answered from.
//!
//! Lenient: a line that is no account (too few fields, a number that is none, NIS) is passed over.
//! Of two lines with one name the first counts, as in glibc.

use std::collections::HashMap;
use std::path::Path;

use super::model::{Group, PasswordHash, Secrets, Shadow, User};
use super::table::Table;

/// All local accounts.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    users: Vec<User>,
    groups: Vec<Group>,
    users_by_name: HashMap<String, usize>,
    users_by_id: HashMap<u32, usize>,
    groups_by_name: HashMap<String, usize>,
    groups_by_id: HashMap<u32, usize>,
}

/// `shadow` as it could be read.
#[derive(Debug, Clone, Copy)]
pub(super) enum ShadowTable<'a> {
    /// Its lines; none where the file does not exist.
    Readable(&'a Table),
    /// Permission was denied.
    Unreadable,
}

impl Snapshot {
    /// The accounts that the databases describe.
    pub(super) fn new(passwd: &Table, shadow: ShadowTable<'_>, group: &Table) -> Self {
        let shadows = match shadow {
            ShadowTable::Readable(table) => Some(shadow_lines(table)),
            ShadowTable::Unreadable => None,
        };
        let mut snapshot = Self::default();
        for fields in passwd.entries(7) {
            let Some(user) = user(&fields, shadows.as_ref()) else { continue };
            let index = snapshot.users.len();
            if snapshot.users_by_name.contains_key(&user.name) {
                continue;
            }
            snapshot.users_by_name.insert(user.name.clone(), index);
            snapshot.users_by_id.entry(user.uid).or_insert(index);
            snapshot.users.push(user);
        }
        for fields in group.entries(4) {
            let Some(group) = group_of(&fields) else { continue };
            let index = snapshot.groups.len();
            if snapshot.groups_by_name.contains_key(&group.name) {
                continue;
            }
            snapshot.groups_by_name.insert(group.name.clone(), index);
            snapshot.groups_by_id.entry(group.gid).or_insert(index);
            snapshot.groups.push(group);
        }
        snapshot
    }

    /// The user called `name`.
    pub(super) fn user(&self, name: &str) -> Option<&User> {
        self.users.get(*self.users_by_name.get(name)?)
    }

    /// The first user with the number `uid`.
    pub(super) fn user_by_id(&self, uid: u32) -> Option<&User> {
        self.users.get(*self.users_by_id.get(&uid)?)
    }

    /// The group called `name`.
    pub(super) fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(*self.groups_by_name.get(name)?)
    }

    /// The first group with the number `gid`.
    pub(super) fn group_by_id(&self, gid: u32) -> Option<&Group> {
        self.groups.get(*self.groups_by_id.get(&gid)?)
    }

    /// The groups that list `user`, sorted.
    pub(super) fn groups_of(&self, user: &str) -> Vec<String> {
        let lists = |group: &&Group| group.members.iter().any(|member| member == user);
        let mut names: Vec<String> =
            self.groups.iter().filter(lists).map(|group| group.name.clone()).collect();
        names.sort();
        names
    }

    /// The users whose primary group is `gid`.
    pub(super) fn users_of_primary_group(&self, gid: u32) -> Vec<String> {
        self.users.iter().filter(|user| user.gid == gid).map(|user| user.name.clone()).collect()
    }

    /// The users other than `except` whose home is `home` or lies within it.
    pub(super) fn others_at_home(&self, home: &str, except: &str) -> Vec<String> {
        let home = Path::new(home);
        self.users
            .iter()
            .filter(|user| user.name != except && Path::new(&user.home).starts_with(home))
            .map(|user| user.name.clone())
            .collect()
    }

    /// All users, as written.
    pub(super) fn users(&self) -> &[User] {
        &self.users
    }

    /// All groups, as written.
    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }
}

fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field).into_owned()
}

fn number<N: std::str::FromStr>(field: &[u8]) -> Option<N> {
    std::str::from_utf8(field).ok()?.trim().parse().ok()
}

fn user(fields: &[&[u8]], shadows: Option<&HashMap<&[u8], Shadow>>) -> Option<User> {
    let [name, password, uid, gid, comment, home, shell] = fields else { return None };
    let secrets = if *password == b"x" {
        match shadows {
            None => Secrets::Unreadable,
            Some(lines) => lines.get(name).cloned().map_or(Secrets::Missing, Secrets::Shadow),
        }
    } else {
        Secrets::InPasswd(PasswordHash::new(text(password)))
    };
    Some(User {
        name: text(name),
        uid: number(uid)?,
        gid: number(gid)?,
        comment: text(comment),
        home: text(home),
        shell: text(shell),
        secrets,
    })
}

fn shadow_lines(table: &Table) -> HashMap<&[u8], Shadow> {
    let mut lines = HashMap::new();
    for fields in table.entries(9) {
        let (Some(name), Some(hash)) = (fields.first(), fields.get(1)) else { continue };
        let days = |index: usize| fields.get(index).and_then(|field| number::<i64>(field));
        lines.entry(*name).or_insert_with(|| Shadow {
            hash: PasswordHash::new(text(hash)),
            minimum: days(3).filter(|days| *days >= 0),
            maximum: days(4).filter(|days| *days >= 0),
            warning: days(5).filter(|days| *days >= 0),
            expiry: days(7).filter(|days| *days >= 0),
        });
    }
    lines
}

fn group_of(fields: &[&[u8]]) -> Option<Group> {
    let [name, _, gid, members] = fields else { return None };
    Some(Group { name: text(name), gid: number(gid)?, members: member_list(members) })
}

/// The names in a member list.
pub(super) fn member_list(field: &[u8]) -> Vec<String> {
    field
        .split(|byte| *byte == b',')
        .map(|name| text(name).trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}
