#!/usr/bin/env python3
"""Extracts and packs the same inputs with taskgraph's fetch-content and with `catena fetch`, and compares the trees.

    python3 scripts/compare_fetch_content.py FETCH_CONTENT CATENA

FETCH_CONTENT is the script of the installed package taskcluster-taskgraph (24.5.1 was compared). Everything is
served from loopback. Contents, permissions and links must be the same, but for what DIFFERENCES names. Run it
by a Python with the package zstandard, as root, as tasks in containers run: for other users tar itself drops set-id bits and others' permission to write.
"""

import bz2
import gzip
import hashlib
import http.server
import io
import json
import lzma
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import threading
import zipfile

TASK = "IFn9x5gaQz-HXl2pa7Ny_w"

# What catena refuses and fetch-content takes, or takes otherwise; each is wanted.
DIFFERENCES = {
    "setuid.tar": "set-id bits are dropped",
    "group-writable.tar": "only the owner may write",
    "absolute.tar": "an absolute name is refused, and not made relative",
    "link-outside.tar": "a link that leads out of the destination is refused",
    "duplicate.tar": "a name that stands twice is refused",
    "case.tar": "names that differ in case alone are refused",
    "fifo.tar": "a named pipe is refused",
    "text-like-zip": "a text that begins with PK stays as it is, and does not fail the task",
}


