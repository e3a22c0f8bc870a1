//! Changes to the fake tree.

use std::ffi::OsStr;
use std::io;

use rustix::io::Errno;

use super::tree::{FakeFiles, FakeNode, FakeNodeKind};
use super::{ACCESS_ACL, SELINUX};
use crate::host::files::candidate::{candidate_name, is_candidate_name};
use crate::host::files::path::AbsolutePath;
use crate::host::files::status::{FileType, Mode, Status};
use crate::host::files::{
    FileChanges, FileError, NewFile, Obstacle, Placement, Properties, Staged,
};

impl FakeFiles {
    /// The directory to change names in, swept of leftovers.
    fn holding(&mut self, path: &AbsolutePath) -> Result<AbsolutePath, FileError> {
        let parent = path.parent().unwrap_or_else(AbsolutePath::root);
        let directory = self
            .directory(&parent)?
            .ok_or_else(|| FileError::NoDirectory { path: parent.to_string() })?;
        if let Some(inode) = self.node(&directory).map(|node| node.inode)
            && self.swept.insert(inode)
        {
            self.sweep_one(&directory);
        }
        Ok(directory)
    }

    fn sweep_one(&mut self, directory: &AbsolutePath) -> Vec<AbsolutePath> {
        let mut gone = Vec::new();
        for entry in self.children(directory) {
            if is_candidate_name(&entry.name) {
                let path = directory.join(&entry.name);
                self.remove_subtree(&path);
                gone.push(path);
            }
        }
        gone
    }

    fn dress(node: &mut FakeNode, properties: &Properties<'_>) {
        if let Some(uid) = properties.owner {
            node.uid = uid;
        }
        if let Some(gid) = properties.group {
            node.gid = gid;
        }
        if let Some(mode) = properties.mode {
            node.mode = mode;
        }
        if let Some(context) = properties.selinux {
            node.attributes.insert(SELINUX.into(), context.into());
        }
    }

    /// Puts `node` at `path` if what is there is what `over` says.
    fn install(
        &mut self,
        path: &AbsolutePath,
        node: FakeNode,
        over: Obstacle,
    ) -> Result<(), FileError> {
        let place = self.holding(path)?.join(path.split().1);
        self.check(path, &place, over)?;
        self.remove_subtree(&place);
        self.insert(place, node);
        Ok(())
    }

    fn check(
        &self,
        path: &AbsolutePath,
        place: &AbsolutePath,
        over: Obstacle,
    ) -> Result<(), FileError> {
        let found = self.node(place).map(FakeNode::file_type);
        let expected = match (over, found) {
            (Obstacle::Nothing, found) => found.is_none(),
            (_, None) => true,
            (Obstacle::NonDirectory, Some(kind)) => kind != FileType::Directory,
            (_, Some(kind)) => kind == FileType::Directory,
        };
        if !expected {
            return Err(FileError::ChangedMeanwhile { path: path.clone() });
        }
        if over == Obstacle::EmptyDirectory && !self.children(place).is_empty() {
            let source = io::Error::from(Errno::NOTEMPTY);
            return Err(FileError::Remove { path: path.clone(), source });
        }
        Ok(())
    }
}

/// Whether the access rights of `node` were given by somebody who is to have no say any more.
fn is_strangers(node: &FakeNode, owner: u32) -> bool {
    node.uid != 0 && node.uid != owner
}

impl FileChanges for FakeFiles {
    fn stage(&mut self, path: &AbsolutePath, file: &NewFile<'_>) -> Result<Staged, FileError> {
        self.faults
            .strike(&format!("stage {path}"))
            .map_err(|source| FileError::Write { path: path.clone(), source })?;
        let directory = self.holding(path)?;
        let mut node = self.new_node(FakeNodeKind::File(file.content.to_vec()), 0o644);
        if file.inherit
            && let Some(old) = self.node(&directory.join(path.split().1))
            && old.file_type() == FileType::File
            && !is_strangers(old, file.properties.owner.unwrap_or(0))
        {
            node.attributes.clone_from(&old.attributes);
        }
        Self::dress(&mut node, &file.properties);
        let identity = self
            .node(&directory)
            .map(FakeNode::status)
            .ok_or_else(|| FileError::NoDirectory { path: directory.to_string() })?;
        let temporary = candidate_name();
        self.insert(directory.join(&temporary), node);
        Ok(Staged { target: path.clone(), temporary, directory: identity.identity })
    }

