//! Runs, pushes and clocks as in production.

use super::changes::Changed;
use super::{cron, mobile, push, retried, tag};
use crate::change::{
    everywhere, first_build, first_decision, inside, remove, replace_page, retimed, run_has,
};

pub(super) const CHANGED: &[Changed] = &[
    ("run that waited for a worker and ran long", push, |c| {
        let id = first_build(c)?;
        run_has(
            c,
            &id,
            "0",
            &[
                ("started", "2026-08-12T12:50:12.345Z"),
                ("takenUntil", "2026-08-12T15:10:12.345Z"),
                ("resolved", "2026-08-12T15:04:12.345Z"),
            ],
        )
    }),
    ("run with a clock behind its creator's", push, |c| {
        let id = first_build(c)?;
        run_has(
            c,
            &id,
            "0",
            &[
                ("scheduled", "2026-08-12T09:35:12.345Z"),
                ("started", "2026-08-12T09:35:12.345Z"),
                ("resolved", "2026-08-12T09:35:12.345Z"),
            ],
        )
    }),
    ("decision task's run with a clock behind its creator's", tag, |c| {
        let id = first_decision(c)?;
        run_has(
            c,
            &id,
            "0",
            &[
                ("scheduled", "2026-08-12T09:15:12.345Z"),
                ("started", "2026-08-12T09:15:12.345Z"),
                ("resolved", "2026-08-12T09:15:12.345Z"),
            ],
        )
    }),
    ("times of a run in another format", mobile, |c| {
        let id = first_build(c)?;
        run_has(
            c,
            &id,
            "0",
            &[
                ("scheduled", "2026-08-12T11:50:12.345678+02:00"),
                ("started", "2026-08-12T09:50:12.345679Z"),
                ("resolved", "2026-08-12T09:50:13+00:00"),
            ],
        )
    }),
    ("build created before its decision task's run, with skewed clocks", push, |c| {
        let id = first_build(c)?;
        retimed(c, &id, "T09:50:12.345Z", "T09:15:12.345Z")
    }),
    ("push with a clock ahead of the decision task's", push, |c| everywhere(c, "1786526712", "1786527072")),
    ("release with a clock ahead of the decision task's", tag, |c| {
        replace_page(c, "releases/tags", "2026-08-12T09:20:00Z", "2026-08-12T09:31:00Z")
    }),
    ("commit with a wrong time zone", mobile, |c| {
        replace_page(c, "/commits/", "2026-08-12T09:25:12Z", "2026-08-12T23:25:12Z")
    }),
    ("old push where its age is not limited", cron, |c| everywhere(c, "1786526712", "1754991012")),
    ("first run that ended with claim-expired", retried, |c| {
        let id = first_build(c)?;
        run_has(c, &id, "0", &[("state", "exception"), ("reasonResolved", "claim-expired")])
    }),
    ("first run that ended with intermittent-task", retried, |c| {
        let id = first_build(c)?;
        run_has(c, &id, "0", &[("state", "exception"), ("reasonResolved", "intermittent-task")])
    }),
    ("first run that ended with internal-error", retried, |c| {
        let id = first_build(c)?;
        run_has(c, &id, "0", &[("state", "exception"), ("reasonResolved", "internal-error")])
    }),
    ("first run that failed, and was run again", retried, |c| {
        let id = first_build(c)?;
        run_has(
            c,
            &id,
            "0",
            &[("state", "failed"), ("reasonResolved", "failed"), ("resolved", "2026-08-12T10:50:12.345Z")],
        )?;
        run_has(
            c,
            &id,
            "1",
            &[
                ("scheduled", "2026-08-12T12:50:12.345Z"),
                ("started", "2026-08-12T12:50:13.345Z"),
                ("resolved", "2026-08-12T12:58:12.345Z"),
                ("reasonCreated", "rerun"),
            ],
        )
    }),
    ("first run that completed, and was run again", retried, |c| {
        let id = first_build(c)?;
        run_has(c, &id, "0", &[("state", "completed"), ("reasonResolved", "completed")])?;
        run_has(c, &id, "1", &[("reasonCreated", "rerun")])
    }),
    ("task cancelled before it started, and run again", retried, |c| {
        let id = first_build(c)?;
        for key in ["started", "workerGroup", "workerId"] {
            remove(inside(c.status_mut(&id)?, &["status", "runs", "0"])?, &[key])?;
        }
        run_has(
            c,
            &id,
            "0",
            &[("state", "exception"), ("reasonResolved", "canceled"), ("reasonCreated", "exception")],
        )
    }),
    ("task cancelled while it was claimed, and run again", retried, |c| {
        let id = first_build(c)?;
        run_has(
            c,
            &id,
            "0",
            &[
                ("state", "exception"),
                ("reasonResolved", "canceled"),
                ("resolved", "2026-08-12T09:49:42.345Z"),
            ],
        )
    }),
    ("task beyond its deadline, and run again", retried, |c| {
        let id = first_decision(c)?;
        for key in ["started", "workerGroup", "workerId"] {
            remove(inside(c.status_mut(&id)?, &["status", "runs", "0"])?, &[key])?;
        }
        run_has(c, &id, "0", &[("state", "exception"), ("reasonResolved", "deadline-exceeded")])
    }),
    ("task run again while it was being resolved", retried, |c| {
        let id = first_build(c)?;
        run_has(
            c,
            &id,
            "0",
            &[
                ("state", "exception"),
                ("reasonResolved", "worker-shutdown"),
                ("resolved", "2026-08-12T09:50:42.345Z"),
            ],
        )
    }),
];
