//! `[module.NAME]`: the use of another policy.

use steadfast_resources::Text;

use super::{Classifier, Common, Element, Given, Module, Name};
use crate::diagnostics::{Code, Span};
use crate::parse::node::{Entry, Node};

impl Classifier<'_> {
    pub(super) fn modules(&mut self, entry: Entry) {
        if self.section(&entry).is_none() {
            return;
        }
        let Node::Table(entries) = entry.item.node else { return };
        for entry in entries {
            let Node::Table(attributes) = entry.item.node else {
                let message = format!("`{}` is no module: it has no `source`", entry.key);
                self.context
                    .error(Code::WrongType, self.spot(entry.key_span), message)
                    .hint("write `[module.NAME]` and below it `source = \"policy\"`".to_owned())
                    .report();
                continue;
            };
            let module = self.module(entry.key, entry.key_span, attributes);
            self.placed.push((entry.key_span.start, Element::Module(Box::new(module))));
        }
    }

    fn module(&self, name: Text, name_span: Span, entries: Vec<Entry>) -> Module {
        let mut module = Module {
            name,
            source: None,
            when: None,
            for_each: None,
            links: Vec::new(),
            tags: None,
            parameters: Vec::new(),
        };
        for entry in entries {
            match (&*entry.key, Common::named(&entry.key)) {
                ("source", _) => match entry.item.node {
                    Node::Text(text) => module.source = Some((text, entry.item.span)),
                    other => {
                        let message = format!(
                            "`source` of a module must be a policy's name, not a {}",
                            other.type_name()
                        );
                        let spot = self.spot(entry.item.span);
                        self.context.error(Code::WrongType, spot, message).report();
                    }
                },
                (_, Some(Common::When)) => module.when = Some(entry.item),
                (_, Some(Common::Tags)) => module.tags = Some(entry.item),
                (_, Some(Common::ForEach)) => module.for_each = Some(entry.item),
                (_, Some(name)) if name.links() => {
                    module.links.push(Given { name: Name::Common(name), item: entry.item });
                }
                _ => module.parameters.push(entry),
            }
        }
        if module.source.is_none() {
            let message = format!("`[module.{}]` has no `source`", module.name);
            self.context
                .error(Code::MissingParam, self.spot(name_span), message)
                .hint("write `source = \"policy\"`: the name of the policy to use".to_owned())
                .report();
        }
        module
    }
}
