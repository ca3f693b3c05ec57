//! A configuration, and what it takes to verify by it.

use super::EXITING;
use crate::failure::Failure;
use catena::{Network, Options};
use catena_download::Downloader;
use catena_http::{HttpOptions, HttpTransport, Transport, is_loopback};
use catena_model::Limits;
use catena_worker::config::{Config, Trust};
use catena_worker::gate::ChainGate;
use catena_worker::inputs::InputFetcher;
use clap::Args;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use url::Url;

/// No configuration or policy file is larger.
const LARGEST: u64 = 16 << 20;

/// What a configuration cannot say because scriptworker would refuse it, as far as verification needs it.
#[derive(Clone, Debug, Args)]
pub(crate) struct SetupArgs {
    /// A policy file between the one that ships and what the configuration says; several are laid over one
    /// another
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Vec<PathBuf>,
    /// Certificates (PEM) that are trusted instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Ask services over plain http that are not on this machine
    #[arg(long)]
    pub(crate) danger_allow_http: bool,
}

impl SetupArgs {
    /// The configuration of a slot, if it can be used, and everything that is wrong with it.
    pub(crate) fn read(&self, file: &Path, slot: u32) -> Result<(Option<Config>, Vec<String>), Failure> {
        let text = match contents(file) {
            Ok(text) => text,
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                return Ok((None, vec![format!("{} doesn't exist! {EXITING}", file.display())]));
            }
            Err(cause) => {
                return Ok((None, vec![format!("{} cannot be read: {cause}. {EXITING}", file.display())]));
            }
        };
        let mut policies = Vec::new();
        for file in &self.policy {
            let text = contents(file).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let text = text.ok_or_else(|| Failure::usage(format!("{}: cannot be read", file.display())))?;
            policies.push((file.display().to_string(), text));
        }
        let variable = |name: &str| std::env::var(name).ok();
        let checked = Config::read_slot(file, &text, &policies, &variable, slot);
        Ok((checked.config, checked.problems.iter().map(ToString::to_string).collect()))
    }

    /// Refuses services that are asked over plain http beyond this machine.
    pub(crate) fn protected(&self, config: &Config) -> Result<(), Failure> {
        let is_protected = Url::parse(config.root_url.as_str())
            .is_ok_and(|url| url.scheme() == "https" || is_loopback(&url));
        if is_protected || self.danger_allow_http {
            return Ok(());
        }
        let what = format!("{} is asked over plain http", config.root_url.as_str());
        Err(Failure::usage(what).next("use https; --danger-allow-http takes the risk"))
    }

    pub(crate) fn transport(&self) -> Result<Arc<HttpTransport>, Failure> {
        let options = HttpOptions { ca_file: self.ca_file.clone(), ..HttpOptions::default() };
        HttpTransport::new(&options).map(Arc::new).map_err(|error| {
            Failure::usage(error).next("see to --ca-file, SSL_CERT_FILE, HTTPS_PROXY and the like")
        })
    }

    /// What verifies by a configuration.
    pub(crate) fn chain_gate(
        &self,
        config: &Config,
        trust: &Trust,
        transport: Arc<dyn Transport>,
    ) -> Result<ChainGate, Failure> {
        let options = Options {
            danger_allow_http: self.danger_allow_http,
            seed: seed(),
            github_app: Some(config.github_app.clone()).filter(|name| !name.is_empty()),
            ..Options::default()
        };
        let inputs = InputFetcher {
            downloader: Downloader::new(transport.clone(), options.clone()),
            root: config.root_url.clone(),
            credentials: Some(config.credentials.clone()),
            limits: Limits::default(),
        };
        let network = Network::new(transport)
            .with_options(options)
            .with_credentials(Some(config.credentials.clone()))
            .with_github_token(config.github_token.clone());
        ChainGate::new(trust.clone(), config.root_url.as_str(), network, inputs).map_err(Failure::usage)
    }
}

/// The contents of a file of bounded size.
pub(crate) fn contents(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Different for workers that start at the same time.
pub(crate) fn seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_nanos()).rotate_left(32) ^ u64::from(std::process::id())
}
