//! Reading objects by name, each checked against its name.
//!
//! What must stay true: whoever calls [`Objects::read`] gets content whose hash is the name that
//! was asked for, however it came into the object database, or an error. Sizes are looked at before
//! anything is unpacked.

use gix::objs::{Find, Kind};
use gix::odb::Header;
use gix::{ObjectId, Repository};

use super::error::SourceError;

/// The largest commit or tree that is read, in bytes.
pub(super) const STRUCTURE_LIMIT: u64 = 64 << 20;

/// The object database of one repository.
pub(super) struct Objects {
    repository: Repository,
}

impl Objects {
    pub(super) fn new(repository: Repository) -> Self {
        Self { repository }
    }

    pub(super) fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Kind and size of an object. The size is what the database claims; [`Self::read`] proves it.
    pub(super) fn header(&self, id: &ObjectId) -> Result<(Kind, u64), SourceError> {
        match self.repository.objects.try_header(id) {
            Ok(Some(header)) => Ok((header.kind(), header.size())),
            Ok(None) => Err(damaged(id, "is missing".to_owned())),
            Err(error) => Err(damaged(id, format!("cannot be read: {error}"))),
        }
    }

    /// The content of the object `id`, which must be of `kind` and have at most `limit` bytes.
    pub(super) fn read(
        &self,
        id: &ObjectId,
        kind: Kind,
        limit: u64,
    ) -> Result<Vec<u8>, SourceError> {
        if *id == ObjectId::empty_tree(id.kind()) && kind == Kind::Tree {
            return Ok(Vec::new());
        }
        let (actual, size) = self.header(id)?;
        if actual != kind {
            return Err(damaged(id, format!("is a {actual} instead of a {kind}")));
        }
        if size > limit {
            return Err(damaged(id, format!("has {size} bytes, more than {limit}")));
        }
        let mut content = Vec::new();
        let found = match self.repository.objects.try_find(id, &mut content) {
            Ok(Some(data)) => data.kind,
            Ok(None) => return Err(damaged(id, "is missing".to_owned())),
            Err(error) => return Err(damaged(id, format!("cannot be read: {error}"))),
        };
        let computed = gix::objs::compute_hash(id.kind(), found, &content)
            .map_err(|error| damaged(id, format!("cannot be trusted: {error}")))?;
        if computed != *id || found != kind {
            return Err(damaged(id, format!("has the content of {computed}")));
        }
        Ok(content)
    }
}

pub(super) fn damaged(id: &ObjectId, problem: String) -> SourceError {
    SourceError::Damaged { id: id.to_string(), problem }
}
