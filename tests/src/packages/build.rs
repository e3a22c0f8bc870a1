//! Builds the packages with dpkg-deb(1) into the cache.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{ALL, Package};
use crate::{cache, outer};

const DEADLINE: Duration = Duration::from_secs(60);

/// A directory with the file of every package, and beside each its paragraph of the index.
pub(super) fn pool() -> PathBuf {
    cache::prepared("packages", &format!("{ALL:?}"), |pool| {
        for package in ALL {
            build(package, pool);
        }
    })
}

/// The name of the file beside a package that holds its paragraph of the `Packages` index.
pub(super) fn paragraph_name(package: &Package) -> String {
    format!("{}.paragraph", package.file_name())
}

fn build(package: &Package, pool: &Path) {
    let tree = tempfile::tempdir_in(pool).expect("the cache can be written");
    set_mode(tree.path(), 0o755);
    let control = tree.path().join("DEBIAN");
    place(&control.join("control"), 0o644, &package.control_file());
    if !package.conffiles.is_empty() {
        let lines = format!("/{}\n", package.conffiles.join("\n/"));
        place(&control.join("conffiles"), 0o644, &lines);
    }
    for (name, mode, text) in package.control {
        place(&control.join(name), *mode, text);
    }
    for (path, mode, text) in package.files {
        place(&tree.path().join(path), *mode, text);
    }
    let file = pool.join(package.file_name());
    let mut command = outer::command("dpkg-deb");
    command.args(["--build", "--root-owner-group", "-Zgzip", "-z1"]).arg(tree.path()).arg(&file);
    outer::must(command, DEADLINE);
    let paragraph = paragraph(package, &file);
    place(&pool.join(paragraph_name(package)), 0o644, &paragraph);
}

/// What apt needs to know: the control file, and where the package is and what it hashes to.
fn paragraph(package: &Package, file: &Path) -> String {
    paragraph_of(&package.control_file(), &package.file_name(), file)
}

/// The paragraph of a package file with this control file, served by this name.
pub(super) fn paragraph_of(control: &str, name: &str, file: &Path) -> String {
    let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let digest = Sha256::digest(&bytes);
    let digest = digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let size = bytes.len();
    format!("{control}Filename: ./{name}\nSize: {size}\nSHA256: {digest}\n")
}

fn place(path: &Path, mode: u32, text: &str) {
    let mut above: Vec<_> = path.ancestors().skip(1).take_while(|above| !above.exists()).collect();
    while let Some(directory) = above.pop() {
        fs::create_dir(directory)
            .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        set_mode(directory, 0o755);
    }
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    set_mode(path, mode);
}

/// Whatever the umask of whoever runs the tests is.
fn set_mode(path: &Path, mode: u32) {
    let permissions = fs::Permissions::from_mode(mode);
    fs::set_permissions(path, permissions)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