def tar(members, form=tarfile.GNU_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, content, mode, kind in members:
            info = tarfile.TarInfo(name)
            info.mode, info.mtime = mode, 1_000_000_000
            if kind:
                info.type = kind
                info.linkname = content if isinstance(content, str) else ""
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in members:
            info = zipfile.ZipInfo(name, (2020, 1, 2, 3, 4, 6))
            info.create_system, info.external_attr = 3, mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return out.getvalue()


def inputs():
    plain = [
        ("d/", "", 0o755, tarfile.DIRTYPE),
        ("d/run", b"#!/bin/sh\n" * 1000, 0o755, None),
        ("d/read-only", b"x", 0o444, None),
        ("d/empty", b"", 0o644, None),
        ("d/link", "run", 0o777, tarfile.SYMTYPE),
        ("d/up", "../other/file", 0o777, tarfile.SYMTYPE),
        ("d/hard", "d/run", 0o644, tarfile.LNKTYPE),
        ("other/file", b"y" * 5000, 0o600, None),
        ("long/" + "n" * 120 + "/" + "m" * 120, b"long", 0o644, None),
        ("umlaut-\u00e4", b"u", 0o644, None),
    ]
    archive = tar(plain)
    files = {
        "plain.tar": archive,
        "pax.tar": tar(plain, tarfile.PAX_FORMAT),
        "a.tar.gz": gzip.compress(archive),
        "two-members.tar.gz": gzip.compress(archive[:5000]) + gzip.compress(archive[5000:]),
        "a.tar.bz2": bz2.compress(archive),
        "a.tar.xz": lzma.compress(archive),
        "named-otherwise.dat": gzip.compress(archive),
        "a.zip": zipped([("z/run", b"run", 0o100755), ("z/file", b"f" * 9000, 0o100644), ("z/link", b"run", 0o120777)]),
        "plain.zip": zipped([("z/run", b"run", 0o100755), ("z/d/file", b"f" * 9000, 0o100644)]),
        "wheel.whl": zipped([("pkg/__init__.py", b"", 0o100644)]),
        "not-an-archive.json.gz": gzip.compress(b"{}"),
        "text": b"only text\n",
        "empty": b"",
        "zeros.tar": b"\0" * 10240,
        "setuid.tar": tar([("s", b"s", 0o4755, None)]),
        "group-writable.tar": tar([("g", b"g", 0o664, None)]),
        "absolute.tar": tar([("/abs", b"a", 0o644, None)]),
        "link-outside.tar": tar([("l", "/etc/passwd", 0o777, tarfile.SYMTYPE)]),
        "duplicate.tar": tar([("t", b"1", 0o644, None), ("t", b"2", 0o644, None)]),
        "case.tar": tar([("C", b"1", 0o644, None), ("c", b"2", 0o644, None)]),
        "fifo.tar": tar([("f", "", 0o644, tarfile.FIFOTYPE)]),
        "text-like-zip": b"PK is how this begins\n",
    }
    if shutil.which("zstd"):
        packed = subprocess.run(["zstd", "-qc"], input=archive, stdout=subprocess.PIPE, check=True)
        files["a.tar.zst"] = packed.stdout
        files["two-frames.tar.zst"] = b"".join(
            subprocess.run(["zstd", "-qc"], input=part, stdout=subprocess.PIPE, check=True).stdout
            for part in (archive[:7000], archive[7000:])
        )
    return files


def serve(files):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.endswith("/status"):
                run = {"runId": 0, "state": "completed", "scheduled": "2026-01-01T00:00:00.000Z"}
                status = {"taskId": TASK, "state": "completed", "runs": [run]}
                body = json.dumps({"status": status}).encode()
            else:
                body = files.get(self.path.rsplit("/", 1)[-1])
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def tree(root):
    found = {}
    for folder, directories, names in os.walk(root):
        for name in directories + names:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                what = ("link", os.readlink(path))
            elif stat.S_ISDIR(status.st_mode):
                what = ("directory", stat.S_IMODE(status.st_mode))
            elif stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    what = ("file", stat.S_IMODE(status.st_mode), status.st_nlink, file.read())
            else:
                what = ("other", status.st_mode)
            found[os.path.relpath(path, root)] = what
    return found


def fetch(command, root, entries, folder):
    environment = dict(os.environ, TASKCLUSTER_ROOT_URL=root, MOZ_FETCHES=json.dumps(entries), MOZ_FETCHES_DIR=folder)
    environment["TASKGRAPH_FETCH_STREAM"] = "0"
    os.mkdir(folder)
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    return ended.returncode, tree(folder), ended.stderr


def made(command, environment, dest, folder):
    """Runs a command that makes one file, and what the file holds: the tree of an archive, else its bytes."""
    os.mkdir(folder)
    environment = dict(os.environ, **environment)
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=folder)
    path = os.path.join(folder, dest)
    if not os.path.exists(path):
        return ended.returncode, None, ended.stderr
    if not dest.endswith(".tar.zst"):
        with open(path, "rb") as file:
            return ended.returncode, {dest: file.read()}, ended.stderr
    extracted = os.path.join(folder, "extracted")
    os.mkdir(extracted)
    subprocess.run(["tar", "--zstd", "-xf", path, "-C", extracted], check=True)
    # Directories have no members of their own in what is made of other archives.
    found = {name: what for name, what in tree(extracted).items() if what[0] != "directory"}
    return ended.returncode, found, ended.stderr


def repacked():
    """Calls of static-url: the file, what it becomes, and further arguments."""
    return [
        ("a.tar.gz", "a.tar.zst", []),
        ("a.tar.xz", "new/b.tar.zst", ["--strip-components", "1", "--add-prefix", "p/"]),
        ("a.tar.bz2", "c.tar.zst", ["--add-prefix", "p-"]),
        # With a link in it fetch-content makes an archive that tar cannot read.
        ("plain.zip", "z.tar.zst", []),
        ("plain.zip", "s.tar.zst", ["--strip-components", "1"]),
        ("text", "text.tar.zst", ["--force-archive"]),
        ("text", "renamed", []),
        ("a.tar.gz", "other.tar.gz", []),
        ("text", "not-an-archive.tar.zst", []),
        ("a.tar.gz", "wrong.zip", []),
        ("a.tar.gz", "stripped.tar.zst", ["--strip-components", "9"]),
    ]


