//! What expressions read and where that comes from, as a person reads it.

use std::fmt::Write;

use serde_json::Value;
use steadfast_policies::trace::{Effect, Input, Layer, Origin};

use super::{Text, brief, literal};
use crate::output::printable;

/// How many layers of a map of data are shown.
const MOST_LAYERS: usize = 12;

impl Text {
    pub(super) fn inputs(&mut self, indent: usize, inputs: &[Input]) {
        for input in inputs {
            self.input(indent, input);
        }
    }

    fn input(&mut self, indent: usize, input: &Input) {
        let mut line = match &input.value {
            Value::Null => format!("{} has no value", printable(&input.name)),
            value => format!("{} = {}", printable(&input.name), brief(value)),
        };
        if let Some(place) = &input.place {
            let _ = write!(line, "  read at {}", self.at(place));
        }
        let (origin, further) = match &input.origin {
            Origin::Fact => ("a fact".to_owned(), None),
            Origin::Label => ("a label of agent.toml".to_owned(), None),
            Origin::Item => ("the item at hand".to_owned(), None),
            Origin::Other => (String::new(), None),
            Origin::Given { place, text, inputs } => {
                let text = text.as_ref().map(|text| format!(" as {}", literal(text)));
                (format!("given{}  {}", text.unwrap_or_default(), self.at(place)), Some(inputs))
            }
            Origin::Default { place, inputs } => {
                (format!("the default  {}", self.at(place)), Some(inputs))
            }
            Origin::NotGiven { place } => {
                (format!("optional and not given  {}", self.at(place)), None)
            }
            Origin::Data { key, layers } => {
                self.line(indent, &format!("{line}, data {}", printable(key)));
                self.layers(indent + 2, key, layers);
                return;
            }
        };
        if !origin.is_empty() {
            let _ = write!(line, ", {origin}");
        }
        self.line(indent, &line);
        if let Some(inputs) = further {
            self.inputs(indent + 2, inputs);
        }
    }

    fn layers(&mut self, indent: usize, key: &str, layers: &[Layer]) {
        // The strongest first: that is what one looks for.
        for layer in layers.iter().rev().take(MOST_LAYERS) {
            let word = match layer.effect {
                Effect::Wins => self.style.good("wins"),
                Effect::Overridden => self.style.faint("overridden"),
                Effect::Appends => self.style.change("appends"),
            };
            let part = layer.key.strip_prefix(key).unwrap_or_default().trim_start_matches('.');
            let part =
                if part.is_empty() { String::new() } else { format!("{} = ", printable(part)) };
            let line = format!("{word} {part}{}  {}", brief(&layer.value), self.at(&layer.place));
            self.line(indent, &line);
        }
        if layers.len() > MOST_LAYERS {
            self.line(indent, &format!("… {} more", layers.len() - MOST_LAYERS));
        }
    }
}
