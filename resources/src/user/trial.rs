//! Policies applied to a host in tests of this crate, without the engine: resources in written
//! order, one turn each.

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::attributes::AttributeReader;
use crate::bucket::{Bucket, BucketError};
use crate::failure::Failure;
use crate::host::Host;
use crate::kind::{AnyKind, AnyPlanned, AnyWanted, Download, Turn};
use crate::pending::Pending;
use crate::registry::Registry;
use crate::value::{Text, Value};

/// A resource of a policy.
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) kind: &'static dyn AnyKind,
    pub(crate) wanted: AnyWanted,
}

/// The policies of a conformance file, by case.
pub(crate) fn cases(text: &str) -> Vec<(String, Vec<String>)> {
    let table: toml::Table = text.parse().expect("conformance file");
    let cases = table.get("case").and_then(toml::Value::as_array).expect("cases");
    cases
        .iter()
        .map(|case| {
            let name = case.get("name").and_then(toml::Value::as_str).expect("name");
            let policies = case.get("policies").and_then(toml::Value::as_array).expect("policies");
            let policies = policies.iter().filter_map(toml::Value::as_str).map(str::to_owned);
            (name.to_owned(), policies.collect())
        })
        .collect()
}

/// The resources of a policy; an error names the first that is wrong.
pub(crate) fn declared(policy: &str) -> Result<Vec<Declared>, String> {
    let registry = Registry::standard();
    let table: toml::Table = policy.parse().expect("policy");
    let mut resources = Vec::new();
    for (position, kind_name, title) in headers(policy) {
        let kind = registry.kind(&kind_name).expect("known kind");
        let body = table[&kind_name][&title].as_table().expect("a table");
        let values: Vec<(&'static str, Value)> = body
            .iter()
            .map(|(key, value)| {
                let attribute = kind.declaration().attribute(key).expect("known attribute");
                (attribute.name, convert(value))
            })
            .collect();
        let mut reader = AttributeReader::new(&values);
        match kind.wanted(&title, &mut reader) {
            Some(wanted) => {
                let name = format!("{kind_name}.{title} ({position})");
                resources.push(Declared { name, kind, wanted });
            }
            None => return Err(format!("{:?}", reader.into_errors())),
        }
    }
    Ok(resources)
}

/// The `[kind.title]` headers in written order; TOML's own table is sorted.
fn headers(policy: &str) -> Vec<(usize, String, String)> {
    let lines = policy.lines().enumerate();
    lines
        .filter_map(|(number, line)| {
            let inner = line.trim().strip_prefix('[')?.strip_suffix(']')?;
            let (kind, title) = inner.split_once('.')?;
            let bare = !kind.contains([' ', '"', '=']);
            bare.then(|| (number + 1, kind.to_owned(), title.trim_matches('"').to_owned()))
        })
        .collect()
}

fn convert(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::Text(Text::from(text.as_str())),
        toml::Value::Integer(number) => Value::Integer(*number),
        toml::Value::Boolean(flag) => Value::Boolean(*flag),
        toml::Value::Array(items) => Value::List(items.iter().map(convert).collect()),
        other => panic!("{other} is not used in these tests"),
    }
}

/// What a resource lacks now.
pub(crate) fn planned(resource: &Declared, host: &dyn Host) -> Result<AnyPlanned, Failure> {
    resource.kind.plan(&resource.wanted, &host.view(), &Pending::nothing())
}

/// Gives a resource its turn. Returns the lines of the steps that were done.
pub(crate) fn applied(resource: &Declared, host: &mut dyn Host) -> Result<Vec<String>, Failure> {
    let steps = planned(resource, host)?.steps;
    let mut bucket = NoBucket;
    for step in &steps {
        let mut turn = Turn {
            deadline: Instant::now() + Duration::from_secs(30),
            bucket: &mut bucket,
            kept: Vec::new(),
            download: &NoDownload,
        };
        resource.kind.apply(&resource.wanted, step, host, &mut turn)?;
    }
    Ok(steps.iter().map(crate::step::AnyStep::summary).collect())
}

/// Applies a whole policy; a failed resource does not keep the others from their turns.
pub(crate) fn apply_all(policy: &[Declared], host: &mut dyn Host) -> Vec<Failure> {
    policy.iter().filter_map(|resource| applied(resource, host).err()).collect()
}

/// The steps that a whole policy still lacks.
pub(crate) fn lacking(policy: &[Declared], host: &dyn Host) -> Vec<String> {
    policy
        .iter()
        .flat_map(|resource| match planned(resource, host) {
            Ok(planned) => planned
                .steps
                .iter()
                .map(|step| format!("{}: {} {:?}", resource.name, step.summary(), step.changes))
                .collect(),
            Err(failure) => vec![format!("{}: {failure}", resource.name)],
        })
        .collect()
}

struct NoBucket;

impl Bucket for NoBucket {
    fn keep(&mut self, path: &Path, _: BorrowedFd<'_>) -> Result<String, BucketError> {
        panic!("nothing of {} is to be kept", path.display())
    }

    fn flush(&mut self) -> Result<(), BucketError> {
        Ok(())
    }
}

struct NoDownload;

impl Download for NoDownload {
    fn download(&self, url: &str, _: &str, _: u64, _: Instant) -> Result<Vec<u8>, Failure> {
        panic!("{url} is not to be downloaded")
    }
}
