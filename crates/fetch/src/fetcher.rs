//! Answering needs from the network.

use crate::address::{Address, Service};
use crate::body::{BodyDecoder, BodyError, Bounds, Keep, ReceivedBody, measure, measured};
use crate::budget::{ANSWER, MemoryBudget, Reservation, length};
use crate::exchange::{Authorization, Exchange, Form, NoBody, RequestSpec};
use crate::github::Tokens;
use crate::graphs::{GraphDecoder, KeptGraph};
use crate::options::Options;
use crate::pacing::Closed;
use crate::permits::Permits;
use crate::progress::{Event, Progress, Quiet};
use crate::sink::BodySink;
use crate::source::FactSource;
use crate::statistics::{Counters, Statistics};
use catena_http::headers::Coding;
use catena_http::{Backoff, Secret, Transport};
use catena_model::Limits;
use catena_model::graph::Scanner;
use catena_model::task::TaskSet;
use catena_taskcluster::RootUrl;
use catena_taskcluster::TaskclusterCredentials;
use catena_verify::verdict::Source;
use catena_verify::verification::{Body, Fact, Need, Shape};
use catena_workdir::Staging;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// Answers needs from the network: each address once, as many in parallel as the options allow, with
/// retries of temporary failures.
pub struct Fetcher {
    transport: Arc<dyn Transport>,
    root: RootUrl,
    limits: Limits,
    options: Options,
    taskcluster: Option<TaskclusterCredentials>,
    tokens: Tokens,
    staging: Option<Arc<Staging>>,
    progress: Arc<dyn Progress>,
    backoff: Backoff,
    closed: Closed,
    counters: Counters,
    permits: Permits,
    budget: Arc<MemoryBudget>,
    answered: Mutex<HashMap<(String, bool), Slot>>,
    /// Where task graphs are kept for other verifications.
    graphs: Option<PathBuf>,
}

/// The answer of one address, or a pending request for it.
type Slot = Arc<tokio::sync::Mutex<Option<Answered>>>;

/// The answer of one address.
struct Answered {
    fact: Fact,
    graph: Option<Arc<KeptGraph>>,
    /// The memory that it takes.
    _shares: [Option<Reservation>; 2],
}

impl Answered {
    /// Whether it may differ when it is requested again.
    fn is_failure(&self) -> bool {
        matches!(self.fact, Fact::Unreachable { .. } | Fact::Refused { .. })
    }
}

/// What happens to an answer's body.
pub(crate) struct BodyPlan<'a> {
    pub(crate) bounds: Bounds,
    /// The memory budget, if the body is held to the end.
    pub(crate) budget: Option<&'a Arc<MemoryBudget>>,
    pub(crate) sha512: bool,
    pub(crate) keep: &'a (dyn Fn() -> Keep + Sync),
    pub(crate) staging: Option<&'a Staging>,
    pub(crate) shape: Shape,
}

