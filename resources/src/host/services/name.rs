//! The full name of a unit, checked by systemd's own rules (systemd.unit(5), "unit names").
//!
//! What must stay true: a [`UnitName`] is a single path component without newline, never starts
//! with `-` or `.`, and ends in a suffix that systemd knows, so that it can be joined to a directory
//! and handed to a command without being taken for anything else.

use std::fmt;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// The suffixes of unit types, without their dot.
pub const TYPES: [&str; 11] = [
    "service",
    "socket",
    "device",
    "mount",
    "automount",
    "swap",
    "target",
    "path",
    "timer",
    "slice",
    "scope",
];

/// The longest name that systemd accepts, in bytes (`UNIT_NAME_MAX` without its NUL).
const LONGEST: usize = 255;

/// A unit's full name, such as `nginx.service` or `getty@tty2.service`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitName(String);

/// Why a title is not the name of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnitNameError {
    /// Nothing stands before the suffix.
    #[error("a unit name must not be empty")]
    Empty,
    /// Longer than [`LONGEST`].
    #[error("a unit name has at most {LONGEST} bytes, this one has {0}")]
    TooLong(usize),
    /// It would be taken for an option, or for a hidden file.
    #[error("a unit name must not start with {0:?}")]
    Start(char),
    /// A path instead of a name.
    #[error("a unit name must not contain a slash")]
    Slash,
    /// A character that systemd does not allow.
    #[error("a unit name must not contain {0:?}")]
    Character(char),
}

impl UnitName {
    /// The unit that `title` names; without a known suffix it is a service, as for systemctl.
    pub fn from_title(title: &str) -> Result<Self, UnitNameError> {
        let full = match title.rsplit_once('.') {
            Some((_, suffix)) if TYPES.contains(&suffix) => title.to_owned(),
            _ => format!("{title}.service"),
        };
        let stem = full.rsplit_once('.').map_or("", |(stem, _)| stem);
        if stem.is_empty() {
            return Err(UnitNameError::Empty);
        }
        if let Some(first @ ('-' | '.' | '@')) = stem.chars().next() {
            return Err(UnitNameError::Start(first));
        }
        if stem.contains('/') {
            return Err(UnitNameError::Slash);
        }
        let allowed = |c: &char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(*c);
        if let Some(wrong) = stem.chars().find(|c| !allowed(c)) {
            return Err(UnitNameError::Character(wrong));
        }
        if full.len() > LONGEST {
            return Err(UnitNameError::TooLong(full.len()));
        }
        Ok(Self(full))
    }

    /// The full name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The unit's type: the suffix without its dot.
    pub fn suffix(&self) -> &str {
        self.0.rsplit_once('.').map_or("", |(_, suffix)| suffix)
    }

    /// The name without its suffix: `getty@tty2`.
    pub fn stem(&self) -> &str {
        self.0.rsplit_once('.').map_or(&self.0, |(stem, _)| stem)
    }

    /// The name before the first `@`, without suffix: `getty`.
    pub fn prefix(&self) -> &str {
        let stem = self.stem();
        stem.split_once('@').map_or(stem, |(prefix, _)| prefix)
    }

    /// What stands after the first `@`: `tty2`. `Some("")` for a template.
    pub fn instance(&self) -> Option<&str> {
        self.stem().split_once('@').map(|(_, instance)| instance)
    }

    /// Whether this is a template, of which only instances can run.
    pub fn is_template(&self) -> bool {
        self.instance() == Some("")
    }

    /// The template that this instance is made from; `None` for what is not an instance.
    pub fn template(&self) -> Option<Self> {
        let instance = self.instance()?;
        (!instance.is_empty()).then(|| Self(format!("{}@.{}", self.prefix(), self.suffix())))
    }

    /// A unit of another type with the same stem (`foo.timer` to `foo.service`).
    #[must_use]
    pub fn sibling(&self, suffix: &str) -> Self {
        Self(format!("{}.{suffix}", self.stem()))
    }

    /// The names of the directories whose `*.conf` files extend this unit, most specific first:
    /// `foo-bar@x.service.d`, `foo-bar@.service.d`, `foo-@.service.d`…, `service.d`.
    pub fn drop_in_directories(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.collect_drop_ins(&mut names);
        names.push(format!("{}.d", self.suffix()));
        names
    }

