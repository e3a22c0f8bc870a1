//! Absolute paths in one normal form.
//!
//! What must stay true: an [`AbsolutePath`] starts with `/`, has no empty, `.` or `..` component, no
//! NUL and no trailing slash (except `/` itself). Whether links lie in it is the port's business.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// Why a text is no path that can be managed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PathError {
    /// Nothing at all.
    #[error("the path is empty")]
    Empty,
    /// Not from the root.
    #[error("the path {0:?} is relative; write it from `/`")]
    Relative(String),
    /// A `..` component: what it leads to depends on links.
    #[error("the path {0:?} contains `..`; write where it leads to")]
    Upwards(String),
    /// A NUL or a line break.
    #[error("the path {0:?} contains a NUL or a line break")]
    Unprintable(String),
    /// Longer than Linux allows (255 bytes a name, 4095 a path; `limits.h`).
    #[error("the path {0:?} is longer than the 255 bytes a name or 4095 bytes a path may have")]
    TooLong(String),
}

/// An absolute path in normal form.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AbsolutePath(Box<OsStr>);

impl AbsolutePath {
    /// The root directory.
    pub fn root() -> Self {
        Self(OsStr::new("/").into())
    }

    /// The normal form of `text`: repeated slashes, `.` and a trailing slash go.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.bytes().any(|byte| matches!(byte, b'\0' | b'\n' | b'\r')) {
            return Err(PathError::Unprintable(text.into()));
        }
        if !text.starts_with('/') {
            return Err(PathError::Relative(text.into()));
        }
        let mut normal = String::with_capacity(text.len());
        for component in text.split('/') {
            match component {
                "" | "." => {}
                ".." => return Err(PathError::Upwards(text.into())),
                name if name.len() > 255 => return Err(PathError::TooLong(text.into())),
                name => {
                    normal.push('/');
                    normal.push_str(name);
                }
            }
        }
        if normal.len() > 4095 {
            return Err(PathError::TooLong(text.into()));
        }
        if normal.is_empty() {
            return Ok(Self::root());
        }
        Ok(Self(OsString::from(normal).into_boxed_os_str()))
    }

    /// The path as people read it. A name on the machine may hold anything; a line of output must
    /// stay one line.
    pub fn shown(&self) -> Cow<'_, str> {
        let text = self.0.to_string_lossy();
        if text.chars().any(char::is_control) {
            Cow::Owned(text.escape_debug().to_string())
        } else {
            text
        }
    }

    /// The path as the standard library has it.
    pub fn as_path(&self) -> &Path {
        Path::new(&*self.0)
    }

    /// The path's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The directory's path and the name within it. For `/` the name is `.`, within `/`.
    pub fn split(&self) -> (&OsStr, &OsStr) {
        let bytes = self.as_bytes();
        let slash = bytes.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        let directory = bytes.get(..slash.max(1)).unwrap_or_default();
        let name = bytes.get(slash + 1..).filter(|name| !name.is_empty()).unwrap_or(b".");
        (OsStr::from_bytes(directory), OsStr::from_bytes(name))
    }

    /// Whether this is `/`.
    pub fn is_root(&self) -> bool {
        self.as_bytes() == b"/"
    }

    /// The directory this lies in; `None` for `/`.
    pub fn parent(&self) -> Option<Self> {
        (!self.is_root()).then(|| Self(self.split().0.into()))
    }

    /// All directories above, nearest first, down to `/`.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), Self::parent)
    }

    /// What is called `name` in this directory. `name` must be a single component as a directory
    /// listing gives it, or a relative path without `.` and `..` as a repository tree gives it.
    #[must_use]
    pub fn join(&self, name: impl AsRef<OsStr>) -> Self {
        let name = name.as_ref().as_bytes();
        if name.is_empty() {
            return self.clone();
        }
        let mut bytes = Vec::with_capacity(self.0.len() + 1 + name.len());
        bytes.extend_from_slice(self.as_bytes());
        if !self.is_root() {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name);
        Self(OsString::from_vec(bytes).into_boxed_os_str())
    }

    /// Where a link at this path leads to that says `target`, by the text alone; `None` where that
    /// has no normal form.
    pub fn link_leads_to(&self, target: &str) -> Option<Self> {
        let mut names: Vec<&[u8]> = Vec::new();
        let base = if target.starts_with('/') { &[] } else { self.split().0.as_bytes() };
        for component in
            base.split(|byte| *byte == b'/').chain(target.as_bytes().split(|b| *b == b'/'))
        {
            match component {
                b"" | b"." => {}
                b".." => drop(names.pop()),
                name => names.push(name),
            }
        }
        let mut bytes = Vec::new();
        for name in names {
            bytes.push(b'/');
            bytes.extend_from_slice(name);
        }
        Self::parse(std::str::from_utf8(&bytes).ok().filter(|text| !text.is_empty()).unwrap_or("/"))
            .ok()
    }
}

