//! The makers of inputs, each verified back to its tree.

use super::network::Network;
use crate::failure::Failure;
use catena_core::digest::Digest;
use catena_core::inquiry::{Extent, Inquiry, Switches, Target};
use catena_core::policy::{KeyRing, Product};
use catena_core::task::{ArtifactName, Kind};
use catena_core::verdict::{Outcome, Verdict};
use catena_download::TaskRun;
use catena_fetch::{FactSource, Fetcher, Quiet, investigate};
use catena_report::TextOptions;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What makers are verified by.
pub(super) struct Makers<'a> {
    pub(super) product: &'a Arc<Product>,
    pub(super) keys: &'a KeyRing,
    pub(super) kind: &'a Kind,
    pub(super) network: &'a Network,
}

impl Makers<'_> {
    /// The digests of what these runs made, if the chain of every one is verified. What they share is fetched
    /// once.
    pub(super) async fn verify(
        &self,
        runs: &[TaskRun],
    ) -> Result<Vec<(TaskRun, BTreeMap<ArtifactName, Digest>)>, Failure> {
        let graphs = tempfile::tempdir().map_err(Failure::undetermined)?;
        let fetcher = self.fetcher().keeping_graphs(graphs.path().to_owned());
        let fetcher: Arc<Fetcher> = Arc::new(fetcher);
        let mut verified = Vec::new();
        for run in runs {
            verified.push((*run, self.one(*run, fetcher.clone()).await?));
        }
        Ok(verified)
    }

    fn fetcher(&self) -> Fetcher {
        let network = self.network;
        let fetcher = Fetcher::new(
            network.transport.clone(),
            network.root.clone(),
            network.limits.clone(),
            network.options.clone(),
        );
        let token = catena_taskcluster::github_token_from_environment(|name| std::env::var(name).ok());
        fetcher.with_taskcluster(network.credentials.clone()).with_github_token(token)
    }

    async fn one(
        &self,
        run: TaskRun,
        source: Arc<dyn FactSource>,
    ) -> Result<BTreeMap<ArtifactName, Digest>, Failure> {
        let target =
            Target { task_id: run.task_id, kind: self.kind.clone(), check_task: true, extent: Extent::Named };
        let switches = Switches {
            danger_skip_signatures: false,
            danger_allow_http: self.network.options.danger_allow_http,
            offline: false,
        };
        let limits = self.network.limits.clone();
        let inquiry = Inquiry::new(target, self.product.clone(), self.keys.clone(), limits, switches);
        let inquiry = investigate(inquiry, source, self.network.deadline, &Quiet).await;
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let verdict = inquiry.conclude(&now);
        if verdict.outcome != Outcome::Verified {
            return Err(refused(run, &verdict));
        }
        let made = verdict.artifacts.iter().filter(|made| made.task_id == run.task_id);
        let (mine, others): (Vec<_>, Vec<_>) = made.partition(|made| made.run_id == run.run_id);
        if let (true, Some(other)) = (mine.is_empty(), others.first()) {
            let what = format!(
                "run {} of task {} is wanted, and its chain is verified for run {}",
                run.run_id, run.task_id, other.run_id
            );
            return Err(Failure::rejected("fetch-other-run", what)
                .next("fetch the run that counts, or take less: --trust signature"));
        }
        Ok(mine.into_iter().map(|made| (made.name.clone(), made.digest)).collect())
    }
}

/// The verdict, as `verify` tells it.
fn refused(run: TaskRun, verdict: &Verdict) -> Failure {
    let options = TextOptions { color: false, width: Some(100), verbose: false, elapsed: None };
    let what = format!("the chain of {run} is not verified:\n{}", catena_report::text(verdict, &options));
    Failure::with_status(verdict.outcome.exit_status(), what)
        .next("see what `catena verify` says of it; take nothing of it until that is settled")
}
