//! Every key of a worker's configuration: its type, its default, and what Catena does with it.

/// What stands under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Whole,
    Truth,
    List,
    Map,
    /// Text or a list: scriptworker's own defaults have both, depending on the product.
    TextOrList,
}

/// What holds where the file does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Default {
    /// The file must say.
    Required,
    Text(&'static str),
    Whole(i64),
    Truth(bool),
    /// Nothing, or what the policy says.
    Open,
}

/// What Catena does with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The worker acts by it.
    Worker,
    /// It becomes part of the policy, the same for all products.
    Policy,
    /// It becomes part of the policy; the value may be given for each product under `by-cot-product`.
    Product,
    /// The worker acts by it, and scriptworker does not know it.
    Own,
    /// The same; the value may be given for each product under `by-cot-product`.
    OwnProduct,
    /// It is read by nobody, for this reason.
    Ignored(&'static str),
}

/// One key.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) default: Default,
    pub(super) role: Role,
}

const fn worker(name: &'static str, shape: Shape, default: Default) -> Setting {
    Setting { name, shape, default, role: Role::Worker }
}

const fn policy(name: &'static str, shape: Shape) -> Setting {
    Setting { name, shape, default: Default::Open, role: Role::Policy }
}

const fn product(name: &'static str, shape: Shape) -> Setting {
    Setting { name, shape, default: Default::Open, role: Role::Product }
}

/// A key that scriptworker does not know: a file that has it starts only Catena.
const fn own(name: &'static str, shape: Shape, default: Default) -> Setting {
    Setting { name, shape, default, role: Role::Own }
}

const fn own_product(name: &'static str, shape: Shape, default: Default) -> Setting {
    Setting { name, shape, default, role: Role::OwnProduct }
}

const fn ignored(name: &'static str, shape: Shape, because: &'static str) -> Setting {
    Setting { name, shape, default: Default::Open, role: Role::Ignored(because) }
}

const UNREAD: &str = "scriptworker does not read it either";

/// In the order of their names.
pub(super) const SETTINGS: [Setting; 62] = [
    worker("artifact_dir", Shape::Text, Default::Required),
    worker("artifact_upload_timeout", Shape::Whole, Default::Whole(1200)),
    own("capacity", Shape::Whole, Default::Whole(1)),
    worker("chain_of_trust_hash_algorithm", Shape::Text, Default::Text("sha256")),
    worker("cot_job_type", Shape::Text, Default::Text("unknown")),
    own_product("cot_mode", Shape::Text, Default::Text("enforce")),
    worker("cot_product", Shape::Text, Default::Open),
    product("cot_product_type", Shape::TextOrList),
    product("cot_restricted_scopes", Shape::Map),
    product("cot_restricted_trees", Shape::Map),
    ignored("cot_schema_path", Shape::Text, "the form of the document is part of Catena"),
    ignored("cot_version", Shape::Whole, UNREAD),
    worker("credentials", Shape::Map, Default::Open),
    own("custody_machine", Shape::Map, Default::Open),
    worker("ed25519_private_key_path", Shape::Text, Default::Required),
    policy("ed25519_public_keys", Shape::Map),
    worker("github_app_name", Shape::Text, Default::Text("read")),
    worker("github_oauth_token", Shape::Text, Default::Text("")),
    product("hg_git_mirrors", Shape::Map),
    ignored(
        "invalid_reclaim_status",
        Shape::Whole,
        "scriptworker never reports it; a claim that is lost is not reported at all",
    ),
    worker("log_datefmt", Shape::Text, Default::Text("%Y-%m-%dT%H:%M:%S")),
    worker("log_dir", Shape::Text, Default::Required),
    worker("log_fmt", Shape::Text, Default::Text("%(asctime)s %(levelname)8s - %(message)s")),
    worker("log_max_backups", Shape::Whole, Default::Whole(10)),
    worker("log_max_bytes", Shape::Whole, Default::Whole(0)),
    policy("max_chain_length", Shape::Whole),
    ignored("max_concurrent_downloads", Shape::Whole, "requests have limits of their own for each service"),
    own("metrics_address", Shape::Text, Default::Text("")),
    own("metrics_public", Shape::Truth, Default::Truth(false)),
    ignored("min_cot_version", Shape::Whole, UNREAD),
    product("official_github_repos_owner", Shape::TextOrList),
    worker("poll_interval", Shape::Whole, Default::Whole(10)),
    product("prebuilt_docker_image_task_types", Shape::TextOrList),
    policy("project_configuration_url", Shape::Text),
    worker("provisioner_id", Shape::Text, Default::Text("test-dummy-provisioner")),
    worker(
        "pushlog_url",
        Shape::Text,
        Default::Text("{repo}/json-pushes?changeset={revision}&version=2&full=1"),
    ),
    worker("reclaim_interval", Shape::Whole, Default::Whole(300)),
    own("record_custody", Shape::Truth, Default::Truth(true)),
    worker("reversed_statuses", Shape::Map, Default::Open),
    policy("scriptworker_provisioners", Shape::List),
    worker("sign_chain_of_trust", Shape::Truth, Default::Truth(true)),
    ignored("sign_key_timeout", Shape::Whole, UNREAD),
    product("source_env_prefix", Shape::Text),
    worker("task_log_dir", Shape::Text, Default::Required),
    worker("task_max_timeout", Shape::Whole, Default::Whole(1200)),
    worker("task_max_timeout_status", Shape::Whole, Default::Whole(1)),
    worker("task_script", Shape::List, Default::Open),
    worker("taskcluster_root_url", Shape::Text, Default::Text("https://firefox-ci-tc.services.mozilla.com/")),
    product("trusted_vcs_rules", Shape::List),
    ignored(
        "valid_artifact_rules",
        Shape::List,
        "the addresses of artifacts are made from taskcluster_root_url and never taken from elsewhere",
    ),
    product("valid_decision_worker_pools", Shape::List),
    product("valid_docker_image_worker_pools", Shape::List),
    worker("valid_hash_algorithms", Shape::List, Default::Open),
    product("valid_tasks_for", Shape::List),
    worker("verbose", Shape::Truth, Default::Truth(true)),
    worker("verify_chain_of_trust", Shape::Truth, Default::Truth(false)),
    worker("verify_cot_signature", Shape::Truth, Default::Truth(false)),
    worker("watch_log_file", Shape::Truth, Default::Truth(false)),
    worker("work_dir", Shape::Text, Default::Required),
    worker("worker_group", Shape::Text, Default::Text("test-dummy-workers")),
    worker("worker_id", Shape::Text, Default::Text("dummy-worker-myname1")),
    worker("worker_type", Shape::Text, Default::Text("dummy-worker-myname")),
];

