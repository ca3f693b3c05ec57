//! Evaluates expressions.

use crate::builtins;
use crate::context::{HostFunction, Scope};
use crate::datum::{Datum, Function, Members, Object};
use crate::error::{ErrorKind, Fault};
use crate::expression::{Action, Binary, Comparison, Expression, Head, Step};
use crate::limits::Budget;
use crate::number::{Arithmetic, Number};
use crate::parser::OPERANDS;
use crate::text::python_str;
use indexmap::IndexMap;
use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive;
use std::cmp::Ordering;
use std::rc::Rc;

/// Evaluates expressions with the names of one place of a template.
pub(crate) struct Evaluator<'a> {
    pub(crate) scope: &'a Scope<'a>,
    pub(crate) budget: &'a Budget<'a>,
}

impl Evaluator<'_> {
    /// The expression's value. Recursion is as deep as the expression, which the parser limits.
    pub(crate) fn evaluate(&self, expression: &Expression) -> Result<Datum, Fault> {
        self.budget.spend(1)?;
        let mut value = self.head(expression)?;
        for step in &expression.steps {
            self.budget.spend(1)?;
            value = self.step(&value, step)?;
        }
        Ok(value)
    }

    // What recurses is kept in small functions of its own, so that its frames are small as well.
    fn head(&self, expression: &Expression) -> Result<Datum, Fault> {
        match &expression.head {
            Head::Null => Ok(Datum::Null),
            Head::Bool(value) => Ok(Datum::Bool(*value)),
            Head::Number(number) => Ok(Datum::Number(number.clone())),
            Head::String(text) => Ok(Datum::String(Rc::clone(text))),
            Head::Name(name) => self.name(name).map_err(|kind| Fault::from(kind).at(expression.offset)),
            Head::List(items) => self.list(items, expression.offset),
            Head::Object(members) => self.object(members, expression.offset),
            Head::Missing(found) => Err(missing(found, expression.offset)),
        }
    }

    fn list(&self, items: &[Expression], offset: usize) -> Result<Datum, Fault> {
        let values = self.all(items)?;
        Datum::array(values, self.budget.limits).map_err(|kind| Fault::from(kind).at(offset))
    }

    fn object(&self, members: &IndexMap<Rc<str>, Expression>, offset: usize) -> Result<Datum, Fault> {
        let mut values = Members::with_capacity(members.len());
        for (key, member) in members {
            values.insert(Rc::clone(key), self.evaluate(member)?);
        }
        Datum::object(values, self.budget.limits).map_err(|kind| Fault::from(kind).at(offset))
    }

    fn all(&self, expressions: &[Expression]) -> Result<Vec<Datum>, Fault> {
        let mut values = Vec::with_capacity(expressions.len());
        for expression in expressions {
            values.push(self.evaluate(expression)?);
        }
        Ok(values)
    }

    fn optional(&self, expression: Option<&Expression>) -> Result<Option<Datum>, Fault> {
        match expression {
            Some(expression) => self.evaluate(expression).map(Some),
            None => Ok(None),
        }
    }

    fn name(&self, name: &str) -> Result<Datum, ErrorKind> {
        match self.scope.get(name) {
            Some(datum) => Ok(datum.clone()),
            None if name == "now" => Err(ErrorKind::NoClock),
            None => Err(ErrorKind::UnknownName { name: name.to_owned() }),
        }
    }

    fn step(&self, value: &Datum, step: &Step) -> Result<Datum, Fault> {
        match &step.action {
            Action::Binary(operator, right) => self.infix(value, *operator, right, step.offset),
            Action::Raise(base) => self.raise(value, base, step.offset),
            Action::Index(index, ignored) => self.indexed(value, index, ignored.as_deref(), step.offset),
            Action::Slice(from, to) => self.sliced(value, from.as_deref(), to.as_deref(), step.offset),
            Action::Call(arguments) => self.called(value, arguments, step.offset),
            Action::Not => Ok(Datum::Bool(!value.is_truthy())),
            Action::Sign(sign) => signed(value, *sign).map_err(|kind| Fault::from(kind).at(step.offset)),
            Action::Member(name) => member(value, name).map_err(|kind| Fault::from(kind).at(step.offset)),
        }
    }

    fn infix(
        &self,
        left: &Datum,
        operator: Binary,
        right: &Expression,
        offset: usize,
    ) -> Result<Datum, Fault> {
        // These two evaluate the left side first.
        match operator {
            Binary::Or if left.is_truthy() => return Ok(Datum::Bool(true)),
            Binary::And if !left.is_truthy() => return Ok(Datum::Bool(false)),
            _ => {}
        }
        let right = self.evaluate(right)?;
        self.binary(operator, left, &right).map_err(|kind| Fault::from(kind).at(offset))
    }

    fn raise(&self, exponent: &Datum, base: &Expression, offset: usize) -> Result<Datum, Fault> {
        let base = self.evaluate(base)?;
        calculate(Arithmetic::Power, &base, exponent, self.budget)
            .map_err(|kind| Fault::from(kind).at(offset))
    }

    fn indexed(
        &self,
        value: &Datum,
        index: &Expression,
        ignored: Option<&Expression>,
        offset: usize,
    ) -> Result<Datum, Fault> {
        let index = self.evaluate(index)?;
        self.optional(ignored)?;
        self.index(value, &index).map_err(|kind| Fault::from(kind).at(offset))
    }

    fn sliced(
        &self,
        value: &Datum,
        from: Option<&Expression>,
        to: Option<&Expression>,
        offset: usize,
    ) -> Result<Datum, Fault> {
        let from = self.optional(from)?;
        let to = self.optional(to)?;
        self.slice(value, from.as_ref(), to.as_ref()).map_err(|kind| Fault::from(kind).at(offset))
    }

    fn called(&self, value: &Datum, arguments: &[Expression], offset: usize) -> Result<Datum, Fault> {
        let Datum::Function(function) = value else {
            return Err(Fault::from(self.not_callable(value)?).at(offset));
        };
        let arguments = self.all(arguments)?;
        self.call(function, &arguments).map_err(|kind| Fault::from(kind).at(offset))
    }

    fn not_callable(&self, value: &Datum) -> Result<ErrorKind, Fault> {
        Ok(ErrorKind::NotCallable { value: python_str(value, self.budget)? })
    }

    fn binary(&self, operator: Binary, left: &Datum, right: &Datum) -> Result<Datum, ErrorKind> {
        match operator {
            Binary::Equal => left.equals(right, self.budget).map(Datum::Bool),
            Binary::Unequal => left.equals(right, self.budget).map(|equal| Datum::Bool(!equal)),
            Binary::In => self.contains(left, right).map(Datum::Bool),
            Binary::Compare(comparison) => compare(comparison, left, right, self.budget).map(Datum::Bool),
            Binary::Calculate(Arithmetic::Add) => self.add(left, right),
            Binary::Calculate(operation) => calculate(operation, left, right, self.budget),
            // Reached when the left side alone does not decide.
            Binary::Or | Binary::And => Ok(Datum::Bool(right.is_truthy())),
        }
    }

    fn add(&self, left: &Datum, right: &Datum) -> Result<Datum, ErrorKind> {
        match (left, right) {
            (Datum::String(left), Datum::String(right)) => {
                self.budget.spend_string(left.len().saturating_add(right.len()))?;
                Ok(Datum::string([left.as_ref(), right.as_ref()].concat()))
            }
            (Datum::Number(left), Datum::Number(right)) => {
                Number::calculate(Arithmetic::Add, left, right, self.budget).map(Datum::Number)
            }
            _ => Err(ErrorKind::Operands { operator: "+", expected: "numbers/strings + numbers/strings" }),
        }
    }

    /// `item in collection`
    fn contains(&self, item: &Datum, collection: &Datum) -> Result<bool, ErrorKind> {
        let key = || match item {
            Datum::String(key) => Some(key),
            _ => None,
        };
        let refused = |operator, expected| ErrorKind::Operands { operator, expected };
        match collection {
            Datum::Object(object) => {
                let key = key().ok_or_else(|| {
                    refused("in-object", "string on left side in-object string on left side")
                })?;
                Ok(object.get(key).is_some())
            }
            Datum::String(text) => {
                let part = key().ok_or_else(|| {
                    refused("in-string", "string on left side in-string string on left side")
                })?;
                self.budget.spend_bytes(text.len())?;
                Ok(text.contains(part.as_ref()))
            }
            Datum::Array(array) => {
                for other in array.items() {
                    if other.equals(item, self.budget)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ => Err(refused(
                "in",
                "Array, string, or object on right side in Array, string, or object on right side",
            )),
        }
    }

    /// `value[index]`
    fn index(&self, value: &Datum, index: &Datum) -> Result<Datum, ErrorKind> {
        match value {
            Datum::Array(array) => {
                let place = place(index, array.items().len())?;
                array.items().get(place).cloned().ok_or(ErrorKind::IndexOutOfBounds)
            }
            Datum::String(text) => {
                self.budget.spend_bytes(text.len())?;
                let place = place(index, text.chars().count())?;
                let character = text.chars().nth(place).ok_or(ErrorKind::IndexOutOfBounds)?;
                Ok(Datum::string(character.to_string()))
            }
            Datum::Object(object) => property(object, index),
            _ => Err(not_indexable()),
        }
    }

    /// `value[from:to]`
    fn slice(&self, value: &Datum, from: Option<&Datum>, to: Option<&Datum>) -> Result<Datum, ErrorKind> {
        match value {
            Datum::Array(array) => {
                let length = array.items().len();
                let (start, count) = interval(from, to, length)?;
                self.budget.spend(count)?;
                let items = array.items().iter().skip(start).take(count).cloned().collect();
                Datum::array(items, self.budget.limits)
            }
            Datum::String(text) => {
                self.budget.spend_bytes(text.len())?;
                let (start, count) = interval(from, to, text.chars().count())?;
                Ok(Datum::string(text.chars().skip(start).take(count).collect::<String>()))
            }
            // As with an index of 0, or whatever stands before the colon.
            Datum::Object(object) => property(object, from.unwrap_or(&Datum::Null)),
            _ => Err(not_indexable()),
        }
    }

    fn call(&self, function: &Function, arguments: &[Datum]) -> Result<Datum, ErrorKind> {
        match function {
            Function::Builtin(builtin) => {
                let call = builtins::Call { scope: self.scope, budget: self.budget, arguments };
                call.perform(*builtin)
            }
            Function::Host { name, call } => self.call_host(name, call, arguments),
        }
    }

    fn call_host(&self, name: &str, call: &HostFunction, arguments: &[Datum]) -> Result<Datum, ErrorKind> {
        for argument in arguments {
            self.budget.spend_bytes(argument.bytes())?;
        }
        let arguments = arguments.iter().map(Datum::export).collect::<Result<Vec<_>, _>>()?;
        let value =
            call(&arguments).map_err(|problem| ErrorKind::Host { function: name.to_owned(), problem })?;
        let datum = Datum::import(&value, self.budget.limits)?;
        self.budget.spend_bytes(datum.bytes())?;
        datum.check(self.budget.limits)?;
        Ok(datum)
    }
}

fn missing(found: &str, offset: usize) -> Fault {
    let (found, expected) = (found.to_owned(), OPERANDS.to_owned());
    Fault::from(ErrorKind::UnexpectedToken { found, expected }).at(offset)
}

fn signed(value: &Datum, sign: char) -> Result<Datum, ErrorKind> {
    match (value, sign) {
        (Datum::Number(number), '-') => Ok(Datum::Number(number.negated())),
        (Datum::Number(number), _) => Ok(Datum::Number(number.clone())),
        _ => Err(ErrorKind::Sign { operator: sign }),
    }
}

fn calculate(
    operation: Arithmetic,
    left: &Datum,
    right: &Datum,
    budget: &Budget<'_>,
) -> Result<Datum, ErrorKind> {
    let (Datum::Number(left), Datum::Number(right)) = (left, right) else {
        let (operator, expected) = match operation {
            Arithmetic::Add => ("+", "number + number"),
            Arithmetic::Subtract => ("-", "number - number"),
            Arithmetic::Multiply => ("*", "number * number"),
            Arithmetic::Divide => ("/", "number / number"),
            Arithmetic::Power => ("**", "number ** number"),
        };
        return Err(ErrorKind::Operands { operator, expected });
    };
    Number::calculate(operation, left, right, budget).map(Datum::Number)
}

/// Both sides must be strings, or both integers, or both floats.
fn compare(
    comparison: Comparison,
    left: &Datum,
    right: &Datum,
    budget: &Budget<'_>,
) -> Result<bool, ErrorKind> {
    budget.spend_bytes(left.bytes().min(right.bytes()))?;
    let order = match (left, right) {
        (Datum::String(left), Datum::String(right)) => Some(left.cmp(right)),
        (Datum::Number(Number::Integer(left)), Datum::Number(Number::Integer(right))) => {
            Some(left.cmp(right))
        }
        (Datum::Number(Number::Float(left)), Datum::Number(Number::Float(right))) => left.partial_cmp(right),
        _ => {
            let (operator, expected) = match comparison {
                Comparison::Less => ("<", "numbers/strings < numbers/strings"),
                Comparison::Greater => (">", "numbers/strings > numbers/strings"),
                Comparison::LessOrEqual => ("<=", "numbers/strings <= numbers/strings"),
                Comparison::GreaterOrEqual => (">=", "numbers/strings >= numbers/strings"),
            };
            return Err(ErrorKind::Operands { operator, expected });
        }
    };
    Ok(match comparison {
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    })
}

/// `value.name`
fn member(value: &Datum, name: &str) -> Result<Datum, ErrorKind> {
    let Datum::Object(object) = value else {
        return Err(ErrorKind::Operands { operator: ".", expected: "objects" });
    };
    object.get(name).cloned().ok_or_else(|| ErrorKind::NoProperty { name: name.to_owned() })
}

/// `object[key]`, where a missing key gives null.
fn property(object: &Object, key: &Datum) -> Result<Datum, ErrorKind> {
    let Datum::String(key) = key else { return Err(ErrorKind::KeyNotString) };
    Ok(object.get(key).cloned().unwrap_or(Datum::Null))
}

fn not_indexable() -> ErrorKind {
    ErrorKind::Operands { operator: "\"[..]\"", expected: "object, array, or string" }
}

/// The position of an index; a negative one counts from the end.
fn place(index: &Datum, length: usize) -> Result<usize, ErrorKind> {
    let index = index.as_integer().ok_or(ErrorKind::IndexNotInteger)?;
    from_either_end(&index, length).ok_or(ErrorKind::IndexOutOfBounds)
}

/// `None` when it lies before the beginning; the caller checks the end.
fn from_either_end(index: &BigInt, length: usize) -> Option<usize> {
    let distance = index.magnitude().to_usize();
    if index.sign() == Sign::Minus {
        return length.checked_sub(distance?);
    }
    Some(distance.unwrap_or(usize::MAX))
}

/// Where a slice starts and how many it takes; its ends may lie outside.
fn interval(from: Option<&Datum>, to: Option<&Datum>, length: usize) -> Result<(usize, usize), ErrorKind> {
    let bound = |datum: Option<&Datum>, open: usize| match datum {
        None | Some(Datum::Null) => Ok(open),
        Some(datum) => {
            let index = datum.as_integer().ok_or(ErrorKind::SliceNotInteger)?;
            Ok(from_either_end(&index, length).unwrap_or(0).min(length))
        }
    };
    let (start, end) = (bound(from, 0)?, bound(to, length)?);
    Ok((start, end.saturating_sub(start)))
}

#[cfg(test)]
mod tests {
    use crate::{Context, ErrorKind, LimitKind, Limits, evaluate};
    use catena_json::Value;

    fn context() -> Context {
        let text =
            r#"{"o": {"a": 1, "b": {"c": [1, 2, 3]}}, "l": [1, "a", null], "s": "h\u00e9llo", "t": true}"#;
        let value = catena_json::parse(text.as_bytes(), &catena_json::Limits::default()).unwrap();
        let mut context = Context::from(value.as_object().unwrap().clone());
        context.set_function("twice", |arguments| match arguments {
            [value] => Ok(Value::Array(vec![value.clone(), value.clone()])),
            _ => Err("expects one value".to_owned()),
        });
        context
    }

    fn value(text: &str) -> String {
        match evaluate(text, &context(), &Limits::default()) {
            Ok(value) => value.to_string(),
            Err(error) => error.message(),
        }
    }

    /// Every result is that of the reference.
    #[test]
    fn values() {
        for (text, result) in [
            ("o.b.c[-1] + 1", "4"),
            ("o.x", "InterpreterError: object has no property \"x\""),
            ("o['x']", "null"),
            ("o[0]", "InterpreterError: object keys must be strings"),
            ("l.a", "InterpreterError: infix: . expects objects"),
            ("l[3]", "InterpreterError: index out of bounds"),
            ("l[-4]", "InterpreterError: index out of bounds"),
            ("l[10 ** 30]", "InterpreterError: index out of bounds"),
            ("l[true]", "\"a\""),
            ("l[1.0]", "InterpreterError: should only use integers to access arrays or strings"),
            ("s[1] + s[-1]", "\"éo\""),
            ("s[1:3]", "\"él\""),
            ("s[-3:-1] + s[4:2] + s[:10 ** 30]", "\"llhéllo\""),
            ("l[null:1]", "[1]"),
            ("l['a':]", "InterpreterError: cannot perform interval access with non-integers"),
            ("1[0]", "InterpreterError: infix: \"[..]\" expects object, array, or string"),
            ("true == 1", "true"),
            ("1 in [true]", "true"),
            ("'l' in s && 'a' in o && !('x' in o)", "true"),
            (
                "1 in s",
                "InterpreterError: infix: in-string expects string on left side in-string string on left side",
            ),
            ("1 < 1.5", "InterpreterError: infix: < expects numbers/strings < numbers/strings"),
            ("'a' < 'b' && 2 >= 2 && 1.5 > 0.5", "true"),
            ("0 || ''", "false"),
            ("true || missing", "true"),
            ("false && * 2", "false"),
            (
                "* 2",
                "SyntaxError: Found: * token, expected one of: !, (, +, -, [, false, identifier, null, number, string, true, {",
            ),
            ("x ** y", "InterpreterError: unknown context value y"),
            ("-2 ** 2", "4"),
            ("2 ** 3 ** 2", "512"),
            ("6 / 2", "3.0"),
            ("4294967296 * 4294967296 + 1", "18446744073709551617"),
            ("1 / 0", "InterpreterError: division by zero"),
            ("'a' + 1", "InterpreterError: infix: + expects numbers/strings + numbers/strings"),
            ("-'a'", "InterpreterError: unary - expects number"),
            ("[1, 'a', {b: null}](0)", "InterpreterError: [1, 'a', {'b': None}] is not callable"),
            ("t()", "InterpreterError: True is not callable"),
            ("{b: 1, a: [2]}", "{\"b\":1,\"a\":[2]}"),
            ("len", "TemplateError: evaluated template contained uncalled functions"),
            ("[[len]]", "TemplateError: evaluated template contained uncalled functions"),
            ("len == len && !(len == min)", "true"),
            ("now", "TemplateError: the context has no time: `now` must be a string"),
        ] {
            assert_eq!(value(text), result, "{text}");
        }
    }

    #[test]
    fn host_functions_are_called_with_json() {
        assert_eq!(value("twice(o.a)"), "[1,1]");
        assert_eq!(value("twice()"), "BuiltinError: twice: expects one value");
        assert_eq!(value("twice(len)"), "TemplateError: evaluated template contained uncalled functions");
        assert_eq!(value("twice == twice"), "true");
        assert_eq!(value("typeof(twice)"), "\"function\"");
    }

    #[test]
    fn errors_point_at_the_operator_or_name() {
        for (text, offset) in [
            ("1 + foo", 4),
            ("[1, 'a' * 2]", 8),
            ("o.a.b", 3),
            ("l[9]", 1),
            ("1 +", 3),
            ("1 = 2", 2),
            ("o(1)", 1),
        ] {
            let error = evaluate(text, &context(), &Limits::default()).unwrap_err();
            assert_eq!(error.expression.map(|place| place.offset), Some(offset), "{text}");
        }
    }

    #[test]
    fn repeated_doubling_is_stopped() {
        let limits = Limits::default();
        for (text, limit) in [
            (format!("'{}'{}", "a".repeat(1000), "+x".repeat(5000)), LimitKind::StringBytes),
            (format!("{}1{}", "twice(".repeat(40), ")".repeat(40)), LimitKind::Steps),
            ("range(0, 10 ** 18)".to_owned(), LimitKind::Steps),
            ("9 ** 9 ** 9".to_owned(), LimitKind::IntegerBits),
        ] {
            let mut context = context();
            context.set("x", "b".repeat(1000));
            let mut limits = limits.clone();
            if limit == LimitKind::StringBytes {
                limits.steps = u64::MAX;
                limits.string_bytes = 1 << 16;
            }
            let error = evaluate(&text, &context, &limits).unwrap_err();
            assert!(
                matches!(error.kind, ErrorKind::Limit { limit: reached, .. } if reached == limit),
                "{}",
                error.message()
            );
        }
    }
}
