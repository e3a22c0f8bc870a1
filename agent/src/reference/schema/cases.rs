//! The files of cases of a policy repository.

use serde_json::{Map, Value, json};
use steadfast_policies::declaration::{CASES, EXPECTATION, common_attributes};
use steadfast_resources::Registry;

use super::table::{self, closed};
use super::{described, document};

/// The schema of a file of cases.
pub(super) fn schema(registry: &Registry) -> Value {
    let mut whole = table::schema(&CASES);
    // What is expected is written by kind, and the kinds are not the language's to know.
    let place = "/properties/case/additionalProperties/properties/expect";
    if let (Some(place), Some(any)) = (whole.pointer_mut(place), &EXPECTATION.others) {
        let kinds = registry.kinds().map(|kind| {
            let declared = kind.declaration();
            let own = declared.attributes.iter().map(|own| own.name);
            let names = own.chain(common_attributes().map(|common| common.name));
            let attributes = names
                .map(|name| (name.to_owned(), json!({ "$ref": "#/definitions/expected" })))
                .collect();
            let resource = described(closed(attributes), EXPECTATION.summary, None);
            let titles = json!({ "type": "object", "additionalProperties": resource });
            (declared.name.to_owned(), described(titles, declared.summary, None))
        });
        let kinds: Map<String, Value> = kinds.collect();
        let text = place.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
        *place = described(closed(kinds), &text, None);
        whole["definitions"] = json!({ "expected": table::key(any) });
    }
    document("cases", whole)
}
