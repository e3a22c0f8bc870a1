//! Lists and maps.

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Error, ErrorKind, Value};

use super::brief;
use super::limits::Limited;
use crate::expression::budget::{Budget, MAXIMUM_ITEMS};

pub(super) fn install(environment: &mut Limited<'_>, budget: &Budget) {
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
    environment.add_filter("product", |left: Value, others: Rest<Value>| product(&left, &others));
    environment.add_filter("zip_longest", |left: Value, others: Rest<Value>, arguments: Kwargs| {
        let fill = arguments.get::<Option<Value>>("fillvalue")?.unwrap_or(Value::from(()));
        arguments.assert_all_used()?;
        let lists: Vec<Vec<Value>> = std::iter::once(&left)
            .chain(others.iter())
            .map(|list| Ok(list.try_iter()?.collect()))
            .collect::<Result<_, Error>>()?;
        let length = lists.iter().map(Vec::len).max().unwrap_or(0);
        let row = |index| {
            let at = |list: &Vec<Value>| list.get(index).cloned().unwrap_or_else(|| fill.clone());
            Value::from(lists.iter().map(at).collect::<Vec<_>>())
        };
        Ok::<_, Error>((0..length).map(row).collect::<Vec<_>>())
    });
    environment.add_filter("extract", |key: Value, container: Value| {
        let found = container.get_item(&key)?;
        if found.is_undefined() {
            let message = format!("there is no {} to extract", brief(&key));
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
        Ok(found)
    });
    environment.add_filter("subelements", |list: Value, name: &str| {
        let mut found = Vec::new();
        for item in list.try_iter()? {
            let inner = item.get_attr(name)?;
            for element in inner.try_iter()? {
                found.push(Value::from(vec![item.clone(), element]));
            }
        }
        Ok::<_, Error>(found)
    });
    environment.add_filter("symmetric_difference", |left: Value, right: Value| {
        let (left, right): (Vec<Value>, Vec<Value>) =
            (left.try_iter()?.collect(), right.try_iter()?.collect());
        let only = |own: &[Value], other: &[Value]| {
            own.iter().filter(|item| !other.contains(item)).cloned().collect::<Vec<_>>()
        };
        Ok::<_, Error>(distinct(only(&left, &right).into_iter().chain(only(&right, &left))))
    });
    let inside = |part: &Value, whole: &Value| {
        let whole: Vec<Value> = whole.try_iter()?.collect();
        Ok::<_, Error>(part.try_iter()?.all(|item| whole.contains(&item)))
    };
    environment.add_test("subset", move |part: Value, whole: Value| inside(&part, &whole));
    environment.add_test("superset", move |whole: Value, part: Value| inside(&part, &whole));
    environment.add_test("contains", |whole: Value, part: Value| {
        if let (Some(whole), Some(part)) = (whole.as_str(), part.as_str()) {
            return Ok(whole.contains(part));
        }
        Ok::<_, Error>(whole.try_iter()?.any(|item| item == part))
    });
    environment
        .add_test("all", |list: Value| Ok::<_, Error>(list.try_iter()?.all(|item| item.is_true())));
    environment
        .add_test("any", |list: Value| Ok::<_, Error>(list.try_iter()?.any(|item| item.is_true())));
    environment.add_test("truthy", |value: Value| given(&value).map(|()| value.is_true()));
    environment.add_test("falsy", |value: Value| given(&value).map(|()| !value.is_true()));
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

/// An undefined value is neither true nor false.
fn given(value: &Value) -> Result<(), Error> {
    if value.is_undefined() { Err(ErrorKind::UndefinedError.into()) } else { Ok(()) }
}

/// The most rows that lists are multiplied to.
const MAXIMUM_PRODUCT: usize = 100_000;

/// Every item of each list with every item of the others.
fn product(left: &Value, others: &[Value]) -> Result<Vec<Value>, Error> {
    let mut rows: Vec<Vec<Value>> = left.try_iter()?.map(|item| vec![item]).collect();
    for other in others {
        let other: Vec<Value> = other.try_iter()?.collect();
        if rows.len().saturating_mul(other.len()) > MAXIMUM_PRODUCT {
            let message = format!("the product has more than {MAXIMUM_PRODUCT} rows");
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                other.iter().map(move |item| row.iter().chain([item]).cloned().collect())
            })
            .collect();
    }
    Ok(rows.into_iter().map(Value::from).collect())
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
