//! Where facts come from.

use crate::budget::MemoryBudget;
use catena_verify::verdict::Source;
use catena_verify::verification::{Fact, Need};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio::time::Instant;

/// What answers needs: the network, or a recording of it. Its answers are tasks of their own, so that
/// several bodies are measured at once, on every core there is.
pub trait FactSource: Send + Sync {
    /// Answers one need. It always answers: what cannot be known by the deadline is
    /// [`Fact::Unreachable`].
    fn fact(self: Arc<Self>, need: Need, deadline: Instant) -> BoxFuture<'static, Fact>;

    /// Whether its facts are of the present or of a recording; the verdict says so.
    fn origin(&self) -> Source;

    /// Sees to it that the answer to a need is on its way before it is asked for, which it may never
    /// be. A source whose answers cost no time does nothing.
    fn foresee(self: Arc<Self>, _need: Need, _deadline: Instant) -> BoxFuture<'static, ()> {
        std::future::ready(()).boxed()
    }

    /// Requests the answer to a need once more, past every cache on its way. None where there is nobody to ask,
    /// as of a recording.
    fn again(self: Arc<Self>, _need: Need, _deadline: Instant) -> Option<BoxFuture<'static, Fact>> {
        None
    }

    /// The memory that its answers share, for whoever holds more of them.
    fn budget(&self) -> Option<Arc<MemoryBudget>> {
        None
    }
}
