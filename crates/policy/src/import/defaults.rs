//! scriptworker's defaults, as far as they concern verification.

use super::ImportError;
use catena_json::{Map, Path, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Settings that become part of a policy.
const BY_PRODUCT: [&str; 10] = [
    "cot_product_type",
    "cot_restricted_scopes",
    "cot_restricted_trees",
    "hg_git_mirrors",
    "official_github_repos_owner",
    "prebuilt_docker_image_task_types",
    "source_env_prefix",
    "trusted_vcs_rules",
    "valid_decision_worker_pools",
    "valid_docker_image_worker_pools",
];
/// Settings of the list above that scriptworker has only from some release on: until 63.4 it knew no mirrors.
/// A release without one has no such entries.
const LATER: [&str; 1] = ["hg_git_mirrors"];
const TASKS_FOR: &str = "valid_tasks_for";
const SHARED: [&str; 5] = [
    "ed25519_public_keys",
    "max_chain_length",
    "project_configuration_url",
    "scriptworker_provisioners",
    "taskcluster_root_url",
];

/// Settings that concern verification and that Catena has in its code; they must be equal.
const PUSHLOG: (&str, &str) = ("pushlog_url", "{repo}/json-pushes?changeset={revision}&version=2&full=1");
const HASHES: (&str, [&str; 2]) = ("valid_hash_algorithms", ["sha256", "sha512"]);

/// Settings of the worker outside of verification, and addresses of artifacts, which Catena derives
/// from the root URL.
const NO_BEARING: [&str; 39] = [
    "_statuses",
    "artifact_dir",
    "artifact_upload_timeout",
    "chain_of_trust_hash_algorithm",
    "cot_job_type",
    "cot_product",
    "cot_schema_path",
    "cot_version",
    "credentials",
    "ed25519_private_key_path",
    "github_app_name",
    "github_oauth_token",
    "invalid_reclaim_status",
    "log_datefmt",
    "log_dir",
    "log_fmt",
    "log_max_backups",
    "log_max_bytes",
    "max_concurrent_downloads",
    "min_cot_version",
    "poll_interval",
    "provisioner_id",
    "reclaim_interval",
    "reversed_statuses",
    "sign_chain_of_trust",
    "sign_key_timeout",
    "task_log_dir",
    "task_max_timeout",
    "task_max_timeout_status",
    "task_script",
    "valid_artifact_rules",
    "verbose",
    "verify_chain_of_trust",
    "verify_cot_signature",
    "watch_log_file",
    "work_dir",
    "worker_group",
    "worker_id",
    "worker_type",
];

/// The parsed defaults.
pub(super) struct Defaults {
    pub(super) root_url: String,
    pub(super) projects_url: String,
    pub(super) max_chain_length: String,
    pub(super) scriptworker_provisioners: Vec<String>,
    pub(super) keys: BTreeMap<String, Vec<String>>,
    pub(super) products: BTreeMap<String, Source>,
    pub(super) unknown: Vec<String>,
    pub(super) lacking: Vec<&'static str>,
}

/// The parsed settings of one product. Lists whose order has no meaning are sorted.
pub(super) struct Source {
    pub(super) vcs: Vec<String>,
    pub(super) source_env_prefix: String,
    pub(super) tasks_for: Vec<String>,
    pub(super) decision_worker_pools: Vec<String>,
    pub(super) docker_image_worker_pools: Vec<String>,
    /// `None` if any kind may.
    pub(super) prebuilt_image_kinds: Option<Vec<String>>,
    pub(super) official_owners: Vec<String>,
    pub(super) repositories: Vec<Rule>,
    pub(super) trees: BTreeMap<String, Vec<String>>,
    pub(super) restricted_scopes: BTreeMap<String, String>,
    pub(super) hg_git_mirrors: BTreeMap<String, String>,
}

/// One of the `trusted_vcs_rules`, in their order.
pub(super) struct Rule {
    pub(super) schemes: Vec<String>,
    pub(super) hosts: Vec<String>,
    pub(super) paths: Vec<String>,
    pub(super) require_secret: bool,
}

impl Defaults {
    pub(super) fn read(defaults: &Value) -> Result<Self, ImportError> {
        let top = Part { value: defaults, path: Path::new() };
        check_fixed(&top)?;
        let known: BTreeSet<&str> = BY_PRODUCT
            .into_iter()
            .chain(SHARED)
            .chain(NO_BEARING)
            .chain([TASKS_FOR, PUSHLOG.0, HASHES.0])
            .collect();
        let unknown = top.map()?.keys().filter(|key| !known.contains(key));
        Ok(Self {
            root_url: top.get("taskcluster_root_url")?.text()?,
            projects_url: top.get("project_configuration_url")?.text()?,
            max_chain_length: top.get("max_chain_length")?.number()?,
            scriptworker_provisioners: top.get("scriptworker_provisioners")?.sorted()?,
            keys: top.get("ed25519_public_keys")?.map_of(Part::list)?,
            products: products(&top)?,
            unknown: unknown
                .map(|key| key.chars().filter(|letter| !letter.is_control()).take(100).collect())
                .collect(),
            lacking: LATER.into_iter().filter(|key| top.value.get(key).is_none()).collect(),
        })
    }
}

fn check_fixed(top: &Part<'_>) -> Result<(), ImportError> {
    let pushlog = top.get(PUSHLOG.0)?;
    let found = pushlog.text()?;
    if found != PUSHLOG.1 {
        return Err(pushlog.inexpressible(found, PUSHLOG.1.to_owned()));
    }
    let hashes = top.get(HASHES.0)?;
    let found = hashes.sorted()?;
    if found != HASHES.1 {
        return Err(hashes.inexpressible(found.join(", "), HASHES.1.join(", ")));
    }
    Ok(())
}

/// Every product that any setting names; each setting must have all of them.
fn products(top: &Part<'_>) -> Result<BTreeMap<String, Source>, ImportError> {
    let mut names = BTreeSet::new();
    let is_there = |key: &&str| !LATER.contains(key) || top.value.get(key).is_some();
    for key in BY_PRODUCT.into_iter().chain([TASKS_FOR]).filter(is_there) {
        names.extend(top.get(key)?.get("by-cot-product")?.map()?.keys());
    }
    names.into_iter().map(|name| Ok((name.to_owned(), Source::read(top, name)?))).collect()
}

impl Source {
    fn read(top: &Part<'_>, name: &str) -> Result<Self, ImportError> {
        let of = |key: &str| top.get(key)?.get("by-cot-product")?.get(name);
        let prebuilt = of("prebuilt_docker_image_task_types")?;
        let any = prebuilt.value.as_str() == Some("any");
        Ok(Self {
            vcs: of("cot_product_type")?.one_or_more()?,
            source_env_prefix: of("source_env_prefix")?.text()?,
            tasks_for: of(TASKS_FOR)?.sorted()?,
            decision_worker_pools: of("valid_decision_worker_pools")?.sorted()?,
            docker_image_worker_pools: of("valid_docker_image_worker_pools")?.sorted()?,
            prebuilt_image_kinds: if any { None } else { Some(prebuilt.sorted()?) },
            official_owners: of("official_github_repos_owner")?.one_or_more()?,
            repositories: of("trusted_vcs_rules")?
                .items()?
                .iter()
                .map(Rule::read)
                .collect::<Result<_, _>>()?,
            trees: of("cot_restricted_trees")?.map_of(Part::sorted)?,
            restricted_scopes: of("cot_restricted_scopes")?.map_of(Part::text)?,
            hg_git_mirrors: match top.find("hg_git_mirrors")? {
                Some(_) => of("hg_git_mirrors")?.map_of(Part::text)?,
                None => BTreeMap::new(),
            },
        })
    }
}

impl Rule {
    pub(super) fn read(part: &Part<'_>) -> Result<Self, ImportError> {
        const KNOWN: [&str; 4] = ["netlocs", "path_regexes", "require_secret", "schemes"];
        if let Some(key) = part.map()?.keys().find(|key| !KNOWN.contains(key)) {
            return Err(part.inexpressible(format!("{key:?}"), KNOWN.join(", ")));
        }
        let require_secret = part.value.get("require_secret").map(|value| value.as_bool());
        if require_secret == Some(None) {
            return Err(part.get("require_secret")?.mistyped("a boolean"));
        }
        Ok(Self {
            schemes: part.get("schemes")?.sorted()?,
            hosts: part.get("netlocs")?.sorted()?,
            paths: part.get("path_regexes")?.list()?,
            require_secret: require_secret.flatten().unwrap_or(false),
        })
    }
}

/// A value and its position, for messages.
pub(super) struct Part<'a> {
    pub(super) value: &'a Value,
    pub(super) path: Path,
}

