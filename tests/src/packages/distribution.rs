//! Packages of the distribution itself, fetched once by apt and kept: what a policy for a real server
//! installs. A host gets them from its own repository, without any network.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::build::paragraph_of;
use super::repository::{SOURCES, copy, files, read};
use crate::host::{Suite, TestHost, mirror};
use crate::{cache, outer};

/// What the example policies install. What else these need comes along.
const NAMES: &[&str] = &[
    "nginx",
    "logrotate",
    "sudo",
    "less",
    "tree",
    "rsyslog",
    "redis-server",
    "cron",
    "haproxy",
    "jq",
    "curl",
    "apache2-utils",
];

/// A slow mirror may take minutes.
const DEADLINE: Duration = Duration::from_secs(300);

/// A directory with these packages of a release and all that they need beyond the cached root, and
/// beside each its paragraph of the index.
pub fn distribution(suite: Suite) -> PathBuf {
    let root = suite.root();
    let name = format!("distribution-{}", suite.name());
    let ingredients = format!("{NAMES:?} {}", root.display());
    cache::prepared(&name, &ingredients, |pool| {
        let apt = tempfile::tempdir().expect("a temporary directory");
        fetch(suite, &root, apt.path());
        for package in files(&apt.path().join("cache/archives")) {
            let Some(name) = package.file_name().and_then(|name| name.to_str()) else { continue };
            if package.extension().is_none_or(|extension| extension != "deb") {
                continue;
            }
            copy(&package, &pool.join(name));
            let control = control_of(&package);
            let paragraph = paragraph_of(&control, name, &package);
            let place = pool.join(format!("{name}.paragraph"));
            fs::write(&place, paragraph)
                .unwrap_or_else(|error| panic!("{}: {error}", place.display()));
        }
    })
}

/// Runs this machine's apt as if it were the root's: with its own lists, cache and sources, and with
/// the root's idea of what is installed.
fn fetch(suite: Suite, root: &Path, place: &Path) {
    for directory in ["state/lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(place.join(directory)).expect("a temporary directory can be written");
    }
    let keys = ["gpg", "pgp"]
        .map(|end| root.join("usr/share/keyrings/debian-archive-keyring").with_extension(end));
    let keys = keys.iter().find(|keys| keys.is_file()).expect("the root has Debian's keys");
    let source = format!("deb [signed-by={}] {} {} main\n", keys.display(), mirror(), suite.name());
    fs::write(place.join("sources.list"), source).expect("a temporary directory can be written");
    let apt = |words: &[&str]| {
        let mut command = outer::command("apt-get");
        let place = place.display();
        for option in [
            format!("Dir::Etc::SourceList={place}/sources.list"),
            "Dir::Etc::SourceParts=/dev/null".to_owned(),
            "Dir::Etc::Preferences=/dev/null".to_owned(),
            "Dir::Etc::PreferencesParts=/dev/null".to_owned(),
            format!("Dir::State={place}/state"),
            format!("Dir::State::Status={}/var/lib/dpkg/status", root.display()),
            format!("Dir::State::extended_states={place}/state/extended_states"),
            format!("Dir::Cache={place}/cache"),
            "APT::Sandbox::User=root".to_owned(),
        ] {
            command.arg("-o").arg(option);
        }
        outer::must(
            {
                command.arg("-q").args(words);
                command
            },
            DEADLINE,
        );
    };
    apt(&["update"]);
    let mut install = vec!["install", "--yes", "--download-only", "--no-install-recommends"];
    install.extend(NAMES);
    apt(&install);
}

fn control_of(package: &Path) -> String {
    let mut command = outer::command("dpkg-deb");
    command.arg("--field").arg(package);
    outer::must(command, DEADLINE).stdout
}

impl TestHost {
    /// Makes the host's repository hold the distribution's own packages that example policies
    /// install, makes it the host's only source, and reads its index.
    #[track_caller]
    pub fn publish_distribution(&self) {
        let (pool, repository) = (distribution(self.suite()), self.apt_directory());
        let mut index = String::new();
        for path in files(&pool) {
            let name = path.file_name().unwrap_or_default();
            if path.extension().is_some_and(|extension| extension == "paragraph") {
                index.push_str(&read(&path));
                index.push('\n');
            } else {
                copy(&path, &repository.join(name));
            }
        }
        let place = repository.join("Packages");
        fs::write(&place, index).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
        self.write("/etc/apt/sources.list", SOURCES);
        self.run(&["apt-get", "update"]).success();
    }
}
