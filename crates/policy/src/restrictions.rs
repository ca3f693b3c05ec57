//! The validity of keys as the files of a policy state it.
//!
//! A limit belongs to the key itself, whichever file, product, implementation or list states it, and
//! whatever overlays it. So limits are collected before lists are replaced.

use super::diagnostic::Notes;
use super::document::{Content, Node, Place, Step};
use super::layers::SHIPPED;
use super::validity;
use catena_keys::{PublicKey, TrustedKey, Validity};
use std::collections::BTreeMap;

/// The limits of keys, by their base64: the strictest that is stated for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Restrictions(BTreeMap<String, Validity>);

impl Restrictions {
    /// The combination of these keys' own limits.
    pub(super) fn of<'a>(keys: impl IntoIterator<Item = &'a TrustedKey>) -> Self {
        let mut all = Self::default();
        for trusted in keys.into_iter().filter(|trusted| trusted.validity.is_limited()) {
            all.add(trusted.key.to_string(), &trusted.validity);
        }
        all
    }

    /// The validity of a key by its own limits and those stated elsewhere.
    pub(super) fn on(&self, key: &PublicKey, own: &Validity) -> Validity {
        self.0.get(&key.to_string()).map_or_else(|| own.clone(), |said| own.strictest(said))
    }

    /// Keys and their limits, in the order of their base64.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Validity)> {
        self.0.iter().map(|(key, validity)| (key.as_str(), validity))
    }

    fn add(&mut self, key: String, validity: &Validity) {
        let known = self.0.entry(key).or_default();
        *known = known.strictest(validity);
    }
}

/// Every place in a policy's files where a key is trusted.
#[derive(Default)]
pub(super) struct Mentions(Vec<Mention>);

/// A place where a key is trusted.
struct Mention {
    /// The file, by the order of the layers.
    layer: usize,
    key: String,
    item: Node,
}

impl Mentions {
    /// Adds the limits of a file before it is merged over those below.
    pub(super) fn collect(&mut self, file: &Node) {
        let layer = self.0.last().map_or(0, |last| last.layer.saturating_add(1));
        let products = file.get("products").and_then(Node::as_map).into_iter().flatten();
        let products = file.get("defaults").into_iter().chain(products.map(|(_, entry)| &entry.value));
        let rings = products.filter_map(|product| product.get("keys")?.as_map());
        for item in rings.flatten().flat_map(|(_, entry)| trusted(&entry.value)) {
            let key = if item.as_map().is_some() { item.get("key") } else { Some(item) };
            if let Some(key) = key.and_then(Node::as_text).map(str::to_owned) {
                self.0.push(Mention { layer, key, item: item.clone() });
            }
        }
    }

    /// Reports the lists of a policy that has a trust file: they have no effect. Those of the shipped
    /// policy are not reported, since a policy that extends it cannot change them.
    pub(super) fn warn_of_lists(&self, notes: &mut Notes) {
        let hint = Some("add the key to `trusted-keys`, or limit it there".to_owned());
        for mention in self.0.iter().filter(|mention| *mention.item.place.file != *SHIPPED) {
            let message =
                "the policy has `trusted-keys`, so a list under `keys` has no effect, except for its limits";
            notes.warning(&mention.item.place, message, hint.clone());
        }
    }

    /// The limits from all places. Reports places that state weaker limits than their own file and
    /// those below it: they change nothing, and were probably intended to.
    pub(super) fn settle(self, notes: &mut Notes) -> Restrictions {
        let said: Vec<(Mention, Validity)> = self.0.into_iter().map(|mention| read(mention, notes)).collect();
        let mut all = Restrictions::default();
        let mut places: BTreeMap<String, Vec<Place>> = BTreeMap::new();
        for layer in said.chunk_by(|(one, _), (other, _)| one.layer == other.layer) {
            for (Mention { key, item, .. }, validity) in layer.iter().filter(|(_, it)| it.is_limited()) {
                let before = all.0.get(key).cloned().unwrap_or_default();
                all.add(key.clone(), validity);
                if all.0.get(key).is_some_and(|after| !after.limits_same(&before)) {
                    places.entry(key.clone()).or_default().push(item.place.clone());
                }
            }
            for (Mention { key, item, .. }, validity) in layer {
                let limits = all.0.get(key).filter(|limits| !limits.limits_same(validity));
                let mut elsewhere = places.get(key).into_iter().flatten().rev();
                let elsewhere = elsewhere.find(|place| !is_same(place, &item.place));
                if let (Some(limits), Some(place)) = (limits, elsewhere) {
                    tell(item, limits, place, notes);
                }
            }
        }
        all
    }
}

fn read(mention: Mention, notes: &mut Notes) -> (Mention, Validity) {
    let limited = mention.item.as_map().is_some();
    let validity = if limited { validity::read(&mention.item, notes) } else { Validity::default() };
    (mention, validity)
}

fn is_same(one: &Place, other: &Place) -> bool {
    (one.line, one.column, &one.file) == (other.line, other.column, &other.file)
}

fn tell(item: &Node, limits: &Validity, place: &Place, notes: &mut Notes) {
    let message = format!(
        "this key has stricter limits elsewhere ({}:{}:{}), and they apply here too: {limits}",
        place.file, place.line, place.column
    );
    let hint = "limits apply to a key everywhere; state the same here, or change them there".to_owned();
    notes.warning(&item.place, message, Some(hint));
}

/// The items of a list, or those that a change adds to one.
fn trusted(keys: &Node) -> Vec<&Node> {
    match &keys.content {
        Content::List(items) => items.iter().collect(),
        Content::Edit(steps) => steps
            .iter()
            .flat_map(|step| match step {
                Step::Add(items) => items.as_slice(),
                Step::Remove(_) => &[],
            })
            .collect(),
        _ => Vec::new(),
    }
}
