//! A group as a declaration would say it.

use super::Group;
use crate::accept::{Drift, Edit, names as names_found};
use crate::export::{Export, Exported, Selection};
use crate::failure::Failure;
use crate::host::View;
use crate::host::accounts::names;
use crate::value::Value;

impl Export<Self> for Group {
    fn titles(&self, selection: &Selection<'_>, view: &View<'_>) -> Result<Vec<String>, Failure> {
        selection.only(&["system"])?;
        if !selection.named.is_empty() {
            return Ok(selection.named.to_vec());
        }
        let groups = view.accounts.groups()?.into_iter();
        let mut titles: Vec<String> = groups
            .filter(|group| selection.system || names::is_ordinary(group.gid))
            .map(|group| group.name)
            .collect();
        titles.sort();
        Ok(titles)
    }

    fn export(&self, title: &str, view: &View<'_>) -> Result<Option<Exported>, Failure> {
        let Some(group) = view.accounts.group(title)? else { return Ok(None) };
        let mut exported = Exported::new(Vec::new());
        match view.accounts.group_name(group.gid)?.filter(|holder| *holder != group.name) {
            None => exported.attributes.push(("gid", Value::Integer(group.gid.into()))),
            Some(holder) => {
                exported.notes.push(format!("its number {} is also that of {holder}", group.gid));
            }
        }
        let mut members = group.members;
        members.sort();
        members.dedup();
        exported.attributes.push(("members", Value::texts(members)));
        exported.attributes.push(("membership", Value::text("inclusive")));
        if !names::is_ordinary(group.gid) {
            exported.attributes.push(("system", Value::Boolean(true)));
        }
        Ok(Some(exported))
    }

    fn accept(&self, drift: &Drift<'_>, _view: &View<'_>) -> Result<Vec<Edit>, Failure> {
        let mut edits = drift.plainly()?;
        if let (Some(found), true) = (drift.found, drift.differs("members")) {
            let exact = drift.declared_text("membership") == Some("inclusive");
            let members = names_found(drift.declared("members"), found.value("members"), exact);
            edits.retain(|edit| !matches!(edit, Edit::Set("members", _)));
            edits.push(Edit::Set("members", members));
        }
        Ok(edits)
    }
}
