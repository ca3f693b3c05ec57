//! Where facts come from.

use crate::budget::Budget;
use crate::graphs::KeptGraph;
use catena_core::inquiry::{Fact, Need};
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

    /// Sees to it that the answer to a need is on its way before it is asked for, which it may never
    /// be. A source whose answers cost no time does nothing.
    fn foresee(self: Arc<Self>, _need: Need, _deadline: Instant) -> BoxFuture<'static, ()> {
        std::future::ready(()).boxed()
    }

    /// The whole task graph of which the answer to this need told some entries, where it is kept.
    fn kept_graph(&self, _need: &Need) -> Option<Arc<KeptGraph>> {
        None
    }

    /// The memory that its answers share, for whoever holds more of them.
    fn budget(&self) -> Option<Arc<Budget>> {
        None
    }
}
