//! The kinds of journal entries: their `MESSAGE_ID`s, and the texts of the message catalog that
//! `journalctl --catalog` shows beside them.
//!
//! What must stay true: an id never changes its meaning and is never given away again, because
//! people search and alert by it. The catalog file that packages install is generated from here.

use std::fmt::Write as _;

/// A kind of journal entry.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Its `MESSAGE_ID`, see systemd.journal-fields(7).
    pub id: &'static str,
    /// What has happened, in one line, with fields of the entry between `@`.
    pub subject: &'static str,
    /// What it means and what to do, with fields of the entry between `@`.
    pub text: &'static str,
    /// Where to read on: the name of a manual page.
    pub manual: &'static str,
}

/// A resource was changed because its declaration had changed.
pub const CHANGED: Message = Message {
    id: "3d58afa2e41e4871ae51c2d0ffa1fcb5",
    subject: "@STEADFAST_RESOURCE@ was changed",
    text: "Its declaration (@STEADFAST_FILE@, line @STEADFAST_LINE@) had changed with revision\n\
           @STEADFAST_REVISION@, and the host follows it.",
    manual: "steadfast-explain(1)",
};

/// Drift was corrected.
pub const CORRECTED: Message = Message {
    id: "de3ef721bf0647ed8a32af1fb04a8125",
    subject: "@STEADFAST_RESOURCE@ had drifted and was corrected",
    text: "Something other than the policy had changed it. The policy (@STEADFAST_FILE@,\n\
           line @STEADFAST_LINE@) was put in force again. Content that was replaced can be had back\n\
           with `steadfast restore`; what shall stay belongs into the policy repository:\n\
           `steadfast accept`.",
    manual: "steadfast-accept(1)",
};

/// There is drift that was not to be corrected.
pub const DRIFTED: Message = Message {
    id: "422deef06d1b4d7dbdcecd0d24e081aa",
    subject: "@STEADFAST_RESOURCE@ has drifted",
    text: "It is not as the policy (@STEADFAST_FILE@, line @STEADFAST_LINE@) says, and was left so:\n\
           the host is in audit mode, or the resource has `enforce = false`.",
    manual: "steadfast-report(1)",
};

/// A resource could not be observed or brought in order.
pub const FAILED: Message = Message {
    id: "003bd9965a1b44acab70b957353f0df0",
    subject: "@STEADFAST_RESOURCE@ failed",
    text: "What rests on it was not touched; everything else went on. The report of run\n\
           @STEADFAST_RUN@ has the details; the next run tries again.",
    manual: "steadfast-report(1)",
};

/// A resource was not touched because something it rests on failed.
pub const BLOCKED: Message = Message {
    id: "5220e7c348394464af1c7c0a24462008",
    subject: "@STEADFAST_RESOURCE@ was not touched",
    text: "Something that it rests on has failed. Mend that; the next run sees to the rest.",
    manual: "steadfast-report(1)",
};

/// The run ended before a resource had its turn.
pub const NOT_REACHED: Message = Message {
    id: "de2260823e9f4a56aeb57da80bcf12c4",
    subject: "@STEADFAST_RESOURCE@ was not looked at",
    text: "The run @STEADFAST_RUN@ ended before its turn: it was stopped, or its time was over.\n\
           The next run goes on.",
    manual: "steadfast-report(1)",
};

/// A run has ended.
pub const RUN: Message = Message {
    id: "cd78fe7b03ce4d30b84e5a64e9ab2cf8",
    subject: "Run @STEADFAST_RUN@ has ended: @STEADFAST_OUTCOME@",
    text: "Revision @STEADFAST_REVISION@. `steadfast report @STEADFAST_RUN@` shows what was done.",
    manual: "steadfast-report(1)",
};

/// Every kind.
pub const MESSAGES: &[Message] = &[CHANGED, CORRECTED, DRIFTED, FAILED, BLOCKED, NOT_REACHED, RUN];

/// The message catalog, in the form that journalctl(1) reads.
pub fn catalog() -> String {
    let mut text =
        "# Generated from the program's own declarations; see packaging/README.md.\n".to_owned();
    for Message { id, subject, text: meaning, manual } in MESSAGES {
        let _ = write!(
            text,
            "\n-- {id}\nSubject: {subject}\nDefined-By: Steadfast\nDocumentation: man:{manual}\n\n{meaning}\n"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_128_bits_and_differ() {
        let ids: BTreeSet<&str> = MESSAGES.iter().map(|message| message.id).collect();
        assert_eq!(ids.len(), MESSAGES.len());
        let hexadecimal = |id: &str| id.chars().all(|digit| "0123456789abcdef".contains(digit));
        assert!(ids.iter().all(|id| id.len() == 32 && hexadecimal(id)), "{ids:?}");
    }
}
