//! Jinja's own filters, with limits: none makes more than may be rendered, and all of them count
//! against the budget.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value, filters, functions, tests};

use super::limits::{Limited, free, items, limited};
use crate::expression::budget::{Budget, MAXIMUM_ITEMS, too_large};
use crate::expression::guard;

/// Replaces Jinja's own filters, and its tests and functions that make something or look into a value.
pub(super) fn install(own: &mut Limited<'_>) {
    around_expressions(own);
    for (name, filter) in [
        ("batch", Value::from_function(filters::batch)),
        ("slice", Value::from_function(filters::slice)),
    ] {
        own.limit(name, filter, counts);
    }
    own.limit("format", Value::from_function(filters::format), widths);
    own.limit("indent", Value::from_function(filters::indent), indentation);
    own.limit("join", Value::from_function(filters::join), joined);
    own.limit("replace", Value::from_function(filters::replace), replaced);
    own.limit("split", Value::from_function(filters::split), split);
    for (name, filter) in [
        ("pprint", Value::from_function(filters::pprint)),
        ("string", Value::from_function(filters::string)),
        ("tojson", Value::from_function(filters::tojson)),
        ("urlencode", Value::from_function(filters::urlencode)),
    ] {
        own.limit(name, filter, shown);
    }
    for (name, filter) in [
        ("dictsort", Value::from_function(filters::dictsort)),
        ("groupby", Value::from_function(filters::groupby)),
        ("max", Value::from_function(filters::max)),
        ("min", Value::from_function(filters::min)),
        ("sort", Value::from_function(filters::sort)),
        ("sum", Value::from_function(filters::sum)),
        ("unique", Value::from_function(filters::unique)),
    ] {
        own.limit(name, filter, compared);
    }
    for (name, filter) in [
        ("chain", Value::from_function(filters::chain)),
        ("items", Value::from_function(filters::items)),
        ("lines", Value::from_function(filters::lines)),
        ("list", Value::from_function(filters::list)),
        ("map", Value::from_function(filters::map)),
        ("reject", Value::from_function(filters::reject)),
        ("rejectattr", Value::from_function(filters::rejectattr)),
        ("select", Value::from_function(filters::select)),
        ("selectattr", Value::from_function(filters::selectattr)),
        ("zip", Value::from_function(filters::zip)),
    ] {
        own.limit(name, filter, letters);
    }
    for (name, filter) in [
        ("abs", Value::from_function(filters::abs)),
        ("attr", Value::from_function(filters::attr)),
        ("capitalize", Value::from_function(filters::capitalize)),
        ("count", Value::from_function(filters::length)),
        ("d", Value::from_function(filters::default)),
        ("default", Value::from_function(filters::default)),
        ("e", Value::from_function(filters::escape)),
        ("escape", Value::from_function(filters::escape)),
        ("first", Value::from_function(filters::first)),
        ("float", Value::from_function(filters::float)),
        ("int", Value::from_function(filters::int)),
        ("last", Value::from_function(filters::last)),
        ("length", Value::from_function(filters::length)),
        ("lower", Value::from_function(filters::lower)),
        ("reverse", Value::from_function(filters::reverse)),
        ("round", Value::from_function(filters::round)),
        ("safe", Value::from_function(filters::safe)),
        ("title", Value::from_function(filters::title)),
        ("trim", Value::from_function(filters::trim)),
        ("upper", Value::from_function(filters::upper)),
    ] {
        own.limit(name, filter, free);
    }
    for (names, test) in [
        (&["eq", "equalto", "=="][..], Value::from_function(tests::is_eq)),
        (&["ne", "!="], Value::from_function(tests::is_ne)),
        (&["lt", "lessthan", "<"], Value::from_function(tests::is_lt)),
        (&["le", "<="], Value::from_function(tests::is_le)),
        (&["gt", "greaterthan", ">"], Value::from_function(tests::is_gt)),
        (&["ge", ">="], Value::from_function(tests::is_ge)),
        (&["in"], Value::from_function(tests::is_in)),
        (&["sameas"], Value::from_function(tests::is_sameas)),
    ] {
        for name in names {
            own.limit_test(name, test.clone(), either);
        }
    }
    for (name, test) in [
        ("lower", Value::from_function(tests::is_lower)),
        ("upper", Value::from_function(tests::is_upper)),
        ("startingwith", Value::from_function(tests::is_startingwith)),
        ("endingwith", Value::from_function(tests::is_endingwith)),
    ] {
        own.limit_test(name, test, free);
    }
    for (name, function) in [
        ("dict", Value::from_function(functions::dict)),
        ("namespace", Value::from_function(functions::namespace)),
        ("range", Value::from_function(functions::range)),
    ] {
        own.limit_function(name, function);
    }
}

