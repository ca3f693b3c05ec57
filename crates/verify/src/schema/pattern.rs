//! Patterns of a schema, each compiled once.

use super::{Budget, QUICK, SchemaError};
use regex::{Regex, RegexBuilder};
use std::collections::HashMap;

/// The maximum size of a compiled pattern, the cost of compiling one within it, and then the maximum
/// cost per byte of a text: a pattern with many states is slow on a text that is designed for it.
const COSTS: [(usize, usize, usize); 3] = [(1 << 14, 500, 1), (1 << 16, 1000, 4), (1 << 18, 4000, 16)];

/// A pattern, and the cost per byte of a text; `None` for a pattern in an unsupported dialect.
type Pattern = Option<(Regex, usize)>;

#[derive(Default)]
pub(super) struct Patterns<'a>(HashMap<&'a str, Pattern>);

impl<'a> Patterns<'a> {
    /// Whether a pattern matches anywhere in a text; `None` for a pattern in an unsupported dialect.
    pub(super) fn matches(
        &mut self,
        pattern: &'a str,
        text: &str,
        budget: &mut Budget<'_>,
    ) -> Result<Option<bool>, SchemaError> {
        if !self.0.contains_key(pattern) {
            self.0.insert(pattern, read(pattern, budget)?);
        }
        let Some(Some((pattern, per_byte))) = self.0.get(pattern) else { return Ok(None) };
        budget.spend_on(text.len().saturating_mul(QUICK).saturating_mul(*per_byte))?;
        Ok(Some(pattern.is_match(text)))
    }
}

fn read(text: &str, budget: &mut Budget<'_>) -> Result<Pattern, SchemaError> {
    for (bytes, cost, per_byte) in COSTS {
        budget.spend(cost)?;
        budget.spend_on(text.len())?;
        match RegexBuilder::new(text).size_limit(bytes).build() {
            Ok(pattern) => return Ok(Some((pattern, per_byte))),
            Err(regex::Error::CompiledTooBig(_)) => {}
            Err(_) => return Ok(None),
        }
    }
    Err(SchemaError::BudgetExceeded)
}
