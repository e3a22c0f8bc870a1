//! Doing something with a user's own file system identity.
//!
//! A thread of its own gets the user's file system ids (setfsuid(2), setfsgid(2)), no supplementary
//! groups and no capabilities, does the work and ends. The kernel then refuses it whatever the user
//! could not do, whatever links the user has planted. Of the four user ids only the file system one
//! changes, so the user can neither signal nor trace this process meanwhile; a child process would
//! need a program of ours to run, which a library does not have.

use std::io;

use nix::unistd::{Gid, Uid, setfsgid, setfsuid};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_thread_groups};

use super::super::model::Ownership;

/// Runs `work` as `identity`; as this process itself where it is not root.
pub(super) fn as_user<T: Send>(
    identity: Ownership,
    work: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    if !rustix::process::geteuid().is_root() {
        return work();
    }
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            take(identity)?;
            work()
        });
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the work as the user panicked")))
    })
}

fn take(identity: Ownership) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(identity.uid), Gid::from_raw(identity.gid));
    // All three calls concern this thread alone.
    set_thread_groups(&[])?;
    setfsgid(gid);
    setfsuid(uid);
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none)?;
    // These calls report no error but the id in force.
    let taken = setfsuid(uid) == uid && setfsgid(gid) == gid;
    if taken { Ok(()) } else { Err(io::Error::other("cannot take the user's identity")) }
}
