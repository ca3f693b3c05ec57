//! One worker process: it starts, works, reads its configuration again when told to, and ends.

use super::setup::seed;
use super::{RunArgs, UNUSABLE, runtime, slots, unusable};
use crate::cli::OutputOptions;
use crate::failure::{DONE, Failure};
use crate::log;
use catena_signing::Signer;
use catena_taskcluster::ClientOptions;
use catena_worker::config::Config;
use catena_worker::gate::{Gate, Open};
use catena_worker::log::Log;
use catena_worker::metrics::{self, MeteredTransport, Metrics};
use catena_worker::notify::{Notifier, READY, STOPPING};
use catena_worker::queue::TaskclusterQueue;
use catena_worker::script::{Launcher, adopt_orphans, end_with_parent, hide_memory};
use catena_worker::signals::{Orders, Signals};
use catena_worker::startup;
use catena_worker::worker::{Exit, Order, Worker};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// How long processes are killed that a script left behind. All but those that try to escape end at once.
const SWEEP_LIMIT: Duration = Duration::from_secs(10);

/// Works until an order to end.
pub(super) fn run(args: &RunArgs, output_options: &OutputOptions) -> Result<u8, Failure> {
    let own_log = log::start_worker(output_options)?;
    let runtime = runtime()?;
    // Before anything else: a signal that comes earlier ends the process where it stands.
    let signals = runtime.block_on(async { Signals::listen() }).map_err(Failure::undetermined)?;
    let (config, lines) = args.setup.read(&args.config, args.slot.unwrap_or(1))?;
    let Some(config) = config else { return Ok(unusable(&lines)) };
    // The credentials are in the memory and the environment of every process of the worker.
    hide_memory();
    if config.capacity > 1 && args.slot.is_none() {
        let capacity = config.capacity;
        drop(config);
        return runtime.block_on(slots::run(capacity, signals));
    }
    if args.slot.is_some() {
        end_with_parent();
    }
    adopt_orphans();
    runtime.block_on(work(args, config, &lines, signals, &own_log))
}

async fn work(
    args: &RunArgs,
    mut config: Config,
    lines: &[String],
    signals: Signals,
    own_log: &OnceLock<Log>,
) -> Result<u8, Failure> {
    let launcher = launcher(args, &config)?;
    let signer = match startup::check(&config, &launcher).await {
        Ok(signer) => signer.map(|signer| Arc::new(signer) as Arc<dyn Signer + Send + Sync>),
        Err(wrong) => return Ok(unusable(&wrong)),
    };
    config.directories = config.directories.resolved().map_err(Failure::undetermined)?;
    let log = Log::open(&config.directories.logs, config.log.clone())
        .map_err(|error| Failure::undetermined(format!("{}: {error}", config.directories.logs.display())))?;
    own_log.get_or_init(|| log.clone());
    log.info(format!("Catena worker {} starting up", env!("CARGO_PKG_VERSION")));
    lines.iter().for_each(|line| log.warning(line));
    let mut daemon = Daemon { args, log: log.clone(), metrics: Arc::default(), probes: Probes::default() };
    if let Err(why) = daemon.probes.listen(config.metrics, &daemon.metrics).await {
        return Ok(unusable(&[why]));
    }
    let worker = daemon.worker(config, launcher, signer)?;
    let orders = signals.into_orders(move |line| log.info(line));
    let notifier = Notifier::from_environment();
    notifier.send(READY);
    drop(tokio::spawn(announce_end(orders.clone(), notifier)));
    daemon.serve(worker, &orders).await
}

/// Notifies the service manager of an order to end.
pub(super) async fn announce_end(orders: Orders, notifier: Notifier) {
    let _ = orders.subscribe().wait_for(|order| *order > Order::Reload).await;
    notifier.send(STOPPING);
}

/// What stays when the configuration is read again.
struct Daemon<'a> {
    args: &'a RunArgs,
    log: Log,
    metrics: Arc<Metrics>,
    probes: Probes,
}

