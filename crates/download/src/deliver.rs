//! A set of inputs to a directory: all of them or none.

use crate::cache::{ContentCache, Source};
use crate::engine::Downloader;
use crate::error::DownloadError;
use crate::extractors::Extractors;
use crate::request::Download;
use crate::sink::Measured;
use catena_extract::{ExtractError, MergeError, Options, Summary, detect, extract, merge, merge_file};
use catena_model::digest::Digest;
use catena_workdir::ClaimedDir;
use futures_util::{FutureExt, StreamExt, stream};
use std::fs::{self, File};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::Instant;

/// One input, and where it goes.
#[derive(Clone, Debug)]
pub struct Input {
    /// What is downloaded.
    pub download: Download,
    /// Where it goes, below the destination.
    pub place: Place,
    /// Whether it is extracted there.
    pub extract: Extract,
}

/// Whether an input is extracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extract {
    /// It stays as it is.
    Never,
    /// It is extracted if it is an archive, and stays as it is otherwise.
    Archives,
    /// It is extracted, and refused if it is not an archive.
    Always,
}

impl Extract {
    /// Whether archives are extracted, and other files left as they are.
    #[must_use]
    pub fn archives(extract: bool) -> Self {
        if extract { Self::Archives } else { Self::Never }
    }
}

/// Where an input goes: a directory below the destination, and the name of a file in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    directory: PathBuf,
    name: String,
}

/// Why something cannot go where it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// The directory is not below the destination.
    #[error("the directory {0:?} is not below the destination")]
    Directory(String),
    /// The name is not the name of a file.
    #[error("{0:?} is not the name of a file")]
    Name(String),
}

impl Place {
    /// A place below the destination. An empty directory is the destination itself.
    ///
    /// # Errors
    /// A directory that is absolute or has `..` in it; a name that is not exactly one.
    pub fn new(directory: &str, name: &str) -> Result<Self, PlaceError> {
        let mut below = PathBuf::new();
        for part in Path::new(directory).components() {
            match part {
                Component::CurDir => {}
                Component::Normal(part) => below.push(part),
                _ => return Err(PlaceError::Directory(directory.chars().take(200).collect())),
            }
        }
        let plain = !name.is_empty()
            && name.len() <= 255
            && !matches!(name, "." | "..")
            && !name.chars().any(|character| character == '/' || character.is_control());
        if !plain || below.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(PlaceError::Name(name.chars().take(200).collect()));
        }
        Ok(Self { directory: below, name: name.to_owned() })
    }

    /// The path of the file below the destination.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.join(&self.name)
    }
}

/// How inputs are delivered.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Downloads at the same time.
    pub downloads: usize,
    /// Archives that are extracted at the same time.
    pub extractions: NonZeroUsize,
    /// How archives are extracted.
    pub options: Options,
    /// When to give up.
    pub deadline: Instant,
    /// What was downloaded before.
    pub cache: Option<Arc<ContentCache>>,
}

/// What became of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// What was downloaded.
    pub measured: Measured,
    /// What was extracted, if it was an archive that should be.
    pub extracted: Option<Summary>,
    /// Whether it was in the cache.
    pub cached: bool,
}

/// Why a set of inputs is not delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// An input could not be downloaded, or is not what it must be.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// An input could not be extracted.
    #[error("{url} cannot be extracted: {source}")]
    Extract {
        /// The input.
        url: String,
        /// Why.
        source: ExtractError,
    },
    /// The inputs could not be moved into place. What was moved before stays: it is verified.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// The staging directory.
    #[error("cannot write below {path}: {source}", path = path.display())]
    Staging {
        /// The destination.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl DeliverError {
    /// A stable code, as findings have it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Download(error) => error.code(),
            Self::Extract { source, .. } => source.code(),
            Self::Merge(MergeError::Directory { .. }) => "fetch-conflict",
            Self::Merge(MergeError::Disk { .. }) | Self::Staging { .. } => "fetch-disk",
        }
    }
}

/// Told how inputs get on, by their numbers.
pub trait Observer: Send + Sync {
    /// The download of an input begins.
    fn begins(&self, _input: usize) {}
    /// So many bytes of an input are there, of so many where that is known.
    fn grows(&self, _input: usize, _bytes: u64, _of: Option<u64>) {}
    /// An input is in the cache, and need not be downloaded.
    fn cached(&self, _input: usize, _measured: &Measured) {}
    /// An input is there and is what it must be.
    fn downloaded(&self, _input: usize, _measured: &Measured) {}
    /// An input is extracted.
    fn extracted(&self, _input: usize, _summary: &Summary) {}
}

/// Nobody is told.
#[derive(Clone, Copy, Debug)]
pub struct NoProgress;

impl Observer for NoProgress {}

