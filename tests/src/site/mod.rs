//! The policy repository of the whole-program tests: a web server with everything around it, all five
//! kinds in one.

/// What `password` wants, made by `openssl passwd -6 -salt steadfast correct`.
pub const PASSWORD: &str = "$6$steadfast$sy0AJvAFT4A3Sms0pPVIGabFMkihhrcuUKcT53FZT7ESUHZZS1Pd6PGNjBVbRr4sluXgTA7.RlX.BQoeUxE9O0";

/// `site.toml`: every host gets the web policy.
pub const SITE: &str = "[[assign]]\nhosts = \"*\"\npolicies = [\"web\"]\n";

/// The template of the web server's configuration.
pub const CONFIGURATION: &str = "greeting={{ params.greeting }}\nport=8080\n";

/// The web policy, with the greeting that the server is to give.
pub fn web_policy(greeting: &str) -> String {
    format!(
        r#"description = "A web server with everything around it"

[params]
greeting = "{greeting}"

[group.sf-ops]
gid = 4200

[group.sf-readers]
gid = 4300
members = ["sf-deploy"]
membership = "inclusive"

[user.sf-deploy]
uid = 4201
gid = "sf-ops"
groups = ["www-data"]
comment = "Deployment"
home = "/home/sf-deploy"
manage_home = true
shell = "/bin/bash"
password = "{PASSWORD}"
locked = false
expiry = "2037-01-31"

[package.sf-web]
ensure = "1.1-1"
hold = true

[file."/etc/sf-web/sf-web.conf"]
template = "templates/sf-web.conf"
mode = "0644"
validate = "sf-web -t {{candidate}}"
require = ["package.sf-web"]
notify = ["service.sf-web"]

[file."/srv/www"]
ensure = "directory"
owner = "sf-deploy"
group = "sf-ops"
mode = "2775"

[file."/srv/www/index.html"]
content = "<h1>{{{{ params.greeting }}}}</h1>\n"
owner = "sf-deploy"
group = "sf-ops"
mode = "0640"
force = true

[file."/srv/www/current"]
target = "index.html"

[service.sf-web]
ensure = "running"
enable = true
"#
    )
}

/// The whole repository: path and content of each file.
pub fn files(greeting: &str) -> Vec<(&'static str, String)> {
    vec![
        ("site.toml", SITE.to_owned()),
        ("policies/web/policy.toml", web_policy(greeting)),
        ("policies/web/templates/sf-web.conf", CONFIGURATION.to_owned()),
    ]
}
