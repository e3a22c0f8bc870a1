//! Whether this is a container or a virtual machine, and of which make, in the words of
//! systemd-detect-virt(1).
//!
//! Only files are read; the processor is not asked (that would be unsafe code). So a hypervisor
//! that shows itself in no file is called `vm-other`.

use serde_json::{Value, json};

use super::machine::{Live, Machine};

/// `virtualization`: the innermost technology (`type`), and whether there is a container and a
/// virtual machine. Absent for an image.
pub(super) fn virtualization(machine: &Machine) -> Option<Value> {
    let live = machine.live.as_ref()?;
    let container = container(machine, live);
    let vm = virtual_machine(live);
    let innermost = container.as_deref().or(vm).unwrap_or("none");
    Some(json!({ "type": innermost, "container": container.is_some(), "vm": vm.is_some() }))
}

fn container(machine: &Machine, live: &Live) -> Option<String> {
    if live.tree.exists("/proc/vz") && !live.tree.exists("/proc/bc") {
        return Some("openvz".to_owned());
    }
    let release = live.release.to_ascii_lowercase();
    if release.contains("microsoft") || release.contains("wsl") {
        return Some("wsl".to_owned());
    }
    let named = machine
        .tree
        .word("/run/host/container-manager")
        .or_else(|| machine.tree.word("/run/systemd/container"))
        .or_else(|| first_process_variable(live));
    let marked = || {
        [("/run/.containerenv", "podman"), ("/.dockerenv", "docker")]
            .into_iter()
            .find(|(path, _)| machine.tree.exists(path))
            .map(|(_, name)| name.to_owned())
    };
    match named.as_deref() {
        None => marked(),
        // What started it did not say which of them it is.
        Some("oci") => marked().or(named),
        Some(_) => named,
    }
}

/// The variable `container` of process 1, which whoever starts a container sets (systemd's
/// container interface). Readable by root only.
fn first_process_variable(live: &Live) -> Option<String> {
    live.tree
        .text("/proc/1/environ")?
        .split('\0')
        .find_map(|variable| variable.strip_prefix("container="))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

/// The firmware's words for makes of virtual machines: how a DMI field begins, and the name.
const FIRMWARE: [(&str, &str); 17] = [
    ("KVM", "kvm"),
    ("OpenStack", "kvm"),
    ("KubeVirt", "kvm"),
    ("Amazon EC2", "amazon"),
    ("QEMU", "qemu"),
    ("VMware", "vmware"),
    ("VMW", "vmware"),
    ("innotek GmbH", "oracle"),
    ("VirtualBox", "oracle"),
    ("Xen", "xen"),
    ("Bochs", "bochs"),
    ("Parallels", "parallels"),
    ("BHYVE", "bhyve"),
    ("Hyper-V", "microsoft"),
    ("Apple Virtualization", "apple"),
    ("Google Compute Engine", "google"),
    ("Virtual Machine", "microsoft"),
];

fn virtual_machine(live: &Live) -> Option<&'static str> {
    let processor = live.tree.beginning("/proc/cpuinfo", 8192).unwrap_or_default();
    let flagged = processor
        .lines()
        .find(|line| line.starts_with("flags"))
        .is_some_and(|line| line.split_whitespace().any(|flag| flag == "hypervisor"));
    if processor.contains("User Mode Linux") {
        return Some("uml");
    }
    if live.tree.text("/proc/xen/capabilities").is_some_and(|text| text.contains("control_d")) {
        // The privileged domain runs on Xen but is the machine itself.
        return None;
    }
    match firmware(live) {
        // These clouds rent whole machines too, with the same words in their firmware.
        Some(cloud @ ("amazon" | "google")) => {
            (flagged || firmware_says_virtual(live)).then_some(cloud)
        }
        Some("qemu") => Some(clock(live).unwrap_or("qemu")),
        Some(make) => Some(make),
        None if flagged => Some(clock(live).or_else(|| platform(live)).unwrap_or("vm-other")),
        None => platform(live),
    }
}

fn firmware(live: &Live) -> Option<&'static str> {
    ["product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version"]
        .into_iter()
        .filter_map(|field| live.tree.word(&format!("/sys/class/dmi/id/{field}")))
        .find_map(|value| {
            FIRMWARE.iter().find(|(start, _)| value.starts_with(start)).map(|(_, name)| *name)
        })
}

/// Bit 4 of the second BIOS characteristics extension byte (SMBIOS 7.1.2.2), for machines whose
/// processors have no flag for it.
fn firmware_says_virtual(live: &Live) -> bool {
    live.tree
        .bytes("/sys/firmware/dmi/entries/0-0/raw", 64)
        .is_ok_and(|table| table.get(0x13).is_some_and(|byte| byte & (1 << 4) != 0))
}

/// A hypervisor lends its guests a clock of its own.
fn clock(live: &Live) -> Option<&'static str> {
    let path = "/sys/devices/system/clocksource/clocksource0/available_clocksource";
    let clocks = live.tree.text(path)?;
    clocks.split_whitespace().find_map(|clock| match clock {
        "kvm-clock" => Some("kvm"),
        "xen" => Some("xen"),
        clock if clock.starts_with("hyperv") => Some("microsoft"),
        _ => None,
    })
}

/// Machines without DMI: Xen guests, device trees, s390.
fn platform(live: &Live) -> Option<&'static str> {
    if live.tree.word("/sys/hypervisor/type").is_some_and(|kind| kind == "xen") {
        return Some("xen");
    }
    if let Some(hypervisor) = live.tree.text("/proc/device-tree/hypervisor/compatible") {
        return Some(match hypervisor.trim_end_matches('\0') {
            "linux,kvm" => "kvm",
            name if name.contains("xen") => "xen",
            name if name.contains("vmware") => "vmware",
            _ => "vm-other",
        });
    }
    let system = live.tree.text("/proc/sysinfo")?;
    let program = system.lines().find(|line| line.starts_with("VM00 Control Program"))?;
    Some(if program.contains("z/VM") { "zvm" } else { "kvm" })
}