/// Downloads and extracts inputs, and moves them to a directory in their order once all of them are right. What
/// stands there already under the same names is replaced.
///
/// # Errors
/// The first input that fails, in which case nothing is moved; or what keeps the inputs from being moved.
pub async fn deliver(
    downloader: &Downloader,
    inputs: &[Input],
    to: &Path,
    delivery: &Delivery,
    observer: &dyn Observer,
) -> Result<Vec<Delivered>, DeliverError> {
    stage(downloader, inputs, to, delivery, observer).await?.place().await
}

/// Inputs that are right, in a staging directory below their destination. They are removed when this is dropped.
#[must_use]
pub struct StagedInputs {
    staging: Arc<Staging>,
    to: PathBuf,
    /// Where the inputs go, below `to`.
    places: Vec<PathBuf>,
    delivered: Vec<Delivered>,
    cache: Option<Arc<ContentCache>>,
}

impl StagedInputs {
    /// Moves the inputs to their destination, in their order. What stands there already under the same names is
    /// replaced. Dropping the future does not stop the moves.
    ///
    /// # Errors
    /// What keeps the inputs from being moved. What was moved before stays.
    pub async fn place(self) -> Result<Vec<Delivered>, DeliverError> {
        let Self { staging, to, places, delivered, cache } = self;
        let (root, extracted) = (to.clone(), delivered.iter().map(|one| one.extracted.is_some()));
        let extracted: Vec<bool> = extracted.collect();
        let merged = tokio::task::spawn_blocking(move || {
            let mut inputs = places.iter().zip(extracted).enumerate();
            inputs.try_for_each(|(number, (place, extracted))| match extracted {
                true => merge(&staging.tree(number), &root),
                false => merge_file(&staging.file(number), &root, place),
            })
        });
        let disk = |error| DeliverError::Staging { path: to, source: io::Error::other(error) };
        merged.await.map_err(disk)??;
        if let Some(cache) = cache {
            // What keeps room from being made keeps nothing from being used.
            let _ = tokio::task::spawn_blocking(move || cache.tidy()).await;
        }
        Ok(delivered)
    }
}

/// Downloads and extracts inputs, and moves nothing yet.
///
/// # Errors
/// The first input that fails.
pub async fn stage(
    downloader: &Downloader,
    inputs: &[Input],
    to: &Path,
    delivery: &Delivery,
    observer: &dyn Observer,
) -> Result<StagedInputs, DeliverError> {
    let disk = |source| DeliverError::Staging { path: to.to_owned(), source };
    let staging = Arc::new(Staging::open(to).map_err(disk)?);
    let work = Work {
        downloader,
        delivery,
        observer,
        staging: &staging,
        stopped: Stopped::default(),
        extractors: Extractors::start(delivery.extractions).map_err(disk)?,
    };
    let mut delivered: Vec<Option<Delivered>> = vec![None; inputs.len()];
    {
        let numbered = inputs.iter().enumerate();
        // Collected, so that the whole is `Send`: a lazy stream of borrowing closures is not.
        let works: Vec<_> =
            numbered.map(|(number, input)| work.one(number, input).map(move |one| (number, one))).collect();
        let mut running = stream::iter(works).buffer_unordered(delivery.downloads.max(1));
        while let Some((number, one)) = running.next().await {
            // The first that fails ends the others too.
            let one = one?;
            delivered.get_mut(number).map(|place| place.replace(one));
        }
    }
    drop(work);
    let (to, cache) = (to.to_owned(), delivery.cache.clone());
    let places = inputs.iter().map(|input| input.place.path()).collect();
    Ok(StagedInputs { staging, to, places, delivered: delivered.into_iter().flatten().collect(), cache })
}

struct Work<'a> {
    downloader: &'a Downloader,
    delivery: &'a Delivery,
    observer: &'a dyn Observer,
    staging: &'a Arc<Staging>,
    // Dropped before the extractors, which are waited for.
    stopped: Stopped,
    extractors: Extractors,
}

