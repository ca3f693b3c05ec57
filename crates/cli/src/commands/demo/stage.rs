//! A Taskcluster, hg and GitHub on loopback, and the real fetcher.

use super::stuck;
use crate::failure::Failure;
use catena_attacks::{NOW, Scenario, Wire};
use catena_fetch::{Fetcher, Quiet, investigate};
use catena_http::{HttpOptions, HttpTransport, Proxy};
use catena_model::Limits;
use catena_taskcluster::RootUrl;
use catena_testbed::{Chain, Options, Testbed};
use catena_verify::verdict::Verdict;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

/// A demo that takes longer is stuck.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Serves a chain on loopback, with faults on the wire, and verifies it there. Injected faults are
/// retried once and soon.
pub(super) fn verdict(
    scenario: &Scenario,
    chain: &Chain,
    faults: &[Wire],
) -> Result<(Verdict, Duration), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(stuck)?;
    let temp = tempfile::tempdir().map_err(stuck)?;
    let options = match faults {
        [] => catena_fetch::Options::default(),
        _ => catena_fetch::Options {
            attempts: 2,
            backoff: Duration::from_millis(1),
            stall: Duration::from_millis(500),
            ..catena_fetch::Options::default()
        },
    };
    runtime.block_on(async {
        let site = chain.clone().into_site();
        let testbed = Testbed::start_with(site, Options::default()).await.map_err(stuck)?;
        for Wire { pattern, fault } in faults {
            testbed.fault(pattern, .., fault.clone());
        }
        let fetcher = Arc::new(fetcher(&testbed, temp.path(), scenario.limits(), options)?);
        let began = Instant::now();
        let deadline =
            tokio::time::Instant::now().checked_add(TIME_LIMIT).ok_or_else(|| stuck("no such time"))?;
        let mut verification = investigate(scenario.verification(), fetcher.clone(), deadline, &Quiet).await;
        Ok((verification.conclude(NOW).into_verdict(), began.elapsed()))
    })
}

fn fetcher(
    testbed: &Testbed,
    temp: &Path,
    limits: &Limits,
    options: catena_fetch::Options,
) -> Result<Fetcher, Failure> {
    let ca_file = temp.join("ca.pem");
    std::fs::write(&ca_file, testbed.ca_pem()).map_err(stuck)?;
    let proxy = Url::parse(&testbed.proxy_url()).map_err(stuck)?;
    let http = HttpOptions { ca_file: Some(ca_file), proxy: Proxy::Through(proxy), ..HttpOptions::default() };
    let transport = HttpTransport::new(&http).map_err(stuck)?;
    let root = RootUrl::parse(&testbed.root_url()).map_err(stuck)?;
    Ok(Fetcher::new(Arc::new(transport), root, limits.clone(), options))
}
