//! What is told while files are fetched: bars on a terminal, otherwise the lines of the program that is replaced.

use crate::progress::Screen;
use catena_download::{Input, Measured, Observer};
use catena_extract::Summary;
use catena_http::Shown;
use catena_model::digest::Digest;
use catena_report::escape;
use indicatif::{BinaryBytes, ProgressBar};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A file below this has no bar of its own: it would be gone before it is seen.
const LARGE: u64 = 4 << 20;
/// Bars at the same time: more do not fit on a terminal.
const MOST_BARS: usize = 12;

/// Whose lines are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suite {
    /// No lines.
    None,
    /// Those of `fetch-content task-artifacts`.
    FetchContent,
    /// Those of `fetch-content static-url`.
    StaticUrl,
    /// Those of `mach artifact toolchain`.
    Toolchain,
}

/// Told how files get on.
pub(super) struct Lines {
    suite: Suite,
    screen: Screen,
    began: Instant,
    /// The one file that is told of, where it is put in place by another name.
    shown: Option<PathBuf>,
    files: Mutex<Vec<Disposition>>,
}

struct Disposition {
    url: String,
    name: String,
    place: PathBuf,
    bytes: u64,
    began: Option<Instant>,
    downloaded: Option<Instant>,
    digest: bool,
    length: bool,
    bar: Option<ProgressBar>,
}

impl Lines {
    pub(super) fn new(suite: Suite, screen: Screen) -> Self {
        Self { suite, screen, began: Instant::now(), shown: None, files: Mutex::default() }
    }

    /// The same, of one file that becomes this one.
    pub(super) fn showing(self, file: &Path) -> Self {
        Self { shown: Some(file.to_owned()), ..self }
    }

    /// These files are fetched now.
    pub(super) fn begin(&self, inputs: &[Input], dest: &Path) {
        let disposition = inputs.iter().map(|input| Disposition {
            url: Shown(&input.download.url).to_string(),
            name: input.place.path().display().to_string(),
            place: self.shown.clone().unwrap_or_else(|| dest.join(input.place.path())),
            bytes: 0,
            began: None,
            downloaded: None,
            digest: input.download.expected.digests.iter().any(|it| matches!(it, Digest::Sha256(_))),
            length: input.download.expected.length.is_some(),
            bar: None,
        });
        *self.files() = disposition.collect();
    }

    /// Everything is in place: the data that performance dashboards read from logs, where there is one.
    pub(super) fn end(&self) {
        let value = self.began.elapsed().as_secs_f64();
        let automated = std::env::var_os("MOZ_AUTOMATION").is_some_and(|value| value == "1");
        let variable = |name: &str| std::env::var_os(name).filter(|_| automated).map(PathBuf::from);
        let (name, file) = match self.suite {
            Suite::None | Suite::StaticUrl => return,
            Suite::FetchContent => ("fetch_content", variable("PERFHERDER_FETCH_CONTENT_JSON_PATH")),
            Suite::Toolchain if !automated => return,
            Suite::Toolchain => {
                let directory = variable("UPLOAD_DIR");
                ("mach_artifact_toolchain", directory.map(|it| it.join("perfherder-data-artifact.json")))
            }
        };
        let data = perfherder(name, value);
        self.say(&format!("PERFHERDER_DATA: {data}"));
        let Some(file) = file else { return };
        let directory = file.parent().map_or(Ok(()), std::fs::create_dir_all);
        if let Err(error) = directory.and_then(|()| std::fs::write(&file, data.to_string())) {
            tracing::warn!("{}: {error}", file.display());
        }
    }

    /// Prints a line.
    pub(super) fn say(&self, line: &str) {
        self.screen.say(&escape::line(line));
    }

