//! Whole gatherings: root directories written for the purpose, and the machine the tests run on.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::machine::{Binding, Live, Machine, Tree};
use super::{Facts, custom, gather_from};

/// A root directory with a few files in it.
struct Scene {
    root: TempDir,
}

impl Scene {
    fn new(files: &[(&str, &str)]) -> Self {
        let scene = Self { root: TempDir::new().unwrap() };
        for (path, content) in files {
            scene.file(path, content, 0o644);
        }
        scene
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.root.path().join(path)
    }

    #[expect(clippy::disallowed_methods, reason = "a scene for the test, in its own directory")]
    fn file(&self, path: &str, content: &str, mode: u32) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    }

    fn link(&self, path: &str, target: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    fn image(&self) -> Machine {
        Machine { tree: Tree::inside(self.root.path()).unwrap(), live: None }
    }

    /// The scene as a running machine.
    fn machine(&self, node: &str) -> Machine {
        let live = Live {
            tree: Tree::inside(self.root.path()).unwrap(),
            node: node.to_owned(),
            release: "6.1.0-18-amd64".to_owned(),
            machine: "x86_64".to_owned(),
            addresses: vec![
                binding("lo", [127, 0, 0, 1], 8),
                binding("eth0", [10, 1, 2, 3], 24),
                binding("eth0", [10, 1, 2, 9], 32),
                binding("veth1", [172, 17, 0, 1], 16),
            ],
        };
        Machine { live: Some(live), ..self.image() }
    }

    fn gather(&self, machine: &Machine) -> Facts {
        assert_eq!(machine.tree.root(), self.root.path().canonicalize().unwrap());
        gather_from(machine, custom::TIMEOUT, Instant::now() + Duration::from_secs(60))
    }
}

fn binding(interface: &str, address: [u8; 4], prefix: u32) -> Binding {
    Binding { interface: interface.to_owned(), address: address.into(), prefix }
}

fn at<'a>(facts: &'a Facts, pointer: &str) -> &'a Value {
    facts.values.pointer(pointer).unwrap_or(&Value::Null)
}

const DEBIAN: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n\
    VERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n";

