//! Repositories on this machine: objects are copied from database to database, without running any
//! program.
//!
//! Only what one commit needs is copied. It goes through the same door as a pack from a server, so
//! that every object gets its name from its content.

use std::collections::HashSet;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use gix::objs::{CommitRef, Kind, TreeRefIter};
use gix::{ObjectId, Repository};

use super::contract::{Done, Operation, Request};
use super::error::SourceError;
use super::failure::FetchFailure;
use super::meter::Meter;
use super::objects::{Objects, STRUCTURE_LIMIT};
use super::references;
use super::settings::Limits;

/// Does what `request` asks with the repository at `path`.
pub(super) fn perform(request: &Request, path: &Path) -> Result<Done, FetchFailure> {
    let source = gix::open_opts(path, references::open_options(&request.limits))
        .map_err(|error| FetchFailure::NoRepository { reason: error.to_string() })?;
    let (branch, id) = branch(&source, request.branch.as_deref())?;
    let done = Done { id: id.to_string(), branch: branch.clone(), scheme: None };
    if request.operation == Operation::Head {
        return Ok(done);
    }
    let target = open_copy(&request.repository, &request.limits)?;
    if target.object_hash() != source.object_hash() {
        return Err(FetchFailure::ObjectFormat { format: source.object_hash().to_string() });
    }
    copy_commit(source, &target, id, &request.limits)?;
    references::set_reference(&target, &references::tracking_reference(&branch), id)
        .map_err(|error| FetchFailure::Write { reason: error.to_string() })?;
    Ok(done)
}

/// Opens the repository to fetch into.
pub(super) fn open_copy(path: &Path, limits: &Limits) -> Result<Repository, FetchFailure> {
    gix::open_opts(path, references::open_options(limits).open_path_as_is(true))
        .map_err(|error| FetchFailure::Copy { reason: error.to_string() })
}

fn branch(source: &Repository, name: Option<&str>) -> Result<(String, ObjectId), FetchFailure> {
    let full = match name {
        Some(name) => format!("refs/heads/{name}"),
        None => match source.head_name() {
            Ok(Some(name)) => name.as_bstr().to_string(),
            _ => "HEAD".to_owned(),
        },
    };
    let short = full.strip_prefix("refs/heads/").unwrap_or(&full).to_owned();
    let missing = || FetchFailure::NoBranch { branch: short.clone() };
    let id = source
        .try_find_reference(full.as_str())
        .map_err(|error| FetchFailure::Protocol { reason: error.to_string() })?
        .ok_or_else(missing)?
        .peel_to_id()
        .map_err(|_| missing())?
        .detach();
    Ok((short, id))
}

/// Copies what commit `id` needs from `source` to `target`: the commit, its trees and its blobs,
/// without history.
pub(super) fn copy_commit(
    source: Repository,
    target: &Repository,
    id: ObjectId,
    limits: &Limits,
) -> Result<(), FetchFailure> {
    let objects = Objects::new(source);
    let (wanted, parents) = missing_objects(&objects, target, id, limits)
        .map_err(|error| FetchFailure::CorruptPack { reason: error.to_string() })?;
    if !wanted.is_empty() {
        let kind = objects.repository().object_hash();
        let meter = Meter::new(limits.max_pack_bytes);
        let stream = PackStream::new(&objects, wanted, kind);
        receive(target, BufReader::with_capacity(1 << 16, stream), &meter, limits)?;
    }
    if parents.iter().any(|parent| !target.has_object(*parent)) {
        references::add_shallow(target.git_dir(), id)
            .map_err(|error| FetchFailure::Write { reason: error.to_string() })?;
    }
    Ok(())
}

/// The objects that commit `id` needs and `target` lacks, and the commit's parents.
fn missing_objects(
    objects: &Objects,
    target: &Repository,
    id: ObjectId,
    limits: &Limits,
) -> Result<(Vec<ObjectId>, Vec<ObjectId>), SourceError> {
    let damaged = |id: &ObjectId| super::objects::damaged(id, "is not sound".to_owned());
    let content = objects.read(&id, Kind::Commit, STRUCTURE_LIMIT)?;
    let commit = CommitRef::from_bytes(&content, id.kind()).map_err(|_| damaged(&id))?;
    let parents: Vec<ObjectId> =
        commit.parents.iter().filter_map(|parent| ObjectId::from_hex(parent).ok()).collect();
    let root = ObjectId::from_hex(commit.tree).map_err(|_| damaged(&id))?;
    let mut seen = HashSet::from([id, root]);
    let mut trees = vec![root];
    let mut wanted = vec![id];
    while let Some(tree) = trees.pop() {
        wanted.push(tree);
        let content = objects.read(&tree, Kind::Tree, STRUCTURE_LIMIT)?;
        for entry in TreeRefIter::from_bytes(&content, tree.kind()) {
            let entry = entry.map_err(|_| damaged(&tree))?;
            let child = entry.oid.to_owned();
            // A submodule's commit is not an object of this repository.
            if entry.mode.is_commit() || !seen.insert(child) {
                continue;
            }
            if entry.mode.is_tree() {
                trees.push(child);
            } else {
                wanted.push(child);
            }
        }
        if seen.len() / 4 > limits.max_files as usize {
            return Err(damaged(&root));
        }
    }
    wanted.retain(|id| !target.has_object(*id));
    Ok((wanted, parents))
}

