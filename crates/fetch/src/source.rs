//! Where facts come from.

use catena_core::inquiry::{Fact, Need};
use futures_util::future::BoxFuture;
use tokio::time::Instant;

/// What answers needs: the network, or a recording of it.
pub trait FactSource: Send + Sync {
    /// Answers one need. It always answers: what cannot be known by the deadline is
    /// [`Fact::Unreachable`].
    fn fact<'a>(&'a self, need: &'a Need, deadline: Instant) -> BoxFuture<'a, Fact>;
}
