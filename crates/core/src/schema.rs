//! The part of JSON Schema that actions describe their input with.
//!
//! Taskcluster's actions carry a schema for their input; the service that fires hooks checks it, and
//! so does this. The keywords that trees use are judged (`type`, `enum`, `const`, `properties`,
//! `required`, `additionalProperties`, `items`, the bounds, and the combinators); others, `$ref` and
//! `format` among them, say nothing against an input here. What is judged is judged to the end, or else
//! is said to be beyond what is looked at.

use crate::compare::weight;
use catena_json::{Map, Number, Path, Value};
use regex::{Regex, RegexBuilder};
use std::cmp::Ordering;
use std::collections::HashMap;

/// Why an input does not fit its schema, as far as that can be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// It breaks the schema.
    #[error("{path} breaks {keyword}")]
    Breach {
        /// The place in the input.
        path: Path,
        /// The keyword of the schema.
        keyword: &'static str,
    },
    /// The two together are more than is looked at, so that nobody knows.
    #[error("the schema or the input is larger than what is looked at")]
    Beyond,
}

/// How much is looked at for one input: schemas, and what else takes time. Combinators multiply.
const MOST_STEPS: usize = 100_000;
/// Names, items or bytes that are looked at as fast as one schema.
const QUICK: usize = 16;
/// Bytes that a pattern may take once it is read, what reading it within these costs, and what each byte
/// of a text then costs at worst: a pattern of many states is slow on a text that is made for it.
const PATTERNS: [(usize, usize, usize); 3] = [(1 << 14, 500, 1), (1 << 16, 1000, 4), (1 << 18, 4000, 16)];

/// The first place where an input breaks a schema, or that this cannot be told; nothing where it fits.
/// `pay` hears of steps before they are taken, and answers whether they may be; if not, nobody knows.
#[must_use]
pub fn misfit(schema: &Value, input: &Value, pay: &mut dyn FnMut(usize) -> bool) -> Option<Misfit> {
    let mut judge = Judge { steps_left: MOST_STEPS, pay, patterns: HashMap::new() };
    judge.walk(schema, input, &Path::new()).err()
}

type Fits = Result<(), Misfit>;

fn broken(path: &Path, keyword: &'static str) -> Fits {
    Err(Misfit::Breach { path: path.clone(), keyword })
}

/// A pattern, and what each byte of a text costs; none for a pattern in a dialect of its own.
type Pattern = Option<(Regex, usize)>;

struct Judge<'a, 'p> {
    steps_left: usize,
    pay: &'p mut dyn FnMut(usize) -> bool,
    /// Patterns, read once.
    patterns: HashMap<&'a str, Pattern>,
}

