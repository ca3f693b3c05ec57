//! Parents and docker-image tasks run only in the pools that the product trusts for them.
//!
//! Specification 3.11 and 3.12.

use crate::verdict::{Authority, Class, Code, Disposition, Finding};
use crate::verification::{Check, CheckContext, Examined, Link, Scope};
use catena_model::task::WorkerPool;
use catena_policy::KindRole;
use std::collections::BTreeSet;

pub(super) const DESCRIPTION: Check = describe!("worker-pool", CODES, Scope::Link(examine));
const CHECK: &str = DESCRIPTION.name;

const ALLOWED: Code =
    Code::passing("worker-pool-allowed", "The task ran in a pool that its kind may run in.");
const DECISION: Code = Code::new(
    "worker-pool-decision",
    Class::Policy,
    "A decision or action task ran outside the product's decision pools.",
);
const DOCKER_IMAGE: Code = Code::new(
    "worker-pool-docker-image",
    Class::Policy,
    "A docker-image task ran outside the product's image pools.",
);

const CODES: &[Code] = &[ALLOWED, DECISION, DOCKER_IMAGE];

fn examine(cx: &CheckContext<'_>, link: &Link) -> Examined {
    let product = &cx.evidence.product;
    let (code, key, pools): (Code, &str, &BTreeSet<WorkerPool>) = match link.role {
        Some(KindRole::Decision | KindRole::Action) => {
            (DECISION, "decision-worker-pools", &product.decision_worker_pools)
        }
        Some(KindRole::DockerImage) => {
            (DOCKER_IMAGE, "docker-image-worker-pools", &product.docker_image_worker_pools)
        }
        _ => {
            let message = "The kind may run in any pool.";
            return Ok(vec![Finding::new(CHECK, ALLOWED, Disposition::Passed, link.task_id, message)].into());
        }
    };
    let pool = link.definition.worker_pool();
    let finding = if pools.contains(pool) {
        let message = format!("{pool} is one of the product's pools for this kind.");
        Finding::new(CHECK, ALLOWED, Disposition::Passed, link.task_id, message)
    } else {
        let allowed: Vec<&str> = pools.iter().map(WorkerPool::as_str).collect();
        let message = format!("The worker pool is not one of the product's pools for {} tasks.", link.kind);
        let names_queue = link.definition.value().get("taskQueueId").is_some();
        let place = if names_queue { "taskQueueId" } else { "provisionerId/workerType" };
        Finding::new(CHECK, code, Disposition::Failed, link.task_id, message)
            .expected_by(Authority::Policy, cx.policy(key), allowed.join(", "))
            .actual_by(Authority::Queue, place, pool.as_str())
    };
    Ok(vec![finding].into())
}