    fn collect_drop_ins(&self, names: &mut Vec<String>) {
        let name = format!("{}.d", self.0);
        if !names.contains(&name) {
            names.push(name);
        }
        if let Some(template) = self.template() {
            template.collect_drop_ins(names);
        }
        // `foo-bar-baz` is also extended by `foo-bar-` and `foo-`.
        let prefix = self.prefix();
        let cut = prefix.trim_end_matches('-');
        let Some(dash) = cut.rfind('-') else { return };
        let shorter = prefix.get(..=dash).unwrap_or_default();
        if shorter.trim_matches('-').is_empty() {
            return;
        }
        let rest = self.0.get(prefix.len()..).unwrap_or_default();
        Self(format!("{shorter}{rest}")).collect_drop_ins(names);
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for UnitName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(title: &str) -> UnitName {
        UnitName::from_title(title).unwrap()
    }

    #[test]
    fn titles_become_full_names() {
        for (title, full) in [
            ("nginx", "nginx.service"),
            ("nginx.service", "nginx.service"),
            ("apt-daily.timer", "apt-daily.timer"),
            ("getty@tty2", "getty@tty2.service"),
            ("php8.2-fpm", "php8.2-fpm.service"),
            ("org.cups.cupsd", "org.cups.cupsd.service"),
            ("dev-disk-by\\x2dlabel.swap", "dev-disk-by\\x2dlabel.swap"),
            ("a@b@c", "a@b@c.service"),
        ] {
            assert_eq!(name(title).as_str(), full);
        }
    }

    #[test]
    fn what_is_not_a_name_is_refused() {
        for (title, error) in [
            ("", UnitNameError::Empty),
            (".service", UnitNameError::Empty),
            ("-x", UnitNameError::Start('-')),
            ("--now", UnitNameError::Start('-')),
            (".hidden", UnitNameError::Start('.')),
            ("..", UnitNameError::Start('.')),
            ("@tty1", UnitNameError::Start('@')),
            ("/etc/x.service", UnitNameError::Slash),
            ("a/../b", UnitNameError::Slash),
            ("a b", UnitNameError::Character(' ')),
            ("a\n", UnitNameError::Character('\n')),
            ("a\0", UnitNameError::Character('\0')),
            ("ä", UnitNameError::Character('ä')),
            ("nginx*", UnitNameError::Character('*')),
        ] {
            assert_eq!(UnitName::from_title(title), Err(error), "{title:?}");
        }
        let long = "x".repeat(248);
        assert_eq!(UnitName::from_title(&long), Err(UnitNameError::TooLong(256)));
        assert!(UnitName::from_title(&long[1..]).is_ok());
    }

    #[test]
    fn instances_know_their_template() {
        let unit = name("getty@tty2");
        assert_eq!((unit.prefix(), unit.instance()), ("getty", Some("tty2")));
        assert_eq!(unit.template(), Some(name("getty@.service")));
        assert!(name("getty@").is_template());
        assert_eq!(name("getty@").template(), None);
        assert_eq!(name("nginx").template(), None);
    }

    #[test]
    fn drop_in_directories_go_from_special_to_general() {
        assert_eq!(
            name("foo-bar-baz@x.service").drop_in_directories(),
            [
                "foo-bar-baz@x.service.d",
                "foo-bar-baz@.service.d",
                "foo-bar-@.service.d",
                "foo-@.service.d",
                "foo-bar-@x.service.d",
                "foo-@x.service.d",
                "service.d",
            ]
        );
        assert_eq!(name("nginx").drop_in_directories(), ["nginx.service.d", "service.d"]);
        assert_eq!(name("a.timer").drop_in_directories(), ["a.timer.d", "timer.d"]);
    }

    proptest! {
        #[test]
        fn any_title_is_refused_or_a_harmless_component(title in ".{0,300}") {
            if let Ok(unit) = UnitName::from_title(&title) {
                let text = unit.as_str();
                prop_assert!(text.starts_with(&title));
                prop_assert!(text.len() <= LONGEST);
                prop_assert!(!text.starts_with(['-', '.', '@']));
                prop_assert!(!text.contains(['/', '\n', '\0', ' ']));
                prop_assert!(TYPES.contains(&unit.suffix()));
            }
        }

        #[test]
        fn drop_in_directories_end_and_are_distinct(stem in "[a-z-]{0,20}") {
            if let Ok(unit) = UnitName::from_title(&stem) {
                let names = unit.drop_in_directories();
                let mut distinct = names.clone();
                distinct.sort();
                distinct.dedup();
                prop_assert_eq!(distinct.len(), names.len());
            }
        }
    }
}
