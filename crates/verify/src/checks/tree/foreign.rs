//! Scopes that the policy's other products restrict.

use super::{CHECK, FOREIGN, is_broad};
use crate::verdict::{Authority, Disposition, Finding};
use crate::verification::{CheckContext, Link};
use catena_json::Path;
use std::collections::BTreeSet;

/// A scope that other products restrict is not the target's to have: its own product says nothing of who may
/// use it. What a rule of its own matches, exactly or by its beginning, is judged by that rule. A broad scope
/// that merely satisfies a rule of its own satisfies those of the others as well.
///
/// Off-reference: a rule of its own, `foreign-scope`.
pub(super) fn scopes(cx: &CheckContext<'_>, target: &Link) -> Vec<Finding> {
    let product = &cx.evidence.product;
    let mut findings = Vec::new();
    for (index, scope) in target.definition.scopes().iter().enumerate() {
        if product.restricted_scopes.iter().any(|rule| is_broad(&rule.scope, scope) == Some(false)) {
            continue;
        }
        let foreign = product.foreign_scopes.iter().filter(|(rule, _)| is_broad(rule, scope).is_some());
        let products: BTreeSet<&str> =
            foreign.flat_map(|(_, products)| products).map(String::as_str).collect();
        if products.is_empty() {
            continue;
        }
        let products = products.into_iter().collect::<Vec<_>>().join(", ");
        let message = format!(
            "The scope {scope} is restricted by {products}, and no rule of {} matches it.",
            product.name
        );
        findings.push(
            Finding::new(CHECK, FOREIGN, Disposition::Failed, target.task_id, message)
                .at("the queue's definition", Some(Path::of(&["scopes"]).index(index)))
                .expected(Authority::Policy, format!("a target of {products}"))
                .actual(Authority::Queue, scope.as_str()),
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verification::{Chain, Evidence};
    use catena_model::task::Definition;
    use catena_policy::{Product, ScopeRule};

    #[test]
    fn a_scope_of_others_is_refused_unless_a_rule_matches_it() {
        let found = |scope: &str| {
            let mut product = Product::empty("p");
            for rule in ["own:b", "own:d*"] {
                product.restricted_scopes.push(ScopeRule { scope: rule.to_owned(), trees: "t".to_owned() });
            }
            for rule in ["own:b", "own:c", "own:dd", "other:a", "other:b*"] {
                product.foreign_scopes.insert(rule.to_owned(), ["q".to_owned()].into());
            }
            let scopes_of = format!(r#""scopes":["x","{scope}"]"#);
            let own = Definition::sample_id();
            let case = Evidence::sample(product).knowing(own, &[(r#""scopes":[]"#, &scopes_of)]);
            let chain = Chain::of(&case);
            let cx = CheckContext::new(&case, &chain);
            let findings = scopes(&cx, chain.link(own).unwrap());
            findings.iter().map(|finding| finding.code.name).collect::<Vec<_>>()
        };
        for scope in ["other:a", "other:b", "other:bc", "other:*", "other:b*", "own:c", "oth*"] {
            assert_eq!(found(scope), ["tree-foreign-scope"], "{scope}");
        }
        // A broad scope that satisfies a rule of its own, and those of others.
        for scope in ["own:*", "*", "o*"] {
            assert_eq!(found(scope), ["tree-foreign-scope"], "{scope}");
        }
        // A rule of the product itself matches the scope, or no product restricts it.
        for scope in ["own:b", "own:d", "own:d*", "own:dd", "other:", "other:ab", "oth", "y:*"] {
            assert_eq!(found(scope), [""; 0], "{scope}");
        }
    }
}
