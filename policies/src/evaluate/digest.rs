//! Digests of declarations: equal digests mean equal wishes.
//!
//! Every part is hashed with its type and length, so that no two different declarations run
//! together into the same bytes.

use sha2::{Digest, Sha256};
use steadfast_resources::{Tree, Value};

use crate::catalog::{Common, OnRemove, Resource};

/// The digest of one resource. `values` are sorted by name.
pub(crate) fn resource(
    kind: &str,
    title: &str,
    values: &[(&'static str, Value)],
    common: &Common,
) -> [u8; 32] {
    let mut hasher = Hasher::default();
    bytes(&mut hasher, b'k', kind.as_bytes());
    bytes(&mut hasher, b't', title.as_bytes());
    for (name, content) in values {
        bytes(&mut hasher, b'a', name.as_bytes());
        value(&mut hasher, content);
    }
    hasher.update(&[u8::from(common.enforce)]);
    hasher.finish()
}

/// The digest of a whole catalog, in hexadecimal.
pub(crate) fn catalog(resources: &[Resource]) -> String {
    let mut hasher = Hasher::default();
    for resource in resources {
        hasher.update(&resource.digest);
        let common = &resource.common;
        hasher.update(&[
            u8::from(common.sensitive),
            match common.on_remove {
                OnRemove::Orphan => 0,
                OnRemove::Delete => 1,
                OnRemove::Restore => 2,
            },
        ]);
        hasher.update(&common.timeout.as_millis().to_le_bytes());
        hasher.update(&common.retries.to_le_bytes());
        for tag in &common.tags {
            bytes(&mut hasher, b'g', tag.as_bytes());
        }
        for (tag, list) in [(b'd', &resource.dependencies), (b'n', &resource.notifies)] {
            length(&mut hasher, tag, list.len());
            for index in list {
                hasher.update(&index.to_le_bytes());
            }
        }
    }
    hasher.finish().iter().fold(String::with_capacity(64), |mut text, byte| {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
        text
    })
}

/// Hashes many small parts at a time.
struct Hasher {
    hasher: Sha256,
    waiting: Vec<u8>,
}

/// How many bytes are hashed at a time.
const ROOM: usize = 1024;

impl Default for Hasher {
    fn default() -> Self {
        Self { hasher: Sha256::default(), waiting: Vec::with_capacity(ROOM) }
    }
}

impl Hasher {
    fn update(&mut self, bytes: &[u8]) {
        if self.waiting.len() + bytes.len() > ROOM {
            self.hasher.update(&self.waiting);
            self.waiting.clear();
        }
        if bytes.len() > ROOM {
            self.hasher.update(bytes);
        } else {
            self.waiting.extend_from_slice(bytes);
        }
    }

    fn finish(mut self) -> [u8; 32] {
        self.hasher.update(&self.waiting);
        self.hasher.finalize().into()
    }
}

fn length(hasher: &mut Hasher, tag: u8, length: usize) {
    let mut head = [tag; 9];
    if let Some(rest) = head.get_mut(1..) {
        rest.copy_from_slice(&(length as u64).to_le_bytes());
    }
    hasher.update(&head);
}

fn bytes(hasher: &mut Hasher, tag: u8, content: &[u8]) {
    length(hasher, tag, content.len());
    hasher.update(content);
}

fn value(hasher: &mut Hasher, content: &Value) {
    match content {
        Value::Text(text) => bytes(hasher, b's', text.as_bytes()),
        Value::Integer(integer) => bytes(hasher, b'i', &integer.to_le_bytes()),
        Value::Float(float) => bytes(hasher, b'f', &float.to_bits().to_le_bytes()),
        Value::Boolean(boolean) => bytes(hasher, b'b', &[u8::from(*boolean)]),
        Value::List(items) => {
            length(hasher, b'l', items.len());
            for item in items {
                value(hasher, item);
            }
        }
        Value::Table(pairs) => {
            // The order in which a table is written says nothing.
            let mut pairs: Vec<&(String, Value)> = pairs.iter().collect();
            pairs.sort_unstable_by_key(|(name, _)| name);
            length(hasher, b'm', pairs.len());
            for (name, item) in pairs {
                bytes(hasher, b'n', name.as_bytes());
                value(hasher, item);
            }
        }
        Value::Tree(tree) => match &**tree {
            Tree::File { content, executable } => file(hasher, "", content, *executable),
            Tree::Directory(entries) => {
                length(hasher, b'd', entries.len());
                for entry in entries {
                    file(hasher, &entry.path, &entry.content, entry.executable);
                }
            }
        },
    }
}

fn file(hasher: &mut Hasher, path: &str, content: &[u8], executable: bool) {
    bytes(hasher, b'p', path.as_bytes());
    bytes(hasher, b'c', content);
    hasher.update(&[u8::from(executable)]);
}
