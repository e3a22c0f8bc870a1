//! Tests of the kind, on the fake machine and in a root directory on the real one.

mod behaviour;
mod conformance;
mod real;
mod wishes;

use std::io::Read as _;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{File, FileAction, Wanted};
use crate::attributes::{AttributeError, AttributeReader};
use crate::bucket::{Bucket, BucketError};
use crate::failure::Failure;
use crate::host::Host;
use crate::kind::{Batch, Download, Kind, Member, Turn};
use crate::pending::Pending;
use crate::reference::Reference;
use crate::step::{Planned, Step};
use crate::value::{Tree, TreeEntry, Value};

/// A bucket that remembers.
#[derive(Default)]
struct Kept {
    contents: Vec<(String, Vec<u8>)>,
    flushed: usize,
}

impl Bucket for Kept {
    fn keep(&mut self, path: &Path, file: BorrowedFd<'_>) -> Result<String, BucketError> {
        let mut content = Vec::new();
        let owned = file.try_clone_to_owned().unwrap();
        std::fs::File::from(owned).read_to_end(&mut content).unwrap();
        let digest = super::diff::digest(&content);
        self.contents.push((path.display().to_string(), content));
        Ok(digest)
    }

    fn flush(&mut self) -> Result<(), BucketError> {
        self.flushed = self.contents.len();
        Ok(())
    }
}

/// What the network would give.
struct Served(&'static [u8]);

impl Download for Served {
    fn download(&self, _: &str, sha256: &str, _: u64, _: Instant) -> Result<Vec<u8>, Failure> {
        if super::diff::digest(self.0) == sha256 {
            Ok(self.0.to_vec())
        } else {
            Err(Failure::new("another digest"))
        }
    }
}

type Attributes = Vec<(&'static str, Value)>;

fn text(value: &str) -> Value {
    Value::text(value)
}

fn tree(entries: &[(&str, &str)]) -> Value {
    let mut entries: Vec<TreeEntry> = entries
        .iter()
        .map(|(path, content)| TreeEntry {
            path: (*path).to_owned(),
            content: content.as_bytes().into(),
            executable: path.contains("script"),
        })
        .collect();
    entries.sort_by(|left, right| left.path.cmp(&right.path));
    Value::Tree(Arc::new(Tree::Directory(entries)))
}

#[expect(clippy::needless_pass_by_value, reason = "tests write the list in place")]
fn read(title: &str, attributes: Attributes) -> Result<Wanted, Vec<AttributeError>> {
    let mut reader = AttributeReader::new(&attributes);
    let wanted = File.wanted(title, &mut reader);
    match wanted {
        Some(wanted) if !reader.has_errors() => Ok(wanted),
        None if reader.has_errors() => Err(reader.into_errors()),
        _ => panic!("errors and a wish, or neither"),
    }
}

fn wish(title: &str, attributes: Attributes) -> Wanted {
    read(title, attributes).unwrap()
}

fn plan_pending(
    wanted: &Wanted,
    host: &dyn Host,
    pending: &Pending<'_>,
) -> Result<Planned<FileAction>, Failure> {
    let observed = File.observe(wanted, &host.view())?;
    Kind::plan(&File, wanted, observed, pending)
}

fn plan(wanted: &Wanted, host: &dyn Host) -> Result<Planned<FileAction>, Failure> {
    plan_pending(wanted, host, &Pending::nothing())
}

fn with_turn<T>(bucket: &mut Kept, act: impl FnOnce(&mut Turn<'_>) -> T) -> T {
    let mut turn = Turn {
        deadline: Instant::now() + Duration::from_secs(60),
        bucket,
        kept: Vec::new(),
        download: &Served(b"from far away\n"),
    };
    act(&mut turn)
}

/// Plans and applies step by step; the number of steps.
fn converge(wanted: &Wanted, host: &mut dyn Host, bucket: &mut Kept) -> Result<usize, Failure> {
    let planned = plan(wanted, host)?;
    assert_eq!(planned.condition, None, "nothing is pending");
    for Step { action, changes, disruptive } in &planned.steps {
        assert!(!changes.is_empty());
        let step = Step { action, changes: changes.clone(), disruptive: *disruptive };
        with_turn(bucket, |turn| Kind::apply(&File, wanted, &step, host, turn))?;
    }
    Ok(planned.steps.len())
}

/// Plans and applies in batches as the engine gathers them: a resource that rests on another of the
/// same batch, or whose plan is conditional, begins the next.
fn converge_together(
    wishes: &[Wanted],
    host: &mut dyn Host,
    bucket: &mut Kept,
) -> Vec<Result<(), Failure>> {
    let mut results = Vec::new();
    let mut rest = wishes;
    while !rest.is_empty() {
        let together = rest
            .iter()
            .enumerate()
            .take_while(|(index, wanted)| {
                rest[..*index].iter().all(|other| {
                    let (this, other) = (wanted.path.as_path(), other.path.as_path());
                    !this.starts_with(other) && !other.starts_with(this)
                })
            })
            .count();
        let (batch, after) = rest.split_at(together);
        rest = after;
        results.extend(apply_batch(batch, host, bucket));
    }
    results
}

fn apply_batch(
    wishes: &[Wanted],
    host: &mut dyn Host,
    bucket: &mut Kept,
) -> Vec<Result<(), Failure>> {
    let reference = Reference::new("file", "x");
    let plans: Vec<Planned<FileAction>> =
        wishes.iter().map(|wanted| plan(wanted, host).unwrap()).collect();
    let members: Vec<Member<'_, File>> = wishes
        .iter()
        .zip(&plans)
        .map(|(wanted, planned)| Member {
            wanted,
            steps: planned
                .steps
                .iter()
                .map(|Step { action, changes, disruptive }| Step {
                    action,
                    changes: changes.clone(),
                    disruptive: *disruptive,
                })
                .collect(),
            reference: &reference,
        })
        .collect();
    with_turn(bucket, |turn| File.apply_together(&members, host, turn))
}

/// Applies and checks that nothing is left to do.
fn settle(wanted: &Wanted, host: &mut dyn Host, bucket: &mut Kept) -> usize {
    let steps = converge(wanted, host, bucket).unwrap();
    let again = plan(wanted, host).unwrap();
    assert!(again.steps.is_empty(), "not idempotent: {:?}", again.steps);
    steps
}
