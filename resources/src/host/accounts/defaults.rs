//! What `/etc/login.defs` and `/etc/default/useradd` say about new accounts.

/// The settings that matter here, with shadow's own defaults (login.defs(5), useradd(8)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Defaults {
    /// Numbers of ordinary users, from and to.
    pub(super) uids: (u32, u32),
    /// Numbers of system users.
    pub(super) system_uids: (u32, u32),
    /// Numbers of ordinary groups.
    pub(super) gids: (u32, u32),
    /// Numbers of system groups.
    pub(super) system_gids: (u32, u32),
    /// Mode of a new home.
    pub(super) home_mode: u32,
    /// Ageing of a new account: minimum, maximum, warning.
    pub(super) ageing: (i64, i64, i64),
    /// Where a new home's content comes from.
    pub(super) skeleton: String,
    /// The shell of a new account.
    pub(super) shell: String,
}

impl Default for Defaults {
    fn default() -> Self {
        Self::parse("", "")
    }
}

impl Defaults {
    /// The settings in the texts of `login.defs` and `default/useradd`.
    pub(super) fn parse(login_defs: &str, useradd: &str) -> Self {
        let number = |key: &str, or: u32| decimal_or_octal(setting(login_defs, key)).unwrap_or(or);
        let days = |key: &str, or: i64| {
            setting(login_defs, key).and_then(|value| value.parse().ok()).unwrap_or(or)
        };
        let umask = number("UMASK", 0o022);
        let variable = |key: &str| {
            useradd
                .lines()
                .filter_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))
                .next_back()
                .map(|value| value.trim().to_owned())
                .filter(|value| value.starts_with('/'))
        };
        Self {
            uids: (number("UID_MIN", 1000), number("UID_MAX", 60000)),
            system_uids: (number("SYS_UID_MIN", 100), number("SYS_UID_MAX", 999)),
            gids: (number("GID_MIN", 1000), number("GID_MAX", 60000)),
            system_gids: (number("SYS_GID_MIN", 100), number("SYS_GID_MAX", 999)),
            home_mode: number("HOME_MODE", 0o777 & !umask) & 0o777,
            ageing: (
                days("PASS_MIN_DAYS", 0),
                days("PASS_MAX_DAYS", 99999),
                days("PASS_WARN_AGE", 7),
            ),
            skeleton: variable("SKEL").unwrap_or_else(|| "/etc/skel".into()),
            shell: variable("SHELL").unwrap_or_else(|| "/bin/sh".into()),
        }
    }
}

fn setting<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().rev().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(key)).then(|| words.next()).flatten()
    })
}

fn decimal_or_octal(value: Option<&str>) -> Option<u32> {
    let value = value?;
    match value.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => u32::from_str_radix(octal, 8).ok(),
        _ => value.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_shadow_reads_them() {
        let defaults = Defaults::parse(
            "# UID_MIN 5\nUID_MIN\t\t 2000\nUMASK 027\n#HOME_MODE 0700\nPASS_MAX_DAYS 90\n",
            "SHELL=/bin/bash\n# SKEL=/x\n",
        );
        assert_eq!(defaults.uids, (2000, 60000));
        assert_eq!(defaults.home_mode, 0o750);
        assert_eq!(defaults.ageing, (0, 90, 7));
        assert_eq!(defaults.shell, "/bin/bash");
        assert_eq!(defaults.skeleton, "/etc/skel");
        assert_eq!(Defaults::parse("HOME_MODE 0700\n", "").home_mode, 0o700);
    }
}
