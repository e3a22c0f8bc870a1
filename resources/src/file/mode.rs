//! Permissions as policies write them: octal, or symbolic as `chmod(1)` has it.
//!
//! Octal sets all twelve bits. Symbolic touches only the bits it names, so what it comes to depends
//! on the bits found; without a letter for whom (`+x`) it means everybody, whatever the umask.
//! What must stay true: applying a mode twice gives what applying it once gives (a mode for which
//! that cannot be is refused).

use std::fmt;

use crate::host::files::Mode;

/// The permissions asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ModeWish {
    /// Exactly these.
    Octal(Mode),
    /// A change of those found.
    Symbolic(Symbolic),
}

/// A symbolic mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Symbolic {
    text: Box<str>,
    changes: Box<[SymbolicChange]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SymbolicChange {
    operator: Operator,
    /// The bits of those the change is for; 0 when it does not say for whom.
    whom: u16,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Add,
    Remove,
    Set,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// These bits for everybody, and execution where it makes sense (`X`) if true.
    Bits(u16, bool),
    /// What the owner, the group or the others have: the mask of their three bits.
    CopyOf(u16),
}

const READ: u16 = 0o444;
const WRITE: u16 = 0o222;
const EXECUTE: u16 = 0o111;
const SET_ID: u16 = Mode::SET_USER | Mode::SET_GROUP;
const STICKY: u16 = 0o1000;

impl ModeWish {
    /// Reads what a policy says; the error is a sentence without a full stop.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            let digits = text.len();
            return match u16::from_str_radix(text, 8) {
                Ok(bits) if (3..=4).contains(&digits) => Ok(Self::Octal(Mode::new(bits))),
                _ => {
                    Err(format!("{text:?} is no octal mode; write four octal digits like \"0644\""))
                }
            };
        }
        let changes = parse_symbolic(text).ok_or_else(|| {
            format!(
                "{text:?} is no mode; write four octal digits like \"0644\", or changes like \
                 \"u+x,g-w,o=\" with the letters ugoa, +-= and rwxXst"
            )
        })?;
        let symbolic = Symbolic { text: text.into(), changes: changes.into() };
        if symbolic.settles() {
            Ok(Self::Symbolic(symbolic))
        } else {
            Err(format!(
                "{text:?} gives something else each time it is applied; put what copies \
                 permissions (u, g, o or X on the right) after what changes them"
            ))
        }
    }

    /// What it comes to where `current` is found.
    pub(super) fn applied(&self, current: Mode, is_directory: bool) -> Mode {
        match self {
            Self::Octal(mode) => *mode,
            Self::Symbolic(symbolic) => symbolic.applied(current, is_directory),
        }
    }

    /// The mode for directories of a tree when only that for its files is given: whoever may read
    /// may enter, as Puppet does it.
    pub(super) fn for_directories(&self) -> Self {
        match self {
            Self::Octal(mode) => {
                let bits = mode.without_set_id().bits();
                Self::Octal(Mode::new(bits | (bits & READ) >> 2))
            }
            symbolic @ Self::Symbolic(_) => symbolic.clone(),
        }
    }
}

impl fmt::Display for ModeWish {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Octal(mode) => mode.fmt(formatter),
            Self::Symbolic(symbolic) => formatter.write_str(&symbolic.text),
        }
    }
}

impl Symbolic {
    fn applied(&self, current: Mode, is_directory: bool) -> Mode {
        self.changes.iter().fold(current, |mode, change| change.applied(mode, is_directory))
    }

    /// Whether applying it twice is the same as once, for every mode there is.
    fn settles(&self) -> bool {
        let depends_on_found = self.changes.iter().any(|change| match change.what {
            What::Bits(_, conditional) => conditional,
            What::CopyOf(_) => true,
        });
        !depends_on_found
            || (0..=0o7777_u16).all(|bits| {
                [false, true].into_iter().all(|is_directory| {
                    let once = self.applied(Mode::new(bits), is_directory);
                    self.applied(once, is_directory) == once
                })
            })
    }
}

impl SymbolicChange {
    fn applied(self, current: Mode, is_directory: bool) -> Mode {
        let current = current.bits();
        let (value, named) = match self.what {
            What::Bits(bits, conditional) => {
                let execute = conditional && (is_directory || current & EXECUTE != 0);
                (if execute { bits | EXECUTE } else { bits }, bits)
            }
            What::CopyOf(mask) => {
                let source = current & mask;
                let spread = |bit: u16| if source & bit != 0 { bit } else { 0 };
                (spread(READ) | spread(WRITE) | spread(EXECUTE), mask)
            }
        };
        let whom = if self.whom == 0 { 0o7777 } else { self.whom };
        // A directory's set-id bits mean inheritance; they change only when they are named.
        let spared = if is_directory { SET_ID & !(named & whom) } else { 0 };
        let value = value & whom & !spared;
        Mode::new(match self.operator {
            Operator::Add => current | value,
            Operator::Remove => current & !value,
            Operator::Set => (current & (!whom | spared)) | value,
        })
    }
}

