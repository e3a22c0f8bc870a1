//! Every diagnostic points at something that is there.

use steadfast_policies::diagnostics::{Diagnostics, Location};

use super::Memory;

/// Checks the places of all of `diagnostics`, and that each can be shown.
pub(super) fn check_places(diagnostics: &Diagnostics, repository: &Memory) {
    for diagnostic in diagnostics {
        let shown = diagnostic.render(true);
        assert!(!shown.is_empty() && !diagnostic.message.is_empty());
        for place in diagnostic.place.iter().chain(diagnostic.related.iter().map(|it| &it.place)) {
            check_place(place, repository);
        }
    }
    let json = serde_json::to_string(diagnostics).expect("diagnostics are data");
    assert!(json.starts_with('['));
}

fn check_place(place: &Location, repository: &Memory) {
    let bytes = repository.0.get(&*place.file);
    let bytes = bytes.unwrap_or_else(|| panic!("{place} is in no file of the repository"));
    let text = String::from_utf8_lossy(bytes);
    let inside = text.get(place.start as usize..place.end as usize);
    assert!(inside.is_some(), "{place} ({}..{}) is not in its file", place.start, place.end);
    let head = text.get(..place.start as usize).unwrap_or_default();
    let line = head.bytes().filter(|byte| *byte == b'\n').count() + 1;
    assert_eq!(line, place.line as usize, "{place} names another line than its bytes");
    let column = head.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    assert_eq!(column, place.column as usize, "{place} names another column than its bytes");
}
