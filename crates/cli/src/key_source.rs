//! What verdicts are made by, as options name it: policy files, and keys from a file or an address.

use crate::commands::verify::block_on;
use crate::failure::Failure;
use catena::{HttpOptions, KeySetUrl, TrustConfig};
use catena_http::HttpTransport;
use std::path::{Path, PathBuf};

/// Reads the policy and the keys. Keys from an address are fetched once, and narrow the policy's trust file.
pub(crate) fn trust_config(
    policy: &[PathBuf],
    keys: Option<&Path>,
    ca_file: Option<&Path>,
) -> Result<TrustConfig, Failure> {
    let Some(address) = keys.and_then(Path::to_str).filter(|text| KeySetUrl::is_meant(text)) else {
        return Ok(TrustConfig::read(policy, keys)?);
    };
    let (url, trust_config) = (KeySetUrl::parse(address)?, TrustConfig::read(policy, None)?);
    let options = HttpOptions { ca_file: ca_file.map(Path::to_owned), ..HttpOptions::default() };
    let set = block_on(async |cancellation| {
        // Of its own: its connections end with this runtime.
        let transport = HttpTransport::new(&options).map_err(|error| {
            Failure::usage(error).next("see to --ca-file, SSL_CERT_FILE, HTTPS_PROXY and the like")
        })?;
        let fetched = cancellation.run_until_cancelled(url.fetch(&transport)).await;
        let interrupted = || Failure::undetermined("interrupted before the keys were there");
        Ok(fetched.ok_or_else(interrupted)??)
    })?;
    Ok(trust_config.narrowed_to(set)?)
}

/// Whether keys come from an address.
pub(crate) fn is_address(keys: Option<&Path>) -> bool {
    keys.and_then(Path::to_str).is_some_and(KeySetUrl::is_meant)
}
