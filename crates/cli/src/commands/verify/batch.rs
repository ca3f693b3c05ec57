//! Many tasks at once: what they share is fetched once, and each verdict is told when it is there.

mod list;
mod sum;

use super::arguments::Format;
use super::interruption::block_on;
use super::setup::{self, Dialing};
use super::{VerifyArgs, control, text_options};
use crate::cli::Manner;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Screen;
use catena::{CancellationToken, Error, Outcome, Question, Quiet, Verdict, Verifier};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use sum::Sum;

/// Tasks at the same time. One verification of a large chain takes about 30 MiB until it is concluded.
const JOBS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);

/// Verifies every task of the list, and answers the exit status of all of them together.
pub(super) fn run(file: &Path, args: &VerifyArgs, manner: &Manner, screen: &Screen) -> Result<u8, Failure> {
    let questions = list::read(file, args)?;
    let verifier = setup::verifier(args, Dialing::begin(args))?;
    let mut sum = Sum::of(questions.len());
    let judge = async |cancellation| {
        let telling = |verdict: &Verdict, sum: &Sum| {
            screen.aside(|| told(verdict, args.format, manner))?;
            screen.note(&sum.standing());
            Ok(())
        };
        judged(&verifier, questions, args, cancellation, (&mut sum, &telling)).await
    };
    if block_on(judge)? {
        screen.say(&sum.to_string());
    } else {
        screen.finish();
        let interrupted = Failure::undetermined(format!("interrupted: {}", sum.standing()));
        interrupted.next("ask again about the tasks that have no line").tell();
    }
    Ok(sum.exit_status())
}

/// Tells each verdict as it comes; whether all have come.
async fn judged(
    verifier: &Verifier,
    questions: Vec<Question>,
    args: &VerifyArgs,
    cancellation: CancellationToken,
    (sum, tell): (&mut Sum, &dyn Fn(&Verdict, &Sum) -> Result<(), Failure>),
) -> Result<bool, Failure> {
    let jobs = args.jobs.and_then(|jobs| NonZeroUsize::try_from(jobs).ok()).unwrap_or(JOBS);
    let mut batch = verifier.batch(questions, jobs, control(args, Arc::new(Quiet), cancellation))?;
    while let Some(ended) = batch.next().await {
        let verdict = match ended {
            Ok(conclusion) => conclusion.into_verdict(),
            Err(Error::Cancelled) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        sum.add(verdict.outcome);
        tell(&verdict, sum)?;
    }
    sum.cost(&batch.statistics());
    Ok(true)
}

/// A verdict in one line; with `-v` the whole of it, unless it is a yes.
fn told(verdict: &Verdict, format: Format, manner: &Manner) -> Result<(), Failure> {
    let mut text = match format {
        Format::Json => catena_report::json_line(verdict),
        Format::Text => catena_report::line(verdict) + "\n",
    };
    if format == Format::Text && manner.verbose > 0 && verdict.outcome != Outcome::Verified {
        let options = text_options(manner.color.on_stdout(), &Output::Stdout, manner);
        let report = catena_report::text(verdict, &options);
        text.extend(report.lines().map(|line| format!("    {line}").trim_end().to_owned() + "\n"));
    }
    Output::Stdout.write(&text)
}
