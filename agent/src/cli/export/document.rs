//! The policy being put together: each resource checked by its own kind before it is written.

use steadfast_policies::write::{Written, resource};
use steadfast_resources::host::View;
use steadfast_resources::{AnyKind, AttributeReader, Exported, Failure, Pending, Value};

use super::beside::Beside;

/// The policy being put together.
pub(super) struct Document {
    kind: &'static dyn AnyKind,
    show_secrets: bool,
    text: String,
}

impl Document {
    pub(super) fn new(kind: &'static dyn AnyKind, show_secrets: bool) -> Self {
        Self { kind, show_secrets, text: String::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Adds what was found under `title`. Fails where no policy could say it.
    pub(super) fn add(
        &mut self,
        title: &str,
        mut exported: Exported,
        beside: &mut Beside,
        view: &View<'_>,
    ) -> Result<(), Failure> {
        if let Some(letter) = title.chars().find(|letter| letter.is_control()) {
            let reason = format!("a title cannot contain the control character {letter:?}");
            return Err(Failure::new(reason));
        }
        if !self.show_secrets {
            without_secrets(&mut exported);
        }
        self.checked(title, &mut exported, view)?;
        for (_, value) in &mut exported.attributes {
            if let Value::Tree(tree) = value {
                let path = beside.add(title, tree, exported.beside.take());
                *value = Value::text(path);
            }
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text += &resource(&Written {
            kind: self.kind.declaration().name,
            title,
            comments: &exported.notes,
            attributes: &exported.attributes,
        });
        Ok(())
    }

    /// Leaves out what the kind itself would refuse, and says what planning would still do.
    /// Fails where it refuses the title, too.
    fn checked(
        &self,
        title: &str,
        exported: &mut Exported,
        view: &View<'_>,
    ) -> Result<(), Failure> {
        loop {
            let mut reader = AttributeReader::new(&exported.attributes);
            let wanted = self.kind.wanted(title, &mut reader);
            if let Some(wanted) = wanted {
                match self.kind.plan(&wanted, view, &Pending::nothing()) {
                    Ok(planned) => exported.notes.extend(
                        planned.steps.iter().map(|step| format!("to do: {}", step.summary())),
                    ),
                    Err(failure) => exported.notes.push(format!("this would fail: {failure}")),
                }
                return Ok(());
            }
            let before = exported.attributes.len();
            let errors = reader.into_errors();
            let first = errors.first().map(|error| error.message.clone()).unwrap_or_default();
            for error in errors {
                exported.attributes.retain(|(name, _)| Some(*name) != error.attribute);
                let what = error.attribute.map_or(String::new(), |name| format!("`{name}`: "));
                exported.notes.push(format!("left out: {what}{}", error.message));
            }
            if exported.attributes.len() == before {
                return Err(Failure::new(format!("no policy could declare it: {first}")));
            }
        }
    }
}

fn without_secrets(exported: &mut Exported) {
    for secret in std::mem::take(&mut exported.secrets) {
        exported.attributes.retain(|(name, _)| *name != secret);
        exported.notes.push(format!("`{secret}` is left out; `--show-secrets` shows it"));
    }
}

#[cfg(test)]
mod tests {
    use steadfast_resources::Registry;
    use steadfast_resources::host::{FakeHost, Host};

    use super::*;

    #[test]
    fn what_would_not_validate_is_not_written() {
        let host = FakeHost::scene();
        for (kind, title, written) in [
            ("file", "/srv/a", true),
            ("file", "/srv/a\tb", false),
            ("file", "/srv/\u{7f}", false),
            ("group", "crew", true),
            ("group", "cr\u{1b}ew", false),
            ("group", "with:colon", false),
        ] {
            let kind = Registry::standard().kind(kind).unwrap();
            let mut document = Document::new(kind, false);
            let found = Exported::new(vec![("ensure", Value::text("absent"))]);
            let added = document.add(title, found, &mut Beside::default(), &host.view());
            assert_eq!((added.is_ok(), !document.is_empty()), (written, written), "{title:?}");
        }
    }
}
