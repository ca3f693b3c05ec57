//! What is told of what was fetched.

use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Screen;
use catena_download::{Delivered, Input, Measured, Observer, TaskRun};
use catena_extract::Summary;
use catena_model::custody::Trust;
use catena_model::task::ArtifactName;
use catena_report::escape;
use serde_json::json;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// One artifact that was fetched.
pub(super) struct Fetched {
    pub(super) run: TaskRun,
    pub(super) name: ArtifactName,
    /// Below the destination.
    pub(super) place: PathBuf,
    /// How far it is verified.
    pub(super) trust: Trust,
    pub(super) delivered: Option<Delivered>,
}

/// A line for each file on standard output: how far it is verified, its digest and length, whose it is, and
/// where it is.
pub(super) fn tell(fetched: &[Fetched], screen: &Screen) -> Result<(), Failure> {
    let mut text = String::new();
    for one in fetched {
        let Some(delivered) = &one.delivered else { continue };
        let Measured { sha256, length, .. } = &delivered.measured;
        let place = match &delivered.extracted {
            Some(summary) => format!("{} members in {}", summary.entries, directory(&one.place)),
            None => one.place.display().to_string(),
        };
        let line = format!(
            "{:<9} sha256:{} {length:>12} {} {} -> {place}",
            one.trust.as_str(),
            hex::encode(sha256),
            one.run,
            one.name.as_str()
        );
        let _ = writeln!(text, "{}", escape::line(&line));
    }
    screen.aside(|| Output::Stdout.write(&text))
}

fn directory(place: &std::path::Path) -> String {
    let parent = place.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or_else(|| ".".to_owned(), |parent| parent.display().to_string())
}

/// Lines while it goes on: as fetch-content prints them, or none.
pub(super) struct Lines {
    fetch_content: bool,
    screen: Screen,
    began: Instant,
    inputs: Mutex<Vec<Standing>>,
}

struct Standing {
    url: String,
    bytes: u64,
    expected: bool,
}

impl Lines {
    pub(super) fn new(fetch_content: bool, screen: Screen) -> Self {
        Self { fetch_content, screen, began: Instant::now(), inputs: Mutex::default() }
    }

    pub(super) fn begin(&self, inputs: &[Input]) {
        let standing = inputs.iter().map(|input| Standing {
            url: input.download.url.to_string(),
            bytes: 0,
            expected: input.download.expected.digest.is_some(),
        });
        *self.inputs.lock().unwrap_or_else(PoisonError::into_inner) = standing.collect();
        for input in inputs.iter().filter(|_| self.fetch_content) {
            self.say(&format!("Downloading {} to {}", input.download.url, input.place.path().display()));
        }
    }

    /// How long it took, in the form that Mozilla's performance dashboard reads from logs.
    pub(super) fn perfherder(&self) {
        let value = self.began.elapsed().as_secs_f64();
        let data = json!({
            "framework": {"name": "build_metrics"},
            "suites": [{
                "name": "fetch_content", "value": value, "lowerIsBetter": true, "shouldAlert": false, "subtests": [],
            }],
        });
        self.say(&format!("PERFHERDER_DATA: {data}"));
        let automated = std::env::var_os("MOZ_AUTOMATION").is_some_and(|value| value == "1");
        let file = std::env::var_os("PERFHERDER_FETCH_CONTENT_JSON_PATH").filter(|_| automated);
        if let Some(file) = file
            && let Err(error) = std::fs::write(&file, data.to_string())
        {
            tracing::warn!("{}: {error}", file.display());
        }
    }

    fn say(&self, line: &str) {
        self.screen.say(&escape::line(line));
    }
}

impl Observer for Lines {
    fn grows(&self, input: usize, bytes: u64, _of: Option<u64>) {
        let mut inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(standing) = inputs.get_mut(input) {
            standing.bytes = bytes;
        }
        let all: u64 = inputs.iter().map(|standing| standing.bytes).sum();
        self.screen.note(&format!("{} MiB of {} files", all >> 20, inputs.len()));
    }

    fn downloaded(&self, input: usize, measured: &Measured) {
        let mut inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(standing) = inputs.get_mut(input) else { return };
        standing.bytes = measured.length;
        if !self.fetch_content {
            return;
        }
        let (url, length) = (&standing.url, measured.length);
        let digest = hex::encode(measured.sha256);
        let seconds = self.began.elapsed().as_secs_f64();
        self.say(&format!("{url} resolved to {length} bytes with sha256 {digest} in {seconds:.3}s"));
        if standing.expected {
            self.say(&format!("Verified sha256 integrity of {url}"));
        }
    }

    fn extracted(&self, input: usize, _summary: &Summary) {
        let inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        if let (true, Some(standing)) = (self.fetch_content, inputs.get(input)) {
            self.say(&format!("{} extracted in {:.3}s", standing.url, self.began.elapsed().as_secs_f64()));
        }
    }
}
