//! The client against a queue with state. Numbers in names are those of the worker's behaviours.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod support;

use catena_model::task::{ArtifactName, RunState, TaskId};
use catena_taskcluster::{
    CallError, CallErrorKind, Claim, Client, CreatedArtifact, ErrorReason, ExceptionReason, Expiry,
    NewArtifact, ObjectData, ObjectHashes, Resolution, UploadMethod,
};
use catena_testbed::queue::Action;
use catena_testbed::{Fault, Queue};
use futures_util::future::BoxFuture;
use serde_json::json;
use std::time::{Duration, SystemTime};
use support::{POOL, TASK, World, soon};
use tokio::time::Instant;

#[tokio::test]
async fn b020_a_claim_asks_for_the_pool_with_its_slash_encoded() {
    let world = World::new().await;
    let claim = world.claim().await;
    let request = &world.testbed.requests()[0];
    assert_eq!(request.method, "POST");
    assert!(request.url.ends_with("/api/queue/v1/claim-work/scriptworker-k8s%2Fgecko-3-beetmover"));
    assert_eq!(claim.run.to_string(), format!("{TASK}/0"));
    let definition: serde_json::Value = serde_json::from_slice(&claim.definition).unwrap();
    assert_eq!(definition["payload"], json!({"maxRunTime": 60}));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
    assert!((1100..1300).contains(&(claim.lease.taken_until.as_second() - now)));
    assert!(
        claim.lease.credentials.client_id().starts_with(&format!("task-client/{TASK}/0/on/group/worker"))
    );
    assert!(claim.lease.credentials.certificate().is_some());
}

#[tokio::test]
async fn b021_without_pending_tasks_there_is_no_claim() {
    let world = World::new().await;
    world.testbed.queue().act(TASK, Action::Cancel);
    assert!(world.client.claim_work(&world.pool, &world.worker, 1, soon()).await.unwrap().is_empty());
}

#[tokio::test]
async fn b022_a_client_that_may_not_claim_is_refused_at_once() {
    let world = World::new().await;
    let stranger = Client::new(world.client.transport().clone(), world.client.root().clone(), <_>::default());
    let error = stranger.claim_work(&world.pool, &world.worker, 1, soon()).await.unwrap_err();
    assert_eq!(error.status(), Some(403));
    assert_eq!(world.testbed.stats().requests, 1);
}

#[tokio::test]
async fn b024_two_tasks_are_claimed_in_order() {
    let world = World::new().await;
    let second = "AAAAAAAAQAKAAAAAAAAAAA";
    world.testbed.queue().add_task(second, &Queue::definition(POOL, &json!({})));
    let claims = world.client.claim_work(&world.pool, &world.worker, 5, soon()).await.unwrap();
    let ids: Vec<String> = claims.into_iter().map(|claim| claim.unwrap().run.task_id.to_string()).collect();
    assert_eq!(ids, [TASK, second]);
}

#[tokio::test]
async fn b054_a_reclaim_brings_new_credentials_that_work() {
    let world = World::new().await;
    let claim = world.claim().await;
    let mine = world.client.with_credentials(claim.lease.credentials.clone());
    let lease = mine.reclaim_task(claim.run, soon()).await.unwrap();
    assert!(lease.taken_until >= claim.lease.taken_until);
    assert_ne!(lease.credentials, claim.lease.credentials);
    let renewed = world.client.with_credentials(lease.credentials);
    renewed.resolve(claim.run, Resolution::Completed, soon()).await.unwrap();
    assert_eq!(world.testbed.queue().run(TASK, 0).unwrap().state, "completed");
}

#[tokio::test]
async fn b055_a_cancelled_run_is_a_conflict_for_every_call() {
    let world = World::new().await;
    let claim = world.claim().await;
    let mine = world.client.with_credentials(claim.lease.credentials.clone());
    world.testbed.queue().act(TASK, Action::Cancel);
    assert!(mine.reclaim_task(claim.run, soon()).await.unwrap_err().is_conflict());
    for resolution in
        [Resolution::Completed, Resolution::Failed, Resolution::Exception(ExceptionReason::IntermittentTask)]
    {
        assert!(mine.resolve(claim.run, resolution, soon()).await.unwrap_err().is_conflict());
    }
    let status = mine.status(claim.run.task_id, soon()).await.unwrap();
    assert_eq!(
        (status.runs[0].state, status.runs[0].reason_resolved.as_deref()),
        (RunState::Exception, Some("canceled"))
    );
}

