//! What a worker counts, in the text format of Prometheus.
//!
//! The text is written by hand: a dozen families with fixed labels need no registry, no recorder that the whole
//! process shares, and none of the 30 crates that an exporter brings (docs/decisions/0026-metrics-by-hand.md).

mod server;
mod transport;

pub use server::{respond, serve};
pub use transport::MeteredTransport;

use catena_verify::verdict::{Class, Disposition, Verdict};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A worker whose loop showed no sign of life for so long is not healthy: it shows one at least every reclaim
/// interval, which is 300 seconds by default.
const SILENCE: Duration = Duration::from_secs(360);

/// A family of metrics.
#[derive(Debug)]
pub struct Family {
    name: &'static str,
    help: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    /// A counter that is kept in microseconds and shown in seconds.
    Seconds,
}

const fn counter(name: &'static str, help: &'static str) -> Family {
    Family { name, help, kind: Kind::Counter }
}

/// Tasks that were claimed.
pub const CLAIMS: Family = counter("catena_worker_claims_total", "Tasks that were claimed.");
/// Requests for work that failed.
pub const CLAIM_ERRORS: Family =
    counter("catena_worker_claim_errors_total", "Requests for work that failed.");
/// Verdicts.
pub const VERDICTS: Family = counter(
    "catena_worker_verdicts_total",
    "Verifications, by outcome and by the most serious class of what failed.",
);
/// Refusals that the mode of the product did not enforce.
pub const OVERRULED: Family =
    counter("catena_worker_overruled_total", "Tasks that ran without a clearance, by mode.");
/// Tasks that were reported, by resolution.
pub const TASKS: Family = counter("catena_worker_tasks_total", "Tasks, by the resolution that was decided.");
/// Seconds that tasks spent.
pub const PHASE_SECONDS: Family = Family {
    name: "catena_worker_phase_seconds_total",
    help: "Seconds that tasks spent in each phase.",
    kind: Kind::Seconds,
};
/// How often phases were entered.
pub const PHASES: Family = counter("catena_worker_phases_total", "How often each phase ended.");
/// Bytes of artifacts.
pub const UPLOADED: Family =
    counter("catena_worker_uploaded_bytes_total", "Bytes of artifacts that were uploaded, uncompressed.");
/// Bytes of answers.
pub const RECEIVED: Family =
    counter("catena_worker_received_bytes_total", "Bytes of bodies that services sent, as they arrived.");
/// Requests.
pub const REQUESTS: Family =
    counter("catena_worker_requests_total", "Requests to services, by service and class of the status.");
/// GitHub's rate limit.
pub const GITHUB_REMAINING: Family = Family {
    name: "catena_worker_github_requests_remaining",
    help: "Requests that GitHub's rate limit leaves, as its last answer says.",
    kind: Kind::Gauge,
};

const FAMILIES: [&Family; 11] = [
    &CLAIMS,
    &CLAIM_ERRORS,
    &VERDICTS,
    &OVERRULED,
    &TASKS,
    &PHASE_SECONDS,
    &PHASES,
    &UPLOADED,
    &RECEIVED,
    &REQUESTS,
    &GITHUB_REMAINING,
];

/// A part of a task's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its chain is verified.
    Verify,
    /// Its script runs.
    Run,
    /// Its artifacts are copied and its document is signed.
    Sign,
    /// Its artifacts are uploaded.
    Upload,
    /// Its resolution is reported.
    Resolve,
}

impl Phase {
    fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Run => "run",
            Self::Sign => "sign",
            Self::Upload => "upload",
            Self::Resolve => "resolve",
        }
    }
}

/// What a worker does, as far as probes are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It does not claim yet.
    #[default]
    Starting,
    /// It claims and runs tasks.
    Working,
    /// It ends once its tasks have ended.
    Draining,
    /// Its own configuration is at fault, and it claims nothing.
    Misconfigured,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Working => "working",
            Self::Draining => "draining",
            Self::Misconfigured => "misconfigured",
        }
    }
}

