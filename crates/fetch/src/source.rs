//! Where facts come from.

use crate::budget::MemoryBudget;
use catena_verify::verdict::Source;
use catena_verify::verification::{Fact, Need};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio::time::Instant;

/// Answers needs: from the network, or from a recording of it. Answers are separate tasks, so that
/// several bodies are measured in parallel, on every core.
pub trait FactSource: Send + Sync {
    /// Answers one need. It always answers: evidence that is missing at the deadline is
    /// [`Fact::Unreachable`].
    fn fact(self: Arc<Self>, need: Need, deadline: Instant) -> BoxFuture<'static, Fact>;

    /// Whether its facts are of the present or of a recording; the verdict states it.
    fn origin(&self) -> Source;

    /// Requests the answer to a need in advance, which may never be needed. A source without latency
    /// does nothing.
    fn foresee(self: Arc<Self>, _need: Need, _deadline: Instant) -> BoxFuture<'static, ()> {
        std::future::ready(()).boxed()
    }

    /// Requests the answer to a need once more, past every cache on its way. `None` where no service can be asked,
    /// as of a recording.
    fn again(self: Arc<Self>, _need: Need, _deadline: Instant) -> Option<BoxFuture<'static, Fact>> {
        None
    }

    /// The memory that its answers share, for callers that hold more of them.
    fn budget(&self) -> Option<Arc<MemoryBudget>> {
        None
    }
}
