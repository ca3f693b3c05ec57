"""Whole processes, measured from start to end."""

import os
import pathlib
import subprocess
import sys
import tempfile
import typing

LAUNCH = pathlib.Path(__file__).with_name("launch.py")


class Failed(Exception):
    """A process that did not do what it was started for."""


class Cost(typing.NamedTuple):
    """What one process took: seconds, and bytes of memory at its peak."""

    wall: float
    user: float
    system: float
    peak: float


def measured(command, environment, statuses=(0,)):
    """Runs to the end: what it wrote to standard output, and what it took."""
    with tempfile.NamedTemporaryFile("r", prefix="versus-cost-") as result:
        launch = [sys.executable, "-I", "-S", LAUNCH, result.name, *map(str, command)]
        ran = subprocess.run(launch, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
        said = result.read().split()
    if ran.returncode != 0 or int(said[0]) not in statuses:
        told = (ran.stdout[-4000:] + ran.stderr[-4000:]).decode(errors="replace")
        raise Failed(f"{' '.join(map(str, command))}: exit status {said[:1] or ran.returncode}\n{told}")
    wall, user, system, peak = map(float, said[1:])
    return ran.stdout, Cost(wall, user, system, peak * 1024)


def succeed(command, **more):
    """Runs what is only preparation."""
    subprocess.run([str(part) for part in command], check=True, **more)


def load():
    """The load average of the last minute."""
    return os.getloadavg()[0]
