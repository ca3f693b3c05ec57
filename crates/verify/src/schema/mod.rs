//! The part of JSON Schema that actions use for their input.
//!
//! Taskcluster's actions carry a schema for their input. The service that fires hooks validates the
//! input, and so does this module (specification 7.26). If an unsupported keyword applies to the input,
//! the result is unknown, unless the caller ignores such keywords. Validation is complete, or reports
//! that it exceeded its limits.

mod keywords;
mod pattern;

use crate::compare::weight;
use catena_json::{Map, Path, Value};
use keywords::{bounds, is_email, is_of, size};
use pattern::Patterns;

/// Why an input does not match its schema, or why this is unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// It violates the schema.
    #[error("{path} violates {keyword}")]
    Breach {
        /// The path in the input.
        path: Path,
        /// The keyword of the schema.
        keyword: &'static str,
    },
    /// The schema has an unsupported keyword, or a supported one in an unsupported form.
    #[error("at {path} the schema has {keyword:?}, which is not supported in this form")]
    Unsupported {
        /// The path in the input.
        path: Path,
        /// The keyword of the schema.
        keyword: String,
    },
    /// Schema and input exceed the limits, so that the result is unknown.
    #[error("the schema or the input exceeds the limit of work")]
    BudgetExceeded,
}

/// The treatment of unsupported keywords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsupported {
    /// The result is unknown.
    Refused,
    /// They have no effect.
    Ignored,
}

/// The limit of work for one input: schemas, and other costly steps. Combinators multiply the work.
const MOST_STEPS: usize = 100_000;
/// Names, items or bytes that cost as much as one schema.
const QUICK: usize = 16;

/// Supported keywords.
const JUDGED: [&str; 26] = [
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "properties",
    "propertyNames",
    "required",
    "type",
    "uniqueItems",
];
/// Keywords without effect on an input. Definitions have no effect if nothing refers to them.
const ANNOTATIONS: [&str; 13] = [
    "$comment",
    "$defs",
    "$id",
    "$schema",
    "default",
    "definitions",
    "deprecated",
    "description",
    "examples",
    "id",
    "readOnly",
    "title",
    "writeOnly",
];

/// The first place where an input violates a schema, or why the result is unknown; `None` if it
/// matches. `pay` is called with steps before they are taken, and returns whether they are allowed; if
/// not, the result is unknown.
#[must_use]
pub fn misfit(
    schema: &Value,
    input: &Value,
    unsupported: Unsupported,
    pay: &mut dyn FnMut(usize) -> bool,
) -> Option<SchemaError> {
    let budget = Budget { steps_left: MOST_STEPS, pay };
    let mut judge = Judge { budget, unsupported, patterns: Patterns::default() };
    judge.walk(schema, input, &Path::new()).err()
}

type Fits = Result<(), SchemaError>;

fn broken(path: &Path, keyword: &'static str) -> Fits {
    Err(SchemaError::Breach { path: path.clone(), keyword })
}

/// The remaining work.
struct Budget<'p> {
    steps_left: usize,
    pay: &'p mut dyn FnMut(usize) -> bool,
}

impl Budget<'_> {
    fn spend(&mut self, steps: usize) -> Fits {
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(SchemaError::BudgetExceeded)?;
        if (self.pay)(steps) { Ok(()) } else { Err(SchemaError::BudgetExceeded) }
    }

    fn spend_on(&mut self, quick: usize) -> Fits {
        self.spend(quick.div_ceil(QUICK))
    }

    /// Pays for comparing a value with this many others.
    fn spend_on_comparing(&mut self, value: &Value, others: usize) -> Fits {
        self.spend_on(others.saturating_mul(weight(value)))
    }
}

struct Judge<'a, 'p> {
    budget: Budget<'p>,
    unsupported: Unsupported,
    patterns: Patterns<'a>,
}

