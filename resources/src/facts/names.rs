//! What the machine is called: hostname, fqdn, domain, machine id.
//!
//! No resolver is asked: it may wait for the network. The files that a resolver reads first decide.

use super::machine::Machine;

/// The host's names. Empty where there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) hostname: String,
    pub(super) fqdn: String,
    pub(super) domain: String,
}

/// The host's names: the kernel's node name (of an image, `/etc/hostname`), completed from
/// `/etc/hosts`, else from the search domain of `/etc/resolv.conf`.
pub(super) fn names(machine: &Machine) -> Names {
    let node = match &machine.live {
        Some(live) => live.node.clone(),
        None => {
            machine.tree.text("/etc/hostname").map(|text| first_line(&text)).unwrap_or_default()
        }
    };
    let hosts = machine.tree.text("/etc/hosts").unwrap_or_default();
    let resolver = machine.tree.text("/etc/resolv.conf").unwrap_or_default();
    complete(node.trim_end_matches('.'), &hosts, &resolver)
}

/// The first line that is neither empty nor a comment (hostname(5)).
fn first_line(text: &str) -> String {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .unwrap_or_default()
        .to_owned()
}

fn complete(node: &str, hosts: &str, resolver: &str) -> Names {
    let (hostname, domain) = if let Some((hostname, domain)) = node.split_once('.') {
        (hostname, domain.to_owned())
    } else {
        let domain = domain_in_hosts(node, hosts).or_else(|| search_domain(resolver));
        (node, domain.unwrap_or_default())
    };
    let fqdn = if domain.is_empty() { hostname.to_owned() } else { format!("{hostname}.{domain}") };
    Names { hostname: hostname.to_owned(), fqdn, domain }
}

/// The domain in the first line of hosts(5) that names the host both alone and with a domain.
fn domain_in_hosts(hostname: &str, hosts: &str) -> Option<String> {
    if hostname.is_empty() || hostname == "localhost" {
        return None;
    }
    hosts.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        line.split_whitespace().skip(1).find_map(|name| {
            let (first, domain) = name.trim_end_matches('.').split_once('.')?;
            (first.eq_ignore_ascii_case(hostname) && !domain.is_empty()).then(|| domain.to_owned())
        })
    })
}

/// The local domain of resolv.conf(5): `domain` and `search` exclude each other, the last wins.
fn search_domain(resolver: &str) -> Option<String> {
    resolver
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            matches!(words.next(), Some("domain" | "search")).then(|| words.next())?
        })
        .next_back()
        .map(|domain| domain.trim_matches('.').to_owned())
        .filter(|domain| !domain.is_empty())
}

/// The machine id (machine-id(5)): 32 hexadecimal digits, or empty while there is none.
pub(super) fn machine_id(machine: &Machine) -> String {
    ["/etc/machine-id", "/var/lib/dbus/machine-id"]
        .into_iter()
        .filter_map(|path| machine.tree.word(path))
        .find(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_without_a_resolver() {
        let hosts =
            "127.0.0.1 localhost.localdomain localhost\n127.0.1.1 web1.example.com web1 # x\n";
        for (node, hosts, resolver, hostname, fqdn) in [
            ("web1.example.org", hosts, "", "web1", "web1.example.org"),
            ("web1", hosts, "search other.example", "web1", "web1.example.com"),
            ("WEB1", hosts, "", "WEB1", "WEB1.example.com"),
            ("db1", hosts, "search a.example b.example\n", "db1", "db1.a.example"),
            ("db1", hosts, "domain a.example\nsearch b.example c\n", "db1", "db1.b.example"),
            ("db1", hosts, "search .\n", "db1", "db1"),
            ("db1", "10.0.0.1 db1 db1.example.com # alias second\n", "", "db1", "db1.example.com"),
            ("db1", "10.0.0.1 xdb1.example.com db1\n", "", "db1", "db1"),
            ("db1", "# 10.0.0.1 db1.example.com\n", "", "db1", "db1"),
            ("localhost", hosts, "", "localhost", "localhost"),
            ("", hosts, "", "", ""),
        ] {
            let names = complete(node, hosts, resolver);
            assert_eq!((names.hostname.as_str(), names.fqdn.as_str()), (hostname, fqdn));
        }
    }

    #[test]
    fn hostname_files_may_have_comments() {
        assert_eq!(first_line("# name\n\n  web1 \nother\n"), "web1");
        assert_eq!(first_line(""), "");
    }
}
