//! What apt's indexes offer: `apt-cache policy` for versions and candidates, `apt-cache showpkg`
//! for who provides a name that no package has.

use std::collections::BTreeMap;

use super::Apt;
use crate::host::packages::{Availability, IndexProvider, PackageError, PackageName};

/// How many names one process is asked for: far below the system's limit for arguments.
const NAMES_AT_ONCE: usize = 1000;

/// See [`crate::host::packages::backend::Backend::availability`].
pub(super) fn ask(
    apt: &Apt,
    names: &[PackageName],
) -> Result<BTreeMap<PackageName, Availability>, PackageError> {
    let mut answers = BTreeMap::new();
    for some in names.chunks(NAMES_AT_ONCE) {
        let policies = parse_policy(&cache(apt, "policy", some)?);
        let mut nameless = Vec::new();
        for name in some {
            let answer = find(&policies, name).cloned().unwrap_or_default();
            if answer.versions.is_empty() {
                nameless.push(name.clone());
            } else {
                answers.insert(name.clone(), answer);
            }
        }
        if nameless.is_empty() {
            continue;
        }
        let mut provided = parse_providers(&cache(apt, "showpkg", &nameless)?);
        for name in nameless {
            if let Some(providers) = provided.remove(&name.to_string()) {
                answers.insert(name, Availability { providers, ..Availability::default() });
            }
        }
    }
    Ok(answers)
}

fn cache(apt: &Apt, question: &str, names: &[PackageName]) -> Result<String, PackageError> {
    let mut argv: Vec<String> = vec!["apt-cache".into(), "-q".into(), question.into(), "--".into()];
    argv.extend(names.iter().map(ToString::to_string));
    match apt.ask(argv) {
        Ok(output) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        // showpkg fails where it knows none of the names; that is an answer.
        Err(PackageError::Query { complaint, .. }) if complaint.contains("No packages found") => {
            Ok(String::new())
        }
        Err(error) => Err(error),
    }
}

/// apt prints the native architecture's packages without it.
fn find<'a>(
    policies: &'a BTreeMap<String, Availability>,
    name: &PackageName,
) -> Option<&'a Availability> {
    policies.get(&name.to_string()).or_else(|| policies.get(name.name()))
}

/// The output of `apt-cache policy NAME…`.
fn parse_policy(text: &str) -> BTreeMap<String, Availability> {
    let mut answers: BTreeMap<String, Availability> = BTreeMap::new();
    let mut current: Option<(String, Availability)> = None;
    // The version whose sources follow, until one of them can deliver it.
    let mut version: Option<&str> = None;
    for line in text.lines() {
        if !line.starts_with(' ') {
            answers.extend(current.take());
            version = None;
            current = line.strip_suffix(':').map(|name| (name.into(), Availability::default()));
            continue;
        }
        let Some((_, answer)) = &mut current else { continue };
        if let Some(candidate) = line.strip_prefix("  Candidate: ") {
            answer.candidate = Some(candidate.trim()).filter(|it| *it != "(none)").map(Into::into);
        } else if let Some(found) = version_line(line) {
            version = Some(found);
        } else if let Some(found) = version
            && source_line(line)
        {
            answer.versions.push(found.into());
            version = None;
        }
    }
    answers.extend(current);
    for answer in answers.values_mut() {
        // A candidate that only dpkg's own database has cannot be installed from anywhere.
        if !answer.candidate.as_ref().is_some_and(|it| answer.versions.contains(it)) {
            answer.candidate = None;
        }
    }
    answers
}

/// `" *** 1.0-1 500"` or `"     1.0-1 500"`.
fn version_line(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(" *** ").or_else(|| line.strip_prefix("     "))?;
    if rest.starts_with(' ') { None } else { rest.split_ascii_whitespace().next() }
}

/// `"        500 http://mirror.example.org/debian bookworm/main amd64 Packages"`: a source that can
/// deliver, which dpkg's database cannot.
fn source_line(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let priority = words.next().is_some_and(|word| word.parse::<i32>().is_ok());
    let place = words.next();
    priority && place.is_some_and(|place| !place.ends_with("/var/lib/dpkg/status"))
}

