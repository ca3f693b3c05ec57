"""The longest chain of answers that truly depend on each other, found without catena's own order.

What an investigation was told is known from a recording (`--record`). An answer can be asked for as
soon as every identity in its address is known, so the oracle goes by information alone:

- An identity is a task id, a run's number, an artifact's name, a repository, a revision, a tag, a
  branch, a pull request's number, or the token of a listing's next page.
- It is known from the start if the command line or the policy contains it, and otherwise from the
  arrival of the first answer that contains it, whatever that answer is about and whether or not
  anything has been verified.
- A repository is known from the first answer that names it: a policy names many, and they
  are not all requested early.
- Names that the protocol has for everybody are known: the document, its signature, the task graph,
  `public/actions.json`, `public/parameters.yml`.
- Run 0 may be guessed for everything small; any other run is known from the task's status. Nothing
  large is guessed: an artifact and a task graph wait for the status of their task, which says which
  run counts.
- A task graph tells no identities: it is large, and read while it streams, for the tasks that are
  known when it is asked for.
- An answer takes the latency of its host, and its bytes take no time.

So `earliest(answer) = max over its identities of (min over the answers that hold it of arrival)`.
"""

import json
import re
import typing
import urllib.parse

from .process import Failed

TASK_ID = re.compile(r"(?<![\w-])[A-Za-z0-9_-]{22}(?![\w-])")
REVISION = re.compile(r"(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])")
TASKCLUSTER = {"definition", "status", "document", "signature", "listing", "content", "artifact", "task-graph"}
LARGE = {"artifact", "task-graph"}
NAMES = {
    "document": "public/chain-of-trust.json",
    "signature": "public/chain-of-trust.json.sig",
    "task-graph": "public/task-graph.json",
}
PROTOCOL = "public/actions.json public/parameters.yml"


class Identity(typing.NamedTuple):
    """One thing that must be known to write an address."""

    # How it is looked for: `task`, `revision`, `word` (not inside of a longer word), `text`, or
    # `repository`, which is a text that only answers tell.
    kind: str
    text: str


class Answer:
    """One answer of the recording."""

    def __init__(self, need, text):
        self.need, self.text, self.kind = need, text, need["kind"]
        self.identities = list(identities(need))
        # Set when it is reached: when it can be asked for and why not before, and when it is there.
        self.start, self.end, self.because = None, None, None

    def __str__(self):
        need = self.need
        where = [need.get("taskId"), need.get("name"), need.get("repository"), need.get("url")]
        if "owner" in need:
            where = [f"{need['owner']}/{need['name']}", need.get("branch"), need.get("tag"), need.get("number")]
            where += [need.get("page"), *need.get("reference", {}).values()]
        words = [str(word) for word in [*where, need.get("revision")] if word is not None]
        return f"{self.kind} {' '.join(word[:12] if len(word) in (40, 64) else word for word in words)}"

    def latency(self, queue, vcs):
        return queue if self.kind in TASKCLUSTER else vcs


def identities(need):
    """What must be known for this need's address, the status of large ones apart."""
    if "taskId" in need:
        yield Identity("task", need["taskId"])
    if need["kind"] in ("artifact", "content"):
        yield Identity("text", need["name"])
    if need.get("continuation") is not None:
        yield Identity("word", need["continuation"])
    if "repository" in need:
        yield Identity("repository", need["repository"].partition("://")[2])
    if "owner" in need:
        yield Identity("repository", f"{need['owner']}/{need['name']}")
    for name in ("revision", "branch", "tag", "number"):
        if name in need:
            yield reference(str(need[name]))
    for text in need.get("reference", {}).values():
        yield reference(text)


def reference(text):
    return Identity("revision" if REVISION.fullmatch(text) else "word", text)


def answers(recording):
    """The answers of a recording, with what of their text may tell an identity."""
    index = json.loads((recording / "facts.json").read_text())
    for entry in index["facts"]:
        fact, text = entry["fact"], ""
        if fact["kind"] == "body":
            text = (recording / "bodies" / fact["measured"]["sha256"]).read_text(errors="replace")
        yield Answer(entry["need"], text)


class Known:
    """Which identities are known, since when and from which answer."""

    def __init__(self, wanted, text):
        self.unknown, self.since = set(wanted), {}
        self.learn(text, 0.0, None)

    def learn(self, text, now, answer):
        """Finds what is still unknown in a text."""
        tokens = {"task": set(TASK_ID.findall(text)), "revision": set(REVISION.findall(text))}
        told = (one for one in self.unknown if answer is not None or one.kind != "repository")
        found = [one for one in told if holds(text, tokens, one)]
        for one in found:
            self.since[one] = (now, answer)
        self.unknown.difference_update(found)


