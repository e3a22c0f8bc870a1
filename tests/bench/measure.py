"""Runs the agents in turn inside the benchmark's root directory and prints a table.

usage: measure.py ROOT [options]       (as root, in a mount namespace of its own; `run` does that)

What must stay true: every figure is of a whole process, from its start to its end; agents take
turns, so that a disturbance meets all of them; a figure is printed only after the agent was seen
to have done the work: files right after a first run, untouched by a run with nothing to change,
repaired after damage.
"""

import argparse
import json
import os
import pathlib
import resource  # noqa: F401  (wait4 needs it, and after chroot there is no Python to load it from)
import shutil
import statistics
import subprocess
import sys
import time

MANAGED = pathlib.Path("/srv/managed")
BENCH = pathlib.Path("/bench")
PRISTINE = pathlib.Path("/pristine")
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
}
RESULT = BENCH / "peak"
OUTPUT = BENCH / "output"


class Agent:
    """How one agent is run, where its state is, and which exit codes mean that all went well."""

    def __init__(self, name, arguments, state=(), good=(0,)):
        self.name = name
        self.arguments = arguments
        self.state = state
        self.good = good


AGENTS = [
    Agent("steadfast", ["steadfast", "apply", "/bench/steadfast"], ["/var/lib/steadfast"]),
    # --no-lock: CFEngine does not look at a promise again within a minute otherwise.
    Agent(
        "cfengine",
        ["cf-agent", "--no-lock", "--file", "/bench/cfengine/promises.cf"],
        ["/var/lib/cfengine3"],
    ),
    # 2: changes were made.
    Agent(
        "puppet",
        ["puppet", "apply", "--detailed-exitcodes", "/bench/puppet/site.pp"],
        ["/var/cache/puppet", "/var/lib/puppet"],
        (0, 2),
    ),
]

FLOORS = [
    Agent("sha256sum", ["sha256sum", "--check", "--quiet", "/bench/SHA256SUMS"]),
    Agent("find", ["find", "/srv/managed", "-printf", "%p %m %U %G %s %T@\\n"]),
]


class Figures:
    """What one process cost."""

    def __init__(self, wall, processor, peak, settled=None):
        self.wall = wall  # seconds
        self.processor = processor  # seconds, user and system
        self.peak = peak  # KiB, of the largest process
        self.settled = settled  # seconds until everything written was on the disk


def fail(message):
    sys.exit(f"measure.py: {message}")


def run(agent, more=()):
    """One process from start to end. The small program time(1) starts it, because a process
    inherits the peak memory of what it was started from."""
    command = ["/usr/bin/time", "--quiet", "--format=%M", f"--output={RESULT}"]
    command += [*agent.arguments, *more]
    with open(OUTPUT, "wb") as output:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output.fileno(), 1),
            (os.POSIX_SPAWN_DUP2, output.fileno(), 2),
        ]
        started = time.perf_counter()
        process = os.posix_spawn(command[0], command, ENVIRONMENT, file_actions=actions)
        _, status, usage = os.wait4(process, 0)
        wall = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    if code not in agent.good:
        tail = OUTPUT.read_text(errors="replace")[-3000:]
        fail(f"{' '.join(agent.arguments)} ended with {code}:\n{tail}")
    peak = int(RESULT.read_text().split()[-1])
    return Figures(wall, usage.ru_utime + usage.ru_stime, peak)


def flush():
    """Waits until the file system of the root directory has everything on its disk."""
    started = time.perf_counter()
    subprocess.run(["sync", "--file-system", "/bench"], check=True, env=ENVIRONMENT)
    return time.perf_counter() - started


def reset(agent):
    """Nothing managed exists, and the agent is as if just installed."""
    shutil.rmtree(MANAGED, ignore_errors=True)
    for directory in map(pathlib.Path, agent.state):
        shutil.rmtree(directory, ignore_errors=True)
        pristine = PRISTINE / directory.relative_to("/")
        if pristine.exists():
            subprocess.run(["cp", "-a", pristine, directory], check=True, env=ENVIRONMENT)
    flush()


def listing():
    """What a change to any managed file would change."""
    found = {}
    for path in sorted(MANAGED.rglob("*")):
        status = path.lstat()
        found[str(path)] = (
            status.st_ino,
            status.st_mode,
            status.st_uid,
            status.st_gid,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
        )
    return found


def check_right(agent, count):
    """Every file has the right bytes, mode and owner."""
    checked = subprocess.run(FLOORS[0].arguments, capture_output=True, env=ENVIRONMENT, check=False)
    if checked.returncode != 0:
        fail(f"{agent.name} left wrong contents: {checked.stdout.decode()[:500]}")
    files = [path for path in MANAGED.rglob("*") if path.is_file()]
    wrong = []
    for path in files:
        status = path.lstat()
        if (status.st_mode & 0o7777, status.st_uid, status.st_gid) != (0o644, 0, 0):
            wrong.append(str(path))
    if len(files) != count or wrong:
        fail(f"{agent.name} left {len(files)} files, wrong mode or owner: {wrong[:5]}")


