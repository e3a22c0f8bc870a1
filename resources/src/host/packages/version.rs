//! Comparing versions by the rules of a distribution.

use std::cmp::Ordering;

use debversion::Version;

/// The rules by which a distribution orders versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionScheme {
    /// Debian policy 5.6.12, deb-version(7).
    Debian,
}

impl VersionScheme {
    /// Orders two versions. What is no version by the scheme's rules (an odd one in an old
    /// database) is ordered by its bytes.
    pub fn compare(self, left: &str, right: &str) -> Ordering {
        if left == right {
            return Ordering::Equal;
        }
        match self {
            Self::Debian => match (left.parse::<Version>(), right.parse::<Version>()) {
                (Ok(left), Ok(right)) => left.cmp(&right),
                _ => left.cmp(right),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_dpkg_does() {
        // Each is less than the next.
        let ascending = [
            "0~~",
            "0~",
            "0",
            "1.0~rc1-1",
            "1.0-1~bpo12+1",
            "1.0-1",
            "1.0-1+b1",
            "1.0-1+deb12u1",
            "1.0-1.1",
            "1.0-2",
            "1.0-10",
            "1.0+dfsg-1",
            "1.0.1-1",
            "1.9-1",
            "1.10-1",
            "1.10a-1",
            "2:0.1-1",
            "10:0.0-0",
        ];
        for pair in ascending.windows(2) {
            assert_eq!(VersionScheme::Debian.compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(VersionScheme::Debian.compare(pair[1], pair[0]), Ordering::Greater);
        }
        for (left, right) in [("1.0", "1.0-0"), ("0:1.0-1", "1.0-1"), ("1.00-1", "1.0-1")] {
            assert_eq!(VersionScheme::Debian.compare(left, right), Ordering::Equal);
        }
    }

    #[test]
    fn what_is_no_version_is_still_ordered() {
        assert_eq!(VersionScheme::Debian.compare("a_b", "a_c"), Ordering::Less);
        assert_eq!(VersionScheme::Debian.compare("99999999999:1", "1.0"), Ordering::Greater);
    }
}
