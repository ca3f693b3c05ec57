//! Timeouts and concurrency limits of a fact source.

use std::time::Duration;

/// The limits of fetching. The limits of the answers themselves are [`catena_model::Limits`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Concurrent requests over all hosts, while latency is low: more would only wait elsewhere, and
    /// take memory there.
    pub concurrency: usize,
    /// Of these, downloads of artifacts, so that large bodies never delay the requests that lead to
    /// further needs.
    pub bulk_concurrency: usize,
    /// Of these, downloads of task graphs. They do not wait for artifacts: a graph is the largest body
    /// of most chains, and the last download would have the machine to itself, and use one CPU.
    pub graph_concurrency: usize,
    /// Concurrent requests over all hosts, once Taskcluster's latency is found to be above `near`. A
    /// chain of 300 links has about 1,800 requests; if each takes half a second, 512 in parallel finish
    /// in less time than one answer of hg.mozilla.org, which is needed anyway.
    pub far_concurrency: usize,
    /// Of these, downloads. Small artifacts are dominated by latency, so many are requested in
    /// parallel; large ones share the bandwidth, however many they are.
    pub far_bulk_concurrency: usize,
    /// Of these, downloads of task graphs.
    pub far_graph_concurrency: usize,
    /// If even the quickest answer of Taskcluster takes longer than this, latency is high.
    pub near: Duration,
    /// Concurrent requests to one version control host. Both hg.mozilla.org and GitHub ask clients to
    /// limit their rate.
    pub vcs_concurrency: usize,
    /// The maximum attempts per request before it counts as unreachable.
    pub attempts: u32,
    /// The upper bound of the first wait between attempts; it doubles with each.
    pub backoff: Duration,
    /// The upper bound of any wait between attempts.
    pub backoff_cap: Duration,
    /// The maximum `Retry-After` that is obeyed, except for GitHub's rate limit, for which requests
    /// wait as long as the deadline allows.
    pub retry_after_cap: Duration,
    /// How often one request waits for GitHub's rate limit. Its window is an hour; after a few waits,
    /// its stated end is not reliable.
    pub rate_limit_waits: u32,
    /// The maximum time without any data: before the head of an answer, and between two chunks of its
    /// body. hg.mozilla.org takes up to ten seconds for a valid answer.
    pub stall: Duration,
    /// The minimum rate of a body in bytes per second, on average over each `stall`. The slowest usual
    /// link is a hundred times faster.
    pub minimum_rate: u64,
    /// The maximum number of redirects. The queue needs one; a store behind a mirror needs two.
    pub redirects: usize,
    /// Whether plain http is allowed to other machines. It lets any machine on the path answer in the
    /// queue's name.
    pub danger_allow_http: bool,
    /// The name of the GitHub application whose tokens Taskcluster's auth service issues. Only used
    /// with Taskcluster credentials.
    pub github_app: Option<String>,
    /// The seed of the random waits between attempts. Any number will do; many clients that start
    /// together should have different ones.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 32,
            bulk_concurrency: 12,
            graph_concurrency: 4,
            far_concurrency: 512,
            far_bulk_concurrency: 128,
            far_graph_concurrency: 32,
            near: Duration::from_millis(10),
            vcs_concurrency: 8,
            attempts: 5,
            backoff: Duration::from_secs(1),
            backoff_cap: Duration::from_secs(30),
            retry_after_cap: Duration::from_secs(60),
            rate_limit_waits: 5,
            stall: Duration::from_secs(30),
            minimum_rate: 256,
            redirects: 5,
            danger_allow_http: false,
            github_app: Some("read".to_owned()),
            seed: 0,
        }
    }
}

/// The default time limit of a whole verification: a worker has claimed its task for twenty minutes,
/// and a valid chain takes seconds.
pub const DEADLINE: Duration = Duration::from_secs(300);
