//! The fake machine's tree, and how paths are resolved in it.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;

use rustix::io::Errno;

use crate::host::Faults;
use crate::host::files::FileError;
use crate::host::files::path::AbsolutePath;
use crate::host::files::status::{DirectoryEntry, FileType, Inode, Mode, Status, Times};

/// One thing of the fake tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeNode {
    /// What it is.
    pub kind: FakeNodeKind,
    /// Its permission bits.
    pub mode: Mode,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its extended attributes.
    pub attributes: BTreeMap<String, Vec<u8>>,
    /// Its inode number.
    pub inode: u64,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FakeNodeKind {
    /// A regular file with its content.
    File(Vec<u8>),
    /// A directory.
    Directory,
    /// A link with what it says.
    Symlink(OsString),
    /// A FIFO, socket or device.
    Special(FileType),
}

impl FakeNode {
    /// The node's type.
    pub fn file_type(&self) -> FileType {
        match &self.kind {
            FakeNodeKind::File(_) => FileType::File,
            FakeNodeKind::Directory => FileType::Directory,
            FakeNodeKind::Symlink(_) => FileType::Symlink,
            FakeNodeKind::Special(kind) => *kind,
        }
    }

    pub(super) fn status(&self) -> Status {
        Status {
            kind: self.file_type(),
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            size: match &self.kind {
                FakeNodeKind::File(content) => content.len() as u64,
                FakeNodeKind::Symlink(target) => target.len() as u64,
                _ => 0,
            },
            links: 1,
            mount_point: false,
            identity: Inode { device: 1, number: self.inode },
            times: Times::default(),
        }
    }

    fn root_alone_writes(&self) -> bool {
        self.uid == 0 && self.mode.bits() & 0o022 == 0
    }

    fn may_be_passed(&self) -> bool {
        self.uid == 0 && (self.mode.bits() & 0o022 == 0 || self.mode.bits() & 0o1000 != 0)
    }
}

/// A file system in memory.
#[derive(Debug, Clone)]
pub struct FakeFiles {
    /// Nodes by where they are, no link in any key.
    nodes: BTreeMap<AbsolutePath, FakeNode>,
    next_inode: u64,
    pub(super) faults: Faults,
    pub(super) swept: HashSet<u64>,
}

impl Default for FakeFiles {
    fn default() -> Self {
        let mut files = Self {
            nodes: BTreeMap::new(),
            next_inode: 1,
            faults: Faults::default(),
            swept: HashSet::new(),
        };
        let root = files.new_node(FakeNodeKind::Directory, 0o755);
        files.nodes.insert(AbsolutePath::root(), root);
        files
    }
}

impl FakeFiles {
    /// The scene of the conformance suite: the directories of a bare Debian host.
    pub fn scene(faults: Faults) -> Self {
        let mut files = Self { faults, ..Self::default() };
        for (path, mode) in [
            ("/etc", 0o755),
            ("/etc/apt", 0o755),
            ("/etc/cron.d", 0o755),
            ("/etc/default", 0o755),
            ("/etc/ssh", 0o755),
            ("/etc/systemd", 0o755),
            ("/etc/systemd/system", 0o755),
            ("/etc/systemd", 0o755),
            ("/etc/systemd/system", 0o755),
            ("/home", 0o755),
            ("/opt", 0o755),
            ("/root", 0o700),
            ("/run", 0o755),
            ("/srv", 0o755),
            ("/tmp", 0o1777),
            ("/usr", 0o755),
            ("/usr/bin", 0o755),
            ("/usr/lib", 0o755),
            ("/usr/lib/systemd", 0o755),
            ("/usr/lib/systemd/system", 0o755),
            ("/usr/sbin", 0o755),
            ("/usr/local", 0o755),
            ("/usr/local/bin", 0o755),
            ("/usr/share", 0o755),
            ("/var", 0o755),
            ("/var/cache", 0o755),
            ("/var/lib", 0o755),
            ("/var/log", 0o755),
            ("/var/tmp", 0o1777),
        ] {
            files.put(path, FakeNodeKind::Directory, mode);
        }
        files.put("/bin", FakeNodeKind::Symlink("usr/bin".into()), 0o777);
        files.put("/lib", FakeNodeKind::Symlink("usr/lib".into()), 0o777);
        files.put("/sbin", FakeNodeKind::Symlink("usr/sbin".into()), 0o777);
        files.put("/var/run", FakeNodeKind::Symlink("/run".into()), 0o777);
        for program in ["/usr/bin/true", "/usr/bin/false", "/usr/bin/test", "/usr/bin/grep"] {
            files.put(program, FakeNodeKind::File(b"program".to_vec()), 0o755);
        }
        files
    }

    /// Sets the scene: puts a node of root's at `path`, whatever is there.
    ///
    /// # Panics
    /// When `path` is no absolute path.
    #[expect(clippy::expect_used, reason = "for tests, which name their paths literally")]
    pub fn put(&mut self, path: &str, kind: FakeNodeKind, mode: u16) -> &mut FakeNode {
        let node = self.new_node(kind, mode);
        let path = AbsolutePath::parse(path).expect("a literal path");
        let place = self.nodes.entry(path).or_insert_with(|| node.clone());
        *place = node;
        place
    }

