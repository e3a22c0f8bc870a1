//! Addresses and networks, with the names that Ansible and Salt have for them.
//!
//! `ipaddr` without a query, or with a network, is a question: what it does not hold for becomes
//! false, and falls out of a list. What asks for a property of something that is no address is an
//! error, so that no `False` ends up in a configuration.

use std::net::IpAddr;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use super::brief;
use super::limits::Limited;

/// An address with the length of its network's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u32,
    /// Whether the prefix was written.
    written: bool,
}

/// What [`property`] knows.
const PROPERTIES: &[&str] = &[
    "address",
    "broadcast",
    "first_usable",
    "host",
    "hostmask",
    "last_usable",
    "netmask",
    "network",
    "prefix",
    "size",
    "subnet",
    "version",
    "wildcard",
];

pub(super) fn install(environment: &mut Limited<'_>) {
    for (name, version) in [("ipaddr", None), ("ipv4", Some(4)), ("ipv6", Some(6))] {
        environment.add_filter(name, move |value: Value, query: Option<Value>| {
            each(&value, &|value| asked(value, version, query.as_ref()))
        });
    }
    for (name, wanted) in [
        ("ip_address", "address"),
        ("ip_network", "network"),
        ("ip_netmask", "netmask"),
        ("ip_prefix", "prefix"),
        ("ip_broadcast", "broadcast"),
        ("ip_size", "size"),
        ("ip_version", "version"),
    ] {
        environment.add_filter(name, move |text: &str| property(network(text)?, wanted));
    }
    environment.add_filter("nthhost", |text: &str, index: i64| {
        nth(network(text)?, index).map(|host| host.address.to_string())
    });
    let within = |text: &str, outer: &str| Ok::<_, Error>(network(text)?.within(network(outer)?));
    environment.add_filter("ip_in", within);
    environment.add_test("ip_in", within);
    for (filter, test, version) in
        [("is_ip", "ip", None), ("is_ipv4", "ipv4", Some(4)), ("is_ipv6", "ipv6", Some(6))]
    {
        // Only an address: a network with its prefix is none.
        let is = move |text: &str| {
            let found = Network::parse(text).filter(|found| !found.written);
            found.is_some_and(|found| version.is_none_or(|version| found.version() == version))
        };
        environment.add_filter(filter, is);
        environment.add_test(test, is);
    }
}

fn failed(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// The answer for a value, or those for the values of a list that have one.
fn each(value: &Value, answer: &dyn Fn(&Value) -> Result<Value, Error>) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(ErrorKind::UndefinedError.into()),
        ValueKind::Seq | ValueKind::Iterable => {
            let mut answers = Vec::new();
            for value in value.try_iter()? {
                let found = value.as_str().and_then(Network::parse);
                let answer = if found.is_some() { answer(&value)? } else { Value::from(false) };
                if answer != Value::from(false) {
                    answers.push(answer);
                }
            }
            Ok(Value::from(answers))
        }
        _ => answer(value),
    }
}

fn asked(value: &Value, version: Option<u32>, query: Option<&Value>) -> Result<Value, Error> {
    let text = value.as_str().unwrap_or_default();
    let found = Network::parse(text)
        .filter(|found| version.is_none_or(|version| found.version() == version));
    let Some(query) = query.filter(|query| !query.is_none()) else {
        return Ok(found.map_or(Value::from(false), |_| value.clone()));
    };
    if let Some(index) = query.as_i64().filter(|_| query.is_number()) {
        return nth(network(text)?, index).map(|host| Value::from(host.to_string()));
    }
    let query = query.as_str().unwrap_or_default();
    if PROPERTIES.contains(&query) {
        let Some(found) = found else { return Err(no_address(text)) };
        return property(found, query);
    }
    let outer = Network::parse(query).ok_or_else(|| {
        failed(format!(
            "`ipaddr` cannot be asked for {}: use a network or one of {}",
            brief(query),
            PROPERTIES.join(", ")
        ))
    })?;
    let inside = found.is_some_and(|found| found.within(outer));
    Ok(if inside { value.clone() } else { Value::from(false) })
}

fn network(text: &str) -> Result<Network, Error> {
    Network::parse(text).ok_or_else(|| no_address(text))
}

fn no_address(text: &str) -> Error {
    failed(format!("{} is no IP address or network", brief(text)))
}

