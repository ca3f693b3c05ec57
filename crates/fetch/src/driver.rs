//! The loop between a verification and its fact source.

use crate::progress::{Event, Progress};
use crate::source::FactSource;
use catena_verify::verdict::Source;
use catena_verify::verification::{Cancel, Fact, FactParser, Need, ParsedFact, Verification};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::{Id, JoinSet, block_in_place, yield_now};
use tokio::time::{Instant, timeout_at};

/// How long after its deadline a verification may still examine available evidence. The rest of a
/// second is for reporting the verdict.
const GRACE: Duration = Duration::from_millis(250);

/// Bytes of an answer that takes long to parse.
const LARGE: usize = 256 << 10;

/// The part of a verification that this loop uses. Tests replace it, to choose needs and their times.
trait Driven: Send {
    fn needs(&mut self) -> Vec<Need>;
    fn foreseen(&mut self) -> Vec<Need>;
    fn parser(&self) -> FactParser;
    fn take(&mut self, parsed: ParsedFact);
    fn has_stopped(&self) -> bool;
    fn doubted(&self) -> BTreeSet<Need>;
    fn reconsider(&mut self, answers: Vec<(Need, Fact)>);
}

impl Driven for Verification {
    fn needs(&mut self) -> Vec<Need> {
        Verification::needs(self)
    }

    fn foreseen(&mut self) -> Vec<Need> {
        Verification::foreseen(self)
    }

    fn parser(&self) -> FactParser {
        Verification::parser(self)
    }

    fn take(&mut self, parsed: ParsedFact) {
        Verification::take(self, parsed);
    }

    fn has_stopped(&self) -> bool {
        Verification::has_stopped(self)
    }

    fn doubted(&self) -> BTreeSet<Need> {
        Verification::doubted(self)
    }

    fn reconsider(&mut self, answers: Vec<(Need, Fact)>) {
        Verification::reconsider(self, answers);
    }
}

/// Answers all needs of a verification, and returns it ready for the conclusion. Independent needs are
/// requested in parallel, together with those that it foresees; the source limits the number of
/// requests. Evidence that is missing at the deadline is unreachable, and a quarter of a second later
/// the verification stops examining.
///
/// It examines on the thread that polls it. On a multi-threaded runtime, other tasks of that thread
/// continue on another one, so that the system shares the processors among verifications.
pub async fn investigate(
    mut verification: Verification,
    source: Arc<dyn FactSource>,
    deadline: Instant,
    progress: &dyn Progress,
) -> Verification {
    let end = deadline.checked_add(GRACE).unwrap_or(deadline);
    verification.cancel_when(Cancel::when(move || Instant::now() >= end));
    if source.origin() == Source::Recording {
        verification.judge_recording();
    }
    drive(&mut verification, &source, deadline, progress).await;
    // The cause of an interruption is handled first, before the verification is concluded.
    yield_now().await;
    verification
}

async fn drive(
    verification: &mut dyn Driven,
    source: &Arc<dyn FactSource>,
    deadline: Instant,
    progress: &dyn Progress,
) {
    let mut asked = HashMap::new();
    loop {
        if timeout_at(deadline, answer_all(verification, source, deadline, progress, &mut asked))
            .await
            .is_err()
        {
            break;
        }
        // A failure that was found by the deadline counts, whether or not its evidence was requested again.
        match timeout_at(deadline, repeat(verification.doubted(), source, deadline)).await {
            Ok(answers) if !answers.is_empty() => beside_others(|| verification.reconsider(answers)),
            _ => return,
        }
    }
    tracing::warn!(unanswered = asked.len(), "the deadline passed");
    // Unreachable evidence can cause further needs, which are not requested any more.
    let mut missing: Vec<Need> = asked.into_values().collect();
    let parser = verification.parser();
    while !missing.is_empty() && !verification.has_stopped() {
        for need in missing {
            let fact = Fact::Unreachable { reason: "the deadline passed".to_owned(), attempts: 0 };
            answered(verification, progress, parser.read(need, fact));
        }
        missing = verification.needs();
    }
}

/// Requests again, at the same time, what a passing fault may have altered.
async fn repeat(
    doubted: BTreeSet<Need>,
    source: &Arc<dyn FactSource>,
    deadline: Instant,
) -> Vec<(Need, Fact)> {
    let mut answers = JoinSet::new();
    for need in doubted {
        if let Some(answer) = Arc::clone(source).again(need.clone(), deadline) {
            tracing::info!(%need, "requesting it again, since a finding failed because of it");
            answers.spawn(async move { (need, answer.await) });
        }
    }
    let mut settled = Vec::new();
    while let Some(ended) = answers.join_next().await {
        // What an internal error interrupted was not requested again.
        settled.extend(ended);
    }
    settled
}

