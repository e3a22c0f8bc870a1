//! Kernel, time zone, `SELinux`, package manager and init system.

use serde_json::{Value, json};

use super::machine::Machine;
use super::os::assignments;

/// `kernel`: name, release as uname(2) gives it, and the release's leading number as version.
/// Absent for an image.
pub(super) fn kernel(machine: &Machine) -> Option<Value> {
    let release = &machine.live.as_ref()?.release;
    let number = |character: char| character.is_ascii_digit() || character == '.';
    let version: String = release.chars().take_while(|character| number(*character)).collect();
    Some(json!({
        "name": "Linux",
        "release": release,
        "version": version.trim_end_matches('.'),
    }))
}

/// `timezone`: a name of the tz database. No `/etc/localtime` means UTC (localtime(5)).
pub(super) fn timezone(machine: &Machine) -> String {
    if let Some(target) = machine.tree.link("/etc/localtime")
        && let Some((_, zone)) = target.split_once("zoneinfo/")
    {
        return zone.to_owned();
    }
    machine.tree.word("/etc/timezone").unwrap_or_else(|| "UTC".to_owned())
}

/// `selinux`: enabled, mode (enforcing, permissive, disabled), policy. For an image what its
/// configuration asks for.
pub(super) fn selinux(machine: &Machine) -> Value {
    let text = machine.tree.text("/etc/selinux/config").unwrap_or_default();
    let wanted = assignments(&text);
    let configured = wanted.get("SELINUX").map_or("disabled", String::as_str);
    let mode = match &machine.live {
        None => configured,
        Some(live) => match live.tree.word("/sys/fs/selinux/enforce").as_deref() {
            Some("1") => "enforcing",
            Some(_) => "permissive",
            None => "disabled",
        },
    };
    let enabled = matches!(mode, "enforcing" | "permissive");
    let policy = wanted.get("SELINUXTYPE").filter(|_| enabled).map_or("", String::as_str);
    json!({ "enabled": enabled, "mode": mode, "policy": policy })
}

/// Package managers, by the family they are at home in and where their program is. Several may be
/// installed: dnf is a Debian package too.
const PACKAGE_MANAGERS: [(&str, &str, &str); 9] = [
    ("debian", "apt", "/usr/bin/apt-get"),
    ("redhat", "dnf", "/usr/bin/dnf5"),
    ("redhat", "dnf", "/usr/bin/dnf"),
    ("redhat", "dnf", "/usr/bin/microdnf"),
    ("redhat", "yum", "/usr/bin/yum"),
    ("suse", "zypper", "/usr/bin/zypper"),
    ("arch", "pacman", "/usr/bin/pacman"),
    ("alpine", "apk", "/sbin/apk"),
    ("gentoo", "portage", "/usr/bin/emerge"),
];

/// `package_manager`: apt, dnf, yum, zypper, pacman, apk, portage, or empty.
pub(super) fn package_manager(machine: &Machine, family: &str) -> &'static str {
    let at_home = PACKAGE_MANAGERS.iter().filter(|(home, _, _)| *home == family);
    let elsewhere = PACKAGE_MANAGERS.iter().filter(|(home, _, _)| *home != family);
    at_home
        .chain(elsewhere)
        .find(|(_, _, program)| machine.tree.exists(program))
        .map_or("", |(_, name, _)| *name)
}

/// `init_system`: systemd, openrc, runit, s6, sysvinit; else the name of process 1 (empty for an
/// image). Of a running machine it is the one that runs (`sd_booted(3)`), not the one installed.
pub(super) fn init_system(machine: &Machine) -> String {
    let tree = &machine.tree;
    let Some(live) = &machine.live else {
        let program = tree.link("/sbin/init").unwrap_or_default();
        let installed = ["systemd", "openrc", "runit", "s6"];
        let named = installed.into_iter().find(|name| program.contains(name));
        return match named {
            Some(name) => name,
            None if tree.exists("/sbin/openrc") => "openrc",
            None if tree.exists("/etc/inittab") => "sysvinit",
            None => "",
        }
        .to_owned();
    };
    if tree.exists("/run/systemd/system") {
        return "systemd".to_owned();
    }
    if tree.exists("/run/openrc/softlevel") {
        return "openrc".to_owned();
    }
    let first = live.tree.word("/proc/1/comm").unwrap_or_default();
    match first.as_str() {
        "runit" => "runit".to_owned(),
        "s6-svscan" => "s6".to_owned(),
        "init" if tree.exists("/etc/inittab") => "sysvinit".to_owned(),
        _ => first,
    }
}
