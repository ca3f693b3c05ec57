//! Generating a policy from scriptworker's defaults.
//!
//! scriptworker keeps its policy in code. [`DUMP`] prints it as JSON where scriptworker is installed;
//! [`from_scriptworker`] generates a policy file from it. Settings that concern verification and that a
//! policy cannot express are errors. Unknown settings are reported, in the result and at the top of the
//! file.

mod defaults;
mod worker;
mod writer;

pub use worker::from_worker;

use super::diagnostic::Diagnostic;
use super::policy::Policy;
use catena_json::{Path, Value};
use defaults::{Defaults, Rule, Source};
use writer::Writer;

/// A Python program that prints the input of [`from_scriptworker`], for the interpreter in which
/// scriptworker is installed: one object with `version` and `defaults`.
pub const DUMP: &str = r#"
import importlib.metadata, json
from collections.abc import Mapping
from scriptworker.constants import DEFAULT_CONFIG

def plain(value):
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value

print(json.dumps({"version": importlib.metadata.version("scriptworker"), "defaults": plain(DEFAULT_CONFIG)}))
"#;

/// A policy generated from scriptworker's defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The policy file.
    pub text: String,
    /// Unknown settings that were omitted; they may concern verification.
    pub unknown: Vec<String>,
    /// Settings of later releases that these defaults lack; the policy has nothing in their place.
    pub lacking: Vec<&'static str>,
}

/// Why no policy can be generated from scriptworker's defaults.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// A required setting is missing.
    #[error("{0} is missing; these are not the defaults of a supported scriptworker")]
    Missing(Path),
    /// A setting has a different type from the known versions of scriptworker.
    #[error("{path}: expected {wanted}, found {found}")]
    Type {
        /// The place.
        path: Path,
        /// The expected type.
        wanted: &'static str,
        /// The actual type.
        found: &'static str,
    },
    /// A setting that concerns verification has a value that a policy cannot express.
    #[error("{path}: {found} cannot be expressed in a policy; supported is {known}")]
    Inexpressible {
        /// The place.
        path: Path,
        /// The value.
        found: String,
        /// The values that can be expressed.
        known: String,
    },
    /// The generated policy is not usable.
    #[error("the generated policy has errors, the first: {}", .0.first().map_or(String::new(), ToString::to_string))]
    Unusable(Vec<Diagnostic>),
}

/// The kinds that the reference verifier knows, and their requirements (specification 2.5 and 2.10).
/// They are not in its defaults.
const KINDS: [(&str, &str); 14] = [
    ("action", "action"),
    ("balrog", "scriptworker"),
    ("beetmover", "scriptworker"),
    ("bouncer", "scriptworker"),
    ("build", "plain"),
    ("decision", "decision"),
    ("docker-image", "docker-image"),
    ("l10n", "plain"),
    ("partials", "plain"),
    ("pushapk", "scriptworker"),
    ("repackage", "plain"),
    ("scriptworker", "scriptworker"),
    ("shipit", "scriptworker"),
    ("signing", "scriptworker"),
];

/// The only host that the reference verifier treats as Mercurial, which is in its code.
const HG_HOST: &str = "hg.mozilla.org";

/// Products whose tasks may come from a second tree, which the reference verifier has in its code
/// (specification 9.1).
const OVERRIDING_PREFIXES: [(&str, &str); 1] = [("enterprise", "COMM")];

/// Rules that are stricter than the reference verifier, which trees of a product do not meet as they are.
const RELAXED: [(&str, &str, &str); 1] =
    [("enterprise", "image-pinned", "the tree names the image of its decision tasks by a tag")];

/// Makes a policy file from a scriptworker's defaults. `source` says what they are of, such as
/// `scriptworker 63.6.1`. The same defaults always make the same text.
///
/// # Errors
/// Defaults of a different shape from the known versions of scriptworker, or that a policy cannot
/// express.
pub fn from_scriptworker(defaults: &Value, source: &str) -> Result<Imported, ImportError> {
    let defaults = Defaults::read(defaults)?;
    let text = write(&defaults, source);
    Policy::load(source, &text, &|_| Err(String::new())).map_err(ImportError::Unusable)?;
    Ok(Imported { text, unknown: defaults.unknown, lacking: defaults.lacking })
}

