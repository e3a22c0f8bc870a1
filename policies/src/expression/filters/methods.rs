//! The few methods of Python's strings and dictionaries that Ansible and Salt authors write without
//! thinking.

use minijinja::value::{ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::limited;
use super::limits::items;
use crate::expression::budget::Budget;

/// The widest text that is made wider.
const MAXIMUM_WIDTH: usize = 10_000;

/// Calls `method` of `value`.
pub(super) fn call(
    budget: &Budget,
    _state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    // Getting one item of a map takes no time.
    if method != "get" {
        budget.charge(items(value)?)?;
    }
    for argument in arguments {
        budget.charge(items(argument)?)?;
    }
    let made = match value.kind() {
        ValueKind::Map => of_map(value, method, arguments)?,
        ValueKind::String => {
            let all: Vec<Value> = std::iter::once(value).chain(arguments).cloned().collect();
            match method {
                "replace" => limited::replaced(budget, &all)?,
                "split" => limited::split(budget, &all)?,
                "join" => {
                    let turned: Vec<Value> = all.into_iter().rev().collect();
                    limited::joined(budget, &turned)?;
                }
                _ => {}
            }
            of_text(value.as_str().unwrap_or_default(), method, arguments)?
        }
        _ => return Err(ErrorKind::UnknownMethod.into()),
    };
    budget.made(made)
}

fn of_map(map: &Value, method: &str, arguments: &[Value]) -> Result<Value, Error> {
    let value = |key: &Value| map.get_item(key);
    match method {
        "get" => {
            let (key, default): (Value, Option<Value>) = from_args(arguments)?;
            let found = value(&key)?;
            Ok(if found.is_undefined() { default.unwrap_or(Value::from(())) } else { found })
        }
        "keys" => {
            let () = from_args(arguments)?;
            Ok(map.try_iter()?.collect())
        }
        "values" => {
            let () = from_args(arguments)?;
            map.try_iter()?.map(|key| value(&key)).collect::<Result<Vec<_>, _>>().map(Value::from)
        }
        "items" => {
            let () = from_args(arguments)?;
            let pair = |key: Value| Ok(Value::from(vec![key.clone(), value(&key)?]));
            map.try_iter()?.map(pair).collect::<Result<Vec<_>, Error>>().map(Value::from)
        }
        _ => Err(ErrorKind::UnknownMethod.into()),
    }
}

fn of_text(text: &str, method: &str, arguments: &[Value]) -> Result<Value, Error> {
    let none = || from_args::<()>(arguments);
    match method {
        "startswith" => from_args(arguments).map(|(part,): (&str,)| text.starts_with(part).into()),
        "endswith" => from_args(arguments).map(|(part,): (&str,)| text.ends_with(part).into()),
        "replace" => {
            from_args(arguments).map(|(from, to): (&str, &str)| Value::from(text.replace(from, to)))
        }
        "split" => {
            let (separator,): (Option<&str>,) = from_args(arguments)?;
            Ok(match separator {
                Some("") => {
                    let message = "the separator is empty";
                    return Err(Error::new(ErrorKind::InvalidOperation, message));
                }
                Some(separator) => text.split(separator).map(Value::from).collect(),
                None => text.split_whitespace().map(Value::from).collect(),
            })
        }
        "join" => {
            let (items,): (Value,) = from_args(arguments)?;
            let items: Vec<String> = items.try_iter()?.map(|item| item.to_string()).collect();
            Ok(items.join(text).into())
        }
        "strip" | "lstrip" | "rstrip" => {
            let (signs,): (Option<&str>,) = from_args(arguments)?;
            let goes = |letter: char| match signs {
                Some(signs) => signs.contains(letter),
                None => letter.is_whitespace(),
            };
            let text = if method == "rstrip" { text } else { text.trim_start_matches(goes) };
            Ok((if method == "lstrip" { text } else { text.trim_end_matches(goes) }).into())
        }
        "removeprefix" => from_args(arguments)
            .map(|(part,): (&str,)| text.strip_prefix(part).unwrap_or(text).into()),
        "removesuffix" => from_args(arguments)
            .map(|(part,): (&str,)| text.strip_suffix(part).unwrap_or(text).into()),
        "splitlines" => none().map(|()| text.lines().map(Value::from).collect()),
        "count" => from_args(arguments).map(|(part,): (&str,)| text.matches(part).count().into()),
        "isdigit" => none()
            .map(|()| (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).into()),
        "zfill" | "ljust" | "rjust" => {
            let (width, fill): (usize, Option<char>) = from_args(arguments)?;
            let room = width.min(MAXIMUM_WIDTH).saturating_sub(text.chars().count());
            let fill = if method == "zfill" { '0' } else { fill.unwrap_or(' ') };
            let filled: String = std::iter::repeat_n(fill, room).collect();
            Ok(if method == "ljust" {
                format!("{text}{filled}")
            } else {
                format!("{filled}{text}")
            }
            .into())
        }
        "title" | "capitalize" => {
            none()?;
            let mut inside = false;
            let cased = text.chars().flat_map(|letter| {
                let first = !inside;
                inside = method == "capitalize" || letter.is_alphabetic();
                let (upper, lower) = (letter.to_uppercase(), letter.to_lowercase());
                if first { upper.collect::<Vec<char>>() } else { lower.collect() }
            });
            Ok(cased.collect::<String>().into())
        }
        "lower" => none().map(|()| text.to_lowercase().into()),
        "upper" => none().map(|()| text.to_uppercase().into()),
        _ => Err(ErrorKind::UnknownMethod.into()),
    }
}
