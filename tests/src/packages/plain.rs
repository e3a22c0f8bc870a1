//! Packages without surprises.

use super::{BLANK, Package};

/// `sf-tool`: a program that prints its version, and nothing else.
pub const TOOL_1_0: Package = Package {
    name: "sf-tool",
    files: &[("usr/bin/sf-tool", 0o755, "#!/bin/sh\necho 1.0-1\n")],
    ..BLANK
};

/// `sf-tool`, newer.
pub const TOOL_1_2: Package = Package {
    version: "1.2-1",
    files: &[("usr/bin/sf-tool", 0o755, "#!/bin/sh\necho 1.2-1\n")],
    ..TOOL_1_0
};

/// `sf-tool`, newest, by its epoch.
pub const TOOL_EPOCH: Package = Package {
    version: "1:0.5-1",
    files: &[("usr/bin/sf-tool", 0o755, "#!/bin/sh\necho 1:0.5-1\n")],
    ..TOOL_1_0
};

/// `sf-library`: what `sf-application` depends on.
pub const LIBRARY: Package = Package {
    name: "sf-library",
    files: &[("usr/share/sf-library/data", 0o644, "data\n")],
    ..BLANK
};

/// `sf-application`: depends on `sf-library`.
pub const APPLICATION: Package =
    Package { name: "sf-application", fields: &[("Depends", "sf-library (>= 1.0)")], ..BLANK };

/// `sf-recommending`: recommends `sf-library`.
pub const RECOMMENDING: Package =
    Package { name: "sf-recommending", fields: &[("Recommends", "sf-library")], ..BLANK };