impl Fetcher {
    /// A fetcher without credentials, staging and observer.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, root: RootUrl, limits: Limits, options: Options) -> Self {
        let permits = Permits::new(&options);
        Self {
            transport,
            root,
            budget: MemoryBudget::new(&limits),
            limits,
            backoff: Backoff::new(
                options.backoff,
                options.backoff_cap,
                options.retry_after_cap,
                options.seed,
            ),
            options,
            taskcluster: None,
            tokens: Tokens::default(),
            staging: None,
            progress: Arc::new(Quiet),
            closed: Closed::default(),
            counters: Counters::default(),
            permits,
            answered: Mutex::default(),
            graphs: None,
        }
    }

    /// Signs requests to Taskcluster.
    #[must_use]
    pub fn with_taskcluster(mut self, credentials: Option<TaskclusterCredentials>) -> Self {
        self.taskcluster = credentials;
        self
    }

    /// Sends this token to GitHub's API, if Taskcluster does not issue one.
    #[must_use]
    pub fn with_github_token(mut self, token: Option<Secret>) -> Self {
        self.tokens = Tokens::new(token);
        self
    }

    /// Stages artifacts while they stream, so that verified ones can be published.
    #[must_use]
    pub fn with_staging(mut self, staging: Option<Arc<Staging>>) -> Self {
        self.staging = staging;
        self
    }

    /// Keeps the bytes of task graphs in unnamed files in `folder`, so that a graph is fetched once for
    /// all verifications that use this fetcher.
    #[must_use]
    pub fn keeping_graphs(mut self, folder: PathBuf) -> Self {
        self.graphs = Some(folder);
        self
    }

    /// Reports its progress.
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
        self
    }

    /// The cost of fetching so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.counters.snapshot()
    }

    pub(crate) fn root(&self) -> &RootUrl {
        &self.root
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn taskcluster(&self) -> Option<&TaskclusterCredentials> {
        self.taskcluster.as_ref()
    }

    /// Answers one need: from the answer to the same address, if there is one, else by a request.
    pub async fn answer(&self, need: &Need, deadline: Instant) -> Fact {
        let address = match Address::of(need, &self.root) {
            Ok(address) => address,
            Err(error) => return Fact::Unreachable { reason: error.to_string(), attempts: 0 },
        };
        let slot = self.slot(need, &address);
        let mut slot = slot.lock().await;
        if let Some(fact) = slot.as_ref().and_then(|answered| reused(answered, need, &self.limits)) {
            self.counters.reused.add(1);
            return fact;
        }
        let answered = self.fetch(need, &address, false, deadline).await;
        if Instant::now() >= deadline && answered.is_failure() {
            // Another waiter may have a later deadline.
            return answered.fact;
        }
        slot.insert(answered).fact.clone()
    }

    /// Requests the answer to a need once more, past caches. It takes the place of the answer before.
    pub async fn answer_again(&self, need: &Need, deadline: Instant) -> Fact {
        let address = match Address::of(need, &self.root) {
            Ok(address) => address,
            Err(error) => return Fact::Unreachable { reason: error.to_string(), attempts: 0 },
        };
        let slot = self.slot(need, &address);
        let mut slot = slot.lock().await;
        let answered = self.fetch(need, &address, true, deadline).await;
        self.counters.retries.add(1);
        slot.insert(answered).fact.clone()
    }

    /// Where the answer of an address is kept.
    fn slot(&self, need: &Need, address: &Address) -> Slot {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (address.url.as_str().to_owned(), self.staging_for(need).is_some());
        answered.entry(key).or_default().clone()
    }

    /// Between verifications: what could not be had for one of them may be there for the next. If answers take
    /// more than half of the memory that they may take, everything that no request waits for is forgotten.
    pub fn forget(&self) {
        let scarce = self.budget.is_scarce();
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.retain(|_, slot| {
            let failed = || slot.try_lock().is_ok_and(|slot| slot.as_ref().is_none_or(Answered::is_failure));
            Arc::strong_count(slot) > 1 || !(scarce || failed())
        });
    }

    /// The whole task graph whose answer to this need has some entries, if it is kept.
    pub(crate) fn kept_graph(&self, need: &Need) -> Option<Arc<KeptGraph>> {
        let address = Address::of(need, &self.root).ok()?;
        let key = (address.url.as_str().to_owned(), self.staging_for(need).is_some());
        let slot = self.answered.lock().unwrap_or_else(PoisonError::into_inner).get(&key)?.clone();
        slot.try_lock().ok()?.as_ref()?.graph.clone()
    }

    /// Where the body of this need is staged, if it may be published.
    fn staging_for(&self, need: &Need) -> Option<&Staging> {
        match need {
            Need::Content { .. } | Need::Artifact { .. } | Need::TaskGraph { .. } => self.staging.as_deref(),
            _ => None,
        }
    }

    async fn fetch(&self, need: &Need, address: &Address, past_caches: bool, deadline: Instant) -> Answered {
        let mut share = Reservation::of(&self.budget);
        if let Err(error) = share.take(ANSWER.saturating_add(length(address.url.as_str().len()))) {
            let fact = Fact::Unreachable { reason: error.to_string(), attempts: 0 };
            return Answered { fact, graph: None, _shares: [None, None] };
        }
        let ask = self.ask(need, address, past_caches, deadline).await;
        let keep = || match need {
            Need::TaskGraph { wanted, .. } => Keep::Graph(Box::new(self.graph_intake(wanted))),
            Need::Artifact { .. } => Keep::Nothing,
            _ => Keep::Whole,
        };
        let plan = BodyPlan {
            bounds: Bounds::new(limit(need, &self.limits), &self.limits),
            budget: Some(&self.budget),
            sha512: wants_sha512(need),
            keep: &keep,
            staging: self.staging_for(need),
            shape: need.shape(),
        };
        match self.persist(need, &ask, &plan, deadline).await {
            Err(fact) => {
                let fact = self.as_seen(fact, need, address, &ask, deadline).await;
                Answered { fact, graph: None, _shares: [Some(share), None] }
            }
            Ok(taken) => self.hold(need, *taken, share),
        }
    }

    /// GitHub answers 404 both for missing resources and for those that it hides from the requester. So
    /// its 404 counts only if the repository itself is visible; and that of a page, which takes no
    /// token, only if the repository is public.
    async fn as_seen(
        &self,
        fact: Fact,
        need: &Need,
        address: &Address,
        ask: &RequestSpec,
        deadline: Instant,
    ) -> Fact {
        let (
            Service::GithubApi(repository) | Service::GithubPage(repository),
            Fact::Absent { status: 404, .. },
        ) = (&address.service, &fact)
        else {
            return fact;
        };
        let refused = |why: String| Fact::Refused { status: 404, message: why };
        let hidden = || match &ask.authorization {
            Authorization::Github(_) => refused(format!("the token does not see github.com/{repository}")),
            _ => refused(format!("without a token, github.com/{repository} cannot be seen")),
        };
        let asked = Need::Repository { repository: repository.clone() };
        if *need == asked {
            return hidden();
        }
        match Box::pin(self.answer(&asked, deadline)).await {
            Fact::Body(body) if is_page(address) && is_private(&body.bytes) => {
                refused(format!("github.com/{repository} is private, so that its pages are not shown"))
            }
            Fact::Body(_) => fact,
            Fact::Unreachable { reason, attempts } => {
                let reason = format!("status 404, and whether {asked} can be seen is not known: {reason}");
                Fact::Unreachable { reason, attempts }
            }
            Fact::Refused { status, message } => Fact::Refused { status, message },
            _ => hidden(),
        }
    }

    fn graph_intake(&self, wanted: &TaskSet) -> GraphDecoder {
        let scanner = Scanner::new(wanted.clone(), &self.limits);
        match &self.graphs {
            Some(folder) => GraphDecoder::kept(scanner, folder),
            None => GraphDecoder::scanned(scanner),
        }
    }

    /// Keeps a complete body until the verdict.
    fn hold(&self, need: &Need, taken: ReceivedBody, share: Reservation) -> Answered {
        let held = match (self.staging_for(need), taken.staged, need.artifact()) {
            (Some(staging), Some(file), Some(key)) => staging.hold(key, file, taken.measurement),
            _ => Ok(()),
        };
        let fact = match held {
            Ok(()) => taken.fact,
            Err(error) => {
                Fact::Unreachable { reason: BodyError::Disk(error.to_string()).to_string(), attempts: 1 }
            }
        };
        Answered { fact, graph: taken.graph.map(Arc::new), _shares: [Some(share), taken.share] }
    }

    async fn ask(&self, need: &Need, address: &Address, past_caches: bool, deadline: Instant) -> RequestSpec {
        let (authorization, limited_as) = match &address.service {
            Service::Taskcluster => (self.taskcluster_authorization(&address.url), None),
            Service::GithubPage(_) | Service::HgPushLog | Service::HgFile | Service::File => {
                (Authorization::None, None)
            }
            Service::GithubApi(repository) => {
                let token = Box::pin(self.tokens.for_repository(self, need, repository, deadline)).await;
                let authorization = token.secret.map_or(Authorization::None, Authorization::Github);
                (authorization, Some(token.limited_as))
            }
        };
        RequestSpec {
            url: address.url.clone(),
            content: None,
            authorization,
            responder: address.service.responder(),
            artifact: need.artifact().is_some(),
            form: form(need),
            commit: matches!(need, Need::Commit { .. }),
            past_caches,
            limited_as,
        }
    }

    /// Signed, if there are credentials and they belong to this Taskcluster.
    pub(crate) fn taskcluster_authorization(&self, url: &url::Url) -> Authorization {
        match &self.taskcluster {
            Some(credentials) if self.root.holds(url) => Authorization::Taskcluster(credentials.clone()),
            _ => Authorization::None,
        }
    }

    /// Retries until there is an answer, or the deadline has passed: a body, or the fact that there is none.
    pub(crate) async fn persist(
        &self,
        need: &Need,
        ask: &RequestSpec,
        plan: &BodyPlan<'_>,
        deadline: Instant,
    ) -> Result<Box<ReceivedBody>, Fact> {
        let (mut attempt, mut waits) = (0_u32, 0_u32);
        loop {
            if let Some(host) = &ask.limited_as
                && let Some(wait) = self.closed.wait(host)
            {
                waits = waits.saturating_add(1);
                if waits > self.options.rate_limit_waits
                    || !self.wait_for_limit(need, host, wait, deadline).await
                {
                    let reason =
                        format!("the rate limit of {host} is used up for another {} s", wait.as_secs());
                    return Err(unreachable(reason, attempt));
                }
                continue;
            }
            attempt = attempt.saturating_add(1);
            self.progress.event(Event::Started { need, attempt });
            let (reason, retry_after) = match timeout_at(deadline, self.attempt(need, ask, plan)).await {
                Err(_) => return Err(unreachable("the deadline passed".to_owned(), attempt)),
                Ok(Ok(taken)) => return Ok(taken),
                Ok(Err(NoBody::Fact(fact))) => return Err(*fact),
                Ok(Err(NoBody::Lasting { reason })) => return Err(unreachable(reason, attempt)),
                Ok(Err(NoBody::Again { reason, retry_after })) => (reason, retry_after),
                Ok(Err(NoBody::Limited)) => {
                    // The host is closed now; the wait at the loop's start is not a failed attempt.
                    attempt = attempt.saturating_sub(1);
                    continue;
                }
            };
            if attempt >= self.options.attempts {
                return Err(unreachable(reason, attempt));
            }
            let wait = self.backoff.wait(attempt, retry_after);
            if !fits(wait, deadline) {
                return Err(unreachable(reason, attempt));
            }
            tracing::info!(%need, attempt, ?wait, %reason, "asking again");
            self.progress.event(Event::Retrying { need, attempt, wait, reason: &reason });
            self.counters.retries.add(1);
            sleep(wait).await;
        }
    }

    /// Waits for a rate limit, if it ends before the deadline.
    async fn wait_for_limit(&self, need: &Need, host: &str, wait: Duration, deadline: Instant) -> bool {
        // One second more than requested: clocks differ, and a limit that is hit again starts anew.
        let wait = wait.saturating_add(self.backoff.wait(1, Some(Duration::from_millis(500))));
        if !fits(wait, deadline) {
            return false;
        }
        tracing::info!(%need, %host, ?wait, "waiting for the rate limit");
        self.progress.event(Event::RateLimited { need, host, wait });
        sleep(wait).await;
        true
    }

    /// One attempt, as soon as a permit is available.
    async fn attempt(
        &self,
        need: &Need,
        ask: &RequestSpec,
        plan: &BodyPlan<'_>,
    ) -> Result<Box<ReceivedBody>, NoBody> {
        let taskcluster = self.root.holds(&ask.url);
        let _permits = self.permits.take(&ask.url, plan.shape, taskcluster).await;
        let began = Instant::now();
        let growing = |bytes, announced| self.progress.event(Event::Received { need, bytes, announced });
        let exchange = Exchange {
            transport: self.transport.as_ref(),
            options: &self.options,
            counters: &self.counters,
            closed: &self.closed,
            growing: &growing,
        };
        // A separate future, so that requests that wait for a permit stay small.
        let outcome = Box::pin(exchange.attempt(ask, |coding| intake(plan, coding))).await;
        if taskcluster && plan.shape == Shape::Body {
            self.permits.took(began.elapsed());
        }
        outcome
    }
}

