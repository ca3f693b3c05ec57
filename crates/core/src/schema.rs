//! The part of JSON Schema that actions describe their input with.
//!
//! Taskcluster's actions carry a schema for their input; the service that fires hooks checks it, and
//! so does this. The keywords that trees use are judged (`type`, `enum`, `const`, `properties`,
//! `required`, `additionalProperties`, `items`, the bounds, and the combinators); others, `$ref` and
//! `format` among them, say nothing against an input here.

use catena_json::{Map, Number, Path, Value};
use std::cmp::Ordering;

/// Where an input breaks its schema, and which keyword says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path} breaks {keyword}")]
pub struct Breach {
    /// The place in the input.
    pub path: Path,
    /// The keyword of the schema.
    pub keyword: &'static str,
}

/// How many schemas are looked at for one input. Combinators multiply.
const MOST_STEPS: usize = 100_000;

/// The first place where an input breaks a schema; none where it does not, or where the schema is
/// beyond what is looked at.
#[must_use]
pub fn breach(schema: &Value, input: &Value) -> Option<Breach> {
    let mut steps = 0;
    walk(schema, input, &Path::new(), &mut steps).err()
}

type Fits = Result<(), Breach>;

fn walk(schema: &Value, input: &Value, path: &Path, steps: &mut usize) -> Fits {
    *steps = steps.saturating_add(1);
    if *steps > MOST_STEPS {
        return Ok(());
    }
    let broken = |keyword| Err(Breach { path: path.clone(), keyword });
    let Value::Object(schema) = schema else {
        return if schema.as_bool() == Some(false) { broken("false") } else { Ok(()) };
    };
    if let Some(types) = schema.get("type")
        && !is_of(types, input)
    {
        return broken("type");
    }
    if schema.get("enum").and_then(Value::as_array).is_some_and(|allowed| !allowed.contains(input)) {
        return broken("enum");
    }
    if schema.get("const").is_some_and(|only| only != input) {
        return broken("const");
    }
    match input {
        Value::Object(members) => object(schema, members, path, steps)?,
        Value::Array(items) => array(schema, items, path, steps)?,
        Value::String(text) => string(schema, text, path)?,
        Value::Number(number) => bounds(schema, number, path)?,
        Value::Null | Value::Bool(_) => {}
    }
    combinators(schema, input, path, steps)
}

fn is_of(types: &Value, input: &Value) -> bool {
    let one = |name: &str| match name {
        "null" => input.is_null(),
        "boolean" => input.as_bool().is_some(),
        "object" => input.is_object(),
        "array" => input.is_array(),
        "string" => input.as_str().is_some(),
        "number" => input.as_number().is_some(),
        "integer" => {
            input.as_number().is_some_and(|number| number.is_integer() || number.as_f64().fract() == 0.0)
        }
        _ => true,
    };
    match types {
        Value::String(name) => one(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(one),
        _ => true,
    }
}

fn object(schema: &Map, members: &Map, path: &Path, steps: &mut usize) -> Fits {
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(name) {
            return Err(Breach { path: path.key(name), keyword: "required" });
        }
    }
    size(schema, ["minProperties", "maxProperties"], members.len(), path)?;
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, value) in members {
        let inner = path.key(name);
        if let Some(property) = properties.and_then(|properties| properties.get(name)) {
            walk(property, value, &inner, steps)?;
            continue;
        }
        // Names by pattern are not looked at, so neither is what they leave over.
        if let Some(additional) = schema.get("additionalProperties")
            && !schema.contains_key("patternProperties")
        {
            if additional.as_bool() == Some(false) {
                return Err(Breach { path: inner, keyword: "additionalProperties" });
            }
            walk(additional, value, &inner, steps)?;
        }
    }
    Ok(())
}

fn array(schema: &Map, items: &[Value], path: &Path, steps: &mut usize) -> Fits {
    size(schema, ["minItems", "maxItems"], items.len(), path)?;
    if schema.get("uniqueItems").and_then(Value::as_bool) == Some(true) {
        for (index, item) in items.iter().enumerate().take(1_000) {
            if items.iter().take(index).any(|other| other == item) {
                return Err(Breach { path: path.index(index), keyword: "uniqueItems" });
            }
        }
    }
    if let Some(each @ (Value::Object(_) | Value::Bool(_))) = schema.get("items")
        && !schema.contains_key("prefixItems")
    {
        for (index, item) in items.iter().enumerate() {
            walk(each, item, &path.index(index), steps)?;
        }
    }
    Ok(())
}

fn string(schema: &Map, text: &str, path: &Path) -> Fits {
    size(schema, ["minLength", "maxLength"], text.chars().count(), path)?;
    let pattern = schema.get("pattern").and_then(Value::as_str).filter(|pattern| pattern.len() <= 1_000);
    // A pattern in a dialect of its own is not judged.
    match pattern.map(regex::Regex::new) {
        Some(Ok(pattern)) if !pattern.is_match(text) => {
            Err(Breach { path: path.clone(), keyword: "pattern" })
        }
        _ => Ok(()),
    }
}

