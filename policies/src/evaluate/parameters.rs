//! Binding a policy's parameters: what its user gives, then `data.<policy>.<param>`, then the
//! default.

use std::rc::Rc;

use minijinja::Value as Jinja;
use minijinja::value::ValueKind;

use super::texts::{Locals, Outcome};
use super::{Evaluator, Frame};
use crate::diagnostics::suggest::or_list;
use crate::diagnostics::{Code, Reported, Spot};
use crate::expression::{from_item, is_interpolated};
use crate::parse::{Item, Node, Parameter, ParameterType, Policy};
use crate::trace::Origin;

/// A parameter's value as the user of a policy gives it.
#[derive(Debug, Clone)]
pub(crate) struct Argument {
    pub(crate) name: String,
    /// Where the name is written.
    pub(crate) name_spot: Spot,
    /// Where the value is written.
    pub(crate) spot: Spot,
    /// `None`: nothing is known about it (when checking).
    pub(crate) value: Option<Jinja>,
    /// Where it comes from, where somebody asked.
    pub(crate) origin: Option<Rc<Origin>>,
}

/// All that the user of a policy gives.
pub(crate) type Arguments = Vec<Argument>;

impl Evaluator<'_> {
    /// The values of all parameters of `policy`, as `params` in its expressions, and the names of
    /// those that may have others on a real host.
    pub(crate) fn bind(
        &self,
        policy: &Policy,
        arguments: &[Argument],
        user: Option<Spot>,
    ) -> Result<(Jinja, Vec<String>), Reported> {
        let mut outcome = self.unknown_arguments(policy, arguments);
        let frame = Frame::of_site(policy, self.base.clone());
        let mut bound = Vec::with_capacity(policy.parameters.len());
        let mut doubtful = Vec::new();
        for parameter in &policy.parameters {
            match self.value_of(&frame, parameter, arguments, user) {
                Ok(Some(value)) => {
                    if self.given_elsewhere(arguments, parameter, &value) {
                        doubtful.push(parameter.name.to_string());
                    }
                    bound.push((Jinja::from(parameter.name.as_str()), value));
                }
                Ok(None) => doubtful.push(parameter.name.to_string()),
                // Without a host the rest of the policy is judged as if nothing were known of it.
                Err(Reported) if self.check() => {}
                Err(reported) => outcome = Err(reported),
            }
        }
        outcome.map(|()| (Jinja::from_pairs(bound), doubtful))
    }

    /// Whether the users of the policy, who are not known here, have to give `parameter`: its own
    /// `value` is empty.
    fn given_elsewhere(
        &self,
        arguments: &[Argument],
        parameter: &Parameter,
        value: &Jinja,
    ) -> bool {
        self.doubt.as_ref().is_some_and(|doubt| doubt.parameters)
            && !arguments.iter().any(|given| *given.name == *parameter.name)
            && (value.is_none() || value.len() == Some(0) || value.as_str() == Some(""))
    }

    /// Checks what is given to `policy` without judging what is not known.
    pub(crate) fn check_arguments(
        &self,
        policy: &Policy,
        arguments: &[Argument],
        user: Spot,
    ) -> Result<(), Reported> {
        let mut outcome = self.unknown_arguments(policy, arguments);
        for parameter in &policy.parameters {
            let given = arguments.iter().rev().find(|given| *given.name == *parameter.name);
            let checked = match given {
                Some(Argument { value: Some(value), spot, .. }) => {
                    self.accepts(policy, parameter, value, *spot)
                }
                // Data may give it.
                None if parameter.required && self.base.data.is_none() && !self.has_data() => {
                    Err(self.missing_parameter(policy, parameter, Some(user)))
                }
                _ => Ok(()),
            };
            if let Err(reported) = checked {
                outcome = Err(reported);
            }
        }
        outcome
    }

    fn has_data(&self) -> bool {
        !self.files.below("data").is_empty()
    }

    fn unknown_arguments(&self, policy: &Policy, arguments: &[Argument]) -> Result<(), Reported> {
        let mut outcome = Ok(());
        if !policy.sound {
            // What it seems to lack may be in the part that was not understood.
            return outcome;
        }
        for argument in arguments {
            if policy.parameters.iter().any(|known| *known.name == *argument.name) {
                continue;
            }
            let names: Vec<&str> =
                policy.parameters.iter().map(|known| known.name.as_str()).collect();
            let message = format!("policy `{}` has no parameter `{}`", policy.name, argument.name);
            let draft = self.context.error(Code::UnknownParam, argument.name_spot, message);
            let hint = or_list(&argument.name, "its parameters are", &names);
            outcome = Err(draft.hint(hint).report());
        }
        outcome
    }

    fn value_of(
        &self,
        frame: &Frame<'_>,
        parameter: &Parameter,
        arguments: &[Argument],
        user: Option<Spot>,
    ) -> Result<Option<Jinja>, Reported> {
        let policy = frame.policy;
        let given = arguments.iter().rev().find(|given| *given.name == *parameter.name);
        if let Some(Argument { value, spot, .. }) = given {
            let Some(value) = value else { return Ok(None) };
            self.accepts(policy, parameter, value, *spot)?;
            return Ok(Some(value.clone()));
        }
        let datum =
            self.data.as_ref().and_then(|data| data.get(&policy.name)?.get(&parameter.name));
        if let Some(datum) = datum {
            let value = datum.value();
            self.accepts(policy, parameter, &value, datum.spot)?;
            return Ok(Some(value));
        }
        if let Some(default) = &parameter.default {
            self.hush(frame, default);
            return match self.data_value(frame, &frame.locals, default)? {
                Outcome::Known(value) => {
                    self.accepts(policy, parameter, &value, frame.spot(default.span))?;
                    Ok(Some(value))
                }
                Outcome::Guess(_) | Outcome::Unknown => Ok(None),
            };
        }
        if !parameter.required {
            return Ok(Some(Jinja::from(())));
        }
        let name = format!("{}.{}", policy.name, parameter.name);
        let doubt = self.doubt.as_ref();
        if self.check() || doubt.is_some_and(|doubt| doubt.parameters || doubt.data_gives(&name)) {
            return Ok(None);
        }
        Err(self.missing_parameter(policy, parameter, user))
    }

    fn missing_parameter(
        &self,
        policy: &Policy,
        parameter: &Parameter,
        user: Option<Spot>,
    ) -> Reported {
        let declared = Spot::new(policy.source, parameter.name_span);
        let message = format!("policy `{}` needs its parameter `{}`", policy.name, parameter.name);
        match user {
            Some(user) => self
                .context
                .error(Code::MissingParam, user, message)
                .related(declared, "declared here")
                .hint(format!(
                    "give it where the policy is assigned or used, or as `{}.{}` in the data",
                    policy.name, parameter.name
                ))
                .report(),
            None => self
                .context
                .error(Code::MissingParam, declared, message)
                .hint("give it a default".to_owned())
                .report(),
        }
    }

    /// What `item` works with is told in no error: it may come to be a secret elsewhere.
    pub(super) fn hush(&self, frame: &Frame<'_>, item: &Item) {
        item.visit_literals(&mut |span| self.context.hush(frame.spot(span)));
    }

    /// Evaluates `item` as data: every string in it, keeping the types.
    pub(crate) fn data_value(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        item: &Item,
    ) -> Result<Outcome, Reported> {
        if !has_interpolation(item) {
            return Ok(Outcome::Known(from_item(item)));
        }
        let mut certain = true;
        let mut unknown = false;
        let mut part = |item: &Item| {
            Ok(match self.data_value(frame, locals, item)? {
                Outcome::Known(value) => value,
                Outcome::Guess(value) => {
                    certain = false;
                    value
                }
                Outcome::Unknown => {
                    unknown = true;
                    Jinja::from(())
                }
            })
        };
        let value = match &item.node {
            Node::Text(text) => return self.string(frame, locals, text, item.span),
            Node::List(items) => {
                Jinja::from(items.iter().map(&mut part).collect::<Result<Vec<_>, _>>()?)
            }
            Node::Table(entries) => {
                let pairs: Vec<(Jinja, Jinja)> = entries
                    .iter()
                    .map(|entry| Ok((Jinja::from(entry.key.as_str()), part(&entry.item)?)))
                    .collect::<Result<_, Reported>>()?;
                Jinja::from_pairs(pairs)
            }
            _ => from_item(item),
        };
        Ok(match (unknown, certain) {
            (true, _) => Outcome::Unknown,
            (false, true) => Outcome::Known(value),
            (false, false) => Outcome::Guess(value),
        })
    }

    /// Whether `parameter` of `policy` takes `value`, which is written at `spot`.
    fn accepts(
        &self,
        policy: &Policy,
        parameter: &Parameter,
        value: &Jinja,
        spot: Spot,
    ) -> Result<(), Reported> {
        let Some(problem) = problem(parameter, value) else { return Ok(()) };
        let (code, what) = problem;
        let declared = Spot::new(policy.source, parameter.name_span);
        let message = format!("parameter `{}` {what}", parameter.name);
        let draft = self.context.error(code, spot, message);
        let own = parameter
            .default
            .as_ref()
            .is_some_and(|default| spot == Spot::new(policy.source, default.span));
        Err(if own { draft.report() } else { draft.related(declared, "declared here").report() })
    }
}

