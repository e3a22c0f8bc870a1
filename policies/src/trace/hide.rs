//! Taking secrets out of notes: by attribute, and by value wherever else the same text is.

use serde_json::Value;

use super::{Absent, Attribute, Expression, Form, Input, Origin, Reason, Subject, Trace, Use};

/// Stands for what is not shown.
const MASK: &str = "(hidden)";

/// Shorter secrets are hidden only where they are all of a text.
const SHORTEST_PART: usize = 4;

/// Takes the texts in `secrets`, and the values of secret attributes with all that fed them, out
/// of `trace`.
pub(super) fn secrets(trace: &mut Trace, secrets: &[String]) {
    let mut known: Vec<String> = secrets.iter().filter(|text| !text.is_empty()).cloned().collect();
    if let Some(subject) = &mut trace.subject {
        for attribute in subject.attributes.iter_mut().filter(|attribute| attribute.secret) {
            hide_attribute(attribute, &mut known);
        }
    }
    // The longest first: one may be part of another.
    known.sort_by_key(|text| std::cmp::Reverse(text.len()));
    known.dedup();
    let mut mask = |value: &mut Value| mask(value, &known);
    if let Some(subject) = &mut trace.subject {
        subject_texts(subject, &mut mask);
    }
    for absent in &mut trace.absent {
        absent_texts(absent, &mut mask);
    }
}

fn hide_attribute(attribute: &mut Attribute, known: &mut Vec<String>) {
    hide(&mut attribute.value);
    if let Form::Computed { text } = &mut attribute.form {
        MASK.clone_into(text);
    }
    hide_inputs(&mut attribute.inputs, known);
}

fn hide_inputs(inputs: &mut [Input], known: &mut Vec<String>) {
    for input in inputs {
        match &mut input.origin {
            Origin::Given { text, inputs, .. } => {
                remember(&input.value, known);
                *text = text.take().map(|_| MASK.to_owned());
                hide_inputs(inputs, known);
            }
            Origin::Data { layers, .. } => {
                for layer in layers {
                    remember(&layer.value, known);
                    hide(&mut layer.value);
                }
            }
            Origin::Default { inputs, .. } => {
                remember(&input.value, known);
                hide_inputs(inputs, known);
            }
            // What everybody may know about the host stays visible elsewhere.
            Origin::Fact
            | Origin::Label
            | Origin::Item
            | Origin::NotGiven { .. }
            | Origin::Other => {}
        }
        hide(&mut input.value);
    }
}

/// Texts that are long enough not to be an everyday word.
fn remember(value: &Value, known: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= 2 * SHORTEST_PART => known.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| remember(value, known)),
        Value::Object(pairs) => pairs.values().for_each(|value| remember(value, known)),
        _ => {}
    }
}

fn hide(value: &mut Value) {
    if !value.is_null() {
        *value = Value::from(MASK);
    }
}

fn mask(value: &mut Value, known: &[String]) {
    match value {
        Value::String(text) => mask_text(text, known),
        Value::Array(values) => values.iter_mut().for_each(|value| mask(value, known)),
        Value::Object(pairs) => pairs.values_mut().for_each(|value| mask(value, known)),
        _ => {}
    }
}

fn mask_text(text: &mut String, known: &[String]) {
    for secret in known {
        if text == secret {
            MASK.clone_into(text);
        } else if secret.len() >= SHORTEST_PART && text.contains(secret.as_str()) {
            *text = text.replace(secret.as_str(), MASK);
        }
    }
}

/// What looks at every value.
type Look<'l> = &'l mut dyn FnMut(&mut Value);

fn subject_texts(subject: &mut Subject, look: Look<'_>) {
    for made in &mut subject.way {
        use_texts(made, look);
    }
    for expression in subject.written.iter_mut().chain(&mut subject.when) {
        expression_texts(expression, look);
    }
    if let Some(repetition) = &mut subject.for_each {
        expression_texts(&mut repetition.over, look);
        look(&mut repetition.item);
    }
    for attribute in &mut subject.attributes {
        look(&mut attribute.value);
        if let Form::Computed { text } = &mut attribute.form {
            text_look(text, look);
        }
        input_texts(&mut attribute.inputs, look);
    }
}

fn absent_texts(absent: &mut Absent, look: Look<'_>) {
    for made in &mut absent.way {
        use_texts(made, look);
    }
    match &mut absent.reason {
        Reason::When(expression)
        | Reason::NoItems(expression)
        | Reason::OtherItems(expression)
        | Reason::ModuleWhen { when: expression, .. }
        | Reason::ModuleNoItems { for_each: expression, .. }
        | Reason::AssignmentWhen { when: expression, .. } => expression_texts(expression, look),
        Reason::OtherTitle { title, inputs } => {
            text_look(title, look);
            input_texts(inputs, look);
        }
        Reason::OtherHosts { .. } | Reason::Unused => {}
    }
}

fn use_texts(made: &mut Use, look: Look<'_>) {
    let (when, repetition) = match made {
        Use::Include { .. } => return,
        Use::Assignment { when, .. } => (when, None),
        Use::Module { when, for_each, .. } => (when, for_each.as_deref_mut()),
    };
    if let Some(when) = when {
        expression_texts(when, look);
    }
    if let Some(repetition) = repetition {
        expression_texts(&mut repetition.over, look);
        look(&mut repetition.item);
    }
}

fn expression_texts(expression: &mut Expression, look: Look<'_>) {
    text_look(&mut expression.text, look);
    look(&mut expression.value);
    input_texts(&mut expression.inputs, look);
}

fn input_texts(inputs: &mut [Input], look: Look<'_>) {
    for input in inputs {
        look(&mut input.value);
        match &mut input.origin {
            Origin::Given { text, inputs, .. } => {
                if let Some(text) = text {
                    text_look(text, look);
                }
                input_texts(inputs, look);
            }
            Origin::Default { inputs, .. } => input_texts(inputs, look),
            Origin::Data { layers, .. } => {
                for layer in layers {
                    look(&mut layer.value);
                }
            }
            _ => {}
        }
    }
}

fn text_look(text: &mut String, look: Look<'_>) {
    let mut value = Value::from(std::mem::take(text));
    look(&mut value);
    if let Value::String(seen) = value {
        *text = seen;
    }
}
