//! Lists and maps.

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};

pub(super) fn install(environment: &mut Environment<'static>) {
    environment.add_filter("combine", |first: Value, others: Rest<Value>, arguments: Kwargs| {
        let recursive = arguments.get::<Option<bool>>("recursive")?.unwrap_or(false);
        arguments.assert_all_used()?;
        others.iter().try_fold(first, |merged, other| combined(&merged, other, recursive))
    });
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
    environment.add_filter("union", |left: Value, right: Value| {
        let items = left.try_iter()?.chain(right.try_iter()?);
        Ok::<_, Error>(distinct(items))
    });
    environment.add_filter("intersect", |left: Value, right: Value| {
        let right: Vec<Value> = right.try_iter()?.collect();
        Ok::<_, Error>(distinct(left.try_iter()?.filter(|item| right.contains(item))))
    });
    environment.add_filter("difference", |left: Value, right: Value| {
        let right: Vec<Value> = right.try_iter()?.collect();
        Ok::<_, Error>(distinct(left.try_iter()?.filter(|item| !right.contains(item))))
    });
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
