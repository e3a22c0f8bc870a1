use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;

use steadfast_resources::{Bucket, Reference};

use super::*;

fn scratch() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    (directory, path)
}

fn owe(state: &State, source: &str, target: &str, run: &str) {
    let source = Reference::new("file", source);
    let target = Reference::new("service", target);
    state.owe([(&source, &target)], "2026-01-01T00:00:00Z", run).unwrap();
}

#[test]
fn garbage_is_set_aside_under_a_new_name_each_time() {
    let (_scratch, path) = scratch();
    drop(State::open(&path).unwrap());
    for aside in ["state.sqlite.damaged", "state.sqlite.damaged.1"] {
        File::create(path.join("state.sqlite")).unwrap().write_all(&[b'x'; 9000]).unwrap();
        assert!(State::open_read_only(Path::new("/"), &path).unwrap().is_none());
        let state = State::open(&path).unwrap();
        assert!(state.owed().unwrap().is_empty());
        assert_eq!(std::fs::read(path.join(aside)).unwrap(), [b'x'; 9000]);
    }
}

#[test]
fn damage_behind_the_header_is_noticed() {
    let (_scratch, path) = scratch();
    let state = State::open(&path).unwrap();
    owe(&state, "/etc/a", "a", "1");
    drop(state);
    let mut file = OpenOptions::new().write(true).open(path.join("state.sqlite")).unwrap();
    let length = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(4096)).unwrap();
    file.write_all(&vec![0xff; usize::try_from(length).unwrap() - 4096]).unwrap();
    assert!(State::open_read_only(Path::new("/"), &path).unwrap().is_none());
    assert!(!path.join("state.sqlite.damaged").exists(), "reading changes nothing");
    let state = State::open(&path).unwrap();
    owe(&state, "/etc/a", "a", "2");
    assert_eq!(state.owed().unwrap().len(), 1);
    assert!(path.join("state.sqlite.damaged").exists());
}

#[test]
fn what_is_readable_of_a_damaged_database_is_taken_over() {
    let (_scratch, path) = scratch();
    let state = State::open(&path).unwrap();
    owe(&state, "/etc/a", "a", "1");
    state.run_begins("1", &Places::new()).unwrap();
    state.database.connection.execute_batch("DROP TABLE kept").unwrap();
    drop(state);
    let state = State::open(&path).unwrap();
    assert_eq!(state.owed().unwrap().len(), 1);
    assert_eq!(state.interrupted_run().unwrap().as_deref(), Some("1"));
    assert!(state.kept(None).unwrap().is_empty());
}

#[test]
fn reading_makes_no_file_and_sees_what_a_run_wrote() {
    let (_scratch, path) = scratch();
    assert!(State::open_read_only(Path::new("/"), &path).unwrap().is_none());
    assert!(!path.exists());
    let state = State::open(&path).unwrap();
    owe(&state, "/etc/a", "a", "1");
    let reader = State::open_read_only(Path::new("/"), &path).unwrap().unwrap();
    assert_eq!(reader.owed().unwrap().len(), 1, "while the run goes on");
    drop(reader);
    drop(state);
    let before = path.read_dir().unwrap().count();
    let reader = State::open_read_only(Path::new("/"), &path).unwrap().unwrap();
    assert_eq!(reader.owed().unwrap().len(), 1);
    assert!(reader.run_begins("2", &Places::new()).is_err());
    assert_eq!(path.read_dir().unwrap().count(), before);
}

#[test]
fn only_the_own_run_is_forgiven_and_delivery_settles() {
    let (_scratch, path) = scratch();
    let state = State::open(&path).unwrap();
    owe(&state, "/etc/a", "one", "1");
    owe(&state, "/etc/a", "one", "2");
    owe(&state, "/etc/a", "two", "2");
    state.forgive(&[&Reference::new("file", "/etc/a")], "2").unwrap();
    let owed = state.owed().unwrap();
    assert_eq!(owed.len(), 1);
    assert_eq!((owed[0].target_title.as_str(), owed[0].run.as_str()), ("one", "1"));
    state.settle("service", "two").unwrap();
    assert_eq!(state.owed().unwrap().len(), 1);
    state.settle("service", "one").unwrap();
    assert!(state.owed().unwrap().is_empty());
}

#[test]
fn kept_content_is_found_again_after_a_flush() {
    let (scratch, path) = scratch();
    let original = scratch.path().join("original");
    File::create(&original).unwrap().write_all(b"before").unwrap();
    let mut state = State::open(&path).unwrap();
    let file = File::open(&original).unwrap();
    let kept = state.bucket.keep(&original, file.as_fd()).unwrap();
    assert_eq!(kept, digest(b"before"));
    assert!(state.kept(None).unwrap().is_empty(), "not before the flush");
    state.bucket.flush().unwrap();
    drop(state);
    let state = State::open(&path).unwrap();
    let listed = state.kept(original.to_str()).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].digest.as_str(), listed[0].size), (kept.as_str(), 6));
    let mut text = String::new();
    state.bucket.open(&kept).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "before");
}

#[test]
fn what_a_cut_off_store_left_goes_and_kept_contents_stay() {
    let (scratch, path) = scratch();
    let original = scratch.path().join("original");
    File::create(&original).unwrap().write_all(b"before").unwrap();
    let mut state = State::open(&path).unwrap();
    state.bucket.sweep().unwrap();
    let kept = state.bucket.keep(&original, File::open(&original).unwrap().as_fd()).unwrap();
    let bucket = path.join("bucket");
    File::create(bucket.join(".keeping.Ab12Cd")).unwrap().write_all(b"half").unwrap();
    std::fs::create_dir(bucket.join(".keeping.directory")).unwrap();
    state.bucket.sweep().unwrap();
    assert!(!bucket.join(".keeping.Ab12Cd").exists());
    assert!(bucket.join(".keeping.directory").exists());
    assert!(state.bucket.open(&kept).is_ok());
}
