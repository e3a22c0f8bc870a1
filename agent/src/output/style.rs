//! Colours, by meaning.

use std::fmt::Display;

use anstyle::{AnsiColor, Style as Ansi};

/// Whether and how text is coloured.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    coloured: bool,
}

impl Style {
    /// Coloured or plain.
    pub fn new(coloured: bool) -> Self {
        Self { coloured }
    }

    /// Whether colours are used.
    pub fn is_coloured(self) -> bool {
        self.coloured
    }

    fn paint(self, style: Ansi, text: impl Display) -> String {
        if self.coloured { format!("{style}{text}{style:#}") } else { text.to_string() }
    }

    /// Something new or good.
    pub fn good(self, text: impl Display) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    /// Something that changes.
    pub fn change(self, text: impl Display) -> String {
        self.paint(AnsiColor::Yellow.on_default(), text)
    }

    /// Something that goes away or went wrong.
    pub fn bad(self, text: impl Display) -> String {
        self.paint(AnsiColor::Red.on_default(), text)
    }

    /// Something uncertain.
    pub fn uncertain(self, text: impl Display) -> String {
        self.paint(AnsiColor::Cyan.on_default(), text)
    }

    /// Something that may be overlooked.
    pub fn faint(self, text: impl Display) -> String {
        self.paint(Ansi::new().dimmed(), text)
    }

    /// Something that must not be overlooked.
    pub fn strong(self, text: impl Display) -> String {
        self.paint(Ansi::new().bold(), text)
    }

    /// A unified diff, its lines coloured and indented.
    pub fn diff(self, diff: &str, indent: &str) -> String {
        let mut text = String::new();
        for line in diff.lines() {
            let painted = match line.as_bytes().first() {
                Some(b'+') => self.good(line),
                Some(b'-') => self.bad(line),
                Some(b'@') => self.uncertain(line),
                _ => line.to_owned(),
            };
            text.extend([indent, &painted, "\n"]);
        }
        text
    }
}

/// Text from the machine or a repository, safe for a terminal: control characters are shown as
/// escapes.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\t' => character.to_string(),
            control if control.is_control() => control.escape_default().to_string(),
            other => other.to_string(),
        })
        .collect()
}
