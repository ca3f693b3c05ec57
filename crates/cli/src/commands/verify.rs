//! `catena verify`: verify a chain of trust. `catena show` prints the chain instead of the findings.

mod arguments;
mod batch;
mod interruption;
mod setup;

pub(crate) use arguments::{ChainArgs, EXAMPLES, Format, VerifyArgs, duration};
pub(crate) use interruption::block_on;

use crate::cli::OutputOptions;
use crate::commands::explain;
use crate::failure::{DONE, Failure, UNDETERMINED};
use crate::log;
use crate::output::Output;
use crate::progress::{Screen, Tally};
use catena::{CancellationToken, Control, Error, Progress, Request, Verdict, Verifier};
use catena_report::TextOptions;
use setup::PendingTransport;
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;

/// A width that no terminal wraps.
const WIDTH: usize = 100;

pub(crate) fn run(args: VerifyArgs, output_options: &OutputOptions) -> Result<u8, Failure> {
    if args.explain && args.chain.format == Format::Json {
        return Err(Failure::usage(
            "--explain prints pages for people, and --format json a verdict for machines",
        )
        .next("verify without --explain; `catena explain FILE` reads the JSON"));
    }
    if let Some(list) = &args.batch {
        Output::of(args.chain.output.clone()).check()?;
        let screen = Screen::new(output_options.verbose > 0);
        log::start(output_options, &screen)?;
        let status = batch::run(list, &args, output_options, &screen);
        screen.finish();
        return status;
    }
    conclude(&args.chain, args.work_dir.as_deref(), output_options, |verdict, options| {
        let mut text = catena_report::text(verdict, options);
        if args.tree {
            text.push_str(&format!("\n{}", catena_report::tree(verdict, options)));
        }
        if args.explain {
            text.push_str(&explain::pages(&catena_report::failed_codes(verdict)));
        }
        text
    })
}

/// Verifies a task, delivers the verdict, as JSON or as `text` writes it, and returns its exit status.
pub(crate) fn conclude(
    args: &ChainArgs,
    work_dir: Option<&Path>,
    output_options: &OutputOptions,
    text: impl FnOnce(&Verdict, &TextOptions) -> String,
) -> Result<u8, Failure> {
    let output = Output::of(args.output.clone());
    output.check()?;
    let screen = Screen::new(output_options.verbose > 0);
    log::start(output_options, &screen)?;
    let verdict = judged(args, work_dir, &screen);
    screen.finish();
    let verdict = verdict?;
    tracing::info!(outcome = verdict.outcome.as_str(), elapsed = ?screen.elapsed(), "concluded");
    let color = output == Output::Stdout && output_options.color.on_stdout();
    let report = match args.format {
        Format::Text => text(&verdict, &text_options(color, &output, output_options)),
        Format::Json => catena_report::json(&verdict),
    };
    delivered(output.write(&report), verdict.outcome.exit_status())
}

fn judged(args: &ChainArgs, work_dir: Option<&Path>, screen: &Screen) -> Result<Verdict, Failure> {
    let pending = PendingTransport::begin(args);
    let progress: Arc<dyn Progress> = Arc::new(Tally::new(screen.clone()));
    if let Some(folder) = &args.replay {
        let replayed = async |cancellation| Ok(catena::replay(folder, progress, cancellation).await?);
        return block_on(replayed).map(catena::Conclusion::into_verdict);
    }
    let target_spec = setup::target_spec(args)?;
    let verifier = setup::verifier(args, pending, false)?;
    block_on(async |cancellation| {
        let mut request = Request::new(target_spec).with_control(control(args, progress, cancellation));
        if let Some(work_dir) = work_dir {
            request = request.with_work_dir(work_dir);
        }
        if let Some(folder) = &args.record {
            request = request.with_recording(folder);
        }
        verified(&verifier, &request).await
    })
}

/// Prints the verdict. Other errors are reported too.
async fn verified(verifier: &Verifier, request: &Request) -> Result<Verdict, Failure> {
    match verifier.verify(request).await {
        Ok(ended) => {
            for problem in ended.problems {
                Failure::from(problem).tell();
            }
            Ok(ended.conclusion.into_verdict())
        }
        Err(Error::NotRetracted { work_dir, error, instead: Some(instead) }) => {
            Failure::from(Error::NotRetracted { work_dir, error, instead: None }).tell();
            Err(Failure::from(*instead))
        }
        Err(error) => Err(error.into()),
    }
}

fn control(args: &ChainArgs, progress: Arc<dyn Progress>, cancellation: CancellationToken) -> Control {
    let defaults = Control::default();
    Control { deadline: args.deadline.unwrap_or(defaults.deadline), progress, cancellation }
}

/// The exit status of a verdict whose report was written, or was not: an undelivered "verified" does
/// not count, while a rejection stays a rejection.
fn delivered(written: Result<(), Failure>, status: u8) -> Result<u8, Failure> {
    match written {
        Ok(()) => Ok(status),
        Err(failure) => {
            failure.tell();
            Ok(if status == DONE { UNDETERMINED } else { status })
        }
    }
}

/// The width of the terminal, within limits; a file always gets the same text.
pub(crate) fn text_options(color: bool, output: &Output, output_options: &OutputOptions) -> TextOptions {
    let terminal = *output == Output::Stdout && std::io::stdout().is_terminal();
    let size = terminal_size::terminal_size_of(std::io::stdout()).filter(|_| terminal);
    let width = size.map_or(WIDTH, |(columns, _)| usize::from(columns.0).clamp(40, 120));
    TextOptions {
        color,
        width: Some(width),
        verbose: output_options.verbose > 0,
        ascii: terminal && !is_utf8(|name| std::env::var(name).ok()),
        elapsed: None,
    }
}

/// Whether the locale's text is UTF-8: the first of these variables that is set decides.
fn is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undelivered_verified_fails_and_a_rejection_stays() {
        let gone = || Err(Failure::silent(UNDETERMINED));
        assert_eq!(delivered(Ok(()), 0), Ok(0));
        assert_eq!(delivered(gone(), 0), Ok(3));
        assert_eq!(delivered(gone(), 1), Ok(1));
        assert_eq!(delivered(gone(), 2), Ok(2));
    }

    #[test]
    fn the_first_variable_that_is_set_names_the_locale() {
        let of = |set: &'static [(&str, &str)]| {
            is_utf8(|name| set.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned()))
        };
        assert!(of(&[("LANG", "en_GB.UTF-8")]) && of(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")]));
        assert!(!of(&[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")]) && !of(&[]));
    }
}
