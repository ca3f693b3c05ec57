//! Signals as orders.

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

    /// Turns each signal into an order, for as long as the runtime lives. `tell` gets a line for each order.
    #[must_use]
    pub fn into_orders(mut self, tell: impl Fn(&str) + Send + 'static) -> Orders {
        let orders = Orders(Arc::new(watch::Sender::new(Order::Work)));
        let sender = Arc::clone(&orders.0);
        drop(tokio::spawn(async move {
            loop {
                let (order, line) = tokio::select! {
                    _ = self.terminate.recv() => (Order::ShutDown, "SIGTERM: no more tasks are claimed"),
                    _ = self.interrupt.recv() => (Order::ShutDown, "SIGINT: no more tasks are claimed"),
                    _ = self.drain.recv() => (Order::Drain, "SIGUSR1: no more tasks are claimed"),
                    _ = self.hangup.recv() => (Order::Reload, "SIGHUP: the configuration is read again"),
                };
                let is_new = sender.send_if_modified(|held| {
                    let is_new = order > *held;
                    *held = order.max(*held);
                    is_new
                });
                if is_new {
                    tell(line);
                }
            }
        }));
        orders
    }
}

/// What the worker is ordered from outside. The largest order counts.
#[derive(Clone, Debug)]
pub struct Orders(Arc<watch::Sender<Order>>);

impl Orders {
    /// The orders from now on.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Order> {
        self.0.subscribe()
    }

    /// Gives an order from inside.
    pub fn give(&self, order: Order) {
        self.0.send_modify(|held| *held = order.max(*held));
    }

    /// Says that the configuration is about to be read: another order to read it counts anew.
    pub fn reloading(&self) {
        self.0.send_if_modified(|held| {
            let is_reload = *held == Order::Reload;
            if is_reload {
                *held = Order::Work;
            }
            is_reload
        });
    }
}
