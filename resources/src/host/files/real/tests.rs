//! The real port against planted links, hard links, FIFOs, umask, extended attributes, mounts and
//! full disks. Each runs in a root directory of its own.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use rustix::fs::{CWD, IFlags, Mode as RawMode, XattrFlags, ioctl_setflags};
use tempfile::TempDir;

use super::*;
use crate::failure::Failure;

const ACCESS: &str = "system.posix_acl_access";
const CAPABILITY: &str = "security.capability";

fn port(root: &Path) -> RealFiles {
    RealFiles::new(&HostOptions { root: root.to_owned(), ..HostOptions::default() })
}

fn scene() -> (TempDir, RealFiles) {
    let root = tempfile::tempdir().unwrap();
    let files = port(root.path());
    (root, files)
}

fn at(path: &str) -> AbsolutePath {
    AbsolutePath::parse(path).unwrap()
}

fn file(content: &[u8]) -> NewFile<'_> {
    let properties = Properties { mode: Some(Mode::new(0o644)), ..Properties::default() };
    NewFile { content, properties, inherit: true }
}

/// Writes as the kind does.
fn write(files: &mut RealFiles, path: &str, content: &[u8]) -> Result<Placement, FileError> {
    let over = match files.look(&at(path))? {
        None => Obstacle::Nothing,
        Some(_) => Obstacle::NonDirectory,
    };
    let staged = files.stage(&at(path), &file(content))?;
    if let Some(Err(error)) = files.sync(&[&staged]).pop() {
        files.discard(staged).unwrap();
        return Err(error);
    }
    let placement = files.commit(staged, over)?;
    files.settle()?;
    Ok(placement)
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn put(path: PathBuf, content: &str) {
    fs::File::create(path).unwrap().write_all(content.as_bytes()).unwrap();
}

fn set_mode(path: &Path, mode: u32) {
    rustix::fs::chmodat(CWD, path, RawMode::from_raw_mode(mode), AtFlags::empty()).unwrap();
}

fn give(path: &Path, uid: u32) {
    std::os::unix::fs::lchown(path, Some(uid), Some(uid)).unwrap();
}

fn needs_root() {
    assert!(rustix::process::geteuid().is_root(), "run as root");
}

fn untrusted(error: FileError) -> String {
    match error {
        FileError::UntrustedLink { link, .. } => link,
        other => panic!("{other}"),
    }
}

#[test]
fn links_in_directories_that_others_can_write_are_refused_for_everything() {
    for mode in [0o1777, 0o777, 0o775, 0o757] {
        let (root, mut files) = scene();
        let outside = tempfile::tempdir().unwrap();
        put(outside.path().join("victim"), "untouched");
        set_mode(&outside.path().join("victim"), 0o600);
        fs::create_dir_all(root.path().join("open/deep")).unwrap();
        symlink(outside.path(), root.path().join("open/deep/link")).unwrap();
        symlink("deep", root.path().join("open/way")).unwrap();
        set_mode(&root.path().join("open"), mode);
        set_mode(&root.path().join("open/deep"), mode);
        for path in ["/open/deep/link/victim", "/open/way/victim"] {
            let path = at(path);
            let properties = Properties { mode: Some(Mode::new(0o777)), ..Properties::default() };
            let refused = [
                untrusted(files.look(&path).unwrap_err()),
                untrusted(files.stage(&path, &file(b"x")).unwrap_err()),
                untrusted(files.make_directory(&path, &properties, Obstacle::Nothing).unwrap_err()),
                untrusted(
                    files
                        .make_link(&path, OsStr::new("x"), &properties, Obstacle::Nothing)
                        .unwrap_err(),
                ),
                untrusted(files.remove(&path, Obstacle::FullDirectory).unwrap_err()),
                untrusted(files.list(&path).unwrap_err()),
                untrusted(files.link_target(&path).unwrap_err()),
                untrusted(files.selinux(&path).unwrap_err()),
            ];
            assert!(refused.iter().all(|link| link.starts_with("/open/")), "{refused:?}");
        }
        let victim = outside.path().join("victim");
        assert_eq!(fs::read(&victim).unwrap(), b"untouched");
        assert_eq!(fs::metadata(&victim).unwrap().mode() & 0o777, 0o600);
    }
}

#[test]
fn links_below_a_directory_that_others_can_write_are_refused_unless_it_is_sticky() {
    for (mode, refused) in [(0o777, true), (0o775, true), (0o1777, false), (0o755, false)] {
        let (root, files) = scene();
        fs::create_dir_all(root.path().join("open/own")).unwrap();
        fs::create_dir(root.path().join("real")).unwrap();
        symlink("/real", root.path().join("open/own/link")).unwrap();
        set_mode(&root.path().join("open"), mode);
        set_mode(&root.path().join("open/own"), 0o755);
        let found = files.is_directory(&at("/open/own/link"));
        assert_eq!(found.is_err(), refused, "{mode:o}");
    }
}

#[test]
fn links_that_root_made_are_followed_within_the_root_directory() {
    let (root, mut files) = scene();
    fs::create_dir_all(root.path().join("usr/lib/deep")).unwrap();
    symlink("usr/lib", root.path().join("lib")).unwrap();
    symlink("/lib/../lib/deep", root.path().join("usr/absolute")).unwrap();
    symlink("../../../../../usr", root.path().join("usr/lib/up")).unwrap();
    symlink("loop", root.path().join("loop")).unwrap();
    for (number, path) in
        ["/lib/a", "/usr/absolute/b", "/usr/lib/up/absolute/c", "/lib/deep/d"].iter().enumerate()
    {
        write(&mut files, path, number.to_string().as_bytes()).unwrap();
    }
    assert_eq!(names(&root.path().join("usr/lib")), ["a", "deep", "up"]);
    assert_eq!(names(&root.path().join("usr/lib/deep")), ["b", "c", "d"]);
    assert!(matches!(files.look(&at("/loop/x")), Err(FileError::Reach { .. })));
    assert!(files.look(&at("/lib/nowhere/x")).unwrap().is_none());
    assert!(!files.is_directory(&at("/lib/a")).unwrap());
}

#[test]
fn a_link_cannot_lead_out_of_the_root_directory() {
    let (root, mut files) = scene();
    symlink("/etc", root.path().join("absolute")).unwrap();
    symlink("../../../../../../../../etc", root.path().join("relative")).unwrap();
    for path in ["/absolute/passwd", "/relative/passwd"] {
        assert!(files.look(&at(path)).unwrap().is_none(), "{path}");
        assert!(matches!(write(&mut files, path, b"x"), Err(FileError::NoDirectory { .. })));
    }
    fs::create_dir(root.path().join("etc")).unwrap();
    write(&mut files, "/absolute/passwd", b"ours").unwrap();
    assert_eq!(fs::read(root.path().join("etc/passwd")).unwrap(), b"ours");
}

#[test]
fn the_last_component_is_never_followed() {
    let (root, mut files) = scene();
    put(root.path().join("victim"), "untouched");
    set_mode(&root.path().join("victim"), 0o600);
    symlink("victim", root.path().join("link")).unwrap();
    let seen = files.look(&at("/link")).unwrap().unwrap();
    assert_eq!(seen.kind, FileType::Symlink);
    let own = rustix::process::geteuid().as_raw();
    let all =
        Properties { owner: Some(own), mode: Some(Mode::new(0o777)), ..Properties::default() };
    files.adjust(&at("/link"), &seen, &all).unwrap();
    assert!(files.list(&at("/link")).is_err());
    write(&mut files, "/link", b"a file now").unwrap();
    assert_eq!(fs::read(root.path().join("victim")).unwrap(), b"untouched");
    assert_eq!(fs::metadata(root.path().join("victim")).unwrap().mode() & 0o777, 0o600);
    assert!(fs::symlink_metadata(root.path().join("link")).unwrap().is_file());
}

#[test]
fn a_fifo_is_not_opened_even_if_it_comes_between_look_and_open() {
    let (root, files) = scene();
    put(root.path().join("it"), "four");
    let seen = files.look(&at("/it")).unwrap().unwrap();
    fs::remove_file(root.path().join("it")).unwrap();
    rustix::fs::mknodat(
        CWD,
        root.path().join("it"),
        rustix::fs::FileType::Fifo,
        RawMode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    // A port that opened it for reading would hang here for ever.
    assert!(matches!(
        files.holds(&at("/it"), &seen, b"four"),
        Err(FileError::ChangedMeanwhile { .. })
    ));
    let fifo = files.look(&at("/it")).unwrap().unwrap();
    assert!(!files.holds(&at("/it"), &fifo, b"").unwrap());
    assert!(matches!(files.digest(&at("/it"), &fifo), Err(FileError::ChangedMeanwhile { .. })));
}

#[test]
fn properties_of_a_fifo_are_set_without_opening_it() {
    let (root, mut files) = scene();
    let path = root.path().join("it");
    rustix::fs::mknodat(CWD, &path, rustix::fs::FileType::Fifo, RawMode::from_raw_mode(0o600), 0)
        .unwrap();
    let seen = files.look(&at("/it")).unwrap().unwrap();
    let properties = Properties { mode: Some(Mode::new(0o640)), ..Properties::default() };
    files.adjust(&at("/it"), &seen, &properties).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
}

#[test]
fn a_hard_link_that_others_can_have_made_keeps_owner_and_permissions() {
    let (root, mut files) = scene();
    for (mode, links, refused) in [
        (0o755, 2, false),
        (0o777, 1, false),
        (0o777, 2, true),
        (0o1777, 2, true),
        (0o775, 2, true),
    ] {
        let directory = root.path().join(format!("d{mode:o}{links}"));
        fs::create_dir(&directory).unwrap();
        put(directory.join("it"), "x");
        set_mode(&directory.join("it"), 0o600);
        if links == 2 {
            fs::hard_link(directory.join("it"), root.path().join(format!("other{mode:o}")))
                .unwrap();
        }
        set_mode(&directory, mode);
        let path = at(&format!("/d{mode:o}{links}/it"));
        let seen = files.look(&path).unwrap().unwrap();
        let properties = Properties { mode: Some(Mode::new(0o666)), ..Properties::default() };
        let done = files.adjust(&path, &seen, &properties);
        assert_eq!(
            matches!(done, Err(FileError::PlantedHardLink { .. })),
            refused,
            "{mode:o} {links}"
        );
        let now = fs::metadata(directory.join("it")).unwrap().mode() & 0o777;
        assert_eq!(now, if refused { 0o600 } else { 0o666 });
        // Replacing never touches the other name.
        write(&mut files, &path.to_string(), b"new").unwrap();
        if links == 2 {
            assert_eq!(fs::read(root.path().join(format!("other{mode:o}"))).unwrap(), b"x");
        }
    }
}

#[test]
#[ignore = "needs root"]
fn what_a_user_plants_does_not_make_root_touch_anything_else() {
    needs_root();
    let (root, mut files) = scene();
    let (home, etc) = (root.path().join("home"), root.path().join("etc"));
    fs::create_dir(&etc).unwrap();
    put(etc.join("shadow"), "secret");
    set_mode(&etc.join("shadow"), 0o600);
    fs::create_dir(&home).unwrap();
    fs::create_dir(home.join("real")).unwrap();
    symlink("/etc", home.join("link")).unwrap();
    fs::hard_link(etc.join("shadow"), home.join("hard")).unwrap();
    symlink("/etc/shadow", home.join("soft")).unwrap();
    give(&home.join("link"), 65534);
    give(&home.join("soft"), 65534);
    give(&home.join("real"), 65534);
    give(&home, 65534);
    set_mode(&home, 0o755);

    untrusted(write(&mut files, "/home/link/shadow", b"x").unwrap_err());
    // Root's own link there is no better: the user decides what lies beside it.
    symlink("/etc", home.join("roots")).unwrap();
    untrusted(write(&mut files, "/home/roots/shadow", b"x").unwrap_err());
    let everyone =
        Properties { owner: Some(65534), mode: Some(Mode::new(0o666)), ..Properties::default() };
    let hard = files.look(&at("/home/hard")).unwrap().unwrap();
    assert!(matches!(
        files.adjust(&at("/home/hard"), &hard, &everyone),
        Err(FileError::PlantedHardLink { .. })
    ));
    let soft = files.look(&at("/home/soft")).unwrap().unwrap();
    files.adjust(&at("/home/soft"), &soft, &everyone).unwrap();
    files.remove(&at("/home/soft"), Obstacle::NonDirectory).unwrap();
    // What is the user's is managed all the same.
    write(&mut files, "/home/real/file", b"x").unwrap();
    files.remove(&at("/home"), Obstacle::FullDirectory).unwrap();

    let shadow = fs::metadata(etc.join("shadow")).unwrap();
    assert_eq!((shadow.uid(), shadow.mode() & 0o7777), (0, 0o600));
    assert_eq!(fs::read(etc.join("shadow")).unwrap(), b"secret");
    assert_eq!(names(&etc), ["shadow"]);
}

#[test]
fn removal_follows_nothing() {
    let (root, mut files) = scene();
    let outside = tempfile::tempdir().unwrap();
    put(outside.path().join("kept"), "x");
    fs::create_dir_all(root.path().join("tree/a/b")).unwrap();
    symlink(outside.path(), root.path().join("tree/a/link")).unwrap();
    symlink("..", root.path().join("tree/a/b/up")).unwrap();
    put(root.path().join("tree/a/file"), "x");
    assert!(files.remove(&at("/tree"), Obstacle::EmptyDirectory).is_err());
    files.remove(&at("/tree"), Obstacle::FullDirectory).unwrap();
    assert!(names(root.path()).is_empty());
    assert_eq!(names(outside.path()), ["kept"]);
    files.remove(&at("/tree"), Obstacle::FullDirectory).unwrap();
    files.remove(&at("/never/was"), Obstacle::NonDirectory).unwrap();
}

#[test]
fn replacement_keeps_extended_attributes_and_permissions() {
    let (root, mut files) = scene();
    let path = root.path().join("it");
    put(path.clone(), "old");
    if rustix::fs::setxattr(&path, "user.note", b"kept", XattrFlags::empty()).is_err() {
        return; // The file system has none.
    }
    let seen = files.look(&at("/it")).unwrap().unwrap();
    let new = NewFile {
        content: b"new",
        properties: Properties { mode: Some(Mode::new(0o4750)), ..attributes::describe(&seen) },
        inherit: true,
    };
    let staged = files.stage(&at("/it"), &new).unwrap();
    files.commit(staged, Obstacle::NonDirectory).unwrap();
    let mut value = [0; 16];
    let length = rustix::fs::getxattr(&path, "user.note", &mut value).unwrap();
    assert_eq!(&value[..length], b"kept");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o4750);
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

/// An access ACL `u::rw-,u:65534:r--,g::r--,m::r--,o::---` in the kernel's form (`acl(5)`,
/// `linux/posix_acl_xattr.h`).
fn access_list() -> Vec<u8> {
    let mut value = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in [
        (0x01_u16, 6_u16, u32::MAX),
        (0x02, 4, 65534),
        (0x04, 4, u32::MAX),
        (0x10, 4, u32::MAX),
        (0x20, 0, u32::MAX),
    ] {
        value.extend(tag.to_le_bytes());
        value.extend(permissions.to_le_bytes());
        value.extend(id.to_le_bytes());
    }
    value
}

#[test]
fn replacement_keeps_the_access_list_and_only_that() {
    let (root, mut files) = scene();
    let path = root.path().join("it");
    put(path.clone(), "old");
    if rustix::fs::setxattr(&path, ACCESS, &access_list(), XattrFlags::empty()).is_err() {
        return; // The file system has none.
    }
    let mode = Mode::new(0o640);
    let properties = Properties { mode: Some(mode), ..Properties::default() };
    let staged =
        files.stage(&at("/it"), &NewFile { content: b"new", properties, inherit: true }).unwrap();
    files.commit(staged, Obstacle::NonDirectory).unwrap();
    let mut value = [0; 128];
    let length = rustix::fs::getxattr(&path, ACCESS, &mut value).unwrap();
    assert_eq!(value[..length], access_list());
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
    // A file without one does not get its directory's default one.
    let directory = root.path().join("d");
    fs::create_dir(&directory).unwrap();
    put(directory.join("plain"), "old");
    rustix::fs::setxattr(
        &directory,
        "system.posix_acl_default",
        &access_list(),
        XattrFlags::empty(),
    )
    .unwrap();
    write(&mut files, "/d/plain", b"new").unwrap();
    assert!(rustix::fs::getxattr(directory.join("plain"), ACCESS, &mut value).is_err());
}

#[test]
#[ignore = "needs root"]
fn capabilities_survive_replacement_and_a_change_of_owner() {
    needs_root();
    // cap_net_bind_service=ep, version 2 (`capabilities(7)`).
    let mut capability = 0x0200_0001_u32.to_le_bytes().to_vec();
    capability.extend([0x00, 0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let (root, mut files) = scene();
    let path = root.path().join("it");
    put(path.clone(), "old");
    rustix::fs::setxattr(&path, CAPABILITY, &capability, XattrFlags::empty()).unwrap();
    let has = || {
        let mut value = [0; 64];
        rustix::fs::getxattr(&path, CAPABILITY, &mut value).map(|length| value[..length].to_vec())
    };
    let properties =
        Properties { owner: Some(1), mode: Some(Mode::new(0o755)), ..Properties::default() };
    let new = NewFile { content: b"new", properties, inherit: true };
    let staged = files.stage(&at("/it"), &new).unwrap();
    files.commit(staged, Obstacle::NonDirectory).unwrap();
    assert_eq!(has().unwrap(), capability);
    let seen = files.look(&at("/it")).unwrap().unwrap();
    assert_eq!(seen.uid, 1);
    let properties = Properties { owner: Some(2), ..Properties::default() };
    files.adjust(&at("/it"), &seen, &properties).unwrap();
    assert_eq!(has().unwrap(), capability);
    assert_eq!(fs::metadata(&path).unwrap().uid(), 2);
}

#[test]
fn the_umask_never_shows() {
    // A file system context of this thread's own, so that no other test sees the umask.
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_FS).unwrap();
    for umask in [0o000, 0o022, 0o077] {
        let (root, mut files) = scene();
        rustix::process::umask(RawMode::from_raw_mode(umask));
        write(&mut files, "/file", b"x").unwrap();
        let properties = Properties { mode: Some(Mode::new(0o1777)), ..Properties::default() };
        files.make_directory(&at("/open"), &properties, Obstacle::Nothing).unwrap();
        files.make_directory(&at("/plain"), &Properties::default(), Obstacle::Nothing).unwrap();
        for (name, mode) in [("file", 0o644), ("open", 0o1777), ("plain", 0o755)] {
            let found = fs::metadata(root.path().join(name)).unwrap().mode() & 0o7777;
            assert_eq!(found, mode, "{name} with {umask:o}");
        }
    }
}

#[test]
fn a_candidate_is_closed_until_it_is_dressed_and_gone_when_discarded() {
    let (root, mut files) = scene();
    let properties = Properties { mode: Some(Mode::new(0o640)), ..Properties::default() };
    let staged =
        files.stage(&at("/it"), &NewFile { content: b"x", properties, inherit: true }).unwrap();
    let candidate = root.path().join(staged.candidate().as_path().strip_prefix("/").unwrap());
    assert_eq!(fs::metadata(&candidate).unwrap().permissions().mode() & 0o7777, 0o640);
    files.discard(staged).unwrap();
    assert!(names(root.path()).is_empty());
}

#[test]
fn what_appeared_meanwhile_is_not_overwritten() {
    let (root, mut files) = scene();
    let staged = files.stage(&at("/it"), &file(b"ours")).unwrap();
    put(root.path().join("it"), "theirs");
    let outcome = files.commit(staged, Obstacle::Nothing);
    assert!(matches!(outcome, Err(FileError::ChangedMeanwhile { .. })));
    assert_eq!(fs::read(root.path().join("it")).unwrap(), b"theirs");
    assert_eq!(names(root.path()), ["it"]);
}

#[test]
fn a_directory_that_filled_meanwhile_stays() {
    let (root, mut files) = scene();
    fs::create_dir(root.path().join("it")).unwrap();
    put(root.path().join("it/new"), "theirs");
    let staged = files.stage(&at("/it"), &file(b"ours")).unwrap();
    assert!(files.commit(staged, Obstacle::EmptyDirectory).is_err());
    assert_eq!(fs::read(root.path().join("it/new")).unwrap(), b"theirs");
    assert_eq!(names(root.path()), ["it"]);
}

#[test]
fn leftovers_go_with_the_next_change_or_the_sweep_and_nothing_else_does() {
    let (root, mut files) = scene();
    let leftover = candidate_of(1);
    let scatter = |directory: &Path| {
        fs::create_dir_all(directory.join(candidate_of(2)).join("inner")).unwrap();
        put(directory.join(&leftover), "half");
        symlink("/nowhere", directory.join(candidate_of(3))).unwrap();
        put(directory.join(".steadfast.mine.tmp"), "a user's own");
    };
    for directory in ["a", "b", "c"] {
        fs::create_dir(root.path().join(directory)).unwrap();
        scatter(&root.path().join(directory));
    }
    write(&mut files, "/a/file", b"x").unwrap();
    assert_eq!(names(&root.path().join("a")), [".steadfast.mine.tmp", "file"]);
    let gone = port(root.path()).sweep(&[at("/b"), at("/nowhere")]).unwrap();
    assert_eq!(gone.len(), 3);
    assert_eq!(names(&root.path().join("b")), [".steadfast.mine.tmp"]);
    assert_eq!(names(&root.path().join("c")).len(), 4);
}

fn candidate_of(number: u8) -> String {
    format!(".steadfast.{number:032x}.tmp")
}

#[test]
fn a_root_directory_that_is_not_there_is_named() {
    let files = port(Path::new("/nonexistent/root"));
    let error = files.look(&at("/etc")).unwrap_err();
    assert!(Failure::from(error).reason.contains("/nonexistent/root"));
}

/// A mount namespace of this thread's own, with a small tmpfs at the root directory.
fn small_disk(options: &str) -> (TempDir, RealFiles) {
    needs_root();
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
    let nothing: Option<&str> = None;
    mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing).unwrap();
    let root = tempfile::tempdir().unwrap();
    mount(Some("tmpfs"), root.path(), Some("tmpfs"), MsFlags::empty(), Some(options)).unwrap();
    let files = port(root.path());
    (root, files)
}

#[test]
#[ignore = "needs root"]
fn a_full_disk_leaves_the_old_content_and_nothing_else() {
    let (root, mut files) = small_disk("size=64k,mode=755");
    write(&mut files, "/it", b"old").unwrap();
    let error = write(&mut files, "/it", &vec![b'x'; 1 << 20]).unwrap_err();
    let failure = Failure::from(error);
    assert!(failure.reason.contains("/it"), "{failure}");
    assert!(failure.hint.unwrap().contains("full"));
    assert_eq!(fs::read(root.path().join("it")).unwrap(), b"old");
    assert_eq!(names(root.path()), ["it"]);
}

#[test]
#[ignore = "needs root"]
fn no_more_inodes_leaves_the_old_content() {
    let (root, mut files) = small_disk("nr_inodes=4,mode=755");
    write(&mut files, "/it", b"old").unwrap();
    write(&mut files, "/two", b"x").unwrap();
    write(&mut files, "/three", b"x").unwrap();
    let failure = Failure::from(write(&mut files, "/it", b"new").unwrap_err());
    assert!(failure.hint.unwrap().contains("inodes"));
    assert_eq!(fs::read(root.path().join("it")).unwrap(), b"old");
}

#[test]
#[ignore = "needs root"]
fn a_read_only_file_system_is_named_as_such() {
    let (root, mut files) = small_disk("mode=755");
    write(&mut files, "/it", b"old").unwrap();
    let nothing: Option<&str> = None;
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(nothing, root.path(), nothing, flags, nothing).unwrap();
    for error in [
        write(&mut files, "/it", b"new").unwrap_err(),
        write(&mut files, "/new", b"new").unwrap_err(),
        files.remove(&at("/it"), Obstacle::NonDirectory).unwrap_err(),
    ] {
        assert!(Failure::from(error).hint.unwrap().contains("read-only"));
    }
    assert_eq!(fs::read(root.path().join("it")).unwrap(), b"old");
}

#[test]
#[ignore = "needs root"]
fn a_bind_mounted_file_is_written_in_place_and_survives_a_full_disk() {
    let (root, mut files) = small_disk("size=64k,mode=755");
    write(&mut files, "/real", b"old and longer").unwrap();
    write(&mut files, "/mounted", b"").unwrap();
    let nothing: Option<&str> = None;
    let (real, mounted) = (root.path().join("real"), root.path().join("mounted"));
    mount(Some(&real), &mounted, nothing, MsFlags::MS_BIND, nothing).unwrap();
    assert!(files.look(&at("/mounted")).unwrap().unwrap().mount_point);
    assert_eq!(write(&mut files, "/mounted", b"new").unwrap(), Placement::InPlace);
    assert_eq!(fs::read(&real).unwrap(), b"new");
    assert_eq!(names(root.path()), ["mounted", "real"]);
    let refused = files.remove(&at("/mounted"), Obstacle::NonDirectory);
    assert!(matches!(refused, Err(FileError::MountPoint { .. })));
}

#[test]
#[ignore = "needs root"]
fn a_tree_with_a_mount_below_is_not_touched() {
    let (root, mut files) = small_disk("mode=755");
    fs::create_dir_all(root.path().join("tree/z/mounted")).unwrap();
    fs::create_dir(root.path().join("other")).unwrap();
    put(root.path().join("other/kept"), "x");
    put(root.path().join("tree/a"), "x");
    let nothing: Option<&str> = None;
    let point = root.path().join("tree/z/mounted");
    mount(Some(&root.path().join("other")), &point, nothing, MsFlags::MS_BIND, nothing).unwrap();
    let refused = files.remove(&at("/tree"), Obstacle::FullDirectory);
    assert!(matches!(refused, Err(FileError::MountPoint { .. })));
    let staged = files.stage(&at("/tree"), &file(b"x")).unwrap();
    let refused = files.commit(staged, Obstacle::FullDirectory);
    assert!(matches!(refused, Err(FileError::MountPoint { .. })));
    assert_eq!(names(&root.path().join("tree")), ["a", "z"]);
    assert_eq!(names(&root.path().join("other")), ["kept"]);
    assert_eq!(names(root.path()), ["other", "tree"]);
}

#[test]
#[ignore = "needs root"]
fn an_immutable_file_is_named_as_such() {
    needs_root();
    let (root, mut files) = scene();
    put(root.path().join("it"), "old");
    let open = fs::File::open(root.path().join("it")).unwrap();
    if ioctl_setflags(&open, IFlags::IMMUTABLE).is_err() {
        return; // The file system has no such flag.
    }
    let failure = Failure::from(write(&mut files, "/it", b"new").unwrap_err());
    ioctl_setflags(&open, IFlags::empty()).unwrap();
    assert!(failure.hint.unwrap().contains("lsattr"));
    assert_eq!(fs::read(root.path().join("it")).unwrap(), b"old");
    assert_eq!(names(root.path()), ["it"]);
}

#[test]
#[ignore = "needs root"]
fn a_context_belongs_to_the_thing_itself() {
    needs_root();
    let (root, mut files) = scene();
    put(root.path().join("target"), "x");
    let context = Some("system_u:object_r:etc_t:s0");
    let properties = Properties { owner: Some(1), selinux: context, ..Properties::default() };
    files.make_link(&at("/link"), OsStr::new("target"), &properties, Obstacle::Nothing).unwrap();
    assert_eq!(files.selinux(&at("/link")).unwrap().as_deref(), context);
    assert_eq!(files.selinux(&at("/target")).unwrap(), None);
    let properties = Properties { selinux: Some("a:b:c"), ..Properties::default() };
    for path in ["/link", "/target"] {
        let seen = files.look(&at(path)).unwrap().unwrap();
        files.adjust(&at(path), &seen, &properties).unwrap();
        assert_eq!(files.selinux(&at(path)).unwrap().as_deref(), Some("a:b:c"), "{path}");
    }
    // It stays when the file is replaced.
    write(&mut files, "/target", b"new").unwrap();
    assert_eq!(files.selinux(&at("/target")).unwrap().as_deref(), Some("a:b:c"));
    let link = fs::symlink_metadata(root.path().join("link")).unwrap();
    assert_eq!((link.uid(), fs::metadata(root.path().join("target")).unwrap().uid()), (1, 0));
}

#[test]
fn a_file_that_its_owner_cannot_read_is_made_durable() {
    let (_root, mut files) = scene();
    let properties = Properties { mode: Some(Mode::new(0)), ..Properties::default() };
    let closed = NewFile { content: b"x", properties, inherit: false };
    let staged = files.stage(&at("/it"), &closed).unwrap();
    files.sync(&[&staged]).into_iter().for_each(Result::unwrap);
    files.commit(staged, Obstacle::Nothing).unwrap();
    assert_eq!(files.look(&at("/it")).unwrap().unwrap().mode.bits(), 0);
}

#[test]
fn a_directory_that_cannot_be_emptied_gets_its_place_back() {
    let (root, mut files) = scene();
    let inner = root.path().join("it/inner");
    fs::create_dir_all(&inner).unwrap();
    put(inner.join("kept"), "theirs");
    let is_root = rustix::process::geteuid().is_root();
    let open = fs::File::open(inner.join("kept")).unwrap();
    if !is_root {
        set_mode(&inner, 0o500);
    } else if ioctl_setflags(&open, IFlags::IMMUTABLE).is_err() {
        return; // Nothing here stops root.
    }
    let staged = files.stage(&at("/it"), &file(b"ours")).unwrap();
    let outcome = files.commit(staged, Obstacle::FullDirectory);
    if is_root {
        ioctl_setflags(&open, IFlags::empty()).unwrap();
    } else {
        set_mode(&inner, 0o700);
    }
    assert!(matches!(outcome, Err(FileError::Remove { .. })));
    assert_eq!(fs::read(inner.join("kept")).unwrap(), b"theirs");
    assert_eq!(names(root.path()), ["it"]);
    files.settle().unwrap();
}

/// An access ACL with which uid 65534 may do everything.
fn planted_list() -> Vec<u8> {
    let mut value = 2_u32.to_le_bytes().to_vec();
    for (tag, id) in
        [(0x01_u16, u32::MAX), (0x02, 65534), (0x04, u32::MAX), (0x10, u32::MAX), (0x20, u32::MAX)]
    {
        value.extend(tag.to_le_bytes());
        value.extend(7_u16.to_le_bytes());
        value.extend(id.to_le_bytes());
    }
    value
}

/// Sets an extended attribute; false where the file system has none of that kind.
fn set(path: &Path, name: &str, value: &[u8]) -> bool {
    rustix::fs::setxattr(path, name, value, XattrFlags::empty()).is_ok()
}

fn has(path: &Path, name: &str) -> bool {
    rustix::fs::getxattr(path, name, &mut [0; 256]).is_ok()
}

const DEFAULT: &str = "system.posix_acl_default";

#[test]
#[ignore = "needs root"]
fn a_strangers_access_list_does_not_outlive_their_ownership() {
    needs_root();
    let (root, mut files) = scene();
    let path = root.path().join("it");
    let root_only = Properties {
        owner: Some(0),
        group: Some(0),
        mode: Some(Mode::new(0o640)),
        ..Properties::default()
    };
    for (found, owner, kept) in
        [(65534, 0, false), (65534, 1, false), (65534, 65534, true), (0, 0, true), (0, 1, true)]
    {
        let properties = Properties { owner: Some(owner), ..root_only };
        for replaced in [true, false] {
            let _ = fs::remove_file(&path);
            put(path.clone(), "theirs");
            give(&path, found);
            if !set(&path, ACCESS, &planted_list()) {
                return; // The file system has none.
            }
            assert!(set(&path, "user.note", b"theirs"));
            assert!(files.has_access_list(&at("/it")).unwrap());
            if replaced {
                let new = NewFile { content: b"secret", properties, inherit: true };
                let staged = files.stage(&at("/it"), &new).unwrap();
                files.commit(staged, Obstacle::NonDirectory).unwrap();
                assert_eq!(has(&path, "user.note"), kept, "{found} -> {owner}");
            } else {
                let seen = files.look(&at("/it")).unwrap().unwrap();
                files.adjust(&at("/it"), &seen, &properties).unwrap();
            }
            assert_eq!(has(&path, ACCESS), kept, "{found} -> {owner}, replaced: {replaced}");
            assert_eq!(files.has_access_list(&at("/it")).unwrap(), kept);
            let metadata = fs::metadata(&path).unwrap();
            assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (owner, 0o640));
        }
    }
    // A directory loses also the one for what is made in it.
    let directory = root.path().join("d");
    fs::create_dir(&directory).unwrap();
    give(&directory, 65534);
    assert!(set(&directory, ACCESS, &planted_list()) && set(&directory, DEFAULT, &planted_list()));
    let seen = files.look(&at("/d")).unwrap().unwrap();
    files.adjust(&at("/d"), &seen, &root_only).unwrap();
    assert!(!has(&directory, ACCESS) && !has(&directory, DEFAULT));
}

#[test]
#[ignore = "needs root"]
fn nothing_new_takes_the_access_list_that_a_stranger_gives_their_directory() {
    needs_root();
    let (root, mut files) = scene();
    let directory = root.path().join("d");
    fs::create_dir(&directory).unwrap();
    if !set(&directory, DEFAULT, &planted_list()) {
        return; // The file system has none.
    }
    let properties =
        Properties { owner: Some(0), mode: Some(Mode::new(0o750)), ..Properties::default() };
    // Root's own directory gives it to directories, as its owner wished.
    files.make_directory(&at("/d/kept"), &properties, Obstacle::Nothing).unwrap();
    assert!(has(&directory.join("kept"), DEFAULT));
    give(&directory, 65534);
    for inherit in [true, false] {
        let new = NewFile { content: b"secret", properties, inherit };
        let staged = files.stage(&at("/d/new"), &new).unwrap();
        files.commit(staged, Obstacle::Nothing).unwrap();
        assert!(!has(&directory.join("new"), ACCESS), "inherit: {inherit}");
        files.remove(&at("/d/new"), Obstacle::NonDirectory).unwrap();
    }
    // Neither does what takes the place of something that is no file.
    symlink("/dev/null", directory.join("new")).unwrap();
    let new = NewFile { content: b"secret", properties, inherit: true };
    let staged = files.stage(&at("/d/new"), &new).unwrap();
    files.commit(staged, Obstacle::NonDirectory).unwrap();
    assert!(!has(&directory.join("new"), ACCESS));
    files.make_directory(&at("/d/closed"), &properties, Obstacle::Nothing).unwrap();
    assert!(!has(&directory.join("closed"), ACCESS) && !has(&directory.join("closed"), DEFAULT));
}
