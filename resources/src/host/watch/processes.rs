//! Who a process is: read from /proc the moment an event names it, because it may be gone the next.
//!
//! What must stay true: a process is taken for one of ours only on evidence (our own number, a
//! command that we started, a chain of parents that leads to us); what is unknown is somebody else, so
//! that nothing is overlooked. A process that has ended before it could be asked is known by its
//! number only, unless it was seen at work a moment before (`sed -i` is, while it writes its
//! temporary file).

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::redaction;
use crate::actor::Actor;
use crate::host::command::is_started_by_us;

/// How long what is known of a process is believed without asking again: it may start another
/// program.
const FRESH: Duration = Duration::from_millis(20);
/// How long what was known of a process that is gone may be told of its number.
const REMEMBERED: Duration = Duration::from_secs(5);
/// How many processes are remembered.
const PROCESSES: usize = 1_000;
/// How many generations are followed to find out whether a process is ours.
const GENERATIONS: usize = 32;
/// How many processes that concern nobody (yet) are looked at in a second.
const GLANCES: u32 = 200;
/// No login (`/proc/PID/loginuid`).
const NO_LOGIN: u32 = u32::MAX;

pub(super) struct Processes {
    own: i32,
    names: Names,
    seen: HashMap<i32, Seen>,
    glances: (Instant, u32),
    /// Tests only: what this process starts is somebody else.
    #[cfg(test)]
    pub(super) childless: bool,
}

struct Seen {
    ours: bool,
    actor: Actor,
    at: Instant,
}

/// Who is behind an event.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Who {
    /// This process, or one that it started.
    Ours,
    /// Somebody else.
    Other(Actor),
    /// The kernel does not tell.
    Unknown,
}

impl Processes {
    /// Names of users come from the accounts below `root`.
    pub(super) fn new(root: &Path) -> Self {
        Self {
            own: i32::try_from(std::process::id()).unwrap_or(0),
            names: Names { path: root.join("etc/passwd"), ..Names::default() },
            seen: HashMap::new(),
            glances: (Instant::now(), 0),
            #[cfg(test)]
            childless: false,
        }
    }

    /// Who the process is that an event names.
    pub(super) fn who(&mut self, pid: Option<i32>) -> Who {
        let Some(pid) = pid else { return Who::Unknown };
        if pid == self.own || is_started_by_us(pid) {
            return Who::Ours;
        }
        self.look(pid);
        match self.seen.get(&pid) {
            Some(Seen { ours: true, .. }) => Who::Ours,
            Some(seen) => Who::Other(seen.actor.clone()),
            None => Who::Other(Actor { pid, ..Actor::default() }),
        }
    }

    /// Looks at a process that may be about to do something that matters.
    pub(super) fn glance(&mut self, pid: i32) {
        let (since, count) = self.glances;
        let (since, count) = if since.elapsed() > Duration::from_secs(1) {
            (Instant::now(), 0)
        } else {
            (since, count)
        };
        self.glances = (since, count);
        if pid != self.own && count < GLANCES && !self.is_fresh(pid) {
            self.glances = (since, count + 1);
            self.look(pid);
        }
    }

    fn is_fresh(&self, pid: i32) -> bool {
        self.seen.get(&pid).is_some_and(|seen| seen.at.elapsed() < FRESH)
    }

    /// Learns about `pid` what there is to be learnt.
    fn look(&mut self, pid: i32) {
        if self.is_fresh(pid) {
            return;
        }
        if self.seen.len() >= PROCESSES {
            self.seen.retain(|_, seen| seen.at.elapsed() < REMEMBERED);
            if self.seen.len() >= PROCESSES {
                self.seen.clear();
            }
        }
        match Process::read(pid) {
            Some(process) => {
                let ours = self.is_ours(process.parent);
                let actor = process.actor(&mut self.names);
                self.seen.insert(pid, Seen { ours, actor, at: Instant::now() });
            }
            None => {
                let stale = |seen: &Seen| seen.at.elapsed() > REMEMBERED;
                if self.seen.get(&pid).is_some_and(stale) {
                    self.seen.remove(&pid);
                }
            }
        }
    }

    /// Whether a chain of parents leads to us.
    fn is_ours(&self, mut parent: i32) -> bool {
        #[cfg(test)]
        if self.childless {
            return false;
        }
        for _ in 0..GENERATIONS {
            if parent == self.own || is_started_by_us(parent) {
                return true;
            }
            if parent <= 1 {
                return false;
            }
            if self.is_fresh(parent) {
                return self.seen.get(&parent).is_some_and(|seen| seen.ours);
            }
            match fs::read_to_string(format!("/proc/{parent}/status")) {
                Ok(status) => parent = field(&status, "PPid:", 0).unwrap_or(0),
                Err(_) => return false,
            }
        }
        false
    }
}

/// What /proc says of a process.
struct Process {
    pid: i32,
    parent: i32,
    executable: Option<String>,
    command: Vec<String>,
    uid: Option<u32>,
    login: Option<u32>,
    group: String,
    audit_session: Option<u32>,
}

