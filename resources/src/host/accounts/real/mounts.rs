//! Where file systems are mounted, from `/proc/self/mountinfo` (proc(5)).

use std::path::Path;

use super::super::AccountError;

/// The first mount point strictly below `path`.
pub(super) fn below(path: &str) -> Result<Option<String>, AccountError> {
    let text =
        std::fs::read("/proc/self/mountinfo").map_err(|source| AccountError::Mounts { source })?;
    Ok(first_below(&String::from_utf8_lossy(&text), Path::new(path)))
}

fn first_below(mountinfo: &str, path: &Path) -> Option<String> {
    mountinfo
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(unescaped)
        .find(|point| Path::new(point) != path && Path::new(point).starts_with(path))
}

/// Blanks, tabs, newlines and backslashes are written as three octal digits.
fn unescaped(field: &str) -> String {
    let mut text = field.to_owned();
    for (code, letter) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        text = text.replace(code, letter);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_below_a_home_are_found() {
        let info = "30 1 8:1 / / rw - ext4 /dev/a rw\n31 30 8:2 / /home/a rw - ext4 /dev/b rw\n\
                    32 31 8:1 /x /home/a/my\\040disk rw - ext4 /dev/a rw\n";
        let below = |path: &str| first_below(info, Path::new(path));
        assert_eq!(below("/home/a").as_deref(), Some("/home/a/my disk"));
        assert_eq!(below("/home").as_deref(), Some("/home/a"));
        assert_eq!(below("/home/a/my disk"), None);
        assert_eq!(below("/ho"), None);
    }
}
