//! A policy: products and their keys, read from files that extend one another.

use super::diagnostic::{Diagnostic, Notes};
use super::document::{Content, Entry, Node, Place};
use super::identity::{PolicyId, plain};
use super::keys::{KeyRing, KnownKeys};
use super::layers::{Layers, over, settle};
use super::product::{PolicyError, Product};
use super::reader::{Reader, check_url};
use super::restrictions::{Mentions, Restrictions};
use super::soundness::Soundness;
use super::trust::{self, TrustRecord};
use catena_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Products of one policy; the largest known has eleven.
const MAX_PRODUCTS: usize = 200;

/// The list of a trust file, as text and parsed.
struct Trusted {
    list: Node,
    records: Vec<TrustRecord>,
}

impl Trusted {
    /// A key that is limited to products that the policy does not have cannot sign for anything.
    fn check_products<T>(&self, products: &BTreeMap<String, T>, notes: &mut Notes) {
        for item in self.list.items() {
            for name in item.get("products").map_or(&[][..], Node::items) {
                let text = name.as_text().unwrap_or_default();
                if !products.contains_key(text) {
                    let hint = notes.suggest(text, products.keys().map(String::as_str));
                    notes.warning(&name.place, format!("the policy has no product {text:?}"), hint);
                }
            }
        }
    }
}

/// How chains are verified, for each product; `docs/policy.md` describes the files.
#[derive(Clone, Debug)]
pub struct Policy {
    root_url: Option<String>,
    products: BTreeMap<String, (Product, KeyRing)>,
    /// The validity of keys, wherever its files state it.
    restrictions: Restrictions,
    /// The keys of the trust file, if one is the source of its keys.
    trusted: Option<KeyRing>,
    warnings: Vec<Diagnostic>,
}

impl Policy {
    /// Reads a policy.
    ///
    /// `name` is the file's, for diagnostics and to find the files that it extends; `loader` returns
    /// the text of another file by its name.
    ///
    /// # Errors
    /// All errors at once, in the order of their positions; warnings if there are no errors.
    pub fn load(
        name: &str,
        text: &str,
        loader: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Self, Vec<Diagnostic>> {
        Self::load_all(&[(name, text)], loader)
    }

    /// Reads several files (name and text) as if each extended the one before it.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn load_all(
        files: &[(&str, &str)],
        loader: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut notes = Notes::default();
        let (open, laid, mentions) = (Vec::new(), Vec::new(), Mentions::default());
        let trusted = None;
        let mut layers = Layers { loader, notes: &mut notes, open, files: 0, laid, mentions, trusted };
        let whole = files.iter().fold(None, |below, (name, text)| layers.lay(below, name, text));
        let Layers { laid, mentions, trusted, .. } = layers;
        if trusted.is_some() {
            mentions.warn_of_lists(&mut notes);
        }
        let restrictions = mentions.settle(&mut notes);
        let mut known = KnownKeys::default();
        let trusted =
            trusted.map(|list| Trusted { records: trust::read(&list, &mut known, &mut notes), list });
        let (products, warnings) = (BTreeMap::new(), Vec::new());
        let ring =
            trusted.as_ref().map(|trusted| KeyRing::of_records(&trusted.records).restricted(&restrictions));
        let mut policy = Self { root_url: None, products, restrictions, trusted: ring, warnings };
        if let Some(whole) = whole {
            policy.root_url = whole.get("root-url").and_then(|node| check_url(node, &mut notes));
            let said = policy.read_products(whole, trusted.as_ref(), &mut known, &mut notes);
            let keys = trusted.as_ref().map(|trusted| plain(&trusted.list));
            policy.identify(files.last().map_or("policy", |(name, _)| *name), laid, &said, keys);
            if let Some(trusted) = &trusted {
                trusted.check_products(&policy.products, &mut notes);
            }
        }
        if policy.products.is_empty() && !notes.has_errors() {
            let top = Place::top(files.last().map_or("policy", |(name, _)| *name));
            notes.error(&top, "the policy has no products");
        }
        policy.warnings = notes.into_result()?;
        Ok(policy)
    }

    /// The shipped policy, `policies/firefox-ci.yml`.
    ///
    /// # Errors
    /// No errors, as a test shows.
    pub fn shipped() -> Result<Self, Vec<Diagnostic>> {
        Self::load("shipped:firefox-ci", super::FIREFOX_CI, &|_| Err("it extends nothing".to_owned()))
    }

