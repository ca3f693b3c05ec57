"""Chains in folders, and the processes that serve them."""

import json
import subprocess
import time
import urllib.request

from .process import Failed, succeed


class Folder:
    """A chain that the testbed wrote: `settings` are `write_chain`'s, product and trigger first."""

    def __init__(self, binaries, room, settings):
        self.binaries, self.room, self.settings = binaries, room, settings
        self.chain = room / "chain"
        succeed([binaries.write_chain, self.chain, *settings.split()])
        self.facts = json.loads((self.chain / "chain.json").read_text())
        self.keys = room / "keys.json"
        self.keys.write_text(json.dumps(self.facts["ed25519_public_keys"]))
        self.bytes = sum(path.stat().st_size for path in self.chain.rglob("*") if path.is_file())

    def serve(self, **settings):
        """Serves it from a process of its own, until the block ends."""
        return Server(self, settings)

    def about(self):
        """What it is, for the foot of a heading."""
        facts = self.facts
        return f"{len(facts['links'])} links, {self.bytes / 1e6:,.0f} MB"


class Server:
    """A process that serves a chain on loopback. `settings` are those of the testbed's `serve`."""

    def __init__(self, folder, settings):
        self.folder = folder
        self.authority = folder.room / "ca.pem"
        given = [f"{name.replace('_', '-')}={value}" for name, value in settings.items()]
        command = [folder.binaries.serve, folder.chain, folder.room, *given]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ready = self.process.stdout.readline()
        if not ready:
            raise Failed(f"serve {' '.join(given)}: exit status {self.process.wait()}")
        self.port = json.loads(ready)["http"]
        self.proxy = f"http://127.0.0.1:{self.port}"
        # HTTP/2 is spoken over TLS only.
        self.root = self.proxy.replace("http:", "https:") if settings.get("http2") else self.proxy

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def environment(self):
        """How catena finds everything here."""
        trusted = str(self.authority)
        return {"TASKCLUSTER_ROOT_URL": self.root, "HTTPS_PROXY": self.proxy, "SSL_CERT_FILE": trusted}

    def asked(self):
        """What was asked for so far."""
        with urllib.request.urlopen(f"{self.proxy}/_stats") as answer:
            stats = json.load(answer)
        own = f"{self.proxy}/_stats"
        requests = [(at, url) for at, url in stats["asked"] if url != own]
        return Asked(requests, stats["bytes"])


class Asked:
    """Requests, each with the seconds since the server began, and the bytes of bodies sent."""

    def __init__(self, requests, sent):
        self.requests, self.bytes = requests, sent

    def since(self, before):
        """Those that came later."""
        return Asked(self.requests[len(before.requests):], self.bytes - before.bytes)

    def urls(self):
        """Each address once."""
        return list(dict.fromkeys(url for _, url in self.requests))

    def repeated(self):
        """How many requests were for something that had been asked for."""
        return len(self.requests) - len(self.urls())
