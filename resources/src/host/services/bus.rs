//! A D-Bus connection to systemd on which nothing waits longer than its deadline.
//!
//! One thread owns the receiving end and hands finished messages over a channel; the caller waits
//! on that channel with a timeout. (A hung message bus must not hang a run, and zbus's own
//! blocking calls have no deadline of their own.)
//!
//! What must stay true: signals that arrive while an answer is awaited are kept, in order, as long
//! as somebody listens; while nobody does they are dropped by the thread, so that an idle
//! connection does not grow.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use zbus::blocking::MessageIterator;
use zbus::blocking::connection::{Builder, Connection};
use zbus::message::{Message, Type};
use zbus::zvariant::DynamicType;

use super::error::ServicesError;

const SYSTEM_BUS: &str = "unix:path=/run/dbus/system_bus_socket";
const PRIVATE_SOCKET: &str = "/run/systemd/private";
const SERVICE: &str = "org.freedesktop.systemd1";

/// How long the handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A connection to systemd.
pub(super) struct Bus {
    connection: Connection,
    incoming: Receiver<zbus::Result<Message>>,
    listening: Arc<AtomicBool>,
    signals: VecDeque<Message>,
    /// Whether a message bus stands between us and systemd.
    through_bus: bool,
}

/// What is asked of an object.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    /// For error messages.
    pub operation: &'static str,
    pub path: &'a str,
    pub interface: &'static str,
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
            Err(_) if nix::unistd::geteuid().is_root() && Path::new(PRIVATE_SOCKET).exists() => {
                Self::connect(&format!("unix:path={PRIVATE_SOCKET}"), false)
            }
            result => result,
        }
    }

    fn connect(address: &str, through_bus: bool) -> Result<Self, ServicesError> {
        let listening = Arc::new(AtomicBool::new(false));
        let (ready, connected) = channel();
        let (outgoing, incoming) = channel();
        let receiver = Receiving {
            address: address.to_owned(),
            through_bus,
            ready,
            outgoing,
            listening: Arc::clone(&listening),
        };
        let failed = |source| ServicesError::Connect {
            address: address.to_owned(),
            source: Box::new(source),
        };
        std::thread::Builder::new()
            .name("systemd".into())
            .stack_size(256 * 1024)
            .spawn(move || receiver.run())
            .map_err(|source| failed(zbus::Error::from(source)))?;
        let connection = match connected.recv_timeout(HANDSHAKE) {
            Ok(result) => result.map_err(failed)?,
            Err(_) => {
                let error = std::io::Error::new(
                    std::io::ErrorKind::TimedOut,
                    "it does not finish the handshake",
                );
                return Err(failed(error.into()));
            }
        };
        Ok(Self { connection, incoming, listening, signals: VecDeque::new(), through_bus })
    }

    /// Whether a message bus stands between, which delivers only the signals that were asked for.
    pub(super) fn is_through_bus(&self) -> bool {
        self.through_bus
    }

    /// From now on signals are kept.
    pub(super) fn listen(&mut self) {
        self.listening.store(true, Ordering::Release);
    }

    /// Forgets the signals kept, and keeps no more.
    pub(super) fn stop_listening(&mut self) {
        self.listening.store(false, Ordering::Release);
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
        self.call_service(SERVICE, call, body, deadline)
    }

    /// Calls a method of any service on the bus and waits for the answer.
    pub(super) fn call_service<B>(
        &mut self,
        service: &str,
        call: Call<'_>,
        body: &B,
        deadline: Instant,
    ) -> Result<Message, ServicesError>
    where
        B: serde::Serialize + DynamicType,
    {
        let asked = Instant::now();
        let message = self.request(service, call, body).map_err(|source| {
            ServicesError::Encode { operation: call.operation, source: Box::new(source) }
        })?;
        let serial = message.primary_header().serial_num();
        self.connection
            .send(&message)
            .map_err(|source| ServicesError::Lost { source: Some(Box::new(source)) })?;
        loop {
            let Some(message) = self.receive(deadline)? else {
                return Err(ServicesError::Silent {
                    operation: call.operation,
                    after: asked.elapsed(),
                });
            };
            match message.message_type() {
                Type::Signal => self.signals.push_back(message),
                Type::MethodReturn if message.header().reply_serial() == Some(serial) => {
                    return Ok(message);
                }
                Type::Error if message.header().reply_serial() == Some(serial) => {
                    return Err(refusal(call.operation, &message));
                }
                // An answer that came after its deadline, or a call to us, who serve nothing.
                _ => {}
            }
        }
    }

    fn request<B>(&self, service: &str, call: Call<'_>, body: &B) -> zbus::Result<Message>
    where
        B: serde::Serialize + DynamicType,
    {
        let builder = Message::method_call(call.path, call.member)?.interface(call.interface)?;
        let builder = if self.through_bus { builder.destination(service)? } else { builder };
        builder.build(body)
    }

    /// The next signal; `None` when none came until `until`.
    pub(super) fn signal(&mut self, until: Instant) -> Result<Option<Message>, ServicesError> {
        if let Some(message) = self.signals.pop_front() {
            return Ok(Some(message));
        }
        while let Some(message) = self.receive(until)? {
            if message.message_type() == Type::Signal {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    fn receive(&mut self, until: Instant) -> Result<Option<Message>, ServicesError> {
        match self.incoming.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Ok(message)) => Ok(Some(message)),
            Ok(Err(source)) => Err(ServicesError::Lost { source: Some(Box::new(source)) }),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(ServicesError::Lost { source: None }),
        }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        // Ends the receiving thread, which holds the connection too.
        if let Err(error) = self.connection.clone().close() {
            log::debug!("cannot close the connection to systemd: {error}");
        }
    }
}

fn refusal(operation: &'static str, message: &Message) -> ServicesError {
    let name = message.header().error_name().map_or_else(String::new, ToString::to_string);
    let text = message.body().deserialize::<String>().unwrap_or_else(|_| name.clone());
    // The message bus answers for a service that is not there or has just gone.
    if name == "org.freedesktop.DBus.Error.NoReply"
        || name == "org.freedesktop.DBus.Error.Disconnected"
    {
        return ServicesError::Lost { source: None };
    }
    ServicesError::Refused { operation, name, message: text }
}

/// The receiving thread's own.
struct Receiving {
    address: String,
    through_bus: bool,
    ready: Sender<zbus::Result<Connection>>,
    outgoing: Sender<zbus::Result<Message>>,
    listening: Arc<AtomicBool>,
}

impl Receiving {
    fn run(self) {
        let built = Builder::address(self.address.as_str()).and_then(|builder| {
            if self.through_bus { builder.build() } else { builder.p2p().build() }
        });
        let connection = match built {
            Ok(connection) => connection,
            Err(error) => {
                let _ = self.ready.send(Err(error));
                return;
            }
        };
        // The iterator first: an answer may come as soon as somebody can ask.
        let messages = MessageIterator::from(&connection);
        if self.ready.send(Ok(connection)).is_err() {
            return;
        }
        for message in messages {
            let unwanted = matches!(&message, Ok(message)
                if message.message_type() == Type::Signal
                    && !self.listening.load(Ordering::Acquire));
            if unwanted {
                continue;
            }
            let last = message.is_err();
            if self.outgoing.send(message).is_err() || last {
                return;
            }
        }
    }
}
