//! `steadfast demo`: the whole loop in a scratch directory. Everything shown is the real command at
//! work on a real Git repository; an unexpected exit code ends the demonstration as a failure.

mod repository;
mod story;

use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{CommandError, Exit};
use crate::output::Output;
use repository::DemoRepository;

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Use this directory, which must be empty or not exist [default: a new one in /tmp]
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<Exit, CommandError> {
    let directory = scratch(arguments.directory.as_deref())?;
    let demo = Demo { output, host: directory.join("host"), git: directory.join("policy.git") };
    make_host(&demo.host)?;
    demo.tell()?;
    demo.say(&format!(
        "That was the whole loop. Look around in {0}, and remove it when you are done:\n\
         \n    rm -r {0}\n\n",
        directory.display()
    ))?;
    Ok(Exit::Done)
}

struct Demo<'a> {
    output: &'a Output,
    host: PathBuf,
    git: PathBuf,
}

impl Demo<'_> {
    fn tell(&self) -> Result<(), CommandError> {
        self.say(
            "This shows Steadfast at work on a scratch directory that stands for a host.\n\
             Nothing outside of it is touched.\n",
        )?;
        let mut git = DemoRepository::make(&self.git)?;

        self.chapter(1, "An author commits policies to Git")?;
        let commit =
            git.commit("Welcome people, serve two sites", &story::files(story::WELCOME))?;
        self.say(&format!("policies/welcome.toml at commit {}:\n\n", short(&commit)))?;
        self.quote(story::WELCOME)?;

        self.chapter(2, "The host is brought in order")?;
        self.command("apply", Exit::Done)?;
        self.say("Once more: nothing is left to do, and it says so.\n")?;
        self.command("apply", Exit::Done)?;

        self.chapter(3, "Somebody changes things by hand")?;
        self.tamper()?;
        self.say("`plan` shows the drift, changes nothing, and exits with 2.\n")?;
        self.command("plan", Exit::Pending)?;

        self.chapter(4, "The drift is corrected")?;
        self.command("apply", Exit::Done)?;

        self.chapter(5, "The author changes the policy: an intentional change, not drift")?;
        git.commit("The company has a new name", &story::files(story::WELCOME_CHANGED))?;
        self.command("apply", Exit::Done)?;

        self.chapter(6, "A bad commit: refused as a whole, with every error at its place")?;
        git.commit("Oops", &story::files(story::WELCOME_BROKEN))?;
        self.command("apply", Exit::Failed)?;
        self.say("The host is as it was: the last good commit stays in force.\n")?;

        self.chapter(7, "Rollback is a revert")?;
        git.commit("Revert the last two commits", &story::files(story::WELCOME))?;
        self.command("apply", Exit::Done)?;

        self.chapter(8, "The report says what happened, to what, and why")?;
        self.command("report", Exit::Done)
    }

    fn say(&self, text: &str) -> Result<(), CommandError> {
        Ok(self.output.data(text)?)
    }

    fn chapter(&self, number: u32, title: &str) -> Result<(), CommandError> {
        let heading = self.output.style.strong(format!("{number}. {title}"));
        self.say(&format!("\n{heading}\n\n"))
    }

    fn quote(&self, text: &str) -> Result<(), CommandError> {
        for line in text.lines() {
            self.say(&format!("    {}\n", self.output.style.faint(line)))?;
        }
        Ok(())
    }

    /// Shows a command as one would type it, and runs it.
    fn command(&self, name: &str, expected: Exit) -> Result<(), CommandError> {
        let mut arguments = vec!["steadfast".to_owned(), name.to_owned()];
        if name != "report" {
            arguments.push(format!("{}#main", self.git.display()));
        }
        arguments.extend(["--root".to_owned(), self.host.display().to_string()]);
        let shown = self.output.style.strong(format!("$ {}", arguments.join(" ")));
        self.say(&format!("{shown}\n"))?;
        let exit = super::main(arguments.into_iter().map(Into::into));
        self.say(&format!("{}\n\n", self.output.style.faint(format!("(exit {})", exit.code()))))?;
        if exit == expected {
            return Ok(());
        }
        Err(CommandError::new(format!(
            "the demonstration expected exit {} here and got {}",
            expected.code(),
            exit.code()
        )))
    }

    fn tamper(&self) -> Result<(), CommandError> {
        self.say("    echo 'under attack' > etc/motd\n")?;
        File::create(self.host.join("etc/motd"))?.write_all(b"under attack\n")?;
        self.say("    chmod 0666 etc/web/shop.conf\n")?;
        File::open(self.host.join("etc/web/shop.conf"))?
            .set_permissions(Permissions::from_mode(0o666))?;
        self.say("    rm etc/web/blog.conf\n")?;
        std::fs::remove_file(self.host.join("etc/web/blog.conf"))?;
        self.say("    rmdir srv/www/blog && ln -s /etc srv/www/blog\n\n")?;
        std::fs::remove_dir(self.host.join("srv/www/blog"))?;
        std::os::unix::fs::symlink("/etc", self.host.join("srv/www/blog"))?;
        Ok(())
    }
}

/// The few files that make a directory pass for a host.
fn make_host(root: &Path) -> Result<(), CommandError> {
    for directory in ["etc", "srv"] {
        std::fs::create_dir_all(root.join(directory))?;
    }
    for (path, content) in [
        ("etc/hostname", "web1\n"),
        ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n"),
    ] {
        File::create(root.join(path))?.write_all(content.as_bytes())?;
    }
    Ok(())
}

fn scratch(wanted: Option<&Path>) -> Result<PathBuf, CommandError> {
    let Some(wanted) = wanted else {
        let made = tempfile::Builder::new().prefix("steadfast-demo-").tempdir_in("/tmp")?;
        return Ok(made.keep());
    };
    std::fs::create_dir_all(wanted)?;
    if std::fs::read_dir(wanted)?.next().is_some() {
        return Err(CommandError::new(format!("{} is not empty", wanted.display()))
            .with_hint("name a directory that does not exist yet"));
    }
    Ok(wanted.canonicalize()?)
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
