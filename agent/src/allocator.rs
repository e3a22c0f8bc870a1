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
