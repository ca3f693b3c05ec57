//! The loop: claim a task, run it, claim the next.

use crate::config::Config;
use crate::gate::Gate;
use crate::lease::Lease;
use crate::log::Log;
use crate::metrics::{CLAIM_ERRORS, CLAIMS, Metrics, State};
use crate::queue::{Claim, Queue, QueueError};
use crate::script::{Launcher, Stop};
use crate::task::{Next, Task};
use catena_signing::Signer;
use futures_util::future::join_all;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How long an answer to a claim is waited for after the worker was told to end.
const LAST_CLAIM: Duration = Duration::from_secs(1);
/// How often the log is touched while nothing happens.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);

/// What the worker was told from outside. The largest counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// Go on.
    #[default]
    Work,
    /// Return after the task that is at work, to continue with another configuration.
    Reload,
    /// End after the task that is at work.
    Drain,
    /// End now: what is verified or run is stopped, what is uploaded is finished.
    ShutDown,
}

/// How the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// As it was told.
    Told,
    /// To continue with another configuration.
    Reload,
    /// It was told to end after it had stopped claiming: its own set-up is at fault.
    Misconfigured,
    /// Processes of a script are left that could not be ended. Nothing may run beside them.
    Unclean,
}

/// A worker. Everything it needs was checked before.
pub struct Worker {
    /// How it works.
    pub config: Config,
    /// Where its tasks come from.
    pub queue: Arc<dyn Queue>,
    /// What decides whether they run.
    pub gate: Arc<dyn Gate>,
    /// What starts scripts.
    pub launcher: Launcher,
    /// What signs documents; none where the configuration has that switched off.
    pub signer: Option<Arc<dyn Signer + Send + Sync>>,
    /// Its log.
    pub log: Log,
    /// What it counts.
    pub metrics: Arc<Metrics>,
    /// Where the credentials of scripts are kept: the directory for temporary files.
    pub temporary: PathBuf,
}

impl Worker {
    /// Works until it is told to end.
    pub async fn run(&self, mut orders: watch::Receiver<Order>) -> Exit {
        while *orders.borrow() == Order::Work {
            self.log.touch();
            self.metrics.enter(State::Working);
            if let Err(error) = self.config.directories.empty() {
                self.log.critical(format!("No task is claimed: {error}"));
                self.pause(&mut orders).await;
                continue;
            }
            match self.claim(&mut orders).await {
                Ok(claims) if claims.is_empty() => self.pause(&mut orders).await,
                Ok(claims) => match self.work(claims, &orders).await {
                    Next::GoOn => {}
                    Next::Misconfigured => return self.stand_still(&mut orders).await,
                    Next::Unclean => {
                        self.log.critical(
                            "The worker ends: processes of a script are left, and no task may run beside them. \
                             End them before the worker is started again, or restart its container or service.",
                        );
                        return Exit::Unclean;
                    }
                },
                Err(error) => {
                    self.metrics.add(&CLAIM_ERRORS, &[], 1);
                    self.log.warning(format!("claimWork failed: {error}"));
                    self.pause(&mut orders).await;
                }
            }
        }
        match *orders.borrow() {
            Order::Reload => Exit::Reload,
            Order::Work | Order::Drain | Order::ShutDown => Exit::Told,
        }
    }

    /// Asks for a task. Told to end, it waits a moment for an answer that may be on its way: a task that the
    /// queue has given would wait for the end of its claim.
    async fn claim(&self, orders: &mut watch::Receiver<Order>) -> Result<Vec<Claim>, QueueError> {
        // The order may have come while the directories were emptied.
        if *orders.borrow() != Order::Work {
            return Ok(Vec::new());
        }
        self.log.debug("Claiming work...");
        let mut claim = self.queue.claim();
        tokio::select! {
            biased;
            answer = &mut claim => answer,
            _ = orders.wait_for(|order| *order > Order::Reload) => {
                timeout(LAST_CLAIM, claim).await.unwrap_or(Ok(Vec::new()))
            }
        }
    }

    /// Runs claimed tasks one after the other. All claims are kept alive meanwhile.
    async fn work(&self, claims: Vec<Claim>, orders: &watch::Receiver<Order>) -> Next {
        self.metrics.add(&CLAIMS, &[], u64::try_from(claims.len()).unwrap_or(u64::MAX));
        let lease = |claim| Lease::new(claim, Arc::clone(&self.queue), self.log.clone());
        let leases: Vec<Lease> = claims.into_iter().map(lease).collect();
        let keep = pin!(join_all(leases.iter().map(|lease| lease.keep(self.config.reclaim_interval))));
        let (mut told, mut draining) = (orders.clone(), orders.clone());
        let shut_down = pin!(async {
            // The sender lives as long as the process.
            let _ = told.wait_for(|order| *order == Order::ShutDown).await;
            leases.iter().for_each(|lease| lease.stop(Stop::Shutdown));
        });
        let run = pin!(async {
            let mut next = Next::GoOn;
            for (number, lease) in leases.iter().enumerate() {
                if number > 0
                    && let Err(error) = self.config.directories.empty()
                {
                    // The claim runs out, and the queue gives the task to another worker.
                    self.log.critical(format!("{} is not run: {error}", lease.claim().run));
                    continue;
                }
                next = next.max(Task { worker: self, lease }.run().await);
                if next == Next::Unclean {
                    // The other claims run out, and the queue gives their tasks to other workers.
                    break;
                }
            }
            next
        });
        let state = async {
            let _ = draining.wait_for(|order| *order > Order::Reload).await;
            self.metrics.enter(State::Draining);
        };
        let alive = async {
            loop {
                sleep(SIGN_OF_LIFE).await;
                self.metrics.alive();
            }
        };
        let beside = async {
            futures_util::future::join4(keep, shut_down, state, alive).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            next = run => next,
            () = beside => Next::GoOn,
        }
    }

    /// Waits until the next claim, or until it is told to end.
    async fn pause(&self, orders: &mut watch::Receiver<Order>) {
        let mut left = self.config.poll_interval;
        while !left.is_zero() {
            let part = left.min(SIGN_OF_LIFE);
            tokio::select! {
                biased;
                _ = orders.wait_for(|order| *order != Order::Work) => return,
                () = sleep(part) => {}
            }
            left = left.saturating_sub(part);
            self.log.touch();
            self.metrics.alive();
        }
    }

    /// Claims nothing more. The log is not touched any more either, so that whoever watches it notices.
    async fn stand_still(&self, orders: &mut watch::Receiver<Order>) -> Exit {
        self.log.critical(
            "No more tasks are claimed: the set-up of this worker (policy, keys or script) is at fault.",
        );
        self.metrics.enter(State::Misconfigured);
        let order = orders.wait_for(|order| *order != Order::Work).await.map(|order| *order);
        if matches!(order, Ok(Order::Reload)) { Exit::Reload } else { Exit::Misconfigured }
    }
}
