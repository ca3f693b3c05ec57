//! The threads that extract archives.

use std::io;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// As many threads as archives are extracted at the same time. Each uses the memory of its last decompressor again;
/// among the many threads of the runtime, each would keep some of its own.
pub(crate) struct Extractors {
    /// `None` once no further job follows.
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Extractors {
    pub(crate) fn start(count: NonZeroUsize) -> io::Result<Self> {
        let (jobs, waiting) = channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        let mut extractors = Self { jobs: Some(jobs), threads: Vec::new() };
        for _ in 0..count.get() {
            let waiting = waiting.clone();
            let work = move || std::iter::from_fn(|| next(&waiting)).for_each(|job| job());
            extractors.threads.push(Builder::new().name("extract".to_owned()).spawn(work)?);
        }
        Ok(extractors)
    }

    /// Runs a job as soon as a thread is free.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let (sender, ended) = oneshot::channel();
        if let Some(jobs) = &self.jobs {
            // A job that cannot be sent drops its end of the channel, as one that panics does.
            let _ = jobs.send(Box::new(move || drop(sender.send(job()))));
        }
        ended.await.map_err(|_| io::Error::other("the extracting thread panicked"))
    }
}

fn next(waiting: &Mutex<Receiver<Job>>) -> Option<Job> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

impl Drop for Extractors {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::time::Duration;

    #[tokio::test]
    async fn jobs_run_on_few_threads_and_all_end() {
        let extractors = Extractors::start(NonZeroUsize::new(2).unwrap()).unwrap();
        let job = |number: u64| {
            extractors.run(move || {
                std::thread::sleep(Duration::from_millis(number % 3));
                (number, std::thread::current().id())
            })
        };
        let ended = futures_util::future::join_all((0..50).map(job)).await;
        let ended: Vec<_> = ended.into_iter().map(Result::unwrap).collect();
        assert!(ended.iter().map(|(number, _)| *number).eq(0..50));
        let threads: HashSet<_> = ended.iter().map(|(_, thread)| *thread).collect();
        assert!(threads.len() <= 2);
    }

    #[tokio::test]
    async fn a_job_that_panics_is_an_error() {
        let extractors = Extractors::start(NonZeroUsize::MIN).unwrap();
        assert!(extractors.run(|| panic!("broken")).await.is_err());
    }
}