def repository(folder):
    """A repository with a submodule, and two of its commits."""
    environment = dict(os.environ, GIT_CONFIG_GLOBAL=os.path.join(folder, "gitconfig"))
    os.mkdir(folder)
    with open(environment["GIT_CONFIG_GLOBAL"], "w") as config:
        config.write("[user]\nname = A\nemail = a@b\n[protocol \"file\"]\nallow = always\n")

    def git(name, *arguments):
        command = ["git", "-C", os.path.join(folder, name), *arguments]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    for name in ("inner", "outer"):
        os.mkdir(os.path.join(folder, name))
        git(name, "init", "-q")
        with open(os.path.join(folder, name, "run"), "w") as file:
            file.write("#!/bin/sh\n")
        os.chmod(os.path.join(folder, name, "run"), 0o755)
        os.symlink("run", os.path.join(folder, name, "link"))
        git(name, "add", ".")
        git(name, "commit", "-q", "-m", "x")
    before = git("outer", "rev-parse", "HEAD")
    git("outer", "submodule", "-q", "add", os.path.join(folder, "inner"), "sub")
    git("outer", "commit", "-q", "-m", "sub")
    return os.path.join(folder, "outer"), [before, git("outer", "rev-parse", "HEAD")], environment["GIT_CONFIG_GLOBAL"]


def compare_makers(fetch_content, catena, files, root, room):
    """static-url and git-checkout-archive: the archives they make hold the same, or both refuse."""
    theirs, ours = [sys.executable, "-u", fetch_content], [catena, "fetch"]
    calls = []
    for name, dest, more in repacked():
        url = f"{root}/{name}"
        digest = hashlib.sha256(files[name]).hexdigest()
        more = ["--sha256", digest, "--size", str(len(files[name])), *more]
        calls.append((f"static-url {name} -> {dest} {' '.join(more[4:])}", ["static-url", url, dest, *more], dest, {}))
    source, commits, config = repository(os.path.join(room, "git"))
    for commit in commits:
        for more in ([], ["--path-prefix", "p"]):
            arguments = ["git-checkout-archive", source, commit, "g.tar.zst", *more]
            name = f"git-checkout-archive {commit[:8]} {' '.join(more)}"
            calls.append((name, arguments, "g.tar.zst", {"GIT_CONFIG_GLOBAL": config}))
    wrong = 0
    for number, (name, arguments, dest, environment) in enumerate(calls):
        left = made(theirs + arguments, environment, dest, os.path.join(room, f"their-maker-{number}"))
        right = made(ours + arguments, environment, dest, os.path.join(room, f"our-maker-{number}"))
        good = bool(left[0]) == bool(right[0]) and left[1] == right[1]
        wrong += not good
        print(f"{'ok  ' if good else 'FAIL'} {name.strip()}: {'same' if good else 'DIFFERS'}")
        if not good:
            print(f"     {left[0]} {left[1]}\n     {right[0]} {right[1]}\n     {left[2][-300:]}\n     {right[2][-300:]}")
    return wrong


def main():
    fetch_content, catena = map(os.path.abspath, sys.argv[1:])
    os.umask(0o022)
    files = inputs()
    root = serve(files)
    theirs = [sys.executable, "-u", fetch_content, "task-artifacts"]
    ours = [catena, "fetch", "task-artifacts", "--danger-unverified"]
    wrong = 0
    with tempfile.TemporaryDirectory() as room:
        for name in files:
            entries = [{"artifact": f"public/{name}", "extract": True, "task": TASK}]
            left = fetch(theirs, root, entries, os.path.join(room, f"theirs-{name}"))
            right = fetch(ours, root, entries, os.path.join(room, f"ours-{name}"))
            same = left[:2] == right[:2]
            wanted = DIFFERENCES.get(name)
            good = same if wanted is None else not same
            wrong += not good
            verdict = "same" if same else f"differs: {wanted}" if wanted else "DIFFERS"
            print(f"{'ok  ' if good else 'FAIL'} {name}: {verdict}")
            if not good:
                different = sorted({name for name, _ in set(left[1].items()) ^ set(right[1].items())})
                print(f"     exit statuses {left[0]} and {right[0]}, different: {different}")
                print(f"     {left[2].strip()[-300:]}\n     {right[2].strip()[-300:]}")
        wrong += compare_makers(fetch_content, catena, files, root, room)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
