//! A policy repository in memory, and the text form that a fuzzer changes.

use std::collections::BTreeMap;

use steadfast_policies::{Repository, RepositoryError};

/// What starts the line that names the next file.
const HEADER: &[u8] = b"--- ";

/// Where bytes before the first header go.
const NAMELESS: &str = "policies/web/policy.toml";

/// Assigns the policies that the inputs mostly have.
const SITE: &str = "[site]\ndata = [\"common\", \"os/{{ facts.os.family }}\"]\n[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n";

/// Files by their paths.
pub(super) struct Memory(pub(super) BTreeMap<String, Vec<u8>>);

impl Memory {
    /// The files in `bytes`: each begins with a line `--- PATH`. Without a `site.toml` there is one
    /// that assigns the policy `web`.
    pub(super) fn split(bytes: &[u8]) -> Self {
        let mut files = BTreeMap::from([("site.toml".to_owned(), SITE.as_bytes().to_vec())]);
        let mut path = NAMELESS.to_owned();
        let mut content = Vec::new();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_prefix(HEADER) {
                Some(name) => {
                    let next = String::from_utf8_lossy(name).trim().to_owned();
                    let before = std::mem::replace(&mut path, next);
                    if !content.is_empty() {
                        files.insert(before, std::mem::take(&mut content));
                    }
                }
                None => content.extend_from_slice(line),
            }
        }
        if !content.is_empty() {
            files.insert(path, content);
        }
        Self(files)
    }
}

impl Repository for Memory {
    fn paths(&self) -> Result<Vec<String>, RepositoryError> {
        Ok(self.0.keys().cloned().collect())
    }
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
        Ok(self.0.get(path).cloned())
    }
    fn executable(&self, path: &str) -> Result<bool, RepositoryError> {
        Ok(path.contains("bin/"))
    }
}
