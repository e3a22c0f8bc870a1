//! The thread that talks to the repository's server: it asks which commit the branch is at, and
//! fetches it where it is another. A server that does not answer keeps nobody from working.

use std::sync::mpsc::Receiver;

use steadfast_resources::Failure;
use tokio::sync::mpsc::UnboundedSender;

use crate::source::{RevisionId, Source, SourceError, SourceSettings};

/// One question: the repository as it is configured, and where the copy is.
pub(super) struct Question {
    pub(super) settings: SourceSettings,
    pub(super) store: std::path::PathBuf,
}

/// What the server said.
pub(super) struct Answer {
    /// Where the branch is, and whether that was not known before.
    pub(super) result: Result<(RevisionId, bool), String>,
    /// Whether a copy of a revision is there, from now or from before.
    pub(super) has_revision: bool,
}

/// Answers until nobody asks any more.
pub(super) fn work(questions: &Receiver<Question>, answers: &UnboundedSender<Answer>) {
    for question in questions {
        let opened = Source::open(question.settings, &question.store);
        let answer = match opened {
            Ok(source) => {
                let result = ask(&source).map_err(|error| told(&error));
                let has_revision = matches!(source.current(), Ok(Some(_)));
                Answer { result, has_revision }
            }
            Err(error) => Answer { result: Err(told(&error)), has_revision: false },
        };
        if answers.send(answer).is_err() {
            return;
        }
    }
}

fn ask(source: &Source) -> Result<(RevisionId, bool), SourceError> {
    let head = source.head()?;
    if source.current()? == Some(head) && source.revision(head).is_ok() {
        return Ok((head, false));
    }
    let fetched = source.fetch()?;
    Ok((fetched.revision, fetched.previous != Some(fetched.revision)))
}

fn told(error: &SourceError) -> String {
    let reason = Failure::from_error(error).reason;
    error.hint().map_or_else(|| reason.clone(), |hint| format!("{reason}; {hint}"))
}
