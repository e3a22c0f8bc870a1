//! Regular expressions. (The engine takes time linear in the text, whatever the expression.)

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Kwargs, Rest};
use minijinja::{Error, ErrorKind, Value};
use regex::{Captures, Regex, RegexBuilder};

use super::brief;
use super::limits::Limited;
use crate::expression::MAXIMUM_OUTPUT;
use crate::expression::budget::{Budget, MAXIMUM_ITEMS, too_large};

/// Expressions compiled so far: a filter in a loop compiles its expression once.
#[derive(Clone, Default)]
struct Cache {
    compiled: Arc<Mutex<HashMap<Key, Regex>>>,
    budget: Budget,
}

/// How large a compiled expression may be, in bytes.
const MAXIMUM_SIZE: usize = 2 << 20;

/// How many compiled expressions are kept.
const MAXIMUM_KEPT: usize = 100;

/// What compiling an expression costs, by its length and at least.
const COMPILING: usize = 60_000;
const COMPILING_BYTE: usize = 6_000;

/// The pattern, whether case is ignored, whether lines count.
type Key = (String, bool, bool);

impl Cache {
    fn get(&self, pattern: &str, arguments: &Kwargs) -> Result<Regex, Error> {
        let ignore_case = arguments.get::<Option<bool>>("ignorecase")?.unwrap_or(false);
        let multi_line = arguments.get::<Option<bool>>("multiline")?.unwrap_or(false);
        arguments.assert_all_used()?;
        let key = (pattern.to_owned(), ignore_case, multi_line);
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = compiled.get(&key) {
            return Ok(regex.clone());
        }
        self.budget.charge(COMPILING + COMPILING_BYTE * pattern.len())?;
        let regex = RegexBuilder::new(pattern)
            .size_limit(MAXIMUM_SIZE)
            .dfa_size_limit(MAXIMUM_SIZE)
            .case_insensitive(ignore_case)
            .multi_line(multi_line)
            .build()
            .map_err(|error| {
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or_default();
                let message = format!("{} is no regular expression: {reason}", brief(pattern));
                Error::new(ErrorKind::InvalidOperation, message)
            })?;
        if compiled.len() >= MAXIMUM_KEPT {
            compiled.clear();
        }
        compiled.insert(key, regex.clone());
        Ok(regex)
    }
}

pub(super) fn install(environment: &mut Limited<'_>, budget: &Budget) {
    let cache = Cache { budget: budget.clone(), ..Cache::default() };
    let shared = cache.clone();
    environment.add_filter(
        "regex_replace",
        move |text: Cow<'_, str>, pattern: &str, replacement: &str, arguments: Kwargs| {
            let regex = shared.get(pattern, &arguments)?;
            replaced(&text, &regex, &expansion(replacement))
        },
    );
    let shared = cache.clone();
    environment.add_filter(
        "regex_search",
        move |text: Cow<'_, str>, pattern: &str, groups: Rest<String>, arguments: Kwargs| {
            let regex = shared.get(pattern, &arguments)?;
            let Some(captures) = regex.captures(&text) else { return Ok(Value::from(())) };
            if groups.is_empty() {
                return Ok(Value::from(captures.get(0).map_or("", |found| found.as_str())));
            }
            let found = groups.iter().map(|group| {
                let mut text = String::new();
                expand(&captures, &expansion(group), &mut text)?;
                Ok(text)
            });
            found.collect::<Result<Vec<String>, Error>>().map(Value::from)
        },
    );
    let shared = cache.clone();
    environment.add_filter(
        "regex_findall",
        move |text: Cow<'_, str>, pattern: &str, arguments: Kwargs| {
            let regex = shared.get(pattern, &arguments)?;
            let found = regex.find_iter(&text).take(MAXIMUM_ITEMS + 1);
            let found: Vec<String> = found.map(|found| found.as_str().to_owned()).collect();
            if found.len() > MAXIMUM_ITEMS { Err(too_large()) } else { Ok(found) }
        },
    );
    environment.add_filter("regex_escape", |text: Cow<'_, str>| regex::escape(&text));
    for name in ["search", "regex"] {
        let shared = cache.clone();
        environment.add_test(name, move |text: Cow<'_, str>, pattern: &str, arguments: Kwargs| {
            Ok::<_, Error>(shared.get(pattern, &arguments)?.is_match(&text))
        });
    }
    environment.add_test("match", move |text: Cow<'_, str>, pattern: &str, arguments: Kwargs| {
        let regex = cache.get(pattern, &arguments)?;
        Ok::<_, Error>(regex.find(&text).is_some_and(|found| found.start() == 0))
    });
}

/// `text` with whatever `regex` finds in it replaced.
fn replaced(text: &str, regex: &Regex, replacement: &str) -> Result<String, Error> {
    let mut result = String::new();
    let mut copied = 0;
    for captures in regex.captures_iter(text) {
        let Some(found) = captures.get(0) else { continue };
        result.push_str(text.get(copied..found.start()).unwrap_or_default());
        expand(&captures, replacement, &mut result)?;
        copied = found.end();
    }
    result.push_str(text.get(copied..).unwrap_or_default());
    Ok(result)
}

/// Adds `replacement` to `result`, unless that may become too large.
fn expand(captures: &Captures<'_>, replacement: &str, result: &mut String) -> Result<(), Error> {
    let found = captures.get(0).map_or(0, |found| found.as_str().len());
    let most = replacement.matches('$').count().saturating_mul(found);
    if result.len().saturating_add(most).saturating_add(replacement.len()) > MAXIMUM_OUTPUT {
        return Err(too_large());
    }
    captures.expand(replacement, result);
    Ok(())
}

/// `\1` and `\g<name>` as Python writes them, in the form that the regex library takes.
fn expansion(replacement: &str) -> String {
    let mut result = String::new();
    let mut rest = replacement.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '$' => result.push_str("$$"),
            '\\' => match rest.next() {
                Some(digit) if digit.is_ascii_digit() => {
                    result.push_str("${");
                    result.push(digit);
                    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                        result.push(digit);
                    }
                    result.push('}');
                }
                Some('g') if rest.peek() == Some(&'<') => {
                    rest.next();
                    let name: String = rest.by_ref().take_while(|letter| *letter != '>').collect();
                    result.push_str("${");
                    result.push_str(&name);
                    result.push('}');
                }
                Some('n') => result.push('\n'),
                Some('t') => result.push('\t'),
                Some(other) => result.push(other),
                None => result.push('\\'),
            },
            other => result.push(other),
        }
    }
    result
}
