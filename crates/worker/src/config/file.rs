//! A configuration file as typed values with their places.

use super::problem::{Problems, Severity};
use super::settings::{Default, Role, SETTINGS, Setting, Shape, nearest, setting};
use catena_json::{Map, Value};
use catena_yaml::{Limits, Mark, Node, NodeValue};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a configuration; the largest known has 20 KB.
const MAX_BYTES: usize = 1 << 20;
/// The key under which scriptworker has a value for each product.
const BY_PRODUCT: &str = "by-cot-product";
/// What a template leaves where a person must write something.
const PLACEHOLDER: &str = "...";

/// The keys of a file, each with a value of its type.
#[derive(Debug, std::default::Default)]
pub(super) struct File {
    found: BTreeMap<&'static str, (Mark, Value)>,
    /// Keys that the file has, with a value that fits or not.
    mentioned: BTreeSet<&'static str>,
}

impl File {
    /// Reads a file. What has the wrong type is told of and counts as absent.
    pub(super) fn read(text: &[u8], problems: &mut Problems) -> Self {
        let limits = Limits { bytes: MAX_BYTES, ..Limits::default() };
        let document = match catena_yaml::load_bytes(text, &limits) {
            Ok(document) => document,
            Err(error) => {
                problems.error(None, format!("the file is not YAML: {error}"));
                return Self::default();
            }
        };
        let NodeValue::Mapping(entries) = &document.root.value else {
            problems.error(Some(document.root.mark), "the file must hold a map of keys to values");
            return Self::default();
        };
        let mut file = Self::default();
        entries.iter().for_each(|(key, value)| file.take(key, value, problems));
        file.resolve_products(problems);
        file.check_presence(problems);
        file
    }

    fn take(&mut self, key: &Node, value: &Node, problems: &mut Problems) {
        let name = match &key.value {
            NodeValue::String(name) => name.clone(),
            other => return problems.error(Some(key.mark), format!("a key must be text, not {other:?}")),
        };
        let path = problems.file().display().to_string();
        let Some(setting) = setting(&name) else {
            let shown: String = name.chars().take(100).collect();
            let hint = nearest(&name).map_or(String::new(), |near| format!(" Did you mean {near}?"));
            return problems.error(Some(key.mark), format!("Unknown key {shown} in {path}!{hint}"));
        };
        if let Role::Ignored(because) = setting.role {
            problems.add(Severity::Ignored, Some(key.mark), format!("{name}: {because}"));
        }
        self.mentioned.insert(setting.name);
        match json(setting.name, value) {
            Ok(value) => drop(self.found.insert(setting.name, (key.mark, value))),
            Err((mark, what)) => {
                problems.error(Some(mark), format!("{path} {name}: {what} cannot stand here"))
            }
        }
    }

    /// Replaces what is given for each product by what is given for the worker's, and checks all types.
    fn resolve_products(&mut self, problems: &mut Problems) {
        let product = self.text("cot_product").map(str::to_owned);
        let mut fitting = BTreeMap::new();
        for (name, (mark, value)) in std::mem::take(&mut self.found) {
            let Some(setting) = setting(name) else { continue };
            let value = match (setting.role, value.get(BY_PRODUCT)) {
                (Role::Product | Role::OwnProduct, Some(by_product)) => {
                    let Some(product) = &product else { continue };
                    match by_product.get(product) {
                        Some(value) => value.clone(),
                        None => {
                            let what = format!("Product {product} not specified for key {name}");
                            problems.error(Some(mark), what);
                            continue;
                        }
                    }
                }
                _ => value,
            };
            if fits(setting, &value, mark, problems) {
                fitting.insert(name, (mark, value));
            }
        }
        self.found = fitting;
    }

    fn check_presence(&self, problems: &mut Problems) {
        let path = problems.file().display().to_string();
        for setting in SETTINGS.iter().filter(|setting| setting.default == Default::Required) {
            if !self.mentioned.contains(setting.name) {
                problems.error(None, format!("{path} {} needs to be defined!", setting.name));
            }
        }
    }

    /// Where a key stands.
    pub(super) fn mark(&self, name: &str) -> Option<Mark> {
        self.found.get(name).map(|(mark, _)| *mark)
    }

