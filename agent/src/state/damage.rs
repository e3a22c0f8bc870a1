//! A damaged database: how it is noticed, where it is put, and what is taken over from it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, ffi};

use super::StateError;
use super::database::Database;

/// Bytes above which a database is not read through at each start: it would take too long.
const CHECKED_SIZE: u64 = 16 << 20;

/// Every table, by the version of the schema that brought it and a query that fails where a column
/// is missing.
const TABLES: [(i32, &str); 11] = [
    (1, "SELECT key, value FROM meta"),
    (1, "SELECT number, id, started, outcome, catalog, digest, document FROM runs"),
    (2, "SELECT part, ordinal, summary FROM runs"),
    (2, "SELECT number, kind, title FROM resources"),
    (2, "SELECT resource, run, state FROM results"),
    (2, "SELECT number, digest FROM pruned"),
    (2, "SELECT number, kind, title, first_seen, last_seen, ended, document FROM episodes"),
    (1, "SELECT digest, listing FROM catalogs"),
    (1, "SELECT kind, title, digest FROM in_force"),
    (1, "SELECT target_kind, target_title, source_kind, source_title, since, run FROM owed"),
    (1, "SELECT number, path, digest, mode, uid, gid, size, kept_at FROM kept"),
];

/// What is worth taking over: the query, the insertion, and the type of each column.
const SALVAGED: [(&str, &str, &[Type]); 3] = [
    (
        "SELECT target_kind, target_title, source_kind, source_title, since, run FROM owed",
        "INSERT OR IGNORE INTO owed VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[Type::Text; 6],
    ),
    (
        "SELECT kind, title, digest FROM in_force",
        "INSERT OR IGNORE INTO in_force VALUES (?1, ?2, ?3)",
        &[Type::Text, Type::Text, Type::Blob],
    ),
    ("SELECT key, value FROM meta", "INSERT OR IGNORE INTO meta VALUES (?1, ?2)", &[Type::Text; 2]),
];

/// Whether SQLite's error says that the file is damaged.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Fails with an error that [`is_damage`] where the database, whose schema has this version, is not
/// whole.
pub(super) fn check(connection: &Connection, path: &Path, version: i32) -> rusqlite::Result<()> {
    for (_, query) in TABLES.iter().filter(|(since, _)| *since <= version) {
        connection.prepare(query).map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::Unknown) => corrupt(error.to_string()),
            _ => error,
        })?;
    }
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > CHECKED_SIZE) {
        return Ok(());
    }
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(corrupt(verdict)) }
}

/// The error of a database that is not whole.
pub(super) fn corrupt(text: String) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), Some(text))
}

/// Renames the database and its journal to the first free name and returns that.
pub(super) fn set_aside(path: &Path) -> Result<PathBuf, StateError> {
    let failed = |source| StateError::File { action: "set aside", path: path.to_owned(), source };
    let is_free = |name: &Path| {
        ["", "-wal", "-shm"]
            .iter()
            .all(|suffix| std::fs::symlink_metadata(with_suffix(name, suffix)).is_err())
    };
    let first = with_suffix(path, ".damaged");
    let aside = std::iter::once(first.clone())
        .chain((1..10_000_u32).map(|number| with_suffix(&first, &format!(".{number}"))))
        .find(|name| is_free(name))
        .ok_or_else(|| failed(std::io::ErrorKind::AlreadyExists.into()))?;
    // The journal goes first: left behind, it would be played into the new database.
    for suffix in ["-wal", "-shm", ""] {
        match std::fs::rename(with_suffix(path, suffix), with_suffix(&aside, suffix)) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !suffix.is_empty() => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(aside)
}

/// Takes over what can still be read of `source`, and returns how many rows that were.
pub(super) fn salvage(database: &Database, source: &Connection) -> Result<usize, StateError> {
    let mut count = 0;
    for (query, insertion, types) in SALVAGED {
        let rows = readable_rows(source, query, types);
        count += database.write("taking over rows of the damaged database", |transaction| {
            let mut insert = transaction.prepare(insertion)?;
            rows.into_iter().try_fold(0, |sum, row| {
                Ok::<_, rusqlite::Error>(sum + insert.execute(rusqlite::params_from_iter(row))?)
            })
        })?;
    }
    Ok(count)
}

/// The rows up to the first that cannot be read, without those of other types than expected.
fn readable_rows(
    source: &Connection,
    query: &str,
    types: &[Type],
) -> Vec<Vec<rusqlite::types::Value>> {
    let Ok(mut statement) = source.prepare(query) else { return Vec::new() };
    let rows = statement.query_map([], |row| {
        (0..types.len()).map(|column| row.get(column)).collect::<rusqlite::Result<Vec<_>>>()
    });
    let Ok(rows) = rows else { return Vec::new() };
    rows.map_while(Result::ok)
        .filter(|row: &Vec<rusqlite::types::Value>| {
            row.iter().map(rusqlite::types::Value::data_type).eq(types.iter().copied())
        })
        .collect()
}

/// The name of a file beside the database.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
