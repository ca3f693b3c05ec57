//! How patient and how busy a driver is.

use std::time::Duration;

/// The bounds of fetching. What bounds the answers themselves is [`catena_model::Limits`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Requests at the same time, over all hosts, while answers are near: more would only wait in other
    /// places, and take memory there.
    pub concurrency: usize,
    /// Of these, downloads of artifacts, so that large bodies never keep the questions waiting that say
    /// what to ask next.
    pub bulk_concurrency: usize,
    /// Of these, downloads of task graphs. They wait for no artifact: a graph is the largest body of most
    /// chains, and what is downloaded last has all the others' time to itself, and one CPU.
    pub graph_concurrency: usize,
    /// Requests at the same time, over all hosts, once Taskcluster's answers are found to take longer than
    /// `near`. A chain of 300 links has about 1,800 questions; where each takes half a second, 512 at a
    /// time answer them in less time than one answer of hg.mozilla.org takes, which has to be waited for
    /// anyway.
    pub far_concurrency: usize,
    /// Of these, downloads. Small artifacts cost their latency, so many are on their way at once; large
    /// ones share the bandwidth there is, however many they are.
    pub far_bulk_concurrency: usize,
    /// Of these, downloads of task graphs.
    pub far_graph_concurrency: usize,
    /// What even the quickest answer of Taskcluster takes longer than, if it is far away.
    pub near: Duration,
    /// Requests at the same time to one version control host. Both hg.mozilla.org and GitHub ask
    /// clients not to be hurried.
    pub vcs_concurrency: usize,
    /// How often a request is tried before its answer counts as unreachable.
    pub attempts: u32,
    /// The upper bound of the first wait between attempts; it doubles with each.
    pub backoff: Duration,
    /// The upper bound of any wait between attempts.
    pub backoff_cap: Duration,
    /// The longest that a `Retry-After` is obeyed, but for GitHub's rate limit, which is waited for
    /// as long as the deadline allows.
    pub retry_after_cap: Duration,
    /// How often one request waits for GitHub's rate limit. Its window is an hour; more than a few
    /// waits mean that it does not keep its word.
    pub rate_limit_waits: u32,
    /// How long nothing at all may arrive: before the head of an answer, and between two chunks of
    /// its body. hg.mozilla.org takes up to ten seconds over an honest answer.
    pub stall: Duration,
    /// Bytes per second that a body must reach, on average over each `stall`. Below this a body
    /// drips: the slowest honest link is a hundred times faster.
    pub minimum_rate: u64,
    /// Redirects that are followed. The queue needs one; a store behind a mirror needs two.
    pub redirects: usize,
    /// Whether plain http may leave this machine. It lets anybody on the way answer in the queue's
    /// name.
    pub danger_allow_http: bool,
    /// The name of the GitHub application that Taskcluster's auth service hands out tokens of. Only
    /// asked when there are Taskcluster credentials.
    pub github_app: Option<String>,
    /// What the waits between attempts are drawn from. Any number will do; many clients that start
    /// together should not have the same.
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

/// How long a whole verification may take when nothing else is said: a worker has claimed its task for
/// twenty minutes, and a valid chain takes seconds.
pub const DEADLINE: Duration = Duration::from_secs(300);
