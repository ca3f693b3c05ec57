//! Ways to change what parents depend on: templates, answers, actions, parameters.

use crate::change::{
    ACTIONS, PARAMETERS, first_decision, inside, json, only, pages, published, replace_in, revision_of, set,
    target_parent, text,
};
pub(super) use crate::change::{template, template_of, variable_name};
use crate::valid::push;
use catena_json::Value;
use catena_testbed::chain::{Product, Vcs};
use catena_testbed::{Chain, Release, Trigger};

/// A revision that does not exist.
pub(super) const OTHER: &str = "0123456789012345678901234567890123456789";

/// A push of Firefox to GitHub.
pub(super) fn firefox_git() -> Release {
    Release { vcs: Vcs::Git, ..push() }
}

/// A push of Thunderbird, whose sources are two repositories.
pub(super) fn thunderbird() -> Release {
    Release::of(Product::THUNDERBIRD, Trigger::Push)
}

/// A cron job on GitHub.
pub(super) fn git_cron() -> Release {
    Release::of(Product::MOBILE, Trigger::Cron)
}

/// An action on a push to GitHub.
pub(super) fn git_action() -> Release {
    Release::of(Product::MOBILE, Trigger::Action)
}

/// The decision task of an earlier push, which made the image.
pub(super) fn earlier(chain: &Chain) -> Option<String> {
    chain.decisions.get(1).cloned()
}

/// Changes the first decision task in the queue and in its own document.
pub(super) fn decide(chain: &mut Chain, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let id = first_decision(chain)?;
    only(chain, &id, change)
}

/// Changes the task that made the target in the queue and in its own document.
pub(super) fn act(chain: &mut Chain, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let id = target_parent(chain)?;
    only(chain, &id, change)
}

/// Sets the variable `<PREFIX><name>` of the task that made the target.
pub(super) fn variable(task: &mut Value, name: &str, new: &str) -> Option<()> {
    let key = variable_name(task, name)?;
    set(task, &["payload", "env", &key], new)
}

/// Replaces the template at the revision of the target's decision task.
pub(super) fn template_is(chain: &mut Chain, text: &str) -> Option<()> {
    template(chain, |_| Some(text.to_owned()))
}

/// Replaces `from` by `to` in the template at the revision of the target's decision task.
pub(super) fn template_text(chain: &mut Chain, from: &str, to: &str) -> Option<()> {
    template(chain, |text| text.contains(from).then(|| text.replace(from, to)))
}

/// A template whose only task is one expression.
pub(super) fn evaluates(chain: &mut Chain, expression: &str) -> Option<()> {
    template(chain, |_| Some(format!("version: 1\ntasks:\n  - extra: {expression}\n")))
}

/// Changes a JSON answer at the addresses that contain `part`.
pub(super) fn answer(chain: &mut Chain, part: &str, change: impl Fn(&mut Value) -> Option<()>) -> Option<()> {
    pages(chain, part)?.try_for_each(|page| {
        let mut value = json(text(&page.body)?)?;
        change(&mut value)?;
        page.body = value.to_string().into();
        Some(())
    })
}

/// Changes the push of a decision task in the push log.
pub(super) fn push_of(chain: &mut Chain, id: &str, change: impl Fn(&mut Value) -> Option<()>) -> Option<()> {
    let part = format!("json-pushes?changeset={}", revision_of(chain, id)?);
    answer(chain, &part, |value| {
        let pushes = inside(value, &["pushes"])?.as_object_mut()?;
        let number = pushes.iter().map(|(number, _)| number.clone()).next()?;
        change(pushes.get_mut(&number)?)
    })
}

/// Changes the push of the target's decision task.
pub(super) fn logged(chain: &mut Chain, change: impl Fn(&mut Value) -> Option<()>) -> Option<()> {
    let id = first_decision(chain)?;
    push_of(chain, &id, change)
}

/// Changes the actions that the target's decision task offers, with a signed digest.
pub(super) fn actions(chain: &mut Chain, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let id = first_decision(chain)?;
    published(chain, &id, ACTIONS, |text| {
        let mut value = json(text)?;
        change(&mut value)?;
        Some(value.to_string())
    })
}

/// Changes the text of the actions that the target's decision task offers.
pub(super) fn actions_text(chain: &mut Chain, change: impl FnOnce(&str) -> Option<String>) -> Option<()> {
    let id = first_decision(chain)?;
    published(chain, &id, ACTIONS, change)
}

/// Changes the offer of the action that made the target.
pub(super) fn offer(chain: &mut Chain, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let action = chain.action.clone()?;
    let callback = chain.definition(&action)?.pointer(&["payload", "env", "ACTION_CALLBACK"])?.as_str()?;
    let callback = callback.to_owned();
    actions(chain, |actions| {
        let offers = inside(actions, &["actions"])?.as_array_mut()?;
        let path = ["hookPayload", "decision", "action", "cb_name"];
        let mut offers = offers.iter_mut();
        change(offers.find(|offer| offer.pointer(&path).and_then(Value::as_str) == Some(&callback))?)
    })
}

/// Changes the text of the parameters that the target's decision task publishes.
pub(super) fn parameters(chain: &mut Chain, change: impl FnOnce(&str) -> Option<String>) -> Option<()> {
    let id = first_decision(chain)?;
    published(chain, &id, PARAMETERS, change)
}

/// Starts the action that made the target with another input, consistently.
pub(super) fn input(chain: &mut Chain, text: &str) -> Option<()> {
    let new = json(text)?;
    act(chain, |task| {
        set(task, &["payload", "env", "ACTION_INPUT"], text)?;
        set(task, &["extra", "action", "context", "input"], new)
    })
}

/// Replaces `from` by `to` in the target's decision task.
pub(super) fn decision_text(chain: &mut Chain, from: &str, to: &str) -> Option<()> {
    decide(chain, |task| replace_in(task, from, to))
}

/// YAML with nested aliases that expand to more items than memory can hold.
pub(super) fn alias_bomb(key: &str) -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (below, level) in (0..11).zip(1..12) {
        let aliases = vec![format!("*a{below}"); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    format!("{text}{key}: *a11\n")
}

/// A member of a YAML mapping that is nested deeper than [`shallow`] allows, and not deeper than the
/// default limits.
pub(super) fn deep() -> String {
    format!("deep: {}{}\n", "[".repeat(70), "]".repeat(70))
}

/// Limits for YAML that valid files stay within.
pub(super) fn shallow(limits: &mut catena_model::Limits) {
    limits.yaml.depth = 60;
}

/// Nests an expression this many times.
pub(super) fn wrapped(inner: &str, times: usize, wrap: impl Fn(&str) -> String) -> String {
    (0..times).fold(inner.to_owned(), |inner, _| wrap(&inner))
}