/// The key of this name.
pub(super) fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// The key that is meant most likely, if one is close.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let close = |known: &&'static str| (strsim::damerau_levenshtein(name, known), *known);
    let (distance, known) = SETTINGS.iter().map(|setting| setting.name).map(|name| close(&name)).min()?;
    (distance <= known.len().div_ceil(3)).then_some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_order_and_a_slip_of_the_pen_is_recognized() {
        assert!(SETTINGS.is_sorted_by(|one, other| one.name < other.name));
        assert_eq!(nearest("tsak_script"), Some("task_script"));
        assert_eq!(nearest("poll-interval"), Some("poll_interval"));
        assert_eq!(nearest("elephant"), None);
    }

    const GUIDE: &str = include_str!("../../../../docs/migrating-from-scriptworker.md");
    const BEGIN: &str = "<!-- keys: the test of crates/worker/src/config/settings.rs prints this table -->\n";

    fn row(setting: &Setting) -> String {
        let shape = match setting.shape {
            Shape::Text => "text",
            Shape::Whole => "integer",
            Shape::Truth => "true or false",
            Shape::List => "list",
            Shape::Map => "map",
            Shape::TextOrList => "text or list",
        };
        let default = match setting.default {
            Default::Required => "required".to_owned(),
            Default::Text("") => "empty".to_owned(),
            Default::Text(text) => format!("`{text}`"),
            Default::Whole(number) => number.to_string(),
            Default::Truth(truth) => truth.to_string(),
            Default::Open => String::new(),
        };
        let role = match setting.role {
            Role::Worker => "acts".to_owned(),
            Role::Policy => "policy".to_owned(),
            Role::Product => "policy, per product".to_owned(),
            Role::Own => "Catena only".to_owned(),
            Role::OwnProduct => "Catena only, per product".to_owned(),
            Role::Ignored(because) => format!("not read: {because}"),
        };
        format!("| `{}` | {shape} | {default} | {role} |\n", setting.name)
    }

    #[test]
    fn the_guide_has_every_key() {
        let rows: String = SETTINGS.iter().map(row).collect();
        let table = format!("| key | type | default | Catena |\n|---|---|---|---|\n{rows}");
        let (_, rest) = GUIDE.split_once(BEGIN).unwrap();
        let (found, _) = rest.split_once("<!-- end of keys -->").unwrap();
        assert!(found == table, "docs/migrating-from-scriptworker.md must have this table:\n{table}");
    }
}
