//! What a policy can ask of a package: presence, absence, a version, a range of versions.

use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

use crate::host::packages::VersionScheme;

/// The attribute `ensure`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ensure {
    /// Installed, in whatever version.
    Present,
    /// Not installed; its configuration may stay.
    Absent,
    /// Not installed, and its configuration is gone.
    Purged,
    /// Installed in the version that the package manager would choose now.
    Latest,
    /// Installed in exactly this version.
    Exactly(String),
    /// Installed in a version of this range.
    Within(Range),
}

/// Bounds that all must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range(Vec<(Relation, String)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Less,
    AtMost,
    Equal,
    AtLeast,
    Greater,
}

/// Longest first, so that `>=` is not read as `>`.
const RELATIONS: &[(&str, Relation)] = &[
    (">=", Relation::AtLeast),
    ("<=", Relation::AtMost),
    (">>", Relation::Greater),
    ("<<", Relation::Less),
    ("==", Relation::Equal),
    (">", Relation::Greater),
    ("<", Relation::Less),
    ("=", Relation::Equal),
];

/// Why a text is no `ensure`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnsureError {
    /// Neither a word that `ensure` knows nor a version.
    #[error("{0:?} is neither a state nor a version")]
    Unknown(String),
    /// A version that has a character no version has.
    #[error("the version {0:?} contains {1:?}")]
    Character(String, char),
    /// A bound without relation or without version.
    #[error("{0:?} is no bound of a version range")]
    Bound(String),
}

impl Ensure {
    /// Reads the attribute's value.
    pub fn parse(text: &str) -> Result<Self, EnsureError> {
        match text {
            "present" => Ok(Self::Present),
            "absent" => Ok(Self::Absent),
            "purged" => Ok(Self::Purged),
            "latest" => Ok(Self::Latest),
            _ if text.contains(['<', '>', '=', ',']) => Range::parse(text).map(Self::Within),
            _ => version(text).map(|version| Self::Exactly(version.into())),
        }
    }

    /// Whether the package is not to be there.
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::Absent | Self::Purged)
    }

    /// Whether an installed package of this version is as asked, as far as a version can tell.
    pub fn admits(&self, version: &str, scheme: VersionScheme) -> bool {
        match self {
            Self::Present | Self::Latest => true,
            Self::Absent | Self::Purged => false,
            Self::Exactly(wanted) => scheme.compare(version, wanted).is_eq(),
            Self::Within(range) => range.contains(version, scheme),
        }
    }

    /// Whether any version will do.
    pub fn is_any_version(&self) -> bool {
        matches!(self, Self::Present | Self::Latest)
    }
}

impl fmt::Display for Ensure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present => formatter.write_str("present"),
            Self::Absent => formatter.write_str("absent"),
            Self::Purged => formatter.write_str("purged"),
            Self::Latest => formatter.write_str("latest"),
            Self::Exactly(version) => formatter.write_str(version),
            Self::Within(range) => range.fmt(formatter),
        }
    }
}

impl Range {
    fn parse(text: &str) -> Result<Self, EnsureError> {
        let bound = |text: &str| {
            let text = text.trim();
            let none = || EnsureError::Bound(text.into());
            let found = RELATIONS.iter().find_map(|(sign, relation)| {
                text.strip_prefix(sign).map(|rest| (*relation, rest.trim()))
            });
            let (relation, rest) = found.ok_or_else(none)?;
            if rest.is_empty() || rest.starts_with(['<', '>', '=']) {
                return Err(none());
            }
            Ok((relation, version(rest)?.to_owned()))
        };
        text.split(',').map(bound).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `version` is in the range.
    pub fn contains(&self, version: &str, scheme: VersionScheme) -> bool {
        self.0.iter().all(|(relation, bound)| {
            let order = scheme.compare(version, bound);
            match relation {
                Relation::Less => order == Ordering::Less,
                Relation::AtMost => order != Ordering::Greater,
                Relation::Equal => order == Ordering::Equal,
                Relation::AtLeast => order != Ordering::Less,
                Relation::Greater => order == Ordering::Greater,
            }
        })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (relation, version)) in self.0.iter().enumerate() {
            let sign = match relation {
                Relation::Less => "<",
                Relation::AtMost => "<=",
                Relation::Equal => "=",
                Relation::AtLeast => ">=",
                Relation::Greater => ">",
            };
            write!(formatter, "{}{sign}{version}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// A version has to start with a digit (deb-version(7)), so that a mistyped state is no version.
fn version(text: &str) -> Result<&str, EnsureError> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(EnsureError::Unknown(text.into()));
    }
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || ".+:~-_^".contains(*c))) {
        Some(character) => Err(EnsureError::Character(text.into(), character)),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ensure_can_be() {
        let good = [
            ("present", "present"),
            ("latest", "latest"),
            ("1:1.22.1-9+deb12u1", "1:1.22.1-9+deb12u1"),
            (">=1.20, <1.25", ">=1.20, <1.25"),
            (">= 1.20,<= 1.25~", ">=1.20, <=1.25~"),
            ("=1.0-1", "=1.0-1"),
            (">>1.0, <<2.0", ">1.0, <2.0"),
        ];
        for (text, wanted) in good {
            assert_eq!(Ensure::parse(text).unwrap().to_string(), wanted);
        }
        for bad in [
            "",
            "installed",
            "pressent",
            "v1.0",
            ">=",
            ">=,<2",
            "1.0, <2",
            ">=1.0 <2",
            "=>1",
            ">=1.0,",
            "1.0 beta",
            "1.0;reboot",
            "1.0\n",
            "1.0*",
            ">=1/2",
            "-1",
        ] {
            assert!(Ensure::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn ranges_by_the_rules_of_the_distribution() {
        let cases = [
            (">=1.20, <1.25", "1.20", true),
            (">=1.20, <1.25", "1.24.9-1", true),
            (">=1.20, <1.25", "1.25~rc1-1", true),
            (">=1.20, <1.25", "1.25", false),
            (">=1.20, <1.25", "1.9", false),
            (">=1.20, <1.25", "1:1.22", false),
            (">1.0-1", "1.0-1", false),
            (">1.0-1", "1.0-1+b1", true),
            ("<=1.0-1", "1.0-1~bpo12+1", true),
            ("=1.0", "1.0-0", true),
        ];
        for (range, version, inside) in cases {
            let ensure = Ensure::parse(range).unwrap();
            assert_eq!(ensure.admits(version, VersionScheme::Debian), inside, "{version} {range}");
        }
    }
}
