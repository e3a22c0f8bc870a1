//! A package as a declaration would say it.

use super::Package;
use crate::accept::{Drift, Edit};
use crate::export::{Export, Exported, Selection};
use crate::failure::Failure;
use crate::host::View;
use crate::host::packages::{PackageName, Selection as Marked, State};
use crate::value::Value;

impl Export<Self> for Package {
    fn titles(&self, selection: &Selection<'_>, view: &View<'_>) -> Result<Vec<String>, Failure> {
        selection.only(&[])?;
        if !selection.named.is_empty() {
            return Ok(selection.named.to_vec());
        }
        Ok(view.packages.chosen()?.iter().map(ToString::to_string).collect())
    }

    /// The version is exported only where it is held: any other is the distribution's to change.
    fn export(&self, title: &str, view: &View<'_>) -> Result<Option<Exported>, Failure> {
        let name = PackageName::parse(title)
            .map_err(|error| Failure::new(format!("{title:?} is no package name: {error}")))?;
        let Some(record) = view.packages.package(&name)? else { return Ok(None) };
        let mut exported = Exported::new(Vec::new());
        match (record.state, record.present_version()) {
            (State::NotInstalled, _) => return Ok(None),
            (_, None) => exported.attributes.push(("ensure", Value::text("absent"))),
            (state, Some(version)) => {
                let ensure = if record.is_held() { version } else { "present" };
                exported.attributes.push(("ensure", Value::text(ensure)));
                if record.is_held() {
                    exported.attributes.push(("hold", Value::Boolean(true)));
                }
                if state.is_unfinished() {
                    exported.notes.push(format!("its installation is not finished ({state})"));
                }
            }
        }
        Ok(Some(exported))
    }

    fn accept(&self, drift: &Drift<'_>, view: &View<'_>) -> Result<Vec<Edit>, Failure> {
        let ensure = drift.declared_text("ensure").unwrap_or("present");
        let name = PackageName::parse(drift.title)
            .map_err(|error| Failure::new(format!("{:?}: {error}", drift.title)))?;
        let record = view.packages.package(&name)?;
        let Some(record) = record.filter(|record| record.state.is_present()) else {
            let installs = ["hold", "allow_downgrade", "install_options", "source", "sha256"];
            let goes = |name: &&str| drift.declared(name).is_some();
            let mut edits: Vec<Edit> =
                installs.into_iter().filter(goes).map(Edit::Remove).collect();
            edits.push(Edit::Set("ensure", Value::text("absent")));
            return Ok(edits);
        };
        if record.state.is_unfinished() {
            return Err(Failure::new(format!(
                "its installation is not finished ({}), which is no state to keep",
                record.state
            ))
            .with_hint("finish it (`steadfast apply`, `dpkg --configure -a`), then look again"));
        }
        let mut edits = Vec::new();
        if drift.differs("ensure") {
            let there = match (ensure, record.version) {
                ("absent" | "purged", _) | (_, None) => "present".to_owned(),
                (_, Some(version)) => version,
            };
            edits.push(Edit::Set("ensure", Value::text(there)));
        }
        if drift.declared("hold").is_some() && drift.differs("hold") {
            let held = record.selection == Marked::Hold;
            edits.push(Edit::Set("hold", Value::Boolean(held)));
        }
        Ok(edits)
    }
}
