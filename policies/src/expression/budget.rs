//! What the expressions and templates of one catalog may use up, all together.
//!
//! Work is counted in units of about a nanosecond, never in time, so that the answer is the same on
//! every host: an instruction of the engine costs some, so does every byte that is made.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use super::{FUEL, MAXIMUM_OUTPUT};

/// All the work of one catalog: about half a second.
const MAXIMUM_WORK: u64 = 500_000_000;

/// What an instruction of the template engine costs.
const INSTRUCTION: u64 = 30;

/// What a value costs, besides its bytes.
const VALUE: usize = 16;

/// How deep values may nest.
const MAXIMUM_DEPTH: usize = 100;

/// How many items a list or map may have.
pub(super) const MAXIMUM_ITEMS: usize = 1_000_000;

/// How the message of a spent budget begins.
pub(super) const SPENT: &str = "the templates and expressions of this host take too much work";

/// How many bytes one evaluation may make on its way.
const MAXIMUM_MADE: u64 = 128 << 20;

/// What an item of a list takes; one of a map is two and its place.
const ITEM: usize = size_of::<Value>();

/// What was used up so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Budget(Arc<Spent>);

#[derive(Debug, Default)]
struct Spent {
    /// The work done for the catalog.
    work: AtomicU64,
    /// The bytes that the evaluation at work has made.
    made: AtomicU64,
}

impl Budget {
    /// Begins anew: another catalog is made with the same engine.
    pub(crate) fn renew(&self) {
        self.0.work.store(0, Ordering::Relaxed);
    }

    /// Another evaluation begins.
    pub(super) fn begin(&self) {
        self.0.made.store(0, Ordering::Relaxed);
    }

    /// Takes what making `bytes` costs, in work and in memory.
    pub(super) fn make(&self, bytes: usize) -> Result<(), Error> {
        self.charge(bytes)?;
        if add(&self.0.made, bytes as u64) > MAXIMUM_MADE {
            let message = format!(
                "the texts and lists that are made here exceed {} MiB together",
                MAXIMUM_MADE >> 20
            );
            return Err(Error::new(ErrorKind::OutOfFuel, message));
        }
        Ok(())
    }

    /// Takes what making a text, list or map costs; a view becomes a list. An error where it is too large.
    pub(super) fn made(&self, value: Value) -> Result<Value, Error> {
        match value.kind() {
            ValueKind::String => {
                self.make(self.text_length(&value)?)?;
                Ok(value)
            }
            ValueKind::Iterable => {
                let items = value.try_iter()?.take(MAXIMUM_ITEMS + 1).collect::<Vec<_>>();
                self.counted(items.len(), ITEM)?;
                // An item that is no value tells of what went wrong on the way.
                if items.iter().any(|item| item.kind() == ValueKind::Invalid) {
                    return Ok(value);
                }
                Ok(Value::from(items))
            }
            ValueKind::Seq => {
                self.counted(value.len().unwrap_or(0), ITEM)?;
                Ok(value)
            }
            ValueKind::Map => {
                self.counted(value.len().unwrap_or(0), 3 * ITEM)?;
                Ok(value)
            }
            _ => Ok(value),
        }
    }

    /// Takes what a list or map of so many items costs.
    fn counted(&self, items: usize, size: usize) -> Result<(), Error> {
        if items > MAXIMUM_ITEMS { Err(too_large()) } else { self.make(items * size) }
    }

    /// Takes `units` from it.
    pub(super) fn charge(&self, units: usize) -> Result<(), Error> {
        if add(&self.0.work, units as u64) > MAXIMUM_WORK {
            return Err(Error::new(ErrorKind::OutOfFuel, SPENT));
        }
        Ok(())
    }

    /// Takes what an evaluation that left `levels` of fuel has burnt; all of its fuel where it did
    /// not get that far.
    pub(super) fn burnt(&self, levels: Option<(u64, u64)>) {
        let consumed = levels.map_or(FUEL, |(consumed, _)| consumed);
        add(&self.0.work, consumed * INSTRUCTION);
    }

    /// Refuses a value that is too large or nests too deep, and takes what looking costs; otherwise
    /// how large it is.
    pub(super) fn bounded(&self, value: &Value) -> Result<usize, Error> {
        let mut size = 0;
        let outcome = measure(value, 0, &mut size);
        self.charge(size)?;
        outcome.map(|()| size)
    }

    /// The length of `value` as text.
    pub(super) fn text_length(&self, value: &Value) -> Result<usize, Error> {
        if let Some(text) = value.as_str() {
            return if text.len() > MAXIMUM_OUTPUT { Err(too_large()) } else { Ok(text.len()) };
        }
        let mut counter = Counter(0);
        let complete = write!(counter, "{value}").is_ok();
        self.charge(counter.0)?;
        if complete { Ok(counter.0) } else { Err(too_large()) }
    }
}

/// Adds to `counter`. One catalog is made by one thread: what others would add at the same time may
/// get lost, and nothing waits for anything.
fn add(counter: &AtomicU64, units: u64) -> u64 {
    let sum = counter.load(Ordering::Relaxed).saturating_add(units);
    counter.store(sum, Ordering::Relaxed);
    sum
}

/// The error for anything that is larger than a rendered text may be.
pub(super) fn too_large() -> Error {
    let message = format!("a value exceeds {} MiB", MAXIMUM_OUTPUT >> 20);
    Error::new(ErrorKind::OutOfFuel, message)
}

fn measure(value: &Value, depth: usize, size: &mut usize) -> Result<(), Error> {
    *size += VALUE;
    if depth > MAXIMUM_DEPTH {
        let message = format!("a value nests deeper than {MAXIMUM_DEPTH} levels");
        return Err(Error::new(ErrorKind::OutOfFuel, message));
    }
    match value.kind() {
        ValueKind::String => *size += value.as_str().map_or(0, str::len),
        ValueKind::Seq | ValueKind::Iterable => {
            for item in value.try_iter()? {
                measure(&item, depth + 1, size)?;
            }
        }
        ValueKind::Map => {
            for key in value.try_iter()? {
                measure(&key, depth + 1, size)?;
                measure(&value.get_item(&key)?, depth + 1, size)?;
            }
        }
        _ => {}
    }
    if *size > MAXIMUM_OUTPUT { Err(too_large()) } else { Ok(()) }
}

/// Counts bytes up to the limit.
struct Counter(usize);

impl Write for Counter {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0 += text.len();
        if self.0 > MAXIMUM_OUTPUT { Err(std::fmt::Error) } else { Ok(()) }
    }
}
