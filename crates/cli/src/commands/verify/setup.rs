//! From the arguments of `catena verify` to the library's types.

use super::ChainArgs;
use crate::failure::Failure;
use crate::key_source;
use catena::{
    HttpOptions, Network, Options, Target, TargetSpec, TaskclusterCredentials, Transport, Verifier,
};
use catena_http::{HttpSetupError, HttpTransport};
use catena_taskcluster::github_token_from_environment;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

/// The named task.
pub(super) fn target_spec(args: &ChainArgs) -> Result<TargetSpec, Failure> {
    let (Some(task_id), Some(kind), Some(product)) =
        (args.task_id, args.task_type.clone(), args.product.clone())
    else {
        return Err(Failure::usage("TASK_ID, --task-type and --product are needed")
            .next("see `catena verify --help`"));
    };
    let target = Target { task_id, kind, check_task: args.checks_task(), extent: args.artifacts.into() };
    Ok(TargetSpec { target, product })
}

/// The verifier, with the named cache unless `uncached`.
pub(super) fn verifier(
    args: &ChainArgs,
    pending: PendingTransport,
    uncached: bool,
) -> Result<Verifier, Failure> {
    if args.offline && key_source::is_address(args.keys.as_deref()) {
        return Err(Failure::usage("--offline asks no address for keys").next("give --keys a file"));
    }
    let trust_config = key_source::trust_config(&args.policy, args.keys.as_deref(), args.ca_file.as_deref())?;
    let root_url = args.root_url.as_deref();
    let cache = if uncached { None } else { args.cache.options()? };
    let verifier = match (&cache, args.offline) {
        (Some(cache), true) => Verifier::offline(trust_config, root_url, cache)?,
        (None, true) => return Err(Failure::usage("--offline needs a --cache")),
        (Some(cache), false) => {
            Verifier::new(trust_config, root_url, network(args, pending)?)?.with_cache(cache)?
        }
        (None, false) => Verifier::new(trust_config, root_url, network(args, pending)?)?,
    };
    let verifier = verifier.with_temporary_dir(std::env::temp_dir());
    Ok(verifier.danger_skip_signatures(args.danger_skip_signatures))
}

fn network(args: &ChainArgs, pending: PendingTransport) -> Result<Network, Failure> {
    let defaults = Options::default();
    let options = Options {
        attempts: args.attempts.map_or(defaults.attempts, NonZeroU32::get),
        stall: args.stall.unwrap_or(defaults.stall),
        danger_allow_http: args.danger_allow_http,
        seed: seed(),
        ..defaults
    };
    let variable = |name: &str| std::env::var(name).ok();
    Ok(Network::new(pending.transport()?)
        .with_options(options)
        .with_credentials(credentials(args)?)
        .with_github_token(github_token_from_environment(variable)))
}

fn credentials(args: &ChainArgs) -> Result<Option<TaskclusterCredentials>, Failure> {
    let found = match &args.credentials {
        Some(file) => TaskclusterCredentials::from_file(file).map(Some),
        None => TaskclusterCredentials::from_environment(|name| std::env::var(name).ok()),
    };
    found.map_err(|error| Failure::usage(error).next("without credentials only public data can be read"))
}

/// Different for processes that start at the same time.
fn seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_nanos()).rotate_left(32) ^ u64::from(std::process::id())
}

/// A transport that is being set up: reading the system's certificates takes some milliseconds, in
/// which the policy can be read.
pub(super) struct PendingTransport {
    options: HttpOptions,
    /// `None` if no requests will be made, or if no thread can be started.
    begun: Option<JoinHandle<Result<HttpTransport, HttpSetupError>>>,
}

impl PendingTransport {
    /// Starts, if requests will be made.
    pub(super) fn begin(args: &ChainArgs) -> Self {
        let options = HttpOptions { ca_file: args.ca_file.clone(), ..HttpOptions::default() };
        let asks = args.replay.is_none() && !args.offline;
        let own = options.clone();
        let begin = || thread::Builder::new().spawn(move || HttpTransport::new(&own)).ok();
        Self { options, begun: asks.then(begin).flatten() }
    }

    fn transport(self) -> Result<Arc<dyn Transport>, Failure> {
        let ended = self.begun.and_then(|begun| begun.join().ok());
        let transport = ended
            .unwrap_or_else(|| HttpTransport::new(&self.options))
            .map_err(|error| Failure::usage(error).next("check --ca-file, SSL_CERT_FILE and HTTPS_PROXY"))?;
        Ok(Arc::new(transport))
    }
}
