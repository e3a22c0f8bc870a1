//! Lists and maps.

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};

use crate::expression::budget::{Budget, MAXIMUM_ITEMS};

pub(super) fn install(environment: &mut Environment<'static>, budget: &Budget) {
    let own = budget.clone();
    environment.add_filter(
        "combine",
        move |first: Value, others: Rest<Value>, arguments: Kwargs| {
            let recursive = arguments.get::<Option<bool>>("recursive")?.unwrap_or(false);
            arguments.assert_all_used()?;
            others.iter().try_fold(first, |merged, other| {
                each_with_each(&own, &merged, other)?;
                combined(&merged, other, recursive)
            })
        },
    );
    environment.add_filter("dict2items", |map: Value| {
        pairs(&map).map(|pairs| {
            pairs
                .into_iter()
                .map(|(key, value)| {
                    Value::from_pairs([(Value::from("key"), key), (Value::from("value"), value)])
                })
                .collect::<Vec<_>>()
        })
    });
    environment.add_filter("items2dict", |items: Value| {
        let mut map = Vec::new();
        for item in items.try_iter()? {
            map.push((item.get_attr("key")?, item.get_attr("value")?));
        }
        Ok::<_, Error>(Value::from_pairs(map))
    });
    environment.add_filter("flatten", |list: Value| {
        let mut flat = Vec::new();
        flatten(&list, &mut flat, 0)?;
        Ok::<_, Error>(flat)
    });
    let own = budget.clone();
    environment.add_filter("union", move |left: Value, right: Value| {
        for (one, other) in [(&left, &left), (&left, &right), (&right, &right)] {
            each_with_each(&own, one, other)?;
        }
        let items = left.try_iter()?.chain(right.try_iter()?);
        Ok::<_, Error>(distinct(items))
    });
    let own = budget.clone();
    environment.add_filter("intersect", move |left: Value, right: Value| {
        each_with_each(&own, &left, &right)?;
        each_with_each(&own, &left, &left)?;
        let right: Vec<Value> = right.try_iter()?.collect();
        Ok::<_, Error>(distinct(left.try_iter()?.filter(|item| right.contains(item))))
    });
    let own = budget.clone();
    environment.add_filter("difference", move |left: Value, right: Value| {
        each_with_each(&own, &left, &right)?;
        each_with_each(&own, &left, &left)?;
        let right: Vec<Value> = right.try_iter()?.collect();
        Ok::<_, Error>(distinct(left.try_iter()?.filter(|item| !right.contains(item))))
    });
}

/// Takes from `budget` what comparing each item of one list or map with each of the other costs.
fn each_with_each(budget: &Budget, left: &Value, right: &Value) -> Result<(), Error> {
    const COMPARISON: usize = 5;
    let count = |value: &Value| match value.len() {
        Some(count) => count,
        None => value.try_iter().map_or(0, |items| items.take(MAXIMUM_ITEMS).count()),
    };
    budget.charge(count(left).saturating_mul(count(right)).saturating_mul(COMPARISON))
}

fn pairs(map: &Value) -> Result<Vec<(Value, Value)>, Error> {
    if map.kind() != ValueKind::Map {
        let message = format!("this filter takes a map, not a {}", map.kind());
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    map.try_iter()?.map(|key| map.get_item(&key).map(|value| (key, value))).collect()
}

fn combined(left: &Value, right: &Value, recursive: bool) -> Result<Value, Error> {
    let mut merged = pairs(left)?;
    for (key, value) in pairs(right)? {
        match merged.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old))
                if recursive && old.kind() == ValueKind::Map && value.kind() == ValueKind::Map =>
            {
                *old = combined(old, &value, true)?;
            }
            Some((_, old)) => *old = value,
            None => merged.push((key, value)),
        }
    }
    Ok(Value::from_pairs(merged))
}

const MAXIMUM_NESTING: usize = 100;

fn flatten(list: &Value, flat: &mut Vec<Value>, depth: usize) -> Result<(), Error> {
    for item in list.try_iter()? {
        if item.kind() == ValueKind::Seq && depth < MAXIMUM_NESTING {
            flatten(&item, flat, depth + 1)?;
        } else {
            flat.push(item);
        }
    }
    Ok(())
}

fn distinct(items: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}
