//! Evaluating with a question in mind.

use steadfast_resources::Registry;

use super::{Trace, Tracer, absent::unused};
use crate::catalog::{Catalog, Inputs};
use crate::diagnostics::{Context, Diagnostics, Reported};
use crate::repository::{Nothing, Repository};
use crate::{evaluate_file, evaluate_site, finish, validate, validate_policy};

/// The catalog of [`evaluate`](crate::evaluate), with notes about where the resource of `kind` titled `title` comes
/// from, or why this host does not have it.
pub fn evaluate_tracing(
    repository: &dyn Repository,
    inputs: &Inputs,
    registry: &Registry,
    (kind, title): (&str, &str),
) -> Result<(Catalog, Trace), Diagnostics> {
    let context = Context::tracing(Tracer::new(kind, title));
    let catalog = evaluate_site(&context, repository, inputs, registry, false);
    traced(context, catalog, repository, registry)
        .map_err(|errors| errors.and(&validate(repository, registry)))
}

/// The catalog of [`evaluate_policy`](crate::evaluate_policy), with notes as those of [`evaluate_tracing`].
pub fn evaluate_policy_tracing(
    repository: &dyn Repository,
    file_name: &str,
    text: &str,
    inputs: &Inputs,
    registry: &Registry,
    (kind, title): (&str, &str),
) -> Result<(Catalog, Trace), Diagnostics> {
    let context = Context::tracing(Tracer::new(kind, title));
    let catalog = evaluate_file(&context, repository, (file_name, text), inputs, registry);
    traced(context, catalog, &Nothing, registry)
        .map_err(|errors| errors.and(&validate_policy(repository, file_name, text, registry)))
}

/// The catalog and the notes about it; policies that are not used are looked for in `elsewhere`.
fn traced(
    mut context: Context,
    catalog: Result<Catalog, Reported>,
    elsewhere: &dyn Repository,
    registry: &Registry,
) -> Result<(Catalog, Trace), Diagnostics> {
    let tracer = context.tracer.take();
    let catalog = finish(context, catalog)?;
    let mut trace = Trace::default();
    if let Some(tracer) = tracer {
        trace = tracer.finish(|| unused(&tracer, elsewhere, registry));
        if trace.subject.is_none() {
            let names = catalog.resources.iter().map(|resource| &resource.reference);
            trace.near = tracer.near(names);
        }
    }
    Ok((catalog, trace))
}
