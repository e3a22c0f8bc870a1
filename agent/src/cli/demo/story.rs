//! What the demonstration's policies say at each commit.

/// `site.toml`: which hosts get which policies.
pub(super) const SITE: &str = r#"[[assign]]
hosts = "*"
policies = ["welcome", "web"]
"#;

/// A policy in a single file.
pub(super) const WELCOME: &str = r#"description = "What people see when they log in"

[params]
company = "Example Ltd"

[file."/etc/motd"]
mode = "0644"
content = """
Welcome to {{ facts.hostname }}, a host of {{ params.company }}.
What you change here by hand will be put back: change it in Git.
"""
"#;

/// The same policy with the greeting changed.
pub(super) const WELCOME_CHANGED: &str = r#"description = "What people see when they log in"

[params]
company = "Example Group"

[file."/etc/motd"]
mode = "0644"
content = """
Welcome to {{ facts.hostname }}, a host of {{ params.company }}.
What you change here by hand will be put back: change it in Git.
"""
"#;

/// The same policy with a typing error.
pub(super) const WELCOME_BROKEN: &str = r#"description = "What people see when they log in"

[params]
company = "Example Group"

[file."/etc/motd"]
moed = "0644"
content = """
Welcome to {{ facts.hostnmae }}, a host of {{ params.company }}.
"""
"#;

/// A policy in a directory, with a template.
pub(super) const WEB: &str = r#"description = "A small web site"

[params]
vhosts = [{ name = "shop", port = 8080 }, { name = "blog", port = 8081 }]

[file."/srv/www"]
ensure = "directory"

[file."/srv/www/{{ item.name }}"]
for_each = "params.vhosts"
ensure = "directory"
mode = "0750"

[file."/etc/web/{{ item.name }}.conf"]
for_each = "params.vhosts"
template = "templates/vhost.conf"
mode = "0640"

[file."/etc/web"]
ensure = "directory"

[file."/etc/web/default.conf"]
target = "shop.conf"
"#;

/// The template of that policy.
pub(super) const VHOST: &str = "server {
    listen {{ item.port }};
    root /srv/www/{{ item.name }};
}
";

/// The repository's files, with one or another welcome policy.
pub(super) fn files(welcome: &'static str) -> [(&'static str, &'static str); 4] {
    [
        ("site.toml", SITE),
        ("policies/welcome.toml", welcome),
        ("policies/web/policy.toml", WEB),
        ("policies/web/templates/vhost.conf", VHOST),
    ]
}