impl Process {
    fn read(pid: i32) -> Option<Self> {
        let place = PathBuf::from(format!("/proc/{pid}"));
        let read = |name: &str| fs::read(place.join(name)).unwrap_or_default();
        let text = |name: &str| String::from_utf8_lossy(&read(name)).into_owned();
        // What goes first goes first: a process that has ended keeps only its status.
        let executable = fs::read_link(place.join("exe")).ok();
        let command = redaction::shown(&read("cmdline"));
        let status = text("status");
        if status.is_empty() {
            return None;
        }
        let executable = executable.map(|path| path.to_string_lossy().into_owned());
        let executable = executable
            .map(|path| path.trim_end_matches(" (deleted)").to_owned())
            .or_else(|| status.lines().next()?.strip_prefix("Name:").map(|n| n.trim().to_owned()));
        Some(Self {
            pid,
            parent: field(&status, "PPid:", 0).unwrap_or(0),
            executable,
            command,
            uid: field(&status, "Uid:", 1),
            login: text("loginuid").trim().parse().ok().filter(|uid| *uid != NO_LOGIN),
            group: text("cgroup"),
            audit_session: text("sessionid").trim().parse().ok().filter(|id| *id != NO_LOGIN),
        })
    }

    fn actor(self, names: &mut Names) -> Actor {
        let (session, unit) = membership(&self.group);
        let session = session
            .or_else(|| self.login.and(self.audit_session).map(|session| session.to_string()));
        Actor {
            pid: self.pid,
            executable: self.executable,
            command: self.command,
            uid: self.uid,
            user: self.uid.and_then(|uid| names.of(uid)),
            login_uid: self.login,
            login_user: self.login.and_then(|uid| names.of(uid)),
            unit: if session.is_some() { None } else { unit },
            session,
        }
    }
}

/// The number at place `index` of the field called `name` in `/proc/PID/status`.
fn field<N: std::str::FromStr>(status: &str, name: &str, index: usize) -> Option<N> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().nth(index)?.parse().ok()
}

/// The login session, or else the unit, that a process is in, by its `/proc/PID/cgroup`.
fn membership(groups: &str) -> (Option<String>, Option<String>) {
    let path = groups.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (hierarchy, path) = rest.split_once(':')?;
        matches!(hierarchy, "" | "name=systemd").then_some(path)
    });
    let unit = path
        .unwrap_or_default()
        .split('/')
        .find(|part| [".service", ".scope", ".mount", ".socket"].iter().any(|t| part.ends_with(t)));
    let session = unit
        .and_then(|unit| unit.strip_prefix("session-")?.strip_suffix(".scope"))
        .map(str::to_owned);
    (session, unit.map(str::to_owned))
}

/// Names of local users.
#[derive(Default)]
struct Names {
    path: PathBuf,
    /// When the database was last changed, and its inode.
    version: Option<(std::time::SystemTime, u64)>,
    names: HashMap<u32, String>,
}

impl Names {
    fn of(&mut self, uid: u32) -> Option<String> {
        use std::os::unix::fs::MetadataExt;
        let status = fs::metadata(&self.path).ok()?;
        let version = Some((status.modified().ok()?, status.ino()));
        if version != self.version {
            let text = fs::read_to_string(&self.path).ok()?;
            self.names.clear();
            for line in text.lines() {
                let mut fields = line.split(':');
                if let (Some(name), _, Some(Ok(uid))) =
                    (fields.next(), fields.next(), fields.next().map(str::parse))
                {
                    self.names.entry(uid).or_insert_with(|| name.to_owned());
                }
            }
            self.version = version;
        }
        self.names.get(&uid).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_and_units_are_read_from_the_control_group() {
        for (groups, session, unit) in [
            ("0::/user.slice/user-1000.slice/session-3.scope\n", Some("3"), "session-3.scope"),
            ("0::/system.slice/cron.service\n", None, "cron.service"),
            (
                "0::/system.slice/system-getty.slice/getty@tty1.service\n",
                None,
                "getty@tty1.service",
            ),
            (
                "0::/user.slice/user-0.slice/user@0.service/app.slice/x.service\n",
                None,
                "user@0.service",
            ),
            ("9:memory:/x.service\n1:name=systemd:/system.slice/a.service\n", None, "a.service"),
        ] {
            let found = membership(groups);
            assert_eq!((found.0.as_deref(), found.1.as_deref()), (session, Some(unit)), "{groups}");
        }
        assert_eq!(membership("0::/\n"), (None, None));
        assert_eq!(membership(""), (None, None));
    }

    #[test]
    fn we_are_known_and_so_is_our_child_and_who_is_unknown_is_somebody_else() {
        let mut processes = Processes::new(Path::new("/"));
        let own = i32::try_from(std::process::id()).unwrap();
        assert_eq!(processes.who(Some(own)), Who::Ours);
        assert_eq!(processes.who(None), Who::Unknown);
        let parent = nix::unistd::getppid().as_raw();
        let Who::Other(actor) = processes.who(Some(parent)) else {
            panic!("our parent is not ours")
        };
        assert!(actor.executable.is_some() && actor.uid.is_some(), "{actor:?}");
        let gone = i32::MAX - 1;
        let nobody = Actor { pid: gone, ..Actor::default() };
        assert_eq!(processes.who(Some(gone)), Who::Other(nobody));
    }
}
