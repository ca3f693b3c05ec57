"""Many tasks of one push: all at once, and one after the other with a cache.

Both are for options that catena may not have: then the section says so and measures nothing.
"""

import pathlib
import shutil
import statistics
import tempfile

from . import tables
from .chains import Folder
from .process import measured
from .verifiers import Catena

TASKS = 1000
# Seconds for all of them.
LONGEST = 20
PUSH = f"firefox push graph=5000 builds=60 images=3 artifacts=2 size=50000 targets={TASKS}"
TURNS = 3
# How many times as fast the second target of a push must be.
LEAST = 10
AGAIN = "firefox push graph=23000 builds=21 images=3 artifacts=2 size=2080000 targets=2"


def batch(bench):
    """`--batch`: tasks per second, and what each asks for."""
    catena = Catena(bench.binaries.catena)
    print(f"\n## {TASKS:,} tasks of one push at once")
    if not catena.knows("--batch"):
        print("\n`catena verify` has no `--batch` here.")
        return
    with tempfile.TemporaryDirectory(prefix="versus-", dir=bench.room) as room:
        folder = Folder(bench.binaries, pathlib.Path(room), PUSH)
        tasks = [folder.facts["task_id"], *folder.facts["siblings"]]
        listed = folder.room / "tasks"
        listed.write_text("".join(f"{task}\n" for task in tasks))
        costs = []
        with folder.serve() as server:
            for _ in range(TURNS):
                before = server.asked()
                command = catena.command(server, "--batch", listed)
                output, cost = measured(command, server.environment())
                costs.append(cost)
            asked = server.asked().since(before)
            alone = [catena.verify(server) for _ in range(TURNS)]
        print(f"\n{folder.about()} (`{PUSH}`); {len(output.splitlines()):,} lines of answers; {TURNS} turns.")
    report_batch(costs, alone, asked, len(tasks))


def report_batch(costs, alone, asked, tasks):
    tables.head("", *tables.COST_COLUMNS, "tasks a second")
    speeds = [[count / cost.wall for cost in of_one] for count, of_one in ((tasks, costs), (1, alone))]
    tables.row(f"all {tasks:,}", *tables.costs(costs), tables.spread(speeds[0], 1))
    tables.row("the first alone", *tables.costs(alone), tables.spread(speeds[1], 1))
    requests, sent = len(asked.requests) / tasks, asked.bytes / tasks / 1000
    wall = statistics.median(cost.wall for cost in costs)
    met = "met" if wall <= LONGEST else "**not met**"
    print(f"\n{requests:.2f} requests and {sent:,.1f} kB a task. Wanted: {LONGEST} s; {met}.")


def again(bench):
    """`--cache`: the second target of a push, after the first."""
    print("\n## Another task of the same push")
    if not Catena(bench.binaries.catena).knows("--cache"):
        print("\n`catena verify` has no `--cache` here.")
        return
    with tempfile.TemporaryDirectory(prefix="versus-", dir=bench.room) as room:
        folder = Folder(bench.binaries, pathlib.Path(room), AGAIN)
        print(f"\n{folder.about()} (`{AGAIN}`); {TURNS} turns, each with a new cache.")
        for keeping in (False, True):
            with folder.serve() as server:
                report_again(bench, server, keeping)


def report_again(bench, server, keeping):
    catena, folder = Catena(bench.binaries.catena), server.folder
    cache, work = folder.room / "cache", folder.room / "work"
    kept = ["--cache", cache, "--cache-key", folder.room / "cache.key"]
    first, second = folder.facts["task_id"], folder.facts["siblings"][0]
    rows = {"the first, without a cache": [], "the first, filling one": [], "the second": [], "the first again": []}
    asked = {}
    for _ in range(TURNS):
        for name, options, target in zip(rows, [[], kept, kept, kept], [first, first, second, first]):
            before = server.asked()
            command = catena.command(server, *options, *(["--work-dir", work] if keeping else []), target=target)
            rows[name].append(measured(command, server.environment())[1])
            asked[name] = server.asked().since(before)
            shutil.rmtree(work, ignore_errors=True)
        size = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
        shutil.rmtree(cache)
    what = "Keeping artifacts" if keeping else "Only verifying"
    print(f"\n{what}; the cache grows to {size / 1e6:,.1f} MB.")
    table_again(rows, asked)


def table_again(rows, asked):
    """Against the first that fills the cache, which that makes slower, and against the first without one."""
    alone, filling, second = "the first, without a cache", "the first, filling one", "the second"
    tables.head("", *tables.COST_COLUMNS, "requests", "MB", "as fast as filling one", "as without one")
    walls = {name: [cost.wall for cost in costs] for name, costs in rows.items()}
    for name, costs in rows.items():
        times = [tables.spread(tables.ratios(walls[first], walls[name]), 1) + "x" for first in (filling, alone)]
        tables.row(name, *tables.costs(costs), len(asked[name].requests), f"{asked[name].bytes / 1e6:,.1f}", *times)
    reached = [statistics.median(tables.ratios(walls[first], walls[second])) for first in (filling, alone)]
    met = ["met" if times >= LEAST else "**not met**" for times in reached]
    print(f"\nWanted: the second {LEAST} times as fast: {met[0]} against filling one, {met[1]} against none.")
