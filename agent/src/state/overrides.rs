//! What an operator has ordered for a time: a pause, a rollback. Each has a reason and an end.

use rusqlite::{OptionalExtension, params};

use super::{State, StateError};
use crate::report::{Override, OverrideKind};

const KINDS: [OverrideKind; 2] = [OverrideKind::Pause, OverrideKind::Rollback];

/// The key under which an order is kept.
fn key(kind: OverrideKind) -> &'static str {
    match kind {
        OverrideKind::Pause => "pause",
        OverrideKind::Rollback => "rollback",
    }
}

impl State {
    /// The orders that hold at `now` (RFC 3339, UTC, as [`crate::clock::now`] has it).
    pub fn overrides(&self, now: &str) -> Result<Vec<Override>, StateError> {
        let mut found = Vec::new();
        for kind in KINDS {
            let Some(document) = self.database.meta(key(kind))? else { continue };
            match serde_json::from_str::<Override>(&document) {
                Ok(order) if order.until.as_str() > now => found.push(order),
                Ok(_) => {}
                Err(error) => log::warn!("the {} kept here cannot be read: {error}", key(kind)),
            }
        }
        Ok(found)
    }

    /// Keeps `order`, durably, in the place of any other of its kind.
    pub fn put_override(&self, order: &Override) -> Result<(), StateError> {
        self.database.durable()?;
        let document = serde_json::to_string(order)
            .map_err(|source| StateError::Document { run: key(order.kind).to_owned(), source })?;
        self.database.write("keeping an order", |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO meta VALUES (?1, ?2)",
                params![key(order.kind), document],
            )
        })?;
        Ok(())
    }

    /// Forgets the order of this kind. Returns whether there was one.
    pub fn clear_override(&self, kind: OverrideKind) -> Result<bool, StateError> {
        self.database.durable()?;
        self.database
            .write("ending an order", |transaction| {
                transaction
                    .query_row("DELETE FROM meta WHERE key = ?1 RETURNING key", [key(kind)], |_| {
                        Ok(())
                    })
                    .optional()
            })
            .map(|gone| gone.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(kind: OverrideKind, until: &str) -> Override {
        Override {
            kind,
            reason: "a database is moved".to_owned(),
            by: "alice".to_owned(),
            since: "2026-01-01T00:00:00.000Z".to_owned(),
            until: until.to_owned(),
            revision: None,
        }
    }

    #[test]
    fn an_order_ends_by_itself_and_survives_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let pause = order(OverrideKind::Pause, "2026-01-01T02:00:00.000Z");
        let rollback = order(OverrideKind::Rollback, "2026-01-02T00:00:00.000Z");
        let state = State::open(&directory.path().join("state")).unwrap();
        state.put_override(&pause).unwrap();
        state.put_override(&rollback).unwrap();
        drop(state);
        let state = State::open(&directory.path().join("state")).unwrap();
        let holding = state.overrides("2026-01-01T01:00:00.000Z").unwrap();
        assert_eq!(holding, vec![pause, rollback.clone()]);
        assert_eq!(state.overrides("2026-01-01T02:00:00.000Z").unwrap(), vec![rollback]);
        assert!(state.clear_override(OverrideKind::Rollback).unwrap());
        assert!(!state.clear_override(OverrideKind::Rollback).unwrap());
        assert!(state.overrides("2026-01-01T02:00:00.000Z").unwrap().is_empty());
    }
}
