//! What to do about a failed finding. Advice is a matter of presentation, so it stands here and not
//! with the checks.

use catena_verify::verdict::{Class, Code};

const EVIDENCE: &str = "do not retry. Keep the evidence (run again with --record DIR) and call those who are \
     responsible for the release and its security.";
const REPLACED: &str = "the file is not the one that the worker hashed: it was replaced in storage, or storage \
     damaged it. Do not use it. Keep the evidence (--record DIR), download it again from another network to exclude \
     the transport, and check who may write to that storage.";
const EDITED: &str = "the task is not the one that its graph made: it was created or edited by hand or by a \
     script. Find out who created it: `taskcluster task def TASK` and the queue's log have the client id. If it was \
     meant, let an action task make it.";
const WORKER: &str = "the worker's document and the queue contradict each other: keep the evidence (--record DIR). Check which worker ran the task \
     (`taskcluster task status TASK`), its version, and whether its key is in use elsewhere.";
const WORKER_VERSION: &str = "most likely an old or modified worker: check its version in the task's log \
     (`taskcluster task log TASK`), update it, and run the task again. If the worker is up to date, find out who \
     uploaded the document.";
const SOURCE_FORM: &str = "find out who created this task (the queue's log has the client id). If the tree writes \
     the address so, fix it there: https, no user, no dot segments, no query, and a full hash as revision.";
const BROKEN_ANSWER: &str = "something between here and the queue changes its answers, or it is not a Taskcluster \
     queue. Check the root URL and the proxy; `curl ROOT/api/queue/v1/ping` must answer `alive`.";
const SCOPES: &str = "run the task from one of the trees named above, or take the scope out of the task in its \
     tree. If the tree should have the scope, change the policy after review (restricted-scopes, trees).";
const POOL: &str = "move the task to one of the pools named above, in the tree that makes it. If the pool is new, \
     let its owner confirm it, then add the pool to the policy after review.";
const IMAGE: &str = "use an image that a docker-image task of the same graph builds. If the kind may use a \
     prebuilt image, allow it in the policy after review (prebuilt-image-kinds).";
const VCS_ANSWER: &str = "version control gave an incomplete or malformed answer. Repeat the request from another \
     network with curl; if the answers differ, check the proxy or the mirror.";
const ACTION: &str = "fire the action again from its own push. If no one fired it, find out who created the task: \
     the queue's log has the client id.";
const TRIGGER: &str = "compare the tree's .taskcluster.yml at that revision with the hook that made the task; \
     bring them back in step and let the trigger make a new task.";
const PROPOSED: &str = "take the input from a task of a trusted push. A cached task that was made for a pull \
     request, a fork or try must be made again on the branch; `taskcluster task def TASK` shows its source.";
const CUSTODY: &str = "the worker's own statements contradict each other. Check the version and the log of the \
     worker (`taskcluster task log TASK`), and what the task wrote into chain-of-trust-additional-data.json.";
const INPUT: &str = "the task used something other than its maker signed. Do not use what it made; keep the \
     evidence (--record DIR) and check how the input reached the task.";
const LIMIT: &str = "valid chains stay far below this limit. Check what the task names as its inputs: \
     `taskcluster task def TASK`.";
const KEY_OWNER: &str = "the key and the policy disagree about time or use. Compare them with `catena keys audit` \
     and ask the owner of the worker pool; the policy changes only on the owner's word.";

