//! From a resolved map to a [`Product`]: every value is parsed into its type here.

use super::diagnostic::Notes;
use super::document::{Content, Node, Place};
use super::identity::PolicyId;
use super::keys::{self, KeyRing, KnownKeys};
use super::pattern;
use super::places::Places;
use super::product::{ImageKinds, KindRole, Landed, Product, RepositoryRule, ScopeRule, Vcs};
use super::rule::Rule;
use catena_model::source::{GithubRepository, RepositoryUrl};
use catena_model::task::{Kind, Trigger, WorkerPool};
use std::collections::{BTreeMap, BTreeSet};

const ROLES: [(&str, KindRole); 5] = [
    ("action", KindRole::Action),
    ("decision", KindRole::Decision),
    ("docker-image", KindRole::DockerImage),
    ("plain", KindRole::Plain),
    ("scriptworker", KindRole::Scriptworker),
];
const LANDED: [(&str, Landed); 3] =
    [("assumed", Landed::Assumed), ("branch-commits", Landed::BranchCommits), ("compare", Landed::Compare)];
const TRUSTED_TREE: [(&str, bool); 2] = [("optional", false), ("required", true)];
const VCS: [(&str, Vcs); 2] = [("github", Vcs::Github), ("hg", Vcs::Hg)];
/// The maximum chain length in a policy; the reference verifier's limit is 20.
const MAX_CHAIN_LENGTH: usize = 100;

/// The maximum age of a push in days; ten years.
const MAX_PUSH_AGE: u16 = 3650;

/// Expressions for repository paths of one product; each is compiled. The most known are five.
const MAX_EXPRESSIONS: usize = 200;

/// Reads one product.
pub(super) struct Reader<'a> {
    pub(super) name: &'a str,
    pub(super) node: &'a Node,
    /// The position of the product's name.
    pub(super) place: &'a Place,
    pub(super) known: &'a mut KnownKeys,
    pub(super) notes: &'a mut Notes,
}

