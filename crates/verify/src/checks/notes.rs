//! What the checks note down of a case, so that it is not worked out for every link again.

use super::rebuild::{Loaded, Unreadable};
use super::signature::{Accepted, SignatureResult};
use crate::verification::{CheckContext, Memo, Need, Stop};
use catena_json::Value;
use catena_model::task::{ArtifactName, ListingSoFar, TaskId, WorkerImplementation};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is noted down, by the checks named here.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// `artifacts`: the queue's lists of artifacts, as far as they were read.
    pub(super) listings: RefCell<BTreeMap<TaskId, ListingSoFar>>,
    /// `signature`: what became of a link's signature, once that is known: to try keys takes longer than all
    /// else that is done with a document. None where something it rests on is not as it must be.
    pub(super) judged: RefCell<BTreeMap<TaskId, Option<Arc<SignatureResult>>>>,
    /// `signature`: which documents it accepts, once it has judged them.
    pub(super) accepted: RefCell<BTreeMap<TaskId, Option<Accepted>>>,
    /// `signature`: which of an implementation's keys made the last signature that was one of its keys'.
    pub(super) last_signers: RefCell<BTreeMap<WorkerImplementation, usize>>,
    /// `rebuild`: templates of trees, read once for all parents they are rendered for.
    pub(super) templates: Memo<Need, Result<Arc<Loaded>, Unreadable>>,
    /// `rebuild`: files of decision tasks, read once for all their actions.
    pub(super) contents: Memo<(TaskId, ArtifactName), Result<Arc<Value>, String>>,
    /// `tree`: whether the target has restricted scopes, once it is known.
    pub(super) restricted: OnceCell<bool>,
}

/// What was noted down of a case.
pub(super) fn notes<'a>(cx: &CheckContext<'a>) -> Result<&'a Notes, Stop> {
    cx.notes()
}