impl AsRef<Path> for AbsolutePath {
    fn as_ref(&self) -> &Path {
        self.as_path()
    }
}

impl fmt::Display for AbsolutePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown())
    }
}

impl fmt::Debug for AbsolutePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.0)
    }
}

impl Serialize for AbsolutePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn normal_forms() {
        for (text, normal) in [
            ("/", "/"),
            ("//", "/"),
            ("/.", "/"),
            ("/etc", "/etc"),
            ("//etc///motd/", "/etc/motd"),
            ("/etc/./motd/.", "/etc/motd"),
            ("/etc/...", "/etc/..."),
            ("/a b/ü", "/a b/ü"),
        ] {
            assert_eq!(AbsolutePath::parse(text).unwrap().to_string(), normal, "{text}");
        }
    }

    #[test]
    fn refused() {
        let long = format!("/{}", "n".repeat(256));
        let deep = "/abcdefgh".repeat(500);
        for text in
            ["", "etc/motd", "./etc", "/etc/../shadow", "/..", "/a\0b", "/a\nb", &long, &deep]
        {
            assert!(AbsolutePath::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn parts() {
        let path = AbsolutePath::parse("/etc/ssh/sshd_config").unwrap();
        assert_eq!(path.split(), (OsStr::new("/etc/ssh"), OsStr::new("sshd_config")));
        let above: Vec<String> = path.ancestors().map(|path| path.to_string()).collect();
        assert_eq!(above, ["/etc/ssh", "/etc", "/"]);
        assert_eq!(AbsolutePath::root().split(), (OsStr::new("/"), OsStr::new(".")));
        assert_eq!(AbsolutePath::root().parent(), None);
        assert_eq!(AbsolutePath::root().join("etc").to_string(), "/etc");
        let top = AbsolutePath::parse("/etc").unwrap();
        assert_eq!(top.split(), (OsStr::new("/"), OsStr::new("etc")));
    }

    #[test]
    fn links_by_their_text() {
        let link = AbsolutePath::parse("/etc/nginx/enabled/blog").unwrap();
        for (target, leads_to) in [
            ("../available/blog", "/etc/nginx/available/blog"),
            ("blog2", "/etc/nginx/enabled/blog2"),
            ("/srv//blog/", "/srv/blog"),
            ("../../../../../..", "/"),
        ] {
            assert_eq!(link.link_leads_to(target).unwrap().to_string(), leads_to, "{target}");
        }
    }

    proptest! {
        #[test]
        fn normalising_is_stable_and_means_the_same(parts in proptest::collection::vec("[a-z.]{0,3}", 0..8)) {
            let text = format!("/{}", parts.join("/"));
            match AbsolutePath::parse(&text) {
                Ok(path) => {
                    let again = AbsolutePath::parse(&path.to_string()).unwrap();
                    prop_assert_eq!(&again, &path);
                    prop_assert_eq!(path.as_path().components().collect::<Vec<_>>(),
                        Path::new(&text).components().collect::<Vec<_>>());
                }
                Err(_) => prop_assert!(parts.iter().any(|part| part == "..")),
            }
        }

        #[test]
        fn split_and_join_are_inverse(parts in proptest::collection::vec("[a-z]{1,5}", 1..6)) {
            let path = AbsolutePath::parse(&format!("/{}", parts.join("/"))).unwrap();
            let name = path.split().1.to_owned();
            prop_assert_eq!(path.parent().unwrap().join(name), path);
        }
    }
}
