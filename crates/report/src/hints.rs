//! What to do about a failed finding. Advice is a matter of presentation, so it stands here and not
//! with the checks.

use catena_core::verdict::{Class, Code};

/// Advice by code. A code without a line here gets its class's advice.
pub const HINTS: &[(&str, &str)] = &[];

/// The advice for a code by name; none when only its class has some.
#[must_use]
pub fn hint(code: &str) -> Option<&'static str> {
    HINTS.iter().find(|(name, _)| *name == code).map(|(_, advice)| *advice)
}

/// The advice for a code: its own, or its class's.
#[must_use]
pub fn advice(code: &Code) -> &'static str {
    hint(code.name).unwrap_or(match code.class {
        Class::Tamper => {
            "do not retry. Keep the evidence (run again with --record DIR) and call those who answer for \
             the release and its security."
        }
        Class::Policy => {
            "nothing was altered, but the product's policy does not allow this. Change the task in its tree, \
             or, after review, the policy."
        }
        Class::Config => "our own policy or keys say too little to judge this. Complete them (--policy, --keys) and ask again.",
        Class::Infra => "nothing was proven wrong. Ask again; if it stays so, look at the service that is named above.",
    })
}
