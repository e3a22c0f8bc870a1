//! One resource: its drift as edits, and each edit brought to where the value is declared.

use std::sync::Arc;

use steadfast_policies::{Catalog, Record, RecordedAttribute, Repository, Resource};
use steadfast_resources::{Drift, Edit, Exported, Tree, Value};

use super::declaration::{EditError, PolicyText};
use super::overlay::Overlay;
use super::{AcceptError, Ground, Refusal, origin};

/// One resource being accepted.
pub(super) struct Work<'w, 'a> {
    pub(super) ground: &'w Ground<'a>,
    pub(super) catalog: &'w Catalog,
    pub(super) resource: &'w Resource,
    pub(super) overlay: &'w mut Overlay<'a>,
}

/// A refusal of one attribute: why, and what to do instead.
type Refused = (String, Option<String>);

impl Work<'_, '_> {
    /// Edits the overlay. Returns what was accepted, in words; empty when nothing was.
    pub(super) fn accept(
        &mut self,
        properties: &[String],
        refused: &mut Vec<Refusal>,
    ) -> Result<Vec<String>, AcceptError> {
        let reference = self.resource.reference.clone();
        let mut refuse = |attribute: Option<&str>, (reason, hint): Refused| {
            let attribute = attribute.map(str::to_owned);
            refused.push(Refusal { reference: reference.clone(), attribute, reason, hint });
        };
        let Some(record) = self.resource.record.as_deref() else {
            refuse(None, ("nothing is known of its declaration".to_owned(), None));
            return Ok(Vec::new());
        };
        if let Some(reason) = self.shared(record) {
            refuse(None, reason);
            return Ok(Vec::new());
        }
        let (edits, found) = match self.edits(record, properties) {
            Ok(found) => found,
            Err(failure) => {
                refuse(None, (failure.reason, failure.hint));
                return Ok(Vec::new());
            }
        };
        if edits.is_empty() {
            let what = properties.join(", ");
            refuse(None, (format!("no attribute can say what differs ({what})"), None));
            return Ok(Vec::new());
        }
        let file = &*record.declaration.file;
        let text = self.overlay.read(file)?.unwrap_or_default();
        let mut policy = match PolicyText::parse(file, &text) {
            Ok(policy) => policy,
            Err(error) => {
                refuse(None, (error.to_string(), None));
                return Ok(Vec::new());
            }
        };
        let mut done = Vec::new();
        for edit in &edits {
            let name = match edit {
                Edit::Set(name, _) | Edit::Remove(name) => name,
                Edit::Below(..) => "source",
            };
            match self.edit(edit, record, found.as_ref(), &mut policy)? {
                Ok(words) => done.extend(words),
                Err(reason) => refuse(Some(name), reason),
            }
        }
        let changed = policy.text().into_bytes();
        if changed != text {
            self.overlay.put(file, Some(changed));
        }
        Ok(done)
    }

    /// Why an edit would concern more than this resource.
    fn shared(&self, record: &Record) -> Option<Refused> {
        if let Some(each) = &record.for_each {
            let reason = format!("it is one of those that `for_each` makes at {each}");
            return Some((reason, Some(origin::of_items(record, each))));
        }
        let same = |other: &&Resource| {
            other.reference != self.resource.reference
                && other.record.as_ref().is_some_and(|it| it.declaration == record.declaration)
        };
        let other = self.catalog.resources.iter().find(same)?;
        let places: Vec<String> =
            record.parameters.iter().map(|(name, place)| format!("{place} ({name})")).collect();
        Some((
            format!("{} declares {} as well", record.declaration, other.reference),
            Some(format!("edit what the module is given: {}", places.join(", "))),
        ))
    }

