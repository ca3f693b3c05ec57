//! Verifies a finished task: `embed TASK_ID KIND PRODUCT [KEYS]`.

use catena::{
    Extent, HttpOptions, Kind, Network, Request, Target, TargetSpec, TaskId, TrustConfig, Verifier,
};
use std::error::Error;
use std::path::Path;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task_id, kind, product, keys @ ..] = arguments.as_slice() else {
        return Err("usage: embed TASK_ID KIND PRODUCT [KEYS]".into());
    };
    let target = Target {
        task_id: TaskId::parse(task_id)?,
        kind: Kind::parse(kind)?,
        check_task: true,
        extent: Extent::Listed,
    };

    // The shipped policy, optionally with other keys; the network is configured by the environment.
    let trust_config = TrustConfig::read(&[] as &[&Path], keys.first().map(Path::new))?;
    let network = Network::connect(&HttpOptions::default())?;
    let root_url = std::env::var("TASKCLUSTER_ROOT_URL").ok();
    let verifier = Verifier::new(trust_config, root_url.as_deref(), network)?;

    let target_spec = TargetSpec { target, product: product.clone() };
    let verification = verifier.verify(&Request::new(target_spec).with_work_dir("work")).await?;
    let verdict = verification.conclusion.verdict();
    println!("{task_id}: {}", verdict.outcome.as_str());
    for finding in verdict.failed() {
        println!("  {}: {}", finding.code.name, finding.message);
    }
    // Every operation that requires a verification takes a clearance.
    let clearance = verification.conclusion.clearance().ok_or("the task is not cleared")?;
    println!("{} artifacts of {} tasks", clearance.artifacts().len(), clearance.tasks().len());
    Ok(())
}
