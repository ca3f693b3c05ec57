//! Inputs of rebuilt parents, in all variations of production.

use super::changes::Changed;
use super::{action, cron, mobile};
use crate::change::{first_build, json, only, page_missing, remove, set};
use crate::told::{
    decision_says, job_lacks, job_says, jobs_are, jobs_say, option_says, parameters_say, says, variable_says,
};
use catena_json::Value;
use catena_testbed::chain::Product;
use catena_testbed::{Chain, Release, Trigger};

const PUSHER: &str = "release-duty@example.org";

pub(super) const CHANGED: &[Changed] = &[
    ("tree on Mercurial without cron jobs of its own", cron, |c| page_missing(c, ".cron.yml")),
    ("tree on GitHub without cron jobs of its own", git_cron, |c| page_missing(c, ".cron.yml")),
    ("cron task without arguments where its tree has no jobs", cron, |c| {
        page_missing(c, ".cron.yml")?;
        job_says(c, "quoted_args", "")
    }),
    ("cron job with every supported argument", cron, |c| {
        let more = "target-tasks-method: nightly\n      optimize-target-tasks: false\n      include-push-tasks: true\n      rebuild-kinds: [docker-image, it's new]\n";
        jobs_say(c, "target-tasks-method: nightly\n", more)?;
        job_says(
            c,
            "quoted_args",
            "--target-tasks-method=nightly --optimize-target-tasks=false --include-push-tasks --rebuild-kind=docker-image '--rebuild-kind=it'\"'\"'s new'",
        )
    }),
    ("cron job with a symbol of its own", cron, |c| {
        jobs_say(c, "treeherder-symbol: N\n", "treeherder-symbol: Nd & more\n")?;
        job_says(c, "job_symbol", "Nd & more")
    }),
    ("cron task from before inputs existed", cron, |c| job_lacks(c, "input")),
    ("cron task whose input is null", git_cron, |c| job_says(c, "input", Value::Null)),
    ("cron job that takes an input", git_cron, |c| {
        includes_input(c)?;
        job_says(
            c,
            "input",
            json("{\"revision\":\"0123456789\",\"scripts\":[\"pushapk\",\"fenix\",\"\",7,true,null]}")?,
        )
    }),
    ("cron job that takes an input and was given none", cron, includes_input),
    ("cron job defined twice, of which the last counts", cron, |c| {
        let (first, rest) = (
            "jobs:\n",
            "jobs:\n  - {name: nightly, job: {type: decision-task, treeherder-symbol: O, target-tasks-method: old}}\n",
        );
        jobs_say(c, first, rest)
    }),
    ("cron jobs with Windows line endings", git_cron, |c| jobs_say(c, "\n", "\r\n")),
    ("cron jobs by project", cron, |c| {
        jobs_are(
            c,
            "---\njobs:\n- name: nightly\n  run-on-projects: [mozilla-central]\n  job: {type: decision-task, treeherder-symbol: N, target-tasks-method: nightly}\n  when: {by-project: {mozilla-central: [{hour: 10, minute: 0}], default: []}}\n",
        )
    }),
    ("push by a bot", mobile, |c| {
        decision_says(c, PUSHER, "49699333+dependabot[bot]@users.noreply.github.com")
    }),
    ("push by a user with a long address", mobile, |c| decision_says(c, PUSHER, "a.b+c_d-e%f@x.y")),
    ("push to a new branch", mobile, |c| option_says(c, &["_BASE_REV"], &["base-rev"], &"0".repeat(40))),
    ("push onto a branch with non-Latin letters", mobile, |c| {
        option_says(c, &["_BASE_REF"], &["base-ref"], "größe/測試#1")
    }),
    ("push whose time is a number", mobile, |c| {
        variable_says(c, "PUSH_DATE_TIME", "event.repository.pushed_at", "1786526000")
    }),
    ("cron task with a time", git_cron, |c| {
        variable_says(c, "PUSH_DATE_TIME", "event.release.published_at", "2026-08-12T09:20:00.5+02:00")
    }),
    ("cron task started by an app", git_cron, |c| {
        variable_says(c, "TRIGGERED_BY", "event.sender.login", "renovate[bot]")
    }),
    ("action by a client id with bars", git_action, |c| {
        let id = c.action.clone()?;
        says(c, &id, "login/some-ldap/release-duty", "mozilla-auth0/ad|Mozilla-LDAP|dev")
    }),
    ("action on no task", action, |c| {
        let id = c.action.clone()?;
        only(c, &id, |task| set(task, &["extra", "action", "context", "taskId"], Value::Null))
    }),
    ("action on a build", action, |c| {
        let (id, build) = (c.action.clone()?, first_build(c)?);
        only(c, &id, |task| {
            set(task, &["payload", "env", "ACTION_TASK_ID"], format!("\"{build}\""))?;
            set(task, &["extra", "action", "context", "taskId"], build)
        })
    }),
    ("action on GitHub with the parameters of its decision task", git_action, |c| {
        parameters_say(c, |_| Some(()))
    }),
    ("action on GitHub whose parameters have decimal numbers", git_action, |c| {
        parameters_say(c, |parameters| set(parameters, &["build_number"], json("1.0")?))
    }),
    ("action on GitHub whose parameters are null", git_action, |c| {
        parameters_say(c, |parameters| {
            *parameters = Value::Null;
            Some(())
        })?;
        let id = c.action.clone()?;
        only(c, &id, |task| remove(task, &["extra", "action", "context", "parameters"]))
    }),
];

fn git_cron() -> Release {
    Release::of(Product::MOBILE, Trigger::Cron)
}

fn git_action() -> Release {
    Release::of(Product::MOBILE, Trigger::Action)
}

fn includes_input(chain: &mut Chain) -> Option<()> {
    jobs_say(
        chain,
        "target-tasks-method: nightly\n",
        "target-tasks-method: nightly\n      include-cron-input: true\n",
    )
}