#[test]
fn a_running_machine() {
    let router = u32::from_ne_bytes([10, 1, 2, 1]);
    let route = format!(
        "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n\
         eth0 00000000 {router:08X} 0003 0 0 0 00000000 0 0 0\n"
    );
    let scene = Scene::new(&[
        ("usr/lib/os-release", DEBIAN),
        ("etc/hosts", "127.0.1.1 web1.example.com web1\n"),
        ("etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
        ("usr/bin/apt-get", ""),
        ("usr/bin/dnf", ""),
        ("run/systemd/system/.keep", ""),
        (
            "proc/meminfo",
            "MemTotal: 1024 kB\nMemFree: 8 kB\nMemAvailable: 16 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
        ),
        (
            "proc/cpuinfo",
            "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\nflags\t\t: fpu hypervisor\n",
        ),
        ("proc/uptime", "55.25 100.00\n"),
        ("proc/loadavg", "0.10 0.20 0.30 1/100 4242\n"),
        ("proc/self/mounts", "/dev/vda1 / ext4 rw 0 0\n"),
        ("proc/net/route", &route),
        ("proc/net/if_inet6", "20010db8000000000000000000000005 02 40 00 80 eth0\n"),
        ("sys/devices/system/cpu/online", "0-3\n"),
        ("sys/class/dmi/id/sys_vendor", "QEMU\n"),
        ("sys/devices/system/clocksource/clocksource0/available_clocksource", "kvm-clock tsc\n"),
        ("sys/class/net/lo/mtu", "65536\n"),
        ("sys/class/net/lo/address", "00:00:00:00:00:00\n"),
        ("sys/class/net/eth0/mtu", "1500\n"),
        ("sys/class/net/eth0/address", "52:54:00:12:34:56\n"),
        ("sys/class/net/veth1/mtu", "1500\n"),
        ("sys/class/net/bonding_masters", "\n"),
        ("sys/block/vda/device/vendor", "0x1af4\n"),
        ("sys/block/vda/size", "2048\n"),
        ("sys/block/vda/queue/rotational", "1\n"),
        ("sys/block/loop0/size", "8\n"),
        ("sys/block/sr0/device/model", "DVD\n"),
    ]);
    scene.link("etc/os-release", "../usr/lib/os-release");
    scene.link("etc/localtime", "/usr/share/zoneinfo/Europe/Berlin");
    let facts = scene.gather(&scene.machine("web1"));
    assert_eq!(facts.warnings, Vec::<String>::new());
    for (pointer, expected) in [
        ("/running", json!(true)),
        ("/hostname", json!("web1")),
        ("/fqdn", json!("web1.example.com")),
        ("/domain", json!("example.com")),
        ("/machine_id", json!("0123456789abcdef0123456789abcdef")),
        ("/architecture", json!("x86_64")),
        (
            "/os",
            json!({
                "id": "debian", "family": "debian", "name": "Debian GNU/Linux", "version": "12",
                "major": 12, "minor": null, "codename": "bookworm", "architecture": "amd64",
            }),
        ),
        ("/kernel", json!({"name": "Linux", "release": "6.1.0-18-amd64", "version": "6.1.0"})),
        ("/virtualization", json!({"type": "kvm", "container": false, "vm": true})),
        ("/cpu", json!({"count": 4, "model": "AMD EPYC", "vendor": "AuthenticAMD"})),
        ("/memory", json!({"total": 1_048_576, "swap": 0})),
        ("/network/primary", json!("eth0")),
        ("/network/ipv4", json!("10.1.2.3")),
        ("/network/ipv6", json!("2001:db8::5")),
        ("/network/mac", json!("52:54:00:12:34:56")),
        ("/network/gateway", json!("10.1.2.1")),
        ("/network/gateway6", json!("")),
        (
            "/network/interfaces/eth0/ipv4",
            json!([
                {"address": "10.1.2.3", "prefix": 24, "network": "10.1.2.0"},
                {"address": "10.1.2.9", "prefix": 32, "network": "10.1.2.9"},
            ]),
        ),
        ("/network/interfaces/lo/mac", json!("")),
        ("/network/interfaces/veth1", Value::Null),
        ("/network/interfaces/bonding_masters", Value::Null),
        ("/mounts", json!({"/": {"device": "/dev/vda1", "type": "ext4", "options": ["rw"]}})),
        (
            "/disks",
            json!({"vda": {
                "size": 1_048_576, "model": "", "vendor": "", "rotational": true, "removable": false,
            }}),
        ),
        ("/timezone", json!("Europe/Berlin")),
        ("/selinux", json!({"enabled": false, "mode": "disabled", "policy": ""})),
        ("/package_manager", json!("apt")),
        ("/init_system", json!("systemd")),
        ("/custom", json!({})),
    ] {
        assert_eq!(at(&facts, pointer), &expected, "{pointer}");
    }
    let volatile = json!({
        "uptime": 55.25, "load": [0.1, 0.2, 0.3],
        "memory": {"available": 16384, "free": 8192}, "swap": {"free": 0},
    });
    assert_eq!(facts.volatile, volatile);
}

#[test]
fn distributions_as_images() {
    for (release, program, expected) in [
        (DEBIAN, "usr/bin/apt-get", ["debian", "debian", "12", "bookworm", "apt"]),
        (
            "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\nVERSION_CODENAME=noble\n",
            "usr/bin/apt-get",
            ["ubuntu", "debian", "24.04", "noble", "apt"],
        ),
        (
            "ID=fedora\nVERSION_ID=42\nVERSION_CODENAME=\"\"\n",
            "usr/bin/dnf5",
            ["fedora", "redhat", "42", "", "dnf"],
        ),
        (
            "ID=\"rhel\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"9.4\"\n",
            "usr/bin/dnf",
            ["rhel", "redhat", "9.4", "", "dnf"],
        ),
        (
            "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\nVERSION_ID=\"15.6\"\n",
            "usr/bin/zypper",
            ["opensuse-leap", "suse", "15.6", "", "zypper"],
        ),
        ("ID=arch\nBUILD_ID=rolling\n", "usr/bin/pacman", ["arch", "arch", "", "", "pacman"]),
        ("ID=alpine\nVERSION_ID=3.20.1\n", "sbin/apk", ["alpine", "alpine", "3.20.1", "", "apk"]),
        ("", "bin/nothing", ["linux", "linux", "", "", ""]),
    ] {
        let scene = Scene::new(&[("etc/os-release", release), (program, "")]);
        let facts = scene.gather(&scene.image());
        let found = ["/os/id", "/os/family", "/os/version", "/os/codename", "/package_manager"]
            .map(|pointer| at(&facts, pointer).as_str().unwrap());
        assert_eq!(found, expected);
    }
}

#[test]
fn an_image_has_no_facts_of_the_machine_it_is_made_on() {
    let mut shell = vec![0_u8; 64];
    shell[..6].copy_from_slice(b"\x7fELF\x02\x01");
    shell[18] = 183;
    let scene = Scene::new(&[
        ("etc/hostname", "# the name\nimage.example.net\n"),
        ("etc/selinux/config", "SELINUX=permissive\nSELINUXTYPE=targeted\n"),
        ("usr/bin/dash", &String::from_utf8_lossy(&shell)),
    ]);
    #[expect(clippy::disallowed_methods, reason = "a scene for the test, in its own directory")]
    std::fs::write(scene.path("usr/bin/dash"), &shell).unwrap();
    // Absolute links mean the image, not the machine.
    scene.link("bin/sh", "/usr/bin/dash");
    scene.link("sbin/init", "/lib/systemd/systemd");
    scene.link("etc/os-release", "/../../../../usr/lib/os-release");
    let facts = scene.gather(&scene.image());
    let names: Vec<&String> = facts.values.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "running",
            "hostname",
            "fqdn",
            "domain",
            "machine_id",
            "architecture",
            "os",
            "timezone",
            "selinux",
            "package_manager",
            "init_system",
            "custom",
        ]
    );
    assert_eq!(at(&facts, "/running"), false);
    assert_eq!(at(&facts, "/fqdn"), "image.example.net");
    assert_eq!(at(&facts, "/architecture"), "aarch64");
    assert_eq!(at(&facts, "/os/id"), "linux");
    assert_eq!(at(&facts, "/selinux/policy"), "targeted");
    assert_eq!(at(&facts, "/init_system"), "systemd");
    assert_eq!(at(&facts, "/timezone"), "UTC");
    assert_eq!(facts.volatile, json!({}));
}