fn write(defaults: &Defaults, source: &str) -> String {
    let mut file = Writer::default();
    write_header(&mut file, source, defaults);
    file.number("catena-policy", super::format::VERSION);
    file.text("root-url", defaults.root_url.trim_end_matches('/'));
    file.blank();
    file.map("defaults", |file| {
        file.list("hg-hosts", &[HG_HOST.to_owned()]);
        file.text("projects-url", &defaults.projects_url);
        file.number("max-chain-length", &defaults.max_chain_length);
        file.list("scriptworker-provisioners", &defaults.scriptworker_provisioners);
        file.map("keys", |file| defaults.keys.iter().for_each(|(name, keys)| file.list(name, keys)));
        file.map("kinds", |file| KINDS.iter().for_each(|(kind, role)| file.text(kind, role)));
    });
    file.blank();
    file.map("products", |file| {
        for (position, (name, product)) in defaults.products.iter().enumerate() {
            if position > 0 {
                file.blank();
            }
            file.map(name, |file| write_product(file, name, product));
        }
    });
    file.into_text()
}

fn write_header(file: &mut Writer, source: &str, defaults: &Defaults) {
    let source: String = source.chars().filter(|letter| !letter.is_control()).take(100).collect();
    file.comment(&format!("Made from the defaults of {source} by `catena policy import`."));
    file.comment(
        "To change it, write a file that starts with `extends:` and keep this one as it is, so that the",
    );
    file.comment("next import can replace it. docs/policy.md explains every key.");
    for name in &defaults.unknown {
        file.comment(&format!("Omitted, because it is unknown: {name}"));
    }
    for name in &defaults.lacking {
        file.comment(&format!("This release has no {name}: the policy has none either."));
    }
}

fn write_product(file: &mut Writer, name: &str, product: &Source) {
    file.list("vcs", &product.vcs);
    file.text("source-env-prefix", &product.source_env_prefix);
    if let Some((_, prefix)) = OVERRIDING_PREFIXES.iter().find(|(other, _)| *other == name) {
        file.list("overriding-source-env-prefixes", &[(*prefix).to_owned()]);
    }
    file.list("tasks-for", &product.tasks_for);
    file.list("decision-worker-pools", &product.decision_worker_pools);
    file.list("docker-image-worker-pools", &product.docker_image_worker_pools);
    match &product.prebuilt_image_kinds {
        Some(kinds) => file.list("prebuilt-image-kinds", kinds),
        None => file.text("prebuilt-image-kinds", "any"),
    }
    if RELAXED.iter().any(|(other, ..)| *other == name) {
        let relaxed: Vec<_> = RELAXED.iter().filter(|(other, ..)| *other == name).collect();
        file.records("relaxed", &relaxed, |file, (_, rule, because)| {
            file.text("rule", rule);
            file.text("because", because);
        });
    }
    if !product.official_owners.is_empty() {
        file.list("official-owners", &product.official_owners);
    }
    if product.repositories.iter().any(|rule| rule.require_secret) {
        file.text("landed", "assumed");
    }
    file.records("repositories", &product.repositories, |file, rule: &Rule| {
        file.list("schemes", &rule.schemes);
        file.list("hosts", &rule.hosts);
        file.list("paths", &rule.paths);
    });
    file.map("trees", |file| product.trees.iter().for_each(|(name, trees)| file.list(name, trees)));
    file.map("restricted-scopes", |file| {
        product.restricted_scopes.iter().for_each(|(scope, trees)| file.text(scope, trees));
    });
    if !product.hg_git_mirrors.is_empty() {
        file.map("hg-git-mirrors", |file| {
            product.hg_git_mirrors.iter().for_each(|(hg, git)| file.text(hg, git))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_role_once() {
        assert!(KINDS.is_sorted_by(|one, other| one.0 < other.0));
    }
}
