//! Advice on tasks by themselves: definitions, runs, workers, kinds, the chain, and what could not be known.

use super::commands::{DEFINITION, LOG, PING, POLICY, RECORD, STATUS, VERIFY, VERIFY_LONGER};
use super::{Cause, Hint, hint, say, show};

const BROKEN_ANSWER: &[Cause] = &[
    show(
        "something between here and the queue changes its answers, or it is not a Taskcluster queue. Check the \
         root URL and the proxy; the ping of a queue answers `alive`.",
        PING,
    ),
    show("compare the answer with what another network gets.", STATUS),
];
const POOL: &[Cause] = &[
    show("move the task to one of the pools named above, in the tree that makes it.", DEFINITION),
    show(
        "if the pool is new, let its owner confirm it, then add the pool to the policy after review.",
        POLICY,
    ),
];
const LIMIT: &[Cause] =
    &[show("valid chains stay far below this limit. Check what the task names as its inputs.", DEFINITION)];

pub(super) const HINTS: &[Hint] = &[
    hint(
        code!("task-unknown"),
        &[
            show("check the task id and the root URL.", DEFINITION),
            say(
                "the queue forgets a task some time after it expires: run it again. If a task of the chain names an \
                 id that never existed, find out who created that task.",
            ),
        ],
    ),
    hint(
        code!("definition-empty"),
        &[show("the task has expired, so its chain cannot be verified any more. Run it again.", DEFINITION)],
    ),
    hint(
        code!("definition-not-json"),
        &[show(
            "something between here and the queue changes its answers, or it is not a Taskcluster queue. Check the \
             root URL and the proxy, and compare with what another network gets.",
            DEFINITION,
        )],
    ),
    hint(
        code!("definition-malformed"),
        &[show(
            "most likely the task was made by hand: let it be made as graphs make tasks. From another network \
                 the command shows whether the queue really has it so.",
            DEFINITION,
        )],
    ),
    hint(
        code!("definition-pool-contradiction"),
        &[show(
            "taskgraph never writes two pools for a task. Find out who created it: the queue's log has the client id.",
            DEFINITION,
        )],
    ),
    hint(
        code!("run-none"),
        &[show(
            "the task has not started. Wait for it; for a task that is about to run, use --no-check-task.",
            STATUS,
        )],
    ),
    hint(
        code!("run-not-completed"),
        &[show(
            "a run that did not complete gives nothing to use. Look at its log, and run the task again.",
            LOG,
        )],
    ),
    hint(
        code!("run-not-finished"),
        &[show(
            "wait for the run to end and ask again; for a task that is about to run, use --no-check-task.",
            STATUS,
        )],
    ),
    hint(
        code!("run-status-unknown"),
        &[show(
            "check the task id and the root URL; the queue forgets a status some time after the task expires.",
            STATUS,
        )],
    ),
    hint(code!("run-status-malformed"), BROKEN_ANSWER),
    hint(code!("run-status-of-another-task"), BROKEN_ANSWER),
    hint(code!("run-status-contradicts"), BROKEN_ANSWER),
    hint(
        code!("run-state-contradicts"),
        &[
            show(
                "no queue writes such a record. Compare from another network, and find what changes the answers.",
                STATUS,
            ),
            show("keep the evidence.", RECORD),
        ],
    ),
    hint(
        code!("run-times-impossible"),
        &[
            show(
                "first exclude a wrong clock of the queue or its database: compare from another network.",
                STATUS,
            ),
            show(
                "if no clock was wrong, a time may have been put back to make a revoked key count: keep the \
                 evidence, and find what changes the answers.",
                RECORD,
            ),
        ],
    ),
    hint(
        code!("worker-implementation-missing"),
        &[show("give the task the tag `worker-implementation` in the tree that makes it.", DEFINITION)],
    ),
    hint(
        code!("worker-implementation-ambiguous"),
        &[show(
            "the parts of the definition contradict each other; fix the task in the tree that makes it. If the \
             tree does not write it so, find out who created the task.",
            DEFINITION,
        )],
    ),
    hint(
        code!("worker-implementation-unknown"),
        &[show(
            "use docker-worker, generic-worker or scriptworker as the tag `worker-implementation`, in the tree \
             that makes the task.",
            DEFINITION,
        )],
    ),
    hint(code!("worker-pool-decision"), POOL),
    hint(code!("worker-pool-docker-image"), POOL),
    hint(
        code!("kind-unknown"),
        &[
            show(
                "most likely a misspelled name: check --task-type and the names in `extra.chainOfTrust.inputs` and \
                 `upstreamArtifacts`.",
                DEFINITION,
            ),
            show("a new kind is added to the policy (kinds).", POLICY),
        ],
    ),
    hint(
        code!("kind-needs-scriptworker"),
        &[show(
            "only a scriptworker may run this kind. Check --task-type and the task's worker pool.",
            DEFINITION,
        )],
    ),
    hint(
        code!("kind-mismatch"),
        &[show(
            "where the task is declared, name it by its own kind (tags.kind), in the tree that makes both.",
            DEFINITION,
        )],
    ),
    hint(
        code!("interactive-found"),
        &[show("what an interactive task made is never trusted. Run the task again without it.", DEFINITION)],
    ),
    hint(
        code!("interactive-undetermined"),
        &[show(
            "write the payload's `features` and `env`, even if they are empty, in the tree that makes the task.",
            DEFINITION,
        )],
    ),
    hint(code!("chain-too-deep"), LIMIT),
    hint(code!("chain-too-wide"), LIMIT),
    hint(code!("chain-too-much-work"), LIMIT),
    hint(
        code!("chain-cyclic"),
        &[show(
            "taskgraph cannot make a task that depends on itself. Find out who created the tasks named above: the \
             queue's log has the client ids.",
            DEFINITION,
        )],
    ),
    // What could not be known.
    hint(
        code!("availability-unreachable"),
        &[
            show("the fault may pass. Ask again.", VERIFY),
            show(
                "if it stays so, check what is named above (the service, the proxy, the disk), and --deadline.",
                PING,
            ),
        ],
    ),
    hint(
        code!("availability-refused"),
        &[
            show(
                "give credentials that may read this: --credentials FILE, or TASKCLUSTER_CLIENT_ID and \
                 TASKCLUSTER_ACCESS_TOKEN.",
                DEFINITION,
            ),
            say(
                "for GitHub, give a token that may read the repository (CATENA_GITHUB_TOKEN or GITHUB_TOKEN). \
                 GitHub answers 404 also where a token may not see the repository.",
            ),
        ],
    ),
    hint(
        code!("availability-unfinished"),
        &[show("retry, with a longer --deadline if it stays so.", VERIFY_LONGER)],
    ),
    hint(
        code!("availability-cancelled"),
        &[
            show("retry with a longer --deadline.", VERIFY_LONGER),
            show("if it stays so, check what the tasks of the chain name as inputs.", DEFINITION),
        ],
    ),
];