#[test]
fn virtualization() {
    let clocks = "sys/devices/system/clocksource/clocksource0/available_clocksource";
    let flagged = ("proc/cpuinfo", "flags : fpu hypervisor\n");
    for (files, expected) in [
        (vec![], ("none", false, false)),
        (
            vec![("proc/cpuinfo", "flags : fpu\n"), ("sys/class/dmi/id/sys_vendor", "Dell Inc.\n")],
            ("none", false, false),
        ),
        (vec![flagged], ("vm-other", false, true)),
        (vec![flagged, (clocks, "kvm-clock tsc\n")], ("kvm", false, true)),
        (vec![("sys/class/dmi/id/sys_vendor", "QEMU\n")], ("qemu", false, true)),
        (vec![("sys/class/dmi/id/sys_vendor", "VMware, Inc.\n")], ("vmware", false, true)),
        (
            vec![
                flagged,
                (clocks, "kvm-clock\n"),
                ("sys/class/dmi/id/sys_vendor", "innotek GmbH\n"),
            ],
            ("oracle", false, true),
        ),
        (
            vec![flagged, (clocks, "kvm-clock\n"), ("sys/class/dmi/id/sys_vendor", "Amazon EC2\n")],
            ("amazon", false, true),
        ),
        (vec![("sys/class/dmi/id/sys_vendor", "Amazon EC2\n")], ("none", false, false)),
        (vec![("sys/hypervisor/type", "xen\n")], ("xen", false, true)),
        (
            vec![("sys/hypervisor/type", "xen\n"), ("proc/xen/capabilities", "control_d\n")],
            ("none", false, false),
        ),
        (vec![("proc/device-tree/hypervisor/compatible", "linux,kvm\0")], ("kvm", false, true)),
        (vec![(".dockerenv", "")], ("docker", true, false)),
        (vec![(".dockerenv", ""), flagged, (clocks, "kvm-clock\n")], ("docker", true, true)),
        (vec![("run/.containerenv", "")], ("podman", true, false)),
        (
            vec![("run/.containerenv", ""), ("proc/1/environ", "A=b\0container=oci\0")],
            ("podman", true, false),
        ),
        (vec![("proc/1/environ", "container=lxc\0")], ("lxc", true, false)),
        (vec![("proc/1/environ", "container=\0")], ("none", false, false)),
        (vec![("run/host/container-manager", "systemd-nspawn\n")], ("systemd-nspawn", true, false)),
    ] {
        let scene = Scene::new(&files);
        let facts = scene.gather(&scene.machine("host"));
        let (kind, container, vm) = expected;
        let expected = json!({"type": kind, "container": container, "vm": vm});
        assert_eq!(at(&facts, "/virtualization"), &expected, "{files:?}");
    }
}

