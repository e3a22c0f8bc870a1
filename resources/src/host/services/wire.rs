//! D-Bus on a Unix socket: the handshake and the framing of messages, with a deadline for every wait.
//!
//! Written here because of two things that zbus does not do: it has no deadline of its own for a
//! handshake or a reply that never comes, and it cannot read what systemd sends over its private
//! socket (systemd puts its well-known name where the specification has a unique one). Values
//! are zvariant's. Deliberately absent: everything a client of systemd does not need (file
//! descriptors, serving objects, other transports, other authentication).
//!
//! The source is the D-Bus specification, "Authentication Protocol" and "Message Protocol".

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use thiserror::Error;
use zvariant::serialized::{Context, Data};
use zvariant::{DynamicDeserialize, DynamicType, Endian, Signature, Value};

/// The longest message that is read, in bytes. systemd's longest are some hundred kilobytes.
const LONGEST: usize = 32 << 20;

/// Why a D-Bus peer could not be talked to.
#[derive(Debug, Error)]
pub enum WireError {
    /// The socket could not be opened.
    #[error("cannot connect")]
    Connect(#[source] std::io::Error),
    /// Reading or writing failed.
    #[error("cannot talk to the peer")]
    Talk(#[source] std::io::Error),
    /// The peer closed the connection.
    #[error("the peer closed the connection")]
    Closed,
    /// The peer did not finish the handshake in time.
    #[error("the peer does not finish the handshake")]
    Handshake,
    /// The peer does not let us in.
    #[error("the peer refuses us: {0}")]
    Rejected(String),
    /// The peer does not keep to the protocol.
    #[error("the peer does not speak D-Bus ({0})")]
    Protocol(&'static str),
    /// A value could not be read or written.
    #[error("a value has the wrong form")]
    Value(#[from] zvariant::Error),
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Call,
    Return,
    Error,
    Signal,
}

/// A message as it came.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub kind: Kind,
    /// The serial of the call that this answers.
    pub answers: Option<u32>,
    pub path: String,
    pub member: String,
    /// The name of an error.
    pub error: String,
    signature: Signature,
    body: Data<'static, 'static>,
}

impl Message {
    /// The arguments.
    pub(super) fn arguments<R>(&self) -> Result<R, WireError>
    where
        R: for<'d> DynamicDeserialize<'d>,
    {
        let (value, _) = self.body.deserialize_for_dynamic_signature(&self.signature)?;
        Ok(value)
    }
}

/// A method call to be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub serial: u32,
    /// The bus name of who is asked.
    pub destination: &'a str,
    pub path: &'a str,
    pub interface: &'a str,
    pub member: &'a str,
}

/// A connection after its handshake.
pub(super) struct Wire {
    stream: UnixStream,
    received: VecDeque<u8>,
}

impl Wire {
    /// Connects and authenticates as the user this process runs as.
    pub(super) fn connect(path: &Path, deadline: Instant) -> Result<Self, WireError> {
        Self::authenticated(open(path, deadline).map_err(WireError::Connect)?, deadline)
    }

    fn authenticated(stream: UnixStream, deadline: Instant) -> Result<Self, WireError> {
        let mut wire = Self { stream, received: VecDeque::new() };
        // EXTERNAL: the kernel tells the peer who we are; the argument is the user id's decimal
        // digits, each as two hexadecimal ones.
        let user = nix::unistd::geteuid().as_raw().to_string();
        let mut digits = String::new();
        for digit in user.bytes() {
            let _ = write!(digits, "{digit:02x}");
        }
        // BEGIN goes along, as in systemd's own client: at its private socket systemd overlooks a
        // message that arrives together with a BEGIN of its own until more comes.
        wire.write(format!("\0AUTH EXTERNAL {digits}\r\nBEGIN\r\n").as_bytes(), deadline)?;
        let answer = wire.line(deadline)?;
        if !answer.starts_with("OK ") {
            return Err(WireError::Rejected(answer));
        }
        Ok(wire)
    }

    fn line(&mut self, deadline: Instant) -> Result<String, WireError> {
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.received.len() > 16 * 1024 {
                return Err(WireError::Protocol("an endless line"));
            }
            if !self.fill(deadline)? {
                return Err(WireError::Handshake);
            }
        }
    }

    /// Sends a call.
    pub(super) fn send<B>(
        &mut self,
        request: Request<'_>,
        body: &B,
        deadline: Instant,
    ) -> Result<(), WireError>
    where
        B: serde::Serialize + DynamicType,
    {
        let message = encode(request, body)?;
        self.write(&message, deadline)
    }

    /// The next message; `None` when none came until `until`.
    pub(super) fn receive(&mut self, until: Instant) -> Result<Option<Message>, WireError> {
        loop {
            if let Some(length) = message_length(&mut self.received)? {
                let bytes: Vec<u8> = self.received.drain(..length).collect();
                if let Some(message) = decode(&bytes)? {
                    return Ok(Some(message));
                }
            } else if !self.fill(until)? {
                return Ok(None);
            }
        }
    }

    /// The next message that has arrived already; waits for none.
    pub(super) fn arrived(&mut self) -> Result<Option<Message>, WireError> {
        use rustix::net::{RecvFlags, recv};

        let mut buffer = [0_u8; 16 * 1024];
        loop {
            if let Some(length) = message_length(&mut self.received)? {
                let bytes: Vec<u8> = self.received.drain(..length).collect();
                if let Some(message) = decode(&bytes)? {
                    return Ok(Some(message));
                }
                continue;
            }
            match recv(&self.stream, &mut buffer, RecvFlags::DONTWAIT) {
                Ok((0, _)) | Err(Errno::CONNRESET) => return Err(WireError::Closed),
                Ok((read, _)) => self.received.extend(buffer.get(..read).unwrap_or_default()),
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(error) => return Err(WireError::Talk(error.into())),
            }
        }
    }

    /// Readable when something has arrived.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// Reads what is there, waiting for it until `until`; false when nothing came.
    fn fill(&mut self, until: Instant) -> Result<bool, WireError> {
        let mut buffer = [0_u8; 16 * 1024];
        loop {
            self.stream.set_read_timeout(Some(remaining(until))).map_err(WireError::Talk)?;
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(WireError::Closed),
                Ok(read) => {
                    self.received.extend(buffer.get(..read).unwrap_or_default());
                    return Ok(true);
                }
                Err(error) if is_timeout(&error) => {
                    if Instant::now() >= until {
                        return Ok(false);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    return Err(WireError::Closed);
                }
                Err(error) => return Err(WireError::Talk(error)),
            }
        }
    }

    fn write(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), WireError> {
        self.stream.set_write_timeout(Some(remaining(deadline))).map_err(WireError::Talk)?;
        // A message that was sent in part leaves nothing to go on with, so no second try.
        match self.stream.write_all(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(WireError::Closed),
            result => result.map_err(WireError::Talk),
        }
    }
}

fn open(path: &Path, deadline: Instant) -> std::io::Result<UnixStream> {
    use rustix::net::sockopt::{Timeout, set_socket_timeout};
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

    let socket = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    // Connecting waits as well, where the peer has stopped to accept.
    set_socket_timeout(&socket, Timeout::Send, Some(remaining(deadline)))?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(UnixStream::from(socket))
}

/// The time left, at least a moment: no time at all would mean to wait for ever.
fn remaining(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// The header's fields that a call needs, by their codes.
mod field {
    pub(super) const PATH: u8 = 1;
    pub(super) const INTERFACE: u8 = 2;
    pub(super) const MEMBER: u8 = 3;
    pub(super) const ERROR: u8 = 4;
    pub(super) const ANSWERS: u8 = 5;
    pub(super) const DESTINATION: u8 = 6;
    pub(super) const SIGNATURE: u8 = 8;
}

fn encode<B>(request: Request<'_>, body: &B) -> Result<Vec<u8>, WireError>
where
    B: serde::Serialize + DynamicType,
{
    let body_context = Context::new_dbus(Endian::Little, 0);
    let signature = body.signature();
    let body = zvariant::to_bytes_for_signature(body_context, &signature, body)?;
    let mut fields = Vec::new();
    push_text(&mut fields, field::PATH, b'o', request.path)?;
    push_text(&mut fields, field::INTERFACE, b's', request.interface)?;
    push_text(&mut fields, field::MEMBER, b's', request.member)?;
    push_text(&mut fields, field::DESTINATION, b's', request.destination)?;
    // Of several arguments the list of their types, not that of one structure.
    let signature = signature.to_string_no_parens();
    if !signature.is_empty() {
        pad(&mut fields, 8);
        fields.extend([field::SIGNATURE, 1, b'g', 0]);
        let length = u8::try_from(signature.len())
            .map_err(|_| WireError::Protocol("a signature that is too long"))?;
        fields.push(length);
        fields.extend(signature.as_bytes());
        fields.push(0);
    }
    let length = |bytes: &[u8]| {
        u32::try_from(bytes.len()).map_err(|_| WireError::Protocol("a message that is too long"))
    };
    // Little endian, a method call, no flags, version 1.
    let mut message = vec![b'l', 1, 0, 1];
    message.extend(length(body.bytes())?.to_le_bytes());
    message.extend(request.serial.to_le_bytes());
    message.extend(length(&fields)?.to_le_bytes());
    message.extend(fields);
    pad(&mut message, 8);
    message.extend(body.bytes());
    Ok(message)
}

/// Appends a header field that holds text. `fields` starts at a multiple of eight in the message.
fn push_text(fields: &mut Vec<u8>, code: u8, kind: u8, text: &str) -> Result<(), WireError> {
    if text.contains('\0') {
        return Err(WireError::Protocol("a name with a NUL"));
    }
    pad(fields, 8);
    fields.extend([code, 1, kind, 0]);
    let length =
        u32::try_from(text.len()).map_err(|_| WireError::Protocol("a name that is too long"))?;
    fields.extend(length.to_le_bytes());
    fields.extend(text.as_bytes());
    fields.push(0);
    Ok(())
}

fn pad(bytes: &mut Vec<u8>, alignment: usize) {
    bytes.resize(bytes.len().next_multiple_of(alignment), 0);
}

/// The bytes before the header's fields.
const FIXED: usize = 16;

/// How long the message is that `received` starts with; `None` where it has not arrived whole.
fn message_length(received: &mut VecDeque<u8>) -> Result<Option<usize>, WireError> {
    let bytes: &[u8] = received.make_contiguous();
    let Some(header) = Header::read(bytes)? else { return Ok(None) };
    let length = header.body_at() + header.body;
    if length > LONGEST {
        return Err(WireError::Protocol("a message that is too long"));
    }
    Ok((bytes.len() >= length).then_some(length))
}

/// The fixed part of a header.
struct Header {
    endian: Endian,
    kind: u8,
    body: usize,
    fields: usize,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Option<Self>, WireError> {
        let Some(fixed) = bytes.first_chunk::<FIXED>() else { return Ok(None) };
        let [endian, kind, _, version, b0, b1, b2, b3, _, _, _, _, f0, f1, f2, f3] = *fixed;
        let endian = match endian {
            b'l' => Endian::Little,
            b'B' => Endian::Big,
            _ => return Err(WireError::Protocol("an unknown byte order")),
        };
        if version != 1 {
            return Err(WireError::Protocol("an unknown version"));
        }
        let number = |bytes: [u8; 4]| match endian {
            Endian::Little => u32::from_le_bytes(bytes) as usize,
            Endian::Big => u32::from_be_bytes(bytes) as usize,
        };
        let (body, fields) = (number([b0, b1, b2, b3]), number([f0, f1, f2, f3]));
        if body > LONGEST || fields > LONGEST {
            return Err(WireError::Protocol("a message that is too long"));
        }
        Ok(Some(Self { endian, kind, body, fields }))
    }

    fn body_at(&self) -> usize {
        (FIXED + self.fields).next_multiple_of(8)
    }
}

/// A whole message; `None` for a kind that is to be ignored.
fn decode(bytes: &[u8]) -> Result<Option<Message>, WireError> {
    let short = || WireError::Protocol("a short message");
    let header = Header::read(bytes)?.ok_or_else(short)?;
    let kind = match header.kind {
        1 => Kind::Call,
        2 => Kind::Return,
        3 => Kind::Error,
        4 => Kind::Signal,
        _ => return Ok(None),
    };
    let array = bytes.get(FIXED - 4..FIXED + header.fields).ok_or_else(short)?;
    let array = Data::new(array, Context::new_dbus(header.endian, FIXED - 4));
    let (fields, _): (Vec<(u8, Value<'_>)>, _) = array.deserialize()?;
    let body = bytes.get(header.body_at()..header.body_at() + header.body).ok_or_else(short)?;
    let mut message = Message {
        kind,
        answers: None,
        path: String::new(),
        member: String::new(),
        error: String::new(),
        signature: Signature::Unit,
        body: Data::new(body.to_vec(), Context::new_dbus(header.endian, 0)),
    };
    for (code, value) in fields {
        match (code, value) {
            (field::PATH, Value::ObjectPath(path)) => message.path = path.to_string(),
            (field::MEMBER, Value::Str(member)) => message.member = member.to_string(),
            (field::ERROR, Value::Str(name)) => message.error = name.to_string(),
            (field::ANSWERS, Value::U32(serial)) => message.answers = Some(serial),
            (field::SIGNATURE, Value::Signature(signature)) => message.signature = signature,
            _ => {}
        }
    }
    Ok(Some(message))
}

#[cfg(test)]
mod tests;
