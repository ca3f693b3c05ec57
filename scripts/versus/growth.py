"""How wall time, CPU, memory and requests grow: with links, with graph size, with bytes.

One thing changes at a time. Catena only verifies here: nothing is kept. Plots go beside docs/performance.md.
"""

import pathlib
import statistics
import tempfile
import typing

from . import plot, tables
from .chains import Folder
from .verifiers import Catena

TURNS = 3


class Series(typing.NamedTuple):
    """Chains that differ in one thing."""

    name: str
    # Of what, for the axis.
    axis: str
    # Points and the settings that make them.
    points: list


def chain(**settings):
    given = {"graph": 700, "builds": 3, "images": 1, "artifacts": 1, "size": 3000, **settings}
    return "firefox push " + " ".join(f"{name}={value}" for name, value in given.items())


SERIES = [
    Series("links", "links", [(builds + 4, chain(builds=builds)) for builds in (6, 46, 96, 196, 296, 446, 596)]),
    Series(
        "graph",
        "tasks in the graph",
        [(size, chain(graph=size)) for size in (100, 5_000, 10_000, 20_000, 30_000, 40_000, 50_000)],
    ),
    Series(
        "bytes",
        "MB of artifacts",
        [(12 * size, chain(artifacts=4, size=size * 1_000_000)) for size in (1, 10, 25, 50, 75, 100)],
    ),
]


class Point(typing.NamedTuple):
    """What verifying one chain took."""

    at: float
    wall: float
    cpu: float
    # MiB.
    peak: float
    requests: int


def measure(bench, at, settings):
    catena = Catena(bench.binaries.catena)
    with tempfile.TemporaryDirectory(prefix="versus-", dir=bench.room) as room:
        folder = Folder(bench.binaries, pathlib.Path(room), settings)
        with folder.serve() as server:
            before = server.asked()
            catena.verify(server)
            requests = len(server.asked().since(before).requests)
            costs = [catena.verify(server) for _ in range(TURNS)]
    wall = statistics.median(cost.wall for cost in costs)
    cpu = statistics.median(cost.user + cost.system for cost in costs)
    peak = statistics.median(cost.peak for cost in costs) / 2**20
    return Point(at, wall, cpu, peak, requests)


def slope(points, column):
    """What one more of the axis costs, by least squares."""
    line = statistics.linear_regression([point.at for point in points], [getattr(point, column) for point in points])
    return line.slope


def section(bench):
    print(f"\n## Growth\n\nThe median of {TURNS} turns of each; the last row is what each further one costs.")
    found = []
    for series in SERIES:
        points = [measure(bench, *point) for point in series.points]
        found.append((series, points))
        tables.head(series.axis, "wall, s", "CPU, s", "peak memory, MiB", "requests")
        for point in points:
            tables.row(f"{point.at:,}", f"{point.wall:.3f}", f"{point.cpu:.3f}", f"{point.peak:.0f}", point.requests)
        seconds = [f"{slope(points, column) * 1000:.3f} ms" for column in ("wall", "cpu")]
        memory = f"{slope(points, 'peak') * 1024:.2f} KiB"
        tables.row("each", *seconds, memory, f"{slope(points, 'requests'):.2f}")
    bench.plots.mkdir(parents=True, exist_ok=True)
    picture = bench.plots / "growth.svg"
    picture.write_text(plot.grid(*panels(found)))
    print(f"\nPlotted in `{picture.name}`.")


def panels(found):
    """Rows of what is measured, columns of what changes."""
    measures = [("wall", "wall time, s"), ("cpu", "CPU time, s"), ("peak", "peak memory, MiB"), ("requests", "requests")]
    rows = [
        (title, [[(point.at, getattr(point, column)) for point in points] for _, points in found])
        for column, title in measures
    ]
    return [series.axis for series, _ in found], rows