#[test]
fn custom_facts_and_what_is_refused() {
    let scene = Scene::new(&[]);
    let file = |name: &str, content: &str, mode: u32| {
        scene.file(&format!("etc/steadfast/facts.d/{name}"), content, mode);
    };
    file("rack.toml", "row = 7\nsince = 2024-05-01\n[power]\nfeeds = ['a', 'b']\n", 0o644);
    file("site.json", "\"berlin\"", 0o600);
    file("site.toml", "name = 'other'", 0o644);
    file("probe", "#!/bin/sh\necho '{\"found\": true}'\n", 0o755);
    file("fails.sh", "#!/bin/sh\necho no device >&2\nexit 3\n", 0o755);
    file("prints.sh", "#!/bin/sh\necho 'x=1'\n", 0o700);
    file("notes.txt", "", 0o644);
    file("open.json", "1", 0o666);
    file("broken.toml", "a = 1\nb = = 2\n", 0o644);
    file("endless.toml", "a = { b = inf }\n", 0o644);
    file("broken.json", "{", 0o644);
    file("7up.json", "1", 0o644);
    file(".hidden.json", "1", 0o644);
    std::fs::create_dir(scene.path("etc/steadfast/facts.d/more.json")).unwrap();
    scene.file("srv/shared.json", "[1]", 0o644);
    scene.link("etc/steadfast/facts.d/linked.json", "/srv/shared.json");
    scene.link("etc/steadfast/facts.d/nowhere.json", "/etc/passwd");
    let facts = scene.gather(&scene.machine("host"));
    let expected = json!({
        "linked": [1],
        "probe": {"found": true},
        "rack": {"row": 7, "since": "2024-05-01", "power": {"feeds": ["a", "b"]}},
        "site": "berlin",
    });
    assert_eq!(at(&facts, "/custom"), &expected);
    let root = scene.root.path().canonicalize().unwrap();
    let warnings: Vec<String> = facts
        .warnings
        .iter()
        .map(|warning| warning.replace(root.to_str().unwrap(), "ROOT"))
        .map(|warning| warning.replace("custom fact /etc/steadfast/facts.d/", ""))
        .collect();
    let name_rule =
        "the name must consist of letters, digits, _ and -, and begin with a letter or _";
    assert_eq!(
        warnings,
        [
            &format!(".hidden.json: {name_rule}"),
            &format!("7up.json: {name_rule}"),
            "broken.json: is not JSON: EOF while parsing an object at line 1 column 1",
            "broken.toml: is not TOML: line 2: extra `=`, expected nothing",
            "endless.toml: a.b is inf, which JSON has no number for",
            "fails.sh: ended with exit code 3: no device",
            "more.json: not a regular file",
            "notes.txt: neither *.toml nor *.json nor executable; rename it, make it executable (chmod +x), or take it away",
            "nowhere.json: cannot be read: No such file or directory (os error 2)",
            "open.json: not trusted: ROOT/etc/steadfast/facts.d/open.json can be written by others; run chmod go-w ROOT/etc/steadfast/facts.d/open.json",
            "prints.sh: printed no JSON: expected value at line 1 column 1",
            "site.toml: another file already gives custom.site",
        ]
    );
}

