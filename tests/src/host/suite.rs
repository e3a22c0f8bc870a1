//! The root file systems that hosts are booted from: made by debootstrap, cached, never written to
//! once made (every host gets an overlay of its own).

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{cache, outer};

/// A fresh root takes a minute; a slow mirror may take ten.
const DEBOOTSTRAP_DEADLINE: Duration = Duration::from_secs(900);

/// Beside the minimal system: what a host of ours has, and what tests use to look at it.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,iproute2,git,ca-certificates,\
                        acl,attr,libcap2-bin,openssh-client,openssh-server";

/// Raised when `settle` changes, so that cached roots are made again.
const RECIPE: u32 = 1;

/// A Debian release to boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// Debian 12.
    Bookworm,
    /// Debian 13.
    Trixie,
}

impl Suite {
    /// Every release that hosts are tested on.
    pub const ALL: [Self; 2] = [Self::Bookworm, Self::Trixie];

    /// The name the archive has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
        }
    }

    /// `VERSION_ID` of its os-release(5).
    pub const fn version(self) -> &'static str {
        match self {
            Self::Bookworm => "12",
            Self::Trixie => "13",
        }
    }

    /// Its root file system, made now if the cache does not have it.
    pub fn root(self) -> PathBuf {
        outer::insist_on_root();
        let ingredients = format!("{} {PACKAGES} {RECIPE}", self.name());
        cache::prepared(self.name(), &ingredients, |root| {
            debootstrap(self, root);
            settle(root);
        })
    }
}

fn debootstrap(suite: Suite, root: &Path) {
    let mut command = outer::command("debootstrap");
    command.args(["--variant=minbase", &format!("--include={PACKAGES}"), suite.name()]);
    command.arg(root).arg(mirror());
    outer::must(command, DEBOOTSTRAP_DEADLINE);
}

/// The mirror this machine itself uses.
pub(crate) fn mirror() -> String {
    let places = ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"];
    let mut texts = places.iter().filter_map(|place| fs::read_to_string(place).ok());
    let found = texts.find_map(|text| text.lines().find_map(mirror_of_line));
    found.unwrap_or_else(|| panic!("no mirror is named in {}", places.join(" or ")))
}

fn mirror_of_line(line: &str) -> Option<String> {
    let line = line.trim();
    if !line.starts_with("URIs:") && !line.starts_with("deb ") {
        return None;
    }
    let mut words = line.split_whitespace();
    words.find(|word| word.contains("://")).map(str::to_owned)
}

/// Takes out what would act by itself in the middle of a test, and what points to the network.
fn settle(root: &Path) {
    let write = |path: &str, text: &str| {
        fs::write(root.join(path), text).unwrap_or_else(|error| panic!("{path}: {error}"));
    };
    write("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
    write("etc/hostname", "host\n");
    write("etc/resolv.conf", "");
    write("etc/apt/sources.list", "");
    for timer in ["apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer"] {
        let place = root.join("etc/systemd/system").join(timer);
        symlink("/dev/null", &place).unwrap_or_else(|error| panic!("{timer}: {error}"));
    }
    let mut disable = outer::command("chroot");
    disable.arg(root).args(["systemctl", "disable", "ssh.service"]);
    outer::must(disable, Duration::from_secs(30));
    let mut clean = outer::command("chroot");
    clean.arg(root).args(["apt-get", "clean"]);
    outer::must(clean, Duration::from_secs(30));
}

#[cfg(test)]
mod tests {
    use super::mirror_of_line;

    #[test]
    fn a_mirror_is_read_from_both_formats() {
        let table = [
            (
                "URIs: http://mirror.test/debian http://other.test/",
                Some("http://mirror.test/debian"),
            ),
            (
                "deb [arch=amd64] http://mirror.test/debian bookworm main",
                Some("http://mirror.test/debian"),
            ),
            ("# URIs: http://mirror.test/debian", None),
            ("deb-src http://mirror.test/debian bookworm main", None),
            ("deb cdrom:[Debian]/ bookworm main", None),
        ];
        for (line, expected) in table {
            assert_eq!(mirror_of_line(line).as_deref(), expected, "{line}");
        }
    }
}