/// Advice by code. A code without a line here gets its class's advice. Causes stand in the order of their
/// likelihood.
pub const HINTS: &[(&str, &str)] = &[
    // Custody.
    ("custody-unsupported", "upgrade Catena here before the workers that write the newer record."),
    ("custody-malformed", CUSTODY),
    ("custody-key-mismatched", CUSTODY),
    ("custody-time-implausible", "correct the worker's clock and run the task again."),
    ("custody-artifacts-mismatched", CUSTODY),
    ("artifact-size-mismatched", CUSTODY),
    ("custody-environment-mismatched", CUSTODY),
    (
        "custody-image-claimed",
        "let the worker itself record which image it ran (catena sign --facts; with d2g the digests are in the chain-of-trust-additional-data.json that generic-worker wrote), and run the task again.",
    ),
    (
        "input-run",
        "run the task that makes the input again, then the task that uses it. If the run should exist, compare with `taskcluster task status TASK` from another network.",
    ),
    (
        "input-document",
        "the maker's document has expired, or its worker made none. Run the task that makes the input again with Chain of Trust enabled, then the task that uses it.",
    ),
    ("input-unlisted", INPUT),
    ("input-mismatched", INPUT),
    (
        "input-inconsistent",
        "most likely a worker or the task's script recorded the size or the digest of other bytes: compare its log with the document of the maker. Do not use what the task made until that is known.",
    ),
    ("inputs-too-many", LIMIT),
    // Definition, run, worker.
    (
        "task-unknown",
        "check the task id and the root URL; the queue forgets a task some time after it expires. `taskcluster task def TASK` confirms it.",
    ),
    ("definition-empty", "the task has expired, so its chain cannot be verified any more. Run it again."),
    ("definition-not-json", BROKEN_ANSWER),
    (
        "definition-malformed",
        "most likely the task was made by hand: let it be made as graphs make tasks. `taskcluster task def TASK` from another network shows whether the queue really has it so.",
    ),
    (
        "definition-pool-contradiction",
        "taskgraph never writes two pools for a task. Find out who created it: the queue's log has the client id.",
    ),
    (
        "run-none",
        "the task has not started. Wait for it; for a task that is about to run, use --no-check-task.",
    ),
    (
        "run-not-completed",
        "a run that did not complete gives nothing to use. Look at its log (`taskcluster task log TASK`), and run the task again.",
    ),
    (
        "run-not-finished",
        "wait for the run to end (`taskcluster task status TASK`) and ask again; for a task that is about to run, use --no-check-task.",
    ),
    (
        "run-status-unknown",
        "check the task id and the root URL; the queue forgets a status some time after the task expires.",
    ),
    ("run-status-malformed", BROKEN_ANSWER),
    ("run-status-of-another-task", BROKEN_ANSWER),
    ("run-status-contradicts", BROKEN_ANSWER),
    (
        "run-state-contradicts",
        "no queue writes such a record. Keep the evidence (--record DIR), compare with `taskcluster task status TASK` from another network, and find what changes the answers.",
    ),
    (
        "run-times-impossible",
        "first exclude a wrong clock of the queue or its database: compare with `taskcluster task status TASK` from another network. If no clock was wrong, a time may have been put back to make a revoked key count: keep the evidence (--record DIR) and find what changes the answers.",
    ),
    (
        "worker-implementation-missing",
        "give the task the tag `worker-implementation` in the tree that makes it.",
    ),
    (
        "worker-implementation-ambiguous",
        "the parts of the definition contradict each other; fix the task in the tree that makes it. If the tree does not write it so, find out who created the task.",
    ),
    (
        "worker-implementation-unknown",
        "use docker-worker, generic-worker or scriptworker as the tag `worker-implementation`, in the tree that makes the task.",
    ),
    ("worker-pool-decision", POOL),
    ("worker-pool-docker-image", POOL),
    (
        "kind-unknown",
        "most likely a misspelled name: check --task-type and the names in `extra.chainOfTrust.inputs` and `upstreamArtifacts`. A new kind is added to the policy (kinds).",
    ),
    (
        "kind-needs-scriptworker",
        "only a scriptworker may run this kind. Check --task-type and the task's worker pool.",
    ),
    (
        "kind-mismatch",
        "where the task is declared, name it by its own kind (tags.kind), in the tree that makes both.",
    ),
    ("interactive-found", "what an interactive task made is never trusted. Run the task again without it."),
    (
        "interactive-undetermined",
        "write the payload's `features` and `env`, even if they are empty, in the tree that makes the task.",
    ),
    // The chain.
    ("chain-too-deep", LIMIT),
    ("chain-too-wide", LIMIT),
    ("chain-too-much-work", LIMIT),
    (
        "chain-cyclic",
        "taskgraph cannot make a task that depends on itself. Find out who created the tasks named above: the queue's log has the client ids.",
    ),
    // Signature and document.
    (
        "signature-skipped",
        "anyone who can change what is stored can have written this document. Verify again without --danger-skip-signatures.",
    ),
    (
        "signature-without-document",
        "the task must ask for a document (`features.chainOfTrust: true`), and its worker must be able to make one. `taskcluster task artifacts TASK` shows whether it did.",
    ),
    (
        "signature-missing",
        "most likely the worker did not sign, or its upload failed: look at the worker's log of the run, fix the worker, and run the task again. Without its signature the document proves nothing.",
    ),
    (
        "signature-empty",
        "most likely the upload broke off before it began. Look at the worker's log of the run, and run the task again.",
    ),
    (
        "signature-truncated",
        "most likely the upload broke off. Look at the worker's log of the run, and run the task again.",
    ),
    (
        "signature-too-long",
        "a signature is its 64 raw bytes. Check how the worker writes and uploads it: base64 and a line end are usual mistakes.",
    ),
    (
        "signature-other-implementation",
        "the worker has the wrong key, or the task names an implementation that did not run it. Compare the key with the configuration of the worker pool.",
    ),
    (
        "signature-other-bytes",
        "the document was changed after the worker signed it. Do not retry; keep the evidence (--record DIR) and check who may write to the artifact storage.",
    ),
    (
        "signature-unknown-key",
        "most likely the worker's key was rotated and the policy does not have the new one: ask the owner of the worker pool. Take the key from the owner, never from what was seen here; until then do not use what the task made.",
    ),
    (
        "signature-key-revoked",
        "do not use what the task made. Run it again on a worker with a valid key; if the run is older than the theft or the rotation, let the policy say from when the key is revoked.",
    ),
    ("signature-key-not-yet-valid", KEY_OWNER),
    (
        "signature-key-expired",
        "the worker still has an old key. Give it the new one and run the task again; if the old key should have lasted longer, correct the policy.",
    ),
    (
        "signature-key-not-permitted",
        "find out which worker has this key. If it is the right one, extend what the key may sign for in the trust file; otherwise take the key from that worker and run the task again.",
    ),
    (
        "signature-time-unknown",
        "a completed run has the time when it was resolved. Compare with `taskcluster task status TASK` from another network; if the answers differ, find what changes them.",
    ),
    (
        "signature-no-keys",
        "add the public keys of this worker implementation to the policy (keys), or use --keys FILE.",
    ),
    ("document-not-json", WORKER_VERSION),
    (
        "document-duplicate-key",
        "no worker writes a key twice: two readers would see two documents. Do not retry; keep the evidence (--record DIR), and check the worker that ran the task and who may write to the artifact storage.",
    ),
    ("document-version", WORKER_VERSION),
    ("document-malformed", WORKER_VERSION),
    (
        "document-of-another-task",
        "a document of another task stands in place of this one's. Do not retry; keep the evidence (--record DIR) and check who may write to the artifact storage.",
    ),
    (
        "document-of-another-run",
        "a document of another run stands in place of this one's. Do not retry; keep the evidence (--record DIR) and check who may write to the artifact storage.",
    ),
    ("document-of-another-worker", WORKER),
    ("document-task-differs", WORKER),
    // Artifacts.
    (
        "artifact-pattern-too-long",
        "write a shorter pattern in the tree that makes the task: no artifact has so long a name.",
    ),
    (
        "artifact-name",
        "taskgraph writes no such name. Find out who created the task that names it; if the tree really does, fix the name there.",
    ),
    (
        "artifact-reserved",
        "the chain of trust's own files are never inputs. Take them out of `upstreamArtifacts`.",
    ),
    (
        "artifact-unlisted",
        "a worker lists a file that it could not find as an error, and uploads its own logs after it has signed; a task that uploads a file itself makes no evidence for it: let the worker upload it (`payload.artifacts`). Otherwise find out who may create artifacts of that task. Do not use it.",
    ),
    (
        "artifact-not-made",
        "look at the task's log (`taskcluster task log TASK`) and at the name in `upstreamArtifacts`: the file was renamed, belongs to another platform, or is misspelled. Fix the name, or the task that makes the file, in the tree.",
    ),
    ("artifact-without-digest", WORKER_VERSION),
    ("artifact-digest-malformed", WORKER_VERSION),
    (
        "artifact-missing",
        "most likely the file has expired (`taskcluster task artifacts TASK` lists what is left). Run the task that makes it again; if it should still exist, ask who removed it.",
    ),
    ("artifact-altered", REPLACED),
    (
        "artifact-names-collide",
        "one work directory cannot hold both. Give one of them another name in the tree that makes the task.",
    ),
    ("artifact-altered-optional", REPLACED),
    (
        "artifact-listed-absent",
        "retry; if it stays so, the file has expired or was removed from its storage. Run the task that makes it again, or no longer take it.",
    ),
    ("artifacts-listing-malformed", BROKEN_ANSWER),
    (
        "artifacts-listing-endless",
        "check what answers for the queue. If the run really has so many artifacts, name the files instead of a pattern.",
    ),
    (
        "artifacts-listing-unknown",
        "the artifacts of the run have expired. Run the task that makes them again.",
    ),
    (
        "artifact-glob-mandatory",
        "name the files in `upstreamArtifacts`, or set `optional: true` there, in the tree that makes the task.",
    ),
    ("artifacts-too-many", "name fewer artifacts, or a narrower pattern, in `upstreamArtifacts`."),
    (
        "artifacts-foreign",
        "only artifacts of the chain's own links may be used; fix the task in the tree that makes it.",
    ),
    // Graph and tree.
    ("graph-parent-makes-no-tasks", EDITED),
    (
        "graph-beyond-limits",
        "the task's entry in the graph exceeds the limits of this verifier: make the task smaller in the tree.",
    ),
    (
        "graph-unreadable",
        "do not use the tasks of this graph. Look at the log of the decision task that published it (`taskcluster task log TASK`).",
    ),
    ("graph-lacks-task", EDITED),
    (
        "graph-entry-malformed",
        "look at the log of the decision task that published the graph; the tree's taskgraph may be broken.",
    ),
    (
        "graph-definition-differs",
        "the queue has another definition than the signed graph of the decision task. Keep the evidence (--record DIR), compare with `taskcluster task def TASK` from another network, and find out who created the task (the queue's log has the client id).",
    ),
    ("graph-dependencies-added", EDITED),
    ("graph-definition-additions", EDITED),
    ("graph-times-differ", EDITED),
    ("graph-created-malformed", BROKEN_ANSWER),
    // Rebuilding parents.
    (
        "rebuild-differs",
        "see which fields differ. Only `priority`: the queue's API changed it (changeTaskPriority). Only a user: a merge by another account, or a bot. Anything else: a hook is out of step with the tree's .taskcluster.yml, or the task was made by hand; the queue's log has the client id that created it.",
    ),
    (
        "rebuild-empty-values-added",
        "the tree's template does not render these empty values. Find out who created the task.",
    ),
    ("rebuild-decision-unknown", EDITED),
    (
        "rebuild-tasks-for",
        "a trigger that this version of Catena does not know needs a newer version; one that it knows is added to the policy after review (tasks-for). If the product never builds for this trigger, find out who created the task.",
    ),
    ("rebuild-vcs", "check --product: the tree is not where the product's trees are (vcs in the policy)."),
    (
        "rebuild-host",
        "read the host letter by letter and find out who created the task. Only a host that you run yourself, and that answers as hg.mozilla.org does, is added to the policy (hg-hosts).",
    ),
    ("rebuild-repository", SOURCE_FORM),
    ("rebuild-revision", SOURCE_FORM),
    (
        "rebuild-environment",
        "the tree's template or its hook sets this value: fix it there. If they set it correctly, find out who created the task.",
    ),
    (
        "rebuild-projects",
        "the list of projects is missing or malformed, not the task. Check projects-url in the policy, and what it serves.",
    ),
    (
        "rebuild-project-unknown",
        "check that projects.yml (projects-url in the policy) lists the project with exactly this address; a new tree is added there first.",
    ),
    (
        "rebuild-template-missing",
        "check whether the revision still exists in that repository (a push may have been stripped), and whether the token may see it.",
    ),
    ("rebuild-template-malformed", TRIGGER),
    ("rebuild-template-fails", TRIGGER),
    ("rebuild-no-tasks", TRIGGER),
    (
        "rebuild-unknown-to-vcs",
        "check whether it was deleted, rebased or rewritten (`git ls-remote REPOSITORY`), and then run the tasks again; for a private repository, give a token that may see it (CATENA_GITHUB_TOKEN). Otherwise find out who created the task.",
    ),
    (
        "rebuild-tags-endless",
        "check what answers for GitHub; a repository with so many tags exceeds what is read.",
    ),
    ("rebuild-answer-malformed", VCS_ANSWER),
    (
        "rebuild-answer-about-another",
        "most likely the repository was renamed: it answers under its new name (`curl -sI https://github.com/OWNER/NAME` redirects there), which belongs into the tree. If nothing was renamed, find what changes the answers before you use anything.",
    ),
    ("rebuild-release-draft", "publish the release, and let it make its tasks again."),
    (
        "rebuild-push-comment",
        "the template never writes such a message into a decision task. Find out who created it.",
    ),
    (
        "rebuild-before-push",
        "compare the push's time with `created`. If a clock was wrong, correct it and let the trigger make a new task; otherwise find out who created this one.",
    ),
    (
        "rebuild-push-old",
        "push again, or let the trigger make a task of the newest push. If nobody wanted a task of an old push, find out who created it; the limit is max-push-age in the policy.",
    ),
    (
        "rebuild-actions-malformed",
        "look at the log of the decision task that published the file; the tree's taskgraph may be broken.",
    ),
    ("rebuild-action-unknown", ACTION),
    (
        "rebuild-action-ambiguous",
        "two actions of the tree share a callback; give each its own, and fire the action from a new push.",
    ),
    (
        "rebuild-template-repository",
        "find out who created the task: its template comes from a repository beside the trusted one. The policy changes only if the repository is really meant, after review (repositories).",
    ),
    ("rebuild-action-kind", "only actions of the kind hook may make tasks; change the action in the tree."),
    ("rebuild-action-group", ACTION),
    ("rebuild-action-source", ACTION),
    ("rebuild-action-input", "fire the action again with an input that its schema in actions.json allows."),
    (
        "rebuild-action-schema",
        "describe the action's input in the tree with keywords that are supported (specification 7.26), or relax \
         action-schema after review.",
    ),
    ("rebuild-action-hook", ACTION),
    (
        "rebuild-action-parameters",
        "fire the action again from its own push, with the parameters that its decision task published.",
    ),
    (
        "rebuild-value-unconfirmed",
        "find out who created the task. If the value is right, rename the branch or account that it names, or, after review, relax `confirmed-values`.",
    ),
    ("rebuild-cron-malformed", "fix `.cron.yml` in the tree, and let the job run again."),
    (
        "rebuild-cron-job-unknown",
        "only jobs of the tree's own `.cron.yml` may make decision tasks. Find out who created this one.",
    ),
    (
        "rebuild-cron-differs",
        "the hook is out of step with the tree's `.cron.yml`, or the task was made by hand: compare both, and find out who created it (the queue's log has the client id).",
    ),
    // Where sources come from.
    ("source-repository-malformed", SOURCE_FORM),
    ("source-malformed", SOURCE_FORM),
    (
        "source-outside-repository",
        "`metadata.source` must lie in the repository that the task is made from. Find out who created the task; if the tree writes it so, fix it there.",
    ),
    ("tree-scope", SCOPES),
    ("tree-broad-scope", SCOPES),
    (
        "tree-foreign-scope",
        "run the target for the product whose scope it asks for, or take the scope out in the tree.",
    ),
    (
        "tree-required",
        "the product's policy requires that every chain goes back to a trusted tree (trusted-tree: required). Run the task from one.",
    ),
    (
        "tree-scope-ambiguous",
        "two rules of the policy (restricted-scopes) match one scope; make them distinct.",
    ),
    ("tree-sibling", "tasks of one graph come from one tree. Find out who created the task that does not."),
    (
        "tree-parent",
        "a task that an action makes comes from that action's tree. Find out who created the task, or run the action on the right tree.",
    ),
    (
        "tree-untrusted",
        "with restricted scopes every input comes from a trusted tree. Take the input from one, and find out who created this one.",
    ),
    (
        "tree-repository-prefix",
        "the repository has a name that begins like a trusted one's, and is another. Find out whose it is, and who created the task; do not add it to the policy.",
    ),
    (
        "tree-sibling-revision",
        "the task was made for another push. Run it in the graph of its own push, or make the graph again.",
    ),
    (
        "tree-other-source",
        "read the address letter by letter, and find out who created the task. Only a repository that the tree is meant to take in is added to the policy, after review (repositories).",
    ),
    (
        "tree-input-tree",
        "make the input in the target's own tree. Only images that tasks run in may come from another.",
    ),
    (
        "tree-input-revision",
        "promote the push that made the input, or make the input again in the graph that is promoted.",
    ),
    (
        "tree-mirror-commit",
        "make the graph again: its tasks must all use the one commit that mirrors its push.",
    ),
    (
        "tree-level",
        "take the input from a tree of the level. A new tree gets its level in projects.yml (projects-url in the policy) first.",
    ),
    (
        "tree-branch-level",
        "run the task on a protected branch. A new release branch gets its level in projects.yml (projects-url in the policy) first.",
    ),
    (
        "tree-scheduler-level",
        "tasks of a tree have its level in their schedulerId. Find out who created the one with a lower level.",
    ),
    (
        "tree-projects",
        "the fault may pass. Try again; if it stays so, check projects-url in the policy and fetch that address with curl.",
    ),
    ("pull-request-try", PROPOSED),
    ("pull-request-tasks-for", PROPOSED),
    (
        "pull-request-fork",
        "take the input from an official repository, and read the owner's name letter by letter. Only an owner of your organisation is added to the policy, after review (official-owners).",
    ),
    (
        "pull-request-not-landed",
        "land the commit on the branch that the task names, or, if it was rebased away or the branch was deleted, run the tasks again from what landed. `git branch -r --contains COMMIT` shows where it is.",
    ),
    ("pull-request-source", SOURCE_FORM),
    (
        "pull-request-tag-unknown",
        "check whether the tag was deleted (`git ls-remote --tags REPOSITORY`); for a private repository, give a token that may see it (CATENA_GITHUB_TOKEN).",
    ),
    (
        "pull-request-tags-endless",
        "check what answers for GitHub; a repository with so many tags exceeds what is read: name the commit instead of the tag.",
    ),
    (
        "pull-request-listing-malformed",
        "check what answers for GitHub; if its page of a commit's branches has changed, set landed: compare in the policy.",
    ),
    ("pull-request-answer-malformed", VCS_ANSWER),
    // Images.
    ("image-prebuilt", IMAGE),
    (
        "image-not-pinned",
        "name the image as <name>@sha256:<digest> in the tree that makes the task; a tag can be moved to another image.",
    ),
    ("image-indexed", IMAGE),
    ("image-unknown-type", IMAGE),
    (
        "image-not-declared",
        "declare the image as the task's input (`extra.chainOfTrust.inputs.docker-image`) in the tree that makes the task.",
    ),
    (
        "image-of-another-kind",
        "the image must come from a docker-image task; fix the input in the tree that makes the task.",
    ),
    (
        "image-hash-missing",
        "most likely an old worker: generic-worker with d2g wrote no hash of a docker image before 81.0.3. Check the version in the task's log, update the workers of this pool and run the task again; if they are up to date, find out who uploaded the document.",
    ),
    ("image-hash-malformed", WORKER_VERSION),
    (
        "image-unlisted",
        "check `payload.image.path`; if it is right, look at the log of the docker-image task and build the image again.",
    ),
    (
        "image-rerun",
        "most likely the docker-image task was run again after the task: `taskcluster task status IMAGE`. Run the task again, so that it takes the image of the last run.",
    ),
    (
        "image-differs",
        "the task ran in another image than the last run of the docker-image task made. Do not use what it made; check whether that task ran more than once (`taskcluster task status IMAGE`), then the worker and its cache of images.",
    ),
    // What could not be known.
    (
        "availability-unreachable",
        "the fault may pass. Ask again; if it stays so, check what is named above (the service, the proxy, the disk) with curl, and --deadline.",
    ),
    (
        "availability-refused",
        "give credentials that may read this: --credentials FILE or TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN; for GitHub a token that may read the repository (CATENA_GITHUB_TOKEN or GITHUB_TOKEN). GitHub answers 404 also where a token may not see the repository.",
    ),
    ("availability-unfinished", "retry, with a longer --deadline if it stays so."),
    (
        "availability-cancelled",
        "retry with a longer --deadline; if it stays so, check what the tasks of the chain name as inputs.",
    ),
];