fn parse_symbolic(text: &str) -> Option<Vec<SymbolicChange>> {
    let mut changes = Vec::new();
    for clause in text.split(',') {
        let operators = clause.find(['+', '-', '='])?;
        let (letters, mut rest) = clause.split_at(operators);
        let mut whom = 0;
        for letter in letters.chars() {
            whom |= match letter {
                'u' => Mode::SET_USER | 0o700,
                'g' => Mode::SET_GROUP | 0o070,
                'o' => STICKY | 0o007,
                'a' => 0o7777,
                _ => return None,
            };
        }
        while let Some(operator) = rest.chars().next() {
            let operator = match operator {
                '+' => Operator::Add,
                '-' => Operator::Remove,
                _ => Operator::Set,
            };
            rest = rest.get(1..)?;
            let end = rest.find(['+', '-', '=']).unwrap_or(rest.len());
            let (permissions, after) = rest.split_at(end);
            rest = after;
            changes.push(SymbolicChange { operator, whom, what: parse_what(permissions)? });
        }
    }
    Some(changes)
}

fn parse_what(permissions: &str) -> Option<What> {
    match permissions {
        "u" => return Some(What::CopyOf(0o700)),
        "g" => return Some(What::CopyOf(0o070)),
        "o" => return Some(What::CopyOf(0o007)),
        _ => {}
    }
    let (mut bits, mut conditional) = (0, false);
    for letter in permissions.chars() {
        match letter {
            'r' => bits |= READ,
            'w' => bits |= WRITE,
            'x' => bits |= EXECUTE,
            'X' => conditional = true,
            's' => bits |= SET_ID,
            't' => bits |= STICKY,
            _ => return None,
        }
    }
    Some(What::Bits(bits, conditional))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    use crate::host::command::{Request, run};

    fn apply(text: &str, bits: u16, is_directory: bool) -> u16 {
        ModeWish::parse(text).unwrap().applied(Mode::new(bits), is_directory).bits()
    }

    #[test]
    fn modes_come_to() {
        for (text, found, is_directory, expected) in [
            ("0644", 0o7777, false, 0o0644),
            ("644", 0o000, false, 0o0644),
            ("4755", 0o000, false, 0o4755),
            ("u+x", 0o644, false, 0o744),
            ("+x", 0o644, false, 0o755),
            ("g-w", 0o664, false, 0o644),
            ("o=", 0o4755, false, 0o4750),
            ("u=rwx,go=rx", 0o000, false, 0o755),
            ("ug+s", 0o755, false, 0o6755),
            ("+t", 0o777, true, 0o1777),
            ("a+X", 0o644, false, 0o644),
            ("a+X", 0o744, false, 0o755),
            ("a+X", 0o644, true, 0o755),
            ("g=u", 0o640, false, 0o660),
            ("u=rwx", 0o4644, false, 0o744),
            ("g=rx", 0o2700, true, 0o2750),
            ("g=rxs", 0o0700, true, 0o2750),
            ("u=r-w+x", 0o777, false, 0o577),
        ] {
            assert_eq!(apply(text, found, is_directory), expected, "{text} on {found:o}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "", "8", "64", "06444", "0888", "rwx", "u", "u+q", "z+x", "u+x,", "0o644", "u+x g+x",
            "u=o,o=g", "g+X,u+x", "-644é",
        ] {
            assert!(ModeWish::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn directories_of_a_tree_can_be_entered() {
        for (files, directories) in
            [("0644", 0o755), ("0640", 0o750), ("0600", 0o700), ("4755", 0o755)]
        {
            let wish = ModeWish::parse(files).unwrap().for_directories();
            assert_eq!(wish.applied(Mode::new(0), true).bits(), directories, "{files}");
        }
    }

    fn symbolic() -> impl Strategy<Value = String> {
        let change = ("[ugoa]{0,2}", "[-+=]", "([rwxXst]{0,3}|[ugo])")
            .prop_map(|(whom, operator, what)| format!("{whom}{operator}{what}"));
        proptest::collection::vec(change, 1..4).prop_map(|changes| changes.join(","))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]
        #[test]
        fn as_chmod_does(text in symbolic(), bits in 0..=0o7777_u16, is_directory: bool) {
            let Ok(wish) = ModeWish::parse(&text) else { return Ok(()) };
            let place = tempfile::tempdir().unwrap();
            let path = place.path().join("it");
            if is_directory {
                std::fs::create_dir(&path).unwrap();
            } else {
                std::fs::File::create(&path).unwrap();
            }
            let path = path.to_str().unwrap();
            let script = format!("umask 0; chmod {bits:05o} \"$1\" && chmod -- \"$2\" \"$1\" && stat -c %a \"$1\"");
            let request = Request::new(["sh", "-c", &script, "sh", path, &text]);
            let output = run(&request, Instant::now() + Duration::from_secs(20)).unwrap();
            prop_assert!(output.success(), "{}", output.text());
            let theirs = u16::from_str_radix(output.text().trim(), 8).unwrap();
            prop_assert_eq!(wish.applied(Mode::new(bits), is_directory).bits(), theirs, "{} on {:o}", text, bits);
        }
    }
}
