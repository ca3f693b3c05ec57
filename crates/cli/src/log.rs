//! The log: parts of it on standard error or in the log of a worker, all of it in a file.

use crate::cli::OutputOptions;
use crate::failure::Failure;
use crate::progress::Screen;
use catena_report::escape;
use catena_worker::log::{Level, Log};
use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, OnceLock};
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging: warnings on standard error (more with `-v`), everything to `--log FILE`.
pub(crate) fn start(output_options: &OutputOptions, screen: &Screen) -> Result<(), Failure> {
    let level = match output_options.verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    start_with(output_options, Sink::Screen(screen.clone()), level)
}

/// Starts logging for a worker: to its own log, once that is set, and before that to standard error.
pub(crate) fn start_worker(output_options: &OutputOptions) -> Result<Arc<OnceLock<Log>>, Failure> {
    let log = Arc::new(OnceLock::new());
    start_with(output_options, Sink::Worker(log.clone()), LevelFilter::DEBUG)?;
    Ok(log)
}

fn start_with(output_options: &OutputOptions, sink: Sink, level: LevelFilter) -> Result<(), Failure> {
    // The log of a worker writes the level itself.
    let with_level = matches!(sink, Sink::Screen(_));
    let shown = tracing_subscriber::fmt::layer()
        .with_writer(Lines(sink))
        .without_time()
        .with_level(with_level)
        .with_target(false)
        .with_ansi(false)
        .with_filter(ours(level));
    let file = match &output_options.log {
        None => None,
        Some(path) => {
            let file = File::create(path).map_err(|cause| {
                Failure::usage(format!("{}: {cause}", path.display())).next("name a writable log file")
            })?;
            Some(
                tracing_subscriber::fmt::layer()
                    .with_writer(Lines(Sink::File(Arc::new(file))))
                    .with_ansi(false)
                    .with_filter(ours(LevelFilter::TRACE)),
            )
        }
    };
    // Only a second start could fail, and there is none.
    let _ = tracing_subscriber::registry().with(shown).with(file).try_init();
    Ok(())
}

/// This program's own crates only; connection logs of libraries may contain private data.
fn ours(level: LevelFilter) -> Targets {
    Targets::new().with_target("catena", level)
}

/// Where log lines go.
#[derive(Clone)]
enum Sink {
    /// Standard error, above the progress that is shown there.
    Screen(Screen),
    /// The log of a worker, which has lines below `INFO` only if it is configured so.
    Worker(Arc<OnceLock<Log>>),
    /// `--log FILE`.
    File(Arc<File>),
}

/// Creates writers of single log lines.
#[derive(Clone)]
struct Lines(Sink);

/// One log line. It contains outside text, so it is escaped like reports.
struct Line {
    sink: Sink,
    level: Level,
    text: Vec<u8>,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { sink: self.0.clone(), level: Level::Info, text: Vec::new() }
    }

    fn make_writer_for(&'a self, event: &Metadata<'_>) -> Line {
        let level = match *event.level() {
            tracing::Level::ERROR => Level::Critical,
            tracing::Level::WARN => Level::Warning,
            tracing::Level::INFO => Level::Info,
            tracing::Level::DEBUG | tracing::Level::TRACE => Level::Debug,
        };
        Line { sink: self.0.clone(), level, text: Vec::new() }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        let line = escape::line(text.trim_end_matches('\n'));
        match &self.sink {
            Sink::Worker(log) => match log.get() {
                Some(log) => log.event(self.level, line),
                None if self.level > Level::Info => eprintln!("{line}"),
                None => {}
            },
            Sink::Screen(screen) => screen.say(&line),
            // A failure of the log does not end the program.
            Sink::File(file) => drop(file.as_ref().write_all(format!("{line}\n").as_bytes())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_lines_are_escaped_as_reports_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(Lines(Sink::File(Arc::new(File::create(&path).unwrap()))))
            .with_ansi(false)
            .without_time();
        let others = "a\u{202e}b\u{200b}c\u{2028}d\u{1b}[2Je\u{9b}f\u{e0041}g\nh\u{feff}";
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info!(reason = %others, quoted = ?others, "{others}");
            tracing::info!("next");
        });
        let log = std::fs::read_to_string(&path).unwrap();
        assert_eq!(log.lines().count(), 2, "{log}");
        assert!(!log.chars().any(|one| one != '\n' && escape::is_deceptive(one)), "{log}");
        assert!(log.contains("a\\u{202e}b\\u{200b}c\\u{2028}d") && log.contains("\\u{e0041}g"), "{log}");
    }
}