/// The output of `apt-cache showpkg NAME…`: who provides each name.
fn parse_providers(text: &str) -> BTreeMap<String, Vec<IndexProvider>> {
    let mut answers: BTreeMap<String, Vec<IndexProvider>> = BTreeMap::new();
    let mut name = "";
    let mut providers = false;
    for line in text.lines() {
        if let Some(next) = line.strip_prefix("Package: ") {
            name = next.trim();
            providers = false;
        } else if line.trim_end() == "Reverse Provides:" {
            providers = true;
        } else if providers && !line.trim().is_empty() {
            let list = answers.entry(name.into()).or_default();
            let found = provider(line);
            if let Some(found) = found.filter(|it| list.iter().all(|o| o.package != it.package)) {
                list.push(found);
            }
        }
    }
    for list in answers.values_mut() {
        list.sort_by(|left, right| left.package.cmp(&right.package));
    }
    answers
}

/// `"gawk 1:5.2.1-2 (= )"`, `"postfix 3.7 (= 3.7)"`.
fn provider(line: &str) -> Option<IndexProvider> {
    let package = line.split_ascii_whitespace().next()?.to_owned();
    let version = line.rsplit_once("(=").map(|(_, rest)| rest.trim_end_matches(')').trim());
    Some(IndexProvider {
        package,
        version: version.filter(|version| !version.is_empty()).map(Into::into),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "\
nginx:
  Installed: 1.22.1-8
  Candidate: 1.22.1-9
  Package pin: 1.22.1-9
  Version table:
     1.24.0-1 -1
         -1 http://mirror.example.org/debian trixie/main amd64 Packages
     1.22.1-9 500 (phased 10%)
        500 http://mirror.example.org/debian bookworm/main amd64 Packages
        500 http://mirror.example.org/debian bookworm-updates/main amd64 Packages
 *** 1.22.1-8 100
        100 /var/lib/dpkg/status
libc6:i386:
  Installed: (none)
  Candidate: 2.36-9
  Version table:
     2.36-9 500
        500 file:/srv/repo ./ Packages
local-only:
  Installed: 1.0
  Candidate: 1.0
  Version table:
 *** 1.0 100
        100 /var/lib/dpkg/status
mail-transport-agent:
  Installed: (none)
  Candidate: (none)
  Version table:
";

    #[test]
    fn policies() {
        let answers = parse_policy(POLICY);
        let nginx = &answers["nginx"];
        assert_eq!(nginx.candidate.as_deref(), Some("1.22.1-9"));
        assert_eq!(nginx.versions, ["1.24.0-1", "1.22.1-9"]);
        assert_eq!(answers["libc6:i386"].versions, ["2.36-9"]);
        assert_eq!(answers["local-only"], Availability::default());
        assert_eq!(answers["mail-transport-agent"], Availability::default());
        assert_eq!(answers.len(), 4);
        assert!(parse_policy("N: Unable to locate package x\n").is_empty());
        assert!(parse_policy("").is_empty());
    }

    #[test]
    fn native_architectures_are_found() {
        let answers = parse_policy(POLICY);
        let name = |text| PackageName::parse(text).unwrap();
        assert!(find(&answers, &name("nginx:amd64")).is_some());
        assert!(find(&answers, &name("libc6:i386")).is_some());
        assert!(find(&answers, &name("libc6")).is_none());
    }

    #[test]
    fn providers() {
        let text = "\
Package: awk
Versions: 

Reverse Depends: 
  base-files,awk
Dependencies: 
Provides: 
Reverse Provides: 
original-awk 2022-09-12-1 (= )
gawk 1:5.2.1-2 (= )
gawk 1:5.2.0-1 (= )
Package: api
Versions: 
Reverse Provides: 
impl:i386 1.0 (= 3.7)
Package: alone
Reverse Provides: 
";
        let answers = parse_providers(text);
        let shown = |name: &str| -> Vec<(&str, Option<&str>)> {
            answers[name].iter().map(|p| (p.package.as_str(), p.version.as_deref())).collect()
        };
        assert_eq!(shown("awk"), [("gawk", None), ("original-awk", None)]);
        assert_eq!(shown("api"), [("impl:i386", Some("3.7"))]);
        assert!(!answers.contains_key("alone"));
    }
}