impl<'a> Part<'a> {
    fn get(&self, key: &str) -> Result<Part<'a>, ImportError> {
        self.map()?;
        let path = self.path.key(key);
        match self.value.get(key) {
            Some(value) => Ok(Part { value, path }),
            None => Err(ImportError::Missing(path)),
        }
    }

    /// A value that may be absent.
    pub(super) fn find(&self, key: &str) -> Result<Option<Part<'a>>, ImportError> {
        let value = self.map()?.get(key);
        Ok(value.map(|value| Part { value, path: self.path.key(key) }))
    }

    fn map(&self) -> Result<&'a Map, ImportError> {
        self.value.as_object().ok_or_else(|| self.mistyped("an object"))
    }

    pub(super) fn map_of<T>(
        &self,
        read: impl Fn(&Part<'a>) -> Result<T, ImportError>,
    ) -> Result<BTreeMap<String, T>, ImportError> {
        self.map()?
            .iter()
            .map(|(key, value)| Ok((key.to_owned(), read(&Part { value, path: self.path.key(key) })?)))
            .collect()
    }

    pub(super) fn items(&self) -> Result<Vec<Part<'a>>, ImportError> {
        let items = self.value.as_array().ok_or_else(|| self.mistyped("a list"))?;
        Ok(items
            .iter()
            .enumerate()
            .map(|(position, value)| Part { value, path: self.path.index(position) })
            .collect())
    }

    pub(super) fn text(&self) -> Result<String, ImportError> {
        self.value.as_str().map(str::to_owned).ok_or_else(|| self.mistyped("a string"))
    }

    pub(super) fn number(&self) -> Result<String, ImportError> {
        self.value.as_u64().map(|number| number.to_string()).ok_or_else(|| self.mistyped("a whole number"))
    }

    pub(super) fn list(&self) -> Result<Vec<String>, ImportError> {
        self.items()?.iter().map(Part::text).collect()
    }

    pub(super) fn sorted(&self) -> Result<Vec<String>, ImportError> {
        let mut list = self.list()?;
        list.sort();
        Ok(list)
    }

    /// A sorted list; a single string is a list of one, and the empty string an empty list.
    pub(super) fn one_or_more(&self) -> Result<Vec<String>, ImportError> {
        match self.value.as_str() {
            Some("") => Ok(Vec::new()),
            Some(one) => Ok(vec![one.to_owned()]),
            None => self.sorted(),
        }
    }

    fn mistyped(&self, wanted: &'static str) -> ImportError {
        ImportError::Type { path: self.path.clone(), wanted, found: self.value.kind() }
    }

    fn inexpressible(&self, found: String, known: String) -> ImportError {
        ImportError::Inexpressible {
            path: self.path.clone(),
            found: found.chars().take(200).collect(),
            known,
        }
    }
}
