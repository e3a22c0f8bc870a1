//! apt's marks: which packages came only because others need them (apt-mark(8)).

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::control::stanzas;
use super::database::Damage;
use crate::host::packages::PackageError;

/// Where apt keeps them, relative to the root directory.
const EXTENDED_STATES: &str = "var/lib/apt/extended_states";

/// Name and architecture of each such package. None where apt has marked nothing yet.
pub(super) fn automatic(root: &Path) -> Result<BTreeSet<(String, String)>, PackageError> {
    let path = root.join(EXTENDED_STATES);
    let text = match fs::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(source) => return Err(PackageError::ReadDatabase { path, source }),
    };
    parse(&text).map_err(|Damage { line, problem }| PackageError::DamagedDatabase {
        path,
        line,
        problem,
    })
}

fn parse(text: &str) -> Result<BTreeSet<(String, String)>, Damage> {
    let mut automatic = BTreeSet::new();
    stanzas(text, |fields| {
        let value = |name: &str| {
            fields.iter().find(|field| field.name == name).map(|field| field.value.to_owned())
        };
        if value("Auto-Installed").as_deref() == Some("1")
            && let (Some(package), Some(architecture)) = (value("Package"), value("Architecture"))
        {
            automatic.insert((package, architecture));
        }
        Ok::<(), Damage>(())
    })?;
    Ok(automatic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_marked_came_by_itself() {
        let text = "Package: libc6\nArchitecture: amd64\nAuto-Installed: 1\n\n\
                    Package: nginx\nArchitecture: amd64\nAuto-Installed: 0\n\n\
                    Package: libz\nArchitecture: i386\nAuto-Installed: 1\n";
        let found: Vec<String> = parse(text)
            .unwrap()
            .into_iter()
            .map(|(name, architecture)| format!("{name}:{architecture}"))
            .collect();
        assert_eq!(found, ["libc6:amd64", "libz:i386"]);
        assert!(parse("nonsense\n").is_err());
        assert!(automatic(Path::new("/nowhere")).unwrap().is_empty());
    }
}
