//! Checks that single values cannot express: whether a product's parts are consistent.

use super::diagnostic::Notes;
use super::document::{Node, Place};
use super::keys::KeyRing;
use super::product::{ImageKinds, Product, Vcs};
use catena_model::task::WorkerImplementation;
use std::collections::BTreeSet;

/// Checks one product as a whole.
pub(super) struct Soundness<'a> {
    pub(super) product: &'a Product,
    pub(super) keys: &'a KeyRing,
    /// The resolved map that the product was parsed from.
    pub(super) node: &'a Node,
    /// The position of the product's name.
    pub(super) place: &'a Place,
    /// The position of the trust file's list, if the keys come from it.
    pub(super) trusted: Option<&'a Place>,
    pub(super) notes: &'a mut Notes,
}

impl Soundness<'_> {
    pub(super) fn check(&mut self) {
        self.scopes_have_trees();
        self.scopes_do_not_overlap();
        self.trees_are_reachable();
        self.hosts_are_known();
        self.parents_have_kinds();
        self.nothing_vital_is_empty();
        self.nothing_is_left_open();
        self.workers_have_keys();
    }

    fn scopes_have_trees(&mut self) {
        for rule in &self.product.restricted_scopes {
            if self.product.trees.contains_key(&rule.trees) {
                continue;
            }
            let place = self.node.get("restricted-scopes").and_then(|scopes| scopes.get(&rule.scope));
            let hint = self.notes.suggest(&rule.trees, self.product.trees.keys().map(String::as_str));
            let message = format!("{:?} is not one of the product's trees", rule.trees);
            self.notes.error_with(place.map_or(self.place, |node| &node.place), message, hint);
        }
    }

    /// The reference verifier fails on a scope that two rules match, so this is an error.
    fn scopes_do_not_overlap(&mut self) {
        let rules: BTreeSet<(&str, bool)> = self
            .product
            .restricted_scopes
            .iter()
            .map(|rule| {
                rule.scope.strip_suffix('*').map_or((rule.scope.as_str(), false), |start| (start, true))
            })
            .collect();
        for &(start, _) in rules.iter().filter(|(_, broad)| *broad) {
            let mut overlapping =
                rules.range((start, false)..).take_while(|(other, _)| other.starts_with(start));
            let Some(&(other, broad)) = overlapping.find(|(other, broad)| (*other, *broad) != (start, true))
            else {
                continue;
            };
            let other = format!("{other}{}", if broad { "*" } else { "" });
            let scopes = self.node.get("restricted-scopes").and_then(Node::as_map);
            let place =
                scopes.and_then(|scopes| scopes.get(&other)).map_or(self.place, |entry| &entry.key_place);
            self.notes
                .error(place, format!("the rule for {:?} matches this scope as well", format!("{start}*")));
        }
    }

    fn trees_are_reachable(&mut self) {
        for (name, trees) in &self.product.trees {
            let items = self.node.get("trees").and_then(|sets| sets.get(name)).map_or(&[][..], Node::items);
            for item in items {
                let path = item.as_text().unwrap_or_default();
                if trees.contains(path) && !self.is_reachable(path) {
                    let message =
                        format!("no rule in `repositories` yields {path}, so no task can be of this tree");
                    self.notes.warning(&item.place, message, None);
                }
            }
        }
    }

    fn is_reachable(&self, path: &str) -> bool {
        self.product.repositories.iter().flat_map(|rule| &rule.paths).any(|regex| {
            let group = regex.captures(path).and_then(|captures| captures.name("path"));
            group.is_some_and(|group| group.as_str() == path)
        })
    }

    fn hosts_are_known(&mut self) {
        for rule in self.node.get("repositories").map_or(&[][..], Node::items) {
            for host in rule.get("hosts").map_or(&[][..], Node::items) {
                let name = host.as_text().unwrap_or_default();
                if name != "github.com" && !self.product.hg_hosts.contains(name) {
                    let hint = Some("if it answers like hg.mozilla.org, add it to `hg-hosts`".to_owned());
                    let message = format!(
                        "{name} is neither github.com nor in `hg-hosts`, so nothing can be asked of it"
                    );
                    self.notes.warning(&host.place, message, hint);
                }
            }
        }
    }

    fn parents_have_kinds(&mut self) {
        for name in ["decision", "action"] {
            let place = self.key_place("kinds");
            if self.node.get("kinds").is_some_and(|kinds| kinds.get(name).is_none()) {
                self.notes.warning(
                    &place,
                    format!("without the kind {name:?} no chain with one verifies"),
                    None,
                );
            }
        }
    }

    fn nothing_vital_is_empty(&mut self) {
        let product = self.product;
        let vital = [
            ("vcs", product.vcs.is_empty()),
            ("tasks-for", product.tasks_for.is_empty()),
            ("decision-worker-pools", product.decision_worker_pools.is_empty()),
            ("repositories", product.repositories.is_empty()),
            ("hg-hosts", product.hg_hosts.is_empty() && product.vcs.contains(&Vcs::Hg)),
        ];
        for (key, _) in vital.into_iter().filter(|(_, empty)| *empty) {
            let place = self.key_place(key);
            self.notes.warning(
                &place,
                format!("`{key}` is empty: no chain of this product can verify"),
                None,
            );
        }
        for (name, _) in product.trees.iter().filter(|(_, set)| set.is_empty()) {
            if let Some(node) = self.node.get("trees").and_then(|sets| sets.get(name)) {
                self.notes.warning(
                    &node.place,
                    "a set without trees: its scopes cannot be used by any task",
                    None,
                );
            }
        }
    }

    fn nothing_is_left_open(&mut self) {
        let product = self.product;
        if product.restricted_scopes.is_empty() {
            let place = self.key_place("restricted-scopes");
            self.notes.warning(
                &place,
                "no scope is restricted: a task of any trusted tree may have any scope",
                None,
            );
        }
        if product.vcs.contains(&Vcs::Github) && product.official_owners.is_empty() {
            let place = self.key_place("official-owners");
            let message = "no owner is official: every repository on GitHub counts as a fork, restricted scopes cannot be used";
            self.notes.warning(&place, message, None);
        }
        if product.docker_image_worker_pools.is_empty() && product.prebuilt_image_kinds != ImageKinds::Any {
            let place = self.key_place("docker-image-worker-pools");
            self.notes.warning(
                &place,
                "no pool may build docker images, and not every kind may use prebuilt ones",
                None,
            );
        }
    }

    fn workers_have_keys(&mut self) {
        for implementation in WorkerImplementation::ALL {
            if self.keys.for_implementation(implementation).is_empty() {
                let hint =
                    self.trusted.is_none().then(|| "keys can also be given in a separate file".to_owned());
                let place = self.trusted.cloned().unwrap_or_else(|| self.key_place("keys"));
                self.notes.warning(&place, format!("no keys for {implementation}"), hint);
            }
        }
    }

    /// The position of a key, or of the product's name if the key is missing.
    fn key_place(&self, key: &str) -> Place {
        let entry = self.node.as_map().and_then(|map| map.get(key));
        entry.map_or_else(|| self.place.clone(), |entry| entry.key_place.clone())
    }
}
