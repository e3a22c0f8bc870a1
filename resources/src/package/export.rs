//! A package as a declaration would say it.

use super::Package;
use crate::export::{Export, Exported, Selection};
use crate::failure::Failure;
use crate::host::View;
use crate::host::packages::{PackageName, State};
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
}