impl FactSource for Fetcher {
    fn fact(self: Arc<Self>, need: Need, deadline: Instant) -> BoxFuture<'static, Fact> {
        async move { self.answer(&need, deadline).await }.boxed()
    }

    fn again(self: Arc<Self>, need: Need, deadline: Instant) -> Option<BoxFuture<'static, Fact>> {
        Some(async move { self.answer_again(&need, deadline).await }.boxed())
    }

    /// What is foreseen is asked for as anything else is. Its answer stays with its address.
    fn foresee(self: Arc<Self>, need: Need, deadline: Instant) -> BoxFuture<'static, ()> {
        async move { drop(self.answer(&need, deadline).await) }.boxed()
    }

    fn origin(&self) -> Source {
        Source::Services
    }

    fn budget(&self) -> Option<Arc<MemoryBudget>> {
        Some(self.budget.clone())
    }
}

fn is_page(address: &Address) -> bool {
    matches!(address.service, Service::GithubPage(_))
}

/// Whether GitHub states that a repository is private, or does not state that it is public.
fn is_private(repository: &[u8]) -> bool {
    let json = serde_json::from_slice::<serde_json::Value>(repository).ok();
    json.as_ref().and_then(|json| json.get("private")).and_then(serde_json::Value::as_bool) != Some(false)
}

