//! Advice on what workers sign: documents, artifacts, images, records of custody, inputs.

use super::commands::{ARTIFACTS, DEFINITION, DOCUMENT, LOG, POLICY, RECORD, STATUS, VERIFY};
use super::{Cause, Hint, hint, say, show};

const CUSTODY: &[Cause] = &[
    show(
        "the worker's own statements contradict each other. Check the version of the worker in its log.",
        LOG,
    ),
    show(
        "if the worker is up to date, check what the task wrote into chain-of-trust-additional-data.json: the \
         document has it under `environment`.",
        DOCUMENT,
    ),
];
const INPUT: &[Cause] = &[
    show(
        "the task used something other than its maker signed. Do not use what it made. Keep the evidence and check \
         how the input reached the task.",
        RECORD,
    ),
    show("the log of the task shows where it took the input from.", LOG),
];
const REPLACED: &[Cause] = &[
    show(
        "the file is not the one that the worker hashed: it was replaced in storage, or storage damaged it. Do not \
         use it. Keep the evidence, and check who may write to that storage.",
        RECORD,
    ),
    show("download it again from another network, to exclude the transport.", ARTIFACTS),
];
const WORKER: &[Cause] = &[
    show(
        "the worker's document and the queue contradict each other. Keep the evidence, and check whether the \
         worker's key is in use elsewhere.",
        RECORD,
    ),
    show("check which worker ran the task, and its version.", STATUS),
];
const WORKER_VERSION: &[Cause] = &[
    show(
        "most likely an old or modified worker: check its version in the task's log, update it, and run the task \
         again.",
        LOG,
    ),
    show("if the worker is up to date, find out who uploaded the document.", DOCUMENT),
];
const OTHER_DOCUMENT: &[Cause] = &[
    show("do not retry. Keep the evidence, and check who may write to the artifact storage.", RECORD),
    show("compare with what another network gets.", DOCUMENT),
];
const BROKEN_UPLOAD: &[Cause] = &[show(
    "most likely the upload was interrupted. Read the worker's log of the run, and rerun the task.",
    LOG,
)];
const KEY_OWNER: &[Cause] = &[show(
    "the key and the policy disagree about time or use. `catena keys audit` lists such keys of a trust file; \
         ask the owner of the worker pool. Change the policy only with the owner's consent.",
    POLICY,
)];
const LISTING: &[Cause] = &[show(
    "something between here and the queue changes its answers, or it is not a Taskcluster queue. Check the \
         root URL and the proxy.",
    ARTIFACTS,
)];
const IMAGE: &[Cause] = &[
    show("use an image that a docker-image task of the same graph builds.", DEFINITION),
    show(
        "if the kind may use a prebuilt image, allow it in the policy after review (prebuilt-image-kinds).",
        POLICY,
    ),
];
const IMAGE_RUNS: &str = "curl -s ROOT/api/queue/v1/task/IMAGE/status";

