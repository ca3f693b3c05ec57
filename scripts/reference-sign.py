#!/usr/bin/env python3
"""Lets scriptworker write and sign a Chain of Trust document.

    reference-sign.py QUESTION

QUESTION is a JSON object: {"task_file", "task_id", "run_id", "worker_group", "worker_id", "worker_type",
"artifacts", "key"}, the last two a directory and the file of a private key. The document and its signature
are written to public/ in the directory. Needs scriptworker 63.6.1, whose generator runs as it is.
"""
import json
import pathlib
import sys
from types import SimpleNamespace

import scriptworker
from scriptworker.cot.generate import generate_cot


def main():
    question = json.loads(sys.argv[1])
    context = SimpleNamespace(
        task=json.loads(pathlib.Path(question["task_file"]).read_text(encoding="utf-8")),
        claim_task={
            "runId": question["run_id"],
            "status": {"taskId": question["task_id"]},
            "workerGroup": question["worker_group"],
        },
        config={
            "artifact_dir": question["artifacts"],
            "chain_of_trust_hash_algorithm": "sha256",
            "worker_id": question["worker_id"],
            "worker_type": question["worker_type"],
            "cot_schema_path": str(pathlib.Path(scriptworker.__file__).parent / "data" / "cot_v1_schema.json"),
            "sign_chain_of_trust": True,
            "ed25519_private_key_path": question["key"],
        },
    )
    generate_cot(context)


if __name__ == "__main__":
    main()
