//! The distribution: os-release(5), and the architecture of its programs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::machine::Machine;

/// `os`: id, family, name, version, major, minor, codename, architecture.
pub(super) fn os(machine: &Machine, architecture: &str) -> Value {
    let text = ["/etc/os-release", "/usr/lib/os-release"]
        .into_iter()
        .find_map(|path| machine.tree.text(path))
        .unwrap_or_default();
    let release = assignments(&text);
    let get = |key: &str| release.get(key).map_or("", String::as_str);
    let id = if get("ID").is_empty() { "linux" } else { get("ID") };
    let family = family(id, get("ID_LIKE"));
    let version = get("VERSION_ID");
    let mut numbers = version.split('.').map(|part| part.parse::<u64>().ok());
    json!({
        "id": id,
        "family": family,
        "name": if get("NAME").is_empty() { id } else { get("NAME") },
        "version": version,
        "major": numbers.next().flatten(),
        "minor": numbers.next().flatten(),
        "codename": codename(&release),
        "architecture": distribution_architecture(family, architecture),
    })
}

/// The assignments of a file in the form of os-release(5): shell-like, with quotes and
/// backslashes, without expansion.
pub(super) fn assignments(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim().to_owned(), unquoted(value.trim())))
        .collect()
}

fn unquoted(value: &str) -> String {
    let (inner, escapes) = match value.chars().next() {
        Some('\'') => (value.trim_matches('\''), false),
        Some('"') => (value.strip_prefix('"').unwrap_or(value), true),
        _ => (value, true),
    };
    if !escapes {
        return inner.to_owned();
    }
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            '"' => break,
            other => plain.push(other),
        }
    }
    plain
}

/// The family: distributions that share package manager and file layout. A distribution without a
/// known relative is its own family.
fn family<'a>(id: &'a str, like: &'a str) -> &'a str {
    let known = |name: &str| {
        Some(match name {
            "debian" | "ubuntu" => "debian",
            "rhel" | "fedora" | "centos" | "rocky" | "almalinux" | "ol" | "amzn" => "redhat",
            "suse" | "opensuse" | "sles" | "sled" | "sle-micro" => "suse",
            "arch" | "archarm" => "arch",
            "alpine" => "alpine",
            "gentoo" => "gentoo",
            name if name.starts_with("opensuse-") => "suse",
            _ => return None,
        })
    };
    known(id).or_else(|| like.split_whitespace().find_map(known)).unwrap_or(id)
}

fn codename(release: &BTreeMap<String, String>) -> &str {
    ["VERSION_CODENAME", "UBUNTU_CODENAME"]
        .into_iter()
        .find_map(|key| release.get(key))
        .map_or("", String::as_str)
}

/// The name that the distribution's packages give an architecture (Debian Policy 11.1, Alpine's
/// repositories); everywhere else it is uname(2)'s.
fn distribution_architecture<'a>(family: &str, architecture: &'a str) -> &'a str {
    match (family, architecture) {
        ("debian", "x86_64") => "amd64",
        ("debian", "aarch64") => "arm64",
        ("debian", "i386" | "i486" | "i586" | "i686") => "i386",
        ("debian", "armv7l" | "armv8l") | ("alpine", "armv6l") => "armhf",
        ("debian", "armv5tel" | "armv6l") => "armel",
        ("debian", "ppc64le") => "ppc64el",
        ("debian", "mips64") => "mips64el",
        ("debian", "loongarch64") => "loong64",
        ("alpine", "i386" | "i486" | "i586" | "i686") => "x86",
        ("alpine", "armv7l" | "armv8l") => "armv7",
        (_, other) => other,
    }
}

/// The architecture, as uname(2) names it, that the programs below the root directory are made
/// for. It is read from the shell's ELF header (elf(5)), because a 64-bit kernel may run a 32-bit
/// distribution, and an image may be for another machine altogether.
pub(super) fn program_architecture(machine: &Machine) -> Option<&'static str> {
    let shell = ["/bin/sh", "/usr/bin/env", "/sbin/init"]
        .into_iter()
        .find_map(|path| machine.tree.bytes(path, 64).ok())?;
    elf_architecture(&shell)
}

