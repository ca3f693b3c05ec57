"""The two verifiers, each a whole process from its start to its end."""

import json
import os
import pathlib
import secrets
import shutil

from .process import Failed, measured

DRIVER = pathlib.Path(__file__).resolve().parent.parent / "reference-driver.py"
# Bytes that scriptworker reads at a time when it downloads: 128 as it is, and what costs nothing.
RAISED_CHUNK = 64 * 1024


def put_away(work):
    """Takes a work directory out of the way of the next turn, and has the disk do what is left to do for it.

    Large files are removed. Hundreds of small ones stay until the chain is done with: for five
    seconds ext4 keeps the inodes of what was removed from being used again, and looks at every one
    of them whenever it creates a file, which would cost the next verifier more than its own work. Either
    way they go from memory: a virtual machine has to ask its host for pages that it has not used yet,
    which takes longer than to write them.
    """
    os.sync()
    files = [path for path in work.rglob("*") if path.is_file()]
    if len(files) < 50:
        shutil.rmtree(work)
        return
    for path in files:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    work.rename(work.with_name(f"{work.name}-{secrets.token_hex(8)}"))


class Scriptworker:
    """scriptworker as it is, or with its download chunk raised."""

    def __init__(self, python, chunk=None):
        self.python, self.chunk = python, chunk
        self.name = "scriptworker" if chunk is None else f"scriptworker, chunk of {chunk // 1024} KiB"

    def verify(self, server):
        facts, work = server.folder.facts, server.folder.room / "scriptworker"
        question = {
            "port": server.port,
            "product": facts["product"],
            "kind": facts["task_type"],
            "task_id": facts["task_id"],
            "check_task": facts["check_task"],
            "keys": facts["ed25519_public_keys"],
            "work_dir": str(work),
        }
        if self.chunk is not None:
            question["download_chunk"] = self.chunk
        command = [self.python, DRIVER, server.authority, json.dumps(question)]
        output, cost = measured(command, dict(os.environ))
        put_away(work)
        if json.loads(output)["outcome"] != "accepted":
            raise Failed(f"scriptworker: {output.decode()}")
        return cost


class Catena:
    """catena: verifying only, or leaving verified artifacts behind as scriptworker does."""

    def __init__(self, binary, keeping=False):
        self.binary, self.keeping = binary, keeping
        self.name = "catena, keeping artifacts" if keeping else "catena"
        self._options = None

    def verify(self, server, *more):
        """Verifies the chain's target, or what `more` names in its place."""
        work = server.folder.room / "catena"
        options = ["--work-dir", work] if self.keeping else []
        _, cost = measured(self.command(server, *options, *more), server.environment())
        if self.keeping:
            put_away(work)
        return cost

    def command(self, server, *more, target=None):
        """The command line; what follows `--` in `more` takes the place of the target."""
        facts = server.folder.facts
        command = [self.binary, "verify", "--task-type", facts["task_type"], "--product", facts["product"]]
        command += ["--keys", server.folder.keys]
        if not facts["check_task"]:
            command.append("--no-check-task")
        if "--batch" in more:
            return [*command, *more]
        return [*command, *more, "--", target or facts["task_id"]]

    def knows(self, option):
        """Whether `catena verify` has an option."""
        if self._options is None:
            output, _ = measured([self.binary, "verify", "--help"], {})
            self._options = output.decode()
        return option in self._options