    /// What the file says under a key.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.found.get(name).map(|(_, value)| value)
    }

    /// Takes a value out, so that no copy of it stays here.
    pub(super) fn take_value(&mut self, name: &str) -> Option<Value> {
        self.found.remove(name).map(|(_, value)| value)
    }

    /// Changes the value of a key that the file has.
    pub(super) fn change(&mut self, name: &str, change: &dyn Fn(&mut Value)) {
        if let Some((_, value)) = self.found.get_mut(name) {
            change(value);
        }
    }

    /// A text, or the default.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match (self.value(name), setting(name)?.default) {
            (Some(value), _) => value.as_str(),
            (None, Default::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A whole number, or the default.
    pub(super) fn whole(&self, name: &str) -> i64 {
        match (self.value(name), setting(name).map(|setting| setting.default)) {
            (Some(value), _) => value.as_i64().unwrap_or_default(),
            (None, Some(Default::Whole(number))) => number,
            _ => 0,
        }
    }

    /// A truth value, or the default.
    pub(super) fn truth(&self, name: &str) -> bool {
        match (self.value(name), setting(name).map(|setting| setting.default)) {
            (Some(value), _) => value.as_bool().unwrap_or_default(),
            (None, Some(Default::Truth(truth))) => truth,
            _ => false,
        }
    }

    /// The settings that a policy is made from.
    pub(super) fn trust(&self) -> Value {
        let is_trust = |name: &str| {
            setting(name).is_some_and(|setting| matches!(setting.role, Role::Policy | Role::Product))
        };
        let trust = self.found.iter().filter(|(name, _)| is_trust(name));
        Value::Object(trust.map(|(name, (_, value))| ((*name).to_owned(), value.clone())).collect::<Map>())
    }
}

/// A value as JSON. `reversed_statuses` has numbers for keys, which become text.
fn json(name: &str, node: &Node) -> Result<Value, (Mark, String)> {
    let value = match (&node.value, name) {
        (NodeValue::Mapping(entries), "reversed_statuses") => {
            let mut map = Map::new();
            for (key, value) in entries {
                let key = match &key.value {
                    NodeValue::Int(number) => number.to_string(),
                    NodeValue::String(text) => text.clone(),
                    _ => return Err((key.mark, "a key that is not a number".to_owned())),
                };
                map.insert(key, value.to_json().map_err(|error| (error.mark, error.what.to_string()))?);
            }
            Value::Object(map)
        }
        _ => node.to_json().map_err(|error| (error.mark, error.what.to_string()))?,
    };
    Ok(value)
}

/// Whether a value has the type of its key; one that has not is told of.
fn fits(setting: &Setting, value: &Value, mark: Mark, problems: &mut Problems) -> bool {
    let (path, name) = (problems.file().display().to_string(), setting.name);
    if value.is_null() {
        // Null product, null trust settings and null credentials mean that the file does not say.
        if !matches!(setting.role, Role::Product) && !matches!(name, "cot_product" | "credentials") {
            problems.error(Some(mark), format!("{path} {name} needs to be defined!"));
        }
        return false;
    }
    let found = shape(value);
    let right = match setting.shape {
        Shape::TextOrList => matches!(found, Some(Shape::Text | Shape::List)),
        wanted => found == Some(wanted),
    };
    if !right {
        let (found, wanted) = (python_type(value), setting.shape.python());
        problems.error(Some(mark), format!("{path} {name}: type {found} is not {wanted}!"));
        return false;
    }
    if setting.shape == Shape::Whole && value.as_i64().is_none() {
        problems.error(Some(mark), format!("{path} {name}: {value} is too large"));
        return false;
    }
    if value.as_str() == Some(PLACEHOLDER) {
        problems.error(Some(mark), format!("{path} {name} needs to be defined!"));
        return false;
    }
    true
}

fn shape(value: &Value) -> Option<Shape> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => Shape::Truth,
        Value::Number(number) if number.is_integer() => Shape::Whole,
        Value::Number(_) => return None,
        Value::String(_) => Shape::Text,
        Value::Array(_) => Shape::List,
        Value::Object(_) => Shape::Map,
    })
}

impl Shape {
    /// The type's name in Python, which scriptworker's messages have.
    fn python(self) -> &'static str {
        match self {
            Self::Text => "<class 'str'>",
            Self::Whole => "<class 'int'>",
            Self::Truth => "<class 'bool'>",
            Self::List => "<class 'tuple'>",
            Self::Map => "<class 'immutabledict.immutabledict'>",
            Self::TextOrList => "<class 'str'> or <class 'tuple'>",
        }
    }
}

fn python_type(value: &Value) -> &'static str {
    shape(value).map_or("<class 'float'>", Shape::python)
}
