//! What is known of the artifacts of a run before they are there, and how far it is proven.

use super::arguments::{CommonArgs, Trust};
use super::chain::{Made, Makers};
use super::network::Network;
use crate::failure::Failure;
use catena::TrustConfig;
use catena_download::{SignedDocument, SignedError, Signers, Source, TaskRun, Wanted, signed_documents};
use catena_model::custody::Trust as Proof;
use catena_model::digest::Digest;
use catena_model::fnmatch::Pattern;
use catena_model::task::ArtifactName;
use catena_policy::{KeyRing, Policy};
use std::collections::{BTreeMap, BTreeSet};

/// Who vouches for the artifacts of a run.
pub(super) enum Vouched {
    /// Its signed document, and the chain behind it.
    Chain(Made),
    /// Its signed document.
    Signed(Box<SignedDocument>),
    /// The caller, who gives digests.
    Caller,
    /// Nobody.
    Nobody,
}

impl Vouched {
    /// How far what is taken by its word is verified.
    pub(super) fn proof(&self) -> Proof {
        match self {
            Self::Chain(made) => made.proof,
            Self::Signed(_) => Proof::Signature,
            Self::Caller => Proof::Hash,
            Self::Nobody => Proof::None,
        }
    }

    fn names(&self) -> Vec<ArtifactName> {
        match self {
            Self::Chain(made) => made.artifacts.keys().cloned().collect(),
            Self::Signed(document) => document.names().collect(),
            Self::Caller | Self::Nobody => Vec::new(),
        }
    }

    fn digest(&self, name: &ArtifactName) -> Option<Digest> {
        match self {
            Self::Chain(made) => made.artifacts.get(name).copied(),
            Self::Signed(document) => document.digest(name),
            Self::Caller | Self::Nobody => None,
        }
    }

    /// The artifacts that are wanted of a run, each with the digests it must have.
    pub(super) fn select(
        &self,
        run: TaskRun,
        wanted: &Wanted,
    ) -> Result<Vec<(ArtifactName, Vec<Digest>)>, Failure> {
        let names = if wanted.is_pattern { self.matching(run, wanted)? } else { vec![name(&wanted.name)?] };
        names.into_iter().map(|name| self.expected(run, wanted, name)).collect()
    }

    fn matching(&self, run: TaskRun, wanted: &Wanted) -> Result<Vec<ArtifactName>, Failure> {
        if matches!(self, Self::Caller | Self::Nobody) {
            let what = format!("{:?} is a pattern, and nobody says which names there are", wanted.name);
            return Err(Failure::usage(what).next("name the files, or verify by --product or --keys"));
        }
        let pattern = Pattern::new(&wanted.name)
            .ok_or_else(|| Failure::usage(format!("{:?} is too long for a pattern", wanted.name)))?;
        let names =
            self.names().into_iter().filter(|name| !name.is_reserved() && pattern.matches(name.as_str()));
        let names: Vec<ArtifactName> = names.collect();
        if names.is_empty() {
            let what = format!("nothing that {run} made is called {:?}", wanted.name);
            return Err(Failure::coded("fetch-not-named", what)
                .next("see what its signed document, public/chain-of-trust.json, names"));
        }
        Ok(names)
    }

    fn expected(
        &self,
        run: TaskRun,
        wanted: &Wanted,
        name: ArtifactName,
    ) -> Result<(ArtifactName, Vec<Digest>), Failure> {
        let vouched = self.digest(&name);
        match (self, vouched, wanted.digest) {
            (Self::Chain(_) | Self::Signed(_), None, _) => {
                let what = format!("the signed document of {run} does not name {}", name.as_str());
                Err(Failure::coded("fetch-not-named", what)
                    .next("what no document names is not proven; name another artifact or run"))
            }
            (Self::Caller, _, None) => {
                let what = format!("{} of {run} has no digest to be held against", name.as_str());
                Err(Failure::usage(what)
                    .next("give its --sha256, or what its maker is judged by: --product, or --keys"))
            }
            (_, Some(vouched), Some(given)) if differ(vouched, given) => {
                let what = format!(
                    "the caller says that {} of {run} has the SHA-256 {}, and the signed document says {}",
                    name.as_str(),
                    given.to_hex(),
                    vouched.to_hex()
                );
                Err(Failure::coded("fetch-digest-contradicts", what)
                    .next("find out which of the two is out of date"))
            }
            (_, vouched, given) => {
                // Of two algorithms both count: neither says anything of the other.
                let given = given.filter(|given| vouched != Some(*given));
                Ok((name, vouched.into_iter().chain(given).collect()))
            }
        }
    }
}

/// Two digests of one algorithm that are not the same.
fn differ(one: Digest, other: Digest) -> bool {
    one.algorithm() == other.algorithm() && one != other
}

