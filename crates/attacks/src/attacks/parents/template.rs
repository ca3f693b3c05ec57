//! Templates that are missing, malformed, render nothing or other tasks, or exhaust the evaluator.

use super::ways::{
    alias_bomb, deep, earlier, evaluates, firefox_git, git_action, git_cron, shallow, template, template_is,
    template_of, template_text, wrapped,
};
use crate::attacks::{Attack, T, V, attack};
use crate::change::{page_is, page_missing, pages, tagged};
use crate::valid::{action, cron, fork, mobile, pr_action, promotion, pull_request, push, tag};

/// Nests `$map` over lists, a billion iterations in all.
fn maps_over_maps() -> String {
    wrapped("'${x}'", 9, |inner| format!("{{$map: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 'each(x)': {inner}}}"))
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "template missing",
        &[V],
        "The tree on Mercurial has no template at the revision of its decision task.",
        push,
        |c| page_missing(c, "raw-file"),
        "rebuild-template-missing",
    ),
    attack(
        "template missing from GitHub",
        &[V],
        "The tree on GitHub has no template at the revision of its decision task.",
        mobile,
        |c| page_missing(c, "contents/.taskcluster.yml"),
        "rebuild-template-missing",
    ),
    attack(
        "template gone from a tag",
        &[V],
        "The tree has no template at the commit of a release's tag.",
        tag,
        |c| page_missing(c, &format!("contents/.taskcluster.yml?ref={}", tagged(c, "v151.0")?)),
        "rebuild-template-missing",
    ),
    attack(
        "template gone from a fork",
        &[T, V],
        "The fork that a pull request comes from has no template at the revision of its decision task.",
        fork,
        |c| page_missing(c, "contributor/reference-browser/contents"),
        "rebuild-template-missing",
    ),
    attack(
        "template that is not YAML",
        &[T, V],
        "The template ends in the middle of a list.",
        push,
        |c| page_is(c, ".taskcluster.yml", "tasks: ["),
        "rebuild-template-malformed",
    ),
    attack(
        "template on GitHub that is not YAML",
        &[T, V],
        "The template at a release's tag is indented with tabs.",
        tag,
        |c| template_is(c, "tasks:\n\t- provisionerId: x\n"),
        "rebuild-template-malformed",
    ),
    attack(
        "template of an earlier push that is not YAML",
        &[T, V],
        "The template that made the decision task of the image, on an earlier push, is malformed.",
        push,
        |c| {
            let id = earlier(c)?;
            template_of(c, &id, |_| Some("tasks: {".to_owned()))
        },
        "rebuild-template-malformed",
    ),
    attack(
        "empty template",
        &[T, V],
        "The template has no bytes.",
        cron,
        |c| template_is(c, ""),
        "rebuild-template-malformed",
    ),
    attack(
        "template that is a list",
        &[T, V],
        "The template is a list of tasks and not a mapping.",
        mobile,
        |c| template_is(c, "- taskGroupId: x\n"),
        "rebuild-template-malformed",
    ),
    attack(
        "template of two documents",
        &[T, V],
        "A second document follows the template.",
        push,
        |c| template(c, |text| Some(format!("{text}\n---\nversion: 1\ntasks: []\n"))),
        "rebuild-template-malformed",
    ),
    attack(
        "part of an HTML page as a template",
        &[V],
        "The host answers with part of an HTML page in place of the template.",
        push,
        |c| page_is(c, "raw-file", "<h1>Log in</h1>\n<p>It's: 'here\n"),
        "rebuild-template-malformed",
    ),
    attack(
        "template that is not UTF-8",
        &[V],
        "The template has bytes that are not UTF-8.",
        push,
        |c| {
            pages(c, "raw-file")?
                .for_each(|page| page.body = b"version: 1\ntasks: [\"\xff\xfe\"]\n".to_vec().into());
            Some(())
        },
        "rebuild-template-malformed",
    ),
    attack(
        "template with a Python tag",
        &[T],
        "The template uses a Python tag that calls a function.",
        pull_request,
        |c| template_is(c, "version: 1\ntasks: !!python/object/apply:os.system [\"true\"]\n"),
        "rebuild-template-malformed",
    ),
    attack(
        "template of nested aliases",
        &[T],
        "A template of a few lines expands to a hundred billion items.",
        push,
        |c| template_is(c, &alias_bomb("tasks")),
        "rebuild-template-malformed",
    ),
    attack(
        "template nested too deep",
        &[T],
        "A template has an unused part that is nested deeper than the limit.",
        push,
        |c| template(c, |text| Some(format!("{text}\n{}", deep()))),
        "rebuild-template-malformed",
    )
    .within(shallow),
    attack(
        "fork's template of nested aliases",
        &[T],
        "The template of a fork, of a few lines, expands to a hundred billion items.",
        fork,
        |c| template_is(c, &alias_bomb("tasks")),
        "rebuild-template-malformed",
    ),
    attack(
        "template with aliases of a long string",
        &[T],
        "A template refers to one long string a thousand times.",
        mobile,
        |c| {
            template(c, |_| {
                Some(format!("a: &a {}\ntasks: [{}]\n", "x".repeat(100_000), vec!["*a"; 1000].join(", ")))
            })
        },
        "rebuild-template-malformed",
    ),
    attack(
        "template that contains itself",
        &[T],
        "An anchor of the template names a list that contains its own alias.",
        push,
        |c| template_is(c, "version: 1\ntasks: &a [*a]\n"),
        "rebuild-template-malformed",
    ),
    attack(
        "template with an alias to nothing",
        &[T],
        "The template has an alias without an anchor.",
        push,
        |c| template_text(c, "deadline: {$eval: day}", "deadline: *day"),
        "rebuild-template-malformed",
    ),
    attack(
        "template of nested lists",
        &[T],
        "The template is ten thousand nested lists.",
        cron,
        |c| template(c, |_| Some(format!("tasks: {}{}", "[".repeat(10_000), "]".repeat(10_000)))),
        "rebuild-template-malformed",
    ),
    attack(
        "template with one long string",
        &[T],
        "The template has a string of two million characters.",
        push,
        |c| template(c, |text| Some(format!("{text}\nlong: {}\n", "x".repeat(2_000_000)))),
        "rebuild-template-malformed",
    ),
    attack(
        "template that is too long",
        &[T],
        "Five million bytes of comment follow the template.",
        tag,
        |c| template(c, |text| Some(format!("{text}\n# {}\n", "x".repeat(5_000_000)))),
        "rebuild-template-malformed",
    ),
    attack(
        "template with a key that is a list",
        &[T],
        "A key of the template is a list, which no task can have.",
        mobile,
        |c| template_is(c, "version: 1\n? [a, b]\n: x\ntasks: []\n"),
        "rebuild-template-malformed",
    ),
    attack(
        "template with a malformed number",
        &[T],
        "The template has a number that JSON does not have.",
        push,
        |c| template_text(c, "maxRunTime: 1800", "maxRunTime: .nan"),
        "rebuild-template-malformed",
    ),
    attack(
        "template with an empty list of tasks",
        &[T, V],
        "The template has an empty list of tasks.",
        push,
        |c| page_is(c, "raw-file", "version: 1\ntasks: []\n"),
        "rebuild-no-tasks",
    ),
    attack(
        "template without a list of tasks",
        &[T, V],
        "The template has no list of tasks.",
        mobile,
        |c| template_is(c, "version: 1\n"),
        "rebuild-no-tasks",
    ),
    attack(
        "template whose tasks are not a list",
        &[T, V],
        "The tasks of the template are not a list.",
        cron,
        |c| template_is(c, "version: 1\ntasks: {a: b}\n"),
        "rebuild-no-tasks",
    ),
    attack(
        "template with its tasks twice",
        &[T],
        "The template has two lists of tasks, and the second, which counts, is empty.",
        push,
        |c| template(c, |text| Some(format!("{text}\ntasks: []\n"))),
        "rebuild-no-tasks",
    ),
    attack(
        "template that renders nothing for pushes",
        &[T, V],
        "The template renders decision tasks for cron jobs and actions, and none for pushes.",
        push,
        |c| {
            template_text(
                c,
                "tasks_for in [\"hg-push\", \"cron\", \"action\"]",
                "tasks_for in [\"cron\", \"action\"]",
            )
        },
        "rebuild-no-tasks",
    ),
    attack(
        "template that renders nothing for actions",
        &[T, V],
        "The template renders decision tasks for pushes, and none for actions.",
        action,
        |c| {
            template_text(
                c,
                "tasks_for in [\"hg-push\", \"cron\", \"action\"]",
                "tasks_for in [\"hg-push\", \"cron\"]",
            )
        },
        "rebuild-no-tasks",
    ),
    attack(
        "template that renders nothing for cron jobs",
        &[T, V],
        "The template renders decision tasks for pushes, and none for cron jobs.",
        cron,
        |c| {
            template_text(c, "tasks_for in [\"hg-push\", \"cron\", \"action\"]", "tasks_for in [\"hg-push\"]")
        },
        "rebuild-no-tasks",
    ),
    attack(
        "template that renders nothing for releases",
        &[T, V],
        "The template on GitHub renders decision tasks for pushes, and none for releases.",
        tag,
        |c| template_text(c, "|| tasks_for == \"github-release\"\n", "\n"),
        "rebuild-no-tasks",
    ),
    attack(
        "template that renders nothing for pull requests",
        &[T, V],
        "The template on GitHub renders no decision task for a pull request's event.",
        pull_request,
        |c| {
            template_text(
                c,
                "event.action in [\"opened\", \"reopened\", \"synchronize\"]",
                "event.action == \"closed\"",
            )
        },
        "rebuild-no-tasks",
    ),
    attack(
        "template that renders nothing for the branch",
        &[T, V],
        "The template on GitHub renders decision tasks for another branch than the one that was \
         pushed to.",
        firefox_git,
        |c| template_text(c, "branch == \"main\"", "branch == \"release\""),
        "rebuild-no-tasks",
    ),
    attack(
        "template of two other tasks",
        &[T, V],
        "The template renders two tasks, and the decision task matches neither.",
        push,
        |c| {
            template_is(
                c,
                "version: 1\ntasks:\n  - {provisionerId: a, workerType: b}\n  - {provisionerId: c, workerType: d}\n",
            )
        },
        "rebuild-differs",
    ),
    attack(
        "template whose tasks are strings",
        &[T, V],
        "The template renders a list of strings.",
        mobile,
        |c| template_is(c, "version: 1\ntasks: [a, b]\n"),
        "rebuild-differs",
    ),
    attack(
        "template of a later revision",
        &[V],
        "The host answers with the template of a later revision of a Mercurial tree.",
        push,
        |c| template_text(c, "maxRunTime: 1800", "maxRunTime: 3600"),
        "rebuild-differs",
    ),
    attack(
        "template of a later revision, for an earlier push",
        &[V],
        "The host answers with a later template for the decision task of the image only.",
        push,
        |c| {
            let id = earlier(c)?;
            template_of(c, &id, |text| Some(text.replace("maxRunTime: 1800", "maxRunTime: 3600")))
        },
        "rebuild-differs",
    ),
    attack(
        "template of a later revision on GitHub",
        &[V],
        "The contents of the template on GitHub are those of a later revision.",
        mobile,
        |c| template_text(c, "maxRunTime: 1800", "maxRunTime: 3600"),
        "rebuild-differs",
    ),
    attack(
        "template with a merge key",
        &[V],
        "The template of a release adds a variable to the environment by merging a mapping into it.",
        tag,
        |c| {
            template_text(
                c,
                "MOBILE_REPOSITORY_TYPE: git",
                "<<: {TASKGRAPH_SKIP: '1'}\n                  MOBILE_REPOSITORY_TYPE: git",
            )
        },
        "rebuild-differs",
    ),
    attack(
        "template with a key twice",
        &[V],
        "A key occurs twice in the template of a pull request, and the second one, which counts, \
         differs.",
        pull_request,
        |c| template_text(c, "maxRunTime: 1800\n", "maxRunTime: 1800\n              maxRunTime: 7200\n"),
        "rebuild-differs",
    ),
    attack(
        "template with scopes for cron jobs",
        &[V],
        "The template on GitHub gives cron jobs different scopes from the decision task's.",
        git_cron,
        |c| template_text(c, "assume:repo:${path}:cron:${cron.job_name}", "assume:repo:${path}:cron:*"),
        "rebuild-differs",
    ),
    attack(
        "template with another command for actions",
        &[V],
        "The template's command for actions differs from that of the action on a pull request.",
        pr_action,
        |c| template_text(c, "taskgraph action-callback", "taskgraph action-callback --verbose"),
        "rebuild-differs",
    ),
    attack(
        "template with another command for promotions",
        &[V],
        "The template's command for actions differs from the release promotion's.",
        promotion,
        |c| {
            template_text(c, "./mach taskgraph action-callback", "./mach taskgraph action-callback --verbose")
        },
        "rebuild-differs",
    ),
    attack(
        "template with an undefined name",
        &[T, V],
        "The template uses a name that is not in the context of decision tasks.",
        push,
        |c| evaluates(c, "${nobody}"),
        "rebuild-template-fails",
    ),
    attack(
        "template that uses another service's event",
        &[T, V],
        "The template of a Mercurial tree uses GitHub's event.",
        cron,
        |c| evaluates(c, "${event.sender.login}"),
        "rebuild-template-fails",
    ),
    attack(
        "template with an unterminated expression",
        &[T],
        "An expression of the template is unterminated.",
        mobile,
        |c| evaluates(c, "'${tasks_for'"),
        "rebuild-template-fails",
    ),
    attack(
        "template with an unknown operator",
        &[T],
        "The template uses an operator that does not exist.",
        tag,
        |c| evaluates(c, "{$import: os}"),
        "rebuild-template-fails",
    ),
    attack(
        "template that divides by zero",
        &[T],
        "The template divides by zero.",
        pull_request,
        |c| evaluates(c, "{$eval: '1/0'}"),
        "rebuild-template-fails",
    ),
    attack(
        "template with nested parentheses",
        &[T],
        "An expression of the template is twenty thousand nested parentheses.",
        push,
        |c| evaluates(c, &format!("{{$eval: '{}1{}'}}", "(".repeat(20_000), ")".repeat(20_000))),
        "rebuild-template-fails",
    ),
    attack(
        "template with nested brackets",
        &[T],
        "An expression of the template is fifty thousand nested lists.",
        mobile,
        |c| evaluates(c, &format!("{{$eval: '{}{}'}}", "[".repeat(50_000), "]".repeat(50_000))),
        "rebuild-template-fails",
    ),
    attack(
        "template with nested maps",
        &[T],
        "The template nests `$map` over lists, a billion iterations in all.",
        push,
        |c| evaluates(c, &maps_over_maps()),
        "rebuild-template-fails",
    ),
    attack(
        "fork's template with nested maps",
        &[T],
        "A fork's template nests `$map` over lists, a billion iterations in all.",
        fork,
        |c| evaluates(c, &maps_over_maps()),
        "rebuild-template-fails",
    ),
    attack(
        "template with a huge range",
        &[T],
        "The template requests a list of a thousand million numbers.",
        cron,
        |c| evaluates(c, "{$eval: 'range(0, 1000000000)'}"),
        "rebuild-template-fails",
    ),
    attack(
        "template with a very large number",
        &[T],
        "The template computes nine to the power of nine to the power of nine.",
        tag,
        |c| evaluates(c, "{$eval: '9 ** 9 ** 9'}"),
        "rebuild-template-fails",
    ),
    attack(
        "template with a string that doubles",
        &[T],
        "The template concatenates a string with itself forty times.",
        mobile,
        |c| {
            let inner =
                wrapped("'${a}'", 40, |inner| format!("{{$let: {{a: '${{a}}${{a}}'}}, in: {inner}}}"));
            evaluates(c, &format!("{{$let: {{a: xxxxxxxx}}, in: {inner}}}"))
        },
        "rebuild-template-fails",
    ),
    attack(
        "template with a list that doubles",
        &[T],
        "The template concatenates a list with itself thirty times and keeps each result.",
        pull_request,
        |c| {
            let inner = wrapped("{$eval: a}", 30, |inner| {
                format!("{{$let: {{a: [{{$eval: a}}, {{$eval: a}}]}}, in: {inner}}}")
            });
            evaluates(c, &format!("{{$let: {{a: []}}, in: {inner}}}"))
        },
        "rebuild-template-fails",
    ),
    attack(
        "template with exponential `$reduce`",
        &[T],
        "The template's `$reduce` doubles its value for each of a hundred numbers.",
        promotion,
        |c| evaluates(c, "{$reduce: {$eval: 'range(0, 100)'}, initial: x, 'each(a, b)': {$eval: 'a + a'}}"),
        "rebuild-template-fails",
    ),
    attack(
        "action's template with nested maps",
        &[T],
        "A template is harmless for pushes, and nests `$map` over lists for actions.",
        git_action,
        |c| {
            let inner = maps_over_maps();
            template(c, |text| {
                let more = format!(
                    "- $if: isAction\n                  then:\n                    X: {{$json: {inner}}}\n                    ACTION_TASK_GROUP_ID:"
                );
                Some(text.replace(
                    "- $if: isAction\n                  then:\n                    ACTION_TASK_GROUP_ID:",
                    &more,
                ))
            })
        },
        "rebuild-template-fails",
    ),
    attack(
        "template with `as_slugid` without an argument",
        &[T],
        "The template calls `as_slugid` without a name.",
        firefox_git,
        |c| evaluates(c, "{$eval: 'as_slugid()'}"),
        "rebuild-template-fails",
    ),
    attack(
        "template with an out-of-range time",
        &[T],
        "The template requests a time after the end of the calendar.",
        pr_action,
        |c| evaluates(c, "{$fromNow: '999999999 years'}"),
        "rebuild-template-fails",
    ),
];
