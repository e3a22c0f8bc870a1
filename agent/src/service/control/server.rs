//! Accepting connections: bounded in number, in time and in memory.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener as StandardListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::fs::{Mode, OFlags, fchmod, fstat, open};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, broadcast, mpsc};

use super::{Command, peer, routes};
use crate::service::event::Event;

/// How many clients are served at a time; others wait in the kernel's queue.
const CLIENTS: usize = 64;

/// How many of them may be others than root: a client that reads nothing keeps its place.
const OTHERS: usize = 48;

/// How long a client may take to send its request. It is on this machine, and needs no time.
const REQUEST_TIME: Duration = Duration::from_secs(2);

/// The socket, and its path, which goes with it.
pub(crate) struct Listener {
    path: PathBuf,
    listener: StandardListener,
}

impl Listener {
    /// Listens at `path`. What an agent that has died left there is replaced; a living one is not.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            prepare(directory)?;
        }
        match std::fs::symlink_metadata(path) {
            Ok(metadata) if metadata.file_type().is_socket() => {
                if std::os::unix::net::UnixStream::connect(path).is_ok() {
                    return Err(io::Error::new(
                        io::ErrorKind::AddrInUse,
                        "another agent is running",
                    ));
                }
                std::fs::remove_file(path)?;
            }
            Ok(_) => return Err(io::Error::other("it is in the way and not a socket")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // Nobody but the owner until the group is right.
        let before = rustix::process::umask(Mode::from_raw_mode(0o177));
        let listener = StandardListener::bind(path);
        rustix::process::umask(before);
        let listener = listener?;
        if let Some(group) = peer::group() {
            std::os::unix::fs::chown(path, None, Some(group))?;
            rustix::fs::chmod(path, Mode::from_raw_mode(0o660))?;
        }
        listener.set_nonblocking(true)?;
        Ok(Self { path: path.to_owned(), listener })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Makes the socket's directory, which only the agent may write to and others may enter.
fn prepare(directory: &Path) -> io::Result<()> {
    match rustix::fs::mkdir(directory, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    let opened = open(directory, flags, Mode::empty())?;
    let status = fstat(&opened)?;
    let own = rustix::process::geteuid().as_raw();
    if ![0, own].contains(&status.st_uid) || status.st_mode & 0o022 != 0 {
        let text = format!("others than the agent have a say in {}", directory.display());
        return Err(io::Error::other(text));
    }
    if status.st_uid == own && status.st_mode & 0o755 != 0o755 {
        fchmod(opened.as_fd(), Mode::from_raw_mode(0o755))?;
    }
    Ok(())
}

/// Serves clients until the agent ends.
pub(crate) async fn serve(
    listener: &Listener,
    commands: mpsc::Sender<Command>,
    events: broadcast::Sender<Arc<Event>>,
) -> io::Result<()> {
    let socket = UnixListener::from_std(listener.listener.try_clone()?)?;
    let places = Arc::new(Semaphore::new(CLIENTS));
    let others = Arc::new(Semaphore::new(OTHERS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return Ok(()) };
        let stream = match socket.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, for example: others go first.
                log::warn!("a client cannot be let in: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(peer) = stream.peer_cred().ok().and_then(peer::identify) else {
            // The kernel lets nobody else in; this is for a socket whose permissions were changed.
            log::warn!("a client without the right to it was turned away from the agent's socket");
            continue;
        };
        let other = if peer.is_root {
            None
        } else {
            let Ok(other) = Arc::clone(&others).try_acquire_owned() else { continue };
            Some(other)
        };
        let (commands, events) = (commands.clone(), events.clone());
        tokio::spawn(async move {
            client(stream, peer, commands, events).await;
            drop((place, other));
        });
    }
}

async fn client(
    stream: UnixStream,
    peer: peer::Peer,
    commands: mpsc::Sender<Command>,
    events: broadcast::Sender<Arc<Event>>,
) {
    let service = service_fn(move |request| {
        routes::answer(request, peer.clone(), commands.clone(), events.clone())
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_TIME)
        .keep_alive(false)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        log::debug!("a client of the agent's socket: {error}");
    }
}
