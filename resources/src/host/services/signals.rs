//! systemd's signals about its units, for who watches all of them for a long time.
//!
//! What must stay true: one match rule delivers the property changes of every unit, however many there
//! are; nothing here waits for a signal (the descriptor tells when there are some) or makes systemd
//! load a unit. Absent: the signals `UnitNew` and `UnitRemoved`. They come whenever somebody *looks* at
//! a unit that does not run, so acting on them would never end; what happens to a unit is in its
//! properties and its jobs.

use std::collections::HashMap;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use zvariant::{OwnedObjectPath, OwnedValue, Value};

use super::bus::{Bus, Call, arguments};
use super::error::ServicesError;
use super::wire::{Kind, Message};

const MANAGER_PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
const UNITS_BELOW: &str = "/org/freedesktop/systemd1/unit/";

/// How long one question may take.
const QUESTION: Duration = Duration::from_secs(5);

const RULES: &[&str] = &[
    "type='signal',sender='org.freedesktop.systemd1',path_namespace='/org/freedesktop/systemd1/unit',\
     interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',\
     arg0='org.freedesktop.systemd1.Unit'",
    "type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/systemd1',\
     interface='org.freedesktop.systemd1.Manager',member='JobRemoved'",
    "type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/systemd1',\
     interface='org.freedesktop.systemd1.Manager',member='Reloading'",
    "type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/systemd1',\
     interface='org.freedesktop.systemd1.Manager',member='UnitFilesChanged'",
];

/// What a signal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::host) enum UnitSignal {
    /// The state of the unit of this name changed.
    State {
        /// The unit's full name.
        unit: String,
        /// What tells one state from another.
        state: String,
        /// Whether another state is to follow by itself (it is starting or stopping).
        passing: bool,
    },
    /// A job of the unit of this name ended.
    JobEnded(String),
    /// Unit files were read again, or links of unit files changed: any unit may be different.
    All,
}

/// A connection on which systemd tells what happens to its units.
pub(in crate::host) struct UnitSignals {
    bus: Bus,
}

impl UnitSignals {
    /// Connects to systemd and asks for its signals. Takes some seconds at worst.
    pub(in crate::host) fn open() -> Result<Self, ServicesError> {
        let mut bus = Bus::open()?;
        bus.listen();
        // systemd's private socket sends every signal unasked.
        if bus.is_through_bus() {
            let deadline = Instant::now() + QUESTION;
            for rule in RULES {
                arguments::<()>(&bus.call_bus("AddMatch", rule, deadline)?, "AddMatch")?;
            }
            let call = Call { path: MANAGER_PATH, interface: MANAGER, member: "Subscribe" };
            match bus.call(call, &(), deadline) {
                // After the message bus was restarted our name may be one that subscribed before.
                Err(ServicesError::Refused { name, .. }) if name.ends_with("AlreadySubscribed") => {
                }
                result => drop(result?),
            }
        }
        Ok(Self { bus })
    }

    /// Readable when signals have arrived.
    pub(in crate::host) fn descriptor(&self) -> BorrowedFd<'_> {
        self.bus.descriptor()
    }

    /// Whether signals have arrived that the descriptor does not tell of.
    pub(in crate::host) fn has_kept(&self) -> bool {
        self.bus.has_kept()
    }

    /// The signals that have arrived; waits for none.
    pub(in crate::host) fn arrived(&mut self) -> Result<Vec<UnitSignal>, ServicesError> {
        let mut signals = Vec::new();
        while let Some(message) = self.bus.arrived()? {
            if message.kind == Kind::Signal {
                signals.extend(signal(&message)?);
            }
        }
        Ok(signals)
    }

    /// The real name of a unit that systemd holds in memory, where `name` is another name of it.
    pub(in crate::host) fn real_name(
        &mut self,
        name: &str,
    ) -> Result<Option<String>, ServicesError> {
        let call = Call { path: MANAGER_PATH, interface: MANAGER, member: "GetUnit" };
        match self.bus.call(call, &name, Instant::now() + QUESTION) {
            Ok(answer) => {
                let path: OwnedObjectPath = arguments(&answer, "GetUnit")?;
                Ok(unit_name(path.as_str()).filter(|real| real != name))
            }
            Err(error @ ServicesError::Refused { .. }) => {
                log::debug!("{name}: {error}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

fn signal(message: &Message) -> Result<Option<UnitSignal>, ServicesError> {
    Ok(match message.member.as_str() {
        "PropertiesChanged" => {
            let (interface, properties, _): (String, HashMap<String, OwnedValue>, Vec<String>) =
                arguments(message, "PropertiesChanged")?;
            match unit_name(&message.path) {
                Some(unit) if interface == UNIT => {
                    let text = |name: &str| match properties.get(name).map(|value| &**value) {
                        Some(Value::Str(text)) => text.to_string(),
                        other => other.map(|value| format!("{value:?}")).unwrap_or_default(),
                    };
                    let active = text("ActiveState");
                    let passing =
                        matches!(active.as_str(), "activating" | "deactivating" | "reloading");
                    let names = ["SubState", "LoadState", "InvocationID"];
                    let state = names.iter().fold(active, |all, name| all + " " + &text(name));
                    Some(UnitSignal::State { unit, state, passing })
                }
                _ => None,
            }
        }
        "JobRemoved" => {
            let (_, _, unit, _): (u32, OwnedObjectPath, String, String) =
                arguments(message, "JobRemoved")?;
            Some(UnitSignal::JobEnded(unit))
        }
        // Sent before (true) and after (false).
        "Reloading" => (!arguments::<bool>(message, "Reloading")?).then_some(UnitSignal::All),
        "UnitFilesChanged" => Some(UnitSignal::All),
        _ => None,
    })
}

/// The unit whose object is at `path`: `_2e` stands for a dot, and so on (`sd_bus_path_encode(3)`).
fn unit_name(path: &str) -> Option<String> {
    let mut rest = path.strip_prefix(UNITS_BELOW)?;
    let mut name = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once('_') {
        name.push_str(before);
        let code = after.get(..2)?;
        name.push(char::from(u8::from_str_radix(code, 16).ok()?));
        rest = after.get(2..)?;
    }
    name.push_str(rest);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_paths_are_names_of_units() {
        for (path, name) in [
            ("ssh_2eservice", Some("ssh.service")),
            ("getty_40tty1_2eservice", Some("getty@tty1.service")),
            ("_310_2dx_2emount", Some("10-x.mount")),
            ("x_5cx2dy_2eservice", Some("x\\x2dy.service")),
            ("x_2", None),
            ("x_zz", None),
        ] {
            let path = format!("{UNITS_BELOW}{path}");
            assert_eq!(unit_name(&path).as_deref(), name, "{path}");
        }
        assert_eq!(unit_name("/org/freedesktop/systemd1/job/7"), None);
    }
}
