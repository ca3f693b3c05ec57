//! The log: a little of it on standard error, all of it in a file.

use crate::cli::Manner;
use crate::failure::Failure;
use crate::progress::Screen;
use catena_report::escape;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging: warnings on standard error (with `-v` more), everything into `--log FILE`.
pub(crate) fn start(manner: &Manner, screen: &Screen) -> Result<(), Failure> {
    let level = match manner.verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let shown = tracing_subscriber::fmt::layer()
        .with_writer(Lines { screen: screen.clone() })
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .with_filter(ours(level));
    let file = match &manner.log {
        None => None,
        Some(path) => {
            let file = File::create(path).map_err(|cause| {
                Failure::usage(format!("{}: {cause}", path.display()))
                    .next("name a log file that can be written")
            })?;
            Some(
                tracing_subscriber::fmt::layer()
                    .with_writer(Arc::new(file))
                    .with_ansi(false)
                    .with_filter(ours(LevelFilter::TRACE)),
            )
        }
    };
    // Only a second start could fail, and there is none.
    let _ = tracing_subscriber::registry().with(shown).with(file).try_init();
    Ok(())
}

/// Our own rooms only; what libraries log about connections is nobody's business here.
fn ours(level: LevelFilter) -> Targets {
    Targets::new().with_target("catena", level)
}

/// Makes writers of single log lines to standard error, past the progress that is shown there.
#[derive(Clone)]
struct Lines {
    screen: Screen,
}

/// One log line.
struct Line {
    screen: Screen,
    text: Vec<u8>,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { screen: self.screen.clone(), text: Vec::new() }
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
        self.screen.say(&escape::line(text.trim_end()));
    }
}
