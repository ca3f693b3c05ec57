//! The repositories that a task names in its environment, each judged by the rules for its prefix.

use crate::checks::source::repository;
use crate::verification::{Evidence, Link};
use catena_json::Value;
use catena_model::source::{RepositoryUrl, SourceUrl};
use catena_policy::{RepositoryRule, Rule};

const SUFFIX: &str = "_HEAD_REPOSITORY";

/// A repository that a task names: `payload.env.<PREFIX>_HEAD_REPOSITORY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named<'a> {
    /// The variable, as the task writes it.
    pub(crate) variable: &'a str,
    /// What stands before `_HEAD_REPOSITORY`, in capital letters: Windows does not tell them apart.
    pub(crate) prefix: String,
    /// What the variable holds.
    pub(crate) text: &'a str,
    /// The address, where it is in the plain form.
    pub(crate) repository: Option<RepositoryUrl>,
    /// What the policy says of it.
    pub(crate) trust: Trust,
}

/// What the policy says of a repository that a task names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It is exactly the repository of this path, which a rule yields.
    Tree(String),
    /// No product's tasks name repositories with this prefix, and an official owner of the product has it.
    Owner,
    /// Nothing.
    Untrusted,
}

/// All repositories that a link names, in the order of its environment. Empty values name none.
pub(crate) fn named<'a>(case: &Evidence, link: &'a Link) -> Vec<Named<'a>> {
    let env = link.definition.payload().get("env").and_then(Value::as_object);
    let mut all = Vec::new();
    for (variable, value) in env.into_iter().flatten() {
        let upper = variable.to_ascii_uppercase();
        let (Some(prefix), Some(text)) = (upper.strip_suffix(SUFFIX), value.as_str()) else { continue };
        if !text.is_empty() {
            let repository = repository(case, &link.definition, variable).and_then(Result::ok);
            let trust = repository.as_ref().map_or(Trust::Untrusted, |url| trust(case, prefix, url));
            all.push(Named { variable, prefix: prefix.to_owned(), text, repository, trust });
        }
    }
    all
}

/// The product's own prefixes name its own repositories, and another product's prefix one of that product.
/// A prefix of none names a repository of any product, or of an official owner: some trees keep what they
/// build in repositories of their own, as xpi-manifest does with its add-ons.
fn trust(case: &Evidence, prefix: &str, url: &RepositoryUrl) -> Trust {
    let product = &case.product;
    let tree = if product.source_env_prefixes().any(|own| own == prefix) {
        own_tree(case, url)
    } else if let Some(rules) = product.repositories_by_prefix.get(prefix) {
        RepositoryRule::exact_path(rules, url)
    } else {
        let mut products = product.repositories_by_prefix.values().chain([&product.repositories]);
        let owner = url.github().is_some_and(|github| product.official_owners.contains(github.owner()));
        match products.find_map(|rules| RepositoryRule::exact_path(rules, url)) {
            None if owner => return Trust::Owner,
            tree => tree,
        }
    };
    tree.map_or(Trust::Untrusted, Trust::Tree)
}

