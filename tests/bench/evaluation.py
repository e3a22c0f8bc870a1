"""Policy repositories for measuring evaluation alone, without touching a machine.

usage: evaluation.py generated|literal N DIRECTORY

`literal` is N tables `[file."…"]` with content of about 1 KiB, as in workload.py.

`generated` is N files of which most exist nowhere in the policy's text:
  2/5  a `for_each` over a list of the data, each rendered from a template file
  1/5  a `for_each` over a range, with interpolated content
  1/5  made by modules: a hundredth as many uses of a policy as files, with parameters
  1/5  literal tables
with four data layers that override each other, and parameters that come from the data.
"""

import pathlib
import sys

import workload

SITE = """[site]
data = ["common", "os/{{ facts.os.family }}", "role/{{ labels.role | default('web') }}", "host/{{ facts.hostname }}"]

[[assign]]
hosts = "*"
policies = ["web"]

[[assign]]
when = "facts.os.family == 'redhat'"
policies = ["other"]
"""

POLICY = """description = "a generated policy"

[params]
port = 80
domain = "example.com"
sites = []
numbered = 0
users = []
options = {{}}

[defaults.file]
owner = "root"
group = "root"
mode = "0644"

[file."/srv/sites/{{{{ item.name }}}}.conf"]
for_each = "params.sites"
template = "templates/site.conf"
when = "item.enabled"

[file."/srv/numbered/{{{{ item }}}}"]
for_each = "range(params.numbered)"
content = "number {{{{ item }}}} of {{{{ params.numbered }}}} on {{{{ facts.hostname }}}}: {{{{ params.options.color }}}}\\n"
tags = ["numbered"]

[module.team]
source = "team"
for_each = "params.users"
name = "{{{{ item }}}}"
members = {members}

"""

TEAM = """[params]
name = { type = "string", required = true }
members = 1
shell = "/bin/bash"

[file."/srv/teams/{{ params.name }}"]
ensure = "directory"

[file."/srv/teams/{{ params.name }}/{{ item }}"]
for_each = "range(params.members)"
content = "{{ params.name | upper }} {{ item }} {{ params.shell }}\\n"
mode = "{{ '0600' if item == 0 else '0644' }}"
"""

TEMPLATE = """# {{ item.name }} on {{ facts.hostname }}: do not edit
server {
    listen {{ params.port }};
    server_name {{ item.name }}.{{ params.domain }}{% for alias in item.aliases %} {{ alias }}{% endfor %};
    root {{ item.root | default('/srv/www/' ~ item.name) }};
{% for name, value in params.options | dictsort %}
    set ${{ name }} {{ value | quote }};
{% endfor %}
{% if item.secure %}
    ssl_certificate /etc/ssl/{{ item.name }}.pem;
{% else %}
    # no certificate
{% endif %}
    access_log /var/log/nginx/{{ item.name }}.log;
}
"""


def generated(count):
    fifth = count // 5
    common = "[web]\nport = 8080\ndomain = \"example.net\"\nusers = [\"nobody\"]\nsites = [\n"
    for number in range(2 * fifth):
        common += (
            f'  {{ name = "site{number}", aliases = ["a{number}", "b{number}"], enabled = true, '
            f'secure = {"true" if number % 2 else "false"} }},\n'
        )
    common += "]\n[web.options]\ncolor = \"red\"\nsize = 1\n"
    policy = POLICY.format(members=99)
    for number in range(fifth):
        policy += (
            f'[file."/srv/literal/f{number:06d}"]\n'
            f'content = "a literal file, number {number}\\n"\nmode = "0640"\n\n'
        )
    teams = ", ".join(f'"team{number}"' for number in range(max(1, fifth // 100)))
    return {
        "site.toml": SITE,
        "policies/web/policy.toml": policy,
        "policies/web/templates/site.conf": TEMPLATE,
        "policies/team.toml": TEAM,
        "policies/other.toml": "",
        "data/common.toml": common,
        "data/os/debian.toml": f"[web]\nnumbered = {fifth}\n[web.options]\nsize = 2\nfamily = \"debian\"\n",
        "data/role/web.toml": f"[web]\nusers = [{teams}]\n",
        "data/host/bench.toml": "[web.options]\nsize = 3\ncolor = \"blue\"\n",
    }


def literal(count):
    return {
        "site.toml": '[[assign]]\nhosts = "*"\npolicies = ["bench"]\n',
        "policies/bench.toml": "".join(
            workload.steadfast(count, sorted({workload.path(n).rsplit("/", 1)[0] for n in range(count)}))
        ),
    }


def main():
    shape, count, directory = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
    for path, text in {"generated": generated, "literal": literal}[shape](count).items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


if __name__ == "__main__":
    main()
