//! A D-Bus connection to systemd: calls with answers, and signals kept for who listens.
//!
//! What must stay true: signals that arrive while an answer is awaited are kept, in order, as long
//! as somebody listens, and dropped while nobody does. A connection is meant for one run, or is read
//! all the time: systemd sends every signal to those at its private socket, and they gather there
//! while nobody reads.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use zvariant::DynamicType;

use super::error::ServicesError;
use super::wire::{Kind, Message, Request, Wire, WireError};

const SYSTEM_BUS: &str = "/run/dbus/system_bus_socket";
const PRIVATE_SOCKET: &str = "/run/systemd/private";
const SERVICE: &str = "org.freedesktop.systemd1";

/// How long connecting may take.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// A connection to systemd.
pub(super) struct Bus {
    wire: Wire,
    serial: u32,
    listening: bool,
    signals: VecDeque<Message>,
    /// Whether a message bus stands between us and systemd.
    over_daemon: bool,
}

/// What is asked of an object.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub path: &'a str,
    pub interface: &'static str,
    /// The method, which error messages name too.
    pub member: &'static str,
}

impl Bus {
    /// Connects to systemd: through the system bus, or, where that does not answer and we are
    /// root, through systemd's private socket.
    pub(super) fn open() -> Result<Self, ServicesError> {
        // sd_booted(3): systemd is the init exactly if this directory exists.
        if !Path::new("/run/systemd/system").is_dir() {
            return Err(ServicesError::NotBooted);
        }
        match Self::connect(SYSTEM_BUS, true) {
            Err(error) if nix::unistd::geteuid().is_root() => {
                log::info!("{error}; trying systemd's private socket");
                Self::connect(PRIVATE_SOCKET, false)
            }
            result => result,
        }
    }

    fn connect(address: &'static str, over_daemon: bool) -> Result<Self, ServicesError> {
        let deadline = Instant::now() + HANDSHAKE;
        let wire = Wire::connect(Path::new(address), deadline)
            .map_err(|source| ServicesError::Connect { address, source })?;
        let mut bus =
            Self { wire, serial: 0, listening: false, signals: VecDeque::new(), over_daemon };
        if over_daemon {
            let _: String = arguments(&bus.call_bus("Hello", &(), deadline)?, "Hello")?;
        }
        Ok(bus)
    }

    /// Whether a message bus stands between, which delivers only the signals that were asked for.
    pub(super) fn is_through_bus(&self) -> bool {
        self.over_daemon
    }

    /// From now on signals are kept.
    pub(super) fn listen(&mut self) {
        self.listening = true;
    }

    /// Forgets the signals kept, and keeps no more.
    pub(super) fn stop_listening(&mut self) {
        self.listening = false;
        self.signals.clear();
    }

    /// Calls a method of systemd and waits for the answer.
    pub(super) fn call<B>(
        &mut self,
        call: Call<'_>,
        body: &B,
        deadline: Instant,
    ) -> Result<Message, ServicesError>
    where
        B: serde::Serialize + DynamicType,
    {
        self.ask(SERVICE, call, body, deadline)
    }

    /// Calls a method of the message bus itself and waits for the answer.
    pub(super) fn call_bus<B>(
        &mut self,
        member: &'static str,
        body: &B,
        deadline: Instant,
    ) -> Result<Message, ServicesError>
    where
        B: serde::Serialize + DynamicType,
    {
        const BUS: &str = "org.freedesktop.DBus";
        self.ask(
            BUS,
            Call { path: "/org/freedesktop/DBus", interface: BUS, member },
            body,
            deadline,
        )
    }

    fn ask<B>(
        &mut self,
        service: &str,
        call: Call<'_>,
        body: &B,
        deadline: Instant,
    ) -> Result<Message, ServicesError>
    where
        B: serde::Serialize + DynamicType,
    {
        let operation = call.member;
        let asked = Instant::now();
        // Zero is no serial.
        self.serial = self.serial.wrapping_add(1).max(1);
        let request = Request {
            serial: self.serial,
            // systemd insists on it at its private socket too.
            destination: service,
            path: call.path,
            interface: call.interface,
            member: call.member,
        };
        self.wire.send(request, body, deadline).map_err(|source| match source {
            WireError::Value(_) | WireError::Protocol(_) => {
                ServicesError::Encode { operation, source }
            }
            source => ServicesError::Lost { source: Some(source) },
        })?;
        loop {
            let Some(message) = self.receive(deadline)? else {
                return Err(ServicesError::Silent { operation, after: asked.elapsed() });
            };
            match message.kind {
                Kind::Signal if self.listening => self.signals.push_back(message),
                Kind::Return if message.answers == Some(self.serial) => return Ok(message),
                Kind::Error if message.answers == Some(self.serial) => {
                    return Err(refusal(operation, &message));
                }
                // An answer that came after its deadline, or a call to us, who serve nothing.
                _ => {}
            }
        }
    }

    /// The next signal; `None` when none came until `until`.
    pub(super) fn signal(&mut self, until: Instant) -> Result<Option<Message>, ServicesError> {
        if let Some(message) = self.signals.pop_front() {
            return Ok(Some(message));
        }
        while let Some(message) = self.receive(until)? {
            if message.kind == Kind::Signal {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// The next signal or other message that has arrived already; waits for none.
    pub(super) fn arrived(&mut self) -> Result<Option<Message>, ServicesError> {
        match self.signals.pop_front() {
            Some(message) => Ok(Some(message)),
            None => {
                self.wire.arrived().map_err(|source| ServicesError::Lost { source: Some(source) })
            }
        }
    }

    /// Whether signals were kept while an answer was awaited.
    pub(super) fn has_kept(&self) -> bool {
        !self.signals.is_empty()
    }

    /// Readable when something has arrived.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.wire.descriptor()
    }

    fn receive(&mut self, until: Instant) -> Result<Option<Message>, ServicesError> {
        self.wire.receive(until).map_err(|source| ServicesError::Lost { source: Some(source) })
    }
}

/// The arguments of an answer to `operation`.
pub(super) fn arguments<R>(message: &Message, operation: &'static str) -> Result<R, ServicesError>
where
    R: for<'d> zvariant::DynamicDeserialize<'d>,
{
    message.arguments().map_err(|source| ServicesError::Decode { operation, source })
}

fn refusal(operation: &'static str, message: &Message) -> ServicesError {
    let name = message.error.clone();
    // The message bus answers for a service that has just gone.
    if name == "org.freedesktop.DBus.Error.NoReply"
        || name == "org.freedesktop.DBus.Error.Disconnected"
    {
        return ServicesError::Lost { source: None };
    }
    let text = message.arguments::<String>().unwrap_or_else(|_| name.clone());
    ServicesError::Refused { operation, name, message: text }
}
