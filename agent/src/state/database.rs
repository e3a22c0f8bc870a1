//! The SQLite database: opening, the schema, and what happens to a damaged one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::StateError;

/// Bumped with every change of the schema; a newer database is never touched.
const SCHEMA_VERSION: i32 = 1;

const SCHEMA: &str = "
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        started TEXT NOT NULL,
        outcome TEXT NOT NULL,
        catalog TEXT,
        digest TEXT NOT NULL,
        document TEXT NOT NULL
    );
    CREATE TABLE catalogs (digest TEXT PRIMARY KEY, listing TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE in_force (
        kind TEXT NOT NULL, title TEXT NOT NULL, digest BLOB NOT NULL,
        PRIMARY KEY (kind, title)
    ) WITHOUT ROWID;
    CREATE TABLE owed (
        target_kind TEXT NOT NULL, target_title TEXT NOT NULL,
        source_kind TEXT NOT NULL, source_title TEXT NOT NULL,
        since TEXT NOT NULL, run TEXT NOT NULL,
        PRIMARY KEY (target_kind, target_title, source_kind, source_title)
    ) WITHOUT ROWID;
    CREATE TABLE kept (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        path TEXT NOT NULL, digest TEXT NOT NULL,
        mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL,
        size INTEGER NOT NULL, kept_at TEXT NOT NULL
    );
    CREATE INDEX kept_path ON kept (path, number);
";

/// The opened database. Other parts of the state add their own queries.
pub struct Database {
    path: PathBuf,
    pub(super) connection: Connection,
}

impl Database {
    /// Opens or makes the database at `path`. A damaged one is renamed to
    /// `state.sqlite.damaged` beside it and built anew, with a warning in the log.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        match Self::try_open(path) {
            Err(StateError::Database { source, .. }) if is_damage(&source) => {
                let aside = path.with_extension("sqlite.damaged");
                log::warn!(
                    "the state database {} is damaged ({source}); it is kept as {} and built anew: \
                     history and owed notifications up to now are only there",
                    path.display(),
                    aside.display()
                );
                set_aside(path, &aside)?;
                Self::try_open(path)
            }
            other => other,
        }
    }

    fn try_open(path: &Path) -> Result<Self, StateError> {
        let failed =
            |during| move |source| StateError::Database { path: path.to_owned(), during, source };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        // SQLite resolves no links below; the directory itself may be reached through one.
        let real = path
            .parent()
            .and_then(|parent| parent.canonicalize().ok())
            .and_then(|parent| path.file_name().map(|name| parent.join(name)))
            .unwrap_or_else(|| path.to_owned());
        let connection = Connection::open_with_flags(&real, flags).map_err(failed("opening it"))?;
        connection.busy_timeout(Duration::from_secs(10)).map_err(failed("opening it"))?;
        connection
            .execute_batch(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;
                 PRAGMA journal_size_limit=4194304;",
            )
            .map_err(failed("choosing its journal"))?;
        let database = Self { path: path.to_owned(), connection };
        let version: i32 = database
            .connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(failed("reading its version"))?;
        if version == 0 {
            database.write("making its tables", |transaction| {
                transaction.execute_batch(SCHEMA)?;
                transaction.pragma_update(None, "user_version", SCHEMA_VERSION)
            })?;
        } else if version != SCHEMA_VERSION {
            return Err(StateError::Directory {
                path: path.to_owned(),
                source: std::io::Error::other(format!(
                    "the database has schema {version}, this program knows {SCHEMA_VERSION}: \
                     use the newer steadfast again, or move the file away"
                )),
            });
        }
        Ok(database)
    }

    /// Runs `work` in one durable transaction.
    pub(super) fn write<T>(
        &self,
        during: &'static str,
        work: impl FnOnce(&rusqlite::Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StateError> {
        let attempt = || {
            let transaction = self.connection.unchecked_transaction()?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        attempt().map_err(self.failed(during))
    }

    /// Turns an error of SQLite into ours.
    pub(super) fn failed(
        &self,
        during: &'static str,
    ) -> impl FnOnce(rusqlite::Error) -> StateError + '_ {
        move |source| StateError::Database { path: self.path.clone(), during, source }
    }

    /// A value of the `meta` table.
    pub(super) fn meta(&self, key: &str) -> Result<Option<String>, StateError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT value FROM meta WHERE key = ?1")
            .map_err(self.failed("reading a setting"))?;
        let mut rows = statement.query([key]).map_err(self.failed("reading a setting"))?;
        match rows.next().map_err(self.failed("reading a setting"))? {
            Some(row) => Ok(Some(row.get(0).map_err(self.failed("reading a setting"))?)),
            None => Ok(None),
        }
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn set_aside(path: &Path, aside: &Path) -> Result<(), StateError> {
    let failed = |source| StateError::File { action: "set aside", path: path.to_owned(), source };
    std::fs::rename(path, aside).map_err(failed)?;
    for suffix in ["-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(())
}
