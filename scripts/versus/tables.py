"""Markdown: medians with the lowest and the highest."""

import os
import pathlib
import platform
import statistics


def spread(values, digits):
    """The median, and the lowest and the highest where there are several."""
    median, lowest, highest = (
        f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values))
    )
    return median if len(values) == 1 else f"{median} ({lowest}–{highest})"


def ratios(these, those):
    """What one took against what the other took in the same turn."""
    return [this / that for this, that in zip(these, those)]


def head(*columns):
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)


def row(*cells):
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def costs(several):
    """The cells of what several runs took."""
    walls, users, systems, peaks = zip(*several)
    return [spread(walls, 2), spread(users, 2), spread(systems, 2), spread([peak / 2**20 for peak in peaks], 0)]


COST_COLUMNS = ["wall, s", "user CPU, s", "system CPU, s", "peak memory, MiB"]


def machine():
    """The machine, in a line."""
    model = platform.machine()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.release()}"
    return f"{os.cpu_count()} CPUs ({model}), {memory:.0f} GiB memory, {system}, CPython {platform.python_version()}"