impl Reader<'_> {
    /// The product and its keys. Values that do not parse are reported and left out.
    pub(super) fn product(&mut self) -> (Product, KeyRing) {
        let product = Product {
            name: self.product_name(),
            // Set when all products are parsed.
            policy: PolicyId::unknown(),
            places: Places::of(self.node),
            root_url: None,
            vcs: self.required("vcs").map(|node| self.words(node, &VCS)).unwrap_or_default(),
            source_env_prefix: self.source_env_prefix(),
            overriding_source_env_prefixes: self.overriding_source_env_prefixes(),
            tasks_for: self.tasks_for(),
            decision_worker_pools: self.pools("decision-worker-pools"),
            docker_image_worker_pools: self.pools("docker-image-worker-pools"),
            scriptworker_provisioners: self.provisioners(),
            prebuilt_image_kinds: self.prebuilt_image_kinds(),
            repositories: self.repositories(),
            restricted_scopes: self.restricted_scopes(),
            trees: self.trees(),
            official_owners: self.official_owners(),
            hg_git_mirrors: self.hg_git_mirrors(),
            kinds: self.kinds(),
            landed: self.landed(),
            hg_hosts: self.optional("hg-hosts").map(|node| self.hosts(node)).unwrap_or_default(),
            projects_url: self.projects_url(),
            max_chain_length: self.max_chain_length(),
            max_push_age: self.max_push_age(),
            relaxed: self.relaxed(),
            requires_trusted_tree: self.requires_trusted_tree(),
            // Set when all products are parsed.
            repositories_by_prefix: BTreeMap::new(),
            foreign_scopes: BTreeMap::new(),
        };
        let keys =
            self.optional("keys").map(|node| keys::read(node, self.known, self.notes)).unwrap_or_default();
        (product, keys)
    }

    fn product_name(&mut self) -> String {
        if Kind::parse(self.name).is_err() {
            self.notes.error(self.place, "a product's name has 1 to 60 of a-z 0-9 -");
        }
        self.name.to_owned()
    }

    fn source_env_prefix(&mut self) -> String {
        match self.required("source-env-prefix") {
            Some(node) => self.prefix(node).unwrap_or_default(),
            None => String::new(),
        }
    }

    fn overriding_source_env_prefixes(&mut self) -> Vec<String> {
        let Some(node) = self.optional("overriding-source-env-prefixes") else { return Vec::new() };
        node.items().iter().filter_map(|item| self.prefix(item)).collect()
    }

    fn prefix(&mut self, node: &Node) -> Option<String> {
        let text = node.as_text()?;
        let plain = text.starts_with(|first: char| first.is_ascii_uppercase())
            && text.len() <= 60
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        if !plain {
            self.notes
                .error(&node.place, format!("{text:?} is not a prefix of environment variables (A-Z 0-9 _)"));
        }
        plain.then(|| text.to_owned())
    }

    fn tasks_for(&mut self) -> BTreeSet<Trigger> {
        let Some(node) = self.required("tasks-for") else { return BTreeSet::new() };
        self.words(node, &Trigger::ALL.map(|trigger| (trigger.as_str(), trigger)))
    }

    fn pools(&mut self, key: &'static str) -> BTreeSet<WorkerPool> {
        let node = if key == "decision-worker-pools" { self.required(key) } else { self.optional(key) };
        node.map(|node| self.set(node, |text| WorkerPool::parse(text).map_err(|error| error.to_string())))
            .unwrap_or_default()
    }

    fn provisioners(&mut self) -> BTreeSet<String> {
        let Some(node) = self.required("scriptworker-provisioners") else { return BTreeSet::new() };
        self.set(node, |text| match WorkerPool::parse(&format!("{text}/x")) {
            Ok(_) => Ok(text.to_owned()),
            Err(_) => Err(format!("{text:?} is not a provisioner (1 to 38 of a-z A-Z 0-9 _ -)")),
        })
    }

    fn prebuilt_image_kinds(&mut self) -> ImageKinds {
        match self.optional("prebuilt-image-kinds") {
            Some(Node { content: Content::Text(_), .. }) => ImageKinds::Any,
            Some(node) => {
                let known = self.node.get("kinds");
                for item in node.items() {
                    let kinds = known.and_then(Node::as_map);
                    let unknown = |text: &&str| kinds.is_some_and(|kinds| !kinds.contains_key(*text));
                    if let Some(text) = item.as_text().filter(unknown) {
                        let hint = self.notes.suggest(
                            text,
                            kinds.into_iter().flat_map(|kinds| kinds.keys().map(String::as_str)),
                        );
                        self.notes.error_with(&item.place, format!("{text:?} is not one of the kinds"), hint);
                    }
                }
                ImageKinds::Of(self.set(node, |text| Kind::parse(text).map_err(|error| error.to_string())))
            }
            None => ImageKinds::Of(BTreeSet::new()),
        }
    }

    fn repositories(&mut self) -> Vec<RepositoryRule> {
        let Some(node) = self.required("repositories") else { return Vec::new() };
        let expressions =
            node.items().iter().filter_map(|rule| rule.get("paths")).map(|paths| paths.items().len());
        if expressions.fold(0, usize::saturating_add) > MAX_EXPRESSIONS {
            self.notes.error(&node.place, format!("more than {MAX_EXPRESSIONS} expressions for paths"));
            return Vec::new();
        }
        node.items().iter().map(|rule| self.repository(rule)).collect()
    }

    fn repository(&mut self, rule: &Node) -> RepositoryRule {
        let mut part = |key: &str| {
            let part = rule.get(key);
            if part.is_none_or(|part| part.items().is_empty()) {
                self.notes.error(&rule.place, format!("this rule has no {key}, so it matches nothing"));
            }
            part
        };
        let (schemes, hosts, paths) = (part("schemes"), part("hosts"), part("paths"));
        let words = ["https", "ssh"].map(|word| (word, word.to_owned()));
        RepositoryRule {
            schemes: schemes.map(|node| self.words(node, &words)).unwrap_or_default(),
            hosts: hosts.map(|node| self.hosts(node)).unwrap_or_default(),
            paths: paths.map_or(&[][..], Node::items).iter().filter_map(|item| self.pattern(item)).collect(),
        }
    }

    fn pattern(&mut self, node: &Node) -> Option<regex_lite::Regex> {
        match pattern::compile(node.as_text()?) {
            Ok(regex) => Some(regex),
            Err(error) => {
                self.notes.error(&node.place, format!("the expression {error}"));
                None
            }
        }
    }

    fn restricted_scopes(&mut self) -> Vec<ScopeRule> {
        let Some(node) = self.required("restricted-scopes") else { return Vec::new() };
        let mut rules = Vec::new();
        for (scope, entry) in node.as_map().into_iter().flatten() {
            let before = scope.strip_suffix('*').unwrap_or(scope);
            if scope.is_empty() || !scope.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                self.notes.error(&entry.key_place, format!("{scope:?} is not a scope (printable ASCII)"));
            } else if before.contains('*') {
                self.notes.error(&entry.key_place, "a scope may have a * only at its end");
            } else if let Some(trees) = entry.value.as_text() {
                rules.push(ScopeRule { scope: scope.clone(), trees: trees.to_owned() });
            }
        }
        rules
    }

    fn trees(&mut self) -> BTreeMap<String, BTreeSet<String>> {
        let Some(node) = self.optional("trees") else { return BTreeMap::new() };
        let entries = node.as_map().into_iter().flatten();
        entries.map(|(name, entry)| (name.clone(), self.set(&entry.value, repository_path))).collect()
    }

    fn official_owners(&mut self) -> BTreeSet<String> {
        let Some(node) = self.optional("official-owners") else { return BTreeSet::new() };
        self.set(node, |text| match GithubRepository::parse(text, "x") {
            Ok(_) => Ok(text.to_owned()),
            Err(_) => Err(format!("{text:?} is not the name of an owner on GitHub")),
        })
    }

    fn hg_git_mirrors(&mut self) -> BTreeMap<String, String> {
        let Some(node) = self.optional("hg-git-mirrors") else { return BTreeMap::new() };
        let mut mirrors = BTreeMap::new();
        for (hg, entry) in node.as_map().into_iter().flatten() {
            let Some(git) = entry.value.as_text() else { continue };
            let (hg, git) = (repository_path(hg), repository_path(git));
            for (place, path) in [(&entry.key_place, &hg), (&entry.value.place, &git)] {
                if let Err(message) = path {
                    self.notes.error(place, message.as_str());
                }
            }
            if let (Ok(hg), Ok(git)) = (hg, git) {
                mirrors.insert(hg, git);
            }
        }
        mirrors
    }

    fn kinds(&mut self) -> BTreeMap<Kind, KindRole> {
        let Some(node) = self.required("kinds") else { return BTreeMap::new() };
        let mut kinds = BTreeMap::new();
        for (name, entry) in node.as_map().into_iter().flatten() {
            let role = self.word(&entry.value, &ROLES);
            match (Kind::parse(name), role) {
                (Err(error), _) => self.notes.error(&entry.key_place, error.to_string()),
                (Ok(kind), Some(role)) => {
                    self.check_fixed_role(&entry.value.place, &kind, role);
                    kinds.insert(kind, role);
                }
                (Ok(_), None) => {}
            }
        }
        kinds
    }

    /// A chain finds its parents and images by these names, and their requirements must not be lost.
    fn check_fixed_role(&mut self, place: &Place, kind: &Kind, role: KindRole) {
        let fixed = ["action", "decision", "docker-image"].contains(&kind.as_str());
        let wanted = ROLES.iter().find(|(word, _)| *word == kind.as_str());
        if let Some((word, _)) = wanted.filter(|(_, wanted)| fixed && *wanted != role) {
            self.notes.error(place, format!("the kind {kind} can only have the role {word}"));
        }
    }

    fn landed(&mut self) -> Landed {
        let node = self.optional("landed");
        node.and_then(|node| self.word(node, &LANDED)).unwrap_or(Landed::BranchCommits)
    }

    fn requires_trusted_tree(&mut self) -> bool {
        let node = self.optional("trusted-tree");
        node.and_then(|node| self.word(node, &TRUSTED_TREE)).unwrap_or(false)
    }

    fn projects_url(&mut self) -> String {
        let Some(node) = self.required("projects-url") else { return String::new() };
        check_url(node, self.notes).unwrap_or_default()
    }

    fn max_push_age(&mut self) -> Option<u16> {
        let Content::Number(text) = &self.optional("max-push-age")?.content else { return None };
        match text.parse() {
            Ok(days @ 1..=MAX_PUSH_AGE) => Some(days),
            _ => {
                let place = &self.optional("max-push-age")?.place;
                self.notes.error(place, format!("a push's age in days is between 1 and {MAX_PUSH_AGE}"));
                None
            }
        }
    }

    fn max_chain_length(&mut self) -> usize {
        let Some(Node { content: Content::Number(text), place }) = self.optional("max-chain-length") else {
            return 20;
        };
        match text.parse() {
            Ok(length @ 1..=MAX_CHAIN_LENGTH) => length,
            _ => {
                self.notes.error(place, format!("a chain's length is between 1 and {MAX_CHAIN_LENGTH}"));
                1
            }
        }
    }

    fn relaxed(&mut self) -> BTreeSet<Rule> {
        let Some(node) = self.optional("relaxed") else { return BTreeSet::new() };
        let mut relaxed = BTreeSet::new();
        for item in node.items() {
            let named = item.get("rule").and_then(|rule| Some((rule.as_text()?, &rule.place)));
            let Some((name, place)) = named else {
                self.notes.error(&item.place, "`rule` is missing: the name of the rule to relax");
                continue;
            };
            if item.get("because").and_then(Node::as_text).is_none_or(|because| because.trim().is_empty()) {
                self.notes.error(&item.place, "`because` is missing: a rule is relaxed for a reason");
            }
            let Some(rule) = Rule::parse(name) else {
                let hint = self.notes.suggest(name, Rule::ALL.iter().map(|rule| rule.as_str()));
                self.notes.error_with(place, format!("{name:?} is not a rule that can be relaxed"), hint);
                continue;
            };
            if !relaxed.insert(rule) {
                self.notes.error(place, format!("{name:?} is relaxed twice"));
            }
        }
        relaxed
    }

    fn hosts(&mut self, node: &Node) -> BTreeSet<String> {
        self.set(node, |text| match RepositoryUrl::parse(&format!("https://{text}/x")) {
            Ok(url) if url.host() == text => Ok(text.to_owned()),
            _ => Err(format!("{text:?} is not a plain lowercase host name")),
        })
    }

    /// Parses each text of a list; reports those that do not parse or occur twice.
    fn set<T: Ord>(&mut self, node: &Node, parse: impl Fn(&str) -> Result<T, String>) -> BTreeSet<T> {
        let mut set = BTreeSet::new();
        for item in node.items() {
            let Some(parsed) = item.as_text().map(&parse) else { continue };
            match parsed.map(|value| set.insert(value)) {
                Ok(true) => {}
                Ok(false) => self.notes.warning(&item.place, "this is already in the list", None),
                Err(message) => self.notes.error(&item.place, message),
            }
        }
        set
    }

    fn words<T: Ord + Clone>(&mut self, node: &Node, known: &[(&str, T)]) -> BTreeSet<T> {
        let items = node.items().iter();
        let found: Vec<_> = items.filter_map(|item| Some((item, self.word(item, known)?))).collect();
        let mut set = BTreeSet::new();
        for (item, value) in found {
            if !set.insert(value) {
                self.notes.warning(&item.place, "this is already in the list", None);
            }
        }
        set
    }

    fn word<T: Clone>(&mut self, node: &Node, known: &[(&str, T)]) -> Option<T> {
        let text = node.as_text()?;
        let found = known.iter().find(|(word, _)| *word == text).map(|(_, value)| value.clone());
        if found.is_none() {
            let hint = self.notes.suggest(text, known.iter().map(|(word, _)| *word));
            self.notes.error_with(&node.place, format!("{text:?} is unknown"), hint);
        }
        found
    }
}