/// The advice for a code by name; none when only its class has some.
#[must_use]
pub fn hint(code: &str) -> Option<&'static str> {
    HINTS.iter().find(|(name, _)| *name == code).map(|(_, advice)| *advice)
}

/// The advice for a code: its own, or its class's.
#[must_use]
pub fn advice(code: &Code) -> &'static str {
    hint(code.name).unwrap_or(match code.class {
        Class::Tamper => EVIDENCE,
        Class::Invalid => {
            "find out who made what is named above, and how, before you use anything of it."
        }
        Class::Policy => {
            "the product's policy does not allow this. Change the task in its tree, or the policy after review."
        }
        Class::Config => "our own policy or keys do not suffice. Complete them (--policy, --keys) and verify again.",
        Class::Infra => "retry; if it stays so, check the service that is named above.",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_verify::checks;

    #[test]
    fn every_hint_is_for_a_code_that_exists() {
        for (position, (name, _)) in HINTS.iter().enumerate() {
            assert!(checks::find_code(name).is_some(), "{name}");
            assert!(HINTS.iter().skip(position + 1).all(|(other, _)| other != name), "{name} twice");
        }
    }

    #[test]
    fn every_code_that_can_fail_has_a_hint_of_its_own_and_no_other() {
        for code in checks::ALL.iter().flat_map(|check| check.codes) {
            assert_eq!(hint(code.name).is_some(), !code.passes, "{}", code.name);
        }
    }

    #[test]
    fn hints_are_short() {
        for (name, advice) in HINTS {
            assert!(advice.len() <= 340 && advice.ends_with('.'), "{name}: {advice}");
        }
    }
}
