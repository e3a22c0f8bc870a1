//! The SQLite database: opening, the schema, and the ways to open it.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::backup::Backup;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::damage::{Check, check, corrupt, is_damage, salvage, set_aside, with_suffix};
use super::reopening::Identity;
use super::schema::{SCHEMA_VERSION, migrate, new_tables};
use super::{StateError, chain};

/// How long one process waits for another that is writing.
const PATIENCE: Duration = Duration::from_secs(10);

/// The opened database. Other parts of the state add their own queries.
pub struct Database {
    path: PathBuf,
    pub(super) connection: Connection,
    /// The files it has open, if it may write to them.
    opened: Option<Identity>,
    /// Whether the one on the disk turned out to be damaged.
    pub(super) suspect: bool,
    /// Why it is in memory only, if it is.
    unwritable: Option<String>,
    /// Why what is on the disk was not read into memory, if it was not.
    unread: Option<String>,
}

/// A database that is only read.
pub(super) struct Reading {
    pub(super) connection: Connection,
    /// Whether there is a journal that could not be looked into.
    pub(super) misses_journal: bool,
}

impl Reading {
    /// Opens the database at `path`, and makes no file for it if that can be avoided.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        // Without a journal there is nothing that other processes write; SQLite would make the
        // journal's files only to look into them.
        let mut journal = path.as_os_str().to_owned();
        journal.push("-wal");
        let journaled = std::fs::metadata(&journal).is_ok_and(|metadata| metadata.len() > 0);
        match Self::connect(path, !journaled) {
            Err(error) if journaled && !is_damage(&error) => Self::connect(path, true)
                .map(|connection| Self { connection, misses_journal: true }),
            other => other.map(|connection| Self { connection, misses_journal: false }),
        }
    }

    /// The schema's version, as the database has it.
    pub(super) fn version(&self) -> rusqlite::Result<i32> {
        self.connection.query_row("PRAGMA user_version", [], |row| row.get(0))
    }

    fn connect(path: &Path, immutable: bool) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let real = real_path(path);
        let connection = if immutable {
            let flags = flags | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(immutable_address(&real), flags)
        } else {
            Connection::open_with_flags(&real, flags)
        }?;
        connection.busy_timeout(PATIENCE)?;
        // SQLite looks for the journal only now.
        connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
        Ok(connection)
    }
}

impl Database {
    /// Opens or makes the database at `path`. A damaged one is renamed to
    /// `state.sqlite.damaged` (or with a number after that) beside it and built anew with what can
    /// still be read of it, with a warning in the log.
    pub(super) fn open(path: &Path, how: Check) -> Result<Self, StateError> {
        let damage = match refuse_other_than_file(path).and_then(|()| Self::try_open(path, how)) {
            Err(StateError::Database { source, .. }) if is_damage(&source) => source,
            other => return other,
        };
        let aside = set_aside(path)?;
        let database = Self::try_open(path, Check::Small)?;
        let count = match Reading::open(&aside) {
            Ok(reading) => {
                let count = salvage(&database, &reading.connection)?;
                database.write("beginning the chain of reports anew", chain::begin_anew)?;
                count
            }
            Err(_) => 0,
        };
        log::warn!(
            "the state database {} was damaged ({damage}); it is kept as {} and built anew: \
             {count} rows of what is in force and of owed notifications were taken over, the \
             history is only there",
            path.display(),
            aside.display()
        );
        Ok(database)
    }

    /// Opens the database at `path` for reading, without changing or making anything. `None` where
    /// it is damaged, or not finished being made; the log says which.
    pub fn open_read_only(path: &Path) -> Result<Option<Self>, StateError> {
        match refuse_other_than_file(path).and_then(|()| Self::try_read_only(path)) {
            Err(StateError::Database { source, .. }) if is_damage(&source) => {
                log::warn!(
                    "the state database {} is damaged ({source}): going on without it; the next \
                     run builds it anew",
                    path.display()
                );
                Ok(None)
            }
            other => other,
        }
    }

    fn try_read_only(path: &Path) -> Result<Option<Self>, StateError> {
        let failed =
            |during| move |source| StateError::Database { path: path.to_owned(), during, source };
        let reading = Reading::open(path).map_err(failed("opening it for reading"))?;
        let database = Self::new(path, reading.connection);
        let version = database.version()?;
        if version == 0 {
            return Ok(None);
        }
        check(&database.connection, path, version, Check::Small).map_err(failed("checking it"))?;
        if version == SCHEMA_VERSION {
            return Ok(Some(database));
        }
        // Nothing may be changed here: a copy is brought up to date.
        let mut copy = Connection::open_in_memory().map_err(failed("making a copy of it"))?;
        Backup::new(&database.connection, &mut copy)
            .and_then(|backup| backup.run_to_completion(i32::MAX, Duration::ZERO, None))
            .map_err(failed("making a copy of it"))?;
        let copy = Self::new(path, copy);
        copy.bring_up_to_date(version)?;
        Ok(Some(copy))
    }

    /// Turns the tables of an older version into ours, all or nothing.
    fn bring_up_to_date(&self, version: i32) -> Result<(), StateError> {
        if version == SCHEMA_VERSION {
            return Ok(());
        }
        self.write("bringing it up to date", |transaction| match version_of(transaction)? {
            // Another process has done it meanwhile.
            SCHEMA_VERSION => Ok(()),
            _ => migrate(transaction),
        })
    }

