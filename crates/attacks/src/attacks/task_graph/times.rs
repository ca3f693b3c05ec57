//! Tasks whose times are malformed or differ from those of their parent's graph.

use super::{image_only, nth_only, target_only};
use crate::attacks::{Attack, Q, T, attack};
use crate::change::{build_only, inside, remove, set};
use crate::valid::{cron, mobile, pull_request, push, tag};

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "later deadline",
        &[T],
        "The deadline of a build is years away.",
        push,
        |c| build_only(c, &["deadline"], "2030-01-01T00:00:00.000Z"),
        "graph-times-differ",
    ),
    attack(
        "missing deadline",
        &[Q],
        "A build of a pull request has no deadline, and the graph sets one.",
        pull_request,
        |c| nth_only(c, 0, |task| remove(task, &["deadline"])),
        "graph-times-differ",
    ),
    attack(
        "earlier expiry",
        &[T],
        "The signing task expires earlier than the graph says.",
        mobile,
        |c| target_only(c, |task| set(task, &["expires"], "2026-08-20T00:00:00.000Z")),
        "graph-times-differ",
    ),
    attack(
        "deadline in another time zone",
        &[T],
        "A build's deadline is the graph's, written in another time zone.",
        cron,
        |c| {
            nth_only(c, 0, |task| {
                let deadline = inside(task, &["deadline"])?;
                *deadline = deadline.as_str()?.replace('Z', "+00:00").into();
                Some(())
            })
        },
        "graph-times-differ",
    ),
    attack(
        "later creation",
        &[T, Q],
        "A build was created years after its deadline and expiry imply.",
        push,
        |c| build_only(c, &["created"], "2029-01-01T00:00:00.000Z"),
        "graph-times-differ",
    ),
    attack(
        "time without milliseconds",
        &[T, Q],
        "A build's creation time has no milliseconds.",
        push,
        |c| build_only(c, &["created"], "2026-08-12T09:30:12Z"),
        "graph-created-malformed",
    ),
    attack(
        "creation in another time zone",
        &[T, Q],
        "The creation time of the signing task is in another time zone.",
        tag,
        |c| target_only(c, |task| set(task, &["created"], "2026-08-12T09:30:12.000+0")),
        "graph-created-malformed",
    ),
    attack(
        "time with a space",
        &[T, Q],
        "The creation time of an image task has a space between date and time.",
        push,
        |c| {
            image_only(c, |task| {
                let created = inside(task, &["created"])?;
                *created = created.as_str()?.replace('T', " ").into();
                Some(())
            })
        },
        "graph-created-malformed",
    ),
    attack(
        "time that does not exist",
        &[T, Q],
        "A build's creation time is the thirtieth of February.",
        mobile,
        |c| build_only(c, &["created"], "2026-02-30T00:00:00.000Z"),
        "graph-created-malformed",
    ),
];
