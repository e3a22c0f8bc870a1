//! How resources ended, and how many in which way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a resource ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResourceState {
    /// Looked at, and as declared.
    InSync,
    /// Changed, because its declaration had changed.
    Changed,
    /// Changed back, because the machine had drifted.
    Corrected,
    /// Not as declared, and not to be corrected.
    Drifted,
    /// Could not be observed or brought in order.
    Failed,
    /// Not touched, because something it rests on failed.
    Blocked,
    /// Not looked at, on purpose.
    Skipped,
    /// Not looked at, because the run ended before its turn.
    NotReached,
}

impl ResourceState {
    /// The word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in_sync",
            Self::Changed => "changed",
            Self::Corrected => "corrected",
            Self::Drifted => "drifted",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::Skipped => "skipped",
            Self::NotReached => "not_reached",
        }
    }

    /// The word for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::InSync => "in sync",
            Self::NotReached => "not reached",
            other => other.as_str(),
        }
    }
}

/// How many resources ended in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// All resources.
    pub total: u32,
    /// See [`ResourceState::InSync`].
    pub in_sync: u32,
    /// See [`ResourceState::Changed`].
    pub changed: u32,
    /// See [`ResourceState::Corrected`].
    pub corrected: u32,
    /// See [`ResourceState::Drifted`].
    pub drifted: u32,
    /// See [`ResourceState::Failed`].
    pub failed: u32,
    /// See [`ResourceState::Blocked`].
    pub blocked: u32,
    /// See [`ResourceState::Skipped`].
    pub skipped: u32,
    /// See [`ResourceState::NotReached`].
    pub not_reached: u32,
    /// Notifications delivered.
    pub notified: u32,
}

impl Counts {
    /// Counts one more resource.
    pub fn add(&mut self, state: ResourceState) {
        self.total += 1;
        *match state {
            ResourceState::InSync => &mut self.in_sync,
            ResourceState::Changed => &mut self.changed,
            ResourceState::Corrected => &mut self.corrected,
            ResourceState::Drifted => &mut self.drifted,
            ResourceState::Failed => &mut self.failed,
            ResourceState::Blocked => &mut self.blocked,
            ResourceState::Skipped => &mut self.skipped,
            ResourceState::NotReached => &mut self.not_reached,
        } += 1;
    }

    /// Each state and how many resources ended in it, from the best to what was not reached.
    pub fn by_state(&self) -> [(ResourceState, u32); 8] {
        [
            (ResourceState::InSync, self.in_sync),
            (ResourceState::Changed, self.changed),
            (ResourceState::Corrected, self.corrected),
            (ResourceState::Drifted, self.drifted),
            (ResourceState::Failed, self.failed),
            (ResourceState::Blocked, self.blocked),
            (ResourceState::Skipped, self.skipped),
            (ResourceState::NotReached, self.not_reached),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_is_counted_and_named_as_documents_name_it() {
        let states = Counts::default().by_state().map(|(state, _)| state);
        for state in states {
            let mut counts = Counts::default();
            counts.add(state);
            let counted = counts.by_state().into_iter().filter(|(_, count)| *count > 0);
            assert_eq!(counted.collect::<Vec<_>>(), [(state, 1)]);
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
            assert_eq!(serde_json::to_value(counts).unwrap()[state.as_str()], 1);
        }
    }
}
