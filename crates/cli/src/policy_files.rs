//! The policy and the keys a verdict is made by, read from files, every text kept for a recording.

use crate::failure::Failure;
use catena_core::checks;
use catena_core::policy::{Diagnostic, FIREFOX_CI, KeyRing, Policy, PolicyError, Product};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The name of the policy that ships.
const SHIPPED: &str = "shipped:firefox-ci";
/// No policy or file of keys is larger; what is, was named by mistake.
const LARGEST: u64 = 16 << 20;

/// The texts a policy is read from: what was named, in order, and what that extends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyTexts {
    /// The files that were named; later ones extend earlier ones.
    files: Vec<String>,
    /// Every text by its name.
    texts: BTreeMap<String, String>,
}

impl PolicyTexts {
    /// Reads the files that were named, or takes the policy that ships.
    pub(crate) fn read(files: &[impl AsRef<Path>]) -> Result<Self, Failure> {
        let mut read = Self::default();
        for file in files {
            let name = file.as_ref().to_string_lossy().into_owned();
            let text = if name == SHIPPED { FIREFOX_CI.to_owned() } else { text_of(file.as_ref())? };
            read.texts.insert(name.clone(), text);
            read.files.push(name);
        }
        if read.files.is_empty() {
            read.files.push(SHIPPED.to_owned());
            read.texts.insert(SHIPPED.to_owned(), FIREFOX_CI.to_owned());
        }
        Ok(read)
    }

    /// The policy, and what is likely not meant in it. The texts it extends are kept here too.
    pub(crate) fn load(&mut self) -> Result<Policy, Failure> {
        self.diagnose().map_err(|diagnostics| {
            Failure::diagnostics("the policy cannot be used:", &diagnostics)
                .next("put these right; `catena policy check FILE` looks again")
        })
    }

    /// As [`PolicyTexts::load`], with the mistakes as data.
    pub(crate) fn diagnose(&mut self) -> Result<Policy, Vec<Diagnostic>> {
        let extended = RefCell::new(BTreeMap::new());
        let loader = |name: &str| -> Result<String, String> {
            if let Some(text) = self.texts.get(name) {
                return Ok(text.clone());
            }
            let text = match name {
                SHIPPED => FIREFOX_CI.to_owned(),
                name => contents(Path::new(name)).map_err(|cause| cause.to_string())?,
            };
            extended.borrow_mut().insert(name.to_owned(), text.clone());
            Ok(text)
        };
        let files: Vec<(&str, &str)> = self
            .files
            .iter()
            .map(|name| (name.as_str(), self.texts.get(name).map(String::as_str).unwrap_or_default()))
            .collect();
        let policy = Policy::load_all(&files, checks::RULES, &loader);
        self.texts.append(&mut extended.into_inner());
        policy
    }
}

/// A product of a policy.
pub(crate) fn product(policy: &Policy, name: &str) -> Result<Product, Failure> {
    policy.product(name).map_err(no_product)
}

/// The keys of a product, or those of a file (name and text) that stand in for them.
pub(crate) fn keys(policy: &Policy, product: &str, file: Option<(&str, &str)>) -> Result<KeyRing, Failure> {
    let Some((name, text)) = file else { return policy.keys(product).map_err(no_product) };
    let keys = keys_alone(name, text)?;
    policy.keys_of_file(product, name, keys).map_err(no_product)
}

/// The keys of a file that are trusted whatever a policy says.
pub(crate) fn keys_alone(name: &str, text: &str) -> Result<KeyRing, Failure> {
    KeyRing::parse(name, text).map_err(|diagnostics| {
        Failure::diagnostics("the keys cannot be used:", &diagnostics)
            .next("a file of keys is a map from worker implementation to a list of base64 public keys")
    })
}

fn no_product(error: PolicyError) -> Failure {
    Failure::usage(error).next("name one of these, or add the product to a policy (--policy)")
}

/// The text of a file that was named on the command line.
pub(crate) fn text_of(file: &Path) -> Result<String, Failure> {
    contents(file).map_err(|cause| {
        Failure::usage(format!("{}: {cause}", file.display())).next("name a file that exists and can be read")
    })
}

fn contents(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let read = File::open(file)?.take(LARGEST.saturating_add(1)).read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read > LARGEST) {
        return Err(std::io::Error::other(format!("larger than {LARGEST} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_file_it_is_the_one_that_ships() {
        let mut texts = PolicyTexts::read(&[] as &[&str]).unwrap();
        assert!(texts.load().unwrap().products().any(|name| name == "firefox"));
    }

    #[test]
    fn everything_a_policy_was_read_from_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        write("base.yml", "catena-policy: 1\nextends: shipped:firefox-ci\n");
        let first = write("first.yml", "catena-policy: 1\nextends: base.yml\n");
        let second = write("second.yml", "catena-policy: 1\nroot-url: https://tc.example\n");
        let mut texts = PolicyTexts::read(&[first, second]).unwrap();
        assert_eq!(texts.load().unwrap().root_url(), Some("https://tc.example"));

        drop(folder);
        let kept = serde_json::to_string(&texts).unwrap();
        let mut again: PolicyTexts = serde_json::from_str(&kept).unwrap();
        assert_eq!(again.load().unwrap().root_url(), Some("https://tc.example"));
    }

    #[test]
    fn a_missing_file_is_a_mistake_of_usage() {
        let failure = PolicyTexts::read(&["/nowhere/policy.yml"]).unwrap_err();
        assert_eq!(failure.status, crate::failure::USAGE);
    }
}
