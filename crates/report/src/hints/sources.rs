//! Advice on where sources come from: addresses, trees, scopes, levels, pull requests.

use super::commands::{COMMITS, DEFINITION, POLICY, PROJECTS, REFERENCES, REPOSITORY, TARGET, VERIFY};
use super::{Cause, Hint, hint, say, show};

const SOURCE_FORM: &[Cause] = &[
    show(
        "if the tree writes the address so, fix it there: https, no user, no dot segments, no query, and a full \
         hash as revision.",
        DEFINITION,
    ),
    say("otherwise find out who created this task: the queue's log has the client id."),
];
const SCOPES: &[Cause] = &[
    show(
        "run the task from one of the trees named above, or take the scope out of the task in its tree.",
        DEFINITION,
    ),
    show(
        "if the tree should have the scope, change the policy after review (restricted-scopes, trees).",
        POLICY,
    ),
];
const PROPOSED: &[Cause] = &[show(
    "take the input from a task of a trusted push. A cached task that was made for a pull request, a fork or \
         try must be made again on the branch: its definition shows its source.",
    DEFINITION,
)];

pub(super) const HINTS: &[Hint] = &[
    hint(code!("source-repository-malformed"), SOURCE_FORM),
    hint(code!("source-malformed"), SOURCE_FORM),
    hint(
        code!("source-outside-repository"),
        &[
            show(
                "`metadata.source` must lie in the repository that the task is made from; if the tree writes it so, \
                 fix it there.",
                DEFINITION,
            ),
            say("otherwise find out who created the task: the queue's log has the client id."),
        ],
    ),
    hint(code!("tree-scope"), SCOPES),
    hint(code!("tree-broad-scope"), SCOPES),
    hint(
        code!("tree-foreign-scope"),
        &[
            show("run the target for the product whose scope it asks for.", POLICY),
            show("or take the scope out in the tree.", DEFINITION),
        ],
    ),
    hint(
        code!("tree-required"),
        &[
            show("run the task from a trusted tree.", DEFINITION),
            show(
                "the product's policy requires that every chain goes back to one (trusted-tree: required).",
                POLICY,
            ),
        ],
    ),
    hint(
        code!("tree-scope-ambiguous"),
        &[show("two rules of the policy (restricted-scopes) match one scope; make them distinct.", POLICY)],
    ),
    hint(
        code!("tree-sibling"),
        &[show(
            "tasks of one graph come from one tree. Find out who created the task that does not.",
            DEFINITION,
        )],
    ),
    hint(
        code!("tree-parent"),
        &[show(
            "a task that an action makes comes from that action's tree: run the action on the right tree. If no \
             one fired it, find out who created the task.",
            DEFINITION,
        )],
    ),
    hint(
        code!("tree-untrusted"),
        &[
            show(
                "with restricted scopes every input comes from a trusted tree. Take the input from one.",
                TARGET,
            ),
            show("find out who created this one.", DEFINITION),
        ],
    ),
    hint(
        code!("tree-repository-prefix"),
        &[show(
            "the repository has a name that begins like a trusted one's, and is another. Find out whose it is, and \
             who created the task; do not add it to the policy.",
            DEFINITION,
        )],
    ),
    hint(
        code!("tree-sibling-revision"),
        &[show(
            "the task was made for another push. Run it in the graph of its own push, or make the graph again.",
            DEFINITION,
        )],
    ),
    hint(
        code!("tree-other-source"),
        &[
            show("read the address letter by letter, and find out who created the task.", DEFINITION),
            show(
                "only a repository that the tree is meant to take in is added to the policy, after review \
                 (repositories).",
                POLICY,
            ),
        ],
    ),
    hint(
        code!("tree-input-tree"),
        &[show(
            "make the input in the target's own tree. Only images that tasks run in may come from another.",
            DEFINITION,
        )],
    ),
    hint(
        code!("tree-input-revision"),
        &[show(
            "promote the push that made the input, or make the input again in the graph that is promoted.",
            DEFINITION,
        )],
    ),
    hint(
        code!("tree-mirror-commit"),
        &[show(
            "make the graph again: its tasks must all use the one commit that mirrors its push.",
            DEFINITION,
        )],
    ),
    hint(
        code!("tree-level"),
        &[
            show("take the input from a tree of the level.", DEFINITION),
            show("a new tree gets its level in projects.yml (projects-url in the policy) first.", PROJECTS),
        ],
    ),
    hint(
        code!("tree-branch-level"),
        &[
            show("run the task on a protected branch.", DEFINITION),
            show(
                "a new release branch gets its level in projects.yml (projects-url in the policy) first.",
                PROJECTS,
            ),
        ],
    ),
    hint(
        code!("tree-scheduler-level"),
        &[show(
            "tasks of a tree have its level in their schedulerId. Find out who created the one with a lower level.",
            DEFINITION,
        )],
    ),
    hint(
        code!("tree-projects"),
        &[
            show("the fault may pass. Try again.", VERIFY),
            show("if it stays so, check projects-url in the policy and fetch that address.", PROJECTS),
        ],
    ),
    hint(code!("pull-request-try"), PROPOSED),
    hint(code!("pull-request-tasks-for"), PROPOSED),
    hint(
        code!("pull-request-fork"),
        &[
            show(
                "take the input from an official repository, and read the owner's name letter by letter.",
                DEFINITION,
            ),
            show(
                "only an owner of your organisation is added to the policy, after review (official-owners).",
                POLICY,
            ),
        ],
    ),
    hint(
        code!("pull-request-not-landed"),
        &[
            show("land the commit on the branch that the task names.", COMMITS),
            say(
                "if it was rebased away or the branch was deleted, run the tasks again from what landed. In a \
                 clone, `git branch -r --contains COMMIT` shows where it is.",
            ),
        ],
    ),
    hint(code!("pull-request-source"), SOURCE_FORM),
    hint(
        code!("pull-request-tag-unknown"),
        &[
            show("check whether the tag was deleted.", "git ls-remote --tags REPOSITORY"),
            say("for a private repository, set a token that can read it (CATENA_GITHUB_TOKEN)."),
        ],
    ),
    hint(
        code!("pull-request-tags-endless"),
        &[show(
            "check what answers for GitHub; a repository with so many tags exceeds what is read: name the commit \
             instead of the tag.",
            REFERENCES,
        )],
    ),
    hint(
        code!("pull-request-listing-malformed"),
        &[show(
            "check what answers for GitHub; if its page of a commit's branches has changed, set landed: compare in \
             the policy.",
            "curl -sL REPOSITORY/branch_commits/REVISION",
        )],
    ),
    hint(
        code!("pull-request-answer-malformed"),
        &[show(
            "version control gave an incomplete or malformed answer. Repeat the request from another network; if \
             the answers differ, check the proxy or the mirror.",
            REPOSITORY,
        )],
    ),
];
