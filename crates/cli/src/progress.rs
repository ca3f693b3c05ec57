//! Progress: on a terminal a changing line, otherwise plain lines now and then, if requested.

mod tally;

pub(crate) use tally::Tally;

use catena_report::escape;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Time between two redraws of the changing line.
const REDRAW: Duration = Duration::from_millis(100);
/// Time between two plain lines.
const PLAIN: Duration = Duration::from_secs(10);

/// Standard error, perhaps with changing lines at its foot.
#[derive(Clone)]
pub(crate) struct Screen {
    bar: Option<ProgressBar>,
    bars: Option<MultiProgress>,
    plain: bool,
    started: Instant,
    last: Arc<std::sync::Mutex<Option<Instant>>>,
}

/// The progress of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Links that are known.
    pub(crate) links: usize,
    /// Artifacts and graphs received.
    pub(crate) artifacts: usize,
    /// Bytes received.
    pub(crate) bytes: u64,
    /// Pending requests.
    pub(crate) open: usize,
    /// One of the pending needs.
    pub(crate) waiting_for: Option<String>,
}

impl Screen {
    /// A screen for a long operation; `verbose` requests plain lines if there is no terminal.
    pub(crate) fn new(verbose: bool) -> Self {
        let terminal =
            std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let bars = terminal.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        let bar = bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::no_length());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(REDRAW);
            bar
        });
        Self { bar, bars, plain: verbose && !terminal, started: Instant::now(), last: Arc::default() }
    }

    /// A screen for lines alone.
    pub(crate) fn still() -> Self {
        Self { bar: None, bars: None, plain: false, started: Instant::now(), last: Arc::default() }
    }

    /// Shows the progress.
    pub(crate) fn show(&self, standing: &Standing) {
        if let Some(bar) = &self.bar {
            bar.set_message(standing.line());
        } else if self.plain && self.is_time() {
            self.say(&format!("{:4} s  {}", self.started.elapsed().as_secs(), standing.line()));
        }
    }

    /// Shows a text in the changing line; nothing if there is none.
    pub(crate) fn note(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        }
    }

    /// Adds a bar for one file above the changing line; none where there is no terminal. The name is escaped.
    pub(crate) fn file(&self, name: &str, bytes: u64) -> Option<ProgressBar> {
        let (bars, foot) = (self.bars.as_ref()?, self.bar.as_ref()?);
        let bar = bars.insert_before(foot, ProgressBar::new(bytes));
        let template = "  {bar:20} {bytes:>11} of {total_bytes:11} {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(escape::line(name).into_owned());
        Some(bar)
    }

    /// Does something with the changing line out of the way: writing to the same terminal.
    pub(crate) fn aside<T>(&self, act: impl FnOnce() -> T) -> T {
        match &self.bars {
            Some(bars) => bars.suspend(act),
            None => act(),
        }
    }

    /// Writes one line above the changing one. The text must be escaped already.
    pub(crate) fn say(&self, line: &str) {
        let write = || {
            // There is nowhere to report that standard error is closed.
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        };
        self.aside(write);
    }

    /// Removes the changing line.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn is_time(&self) -> bool {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let due = last.is_none_or(|last| last.elapsed() >= PLAIN);
        if due {
            *last = Some(Instant::now());
        }
        due
    }
}

impl Standing {
    fn line(&self) -> String {
        let mut line = format!(
            "{} links, {} artifacts, {}, {} open",
            self.links,
            self.artifacts,
            indicatif::BinaryBytes(self.bytes),
            self.open
        );
        if let Some(waiting_for) = &self.waiting_for {
            line.push_str(": ");
            line.push_str(&escape::line(waiting_for));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_progress_line_names_pending_requests() {
        let standing = Standing {
            links: 4,
            artifacts: 2,
            bytes: 3 << 20,
            open: 1,
            waiting_for: Some("public/x\u{1b} of task".to_owned()),
        };
        assert_eq!(standing.line(), "4 links, 2 artifacts, 3.00 MiB, 1 open: public/x\\u{1b} of task");
    }
}
