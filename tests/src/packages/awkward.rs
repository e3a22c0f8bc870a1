//! Packages that make trouble, each in one way.

use super::{BLANK, Package};

/// `sf-virtual-a`: provides `sf-virtual`, which is no package.
pub const VIRTUAL_A: Package =
    Package { name: "sf-virtual-a", fields: &[("Provides", "sf-virtual")], ..BLANK };

/// `sf-virtual-b`: provides `sf-virtual` too.
pub const VIRTUAL_B: Package =
    Package { name: "sf-virtual-b", fields: &[("Provides", "sf-virtual")], ..BLANK };

/// `sf-conflict`: cannot be installed beside `sf-tool`.
pub const CONFLICTING: Package =
    Package { name: "sf-conflict", fields: &[("Conflicts", "sf-tool")], ..BLANK };

/// `sf-depends-missing`: depends on what no repository has.
pub const DEPENDING_ON_NOTHING: Package =
    Package { name: "sf-depends-missing", fields: &[("Depends", "sf-nowhere")], ..BLANK };

/// `sf-broken`: cannot be configured until `/etc/sf-broken.repaired` exists, and so stays half-configured.
pub const BROKEN: Package =
    Package { name: "sf-broken", control: &[("postinst", 0o755, BROKEN_POSTINST)], ..BLANK };

/// `sf-slow`: takes three seconds to configure, or as many as `/etc/sf-slow.seconds` says.
pub const SLOW: Package =
    Package { name: "sf-slow", control: &[("postinst", 0o755, SLOW_POSTINST)], ..BLANK };

/// `sf-debconf`: asks for a colour and writes the answer to `/etc/sf-debconf.answer`.
pub const ASKING: Package = Package {
    name: "sf-debconf",
    fields: &[("Depends", "debconf")],
    control: &[
        ("templates", 0o644, ASKING_TEMPLATES),
        ("config", 0o755, ASKING_CONFIG),
        ("postinst", 0o755, ASKING_POSTINST),
        ("postrm", 0o755, ASKING_POSTRM),
    ],
    ..BLANK
};

const BROKEN_POSTINST: &str = r#"#!/bin/sh
set -e
if [ ! -e /etc/sf-broken.repaired ]; then
    echo "sf-broken: cannot be configured" >&2
    exit 1
fi
"#;

const SLOW_POSTINST: &str = r#"#!/bin/sh
set -e
sleep "$(cat /etc/sf-slow.seconds 2>/dev/null || echo 3)"
"#;

const ASKING_TEMPLATES: &str = "Template: sf-debconf/colour
Type: string
Default: grey
Description: Which colour?
 It is written to /etc/sf-debconf.answer.
";

const ASKING_CONFIG: &str = r"#!/bin/sh
set -e
. /usr/share/debconf/confmodule
db_input critical sf-debconf/colour || true
db_go || true
";

const ASKING_POSTINST: &str = r#"#!/bin/sh
set -e
. /usr/share/debconf/confmodule
db_get sf-debconf/colour
echo "$RET" >/etc/sf-debconf.answer
db_stop
"#;

const ASKING_POSTRM: &str = r#"#!/bin/sh
set -e
if [ "$1" = purge ]; then
    rm -f /etc/sf-debconf.answer
    if [ -e /usr/share/debconf/confmodule ]; then
        . /usr/share/debconf/confmodule
        db_purge
    fi
fi
"#;