/// What [`guard`] writes around expressions.
fn around_expressions(own: &mut Limited<'_>) {
    let mut add = |filter: guard::Filter, charge: fn(&Budget, Value) -> Result<Value, Error>| {
        let budget = own.budget.clone();
        own.environment.add_filter(filter.name(), move |value: Value| charge(&budget, value));
    };
    add(guard::Filter::Bounded, bounded);
    add(guard::Filter::Stored, |budget, value| {
        let value = bounded(budget, value)?;
        if holds_namespace(&value) {
            let message = "a namespace cannot hold a namespace";
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
        Ok(value)
    });
    add(guard::Filter::Made, Budget::made);
    add(guard::Filter::Weighed, |budget, value| weighed(budget, &value).map(|()| value));
    add(guard::Filter::Searched, |budget, value| {
        // Looking something up in a map takes no time.
        if value.kind() != ValueKind::Map {
            weighed(budget, &value)?;
        }
        Ok(value)
    });
    add(guard::Filter::Sliced, |budget, value| {
        budget.charge(items(&value)?)?;
        Ok(value)
    });
    add(guard::Filter::Indexed, |budget, value| {
        if matches!(value.kind(), ValueKind::String | ValueKind::Iterable) {
            budget.charge(items(&value)?)?;
        }
        Ok(value)
    });
    add(guard::Filter::Raw, |budget, value| {
        budget.make(value.as_usize().unwrap_or(0)).map(|()| Value::from(""))
    });
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

pub(super) fn joined(budget: &Budget, arguments: &[Value]) -> Result<(), Error> {
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

pub(super) fn replaced(_: &Budget, arguments: &[Value]) -> Result<(), Error> {
    let text = |index: usize| arguments.get(index).and_then(Value::as_str).unwrap_or_default();
    let (text, from, to) = (text(0), text(1), text(2));
    let found = if from.is_empty() { text.len() + 1 } else { text.matches(from).count() };
    limited(found.checked_mul(to.len()).and_then(|added| added.checked_add(text.len())))
}

fn shown(budget: &Budget, arguments: &[Value]) -> Result<(), Error> {
    arguments.iter().try_for_each(|argument| budget.text_length(argument).map(drop))
}

/// No more parts than a list may have items.
pub(super) fn split(_: &Budget, arguments: &[Value]) -> Result<(), Error> {
    let text = |index: usize| arguments.get(index).and_then(Value::as_str);
    let whole = text(0).unwrap_or_default();
    let separators = match text(1) {
        Some(separator) if !separator.is_empty() => whole.matches(separator).count(),
        _ => whole.len(),
    };
    if separators > MAXIMUM_ITEMS { Err(too_large()) } else { Ok(()) }
}

/// No more letters than a list may have items.
fn letters(_: &Budget, arguments: &[Value]) -> Result<(), Error> {
    let long = |text: &str| text.len() > MAXIMUM_ITEMS;
    let long = arguments.first().and_then(Value::as_str).is_some_and(long);
    if long { Err(too_large()) } else { Ok(()) }
}

/// All items are compared with some others.
fn compared(budget: &Budget, arguments: &[Value]) -> Result<(), Error> {
    letters(budget, arguments)?;
    arguments.first().map_or(Ok(()), |list| budget.bounded(list).map(drop))
}

fn either(budget: &Budget, arguments: &[Value]) -> Result<(), Error> {
    arguments.last().map_or(Ok(()), |value| weighed(budget, value))
}

/// Takes what comparing all of `value` costs.
fn weighed(budget: &Budget, value: &Value) -> Result<(), Error> {
    // Comparing costs several times as much as looking.
    const COMPARING: usize = 4;
    budget.charge(COMPARING * budget.bounded(value)?)
}

/// The value, charged for, where it is not too large; a view becomes a list.
fn bounded(budget: &Budget, value: Value) -> Result<Value, Error> {
    // The length of a text is looked at where it is charged.
    if value.kind() != ValueKind::String {
        budget.bounded(&value)?;
    }
    budget.made(value)
}

/// Whether `value`, which is bounded, is a namespace or has one in it.
fn holds_namespace(value: &Value) -> bool {
    let is_one =
        value.as_object().is_some_and(|object| object.type_name().ends_with("::Namespace"));
    let inside = |value: &Value| match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            value.try_iter().is_ok_and(|mut items| items.any(|item| holds_namespace(&item)))
        }
        ValueKind::Map => value.try_iter().is_ok_and(|mut keys| {
            keys.any(|key| value.get_item(&key).is_ok_and(|item| holds_namespace(&item)))
        }),
        _ => false,
    };
    is_one || inside(value)
}