impl Daemon<'_> {
    async fn serve(&mut self, mut worker: Worker, orders: &Orders) -> Result<u8, Failure> {
        loop {
            match worker.run(orders.subscribe()).await {
                Exit::Told => return Ok(DONE),
                Exit::Misconfigured | Exit::Unclean => return Ok(UNUSABLE),
                Exit::Reload => {
                    orders.reloading();
                    match self.reload(&worker).await {
                        Ok(new) => {
                            worker = new;
                            self.log.info("The new configuration is in use.");
                        }
                        Err(wrong) => {
                            self.log
                                .critical("The old configuration stays in use; the new one cannot be used:");
                            wrong.iter().for_each(|line| self.log.critical(line));
                        }
                    }
                }
            }
        }
    }

    /// A worker of the configuration as it is now. Nothing changes before all of it was checked.
    async fn reload(&mut self, old: &Worker) -> Result<Worker, Vec<String>> {
        let told = |failure: Failure| vec![failure.text()];
        let (config, lines) =
            self.args.setup.read(&self.args.config, self.args.slot.unwrap_or(1)).map_err(told)?;
        let mut config = config.ok_or_else(|| lines.clone())?;
        if config.capacity != old.config.capacity {
            return Err(vec!["capacity: it changes only with a restart".to_owned()]);
        }
        let launcher = launcher(self.args, &config).map_err(told)?;
        let signer = startup::check(&config, &launcher).await?;
        config.directories = config.directories.resolved().map_err(|error| vec![error.to_string()])?;
        let signer = signer.map(|signer| Arc::new(signer) as Arc<dyn Signer + Send + Sync>);
        let (directory, options) = (config.directories.logs.clone(), config.log.clone());
        let address = config.metrics;
        let worker = self.worker(config, launcher, signer).map_err(told)?;
        self.probes.listen(address, &self.metrics).await.map_err(|why| vec![why])?;
        self.log
            .reopen(&directory, options)
            .map_err(|error| vec![format!("{}: {error}", directory.display())])?;
        lines.iter().for_each(|line| self.log.warning(line));
        Ok(worker)
    }

    fn worker(
        &self,
        config: Config,
        launcher: Launcher,
        signer: Option<Arc<dyn Signer + Send + Sync>>,
    ) -> Result<Worker, Failure> {
        let setup = &self.args.setup;
        let (inner, metrics) = (setup.transport()?, Arc::clone(&self.metrics));
        let transport =
            Arc::new(MeteredTransport::new(inner, Arc::clone(&metrics), config.root_url.as_str()));
        let gate: Arc<dyn Gate> = match &config.trust {
            None => Arc::new(Open),
            Some(trust) => Arc::new(setup.chain_gate(&config, trust, transport.clone())?),
        };
        let options = ClientOptions {
            danger_allow_http: setup.danger_allow_http,
            seed: seed(),
            ..ClientOptions::default()
        };
        let queue = TaskclusterQueue::new(transport, &config, options, self.log.clone());
        let queue = Arc::new(queue.map_err(Failure::usage)?);
        let (log, temporary) = (self.log.clone(), std::env::temp_dir());
        Ok(Worker { config, queue, gate, launcher, signer, log, metrics, temporary })
    }
}

/// Where probes and metrics are answered.
#[derive(Default)]
struct Probes(Option<(SocketAddr, AbortHandle)>);

impl Probes {
    /// Answers at this address, and no longer at another.
    async fn listen(&mut self, address: Option<SocketAddr>, metrics: &Arc<Metrics>) -> Result<(), String> {
        if self.0.as_ref().map(|(held, _)| *held) == address {
            return Ok(());
        }
        let listening = match address {
            None => None,
            Some(address) => {
                let listener = TcpListener::bind(address).await;
                let listener = listener.map_err(|error| format!("metrics_address: {address}: {error}"))?;
                let serving = tokio::spawn(metrics::serve(listener, Arc::clone(metrics)));
                Some((address, serving.abort_handle()))
            }
        };
        if let Some((_, serving)) = std::mem::replace(&mut self.0, listening) {
            serving.abort();
        }
        Ok(())
    }
}

/// What starts scripts; and whether services may be asked at all.
pub(super) fn launcher(args: &RunArgs, config: &Config) -> Result<Launcher, Failure> {
    args.setup.protected(config)?;
    let program =
        std::env::current_exe().map_err(|cause| Failure::undetermined(format!("own program: {cause}")))?;
    Ok(Launcher {
        program,
        hide: config.private_key.clone().filter(|_| !args.danger_expose_key),
        apart: if args.danger_expose_key { Vec::new() } else { config.other_slots.clone() },
        grace: Duration::from_secs(args.kill_grace.into()),
        sweep_limit: SWEEP_LIMIT,
        inherit_stdin: args.inherit_stdin,
    })
}