impl<'a> Judge<'a, '_> {
    fn spend(&mut self, steps: usize) -> Fits {
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(Misfit::Beyond)?;
        if (self.pay)(steps) { Ok(()) } else { Err(Misfit::Beyond) }
    }

    /// Pays for comparing a value with so many others.
    fn spend_on_comparing(&mut self, value: &Value, others: usize) -> Fits {
        self.spend_on(others.saturating_mul(weight(value)))
    }

    fn spend_on(&mut self, quick: usize) -> Fits {
        self.spend(quick.div_ceil(QUICK))
    }

    fn walk(&mut self, schema: &'a Value, input: &Value, path: &Path) -> Fits {
        self.spend(1)?;
        let Value::Object(schema) = schema else {
            return if schema.as_bool() == Some(false) { broken(path, "false") } else { Ok(()) };
        };
        if let Some(types) = schema.get("type")
            && !is_of(types, input)
        {
            return broken(path, "type");
        }
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array) {
            self.spend_on_comparing(input, allowed.len())?;
            if !allowed.contains(input) {
                return broken(path, "enum");
            }
        }
        if let Some(only) = schema.get("const") {
            self.spend_on_comparing(input, 1)?;
            if only != input {
                return broken(path, "const");
            }
        }
        match input {
            Value::Object(members) => self.object(schema, members, path)?,
            Value::Array(items) => self.array(schema, items, path)?,
            Value::String(text) => self.string(schema, text, path)?,
            Value::Number(number) => bounds(schema, number, path)?,
            Value::Null | Value::Bool(_) => {}
        }
        self.combinators(schema, input, path)
    }

    fn object(&mut self, schema: &'a Map, members: &Map, path: &Path) -> Fits {
        if let Some(required) = schema.get("required").and_then(Value::as_array) {
            self.spend_on(required.len())?;
            let mut required = required.iter().filter_map(Value::as_str);
            if let Some(name) = required.find(|name| !members.contains_key(name)) {
                return broken(&path.key(name), "required");
            }
        }
        size(schema, ["minProperties", "maxProperties"], members.len(), path)?;
        self.spend_on(members.len())?;
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, value) in members {
            let inner = path.key(name);
            if let Some(property) = properties.and_then(|properties| properties.get(name)) {
                self.walk(property, value, &inner)?;
                continue;
            }
            // Names by pattern are not looked at, so neither is what they leave over.
            if let Some(additional) = schema.get("additionalProperties")
                && !schema.contains_key("patternProperties")
            {
                if additional.as_bool() == Some(false) {
                    return broken(&inner, "additionalProperties");
                }
                self.walk(additional, value, &inner)?;
            }
        }
        Ok(())
    }

    fn array(&mut self, schema: &'a Map, items: &[Value], path: &Path) -> Fits {
        size(schema, ["minItems", "maxItems"], items.len(), path)?;
        if schema.get("uniqueItems").and_then(Value::as_bool) == Some(true) {
            for (index, item) in items.iter().enumerate() {
                self.spend_on_comparing(item, index)?;
                if items.iter().take(index).any(|other| other == item) {
                    return broken(&path.index(index), "uniqueItems");
                }
            }
        }
        if let Some(each @ (Value::Object(_) | Value::Bool(_))) = schema.get("items")
            && !schema.contains_key("prefixItems")
        {
            for (index, item) in items.iter().enumerate() {
                self.walk(each, item, &path.index(index))?;
            }
        }
        Ok(())
    }

    fn string(&mut self, schema: &'a Map, text: &str, path: &Path) -> Fits {
        self.spend_on(text.len())?;
        size(schema, ["minLength", "maxLength"], text.chars().count(), path)?;
        let Some(pattern) = schema.get("pattern").and_then(Value::as_str) else { return Ok(()) };
        let Some(per_byte) = self.pattern(pattern)?.as_ref().map(|(_, per_byte)| *per_byte) else {
            return Ok(());
        };
        self.spend_on(text.len().saturating_mul(QUICK).saturating_mul(per_byte))?;
        match self.pattern(pattern)? {
            Some((pattern, _)) if !pattern.is_match(text) => broken(path, "pattern"),
            _ => Ok(()),
        }
    }

    /// A pattern as it reads.
    fn pattern(&mut self, text: &'a str) -> Result<&Pattern, Misfit> {
        if !self.patterns.contains_key(text) {
            let pattern = self.read_pattern(text)?;
            self.patterns.insert(text, pattern);
        }
        Ok(self.patterns.get(text).unwrap_or(&None))
    }

    fn read_pattern(&mut self, text: &str) -> Result<Pattern, Misfit> {
        for (bytes, cost, per_byte) in PATTERNS {
            self.spend(cost)?;
            self.spend_on(text.len())?;
            match RegexBuilder::new(text).size_limit(bytes).build() {
                Ok(pattern) => return Ok(Some((pattern, per_byte))),
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(_) => return Ok(None),
            }
        }
        Err(Misfit::Beyond)
    }

    fn combinators(&mut self, schema: &'a Map, input: &Value, path: &Path) -> Fits {
        let list = |keyword: &str| schema.get(keyword).and_then(Value::as_array);
        for part in list("allOf").into_iter().flatten() {
            self.walk(part, input, path)?;
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(parts) = list(keyword)
                && !self.any(parts, input, path)?
            {
                return broken(path, keyword);
            }
        }
        Ok(())
    }

    /// Whether one of some schemas fits.
    fn any(&mut self, parts: &'a [Value], input: &Value, path: &Path) -> Result<bool, Misfit> {
        for part in parts {
            match self.walk(part, input, path) {
                Ok(()) => return Ok(true),
                Err(Misfit::Breach { .. }) => {}
                Err(Misfit::Beyond) => return Err(Misfit::Beyond),
            }
        }
        Ok(false)
    }
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

