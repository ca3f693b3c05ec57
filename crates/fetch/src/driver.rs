//! The loop between an inquiry and where its facts come from.

use crate::progress::{Event, Progress};
use crate::source::FactSource;
use catena_core::inquiry::{Fact, Inquiry, Need};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::HashSet;
use tokio::time::{Instant, timeout_at};

/// What a driver needs of an inquiry.
trait Case {
    fn needs(&mut self) -> Vec<Need>;
    fn supply(&mut self, need: &Need, fact: Fact);
}

impl Case for Inquiry {
    fn needs(&mut self) -> Vec<Need> {
        Inquiry::needs(self)
    }

    fn supply(&mut self, need: &Need, fact: Fact) {
        Inquiry::supply(self, need, fact);
    }
}

/// Answers everything an inquiry needs, and gives it back ready to be concluded. Whatever is
/// independent is asked at the same time; how much of it really goes out is the source's to bound.
/// What is not known by the deadline is unreachable.
pub async fn investigate(
    mut inquiry: Inquiry,
    source: &dyn FactSource,
    deadline: Instant,
    progress: &dyn Progress,
) -> Inquiry {
    drive(&mut inquiry, source, deadline, progress).await;
    inquiry
}

async fn drive(case: &mut dyn Case, source: &dyn FactSource, deadline: Instant, progress: &dyn Progress) {
    let mut asked = HashSet::new();
    if timeout_at(deadline, answer_all(case, source, deadline, progress, &mut asked)).await.is_ok() {
        return;
    }
    tracing::warn!(unanswered = asked.len(), "the deadline passed");
    // What is said to be unreachable can make other things needed; these are not asked any more.
    let mut missing: Vec<Need> = asked.into_iter().collect();
    while !missing.is_empty() {
        for need in missing {
            let fact = Fact::Unreachable { reason: "the deadline passed".to_owned(), attempts: 0 };
            progress.event(Event::Answered { need: &need, fact: &fact });
            case.supply(&need, fact);
        }
        missing = case.needs();
    }
}

/// `asked` holds what was asked and is not answered yet, for the case that this is cut short.
async fn answer_all(
    case: &mut dyn Case,
    source: &dyn FactSource,
    deadline: Instant,
    progress: &dyn Progress,
    asked: &mut HashSet<Need>,
) {
    let mut answers = FuturesUnordered::new();
    loop {
        for need in case.needs() {
            progress.event(Event::Asked { need: &need });
            if asked.insert(need.clone()) {
                answers.push(async move {
                    let fact = source.fact(&need, deadline).await;
                    (need, fact)
                });
            }
        }
        let Some((need, fact)) = answers.next().await else { break };
        tracing::debug!(%need, "answered");
        progress.event(Event::Answered { need: &need, fact: &fact });
        asked.remove(&need);
        case.supply(&need, fact);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Quiet;
    use catena_core::task::{RunId, TaskId};
    use futures_util::FutureExt;
    use futures_util::future::BoxFuture;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// Asks for a status, and once it is there for ten listings.
    #[derive(Default)]
    struct Asker {
        next: Vec<Need>,
        facts: Vec<(Need, Fact)>,
    }

    fn task_id() -> TaskId {
        TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap()
    }

    impl Asker {
        fn new() -> Self {
            Self { next: vec![Need::Status { task_id: task_id() }], facts: vec![] }
        }
    }

    impl Case for Asker {
        fn needs(&mut self) -> Vec<Need> {
            std::mem::take(&mut self.next)
        }

        fn supply(&mut self, need: &Need, fact: Fact) {
            if matches!(need, Need::Status { .. }) {
                let listing =
                    |run| Need::Listing { task_id: task_id(), run_id: RunId(run), continuation: None };
                self.next = (0..10).map(listing).collect();
            }
            self.facts.push((need.clone(), fact));
        }
    }

    /// Answers each after one second more than its run's number.
    #[derive(Default)]
    struct Slow {
        together: AtomicUsize,
        most: AtomicUsize,
    }

    impl FactSource for Slow {
        fn fact<'a>(&'a self, need: &'a Need, _: Instant) -> BoxFuture<'a, Fact> {
            async move {
                let together = self.together.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(together, Ordering::SeqCst);
                let number = if let Need::Listing { run_id, .. } = need { u64::from(run_id.0) } else { 0 };
                tokio::time::sleep(Duration::from_secs(number + 1)).await;
                self.together.fetch_sub(1, Ordering::SeqCst);
                Fact::Absent { status: 404, message: String::new() }
            }
            .boxed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn everything_is_answered_at_the_same_time() {
        let (mut asker, source, began) = (Asker::new(), Slow::default(), Instant::now());
        drive(&mut asker, &source, began + Duration::from_secs(60), &Quiet).await;
        assert_eq!(asker.facts.len(), 11);
        assert_eq!(source.most.load(Ordering::SeqCst), 10);
        assert!(began.elapsed() < Duration::from_secs(12));
        assert!(asker.facts.iter().all(|(_, fact)| matches!(fact, Fact::Absent { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn what_misses_the_deadline_is_unreachable() {
        let (mut asker, source, began) = (Asker::new(), Slow::default(), Instant::now());
        drive(&mut asker, &source, began + Duration::from_millis(5500), &Quiet).await;
        let missing = asker.facts.iter().filter(|(_, fact)| matches!(fact, Fact::Unreachable { .. })).count();
        assert_eq!((asker.facts.len(), missing), (11, 6));
    }

    #[tokio::test(start_paused = true)]
    async fn what_becomes_needed_after_the_deadline_is_not_asked() {
        let (mut asker, source) = (Asker::new(), Slow::default());
        drive(&mut asker, &source, Instant::now(), &Quiet).await;
        assert_eq!(asker.facts.len(), 11);
        assert_eq!(source.most.load(Ordering::SeqCst), 1);
    }
}