    fn sync(&mut self, staged: &[&Staged]) -> Vec<Result<(), FileError>> {
        staged
            .iter()
            .map(|staged| {
                self.faults
                    .strike(&format!("sync {}", staged.target))
                    .map_err(|source| FileError::Sync { path: staged.target.to_string(), source })
            })
            .collect()
    }

    fn commit(&mut self, staged: Staged, over: Obstacle) -> Result<Placement, FileError> {
        let path = &staged.target;
        let struck = self.faults.strike(&format!("commit {path}"));
        let candidate = self.holding(path)?.join(&staged.temporary);
        let node = self
            .remove_subtree(&candidate)
            .pop()
            .ok_or_else(|| FileError::ChangedMeanwhile { path: path.clone() })?
            .1;
        struck.map_err(|source| FileError::Replace {
            path: path.clone(),
            kind: FileType::File,
            source,
        })?;
        self.install(path, node, over)?;
        Ok(Placement::Atomic)
    }

    fn discard(&mut self, staged: Staged) -> Result<(), FileError> {
        let candidate = self.holding(&staged.target)?.join(&staged.temporary);
        self.remove_subtree(&candidate);
        Ok(())
    }

    fn make_directory(
        &mut self,
        path: &AbsolutePath,
        properties: &Properties<'_>,
        over: Obstacle,
    ) -> Result<(), FileError> {
        let kind = FileType::Directory;
        self.faults
            .strike(&format!("make directory {path}"))
            .map_err(|source| FileError::Create { path: path.clone(), kind, source })?;
        let mut node = self.new_node(FakeNodeKind::Directory, 0o755);
        Self::dress(&mut node, properties);
        self.install(path, node, over)
    }

    fn make_link(
        &mut self,
        path: &AbsolutePath,
        target: &OsStr,
        properties: &Properties<'_>,
        over: Obstacle,
    ) -> Result<(), FileError> {
        let kind = FileType::Symlink;
        self.faults.strike(&format!("make link {path}")).map_err(|source| FileError::Create {
            path: path.clone(),
            kind,
            source,
        })?;
        let mut node = self.new_node(FakeNodeKind::Symlink(target.to_owned()), 0o777);
        Self::dress(&mut node, &Properties { mode: None, ..*properties });
        self.install(path, node, over)
    }

    fn adjust(
        &mut self,
        path: &AbsolutePath,
        seen: &Status,
        properties: &Properties<'_>,
    ) -> Result<(), FileError> {
        self.faults
            .strike(&format!("adjust {path}"))
            .map_err(|source| FileError::SetMode { path: path.clone(), source })?;
        let changed = || FileError::ChangedMeanwhile { path: path.clone() };
        let place = self.place(path)?.ok_or_else(changed)?;
        let node = self
            .node_mut(&place)
            .filter(|node| node.status().identity == seen.identity)
            .ok_or_else(changed)?;
        if (properties.owner.is_some() || properties.group.is_some())
            && node.file_type() == FileType::File
        {
            node.mode = Mode::without_set_id(node.mode);
        }
        if properties.owner.is_some_and(|owner| is_strangers(node, owner)) {
            node.attributes.remove(ACCESS_ACL);
        }
        let mode = properties.mode.filter(|_| node.file_type() != FileType::Symlink);
        Self::dress(node, &Properties { mode, ..*properties });
        Ok(())
    }

    fn remove(&mut self, path: &AbsolutePath, over: Obstacle) -> Result<(), FileError> {
        self.faults
            .strike(&format!("remove {path}"))
            .map_err(|source| FileError::Remove { path: path.clone(), source })?;
        let Some(place) = self.place(path)?.filter(|place| !place.is_root()) else { return Ok(()) };
        if over == Obstacle::Nothing || self.node(&place).is_none() {
            return Ok(());
        }
        self.check(path, &place, over)?;
        self.remove_subtree(&place);
        Ok(())
    }

    fn settle(&mut self) -> Result<(), FileError> {
        Ok(())
    }

    fn sweep(&mut self, directories: &[AbsolutePath]) -> Result<Vec<AbsolutePath>, FileError> {
        let mut gone = Vec::new();
        for path in directories {
            if let Ok(Some(directory)) = self.directory(path)
                && let Some(inode) = self.node(&directory).map(|node| node.inode)
                && self.swept.insert(inode)
            {
                gone.extend(self.sweep_one(&directory));
            }
        }
        Ok(gone)
    }
}
