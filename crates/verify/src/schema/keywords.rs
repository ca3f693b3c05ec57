//! The effect of single keywords on single values.

use super::{Fits, SchemaError, broken};
use catena_json::{Map, Number, Path, Value};
use std::cmp::Ordering;

/// Whether a value has one of the types that a schema names; `None` if it names an unknown type.
pub(super) fn is_of(types: &Value, input: &Value) -> Option<bool> {
    match types {
        Value::String(name) => is_of_type(name, input),
        Value::Array(names) => {
            let told: Option<Vec<bool>> =
                names.iter().map(|name| is_of_type(name.as_str()?, input)).collect();
            told.map(|told| told.contains(&true))
        }
        _ => None,
    }
}

fn is_of_type(name: &str, input: &Value) -> Option<bool> {
    Some(match name {
        "null" => input.is_null(),
        "boolean" => input.as_bool().is_some(),
        "object" => input.is_object(),
        "array" => input.is_array(),
        "string" => input.as_str().is_some(),
        "number" => input.as_number().is_some(),
        "integer" => {
            input.as_number().is_some_and(|number| number.is_integer() || number.as_f64().fract() == 0.0)
        }
        _ => return None,
    })
}

/// Compares a size with its bounds, as far as these are numbers.
pub(super) fn size(schema: &Map, [least, most]: [&'static str; 2], size: usize, path: &Path) -> Fits {
    let size = u64::try_from(size).unwrap_or(u64::MAX);
    let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
    if bound(least).is_some_and(|least| size < least) {
        return broken(path, least);
    }
    if bound(most).is_some_and(|most| size > most) {
        return broken(path, most);
    }
    Ok(())
}

/// Compares a number with its bounds; names a bound that is not a number.
pub(super) fn bounds(
    schema: &Map,
    number: &Number,
    path: &Path,
) -> Result<Option<&'static str>, SchemaError> {
    let mut unsupported = None;
    for (keyword, wrong) in [
        ("minimum", &[Ordering::Less][..]),
        ("exclusiveMinimum", &[Ordering::Less, Ordering::Equal]),
        ("maximum", &[Ordering::Greater]),
        ("exclusiveMaximum", &[Ordering::Greater, Ordering::Equal]),
    ] {
        let Some(bound) = schema.get(keyword) else { continue };
        match bound.as_number().and_then(|bound| number.partial_cmp(bound)) {
            Some(order) if wrong.contains(&order) => return broken(path, keyword).map(|()| None),
            Some(_) => {}
            None => unsupported = Some(keyword),
        }
    }
    Ok(unsupported)
}

/// Whether a text is an email address in its plain form: words between dots, an at sign, and a host
/// name.
pub(super) fn is_email(text: &str) -> bool {
    let is_word = |word: &str| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte);
        !word.is_empty() && word.bytes().all(letter)
    };
    let is_label = |label: &str| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let ends = label.starts_with('-') || label.ends_with('-');
        !label.is_empty() && !ends && label.bytes().all(letter)
    };
    text.split_once('@')
        .is_some_and(|(local, host)| local.split('.').all(is_word) && host.split('.').all(is_label))
}
