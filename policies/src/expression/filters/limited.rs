//! Jinja's own filters, with limits: none makes more than may be rendered, and all of them count
//! against the budget.

use minijinja::value::{Rest, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, State, Value, filters};

use crate::expression::MAXIMUM_OUTPUT;
use crate::expression::budget::{Budget, MAXIMUM_ITEMS, too_large};
use crate::expression::guard;

/// Looks at the arguments before a filter runs.
type Check = fn(&Budget, &[Value]) -> Result<(), Error>;

/// Replaces Jinja's own filters in `environment`.
pub(super) fn install(environment: &mut Environment<'static>, budget: &Budget) {
    let own = budget.clone();
    environment.add_filter(guard::FILTER, move |value: Value| own.bounded(&value).map(|_| value));
    let mut limit = |name: &'static str, filter: Value, check: Check| {
        let budget = budget.clone();
        environment.add_filter(
            name,
            move |state: &mut State<'_, '_>, given: Rest<ValueOrKwargs>| {
                let arguments = given.into_values();
                for argument in &arguments {
                    budget.charge(items(argument)?)?;
                }
                check(&budget, &arguments)?;
                filter.call(state, &arguments)
            },
        );
    };
    for (name, filter) in [
        ("batch", Value::from_function(filters::batch)),
        ("slice", Value::from_function(filters::slice)),
    ] {
        limit(name, filter, counts);
    }
    limit("format", Value::from_function(filters::format), widths);
    limit("indent", Value::from_function(filters::indent), indentation);
    limit("join", Value::from_function(filters::join), joined);
    limit("replace", Value::from_function(filters::replace), replaced);
    for (name, filter) in [
        ("pprint", Value::from_function(filters::pprint)),
        ("string", Value::from_function(filters::string)),
        ("sum", Value::from_function(filters::sum)),
        ("tojson", Value::from_function(filters::tojson)),
        ("urlencode", Value::from_function(filters::urlencode)),
    ] {
        limit(name, filter, shown);
    }
    for (name, filter) in [
        ("capitalize", Value::from_function(filters::capitalize)),
        ("chain", Value::from_function(filters::chain)),
        ("dictsort", Value::from_function(filters::dictsort)),
        ("first", Value::from_function(filters::first)),
        ("groupby", Value::from_function(filters::groupby)),
        ("items", Value::from_function(filters::items)),
        ("last", Value::from_function(filters::last)),
        ("lines", Value::from_function(filters::lines)),
        ("list", Value::from_function(filters::list)),
        ("lower", Value::from_function(filters::lower)),
        ("map", Value::from_function(filters::map)),
        ("max", Value::from_function(filters::max)),
        ("min", Value::from_function(filters::min)),
        ("reject", Value::from_function(filters::reject)),
        ("rejectattr", Value::from_function(filters::rejectattr)),
        ("reverse", Value::from_function(filters::reverse)),
        ("select", Value::from_function(filters::select)),
        ("selectattr", Value::from_function(filters::selectattr)),
        ("sort", Value::from_function(filters::sort)),
        ("split", Value::from_function(filters::split)),
        ("title", Value::from_function(filters::title)),
        ("trim", Value::from_function(filters::trim)),
        ("unique", Value::from_function(filters::unique)),
        ("upper", Value::from_function(filters::upper)),
        ("zip", Value::from_function(filters::zip)),
    ] {
        limit(name, filter, |_, _| Ok(()));
    }
}

/// What going over `value` once costs. An error where that would be too much.
fn items(value: &Value) -> Result<usize, Error> {
    const ITEM: usize = 50;
    match value.kind() {
        ValueKind::String => match value.as_str().map_or(0, str::len) {
            length if length <= MAXIMUM_OUTPUT => Ok(length),
            _ => Err(too_large()),
        },
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {
            let count = match value.len() {
                Some(count) => count,
                None => value.try_iter()?.take(MAXIMUM_ITEMS + 1).count(),
            };
            if count > MAXIMUM_ITEMS { Err(too_large()) } else { Ok(ITEM * count) }
        }
        _ => Ok(ITEM),
    }
}

fn limited(length: Option<usize>) -> Result<(), Error> {
    length.filter(|length| *length <= MAXIMUM_OUTPUT).map(drop).ok_or_else(too_large)
}

/// No number is larger than a list may be.
fn counts(_: &Budget, arguments: &[Value]) -> Result<(), Error> {
    let large = |value: &Value| value.as_usize().is_some_and(|count| count > MAXIMUM_ITEMS);
    if arguments.iter().any(large) { Err(too_large()) } else { Ok(()) }
}

/// No width in the format, or given to it, is larger than a text may be.
fn widths(budget: &Budget, arguments: &[Value]) -> Result<(), Error> {
    let format = arguments.first().and_then(Value::as_str).unwrap_or_default();
    let number = |digits: &str| digits.parse::<usize>().unwrap_or(usize::MAX);
    let written = format
        .split(|letter: char| !letter.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(number);
    let given = arguments.iter().skip(1).filter_map(Value::as_usize);
    let given = given.filter(|_| format.contains('*'));
    let mut total = 0_usize;
    for argument in arguments {
        total = total.saturating_add(budget.text_length(argument)?);
    }
    limited(written.chain(given).try_fold(total, usize::checked_add))
}

fn indentation(_: &Budget, arguments: &[Value]) -> Result<(), Error> {
    let [text, more @ ..] = arguments else { return Ok(()) };
    let text = text.as_str().unwrap_or_default();
    let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let width = |value: &Value| {
        let named = value.get_attr("width").ok().and_then(|width| width.as_usize());
        value.as_usize().or(named)
    };
    let width = more.iter().find_map(width).unwrap_or(4);
    limited(lines.checked_mul(width).and_then(|added| added.checked_add(text.len())))
}

fn joined(budget: &Budget, arguments: &[Value]) -> Result<(), Error> {
    let Some(list) = arguments.first() else { return Ok(()) };
    let joiner = arguments.get(1).and_then(Value::as_str).map_or(0, str::len);
    let Ok(list) = list.try_iter() else { return Ok(()) };
    let mut total = 0_usize;
    for item in list {
        total = total.saturating_add(budget.text_length(&item)?).saturating_add(joiner);
        limited(Some(total))?;
    }
    budget.charge(total)
}

fn replaced(_: &Budget, arguments: &[Value]) -> Result<(), Error> {
    let text = |index: usize| arguments.get(index).and_then(Value::as_str).unwrap_or_default();
    let (text, from, to) = (text(0), text(1), text(2));
    let found = if from.is_empty() { text.len() + 1 } else { text.matches(from).count() };
    limited(found.checked_mul(to.len()).and_then(|added| added.checked_add(text.len())))
}

fn shown(budget: &Budget, arguments: &[Value]) -> Result<(), Error> {
    arguments.iter().try_for_each(|argument| budget.text_length(argument).map(drop))
}
