"""One workload, written as policy for each agent: N files of about 1 KiB in a hundred directories,
mode 0644, owned by root.

usage: workload.py N DIRECTORY

Writes below DIRECTORY:
  steadfast/site.toml, steadfast/policies/bench.toml   a policy repository
  cfengine/promises.cf                                 a policy file
  puppet/site.pp                                       a manifest
  SHA256SUMS                                           the files' digests, for sha256sum --check
"""

import hashlib
import pathlib
import sys

MANAGED = "/srv/managed"
DIRECTORIES = 100
LINES = 36


def content(number):
    """The bytes of one file: no two files are equal, and every run of this program agrees."""
    lines = [f"# managed file {number}"]
    for line in range(LINES):
        value = (number * 7919 + line * 104729) % 1000003
        lines.append(f"key_{number}_{line} = value_{value}")
    return "\n".join(lines) + "\n"


def path(number):
    """Where one file is. Neighbours are in different directories."""
    return f"{MANAGED}/d{number % DIRECTORIES:02d}/f{number:05d}.conf"


def steadfast(count, directories):
    yield f'[file."{MANAGED}"]\nensure = "directory"\n\n'
    for directory in directories:
        yield f'[file."{directory}"]\nensure = "directory"\n\n'
    for number in range(count):
        yield (
            f'[file."{path(number)}"]\n'
            'owner = "root"\ngroup = "root"\nmode = "0644"\n'
            f'content = """\n{content(number)}"""\n\n'
        )


def cfengine(count, directories):
    yield (
        "body perms plain\n{\n"
        '  mode => "644";\n  owners => { "root" };\n  groups => { "root" };\n'
        '  rxdirs => "false";\n}\n\n'
        "bundle agent main\n{\n  files:\n"
    )
    for directory in directories:
        yield f'    "{directory}/."\n      create => "true";\n'
    for number in range(count):
        yield (
            f'    "{path(number)}"\n'
            '      create => "true",\n      perms => plain,\n'
            f'      content => "{content(number)}";\n'
        )
    yield "}\n"


def puppet(count, directories):
    for directory in [MANAGED, *directories]:
        yield f"file {{ '{directory}':\n  ensure => directory,\n}}\n"
    for number in range(count):
        yield (
            f"file {{ '{path(number)}':\n"
            "  ensure  => file,\n  owner   => 'root',\n  group   => 'root',\n"
            f"  mode    => '0644',\n  content => '{content(number)}',\n}}\n"
        )


def digests(count):
    for number in range(count):
        digest = hashlib.sha256(content(number).encode()).hexdigest()
        yield f"{digest}  {path(number)}\n"


def write(file, parts, mode=0o600):
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "w", encoding="utf-8") as output:
        output.writelines(parts)
    file.chmod(mode)  # CFEngine reads no policy that others can write


def main():
    count, target = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    directories = sorted({path(number).rsplit("/", 1)[0] for number in range(count)})
    site = '[[assign]]\nhosts = "*"\npolicies = ["bench"]\n'
    write(target / "steadfast/site.toml", [site])
    write(target / "steadfast/policies/bench.toml", steadfast(count, directories))
    write(target / "cfengine/promises.cf", cfengine(count, directories))
    write(target / "puppet/site.pp", puppet(count, directories))
    write(target / "SHA256SUMS", digests(count))


if __name__ == "__main__":
    main()
