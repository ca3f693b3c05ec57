//! The names an expression can use.

use crate::builtins::Builtin;
use crate::datum::{Datum, Function};
use crate::error::ErrorKind;
use crate::limits::Limits;
use crate::text::is_identifier;
use catena_json::{Map, Value};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// A function of the host: gets its arguments as JSON, returns a value, or the reason why it cannot.
pub type HostFunction = Arc<dyn Fn(&[Value]) -> Result<Value, String> + Send + Sync>;

/// The meaning of a name in the context.
#[derive(Clone)]
pub enum Binding {
    /// A value.
    Value(Value),
    /// A function.
    Function(HostFunction),
}

impl fmt::Debug for Binding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(out, "{value:?}"),
            Self::Function(_) => out.write_str("function"),
        }
    }
}

/// The names a template is rendered with. They hide built-ins of the same name.
///
/// `now` is the time, as `2017-01-19T16:27:20.974Z`; there is no other clock.
#[derive(Clone, Debug, Default)]
pub struct Context {
    bindings: IndexMap<String, Binding>,
    numbers: Numbers,
}

/// How numbers are printed, by `$json` and inside strings. The implementations of JSON-e print them as their
/// languages do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// As Python does: `1e-05`, `1.0`, integers of any size.
    #[default]
    Python,
    /// As JavaScript does: `0.00001`, `1`, and beyond 2^53 the nearest float.
    JavaScript,
}

impl Context {
    /// A context without names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Binds a name to a value, replacing an earlier binding.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) -> &mut Self {
        self.bindings.insert(name.into(), Binding::Value(value.into()));
        self
    }

    /// Binds a name to a function, replacing an earlier binding.
    pub fn set_function<F>(&mut self, name: impl Into<String>, function: F) -> &mut Self
    where
        F: Fn(&[Value]) -> Result<Value, String> + Send + Sync + 'static,
    {
        self.bindings.insert(name.into(), Binding::Function(Arc::new(function)));
        self
    }

    /// Sets how numbers are printed.
    pub fn print_numbers(&mut self, numbers: Numbers) -> &mut Self {
        self.numbers = numbers;
        self
    }

    pub(crate) fn numbers(&self) -> Numbers {
        self.numbers
    }

    /// The values among what it names, in the order in which they were set.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.bindings.iter().filter_map(|(name, binding)| match binding {
            Binding::Value(value) => Some((name.as_str(), value)),
            Binding::Function(_) => None,
        })
    }

    /// What a name stands for; built-ins are not included.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Binding> {
        self.bindings.get(name)
    }
}

impl From<Map> for Context {
    fn from(map: Map) -> Self {
        map.into_iter().map(|(name, value)| (name, Binding::Value(value))).collect()
    }
}

impl FromIterator<(String, Binding)> for Context {
    fn from_iter<I: IntoIterator<Item = (String, Binding)>>(bindings: I) -> Self {
        Self { bindings: bindings.into_iter().collect(), numbers: Numbers::default() }
    }
}

/// The names at one place of the template: those given there, then those around it.
pub(crate) struct Scope<'a> {
    outer: Option<&'a Scope<'a>>,
    names: HashMap<Rc<str>, Datum>,
}

impl Scope<'_> {
    /// The outermost names: the built-ins and the context.
    pub(crate) fn outermost(context: &Context, limits: &Limits) -> Result<Self, ErrorKind> {
        let mut names: HashMap<Rc<str>, Datum> = Builtin::ALL
            .iter()
            .map(|builtin| (Rc::from(builtin.name()), Datum::Function(Function::Builtin(*builtin))))
            .collect();
        for (name, binding) in &context.bindings {
            if !is_identifier(name) {
                return Err(ErrorKind::ContextName);
            }
            let name: Rc<str> = Rc::from(name.as_str());
            let datum = match binding {
                Binding::Value(value) => Datum::import(value, limits)?,
                Binding::Function(call) => {
                    Datum::Function(Function::Host { name: Rc::clone(&name), call: Arc::clone(call) })
                }
            };
            names.insert(name, datum);
        }
        Ok(Self { outer: None, names })
    }

    /// A place inside this one, with no names of its own yet.
    pub(crate) fn inner(&self) -> Scope<'_> {
        Scope { outer: Some(self), names: HashMap::new() }
    }

    pub(crate) fn set(&mut self, name: Rc<str>, value: Datum) {
        self.names.insert(name, value);
    }

    /// Looks a name up, from the inside to the outside. There are at most as many places around
    /// each other as the template is deep.
    pub(crate) fn get(&self, name: &str) -> Option<&Datum> {
        let mut scope = Some(self);
        while let Some(place) = scope {
            if let Some(datum) = place.names.get(name) {
                return Some(datum);
            }
            scope = place.outer;
        }
        None
    }

    /// The time, if the context has one.
    pub(crate) fn now(&self) -> Option<&Datum> {
        self.get("now").filter(|now| !matches!(now, Datum::Null))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_names_hide_outer_ones() {
        let mut context = Context::new();
        context.set("a", 1_i64).set("len", "hidden").set_function("f", |_| Ok(Value::Null));
        let limits = Limits::default();
        let outer = Scope::outermost(&context, &limits).unwrap();
        let mut inner = outer.inner();
        inner.set(Rc::from("a"), Datum::Null);
        assert!(matches!(inner.get("a"), Some(Datum::Null)));
        assert!(matches!(outer.get("a"), Some(Datum::Number(_))));
        assert!(matches!(inner.get("len"), Some(Datum::String(_))));
        assert!(matches!(inner.get("f"), Some(Datum::Function(Function::Host { .. }))));
        assert!(matches!(inner.get("min"), Some(Datum::Function(Function::Builtin(Builtin::Min)))));
        assert!(inner.get("b").is_none());
    }

    #[test]
    fn names_that_expressions_cannot_use_are_refused() {
        let limits = Limits::default();
        for name in ["", "a-b", "1a", "a.b"] {
            let mut context = Context::new();
            context.set(name, Value::Null);
            assert_eq!(Scope::outermost(&context, &limits).err(), Some(ErrorKind::ContextName), "{name:?}");
        }
    }

    #[test]
    fn a_context_is_made_from_an_object() {
        let map: Map = [("a".to_owned(), Value::Bool(true))].into_iter().collect();
        let context = Context::from(map);
        assert!(matches!(context.get("a"), Some(Binding::Value(Value::Bool(true)))));
        assert!(context.get("len").is_none());
        assert_eq!(format!("{context:?}"), "Context { bindings: {\"a\": Bool(true)}, numbers: Python }");
    }
}