/// The counters of a worker. All labels are words of this program, so that their number is bounded.
#[derive(Debug)]
pub struct Metrics(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    values: BTreeMap<(&'static str, String), u64>,
    state: State,
    seen: Instant,
}

impl Default for Metrics {
    fn default() -> Self {
        Self(Mutex::new(Inner { values: BTreeMap::new(), state: State::default(), seen: Instant::now() }))
    }
}

impl Metrics {
    /// Adds to a counter. The labels are pairs of a name and a word of this program.
    pub fn add(&self, family: &Family, labels: &[(&str, &str)], more: u64) {
        let mut inner = self.inner();
        let value = inner.values.entry((family.name, label_text(labels))).or_default();
        *value = value.saturating_add(more);
    }

    /// Sets a gauge.
    pub fn set(&self, family: &Family, value: u64) {
        self.inner().values.insert((family.name, String::new()), value);
    }

    /// Measures how long a phase takes.
    pub async fn time<T>(&self, phase: Phase, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let done = work.await;
        let labels = [("phase", phase.as_str())];
        let taken = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.add(&PHASE_SECONDS, &labels, taken);
        self.add(&PHASES, &labels, 1);
        done
    }

    /// Counts a verdict.
    pub fn verdict(&self, verdict: Option<&Verdict>, without: &'static str) {
        let failed = |class: &Class| {
            let findings = verdict.map_or(&[][..], |verdict| verdict.findings.as_slice());
            findings.iter().any(|one| one.disposition == Disposition::Failed && one.code.class == *class)
        };
        let class = Class::ALL.into_iter().find(failed).map_or("", Class::as_str);
        let outcome = verdict.map_or(without, |verdict| verdict.outcome.as_str());
        self.add(&VERDICTS, &[("outcome", outcome), ("class", class)], 1);
    }

    /// Notes what the worker does, which is a sign of life too.
    pub fn enter(&self, state: State) {
        let mut inner = self.inner();
        inner.state = state;
        inner.seen = Instant::now();
    }

    /// A sign of life.
    pub fn alive(&self) {
        self.inner().seen = Instant::now();
    }

    /// Why the worker is not healthy; nothing where it is.
    #[must_use]
    pub fn unhealthy(&self) -> Option<String> {
        let silent = self.inner().seen.elapsed();
        (silent > SILENCE).then(|| format!("no sign of life for {} seconds", silent.as_secs()))
    }

    /// Why the worker does not take tasks; nothing where it does.
    #[must_use]
    pub fn unready(&self) -> Option<String> {
        let state = self.inner().state;
        (state != State::Working).then(|| format!("the worker is {}", state.as_str()))
    }

    /// Everything in the text format.
    #[must_use]
    pub fn text(&self) -> String {
        let inner = self.inner();
        let mut text = String::new();
        family(&mut text, "catena_worker_build_info", "The program.", "gauge");
        // Writing to a string does not fail.
        let _ = writeln!(text, "catena_worker_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
        family(&mut text, "catena_worker_state", "What the worker does.", "gauge");
        let _ = writeln!(text, "catena_worker_state{{state=\"{}\"}} 1", inner.state.as_str());
        family(&mut text, "catena_worker_silent_seconds", "Since the last sign of life.", "gauge");
        let _ = writeln!(text, "catena_worker_silent_seconds {}", inner.seen.elapsed().as_secs());
        for known in FAMILIES {
            let kind = if known.kind == Kind::Gauge { "gauge" } else { "counter" };
            family(&mut text, known.name, known.help, kind);
            for ((_, labels), value) in inner.values.iter().filter(|((name, _), _)| *name == known.name) {
                let _ = write!(text, "{}{labels} ", known.name);
                let _ = match known.kind {
                    Kind::Seconds => {
                        writeln!(text, "{}.{:06}", value / 1_000_000, value % 1_000_000)
                    }
                    Kind::Counter | Kind::Gauge => writeln!(text, "{value}"),
                };
            }
        }
        text
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn family(text: &mut String, name: &str, help: &str, kind: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn label_text(labels: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn counters_are_shown_with_their_labels() {
        let metrics = Metrics::default();
        metrics.add(&CLAIMS, &[], 2);
        metrics.add(&OVERRULED, &[("mode", "warn")], 1);
        metrics.verdict(None, "off");
        metrics.set(&GITHUB_REMAINING, 4999);
        metrics.time(Phase::Run, tokio::time::sleep(Duration::from_millis(1500))).await;
        let text = metrics.text();
        for line in [
            "# TYPE catena_worker_claims_total counter",
            "catena_worker_claims_total 2",
            "catena_worker_overruled_total{mode=\"warn\"} 1",
            "catena_worker_verdicts_total{outcome=\"off\",class=\"\"} 1",
            "catena_worker_github_requests_remaining 4999",
            "catena_worker_phases_total{phase=\"run\"} 1",
            "catena_worker_state{state=\"starting\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
        let seconds = text
            .lines()
            .find_map(|line| line.strip_prefix("catena_worker_phase_seconds_total{phase=\"run\"} "));
        assert_eq!(seconds.unwrap().parse::<f64>().unwrap().round(), 2.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_worker_is_not_healthy_and_only_a_working_one_is_ready() {
        let metrics = Metrics::default();
        assert!(metrics.unhealthy().is_none() && metrics.unready().is_some());
        metrics.enter(State::Working);
        assert!(metrics.unready().is_none());
        tokio::time::advance(Duration::from_secs(361)).await;
        assert_eq!(metrics.unhealthy().unwrap(), "no sign of life for 361 seconds");
        metrics.alive();
        assert!(metrics.unhealthy().is_none());
        for state in [State::Draining, State::Misconfigured] {
            metrics.enter(state);
            assert!(metrics.unready().unwrap().contains(state.as_str()));
        }
    }
}
