//! The queue's list of a run's artifacts.

use super::super::notes::notes;
use super::{CHECK, ENDLESS, LISTING, NO_LISTING};
use crate::verdict::{Disposition, Finding};
use crate::verification::{Answer, CheckContext, Link, Need, Stop};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The names of a run's artifacts.
pub(super) type Names = Arc<BTreeSet<Arc<str>>>;

/// The names of a run's artifacts, over all pages.
pub(super) fn listing(cx: &CheckContext<'_>, link: &Link) -> Result<Result<Names, Box<Finding>>, Stop> {
    let run_id = cx.run(link)?.run_id;
    let failed = |code, message: String| {
        Ok(Err(Box::new(
            Finding::new(CHECK, code, Disposition::Failed, link.task_id, message)
                .at("the queue's list of artifacts", None),
        )))
    };
    let mut listings = notes(cx)?.listings.borrow_mut();
    let listing = listings.entry(link.task_id).or_default();
    while !listing.is_whole {
        if listing.pages >= cx.evidence.limits.pages {
            let message = format!("The list of artifacts has more than {} pages.", cx.evidence.limits.pages);
            return failed(ENDLESS, message);
        }
        let continuation = listing.continuation.clone();
        match cx.page(&Need::Listing { task_id: link.task_id, run_id, continuation })? {
            Answer::Is(Ok(page)) => listing.add(page),
            Answer::Is(Err(error)) => {
                return failed(LISTING, format!("The list of artifacts is malformed: {error}."));
            }
            Answer::Absent(answer) => {
                return failed(NO_LISTING, format!("There is no list of artifacts: {answer}"));
            }
        }
    }
    Ok(Ok(listing.names.clone()))
}
