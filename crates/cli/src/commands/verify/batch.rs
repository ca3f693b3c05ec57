//! Many tasks at once: what they share is fetched once, and each verdict is told when it is there.

mod list;
mod sum;

use super::VerifyArgs;
use super::arguments::Format;
use super::case::root_url;
use super::drive::{Dialing, after, fetcher, now, unless_interrupted};
use super::text_options;
use crate::cli::Manner;
use crate::failure::Failure;
use crate::output::Output;
use crate::policy_files::{self, PolicyTexts};
use crate::progress::Screen;
use catena_core::Limits;
use catena_core::inquiry::{Cancel, Extent, Inquiry, Switches, Target};
use catena_core::policy::{KeyRing, Policy, Product};
use catena_core::verdict::{Outcome, Verdict};
use catena_fetch::{FactSource, Quiet, investigate};
use list::Question;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use sum::Sum;
use tokio::task::JoinSet;

/// Tasks at the same time. One inquiry of a large chain takes about 30 MiB until it is concluded.
const JOBS: u32 = 16;

/// Verifies every task of the list, and answers the exit status of all of them together.
pub(super) fn run(file: &Path, args: &VerifyArgs, manner: &Manner, screen: &Screen) -> Result<u8, Failure> {
    let questions = list::read(file, args.task_type.as_ref(), args.product.as_deref())?;
    let dialing = Dialing::begin(args);
    let bench = Bench::new(args, &questions)?;
    let sum = RefCell::new(Sum::of(questions.len()));
    let judged = async |cancel| {
        bench.judge(questions, args, dialing, manner, screen, (&sum, cancel)).await?;
        Ok(true)
    };
    let is_whole = unless_interrupted(judged, || Ok(false))?;
    let sum = sum.into_inner();
    if is_whole {
        screen.say(&sum.to_string());
    } else {
        screen.finish();
        let interrupted = Failure::undetermined(format!("interrupted: {}", sum.standing()));
        interrupted.next("ask again about the tasks that have no line").tell();
    }
    Ok(sum.exit_status())
}

/// What all tasks of a list are judged by.
struct Bench {
    root_url: String,
    products: BTreeMap<String, (Arc<Product>, KeyRing)>,
    switches: Switches,
}

impl Bench {
    fn new(args: &VerifyArgs, questions: &[Question]) -> Result<Self, Failure> {
        let policy = PolicyTexts::read(&args.policy)?.load()?;
        for warning in policy.warnings() {
            tracing::info!("{warning}");
        }
        let mut products = BTreeMap::new();
        for question in questions {
            if !products.contains_key(&question.product) {
                products.insert(question.product.clone(), judged_by(&policy, &question.product, args)?);
            }
        }
        let switches = Switches {
            danger_skip_signatures: args.danger_skip_signatures,
            danger_allow_http: args.danger_allow_http,
            offline: false,
        };
        let said = args.root_url.clone().filter(|url| !url.is_empty());
        Ok(Self { root_url: said.map_or_else(|| root_url(&policy), Ok)?, products, switches })
    }

    fn open(&self, question: &Question, check_task: bool, extent: Extent) -> Option<Inquiry> {
        let (product, keys) = self.products.get(&question.product)?;
        let target = Target { task_id: question.task_id, kind: question.kind.clone(), check_task, extent };
        Some(Inquiry::new(target, Arc::clone(product), keys.clone(), Limits::default(), self.switches))
    }

    async fn judge(
        &self,
        questions: Vec<Question>,
        args: &VerifyArgs,
        dialing: Dialing,
        manner: &Manner,
        screen: &Screen,
        (sum, cancel): (&RefCell<Sum>, Cancel),
    ) -> Result<(), Failure> {
        let room = tempfile::tempdir().map_err(|cause| {
            Failure::undetermined(format!("no room for temporary files: {cause}"))
                .next("make room in $TMPDIR, or name another folder there")
        })?;
        let jobs = args.jobs.map_or(JOBS, NonZeroU32::get);
        // What tasks have in common is held once, so that many at once do not take as many times as much.
        let limits = Limits::default();
        let held_bytes = limits.held_bytes.saturating_mul(u64::from(jobs.min(4)));
        let fetcher = fetcher(&self.root_url, args, &Limits { held_bytes, ..limits }, dialing)?;
        let fetcher = Arc::new(fetcher.keeping_graphs(room.path().to_owned()));
        let jobs = usize::try_from(jobs).unwrap_or(usize::MAX);
        let patience = args.deadline.unwrap_or(catena_fetch::DEADLINE);
        let mut running = JoinSet::new();
        let (check_task, extent) = (args.checks_task(), args.artifacts.into());
        let open = |question| self.open(question, check_task, extent);
        let mut inquiries = questions.iter().filter_map(open);
        loop {
            while running.len() < jobs
                && let Some(mut inquiry) = inquiries.next()
            {
                inquiry.cancel_when(cancel.clone());
                running.spawn(concluded(inquiry, fetcher.clone(), patience));
            }
            let Some(verdict) = running.join_next().await else { break };
            let verdict =
                verdict.map_err(|error| Failure::undetermined(format!("a defect of catena: {error}")))?;
            screen.aside(|| told(&verdict, args.format, manner))?;
            sum.borrow_mut().add(verdict.outcome);
            screen.note(&sum.borrow().standing());
            fetcher.forget();
        }
        sum.borrow_mut().cost(&fetcher.statistics());
        Ok(())
    }
}

fn judged_by(policy: &Policy, name: &str, args: &VerifyArgs) -> Result<(Arc<Product>, KeyRing), Failure> {
    let product = Arc::new(policy_files::product(policy, name)?);
    let file = args.keys.as_ref().map(|file| Ok((file.display().to_string(), policy_files::text_of(file)?)));
    let file = file.transpose()?;
    let file = file.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
    Ok((product, policy_files::keys(policy, name, file)?))
}

async fn concluded(inquiry: Inquiry, source: Arc<dyn FactSource>, patience: Duration) -> Verdict {
    investigate(inquiry, source, after(patience), &Quiet).await.conclude(now())
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
