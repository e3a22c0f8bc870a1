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

/// Text of several lines from the machine or a repository, safe for a terminal: characters that
/// steer it, or that turn the direction of writing, are shown as escapes.
pub(crate) fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// The same for a single line, in which a line break would be a forgery too.
pub(crate) fn printable(text: &str) -> String {
    let steers = |character: char| {
        (character.is_control() && character != '\t')
            || matches!(character, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.chars().any(steers) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if steers(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}