fn size(schema: &Map, [least, most]: [&'static str; 2], size: usize, path: &Path) -> Fits {
    let size = u64::try_from(size).unwrap_or(u64::MAX);
    let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
    let broken = |keyword| Err(Breach { path: path.clone(), keyword });
    if bound(least).is_some_and(|least| size < least) {
        return broken(least);
    }
    if bound(most).is_some_and(|most| size > most) {
        return broken(most);
    }
    Ok(())
}

fn bounds(schema: &Map, number: &Number, path: &Path) -> Fits {
    for (keyword, wrong) in [
        ("minimum", &[Ordering::Less][..]),
        ("exclusiveMinimum", &[Ordering::Less, Ordering::Equal]),
        ("maximum", &[Ordering::Greater]),
        ("exclusiveMaximum", &[Ordering::Greater, Ordering::Equal]),
    ] {
        let order =
            schema.get(keyword).and_then(Value::as_number).and_then(|bound| number.partial_cmp(bound));
        if order.is_some_and(|order| wrong.contains(&order)) {
            return Err(Breach { path: path.clone(), keyword });
        }
    }
    Ok(())
}

fn combinators(schema: &Map, input: &Value, path: &Path, steps: &mut usize) -> Fits {
    let list = |keyword: &str| schema.get(keyword).and_then(Value::as_array);
    let broken = |keyword| Err(Breach { path: path.clone(), keyword });
    for part in list("allOf").into_iter().flatten() {
        walk(part, input, path, steps)?;
    }
    let mut fitting =
        |parts: &Vec<Value>| parts.iter().filter(|part| walk(part, input, path, steps).is_ok()).count();
    if list("anyOf").is_some_and(|parts| fitting(parts) == 0) {
        return broken("anyOf");
    }
    if list("oneOf").is_some_and(|parts| fitting(parts) == 0) {
        return broken("oneOf");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_json::{Limits, parse};

    fn found(schema: &str, input: &str) -> Option<String> {
        let read = |text: &str| parse(text.as_bytes(), &Limits::default()).unwrap();
        breach(&read(schema), &read(input)).map(|breach| breach.to_string())
    }

    #[test]
    fn inputs_that_fit() {
        for (schema, input) in [
            (
                r#"{"type":"object","properties":{"times":{"type":"integer","minimum":1,"maximum":6}}}"#,
                r#"{"times":6,"other":1}"#,
            ),
            (r#"{"type":["string","null"]}"#, "null"),
            (r#"{"type":"integer"}"#, "1.0"),
            (r#"{"enum":["a",1]}"#, "1.0"),
            (r#"{"oneOf":[{"type":"string"},{"type":"null"}]}"#, "null"),
            (r##"{"$ref":"#/definitions/x"}"##, "1"),
            ("true", "1"),
            ("null", "1"),
            (r#"{"pattern":"(?=x)"}"#, "\"y\""),
        ] {
            assert_eq!(found(schema, input), None, "{schema} {input}");
        }
    }

    #[test]
    fn inputs_that_do_not() {
        for (schema, input, expected) in [
            (r#"{"type":"object"}"#, "null", "$ breaks type"),
            (r#"{"properties":{"times":{"maximum":6}}}"#, r#"{"times":7}"#, "times breaks maximum"),
            (r#"{"properties":{"times":{"type":"integer"}}}"#, r#"{"times":true}"#, "times breaks type"),
            (
                r#"{"additionalProperties":false,"properties":{}}"#,
                r#"{"x":1}"#,
                "x breaks additionalProperties",
            ),
            (r#"{"additionalProperties":{"type":"string"}}"#, r#"{"x":1}"#, "x breaks type"),
            (r#"{"required":["a"]}"#, "{}", "a breaks required"),
            (r#"{"items":{"type":"string"}}"#, r#"["a",1]"#, "[1] breaks type"),
            (r#"{"enum":["a"]}"#, "\"b\"", "$ breaks enum"),
            (r#"{"const":true}"#, "1", "$ breaks const"),
            (r#"{"minItems":1}"#, "[]", "$ breaks minItems"),
            (r#"{"maxLength":2}"#, "\"abc\"", "$ breaks maxLength"),
            (r#"{"pattern":"^a$"}"#, "\"b\"", "$ breaks pattern"),
            (r#"{"exclusiveMinimum":1}"#, "1", "$ breaks exclusiveMinimum"),
            (r#"{"uniqueItems":true}"#, "[1,1.0]", "[1] breaks uniqueItems"),
            (r#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#, "1", "$ breaks anyOf"),
            (r#"{"allOf":[{"type":"string"}]}"#, "1", "$ breaks type"),
            ("false", "1", "$ breaks false"),
        ] {
            assert_eq!(found(schema, input).as_deref(), Some(expected), "{schema} {input}");
        }
    }

    #[test]
    fn multiplying_schemas_are_bounded() {
        let mut schema = "true".to_owned();
        for _ in 0..30 {
            schema = format!("{{\"anyOf\":[{schema},{schema}]}}");
            if schema.len() > 1 << 20 {
                break;
            }
        }
        assert_eq!(found(&schema, "1"), None);
    }
}
