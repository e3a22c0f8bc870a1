//! What a policy asks of a unit.

use crate::attributes::AttributeReader;
use crate::host::services::UnitName;
use crate::value::{Text, Value};

/// A service resource, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The unit's full name.
    pub unit: UnitName,
    /// Whether it runs.
    pub ensure: Option<Ensure>,
    /// Whether it is started at boot.
    pub enable: Option<Enable>,
    /// What a notification does.
    pub on_notify: OnNotify,
}

/// Whether a unit runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ensure {
    /// It does.
    Running,
    /// It does not.
    Stopped,
}

/// Whether a unit is started at boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enable {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It can never be started.
    Masked,
}

/// What a notification does to a running unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnNotify {
    /// Stop and start it.
    #[default]
    Restart,
    /// Let it read its configuration again.
    Reload,
    /// Nothing.
    Nothing,
}

pub(super) fn read(title: &str, attributes: &mut AttributeReader<'_>) -> Option<Wanted> {
    let ensure = match attributes.text("ensure").map(Text::as_str) {
        None => None,
        Some("running") => Some(Ensure::Running),
        Some("stopped") => Some(Ensure::Stopped),
        Some(_) => {
            attributes.error("ensure", "ensure is \"running\" or \"stopped\"");
            None
        }
    };
    let enable = match attributes.value("enable") {
        None => None,
        Some(Value::Boolean(true)) => Some(Enable::Yes),
        Some(Value::Boolean(false)) => Some(Enable::No),
        Some(Value::Text(text)) if text.as_str() == "masked" => Some(Enable::Masked),
        Some(_) => {
            attributes.error("enable", "enable is true, false or \"masked\"");
            None
        }
    };
    let on_notify = match attributes.text("on_notify").map(Text::as_str) {
        None | Some("restart") => OnNotify::Restart,
        Some("reload") => OnNotify::Reload,
        Some("none") => OnNotify::Nothing,
        Some(_) => {
            attributes.error("on_notify", "on_notify is \"restart\", \"reload\" or \"none\"");
            OnNotify::Nothing
        }
    };
    if ensure == Some(Ensure::Running) && enable == Some(Enable::Masked) {
        attributes.error_with_hint(
            "enable",
            "a masked unit cannot be started",
            "write ensure = \"stopped\", or leave out ensure",
        );
    }
    let unit = match UnitName::from_title(title) {
        Ok(unit) => unit,
        Err(error) => {
            attributes.resource_error(format!("{title:?} does not name a unit: {error}"));
            return None;
        }
    };
    if unit.is_template() && ensure.is_some() {
        attributes.error_with_hint(
            "ensure",
            format!("{unit} is a template, which cannot run itself"),
            format!("name an instance, such as \"{}@NAME.{}\"", unit.prefix(), unit.suffix()),
        );
    }
    (!attributes.has_errors()).then_some(Wanted { unit, ensure, enable, on_notify })
}
