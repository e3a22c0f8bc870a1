//! The page about the agent's configuration.

use std::fmt::Write as _;

use super::{entry, top};
use crate::config::schema::{Default, LABELS, SETTINGS};

pub(super) fn page() -> String {
    let mut text = top("The agent's configuration");
    text.push_str(
        "`/etc/steadfast/agent.toml`, and drop-ins `/etc/steadfast/agent.toml.d/*.toml` that are \
         read in the order of their names; later files win, key by key. An unknown key is an \
         error. `steadfast config` prints the effective settings and where each comes from.\n\n",
    );
    let mut table = "";
    for setting in SETTINGS {
        if setting.table != table {
            table = setting.table;
            let _ = writeln!(text, "## `[{table}]`\n");
        }
        let default = setting.default.map(|default| match default {
            Default::Text(value) => format!("`\"{value}\"`"),
            Default::Number(value) => format!("`{value}`"),
            Default::Boolean(value) => format!("`{value}`"),
        });
        let form = setting.form.in_words();
        entry(&mut text, setting.name, &form, default.as_deref(), setting.summary);
    }
    let _ = writeln!(
        text,
        "## `[{LABELS}]`\n\nWhat policies see as `labels.NAME`: any names, made of letters, \
         digits, `_` and `-`. Every value is a string."
    );
    text
}
