//! Many tasks at once: shared data is fetched once, and each verdict is printed when it is available.

mod list;
mod summary;

use super::arguments::Format;
use super::interruption::block_on;
use super::setup::{self, PendingTransport};
use super::{ChainArgs, VerifyArgs, control, text_options};
use crate::cli::OutputOptions;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Screen;
use catena::{Control, Error, Outcome, Quiet, Statistics, TargetSpec, Verdict, Verifier};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::sync::Arc;
use summary::BatchSummary;

/// Parallel tasks. One verification of a large chain takes about 30 MiB until it is concluded.
const JOBS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);

/// Verifies every task of the list, and returns their combined exit status.
pub(super) fn run(
    file: &Path,
    args: &VerifyArgs,
    output_options: &OutputOptions,
    screen: &Screen,
) -> Result<u8, Failure> {
    let (jobs, args): (_, &ChainArgs) = (args.jobs, &args.chain);
    let target_specs = list::read(file, args)?;
    // A batch shares its data without a cache.
    let verifier = setup::verifier(args, PendingTransport::begin(args), true)?;
    let mut sum = BatchSummary::of(target_specs.len());
    let mut tell = |verdict: &Verdict| {
        screen.aside(|| told(verdict, args.format, output_options))?;
        sum.add(verdict.outcome);
        screen.note(&sum.disposition());
        Ok(())
    };
    let cost = block_on(async |cancellation| {
        let control = control(args, Arc::new(Quiet), cancellation);
        judged(&verifier, target_specs, jobs, control, &mut tell).await
    })?;
    if let Some(cost) = cost {
        sum.cost(&cost);
        screen.say(&sum.to_string());
    } else {
        screen.finish();
        let interrupted = Failure::undetermined(format!("interrupted: {}", sum.disposition()));
        interrupted.next("verify the tasks without a line again").tell();
    }
    Ok(sum.exit_status())
}

/// Prints each verdict as it arrives. Returns the cost of fetching at the end; `None` if it was
/// interrupted.
async fn judged(
    verifier: &Verifier,
    target_specs: Vec<TargetSpec>,
    jobs: Option<NonZeroU32>,
    control: Control,
    tell: &mut dyn FnMut(&Verdict) -> Result<(), Failure>,
) -> Result<Option<Statistics>, Failure> {
    let jobs = jobs.and_then(|jobs| NonZeroUsize::try_from(jobs).ok()).unwrap_or(JOBS);
    let mut batch = verifier.batch(target_specs, jobs, control)?;
    while let Some(ended) = batch.next().await {
        match ended {
            Ok(conclusion) => tell(conclusion.verdict())?,
            Err(Error::Cancelled) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(batch.statistics()))
}

/// A verdict in one line; with `-v` in full, unless it is "verified".
fn told(verdict: &Verdict, format: Format, output_options: &OutputOptions) -> Result<(), Failure> {
    let mut text = match format {
        Format::Json => catena_report::json_line(verdict),
        Format::Text => catena_report::line(verdict) + "\n",
    };
    if format == Format::Text && output_options.verbose > 0 && verdict.outcome != Outcome::Verified {
        let options = text_options(output_options.color.on_stdout(), &Output::Stdout, output_options);
        let report = catena_report::text(verdict, &options);
        text.extend(report.lines().map(|line| format!("    {line}").trim_end().to_owned() + "\n"));
    }
    Output::Stdout.write(&text)
}
