//! Results that checks keep during a verification, so that they are not computed again for every link.

use super::rebuild::{Loaded, Unreadable};
use super::signature::{Accepted, SignatureResult};
use crate::verification::{CheckContext, Memo, Need, Stop};
use catena_json::Value;
use catena_model::task::{ArtifactName, ListingSoFar, TaskId, WorkerImplementation};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The kept results, each with the check that keeps it.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// `artifacts`: the queue's lists of artifacts, as far as they have arrived.
    pub(super) listings: RefCell<BTreeMap<TaskId, ListingSoFar>>,
    /// `signature`: the result for a link's signature, once it is known: trying keys takes longer than everything
    /// else that is done with a document. None if a prerequisite failed.
    pub(super) judged: RefCell<BTreeMap<TaskId, Option<Arc<SignatureResult>>>>,
    /// `signature`: the documents that it accepts, once it has examined them.
    pub(super) accepted: RefCell<BTreeMap<TaskId, Option<Accepted>>>,
    /// `signature`: which of an implementation's keys made the last signature that verified.
    pub(super) last_signers: RefCell<BTreeMap<WorkerImplementation, usize>>,
    /// `rebuild`: templates of trees, parsed once for all parents.
    pub(super) templates: Memo<Need, Result<Arc<Loaded>, Unreadable>>,
    /// `rebuild`: files of decision tasks, parsed once for all their actions.
    pub(super) contents: Memo<(TaskId, ArtifactName), Result<Arc<Value>, String>>,
    /// `tree`: whether the target has restricted scopes, once it is known.
    pub(super) restricted: OnceCell<bool>,
}

/// The kept results of a verification.
pub(super) fn notes<'a>(cx: &CheckContext<'a>) -> Result<&'a Notes, Stop> {
    cx.notes()
}
