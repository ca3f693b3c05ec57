//! What to do about a failed finding. Advice is a matter of presentation, so it stands here and not
//! with the checks.

use catena_verify::verdict::{Class, Code};

const EVIDENCE: &str = "do not retry. Keep the evidence (run again with --record DIR) and call those who answer \
     for the release and its security.";
const REPLACED: &str = "the artifact was replaced after the task made it, or storage is broken. Do not use it; keep \
     the evidence (--record DIR) and look at who may write to that storage.";
const EDITED: &str = "somebody made or changed this task by other means than its graph. Find out who created it \
     (the queue's log has the client id); if it was meant, let an action task make it.";
const WORKER: &str = "the worker's document and the queue do not belong together. Look at the worker that ran the \
     task: its version, and whether its key is used elsewhere.";
const WORKER_VERSION: &str = "workers of today write no such document. Look at the version and the log of the worker that \
     ran the task, update it, and run the task again; if it is up to date, find out who uploaded the document.";
const SOURCE_FORM: &str = "find out who created this task. If the tree really writes the address so, write it plainly \
     there: https, no user, no dot segments, no query, and the full hash as revision.";
const BROKEN_ANSWER: &str = "the queue, or something between here and there, does not answer as Taskcluster does. \
     Check the root URL and the proxy before anything else.";
const SCOPES: &str = "the task asks for more than its tree may have. Run it from one of the trees named above, or \
     take the scope out; trees and scopes stand in the policy.";
const POOL: &str = "the task ran on machines that are not trusted for it. Move the task to one of the pools above, \
     or, after review, add the pool to the policy.";
const IMAGE: &str = "let the task use an image that a docker-image task of its own graph builds, or, after review, \
     allow its kind in the policy (prebuilt-image-kinds).";
const VCS_ANSWER: &str = "version control answered with something that is no answer. Compare with what it answers from \
     another network; then look at the proxy and the mirror.";
const ACTION: &str =
    "fire the action again from its own push. If nobody fired it, find out who created the task.";
const TRIGGER: &str = "look at the tree's .taskcluster.yml at that revision and at the hook that made the task; \
     put them in step and let the trigger make a new one.";
const PROPOSED: &str = "take the input from a task of a trusted push; a cached task that was made for a pull request, \
     a fork or try must be made again on the branch.";
const CUSTODY: &str = "the worker's own statements contradict each other. Look at the worker that ran the task, its version, and \
     what the task wrote into chain-of-trust-additional-data.json.";
const INPUT: &str = "the task used something else than its maker signed. Do not use what it made; keep the evidence \
     (--record DIR) and look at how the input reached the task.";
const LIMIT: &str = "a valid chain does not come near this limit. Look at what the task names as its inputs.";

