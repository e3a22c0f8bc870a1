//! `include` at the top of a policy: the other policies that it brings in.

use steadfast_resources::Text;

use crate::diagnostics::{Code, Context, SourceId, Span, Spot};
use crate::expression::is_interpolated;
use crate::parse::node::Item;
use crate::parse::shape::strings;

/// Reads the names in `item`, which the policy `own` includes. Wrong ones are reported and left out.
pub(super) fn read(
    context: &Context,
    source: SourceId,
    own: &str,
    item: &Item,
) -> Vec<(Text, Span)> {
    let names = strings(context, source, "`include`", item).unwrap_or_default();
    let mut kept: Vec<(Text, Span)> = Vec::with_capacity(names.len());
    for (name, span) in names {
        let spot = Spot::new(source, span);
        if is_interpolated(name) {
            context
                .error(Code::NotSupported, spot, "`include` cannot be an expression")
                .hint(
                    "name the policy; one that only some hosts get is assigned with `when` in \
                     site.toml, or used as `[module.NAME]` with `when`"
                        .to_owned(),
                )
                .report();
        } else if **name == *own {
            context
                .error(Code::Cycle, spot, format!("policy `{own}` includes itself"))
                .hint("remove the name".to_owned())
                .report();
        } else if !kept.iter().any(|(known, _)| known == name) {
            kept.push((name.clone(), span));
        }
    }
    kept
}
