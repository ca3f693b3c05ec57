//! Parents that need more work than a chain may take, although each part is within its own limit.

use super::ways::{actions_text, earlier, offer, parameters, template, template_is, template_of, wrapped};
use crate::attacks::{Attack, T, W, attack};
use crate::change::{json, set};
use crate::valid::{action, cron, mobile, pr_action, promotion, pull_request, push, tag};
use catena_model::Limits;
use catena_testbed::Chain;

const CODE: &str = "chain-too-much-work";

/// Enough for every ordinary chain, and for everything that is not designed to exhaust it.
pub(super) fn few(limits: &mut Limits) {
    limits.steps = 60_000;
}

/// Adds unused work to the target's template.
fn works(chain: &mut Chain, expression: &str) -> Option<()> {
    template(chain, |text| Some(format!("{text}\nwork: {expression}\n")))
}

/// Adds unused work to the action's offer.
fn offers(chain: &mut Chain, expression: &str) -> Option<()> {
    let work = json(expression)?;
    offer(chain, |offer| set(offer, &["hookPayload", "work"], work))
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "template that multiplies many numbers",
        &[T],
        "A template multiplies fifty thousand numbers that no task uses.",
        push,
        |c| works(c, "{$map: {$eval: 'range(0, 50000)'}, 'each(x)': {$eval: 'x * x'}}"),
        CODE,
    )
    .within(few),
    attack(
        "template that adds many numbers",
        &[T],
        "A template adds fifty thousand numbers.",
        cron,
        |c| works(c, "{$reduce: {$eval: 'range(0, 50000)'}, initial: 0, 'each(a, x)': {$eval: 'a + x'}}"),
        CODE,
    )
    .within(few),
    attack(
        "template that sorts many numbers",
        &[T],
        "A template on GitHub sorts thirty thousand numbers.",
        mobile,
        |c| works(c, "{$sort: {$eval: 'range(0, 30000)'}, 'by(x)': '0 - x'}"),
        CODE,
    )
    .within(few),
    attack(
        "template that searches for a number",
        &[T],
        "The template of a pull request searches for the last of fifty thousand numbers.",
        pull_request,
        |c| works(c, "{$find: {$eval: 'range(0, 50000)'}, 'each(x)': 'x == 49999'}"),
        CODE,
    )
    .within(few),
    attack(
        "template that doubles a string",
        &[T],
        "The template of a release doubles a string twenty times.",
        tag,
        |c| {
            let doubled = wrapped("{$eval: 'len(a)'}", 20, |inner| {
                format!("{{$let: {{a: '${{a}}${{a}}'}}, in: {inner}}}")
            });
            works(c, &format!("{{$let: {{a: x}}, in: {doubled}}}"))
        },
        CODE,
    )
    .within(few),
    attack(
        "earlier template that multiplies many numbers",
        &[T],
        "The template of the earlier push that made the image multiplies fifty thousand numbers.",
        push,
        |c| {
            let id = earlier(c)?;
            let work = "work: {$map: {$eval: 'range(0, 50000)'}, 'each(x)': {$eval: 'x * x'}}";
            template_of(c, &id, |text| Some(format!("{text}\n{work}\n")))
        },
        CODE,
    )
    .within(few),
    attack(
        "template of many bytes",
        &[T],
        "A megabyte of comment follows a template.",
        push,
        |c| template(c, |text| Some(format!("{text}\n# {}\n", "x".repeat(1_000_000)))),
        CODE,
    )
    .within(few),
    attack(
        "template on GitHub of many bytes",
        &[T],
        "A megabyte of comment follows a template on GitHub.",
        mobile,
        |c| template(c, |text| Some(format!("{text}\n# {}\n", "x".repeat(1_000_000)))),
        CODE,
    )
    .within(few),
    attack(
        "template of many tasks",
        &[T],
        "A template renders two thousand tasks, and the decision task is compared with each.",
        push,
        |c| {
            template_is(
                c,
                "version: 1\ntasks: {$map: {$eval: 'range(0, 2000)'}, 'each(x)': {n: {$eval: x}}}\n",
            )
        },
        CODE,
    )
    .within(few),
    attack(
        "action's payload that multiplies many numbers",
        &[T, W],
        "The hook payload of an action multiplies fifty thousand numbers.",
        action,
        |c| offers(c, r#"{"$map":{"$eval":"range(0, 50000)"},"each(x)":{"$eval":"x * x"}}"#),
        CODE,
    )
    .within(few),
    attack(
        "promotion's payload that adds many numbers",
        &[T, W],
        "The hook payload of a release promotion adds fifty thousand numbers.",
        promotion,
        |c| {
            offers(c, r#"{"$reduce":{"$eval":"range(0, 50000)"},"initial":0,"each(a, x)":{"$eval":"a + x"}}"#)
        },
        CODE,
    )
    .within(few),
    attack(
        "pull request action's payload that sorts many numbers",
        &[T, W],
        "The hook payload of an action on a pull request sorts thirty thousand numbers.",
        pr_action,
        |c| offers(c, r#"{"$sort":{"$eval":"range(0, 30000)"},"by(x)":"0 - x"}"#),
        CODE,
    )
    .within(few),
    attack(
        "schema of many parts",
        &[T, W],
        "The schema for the input of an action has fifty thousand parts.",
        action,
        |c| {
            let schema = json(&format!("{{\"allOf\":[{}]}}", vec!["true"; 50_000].join(",")))?;
            offer(c, |offer| set(offer, &["schema"], schema))
        },
        CODE,
    )
    .within(few),
    attack(
        "parameters of many bytes",
        &[T, W],
        "A megabyte of comment follows the parameters that a promotion's decision task publishes.",
        promotion,
        |c| parameters(c, |text| Some(format!("{text}# {}\n", "x".repeat(1_000_000)))),
        CODE,
    )
    .within(few),
    attack(
        "actions of many bytes",
        &[T, W],
        "A megabyte of spaces follows the actions that a decision task offers.",
        action,
        |c| actions_text(c, |text| Some(format!("{text}{}", " ".repeat(1_000_000)))),
        CODE,
    )
    .within(few),
];