/// The name of an artifact.
pub(super) fn name(text: &str) -> Result<ArtifactName, Failure> {
    ArtifactName::parse(text).map_err(|error| {
        Failure::usage(error).next("name an artifact as its task does: public/build/target.zip")
    })
}

/// What makers are judged by.
pub(super) struct Judge {
    trust: Option<Trust>,
    trust_config: TrustConfig,
    product: Option<String>,
    /// Keys that are trusted for signatures where no product is named.
    keys: KeyRing,
}

impl Judge {
    /// What the options say: the strongest that they suffice for, or what they ask for.
    pub(super) fn new(
        args: &CommonArgs,
        trust_config: TrustConfig,
        wanted: &[Wanted],
    ) -> Result<Self, Failure> {
        let named = args.product.as_deref();
        let keys = match named {
            Some(name) => trust_config.product(name)?.1,
            None => trust_config.keys_alone()?,
        };
        let strongest = match (named, &args.keys) {
            (Some(_), _) => Trust::Chain,
            (None, Some(_)) => Trust::Signature,
            (None, None) => Trust::Hash,
        };
        let trust = args.trust.unwrap_or(strongest);
        if trust > strongest {
            let what = match trust {
                Trust::Chain => "--trust chain needs the product whose policy applies",
                _ => "--trust signature needs the keys that are trusted",
            };
            return Err(Failure::usage(what).next("give --product NAME, or for signatures --keys FILE"));
        }
        if args.trust == Some(Trust::Chain) && args.network.danger_allow_http {
            return Err(Failure::usage(
                "--trust chain proves nothing with --danger-allow-http: anybody on the way may answer",
            )
            .next("leave one of the two out"));
        }
        let undigested = wanted.iter().any(|wanted| wanted.digest.is_none());
        if trust == Trust::Hash && undigested && !args.danger_unverified {
            return Err(Failure::usage("there is nothing that every file could be held against").next(
                "give --product NAME (chain), --keys FILE (signature) or digests; --danger-unverified goes without",
            ));
        }
        let trust = (!args.danger_unverified).then_some(trust);
        Ok(Self { trust, product: named.map(str::to_owned), trust_config, keys })
    }

    /// The policy that makers are judged by.
    pub(super) fn policy(&self) -> &Policy {
        self.trust_config.policy()
    }

    /// Who vouches for what these runs made.
    pub(super) async fn vouch(
        &self,
        runs: &[TaskRun],
        args: &CommonArgs,
        network: &Network,
    ) -> Result<BTreeMap<TaskRun, Vouched>, Failure> {
        let mut vouched = BTreeMap::new();
        match (self.trust, &self.product) {
            (Some(Trust::Chain), Some(product)) => {
                let makers =
                    Makers { trust_config: &self.trust_config, product, kind: &args.task_type, network };
                for (run, made) in makers.verify(runs).await? {
                    vouched.insert(run, Vouched::Chain(made));
                }
            }
            (Some(Trust::Signature), _) => {
                let provisioners = self.policy().scriptworker_provisioners();
                let signers = Signers {
                    keys: &self.keys,
                    product: self.product.as_deref(),
                    scriptworker_provisioners: &provisioners,
                };
                let documents = signed_documents(&network.queue(), runs, signers, network.jobs).await;
                for document in documents.map_err(|error| untrusted(&error))? {
                    vouched.insert(document.run(), Vouched::Signed(Box::new(document)));
                }
            }
            (Some(_), _) => vouched.extend(runs.iter().map(|run| (*run, Vouched::Caller))),
            (None, _) => vouched.extend(runs.iter().map(|run| (*run, Vouched::Nobody))),
        }
        Ok(vouched)
    }
}

fn untrusted(error: &SignedError) -> Failure {
    match error {
        SignedError::Queue(error) => super::network::queue_failure(error),
        error @ SignedError::UnknownImplementation { .. } => Failure::coded(error.code(), error)
            .next("name a --product or --policy whose scriptworker-provisioners tell, or have the task's tags say it"),
        error => Failure::coded(error.code(), error)
            .next("do not use what this run made; find out who signed for it and with which key"),
    }
}

/// Each source, pinned to a run, in the order in which they are wanted.
pub(super) async fn pin(wanted: &[Wanted], network: &Network) -> Result<Vec<(Source, TaskRun)>, Failure> {
    let mut seen = BTreeSet::new();
    let sources = wanted.iter().map(|wanted| &wanted.source).filter(|source| seen.insert(*source));
    let sources: Vec<Source> = sources.cloned().collect();
    let runs = network.queue().pin_all(&sources, network.jobs).await;
    let runs = runs.map_err(|error| super::network::queue_failure(&error))?;
    let pinned: Vec<(Source, TaskRun)> = sources.into_iter().zip(runs).collect();
    for (source, run) in &pinned {
        if let Source::Index(route) = source {
            tracing::warn!("index:{route} is {run} now");
        }
    }
    Ok(pinned)
}