def holds(text, tokens, identity):
    if identity.kind in tokens:
        return identity.text in tokens[identity.kind]
    if identity.kind == "word":
        return re.search(rf"(?<![\w.-]){re.escape(identity.text)}(?![\w-])", text) is not None
    return identity.text in text


def follow(recording, given, queue, vcs):
    """All answers with when each could be there, in that order. `given` is what was known before."""
    waiting = list(answers(recording))
    known = Known((one for answer in waiting for one in answer.identities), f"{given} {PROTOCOL}")
    reached = {}
    while waiting:
        ready = [answer for answer in waiting if begin(answer, known, reached)]
        if not ready:
            lost = "; ".join(f"{answer} for {missing(answer, known)}" for answer in waiting[:5])
            raise Failed(f"nothing says what these were asked by: {lost}")
        soonest = min(answer.start + answer.latency(queue, vcs) for answer in ready)
        for answer in ready:
            if answer.start + answer.latency(queue, vcs) == soonest:
                answer.end = soonest
                waiting.remove(answer)
                reached[key(answer.need)] = answer
        for answer in ready:
            if answer.end is not None and known.unknown:
                known.learn(answer.text, answer.end, answer)
    return sorted(reached.values(), key=lambda answer: answer.end)


def begin(answer, known, reached):
    """Whether it can be asked for; notes since when, and which answer it waited for."""
    if not all(one in known.since for one in answer.identities):
        return False
    reasons = [known.since[one] for one in answer.identities]
    for before in waits_for(answer.need):
        if before not in reached:
            return False
        reasons.append((reached[before].end, reached[before]))
    answer.start, answer.because = max(reasons, key=lambda reason: reason[0], default=(0.0, None))
    return True


def waits_for(need):
    """The answers that must be there before, whatever is known."""
    if need["kind"] in LARGE or need.get("runId", 0) != 0:
        yield key({"kind": "status", "taskId": need["taskId"]})
    if need["kind"] == "tags" and need["page"] > 1:
        yield key({**need, "page": need["page"] - 1})


def key(need):
    return json.dumps({name: value for name, value in need.items() if name != "wanted"}, sort_keys=True)


def missing(answer, known):
    return [one.text for one in answer.identities if one not in known.since] or "an answer before it"


def path(reached):
    """The answers that the last one had to wait for, first to last."""
    steps = [reached[-1]]
    while steps[-1].because is not None:
        steps.append(steps[-1].because)
    return steps[::-1]


def address(need, root):
    """Where a need is asked, to find it among the requests."""
    if "taskId" in need:
        return queue_address(need, f"{root}/api/queue/v1/task/{need['taskId']}")
    if "owner" not in need:
        tail = {
            "push": lambda: f"json-pushes?changeset={need['revision']}&version=2&full=1",
            "hg-template": lambda: f"raw-file/{need['revision']}/.taskcluster.yml",
        }.get(need["kind"])
        return need["url"] if tail is None else f"{need['repository']}/{tail()}"
    repository = f"{need['owner']}/{need['name']}"
    if need["kind"] == "branch-commits":
        return f"https://github.com/{repository}/branch_commits/{need['revision']}"
    page = f"&page={need['page']}" if need.get("page", 1) > 1 else ""
    tail = {
        "github-template": lambda: "/contents/.taskcluster.yml?ref=" + urllib.parse.quote(*need["reference"].values()),
        "repository": lambda: "",
        "commit": lambda: f"/commits/{need['revision']}",
        "pull-request": lambda: f"/pulls/{need['number']}",
        "release": lambda: f"/releases/tags/{urllib.parse.quote(need['tag'])}",
        "tags": lambda: f"/tags?per_page=100{page}",
        "compare": lambda: f"/compare/{urllib.parse.quote(need['branch'])}...{need['revision']}",
    }[need["kind"]]
    return f"https://api.github.com/repos/{repository}{tail()}"


def queue_address(need, task):
    if need["kind"] == "definition":
        return task
    if need["kind"] == "status":
        return f"{task}/status"
    artifacts = f"{task}/runs/{need['runId']}/artifacts"
    if need["kind"] == "listing":
        token = need["continuation"]
        return artifacts if token is None else f"{artifacts}?continuationToken={urllib.parse.quote(token, safe='')}"
    return f"{artifacts}/{urllib.parse.quote(need.get('name') or NAMES[need['kind']])}"
