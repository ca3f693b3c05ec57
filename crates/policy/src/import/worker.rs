//! The trust settings of a worker's configuration, as a layer over a policy.

use super::ImportError;
use super::defaults::{Part, Rule};
use super::writer::Writer;
use crate::{KeyRing, Landed, Product};
use catena_json::{Path, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Generates a policy layer from the trust settings of a scriptworker's configuration: an object of the
/// settings in the file, with their values for `product`. Each replaces the policy's value, as it does
/// in scriptworker; `below` is the product in the policy, if the policy has it.
///
/// # Errors
/// A setting of a different shape from scriptworker's, or that a policy cannot express.
pub fn from_worker(
    settings: &Value,
    product: &str,
    below: Option<(&Product, &KeyRing)>,
    source: &str,
) -> Result<String, ImportError> {
    let settings = Settings::read(&Part { value: settings, path: Path::new() })?;
    let mut file = Writer::default();
    let source: String = source.chars().filter(|letter| !letter.is_control()).take(300).collect();
    file.comment(&format!("What {source} says about trust, over the policy that ships."));
    file.number("catena-policy", crate::format::VERSION);
    file.map("products", |file| file.map(product, |file| settings.write(file, below)));
    Ok(file.into_text())
}

/// The settings in the file; `None` for those that it does not have.
#[derive(Default)]
struct Settings {
    lists: Vec<(&'static str, Vec<String>)>,
    texts: Vec<(&'static str, String)>,
    max_chain_length: Option<String>,
    keys: Option<BTreeMap<String, Vec<String>>>,
    trees: Option<BTreeMap<String, Vec<String>>>,
    restricted_scopes: Option<BTreeMap<String, String>>,
    hg_git_mirrors: Option<BTreeMap<String, String>>,
    repositories: Option<Vec<Rule>>,
}

/// Settings that are lists in a policy, and the keys that they become.
const LISTS: [(&str, &str); 7] = [
    ("cot_product_type", "vcs"),
    ("official_github_repos_owner", "official-owners"),
    ("prebuilt_docker_image_task_types", "prebuilt-image-kinds"),
    ("scriptworker_provisioners", "scriptworker-provisioners"),
    ("valid_decision_worker_pools", "decision-worker-pools"),
    ("valid_docker_image_worker_pools", "docker-image-worker-pools"),
    ("valid_tasks_for", "tasks-for"),
];
const TEXTS: [(&str, &str); 2] =
    [("project_configuration_url", "projects-url"), ("source_env_prefix", "source-env-prefix")];

impl Settings {
    fn read(top: &Part<'_>) -> Result<Self, ImportError> {
        let mut settings = Self::default();
        for (name, key) in LISTS {
            if let Some(part) = top.find(name)? {
                match part.text() {
                    Ok(text) if key == "prebuilt-image-kinds" => settings.texts.push((key, text)),
                    _ => settings.lists.push((key, part.one_or_more()?)),
                }
            }
        }
        for (name, key) in TEXTS {
            if let Some(part) = top.find(name)? {
                settings.texts.push((key, part.text()?));
            }
        }
        let map = |name: &str| top.find(name)?.map(|part| part.map_of(Part::text)).transpose();
        settings.max_chain_length = top.find("max_chain_length")?.map(|part| part.number()).transpose()?;
        settings.keys = top.find("ed25519_public_keys")?.map(|part| part.map_of(Part::list)).transpose()?;
        settings.trees =
            top.find("cot_restricted_trees")?.map(|part| part.map_of(Part::sorted)).transpose()?;
        settings.restricted_scopes = map("cot_restricted_scopes")?;
        settings.hg_git_mirrors = map("hg_git_mirrors")?;
        if let Some(part) = top.find("trusted_vcs_rules")? {
            settings.repositories = Some(part.items()?.iter().map(Rule::read).collect::<Result<_, _>>()?);
        }
        Ok(settings)
    }

    fn write(&self, file: &mut Writer, below: Option<(&Product, &KeyRing)>) {
        self.lists.iter().for_each(|(key, items)| file.list(key, items));
        self.texts.iter().for_each(|(key, text)| file.text(key, text));
        self.max_chain_length.iter().for_each(|digits| file.number("max-chain-length", digits));
        if let Some(rules) = &self.repositories {
            let is_assumed = below.is_some_and(|(product, _)| product.landed == Landed::Assumed);
            match rules.iter().any(|rule| rule.require_secret) {
                true => file.text("landed", "assumed"),
                false if is_assumed => file.text("landed", "branch-commits"),
                false => {}
            }
            file.records("repositories", rules, |file, rule| {
                file.list("schemes", &rule.schemes);
                file.list("hosts", &rule.hosts);
                file.list("paths", &rule.paths);
            });
        }
        let names = |names: Vec<String>| names.into_iter().collect::<BTreeSet<_>>();
        let (product, keys) = below.unzip();
        if let Some(own) = &self.keys {
            let old = keys.map(|keys| keys.iter().map(|(owner, _)| owner.as_str().to_owned()).collect());
            replace(file, "keys", own, names(old.unwrap_or_default()), |file, name, keys| {
                file.list(name, keys)
            });
        }
        if let Some(own) = &self.trees {
            let old = product.map(|product| product.trees.keys().cloned().collect());
            replace(file, "trees", own, names(old.unwrap_or_default()), |file, name, trees| {
                file.list(name, trees);
            });
        }
        if let Some(own) = &self.restricted_scopes {
            let old = product
                .map(|product| product.restricted_scopes.iter().map(|rule| rule.scope.clone()).collect());
            replace(file, "restricted-scopes", own, names(old.unwrap_or_default()), |file, scope, trees| {
                file.text(scope, trees);
            });
        }
        if let Some(own) = &self.hg_git_mirrors {
            let old = product.map(|product| product.hg_git_mirrors.keys().cloned().collect());
            replace(file, "hg-git-mirrors", own, names(old.unwrap_or_default()), |file, hg, git| {
                file.text(hg, git);
            });
        }
    }
}

/// A map that replaces the one below: entries that it lacks are removed.
fn replace<T>(
    file: &mut Writer,
    key: &str,
    own: &BTreeMap<String, T>,
    below: BTreeSet<String>,
    write: impl Fn(&mut Writer, &str, &T),
) {
    file.map(key, |file| {
        own.iter().for_each(|(name, value)| write(file, name, value));
        below.iter().filter(|name| !own.contains_key(*name)).for_each(|name| file.null(name));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FIREFOX_CI, Policy};

    fn value(text: &str) -> Value {
        catena_json::parse(text.as_bytes(), &catena_json::Limits::default()).unwrap()
    }

    /// The shipped policy, and the same with a layer of these settings.
    fn laid(settings: &str, product: &str) -> (String, Policy) {
        let shipped = Policy::shipped().unwrap();
        let below = shipped.product(product).ok().map(|found| (found, shipped.keys(product).unwrap()));
        let below = below.as_ref().map(|(product, keys)| (product, keys));
        let layer = from_worker(&value(settings), product, below, "scriptworker.yaml").unwrap();
        let files = [("shipped:firefox-ci", FIREFOX_CI), ("scriptworker.yaml", layer.as_str())];
        let policy = Policy::load_all(&files, &|_| Err(String::new()));
        (layer.clone(), policy.unwrap_or_else(|notes| panic!("{layer}\n{notes:?}")))
    }

    #[test]
    fn missing_settings_come_from_the_policy_below() {
        let (_, policy) = laid("{}", "firefox");
        let shipped = Policy::shipped().unwrap();
        assert_eq!(policy.product("firefox").unwrap().trees, shipped.product("firefox").unwrap().trees);
        assert_eq!(policy.keys("firefox").unwrap().id(), shipped.keys("firefox").unwrap().id());
    }

    #[test]
    fn b009_settings_replace_those_below() {
        let settings = r#"{"ed25519_public_keys":{"generic-worker":["hobjtV57/8vRKhn/vzbJcGo27uNbjuhwY3Vcrhc6OQc="]},
            "cot_restricted_trees":{"only":["/mozilla-central"]},
            "cot_restricted_scopes":{"project:releng:signing:cert:release-signing":"only"},
            "valid_tasks_for":["hg-push"],"cot_product_type":"hg","prebuilt_docker_image_task_types":"any",
            "max_chain_length":7}"#;
        let (layer, policy) = laid(settings, "firefox");
        let product = policy.product("firefox").unwrap();
        assert_eq!(product.trees.len(), 1, "{layer}");
        assert_eq!(product.restricted_scopes.len(), 1);
        assert_eq!((product.max_chain_length, product.tasks_for.len(), product.vcs.len()), (7, 1, 1));
        let keys = policy.keys("firefox").unwrap();
        let keys: Vec<String> = keys.iter().map(|(owner, key)| format!("{owner} {key}")).collect();
        assert_eq!(keys, ["generic-worker hobjtV57/8vRKhn/vzbJcGo27uNbjuhwY3Vcrhc6OQc="]);
        // No other product is changed.
        assert!(policy.product("thunderbird").unwrap().trees.len() > 1);
    }

    #[test]
    fn b010_a_new_product_can_be_configured() {
        let settings = r#"{"cot_product_type":["github"],"source_env_prefix":"NEW","valid_tasks_for":["github-push"],
            "valid_decision_worker_pools":["new-3/decision"],"valid_docker_image_worker_pools":[],
            "prebuilt_docker_image_task_types":[],"official_github_repos_owner":"new",
            "trusted_vcs_rules":[{"schemes":["https"],"netlocs":["github.com"],
                "path_regexes":["^(?P<path>/new/repo)(/|.git|$)"]}],
            "cot_restricted_trees":{"all":["/new/repo"]},"cot_restricted_scopes":{"project:new:x":"all"},
            "hg_git_mirrors":{}}"#;
        let (_, policy) = laid(settings, "new");
        assert_eq!(policy.product("new").unwrap().source_env_prefix, "NEW");
    }

    #[test]
    fn a_setting_of_another_shape_is_reported_with_its_path() {
        for (settings, path) in [
            (r#"{"cot_restricted_trees":{"a":"b"}}"#, "cot_restricted_trees.a"),
            (r#"{"trusted_vcs_rules":[{"schemes":[]}]}"#, "trusted_vcs_rules[0].netlocs"),
            (r#"{"trusted_vcs_rules":[{"x":1}]}"#, "trusted_vcs_rules[0]"),
        ] {
            let told = from_worker(&value(settings), "firefox", None, "x").unwrap_err().to_string();
            assert!(told.contains(path), "{told}");
        }
    }
}