    /// Parses the products, after all layers are merged.
    fn read_products(
        &mut self,
        laid: Node,
        trusted: Option<&Trusted>,
        known: &mut KnownKeys,
        notes: &mut Notes,
    ) -> BTreeMap<String, Value> {
        let mut said = BTreeMap::new();
        let Content::Map(mut top) = laid.content else { return said };
        let defaults = top.remove("defaults").map(|entry| entry.value);
        let Some(Content::Map(products)) = top.remove("products").map(|entry| entry.value.content) else {
            return said;
        };
        if let Some((_, entry)) = products.iter().nth(MAX_PRODUCTS) {
            notes.error(&entry.key_place, format!("a policy of more than {MAX_PRODUCTS} products"));
            return said;
        }
        for (name, Entry { key_place: place, value }) in products {
            let laid = match value.content {
                Content::Null => continue,
                Content::Removed(_) => value,
                _ => over(defaults.clone(), value, notes),
            };
            let Some(node) = settle(laid, notes) else { continue };
            let (node, place, known) = (&node, &place, &mut *known);
            let (mut product, keys) = Reader { name: &name, node, place, known, notes }.product();
            let keys = trusted.map_or(keys, |trusted| KeyRing::of_records(&trusted.records));
            let trusted = trusted.map(|trusted| &trusted.list.place);
            if let Some(place) = trusted {
                product.places.trust(place);
            }
            Soundness { product: &product, keys: &keys, node, place, trusted, notes }.check();
            said.insert(name.clone(), plain(node));
            self.products.insert(name, (product, keys.restricted(&self.restrictions)));
        }
        said
    }

    /// Gives every product the identity of its policy.
    fn identify(
        &mut self,
        name: &str,
        laid: Vec<String>,
        said: &BTreeMap<String, Value>,
        trusted: Option<Value>,
    ) {
        let id = PolicyId::of(name, laid, self.root_url.as_deref(), said, &self.restrictions, trusted);
        for (product, _) in self.products.values_mut() {
            product.policy.clone_from(&id);
        }
    }

    /// A product, resolved and ready for verification.
    ///
    /// # Errors
    /// A name that the policy does not have.
    pub fn product(&self, name: &str) -> Result<Product, PolicyError> {
        let mut product = self.entry(name)?.0.clone();
        product.root_url = self.root_url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
        for (other, _) in self.products.values() {
            for prefix in other.source_env_prefixes() {
                let rules = product.repositories_by_prefix.entry(prefix.clone()).or_default();
                rules.extend(other.repositories.iter().cloned());
            }
            for rule in other.restricted_scopes.iter().filter(|_| other.name != name) {
                let products = product.foreign_scopes.entry(rule.scope.clone()).or_default();
                products.insert(other.name.clone());
            }
        }
        Ok(product)
    }

    /// The keys of a product's workers; may be empty.
    ///
    /// # Errors
    /// A name that the policy does not have.
    pub fn keys(&self, product: &str) -> Result<KeyRing, PolicyError> {
        self.entry(product).map(|(_, keys)| keys.clone())
    }

    /// The keys of a file that replaces those of a product. The validity that the policy states for a
    /// key applies to them too, and keys that the product does not have are marked as such. If the
    /// policy has a trust file, the key file only narrows it: the policy's keys that the file also
    /// lists remain, and other keys of the file are ignored.
    ///
    /// # Errors
    /// A name that the policy does not have.
    pub fn keys_of_file(&self, product: &str, file: &str, keys: KeyRing) -> Result<KeyRing, PolicyError> {
        let (_, own) = self.entry(product)?;
        let keys = keys.restricted(&self.restrictions);
        Ok(if self.has_trust_file() { own.narrowed_to(keys, file) } else { keys.instead_of(own, file) })
    }

    /// The same for no product: the keys of the file with what the policy says of when they are valid, or of the
    /// keys of the trust file those that the file has, too.
    #[must_use]
    pub fn keys_of_file_alone(&self, file: &str, keys: KeyRing) -> KeyRing {
        let keys = keys.restricted(&self.restrictions);
        match &self.trusted {
            Some(own) => own.narrowed_to(keys, file),
            None => keys,
        }
    }

    /// Whether a trust file is the source of its keys, so that nothing else can add one.
    #[must_use]
    pub fn has_trust_file(&self) -> bool {
        self.trusted.is_some()
    }

    fn entry(&self, name: &str) -> Result<&(Product, KeyRing), PolicyError> {
        self.products.get(name).ok_or_else(|| PolicyError::UnknownProduct {
            name: name.to_owned(),
            known: self.products().map(str::to_owned).collect(),
        })
    }

    /// The names of the products, in order.
    pub fn products(&self) -> impl Iterator<Item = &str> {
        self.products.keys().map(String::as_str)
    }

    /// The provisioners whose workers are scriptworkers for any product.
    #[must_use]
    pub fn scriptworker_provisioners(&self) -> BTreeSet<String> {
        let products = self.products.values();
        products.flat_map(|(product, _)| product.scriptworker_provisioners.iter().cloned()).collect()
    }

    /// The deployment of the policy, if it names one: Taskcluster's root URL.
    #[must_use]
    pub fn root_url(&self) -> Option<&str> {
        self.root_url.as_deref()
    }

    /// Warnings: they do not prevent the use of the policy, but were probably not intended.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }
}
