//! The workers' keys.

use super::seed::Seed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use catena_keys::{PublicKey, SigningKey};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Whose key a document is signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Implementation {
    /// docker-worker.
    DockerWorker,
    /// generic-worker, for its own payloads and for docker-worker's that it runs.
    GenericWorker,
    /// scriptworker.
    Scriptworker,
}

/// One key for each worker implementation.
#[derive(Clone, Debug)]
pub struct Keyring {
    docker_worker: Arc<SigningKey>,
    generic_worker: Arc<SigningKey>,
    scriptworker: Arc<SigningKey>,
    distrusted: BTreeSet<Implementation>,
}

impl Keyring {
    pub(super) fn new(seed: &mut Seed) -> Self {
        let mut key = || Arc::new(seed.key());
        let distrusted = BTreeSet::new();
        Keyring { docker_worker: key(), generic_worker: key(), scriptworker: key(), distrusted }
    }

    /// Takes an implementation's own key out of what [`Keyring::public_keys`] tells; its workers go on
    /// signing with it.
    pub fn distrust(&mut self, implementation: Implementation) {
        self.distrusted.insert(implementation);
    }

    /// The private key an implementation signs with.
    pub fn signing_key(&self, implementation: Implementation) -> &SigningKey {
        match implementation {
            Implementation::DockerWorker => &self.docker_worker,
            Implementation::GenericWorker => &self.generic_worker,
            Implementation::Scriptworker => &self.scriptworker,
        }
    }

    /// Public keys by the implementation's name in policies. docker-worker's payloads may be signed
    /// with generic-worker's key.
    pub fn public_keys(&self) -> Vec<(&'static str, Vec<PublicKey>)> {
        use Implementation::{DockerWorker, GenericWorker, Scriptworker};
        let keys = |signers: &[Implementation]| {
            let trusted = signers.iter().filter(|signer| !self.distrusted.contains(signer));
            trusted.map(|signer| self.signing_key(*signer).public_key()).collect()
        };
        vec![
            ("docker-worker", keys(&[DockerWorker, GenericWorker])),
            ("generic-worker", keys(&[GenericWorker])),
            ("scriptworker", keys(&[Scriptworker])),
        ]
    }

    /// The same as the base64 text that configurations hold.
    pub fn public_keys_base64(&self) -> BTreeMap<&'static str, Vec<String>> {
        let text = |key: &PublicKey| STANDARD.encode(key.as_bytes());
        let keys = self.public_keys().into_iter();
        keys.map(|(name, keys)| (name, keys.iter().map(text).collect())).collect()
    }
}
