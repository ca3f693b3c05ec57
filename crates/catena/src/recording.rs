//! Recordings: the request and all facts, in a directory, so that a verdict can be reproduced.

use crate::assembly::{Assembly, Ended};
use crate::trust_config::PolicyTexts;
use crate::{Control, Error, TargetSpec, TextFile, TrustConfig, Verifier};
use catena_fetch::{Progress, Recorder, Replay};
use catena_model::task::{Kind, TaskId};
use catena_model::{Limits, Timestamp};
use catena_verify::verification::{Conclusion, Extent, Fact, Need, Switches, Target};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The request, in the directory of a recording.
const FILE: &str = "verification.json";
/// The version of the format.
const VERSION: u32 = 1;
/// The maximum size of such a file in bytes: it contains the texts of a policy.
const LARGEST: u64 = 64 << 20;
/// Long enough for facts that are available locally.
const AT_ONCE: Duration = Duration::from_secs(3600);

/// Reproduces a verdict from a recording: target, product, policy, keys and time are those of the
/// recording, and no requests are made. The verdict says that it comes from a recording, which gives no
/// clearance.
///
/// # Errors
/// A directory that is not a recording, or was changed.
pub async fn replay(
    directory: &Path,
    progress: Arc<dyn Progress>,
    cancellation: CancellationToken,
) -> Result<Conclusion, Error> {
    let recorded = Recorded::read(directory)?;
    let target_spec = recorded.target_spec().map_err(|reason| malformed(directory, reason))?;
    let switches = recorded.switches();
    let concluded = recorded.concluded().map_err(|reason| malformed(directory, reason))?;
    let Recorded { policy, keys, root_url, .. } = recorded;
    let trust_config = TrustConfig::of(policy, keys)?;
    let assembly = Assembly::new(&trust_config, &target_spec, Limits::default(), switches, root_url)?;
    let facts = Arc::new(Replay::open(directory, &assembly.limits)?);
    let control = Control { deadline: AT_ONCE, progress, cancellation };
    let Ended { conclusion, .. } = assembly.run(facts, &control, || concluded).await?;
    Ok(conclusion)
}

/// The request of a recording.
///
/// # Errors
/// A directory that is not a recording, or was changed.
pub fn recorded_target(directory: &Path) -> Result<TargetSpec, Error> {
    Recorded::read(directory)?.target_spec().map_err(|reason| malformed(directory, reason))
}

/// The request of a recording, with policy and keys. The facts are in separate files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Recorded {
    /// The version of this format.
    catena_inquiry: u32,
    /// The version of catena that wrote it.
    made_by: String,
    /// The target's id.
    task_id: String,
    /// The target's kind.
    task_type: String,
    /// Whether the target's own document was verified too.
    check_task: bool,
    /// Which artifacts were measured beside the target's inputs. Older recordings hold no others.
    #[serde(default = "before_this")]
    artifacts: String,
    /// The product.
    product: String,
    /// Taskcluster's root URL.
    root_url: String,
    /// Whether documents were accepted without their signatures.
    danger_skip_signatures: bool,
    /// Whether facts could arrive over plain http.
    danger_allow_http: bool,
    /// Whether no requests were made. Omitted if requests were made, as in all older recordings.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    offline: bool,
    /// The policy.
    policy: PolicyTexts,
    /// The key file that replaced the product's keys.
    keys: Option<TextFile>,
    /// The time of conclusion, RFC 3339.
    concluded: String,
}

impl Recorded {
    /// The request to a verifier, and the time of conclusion.
    pub(crate) fn of(verifier: &Verifier, target_spec: &TargetSpec, concluded: Timestamp) -> Self {
        let TargetSpec { target, product } = target_spec;
        let switches = verifier.switches();
        Self {
            catena_inquiry: VERSION,
            made_by: env!("CARGO_PKG_VERSION").to_owned(),
            task_id: target.task_id.to_string(),
            task_type: target.kind.to_string(),
            check_task: target.check_task,
            artifacts: target.extent.as_str().to_owned(),
            product: product.clone(),
            root_url: verifier.root_url().as_str().to_owned(),
            danger_skip_signatures: switches.danger_skip_signatures,
            danger_allow_http: switches.danger_allow_http,
            offline: switches.offline,
            policy: verifier.trust_config.texts().clone(),
            keys: verifier.trust_config.keys().cloned(),
            concluded: concluded.to_string(),
        }
    }

    fn target_spec(&self) -> Result<TargetSpec, String> {
        let task_id = TaskId::parse(&self.task_id).map_err(|error| error.to_string())?;
        let kind = Kind::parse(&self.task_type).map_err(|error| error.to_string())?;
        let extent = Extent::parse(&self.artifacts);
        let extent = extent.ok_or_else(|| format!("unsupported artifacts: {:?}", self.artifacts))?;
        let target = Target { task_id, kind, check_task: self.check_task, extent };
        Ok(TargetSpec { target, product: self.product.clone() })
    }

    fn concluded(&self) -> Result<Timestamp, String> {
        self.concluded.parse().map_err(|_| format!("malformed time: {:?}", self.concluded))
    }

    fn switches(&self) -> Switches {
        Switches {
            danger_skip_signatures: self.danger_skip_signatures,
            danger_allow_http: self.danger_allow_http,
            offline: self.offline,
        }
    }

    fn read(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(FILE);
        let text = match contents(&path) {
            Ok(text) => text,
            Err(error) => return Err(Error::NoRecording { path, error }),
        };
        let read: Self =
            serde_json::from_str(&text).map_err(|error| malformed(directory, error.to_string()))?;
        if read.catena_inquiry != VERSION {
            let (version, made_by) = (read.catena_inquiry, read.made_by);
            return Err(Error::RecordingVersion { path, version, made_by });
        }
        Ok(read)
    }

    fn write(&self, directory: &Path) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(directory.join(FILE)).map(drop).map_err(|error| error.error)
    }
}

fn before_this() -> String {
    Extent::Named.as_str().to_owned()
}

fn malformed(directory: &Path, reason: String) -> Error {
    Error::RecordedRequest { path: directory.join(FILE), reason }
}

fn contents(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?.take(LARGEST.saturating_add(1)).read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read <= LARGEST) {
        Ok(text)
    } else {
        Err(io::Error::other(format!("larger than {LARGEST} bytes")))
    }
}

/// A recording that is being written.
pub(crate) struct NewRecording {
    directory: PathBuf,
    recorder: Recorder,
}

impl NewRecording {
    /// Creates the directory before the first request. An existing recording is not overwritten.
    pub(crate) fn begin(directory: &Path) -> Result<Self, Error> {
        if directory.join(FILE).exists() {
            return Err(Error::RecordingExists(directory.to_owned()));
        }
        let recorder = Recorder::new(directory)
            .map_err(|error| Error::RecordingDirectory { path: directory.to_owned(), error })?;
        Ok(Self { directory: directory.to_owned(), recorder })
    }

    /// Writes it.
    pub(crate) fn finish<'a>(
        self,
        recorded: &Recorded,
        facts: impl Iterator<Item = (&'a Need, &'a Fact)>,
    ) -> Result<(), Error> {
        let written = self.recorder.write(facts).and_then(|()| recorded.write(&self.directory));
        written.map_err(|error| Error::NotRecorded { path: self.directory, error })
    }
}
