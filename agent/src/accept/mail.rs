//! A patch as a mail, the form that `git am` takes and `git format-patch` writes.

use std::fmt::Write as _;

use super::patch::{Difference, FileChange};

/// Everything that a patch consists of.
#[derive(Debug)]
pub struct Mail<'a> {
    /// `Name <mail>`.
    pub author: &'a str,
    /// The date as a mail has it.
    pub date: &'a str,
    /// The first line of the commit's message.
    pub subject: &'a str,
    /// The rest of the message.
    pub body: &'a str,
    /// What changes.
    pub changes: &'a [FileChange],
}

/// The widest bar of a diffstat.
const BAR: usize = 40;

impl Mail<'_> {
    /// The mail.
    pub fn text(&self) -> String {
        let differences: Vec<_> = self.changes.iter().map(FileChange::difference).collect();
        let mut text = format!(
            "From {} Mon Sep 17 00:00:00 2001\nFrom: {}\nDate: {}\nSubject: {}\n\
             MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n\
             Content-Transfer-Encoding: 8bit\n\n",
            "0".repeat(40),
            self.author,
            self.date,
            folded("[PATCH] ", self.subject),
        );
        let body = self.body.trim_end();
        let _ = writeln!(text, "{body}{}---", if body.is_empty() { "" } else { "\n" });
        let width = self.changes.iter().map(|change| change.path.chars().count()).max();
        let count =
            |difference: &Difference| difference.lines.map_or(0, |(plus, minus)| plus + minus);
        let digits = differences.iter().map(count).max().unwrap_or_default().to_string().len();
        let (mut inserted, mut deleted) = (0, 0);
        for (change, difference) in self.changes.iter().zip(&differences) {
            let bar = match difference.lines {
                None => format!(
                    "Bin {} -> {} bytes",
                    change.before.len(),
                    change.after.as_ref().map_or(0, Vec::len)
                ),
                Some((plus, minus)) => {
                    inserted += plus;
                    deleted += minus;
                    format!("{:>digits$} {}", plus + minus, bar(plus, minus))
                }
            };
            let _ = writeln!(text, " {:<1$} | {bar}", change.path, width.unwrap_or_default());
        }
        let _ = writeln!(text, " {}\n", total(self.changes.len(), inserted, deleted));
        for difference in &differences {
            text += &difference.text;
        }
        text + "-- \nsteadfast " + env!("CARGO_PKG_VERSION") + "\n\n"
    }
}

fn bar(plus: usize, minus: usize) -> String {
    let all = (plus + minus).max(1);
    let scaled = |count: usize| if all <= BAR { count } else { (count * BAR).div_ceil(all) };
    "+".repeat(scaled(plus)) + &"-".repeat(scaled(minus))
}

fn total(files: usize, inserted: usize, deleted: usize) -> String {
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let mut text = format!("{files} file{} changed", plural(files));
    if inserted > 0 {
        let _ = write!(text, ", {inserted} insertion{}(+)", plural(inserted));
    }
    if deleted > 0 {
        let _ = write!(text, ", {deleted} deletion{}(-)", plural(deleted));
    }
    text
}

/// A subject on one line, without what would end a header. RFC 6532 lets it be UTF-8.
fn folded(prefix: &str, subject: &str) -> String {
    let line: String =
        subject.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    format!("{prefix}{line}")
}
