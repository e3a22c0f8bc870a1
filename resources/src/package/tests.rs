//! Tests of the kind `package` on the fake machine.

mod applying;
mod attributes;
mod planning;

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Package, PackageAction, Wanted};
use crate::attributes::{AttributeError, AttributeReader};
use crate::bucket::{Bucket, BucketError};
use crate::failure::Failure;
use crate::host::{FakeHost, Faults, Host};
use crate::kind::{Batch, Download, Kind, Member, Prepare, Turn};
use crate::pending::Pending;
use crate::reference::Reference;
use crate::step::{Planned, Step};
use crate::value::Value;

/// Reads attributes, or tells what is wrong with them.
fn read(title: &str, values: &[(&'static str, Value)]) -> Result<Wanted, Vec<AttributeError>> {
    let mut reader = AttributeReader::new(values);
    let wanted = Package.wanted(title, &mut reader);
    let errors = reader.into_errors();
    assert_eq!(wanted.is_none(), !errors.is_empty(), "{errors:?}");
    wanted.ok_or(errors)
}

fn package(title: &str, values: &[(&'static str, Value)]) -> Wanted {
    read(title, values).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn ensure(title: &str, ensure: &str) -> Wanted {
    package(title, &[("ensure", Value::text(ensure))])
}

fn scene() -> FakeHost {
    FakeHost::scene()
}

/// The scene with an index that this run has refreshed.
fn fresh() -> FakeHost {
    let mut host = scene();
    host.packages().refresh_index(soon());
    host
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn plan(host: &FakeHost, wanted: &Wanted) -> Result<Planned<PackageAction>, Failure> {
    plan_with(host, wanted, &Pending::nothing())
}

fn plan_with(
    host: &FakeHost,
    wanted: &Wanted,
    pending: &Pending<'_>,
) -> Result<Planned<PackageAction>, Failure> {
    let observed = Package.observe(wanted, &host.view())?;
    Package.plan(wanted, observed, pending)
}

/// The steps as people read them, or the failure's reason.
fn told(planned: Result<Planned<PackageAction>, Failure>) -> String {
    match planned {
        Ok(planned) => {
            let steps: Vec<String> =
                planned.steps.iter().map(|step| step.action.to_string()).collect();
            steps.join("; ")
        }
        Err(failure) => format!("failure: {failure}"),
    }
}

struct Nowhere;

impl Bucket for Nowhere {
    fn keep(&mut self, _path: &Path, _file: BorrowedFd<'_>) -> Result<String, BucketError> {
        Ok(String::new())
    }
    fn flush(&mut self) -> Result<(), BucketError> {
        Ok(())
    }
}

/// Downloads the URL's last component, with a space for the underscore.
struct Echo;

impl Download for Echo {
    fn download(&self, url: &str, _: &str, _: u64, _: Instant) -> Result<Vec<u8>, Failure> {
        Ok(url.rsplit('/').next().unwrap_or_default().replace('_', " ").into_bytes())
    }
}

/// What the engine does at the packages' turn: prepare, plan, apply together. One result each.
fn run(host: &mut FakeHost, all: &[&Wanted]) -> Vec<Result<(), Failure>> {
    Package.announce(all, &host.view());
    let mut bucket = Nowhere;
    let mut turn =
        Turn { deadline: soon(), bucket: &mut bucket, kept: Vec::new(), download: &Echo };
    Package.prepare(all, host, &mut turn);
    let planned: Vec<_> = all.iter().map(|wanted| plan(host, wanted)).collect();
    let mut members = Vec::new();
    let references: Vec<Reference> =
        all.iter().map(|wanted| Reference::new("package", wanted.name.to_string())).collect();
    for ((wanted, planned), reference) in all.iter().copied().zip(&planned).zip(&references) {
        let Ok(planned) = planned else { continue };
        let steps: Vec<Step<&PackageAction>> = planned
            .steps
            .iter()
            .map(|step| Step {
                action: &step.action,
                changes: step.changes.clone(),
                disruptive: step.disruptive,
            })
            .collect();
        if !steps.is_empty() {
            members.push(Member { wanted, steps, reference });
        }
    }
    let mut results = Package.apply_together(&members, host, &mut turn).into_iter();
    planned
        .iter()
        .map(|planned| match planned {
            Err(failure) => Err(failure.clone()),
            Ok(planned) if planned.steps.is_empty() => Ok(()),
            Ok(_) => results.next().expect("one result for each member"),
        })
        .collect()
}

/// Runs, and expects that all went well and nothing is left to do.
fn converge(host: &mut FakeHost, all: &[&Wanted]) {
    for result in run(host, all) {
        result.unwrap();
    }
    for wanted in all {
        assert_eq!(told(plan(host, wanted)), "", "{wanted:?}");
    }
}

/// A machine where the operation number `index` fails.
fn failing(host: FakeHost, index: usize) -> (FakeHost, Faults) {
    let faults = host.faults.clone();
    faults.fail_at(index);
    (host, faults)
}
