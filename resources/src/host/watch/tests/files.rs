//! What is done to files, directories and links is told, and nothing else is.

use super::*;

/// The dances of editors and tools: what is there before, what is done to `watched`, and what else lies
/// there that nobody watches.
const DANCES: &[(&str, &str, &str)] = &[
    ("written in place", "echo a > watched", "echo b > watched"),
    ("appended to", "echo a > watched", "echo b >> watched"),
    ("made", "true", "echo b > watched"),
    ("removed", "echo a > watched", "rm watched"),
    ("sed -i", "echo a > watched", "sed -i s/a/b/ watched"),
    (
        "an editor with a backup",
        "echo a > watched",
        "mv watched watched~; echo b > watched; chmod 0640 watched; rm watched~",
    ),
    ("renamed over", "echo a > watched", "echo b > .new; mv .new watched"),
    ("rotated", "echo a > watched", "mv watched watched.1; touch watched"),
    ("moved away", "echo a > watched; mkdir -p away", "mv watched away/"),
    ("another mode", "echo a > watched", "chmod 0600 watched"),
    ("another owner", "echo a > watched", "chown 12 watched"),
    ("a link in its place", "echo a > watched", "ln -sf other watched"),
    ("a directory in its place", "echo a > watched", "rm watched; mkdir watched"),
    ("truncated", "echo a > watched", "truncate -s 0 watched"),
    ("a mode of a directory", "mkdir watched", "chmod 0700 watched"),
];

#[test]
fn whatever_is_done_to_a_file_is_told_once_it_is_over() {
    both(|mut trial| {
        for (what, before, act) in DANCES {
            trial.other("rm -rf watched* .new away");
            trial.other(before);
            trial.watch(&["unwatched", "watched"]);
            trial.other(act);
            assert_eq!(trial.told(), [1], "{what}");
            trial.other("echo x > bystander; mkdir -p d; rm -rf bystander d");
            trial.told_nothing(what);
        }
    });
}

#[test]
fn the_content_of_a_log_is_nobodys_business() {
    both(|mut trial| {
        trial.other("echo a > log; echo a > file");
        trial.watch(&["log (place)", "file"]);
        trial.other("echo b >> log");
        trial.told_nothing("only its place is of interest");
        trial.other("chmod 0600 log");
        assert_eq!(trial.told(), [0]);
        trial.other("mv log log.1; touch log");
        assert_eq!(trial.told(), [0]);
        trial.other("echo b >> file");
        assert_eq!(trial.told(), [1]);
    });
}

#[test]
fn what_is_not_there_yet_is_watched() {
    both(|mut trial| {
        trial.watch(&["a/b/c/file", "a/other", "z"]);
        trial.other("mkdir a");
        assert_eq!(trial.told(), [0, 1], "something on the way came");
        trial.other("mkdir -p a/b/c");
        assert_eq!(trial.told(), [0]);
        trial.other("echo x > a/b/c/file");
        assert_eq!(trial.told(), [0]);
        trial.other("echo x > a/other");
        assert_eq!(trial.told(), [1]);
        trial.other("rm -r a");
        assert_eq!(trial.told(), [0, 1]);
        trial.other("mkdir -p a/b/c; echo x > a/b/c/file; echo x > a/other");
        assert_eq!(trial.told(), [0, 1]);
        trial.other("echo y > a/b/c/file");
        assert_eq!(trial.told(), [0]);
    });
}

#[test]
fn a_directory_that_is_replaced_is_watched_where_it_now_is() {
    both(|mut trial| {
        trial.other("mkdir -p top/d; echo a > top/d/file");
        trial.watch(&["top/d/file"]);
        trial.other("mkdir top/new; echo b > top/new/file; mv top/d top/old; mv top/new top/d");
        assert_eq!(trial.told(), [0]);
        trial.other("echo c > top/d/file");
        assert_eq!(trial.told(), [0]);
        trial.other("echo c > top/old/file");
        trial.told_nothing("what was moved away is of no interest any more");
        trial.other("mv top away; mkdir -p top/d");
        assert_eq!(trial.told(), [0], "a directory further up");
        trial.other("echo c > top/d/file");
        assert_eq!(trial.told(), [0]);
        trial.other("echo d > away/d/file");
        trial.told_nothing("nor what was moved away further up");
    });
}

#[test]
fn directories_that_are_replaced_for_ever_do_not_pile_up() {
    both(|mut trial| {
        trial.other("mkdir d");
        trial.watch(&["d/file"]);
        let before = trial.watcher.describe().directories;
        for round in 0..LOST + 10 {
            trial.other(&format!("mv d d.{round}; mkdir d"));
            // When all marks are made anew, everything is told.
            assert!(!trial.events().is_empty(), "round {round}");
        }
        assert_eq!(trial.watcher.describe().directories, before);
        assert!(trial.watcher.marker.lost() <= LOST + 1, "{}", trial.watcher.marker.lost());
        trial.other("echo x > d/file");
        assert_eq!(trial.told(), [0]);
    });
}

