//! Diagnostics as a person reads them: `file:line:column`, the line, a mark below it, `help:`.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Diagnostics, Location, Severity};

impl Diagnostics {
    /// All of them, one paragraph each, coloured or plain, ending in a newline unless there are
    /// none.
    pub fn render(&self, coloured: bool) -> String {
        let mut text = String::new();
        for diagnostic in self {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&diagnostic.render(coloured));
            text.push('\n');
        }
        text
    }
}

impl Diagnostic {
    /// This one, coloured or plain, without a newline at its end.
    pub fn render(&self, coloured: bool) -> String {
        let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(&*self.message));
        if let Some(place) = &self.place {
            group = group.element(snippet(place, AnnotationKind::Primary));
        }
        let mut report = vec![];
        let facts = self.facts_in_words();
        if self.related.is_empty()
            && let Some(facts) = &facts
        {
            group = group.element(Level::NOTE.message(&**facts));
        }
        if self.related.is_empty()
            && let Some(hint) = &self.hint
        {
            group = group.element(Level::HELP.message(&**hint));
        }
        report.push(group);
        for related in &self.related {
            report.push(
                Group::with_title(Level::NOTE.secondary_title(&*related.message))
                    .element(snippet(&related.place, AnnotationKind::Primary)),
            );
        }
        if !self.related.is_empty()
            && let Some(facts) = &facts
        {
            report.push(Group::with_title(Level::NOTE.secondary_title(&**facts)));
        }
        if !self.related.is_empty()
            && let Some(hint) = &self.hint
        {
            report.push(Group::with_title(Level::HELP.secondary_title(&**hint)));
        }
        renderer.term_width(120).render(&report)
    }

    /// "with the facts of sample debian-12 and 3 others"; `None` where it comes up with all facts.
    pub fn facts_in_words(&self) -> Option<String> {
        let (first, others) = self.facts.split_first()?;
        let samples = crate::samples::sample_names().count();
        let of_samples = self.facts.iter().filter(|name| name.starts_with("sample ")).count();
        Some(match others.len() {
            _ if of_samples == samples => "with the facts of every sample".to_owned(),
            0 => format!("with the facts of {first}"),
            1 => format!("with the facts of {first} and {}", others.join("")),
            more => format!("with the facts of {first} and {more} others"),
        })
    }
}

fn snippet(
    place: &Location,
    kind: AnnotationKind,
) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    let start = (place.line_start as usize).min(place.source_line.len());
    let length = place.end.saturating_sub(place.start) as usize;
    let mut end = (start + length).min(place.source_line.len());
    while !place.source_line.is_char_boundary(end) {
        end -= 1;
    }
    Snippet::source(&*place.source_line)
        .line_start(place.line as usize)
        .path(&*place.file)
        .annotation(kind.span(start..end))
}