fn size(schema: &Map, [least, most]: [&'static str; 2], size: usize, path: &Path) -> Fits {
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
            return broken(path, keyword);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_json::{Limits, parse};

    fn found(schema: &str, input: &str) -> Option<String> {
        let read = |text: &str| parse(text.as_bytes(), &Limits::default()).unwrap();
        misfit(&read(schema), &read(input), &mut |_| true).map(|misfit| misfit.to_string())
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
    fn every_type_is_told_from_the_others() {
        let inputs = [
            ("null", "null"),
            ("boolean", "false"),
            ("object", "{}"),
            ("array", "[]"),
            ("string", "\"\""),
            ("number", "1.5"),
            ("integer", "2.0"),
            ("integer", "7"),
        ];
        for wanted in ["null", "boolean", "object", "array", "string", "number", "integer"] {
            for (kind, input) in inputs {
                let fits = kind == wanted || (kind, wanted) == ("integer", "number");
                let breach = (!fits).then(|| "$ breaks type".to_owned());
                assert_eq!(found(&format!(r#"{{"type":"{wanted}"}}"#), input), breach, "{wanted} {input}");
                let listed = format!(r#"{{"type":["{wanted}"]}}"#);
                assert_eq!(found(&listed, input), breach, "{wanted} {input}");
            }
        }
        assert_eq!(found(r#"{"type":"date"}"#, "1"), None);
        assert_eq!(found(r#"{"type":7}"#, "1"), None);
    }

    #[test]
    fn bounds_hold_on_both_sides() {
        for (least, most, inputs) in [
            ("minLength", "maxLength", ["\"é\"", "\"éé\"", "\"ééé\""]),
            ("minItems", "maxItems", ["[1]", "[1,2]", "[1,2,3]"]),
            ("minProperties", "maxProperties", [r#"{"a":1}"#, r#"{"a":1,"b":2}"#, r#"{"a":1,"b":2,"c":3}"#]),
            ("minimum", "maximum", ["1", "2", "3"]),
        ] {
            let judged = |keyword: &str| inputs.map(|input| found(&format!("{{\"{keyword}\":2}}"), input));
            assert_eq!(judged(least), [Some(format!("$ breaks {least}")), None, None]);
            assert_eq!(judged(most), [None, None, Some(format!("$ breaks {most}"))]);
        }
        let judged = |keyword: &str| {
            ["1", "2", "3"].map(|input| found(&format!("{{\"{keyword}\":2}}"), input).is_none())
        };
        assert_eq!(judged("exclusiveMinimum"), [false, false, true]);
        assert_eq!(judged("exclusiveMaximum"), [true, false, false]);
    }

    #[test]
    fn what_is_not_asked_is_not_held_against_an_input() {
        for (schema, input) in [
            (r#"{"additionalProperties":false,"patternProperties":{"x":{}}}"#, r#"{"x":1}"#),
            (r#"{"additionalProperties":true}"#, r#"{"x":1}"#),
            (r#"{"items":{"type":"string"},"prefixItems":[]}"#, "[1]"),
            (r#"{"items":[{"type":"string"}]}"#, "[1]"),
            (r#"{"uniqueItems":false}"#, "[1,1]"),
            (r#"{"items":{"pattern":"a"}}"#, r#"["a","ba"]"#),
            (r#"{"required":["a"]}"#, r#"{"a":null}"#),
            (r#"{"anyOf":[{"type":"string"},{"minimum":1}]}"#, "1"),
            ("{}", "null"),
        ] {
            assert_eq!(found(schema, input), None, "{schema} {input}");
        }
        assert_eq!(
            found(r#"{"items":{"pattern":"a"}}"#, r#"["a","b"]"#).as_deref(),
            Some("[1] breaks pattern")
        );
        assert_eq!(found(r#"{"items":false}"#, "[1]").as_deref(), Some("[0] breaks false"));
        assert_eq!(found(r#"{"oneOf":[]}"#, "1").as_deref(), Some("$ breaks oneOf"));
    }

    const BEYOND: &str = "the schema or the input is larger than what is looked at";

    #[test]
    fn a_schema_that_multiplies_is_no_yes() {
        let mut schema = "false".to_owned();
        for _ in 0..30 {
            schema = format!("{{\"anyOf\":[{schema},{schema}]}}");
            if schema.len() > 1 << 20 {
                break;
            }
        }
        assert_eq!(found(&schema, "1").as_deref(), Some(BEYOND));
        assert_eq!(found(&format!("{{\"anyOf\":[{schema},true]}}"), "1").as_deref(), Some(BEYOND));
        assert_eq!(found(&format!("{{\"allOf\":[false,{schema}]}}"), "1").as_deref(), Some("$ breaks false"));
    }

    #[test]
    fn what_takes_long_is_beyond_and_what_is_honest_is_not() {
        let list = |item: fn(usize) -> String, count| (0..count).map(item).collect::<Vec<_>>().join(",");
        let numbers = |count| format!("[{}]", list(|number| number.to_string(), count));
        let members = format!("{{{}}}", list(|number| format!("\"n{number}\":1"), 50_000));
        let patterns = list(|number| format!("{{\"pattern\":\"{number}|a\"}}"), 250);
        let everything = format!("{{\"allOf\":[{}]}}", vec!["{\"properties\":{}}"; 40].join(","));
        for (schema, input) in [
            (r#"{"uniqueItems":true}"#.to_owned(), numbers(2_000)),
            (format!("{{\"items\":{{\"enum\":{}}}}}", numbers(50_000)), numbers(50)),
            (
                format!("{{\"items\":{{\"required\":{}}}}}", numbers(50_000)),
                format!("[{}]", vec!["{}"; 50].join(",")),
            ),
            (everything, members),
            (format!("{{\"allOf\":[{patterns}]}}"), "\"a\"".to_owned()),
            (r#"{"pattern":"(\\w{99}){99}"}"#.to_owned(), "\"a\"".to_owned()),
            (r#"{"pattern":"a"}"#.to_owned(), format!("\"{}\"", "a".repeat(2 << 20))),
        ] {
            let told = found(&schema, &input);
            assert_eq!(told.as_deref(), Some(BEYOND), "{schema:.40} {}", input.len());
        }
        assert_eq!(found(r#"{"uniqueItems":true}"#, &numbers(1_000)), None);
        assert_eq!(found(r#"{"items":{"type":"integer","minimum":0}}"#, &numbers(20_000)), None);
        assert_eq!(found(&format!("{{\"items\":{{\"enum\":{}}}}}", numbers(2_000)), &numbers(500)), None);
    }
}
