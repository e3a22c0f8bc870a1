//! How everything that templates can call is added: charged for its arguments and for what it makes.

use minijinja::functions::Function;
use minijinja::value::{FunctionArgs, FunctionResult, Rest, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, State, Value};

use crate::expression::MAXIMUM_OUTPUT;
use crate::expression::budget::{Budget, MAXIMUM_ITEMS, too_large};

/// Looks at the arguments before a filter runs.
pub(super) type Check = fn(&Budget, &[Value]) -> Result<(), Error>;

/// An environment to which things are added within a budget.
pub(super) struct Limited<'e> {
    pub(super) environment: &'e mut Environment<'static>,
    pub(super) budget: Budget,
}

impl Limited<'_> {
    pub(super) fn add_filter<F, R, A>(&mut self, name: &'static str, filter: F)
    where
        F: Function<R, A>,
        R: FunctionResult,
        A: for<'a> FunctionArgs<'a>,
    {
        self.limit(name, Value::from_function(filter), free);
    }

    pub(super) fn add_test<F, R, A>(&mut self, name: &'static str, test: F)
    where
        F: Function<R, A>,
        R: FunctionResult,
        A: for<'a> FunctionArgs<'a>,
    {
        self.limit_test(name, Value::from_function(test), free);
    }

    pub(super) fn limit(&mut self, name: &'static str, filter: Value, check: Check) {
        let budget = self.budget.clone();
        self.environment.add_filter(
            name,
            move |state: &mut State<'_, '_>, given: Rest<ValueOrKwargs>| {
                called(&budget, check, state, &filter, &given.into_values())
            },
        );
    }

    pub(super) fn limit_test(&mut self, name: &'static str, test: Value, check: Check) {
        let budget = self.budget.clone();
        self.environment.add_test(
            name,
            move |state: &mut State<'_, '_>, given: Rest<ValueOrKwargs>| {
                called(&budget, check, state, &test, &given.into_values())
                    .map(|answer| answer.is_true())
            },
        );
    }

    pub(super) fn limit_function(&mut self, name: &'static str, function: Value) {
        let budget = self.budget.clone();
        self.environment.add_function(
            name,
            move |state: &mut State<'_, '_>, given: Rest<ValueOrKwargs>| {
                called(&budget, free, state, &function, &given.into_values())
            },
        );
    }
}

fn called(
    budget: &Budget,
    check: Check,
    state: &mut State<'_, '_>,
    function: &Value,
    arguments: &[Value],
) -> Result<Value, Error> {
    for argument in arguments {
        budget.charge(items(argument)?)?;
    }
    check(budget, arguments)?;
    // What a filter was given may have been charged by nobody: handed on, it is charged here.
    budget.made(function.call(state, arguments)?)
}

/// Nothing is looked at.
#[expect(clippy::unnecessary_wraps, reason = "it is a check as the others are")]
pub(super) fn free(_: &Budget, _: &[Value]) -> Result<(), Error> {
    Ok(())
}

/// What going over `value` once costs. An error where that would be too much.
pub(super) fn items(value: &Value) -> Result<usize, Error> {
    const ITEM: usize = 100;
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

pub(super) fn limited(length: Option<usize>) -> Result<(), Error> {
    length.filter(|length| *length <= MAXIMUM_OUTPUT).map(drop).ok_or_else(too_large)
}
