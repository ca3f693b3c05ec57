//! Advice on graphs and on what makes them: decision and action tasks.

use super::commands::{DEFINITION, POLICY, PROJECTS, RECORD, REFERENCES, REPOSITORY, TEMPLATE};
use super::{Cause, Hint, hint, say, show};

const EDITED: &[Cause] = &[
    show(
        "the task is not the one that its graph made: it was created or edited by hand or by a script. If it was \
         meant, let an action task make it.",
        DEFINITION,
    ),
    say("Find out who created it: the queue's log has the client id."),
];
const ACTION: &[Cause] = &[
    show("trigger the action again on its own push.", DEFINITION),
    say("if nobody triggered it, find out who created the task: the queue's log has the client id."),
];
const TRIGGER: &[Cause] = &[show(
    "compare the tree's .taskcluster.yml at that revision with the hook that made the task; bring them back in \
         step and let the trigger make a new task.",
    DEFINITION,
)];
const SOURCE_FORM: &[Cause] = &[
    show(
        "if the tree writes the address so, fix it there: https, no user, no dot segments, no query, and a full \
         hash as revision.",
        DEFINITION,
    ),
    say("otherwise find out who created this task: the queue's log has the client id."),
];
const VCS_ANSWER: &[Cause] = &[show(
    "version control gave an incomplete or malformed answer. Repeat the request from another network; if the \
         answers differ, check the proxy or the mirror.",
    REPOSITORY,
)];