#[test]
fn a_link_is_watched_and_where_it_leads() {
    both(|mut trial| {
        trial.other("mkdir -p real/deep other/deep; ln -s real link; ln -s ../file real/deep/up");
        trial.watch(&["link/deep/file", "real/deep/up"]);
        trial.other("echo a > real/deep/file");
        assert_eq!(trial.told(), [0]);
        trial.other("ln -sfn $PWD/other link");
        assert_eq!(trial.told(), [0], "the link leads elsewhere");
        trial.other("echo b > real/deep/file");
        trial.told_nothing("the link does not lead there any more");
        trial.other("echo b > other/deep/file");
        assert_eq!(trial.told(), [0]);
        trial.other("echo b > real/file");
        trial.told_nothing("what a watched link says is not where it leads");
        trial.other("ln -sfn $PWD/link link");
        assert_eq!(trial.told(), [0], "a link to itself leads nowhere");
        trial.other("ln -sfn $PWD/real/../other link");
        assert_eq!(trial.told(), [0]);
        trial.other("echo c > other/deep/file");
        assert_eq!(trial.told(), [0]);
    });
}

#[test]
fn a_planted_link_is_watched_but_not_followed() {
    if !nix::unistd::geteuid().is_root() {
        return; // Only root can make a link that is somebody else's.
    }
    both(|mut trial| {
        trial.other("mkdir real; ln -s real link; chown -h 12345 link");
        trial.watch(&["link/file"]);
        trial.other("echo a > real/file");
        trial.told_nothing("nobody follows it");
        trial.other("rm link; mkdir link");
        assert_eq!(trial.told(), [0]);
    });
}

#[test]
fn a_tree_is_watched_at_any_depth_for_what_comes_and_goes() {
    both(|mut trial| {
        trial.other("mkdir -p tree/a/b; echo a > tree/a/b/file");
        trial.watch(&["tree/**"]);
        trial.other("echo b > tree/a/b/file; chmod 0600 tree/a/b/file");
        trial.told_nothing("it was there before");
        for change in [
            "touch tree/new",
            "rm tree/new",
            "mv tree/a/b/file tree/a/b/renamed",
            "mkdir -p tree/a/b/c/d/e",
            "touch tree/a/b/c/d/e/deep",
            "mv tree/a/b/c tree/c",
            "touch tree/c/d/e/deeper",
            "rm -r tree",
            "mkdir tree",
            "touch tree/again",
        ] {
            trial.other(change);
            assert_eq!(trial.told(), [0], "{change}");
        }
    });
}

#[test]
fn what_stays_watched_is_watched_without_a_gap_and_the_rest_is_not() {
    both(|mut trial| {
        trial.other("mkdir a b; touch a/file b/file");
        trial.watch(&["a/file", "b/file"]);
        trial.watch(&["b/file"]);
        trial.other("echo x > a/file");
        trial.told_nothing("nobody asks any more");
        trial.other("echo x > b/file");
        assert_eq!(trial.told(), [0], "by its new place in the catalog");
        trial.watch(&[]);
        trial.other("echo x > b/file");
        trial.told_nothing("nobody asks any more");
        assert_eq!(trial.watcher.describe().directories, 0);
    });
}

#[test]
fn the_account_database_and_homes_are_found_below_the_root() {
    let place = TempDir::with_prefix("steadfast-watch").unwrap();
    let options = HostOptions { root: place.path().to_owned(), ..HostOptions::default() };
    let mut watcher = Watcher::new(&options).unwrap();
    watcher.processes.childless = true;
    let mut trial = Trial { place, watcher };
    trial.other(
        "mkdir -p etc home/alice srv/alice var/lib/dpkg
         echo alice:x:1000:1000::/home/alice:/bin/sh > etc/passwd; touch etc/group etc/shadow",
    );
    let keys = Interest::Home { user: "alice".to_owned(), below: ".ssh/authorized_keys" };
    let complaints = trial.watcher.watch(vec![
        (3, vec![Interest::Accounts, keys]),
        (5, vec![Interest::Packages]),
        (7, vec![Interest::Path(AbsolutePath::parse("/etc/motd").unwrap())]),
    ]);
    assert!(complaints.is_empty(), "{complaints:?}");
    trial.other("mkdir -m 0700 home/alice/.ssh; echo key > home/alice/.ssh/authorized_keys");
    assert_eq!(trial.told(), [3]);
    trial.other("touch etc/.pwd.lock etc/passwd.lock; rm etc/passwd.lock");
    trial.told_nothing("locks are no change");
    trial
        .other("sed s,/home/alice,/srv/alice, etc/passwd > etc/passwd+; mv etc/passwd+ etc/passwd");
    assert_eq!(trial.told(), [3]);
    trial.other("mkdir srv/alice/.ssh; echo key > srv/alice/.ssh/authorized_keys");
    assert_eq!(trial.told(), [3], "the home is elsewhere now");
    trial.other(
        "echo new > var/lib/dpkg/status-new; mv var/lib/dpkg/status-new var/lib/dpkg/status",
    );
    assert_eq!(trial.told(), [5]);
    trial.other("echo hello > etc/motd");
    assert_eq!(trial.told(), [7]);
}
