#!/usr/bin/env python3
"""Asks scriptworker for its word on one chain after another.

    reference-driver.py CA_FILE             reads one JSON object a line, answers each with one
    reference-driver.py CA_FILE QUESTION    answers one, and ends
    reference-driver.py CA_FILE PORT CONFIG becomes its daemon, with the testbed at PORT

Asked for:
{"port", "product", "kind", "task_id", "check_task", "keys", "work_dir"}, where `port` is a
testbed's on 127.0.0.1: queue, artifact store, hg.mozilla.org and GitHub in one. With
"download_chunk" scriptworker reads so many bytes at a time when it downloads, and not 128. Answered:
{"outcome": "accepted", "links": [[name, task id], …]}, {"outcome": "rejected", "cause": …}, or
{"outcome": "crashed", "cause": …} when what was raised is not one of scriptworker's own errors.

Needs scriptworker 63.6.1. Its verification runs as it is; what is set up around it differs from
production in this:

- the addresses of hg.mozilla.org and GitHub resolve to the testbed, whose CA (CA_FILE) is trusted;
- root URL, artifact URLs, keys, product and folders are the chain's; all else is the default
  configuration;
- the claim's definition is read from the queue;
- nothing sleeps before it tries again.

Of many, every chain is verified by a process of its own, forked once everything is imported, so
that none can leave anything behind for the next.
"""

import asyncio
import copy
import inspect
import json
import os
import pathlib
import signal
import socket
import sys

# Seconds. What takes longer has hung: a chain takes one or two.
LONGEST = 120
HOSTS = {"hg.mozilla.org", "raw.githubusercontent.com", "api.github.com", "github.com"}

if len(sys.argv) not in (2, 3, 4):
    sys.exit(__doc__)
# Read when aiohttp is imported, and by requests whenever it connects.
os.environ["SSL_CERT_FILE"] = os.environ["REQUESTS_CA_BUNDLE"] = sys.argv[1]
for proxy in ("http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(proxy, None)
    os.environ.pop(proxy.upper(), None)

import scriptworker.utils  # noqa: E402
from scriptworker.config import apply_product_config  # noqa: E402
from scriptworker.constants import DEFAULT_CONFIG  # noqa: E402
from scriptworker.context import Context  # noqa: E402
from scriptworker.cot.verify import ChainOfTrust, verify_chain_of_trust  # noqa: E402
from scriptworker.exceptions import ScriptWorkerException  # noqa: E402
from scriptworker.task import get_task_definition  # noqa: E402


def resolve_to(port):
    """Sends every name the reference may ask for to the testbed, and refuses all others."""
    resolve = socket.getaddrinfo

    def resolve_here(host, asked_port, *more, **named):
        name = host.decode() if isinstance(host, bytes) else host
        if name in HOSTS:
            return resolve("127.0.0.1", port, *more, **named)
        if name == "127.0.0.1":
            return resolve(name, asked_port, *more, **named)
        raise socket.gaierror(f"{name} is not in the testbed")

    socket.getaddrinfo = resolve_here


def configuration(asked):
    here = f"127.0.0.1:{asked['port']}"
    work = pathlib.Path(asked["work_dir"])
    folders = {name: work / name for name in ("work_dir", "artifact_dir", "task_log_dir")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    artifacts = r"^/api/queue/v1/task/(?P<taskId>[^/]+)(/runs/\d+)?/artifacts/(?P<filepath>.*)$"
    config = dict(copy.deepcopy(DEFAULT_CONFIG))
    config.update({name: str(folder) for name, folder in folders.items()})
    config.update(
        taskcluster_root_url=f"http://{here}",
        valid_artifact_rules=({"schemes": ("http",), "netlocs": (here,), "path_regexes": (artifacts,)},),
        ed25519_public_keys=asked["keys"],
        verify_cot_signature=True,
        cot_product=asked["product"],
        cot_job_type=asked["kind"],
    )
    return apply_product_config(config)


def read_more_at_a_time(chunk):
    """Raises the one default that limits the speed of scriptworker's downloads; no caller overrides it."""
    download = scriptworker.utils.download_file
    names = list(inspect.signature(download).parameters)
    defaults = list(download.__defaults__)
    place = names.index("chunk_size") - len(names)
    assert defaults[place] == 128
    defaults[place] = chunk
    download.__defaults__ = tuple(defaults)


async def verify(asked):
    context = Context()
    context.config = configuration(asked)
    async with scriptworker.utils.scriptworker_session() as session:
        context.session = session
        context.credentials = {"clientId": "differential", "accessToken": "none"}
        task_id = asked["task_id"]
        task = await get_task_definition(context.queue, task_id)
        context.claim_task = {
            "status": {"taskId": task_id},
            "runId": 0,
            "task": task,
            "credentials": {"clientId": "task", "accessToken": "none"},
        }
        chain = ChainOfTrust(context, asked["kind"])
        await verify_chain_of_trust(chain, check_task=asked["check_task"])
        return [[link.name, link.task_id] for link in chain.links]


def answer(asked):
    resolve_to(asked["port"])
    if "download_chunk" in asked:
        read_more_at_a_time(asked["download_chunk"])
    try:
        return {"outcome": "accepted", "links": asyncio.run(verify(asked))}
    except ScriptWorkerException as cause:
        return {"outcome": "rejected", "cause": f"{type(cause).__name__}: {cause}"}
    except Exception as cause:
        return {"outcome": "crashed", "cause": f"{type(cause).__name__}: {cause}"}


def main():
    scriptworker.utils._define_sleep_time = lambda *_: 0
    if len(sys.argv) == 4:
        resolve_to(int(sys.argv[2]))
        sys.argv[1:] = sys.argv[3:]
        from scriptworker.worker import main as daemon

        daemon()
        return
    if len(sys.argv) == 3:
        print(json.dumps(answer(json.loads(sys.argv[2]))))
        return
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.alarm(LONGEST)
            print(json.dumps(answer(json.loads(line))), flush=True)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status != 0:
            print(json.dumps({"outcome": "crashed", "cause": f"wait status {status}"}), flush=True)


if __name__ == "__main__":
    main()
