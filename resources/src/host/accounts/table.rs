//! The lines of one account database (`passwd`, `shadow`, `group` or `gshadow`), as bytes.
//!
//! What must stay true: a line that nobody asked to change is written back byte for byte, however
//! malformed; comments and the `+`/`-` lines of NIS are never taken for accounts.

/// A database's lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Table {
    lines: Vec<Vec<u8>>,
}

impl Table {
    /// The lines of `text`.
    pub(super) fn parse(text: &[u8]) -> Self {
        let body = text.strip_suffix(b"\n").unwrap_or(text);
        if text.is_empty() {
            return Self::default();
        }
        Self { lines: body.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect() }
    }

    /// The text again, its last line ended.
    pub(super) fn render(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.lines.iter().map(|line| line.len() + 1).sum());
        for line in &self.lines {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        text
    }

    /// Every line that can be an account: its fields, at most `fields` of them, the last one taking
    /// the rest of the line (glibc reads a shell with colons so).
    pub(super) fn entries(&self, fields: usize) -> impl Iterator<Item = Vec<&[u8]>> + '_ {
        self.lines.iter().filter_map(move |line| {
            let parts: Vec<&[u8]> = line.splitn(fields, |byte| *byte == b':').collect();
            let name = parts.first()?;
            let account = !name.is_empty() && !matches!(name.first(), Some(b'+' | b'-' | b'#'));
            (account && parts.len() > 1).then_some(parts)
        })
    }

    /// Whether `name` has a line.
    pub(super) fn has(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Field `index` (from 0) of the line of `name`.
    pub(super) fn field(&self, name: &str, index: usize) -> Option<&[u8]> {
        let line = self.lines.get(self.position(name)?)?;
        line.split(|byte| *byte == b':').nth(index)
    }

    /// Replaces field `index` of the line of `name`, adding empty fields where the line is short.
    /// False when `name` has no line.
    pub(super) fn set_field(&mut self, name: &str, index: usize, value: &[u8]) -> bool {
        let Some(line) = self.position(name).and_then(|at| self.lines.get_mut(at)) else {
            return false;
        };
        let mut fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
        while fields.len() <= index {
            fields.push(b"");
        }
        if let Some(field) = fields.get_mut(index) {
            *field = value;
        }
        *line = fields.join(&b':');
        true
    }

    /// Adds a line, before the first NIS line so that it is found first.
    pub(super) fn add(&mut self, fields: &[&str]) {
        let at = self
            .lines
            .iter()
            .position(|line| matches!(line.first(), Some(b'+' | b'-')))
            .unwrap_or(self.lines.len());
        self.lines.insert(at, fields.join(":").into_bytes());
    }

    /// Removes every line of `name`. False when there was none.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let before = self.lines.len();
        self.lines.retain(|line| !is_line_of(line, name));
        self.lines.len() != before
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.lines.iter().position(|line| is_line_of(line, name))
    }
}

fn is_line_of(line: &[u8], name: &str) -> bool {
    line.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b':'))
}
