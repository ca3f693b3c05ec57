//! The identity of the policy and the keys of a verdict.

use super::document::{Content, Entry, Node};
use super::format::TRUSTED_KEYS;
use super::layers::SHIPPED;
use super::restrictions::Restrictions;
use catena_json::{Map, Value};
use catena_keys::PublicKey;
use catena_model::digest::Digest;
use catena_model::task::WorkerImplementation;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The identity of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyId {
    /// The last named file, or `shipped:firefox-ci`.
    pub name: String,
    /// The digest of the merged policy; `docs/policy.md` defines the text.
    pub digest: Digest,
    /// The files that it was read from, in the order of the layers.
    pub layers: Vec<String>,
}

/// The identity of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysId {
    /// The digest of the keys and their limits; `docs/policy.md` defines the text.
    pub digest: Digest,
    /// The file that they were read from; `None` if they are the policy's own.
    pub file: Option<String>,
    /// Keys that the policy does not trust for that implementation.
    pub widened: Vec<(WorkerImplementation, PublicKey)>,
}

impl PolicyId {
    /// Whether it is the shipped policy without any layer over it.
    #[must_use]
    pub fn is_shipped(&self) -> bool {
        self.layers == [SHIPPED]
    }

    /// The identity of an empty policy.
    pub(super) fn unknown() -> Self {
        Self { name: String::new(), digest: sha256(b""), layers: Vec::new() }
    }

    /// From resolved products. The hashed text is JSON without spaces, its keys in the order of their
    /// bytes, numbers as text.
    pub(super) fn of(
        name: &str,
        layers: Vec<String>,
        root_url: Option<&str>,
        products: &BTreeMap<String, Value>,
        restrictions: &Restrictions,
        trusted: Option<Value>,
    ) -> Self {
        let limits = restrictions.iter().map(|(key, validity)| {
            let limits = validity.limits().map(|(name, value)| (name.to_owned(), Value::from(value)));
            (key.to_owned(), sorted(limits))
        });
        let products = products.iter().map(|(name, product)| (name.clone(), product.clone()));
        let parts = [
            ("limits".to_owned(), sorted(limits)),
            ("products".to_owned(), sorted(products)),
            ("root-url".to_owned(), root_url.map_or(Value::Null, Value::from)),
        ];
        let trusted = trusted.map(|trusted| (TRUSTED_KEYS.to_owned(), trusted));
        let whole = sorted(parts.into_iter().chain(trusted));
        Self { name: name.to_owned(), digest: sha256(whole.to_string().as_bytes()), layers }
    }
}

/// The SHA-256 of some text.
pub(super) fn sha256(text: &[u8]) -> Digest {
    Digest::Sha256(Sha256::digest(text).into())
}

/// The contents of a resolved map, without positions.
pub(super) fn plain(node: &Node) -> Value {
    match &node.content {
        Content::Bool(value) => Value::from(*value),
        Content::Number(text) | Content::Text(text) => Value::from(text.as_str()),
        Content::List(items) => Value::Array(items.iter().map(plain).collect()),
        Content::Map(map) => sorted(map.iter().map(|(key, Entry { value, .. })| (key.clone(), plain(value)))),
        Content::Null | Content::Edit(_) | Content::Removed(_) => Value::Null,
    }
}

fn sorted(members: impl IntoIterator<Item = (String, Value)>) -> Value {
    let members: BTreeMap<String, Value> = members.into_iter().collect();
    Value::Object(members.into_iter().collect::<Map>())
}
