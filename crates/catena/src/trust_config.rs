//! The policy and the keys of verdicts, with every text that they were read from.

use crate::Error;
use catena_policy::{FIREFOX_CI, KeyRing, Policy, Product};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::sync::Arc;

/// The name of the shipped policy.
const SHIPPED: &str = "shipped:firefox-ci";
/// The maximum size of a policy or key file, in bytes.
const LARGEST: u64 = 16 << 20;

/// A text with the name that messages use for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextFile {
    /// The file's name.
    pub name: String,
    /// Its content.
    pub text: String,
}

impl TextFile {
    /// Reads a file of at most 16 MiB.
    ///
    /// # Errors
    /// [`Error::Read`]: a file that does not exist, cannot be read, is not UTF-8 or is too large.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = contents(path).map_err(|error| Error::Read { path: path.to_owned(), error })?;
        Ok(Self { name: path.to_string_lossy().into_owned(), text })
    }
}

/// The policy and the keys of verdicts. It keeps every text that it was read from, so that a recording
/// can be verified with the same policy again.
#[derive(Clone, Debug)]
pub struct TrustConfig {
    texts: PolicyTexts,
    keys: Option<TextFile>,
    policy: Policy,
}

impl TrustConfig {
    /// The shipped policy, with its own keys.
    ///
    /// # Errors
    /// No errors, as a test shows.
    pub fn shipped() -> Result<Self, Error> {
        Self::new(Vec::new(), None)
    }

    /// Reads policy files, each of which overlays the one before it, and a key file that replaces the
    /// keys of the products. Without a policy file, the shipped policy is used.
    ///
    /// # Errors
    /// Files that cannot be read, and all errors in the policy at once ([`Error::Policy`]).
    pub fn read(policy: &[impl AsRef<Path>], keys: Option<&Path>) -> Result<Self, Error> {
        let read = |file: &Path| match file.to_str() {
            Some(SHIPPED) => Ok(shipped()),
            _ => TextFile::read(file),
        };
        let policy = policy.iter().map(|file| read(file.as_ref())).collect::<Result<_, _>>()?;
        Self::new(policy, keys.map(TextFile::read).transpose()?)
    }

    /// Like [`read`](Self::read), from texts in memory. Files that they extend are read from disk.
    ///
    /// # Errors
    /// [`Error::Policy`]: all errors at once.
    pub fn new(policy: Vec<TextFile>, keys: Option<TextFile>) -> Result<Self, Error> {
        Self::of(PolicyTexts::new(policy), keys)
    }

    /// From the contents of a recording: no other files are read.
    pub(crate) fn of(mut texts: PolicyTexts, keys: Option<TextFile>) -> Result<Self, Error> {
        let policy = texts.load()?;
        for warning in policy.warnings() {
            tracing::info!("{warning}");
        }
        Ok(Self { texts, keys, policy })
    }

    /// Narrows the trust file to the keys of a set from elsewhere, such as one that a [`KeySetUrl`] gave: those
    /// are trusted that both have for the same worker implementation, within the limits of both.
    ///
    /// # Errors
    /// [`Error::NoTrustFile`]: the policy has no trust file, so that the set would add keys. [`Error::Keys`]: the
    /// set is malformed.
    ///
    /// [`KeySetUrl`]: crate::KeySetUrl
    pub fn narrowed_to(mut self, set: TextFile) -> Result<Self, Error> {
        if !self.policy.has_trust_file() {
            return Err(Error::NoTrustFile(set.name));
        }
        KeyRing::parse(&set.name, &set.text).map_err(Error::Keys)?;
        self.keys = Some(set);
        Ok(self)
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// A product of the policy, and the keys of its workers.
    ///
    /// # Errors
    /// [`Error::Product`]: the policy has no such product. [`Error::Keys`]: the file of keys is malformed.
    pub fn product(&self, name: &str) -> Result<(Arc<Product>, KeyRing), Error> {
        let product = Arc::new(self.policy.product(name)?);
        let keys = match &self.keys {
            None => self.policy.keys(name)?,
            Some(TextFile { name: file, text }) => {
                let keys = KeyRing::parse(file, text).map_err(Error::Keys)?;
                let keys = self.policy.keys_of_file(name, file, keys)?;
                warn_of_ignored(file, &keys);
                keys
            }
        };
        Ok((product, keys))
    }

    /// The keys of the file, where no product is named: none without a file. What the policy says of when a key
    /// is valid holds for them, and a trust file is only narrowed by them.
    ///
    /// # Errors
    /// [`Error::Keys`]: the file is malformed.
    pub fn keys_alone(&self) -> Result<KeyRing, Error> {
        let Some(TextFile { name, text }) = &self.keys else { return Ok(KeyRing::default()) };
        let keys = KeyRing::parse(name, text).map_err(Error::Keys)?;
        let keys = self.policy.keys_of_file_alone(name, keys);
        warn_of_ignored(name, &keys);
        Ok(keys)
    }

    pub(crate) fn texts(&self) -> &PolicyTexts {
        &self.texts
    }

    pub(crate) fn keys(&self) -> Option<&TextFile> {
        self.keys.as_ref()
    }
}

/// The texts that a policy is read from: the named files, in order, and the files that they extend.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyTexts {
    /// The named files; later ones extend earlier ones.
    files: Vec<String>,
    /// Every text by its name.
    texts: BTreeMap<String, String>,
}

impl PolicyTexts {
    fn new(mut files: Vec<TextFile>) -> Self {
        if files.is_empty() {
            files.push(shipped());
        }
        let mut texts = Self::default();
        for TextFile { name, text } in files {
            texts.texts.insert(name.clone(), text);
            texts.files.push(name);
        }
        texts
    }

