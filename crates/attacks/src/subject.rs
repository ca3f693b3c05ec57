//! The tasks of valid chains that mutations are tried on.

use crate::change::{first_build, first_decision, link_of, nth_build};
use crate::valid;
use catena_testbed::{Chain, Release};

/// A task of a valid chain.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// What it is called, as a noun without an article.
    pub name: &'static str,
    /// The valid chain.
    pub release: fn() -> Release,
    /// The task's id. `None`: the chain has no such task, which is an error of the catalogue.
    pub task: fn(&Chain) -> Option<String>,
}

pub(crate) const DOCKER_WORKER: Subject =
    Subject { name: "docker-worker's build", release: valid::push, task: first_build };
pub(crate) const D2G: Subject =
    Subject { name: "build by d2g", release: valid::push, task: |chain| nth_build(chain, 1) };
pub(crate) const GENERIC_WORKER: Subject =
    Subject { name: "generic-worker's build", release: valid::push, task: |chain| nth_build(chain, 2) };
pub(crate) const GITHUB: Subject =
    Subject { name: "build on GitHub", release: valid::mobile, task: first_build };
pub(crate) const IMAGE: Subject =
    Subject { name: "docker-image task", release: valid::push, task: |chain| chain.images.first().cloned() };
pub(crate) const DECISION: Subject =
    Subject { name: "decision task", release: valid::push, task: first_decision };
pub(crate) const CRON: Subject =
    Subject { name: "cron job's decision task", release: valid::cron, task: first_decision };
pub(crate) const ACTION: Subject =
    Subject { name: "action task", release: valid::action, task: |chain| chain.action.clone() };
pub(crate) const SIGNING: Subject = Subject {
    name: "signing of a promotion",
    release: valid::promotion_of_rounds,
    task: |chain| link_of(chain, "signing"),
};
pub(crate) const FINISHED: Subject =
    Subject { name: "finished target", release: valid::finished, task: |chain| Some(chain.target.clone()) };

/// One of each kind of task, and of each worker implementation.
pub(crate) const SUBJECTS: &[Subject] =
    &[DOCKER_WORKER, D2G, GENERIC_WORKER, GITHUB, IMAGE, DECISION, CRON, ACTION, SIGNING, FINISHED];
