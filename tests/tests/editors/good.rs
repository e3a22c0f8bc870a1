//! What may be written, at its oddest.

use crate::corpus::Document;
use crate::judges::Topic;

pub(crate) fn documents() -> Vec<Document> {
    DOCUMENTS.iter().map(|(topic, text)| Document::new(*topic, "good.toml", text)).collect()
}

const DOCUMENTS: &[(Topic, &str)] = &[
    (
        Topic::Policy,
        r#"
description = "every sort of value, as it is and as an expression"
include = []
tags = ["{{ 'a' }}", "b"]

[params]
port = 80
uid = 2001
on = true
names = ["a", "b"]
limits = { type_of = 3, pattern = 4 }
admin = { type = "string", required = true, pattern = "^[^@]+@[^@]+$", description = "whom to ask" }
size = { type = "integer", default = 1, minimum = 0, maximum = 9 }
sort = { default = "a", enum = ["a", "b"] }
words = { type = "list", items = "string", default = [] }
nothing = { type = "any", required = false }

[user.deploy]
uid = "{{ params.uid }}"
gid = "www-data"
groups = "{{ params.names }}"
manage_home = "{{ params.on }}"
membership = "{{ 'minimum' }}"
expiry = 2027-01-31
enforce = "{{ params.on }}"
timeout = "{{ params.port }}s"
retries = "{{ params.size }}"
tags = "one"

[user.other]
gid = 100
groups = ["www-{{ 'data' }}"]
expiry = "never"
timeout = 90
on_remove = "delete"
ignore = ["uid"]

[file."/etc/{{ item.key }}"]
for_each = { a = "x", b = "y" }
when = true
content = "{{ item.value }}"
mode = "u+x,go-w"
owner = 0

[file."/etc/plain"]
for_each = "params.names"
when = "item == 'a'"
content = "{% if params.on %}x{% endif %}"
mode = "{{ '0644' }}"
require = "user.deploy"
notify = ["service.*"]

[package.nginx]
ensure = ">=1.18, <2"
responses = { "a/b" = true, "a/c" = 1, "a/password" = { type = "password", value = "x" } }

[service.telnet]
enable = "masked"

[service.nginx]
ensure = "{% if params.on %}running{% else %}stopped{% endif %}"

[service.cron]
enable = "{{ params.on }}"

[defaults.file]
owner = "root"
sensitive = true

[module.blog]
source = "vhost"
for_each = [1, 2]
port = "{{ 8000 + item }}"
tags = "c"
require = ["package.nginx"]

[check.web]
http = "http://127.0.0.1:{{ params.port }}/"
status = [200, "300..399"]
within = "1m"

[check.command]
command = ["true", "x"]
when = "params.on"
"#,
    ),
    (Topic::Policy, ""),
    (Topic::Site, ""),
    (
        Topic::Site,
        r#"
description = "all of it"

[site]
data = ["common", "os/{{ facts.os.family }}"]

[[assign]]
hosts = "web*"
when = "labels.role == 'web'"
policies = ["web"]
params = { web = { port = "{{ 8000 + 80 }}" } }

[[assign]]
hosts = ["a", "b"]
policies = "web"
tags = ["fleet"]

[limits]
deletions = 0
restarts = 3
changes = "50%"

[rollout]
waves = [{ percent = 5 }, { percent = 100, after = "1h30m" }]

[[window]]
allow = ["Mon..Fri 22:00-04:00", "Sun 00:00-24:00"]
timezone = "Europe/Berlin"

[check.ssh]
tcp = "127.0.0.1:22"
"#,
    ),
    (Topic::Site, "[limits]\nchanges = 7\n[[assign]]\nwhen = true\npolicies = \"{{ ['web'] }}\"\n"),
    (
        Topic::Tests,
        r#"
description = "cases"
facts = { cpu = { count = 4 } }
labels = { role = "web" }

[case.web]
sample = "debian-12"
policy = "nginx"
params = { port = 8080 }
lacks = ["package.apache2", "file./etc/old*"]
order = ["package.nginx", "service.nginx"]

[case."a title"]
policies = "base"
warning = "matches nothing"

[case.wrong]
error = ["needs its parameter"]

[case.web.expect.package.nginx]
[case.web.expect.file."/etc/nginx/nginx.conf"]
mode = "0644"
content = { contains = ["listen 8080;"], lacks = "ssl", matches = "(?m)^user www-data;" }
notify = ["service.nginx"]
"#,
    ),
    (Topic::Agent, ""),
    (
        Topic::Agent,
        r#"
[repository]
url = "git@git.example.com:/srv/policy.git"
mirrors = ["https://git.example.com:8443/p.git", "ssh://git@h/p", "file:///srv/p", "/srv/p", "http://[::1]:3000/p"]
branch = "team/production"
path = "hosts"
depth = 0
ssh_key = "/etc/steadfast/id"
known_hosts = "/etc/steadfast/known_hosts"

[repository.verify]
mode = "none"

[repository.limits]
max_files = 1
deadline = "1m30s"

[agent]
mode = "audit"
interval = "1d"
splay = "0s"
watch = false

[labels]
role = "web"
a-b_c = "1"

[reports]
keep_runs = 1
textfile = "/var/lib/steadfast.prom"
"#,
    ),
    (Topic::Agent, "[labels]\nrole = \"web\"\n"),
];
