//! Answers of the push log, and commit messages that it does not contain.

use super::ways::{OTHER, answer, earlier, logged, push_of, thunderbird};
use crate::attacks::{Attack, T, V, attack};
use crate::change::{decision, inside, page_is, page_missing, remove, replace_page, set};
use crate::valid::{cron, push};
use catena_json::Map;

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "push by another user",
        &[V],
        "The push log names a different user from the decision task.",
        push,
        |c| logged(c, |push| set(push, &["user"], "somebody@example.org")),
        "rebuild-differs",
    ),
    attack(
        "push on another day",
        &[V],
        "The push log names a different date from the decision task.",
        push,
        |c| logged(c, |push| set(push, &["date"], 1_700_000_000_i64)),
        "rebuild-differs",
    ),
    attack(
        "push with another parent",
        &[V],
        "The push log names a different revision as the parent of the push.",
        push,
        |c| logged(c, |push| set(push, &["changesets", "0", "parents", "0"], OTHER)),
        "rebuild-differs",
    ),
    attack(
        "cron job on a push with another parent",
        &[V],
        "The push log names a different revision as the parent of the push that a cron job refers to.",
        cron,
        |c| logged(c, |push| set(push, &["changesets", "0", "parents", "0"], OTHER)),
        "rebuild-differs",
    ),
    attack(
        "push of Thunderbird by another user",
        &[V],
        "The push log names a different user from Thunderbird's decision task.",
        thunderbird,
        |c| logged(c, |push| set(push, &["user"], "somebody@example.org")),
        "rebuild-differs",
    ),
    attack(
        "earlier push by another user",
        &[V],
        "The push log names a different user from the decision task of the image, on an earlier push.",
        push,
        |c| {
            let id = earlier(c)?;
            push_of(c, &id, |push| set(push, &["user"], "somebody@example.org"))
        },
        "rebuild-differs",
    ),
    attack(
        "push with another number",
        &[V],
        "The push log lists the push under another number.",
        push,
        |c| {
            answer(c, "json-pushes", |log| {
                let pushes = inside(log, &["pushes"])?.as_object_mut()?;
                let (_, push) = std::mem::take(pushes).into_iter().next()?;
                pushes.insert("7", push);
                Some(())
            })
        },
        "rebuild-differs",
    ),
    attack(
        "push with an extra changeset before",
        &[V],
        "The push log has an extra changeset before the one that was pushed.",
        push,
        |c| {
            logged(c, |push| {
                let changesets = inside(push, &["changesets"])?.as_array_mut()?;
                let mut first = changesets.first()?.clone();
                set(&mut first, &["node"], OTHER)?;
                set(&mut first, &["parents", "0"], OTHER)?;
                changesets.insert(0, first);
                Some(())
            })
        },
        "rebuild-differs",
    ),
    attack(
        "push with another tip",
        &[V],
        "The last changeset of the push is not the requested revision.",
        push,
        |c| logged(c, |push| set(push, &["changesets", "0", "node"], OTHER)),
        "rebuild-answer-about-another",
    ),
    attack(
        "push with an extra changeset after",
        &[V],
        "The push continues after the revision of the decision task.",
        cron,
        |c| {
            logged(c, |push| {
                let changesets = inside(push, &["changesets"])?.as_array_mut()?;
                let mut last = changesets.last()?.clone();
                set(&mut last, &["node"], OTHER)?;
                changesets.push(last);
                Some(())
            })
        },
        "rebuild-answer-about-another",
    ),
    attack(
        "push without a tip",
        &[V],
        "The last changeset of the push has no node.",
        push,
        |c| logged(c, |push| remove(push, &["changesets", "0", "node"])),
        "rebuild-answer-about-another",
    ),
    attack(
        "unknown push",
        &[V, T],
        "The push log does not know the revision.",
        push,
        |c| page_missing(c, "json-pushes"),
        "rebuild-unknown-to-vcs",
    ),
    attack(
        "several pushes",
        &[V],
        "The push log answers with two pushes.",
        push,
        |c| {
            answer(c, "json-pushes", |log| {
                let pushes = inside(log, &["pushes"])?.as_object_mut()?;
                let (_, push) = pushes.iter().next().map(|(key, push)| (key.clone(), push.clone()))?;
                pushes.insert("7", push);
                Some(())
            })
        },
        "rebuild-answer-malformed",
    ),
    attack(
        "push log without pushes",
        &[V],
        "The push log answers with an empty object of pushes.",
        cron,
        |c| answer(c, "json-pushes", |log| set(log, &["pushes"], Map::new())),
        "rebuild-answer-malformed",
    ),
    attack(
        "push log with an empty list",
        &[V],
        "The push log answers with an empty list.",
        push,
        |c| page_is(c, "json-pushes", "[]"),
        "rebuild-answer-malformed",
    ),
    attack(
        "push log that is not JSON",
        &[V],
        "The host's push log has a trailing comma.",
        push,
        |c| page_is(c, "json-pushes", "{\"lastpushid\": 1, \"pushes\": {},}"),
        "rebuild-answer-malformed",
    ),
    attack(
        "push log with a user twice",
        &[V],
        "The push log names two users under the same key.",
        push,
        |c| replace_page(c, "json-pushes", "\"user\":", "\"user\":\"somebody@example.org\",\"user\":"),
        "rebuild-answer-malformed",
    ),
    attack(
        "push without changesets",
        &[V],
        "The push has an empty list of changesets.",
        push,
        |c| logged(c, |push| set(push, &["changesets"], Vec::new())),
        "rebuild-answer-malformed",
    ),
    attack(
        "push without a description",
        &[V],
        "The changeset of the push has no description.",
        push,
        |c| logged(c, |push| remove(push, &["changesets", "0", "desc"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "push without parents",
        &[V],
        "The changeset of the push has no parents.",
        thunderbird,
        |c| logged(c, |push| set(push, &["changesets", "0", "parents"], Vec::new())),
        "rebuild-answer-malformed",
    ),
    attack(
        "push without a user",
        &[V],
        "The push log does not say who pushed.",
        push,
        |c| logged(c, |push| remove(push, &["user"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "push with a date as a string",
        &[V],
        "The date of the push is a string of the same digits.",
        cron,
        |c| {
            logged(c, |push| {
                let date = inside(push, &["date"])?;
                *date = date.to_string().into();
                Some(())
            })
        },
        "rebuild-answer-malformed",
    ),
    attack(
        "invented commit message",
        &[T],
        "A decision task has a commit message that was not pushed.",
        push,
        |c| decision(c, &["payload", "env", "GECKO_COMMIT_MSG"], "x"),
        "rebuild-push-comment",
    ),
    attack(
        "empty commit message",
        &[T],
        "A decision task has an empty commit message where the tree renders one space.",
        push,
        |c| decision(c, &["payload", "env", "GECKO_COMMIT_MSG"], ""),
        "rebuild-push-comment",
    ),
    attack(
        "description as the commit message",
        &[T],
        "A decision task has the push's whole description as its commit message.",
        thunderbird,
        |c| decision(c, &["payload", "env", "GECKO_COMMIT_MSG"], "Bug 1234567 - Do less, faster. r=reviewer"),
        "rebuild-push-comment",
    ),
    attack(
        "try line with more after it",
        &[T],
        "A decision task has the push's try line and the next line as its commit message.",
        push,
        |c| {
            logged(c, |push| set(push, &["changesets", "0", "desc"], "Faster\ntry: -b do\nrm -rf /"))?;
            decision(c, &["payload", "env", "GECKO_COMMIT_MSG"], "try: -b do\nrm -rf /")
        },
        "rebuild-push-comment",
    ),
    attack(
        "try line of another push",
        &[T],
        "A decision task has a try line with the same prefix as the push's.",
        push,
        |c| {
            logged(c, |push| set(push, &["changesets", "0", "desc"], "try: -b do -p linux"))?;
            decision(c, &["payload", "env", "GECKO_COMMIT_MSG"], "try: -b do")
        },
        "rebuild-push-comment",
    ),
];