    fn files(&self) -> MutexGuard<'_, Vec<Disposition>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_fetch_content(&self) -> bool {
        matches!(self.suite, Suite::FetchContent | Suite::StaticUrl)
    }

    /// The line at the foot: how much of everything there is.
    fn foot(&self, files: &[Disposition]) {
        let bytes: u64 = files.iter().map(|file| file.bytes).sum();
        let there = files.iter().filter(|file| file.downloaded.is_some()).count();
        self.screen.note(&format!("{there} of {} files, {}", files.len(), BinaryBytes(bytes)));
    }

    /// The lines of a file that is there.
    fn resolved(&self, file: &Disposition, measured: &Measured) -> Vec<String> {
        let (url, length) = (&file.url, measured.length);
        let seconds = file.began.unwrap_or(self.began).elapsed().as_secs_f64();
        let digest = hex::encode(measured.sha256);
        let mut lines =
            vec![format!("{url} resolved to {length} bytes with sha256 {digest} in {seconds:.3}s")];
        if file.length {
            lines.push(format!("Verified size of {url}"));
        }
        if file.digest {
            lines.push(format!("Verified sha256 integrity of {url}"));
        }
        lines
    }
}

/// How long something took, in the form that Mozilla's performance dashboard reads from logs.
fn perfherder(name: &str, seconds: f64) -> Value {
    json!({
        "framework": {"name": "build_metrics"},
        "suites": [{
            "name": name, "value": seconds, "lowerIsBetter": true, "shouldAlert": false, "subtests": [],
        }],
    })
}

impl Observer for Lines {
    fn begins(&self, input: usize) {
        let mut files = self.files();
        let Some(file) = files.get_mut(input) else { return };
        file.began = Some(Instant::now());
        let line = match self.suite {
            Suite::None => return,
            Suite::FetchContent | Suite::StaticUrl => {
                format!("Downloading {} to {}", file.url, file.place.display())
            }
            Suite::Toolchain => format!("Setting up artifact {}", file.name),
        };
        drop(files);
        self.say(&line);
    }

    fn grows(&self, input: usize, bytes: u64, of: Option<u64>) {
        let mut files = self.files();
        let bars = files.iter().filter(|file| file.bar.is_some()).count();
        if let Some(file) = files.get_mut(input) {
            file.bytes = bytes;
            if file.bar.is_none() && bars < MOST_BARS {
                file.bar = of.filter(|of| *of >= LARGE).and_then(|of| self.screen.file(&file.name, of));
            }
            if let Some(bar) = &file.bar {
                bar.set_position(bytes);
            }
        }
        self.foot(&files);
    }

    fn cached(&self, input: usize, _measured: &Measured) {
        let files = self.files();
        let Some(file) = files.get(input).filter(|_| self.suite != Suite::None) else { return };
        let line = format!("Using artifact from local cache: {}", file.name);
        drop(files);
        self.say(&line);
    }

    fn downloaded(&self, input: usize, measured: &Measured) {
        let mut files = self.files();
        let mut lines = Vec::new();
        if let Some(file) = files.get_mut(input) {
            file.bytes = measured.length;
            if let Some(bar) = file.bar.take() {
                bar.finish_and_clear();
            }
            if self.is_fetch_content() {
                lines = self.resolved(file, measured);
            }
            file.downloaded = Some(Instant::now());
        }
        self.foot(&files);
        drop(files);
        lines.iter().for_each(|line| self.say(line));
    }

    fn extracted(&self, input: usize, _summary: &Summary) {
        let files = self.files();
        let Some(file) = files.get(input).filter(|_| self.is_fetch_content()) else { return };
        let seconds = file.downloaded.unwrap_or(self.began).elapsed().as_secs_f64();
        let place = file.place.display();
        let directory = file.place.parent().unwrap_or(Path::new(".")).display();
        let lines = [
            format!("Extracting {place} to {directory}"),
            format!("{place} extracted in {seconds:.3}s"),
            format!("Removing {place}"),
        ];
        drop(files);
        lines.iter().for_each(|line| self.say(line));
    }
}
