"""From the start of the process to its first question on the wire."""

import pathlib
import socket
import statistics
import subprocess
import tempfile
import time

from . import tables
from .chains import Folder
from .verifiers import Catena

WANTED = 0.010
TURNS = 20
SMALL = "firefox push graph=100 builds=3 artifacts=2 size=10000"
# No connection within so many seconds is a failure.
PATIENCE = 10


class Silent:
    """Somebody who listens and says nothing."""

    def __init__(self, folder):
        self.folder = folder
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.socket.settimeout(PATIENCE)
        self.root = "http://127.0.0.1:%d" % self.socket.getsockname()[1]

    def first_byte(self):
        """Waits for the first byte of a question."""
        connection, _ = self.socket.accept()
        with connection:
            connection.settimeout(PATIENCE)
            connection.recv(1)
            return time.perf_counter()

    def hang_up(self):
        """Drops everybody else who has called."""
        self.socket.settimeout(0)
        try:
            while True:
                self.socket.accept()[0].close()
        except BlockingIOError:
            self.socket.settimeout(PATIENCE)


def seconds(command, silent):
    """How long one process takes until it asks. It trusts the certificates of the system."""
    environment = {"TASKCLUSTER_ROOT_URL": silent.root}
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        return silent.first_byte() - started
    finally:
        process.kill()
        process.wait()
        silent.hang_up()


def nothing():
    """How long a process takes that does nothing."""
    started = time.perf_counter()
    subprocess.run(["/bin/true"], check=True)
    return time.perf_counter() - started


def section(bench):
    with tempfile.TemporaryDirectory(prefix="versus-", dir=bench.room) as room:
        folder = Folder(bench.binaries, pathlib.Path(room), SMALL)
        silent = Silent(folder)
        command = Catena(bench.binaries.catena).command(silent)
        taken = [seconds(command, silent) for _ in range(TURNS + 1)][1:]
        idle = [nothing() for _ in range(TURNS)]
    met = "met" if statistics.median(taken) <= WANTED else "**not met**"
    print(f"\n## Start\n\nFrom the start of the process to its first question on the wire; {TURNS} turns.")
    tables.head("", "ms")
    tables.row("`catena verify`", tables.spread([one * 1000 for one in taken], 1))
    tables.row("`true`, started and ended", tables.spread([one * 1000 for one in idle], 1))
    print(f"\nWanted: {WANTED * 1000:.0f} ms; {met}.", flush=True)
