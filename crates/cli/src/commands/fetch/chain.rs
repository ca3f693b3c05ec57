//! The makers of inputs, each verified back to its tree.

use super::network::Network;
use crate::failure::Failure;
use catena::{Conclusion, Control, TargetSpec, TrustConfig, Verdict, Verifier};
use catena_download::TaskRun;
use catena_model::custody::Trust;
use catena_model::digest::Digest;
use catena_model::task::{ArtifactName, Kind};
use catena_report::TextOptions;
use catena_verify::verdict::Outcome;
use catena_verify::verification::{Clearance, Extent, Target};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use tokio::time::Instant;

/// Makers that are verified at the same time.
const JOBS: NonZeroUsize = NonZeroUsize::new(8).unwrap();

/// What a run made, with the digests that its signed document names, and how far that is proven.
pub(super) struct Made {
    pub(super) artifacts: BTreeMap<ArtifactName, Digest>,
    pub(super) proof: Trust,
}

/// What makers are verified by.
pub(super) struct Makers<'a> {
    pub(super) trust_config: &'a TrustConfig,
    pub(super) product: &'a str,
    pub(super) kind: &'a Kind,
    pub(super) network: &'a Network,
}

impl Makers<'_> {
    /// What these runs made, if the chain of every one is verified. What they share is fetched once.
    pub(super) async fn verify(&self, runs: &[TaskRun]) -> Result<Vec<(TaskRun, Made)>, Failure> {
        let target_specs = runs.iter().map(|run| self.target_spec(*run)).collect();
        let deadline = self.network.deadline.saturating_duration_since(Instant::now());
        let mut batch =
            self.verifier()?.batch(target_specs, JOBS, Control { deadline, ..Control::default() })?;
        let mut conclusions = BTreeMap::new();
        while let Some(conclusion) = batch.next().await {
            let conclusion = conclusion?;
            conclusions.insert(conclusion.verdict().task_id, conclusion);
        }
        let made = |run: &TaskRun| {
            let conclusion = conclusions.get(&run.task_id);
            let conclusion = conclusion.ok_or_else(|| Failure::undetermined("a maker was not verified"))?;
            Ok((*run, made(*run, conclusion)?))
        };
        runs.iter().map(made).collect()
    }

    fn target_spec(&self, run: TaskRun) -> TargetSpec {
        let target =
            Target { task_id: run.task_id, kind: self.kind.clone(), check_task: true, extent: Extent::Named };
        TargetSpec { target, product: self.product.to_owned() }
    }

    fn verifier(&self) -> Result<Verifier, Failure> {
        let Network { transport, options, root, credentials, .. } = self.network;
        let token = catena_taskcluster::github_token_from_environment(|name| std::env::var(name).ok());
        let network = catena::Network::new(transport.clone())
            .with_options(options.clone())
            .with_credentials(credentials.clone())
            .with_github_token(token);
        let mut verifier = Verifier::new(self.trust_config.clone(), Some(root.as_str()), network)?;
        if let Some(cache) = &self.network.cache {
            verifier = verifier.with_cache(cache)?;
        }
        Ok(verifier.with_temporary_dir(self.network.scratch.path()))
    }
}

/// What the clearance of a run vouches for.
fn made(run: TaskRun, conclusion: &Conclusion) -> Result<Made, Failure> {
    let clearance = conclusion.clearance_despite_switches();
    let clearance = clearance.ok_or_else(|| refused(run, conclusion.verdict()))?;
    let of_task =
        clearance.artifacts().iter().filter(|made| (made.task_id, made.run_id) == (run.task_id, run.run_id));
    if let Some(other) = other_run(run, clearance) {
        let what = format!(
            "run {} of task {} is wanted, and its chain is verified for run {other}",
            run.run_id, run.task_id
        );
        return Err(Failure::coded("fetch-other-run", what)
            .next("fetch the run that counts, or take less: --trust signature"));
    }
    let artifacts = of_task.map(|made| (made.name.clone(), made.digest)).collect();
    // Over plain http anybody on the way may have answered for the tree; the signature is right all the same.
    let proof = if clearance.is_weakened_by_switch() { Trust::Signature } else { Trust::Chain };
    Ok(Made { artifacts, proof })
}

/// The run of the task that the chain is verified for, if it is not the wanted one.
fn other_run(run: TaskRun, clearance: &Clearance) -> Option<catena_model::task::RunId> {
    let task = clearance.tasks().iter().find(|task| task.task_id == run.task_id)?;
    task.run_id.filter(|verified| *verified != run.run_id)
}

/// The verdict, as `verify` tells it.
fn refused(run: TaskRun, verdict: &Verdict) -> Failure {
    let options = TextOptions { width: Some(100), ..TextOptions::default() };
    let what = format!("the chain of {run} is not verified:\n{}", catena_report::text(verdict, &options));
    let code = match verdict.outcome {
        Outcome::Misconfigured => "fetch-chain-misconfigured",
        Outcome::Undetermined => "fetch-chain-undetermined",
        // A verified chain without a clearance is refused too.
        Outcome::Rejected | Outcome::Verified => "fetch-chain-rejected",
    };
    Failure::coded(code, what)
        .next("`catena verify` tells more; use nothing of that task until the cause is known")
}