    /// The node at `path`, which must not lead over links; for tests to look at.
    pub fn get(&self, path: &str) -> Option<&FakeNode> {
        self.nodes.get(&AbsolutePath::parse(path).ok()?)
    }

    /// Takes the node at `path` away, and all below it.
    pub fn take(&mut self, path: &str) {
        if let Ok(path) = AbsolutePath::parse(path) {
            self.remove_subtree(&path);
        }
    }

    /// Every path, for tests to compare.
    pub fn paths(&self) -> impl Iterator<Item = &AbsolutePath> {
        self.nodes.keys()
    }

    pub(super) fn new_node(&mut self, kind: FakeNodeKind, mode: u16) -> FakeNode {
        self.next_inode += 1;
        FakeNode {
            kind,
            mode: Mode::new(mode),
            uid: 0,
            gid: 0,
            attributes: BTreeMap::new(),
            inode: self.next_inode,
        }
    }

    pub(super) fn node(&self, place: &AbsolutePath) -> Option<&FakeNode> {
        self.nodes.get(place)
    }

    pub(super) fn node_mut(&mut self, place: &AbsolutePath) -> Option<&mut FakeNode> {
        self.nodes.get_mut(place)
    }

    pub(super) fn insert(&mut self, place: AbsolutePath, node: FakeNode) {
        self.nodes.insert(place, node);
    }

    /// The node at `place` and everything below it.
    pub(super) fn subtree(
        &self,
        place: &AbsolutePath,
    ) -> impl Iterator<Item = (&AbsolutePath, &FakeNode)> {
        let top = place.clone();
        self.nodes
            .range(place.clone()..)
            .take_while(move |(path, _)| path.as_bytes().starts_with(top.as_bytes()))
            .filter({
                let top = place.clone();
                move |(path, _)| path.as_path().starts_with(top.as_path())
            })
    }

    pub(super) fn remove_subtree(&mut self, place: &AbsolutePath) -> Vec<(AbsolutePath, FakeNode)> {
        let gone: Vec<AbsolutePath> = self.subtree(place).map(|(path, _)| path.clone()).collect();
        gone.into_iter().filter_map(|path| self.nodes.remove_entry(&path)).collect()
    }

    pub(super) fn children(&self, place: &AbsolutePath) -> Vec<DirectoryEntry> {
        self.subtree(place)
            .filter(|(path, _)| *path != place && path.parent().as_ref() == Some(place))
            .map(|(path, node)| DirectoryEntry {
                name: path.split().1.to_owned(),
                kind: node.file_type(),
            })
            .collect()
    }

    /// Where the last component of `path` is or would be, once links in its directory have been
    /// followed; `None` where there is no such directory.
    pub(super) fn place(&self, path: &AbsolutePath) -> Result<Option<AbsolutePath>, FileError> {
        match path.parent() {
            None => Ok(Some(path.clone())),
            Some(parent) => Ok(self.directory(&parent)?.map(|parent| parent.join(path.split().1))),
        }
    }

    /// The directory that `path` is or leads to.
    pub(super) fn directory(&self, path: &AbsolutePath) -> Result<Option<AbsolutePath>, FileError> {
        let mut place = AbsolutePath::root();
        let mut rest: Vec<OsString> = components(path.as_path().as_os_str());
        let mut links = 0;
        while let Some(name) = rest.pop() {
            if name == ".." {
                place = place.parent().unwrap_or_else(AbsolutePath::root);
                continue;
            }
            let next = place.join(&name);
            match self.nodes.get(&next) {
                Some(FakeNode { kind: FakeNodeKind::Directory, .. }) => place = next,
                Some(FakeNode { kind: FakeNodeKind::Symlink(target), uid, .. }) => {
                    self.check_link(&next, *uid)?;
                    links += 1;
                    if links > 40 {
                        return Err(FileError::Reach {
                            path: path.to_string(),
                            source: io::Error::from(Errno::LOOP),
                        });
                    }
                    if target.as_bytes().starts_with(b"/") {
                        place = AbsolutePath::root();
                    }
                    rest.extend(components(target));
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(place))
    }

    fn check_link(&self, link: &AbsolutePath, owner: u32) -> Result<(), FileError> {
        let mut above = link.ancestors().filter_map(|path| self.nodes.get(&path));
        let trusted = owner == 0
            && above.next().is_some_and(FakeNode::root_alone_writes)
            && above.all(FakeNode::may_be_passed);
        if trusted {
            return Ok(());
        }
        Err(FileError::UntrustedLink {
            link: link.to_string(),
            owner,
            reason: "someone other than root can have planted it".into(),
        })
    }
}

/// The components of a path, last first.
fn components(path: &OsStr) -> Vec<OsString> {
    path.as_bytes()
        .split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .rev()
        .map(|part| OsStr::from_bytes(part).to_owned())
        .collect()
}
