//! The program's own replacement. A package that upgrades the agent must not stop it in the middle
//! of that upgrade: the agent notices by itself and starts the new program in its place, with the
//! same process id, when it has nothing else to do.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

/// The program that this process runs.
#[derive(Debug, Clone)]
pub(super) struct Program {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Program {
    /// The one that runs.
    pub(super) fn running() -> io::Result<Self> {
        let path = std::fs::read_link("/proc/self/exe")?;
        let metadata = std::fs::metadata("/proc/self/exe")?;
        Ok(Self { path, device: metadata.dev(), inode: metadata.ino() })
    }

    /// Whether there is another one at its path, complete and safe to start.
    pub(super) fn is_replaced(&self) -> bool {
        let Ok(metadata) = std::fs::metadata(&self.path) else { return false };
        let same = (metadata.dev(), metadata.ino()) == (self.device, self.inode);
        let mode = metadata.permissions().mode();
        let owner = [0, nix::unistd::geteuid().as_raw()].contains(&metadata.uid());
        !same && metadata.is_file() && owner && mode & 0o111 != 0 && mode & 0o022 == 0
    }

    /// Becomes the new program. Returns only where that fails.
    pub(super) fn replace(&self) -> io::Error {
        let words = std::env::args_os().map(|word| CString::new(word.as_bytes()));
        let attempt = || -> io::Result<()> {
            let path = CString::new(self.path.as_os_str().as_bytes())?;
            let words = words.collect::<Result<Vec<_>, _>>()?;
            nix::unistd::execv(&path, &words)?;
            Ok(())
        };
        match attempt() {
            Ok(()) => io::Error::other("the new program did not start"),
            Err(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_replaced_when_another_complete_one_has_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("steadfast");
        let write = |name: &str, mode: u32| {
            let path = directory.path().join(name);
            std::fs::File::create(&path).unwrap();
            std::fs::File::open(&path)
                .unwrap()
                .set_permissions(std::fs::Permissions::from_mode(mode))
                .unwrap();
            path
        };
        write("steadfast", 0o755);
        let metadata = path.metadata().unwrap();
        let program = Program { path: path.clone(), device: metadata.dev(), inode: metadata.ino() };
        assert!(!program.is_replaced());
        std::fs::rename(write("new", 0o600), &path).unwrap();
        assert!(!program.is_replaced(), "not executable yet");
        std::fs::rename(write("new", 0o777), &path).unwrap();
        assert!(!program.is_replaced(), "anybody can write to it");
        std::fs::rename(write("new", 0o755), &path).unwrap();
        assert!(program.is_replaced());
        std::fs::remove_file(&path).unwrap();
        assert!(!program.is_replaced(), "gone for the moment");
    }
}