pub(super) const HINTS: &[Hint] = &[
    // Custody.
    hint(
        code!("custody-unsupported"),
        &[show("upgrade Catena here before the workers that write the newer record.", "catena --version")],
    ),
    hint(code!("custody-malformed"), CUSTODY),
    hint(code!("custody-key-mismatched"), CUSTODY),
    hint(
        code!("custody-time-implausible"),
        &[show(
            "correct the worker's clock and run the task again. The log has the worker's own times.",
            LOG,
        )],
    ),
    hint(code!("custody-artifacts-mismatched"), CUSTODY),
    hint(code!("artifact-size-mismatched"), CUSTODY),
    hint(code!("custody-environment-mismatched"), CUSTODY),
    hint(
        code!("custody-image-claimed"),
        &[show(
            "let the worker itself record which image it ran (catena sign --facts; with d2g the digests are in the \
             chain-of-trust-additional-data.json that generic-worker wrote), and run the task again.",
            DOCUMENT,
        )],
    ),
    hint(
        code!("input-run"),
        &[
            show("run the task that makes the input again, then the task that uses it.", DOCUMENT),
            say("if the run should exist, compare with the status of that task from another network."),
        ],
    ),
    hint(
        code!("input-not-finished"),
        &[show("wait for the run that makes the input to end, then verify again.", VERIFY)],
    ),
    hint(
        code!("input-document"),
        &[
            show("the maker's document has expired. Run the task that makes the input again.", DOCUMENT),
            show(
                "or the worker of the maker made none: run the maker with Chain of Trust enabled \
                 (`features.chainOfTrust: true`), then the task that uses its output.",
                DEFINITION,
            ),
        ],
    ),
    hint(
        code!("input-signature"),
        &[
            show(
                "compare the signature with the one that the log of the maker reports. If a worker of that pool has \
                 a new key, add the key to the policy.",
                LOG,
            ),
            show(
                "if no worker of the pool signed the document, it may have been replaced: keep the evidence, and \
                 check who may write to the artifact storage.",
                RECORD,
            ),
        ],
    ),
    hint(
        code!("input-key"),
        &[
            show(
                "check the key's validity and permissions in the policy, and correct them if they are wrong there.",
                POLICY,
            ),
            say("if the worker should not have used the key, give it its own key and run the maker again."),
        ],
    ),
    hint(
        code!("input-document-wrong"),
        &[show(
            "run the task that makes the input again, then the task that uses it. Keep the evidence: a worker \
                 signed a document that is not about its own run.",
            RECORD,
        )],
    ),
    hint(code!("input-unlisted"), INPUT),
    hint(code!("input-mismatched"), INPUT),
    hint(
        code!("input-inconsistent"),
        &[
            show(
                "most likely a worker or the task's script recorded the size or the digest of other bytes (packed, or of \
                 another run): compare its log with the document of the maker. Do not use what the task made until \
                 that is known.",
                LOG,
            ),
            show(
                "if the script is right, the input was replaced on its way to the task: keep the evidence.",
                RECORD,
            ),
        ],
    ),
    hint(
        code!("inputs-too-many"),
        &[show(
            "valid chains stay far below this limit. Check what the documents record as inputs.",
            DOCUMENT,
        )],
    ),
    // Signature and document.
    hint(
        code!("signature-skipped"),
        &[show(
            "anyone who can change what is stored can have written this document. Verify again without \
             --danger-skip-signatures.",
            VERIFY,
        )],
    ),
    hint(
        code!("signature-without-document"),
        &[
            show("the task must ask for a document (`features.chainOfTrust: true`).", DEFINITION),
            show(
                "its worker must be able to make one: the list of artifacts shows whether it did.",
                ARTIFACTS,
            ),
        ],
    ),
    hint(
        code!("signature-missing"),
        &[show(
            "most likely the worker did not sign, or its upload failed: look at the worker's log of the run, fix \
             the worker, and run the task again. Without its signature the document proves nothing.",
            LOG,
        )],
    ),
    hint(code!("signature-empty"), BROKEN_UPLOAD),
    hint(code!("signature-truncated"), BROKEN_UPLOAD),
    hint(
        code!("signature-too-long"),
        &[show(
            "a signature is its 64 raw bytes. Check how the worker writes and uploads it: base64 and a line end \
             are usual mistakes.",
            "curl -sL ROOT/api/queue/v1/task/TASK/artifacts/public/chain-of-trust.json.sig | xxd | head",
        )],
    ),
    hint(
        code!("signature-other-implementation"),
        &[
            show(
                "the worker has the wrong key: compare the key with the configuration of the worker pool.",
                STATUS,
            ),
            show("or the task names an implementation that did not run it.", DEFINITION),
        ],
    ),
    hint(
        code!("signature-other-bytes"),
        &[
            show(
                "the document was changed after the worker signed it. Do not retry; keep the evidence, and check \
                 who may write to the artifact storage.",
                RECORD,
            ),
            show("compare with what another network gets.", DOCUMENT),
        ],
    ),
    hint(
        code!("signature-unknown-key"),
        &[
            show(
                "most likely the worker's key was rotated and the policy does not have the new one: ask the owner \
                 of the worker pool. Take the key from the owner, never from what was seen here.",
                POLICY,
            ),
            show(
                "until then do not use what the task made. The status names the worker that ran it.",
                STATUS,
            ),
        ],
    ),
    hint(
        code!("signature-key-revoked"),
        &[
            show(
                "do not use what the task made. Run it again on a worker with a valid key. The status names the \
                 worker that still has the old one.",
                STATUS,
            ),
            show(
                "if the run is older than the theft or the rotation, let the policy say from when the key is \
                 revoked.",
                POLICY,
            ),
        ],
    ),
    hint(code!("signature-key-not-yet-valid"), KEY_OWNER),
    hint(
        code!("signature-key-expired"),
        &[
            show(
                "the worker still has an old key. Give it the new one and run the task again. The status names the \
                 worker.",
                STATUS,
            ),
            show("if the old key should have lasted longer, correct the policy.", POLICY),
        ],
    ),
    hint(
        code!("signature-key-not-permitted"),
        &[
            show(
                "find out which worker has this key. If it is the right one, extend what the key may sign for in \
                 the trust file.",
                STATUS,
            ),
            say("otherwise remove the key from that worker and rerun the task."),
        ],
    ),
    hint(
        code!("signature-time-unknown"),
        &[show(
            "a completed run has the time when it was resolved. Compare from another network; if the answers \
             differ, find what changes them.",
            STATUS,
        )],
    ),
    hint(
        code!("signature-no-keys"),
        &[
            show(
                "if workers of this implementation run such tasks, add the public keys to the policy (keys), or to \
                 the file of --keys. Take them from the owner of the worker pool.",
                POLICY,
            ),
            show(
                "if they do not, the task names the wrong implementation: find out who created it.",
                DEFINITION,
            ),
        ],
    ),
    hint(code!("document-not-json"), WORKER_VERSION),
    hint(
        code!("document-duplicate-key"),
        &[
            show(
                "no worker writes a key twice: two readers would see two documents. Do not retry; keep the \
                 evidence, and check the worker that ran the task and who may write to the artifact storage.",
                RECORD,
            ),
            show("the document is here.", DOCUMENT),
        ],
    ),
    hint(code!("document-version"), WORKER_VERSION),
    hint(code!("document-malformed"), WORKER_VERSION),
    hint(code!("document-of-another-task"), OTHER_DOCUMENT),
    hint(code!("document-of-another-run"), OTHER_DOCUMENT),
    hint(code!("document-of-another-worker"), WORKER),
    hint(code!("document-task-differs"), WORKER),
    // Artifacts.
    hint(
        code!("artifact-pattern-too-long"),
        &[show(
            "write a shorter pattern in the tree that makes the task: no artifact name is that long.",
            DEFINITION,
        )],
    ),
    hint(
        code!("artifact-name"),
        &[show(
            "taskgraph writes no such name. Find out who created the task that names it; if the tree really does, \
             fix the name there.",
            DEFINITION,
        )],
    ),
    hint(
        code!("artifact-reserved"),
        &[show(
            "the chain of trust's own files are never inputs. Take them out of `upstreamArtifacts`.",
            DEFINITION,
        )],
    ),
    hint(
        code!("artifact-unlisted"),
        &[
            show(
                "a worker lists a file that it could not find as an error, and uploads its own logs after it has \
                 signed: the list shows the file's storageType. Name a file that the task makes.",
                ARTIFACTS,
            ),
            show(
                "a task that uploads a file itself, past its worker, makes no evidence for it: let the worker \
                 upload it (`payload.artifacts`).",
                DEFINITION,
            ),
            show(
                "otherwise find out who may create artifacts of that task, and keep the evidence. Do not use the \
                 file.",
                RECORD,
            ),
        ],
    ),
    hint(
        code!("artifact-not-made"),
        &[
            show(
                "look at the task's log: the file was renamed, or belongs to another platform. Fix the task that \
                 makes the file, in the tree.",
                LOG,
            ),
            show("or the name in `upstreamArtifacts` is misspelled: compare it with the list.", ARTIFACTS),
        ],
    ),
    hint(code!("artifact-without-digest"), WORKER_VERSION),
    hint(code!("artifact-digest-malformed"), WORKER_VERSION),
    hint(
        code!("artifact-missing"),
        &[
            show(
                "most likely the file has expired: the list shows what is left. Run the task that makes it again.",
                ARTIFACTS,
            ),
            say("if it should still exist, ask who removed it."),
        ],
    ),
    hint(code!("artifact-altered"), REPLACED),
    hint(
        code!("artifact-names-collide"),
        &[show(
            "one work directory cannot hold both. Rename one of them in the tree that makes the task.",
            ARTIFACTS,
        )],
    ),
    hint(code!("artifact-altered-optional"), REPLACED),
    hint(
        code!("artifact-listed-absent"),
        &[
            show("retry: storage may answer again.", VERIFY),
            show(
                "if it stays so, the file has expired or was removed from its storage. Run the task that makes it \
                 again, or remove it from the inputs.",
                ARTIFACTS,
            ),
        ],
    ),
    hint(code!("artifacts-listing-malformed"), LISTING),
    hint(
        code!("artifacts-listing-endless"),
        &[show(
            "check the proxies between here and the queue. If the run really has so many artifacts, name the \
             files instead of a pattern.",
            ARTIFACTS,
        )],
    ),
    hint(
        code!("artifacts-listing-unknown"),
        &[show("the artifacts of the run have expired. Run the task that makes them again.", ARTIFACTS)],
    ),
    hint(
        code!("artifact-glob-mandatory"),
        &[show(
            "name the files in `upstreamArtifacts`, or set `optional: true` there, in the tree that makes the task.",
            DEFINITION,
        )],
    ),
    hint(
        code!("artifacts-too-many"),
        &[show("name fewer artifacts, or a narrower pattern, in `upstreamArtifacts`.", DEFINITION)],
    ),
    hint(
        code!("artifacts-foreign"),
        &[show(
            "only artifacts of the chain's own links may be used; fix the task in the tree that makes it.",
            DEFINITION,
        )],
    ),
    // Images.
    hint(code!("image-prebuilt"), IMAGE),
    hint(
        code!("image-not-pinned"),
        &[show(
            "name the image as <name>@sha256:<digest> in the tree that makes the task; a tag can be moved to \
             another image.",
            DEFINITION,
        )],
    ),
    hint(code!("image-indexed"), IMAGE),
    hint(code!("image-unknown-type"), IMAGE),
    hint(
        code!("image-not-declared"),
        &[show(
            "declare the image as the task's input (`extra.chainOfTrust.inputs.docker-image`) in the tree that \
             makes the task.",
            DEFINITION,
        )],
    ),
    hint(
        code!("image-of-another-kind"),
        &[show(
            "the image must come from a docker-image task; fix the input in the tree that makes the task.",
            DEFINITION,
        )],
    ),
    hint(
        code!("image-hash-missing"),
        &[
            show(
                "most likely an old worker: generic-worker with d2g wrote no hash of a docker image before 81.0.3. \
                 Check the version in the task's log, update the workers of this pool and run the task again.",
                LOG,
            ),
            show("if they are up to date, find out who uploaded the document.", DOCUMENT),
        ],
    ),
    hint(code!("image-hash-malformed"), WORKER_VERSION),
    hint(
        code!("image-unlisted"),
        &[
            show("check `payload.image.path`.", DEFINITION),
            say("if it is right, look at the log of the docker-image task and build the image again."),
        ],
    ),
    hint(
        code!("image-rerun"),
        &[
            show(
                "most likely the task ran in the image of an earlier run, and the docker-image task was run again \
                 afterwards: the times of its runs show it. Run the task again, so that it takes the image of the \
                 last run.",
                IMAGE_RUNS,
            ),
            show(
                "if no earlier run made that image, keep the evidence, and check the worker and its cache of images.",
                RECORD,
            ),
        ],
    ),
    hint(
        code!("image-differs"),
        &[
            show(
                "the docker-image task ran once, and the task ran in a different image. Do not use what \
                 it made. Keep the evidence, and check the worker and its cache of images.",
                RECORD,
            ),
            show("the status names the worker that ran the task.", STATUS),
        ],
    ),
];
