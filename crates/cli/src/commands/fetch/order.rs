//! What is downloaded and where it goes: the same for artifacts and for other files.

use super::arguments::NetworkArgs;
use super::lines::Lines;
use super::network;
use super::report::Fetched;
use super::until_interrupted;
use crate::failure::Failure;
use catena::CancellationToken;
use catena_download::{
    ContentCache, Delivered, Delivery, Downloader, Extract, Input, Measured, TaskRun, stage,
};
use catena_extract::Options;
use catena_http::Shown;
use catena_model::custody::Trust;
use catena_model::digest::Digest;
use catena_model::task::ArtifactName;
use sha2::{Digest as _, Sha256, Sha512};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use tokio::time::Instant;

/// Who made a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A run of a task.
    Artifact {
        /// The run.
        run: TaskRun,
        /// The name of the artifact.
        name: ArtifactName,
    },
    /// It is only known where it is.
    Url(String),
}

/// One file to download.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) origin: Origin,
    /// How far it is verified once its digest is right.
    pub(super) trust: Trust,
    pub(super) input: Input,
}

/// Delivers all of it, or nothing.
pub(super) async fn deliver(
    downloader: &Downloader,
    orders: Vec<Order>,
    dest: &Path,
    delivery: &Delivery,
    lines: &Lines,
    cancellation: &CancellationToken,
) -> Result<Vec<Fetched>, Failure> {
    distinct(&orders)?;
    let (inputs, rest): (Vec<Input>, Vec<_>) =
        orders.into_iter().map(|order| (order.input, (order.origin, order.trust))).unzip();
    lines.begin(&inputs, dest);
    let failed = |error| network::deliver_failure(&error);
    let staged = async { stage(downloader, &inputs, dest, delivery, lines).await.map_err(failed) };
    let staged = until_interrupted(cancellation, staged).await?;
    // A signal that comes now finds everything verified: it is put in place as a whole.
    let delivered = staged.place().await.map_err(failed)?;
    let fetched = delivered.into_iter().zip(rest).zip(inputs);
    Ok(fetched
        .map(|((delivered, (origin, trust)), input)| Fetched {
            origin,
            url: Shown(&input.download.url).to_string(),
            place: input.place.path(),
            trust,
            delivered,
        })
        .collect())
}

/// Measures files that are in place already, and holds them against what they must be.
pub(super) fn check(orders: Vec<Order>, dest: &Path) -> Result<Vec<Fetched>, Failure> {
    let check = |order: Order| {
        let place = order.input.place.path();
        let path = dest.join(&place);
        let url = Shown(&order.input.download.url).to_string();
        if order.input.extract != Extract::Never {
            let what =
                format!("{}: a directory cannot be held against the digest of an archive", place.display());
            return Err(Failure::usage(what).next("let `catena fetch mounts` put it in place"));
        }
        let measured = measure(&path)?;
        for expected in &order.input.download.expected.digests {
            let (name, actual) = match expected {
                Digest::Sha256(_) => ("SHA-256", Some(Digest::Sha256(measured.sha256))),
                Digest::Sha512(_) => ("SHA-512", measured.sha512.map(Digest::Sha512)),
            };
            if actual != Some(*expected) {
                let actual = actual.map_or_else(|| "an unknown value".to_owned(), |actual| actual.to_hex());
                let what = format!(
                    "{} has the {name} {actual}, and must have {}, as {url}",
                    path.display(),
                    expected.to_hex()
                );
                return Err(Failure::coded("fetch-mismatch", what)
                    .next("use nothing of it; tell security, and keep the file as evidence"));
            }
        }
        let delivered = Delivered { measured, extracted: None, cached: false };
        Ok(Fetched { origin: order.origin, url, place, trust: order.trust, delivered })
    };
    orders.into_iter().map(check).collect()
}

/// The length and digest of a file.
pub(super) fn measure(path: &Path) -> Result<Measured, Failure> {
    let measured = || -> io::Result<Measured> {
        let (mut file, mut hash, mut wide) = (File::open(path)?, Sha256::new(), Sha512::new());
        let mut buffer = vec![0; 256 << 10];
        let mut length = 0_u64;
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                let (sha256, sha512) = (hash.finalize().into(), Some(wide.finalize().into()));
                return Ok(Measured { sha256, sha512, length });
            }
            let bytes = buffer.get(..read).unwrap_or_default();
            hash.update(bytes);
            wide.update(bytes);
            length = length.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        }
    };
    measured().map_err(|error| {
        Failure::coded("fetch-disk", format!("cannot read {}: {error}", path.display()))
            .next("see whether the file is in place, and may be read")
    })
}

/// Two different files may not become one.
fn distinct(orders: &[Order]) -> Result<(), Failure> {
    let mut places = BTreeMap::new();
    for Order { input, .. } in orders {
        let other = places.insert(input.place.path(), &input.download.url);
        if other.is_some_and(|other| *other != input.download.url) && input.extract == Extract::Never {
            let what = format!("two artifacts would become one file, {}", input.place.path().display());
            return Err(Failure::usage(what).next("give one of them another `dest`"));
        }
    }
    Ok(())
}

/// How files are delivered.
pub(super) fn delivery(
    args: &NetworkArgs,
    allow_case_collisions: bool,
    deadline: Instant,
) -> Result<Delivery, Failure> {
    let store = args.cache.store()?;
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Ok(Delivery {
        downloads: network::jobs(args).get(),
        extractions: cores,
        options: Options { allow_case_collisions, ..Options::default() },
        deadline,
        cache: store.map(|store| Arc::new(ContentCache::new(store, args.cache_links))),
    })
}
