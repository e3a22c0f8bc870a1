//! systemd's own API, typed: the few methods and properties that services need
//! (org.freedesktop.systemd1(5)).

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Instant;

use zvariant::{DynamicType, OwnedObjectPath, OwnedValue, Value};

use super::bus::{Bus, Call, arguments};
use super::error::ServicesError;
use super::name::UnitName;
use super::wire::Message;

const MANAGER_PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
const SERVICE: &str = "org.freedesktop.systemd1.Service";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// The properties of one object.
pub(super) struct Properties(HashMap<String, OwnedValue>);

impl Properties {
    /// A string; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        match self.0.get(name).map(std::ops::Deref::deref) {
            Some(Value::Str(text)) => text.as_str(),
            _ => "",
        }
    }

    /// A boolean; false where there is none.
    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.0.get(name).map(std::ops::Deref::deref), Some(Value::Bool(true)))
    }

    /// An unsigned number of 32 or 64 bits, or a number that is not negative.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        match self.0.get(name).map(std::ops::Deref::deref)? {
            Value::U32(number) => Some(u64::from(*number)),
            Value::U64(number) => Some(*number),
            Value::I32(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// A list of strings; empty where there is none.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        match self.0.get(name).map(std::ops::Deref::deref) {
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(|item| match item {
                    Value::Str(text) => Some(text.to_string()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Bytes in hexadecimal; `None` where there are none.
    pub(super) fn hexadecimal(&self, name: &str) -> Option<String> {
        use std::fmt::Write as _;
        let Some(Value::Array(bytes)) = self.0.get(name).map(std::ops::Deref::deref) else {
            return None;
        };
        let mut text = String::new();
        for byte in bytes.iter() {
            if let Value::U8(byte) = byte {
                let _ = write!(text, "{byte:02x}");
            }
        }
        (!text.is_empty() && text.bytes().any(|digit| digit != b'0')).then_some(text)
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, Value<'static>); N]> for Properties {
    fn from(pairs: [(&str, Value<'static>); N]) -> Self {
        let owned = |(name, value): (&str, Value<'static>)| {
            (name.to_owned(), OwnedValue::try_from(value).unwrap())
        };
        Self(pairs.into_iter().map(owned).collect())
    }
}

/// What a job is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Start it.
    Start,
    /// Stop it.
    Stop,
    /// Stop and start it, if it runs.
    TryRestart,
    /// Let it read its configuration again, or restart it where it cannot, if it runs.
    TryReload,
    /// Stop it if it runs, and start it.
    Restart,
}

impl Job {
    fn method(self) -> &'static str {
        match self {
            Self::Start => "StartUnit",
            Self::Stop => "StopUnit",
            Self::TryRestart => "TryRestartUnit",
            Self::TryReload => "ReloadOrTryRestartUnit",
            Self::Restart => "RestartUnit",
        }
    }

    /// What has happened once it is done.
    pub fn done(self) -> &'static str {
        match self {
            Self::Start => "started",
            Self::Stop => "stopped",
            Self::TryRestart | Self::Restart => "restarted",
            Self::TryReload => "reloaded",
        }
    }
}

/// A change of links to unit files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkChange {
    /// Start it at boot.
    Enable,
    /// Do not start it at boot.
    Disable,
    /// Let nobody start it.
    Mask,
    /// Take the mask away.
    Unmask,
}

impl LinkChange {
    /// systemctl's verb for it.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Mask => "mask",
            Self::Unmask => "unmask",
        }
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JobEnd {
    pub job: OwnedObjectPath,
    pub result: String,
}

/// A unit as `ListUnits` has it: its name, and more that is not asked for here.
type ListedUnit =
    (String, String, String, String, String, String, OwnedObjectPath, u32, String, OwnedObjectPath);

/// Systemd at the other end of a connection.
pub(super) struct Systemd {
    bus: Bus,
    subscribed: bool,
    unit_path: Option<Vec<PathBuf>>,
    loaded_at: Option<LoadTime>,
}

/// When systemd last read all unit files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LoadTime {
    /// Microseconds since 1970.
    pub microseconds: u64,
    /// Whether reloads count too (systemd 250 and later); before, only the boot does.
    pub counts_reloads: bool,
}

impl Systemd {
    pub(super) fn connect() -> Result<Self, ServicesError> {
        Ok(Self { bus: Bus::open()?, subscribed: false, unit_path: None, loaded_at: None })
    }

    fn manager<B, R>(
        &mut self,
        member: &'static str,
        body: &B,
        deadline: Instant,
    ) -> Result<R, ServicesError>
    where
        B: serde::Serialize + DynamicType,
        R: for<'d> zvariant::DynamicDeserialize<'d>,
    {
        let call = Call { path: MANAGER_PATH, interface: MANAGER, member };
        arguments(&self.bus.call(call, body, deadline)?, member)
    }

    /// The object of `unit` if systemd holds the unit in memory.
    pub(super) fn held_unit(
        &mut self,
        unit: &UnitName,
        deadline: Instant,
    ) -> Result<Option<OwnedObjectPath>, ServicesError> {
        match self.manager("GetUnit", &unit.as_str(), deadline) {
            Ok(path) => Ok(Some(path)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The object of `unit`, which systemd loads if need be.
    pub(super) fn loaded_unit(
        &mut self,
        unit: &UnitName,
        deadline: Instant,
    ) -> Result<OwnedObjectPath, ServicesError> {
        self.manager("LoadUnit", &unit.as_str(), deadline)
    }

    /// The names of the units that systemd holds in memory.
    pub(super) fn loaded_names(&mut self, deadline: Instant) -> Result<Vec<String>, ServicesError> {
        let listed: Vec<ListedUnit> = self.manager("ListUnits", &(), deadline)?;
        Ok(listed.into_iter().map(|unit| unit.0).collect())
    }

    /// Keeps `unit` in memory until [`Self::unpin`] or the end of the connection. systemd offers that
    /// through the message bus only, and only to root; elsewhere nothing happens.
    pub(super) fn pin(&mut self, unit: &UnitName, deadline: Instant) -> Result<(), ServicesError> {
        self.optional("RefUnit", unit, deadline)
    }

    /// Lets systemd forget `unit` again.
    pub(super) fn unpin(
        &mut self,
        unit: &UnitName,
        deadline: Instant,
    ) -> Result<(), ServicesError> {
        self.optional("UnrefUnit", unit, deadline)
    }

    fn optional(
        &mut self,
        member: &'static str,
        unit: &UnitName,
        deadline: Instant,
    ) -> Result<(), ServicesError> {
        if !self.bus.is_through_bus() {
            return Ok(());
        }
        match self.manager::<_, ()>(member, &unit.as_str(), deadline) {
            Err(error @ ServicesError::Refused { .. }) => {
                log::debug!("{unit}: {error}");
                Ok(())
            }
            result => result,
        }
    }

    /// The unit properties of the unit at `path`.
    pub(super) fn unit_properties(
        &mut self,
        path: &str,
        deadline: Instant,
    ) -> Result<Properties, ServicesError> {
        self.all_properties(path, UNIT, deadline)
    }

    fn all_properties(
        &mut self,
        path: &str,
        of: &'static str,
        deadline: Instant,
    ) -> Result<Properties, ServicesError> {
        let call = Call { path, interface: PROPERTIES, member: "GetAll" };
        arguments(&self.bus.call(call, &of, deadline)?, "GetAll").map(Properties)
    }

    /// Some service properties of the unit at `path`, which must be a service. (All of them would
    /// make systemd read control groups.)
    pub(super) fn service_properties(
        &mut self,
        path: &str,
        names: &[&'static str],
        deadline: Instant,
    ) -> Result<Properties, ServicesError> {
        let mut properties = HashMap::new();
        for name in names {
            let value = self.property(path, SERVICE, name, deadline)?;
            properties.insert((*name).to_owned(), value);
        }
        Ok(Properties(properties))
    }

    fn property(
        &mut self,
        path: &str,
        interface: &'static str,
        name: &'static str,
        deadline: Instant,
    ) -> Result<OwnedValue, ServicesError> {
        let call = Call { path, interface: PROPERTIES, member: "Get" };
        arguments(&self.bus.call(call, &(interface, name), deadline)?, name)
    }

    /// The state of a unit file on disk; `None` where there is no file.
    pub(super) fn file_state(
        &mut self,
        unit: &UnitName,
        deadline: Instant,
    ) -> Result<Option<String>, ServicesError> {
        match self.manager("GetUnitFileState", &unit.as_str(), deadline) {
            Ok(state) => Ok(Some(state)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where systemd looks for unit files, most important first.
    pub(super) fn unit_path(&mut self, deadline: Instant) -> Result<Vec<PathBuf>, ServicesError> {
        if let Some(path) = &self.unit_path {
            return Ok(path.clone());
        }
        let value = self.property(MANAGER_PATH, MANAGER, "UnitPath", deadline)?;
        let properties = Properties(HashMap::from([("UnitPath".to_owned(), value)]));
        let path: Vec<PathBuf> =
            properties.texts("UnitPath").into_iter().map(PathBuf::from).collect();
        self.unit_path = Some(path.clone());
        Ok(path)
    }

    /// When systemd last read all unit files. Remembered; others may reload meanwhile, which makes
    /// us reload once too often at worst.
    pub(super) fn loaded_at(&mut self, deadline: Instant) -> Result<LoadTime, ServicesError> {
        if let Some(time) = self.loaded_at {
            return Ok(time);
        }
        let reloaded = match self.manager_number("UnitsLoadTimestamp", deadline) {
            Ok(number) => Some(number),
            Err(ServicesError::Refused { .. }) => None,
            Err(error) => return Err(error),
        };
        let booted = self.manager_number("UnitsLoadStartTimestamp", deadline)?;
        let time = LoadTime {
            microseconds: reloaded.unwrap_or(0).max(booted),
            counts_reloads: reloaded.is_some(),
        };
        self.loaded_at = Some(time);
        Ok(time)
    }

    /// Forgets when unit files were read: something may have made systemd read them again.
    pub(super) fn forget_load_time(&mut self) {
        self.loaded_at = None;
    }

    fn manager_number(
        &mut self,
        name: &'static str,
        deadline: Instant,
    ) -> Result<u64, ServicesError> {
        let value = self.property(MANAGER_PATH, MANAGER, name, deadline)?;
        Ok(Properties(HashMap::from([(name.to_owned(), value)])).number(name).unwrap_or(0))
    }

    /// Reads all unit files again.
    pub(super) fn reload(&mut self, deadline: Instant) -> Result<(), ServicesError> {
        self.forget_load_time();
        self.manager("Reload", &(), deadline)
    }

    /// Changes the links of a unit file; `runtime` concerns those in /run. Returns whether the
    /// file has an `[Install]` section (true for masks).
    pub(super) fn change_links(
        &mut self,
        change: LinkChange,
        unit: &UnitName,
        runtime: bool,
        deadline: Instant,
    ) -> Result<bool, ServicesError> {
        type Changes = Vec<(String, String, String)>;
        let units = [unit.as_str()];
        match change {
            LinkChange::Enable => {
                let body = (&units[..], runtime, false);
                let (installable, _): (bool, Changes) =
                    self.manager("EnableUnitFiles", &body, deadline)?;
                return Ok(installable);
            }
            LinkChange::Disable => {
                let body = (&units[..], runtime);
                let _: Changes = self.manager("DisableUnitFiles", &body, deadline)?;
            }
            LinkChange::Mask => {
                let body = (&units[..], runtime, false);
                let _: Changes = self.manager("MaskUnitFiles", &body, deadline)?;
            }
            LinkChange::Unmask => {
                let body = (&units[..], runtime);
                let _: Changes = self.manager("UnmaskUnitFiles", &body, deadline)?;
            }
        }
        Ok(true)
    }

    /// Asks systemd to send its signals, and keeps those that come from now on.
    pub(super) fn subscribe(&mut self, deadline: Instant) -> Result<(), ServicesError> {
        self.bus.listen();
        if self.subscribed {
            return Ok(());
        }
        self.add_match(
            "type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/systemd1',\
             interface='org.freedesktop.systemd1.Manager',member='JobRemoved'",
            deadline,
        )?;
        if self.bus.is_through_bus() {
            match self.manager::<_, ()>("Subscribe", &(), deadline) {
                // After the message bus was restarted our name may be one that subscribed before.
                Err(ServicesError::Refused { name, .. }) if name.ends_with("AlreadySubscribed") => {
                }
                result => result?,
            }
        }
        self.subscribed = true;
        Ok(())
    }

    /// Asks for the property changes of the unit at `path` too.
    pub(super) fn watch_unit(
        &mut self,
        path: &str,
        deadline: Instant,
    ) -> Result<(), ServicesError> {
        self.add_match(&unit_rule(path), deadline)
    }

    /// Asks no more for them.
    pub(super) fn unwatch_unit(
        &mut self,
        path: &str,
        deadline: Instant,
    ) -> Result<(), ServicesError> {
        self.bus_call("RemoveMatch", &unit_rule(path), deadline)
    }

    fn add_match(&mut self, rule: &str, deadline: Instant) -> Result<(), ServicesError> {
        self.bus_call("AddMatch", rule, deadline)
    }

    /// The message bus's own methods; systemd's private socket sends every signal unasked.
    fn bus_call(
        &mut self,
        member: &'static str,
        rule: &str,
        deadline: Instant,
    ) -> Result<(), ServicesError> {
        if !self.bus.is_through_bus() {
            return Ok(());
        }
        let reply = self.bus.call_bus(member, &rule, deadline)?;
        arguments(&reply, member)
    }

    /// Lets no more signals gather.
    pub(super) fn stop_listening(&mut self) {
        self.bus.stop_listening();
    }

    /// Queues a job. Subscribe first: its end is told by a signal.
    pub(super) fn queue(
        &mut self,
        job: Job,
        unit: &UnitName,
        deadline: Instant,
    ) -> Result<OwnedObjectPath, ServicesError> {
        self.manager(job.method(), &(unit.as_str(), "replace"), deadline)
    }

    /// Whether the job at `path` is still queued or running.
    pub(super) fn has_job(&mut self, path: &str, deadline: Instant) -> Result<bool, ServicesError> {
        let Some(id) = path.rsplit('/').next().and_then(|id| id.parse::<u32>().ok()) else {
            return Ok(false);
        };
        match self.manager::<_, OwnedObjectPath>("GetJob", &id, deadline) {
            Ok(_) => Ok(true),
            Err(error) if error.is_missing() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What the next signal says; `None` when none came until `until`.
    pub(super) fn event(&mut self, until: Instant) -> Result<Option<Event>, ServicesError> {
        self.bus.signal(until)?.map(|message| event(&message)).transpose()
    }
}

/// What a signal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// A job ended.
    JobEnded(JobEnd),
    /// Properties of the object at this path changed.
    Changed(String),
    /// Something that is of no interest here.
    Other,
}

fn event(message: &Message) -> Result<Event, ServicesError> {
    Ok(match message.member.as_str() {
        "JobRemoved" => {
            let (_, job, _, result): (u32, OwnedObjectPath, String, String) =
                arguments(message, "JobRemoved")?;
            Event::JobEnded(JobEnd { job, result })
        }
        "PropertiesChanged" => Event::Changed(message.path.clone()),
        _ => Event::Other,
    })
}

fn unit_rule(path: &str) -> String {
    format!(
        "type='signal',sender='org.freedesktop.systemd1',path='{path}',\
         interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'"
    )
}

#[cfg(test)]
mod tests {
    use zvariant::Array;

    use super::*;

    #[test]
    fn properties_are_read_by_type_and_absent_ones_are_empty() {
        let properties = Properties::from([
            ("Id", Value::from("a.service")),
            ("CanReload", Value::from(true)),
            ("NRestarts", Value::from(3_u32)),
            ("ExecMainStatus", Value::from(-1_i32)),
            ("Names", Value::from(vec!["a.service", "b.service"])),
            ("InvocationID", Value::Array(Array::from(vec![0_u8, 0xab]))),
            ("Nothing", Value::Array(Array::from(vec![0_u8, 0]))),
        ]);
        assert_eq!(properties.text("Id"), "a.service");
        assert_eq!(properties.text("CanReload"), "");
        assert!(properties.flag("CanReload") && !properties.flag("Id"));
        assert_eq!(properties.number("NRestarts"), Some(3));
        assert_eq!(properties.number("ExecMainStatus"), None);
        assert_eq!(properties.texts("Names"), ["a.service", "b.service"]);
        assert_eq!(properties.hexadecimal("InvocationID").as_deref(), Some("00ab"));
        assert_eq!(properties.hexadecimal("Nothing"), None);
        assert_eq!(properties.hexadecimal("Missing"), None);
    }
}