/// Advice by code. A code without a line here gets its class's advice.
pub const HINTS: &[(&str, &str)] = &[
    // Custody.
    ("custody-unsupported", "upgrade Catena here before the workers that write the newer record."),
    ("custody-malformed", CUSTODY),
    ("custody-key-mismatched", CUSTODY),
    ("custody-time-implausible", "set the worker's clock right and run the task again."),
    ("custody-artifacts-mismatched", CUSTODY),
    ("artifact-size-mismatched", CUSTODY),
    ("custody-environment-mismatched", CUSTODY),
    (
        "custody-image-claimed",
        "let the worker itself say which image it ran (catena sign --facts; with d2g the digests stand in what generic-worker wrote into chain-of-trust-additional-data.json), and run the task again.",
    ),
    (
        "input-run",
        "run the task that makes the input again, then the task that uses it. If the run should exist, ask the queue from another network.",
    ),
    (
        "input-document",
        "run the task that makes the input again with Chain of Trust enabled, then the task that uses it; a document that expired is gone.",
    ),
    ("input-unlisted", INPUT),
    ("input-mismatched", INPUT),
    ("inputs-too-many", LIMIT),
    // Definition, run, worker.
    ("task-unknown", "check the task id and the root URL; a task is forgotten some time after it expires."),
    ("definition-empty", "the task has expired, so its chain can no longer be judged. Run it again."),
    ("definition-not-json", BROKEN_ANSWER),
    (
        "definition-malformed",
        "a task that was made by hand is made as graphs make tasks; otherwise find out who answers for the queue.",
    ),
    ("definition-pool-contradiction", "no honest task says two pools. Find out who created it."),
    (
        "run-none",
        "the task has not started. Wait for it; for a task that is about to run, say --no-check-task.",
    ),
    (
        "run-not-completed",
        "nothing may be taken from a run that failed. Look at its log, and run the task again.",
    ),
    (
        "run-not-finished",
        "wait for the run to end and ask again; for a task that is about to run, say --no-check-task.",
    ),
    (
        "run-status-unknown",
        "check the task id and the root URL; a status is forgotten some time after the task expires.",
    ),
    ("run-status-malformed", BROKEN_ANSWER),
    ("run-status-of-another-task", BROKEN_ANSWER),
    ("run-status-contradicts", BROKEN_ANSWER),
    (
        "run-state-contradicts",
        "no queue writes such a record. Keep the evidence (--record DIR), ask the queue from another network, and find what changes its answers.",
    ),
    (
        "run-times-impossible",
        "compare the times with the queue's from another network. If no clock was wrong, somebody may have put a time back to make a revoked key count: keep the evidence (--record DIR) and find what changes the answers.",
    ),
    (
        "worker-implementation-missing",
        "give the task the tag `worker-implementation` in the tree that makes it.",
    ),
    (
        "worker-implementation-ambiguous",
        "the parts of the definition contradict each other; put the task right in the tree that makes it.",
    ),
    (
        "worker-implementation-unknown",
        "the tag `worker-implementation` is docker-worker, generic-worker or scriptworker.",
    ),
    ("worker-pool-decision", POOL),
    ("worker-pool-docker-image", POOL),
    (
        "kind-unknown",
        "check --task-type and the names in `extra.chainOfTrust.inputs` and `upstreamArtifacts`; a new kind is added in the policy (kinds).",
    ),
    (
        "kind-needs-scriptworker",
        "only a scriptworker may run this kind. Check --task-type and the task's worker pool.",
    ),
    (
        "kind-mismatch",
        "name the task by its own kind (tags.kind) where it is declared, in the tree that makes both.",
    ),
    ("interactive-found", "what an interactive task made is never trusted. Run the task again without it."),
    (
        "interactive-undetermined",
        "give the payload its `features` and `env`, be they empty, in the tree that makes the task.",
    ),
    // The chain.
    ("chain-too-deep", LIMIT),
    ("chain-too-wide", LIMIT),
    ("chain-too-much-work", LIMIT),
    ("chain-cyclic", "no honest task is among its own inputs. Find out who created it."),
    // Signature and document.
    (
        "signature-skipped",
        "whoever can change what is stored can have written this document. Ask again without --danger-skip-signatures.",
    ),
    (
        "signature-without-document",
        "the task must ask for a document (`features.chainOfTrust: true`), and its worker must be able to make one.",
    ),
    (
        "signature-missing",
        "the document without its signature proves nothing. Look at the worker's log of the run; if it says that a signature was uploaded, raise the alarm.",
    ),
    (
        "signature-empty",
        "the upload broke off, or the signature was wiped. Look at the worker's log of the run.",
    ),
    (
        "signature-truncated",
        "the upload broke off, or the signature was cut. Look at the worker's log of the run.",
    ),
    ("signature-too-long", "a signature is its 64 raw bytes. Look at how the worker writes and uploads it."),
    (
        "signature-other-implementation",
        "a worker has the wrong key, or a task claims to have run elsewhere than it did. Compare the key with the worker pool's configuration.",
    ),
    (
        "signature-other-bytes",
        "the document was changed after the worker signed it. Do not retry; keep the evidence (--record DIR) and look at who may write to the artifact storage.",
    ),
    (
        "signature-unknown-key",
        "the worker's key was rotated, or it is nobody's. Ask who runs the worker pool; a new key goes into the policy by way of its owner, never from what was seen here. Until then do not use what was made.",
    ),
    (
        "signature-key-revoked",
        "do not use it. Run the task again on a worker with a good key; if the run is older than the theft or the rotation, let the policy say from when the key is revoked.",
    ),
    (
        "signature-key-not-yet-valid",
        "the worker got its key before the policy says so. Ask the key's owner from when it counts, and correct the policy.",
    ),
    (
        "signature-key-expired",
        "the worker still has an old key. Give it the new one and run the task again; if the old one was meant to last longer, correct the policy.",
    ),
    (
        "signature-key-not-permitted",
        "find out which worker has this key. If it is the right one, extend what the key may sign for in the trust file; otherwise take the key from that worker and run the task again.",
    ),
    (
        "signature-time-unknown",
        "a completed run has the time it was resolved. Ask the queue from another place; look at what stands between you and it.",
    ),
    (
        "signature-no-keys",
        "add the public keys of this worker implementation to the policy (keys), or say --keys FILE.",
    ),
    ("document-not-json", WORKER_VERSION),
    ("document-duplicate-key", WORKER_VERSION),
    ("document-version", WORKER_VERSION),
    ("document-malformed", WORKER_VERSION),
    (
        "document-of-another-task",
        "a document of another task was put here. Do not retry; keep the evidence (--record DIR) and look at who may write to the artifact storage.",
    ),
    (
        "document-of-another-run",
        "a document of an earlier run was put here. Do not retry; keep the evidence (--record DIR) and look at who may write to the artifact storage.",
    ),
    ("document-of-another-worker", WORKER),
    ("document-task-differs", WORKER),
    // Artifacts.
    (
        "artifact-pattern-too-long",
        "put a shorter pattern into the tree that makes the task: no artifact has so long a name.",
    ),
    ("artifact-name", "no honest artifact has such a name. Find out who created the task that names it."),
    (
        "artifact-reserved",
        "the chain of trust's own files are never inputs. Take them out of `upstreamArtifacts`.",
    ),
    (
        "artifact-unlisted",
        "the worker that made the document did not upload this file; somebody else did, or the worker did so later. Do not use it; keep the evidence (--record DIR) and look at who may write to that storage.",
    ),
    (
        "artifact-not-made",
        "look at the task's log and at the name in `upstreamArtifacts`: a file that was renamed, of another platform, or misspelled. Put the name, or the task that makes the file, right in the tree.",
    ),
    ("artifact-without-digest", WORKER_VERSION),
    ("artifact-digest-malformed", WORKER_VERSION),
    (
        "artifact-missing",
        "the file has expired or was removed. Run the task that makes it again; if it should still exist, ask who removed it.",
    ),
    ("artifact-altered", REPLACED),
    (
        "artifact-names-collide",
        "no work directory can hold both. Give one of them another name in the tree that makes the task.",
    ),
    ("artifact-altered-optional", REPLACED),
    (
        "artifact-listed-absent",
        "ask again; if it stays so, the file expired or was removed from its storage. Run the task that makes it again, or no longer take it.",
    ),
    ("artifacts-listing-malformed", BROKEN_ANSWER),
    (
        "artifacts-listing-endless",
        "nothing was proven wrong. Look at what answers for the queue; a run of so many artifacts is beyond what is read: name the files instead of a pattern.",
    ),
    (
        "artifacts-listing-unknown",
        "the artifacts of the run have expired. Run the task that makes them again.",
    ),
    (
        "artifact-glob-mandatory",
        "name the files in `upstreamArtifacts`, or say `optional: true` there, in the tree that makes the task.",
    ),
    ("artifacts-too-many", "name fewer artifacts, or a narrower pattern, in `upstreamArtifacts`."),
    (
        "artifacts-foreign",
        "only artifacts of the chain's own links may be used; put the task right in the tree that makes it.",
    ),
    // Graph and tree.
    ("graph-parent-makes-no-tasks", EDITED),
    (
        "graph-beyond-limits",
        "the task's entry in the graph is beyond this verifier's bounds: make the task smaller in the tree.",
    ),
    ("graph-unreadable", "look at the log of the parent that published the graph, and do not use its tasks."),
    ("graph-lacks-task", EDITED),
    (
        "graph-entry-malformed",
        "look at the log of the parent that published the graph; the tree's taskgraph may be broken.",
    ),
    ("graph-definition-differs", EDITED),
    ("graph-dependencies-added", EDITED),
    ("graph-definition-additions", EDITED),
    ("graph-times-differ", EDITED),
    ("graph-created-malformed", BROKEN_ANSWER),
    // Rebuilding parents.
    (
        "rebuild-differs",
        "compare what differs. Only `priority`: the queue's API changed it. Only a user: a merge by somebody else, or a bot. Else a hook is out of step with the tree, or somebody made the task: find out who created it.",
    ),
    (
        "rebuild-empty-values-added",
        "the tree's template does not make these empty parts. Find out who created the task.",
    ),
    ("rebuild-decision-unknown", EDITED),
    (
        "rebuild-tasks-for",
        "no parent may be made for this here. A trigger that this version of Catena does not know needs a newer one; one that it knows is added, after review, to the policy (tasks-for).",
    ),
    ("rebuild-vcs", "the tree is not where the product's trees are; check --product, or the policy (vcs)."),
    (
        "rebuild-host",
        "check the repository's address; a host that answers as hg.mozilla.org does is added in the policy (hg-hosts).",
    ),
    ("rebuild-repository", SOURCE_FORM),
    ("rebuild-revision", SOURCE_FORM),
    (
        "rebuild-environment",
        "the value named above is set by the tree's template or its hook. Put it right there; if it is right, find out who created the task.",
    ),
    (
        "rebuild-project-unknown",
        "look whether the project, with this very address, stands in projects.yml (projects-url in the policy).",
    ),
    (
        "rebuild-template-missing",
        "look whether the revision still exists in that repository, and whether the token may see it.",
    ),
    ("rebuild-template-malformed", TRIGGER),
    ("rebuild-template-fails", TRIGGER),
    ("rebuild-no-tasks", TRIGGER),
    (
        "rebuild-unknown-to-vcs",
        "look whether it was deleted, rebased or rewritten, and then run the tasks again; for a private repository, give a token that may see it (CATENA_GITHUB_TOKEN). Else find out who created the task.",
    ),
    (
        "rebuild-tags-endless",
        "nothing was proven wrong. Look at what answers for GitHub; a repository with so many tags is beyond what is read.",
    ),
    ("rebuild-answer-malformed", VCS_ANSWER),
    (
        "rebuild-answer-about-another",
        "a renamed repository answers under its new name: put that into the tree. If nothing was renamed, raise the alarm.",
    ),
    ("rebuild-release-draft", "publish the release, and let it make its tasks again."),
    ("rebuild-push-comment", "no honest decision task carries such a message. Find out who created it."),
    (
        "rebuild-before-push",
        "compare the push's time with `created`. If a clock was wrong, put it right and let the trigger make a new task; else find out who created this one.",
    ),
    (
        "rebuild-push-old",
        "push again, or let the trigger make a task of the newest push; if such a task was meant, find out who created it. The limit is max-push-age in the policy.",
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
        "the template must come from exactly a trusted repository: find out who created the task; a repository is added, after review, in the policy (repositories).",
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
    ("rebuild-cron-malformed", "put `.cron.yml` right in the tree, and let the job run again."),
    (
        "rebuild-cron-job-unknown",
        "only jobs of the tree's own `.cron.yml` may make decision tasks. Find out who created this one.",
    ),
    (
        "rebuild-cron-differs",
        "somebody made this cron task by hand, or build-decision writes more than is known here. Find out who created it.",
    ),
    // Where sources come from.
    ("source-repository-malformed", SOURCE_FORM),
    ("source-malformed", SOURCE_FORM),
    (
        "source-outside-repository",
        "`metadata.source` must lie in the repository the task is made from; put it right in the tree, or find out who created the task.",
    ),
    ("tree-scope", SCOPES),
    ("tree-broad-scope", SCOPES),
    (
        "tree-foreign-scope",
        "run the target for the product whose scope it asks for, or take the scope out in the tree.",
    ),
    (
        "tree-required",
        "the product's policy wants every chain to go back to a trusted tree (trusted-tree: required). Run the task from one.",
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
        "with restricted scopes every input must come from a trusted tree. Take the input from one, or, after review, add the repository to the policy.",
    ),
    (
        "tree-repository-prefix",
        "the repository's name begins like that of a trusted one, and it is another repository. Find out whose it is, and who created the task.",
    ),
    (
        "tree-sibling-revision",
        "the task was made for another push. Run it in the graph of its own push, or make the graph again.",
    ),
    (
        "tree-other-source",
        "find out who created the task. If the tree really takes these sources in, the repository is added, after review, to the policy (repositories).",
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
        "tasks of a tree have its level in their schedulerId. Find out who created the one that has a lower.",
    ),
    (
        "tree-projects",
        "nothing was proven wrong. Try again; if it stays, look whether projects-url in the policy is right and what stands there.",
    ),
    ("pull-request-try", PROPOSED),
    ("pull-request-tasks-for", PROPOSED),
    (
        "pull-request-fork",
        "take the input from an official repository; an owner is added, after review, in the policy (official-owners).",
    ),
    (
        "pull-request-not-landed",
        "land the commit on the branch that the task names, or, if it was rebased away or the branch deleted, run the tasks again from what landed.",
    ),
    ("pull-request-source", SOURCE_FORM),
    (
        "pull-request-tag-unknown",
        "look whether the tag was deleted; for a private repository, give a token that may see it (CATENA_GITHUB_TOKEN).",
    ),
    (
        "pull-request-tags-endless",
        "nothing was proven wrong. Look at what answers for GitHub; a repository with so many tags is beyond what is read: name the commit instead of the tag.",
    ),
    (
        "pull-request-listing-malformed",
        "nothing was proven wrong. Look at what answers for GitHub; if its page of a commit's branches has changed, set landed: compare in the policy.",
    ),
    ("pull-request-answer-malformed", VCS_ANSWER),
    // Images.
    ("image-prebuilt", IMAGE),
    ("image-not-pinned", "name the image as <name>@sha256:<digest> in the tree that makes the task."),
    ("image-indexed", IMAGE),
    ("image-unknown-type", IMAGE),
    (
        "image-not-declared",
        "declare the image as the task's input (`extra.chainOfTrust.inputs.docker-image`) in the tree that makes the task.",
    ),
    (
        "image-of-another-kind",
        "the image must come from a docker-image task; put the input right in the tree that makes the task.",
    ),
    (
        "image-hash-missing",
        "generic-worker wrote no hash of a docker image before 81.0.3. Update the workers of this pool and run the task again; if they are up to date, find out who uploaded the document.",
    ),
    ("image-hash-malformed", WORKER_VERSION),
    (
        "image-unlisted",
        "check `payload.image.path`; if it is right, look at the log of the docker-image task and build the image again.",
    ),
    (
        "image-differs",
        "the task ran in another image than the one that was built for it. Do not use what it made; look at the worker and its cache of images.",
    ),
    // What could not be known.
    (
        "availability-unreachable",
        "nothing was proven wrong. Ask again; if it stays so, look at what is named above: the service, the proxy, the disk; and at --deadline.",
    ),
    (
        "availability-refused",
        "give credentials that may read this: --credentials FILE or TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN; for GitHub a token that may read the repository (CATENA_GITHUB_TOKEN or GITHUB_TOKEN).",
    ),
    ("availability-unfinished", "ask again, perhaps with a longer --deadline."),
    (
        "availability-cancelled",
        "nothing was proven wrong. Ask again with a longer --deadline; if it stays so, look at what the tasks of the chain name as inputs.",
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
            "find out who made what is named above, and how it came to be so, before anything of it is used."
        }
        Class::Policy => {
            "the product's policy does not allow this. Change the task in its tree, or, after review, the policy."
        }
        Class::Config => "our own policy or keys say too little to judge this. Complete them (--policy, --keys) and ask again.",
        Class::Infra => "nothing was proven wrong. Ask again; if it stays so, look at the service that is named above.",
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
    fn hints_are_one_or_two_sentences() {
        for (name, advice) in HINTS {
            assert!(advice.len() <= 240 && advice.ends_with('.'), "{name}: {advice}");
        }
    }
}
