//! Planted links below a root directory, with this machine's `systemctl` where it has one.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{lchown, symlink};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::fs::Mode;
use tempfile::TempDir;

use super::*;
use crate::failure::Failure;
use crate::host::services::{FileState, LinkChange, RealServices, ServiceChanges, ServiceView};

const MALLORY: u32 = 65534;

/// An image with one unit, and a directory outside of it that nothing may reach.
struct Scene {
    directory: TempDir,
    services: RealServices,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let image = directory.path().join("image");
        fs::create_dir_all(directory.path().join("victim/system/multi-user.target.wants")).unwrap();
        fs::create_dir_all(image.join("usr/lib/systemd/system")).unwrap();
        fs::create_dir_all(image.join("etc/systemd/system/multi-user.target.wants")).unwrap();
        let unit = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n";
        let mut file = fs::File::create(image.join("usr/lib/systemd/system/foo.service")).unwrap();
        file.write_all(unit.as_bytes()).unwrap();
        let options = HostOptions { root: image, ..HostOptions::default() };
        Self { services: RealServices::new(&options), directory }
    }

    fn image(&self, path: &str) -> PathBuf {
        self.directory.path().join("image").join(path)
    }

    /// Puts a link in the place of a directory of the image.
    fn plant(&self, path: &str, target: &str, owner: u32) {
        self.clear(path);
        symlink(target, self.image(path)).unwrap();
        lchown(self.image(path), Some(owner), Some(owner)).unwrap();
    }

    fn clear(&self, path: &str) {
        fs::rename(self.image(path), self.directory.path().join("aside")).unwrap();
    }

    fn victim(&self) -> String {
        self.directory.path().join("victim").display().to_string()
    }

    /// Everything that was put outside of the image.
    fn escaped(&self) -> Vec<PathBuf> {
        let system = self.directory.path().join("victim/system");
        let list = |path: PathBuf| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        let wants = system.join("multi-user.target.wants");
        list(system).filter(|path| *path != wants).chain(list(wants.clone())).collect()
    }

    fn change(&mut self, change: LinkChange) -> Result<(), ServicesError> {
        let deadline = Instant::now() + Duration::from_secs(20);
        self.services.change_links(change, &unit(), deadline)
    }

    /// Every change is refused and nothing is there afterwards; the last refusal.
    fn refuses(&mut self) -> Failure {
        let changes =
            [LinkChange::Mask, LinkChange::Enable, LinkChange::Disable, LinkChange::Unmask];
        let mut last = None;
        for change in changes {
            let error = self.change(change).expect_err(change.verb());
            let refused =
                matches!(error, ServicesError::Unguarded { .. } | ServicesError::LeadsOut { .. });
            assert!(refused, "{error}");
            assert_eq!(self.escaped(), Vec::<PathBuf>::new(), "{}", change.verb());
            last = Some(Failure::from(error));
        }
        let failure = last.unwrap();
        assert!(failure.hint.is_some());
        failure
    }
}

fn unit() -> UnitName {
    UnitName::from_title("foo").unwrap()
}

fn needs_root() {
    assert!(rustix::process::geteuid().is_root(), "run as root");
}

#[test]
fn a_link_that_leads_out_is_refused_even_if_it_is_our_own() {
    let own = rustix::process::geteuid().as_raw();
    for (path, below) in [
        ("etc/systemd", ""),
        ("etc/systemd/system", "/system"),
        ("etc/systemd/system/multi-user.target.wants", "/system/multi-user.target.wants"),
    ] {
        let mut scene = Scene::new();
        let target = format!("{}{below}", scene.victim());
        scene.plant(path, &target, own);
        let failure = scene.refuses();
        assert!(failure.reason.contains("leads out of the root directory"), "{failure:?}");
        assert!(failure.reason.contains(path), "{failure:?}");
        // Neither is what it says taken for the state of the image.
        assert!(matches!(scene.services.unit(&unit()), Err(ServicesError::LeadsOut { .. })));
        // Nor one that climbs out, or whose target is only missing inside.
        let climbing = format!("../../../../../../../../../../..{target}");
        fs::remove_file(scene.image(path)).unwrap();
        symlink(climbing, scene.image(path)).unwrap();
        scene.refuses();
        // Inside there is something else of that name.
        fs::create_dir_all(scene.image(target.trim_start_matches('/'))).unwrap();
        scene.refuses();
    }
}

#[test]
fn links_within_the_image_and_missing_directories_are_no_obstacle() {
    let mut scene = Scene::new();
    fs::create_dir_all(scene.image("data/units")).unwrap();
    scene.clear("etc/systemd/system");
    symlink("../../data/units", scene.image("etc/systemd/system")).unwrap();
    let check = |scene: &Scene| check(&scene.image(""), "mask", &unit(), Way::RootsAlone);
    check(&scene).unwrap();
    if scene.services.unit(&unit()).is_ok_and(|unit| unit.file == FileState::Disabled) {
        scene.change(LinkChange::Mask).unwrap();
        assert!(scene.image("data/units/foo.service").is_symlink());
        scene.change(LinkChange::Unmask).unwrap();
        scene.change(LinkChange::Enable).unwrap();
        assert!(scene.image("data/units/multi-user.target.wants/foo.service").is_symlink());
    }
    let scene = Scene::new();
    scene.clear("etc");
    check(&scene).unwrap();
}

#[test]
#[ignore = "needs root"]
fn what_a_user_planted_or_can_plant_is_refused() {
    needs_root();
    // A link of the user's in a directory of theirs, in one of root's, and root's link in theirs.
    for (planted, owner, holder) in [
        ("etc/systemd", MALLORY, MALLORY),
        ("etc/systemd", 0, MALLORY),
        ("etc/systemd", MALLORY, 0),
        ("etc/systemd/system/multi-user.target.wants", MALLORY, 0),
    ] {
        let mut scene = Scene::new();
        let below = planted.strip_prefix("etc/systemd").unwrap();
        let target = format!("{}{below}", scene.victim());
        scene.plant(planted, &target, owner);
        let parent = scene.image(planted).parent().unwrap().to_owned();
        lchown(parent, Some(holder), Some(holder)).unwrap();
        let failure = scene.refuses();
        assert!(failure.reason.contains("/etc"), "{failure:?}");
        assert!(scene.services.unit(&unit()).is_err());
    }
    // No link yet, but the user could make one at any moment. What is there can be read.
    for (path, owner, mode) in [
        ("", MALLORY, 0o755),
        ("etc", MALLORY, 0o755),
        ("etc/systemd", 0, 0o1777),
        ("etc/systemd/system", 0, 0o775),
        ("etc/systemd/system/multi-user.target.wants", MALLORY, 0o755),
    ] {
        let mut scene = Scene::new();
        lchown(scene.image(path), Some(owner), None).unwrap();
        rustix::fs::chmod(scene.image(path), Mode::from_raw_mode(mode)).unwrap();
        let failure = scene.refuses();
        let named = format!("change names in /{path}, below");
        assert!(failure.reason.contains(&named), "{failure:?}");
        check(&scene.image(""), "look at", &unit(), Way::WithoutPlantedLinks).unwrap();
    }
}
