//! What a configuration says about trust: whether chains are verified, as what, and by which policy.

use super::file::File;
use super::problem::{Problems, Severity};
use catena::{TextFile, TrustConfig};
use catena_model::task::Kind;
use catena_policy::{FIREFOX_CI, Policy, Product, import};
use std::sync::Arc;

/// The name of the policy that ships.
const SHIPPED: &str = "shipped:firefox-ci";

/// What chains are verified by.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The policy, and the keys in it.
    pub trust_config: TrustConfig,
    /// The product.
    pub product: Arc<Product>,
    /// The kind of the tasks that the worker runs.
    pub kind: Kind,
    /// Whether documents count only with a signature.
    pub signatures: bool,
}

/// What the chains of this worker are verified by, and what the file says about it, as a policy layer.
pub(super) fn read(
    file: &File,
    policies: &[(String, String)],
    problems: &mut Problems,
) -> (Option<Trust>, String) {
    let verify = file.truth("verify_chain_of_trust");
    let Some(name) = file.text("cot_product") else {
        if verify {
            let what = "verify_chain_of_trust can't be True when cot_product is not set!";
            let what = format!("{} {what}", problems.file().display());
            problems.error(file.mark("verify_chain_of_trust"), what);
        }
        return (None, String::new());
    };
    let source = problems.file().display().to_string();
    let below = load(policies, None).ok();
    let known = below.as_ref().and_then(|policy| Some((policy.product(name).ok()?, policy.keys(name).ok()?)));
    let known = known.as_ref().map(|(product, keys)| (product, keys));
    let layer = match import::from_worker(&file.trust(), name, known, &source) {
        Ok(layer) => layer,
        Err(error) => {
            problems.error(None, error.to_string());
            return (None, String::new());
        }
    };
    let trust = match load(policies, Some((&source, &layer))) {
        Ok(policy) => {
            let files = files(policies, Some((&source, &layer)));
            let text = |(name, text): (&str, &str)| TextFile { name: name.to_owned(), text: text.to_owned() };
            match TrustConfig::new(files.into_iter().map(text).collect(), None) {
                Ok(trust_config) => trust(file, trust_config, &policy, name, problems),
                Err(error) => {
                    problems.error(None, error.to_string());
                    None
                }
            }
        }
        Err(reasons) => {
            reasons.into_iter().for_each(|reason| problems.error(None, reason));
            None
        }
    };
    if verify && !file.truth("verify_cot_signature") {
        let what = "verify_cot_signature is off: documents are accepted without a signature";
        problems.add(Severity::Warning, file.mark("verify_cot_signature"), what);
    }
    if !verify {
        let what = "verify_chain_of_trust is off: every task that is claimed is run";
        problems.add(Severity::Warning, file.mark("verify_chain_of_trust"), what);
    }
    (trust.filter(|_| verify), layer)
}

fn trust(
    file: &File,
    trust_config: TrustConfig,
    policy: &Policy,
    name: &str,
    problems: &mut Problems,
) -> Option<Trust> {
    let product =
        policy.product(name).map_err(|error| problems.error(file.mark("cot_product"), error.to_string()));
    let text = file.text("cot_job_type").unwrap_or_default();
    let product = product.ok()?;
    let kind = Kind::parse(text).ok().filter(|kind| product.role(kind).is_some());
    let Some(kind) = kind else {
        if file.truth("verify_chain_of_trust") {
            let known: Vec<String> = product.kinds.keys().map(ToString::to_string).collect();
            let what = format!("cot_job_type: {name} has no kind {text:?}, but {}", known.join(", "));
            problems.error(file.mark("cot_job_type"), what);
        }
        return None;
    };
    let signatures = file.truth("verify_cot_signature");
    Some(Trust { trust_config, product: Arc::new(product), kind, signatures })
}

/// The policy that ships, the files that were named, and the layer of the configuration.
fn files<'a>(policies: &'a [(String, String)], layer: Option<(&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
    let named = policies.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    [(SHIPPED, FIREFOX_CI)].into_iter().chain(named).chain(layer).collect()
}

fn load(policies: &[(String, String)], layer: Option<(&str, &str)>) -> Result<Policy, Vec<String>> {
    let files = files(policies, layer);
    let loader = |name: &str| match name {
        SHIPPED => Ok(FIREFOX_CI.to_owned()),
        _ => Err("a worker's policy files extend only shipped:firefox-ci".to_owned()),
    };
    Policy::load_all(&files, &loader).map_err(|diagnostics| {
        // What stands in a layer that was made here has no line in the administrator's file.
        let path_only = |file: &str| layer.is_some_and(|(name, _)| name == file);
        let told = |note: &catena_policy::Diagnostic| match path_only(&note.file) {
            true => format!("policy of {}: {}: {}", note.file, note.path, note.message),
            false => note.to_string(),
        };
        diagnostics.iter().map(told).collect()
    })
}
