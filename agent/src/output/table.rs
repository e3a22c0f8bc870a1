//! Tables for people: aligned by what a terminal shows, and no wider than it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::style::{Style, printable};

/// Columns between two columns of a table.
const GAP: usize = 2;

/// What a column is never made narrower than.
const NARROWEST: usize = 7;

/// How a cell is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Paint {
    #[default]
    Plain,
    Good,
    Change,
    Bad,
    Uncertain,
    Faint,
    Strong,
}

/// One cell.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    text: String,
    paint: Paint,
}

impl Cell {
    /// A cell with this text; what would steer a terminal is shown as escapes.
    pub(super) fn new(text: &str) -> Self {
        Self { text: printable(text).replace('\t', " "), paint: Paint::Plain }
    }

    /// The same cell, shown in another way.
    pub(super) fn painted(mut self, paint: Paint) -> Self {
        self.paint = paint;
        self
    }
}

/// What of a text is left out where there is no room for all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// The middle: names differ at both ends.
    Middle,
    /// The end.
    End,
}

/// A table in the making.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    headings: Vec<&'static str>,
    /// Columns of numbers.
    right: Vec<usize>,
    /// Columns that give way, the first of them first, and what of them is left out then.
    flexible: Vec<(usize, Cut)>,
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    cells: Vec<Cell>,
    /// Lines below the row, as they are.
    below: String,
}

impl Table {
    /// A table with these headings.
    pub(super) fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), ..Self::default() }
    }

    /// The same table with columns of numbers.
    pub(super) fn right(mut self, columns: &[usize]) -> Self {
        self.right = columns.to_vec();
        self
    }

    /// The same table with columns that are shortened where there is no room.
    pub(super) fn flexible(mut self, columns: &[(usize, Cut)]) -> Self {
        self.flexible = columns.to_vec();
        self
    }

    /// Adds a row, and lines below it.
    pub(super) fn row(&mut self, cells: Vec<Cell>, below: String) {
        self.rows.push(Row { cells, below });
    }

    /// The table as text, without columns that are empty. Without `width` nothing is shortened.
    pub(super) fn text(&self, style: Style, width: Option<usize>) -> String {
        let mut this = self.clone();
        this.leave_out_empty_columns();
        this.laid_out(style, width)
    }

    /// Columns that say nothing in any row only take room.
    fn leave_out_empty_columns(&mut self) {
        for column in (0..self.headings.len()).rev() {
            let says = |row: &Row| row.cells.get(column).is_some_and(|cell| !cell.text.is_empty());
            if self.rows.iter().any(says) {
                continue;
            }
            self.headings.remove(column);
            for row in self.rows.iter_mut().filter(|row| column < row.cells.len()) {
                row.cells.remove(column);
            }
            let moved = |other: usize| if other > column { other - 1 } else { other };
            self.right.retain(|right| *right != column);
            self.right.iter_mut().for_each(|right| *right = moved(*right));
            self.flexible.retain(|(flexible, _)| *flexible != column);
            self.flexible.iter_mut().for_each(|(flexible, _)| *flexible = moved(*flexible));
        }
    }

    fn laid_out(&self, style: Style, width: Option<usize>) -> String {
        let widths = self.widths(width);
        let mut text = String::new();
        let headings: Vec<Cell> =
            self.headings.iter().map(|heading| Cell::new(heading).painted(Paint::Strong)).collect();
        self.line(&mut text, &headings, &widths, style);
        for row in &self.rows {
            self.line(&mut text, &row.cells, &widths, style);
            text.push_str(&row.below);
        }
        text
    }

    fn widths(&self, limit: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.headings.iter().map(|text| text.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(&row.cells) {
                *width = (*width).max(cell.text.width());
            }
        }
        let Some(limit) = limit else { return widths };
        let gaps = GAP * widths.len().saturating_sub(1);
        let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(limit);
        for (column, _) in &self.flexible {
            let Some(width) = widths.get_mut(*column) else { continue };
            let gives = excess.min(width.saturating_sub(NARROWEST));
            *width -= gives;
            excess -= gives;
        }
        widths
    }

    fn line(&self, text: &mut String, cells: &[Cell], widths: &[usize], style: Style) {
        let last = cells.len().saturating_sub(1);
        for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let cut = self.flexible.iter().find(|(flexible, _)| *flexible == column);
            let shown = shortened(&cell.text, *width, cut.map_or(Cut::Middle, |(_, cut)| *cut));
            let padding = " ".repeat(width.saturating_sub(shown.width()));
            let painted = paint(&shown, cell.paint, style);
            if self.right.contains(&column) {
                text.extend([padding.as_str(), painted.as_str()]);
            } else {
                text.push_str(&painted);
                if column != last {
                    text.push_str(&padding);
                }
            }
            if column != last {
                text.push_str(&" ".repeat(GAP));
            }
        }
        // An empty cell at the end leaves no blanks behind.
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
}