fn property(of: Network, name: &str) -> Result<Value, Error> {
    let (first, last) = (of.first(), of.last());
    // A network of one or two addresses has neither a name nor a broadcast address of its own
    // (RFC 3021); IPv6 has no broadcast.
    let small = of.width() - of.prefix < 2;
    Ok(match name {
        "address" => Value::from(of.address.to_string()),
        "host" => Value::from(of.to_string()),
        "network" => Value::from(of.at(first).to_string()),
        "subnet" => Value::from(format!("{}/{}", of.at(first), of.prefix)),
        "netmask" => Value::from(of.at(of.mask()).to_string()),
        "hostmask" | "wildcard" => Value::from(of.at(of.ones() & !of.mask()).to_string()),
        "prefix" => Value::from(of.prefix),
        "version" => Value::from(of.version()),
        "broadcast" if of.version() == 6 || small => {
            return Err(failed(format!("{of} has no broadcast address")));
        }
        "broadcast" => Value::from(of.at(last).to_string()),
        "first_usable" => {
            Value::from(of.at(if small { first } else { first.saturating_add(1) }).to_string())
        }
        "last_usable" => {
            let usable = if small || of.version() == 6 { last } else { last.saturating_sub(1) };
            Value::from(of.at(usable).to_string())
        }
        "size" => {
            let size = last.checked_sub(first).and_then(|size| i64::try_from(size).ok());
            let size = size.and_then(|size| size.checked_add(1));
            Value::from(
                size.ok_or_else(|| failed(format!("the size of {of} does not fit 64 bits")))?,
            )
        }
        _ => return Err(failed(format!("there is no property {name:?}"))),
    })
}

/// The address at `index` of the network, from its end where it is negative.
fn nth(of: Network, index: i64) -> Result<Network, Error> {
    let distance = u128::from(index.unsigned_abs());
    let (first, last) = (of.first(), of.last());
    let bits = if index < 0 {
        last.checked_sub(distance - 1).filter(|bits| *bits >= first)
    } else {
        first.checked_add(distance).filter(|bits| *bits <= last)
    };
    let bits = bits.ok_or_else(|| failed(format!("{of} has no address {index}")))?;
    Ok(Network { address: of.at(bits), ..of })
}

impl Network {
    /// An address with or without a prefix; a netmask counts as one.
    fn parse(text: &str) -> Option<Self> {
        let (address, suffix) = match text.split_once('/') {
            Some((address, suffix)) => (address, Some(suffix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let whole = Self { address, prefix: width, written: false };
        let Some(suffix) = suffix else { return Some(whole) };
        let digits = !suffix.is_empty() && suffix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = if digits {
            suffix.parse::<u32>().ok()?
        } else {
            let mask: std::net::Ipv4Addr = suffix.parse().ok().filter(|_| address.is_ipv4())?;
            let bits = u32::from(mask);
            (bits.leading_ones() + bits.trailing_zeros() == 32).then(|| bits.leading_ones())?
        };
        (prefix <= width).then_some(Self { prefix, written: true, ..whole })
    }

    fn version(self) -> u32 {
        if self.address.is_ipv4() { 4 } else { 6 }
    }

    fn width(self) -> u32 {
        if self.address.is_ipv4() { 32 } else { 128 }
    }

    fn bits(self) -> u128 {
        match self.address {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            IpAddr::V6(address) => u128::from(address),
        }
    }

    fn ones(self) -> u128 {
        if self.address.is_ipv4() { u128::from(u32::MAX) } else { u128::MAX }
    }

    fn mask(self) -> u128 {
        let rest = self.width() - self.prefix;
        self.ones().checked_shr(rest).and_then(|ones| ones.checked_shl(rest)).unwrap_or(0)
    }

    fn first(self) -> u128 {
        self.bits() & self.mask()
    }

    fn last(self) -> u128 {
        self.first() | (self.ones() & !self.mask())
    }

    /// The address of the same family with these bits.
    fn at(self, bits: u128) -> IpAddr {
        match self.address {
            IpAddr::V4(_) => {
                IpAddr::V4(u32::try_from(bits & u128::from(u32::MAX)).unwrap_or_default().into())
            }
            IpAddr::V6(_) => IpAddr::V6(bits.into()),
        }
    }

    fn within(self, outer: Self) -> bool {
        self.version() == outer.version()
            && self.prefix >= outer.prefix
            && self.bits() & outer.mask() == outer.first()
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix)
    }
}