    fn new(path: &Path, connection: Connection) -> Self {
        let path = path.to_owned();
        Self { path, connection, opened: None, suspect: false, unwritable: None, unread: None }
    }

    /// Where it is, or would be.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The files it has open, if it may write to them.
    pub(super) fn opened(&self) -> Option<&Identity> {
        self.opened.as_ref()
    }

    /// An empty database in memory, in the place of the one at `path`, for this reason.
    pub(super) fn in_memory(path: &Path, reason: String) -> Result<Self, StateError> {
        let failed = |source| StateError::Database {
            path: path.to_owned(),
            during: "making one in memory",
            source,
        };
        let connection = Connection::open_in_memory().map_err(failed)?;
        let database = Self { unwritable: Some(reason), ..Self::new(path, connection) };
        database
            .write("making its tables", |transaction| transaction.execute_batch(&new_tables()))?;
        Ok(database)
    }

    /// Remembers why the one at its path was not read, or not all of it.
    pub(super) fn not_read_because(&mut self, reason: &str) {
        self.unread = Some(reason.to_owned());
    }

    /// Why the one at its path was not read, or not all of it.
    pub(super) fn unread(&self) -> Option<&str> {
        self.unread.as_deref()
    }

    /// Why the database is in memory only, if it is.
    pub(super) fn unwritable(&self) -> Option<&str> {
        self.unwritable.as_deref()
    }

    /// Fails where what is written would not survive the process.
    pub(super) fn durable(&self) -> Result<(), StateError> {
        match &self.unwritable {
            Some(reason) => Err(StateError::Unwritable { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// The schema's version: 0 where there is none yet. A newer version than ours is an error.
    fn version(&self) -> Result<i32, StateError> {
        let version: i32 = self
            .connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(self.failed("reading its version"))?;
        if version > SCHEMA_VERSION {
            return Err(StateError::Directory {
                path: self.path.clone(),
                source: std::io::Error::other(format!(
                    "the database has schema {version}, this program knows {SCHEMA_VERSION}: \
                     use the newer steadfast again, or move the file away"
                )),
            });
        }
        Ok(version)
    }

    fn try_open(path: &Path, how: Check) -> Result<Self, StateError> {
        let failed =
            |during| move |source| StateError::Database { path: path.to_owned(), during, source };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        make_private(&real_path(path))?;
        let connection =
            Connection::open_with_flags(real_path(path), flags).map_err(failed("opening it"))?;
        connection.busy_timeout(PATIENCE).map_err(failed("opening it"))?;
        choose_journal(&connection).map_err(failed("choosing its journal"))?;
        let mut database = Self::new(path, connection);
        match database.version()? {
            0 => database.write("making its tables", |transaction| {
                // Another process may have made them meanwhile.
                if version_of(transaction)? != 0 {
                    return Ok(());
                }
                transaction.execute_batch(&new_tables())?;
                transaction.pragma_update(None, "user_version", SCHEMA_VERSION)
            })?,
            version => {
                check(&database.connection, path, version, how).map_err(failed("checking it"))?;
                database.bring_up_to_date(version)?;
            }
        }
        database.opened = Some(Identity::of(path));
        Ok(database)
    }

    /// Runs `work` in one durable transaction.
    pub(super) fn write<T>(
        &self,
        during: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StateError> {
        let attempt = || {
            // Immediate: what is read in it is not changed by another process before it is written.
            let transaction =
                Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
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

/// SQLite does not wait for others where the journal becomes another: a new database that two
/// processes open is busy for a moment.
fn choose_journal(connection: &Connection) -> rusqlite::Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let chosen = connection.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;
             PRAGMA journal_size_limit=4194304; PRAGMA cache_size=-256;",
        );
        match chosen {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < end =>
            {
                // Its lock has no descriptor that becomes ready.
                std::thread::park_timeout(Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

/// The schema's version, as this transaction sees it.
fn version_of(transaction: &Transaction<'_>) -> rusqlite::Result<i32> {
    transaction.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Fails as with a damaged database where there is something else than a file, a directory for
/// example: SQLite could not tell that from trouble with the file system.
fn refuse_other_than_file(path: &Path) -> Result<(), StateError> {
    for suffix in ["", "-wal", "-shm"] {
        let name = with_suffix(path, suffix);
        if std::fs::symlink_metadata(&name).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(StateError::Database {
                path: path.to_owned(),
                during: "opening it",
                source: corrupt(format!("{} is not a file", name.display())),
            });
        }
    }
    Ok(())
}

/// SQLite is to follow no link; the directory itself may be reached through one.
fn real_path(path: &Path) -> PathBuf {
    path.parent()
        .and_then(|parent| parent.canonicalize().ok())
        .and_then(|parent| path.file_name().map(|name| parent.join(name)))
        .unwrap_or_else(|| path.to_owned())
}

/// SQLite's address of a file that nobody changes meanwhile: it takes no locks and makes no files.
fn immutable_address(path: &Path) -> String {
    let mut address = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            address.push(char::from(*byte));
        } else {
            let _ = write!(address, "%{byte:02X}");
        }
    }
    address + "?immutable=1"
}

/// Makes the database's file, empty, readable by its owner only; SQLite gives its journal and its
/// shared memory the same permissions. Reports may hold what others must not read, wherever the
/// state directory is.
pub(super) fn make_private(path: &Path) -> Result<(), StateError> {
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(nix::libc::O_NOFOLLOW)
        .open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(StateError::File { action: "make", path: path.to_owned(), source }),
    }
}