pub(super) const HINTS: &[Hint] = &[
    // The graph.
    hint(code!("graph-parent-makes-no-tasks"), EDITED),
    hint(
        code!("graph-beyond-limits"),
        &[show(
            "the task's entry in the graph exceeds the limits of this verifier: make the task smaller in the tree.",
            DEFINITION,
        )],
    ),
    hint(
        code!("graph-unreadable"),
        &[show(
            "do not use the tasks of this graph. Look at the log of the decision task that published it.",
            "curl -sL ROOT/api/queue/v1/task/PARENT/artifacts/public/logs/live_backing.log",
        )],
    ),
    hint(code!("graph-lacks-task"), EDITED),
    hint(
        code!("graph-entry-malformed"),
        &[show(
            "look at the log of the decision task that published the graph; the tree's taskgraph may be broken.",
            "curl -sL ROOT/api/queue/v1/task/PARENT/artifacts/public/logs/live_backing.log",
        )],
    ),
    hint(
        code!("graph-definition-differs"),
        &[
            show(
                "the definition in the queue differs from the one in the signed graph of the decision task. Keep the \
                 evidence, and find out who created the task (the queue's log has the client id).",
                RECORD,
            ),
            show("compare with what another network gets.", DEFINITION),
        ],
    ),
    hint(code!("graph-dependencies-added"), EDITED),
    hint(code!("graph-definition-additions"), EDITED),
    hint(code!("graph-times-differ"), EDITED),
    hint(
        code!("graph-created-malformed"),
        &[show(
            "something between here and the queue changes its answers, or it is not a Taskcluster queue. Check the \
             root URL and the proxy.",
            DEFINITION,
        )],
    ),
    // Rebuilding parents.
    hint(
        code!("rebuild-differs"),
        &[
            show(
                "see which fields differ. Only `priority`: the queue's API changed it (changeTaskPriority). Only a \
                 user: a merge by another account, or a bot.",
                DEFINITION,
            ),
            show(
                "anything else: a hook is out of step with the tree's .taskcluster.yml at that revision.",
                TEMPLATE,
            ),
            say("or the task was made by hand; the queue's log has the client id that created it."),
        ],
    ),
    hint(
        code!("rebuild-empty-values-added"),
        &[show(
            "the tree's template does not render these empty values. Find out who created the task.",
            DEFINITION,
        )],
    ),
    hint(code!("rebuild-decision-unknown"), EDITED),
    hint(
        code!("rebuild-tasks-for"),
        &[
            show(
                "a trigger that this version of Catena does not know needs a newer version; one that it knows is \
                 added to the policy after review (tasks-for).",
                POLICY,
            ),
            show("if the product never builds for this trigger, find out who created the task.", DEFINITION),
        ],
    ),
    hint(
        code!("rebuild-vcs"),
        &[show(
            "check --product: the tree is not where the product's trees are (vcs in the policy).",
            POLICY,
        )],
    ),
    hint(
        code!("rebuild-host"),
        &[
            show("read the host letter by letter and find out who created the task.", DEFINITION),
            show(
                "only a host that you run yourself, and that answers as hg.mozilla.org does, is added to the policy \
                 (hg-hosts).",
                POLICY,
            ),
        ],
    ),
    hint(code!("rebuild-repository"), SOURCE_FORM),
    hint(code!("rebuild-revision"), SOURCE_FORM),
    hint(
        code!("rebuild-environment"),
        &[show(
            "the tree's template or its hook sets this value: fix it there. If they set it correctly, find out who \
             created the task.",
            DEFINITION,
        )],
    ),
    hint(
        code!("rebuild-projects"),
        &[
            show(
                "the list of projects is missing or malformed, not the task. Check projects-url in the policy.",
                PROJECTS,
            ),
            say("if the address is right, repair projects.yml there, then verify again."),
        ],
    ),
    hint(
        code!("rebuild-project-unknown"),
        &[
            show(
                "a new tree is added to projects.yml (projects-url in the policy) first, with exactly this address.",
                PROJECTS,
            ),
            show("if this tree is not to be added, find out who created the task.", DEFINITION),
        ],
    ),
    hint(
        code!("rebuild-template-missing"),
        &[
            show(
                "check whether the revision still exists in that repository (a push may have been stripped).",
                TEMPLATE,
            ),
            say("for a private repository, check whether the token can read it."),
        ],
    ),
    hint(code!("rebuild-template-malformed"), TRIGGER),
    hint(code!("rebuild-template-fails"), TRIGGER),
    hint(code!("rebuild-no-tasks"), TRIGGER),
    hint(
        code!("rebuild-unknown-to-vcs"),
        &[
            show(
                "check whether it was deleted, rebased or rewritten, and then run the tasks again.",
                REFERENCES,
            ),
            say("for a private repository, set a token that can read it (CATENA_GITHUB_TOKEN)."),
            show("otherwise find out who created the task.", DEFINITION),
        ],
    ),
    hint(
        code!("rebuild-tags-endless"),
        &[show(
            "check the proxies between here and GitHub; a repository with so many tags exceeds the limit.",
            REFERENCES,
        )],
    ),
    hint(code!("rebuild-answer-malformed"), VCS_ANSWER),
    hint(
        code!("rebuild-answer-about-another"),
        &[
            show(
                "most likely the repository was renamed: the old address redirects to the new name, which belongs \
                 into the tree.",
                REPOSITORY,
            ),
            say("if nothing was renamed, find what changes the answers before you use anything."),
        ],
    ),
    hint(
        code!("rebuild-release-draft"),
        &[show("publish the release, and let it make its tasks again.", REFERENCES)],
    ),
    hint(
        code!("rebuild-push-comment"),
        &[show(
            "the template never writes such a message into a decision task. Find out who created it.",
            DEFINITION,
        )],
    ),
    hint(
        code!("rebuild-before-push"),
        &[
            show(
                "compare the push's time with `created`. If a clock was wrong, correct it and let the trigger make \
                 a new task.",
                DEFINITION,
            ),
            say("otherwise find out who created this one."),
        ],
    ),
    hint(
        code!("rebuild-push-old"),
        &[
            show("push again, or let the trigger make a task of the newest push.", DEFINITION),
            show("the limit is max-push-age in the policy.", POLICY),
            say("if nobody wanted a task of an old push, find out who created it."),
        ],
    ),
    hint(
        code!("rebuild-actions-malformed"),
        &[show(
            "look at the log of the decision task that published the file; the tree's taskgraph may be broken.",
            "curl -sL ROOT/api/queue/v1/task/PARENT/artifacts/public/logs/live_backing.log",
        )],
    ),
    hint(code!("rebuild-action-unknown"), ACTION),
    hint(
        code!("rebuild-action-ambiguous"),
        &[show(
            "two actions of the tree share a callback; give each its own, and trigger the action on a new \
             push.",
            "curl -sL ROOT/api/queue/v1/task/PARENT/artifacts/public/actions.json",
        )],
    ),
    hint(
        code!("rebuild-template-repository"),
        &[
            show(
                "find out who created the task: its template comes from a repository beside the trusted one.",
                DEFINITION,
            ),
            show(
                "the policy changes only if the repository is really meant, after review (repositories).",
                POLICY,
            ),
        ],
    ),
    hint(
        code!("rebuild-action-kind"),
        &[show(
            "only actions of kind hook may make tasks; change the action in the tree.",
            "curl -sL ROOT/api/queue/v1/task/PARENT/artifacts/public/actions.json",
        )],
    ),
    hint(code!("rebuild-action-group"), ACTION),
    hint(code!("rebuild-action-source"), ACTION),
    hint(
        code!("rebuild-action-input"),
        &[show(
            "trigger the action again with an input that its schema in actions.json allows.",
            "curl -sL ROOT/api/queue/v1/task/PARENT/artifacts/public/actions.json",
        )],
    ),
    hint(
        code!("rebuild-action-schema"),
        &[show(
            "describe the action's input in the tree with keywords that are supported (specification 7.26), or \
             relax action-schema after review.",
            "curl -sL ROOT/api/queue/v1/task/PARENT/artifacts/public/actions.json",
        )],
    ),
    hint(code!("rebuild-action-hook"), ACTION),
    hint(
        code!("rebuild-action-parameters"),
        &[show(
            "trigger the action again on its own push, with the parameters that its decision task published.",
            "curl -sL ROOT/api/queue/v1/task/PARENT/artifacts/public/parameters.yml",
        )],
    ),
    hint(
        code!("rebuild-value-unconfirmed"),
        &[
            show(
                "if the value is right, rename the branch or account that it names, or, after review, relax \
                 `confirmed-values`.",
                DEFINITION,
            ),
            say("otherwise find out who created the task: the queue's log has the client id."),
        ],
    ),
    hint(
        code!("rebuild-cron-malformed"),
        &[show(
            "fix `.cron.yml` in the tree, and let the job run again.",
            "curl -sL REPOSITORY/RAW/REVISION/.cron.yml",
        )],
    ),
    hint(
        code!("rebuild-cron-job-unknown"),
        &[show(
            "only jobs of the tree's own `.cron.yml` may make decision tasks. Find out who created this one.",
            DEFINITION,
        )],
    ),
    hint(
        code!("rebuild-cron-differs"),
        &[
            show(
                "the hook is out of step with the tree's `.cron.yml`: compare both, and let the job run again.",
                DEFINITION,
            ),
            say("or the task was made by hand: the queue's log has the client id that created it."),
        ],
    ),
];