#[tokio::test]
async fn a_claim_that_ran_out_is_a_conflict_and_a_new_run() {
    let world = World::new().await;
    let claim = world.claim().await;
    world.testbed.queue().act(TASK, Action::ExpireClaim);
    let mine = world.client.with_credentials(claim.lease.credentials.clone());
    assert!(mine.reclaim_task(claim.run, soon()).await.unwrap_err().is_conflict());
    assert_eq!(world.claim().await.run.to_string(), format!("{TASK}/1"));
}

#[tokio::test]
async fn expired_credentials_are_refused() {
    let world = World::new().await;
    let claim = world.claim().await;
    world.testbed.queue().act(TASK, Action::ExpireCredentials);
    let mine = world.client.with_credentials(claim.lease.credentials);
    assert_eq!(mine.reclaim_task(claim.run, soon()).await.unwrap_err().status(), Some(401));
}

#[tokio::test]
async fn each_resolution_has_its_word() {
    for (resolution, state, reason, runs) in [
        (Resolution::Completed, "completed", "completed", 1),
        (Resolution::Failed, "failed", "failed", 1),
        (Resolution::Exception(ExceptionReason::WorkerShutdown), "exception", "worker-shutdown", 2),
        (Resolution::Exception(ExceptionReason::MalformedPayload), "exception", "malformed-payload", 1),
        (Resolution::Exception(ExceptionReason::ResourceUnavailable), "exception", "resource-unavailable", 1),
        (Resolution::Exception(ExceptionReason::InternalError), "exception", "internal-error", 1),
        (Resolution::Exception(ExceptionReason::IntermittentTask), "exception", "intermittent-task", 2),
    ] {
        let world = World::new().await;
        let claim = world.claim().await;
        let mine = world.client.with_credentials(claim.lease.credentials);
        // The same word twice, as after an answer that was lost.
        for _ in 0..2 {
            mine.resolve(claim.run, resolution, soon()).await.unwrap();
        }
        let run = world.testbed.queue().run(TASK, 0).unwrap();
        assert_eq!((run.state.as_str(), run.reason.as_deref()), (state, Some(reason)));
        assert_eq!(world.testbed.queue().runs(TASK), runs);
    }
}

type Asking = fn(&World, Claim) -> BoxFuture<'_, Result<(), CallError>>;

fn name() -> ArtifactName {
    ArtifactName::parse("public/build/a b.zip").unwrap()
}

fn expiry(claim: &Claim) -> Expiry {
    let definition: serde_json::Value = serde_json::from_slice(&claim.definition).unwrap();
    Expiry::parse(definition["expires"].as_str().unwrap()).unwrap()
}

async fn create(
    world: &World,
    claim: &Claim,
    artifact: &NewArtifact<'_>,
) -> Result<CreatedArtifact, CallError> {
    let mine = world.client.with_credentials(claim.lease.credentials.clone());
    mine.create_artifact(claim.run, &name(), artifact, &expiry(claim), soon()).await
}

/// An object artifact whose bytes are there.
async fn object(world: &World, claim: &Claim) -> Result<(), CallError> {
    let mine = world.client.with_credentials(claim.lease.credentials.clone());
    let new = NewArtifact::Object { content_type: "text/plain" };
    let CreatedArtifact::Object(upload) = create(world, claim, &new).await? else { panic!("no object") };
    let data = ObjectData { content_type: "text/plain", length: 3, inline: Some(b"abc") };
    let method = mine.create_upload(&upload, &data, &expiry(claim), soon()).await?;
    assert!(matches!(method, UploadMethod::Inline));
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let mut sha256 = [0; 32];
    hex::decode_to_slice(abc, &mut sha256).unwrap();
    mine.finish_upload(&upload, &ObjectHashes { sha256, sha512: [0; 64] }, soon()).await?;
    mine.finish_artifact(claim.run, &name(), &upload, soon()).await
}

