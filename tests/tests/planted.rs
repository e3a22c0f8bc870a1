//! Whole commands below a root directory in which a user has prepared something: nothing outside
//! changes, and nothing that is root's can be read.

#![expect(
    clippy::disallowed_methods,
    reason = "the program is looked at from outside its own doors"
)]

use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::PathBuf;
use std::process::{Command, Output};
use steadfast_tests::documents::program;

/// The user's number.
const MALLORY: u32 = 65534;

/// A policy in `policy/`, the host's root in `image/`, and `victim/` beside them.
struct Scene(tempfile::TempDir);

impl Scene {
    fn new(policy: &str) -> Self {
        let euid = nix::unistd::geteuid();
        assert!(euid.is_root(), "run as root");
        let scene = Self(tempfile::tempdir().expect("a scratch directory"));
        for path in ["image/etc/systemd/system", "image/srv/app", "settings", "victim/system"] {
            std::fs::create_dir_all(scene.path(path)).expect("scratch directories");
        }
        scene.write("image/etc/hostname", "web1\n");
        scene.write("image/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
        scene.write(
            "image/usr/lib/systemd/system/foo.service",
            "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
        );
        scene.write("policy/site.toml", "[[assign]]\nhosts = \"*\"\npolicies = [\"it\"]\n");
        scene.write("policy/policies/it/policy.toml", policy);
        scene
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("below the scene")).expect("a directory");
        std::fs::write(path, content).expect("a file");
    }

    /// Makes what is at `path`, without what is in it, the user's.
    fn give(&self, path: &str) {
        lchown(self.path(path), Some(MALLORY), Some(MALLORY)).expect("a change of owner");
    }

    fn apply(&self) -> (Option<i32>, String) {
        let Output { status, stdout, stderr } = Command::new(program())
            .args(["apply", "policy", "--root", "image", "--config-dir", "settings"])
            .current_dir(self.0.path())
            .env("NO_COLOR", "1")
            .output()
            .expect("the program runs");
        let printed = [stdout, stderr].concat();
        (status.code(), String::from_utf8_lossy(&printed).into_owned())
    }
}

#[test]
#[ignore = "needs root"]
fn a_planted_link_does_not_make_root_change_units_elsewhere() {
    for attribute in ["enable = \"masked\"", "enable = true"] {
        let scene = Scene::new(&format!("[service.foo]\n{attribute}\n"));
        std::fs::remove_dir_all(scene.path("image/etc/systemd")).expect("gone");
        symlink(scene.path("victim"), scene.path("image/etc/systemd")).expect("a link");
        scene.give("image/etc/systemd");
        scene.give("image/etc");
        let (code, printed) = scene.apply();
        assert_eq!(code, Some(3), "{printed}");
        assert!(printed.contains("/etc/systemd"), "{printed}");
        let victim = std::fs::read_dir(scene.path("victim/system")).expect("a list");
        assert_eq!(victim.count(), 0, "{printed}");
    }
}

#[test]
#[ignore = "needs root"]
fn a_planted_access_list_does_not_open_what_root_closes() {
    let scene = Scene::new(
        "[file.\"/srv/app/secret\"]\ncontent = \"secret\"\nowner = 0\ngroup = 0\nmode = \"0640\"\n",
    );
    scene.write("image/srv/app/secret", "mine");
    let secret = scene.path("image/srv/app/secret");
    for path in ["image/srv/app/secret", "image/srv/app"] {
        scene.give(path);
    }
    let entry = format!("user:{MALLORY}:rwx");
    for (option, path) in [("-m", secret.clone()), ("-dm", scene.path("image/srv/app"))] {
        let set = Command::new("setfacl").args([option, &entry]).arg(path).status();
        if set.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return; // Then the tests of the files port, which need no program, must do.
        }
        assert!(set.is_ok_and(|status| status.success()), "setfacl");
    }
    // Over the user's own file, then where nothing is.
    for _ in 0..2 {
        let (code, printed) = scene.apply();
        assert!(code == Some(0) && printed.contains("secret (6 bytes)"), "{printed}");
        let metadata = std::fs::metadata(&secret).expect("the secret");
        assert_eq!((metadata.uid(), metadata.permissions().mode() & 0o7777), (0, 0o640));
        let shown = Command::new("getfacl").arg("-cn").arg(&secret).output().expect("getfacl");
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(!shown.contains(&MALLORY.to_string()), "{shown}");
        let (_, again) = scene.apply();
        assert!(!again.contains("(6 bytes)"), "{again}");
        std::fs::remove_file(&secret).expect("gone");
    }
}