fn intake(plan: &BodyPlan<'_>, coding: Coding) -> Result<(BodySink, u64), BodyError> {
    let staged =
        plan.staging.map(Staging::begin).transpose().map_err(|error| BodyError::Disk(error.to_string()))?;
    let intake = BodyDecoder::new(coding, plan.bounds, plan.sha512, (plan.keep)(), staged);
    let intake = intake.within(plan.budget.map(Reservation::of));
    let taker = if plan.shape == Shape::Graph { BodySink::aside(intake) } else { BodySink::here(intake) };
    Ok((taker, plan.bounds.bytes))
}

fn unreachable(reason: String, attempts: u32) -> Fact {
    Fact::Unreachable { reason, attempts }
}

/// Whether a wait ends before the deadline.
fn fits(wait: Duration, deadline: Instant) -> bool {
    Instant::now().checked_add(wait).is_some_and(|end| end < deadline)
}

fn limit(need: &Need, limits: &Limits) -> u64 {
    match need.shape() {
        Shape::Body => limits.answer_bytes,
        Shape::Measurement => limits.artifact_bytes,
        Shape::Graph => limits.graph_bytes,
    }
}

fn form(need: &Need) -> Form {
    if need.is_json_answer() {
        Form::Json
    } else if need.is_text_answer() {
        Form::Text
    } else {
        Form::Bytes
    }
}

