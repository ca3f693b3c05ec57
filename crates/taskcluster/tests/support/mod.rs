//! A client, and a queue with one task that waits for it.

use catena_http::{HttpOptions, HttpTransport, Proxy, Secret};
use catena_model::task::WorkerPool;
use catena_taskcluster::{Claim, Client, ClientOptions, RootUrl, TaskclusterCredentials, WorkerIdentity};
use catena_testbed::{Queue, Site, Testbed};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

pub(crate) const TASK: &str = "HVGxJwoXRvyWl1smMWDf-g";
pub(crate) const POOL: &str = "scriptworker-k8s/gecko-3-beetmover";
const TOKEN: &str = "GBEQTf20RJ-4HCLo8Y6fvgLyNzREdhRZSuRyc7VAgXHw";

pub(crate) struct World {
    pub(crate) testbed: Testbed,
    pub(crate) client: Client,
    pub(crate) worker: WorkerIdentity,
    pub(crate) pool: WorkerPool,
}

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

impl World {
    pub(crate) async fn new() -> World {
        let testbed = Testbed::start(Site::new()).await.unwrap();
        let queue = testbed.queue();
        let scopes = [&format!("queue:claim-work:{POOL}"), "queue:worker-id:group/worker"];
        queue.add_client("worker", TOKEN, &scopes);
        queue.add_task(TASK, &Queue::definition(POOL, &json!({"maxRunTime": 60})));
        queue.set_long_poll(Duration::from_millis(100));
        let transport =
            HttpTransport::new(&HttpOptions { proxy: Proxy::Direct, ..HttpOptions::default() }).unwrap();
        let options = ClientOptions {
            backoff: Duration::from_millis(5),
            backoff_cap: Duration::from_millis(20),
            ..ClientOptions::default()
        };
        let root = RootUrl::parse(&testbed.root_url()).unwrap();
        let credentials =
            TaskclusterCredentials::new("worker".to_owned(), Secret::new(TOKEN.to_owned()), None).unwrap();
        let client = Client::new(Arc::new(transport), root, options).with_credentials(credentials);
        let worker = WorkerIdentity::parse("group", "worker").unwrap();
        World { testbed, client, worker, pool: WorkerPool::parse(POOL).unwrap() }
    }

    /// Claims the one task that there is.
    pub(crate) async fn claim(&self) -> Claim {
        let claims = self.client.claim_work(&self.pool, &self.worker, 1, soon()).await.unwrap();
        claims.into_iter().next().unwrap().unwrap()
    }
}