impl<'a> Judge<'a, '_> {
    fn walk(&mut self, schema: &'a Value, input: &Value, path: &Path) -> Fits {
        self.budget.spend(1)?;
        let schema = match schema {
            Value::Object(schema) => schema,
            Value::Bool(true) => return Ok(()),
            Value::Bool(false) => return broken(path, "false"),
            _ => return self.unsupported(path, "a schema that is neither an object nor a boolean"),
        };
        self.value(schema, input, path)?;
        match input {
            Value::Object(members) => self.object(schema, members, path)?,
            Value::Array(items) => self.array(schema, items, path)?,
            Value::String(text) => self.string(schema, text, path)?,
            Value::Number(number) => {
                if let Some(keyword) = bounds(schema, number, path)? {
                    self.unsupported(path, keyword)?;
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
        self.combinators(schema, input, path)?;
        self.budget.spend_on(schema.len())?;
        let is_known = |keyword: &str| {
            JUDGED.binary_search(&keyword).is_ok() || ANNOTATIONS.binary_search(&keyword).is_ok()
        };
        match schema.iter().find(|(keyword, _)| !is_known(keyword)) {
            Some((keyword, _)) => self.unsupported(path, keyword),
            None => Ok(()),
        }
    }

    /// An unsupported keyword.
    fn unsupported(&self, path: &Path, keyword: &str) -> Fits {
        match self.unsupported {
            Unsupported::Ignored => Ok(()),
            Unsupported::Refused => {
                Err(SchemaError::Unsupported { path: path.clone(), keyword: keyword.to_owned() })
            }
        }
    }

    /// The value of a keyword, if it is present in a supported form.
    fn said<T>(
        &self,
        schema: &'a Map,
        keyword: &str,
        path: &Path,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, SchemaError> {
        let Some(value) = schema.get(keyword) else { return Ok(None) };
        let read = read(value);
        if read.is_none() {
            self.unsupported(path, keyword)?;
        }
        Ok(read)
    }

    /// Keywords for values of any type.
    fn value(&mut self, schema: &'a Map, input: &Value, path: &Path) -> Fits {
        if self.said(schema, "type", path, |types| is_of(types, input))? == Some(false) {
            return broken(path, "type");
        }
        if let Some(allowed) = self.said(schema, "enum", path, Value::as_array)? {
            self.budget.spend_on_comparing(input, allowed.len())?;
            if !allowed.contains(input) {
                return broken(path, "enum");
            }
        }
        if let Some(only) = schema.get("const") {
            self.budget.spend_on_comparing(input, 1)?;
            if only != input {
                return broken(path, "const");
            }
        }
        Ok(())
    }

    fn size(&self, schema: &'a Map, keywords: [&'static str; 2], size_of: usize, path: &Path) -> Fits {
        for keyword in keywords {
            self.said(schema, keyword, path, Value::as_u64)?;
        }
        size(schema, keywords, size_of, path)
    }

    fn object(&mut self, schema: &'a Map, members: &Map, path: &Path) -> Fits {
        if let Some(required) = self.said(schema, "required", path, Value::as_array)? {
            self.budget.spend_on(required.len())?;
            for name in required {
                match name.as_str() {
                    Some(name) if members.contains_key(name) => {}
                    Some(name) => return broken(&path.key(name), "required"),
                    None => self.unsupported(path, "required")?,
                }
            }
        }
        self.size(schema, ["minProperties", "maxProperties"], members.len(), path)?;
        self.budget.spend_on(members.len())?;
        let properties = self.said(schema, "properties", path, Value::as_object)?;
        let by_pattern = self.said(schema, "patternProperties", path, Value::as_object)?;
        for (name, value) in members {
            let inner = path.key(name);
            if let Some(names) = schema.get("propertyNames") {
                self.walk(names, &Value::from(name.as_str()), &inner)?;
            }
            let property = properties.and_then(|properties| properties.get(name));
            if let Some(property) = property {
                self.walk(property, value, &inner)?;
            }
            let matched = self.by_pattern(by_pattern, name, value, &inner)?;
            if property.is_none()
                && !matched
                && let Some(additional) = schema.get("additionalProperties")
            {
                if additional.as_bool() == Some(false) {
                    return broken(&inner, "additionalProperties");
                }
                self.walk(additional, value, &inner)?;
            }
        }
        Ok(())
    }

    /// Validates a member by every pattern that its name matches; returns whether one does.
    fn by_pattern(
        &mut self,
        patterns: Option<&'a Map>,
        name: &str,
        value: &Value,
        path: &Path,
    ) -> Result<bool, SchemaError> {
        let mut matched = false;
        for (pattern, schema) in patterns.into_iter().flatten() {
            match self.patterns.matches(pattern, name, &mut self.budget)? {
                Some(true) => {
                    matched = true;
                    self.walk(schema, value, path)?;
                }
                Some(false) => {}
                None => {
                    // The pattern is ignored, and with it the rest that it would leave over.
                    matched = true;
                    self.unsupported(path, "patternProperties")?;
                }
            }
        }
        Ok(matched)
    }

    fn array(&mut self, schema: &'a Map, items: &[Value], path: &Path) -> Fits {
        self.size(schema, ["minItems", "maxItems"], items.len(), path)?;
        if self.said(schema, "uniqueItems", path, Value::as_bool)? == Some(true) {
            for (index, item) in items.iter().enumerate() {
                self.budget.spend_on_comparing(item, index)?;
                if items.iter().take(index).any(|other| other == item) {
                    return broken(&path.index(index), "uniqueItems");
                }
            }
        }
        // A list of schemas means one for each position, which is not supported.
        let each = |value: &'a Value| (value.is_object() || value.as_bool().is_some()).then_some(value);
        let each = self.said(schema, "items", path, each)?;
        // If schemas for the first positions are ignored, the items that they leave over are unknown.
        if let Some(each) = each.filter(|_| !schema.contains_key("prefixItems")) {
            for (index, item) in items.iter().enumerate() {
                self.walk(each, item, &path.index(index))?;
            }
        }
        Ok(())
    }

    fn string(&mut self, schema: &'a Map, text: &str, path: &Path) -> Fits {
        self.budget.spend_on(text.len())?;
        self.size(schema, ["minLength", "maxLength"], text.chars().count(), path)?;
        let email = |format: &Value| (format.as_str() == Some("email")).then(|| is_email(text));
        if self.said(schema, "format", path, email)? == Some(false) {
            return broken(path, "format");
        }
        let Some(pattern) = self.said(schema, "pattern", path, Value::as_str)? else { return Ok(()) };
        match self.patterns.matches(pattern, text, &mut self.budget)? {
            Some(true) => Ok(()),
            Some(false) => broken(path, "pattern"),
            None => self.unsupported(path, "pattern"),
        }
    }

    fn combinators(&mut self, schema: &'a Map, input: &Value, path: &Path) -> Fits {
        for part in self.said(schema, "allOf", path, Value::as_array)?.into_iter().flatten() {
            self.walk(part, input, path)?;
        }
        if let Some(parts) = self.said(schema, "anyOf", path, Value::as_array)? {
            self.count(("anyOf", 1), parts, input, path, |fits| fits > 0)?;
        }
        if let Some(parts) = self.said(schema, "oneOf", path, Value::as_array)? {
            self.count(("oneOf", 2), parts, input, path, |fits| fits == 1)?;
        }
        let Some(not) = schema.get("not") else { return Ok(()) };
        match self.walk(not, input, path) {
            Ok(()) => broken(path, "not"),
            Err(SchemaError::Breach { .. }) => Ok(()),
            Err(unknown) => Err(unknown),
        }
    }

    /// Whether as many of some schemas match as a keyword requires. The number is settled once there
    /// are `enough`; schemas with an unknown result are counted both ways, and the result is unknown if
    /// these differ.
    fn count(
        &mut self,
        (keyword, enough): (&'static str, usize),
        parts: &'a [Value],
        input: &Value,
        path: &Path,
        is_right: fn(usize) -> bool,
    ) -> Fits {
        let (mut fits, mut unknown) = (0_usize, Vec::new());
        for part in parts {
            match self.walk(part, input, path) {
                Ok(()) => fits = fits.saturating_add(1),
                Err(SchemaError::Breach { .. }) => {}
                Err(SchemaError::BudgetExceeded) => return Err(SchemaError::BudgetExceeded),
                Err(unsupported) => unknown.push(unsupported),
            }
            if fits == enough {
                break;
            }
        }
        let mut possible = fits..=fits.saturating_add(unknown.len());
        let is_certain = possible.clone().all(is_right);
        match unknown.into_iter().next() {
            _ if is_certain => Ok(()),
            Some(unsupported) if possible.any(is_right) => Err(unsupported),
            _ => broken(path, keyword),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_json::{Limits, parse};

    fn judged(schema: &str, input: &str, unsupported: Unsupported) -> Option<SchemaError> {
        let read = |text: &str| parse(text.as_bytes(), &Limits::default()).unwrap();
        misfit(&read(schema), &read(input), unsupported, &mut |_| true)
    }

    fn found(schema: &str, input: &str) -> Option<String> {
        judged(schema, input, Unsupported::Refused).map(|misfit| misfit.to_string())
    }

    /// The keyword whose result is unknown; `None` if there is a result.
    fn unsupported(schema: &str, input: &str) -> Option<String> {
        match judged(schema, input, Unsupported::Refused) {
            Some(SchemaError::Unsupported { keyword, .. }) => Some(keyword),
            _ => None,
        }
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
            ("true", "1"),
            (r#"{"format":"email"}"#, "\"noreply@noreply.mozilla.org\""),
            (r#"{"format":"date"}"#, "1"),
            (r#"{"not":{"type":"string"}}"#, "1"),
            (r#"{"propertyNames":{"maxLength":1}}"#, r#"{"a":1}"#),
            (r#"{"patternProperties":{"^a":{"type":"string"}}}"#, r#"{"ab":"x","b":1}"#),
            (r#"{"title":1,"description":"a","default":{},"$schema":"x","$id":"y","definitions":{}}"#, "1"),
        ] {
            assert_eq!(found(schema, input), None, "{schema} {input}");
        }
    }

    #[test]
    fn inputs_that_do_not() {
        for (schema, input, expected) in [
            (r#"{"type":"object"}"#, "null", "$ violates type"),
            (r#"{"properties":{"times":{"maximum":6}}}"#, r#"{"times":7}"#, "times violates maximum"),
            (r#"{"properties":{"times":{"type":"integer"}}}"#, r#"{"times":true}"#, "times violates type"),
            (
                r#"{"additionalProperties":false,"properties":{}}"#,
                r#"{"x":1}"#,
                "x violates additionalProperties",
            ),
            (r#"{"additionalProperties":{"type":"string"}}"#, r#"{"x":1}"#, "x violates type"),
            (r#"{"required":["a"]}"#, "{}", "a violates required"),
            (r#"{"items":{"type":"string"}}"#, r#"["a",1]"#, "[1] violates type"),
            (r#"{"enum":["a"]}"#, "\"b\"", "$ violates enum"),
            (r#"{"const":true}"#, "1", "$ violates const"),
            (r#"{"minItems":1}"#, "[]", "$ violates minItems"),
            (r#"{"maxLength":2}"#, "\"abc\"", "$ violates maxLength"),
            (r#"{"pattern":"^a$"}"#, "\"b\"", "$ violates pattern"),
            (r#"{"exclusiveMinimum":1}"#, "1", "$ violates exclusiveMinimum"),
            (r#"{"uniqueItems":true}"#, "[1,1.0]", "[1] violates uniqueItems"),
            (r#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#, "1", "$ violates anyOf"),
            (r#"{"oneOf":[{"type":"string"},{"type":"null"}]}"#, "1", "$ violates oneOf"),
            (r#"{"oneOf":[{"type":"integer"},{"minimum":1}]}"#, "1", "$ violates oneOf"),
            (r#"{"not":{"type":"integer"}}"#, "1", "$ violates not"),
            (r#"{"format":"email"}"#, "\"a b@example.com\"", "$ violates format"),
            (r#"{"propertyNames":{"maxLength":1}}"#, r#"{"ab":1}"#, "ab violates maxLength"),
            (r#"{"patternProperties":{"^a":{"type":"string"}}}"#, r#"{"ab":1}"#, "ab violates type"),
            (
                r#"{"additionalProperties":false,"patternProperties":{"^x":{}}}"#,
                r#"{"y":1}"#,
                "y violates additionalProperties",
            ),
            (r#"{"allOf":[{"type":"string"}]}"#, "1", "$ violates type"),
            ("false", "1", "$ violates false"),
        ] {
            assert_eq!(found(schema, input).as_deref(), Some(expected), "{schema} {input}");
        }
    }

    #[test]
    fn every_type_is_distinguished() {
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
                let breach = (!fits).then(|| "$ violates type".to_owned());
                assert_eq!(found(&format!(r#"{{"type":"{wanted}"}}"#), input), breach, "{wanted} {input}");
                let listed = format!(r#"{{"type":["{wanted}"]}}"#);
                assert_eq!(found(&listed, input), breach, "{wanted} {input}");
            }
        }
    }

    #[test]
    fn unsupported_keywords_prevent_a_match() {
        for (schema, input, keyword) in [
            (r##"{"$ref":"#/definitions/x"}"##, "1", "$ref"),
            (r#"{"if":{},"then":false}"#, "1", "if"),
            (r#"{"multipleOf":2}"#, "1", "multipleOf"),
            (r#"{"type":"date"}"#, "1", "type"),
            (r#"{"type":["string",7]}"#, "1", "type"),
            (r#"{"enum":1}"#, "1", "enum"),
            (r#"{"pattern":"(?=x)"}"#, "\"y\"", "pattern"),
            (r#"{"pattern":1}"#, "\"y\"", "pattern"),
            (r#"{"format":"date-time"}"#, "\"y\"", "format"),
            (r#"{"patternProperties":{"(?=x)":{}}}"#, r#"{"a":1}"#, "patternProperties"),
            (r#"{"required":[1]}"#, "{}", "required"),
            (r#"{"minLength":"2"}"#, "\"y\"", "minLength"),
            (r#"{"minimum":0,"exclusiveMinimum":true}"#, "1", "exclusiveMinimum"),
            (r#"{"items":[{"type":"string"}]}"#, "[1]", "items"),
            (r#"{"items":{"type":"string"},"prefixItems":[]}"#, "[1]", "prefixItems"),
            (r#"{"uniqueItems":1}"#, "[1]", "uniqueItems"),
            (r#"{"allOf":{}}"#, "1", "allOf"),
            (r#"{"anyOf":[{"type":"string"},{"contains":{}}]}"#, "1", "contains"),
            (
                r#"{"properties":{"a":null}}"#,
                r#"{"a":1}"#,
                "a schema that is neither an object nor a boolean",
            ),
            ("null", "1", "a schema that is neither an object nor a boolean"),
        ] {
            assert_eq!(unsupported(schema, input).as_deref(), Some(keyword), "{schema} {input}");
            assert_eq!(judged(schema, input, Unsupported::Ignored), None, "{schema} {input}");
        }
        // If they are ignored, they have no effect even if that counts against an input.
        for (schema, breach) in [
            (r#"{"oneOf":[{"type":"integer"},{"contains":{}}]}"#, "$ violates oneOf"),
            (r#"{"not":{"contains":{}}}"#, "$ violates not"),
        ] {
            assert_eq!(unsupported(schema, "1").as_deref(), Some("contains"), "{schema}");
            let ignored = judged(schema, "1", Unsupported::Ignored).map(|misfit| misfit.to_string());
            assert_eq!(ignored.as_deref(), Some(breach), "{schema}");
        }
        // The known results suffice, whatever the unknown ones are.
        for (schema, input, breach) in [
            (r#"{"anyOf":[{"contains":{}},{"type":"integer"}]}"#, "1", None),
            (r#"{"oneOf":[{"contains":{}},true,true]}"#, "1", Some("$ violates oneOf")),
            (r#"{"type":"string","$ref":"x"}"#, "1", Some("$ violates type")),
            (r#"{"properties":{"a":{"$ref":"x"}}}"#, r#"{"b":1}"#, None),
        ] {
            assert_eq!(found(schema, input).as_deref(), breach, "{schema} {input}");
        }
    }

    #[test]
    fn keywords_are_sorted_since_they_are_looked_up() {
        assert!(JUDGED.is_sorted() && ANNOTATIONS.is_sorted());
        assert!(!JUDGED.iter().any(|keyword| ANNOTATIONS.contains(keyword)));
    }

    #[test]
    fn addresses_of_mail_are_words_at_hosts() {
        for (text, is) in [
            ("a@b", true),
            ("first.last+tag@mail.example.com", true),
            ("a@b@c", false),
            ("@b", false),
            ("a@", false),
            ("a..b@c", false),
            ("a@-b", false),
            ("a@b.", false),
            ("\u{e9}@b", false),
        ] {
            assert_eq!(is_email(text), is, "{text}");
        }
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
            assert_eq!(judged(least), [Some(format!("$ violates {least}")), None, None]);
            assert_eq!(judged(most), [None, None, Some(format!("$ violates {most}"))]);
        }
        let judged = |keyword: &str| {
            ["1", "2", "3"].map(|input| found(&format!("{{\"{keyword}\":2}}"), input).is_none())
        };
        assert_eq!(judged("exclusiveMinimum"), [false, false, true]);
        assert_eq!(judged("exclusiveMaximum"), [true, false, false]);
    }

    #[test]
    fn annotations_have_no_effect() {
        for (schema, input) in [
            (r#"{"additionalProperties":false,"patternProperties":{"x":{}}}"#, r#"{"x":1}"#),
            (r#"{"additionalProperties":true}"#, r#"{"x":1}"#),
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
            Some("[1] violates pattern")
        );
        assert_eq!(found(r#"{"items":false}"#, "[1]").as_deref(), Some("[0] violates false"));
        assert_eq!(found(r#"{"oneOf":[]}"#, "1").as_deref(), Some("$ violates oneOf"));
    }

    const BEYOND: &str = "the schema or the input exceeds the limit of work";

    #[test]
    fn a_multiplying_schema_exceeds_the_limit() {
        let mut schema = "false".to_owned();
        for _ in 0..30 {
            schema = format!("{{\"anyOf\":[{schema},{schema}]}}");
            if schema.len() > 1 << 20 {
                break;
            }
        }
        assert_eq!(found(&schema, "1").as_deref(), Some(BEYOND));
        assert_eq!(found(&format!("{{\"anyOf\":[{schema},true]}}"), "1").as_deref(), Some(BEYOND));
        assert_eq!(
            found(&format!("{{\"allOf\":[false,{schema}]}}"), "1").as_deref(),
            Some("$ violates false")
        );
    }

    #[test]
    fn costly_schemas_exceed_the_limit_and_usual_ones_do_not() {
        let list = |item: fn(usize) -> String, count| (0..count).map(item).collect::<Vec<_>>().join(",");
        let numbers = |count| format!("[{}]", list(|number| number.to_string(), count));
        let members = format!("{{{}}}", list(|number| format!("\"n{number}\":1"), 50_000));
        let patterns = list(|number| format!("{{\"pattern\":\"{number}|a\"}}"), 250);
        let everything = format!("{{\"allOf\":[{}]}}", vec!["{\"properties\":{}}"; 40].join(","));
        for (schema, input) in [
            (r#"{"uniqueItems":true}"#.to_owned(), numbers(2_000)),
            (format!("{{\"items\":{{\"enum\":{}}}}}", numbers(50_000)), numbers(50)),
            (
                format!("{{\"items\":{{\"required\":[{}]}}}}", vec!["\"a\""; 50_000].join(",")),
                format!("[{}]", vec!["{\"a\":1}"; 50].join(",")),
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
