//! The readers of TOML: a site, a policy and a data layer of the same bytes.

use std::collections::BTreeMap;

use steadfast_policies::{Inputs, evaluate_policy, validate, validate_policy};
use steadfast_resources::Registry;

use super::{Memory, check_places};

/// Reads `bytes` as every kind of TOML file there is.
pub fn parser(bytes: &[u8]) {
    let registry = Registry::standard();
    let paths = ["site.toml", "data/common.toml", "policies/web.toml"];
    let files = paths.into_iter().map(|path| (path.to_owned(), bytes.to_vec())).collect();
    let repository = Memory(files);
    check_places(&validate(&repository, &registry), &repository);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let alone = Memory(BTreeMap::from([("policy.toml".to_owned(), bytes.to_vec())]));
    check_places(&validate_policy(&alone, "policy.toml", text, &registry), &alone);
    match evaluate_policy(&alone, "policy.toml", text, &Inputs::default(), &registry) {
        Ok(catalog) => check_places(&catalog.warnings, &alone),
        Err(diagnostics) => check_places(&diagnostics, &alone),
    }
}
