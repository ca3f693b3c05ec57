"""The wait for a real Taskcluster, hg.mozilla.org and GitHub, held against its critical path.

Every answer of the queue takes half a second, redirects to artifacts included; every answer of hg and
GitHub takes five; the artifact store answers at once. Nothing is served faster the second time.
"""

import pathlib
import shutil
import statistics
import tempfile

from . import critical_path, tables
from .chains import Folder
from .process import measured
from .verifiers import Catena

QUEUE, VCS = 0.5, 5.0
FARTHEST = 1.15
TURNS = 3
SIZE = "graph=1000 builds=12 images=2 artifacts=2 size=50000"
SCENARIOS = [
    ("hg push", f"firefox push {SIZE}"),
    ("hg push, own images", f"firefox push {SIZE} images-from=own"),
    ("hg cron", f"firefox cron {SIZE}"),
    ("hg action", f"firefox action {SIZE}"),
    ("hg release promotion", f"firefox release-promotion depth=2 {SIZE}"),
    ("hg push, second run", f"firefox push retried=true {SIZE}"),
    ("GitHub push", f"mobile push {SIZE}"),
    ("GitHub pull request", f"mobile pull-request {SIZE}"),
    ("GitHub pull request of a fork", f"mobile pull-request-untrusted {SIZE}"),
    ("GitHub release", f"mobile release {SIZE}"),
    ("GitHub action on a pull request", f"translations pr-action {SIZE}"),
    ("wide", "firefox push graph=400 builds=304 images=3 artifacts=2 size=50000"),
    ("hg push over HTTP/2", f"firefox push {SIZE}"),
    ("wide over HTTP/2", "firefox push graph=400 builds=304 images=3 artifacts=2 size=50000"),
]


class Scenario:
    """One chain, waited for."""

    def __init__(self, name):
        self.name, self.walls, self.asked, self.started, self.reached = name, [], None, None, []

    def ratio(self):
        return statistics.median(self.walls) / self.path()[-1].end

    def path(self):
        return critical_path.path(self.reached)


def wait(bench, name, settings):
    """Verifies one chain some times, and once to record what was answered."""
    catena, scenario = Catena(bench.binaries.catena), Scenario(name)
    with tempfile.TemporaryDirectory(prefix="versus-", dir=bench.room) as room:
        folder = Folder(bench.binaries, pathlib.Path(room), settings)
        more = {"http2": "true"} if name.endswith("over HTTP/2") else {}
        with folder.serve(queue=QUEUE, vcs=VCS, **more) as server:
            for _ in range(TURNS):
                before = server.asked()
                scenario.walls.append(catena.verify(server).wall)
            scenario.asked, scenario.root = server.asked().since(before), server.root
        recording = folder.room / "recording"
        with folder.serve() as server:
            catena.verify(server, "--record", recording)
        facts = folder.facts
        policy, _ = measured([bench.binaries.catena, "policy", "show", "--product", facts["product"]], {})
        given = f"{facts['task_id']} {facts['task_type']} {facts['product']}\n{policy.decode()}"
        scenario.reached = critical_path.follow(recording, given, QUEUE, VCS)
        shutil.rmtree(recording)
    return scenario


def section(bench):
    print(f"\n## Latency\n\n{QUEUE} s for each answer of the queue, {VCS} s for each of hg and GitHub; {TURNS} turns.")
    tables.head("", "wall, s", "critical path, s", f"ratio ≤ {FARTHEST}", "requests", "asked again", "met")
    waited = []
    for name, settings in SCENARIOS:
        if bench.latency in name:
            waited.append(wait(bench, name, settings))
            tables.row(*cells(waited[-1]))
    for one in waited:
        show(one)


def cells(scenario):
    ratio, longest = scenario.ratio(), scenario.path()[-1].end
    walls = tables.spread(scenario.walls, 2)
    asked = [len(scenario.asked.requests), scenario.asked.repeated()]
    met = "yes" if ratio <= FARTHEST else "**no**"
    return [scenario.name, walls, f"{longest:.1f}", f"{ratio:.2f}", *asked, met]


def show(scenario):
    """The critical path, and what was asked for much later than it could have been."""
    print(f"\n**{scenario.name}**: the critical path, and when catena asked.\n")
    first = {}
    for at, url in scenario.asked.requests:
        first.setdefault(url, at - scenario.asked.requests[0][0])
    for answer in scenario.path():
        print(f"- {answer}: {answer.start:.1f} to {answer.end:.1f} s; {told(first, scenario, answer)}")
    late = []
    for answer in scenario.reached:
        at = first.get(critical_path.address(answer.need, scenario.root))
        if at is not None:
            late.append((at - answer.start, answer))
    worst = {}
    for lag, answer in sorted(late, key=lambda pair: -pair[0]):
        worst.setdefault(answer.kind, (lag, answer))
    told_of = [f"{answer.kind} {lag:.2f}" for lag, answer in worst.values() if lag > 0.1]
    if told_of:
        print(f"\nSeconds later than possible, the worst of each kind: {', '.join(told_of)}.")


def told(first, scenario, answer):
    at = first.get(critical_path.address(answer.need, scenario.root))
    return "not asked" if at is None else f"asked at {at:.2f}"
