//! From one declaration and one set of names to one instance.

use std::sync::Arc;

use steadfast_resources::kind::AnyWanted;
use steadfast_resources::{
    AttributeDeclaration, AttributeError, AttributeReader, Reference, Text, Value,
};

use super::attributes::{Evaluated, placeholder};
use super::digest;
use super::expand::{pattern, span_of};
use super::texts::{Locals, Outcome};
use super::{Evaluator, Frame, Instance};
use crate::catalog::Common;
use crate::diagnostics::hidden::REFUSED;
use crate::diagnostics::{Code, Reported, Spot};
use crate::expression::is_interpolated;
use crate::parse::{self, Declaration, Given, Name};
use crate::trace::Made;

/// The longest title, in bytes (Linux's `PATH_MAX`).
const MAXIMUM_TITLE: usize = 4096;

/// A title as far as it is known.
struct Title {
    text: Text,
    /// A glob of what it may be, where it is not certain.
    pattern: Option<String>,
}

/// The attributes of one instance.
#[derive(Default)]
struct Attributes {
    values: Vec<(&'static str, Value)>,
    /// Those whose values are not known; `values` has something in their place.
    uncertain: Vec<&'static str>,
    failed: bool,
}

impl Attributes {
    /// Adds an attribute of which nothing is known.
    fn unknown(&mut self, declared: &'static AttributeDeclaration) {
        self.values.push((declared.name, placeholder(&declared.kind)));
        self.uncertain.push(declared.name);
    }
}

impl Evaluator<'_> {
    /// Adds the instance of `declaration` with the names of `locals`.
    pub(crate) fn instance(
        &mut self,
        frame: &Frame<'_>,
        locals: &Locals,
        declaration: &Declaration,
        conditional: bool,
    ) {
        let spot = frame.spot(declaration.title_span);
        let kind = declaration.kind;
        let declared = kind.declaration();
        let Ok(title) = self.title(frame, locals, declaration, spot) else {
            self.broken(frame, declaration);
            return;
        };
        let defaults = frame.policy.defaults.get(declared.name).map_or(&[][..], Vec::as_slice);
        let given = || {
            let overridden = |default: &&Given| {
                !declaration.given.iter().any(|given| same(given.name, default.name))
            };
            declaration.given.iter().chain(defaults.iter().filter(overridden))
        };
        if Self::is_sensitive(frame, declaration) {
            for given in given().filter(|given| matches!(given.name, Name::Own(_))) {
                given.item.visit_literals(&mut |span| self.context.hide(frame.spot(span)));
            }
        }
        let mut common = Common::default();
        let mut links = frame.links.clone();
        let mut attributes = Attributes {
            values: Vec::with_capacity(declaration.given.len() + defaults.len()),
            failed: declaration.broken,
            ..Attributes::default()
        };
        let ignored = given()
            .find(|given| matches!(given.name, Name::Common(parse::Common::Ignore)))
            .map_or(Ok(Vec::new()), |given| self.ignored(frame, locals, declared, given));
        let ignored = ignored.unwrap_or_else(|Reported| {
            attributes.failed = true;
            Vec::new()
        });
        for given in given() {
            match given.name {
                Name::Common(name) => {
                    let done = self.common(frame, locals, name, given, &mut common, &mut links);
                    attributes.failed |= done.is_err();
                }
                Name::Own(own) if ignored.iter().any(|name| **name == *own.name) => {}
                Name::Own(own) => match self.typed(frame, locals, own, given) {
                    Ok(Evaluated { value: Some(value), certain }) => {
                        attributes.values.push((own.name, value));
                        if !certain {
                            attributes.uncertain.push(own.name);
                        }
                    }
                    Ok(Evaluated { value: None, certain: true }) => {}
                    Ok(Evaluated { value: None, certain: false }) => attributes.unknown(own),
                    Err(Reported) => {
                        attributes.failed = true;
                        attributes.unknown(own);
                    }
                },
            }
        }
        for own in &declaration.misspelt {
            if !attributes.values.iter().any(|(name, _)| *name == own.name) {
                attributes.unknown(own);
            }
        }
        let place = |name: &str| {
            span_of(&declaration.given, name)
                .or_else(|| span_of(defaults, name))
                .map_or(spot, |span| frame.spot(span))
        };
        let wanted = self.wanted(declaration, &title, &attributes, &place);
        let relations = wanted.as_ref().and_then(|wanted| match kind.relations(wanted) {
            Ok(relations) => Some(relations),
            Err(failure) => {
                self.context.error(Code::InvalidValue, spot, failure.reason).report();
                None
            }
        });
        if self.context.tracer.is_some() {
            let given: Vec<&Given> = given().collect();
            let made = Made {
                title: &title.text,
                values: &attributes.values,
                given: &given,
                ignored: &ignored,
                sensitive: common.sensitive,
            };
            self.note_subject(frame, locals, declaration, &made);
        }
        attributes.values.sort_unstable_by_key(|(name, _)| *name);
        let record = self.record(frame, declaration, defaults, &attributes.values);
        let digest = digest::resource(declared.name, &title.text, &attributes.values, &common);
        self.instances.push(Instance {
            kind,
            reference: Reference::new(declared.name, title.text.shared()),
            spot,
            wanted,
            relations,
            common,
            digest,
            links,
            pattern: title.pattern,
            conditional: conditional || frame.conditional,
            origin: Arc::clone(&frame.origin),
            record,
        });
    }

