//! The tables of the database, and how those of an older version become these.

mod migration;
#[cfg(test)]
mod tests;

pub(super) use migration::migrate;

/// Bumped with every change of the schema; a newer database is never touched.
pub(super) const SCHEMA_VERSION: i32 = 2;

/// The tables of a new database: those of version 1, and what came after it.
pub(super) fn new_tables() -> String {
    [VERSION_1, VERSION_2].concat()
}

/// The tables of version 1.
const VERSION_1: &str = "
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

/// What version 2 adds.
///
/// - `runs`: whether the run was about part of the host only (such runs are kept by a count of
///   their own, by `ordinal`), and a summary for lists, so that they need not read documents.
/// - `results`: which runs told of which resource.
/// - `pruned`: digests of reports that retention took out from between others.
/// - `episodes`: the ledger of drift.
const VERSION_2: &str = "
    ALTER TABLE runs ADD COLUMN part INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN summary TEXT NOT NULL DEFAULT '{}';
    CREATE INDEX runs_part ON runs (part, ordinal);
    CREATE INDEX runs_started ON runs (started);
    CREATE INDEX runs_catalog ON runs (catalog);
    CREATE TABLE resources (
        number INTEGER PRIMARY KEY,
        kind TEXT NOT NULL, title TEXT NOT NULL,
        UNIQUE (kind, title)
    );
    CREATE TABLE results (
        resource INTEGER NOT NULL, run INTEGER NOT NULL, state TEXT NOT NULL,
        PRIMARY KEY (resource, run)
    ) WITHOUT ROWID;
    CREATE INDEX results_run ON results (run);
    CREATE TABLE pruned (number INTEGER PRIMARY KEY, digest TEXT NOT NULL);
    CREATE TABLE episodes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL, title TEXT NOT NULL,
        first_seen TEXT NOT NULL, last_seen TEXT NOT NULL,
        ended TEXT,
        document TEXT NOT NULL
    );
    CREATE INDEX episodes_resource ON episodes (kind, title, number);
    CREATE INDEX episodes_open ON episodes (number) WHERE ended IS NULL;
    CREATE INDEX episodes_ended ON episodes (ended) WHERE ended IS NOT NULL;
    CREATE INDEX episodes_last_seen ON episodes (last_seen);
";
