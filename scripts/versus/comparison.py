"""Chains verified by both verifiers in turns, and held against the floor.

The shapes are those of real graphs; `wanted` is what catena is to reach on each: how many times as
fast as scriptworker, wall seconds, and peak MiB.
"""

import pathlib
import statistics
import tempfile
import typing

from . import floor, tables
from .chains import Folder
from .process import load
from .verifiers import RAISED_CHUNK, Catena, Scriptworker


class Shape(typing.NamedTuple):
    """A chain to compare by."""

    name: str
    graph: str
    settings: str
    # Times as fast, wall seconds, peak MiB.
    wanted: tuple
    # Whether the distance from the floor is held to.
    floored: bool = False


SHAPES = [
    Shape("small", "graph of 100 tasks", "graph=100 builds=3 artifacts=2 size=2100000", (30, 0.06, 25)),
    Shape(
        "firefox",
        "graph of 23,000 tasks and 73 MB",
        "graph=23000 builds=21 images=3 artifacts=2 size=2080000",
        (15, 0.40, 48),
        floored=True,
    ),
    Shape("wide", "graph of 400 tasks", "graph=400 builds=304 images=3 artifacts=2 size=107000", (18, 0.20, 48)),
    Shape(
        "huge",
        "graph of 100 tasks",
        "graph=100 builds=5 artifacts=2 size=500000000",
        (10, 8.0, 48),
        floored=True,
    ),
]
# Of the floor, where it is held to.
FARTHEST = 1.5


def settings(shape):
    return f"firefox push {shape.settings}"


def compare(bench, shape):
    """Prints the tables of one chain, and gives what came of it for the summary."""
    pairs = bench.huge_pairs if shape.name == "huge" else bench.pairs
    catena, keeping = Catena(bench.binaries.catena), Catena(bench.binaries.catena, keeping=True)
    verifiers = [Scriptworker(bench.python), Scriptworker(bench.python, RAISED_CHUNK), keeping, catena]
    with tempfile.TemporaryDirectory(prefix="versus-", dir=bench.room) as room:
        folder = Folder(bench.binaries, pathlib.Path(room), settings(shape))
        print(f"\n### {shape.name}\n\n{folder.about()}, {shape.graph} (`{shape.settings}`).", flush=True)
        with folder.serve() as server:
            print(f"{pairs} turns; load average when they began: {load():.1f}.")
            if shape.name != "huge":
                for verifier in verifiers:
                    verifier.verify(server)
            turns = [[verifier.verify(server) for verifier in verifiers] for _ in range(pairs)]
            table(verifiers, list(zip(*turns)))
            found = floor.measure(server, catena, turns=3 if shape.name == "huge" else pairs)
            floor.table(found, [keeping, catena])
    return [summary(shape, which, runs, turns, found) for which, runs in (("keeping", 2), ("", 3))]


def table(verifiers, runs):
    """What each took, and how many times as fast it was as each scriptworker in the same turn."""
    tables.head("", *tables.COST_COLUMNS, "scriptworker takes", "with its chunk raised")
    walls = [[cost.wall for cost in of_one] for of_one in runs]
    for i, (verifier, of_one) in enumerate(zip(verifiers, runs)):
        times = [tables.spread(tables.ratios(walls[scriptworker], walls[i]), 1) + "x" for scriptworker in (0, 1)]
        tables.row(verifier.name, *tables.costs(of_one), *times)


def summary(shape, which, column, turns, found):
    """A row of what was wanted and what came of it."""
    wall = statistics.median(turn[column].wall for turn in turns)
    peak = max(turn[column].peak for turn in turns) / 2**20
    times = statistics.median(turn[0].wall / turn[column].wall for turn in turns)
    # What is kept is flushed, so that its floor is as well.
    away = found.distance("catena, keeping artifacts" if which else "catena", flushed=bool(which))
    (least, longest, highest), bound = shape.wanted, f" ≤ {FARTHEST}" if shape.floored else ""
    met = times >= least and peak <= highest and (not shape.floored or away <= FARTHEST)
    return [
        f"{shape.name}{', ' if which else ''}{which}",
        f"{times:.1f}x of {least}x",
        f"{wall:.2f} of {longest:.2f}",
        f"{peak:.0f} of {highest}",
        f"{away:.2f}{bound}",
        "yes" if met else "**no**",
    ]


def section(bench):
    print("\n## Against scriptworker")
    rows = [row for shape in SHAPES if shape.name in bench.chains for row in compare(bench, shape)]
    print("\n### What was wanted")
    tables.head("", "times as fast", "wall, s", "peak memory, MiB", "times the floor (keeping: flushed)", "met")
    for row in rows:
        tables.row(*row)
