//! From version 1 to version 2.

use rusqlite::{Transaction, params};

use super::VERSION_2;
use crate::report::{Report, RunSummary};
use crate::state::chain;
use crate::state::results;

/// Brings a database of version 1 up to date. Reports that cannot be read keep an empty summary.
pub(in crate::state) fn migrate(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(VERSION_2)?;
    transaction.execute("UPDATE runs SET ordinal = number", [])?;
    let mut read = transaction.prepare("SELECT number, document FROM runs ORDER BY number")?;
    let mut write = transaction.prepare("UPDATE runs SET summary = ?2 WHERE number = ?1")?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        let (number, document): (i64, String) = (row.get(0)?, row.get(1)?);
        let Ok(report) = serde_json::from_str::<Report>(&document) else { continue };
        write.execute(params![number, RunSummary::of(&report).document()])?;
        results::insert(transaction, number, &report)?;
    }
    chain::adopt(transaction)?;
    transaction.pragma_update(None, "user_version", super::SCHEMA_VERSION)
}