impl<'a> Reader<'a> {
    fn optional(&self, key: &str) -> Option<&'a Node> {
        self.node.get(key)
    }

    fn required(&mut self, key: &str) -> Option<&'a Node> {
        let found = self.node.get(key);
        if found.is_none() {
            let message = format!("`{key}` is missing: neither the product nor `defaults` has it");
            self.notes.error(self.place, message);
        }
        found
    }
}

/// An address for requests: https, or http on this machine.
pub(super) fn check_url(node: &Node, notes: &mut Notes) -> Option<String> {
    let text = node.as_text()?;
    let plain = text.len() <= 300
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && !text.contains(['@', '#', '\\']);
    let host = |prefix: &str| {
        text.strip_prefix(prefix).map(|rest| rest.split(['/', ':', '?']).next().unwrap_or_default())
    };
    let known = match (host("https://"), host("http://")) {
        (Some(host), _) => !host.is_empty(),
        (None, Some(host)) => matches!(host, "localhost" | "127.0.0.1"),
        (None, None) => false,
    };
    if plain && known {
        return Some(text.to_owned());
    }
    notes.error(
        &node.place,
        format!("{text:?} is not an https:// address (http:// is for this machine only)"),
    );
    None
}

/// The path of a repository as in its address: `/mozilla-central`, `/owner/name`.
fn repository_path(text: &str) -> Result<String, String> {
    match RepositoryUrl::parse(&format!("https://host{text}")) {
        Ok(url) if url.path() == text => Ok(text.to_owned()),
        _ => {
            Err(format!("{text:?} is not the path of a repository, such as /mozilla-central or /owner/name"))
        }
    }
}
