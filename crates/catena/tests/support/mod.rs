//! A chain that is served on loopback, and the inputs of a verification.
#![allow(dead_code)] // Each test file uses its own part.

use catena::{Extent, HttpOptions, Kind, Network, Proxy, Target, TargetSpec, TaskId, TrustConfig, Verifier};
use catena_testbed::{Chain, Release, Testbed, Trigger};
use std::path::PathBuf;
use tempfile::TempDir;

pub(crate) struct Served {
    pub(crate) testbed: Testbed,
    pub(crate) folder: TempDir,
    pub(crate) spec: TargetSpec,
}

/// A finished task of a push to firefox.
pub(crate) fn finished() -> Chain {
    let release = Release::new("firefox", Trigger::Push).unwrap();
    Release { finished: true, ..release }.build().unwrap()
}

/// The same, with one artifact of a build changed in storage.
pub(crate) fn altered() -> Chain {
    let mut chain = finished();
    let build = chain.builds[0].clone();
    let artifacts = chain.artifacts_mut(&build).unwrap();
    let name = artifacts.keys().find(|name| name.starts_with("public/build/")).unwrap().clone();
    artifacts.get_mut(&name).unwrap().body = b"something else".to_vec().into();
    chain
}

impl Served {
    pub(crate) async fn new(chain: Chain) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = serde_json::to_vec(&chain.keys.public_keys_base64()).unwrap();
        std::fs::write(folder.path().join("keys.json"), keys).unwrap();
        let target = Target {
            task_id: TaskId::parse(&chain.target).unwrap(),
            kind: Kind::parse(&chain.kind).unwrap(),
            check_task: chain.check_target,
            extent: Extent::Listed,
        };
        let spec = TargetSpec { target, product: chain.product.clone() };
        let testbed = Testbed::start(chain.into_site()).await.unwrap();
        std::fs::write(folder.path().join("ca.pem"), testbed.ca_pem()).unwrap();
        Self { testbed, folder, spec }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn verifier(&self) -> Verifier {
        let trust_config = TrustConfig::read(&[] as &[PathBuf], Some(&self.path("keys.json"))).unwrap();
        let proxy = Proxy::Through(self.testbed.proxy_url().parse().unwrap());
        let http = HttpOptions { proxy, ca_file: Some(self.path("ca.pem")), ..HttpOptions::default() };
        let network = Network::connect(&http).unwrap();
        Verifier::new(trust_config, Some(&self.testbed.root_url()), network)
            .unwrap()
            .with_temporary_dir(self.folder.path())
    }

    /// Files at final places in a work directory.
    pub(crate) fn files(&self, work_dir: &str) -> usize {
        let (mut found, mut folders) = (0, vec![self.path(work_dir).join("cot")]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true if path.ends_with(".catena") => {}
                    true => folders.push(path),
                    false => found += 1,
                }
            }
        }
        found
    }

    /// Waits until an artifact of a build is being transferred.
    pub(crate) async fn artifact_is_asked_for(&self) {
        let asked = || self.testbed.requests().iter().any(|request| request.url.contains("/public/build/"));
        while !asked() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}
