//! `projects.yml`: which repositories there are and how far each is trusted.

use super::product::Product;

/// Where it is read from.
pub(super) const URL: &str = "https://raw.githubusercontent.com/mozilla-releng/fxci-config/main/projects.yml";

/// Every product's repositories, and three that no release comes from.
pub(super) fn yaml() -> String {
    let mut text = String::from("# Repositories, their levels and features.\n---\n");
    text.push_str(&hg("try", "gecko", 1));
    text.push_str(&hg("integration/autoland", "gecko", 3));
    text.push_str(&hg("releases/mozilla-esr140", "gecko", 3));
    for product in Product::all() {
        for path in product.hg.iter().chain(&product.hg_release) {
            text.push_str(&hg(path, product.domain, product.level));
        }
        if let Some(path) = product.git {
            text.push_str(&git(path, product.domain, product.level));
        }
    }
    text
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn hg(path: &str, domain: &str, level: u8) -> String {
    let name = name(path);
    format!(
        "{name}:\n  repo: https://hg.mozilla.org/{path}\n  repo_type: hg\n  access: scm_level_{level}\n  trust_domain: {domain}\n  features:\n    gecko-roles: true\n    taskgraph-actions: true\n"
    )
}

fn git(path: &str, domain: &str, level: u8) -> String {
    let name = name(path);
    format!(
        "{name}:\n  repo: https://github.com/{path}\n  repo_type: git\n  default_branch: main\n  branches:\n    - name: main\n      level: {level}\n    - name: '*'\n      level: 1\n  trust_domain: {domain}\n  features:\n    github-taskgraph:\n      enabled: true\n"
    )
}
