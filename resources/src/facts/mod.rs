//! Facts: what policies may know about the machine. Part of the door to the machine: it only reads.
//!
//! | fact | what it is |
//! |---|---|
//! | `running` | whether this is the running machine, and not an image below a directory |
//! | `hostname`, `fqdn`, `domain` | web1, web1.example.com, example.com |
//! | `machine_id` | machine-id(5) |
//! | `architecture` | of the programs, in uname(2)'s words: `x86_64`, `aarch64` |
//! | `os.id`, `.name`, `.family` | debian, Debian GNU/Linux, debian; families: debian, redhat, suse, arch, alpine, gentoo |
//! | `os.version`, `.major`, `.minor`, `.codename` | "12" (text), 12 (a number, or none), none, bookworm |
//! | `os.architecture` | in the distribution's words: amd64 on Debian, `x86_64` on Fedora |
//! | `kernel.name`, `.release`, `.version` | Linux, 6.1.0-18-amd64, 6.1.0 |
//! | `virtualization.type`, `.container`, `.vm` | kvm (or none), whether in a container, whether in a virtual machine |
//! | `cpu.count`, `.model`, `.vendor` | processors online, the first one's model |
//! | `memory.total`, `.swap` | bytes |
//! | `network.primary`, `.ipv4`, `.ipv6`, `.mac`, `.gateway`, `.gateway6` | of the interface with the default route; empty where there is none |
//! | `network.interfaces.NAME` | mac, mtu, ipv4 and ipv6 (lists of address, prefix, network) |
//! | `mounts.PATH` | device, type, options |
//! | `disks.NAME` | size in bytes, model, vendor, rotational, removable |
//! | `timezone` | Europe/Berlin |
//! | `selinux.enabled`, `.mode`, `.policy` | true, enforcing, targeted |
//! | `package_manager` | apt, dnf, yum, zypper, pacman, apk, portage |
//! | `init_system` | systemd, openrc, … |
//! | `custom.NAME` | what `/etc/steadfast/facts.d/` says |
//!
//! What must stay true:
//! - gathering changes nothing, asks no resolver and starts no process except the operator's own
//!   executables in `facts.d`; without those it takes a few milliseconds;
//! - what changes by itself is not among the facts: two gatherings on an unchanged machine are
//!   equal;
//! - what only a running machine has (kernel, virtualization, cpu, memory, network, mounts, disks)
//!   is absent for an image rather than that of the machine the image is made on. A policy for
//!   both asks `facts.running` first.

mod custom;
mod hardware;
mod machine;
mod mounts;
mod names;
mod network;
mod os;
mod system;
mod virtualization;
mod volatile;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use thiserror::Error;

use machine::Machine;

/// What is known about the machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// What policies can see, a JSON object.
    pub values: Value,
    /// What changes by itself, for people only, a JSON object.
    pub volatile: Value,
    /// What the operator should know: a custom fact that was refused or failed, one line each.
    pub warnings: Vec<String>,
}

/// Why there are no facts at all.
#[derive(Debug, Error)]
pub enum FactsError {
    /// The root directory cannot be opened.
    #[error("cannot open the root directory {}", path.display())]
    OpenRoot {
        /// The root directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

impl Facts {
    /// Gathers the facts of the machine whose root directory is `root`: the running one for `/`,
    /// else an image. Executables of custom facts have ten seconds each, and are not started after
    /// `deadline`. A single fact that cannot be read is empty or absent, never an error.
    pub fn gather(root: &Path, deadline: Instant) -> Result<Self, FactsError> {
        let machine = Machine::open(root)
            .map_err(|source| FactsError::OpenRoot { path: root.to_owned(), source })?;
        Ok(gather_from(&machine, custom::TIMEOUT, deadline))
    }
}

fn gather_from(machine: &Machine, timeout: Duration, deadline: Instant) -> Facts {
    let mut warnings = Vec::new();
    let mut values = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            values.insert(name.to_owned(), value);
        }
    };

    let names = names::names(machine);
    let hardware = machine.live.as_ref().map_or("", |live| live.machine.as_str());
    let architecture = os::program_architecture(machine).unwrap_or(hardware);
    let os = os::os(machine, architecture);
    let family = os.get("family").and_then(Value::as_str).unwrap_or_default().to_owned();

    add("running", Some(json!(machine.live.is_some())));
    add("hostname", Some(json!(names.hostname)));
    add("fqdn", Some(json!(names.fqdn)));
    add("domain", Some(json!(names.domain)));
    add("machine_id", Some(json!(names::machine_id(machine))));
    add("architecture", Some(json!(architecture)));
    add("os", Some(os));
    add("kernel", system::kernel(machine));
    add("virtualization", virtualization::virtualization(machine));
    add("cpu", hardware::cpu(machine));
    add("memory", hardware::memory(machine));
    add("network", network::network(machine));
    add("mounts", mounts::mounts(machine));
    add("disks", hardware::disks(machine));
    add("timezone", Some(json!(system::timezone(machine))));
    add("selinux", Some(system::selinux(machine)));
    add("package_manager", Some(json!(system::package_manager(machine, &family))));
    add("init_system", Some(json!(system::init_system(machine))));
    let custom = custom::custom(machine, timeout, deadline, &mut warnings);
    add("custom", Some(Value::Object(custom)));

    Facts { values: Value::Object(values), volatile: volatile::volatile(machine), warnings }
}