/// Writes a pack into the repository's object database and indexes it.
fn receive(
    target: &Repository,
    mut pack: impl io::BufRead,
    meter: &Meter,
    limits: &Limits,
) -> Result<(), FetchFailure> {
    let directory = target.objects.store_ref().path().join("pack");
    let options = gix::odb::pack::bundle::write::Options {
        alloc_limit_bytes: usize::try_from(limits.max_pack_bytes).ok(),
        ..Default::default()
    };
    let outcome = gix::odb::pack::Bundle::write_to_directory(
        &mut pack,
        Some(&directory),
        &mut meter.clone(),
        meter.stop(),
        None::<gix::OdbHandle>,
        target.object_hash(),
        options,
    )
    .map_err(|error| {
        if meter.exceeded() {
            return FetchFailure::PackTooLarge { limit: limits.max_pack_bytes };
        }
        FetchFailure::Write { reason: error.to_string() }
    })?;
    if let Some(keep) = outcome.keep_path {
        std::fs::remove_file(keep)
            .map_err(|error| FetchFailure::Write { reason: error.to_string() })?;
    }
    Ok(())
}

/// A pack of whole objects (gitformat-pack(5)), made while it is read.
struct PackStream<'a> {
    objects: &'a Objects,
    wanted: std::vec::IntoIter<ObjectId>,
    hasher: Option<gix::hash::Hasher>,
    ready: io::Cursor<Vec<u8>>,
}

impl<'a> PackStream<'a> {
    fn new(objects: &'a Objects, wanted: Vec<ObjectId>, kind: gix::hash::Kind) -> Self {
        let count = u32::try_from(wanted.len()).unwrap_or(u32::MAX);
        let mut header = b"PACK".to_vec();
        header.extend_from_slice(&2_u32.to_be_bytes());
        header.extend_from_slice(&count.to_be_bytes());
        let mut hasher = gix::hash::hasher(kind);
        hasher.update(&header);
        let wanted = wanted.into_iter();
        Self { objects, wanted, hasher: Some(hasher), ready: io::Cursor::new(header) }
    }

    /// The next piece: an object, then the trailer, then nothing.
    fn next(&mut self) -> io::Result<Vec<u8>> {
        if let Some(id) = self.wanted.next() {
            let entry = self.entry(&id)?;
            if let Some(hasher) = &mut self.hasher {
                hasher.update(&entry);
            }
            return Ok(entry);
        }
        match self.hasher.take() {
            Some(hasher) => {
                let trailer = hasher.try_finalize().map_err(io::Error::other)?;
                Ok(trailer.as_slice().to_vec())
            }
            None => Ok(Vec::new()),
        }
    }

    fn entry(&self, id: &ObjectId) -> io::Result<Vec<u8>> {
        let (kind, size) = self.objects.header(id).map_err(io::Error::other)?;
        let content = self.objects.read(id, kind, size).map_err(io::Error::other)?;
        let mut entry = Vec::with_capacity(content.len() / 2 + 16);
        push_entry_header(&mut entry, kind, content.len());
        let speed = gix::zlib::Compression::BEST_SPEED;
        let mut deflate = gix::zlib::stream::deflate::Write::new(entry, speed);
        deflate.write_all(&content)?;
        deflate.flush()?;
        Ok(deflate.into_inner())
    }
}

/// Type and unpacked size of an entry: three bits and four, then seven at a time, the lowest first.
fn push_entry_header(entry: &mut Vec<u8>, kind: Kind, size: usize) {
    let kind = match kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    };
    let mut bits = kind << 4 | (size & 0x0f);
    let mut rest = size >> 4;
    loop {
        let more = if rest > 0 { 0x80 } else { 0 };
        entry.extend((bits | more).to_le_bytes().first());
        if rest == 0 {
            return;
        }
        bits = rest & 0x7f;
        rest >>= 7;
    }
}

impl Read for PackStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.ready.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        self.ready = io::Cursor::new(self.next()?);
        self.ready.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_headers() {
        for (kind, size, expected) in [
            (Kind::Commit, 0, &[0x10][..]),
            (Kind::Blob, 15, &[0x3f]),
            (Kind::Blob, 16, &[0xb0, 0x01]),
            (Kind::Tree, 0x7ff, &[0xaf, 0x7f]),
            (Kind::Tree, 0x800, &[0xa0, 0x80, 0x01]),
        ] {
            let mut header = Vec::new();
            push_entry_header(&mut header, kind, size);
            assert_eq!(header, expected, "{size}");
        }
    }
}