impl Work<'_> {
    /// One input, to the file or the tree of its number.
    async fn one(&self, number: usize, input: &Input) -> Result<Delivered, DeliverError> {
        let disk = |source| DeliverError::Staging { path: self.staging.directory.path().to_owned(), source };
        let file = self.staging.file(number);
        self.observer.begins(number);
        let recalled = self.recall(input, &file).await.map_err(disk)?;
        let cached = recalled.is_some();
        let measured = match recalled {
            Some(measured) => {
                self.observer.cached(number, &measured);
                measured
            }
            None => {
                let growing = |bytes, of| self.observer.grows(number, bytes, of);
                self.downloader.download(&input.download, &file, self.delivery.deadline, &growing).await?
            }
        };
        self.observer.downloaded(number, &measured);
        let extracted = match input.extract {
            Extract::Never => None,
            Extract::Archives | Extract::Always => self.extract(number, input, &file).await?,
        };
        let source = if extracted.is_some() { Source::Goes } else { Source::Stays };
        if !cached {
            self.keep(&measured, &file, source).await;
        }
        if let Some(summary) = &extracted {
            self.observer.extracted(number, summary);
            gone(fs::remove_file(&file)).map_err(disk)?;
        }
        Ok(Delivered { measured, extracted, cached })
    }

    /// What is in the cache, where its digest is known.
    async fn recall(&self, input: &Input, file: &Path) -> io::Result<Option<Measured>> {
        // The cache knows no other digest than its own.
        let (Some(cache), [Digest::Sha256(digest)]) =
            (&self.delivery.cache, input.download.expected.digests.as_slice())
        else {
            return Ok(None);
        };
        let (cache, digest, file) = (cache.clone(), *digest, file.to_owned());
        let length = input.download.expected.length;
        let limit = length.unwrap_or(input.download.limit);
        let source = if input.extract == Extract::Never { Source::Stays } else { Source::Goes };
        let taken = tokio::task::spawn_blocking(move || cache.take(&digest, limit, &file, source));
        let taken = taken.await.unwrap_or_else(|error| Err(io::Error::other(error)))?;
        // A length that differs is told of by the download.
        Ok(taken.filter(|measured| length.is_none_or(|length| length == measured.length)))
    }

    async fn keep(&self, measured: &Measured, file: &Path, source: Source) {
        let Some(cache) = self.delivery.cache.clone() else { return };
        let (measured, file) = (measured.clone(), file.to_owned());
        let kept = tokio::task::spawn_blocking(move || cache.keep(&measured, &file, source));
        if let Err(error) = kept.await {
            tracing::warn!(%error, "a download cannot be cached");
        }
    }

    async fn extract(
        &self,
        number: usize,
        input: &Input,
        file: &Path,
    ) -> Result<Option<Summary>, DeliverError> {
        let failed = |source| DeliverError::Extract {
            url: catena_http::Shown(&input.download.url).to_string(),
            source,
        };
        let (file, directory) = (file.to_owned(), self.staging.tree(number).join(&input.place.directory));
        let (options, stopped) = (self.delivery.options.clone(), self.stopped.0.clone());
        let must = input.extract == Extract::Always;
        // The directory is removed once nothing is written to it any more, whoever is the last to use it.
        let staging = self.staging.clone();
        let extracted = self.extractors.run(move || {
            let _staging = staging;
            let mut archive = File::open(file).map_err(ExtractError::Read)?;
            let format = match detect(&mut archive).map_err(ExtractError::Read)? {
                Some(format) => format,
                None if must => {
                    return Err(ExtractError::Unsupported("it is neither tar nor zip".to_owned()));
                }
                None => return Ok(None),
            };
            let unmade = |source| ExtractError::Disk { path: directory.clone(), source };
            fs::create_dir_all(&directory).map_err(unmade)?;
            let cancelled = || stopped.load(Ordering::Relaxed);
            extract(archive, format, &directory, &options, &cancelled).map(Some)
        });
        extracted.await.map_err(ExtractError::Read).flatten().map_err(failed)
    }
}

/// What is not there need not be removed.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Stops the threads that extract when nobody waits for them any more.
#[derive(Default)]
struct Stopped(Arc<AtomicBool>);

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A directory below the destination, on the same file system, that is removed when this is dropped; and by the
/// next fetcher where this one is killed.
struct Staging {
    directory: ClaimedDir,
}

impl Staging {
    fn open(to: &Path) -> io::Result<Self> {
        Ok(Self { directory: ClaimedDir::create_in(to)? })
    }

    /// An input as it was downloaded. Only what is extracted has a directory of its own: removing thousands of them
    /// takes seconds on some disks.
    fn file(&self, number: usize) -> PathBuf {
        self.directory.path().join(format!("{number}.download"))
    }

    /// What was extracted of an input.
    fn tree(&self, number: usize) -> PathBuf {
        self.directory.path().join(number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_below_the_destination() {
        let path = |directory, name| Place::new(directory, name).map(|place| place.path());
        assert_eq!(path("", "a"), Ok(PathBuf::from("a")));
        assert_eq!(path("./x/y/", "a.tar"), Ok(PathBuf::from("x/y/a.tar")));
        for wrong in ["..", "x/../..", "x/..", "/x"] {
            assert!(matches!(path(wrong, "a"), Err(PlaceError::Directory(_))), "{wrong}");
        }
        for wrong in ["", ".", "..", "a/b", "a\0", "a\n"] {
            assert!(matches!(path("", wrong), Err(PlaceError::Name(_))), "{wrong:?}");
        }
    }
}
