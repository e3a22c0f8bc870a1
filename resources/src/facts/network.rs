//! Network interfaces, their addresses, and which of them leads out.
//!
//! What comes and goes by itself is left out, so that facts stay equal from run to run: interfaces
//! that container engines and hypervisors make for each guest, IPv6 addresses that are temporary,
//! tentative or deprecated, and whether a link is up.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value, json};

use super::machine::{Binding, Live, Machine};

/// How the names of interfaces begin that belong to one guest each.
const TRANSIENT: [&str; 6] = ["veth", "vnet", "tap", "cali", "lxc", "fwpr"];

/// The most that is read of a routing table, in bytes.
const ROUTES_LIMIT: u64 = 1 << 20;

/// `network`: interfaces by name, and primary, ipv4, ipv6, mac, gateway, gateway6 of the one that
/// the default route goes through (empty where there is none). Absent for an image.
pub(super) fn network(machine: &Machine) -> Option<Value> {
    let live = machine.live.as_ref()?;
    let routes = live.tree.beginning("/proc/net/route", ROUTES_LIMIT).unwrap_or_default();
    let routes6 = live.tree.beginning("/proc/net/ipv6_route", ROUTES_LIMIT).unwrap_or_default();
    let addresses6 = live.tree.text("/proc/net/if_inet6").unwrap_or_default();
    let interfaces = interfaces(live, &addresses6);
    let (default4, default6) = (default_route(&routes), default_route6(&routes6));
    let primary = default4
        .as_ref()
        .map(|(interface, _)| interface)
        .or(default6.as_ref().map(|(interface, _)| interface))
        .cloned()
        .or_else(|| first_addressed(&interfaces))
        .unwrap_or_default();
    let leading = interfaces.get(&primary);
    let table: Map<String, Value> =
        interfaces.iter().map(|(name, found)| (name.clone(), found.to_json())).collect();
    Some(json!({
        "primary": primary,
        "ipv4": leading.and_then(Interface::ipv4).map(|found| found.to_string()).unwrap_or_default(),
        "ipv6": leading.and_then(Interface::ipv6).map(|found| found.to_string()).unwrap_or_default(),
        "mac": leading.map(|found| found.mac.clone()).unwrap_or_default(),
        "gateway": default4.map(|(_, gateway)| gateway.to_string()).unwrap_or_default(),
        "gateway6": default6.map(|(_, gateway)| gateway.to_string()).unwrap_or_default(),
        "interfaces": table,
    }))
}

/// One interface and what is bound to it.
#[derive(Debug, Default)]
struct Interface {
    mac: String,
    mtu: u64,
    ipv4: Vec<(Ipv4Addr, u32)>,
    ipv6: Vec<(Ipv6Addr, u32)>,
}

impl Interface {
    /// The first address that is not only valid on the link.
    fn ipv4(&self) -> Option<Ipv4Addr> {
        let mut addresses = self.ipv4.iter().map(|(address, _)| *address);
        addresses.find(|address| !address.is_link_local() && !address.is_loopback())
    }

    fn ipv6(&self) -> Option<Ipv6Addr> {
        let mut addresses = self.ipv6.iter().map(|(address, _)| *address);
        addresses.find(|address| !address.is_unicast_link_local() && !address.is_loopback())
    }

    fn to_json(&self) -> Value {
        let ipv4: Vec<Value> = self
            .ipv4
            .iter()
            .map(|(address, prefix)| {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(*prefix)).unwrap_or(0);
                let network = Ipv4Addr::from_bits(address.to_bits() & mask);
                binding(&address.to_string(), *prefix, &network.to_string())
            })
            .collect();
        let ipv6: Vec<Value> = self
            .ipv6
            .iter()
            .map(|(address, prefix)| {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(*prefix)).unwrap_or(0);
                let network = Ipv6Addr::from_bits(address.to_bits() & mask);
                binding(&address.to_string(), *prefix, &network.to_string())
            })
            .collect();
        json!({ "mac": self.mac, "mtu": self.mtu, "ipv4": ipv4, "ipv6": ipv6 })
    }
}

fn binding(address: &str, prefix: u32, network: &str) -> Value {
    json!({ "address": address, "prefix": prefix, "network": network })
}

fn interfaces(live: &Live, addresses6: &str) -> BTreeMap<String, Interface> {
    let mut interfaces = BTreeMap::new();
    for name in live.tree.names("/sys/class/net").unwrap_or_default() {
        let directory = format!("/sys/class/net/{name}");
        // Not every entry is an interface: the bonding driver keeps a plain file here.
        let Some(mtu) = live.tree.number(&format!("{directory}/mtu")) else { continue };
        if TRANSIENT.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        let mac = live.tree.word(&format!("{directory}/address")).unwrap_or_default();
        let mac =
            if mac.bytes().all(|byte| matches!(byte, b'0' | b':')) { String::new() } else { mac };
        interfaces.insert(name, Interface { mac, mtu, ..Interface::default() });
    }
    for Binding { interface, address, prefix } in &live.addresses {
        if let Some(found) = interfaces.get_mut(interface) {
            found.ipv4.push((*address, *prefix));
        }
    }
    for (name, address, prefix) in stable_addresses6(addresses6) {
        if let Some(found) = interfaces.get_mut(name) {
            found.ipv6.push((address, prefix));
        }
    }
    for found in interfaces.values_mut() {
        // The kernel lists them in the order of a hash table. Global addresses lead.
        found.ipv6.sort_by_key(|(address, _)| {
            (address.is_unicast_link_local(), address.is_unique_local(), *address)
        });
    }
    interfaces
}