pub(crate) fn wants_sha512(need: &Need) -> bool {
    match need {
        Need::Content { sha512, .. } | Need::Artifact { sha512, .. } | Need::TaskGraph { sha512, .. } => {
            *sha512
        }
        _ => false,
    }
}

/// The answer to another need at the same address, in the shape of this one, if it contains enough.
fn reused(answered: &Answered, need: &Need, limits: &Limits) -> Option<Fact> {
    if let (Some(graph), Need::TaskGraph { .. }) = (&answered.graph, need) {
        // A graph that cannot be read again is fetched again.
        return graph.scan(need, limits)?.ok().map(Fact::Graph);
    }
    let fact = &answered.fact;
    let Some(measurement) = measured(fact) else { return Some(fact.clone()) };
    let mut measurement = *measurement;
    if wants_sha512(need) && measurement.sha512.is_none() {
        let Fact::Body(body) = fact else { return None };
        measurement = measure(&body.bytes, true);
    }
    match (need, need.shape(), fact) {
        (_, Shape::Measurement, _) => Some(Fact::Measured(measurement)),
        (_, Shape::Body, Fact::Body(body)) => {
            Some(Fact::Body(Body { bytes: body.bytes.clone(), measurement }))
        }
        (Need::TaskGraph { wanted, .. }, _, Fact::Body(body)) => {
            let mut scanner = Scanner::new(wanted.clone(), limits);
            scanner.write(&body.bytes);
            Some(Fact::Graph(scanner.finish(measurement)))
        }
        _ => None,
    }
}
