//! Signals as orders.

use crate::log::Log;
use crate::worker::Order;
use std::io;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Signals that are listened to. From here on none of them ends the process.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    drain: Signal,
    hangup: Signal,
}

impl Signals {
    /// Begins to listen. Must be called before anything else, since a signal that comes earlier ends the process.
    ///
    /// # Errors
    /// The system refuses.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            drain: signal(SignalKind::user_defined1())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Turns each signal into an order, for as long as the runtime lives.
    #[must_use]
    pub fn into_orders(mut self, log: Log) -> watch::Receiver<Order> {
        let sender = Arc::new(watch::Sender::new(Order::Work));
        let receiver = sender.subscribe();
        drop(tokio::spawn(async move {
            loop {
                let (name, order) = tokio::select! {
                    _ = self.terminate.recv() => ("SIGTERM", Order::ShutDown),
                    _ = self.interrupt.recv() => ("SIGINT", Order::ShutDown),
                    _ = self.drain.recv() => ("SIGUSR1", Order::Drain),
                    _ = self.hangup.recv() => {
                        log.warning("SIGHUP: the configuration is read only at the start");
                        continue;
                    }
                };
                let is_new = sender.send_if_modified(|held| {
                    let is_new = order > *held;
                    *held = order.max(*held);
                    is_new
                });
                if is_new {
                    log.info(format!("{name}: no more tasks are claimed"));
                }
            }
        }));
        receiver
    }
}
