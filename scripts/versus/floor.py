"""The floor: the cost of the same bytes without verification.

Everything that catena asks for is fetched once by one `curl`, many at a time, from the same server
to the same disk; then one pass of SHA-256 goes over what was fetched, on all CPUs there are, by
whichever of `sha256sum` and `openssl` is faster here. The floor is the larger of the two.

curl flushes nothing: when it ends, its bytes are in memory. `catena --work-dir` ends when they are on
the disk, so that it is held to the floor of curl and a flush, and told beside the other as well.
"""

import os
import shutil
import statistics
import subprocess
import time

from . import tables
from .process import measured, succeed

# As many transfers at a time as curl does well with.
AT_ONCE = 32
TOOLS = {"sha256sum": ["sha256sum", "--"], "openssl": ["openssl", "dgst", "-sha256"]}


class Floor:
    """What was measured."""

    def __init__(self):
        self.curl, self.flushed, self.hashed, self.catena = [], [], [], {}
        self.tool, self.requests, self.bytes = None, 0, 0

    def seconds(self, flushed=False):
        """The larger of fetching, perhaps to the disk itself, and hashing."""
        fetched = self.flushed if flushed else [cost.wall for cost in self.curl]
        return max(statistics.median(fetched), statistics.median(self.hashed))

    def distance(self, name, flushed=False):
        """How many times the floor a verifier takes, measured beside it."""
        return statistics.median(self.catena[name]) / self.seconds(flushed)


def measure(server, catena, turns):
    """Fetches what catena fetches, and hashes it; catena again beside it, in the same turns."""
    from .verifiers import Catena, put_away

    before = server.asked()
    catena.verify(server)
    asked = server.asked().since(before)
    found = Floor()
    found.requests, found.bytes = len(asked.urls()), asked.bytes
    fetched = server.folder.room / "fetched"
    both = [Catena(catena.binary, keeping=True), catena]
    for turn in range(turns):
        fetched.mkdir()
        found.curl.append(fetch(server, asked.urls(), fetched))
        found.flushed.append(found.curl[-1].wall + flush(fetched))
        if turn == 0:
            found.tool = min(TOOLS, key=lambda tool: hashing(tool, fetched))
        found.hashed.append(hashing(found.tool, fetched))
        put_away(fetched)
        for verifier in both:
            found.catena.setdefault(verifier.name, []).append(verifier.verify(server).wall)
    return found


def fetch(server, urls, folder):
    """One curl for everything."""
    lines = [f'url = "{url}"\noutput = "{folder / str(i)}"\n' for i, url in enumerate(urls)]
    config = server.folder.room / "curl.config"
    config.write_text("".join(lines))
    command = [shutil.which("curl"), "--silent", "--show-error", "--parallel", "--parallel-max", AT_ONCE]
    command += ["--cacert", server.authority, "--config", config]
    _, cost = measured(command, {"https_proxy": server.proxy})
    return cost


def flush(folder):
    """Seconds until the files are on the disk."""
    started = time.perf_counter()
    succeed(["sync", "--file-system", folder])
    return time.perf_counter() - started


def hashing(tool, folder):
    """Seconds of one pass over the files, in as many processes as there are CPUs."""
    shares = [[] for _ in range(os.cpu_count())]
    sizes = [0] * len(shares)
    for path in sorted(folder.iterdir(), key=lambda path: -path.stat().st_size):
        least = sizes.index(min(sizes))
        shares[least].append(path)
        sizes[least] += path.stat().st_size
    started = time.perf_counter()
    running = [
        subprocess.Popen([*TOOLS[tool], *share], stdout=subprocess.DEVNULL) for share in shares if share
    ]
    for process in running:
        if process.wait() != 0:
            raise subprocess.CalledProcessError(process.returncode, tool)
    return time.perf_counter() - started


def table(found, verifiers):
    print(f"\nThe floor: {found.requests:,} answers, {found.bytes / 1e6:,.0f} MB of bodies; {len(found.curl)} turns.")
    tables.head("", "wall, s", "times the floor", "of the floor flushed")
    floor, flushed = found.seconds(), found.seconds(flushed=True)
    walls = [cost.wall for cost in found.curl]
    for name, seconds in [
        (f"curl to the same disk, {AT_ONCE} at a time", walls),
        ("the same, and flushed", found.flushed),
        (f"one pass of SHA-256 by `{found.tool}` on {os.cpu_count()} CPUs", found.hashed),
        *((verifier.name, found.catena[verifier.name]) for verifier in verifiers),
    ]:
        median = statistics.median(seconds)
        tables.row(name, tables.spread(seconds, 2), f"{median / floor:.2f}", f"{median / flushed:.2f}")