    /// The policy. The texts that it extends are kept too.
    fn load(&mut self) -> Result<Policy, Error> {
        let extended = RefCell::new(BTreeMap::new());
        let loader = |name: &str| -> Result<String, String> {
            if let Some(text) = self.texts.get(name) {
                return Ok(text.clone());
            }
            let text = match name {
                SHIPPED => FIREFOX_CI.to_owned(),
                name => contents(Path::new(name)).map_err(|error| error.to_string())?,
            };
            extended.borrow_mut().insert(name.to_owned(), text.clone());
            Ok(text)
        };
        let text = |name: &String| self.texts.get(name).map(String::as_str).unwrap_or_default();
        let files: Vec<(&str, &str)> = self.files.iter().map(|name| (name.as_str(), text(name))).collect();
        let policy = Policy::load_all(&files, &loader);
        self.texts.append(&mut extended.into_inner());
        policy.map_err(Error::Policy)
    }
}

fn warn_of_ignored(file: &str, keys: &KeyRing) {
    for (implementation, key) in keys.ignored() {
        tracing::warn!("{file}: the trust file does not have the {implementation} key {key}; it is ignored");
    }
}

fn shipped() -> TextFile {
    TextFile { name: SHIPPED.to_owned(), text: FIREFOX_CI.to_owned() }
}

fn contents(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let read = File::open(file)?.take(LARGEST.saturating_add(1)).read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read > LARGEST) {
        return Err(std::io::Error::new(ErrorKind::FileTooLarge, format!("larger than {LARGEST} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_file_the_shipped_policy_is_used() {
        let trust_config = TrustConfig::shipped().unwrap();
        assert!(trust_config.policy().products().any(|name| name == "firefox"));
        let named = TrustConfig::read(&[SHIPPED], None).unwrap();
        assert_eq!(named.texts(), trust_config.texts());
    }

    #[test]
    fn every_text_of_a_policy_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        write("base.yml", "catena-policy: 1\nextends: shipped:firefox-ci\n");
        let first = write("first.yml", "catena-policy: 1\nextends: base.yml\n");
        let second = write("second.yml", "catena-policy: 1\nroot-url: https://tc.example\n");
        let trust_config = TrustConfig::read(&[first, second], None).unwrap();
        assert_eq!(trust_config.policy().root_url(), Some("https://tc.example"));

        drop(folder);
        let kept = serde_json::to_string(trust_config.texts()).unwrap();
        let again = TrustConfig::of(serde_json::from_str(&kept).unwrap(), None).unwrap();
        assert_eq!(again.policy().root_url(), Some("https://tc.example"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = TrustConfig::read(&["/nowhere/policy.yml"], None).unwrap_err();
        assert!(matches!(&error, Error::Read { path, .. } if path == Path::new("/nowhere/policy.yml")));
    }

    #[test]
    fn malformed_keys_and_unknown_products_are_different_errors() {
        let keys = TextFile { name: "keys.yml".to_owned(), text: "docker-worker: [nonsense]\n".to_owned() };
        let trust_config = TrustConfig::new(Vec::new(), Some(keys)).unwrap();
        assert!(
            matches!(trust_config.product("firefox"), Err(Error::Keys(mistakes)) if !mistakes.is_empty())
        );
        assert!(matches!(trust_config.product("nothing"), Err(Error::Product(_))));
    }

    const TRUSTED: &str = "S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=";
    const OTHER: &str = "ADoRIVFV9NRFqmMCtF+XkHm/O04IfJiWhw4JirZ5zMk=";

    fn set(keys: &[&str]) -> TextFile {
        let text = format!("docker-worker: [{}]\n", keys.join(", "));
        TextFile { name: "https://keys.example/set".to_owned(), text }
    }

    /// The policy that ships over a trust file of one key.
    fn with_trust_file(keys: Option<TextFile>) -> TrustConfig {
        let trust = format!(
            "catena-policy: 1\ntrusted-keys:\n- {{id: a, scheme: ed25519, key: {TRUSTED}, worker-implementations: \
             [docker-worker]}}\n"
        );
        let trust = TextFile { name: "trust.yml".to_owned(), text: trust };
        TrustConfig::new(vec![shipped(), trust], keys).unwrap()
    }

    fn listed(keys: &KeyRing) -> Vec<String> {
        keys.iter().map(|(_, trusted)| trusted.key.to_string()).collect()
    }

    #[test]
    fn a_set_from_elsewhere_narrows_a_trust_file_and_never_adds() {
        for (given, left) in
            [(&[TRUSTED, OTHER][..], &[TRUSTED][..]), (&[TRUSTED], &[TRUSTED]), (&[OTHER], &[])]
        {
            let narrowed = with_trust_file(None).narrowed_to(set(given)).unwrap();
            for product in ["firefox", "xpi"] {
                assert_eq!(listed(&narrowed.product(product).unwrap().1), left);
            }
            // A file is no better than an address, and neither is it without a product.
            for trust_config in [narrowed, with_trust_file(Some(set(given)))] {
                assert_eq!(listed(&trust_config.keys_alone().unwrap()), left);
            }
        }
        let without = TrustConfig::shipped().unwrap().narrowed_to(set(&[TRUSTED]));
        assert!(matches!(without, Err(Error::NoTrustFile(_))));
        let malformed = TextFile { text: "docker-worker: [x]\n".to_owned(), ..set(&[]) };
        assert!(matches!(with_trust_file(None).narrowed_to(malformed), Err(Error::Keys(_))));
    }
}
