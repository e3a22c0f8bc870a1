//! How the C library's allocator is told to behave: the only unsafe calls of the agent.
//!
//! A large policy is read into one block of many megabytes. When such a block is freed, glibc by
//! default raises the size from which it takes blocks straight from the kernel, and from then on
//! large blocks that come and go leave holes in the heap: 3 MB more of 42 with ten thousand files.

/// Blocks of this many bytes and more are taken from the kernel and given back to it: glibc's own
/// initial value, kept for good.
#[cfg(target_env = "gnu")]
const THRESHOLD: nix::libc::c_int = 128 * 1024;

/// Keeps the threshold at its initial value. To be called before anything large is allocated.
#[cfg(target_env = "gnu")]
pub(crate) fn keep_small() {
    #[expect(unsafe_code, reason = "mallopt(3) has no safe wrapper")]
    // SAFETY: the call has no preconditions; it sets a number inside the allocator, under its lock.
    let _ = unsafe { nix::libc::mallopt(nix::libc::M_MMAP_THRESHOLD, THRESHOLD) };
}

/// Gives freed memory back to the kernel. After a run the agent does not keep what only the run
/// needed.
#[cfg(target_env = "gnu")]
pub(crate) fn give_back() {
    #[expect(unsafe_code, reason = "malloc_trim(3) has no safe wrapper")]
    // SAFETY: the call has no preconditions; it works under the allocator's own locks.
    let _ = unsafe { nix::libc::malloc_trim(0) };
}

/// Other C libraries have no such function.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn give_back() {}

/// Other C libraries have no such setting.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn keep_small() {}

/// Takes the pages of the program's own text out of this process: what a run has executed stays in
/// the page cache, and what is needed again is mapped again without being read. An agent that waits
/// needs little of its fifteen megabytes of code.
pub(crate) fn unmap_text() {
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    for (start, length) in maps.lines().filter_map(text_of_a_file) {
        let address = std::ptr::without_provenance_mut(start);
        #[expect(unsafe_code, reason = "madvise(2) has no safe wrapper")]
        // SAFETY: the mapping is a file's, executable and not writable, so that no page of it is
        // private: the kernel reads each from the file again when it is touched, by any thread.
        let _ = unsafe { nix::libc::madvise(address, length, nix::libc::MADV_DONTNEED) };
    }
}

/// Address and length of a mapping that `proc_pid_maps(5)` describes, where it is text of a file.
fn text_of_a_file(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_ascii_whitespace();
    let (range, permissions) = (words.next()?, words.next()?);
    if permissions != "r-xp" || !words.nth(3)?.starts_with('/') {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    let start = usize::from_str_radix(start, 16).ok()?;
    let end = usize::from_str_radix(end, 16).ok()?;
    Some((start, end.checked_sub(start)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_of_files_is_unmapped() {
        let line = "55d0c8a00000-55d0c8b00000 r-xp 00100000 fe:00 393 /usr/bin/steadfast";
        assert_eq!(text_of_a_file(line), Some((0x55d0_c8a0_0000, 0x10_0000)));
        for other in [
            "55d0c8a00000-55d0c8b00000 r--p 00100000 fe:00 393 /usr/bin/steadfast",
            "55d0c8a00000-55d0c8b00000 rwxp 00100000 fe:00 393 /usr/bin/steadfast",
            "7ffd0a5f0000-7ffd0a5f2000 r-xp 00000000 00:00 0 [vdso]",
            "7ffd0a5f0000-7ffd0a5f2000 r-xp 00000000 00:00 0",
        ] {
            assert_eq!(text_of_a_file(other), None, "{other}");
        }
        unmap_text();
    }
}
