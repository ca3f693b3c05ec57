//! Parents that take more work than a chain may: each part alone is within its own limit.

use super::ways::{actions_text, earlier, offer, parameters, template, template_is, template_of, wrapped};
use crate::attacks::{Attack, T, W, attack};
use crate::change::{json, set};
use crate::valid::{action, cron, mobile, pr_action, promotion, pull_request, push, tag};
use catena_model::Limits;
use catena_testbed::Chain;

const CODE: &str = "chain-too-much-work";

/// Enough for every usual chain, and for what is not made to exhaust.
pub(super) fn few(limits: &mut Limits) {
    limits.steps = 60_000;
}

/// Lets the target's template work at something that no task is made of.
fn works(chain: &mut Chain, expression: &str) -> Option<()> {
    template(chain, |text| Some(format!("{text}\nwork: {expression}\n")))
}

/// Lets the action's offer work at something that no task is made of.
fn offers(chain: &mut Chain, expression: &str) -> Option<()> {
    let work = json(expression)?;
    offer(chain, |offer| set(offer, &["hookPayload", "work"], work))
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "template that goes through many numbers",
        &[T],
        "A template multiplies fifty thousand numbers that no task is made of.",
        push,
        |c| works(c, "{$map: {$eval: 'range(0, 50000)'}, 'each(x)': {$eval: 'x * x'}}"),
        CODE,
    )
    .within(few),
    attack(
        "template that adds up many numbers",
        &[T],
        "A template adds up fifty thousand numbers.",
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
        "template that looks for a number",
        &[T],
        "The template of a pull request looks for the last of fifty thousand numbers.",
        pull_request,
        |c| works(c, "{$find: {$eval: 'range(0, 50000)'}, 'each(x)': 'x == 49999'}"),
        CODE,
    )
    .within(few),
    attack(
        "template that doubles a text",
        &[T],
        "The template of a release doubles a text twenty times.",
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
        "earlier template that goes through many numbers",
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
        "A template is followed by a megabyte of comment.",
        push,
        |c| template(c, |text| Some(format!("{text}\n# {}\n", "x".repeat(1_000_000)))),
        CODE,
    )
    .within(few),
    attack(
        "template on GitHub of many bytes",
        &[T],
        "A template on GitHub is followed by a megabyte of comment.",
        mobile,
        |c| template(c, |text| Some(format!("{text}\n# {}\n", "x".repeat(1_000_000)))),
        CODE,
    )
    .within(few),
    attack(
        "template of many tasks",
        &[T],
        "A template renders two thousand tasks, each of which the decision task is held against.",
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
        "action's payload that goes through many numbers",
        &[T, W],
        "What an action is fired with multiplies fifty thousand numbers.",
        action,
        |c| offers(c, r#"{"$map":{"$eval":"range(0, 50000)"},"each(x)":{"$eval":"x * x"}}"#),
        CODE,
    )
    .within(few),
    attack(
        "promotion's payload that adds up many numbers",
        &[T, W],
        "What a release promotion is fired with adds up fifty thousand numbers.",
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
        "What an action on a pull request is fired with sorts thirty thousand numbers.",
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
        "The parameters that a promotion's decision task publishes are followed by a megabyte of comment.",
        promotion,
        |c| parameters(c, |text| Some(format!("{text}# {}\n", "x".repeat(1_000_000)))),
        CODE,
    )
    .within(few),
    attack(
        "actions of many bytes",
        &[T, W],
        "What a decision task offers as actions is followed by a megabyte of spaces.",
        action,
        |c| actions_text(c, |text| Some(format!("{text}{}", " ".repeat(1_000_000)))),
        CODE,
    )
    .within(few),
];
