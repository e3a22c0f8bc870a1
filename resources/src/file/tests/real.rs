//! The kind on the real port, in a root directory of its own.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;
use crate::host::{HostOptions, RealHost};

fn host(root: &Path) -> RealHost {
    RealHost::new(&HostOptions { root: root.to_owned(), ..HostOptions::default() })
}

#[test]
fn a_thousand_files_in_one_batch() {
    let root = tempfile::tempdir().unwrap();
    let mut host = host(root.path());
    let directory = wish("/d", vec![("ensure", text("directory"))]);
    settle(&directory, &mut host, &mut Kept::default());
    let wishes: Vec<Wanted> = (0..1000)
        .map(|n| {
            wish(
                &format!("/d/f{n}"),
                vec![("content", text(&format!("{n}\n"))), ("mode", text("0640"))],
            )
        })
        .collect();
    let results = converge_together(&wishes, &mut host, &mut Kept::default());
    assert!(results.iter().all(Result::is_ok));
    for wanted in &wishes {
        assert!(plan(wanted, &host).unwrap().steps.is_empty());
    }
    assert_eq!(std::fs::read_dir(root.path().join("d")).unwrap().count(), 1000);
}

#[test]
fn drift_of_every_type_is_corrected() {
    let root = tempfile::tempdir().unwrap();
    let mut host = host(root.path());
    let path = root.path().join("it");
    let wanted = wish(
        "/it",
        vec![("content", text("right\n")), ("mode", text("0644")), ("force", Value::Boolean(true))],
    );
    settle(&wanted, &mut host, &mut Kept::default());
    let outside = tempfile::NamedTempFile::new().unwrap();
    let drifts: [(&str, &dyn Fn()); 7] = [
        ("content", &|| std::fs::File::create(&path).map(drop).unwrap()),
        ("mode", &|| rustix::fs::chmod(&path, rustix::fs::Mode::from_raw_mode(0o777)).unwrap()),
        ("gone", &|| std::fs::remove_file(&path).unwrap()),
        ("link", &|| {
            std::fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(outside.path(), &path).unwrap();
        }),
        ("directory", &|| {
            std::fs::remove_file(&path).unwrap();
            std::fs::create_dir_all(path.join("full/deep")).unwrap();
            std::fs::File::create(path.join("full/file")).unwrap();
        }),
        ("fifo", &|| {
            std::fs::remove_file(&path).unwrap();
            rustix::fs::mknodat(
                rustix::fs::CWD,
                &path,
                rustix::fs::FileType::Fifo,
                rustix::fs::Mode::from_raw_mode(0o600),
                0,
            )
            .unwrap();
        }),
        ("socket", &|| {
            std::fs::remove_file(&path).unwrap();
            std::os::unix::net::UnixListener::bind(&path).map(drop).unwrap();
        }),
    ];
    for (name, drift) in drifts {
        drift();
        assert_eq!(settle(&wanted, &mut host, &mut Kept::default()), 1, "{name}");
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        assert!(metadata.is_file() && metadata.permissions().mode() & 0o7777 == 0o644, "{name}");
        assert_eq!(std::fs::read(&path).unwrap(), b"right\n", "{name}");
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1, "{name}: leftovers");
    }
    assert_eq!(std::fs::metadata(outside.path()).unwrap().size(), 0);
}

/// The workload of the benchmark: how long ten thousand files take, first and again. Run it with
/// `cargo test --release -p steadfast-resources -- --ignored --nocapture ten_thousand`.
#[test]
#[ignore = "a measurement"]
#[expect(clippy::print_stderr, reason = "what it measures is printed, not asserted")]
fn ten_thousand_files() {
    let root = tempfile::tempdir_in(".").unwrap();
    std::fs::create_dir(root.path().join("etc")).unwrap();
    std::fs::copy("/etc/passwd", root.path().join("etc/passwd")).unwrap();
    std::fs::copy("/etc/group", root.path().join("etc/group")).unwrap();
    let mut host = host(root.path());
    for number in 0..100 {
        let directory = wish(&format!("/d{number:02}"), vec![("ensure", text("directory"))]);
        settle(&directory, &mut host, &mut Kept::default());
    }
    let wishes: Vec<Wanted> = (0..10_000)
        .map(|number| {
            let content = format!("# managed file {number}\n{}", "key = value value\n".repeat(56));
            wish(
                &format!("/d{:02}/f{number:05}.conf", number % 100),
                vec![
                    ("content", text(&content)),
                    ("owner", text("root")),
                    ("group", text("root")),
                    ("mode", text("0644")),
                ],
            )
        })
        .collect();
    let started = Instant::now();
    for batch in wishes.chunks(1024) {
        apply_batch(batch, &mut host, &mut Kept::default()).into_iter().for_each(Result::unwrap);
    }
    eprintln!("10,000 new files: {:?}", started.elapsed());
    for round in 1..=3 {
        let started = Instant::now();
        let steps: usize =
            wishes.iter().map(|wanted| plan(wanted, &host).unwrap().steps.len()).sum();
        eprintln!("10,000 unchanged files, round {round}: {:?}", started.elapsed());
        assert_eq!(steps, 0);
    }
}
