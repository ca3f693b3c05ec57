//! Decision tasks that were created before their push, or long after it.

use super::ways::{answer, git_cron};
use crate::attacks::{Attack, T, V, attack};
use crate::change::{everywhere, remove, replace_page};
use crate::valid::{action, cron, fork, mobile, promotion, push, tag};

/// The time of the target's push, five minutes before its decision task, as in the push log and in
/// decision tasks.
const PUSHED: &str = "1786526712";
/// The same for the push of the images, ten minutes before its decision task.
const EARLIER: &str = "1786491012";
/// The time of the target's commit, as GitHub returns it.
const COMMITTED: &str = "2026-08-12T09:25:12Z";

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "decision task before its push",
        &[T, V],
        "A decision task was created two minutes before its push.",
        push,
        |c| everywhere(c, PUSHED, "1786527132"),
        "rebuild-before-push",
    ),
    attack(
        "cron job before its push",
        &[T, V],
        "A cron job's decision task was created a day before the push that it refers to.",
        cron,
        |c| everywhere(c, PUSHED, "1786613412"),
        "rebuild-before-push",
    ),
    attack(
        "action on a decision task before its push",
        &[T, V],
        "An action acts on a decision task that was created an hour before its push.",
        action,
        |c| everywhere(c, PUSHED, "1786530612"),
        "rebuild-before-push",
    ),
    attack(
        "promotion of a future push",
        &[T, V],
        "A release promotion acts on a decision task that was created years before its push.",
        promotion,
        |c| everywhere(c, PUSHED, "1886527012"),
        "rebuild-before-push",
    ),
    attack(
        "image of a future push",
        &[T, V],
        "The decision task that made an image was created an hour before its push.",
        push,
        |c| everywhere(c, EARLIER, "1786495212"),
        "rebuild-before-push",
    ),
    attack(
        "decision task before its release",
        &[T, V],
        "A release's decision task was created ten minutes before the release was published.",
        tag,
        |c| replace_page(c, "releases/tags", "2026-08-12T09:20:00Z", "2026-08-12T09:40:12Z"),
        "rebuild-before-push",
    ),
    attack(
        "decision task before its commit",
        &[T, V],
        "A decision task on GitHub was created more than a day before its commit was made.",
        mobile,
        |c| replace_page(c, "/commits/", COMMITTED, "2026-08-13T09:30:13Z"),
        "rebuild-before-push",
    ),
    attack(
        "old push",
        &[T],
        "A decision task was created more than a day after its push, and the product allows one day.",
        push,
        |c| everywhere(c, PUSHED, "1786440611"),
        "rebuild-push-old",
    )
    .under("catena-policy: 1\ndefaults: {max-push-age: 1}\n"),
    attack(
        "cron job on an old push",
        &[T],
        "A cron job refers to a push of a year before, and the product allows thirty days.",
        cron,
        |c| everywhere(c, PUSHED, "1754991012"),
        "rebuild-push-old",
    )
    .under("catena-policy: 1\nproducts: {firefox: {max-push-age: 30}}\n"),
    attack(
        "promotion of an old push",
        &[T],
        "A release promotion acts on a decision task that was created two days after its push.",
        promotion,
        |c| everywhere(c, PUSHED, "1786354212"),
        "rebuild-push-old",
    )
    .under("catena-policy: 1\ndefaults: {max-push-age: 1}\n"),
    attack(
        "old commit",
        &[T],
        "A decision task on GitHub was created three months after its commit.",
        mobile,
        |c| replace_page(c, "/commits/", COMMITTED, "2026-05-12T09:30:13Z"),
        "rebuild-push-old",
    )
    .under("catena-policy: 1\ndefaults: {max-push-age: 30}\n"),
    attack(
        "pull request of an old commit",
        &[T],
        "A pull request's decision task was created three months after its commit.",
        fork,
        |c| replace_page(c, "/commits/", COMMITTED, "2026-05-12T09:30:13Z"),
        "rebuild-push-old",
    )
    .under("catena-policy: 1\ndefaults: {max-push-age: 30}\n"),
    attack(
        "cron job on an old commit",
        &[T],
        "A cron job on GitHub refers to a commit of three months before.",
        git_cron,
        |c| replace_page(c, "/commits/", COMMITTED, "2026-05-12T09:30:13Z"),
        "rebuild-push-old",
    )
    .under("catena-policy: 1\ndefaults: {max-push-age: 30}\n"),
    attack(
        "old release",
        &[T],
        "A decision task was created a month and a day after its release.",
        tag,
        |c| replace_page(c, "releases/tags", "2026-08-12T09:20:00Z", "2026-07-13T09:20:00Z"),
        "rebuild-push-old",
    )
    .under("catena-policy: 1\ndefaults: {max-push-age: 30}\n"),
    attack(
        "commit without a date",
        &[V],
        "GitHub's answer for a commit has no date.",
        mobile,
        |c| answer(c, "/commits/", |commit| remove(commit, &["commit", "committer", "date"])),
        "rebuild-answer-malformed",
    ),
    attack(
        "push whose date has a fraction",
        &[V],
        "The push log's date is a number with a fraction.",
        cron,
        |c| everywhere(c, PUSHED, "1786526712.5"),
        "rebuild-answer-malformed",
    ),
    attack(
        "release with a malformed date",
        &[V],
        "GitHub's date of a release is malformed.",
        tag,
        |c| replace_page(c, "releases/tags", "2026-08-12T09:20:00Z", "yesterday"),
        "rebuild-answer-malformed",
    ),
];