/// Every call of a run, by a part of its address.
const CALLS: [(&str, Asking); 9] = [
    ("*/reclaim", |world, claim| {
        Box::pin(async move {
            let mine = world.client.with_credentials(claim.lease.credentials.clone());
            mine.reclaim_task(claim.run, soon()).await.map(drop)
        })
    }),
    ("*/completed", |world, claim| {
        Box::pin(async move {
            let mine = world.client.with_credentials(claim.lease.credentials.clone());
            mine.resolve(claim.run, Resolution::Completed, soon()).await
        })
    }),
    ("*/exception", |world, claim| {
        Box::pin(async move {
            let mine = world.client.with_credentials(claim.lease.credentials.clone());
            let resolution = Resolution::Exception(ExceptionReason::InternalError);
            mine.resolve(claim.run, resolution, soon()).await
        })
    }),
    ("*/artifacts/public%2Fbuild%2Fa%20b.zip", |world, claim| {
        Box::pin(async move {
            let new = NewArtifact::S3 { content_type: "application/zip", content_length: 1 };
            create(world, &claim, &new).await.map(drop)
        })
    }),
    ("*/api/queue/v1/task/*/status", |world, claim| {
        Box::pin(async move { world.client.status(claim.run.task_id, soon()).await.map(drop) })
    }),
    ("*/api/queue/v1/task/HVGxJwoXRvyWl1smMWDf-g", |world, claim| {
        Box::pin(async move { world.client.task(claim.run.task_id, soon()).await.map(drop) })
    }),
    ("*/api/object/v1/upload/*", |world, claim| Box::pin(async move { object(world, &claim).await })),
    ("*/api/object/v1/finish-upload/*", |world, claim| Box::pin(async move { object(world, &claim).await })),
    // Both createArtifact and finishArtifact.
    ("*/0/artifacts/*", |world, claim| Box::pin(async move { object(world, &claim).await })),
];

#[tokio::test]
async fn b057_b084_temporary_failures_of_every_call_are_retried() {
    let html = Fault::Instead { status: 200, headers: vec![], body: "<html>502</html>".into() };
    for (pattern, ask) in CALLS {
        for fault in [
            Fault::Status(500),
            Fault::Status(502),
            Fault::Status(503),
            Fault::Status(429),
            Fault::Status(408),
            Fault::HangUp,
            Fault::Reset { after: 0 },
            Fault::Truncate { after: 1 },
            Fault::Abort { after: 0 },
            html.clone(),
        ] {
            // An answer that says nothing is not looked at.
            if pattern.contains("finish-upload") && matches!(fault, Fault::Instead { .. }) {
                continue;
            }
            let world = World::new().await;
            let claim = world.claim().await;
            world.testbed.fault(pattern, 1..=2, fault.clone());
            let answer = ask(&world, claim).await;
            assert_eq!(answer, Ok(()), "{pattern} {fault:?}");
            let asked: Vec<u64> = world.testbed.stats().per_url.values().copied().collect();
            assert!(asked.iter().any(|count| *count >= 3), "{pattern} {fault:?} {asked:?}");
        }
    }
}