    fn edits(
        &self,
        record: &Record,
        properties: &[String],
    ) -> Result<(Vec<Edit>, Option<Exported>), steadfast_resources::Failure> {
        let (kind, title) = (self.resource.kind, self.resource.reference.title());
        let found = kind.exported(title, &self.ground.view)?;
        let declared: Vec<(&'static str, Value)> = record
            .attributes
            .iter()
            .map(|attribute| (attribute.name, attribute.value.clone()))
            .collect();
        let properties: Vec<&str> = properties.iter().map(String::as_str).collect();
        let drift =
            Drift { title, declared: &declared, properties: &properties, found: found.as_ref() };
        let mut edits = kind.accept(&drift, &self.ground.view)?;
        let set: Vec<&str> = edits
            .iter()
            .filter_map(|edit| match edit {
                Edit::Set(name, _) => Some(*name),
                _ => None,
            })
            .collect();
        // What gets another value stays where it is.
        edits.retain(|edit| !matches!(edit, Edit::Remove(name) if set.contains(name)));
        Ok((edits, found))
    }

    fn edit(
        &mut self,
        edit: &Edit,
        record: &Record,
        found: Option<&Exported>,
        policy: &mut PolicyText,
    ) -> Result<Result<Option<String>, Refused>, AcceptError> {
        let table = (self.resource.reference.kind(), record.title.as_str());
        let name = match edit {
            Edit::Remove(name) => {
                let given = record.attribute(name).is_some_and(|it| !it.default);
                let removed = policy.remove(table, name).map_err(|error| refusal(&error));
                return Ok(removed.map(|()| given.then(|| format!("without {name}"))));
            }
            Edit::Set(name, _) => *name,
            Edit::Below(..) => "source",
        };
        let given = record.attribute(name).filter(|attribute| !attribute.default);
        let evaluated = policy.is_evaluated(table.0, table.1, name);
        let texts = policy.texts(table.0, table.1, name).unwrap_or_default();
        if let Some(given) = given.filter(|_| evaluated) {
            let hint = origin::of_expression(record, given, &texts);
            return Ok(Err(("its value is not written out".to_owned(), Some(hint))));
        }
        if name == "template" {
            let path = self.resolved(record, &texts)?;
            let path = path.as_deref().unwrap_or_default();
            let hint = given.map(|given| origin::of_template(record, given, path));
            return Ok(Err(("its content comes from a template".to_owned(), hint)));
        }
        if let Some(reason) = self.secret(name, found) {
            return Ok(Err(reason));
        }
        match edit {
            Edit::Below(below, content) => {
                Ok(self.below(record, &texts, below, content.as_ref())?)
            }
            Edit::Set(_, Value::Tree(tree)) => Ok(self.blob(record, given, &texts, tree)?),
            Edit::Set(_, value) => {
                let set = policy.set(table, name, value).map_err(|error| refusal(&error));
                Ok(set.map(|()| Some(in_words(name, value))))
            }
            Edit::Remove(_) => Ok(Ok(None)),
        }
    }

    /// Why the value of `name` must not be shown.
    fn secret(&self, name: &str, found: Option<&Exported>) -> Option<Refused> {
        if self.ground.show_secrets || matches!(name, "ensure" | "enable") {
            return None;
        }
        let declaration = self.resource.kind.declaration();
        let private = found.and_then(|found| found.beside.as_ref()).is_some_and(|it| it.private);
        let is_content = matches!(name, "content" | "source" | "template");
        let reason = if self.resource.common.sensitive {
            "the resource is declared `sensitive`"
        } else if declaration.attribute(name).is_some_and(|it| it.secret) {
            "its value is a secret"
        } else if is_content && private {
            "its content is not for everybody's eyes"
        } else {
            return None;
        };
        let hint = "`--show-secrets` puts it into the patch, for everybody who can read the \
                    repository";
        Some((reason.to_owned(), Some(hint.to_owned())))
    }

    /// The content of the repository's file that `source` names.
    fn blob(
        &mut self,
        record: &Record,
        given: Option<&RecordedAttribute>,
        texts: &[String],
        tree: &Tree,
    ) -> Result<Result<Option<String>, Refused>, AcceptError> {
        let path = self.resolved(record, texts)?;
        let (Some(path), Some(_), Tree::File { content, .. }) = (path, given, tree) else {
            let title = self.resource.reference.title();
            let hint = format!(
                "`steadfast export file {title} --out DIR` writes it as a file for `source`"
            );
            let reason = "its content does not belong into the policy's text".to_owned();
            return Ok(Err((reason, Some(hint))));
        };
        let words = format!("content of {path}");
        self.overlay.put(&path, Some(content.to_vec()));
        Ok(Ok(Some(words)))
    }

    /// A file in the directory that `source` names.
    fn below(
        &mut self,
        record: &Record,
        texts: &[String],
        below: &str,
        content: Option<&Arc<[u8]>>,
    ) -> Result<Result<Option<String>, Refused>, AcceptError> {
        let Some(directory) = self.resolved(record, texts)? else {
            return Ok(Err(("its directory in the repository is not known".to_owned(), None)));
        };
        let path = format!("{directory}/{below}");
        if self.overlay.read(&path)?.is_none() {
            // Several properties of a file that is gone say so.
            if content.is_none() && self.overlay.changes().contains_key(&path) {
                return Ok(Ok(None));
            }
            let reason = format!("{path} is not a file of the repository");
            return Ok(Err((reason, None)));
        }
        let verb = if content.is_some() { "content of" } else { "without" };
        let words = format!("{verb} {path}");
        self.overlay.put(&path, content.map(|content| content.to_vec()));
        Ok(Ok(Some(words)))
    }

    /// The path in the repository that the first of `texts` names which exists.
    fn resolved(&self, record: &Record, texts: &[String]) -> Result<Option<String>, AcceptError> {
        let paths = self.overlay.paths()?;
        let full = texts.iter().filter_map(|text| joined(&record.directory, text));
        let exists = |path: &String| {
            let inside = format!("{path}/");
            paths.iter().any(|known| known == path || known.starts_with(&inside))
        };
        let mut full = full.filter(exists);
        Ok(full.next())
    }
}

fn refusal(error: &EditError) -> Refused {
    (error.to_string(), Some("edit it by hand".to_owned()))
}

/// `path` relative to `directory`, without `.` and `..`; `None` where it leads out.
fn joined(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            other => parts.push(other),
        }
    }
    Some(parts.join("/"))
}

/// What a commit's message says of a new value. Contents are in the patch.
fn in_words(name: &str, value: &Value) -> String {
    match value {
        Value::Text(text) if text.len() <= 40 && !text.contains('\n') && name != "password" => {
            format!("{name} = {:?}", text.as_str())
        }
        Value::Boolean(_) | Value::Integer(_) => {
            format!("{name} = {}", steadfast_policies::write::value_text(value, 0))
        }
        _ => name.to_owned(),
    }
}