/// `asked` holds what was asked and is not answered yet, in the case that this is cut short. What is
/// still on its way when it ends is not waited for.
async fn answer_all(
    verification: &mut dyn Driven,
    source: &Arc<dyn FactSource>,
    deadline: Instant,
    progress: &dyn Progress,
    asked: &mut HashMap<Id, Need>,
) {
    let (mut answers, mut foreseen) = (JoinSet::new(), JoinSet::new());
    let parser = verification.parser();
    loop {
        for need in verification.needs() {
            progress.event(Event::Asked { need: &need });
            let answer = answer(source.clone(), need.clone(), deadline, parser.clone());
            asked.insert(answers.spawn(answer).id(), need);
        }
        for need in verification.foreseen() {
            foreseen.spawn(Arc::clone(source).foresee(need, deadline));
        }
        if verification.has_stopped() {
            break;
        }
        let Some(ended) = answers.join_next_with_id().await else { break };
        match ended {
            Ok((id, parsed)) => {
                asked.remove(&id);
                answered(verification, progress, parsed);
            }
            // A defect in this program is not an answer.
            Err(error) => {
                let reason = "an internal error of Catena interrupted the request".to_owned();
                if let Some(need) = asked.remove(&error.id()) {
                    answered(
                        verification,
                        progress,
                        parser.read(need, Fact::Unreachable { reason, attempts: 1 }),
                    );
                }
            }
        }
        while foreseen.try_join_next().is_some() {}
    }
}

/// Requests a need, and parses the answer where it arrives: in parallel with others, while the
/// verification takes them one after another.
async fn answer(
    source: Arc<dyn FactSource>,
    need: Need,
    deadline: Instant,
    parser: FactParser,
) -> ParsedFact {
    let fact = source.fact(need.clone(), deadline).await;
    match &fact {
        Fact::Body(body) if body.bytes.len() > LARGE => beside_others(|| parser.read(need, fact)),
        _ => parser.read(need, fact),
    }
}

/// Runs work that may take long, while the other tasks of this thread continue elsewhere.
fn beside_others<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => block_in_place(work),
        _ => work(),
    }
}