fn paint(text: &str, paint: Paint, style: Style) -> String {
    match paint {
        _ if text.is_empty() => String::new(),
        Paint::Plain => text.to_owned(),
        Paint::Good => style.good(text),
        Paint::Change => style.change(text),
        Paint::Bad => style.bad(text),
        Paint::Uncertain => style.uncertain(text),
        Paint::Faint => style.faint(text),
        Paint::Strong => style.strong(text),
    }
}

/// `text` in at most `width` columns.
fn shortened(text: &str, width: usize, cut: Cut) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let tail_room = if cut == Cut::End { 0 } else { room / 2 };
    let mut tail: Vec<char> = Vec::new();
    let mut used = 0;
    for letter in text.chars().rev() {
        let columns = letter.width().unwrap_or(0);
        if used + columns > tail_room {
            break;
        }
        used += columns;
        tail.push(letter);
    }
    let mut head = String::new();
    let mut left = room - used;
    for letter in text.chars() {
        let columns = letter.width().unwrap_or(0);
        if columns > left {
            break;
        }
        left -= columns;
        head.push(letter);
    }
    head.push('…');
    head.extend(tail.into_iter().rev());
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["NAME", "TIMES", "BY"])
            .right(&[1])
            .flexible(&[(2, Cut::End), (0, Cut::Middle)]);
        table.row(
            vec![Cell::new("file./etc/ssh/sshd_config"), Cell::new("12"), Cell::new("vim")],
            "    below\n".to_owned(),
        );
        table.row(vec![Cell::new("file./srv/資料"), Cell::new("3"), Cell::new("")], String::new());
        table
    }

    #[test]
    fn columns_are_aligned_by_what_a_terminal_shows() {
        let expected = "\
NAME                       TIMES  BY
file./etc/ssh/sshd_config     12  vim
    below
file./srv/資料                 3
";
        assert_eq!(table().text(Style::new(false), None), expected);
    }

    #[test]
    fn a_column_that_says_nothing_is_left_out() {
        let mut table = Table::new(&["A", "NONE", "N"]).right(&[2]).flexible(&[(1, Cut::End)]);
        table.row(vec![Cell::new("a"), Cell::new(""), Cell::new("100")], String::new());
        table.row(vec![Cell::new("b"), Cell::new(""), Cell::new("1")], String::new());
        assert_eq!(table.text(Style::new(false), None), "A    N\na  100\nb    1\n");
    }

    #[test]
    fn nothing_is_wider_than_the_terminal() {
        for width in 24..50 {
            let text = table().text(Style::new(false), Some(width));
            for line in text.lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
        let text = table().text(Style::new(false), Some(30));
        assert!(text.contains("file./etc…d_config"), "{text}");
    }

    #[test]
    fn what_steers_a_terminal_is_shown_as_escapes_and_colours_take_no_room() {
        let mut table = Table::new(&["A", "B"]);
        let hostile = Cell::new("x\u{1b}[2J\n\ty").painted(Paint::Bad);
        table.row(vec![hostile, Cell::new("z")], String::new());
        let plain = table.text(Style::new(false), None);
        assert_eq!(plain.lines().count(), 2);
        assert!(!plain.contains('\u{1b}') && plain.contains("\\u{1b}"), "{plain}");
        let coloured = table.text(Style::new(true), None);
        assert!(coloured.contains("\u{1b}[31m"), "{coloured:?}");
    }

    #[test]
    fn letters_of_two_columns_are_never_cut_in_half() {
        for width in 1..12 {
            let cut = shortened("資料資料資料資料", width, Cut::Middle);
            assert!(cut.width() <= width, "{width}: {cut}");
        }
    }
}
