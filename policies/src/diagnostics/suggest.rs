//! "Did you mean": the nearest known name by edit distance.

/// The name among `candidates` that `wrong` was probably meant to be.
///
/// A name that differs only in case always counts; otherwise a third of the letters may differ
/// (at least one). The first of several equally near names wins.
pub(crate) fn nearest<'a>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let letters: Vec<char> = wrong.chars().map(fold).take(MAXIMUM_LENGTH + 1).collect();
    if letters.len() > MAXIMUM_LENGTH {
        return None;
    }
    let allowed = (letters.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other: Vec<char> = candidate.chars().map(fold).take(MAXIMUM_LENGTH + 1).collect();
        if other.len().abs_diff(letters.len()) > allowed || candidate == wrong {
            continue;
        }
        let distance = distance(&letters, &other);
        if distance <= allowed.min(other.len().saturating_sub(1))
            && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// ``did you mean `x`?``, if there is a near name.
pub(crate) fn did_you_mean<'a>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(wrong, candidates).map(|name| format!("did you mean `{name}`?"))
}

/// [`did_you_mean`], or else the list of what there is, if it is short.
pub(crate) fn or_list(wrong: &str, what: &str, candidates: &[&str]) -> Option<String> {
    did_you_mean(wrong, candidates.iter().copied()).or_else(|| {
        let short = (1..=MAXIMUM_LIST).contains(&candidates.len());
        short.then(|| format!("{what}: {}", candidates.join(", ")))
    })
}

const MAXIMUM_LENGTH: usize = 120;
const MAXIMUM_LIST: usize = 24;

fn fold(letter: char) -> char {
    match letter {
        '-' => '_',
        other => other.to_ascii_lowercase(),
    }
}

/// How many insertions, deletions, replacements and swaps of neighbours turn one into the other
/// (the restricted Damerau-Levenshtein distance).
fn distance(left: &[char], right: &[char]) -> usize {
    let width = right.len() + 1;
    let mut before_last: Vec<usize> = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    for (row, from) in left.iter().enumerate() {
        let mut current = Vec::with_capacity(width);
        current.push(row + 1);
        for (column, to) in right.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let mut fewest = (at(&last, column + 1) + 1)
                .min(at(&current, column) + 1)
                .min(at(&last, column) + usize::from(from != to));
            let swapped = row > 0
                && column > 0
                && left.get(row - 1) == Some(to)
                && right.get(column - 1) == Some(from);
            if swapped {
                fewest = fewest.min(at(&before_last, column - 1) + 1);
            }
            current.push(fewest);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["owner", "group", "mode", "content", "ensure"];
        for (wrong, expected) in [
            ("onwer", Some("owner")),
            ("owners", Some("owner")),
            ("MODE", Some("mode")),
            ("contents", Some("content")),
            ("esnure", Some("ensure")),
            ("zzz", None),
            ("recurse", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, names), expected, "{wrong}");
        }
    }

    #[test]
    fn distances() {
        for (left, right, expected) in
            [("", "", 0), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "", 3), ("ab", "xaby", 2)]
        {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(distance(&chars(left), &chars(right)), expected, "{left} {right}");
        }
    }
}