fn answered(verification: &mut dyn Driven, progress: &dyn Progress, parsed: ParsedFact) {
    let (need, fact) = (parsed.need(), parsed.fact());
    tracing::debug!(%need, "answered");
    progress.event(Event::Answered { need, fact });
    beside_others(|| verification.take(parsed));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Quiet;
    use catena_model::Limits;
    use catena_model::task::{RunId, TaskId};
    use futures_util::FutureExt;
    use futures_util::future::BoxFuture;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// Requests a status, and then ten listings.
    #[derive(Default)]
    struct Asker {
        next: Vec<Need>,
        foresees: Vec<Need>,
        facts: Vec<(Need, Fact)>,
        /// Stops after this many facts.
        stops_after: Option<usize>,
    }

    fn task_id() -> TaskId {
        TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap()
    }

    impl Asker {
        fn new() -> Self {
            let next = vec![Need::Status { task_id: task_id() }];
            Self { next, ..Self::default() }
        }
    }

    impl Driven for Asker {
        fn needs(&mut self) -> Vec<Need> {
            std::mem::take(&mut self.next)
        }

        fn foreseen(&mut self) -> Vec<Need> {
            std::mem::take(&mut self.foresees)
        }

        fn parser(&self) -> FactParser {
            FactParser::new(&Limits::default())
        }

        fn take(&mut self, parsed: ParsedFact) {
            if matches!(parsed.need(), Need::Status { .. }) {
                let listing =
                    |run| Need::Listing { task_id: task_id(), run_id: RunId(run), continuation: None };
                self.next = (0..10).map(listing).collect();
            }
            self.facts.push((parsed.need().clone(), parsed.fact().clone()));
        }

        fn doubted(&self) -> BTreeSet<Need> {
            BTreeSet::new()
        }

        fn reconsider(&mut self, _: Vec<(Need, Fact)>) {}

        fn has_stopped(&self) -> bool {
            self.stops_after.is_some_and(|most| self.facts.len() >= most)
        }
    }

    /// Answers each after one second more than its run's number.
    #[derive(Default)]
    struct Slow {
        together: AtomicUsize,
        most: AtomicUsize,
        foreseen: AtomicUsize,
    }

    impl FactSource for Slow {
        fn fact(self: Arc<Self>, need: Need, _: Instant) -> BoxFuture<'static, Fact> {
            async move {
                assert!(!matches!(need, Need::Definition { .. }), "a defect");
                let together = self.together.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(together, Ordering::SeqCst);
                let number = if let Need::Listing { run_id, .. } = &need { u64::from(run_id.0) } else { 0 };
                tokio::time::sleep(Duration::from_secs(number + 1)).await;
                self.together.fetch_sub(1, Ordering::SeqCst);
                Fact::Absent { status: 404, message: String::new() }
            }
            .boxed()
        }

        fn origin(&self) -> Source {
            Source::Services
        }

        fn foresee(self: Arc<Self>, _: Need, _: Instant) -> BoxFuture<'static, ()> {
            self.foreseen.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(3600)).boxed()
        }
    }

    /// Drives for at most this long; returns how long it took.
    async fn driven(asker: &mut Asker, source: &Arc<Slow>, limit: Duration) -> Duration {
        let began = Instant::now();
        let source: Arc<dyn FactSource> = source.clone();
        drive(asker, &source, began + limit, &Quiet).await;
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn needs_are_answered_in_parallel() {
        let (mut asker, source) = (Asker::new(), Arc::new(Slow::default()));
        let took = driven(&mut asker, &source, Duration::from_secs(60)).await;
        assert_eq!(asker.facts.len(), 11);
        assert_eq!(source.most.load(Ordering::SeqCst), 10);
        assert!(took < Duration::from_secs(12));
        assert!(asker.facts.iter().all(|(_, fact)| matches!(fact, Fact::Absent { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn foreseen_needs_do_not_delay_the_verdict() {
        let (mut asker, source) = (Asker::new(), Arc::new(Slow::default()));
        asker.foresees = vec![Need::Definition { task_id: task_id() }];
        let took = driven(&mut asker, &source, Duration::from_secs(60)).await;
        assert_eq!((asker.facts.len(), source.foreseen.load(Ordering::SeqCst)), (11, 1));
        assert!(took < Duration::from_secs(12));
    }

    #[tokio::test(start_paused = true)]
    async fn an_internal_error_is_not_an_answer() {
        let (mut asker, source) = (Asker::new(), Arc::new(Slow::default()));
        asker.next.push(Need::Definition { task_id: task_id() });
        driven(&mut asker, &source, Duration::from_secs(60)).await;
        let (need, fact) = &asker.facts[0];
        assert_eq!(*need, Need::Definition { task_id: task_id() });
        assert!(
            matches!(fact, Fact::Unreachable { reason, .. } if reason.contains("internal error")),
            "{fact:?}"
        );
        assert_eq!(asker.facts.len(), 12);
    }

    #[tokio::test(start_paused = true)]
    async fn facts_after_the_deadline_are_unreachable() {
        let (mut asker, source) = (Asker::new(), Arc::new(Slow::default()));
        driven(&mut asker, &source, Duration::from_millis(5500)).await;
        let missing = asker.facts.iter().filter(|(_, fact)| matches!(fact, Fact::Unreachable { .. })).count();
        assert_eq!((asker.facts.len(), missing), (11, 6));
    }

    #[tokio::test(start_paused = true)]
    async fn needs_after_the_deadline_are_not_requested() {
        let (mut asker, source) = (Asker::new(), Arc::new(Slow::default()));
        driven(&mut asker, &source, Duration::ZERO).await;
        assert_eq!(asker.facts.len(), 11);
        assert!(source.most.load(Ordering::SeqCst) <= 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_verification_that_has_stopped_is_not_waited_for() {
        let (mut asker, source) = (Asker::new(), Arc::new(Slow::default()));
        asker.stops_after = Some(3);
        let took = driven(&mut asker, &source, Duration::from_secs(60)).await;
        assert_eq!(asker.facts.len(), 3);
        assert!(took < Duration::from_secs(4), "{took:?}");
        asker = Asker { stops_after: Some(3), ..Asker::new() };
        driven(&mut asker, &source, Duration::from_millis(1500)).await;
        assert_eq!(asker.facts.len(), 11, "what is asked is said to be unreachable once");
    }
}
