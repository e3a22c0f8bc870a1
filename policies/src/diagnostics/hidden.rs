//! Secrets in the text that diagnostics quote: the place is told, what is written there is not.

use std::collections::BTreeSet;

use super::{Diagnostic, Location, SourceId, Sources, Span, Spot};

/// Stands for what is not shown.
const MASK: &str = "(hidden)";

/// The message where the proper one would give the secret away.
pub(crate) const REFUSED: &str = "this value is refused; it is secret and not shown";

/// Takes what is written at `hidden` out of `diagnostic`.
pub(super) fn hide(diagnostic: &mut Diagnostic, hidden: &BTreeSet<Spot>, sources: &Sources) {
    let places = diagnostic
        .place
        .iter_mut()
        .map(|place| (place, true))
        .chain(diagnostic.related.iter_mut().map(|related| (&mut related.place, false)));
    let mut told = false;
    for (place, main) in places {
        let Some(source) = sources.find(&place.file) else { continue };
        let spans = near(hidden, source, place);
        if main {
            let text = &sources.get(source).text;
            let concerned =
                spans.iter().filter(|span| span.start <= place.end && place.start <= span.end);
            for span in concerned {
                let written = text.get(span.range()).unwrap_or_default();
                told |= gives_away(&diagnostic.message, written)
                    || diagnostic.hint.as_ref().is_some_and(|hint| gives_away(hint, written));
            }
        }
        mask(place, &spans);
    }
    if told {
        REFUSED.clone_into(&mut diagnostic.message);
        diagnostic.hint = None;
    }
}

/// The hidden literals that `place`, or the line it shows, may touch.
fn near(hidden: &BTreeSet<Spot>, source: SourceId, place: &Location) -> Vec<Span> {
    let length = u32::try_from(place.source_line.len()).unwrap_or(u32::MAX);
    let begin = place.start.saturating_sub(place.line_start);
    let end = begin.saturating_add(length).max(place.end);
    let spot = |start, end| Spot::new(source, Span { start, end });
    // Literals do not overlap: only the last of those before may reach into the line.
    let before = hidden.range(spot(0, 0)..spot(begin, 0)).next_back();
    let inside = hidden.range(spot(begin, 0)..=spot(end, u32::MAX));
    before.into_iter().chain(inside).map(|spot| spot.span).collect()
}

/// Whether `message` has any of the values in the literal `written`.
fn gives_away(message: &str, written: &str) -> bool {
    let parts = written.split(['"', '\'', '\n', ',', '[', ']']).map(str::trim);
    parts.filter(|part| !part.is_empty()).any(|part| message.contains(part))
}

fn mask(place: &mut Location, spans: &[Span]) {
    let line = place.start.saturating_sub(place.line_start) as usize;
    let length = place.source_line.len();
    for span in spans.iter().rev() {
        let from = (span.start as usize).saturating_sub(line).min(length);
        let to = (span.end as usize).saturating_sub(line).min(length);
        if from >= to {
            continue;
        }
        let (Some(head), Some(tail)) = (place.source_line.get(..from), place.source_line.get(to..))
        else {
            MASK.clone_into(&mut place.source_line);
            place.line_start = 0;
            return;
        };
        place.source_line = format!("{head}{MASK}{tail}");
        let mark = place.line_start as usize;
        let moved = if mark >= to { mark + MASK.len() - (to - from) } else { mark.min(from) };
        if mark >= from {
            place.line_start = u32::try_from(moved).unwrap_or_default();
        }
    }
}
