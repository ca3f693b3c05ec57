//! `$sort`: stable, by the items themselves or by what an expression gives for each.

use crate::datum::Datum;
use crate::error::Fault;
use crate::number::Number;
use crate::operators::{Place, names};
use crate::template::Renderer;
use std::cmp::Ordering;
use std::rc::Rc;

impl Renderer<'_> {
    pub(crate) fn sort(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        let refused = || place.operator.broken("$sorted values to be sorted must have the same type");
        let value = self.operand(place)?;
        let Datum::Array(array) = &value else { return Err(refused()) };
        let keys = self.sort_keys(place, array.items())?;
        if keys.is_empty() {
            return self.new_array(Vec::new());
        }
        if let [Datum::Function(_) | Datum::Deleted] = keys.as_slice() {
            return Ok(value.clone());
        }
        let keys = sortable(&keys).ok_or_else(refused)?;
        // Every comparison may read a key to its end, and each key is in so many comparisons.
        let rounds = usize::try_from(keys.len().ilog2()).unwrap_or(0).saturating_add(1);
        let bytes = keys.iter().map(|key| key.bytes()).fold(keys.len(), usize::saturating_add);
        self.budget.spend_bytes(bytes.saturating_mul(rounds))?;
        let mut pairs: Vec<_> = keys.iter().zip(array.items()).collect();
        pairs.sort_by(|(left, _), (right, _)| left.order(right));
        self.new_array(pairs.into_iter().map(|(_, item)| item.clone()).collect())
    }

    /// What the items are sorted by: themselves, or what `by(..)` gives for each.
    fn sort_keys(&self, place: &Place<'_>, items: &[Datum]) -> Result<Vec<Datum>, Fault> {
        let mut found = place.object.members().iter().filter(|(key, _)| key.starts_with("by("));
        let (name, template) = match (found.next(), found.next()) {
            (None, _) => return Ok(items.to_vec()),
            (Some(by), None) => by,
            (Some(_), Some(_)) => return Err(place.operator.broken("only one by(..) is allowed")),
        };
        let variable = names(name, "by(").into_iter().next().unwrap_or_else(|| Rc::from(""));
        let mut scope = place.scope.inner();
        let mut keys = Vec::with_capacity(items.len());
        for item in items {
            let Datum::String(text) = template else {
                return Err(place.operator.broken("by(..) must be given a string expression"));
            };
            scope.set(Rc::clone(&variable), item.clone());
            keys.push(self.expression(text, name, &scope)?);
        }
        Ok(keys)
    }
}

/// What can be ordered.
enum SortKey<'a> {
    Number(Number),
    String(&'a str),
}

impl SortKey<'_> {
    fn bytes(&self) -> usize {
        match self {
            Self::Number(_) => 0,
            Self::String(text) => text.len(),
        }
    }

    /// Keys of one sort have an order, see [`sortable`].
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => left.partial_cmp(right).unwrap_or(Ordering::Equal),
            (Self::String(left), Self::String(right)) => left.cmp(right),
            _ => Ordering::Equal,
        }
    }
}

/// Strings, or floats, or integers (among which a boolean may stand, but not first). None for any
/// other keys, and for floats that are not numbers.
fn sortable(keys: &[Datum]) -> Option<Vec<SortKey<'_>>> {
    let first = keys.first()?;
    keys.iter().map(|key| sort_key(first, key)).collect()
}

fn sort_key<'a>(first: &Datum, key: &'a Datum) -> Option<SortKey<'a>> {
    match (first, key) {
        (Datum::String(_), Datum::String(text)) => Some(SortKey::String(text)),
        (Datum::Number(Number::Float(_)), Datum::Number(Number::Float(value))) if !value.is_nan() => {
            Some(SortKey::Number(Number::Float(*value)))
        }
        (Datum::Number(Number::Integer(_)), key) => {
            key.as_integer().map(|value| SortKey::Number(Number::Integer(value)))
        }
        _ => None,
    }
}
