//! Templates that are missing, cannot be read, render nothing or something else, or exhaust who evaluates them.

use super::ways::{
    alias_bomb, deep, earlier, evaluates, firefox_git, git_action, git_cron, shallow, template, template_is,
    template_of, template_text, wrapped,
};
use crate::attacks::{Attack, T, V, attack};
use crate::change::{page_is, page_missing, pages, tagged};
use crate::valid::{action, cron, fork, mobile, pr_action, promotion, pull_request, push, tag};

/// Goes through lists inside of lists, a billion times in all.
fn maps_over_maps() -> String {
    wrapped("'${x}'", 9, |inner| format!("{{$map: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 'each(x)': {inner}}}"))
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "template gone",
        &[V],
        "The tree on Mercurial has no template at the revision of its decision task.",
        push,
        |c| page_missing(c, "raw-file"),
        "rebuild-template-missing",
    ),
    attack(
        "template gone from GitHub",
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
        "The template that made the decision task of the image, on an earlier push, cannot be read.",
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
        "The template is a list of tasks, and not a mapping that has one.",
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
        "template that is a piece of a page",
        &[V],
        "The host answers with a piece of a page for people, in the place of the template.",
        push,
        |c| page_is(c, "raw-file", "<h1>Log in</h1>\n<p>It's: 'here\n"),
        "rebuild-template-malformed",
    ),
    attack(
        "template that is no text",
        &[V],
        "The template has bytes that are no UTF-8.",
        push,
        |c| {
            pages(c, "raw-file")?
                .for_each(|page| page.body = b"version: 1\ntasks: [\"\xff\xfe\"]\n".to_vec().into());
            Some(())
        },
        "rebuild-template-malformed",
    ),
    attack(
        "template with a tag of Python's",
        &[T],
        "The template asks whoever reads it to call a function.",
        pull_request,
        |c| template_is(c, "version: 1\ntasks: !!python/object/apply:os.system [\"true\"]\n"),
        "rebuild-template-malformed",
    ),
    attack(
        "template of aliases of aliases",
        &[T],
        "A template of a few lines stands for a hundred billion items.",
        push,
        |c| template_is(c, &alias_bomb("tasks")),
        "rebuild-template-malformed",
    ),
    attack(
        "template deeper than the limit",
        &[T],
        "A template has a part that nothing is made of, deeper than our own limits.",
        push,
        |c| template(c, |text| Some(format!("{text}\n{}", deep()))),
        "rebuild-template-malformed",
    )
    .within(shallow),
    attack(
        "fork's template of aliases of aliases",
        &[T],
        "The template of a fork, of a few lines, stands for a hundred billion items.",
        fork,
        |c| template_is(c, &alias_bomb("tasks")),
        "rebuild-template-malformed",
    ),
    attack(
        "template of aliases of a long text",
        &[T],
        "A template names one long text a thousand times.",
        mobile,
        |c| {
            template(c, |_| {
                Some(format!("a: &a {}\ntasks: [{}]\n", "x".repeat(100_000), vec!["*a"; 1000].join(", ")))
            })
        },
        "rebuild-template-malformed",
    ),
    attack(
        "template that holds itself",
        &[T],
        "An anchor of the template stands for a list that the alias is in.",
        push,
        |c| template_is(c, "version: 1\ntasks: &a [*a]\n"),
        "rebuild-template-malformed",
    ),
    attack(
        "template with an alias to nothing",
        &[T],
        "The template names an anchor that it does not have.",
        push,
        |c| template_text(c, "deadline: {$eval: day}", "deadline: *day"),
        "rebuild-template-malformed",
    ),
    attack(
        "template of lists in lists",
        &[T],
        "The template is ten thousand lists inside one another.",
        cron,
        |c| template(c, |_| Some(format!("tasks: {}{}", "[".repeat(10_000), "]".repeat(10_000)))),
        "rebuild-template-malformed",
    ),
    attack(
        "template of one long text",
        &[T],
        "The template has a text of two million characters.",
        push,
        |c| template(c, |text| Some(format!("{text}\nlong: {}\n", "x".repeat(2_000_000)))),
        "rebuild-template-malformed",
    ),
    attack(
        "template that is too long",
        &[T],
        "The template is followed by five million bytes of comment.",
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
        "template without tasks",
        &[T, V],
        "The template has an empty list of tasks.",
        push,
        |c| page_is(c, "raw-file", "version: 1\ntasks: []\n"),
        "rebuild-no-tasks",
    ),
    attack(
        "template that names no tasks",
        &[T, V],
        "The template has no list of tasks at all.",
        mobile,
        |c| template_is(c, "version: 1\n"),
        "rebuild-no-tasks",
    ),
    attack(
        "template whose tasks are none",
        &[T, V],
        "What the template has under tasks is no list.",
        cron,
        |c| template_is(c, "version: 1\ntasks: {a: b}\n"),
        "rebuild-no-tasks",
    ),
    attack(
        "template with its tasks twice",
        &[T],
        "The template has a list of tasks, and then another one, which is empty and counts.",
        push,
        |c| template(c, |text| Some(format!("{text}\ntasks: []\n"))),
        "rebuild-no-tasks",
    ),
    attack(
        "template that makes nothing of pushes",
        &[T, V],
        "The template makes decision tasks for cron jobs and actions, and none for a push.",
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
        "template that makes nothing of actions",
        &[T, V],
        "The template makes decision tasks for pushes, and no action.",
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
        "template that makes nothing of cron jobs",
        &[T, V],
        "The template makes decision tasks for pushes, and none for a cron job.",
        cron,
        |c| {
            template_text(c, "tasks_for in [\"hg-push\", \"cron\", \"action\"]", "tasks_for in [\"hg-push\"]")
        },
        "rebuild-no-tasks",
    ),
    attack(
        "template that makes nothing of releases",
        &[T, V],
        "The template on GitHub makes decision tasks for pushes, and none for a release.",
        tag,
        |c| template_text(c, "|| tasks_for == \"github-release\"\n", "\n"),
        "rebuild-no-tasks",
    ),
    attack(
        "template that makes nothing of pull requests",
        &[T, V],
        "The template on GitHub makes no decision task for the event that a pull request is.",
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
        "template that makes nothing of the branch",
        &[T, V],
        "The template on GitHub makes decision tasks for another branch than was pushed to.",
        firefox_git,
        |c| template_text(c, "branch == \"main\"", "branch == \"release\""),
        "rebuild-no-tasks",
    ),
    attack(
        "template of two other tasks",
        &[T, V],
        "The template makes two tasks, and the decision task is neither of them.",
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
        "template whose tasks are texts",
        &[T, V],
        "The template makes a list of texts.",
        mobile,
        |c| template_is(c, "version: 1\ntasks: [a, b]\n"),
        "rebuild-differs",
    ),
    attack(
        "template of another time",
        &[V],
        "The host answers with the template of a later revision of a Mercurial tree.",
        push,
        |c| template_text(c, "maxRunTime: 1800", "maxRunTime: 3600"),
        "rebuild-differs",
    ),
    attack(
        "template of another time, for an earlier push",
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
        "template of another time on GitHub",
        &[V],
        "The contents of the template on GitHub are those of a later revision.",
        mobile,
        |c| template_text(c, "maxRunTime: 1800", "maxRunTime: 3600"),
        "rebuild-differs",
    ),
    attack(
        "template that a key is added to by an anchor",
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
        "A key stands twice in the template of a pull request, and the second one, which counts, is another.",
        pull_request,
        |c| template_text(c, "maxRunTime: 1800\n", "maxRunTime: 1800\n              maxRunTime: 7200\n"),
        "rebuild-differs",
    ),
    attack(
        "template with scopes for cron jobs",
        &[V],
        "The template on GitHub gives cron jobs other scopes than the decision task has.",
        git_cron,
        |c| template_text(c, "assume:repo:${path}:cron:${cron.job_name}", "assume:repo:${path}:cron:*"),
        "rebuild-differs",
    ),
    attack(
        "template with another command for actions",
        &[V],
        "The template's command for actions is another than the action's on a pull request.",
        pr_action,
        |c| template_text(c, "taskgraph action-callback", "taskgraph action-callback --verbose"),
        "rebuild-differs",
    ),
    attack(
        "template with another command for promotions",
        &[V],
        "The template's command for actions is another than the release promotion's.",
        promotion,
        |c| {
            template_text(c, "./mach taskgraph action-callback", "./mach taskgraph action-callback --verbose")
        },
        "rebuild-differs",
    ),
    attack(
        "template with a name that nothing has",
        &[T, V],
        "The template uses a name that decision tasks are not rendered with.",
        push,
        |c| evaluates(c, "${nobody}"),
        "rebuild-template-fails",
    ),
    attack(
        "template for a service that is not asked",
        &[T, V],
        "The template of a Mercurial tree uses GitHub's event.",
        cron,
        |c| evaluates(c, "${event.sender.login}"),
        "rebuild-template-fails",
    ),
    attack(
        "template with an expression that does not end",
        &[T],
        "An expression of the template has no end.",
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
        "template of parentheses in parentheses",
        &[T],
        "An expression of the template is twenty thousand parentheses inside one another.",
        push,
        |c| evaluates(c, &format!("{{$eval: '{}1{}'}}", "(".repeat(20_000), ")".repeat(20_000))),
        "rebuild-template-fails",
    ),
    attack(
        "template of brackets in brackets",
        &[T],
        "An expression of the template is fifty thousand lists inside one another.",
        mobile,
        |c| evaluates(c, &format!("{{$eval: '{}{}'}}", "[".repeat(50_000), "]".repeat(50_000))),
        "rebuild-template-fails",
    ),
    attack(
        "template that maps over maps",
        &[T],
        "The template goes through lists inside of lists, a billion times in all.",
        push,
        |c| evaluates(c, &maps_over_maps()),
        "rebuild-template-fails",
    ),
    attack(
        "fork's template that maps over maps",
        &[T],
        "A fork's template goes through lists inside of lists, a billion times in all.",
        fork,
        |c| evaluates(c, &maps_over_maps()),
        "rebuild-template-fails",
    ),
    attack(
        "template that counts very far",
        &[T],
        "The template asks for a list of a thousand million numbers.",
        cron,
        |c| evaluates(c, "{$eval: 'range(0, 1000000000)'}"),
        "rebuild-template-fails",
    ),
    attack(
        "template with a very large number",
        &[T],
        "The template raises nine to the power of nine to the power of nine.",
        tag,
        |c| evaluates(c, "{$eval: '9 ** 9 ** 9'}"),
        "rebuild-template-fails",
    ),
    attack(
        "template with a text that doubles",
        &[T],
        "The template puts a text together with itself forty times over.",
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
        "The template puts a list together with itself thirty times over, and holds each.",
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
        "template that reduces to ever more",
        &[T],
        "The template adds what it has to itself for every number up to a hundred.",
        promotion,
        |c| evaluates(c, "{$reduce: {$eval: 'range(0, 100)'}, initial: x, 'each(a, b)': {$eval: 'a + a'}}"),
        "rebuild-template-fails",
    ),
    attack(
        "action's template that maps over maps",
        &[T],
        "A template does no more than it should for pushes, and for actions goes through lists inside of lists.",
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
        "The template calls the function that makes task ids without a name.",
        firefox_git,
        |c| evaluates(c, "{$eval: 'as_slugid()'}"),
        "rebuild-template-fails",
    ),
    attack(
        "template with a malformed time",
        &[T],
        "The template asks for the time after the end of the calendar.",
        pr_action,
        |c| evaluates(c, "{$fromNow: '999999999 years'}"),
        "rebuild-template-fails",
    ),
];
