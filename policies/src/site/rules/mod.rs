//! `[limits]`, `[rollout]` and `[[window]]`: read and checked. All of it is literal: the same on
//! every host, so that a repository can be judged without one.

mod limits;
mod rollout;
mod window;

use crate::diagnostics::{Code, Context, SourceId, Span, Spot};
use crate::expression::is_interpolated;
use crate::parse::{Item, Node, Shape};
use crate::rules::SiteRules;

pub use limits::LIMITS;
pub use rollout::{ROLLOUT, WAVE};
pub use window::WINDOW;

/// Reads the rules of a site. What is wrong is reported and left out.
pub(super) fn read(context: &Context, source: SourceId, site: &Shape<'_>) -> SiteRules {
    let reader = Reader { context, source };
    SiteRules {
        limits: site
            .get("limits")
            .and_then(|entry| limits::read(&reader, &entry.item))
            .unwrap_or_default(),
        waves: site
            .get("rollout")
            .and_then(|entry| rollout::read(&reader, &entry.item))
            .unwrap_or_default(),
        windows: site
            .get("window")
            .map(|entry| window::read(&reader, &entry.item))
            .unwrap_or_default(),
    }
}

/// Where the rules are read.
struct Reader<'c> {
    context: &'c Context,
    source: SourceId,
}

impl Reader<'_> {
    fn spot(&self, span: Span) -> Spot {
        Spot::new(self.source, span)
    }

    /// Reports that `key` is not `expected`.
    fn wrong(&self, key: &str, item: &Item, expected: &str, hint: impl Into<Option<String>>) {
        let (code, message) = match &item.node {
            Node::Text(text) if is_interpolated(text) => {
                (Code::NotSupported, format!("`{key}` cannot be an expression"))
            }
            Node::Text(text) => (
                Code::InvalidValue,
                format!("`{key}` must be {expected}, not the string {:?}", &**text),
            ),
            Node::Integer(value) => {
                (Code::InvalidValue, format!("`{key}` must be {expected}, not {value}"))
            }
            other => (
                Code::WrongType,
                format!("`{key}` must be {expected}, not a {}", other.type_name()),
            ),
        };
        let hint = match &item.node {
            Node::Text(text) if is_interpolated(text) => {
                Some("the rules of a site are the same on every host: write the value".to_owned())
            }
            _ => hint.into(),
        };
        self.context.error(code, self.spot(item.span), message).hint(hint).report();
    }
}
