//! Which runs told of which resource, so that a resource's history is found without reading every
//! report.

use rusqlite::{Transaction, params};

use crate::report::{Report, ResourceReport, ResourceState};

/// Whether something happened to the resource that is worth finding again.
pub(super) fn is_told(resource: &ResourceReport) -> bool {
    match resource.state {
        ResourceState::InSync => resource.notified.is_some(),
        ResourceState::Skipped => false,
        _ => true,
    }
}

/// Writes down the resources to which something happened in the run of this number. Those that
/// were in sync cost nothing.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    run: i64,
    report: &Report,
) -> rusqlite::Result<()> {
    for resource in report.resources.iter().filter(|resource| is_told(resource)) {
        let name = params![resource.kind, resource.title];
        transaction
            .prepare_cached("INSERT OR IGNORE INTO resources (kind, title) VALUES (?1, ?2)")?
            .execute(name)?;
        let number: i64 = transaction
            .prepare_cached("SELECT number FROM resources WHERE kind = ?1 AND title = ?2")?
            .query_row(name, |row| row.get(0))?;
        transaction
            .prepare_cached("INSERT OR REPLACE INTO results VALUES (?1, ?2, ?3)")?
            .execute(params![number, run, resource.state.as_str()])?;
    }
    Ok(())
}