def check_repair(agent, count):
    """The agent does look: it repairs four damaged files and touches no other."""
    run(agent)
    before = listing()
    content, mode, owner, gone = [path for path in sorted(before) if path.endswith(".conf")][:4]
    with open(content, "a", encoding="utf-8") as file:
        file.write("drift\n")
    os.chmod(mode, 0o600)
    os.chown(owner, 1, 1)
    os.unlink(gone)
    run(agent)
    check_right(agent, count)
    after = listing()
    damaged = {content, mode, owner, gone}
    allowed = damaged | {os.path.dirname(path) for path in damaged}
    touched = {path for path, status in after.items() if before.get(path) != status}
    if touched - allowed:
        fail(f"{agent.name} touched files that were right: {sorted(touched - allowed)[:5]}")


def progress(text):
    print(text, file=sys.stderr, flush=True)


def lead():
    """Puts this process and those it starts before all others of the machine, so that what else
    runs there disturbs less. Every agent inherits the same."""
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    try:
        pathlib.Path("/proc/self/autogroup").write_bytes(b"-20")
    except OSError:
        pass  # a kernel without autogroups


def busy():
    """What to think of the figures when the machine was not idle at the start."""
    load = os.getloadavg()[0]
    if load < 0.3 * os.cpu_count():
        return ""
    return (
        f"The machine was busy (load {load:.1f} on {os.cpu_count()} processors): trust user + system "
        "and the least wall time more than the median.\n"
    )


def first_runs(agents, rounds, count):
    figures = {agent.name: [] for agent in agents}
    for number in range(rounds):
        for agent in agents:
            reset(agent)
            taken = run(agent)
            taken.settled = taken.wall + flush()
            check_right(agent, count)
            figures[agent.name].append(taken)
            progress(f"first run {number + 1}/{rounds} of {agent.name}: {taken.wall:.2f} s")
    return figures


def repeated_runs(agents, rounds, count):
    for agent in agents:
        check_repair(agent, count)
        progress(f"{agent.name} repairs damage and touches nothing else")
    for agent in agents:
        run(agent)
    flush()
    figures = {agent.name: [] for agent in agents + FLOORS}
    for number in range(rounds):
        for agent in agents + FLOORS:
            before = listing()
            taken = run(agent)
            if listing() != before:
                fail(f"{agent.name} changed files although nothing was to change")
            figures[agent.name].append(taken)
            progress(f"no change {number + 1}/{rounds} of {agent.name}: {taken.wall:.3f} s")
    return figures


def median(figures, name):
    values = [getattr(taken, name) for taken in figures if getattr(taken, name) is not None]
    return statistics.median(values) if values else None


def table(title, figures, columns):
    """One line for each agent: medians, and how many times Steadfast's they are."""
    lines = [title]
    heading = f"  {'':<10}"
    for _, head, _ in columns:
        heading += f"{head:>16}{'ratio':>8}"
    lines.append(heading + f"{'wall, min to max':>22}")
    base = figures.get("steadfast")
    for agent, taken in figures.items():
        line = f"  {agent:<10}"
        for name, _, form in columns:
            value = median(taken, name)
            own = median(base, name) if base else None
            shown = form(value) if value is not None else "-"
            ratio = f"{value / own:.2f}" if value is not None and own else "-"
            line += f"{shown:>16}{ratio:>8}"
        walls = [each.wall for each in taken]
        lines.append(line + f"{min(walls):>13.3f} to {max(walls):.3f}")
    return "\n".join(lines)


def seconds(value):
    return f"{value:.3f} s"


def mebibytes(value):
    return f"{value / 1024:.1f} MiB"


WALL = ("wall", "wall", seconds)
SETTLED = ("settled", "until on disk", seconds)
PROCESSOR = ("processor", "user + system", seconds)
PEAK = ("peak", "peak memory", mebibytes)


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--files", type=int, required=True)
    parser.add_argument("--first-rounds", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--agents", required=True)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--timings", action="store_true")
    return parser.parse_args()


def main():
    given = options()
    wanted = given.agents.split(",")
    agents = [agent for agent in AGENTS if agent.name in wanted]
    unknown = set(wanted) - {agent.name for agent in agents}
    if unknown:
        fail(f"no such agent: {', '.join(sorted(unknown))}")
    raw = open(given.json, "w", encoding="utf-8") if given.json else None
    note = busy()
    os.chroot(given.root)
    os.chdir("/")
    lead()
    first = first_runs(agents, given.first_rounds, given.files)
    again = repeated_runs(agents, given.rounds, given.files)
    print(f"{given.files} files. Medians; ratio: how many times Steadfast's.\n{note}")
    print(table("First run", first, [WALL, SETTLED, PROCESSOR, PEAK]))
    print()
    print(table("Nothing to change", again, [WALL, PROCESSOR, PEAK]))
    if given.timings and "steadfast" in wanted:
        run(AGENTS[0], ["--timings"])
        print("\nWhere Steadfast's time goes, nothing to change\n")
        print(OUTPUT.read_text(errors="replace"))
    if raw:
        plain = {
            title: {name: [vars(each) for each in taken] for name, taken in part.items()}
            for title, part in (("first", first), ("again", again))
        }
        with raw:
            json.dump({"files": given.files, **plain}, raw, indent=1)


if __name__ == "__main__":
    main()
