//! The telling lines of what apt and dpkg print when they fail.

/// How much of it a reason carries.
const LINES: usize = 4;
const LENGTH: usize = 400;
/// How many lines an output carries.
const OUTPUT_LINES: usize = 40;

/// What `output` complains about, in one line.
pub(super) fn summary(output: &str) -> String {
    let mut found = complaints(output);
    if found.is_empty() {
        found.extend(
            output.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(Into::into),
        );
    }
    if found.is_empty() {
        return "the package manager failed without a word".into();
    }
    let more = found.len().saturating_sub(LINES);
    found.truncate(LINES);
    let mut text = found.join("; ");
    if more > 0 {
        text.extend(["; and ", &more.to_string(), " more"]);
    }
    if let Some((end, _)) = text.char_indices().nth(LENGTH) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn complaints(output: &str) -> Vec<String> {
    let lines: Vec<&str> = output.lines().collect();
    let mut specific: Vec<String> = Vec::new();
    let mut general: Vec<String> = Vec::new();
    let add = |list: &mut Vec<String>, line: &str| {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if !line.is_empty() && !list.contains(&line) {
            list.push(line);
        }
    };
    for (index, line) in lines.iter().enumerate() {
        // What follows an announcement, indented by a space.
        let details = || {
            let rest = lines.get(index + 1..).unwrap_or_default();
            rest.iter().take_while(|line| line.starts_with(' ')).copied()
        };
        if line.starts_with("dpkg: error processing") {
            let detail: Vec<&str> = details().take(1).collect();
            let subject = line.strip_prefix("dpkg: error processing ").unwrap_or(line);
            let subject = subject.split(" (--").next().unwrap_or(subject);
            add(&mut specific, &format!("{subject}: {}", detail.join(" ").trim()));
        } else if line.contains("have unmet dependencies:") {
            details().take(3).for_each(|detail| add(&mut specific, detail));
        } else if let Some(message) = line.strip_prefix("E: ") {
            if is_general(message) {
                add(&mut general, message);
            } else {
                add(&mut specific, message);
            }
        } else if let Some(message) = line.strip_prefix("dpkg: error: ") {
            add(&mut specific, message);
        } else if line.starts_with("dpkg-deb: error: ") || line.starts_with("debconf: ") {
            add(&mut general, line);
        }
    }
    if specific.is_empty() { general } else { specific }
}

/// Messages that only say that there are others.
fn is_general(message: &str) -> bool {
    [
        "Sub-process ",
        "The following information from --solver",
        "Unable to correct problems",
        "Some index files failed to download",
        "Unable to fetch some archives",
        "Broken packages",
        "Error, pkgProblemResolver::Resolve",
        "Problem with MergeList",
        "The package lists or status file could not",
    ]
    .iter()
    .any(|general| message.starts_with(general))
}

/// The end of what apt printed, without its talk about progress: what was done, then the errors.
pub(super) fn excerpt(stdout: &str, stderr: &str) -> String {
    const PROGRESS: &[&str] = &[
        "Reading ",
        "Building dependency tree",
        "Solving dependencies",
        "(Reading database",
        "Need to get ",
        "After this operation, ",
        "Selecting previously unselected ",
        "debconf: delaying package configuration",
    ];
    let telling = |line: &&str| !PROGRESS.iter().any(|progress| line.starts_with(progress));
    let lines: Vec<&str> = stdout.lines().chain(stderr.lines()).filter(telling).collect();
    lines.get(lines.len().saturating_sub(OUTPUT_LINES)..).unwrap_or_default().join("\n")
}

/// What to do about it, where the output tells.
pub(super) fn hint(output: &str) -> Option<&'static str> {
    const HINTS: &[(&str, &str)] = &[
        ("No space left on device", "free some disk space, then run again"),
        ("don't have enough free space", "free some disk space, then run again"),
        ("Read-only file system", "mount the file system read-write"),
        ("Temporary failure resolving", "check the host's name resolution and network"),
        ("Could not resolve", "check the host's name resolution and network"),
        ("Could not connect", "check the network and whether the package source is up"),
        ("Connection timed out", "check the network and whether the package source is up"),
        ("NO_PUBKEY", "the key of a package source is missing; put it where `Signed-By` says"),
        ("is not signed", "a package source is not signed; see apt-secure(8)"),
        ("EXPKEYSIG", "the key of a package source has expired"),
        ("is not valid yet", "check the host's clock"),
        ("Essential packages were removed", "the system cannot run without that package"),
        ("allow-remove-essential", "the system cannot run without that package"),
        ("Held packages were changed", "declare `hold` on the package or lift its hold"),
        ("--allow-change-held-packages", "declare `hold` on the package or lift its hold"),
        ("trying to overwrite", "two packages contain the same file; remove one of them"),
        ("returned error exit status", "the package's own script failed; its output says why"),
        ("was killed by signal", "the package's own script was killed; its output says why"),
        ("Conflicts: ", "decide which of the conflicting packages this host is to have"),
        ("Breaks: ", "decide which of the conflicting packages this host is to have"),
        ("Unable to locate package", "check the name and the package sources"),
        ("was not found", "check the version and the package sources"),
        ("unmet dependencies", "check the package sources; a dependency cannot be installed"),
        ("needs to be reinstalled", "make the package's version available again in a source"),
    ];
    HINTS.iter().find(|(sign, _)| output.contains(sign)).map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_telling_lines_are_found() {
        let cases = [
            (
                "Setting up sf-broken (1.0-1) ...\n\
                 no luck today\n\
                 dpkg: error processing package sf-broken (--configure):\n \
                 installed sf-broken package post-installation script subprocess returned error exit status 1\n\
                 Errors were encountered while processing:\n sf-broken\n\
                 E: Sub-process /usr/bin/dpkg returned an error code (1)\n",
                "package sf-broken: installed sf-broken package post-installation script \
                 subprocess returned error exit status 1",
            ),
            (
                "The following packages have unmet dependencies:\n \
                 sf-conflict : Conflicts: sf-tool but 1.1-1 is to be installed\n\
                 E: Unable to correct problems, you have held broken packages.\n",
                "sf-conflict : Conflicts: sf-tool but 1.1-1 is to be installed",
            ),
            (
                "The following packages have unmet dependencies:\n \
                 sf-depends-missing : Depends: sf-nowhere but it is not installable\n\
                 E: Unable to correct problems, you have held broken packages.\n\
                 E: The following information from --solver 3.0 may provide additional context:\n   \
                 Unable to satisfy dependencies. Reached two conflicting decisions:\n",
                "sf-depends-missing : Depends: sf-nowhere but it is not installable",
            ),
            ("E: Unable to locate package nix\n", "Unable to locate package nix"),
            (
                "Err:1 http://x InRelease\n\
                 E: Failed to fetch http://x/InRelease  Temporary failure resolving 'x'\n\
                 E: Some index files failed to download. They have been ignored.\n",
                "Failed to fetch http://x/InRelease Temporary failure resolving 'x'",
            ),
            (
                "E: Sub-process x returned an error code (1)\n",
                "Sub-process x returned an error code (1)",
            ),
            ("something\nelse\n\n", "else"),
            ("", "the package manager failed without a word"),
            ("dpkg: error: cannot scan updates directory\n", "cannot scan updates directory"),
        ];
        for (output, wanted) in cases {
            assert_eq!(summary(output), wanted, "{output}");
        }
    }

    #[test]
    fn a_reason_stays_short() {
        let lines: Vec<String> = (0..50).map(|n| format!("E: problem number {n}")).collect();
        let flood = lines.join("\n");
        assert!(summary(&flood).ends_with("problem number 3; and 46 more"));
        let long = format!("E: {}", "ä".repeat(5000));
        assert_eq!(summary(&long).chars().count(), LENGTH + 1);
    }

    #[test]
    fn an_excerpt_leaves_out_the_progress() {
        let stdout =
            "Reading package lists...\nSetting up a (1) ...\n(Reading database ... 5 files)\n";
        assert_eq!(excerpt(stdout, "E: no\n"), "Setting up a (1) ...\nE: no");
        let long = "a line\n".repeat(100);
        assert_eq!(excerpt(&long, "").lines().count(), OUTPUT_LINES);
    }

    #[test]
    fn hints_follow_the_output() {
        assert!(hint("x: No space left on device").is_some_and(|hint| hint.contains("disk")));
        assert_eq!(hint("all well"), None);
    }
}