#[tokio::test]
async fn b081_permanent_failures_of_every_call_are_not_retried() {
    for (pattern, ask) in CALLS {
        for status in [400, 401, 403, 404, 409, 413, 418] {
            let world = World::new().await;
            let claim = world.claim().await;
            world.testbed.fault(pattern, .., Fault::Status(status));
            let error = ask(&world, claim).await.unwrap_err();
            assert_eq!(error.status(), Some(status), "{pattern} {error}");
            let repeated = world.testbed.stats();
            assert_eq!(repeated.repeated(), [], "{pattern}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let world = World::new().await;
    let claim = world.claim().await;
    world.testbed.fault("*/reclaim", .., Fault::Redirect("http://127.0.0.1:1/".to_owned()));
    let mine = world.client.with_credentials(claim.lease.credentials);
    assert_eq!(mine.reclaim_task(claim.run, soon()).await.unwrap_err().status(), Some(303));
}

#[tokio::test]
async fn the_deadline_ends_every_wait() {
    for fault in [Fault::Silence, Fault::Status(500), Fault::Endless, Fault::Delay(Duration::from_secs(60))] {
        let world = World::new().await;
        let claim = world.claim().await;
        world.testbed.fault("*/reclaim", .., fault.clone());
        let mine = world.client.with_credentials(claim.lease.credentials);
        let (began, limit) = (Instant::now(), Duration::from_millis(400));
        let error = mine.reclaim_task(claim.run, began + limit).await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(10), "{fault:?}");
        assert!(
            error.is_unanswered() || matches!(error.kind, CallErrorKind::Malformed(_)),
            "{fault:?} {error}"
        );
    }
}

#[tokio::test]
async fn a_retry_after_is_obeyed() {
    let world = World::new().await;
    let claim = world.claim().await;
    let fault = Fault::Instead {
        status: 429,
        headers: vec![("retry-after".to_owned(), "1".to_owned())],
        body: "{}".into(),
    };
    world.testbed.fault("*/reclaim", 1..=1, fault);
    let mine = world.client.with_credentials(claim.lease.credentials);
    let began = Instant::now();
    mine.reclaim_task(claim.run, soon()).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn answers_to_another_request_are_malformed() {
    let world = World::new().await;
    let claim = world.claim().await;
    let mine = world.client.with_credentials(claim.lease.credentials.clone());
    for wrong in [
        json!({}),
        json!([]),
        json!({"status": {"taskId": TASK}, "runId": 1, "workerGroup": "group", "workerId": "worker",
            "takenUntil": "2030-01-01T00:00:00Z", "credentials": {"clientId": "a", "accessToken": "hidden-token"}}),
        json!({"status": {"taskId": TASK}, "runId": 0, "workerGroup": "group", "workerId": "worker",
            "takenUntil": "soon", "credentials": {"clientId": "a", "accessToken": "hidden-token"}}),
    ] {
        world.testbed.clear_faults();
        world.testbed.fault("*/reclaim", .., Fault::Replace(wrong.to_string().into()));
        let error = mine.reclaim_task(claim.run, soon()).await.unwrap_err();
        assert!(matches!(error.kind, CallErrorKind::Malformed(_)), "{wrong} {error}");
        assert!(!error.to_string().contains("hidden-token"));
    }
    world.testbed.clear_faults();
    world.testbed.fault("*/reclaim", .., Fault::Encoding("gzip".to_owned()));
    let error = mine.reclaim_task(claim.run, soon()).await.unwrap_err();
    assert!(matches!(error.kind, CallErrorKind::Malformed(_)), "{error}");
}

#[tokio::test]
async fn one_malformed_claim_does_not_spoil_the_others() {
    let world = World::new().await;
    let good = |run| {
        json!({"status": {"taskId": TASK}, "runId": run, "workerGroup": "group", "workerId": "worker",
            "takenUntil": "2026-11-21T02:44:47.18+00:00", "task": {"payload": null},
            "credentials": {"clientId": "a", "accessToken": "b", "certificate": "{}"}})
    };
    let mut foreign = good(1);
    foreign["workerId"] = "somebody-else".into();
    let mut without = good(2);
    without.as_object_mut().unwrap().remove("task");
    let answer = json!({"tasks": [good(0), foreign, without, 5, good(3)]});
    world.testbed.fault("*/claim-work/*", .., Fault::Replace(answer.to_string().into()));
    let claims = world.client.claim_work(&world.pool, &world.worker, 5, soon()).await.unwrap();
    let told: Vec<Option<u32>> =
        claims.iter().map(|claim| claim.as_ref().ok().map(|claim| claim.run.run_id.0)).collect();
    assert_eq!(told, [Some(0), None, None, None, Some(3)]);
}

#[tokio::test]
async fn b060_links_and_errors_are_recorded_and_repeated() {
    let world = World::new().await;
    let claim = world.claim().await;
    let log = ArtifactName::parse("public/logs/chain_of_trust.log").unwrap();
    let link = NewArtifact::Link { artifact: &log, content_type: "text/plain" };
    for _ in 0..2 {
        assert!(matches!(create(&world, &claim, &link).await, Ok(CreatedArtifact::Recorded)));
    }
    let stored = world.testbed.queue().artifacts(TASK, 0).remove(name().as_str()).unwrap();
    assert_eq!((stored.kind.as_str(), stored.target.as_deref()), ("link", Some(log.as_str())));
    let error = NewArtifact::Error { reason: ErrorReason::Invalid, message: &"é".repeat(5000) };
    assert!(create(&world, &claim, &error).await.unwrap_err().is_conflict());
}

#[tokio::test]
async fn b078_an_artifact_expires_with_its_task_to_the_millisecond() {
    let world = World::new().await;
    let claim = world.claim().await;
    let new = NewArtifact::S3 { content_type: "application/zip", content_length: 1 };
    create(&world, &claim, &new).await.unwrap();
    let stored = world.testbed.queue().artifacts(TASK, 0).remove(name().as_str()).unwrap();
    assert_eq!(stored.expires, expiry(&claim).as_str());
    let mine = world.client.with_credentials(claim.lease.credentials.clone());
    let later = Expiry::parse("2999-01-01T00:00:00.000Z").unwrap();
    let error = mine.create_artifact(claim.run, &name(), &new, &later, soon()).await.unwrap_err();
    assert_eq!(error.status(), Some(400));
}

#[tokio::test]
async fn object_artifacts_have_no_length() {
    let world = World::new().await;
    let claim = world.claim().await;
    object(&world, &claim).await.unwrap();
    let stored = world.testbed.queue().artifacts(TASK, 0).remove(name().as_str()).unwrap();
    assert_eq!((stored.present, stored.content_length), (true, None));
    assert_eq!(stored.bytes().unwrap().unwrap(), b"abc");
}

#[tokio::test]
async fn an_index_route_leads_to_a_task_or_nowhere() {
    let world = World::new().await;
    let error = world.client.find_task("gecko.v2.none", soon()).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
    let found = json!({"namespace": "gecko.v2.a", "taskId": TASK, "rank": 0, "data": {}, "expires": ""});
    let fault = Fault::Instead { status: 200, headers: vec![], body: found.to_string().into() };
    world.testbed.fault("*/api/index/v1/task/gecko.v2.a", .., fault);
    assert_eq!(world.client.find_task("gecko.v2.a", soon()).await.unwrap(), TaskId::parse(TASK).unwrap());
}

#[tokio::test]
async fn plain_http_is_only_for_this_machine() {
    let world = World::new().await;
    let root = catena_taskcluster::RootUrl::parse("http://tc.example").unwrap();
    let far = Client::new(world.client.transport().clone(), root, <_>::default());
    let error = far.task(TaskId::parse(TASK).unwrap(), soon()).await.unwrap_err();
    assert!(matches!(error.kind, CallErrorKind::Unsendable(_)), "{error}");
}

#[tokio::test]
async fn nothing_that_is_shown_is_secret() {
    let world = World::new().await;
    let claim = world.claim().await;
    let new = NewArtifact::S3 { content_type: "application/zip", content_length: 1 };
    let put = create(&world, &claim, &new).await.unwrap();
    let object = create(&world, &claim, &NewArtifact::Object { content_type: "a/b" }).await.unwrap_err();
    let shown = format!("{:?} {claim:?} {put:?} {object:?} {object}", world.client);
    let CreatedArtifact::Put(url) = put else { panic!("no URL") };
    let secret = url.query().unwrap().split('=').nth(1).unwrap();
    let token = claim.lease.credentials.access_token().expose();
    assert!(!shown.contains(secret) && !shown.contains(token), "{shown}");
}
