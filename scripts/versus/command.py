"""The command line."""

import argparse
import os
import pathlib
import sys
import typing

from . import builds, comparison, growth, latency, many, startup, tables
from .process import succeed

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
SCRIPTWORKER = "63.6.1"
# What scriptworker is compared with; the same as `cargo xtask differential` installs, and in the same place.
PACKAGES = [f"scriptworker=={SCRIPTWORKER}", "json-e==4.8.4", "PyYAML==6.0.3"]


class Binaries(typing.NamedTuple):
    """Release builds."""

    catena: pathlib.Path
    write_chain: pathlib.Path
    serve: pathlib.Path


class Bench(typing.NamedTuple):
    """What every section is given."""

    binaries: Binaries
    # With scriptworker; none when nothing is compared with it.
    python: typing.Optional[pathlib.Path]
    pairs: int
    huge_pairs: int
    chains: typing.List[str]
    # What the names of latency scenarios hold.
    latency: str
    # Where chains and what is fetched of them are put.
    room: str
    plots: pathlib.Path
    # Another release build of catena, if one is named.
    against: typing.Optional[pathlib.Path]


SECTIONS = {
    "start": startup.section,
    "compare": comparison.section,
    "latency": latency.section,
    "cache": many.again,
    "batch": many.batch,
    "growth": growth.section,
    "builds": builds.section,
}


def arguments():
    parser = argparse.ArgumentParser(
        prog="versus-scriptworker",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=__doc__,
    )
    names = [shape.name for shape in comparison.SHAPES]
    add = parser.add_argument
    add("--sections", default=",".join(SECTIONS), help="of: %(default)s")
    add("--chains", default=",".join(names), help="that are compared, of: %(default)s")
    add("--latency", default="", help="only the scenarios with this in their name")
    add("--pairs", type=int, default=5, help="turns of each chain, after one that is not counted [%(default)s]")
    add("--huge-pairs", type=int, default=2, help="turns of the chain called huge [%(default)s]")
    add("--python", type=pathlib.Path, help=f"one with scriptworker {SCRIPTWORKER} [one below target/, made once]")
    add("--catena", type=pathlib.Path, help="measure this one in place of the release build")
    add("--against", type=pathlib.Path, help="compare with this release build of catena, in the section builds")
    add("--no-build", action="store_true", help="take the release builds as they are")
    add("--room", help="a folder with room for what is served and fetched; huge takes 16 GB [the system's]")
    add("--plots", type=pathlib.Path, default=ROOT / "docs/performance", help="where plots go [docs/performance]")
    return parser.parse_args()


def python():
    """A Python with scriptworker, installed once."""
    folder = TARGET / f"scriptworker-{SCRIPTWORKER}"
    found, complete = folder / "bin/python", folder / "complete"
    if not complete.exists():
        succeed([sys.executable, "-m", "venv", "--clear", folder], stdout=sys.stderr)
        pip = [found, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        succeed([*pip, *PACKAGES], stdout=sys.stderr)
        complete.touch()
    return found


def binaries(build):
    """The release builds, made if need be."""
    found = Binaries(*(TARGET / "release" / name for name in ("catena", "examples/write_chain", "examples/serve")))
    if build or not all(path.exists() for path in found):
        wanted = ["-p", "catena-cli", "-p", "catena-testbed", "--bin", "catena"]
        wanted += ["--example", "write_chain", "--example", "serve"]
        succeed(["cargo", "build", "--release", "--quiet", *wanted], cwd=ROOT)
    return found


def main():
    asked = arguments()
    sections = asked.sections.split(",")
    if unknown := [name for name in sections if name not in SECTIONS]:
        sys.exit(f"no section is called {unknown[0]!r}")
    needed = asked.python or (python() if "compare" in sections else None)
    built = binaries(not asked.no_build)
    bench = Bench(
        built._replace(catena=asked.catena) if asked.catena else built,
        needed,
        asked.pairs,
        asked.huge_pairs,
        asked.chains.split(","),
        asked.latency,
        asked.room,
        asked.plots,
        asked.against,
    )
    print(tables.machine(), flush=True)
    for name in sections:
        SECTIONS[name](bench)