#[test]
fn programs_of_an_image_are_not_run() {
    let scene = Scene::new(&[]);
    let marker = scene.path("ran").display().to_string();
    let script = format!("#!/bin/sh\ntouch {marker}\necho 1\n");
    scene.file("etc/steadfast/facts.d/probe", &script, 0o755);
    let facts = scene.gather(&scene.image());
    assert_eq!(at(&facts, "/custom"), &json!({}));
    assert!(
        facts.warnings[0].ends_with("programs of an image are not run"),
        "{:?}",
        facts.warnings
    );
    assert!(!Path::new(&marker).exists());
}

#[test]
fn a_hanging_fact_is_killed() {
    let scene = Scene::new(&[]);
    scene.file("etc/steadfast/facts.d/hangs", "#!/bin/sh\nsleep 60\n", 0o755);
    scene.file("etc/steadfast/facts.d/works.json", "1", 0o644);
    let started = Instant::now();
    let soon = started + Duration::from_secs(60);
    let facts = gather_from(&scene.machine("host"), Duration::from_millis(100), soon);
    assert!(started.elapsed() < Duration::from_secs(30));
    assert_eq!(at(&facts, "/custom"), &json!({"works": 1}));
    assert!(facts.warnings[0].contains("was killed"), "{:?}", facts.warnings);
    // And none is started when the time is over.
    let facts = gather_from(&scene.machine("host"), Duration::from_secs(9), started);
    assert!(facts.warnings[0].ends_with("no time left to run it"), "{:?}", facts.warnings);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a scene for the test, in its own directory")]
fn a_directory_that_others_can_write_is_not_trusted() {
    for directory in ["etc/steadfast/facts.d", "etc/steadfast"] {
        let scene = Scene::new(&[]);
        scene.file("etc/steadfast/facts.d/site.json", "1", 0o644);
        std::fs::set_permissions(scene.path(directory), PermissionsExt::from_mode(0o777)).unwrap();
        let facts = scene.gather(&scene.machine("host"));
        assert_eq!(at(&facts, "/custom"), &json!({}));
        assert_eq!(facts.warnings.len(), 1);
        assert!(facts.warnings[0].contains("can be written by others"), "{:?}", facts.warnings);
    }
}

#[test]
#[ignore = "needs root"]
fn a_file_of_another_user_is_not_trusted() {
    let scene = Scene::new(&[]);
    scene.file("etc/steadfast/facts.d/site.json", "1", 0o644);
    let planted = scene.path("etc/steadfast/facts.d/site.json");
    std::os::unix::fs::chown(planted, Some(12345), None).unwrap();
    let facts = scene.gather(&scene.machine("host"));
    assert_eq!(at(&facts, "/custom"), &json!({}));
    assert!(facts.warnings[0].contains("belongs to user 12345"), "{:?}", facts.warnings);
}

#[test]
fn this_machine_twice() {
    let deadline = Instant::now() + Duration::from_secs(60);
    let first = Facts::gather(Path::new("/"), deadline).unwrap();
    let second = Facts::gather(Path::new("/"), deadline).unwrap();
    assert_eq!(first.values, second.values);
    assert_eq!(at(&first, "/running"), true);
    assert!(at(&first, "/memory/total").as_u64().unwrap() > 1 << 20);
    assert!(at(&first, "/cpu/count").as_u64().unwrap() > 0);
    assert_eq!(at(&first, "/architecture"), std::env::consts::ARCH);
    assert!(first.values.get("uptime").is_none());
}

#[test]
fn a_root_that_does_not_exist_is_an_error() {
    let error = Facts::gather(Path::new("/nonexistent/root"), Instant::now()).unwrap_err();
    assert_eq!(error.to_string(), "cannot open the root directory /nonexistent/root");
}
