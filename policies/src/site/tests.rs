use proptest::prelude::*;

use super::Datum;
use super::data::layer_for_tests;

fn merged(layers: &[&str]) -> String {
    layer_for_tests(layers).value().to_string()
}

#[test]
fn later_layers_win() {
    for (layers, expected) in [
        (&["a = 1", "b = 2"][..], "{'a': 1, 'b': 2}"),
        (&["a = 1", "a = 2"], "{'a': 2}"),
        (&["[m]\nx = 1\ny = 1", "[m]\ny = 2\nz = 3"], "{'m': {'x': 1, 'y': 2, 'z': 3}}"),
        (&["l = [1, 2]", "l = [3]"], "{'l': [3]}"),
        (&["l = [1, 2]", "\"l+\" = [3]"], "{'l': [1, 2, 3]}"),
        (&["x = 1", "\"l+\" = [3]"], "{'x': 1, 'l': [3]}"),
        (&["\"l+\" = [2]\nl = [1]"], "{'l': [1, 2]}"),
        (&["[m]\nl = [1]", "[m]\n\"l+\" = [2]", "[m]\n\"l+\" = [3]"], "{'m': {'l': [1, 2, 3]}}"),
        (&["[m]\nx = 1", "m = 2"], "{'m': 2}"),
        (&["m = 2", "[m]\nx = 1"], "{'m': {'x': 1}}"),
        (&["t = \"{{ not.evaluated }}\""], "{'t': '{{ not.evaluated }}'}"),
    ] {
        assert_eq!(merged(layers), expected, "{layers:?}");
    }
}

/// A layer as TOML: keys `a` to `c`, values integers, lists or maps of the same.
fn layer() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (0_i64..9).prop_map(toml::Value::from),
        prop::collection::vec(0_i64..9, 0..3).prop_map(toml::Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        prop::collection::btree_map("[a-c]", inner, 0..3)
            .prop_map(|map| toml::Value::Table(map.into_iter().collect()))
    });
    prop::collection::btree_map("[a-c]", value, 0..4)
        .prop_map(|map| toml::to_string(&map.into_iter().collect::<toml::Table>()).unwrap())
}

fn same(left: &Datum, right: &Datum) -> bool {
    left.value() == right.value()
}

proptest! {
    #[test]
    fn merging_laws(a in layer(), b in layer(), c in layer()) {
        let of = |layers: &[&str]| layer_for_tests(layers);
        // Nothing changes nothing.
        prop_assert!(same(&of(&[&a, ""]), &of(&[&a])));
        prop_assert!(same(&of(&["", &a]), &of(&[&a])));
        // The same again changes nothing.
        prop_assert!(same(&of(&[&a, &a]), &of(&[&a])));
        prop_assert!(same(&of(&[&a, &b, &b]), &of(&[&a, &b])));
        // What the last layer says holds.
        let last = of(&[&a, &b, &c]);
        for (key, value) in toml::from_str::<toml::Table>(&c).unwrap() {
            if !value.is_table() {
                let found = serde_json::to_value(last.get(&key).unwrap().value()).unwrap();
                prop_assert_eq!(found, serde_json::to_value(value).unwrap());
            }
        }
    }
}
