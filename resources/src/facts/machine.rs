//! Reading the machine's files: below its root, and the kernel's own (`/proc`, `/sys`).
//!
//! What must stay true: nothing here writes; a link inside a root directory never leads out of it;
//! a read is bounded and never blocks on a FIFO or a device. Absent: any process, any socket but
//! the one `getifaddrs` opens to the kernel.

use std::fs::File;
use std::io::{self, Read};
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::ifaddrs::getifaddrs;
use rustix::fs::{CWD, Dir, Mode, OFlags, ResolveFlags};

/// The most that is read of one file, in bytes.
pub(super) const READ_LIMIT: u64 = 1 << 20;

/// What facts are read from.
pub(super) struct Machine {
    /// The files of the root directory.
    pub(super) tree: Tree,
    /// The running machine; absent when the root directory is an image.
    pub(super) live: Option<Live>,
}

/// What only a running machine has.
pub(super) struct Live {
    /// Where `/proc` and `/sys` are.
    pub(super) tree: Tree,
    /// The node name, as uname(2) gives it.
    pub(super) node: String,
    /// The kernel's release, as uname(2) gives it.
    pub(super) release: String,
    /// The machine's hardware name, as uname(2) gives it.
    pub(super) machine: String,
    /// IPv4 addresses in the kernel's order.
    pub(super) addresses: Vec<Binding>,
}

/// An IPv4 address of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binding {
    /// The interface's name, without an alias label.
    pub(super) interface: String,
    /// The address.
    pub(super) address: Ipv4Addr,
    /// The length of the network's prefix, 0 to 32.
    pub(super) prefix: u32,
}

impl Machine {
    /// The machine whose root directory is `root`; the running one where that is `/`.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        if root != Path::new("/") {
            return Ok(Self { tree: Tree::inside(root)?, live: None });
        }
        let system = rustix::system::uname();
        let live = Live {
            tree: Tree::whole(),
            node: system.nodename().to_string_lossy().into_owned(),
            release: system.release().to_string_lossy().into_owned(),
            machine: system.machine().to_string_lossy().into_owned(),
            addresses: bindings().unwrap_or_default(),
        };
        Ok(Self { tree: Tree::whole(), live: Some(live) })
    }
}

fn bindings() -> io::Result<Vec<Binding>> {
    Ok(getifaddrs()?
        .filter_map(|entry| {
            let address = entry.address?.as_sockaddr_in()?.ip();
            let mask = entry.netmask.as_ref().and_then(|mask| mask.as_sockaddr_in());
            Some(Binding {
                interface: entry.interface_name.split(':').next().unwrap_or_default().to_owned(),
                address,
                prefix: mask.map_or(32, |mask| mask.ip().to_bits().count_ones()),
            })
        })
        .collect())
}

/// A directory that absolute paths are read below.
#[derive(Debug)]
pub(super) struct Tree {
    root: PathBuf,
    /// Open for any root but `/`, where resolution needs no fence.
    directory: Option<OwnedFd>,
}

impl Tree {
    /// The whole file system.
    pub(super) fn whole() -> Self {
        Self { root: PathBuf::from("/"), directory: None }
    }

    /// The directory `root`; links are resolved as if it were `/` (openat2(2), `RESOLVE_IN_ROOT`).
    pub(super) fn inside(root: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::openat(CWD, root, flags, Mode::empty())?;
        Ok(Self { root: root.canonicalize()?, directory: Some(directory) })
    }

    /// The root directory, free of links.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    fn open(&self, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
        let flags = flags | OFlags::CLOEXEC;
        let descriptor = match &self.directory {
            None => rustix::fs::openat(CWD, path, flags, Mode::empty()),
            Some(directory) => {
                let fence = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
                rustix::fs::openat2(directory, path, flags, Mode::empty(), fence)
            }
        };
        Ok(descriptor?)
    }

    /// Opens the regular file at `path` for reading.
    pub(super) fn file(&self, path: &str) -> io::Result<File> {
        let file = File::from(self.open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?);
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
        }
    }

    /// The first `limit` bytes of the file at `path`.
    pub(super) fn bytes(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.file(path)?.take(limit).read_to_end(&mut content)?;
        Ok(content)
    }

    /// The text of the file at `path`, bytes that are not UTF-8 replaced; `None` if unreadable.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        self.beginning(path, READ_LIMIT)
    }

    /// The text of the first `limit` bytes of the file at `path`; `None` if unreadable.
    pub(super) fn beginning(&self, path: &str, limit: u64) -> Option<String> {
        let content = self.bytes(path, limit).ok()?;
        Some(String::from_utf8_lossy(&content).into_owned())
    }

    /// The file at `path` without surrounding white space; `None` if unreadable or empty.
    pub(super) fn word(&self, path: &str) -> Option<String> {
        let text = self.text(path)?;
        let word = text.trim();
        (!word.is_empty()).then(|| word.to_owned())
    }

    /// The number in the file at `path`.
    pub(super) fn number(&self, path: &str) -> Option<u64> {
        self.word(path)?.parse().ok()
    }

    /// Whether there is anything at `path`.
    pub(super) fn exists(&self, path: &str) -> bool {
        self.open(path, OFlags::PATH).is_ok()
    }

    /// The target of the link at `path`; `None` where there is no link.
    pub(super) fn link(&self, path: &str) -> Option<String> {
        let link = self.open(path, OFlags::PATH | OFlags::NOFOLLOW).ok()?;
        let target = rustix::fs::readlinkat(&link, "", Vec::new()).ok()?;
        Some(target.to_string_lossy().into_owned())
    }

    /// The names in the directory at `path`, sorted.
    pub(super) fn names(&self, path: &str) -> io::Result<Vec<String>> {
        let directory = self.open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK)?;
        let mut names = Vec::new();
        for entry in Dir::new(directory)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Where `path` really is, free of links.
    pub(super) fn real_path(&self, path: &str) -> io::Result<PathBuf> {
        use std::os::fd::AsRawFd;
        if self.directory.is_none() {
            return Path::new(path).canonicalize();
        }
        let found = self.open(path, OFlags::PATH)?;
        std::fs::read_link(format!("/proc/self/fd/{}", found.as_raw_fd()))
    }
}
