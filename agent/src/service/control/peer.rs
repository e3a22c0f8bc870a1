//! Who is at the other end of the socket, as the kernel and the local databases say.
//!
//! Only `/etc/passwd` and `/etc/group` are read: a directory service that does not answer must not
//! keep an operator from the agent.

use tokio::net::unix::UCred;

/// The group whose members may use the socket.
pub(super) const GROUP: &str = "steadfast";

/// Somebody who may use the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peer {
    /// The name of the user, or its number.
    pub(super) name: String,
    /// Whether it is root (or whoever the agent runs as).
    pub(super) is_root: bool,
}

/// The number of the group [`GROUP`], where there is one.
pub(super) fn group() -> Option<u32> {
    number_of_group(&read("/etc/group"))
}

/// Who is there; `None` for those who may not come in.
pub(super) fn identify(credentials: UCred) -> Option<Peer> {
    let own = nix::unistd::geteuid().as_raw();
    let is_root = [0, own].contains(&credentials.uid());
    let accounts = read("/etc/passwd");
    let name = name_of(credentials.uid(), &accounts);
    let member = || is_member(name.as_deref(), credentials.gid(), &read("/etc/group"));
    let allowed = is_root || member();
    let name = name.unwrap_or_else(|| credentials.uid().to_string());
    allowed.then_some(Peer { name, is_root })
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn name_of(uid: u32, accounts: &str) -> Option<String> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

fn entry(groups: &str) -> Option<(u32, &str)> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != GROUP {
            return None;
        }
        let number = fields.nth(1)?.parse().ok()?;
        Some((number, fields.next().unwrap_or_default()))
    })
}

fn number_of_group(groups: &str) -> Option<u32> {
    entry(groups).map(|(number, _)| number)
}

fn is_member(name: Option<&str>, gid: u32, groups: &str) -> bool {
    entry(groups).is_some_and(|(number, members)| {
        let is_named = |name: &str| members.split(',').any(|member| member == name);
        number == gid || name.is_some_and(|name| !name.is_empty() && is_named(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: &str = "root:x:0:\nsteadfaster:x:77:eve\nsteadfast:x:990:alice,bob\nbroken\n";

    #[test]
    fn members_are_those_of_the_group_and_those_whose_first_group_it_is() {
        assert_eq!(number_of_group(GROUPS), Some(990));
        assert!(is_member(Some("bob"), 100, GROUPS));
        assert!(is_member(None, 990, GROUPS));
        for (name, gid) in [(Some("eve"), 77), (Some("bo"), 100), (Some(""), 100), (None, 0)] {
            assert!(!is_member(name, gid, GROUPS), "{name:?} {gid}");
        }
        assert!(!is_member(Some(""), 1, "steadfast:x:990:\n"), "no name is no member");
        let accounts = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:100::/home/alice:/bin/sh\n";
        assert_eq!(name_of(1000, accounts).as_deref(), Some("alice"));
        assert_eq!(name_of(100, accounts), None);
    }
}
