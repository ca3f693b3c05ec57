//! Several tasks at the same time: a process for each slot, and this one, which starts them and passes on signals.
//!
//! A process of its own gives each slot what it must not share: children to end after a task, an environment, the
//! log of the verification that is under way, and memory.

use super::UNUSABLE;
use super::daemon::announce_end;
use crate::failure::{DONE, Failure};
use catena_worker::notify::{Notifier, READY, VARIABLE};
use catena_worker::signals::{Orders, Signals};
use catena_worker::worker::Order;
use rustix::process::{Pid, Signal, kill_process};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::UnixDatagram;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// A slot that ends by itself this soon has not started: it would do so again.
const START: Duration = Duration::from_secs(10);
/// Before a slot that ended by itself is started again.
const PAUSE: Duration = Duration::from_secs(1);
/// Before the order to end is repeated: a slot may not have listened yet.
const REPEAT: Duration = Duration::from_secs(1);

/// What is passed on to slots: the order, and how often to read the configuration again.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    order: Order,
    reloads: u64,
}

/// Runs the slots until an order to end.
pub(super) async fn run(capacity: u32, signals: Signals) -> Result<u8, Failure> {
    let orders = signals.into_orders(|line| eprintln!("{line}"));
    let folder = tempfile::tempdir().map_err(Failure::undetermined)?;
    let socket = folder.path().join("notify");
    let ready = UnixDatagram::bind(&socket).map_err(Failure::undetermined)?;
    let notifier = Notifier::from_environment();
    drop(tokio::spawn(forward_ready(ready, capacity, notifier.clone(), folder)));
    drop(tokio::spawn(announce_end(orders.clone(), notifier)));
    let told = watch::Sender::new(Told::default());
    let mut slots = JoinSet::new();
    for number in 1..=capacity {
        slots.spawn(Slot { number, socket: socket.clone(), told: told.subscribe() }.run());
    }
    drop(tokio::spawn(relay(orders.clone(), told)));
    let mut status = DONE;
    while let Some(ended) = slots.join_next().await {
        let ended = ended.unwrap_or_else(|error| Err(error.to_string()));
        if let Err(why) = ended {
            eprintln!("{why}");
            status = UNUSABLE;
            // The others finish their tasks; what happens next is up to the service manager.
            orders.give(Order::Drain);
        }
    }
    Ok(status)
}

/// Passes orders on to slots: a reload is an event, and not a state.
async fn relay(orders: Orders, told: watch::Sender<Told>) {
    let mut given = orders.subscribe();
    loop {
        let order = *given.borrow_and_update();
        told.send_modify(|told| match order {
            Order::Work => {}
            Order::Reload => told.reloads = told.reloads.saturating_add(1),
            Order::Drain | Order::ShutDown => told.order = order,
        });
        orders.reloading();
        if given.changed().await.is_err() {
            return;
        }
    }
}

/// Reports that the service is up once every slot has.
async fn forward_ready(socket: UnixDatagram, capacity: u32, notifier: Notifier, _folder: TempDir) {
    let (mut up, mut bytes) = (0, [0; 64]);
    while up < capacity {
        let Ok(count) = socket.recv(&mut bytes).await else { return };
        if bytes.get(..count) == Some(READY.as_bytes()) {
            up = up.saturating_add(1);
        }
    }
    notifier.send(READY);
    // Later messages are read and dropped, so that no slot waits.
    while socket.recv(&mut bytes).await.is_ok() {}
}

struct Slot {
    number: u32,
    socket: PathBuf,
    told: watch::Receiver<Told>,
}

impl Slot {
    /// Runs the process of a slot, and starts it again if it ends by itself.
    async fn run(mut self) -> Result<(), String> {
        loop {
            let begun = Instant::now();
            let status = self.once().await.map_err(|cause| format!("slot {}: {cause}", self.number))?;
            if self.told.borrow().order != Order::Work {
                return if status.success() {
                    Ok(())
                } else {
                    Err(format!("slot {}: {status}", self.number))
                };
            }
            if begun.elapsed() < START {
                return Err(format!("slot {} does not start: {status}", self.number));
            }
            // Its own log says why: what is left of a script would be there after a new start too.
            if status.code() == Some(UNUSABLE.into()) {
                return Err(format!("slot {} cannot go on: {status}", self.number));
            }
            eprintln!("slot {} ended by itself ({status}) and is started again", self.number);
            sleep(PAUSE).await;
        }
    }

    async fn once(&mut self) -> std::io::Result<ExitStatus> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(std::env::args_os().skip(1)).arg("--slot").arg(self.number.to_string());
        command.env(VARIABLE, &self.socket).stdin(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let mut passed = *self.told.borrow_and_update();
        pass_on(&child, passed.order);
        loop {
            tokio::select! {
                status = child.wait() => return status,
                changed = self.told.changed() => {
                    if changed.is_err() {
                        return child.wait().await;
                    }
                    let told = *self.told.borrow_and_update();
                    if told.reloads != passed.reloads {
                        pass_on(&child, Order::Reload);
                    }
                    if told.order != passed.order {
                        pass_on(&child, told.order);
                    }
                    passed = told;
                }
                () = sleep(REPEAT), if passed.order != Order::Work => pass_on(&child, passed.order),
            }
        }
    }
}

fn pass_on(child: &Child, order: Order) {
    let signal = match order {
        Order::Work => return,
        Order::Reload => Signal::HUP,
        Order::Drain => Signal::USR1,
        Order::ShutDown => Signal::TERM,
    };
    let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(pid) = pid {
        // One that has ended needs no signal.
        let _ = kill_process(pid, signal);
    }
}