fn elf_architecture(header: &[u8]) -> Option<&'static str> {
    if header.get(..4)? != b"\x7fELF" {
        return None;
    }
    let wide = *header.get(4)? == 2;
    let little = *header.get(5)? == 1;
    let pair = [*header.get(18)?, *header.get(19)?];
    let kind = if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) };
    Some(match (kind, wide, little) {
        (3, _, _) => "i686",
        (8, true, _) => "mips64",
        (21, _, true) => "ppc64le",
        (21, _, false) => "ppc64",
        (22, true, _) => "s390x",
        (40, _, true) => arm(header),
        (62, true, _) => "x86_64",
        (183, _, true) => "aarch64",
        (243, true, _) => "riscv64",
        (258, true, _) => "loongarch64",
        _ => return None,
    })
}

/// Hard-float ARM (flag 0x400 of `e_flags`) is what distributions build for `ARMv7`.
fn arm(header: &[u8]) -> &'static str {
    match header.get(37) {
        Some(byte) if byte & 0x04 != 0 => "armv7l",
        _ => "armv5tel",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_unquote_as_a_shell_does() {
        let text =
            "# NAME=no\nA=plain\nB=\"two words\"\nC='sin\"gle'\nD=\"q\\\"uote\\$\"\nE=\nF=\"\"\n";
        let table: Vec<(String, String)> = assignments(text).into_iter().collect();
        let expected = [
            ("A", "plain"),
            ("B", "two words"),
            ("C", "sin\"gle"),
            ("D", "q\"uote$"),
            ("E", ""),
            ("F", ""),
        ];
        assert_eq!(table, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    #[test]
    fn families() {
        for (id, like, expected) in [
            ("debian", "", "debian"),
            ("ubuntu", "debian", "debian"),
            ("linuxmint", "ubuntu debian", "debian"),
            ("fedora", "", "redhat"),
            ("rocky", "rhel centos fedora", "redhat"),
            ("nobara", "fedora", "redhat"),
            ("opensuse-leap", "suse opensuse", "suse"),
            ("sles", "suse", "suse"),
            ("arch", "", "arch"),
            ("manjaro", "arch", "arch"),
            ("alpine", "", "alpine"),
            ("void", "", "void"),
        ] {
            assert_eq!(family(id, like), expected, "{id}");
        }
    }

    #[test]
    fn architectures_have_the_distributions_names() {
        for (family, architecture, expected) in [
            ("debian", "x86_64", "amd64"),
            ("debian", "aarch64", "arm64"),
            ("debian", "s390x", "s390x"),
            ("redhat", "x86_64", "x86_64"),
            ("alpine", "armv7l", "armv7"),
            ("alpine", "x86_64", "x86_64"),
            ("arch", "x86_64", "x86_64"),
        ] {
            assert_eq!(distribution_architecture(family, architecture), expected);
        }
    }

    #[test]
    fn elf_headers() {
        let header = |class: u8, order: u8, kind: [u8; 2], flags: u8| {
            let mut bytes = vec![0_u8; 64];
            bytes[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, order]);
            bytes[18..20].copy_from_slice(&kind);
            bytes[37] = flags;
            bytes
        };
        for (bytes, expected) in [
            (header(2, 1, [62, 0], 0), Some("x86_64")),
            (header(1, 1, [3, 0], 0), Some("i686")),
            (header(2, 1, [183, 0], 0), Some("aarch64")),
            (header(2, 2, [0, 22], 0), Some("s390x")),
            (header(1, 1, [40, 0], 4), Some("armv7l")),
            (header(1, 1, [40, 0], 2), Some("armv5tel")),
            (header(2, 1, [0, 0], 0), None),
            (b"#!/bin/sh\n".to_vec(), None),
            (b"\x7fELF".to_vec(), None),
        ] {
            assert_eq!(elf_architecture(&bytes), expected);
        }
    }
}