    /// Whether the resource, or the defaults of its kind, says that it is sensitive, or might.
    pub(super) fn is_sensitive(frame: &Frame<'_>, declaration: &Declaration) -> bool {
        let kind = declaration.kind.declaration().name;
        let defaults = frame.policy.defaults.get(kind).map_or(&[][..], Vec::as_slice);
        let named = |given: &&Given| matches!(given.name, Name::Common(parse::Common::Sensitive));
        let said = declaration.given.iter().find(named);
        said.or_else(|| defaults.iter().find(named))
            .is_some_and(|given| !matches!(given.item.node, parse::Node::Boolean(false)))
    }

    fn title(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        declaration: &Declaration,
        spot: Spot,
    ) -> Result<Title, Reported> {
        let written = &declaration.title;
        let title = if is_interpolated(written) {
            match self.string(frame, locals, written, declaration.title_span)? {
                Outcome::Known(value) => match value.to_str() {
                    Some(text) => Title { text: Text::from(text), pattern: None },
                    None if value.is_number() => {
                        Title { text: Text::from(value.to_string()), pattern: None }
                    }
                    None => {
                        let message = format!("a title must be a string, not a {}", value.kind());
                        return Err(self.context.error(Code::InvalidTitle, spot, message).report());
                    }
                },
                Outcome::Guess(_) | Outcome::Unknown => {
                    let pattern = pattern(written);
                    Title {
                        text: Text::from(pattern.replace('*', "x").replace('\\', "")),
                        pattern: Some(pattern),
                    }
                }
            }
        } else {
            Title { text: written.clone(), pattern: None }
        };
        let wrong = |message: &str| {
            Err(self.context.error(Code::InvalidTitle, spot, message.to_owned()).report())
        };
        if title.text.is_empty() {
            return wrong("a title cannot be empty");
        }
        if title.text.len() > MAXIMUM_TITLE {
            return wrong("a title cannot be longer than 4096 bytes");
        }
        match title.text.chars().find(|letter| letter.is_control()) {
            Some('\0') => wrong("a title cannot contain a NUL character"),
            Some('\n') => wrong("a title cannot contain a line break"),
            Some(letter) => {
                wrong(&format!("a title cannot contain the control character {letter:?}"))
            }
            None => Ok(title),
        }
    }

    /// What the kind makes of the attributes. Errors that may be due to something that is not known,
    /// or that was wrong by itself, are not told.
    fn wanted(
        &self,
        declaration: &Declaration,
        title: &Title,
        attributes: &Attributes,
        place: &dyn Fn(&str) -> Spot,
    ) -> Option<AnyWanted> {
        let read = |values: &[(&'static str, Value)]| {
            let mut reader = AttributeReader::new(values);
            let wanted = declaration.kind.wanted(&title.text, &mut reader);
            (wanted, reader.into_errors())
        };
        let (wanted, mut errors) = read(&attributes.values);
        if !errors.is_empty() && !attributes.uncertain.is_empty() {
            let known: Vec<(&'static str, Value)> = attributes
                .values
                .iter()
                .filter(|(name, _)| !attributes.uncertain.contains(name))
                .cloned()
                .collect();
            let (_, without) = read(&known);
            errors.retain(|error| {
                without.contains(error)
                    && error.attribute.is_none_or(|name| !attributes.uncertain.contains(&name))
            });
        }
        if title.pattern.is_some() {
            errors.retain(|error| error.attribute.is_some());
        }
        let spot = place("");
        let before = self.context.count();
        for error in errors {
            let error = discreet(error, &attributes.values, |name| self.context.hides(place(name)));
            self.attribute_error(declaration, error, place, spot);
        }
        if wanted.is_none()
            && self.context.count() == before
            && attributes.uncertain.is_empty()
            && title.pattern.is_none()
            && !attributes.failed
            && !self.check()
        {
            let message = "the kind refused this resource without saying why";
            self.context.error(Code::InvalidValue, spot, message).report();
        }
        let certain =
            title.pattern.is_none() && attributes.uncertain.is_empty() && !attributes.failed;
        wanted.filter(|_| certain)
    }

    fn attribute_error(
        &self,
        declaration: &Declaration,
        error: AttributeError,
        place: &dyn Fn(&str) -> Spot,
        title: Spot,
    ) -> Reported {
        let (code, spot) = match error.attribute {
            Some(name) => (Code::InvalidValue, place(name)),
            None => (Code::InvalidTitle, title),
        };
        let message = if spot == title {
            format!("{}: {}", declaration.kind.declaration().name, error.message)
        } else {
            error.message
        };
        self.context.error(code, spot, message).hint(error.hint).report()
    }
}

/// `error` without the values of attributes that `hidden` names.
fn discreet(
    mut error: AttributeError,
    values: &[(&'static str, Value)],
    hidden: impl Fn(&str) -> bool,
) -> AttributeError {
    let shows = |text: &str, value: &str| !value.is_empty() && text.contains(value);
    let told = error.attribute.is_some_and(&hidden)
        && values.iter().filter(|(name, _)| Some(*name) == error.attribute).any(|(_, value)| {
            let (plain, escaped) = match value {
                Value::Text(text) => (text.to_string(), format!("{text:?}")),
                Value::Integer(number) => (number.to_string(), number.to_string()),
                _ => return false,
            };
            let escaped = escaped.trim_matches('"');
            [Some(&error.message), error.hint.as_ref()]
                .into_iter()
                .flatten()
                .any(|text| shows(text, &plain) || shows(text, escaped))
        });
    if told {
        REFUSED.clone_into(&mut error.message);
        error.hint = None;
    }
    error
}

fn same(left: Name, right: Name) -> bool {
    match (left, right) {
        (Name::Own(left), Name::Own(right)) => left.name == right.name,
        (Name::Common(left), Name::Common(right)) => left == right,
        _ => false,
    }
}
