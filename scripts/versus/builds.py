"""Two builds of catena on the same chains and the same server, in turn."""

import pathlib
import tempfile

from . import tables
from .chains import Folder
from .comparison import SHAPES, settings
from .process import load
from .verifiers import Catena

COLUMNS = ["keeping artifacts", "wall", "user and system CPU", "peak memory", "wall, s", "peak memory, MiB"]


def compare(bench, shape, keeping):
    """Prints a row: the ratios of this build to the other one, the median of all turns and their range."""
    builds = [Catena(binary, keeping) for binary in (bench.against, bench.binaries.catena)]
    pairs = bench.huge_pairs if shape.name == "huge" else bench.pairs
    with tempfile.TemporaryDirectory(prefix="versus-", dir=bench.room) as room:
        with Folder(bench.binaries, pathlib.Path(room), settings(shape)).serve() as server:
            for build in builds:
                build.verify(server)
            before, after = zip(*([build.verify(server) for build in builds] for _ in range(pairs)))
    costs = [
        [[cost.wall, cost.user + cost.system, cost.peak] for cost in of_one] for of_one in (before, after)
    ]
    ratios = [tables.spread(tables.ratios(new, old), 2) for old, new in zip(*(zip(*of_one) for of_one in costs))]
    wall, _, peak = zip(*costs[1])
    last = [tables.spread(wall, 3), tables.spread([bytes / 2**20 for bytes in peak], 1)]
    tables.row(shape.name, "yes" if keeping else "no", *ratios, *last)


def section(bench):
    if bench.against is None:
        return
    print(f"\n## Against another build\n\n{bench.pairs} turns; load average when they began: {load():.1f}.")
    tables.head("", *COLUMNS)
    for shape in SHAPES:
        if shape.name in bench.chains:
            for keeping in (False, True):
                compare(bench, shape, keeping)