/// Lines of `/proc/net/if_inet6`: address, index, prefix, scope and flags in hexadecimal, name.
fn stable_addresses6(table: &str) -> impl Iterator<Item = (&str, Ipv6Addr, u32)> {
    // IFA_F_TEMPORARY, IFA_F_DADFAILED, IFA_F_DEPRECATED, IFA_F_TENTATIVE (linux/if_addr.h).
    const UNSTABLE: u32 = 0x01 | 0x08 | 0x20 | 0x40;
    table.lines().filter_map(|line| {
        let mut fields = line.split_whitespace();
        let address = u128::from_str_radix(fields.next()?, 16).ok()?;
        let prefix = u32::from_str_radix(fields.nth(1)?, 16).ok()?;
        let flags = u32::from_str_radix(fields.nth(1)?, 16).ok()?;
        let name = fields.next()?;
        (flags & UNSTABLE == 0).then(|| (name, Ipv6Addr::from_bits(address), prefix))
    })
}

/// The default route of least metric in `/proc/net/route`; addresses are in the machine's own byte
/// order.
fn default_route(table: &str) -> Option<(String, Ipv4Addr)> {
    const UP: u32 = 1;
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [interface, destination, gateway, flags, _, _, metric, mask, ..] = *fields else {
                return None;
            };
            let hexadecimal = |field| u32::from_str_radix(field, 16).ok();
            if hexadecimal(destination)? != 0
                || hexadecimal(mask)? != 0
                || hexadecimal(flags)? & UP == 0
            {
                return None;
            }
            let gateway = Ipv4Addr::from(hexadecimal(gateway)?.to_ne_bytes());
            Some((metric.parse::<u64>().ok()?, interface.to_owned(), gateway))
        })
        .min_by_key(|(metric, _, _)| *metric)
        .map(|(_, interface, gateway)| (interface, gateway))
}

/// The default route of least metric in `/proc/net/ipv6_route`.
fn default_route6(table: &str) -> Option<(String, Ipv6Addr)> {
    table
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [destination, prefix, _, _, gateway, metric, _, _, _, interface] = *fields else {
                return None;
            };
            let unspecified = destination.bytes().all(|byte| byte == b'0');
            if !unspecified || prefix != "00" || interface == "lo" {
                return None;
            }
            let gateway = Ipv6Addr::from_bits(u128::from_str_radix(gateway, 16).ok()?);
            Some((u64::from_str_radix(metric, 16).ok()?, interface.to_owned(), gateway))
        })
        .min_by_key(|(metric, _, _)| *metric)
        .map(|(_, interface, gateway)| (interface, gateway))
}

/// Without a default route, the first interface with an address that others can reach.
fn first_addressed(interfaces: &BTreeMap<String, Interface>) -> Option<String> {
    interfaces
        .iter()
        .find(|(name, found)| *name != "lo" && (found.ipv4().is_some() || found.ipv6().is_some()))
        .map(|(name, _)| name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    #[test]
    fn the_default_route_of_least_metric_wins() {
        let gateway = |address: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(address));
        let route = |name: &str, destination: &str, gateway: &str, flags: &str, metric: u32| {
            format!(
                "{name}\t{destination}\t{gateway}\t{flags}\t0\t0\t{metric}\t{destination}\t0\t0\t0\n"
            )
        };
        let (near, far) = (gateway([10, 0, 0, 1]), gateway([192, 168, 1, 1]));
        for (lines, expected) in [
            (String::new(), None),
            (route("eth0", "0000000A", "00000000", "0001", 0), None),
            (route("eth0", "00000000", &near, "0002", 0), None),
            (
                route("wlan0", "00000000", &far, "0003", 600)
                    + &route("eth0", "00000000", &near, "0003", 100),
                Some(("eth0".to_owned(), Ipv4Addr::new(10, 0, 0, 1))),
            ),
        ] {
            assert_eq!(default_route(&format!("{HEADER}{lines}")), expected);
        }
    }

    #[test]
    fn the_default_route_of_ipv6() {
        let zero = "0".repeat(32);
        let router = "fe800000000000000000000000000001";
        let rest = "00000001 00000000 00000003";
        let table = format!(
            "20010db8000000000000000000000000 40 {zero} 00 {zero} 00000100 {rest} eth0\n\
             {zero} 00 {zero} 00 {router} 00000400 {rest} eth1\n\
             {zero} 00 {zero} 00 {zero} ffffffff {rest} lo\n"
        );
        assert_eq!(default_route6(&table), Some(("eth1".to_owned(), "fe80::1".parse().unwrap())));
        assert_eq!(default_route6("short line\n"), None);
    }

    #[test]
    fn unstable_addresses_are_left_out() {
        let table = "20010db8000000000000000000000005 02 40 00 80 eth0\n\
                     20010db80000000000000000000000aa 02 40 00 01 eth0\n\
                     fe800000000000000000000000000005 02 40 20 80 eth0\n\
                     20010db80000000000000000000000bb 02 40 00 40 eth0\n\
                     00000000000000000000000000000001 01 80 10 80 lo\nbroken\n";
        let found: Vec<String> = stable_addresses6(table)
            .map(|(name, address, bits)| format!("{name} {address}/{bits}"))
            .collect();
        assert_eq!(found, ["eth0 2001:db8::5/64", "eth0 fe80::5/64", "lo ::1/128"]);
    }
}