/// The product's trusted repository that an address names, or one whose name it only begins with where the
/// policy relaxes that.
fn own_tree(case: &Evidence, url: &RepositoryUrl) -> Option<String> {
    let product = &case.product;
    RepositoryRule::exact_path(&product.repositories, url).or_else(|| {
        let source = SourceUrl::of_repository(url.as_str()).ok()?;
        product.partial_repository_path(&source).filter(|_| case.relaxes(Rule::WholeSegments))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_model::task::Definition;
    use catena_policy::Product;

    fn rule(host: &str, path: &str) -> RepositoryRule {
        RepositoryRule {
            schemes: ["https".to_owned(), "ssh".to_owned()].into(),
            hosts: [host.to_owned()].into(),
            paths: vec![regex_lite::Regex::new(&format!("^(?P<path>{path})(/|.git|$)")).unwrap()],
        }
    }

    fn product() -> Product {
        let mut product = Product::empty("p");
        product.overriding_source_env_prefixes.push("C".to_owned());
        product.repositories = vec![rule("host", "/hg"), rule("github.com", "/owner/own")];
        product.repositories_by_prefix.insert("P".to_owned(), product.repositories.clone());
        product.repositories_by_prefix.insert("Q".to_owned(), vec![rule("host", "/other")]);
        product.official_owners.insert("owner".to_owned());
        product
    }

    fn judged(product: Product, env: &str) -> Vec<(String, Trust)> {
        let case = Evidence::sample(product);
        let env = format!(r#""payload":{{"env":{{{env}}}}}"#);
        let link = Link::sample(Definition::sample_id(), Definition::sample(r#""payload":{}"#, &env));
        named(&case, &link).into_iter().map(|named| (named.prefix, named.trust)).collect()
    }

    #[test]
    fn each_prefix_has_its_repositories() {
        let tree = |path: &str| Trust::Tree(path.to_owned());
        for (variable, url, expected) in [
            ("P_HEAD_REPOSITORY", "https://host/hg", tree("/hg")),
            ("P_HEAD_REPOSITORY", "https://host/hg/", tree("/hg")),
            ("C_HEAD_REPOSITORY", "git@github.com:owner/own.git", tree("/owner/own")),
            ("P_HEAD_REPOSITORY", "https://host/other", Trust::Untrusted),
            ("C_HEAD_REPOSITORY", "https://host/other", Trust::Untrusted),
            ("Q_HEAD_REPOSITORY", "https://host/other", tree("/other")),
            ("Q_HEAD_REPOSITORY", "https://host/hg", Trust::Untrusted),
            ("Q_HEAD_REPOSITORY", "https://github.com/owner/else", Trust::Untrusted),
            ("R_HEAD_REPOSITORY", "https://host/other", tree("/other")),
            ("R_HEAD_REPOSITORY", "ssh://host/hg", tree("/hg")),
            ("R_HEAD_REPOSITORY", "https://host/else", Trust::Untrusted),
            ("R_HEAD_REPOSITORY", "https://github.com/owner/else", Trust::Owner),
            ("R_HEAD_REPOSITORY", "https://github.com/Owner/else", Trust::Untrusted),
            ("R_HEAD_REPOSITORY", "https://github.com/owner/else/below", Trust::Untrusted),
            ("R_HEAD_REPOSITORY", "https://host/owner/else", Trust::Untrusted),
            ("r_head_repository", "https://host/else", Trust::Untrusted),
            ("_HEAD_REPOSITORY", "https://host/else", Trust::Untrusted),
        ] {
            let found = judged(product(), &format!(r#""{variable}":"{url}""#));
            let prefix = variable.to_uppercase().replace("_HEAD_REPOSITORY", "");
            assert_eq!(found, [(prefix, expected)], "{variable} {url}");
        }
    }

    #[test]
    fn a_repository_is_trusted_exactly() {
        for url in [
            "https://host/hg/below",
            "https://host/hg-next",
            "https://github.com/owner",
            "https://github.com/owner/own/below",
            "https://github.com/Owner/own",
            "https://host:443/hg",
            "https://host/%68g",
            "https://host/hg?x",
            "../hg",
        ] {
            let found = judged(product(), &format!(r#""P_HEAD_REPOSITORY":"{url}""#));
            assert_eq!(found, [("P".to_owned(), Trust::Untrusted)], "{url}");
        }
        let mut relaxed = product();
        relaxed.relaxed.insert(Rule::WholeSegments);
        relaxed.repositories[0].paths = vec![regex_lite::Regex::new("^(?P<path>/hg)").unwrap()];
        let found = judged(relaxed, r#""P_HEAD_REPOSITORY":"https://host/hg-next""#);
        assert_eq!(found, [("P".to_owned(), Trust::Tree("/hg".to_owned()))]);
    }

    #[test]
    fn what_is_empty_or_has_another_name_names_no_repository() {
        let env = r#""P_HEAD_REPOSITORY":"","P_BASE_REPOSITORY":"x","HEAD_REPOSITORY":"x""#;
        assert_eq!(judged(product(), env), []);
        let found = judged(product(), r#""Q_HEAD_REPOSITORY":" ""#);
        assert_eq!(found, [("Q".to_owned(), Trust::Untrusted)]);
    }
}