fn has_interpolation(item: &Item) -> bool {
    match &item.node {
        Node::Text(text) => is_interpolated(text),
        Node::List(items) => items.iter().any(has_interpolation),
        Node::Table(entries) => entries.iter().any(|entry| has_interpolation(&entry.item)),
        _ => false,
    }
}

/// What is wrong with `value`, if anything is.
fn problem(parameter: &Parameter, value: &Jinja) -> Option<(Code, String)> {
    if value.is_none() && !parameter.required && parameter.default.is_none() {
        return None;
    }
    if !is_of(parameter.kind, value) {
        let wanted = parameter.kind.name();
        return Some((
            Code::WrongType,
            format!("must be of type {wanted}, not {}", type_name(value)),
        ));
    }
    if let Some(allowed) = &parameter.allowed
        && !allowed.iter().any(|item| from_item(item) == *value)
    {
        let allowed: Vec<String> =
            allowed.iter().map(|item| format!("{:?}", from_item(item))).collect();
        return Some((Code::InvalidValue, format!("must be one of {}", allowed.join(", "))));
    }
    if let (Some(pattern), Some(text)) = (&parameter.pattern, value.as_str())
        && !pattern.is_match(text)
    {
        return Some((
            Code::InvalidValue,
            format!("must match the pattern {:?}", pattern.as_str()),
        ));
    }
    let number = f64::try_from(value.clone()).ok().filter(|_| value.is_number());
    #[expect(clippy::cast_precision_loss, reason = "only compared")]
    let beyond = |limit: Option<i64>, worse: fn(f64, f64) -> bool| {
        limit.filter(|limit| {
            number.is_some_and(|number| number.is_nan() || worse(number, *limit as f64))
        })
    };
    if let Some(minimum) = beyond(parameter.minimum, |number, limit| number < limit) {
        return Some((Code::InvalidValue, format!("must be at least {minimum}")));
    }
    if let Some(maximum) = beyond(parameter.maximum, |number, limit| number > limit) {
        return Some((Code::InvalidValue, format!("must be at most {maximum}")));
    }
    if value.kind() == ValueKind::Seq {
        let mut items = value.try_iter().ok()?;
        let wrong = items.find(|item| !is_of(parameter.items, item))?;
        let wanted = parameter.items.name();
        let found = type_name(&wrong);
        return Some((Code::WrongType, format!("must have items of type {wanted}, not {found}")));
    }
    None
}

fn is_of(kind: ParameterType, value: &Jinja) -> bool {
    match kind {
        ParameterType::String => value.kind() == ValueKind::String,
        ParameterType::Integer => value.is_integer(),
        ParameterType::Float => value.is_number(),
        ParameterType::Boolean => value.kind() == ValueKind::Bool,
        ParameterType::List => matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable),
        ParameterType::Map => value.kind() == ValueKind::Map,
        ParameterType::Any => true,
    }
}

fn type_name(value: &Jinja) -> &'static str {
    match value.kind() {
        ValueKind::String => "string",
        ValueKind::Number if value.is_integer() => "integer",
        ValueKind::Number => "float",
        ValueKind::Bool => "boolean",
        ValueKind::Seq | ValueKind::Iterable => "list",
        ValueKind::Map => "map",
        ValueKind::None => "none",
        _ => "something else",
    }
}
