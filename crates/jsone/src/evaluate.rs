//! What an expression comes to.

use crate::builtins;
use crate::context::{HostFunction, Scope};
use crate::datum::{Datum, Function, Members, Object};
use crate::error::{ErrorKind, Fault};
use crate::expression::{Action, Binary, Comparison, Expression, Head, OPERANDS, Step};
use crate::limits::Budget;
use crate::number::{Arithmetic, Number};
use crate::text::python_str;
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

    fn head(&self, expression: &Expression) -> Result<Datum, Fault> {
        let at = |kind: ErrorKind| Fault::from(kind).at(expression.offset);
        Ok(match &expression.head {
            Head::Null => Datum::Null,
            Head::Bool(value) => Datum::Bool(*value),
            Head::Number(number) => Datum::Number(number.clone()),
            Head::String(text) => Datum::String(Rc::clone(text)),
            Head::Name(name) => self.name(name).map_err(at)?,
            Head::List(items) => {
                let items = items.iter().map(|item| self.evaluate(item)).collect::<Result<_, _>>()?;
                Datum::array(items, self.budget.limits).map_err(at)?
            }
            Head::Object(members) => {
                let mut values = Members::with_capacity(members.len());
                for (key, member) in members {
                    values.insert(Rc::clone(key), self.evaluate(member)?);
                }
                Datum::object(values, self.budget.limits).map_err(at)?
            }
            Head::Missing(found) => {
                let (found, expected) = (found.clone(), OPERANDS.to_owned());
                return Err(at(ErrorKind::UnexpectedToken { found, expected }));
            }
        })
    }

    fn name(&self, name: &str) -> Result<Datum, ErrorKind> {
        match self.scope.get(name) {
            Some(datum) => Ok(datum.clone()),
            None if name == "now" => Err(ErrorKind::NoClock),
            None => Err(ErrorKind::UnknownName { name: name.to_owned() }),
        }
    }

    fn step(&self, value: &Datum, step: &Step) -> Result<Datum, Fault> {
        let at = |kind: ErrorKind| Fault::from(kind).at(step.offset);
        match &step.action {
            Action::Sign(sign) => signed(value, *sign).map_err(at),
            Action::Not => Ok(Datum::Bool(!value.is_truthy())),
            Action::Binary(Binary::Or, right) => {
                Ok(Datum::Bool(value.is_truthy() || self.evaluate(right)?.is_truthy()))
            }
            Action::Binary(Binary::And, right) => {
                Ok(Datum::Bool(value.is_truthy() && self.evaluate(right)?.is_truthy()))
            }
            Action::Binary(operator, right) => {
                let right = self.evaluate(right)?;
                self.binary(*operator, value, &right).map_err(at)
            }
            Action::Raise(base) => {
                let base = self.evaluate(base)?;
                calculate(Arithmetic::Power, &base, value, self.budget).map_err(at)
            }
            Action::Member(name) => member(value, name).map_err(at),
            Action::Index(index, ignored) => {
                let index = self.evaluate(index)?;
                ignored.as_ref().map(|ignored| self.evaluate(ignored)).transpose()?;
                self.index(value, &index).map_err(at)
            }
            Action::Slice(from, to) => {
                let from = from.as_ref().map(|from| self.evaluate(from)).transpose()?;
                let to = to.as_ref().map(|to| self.evaluate(to)).transpose()?;
                self.slice(value, from.as_ref(), to.as_ref()).map_err(at)
            }
            Action::Call(arguments) => {
                let Datum::Function(function) = value else { return Err(at(self.not_callable(value)?)) };
                let arguments = arguments
                    .iter()
                    .map(|argument| self.evaluate(argument))
                    .collect::<Result<Vec<_>, _>>()?;
                self.call(function, &arguments).map_err(at)
            }
        }
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
            // These two look at the left side alone first, and are evaluated where they stand.
            Binary::Or => Ok(Datum::Bool(left.is_truthy() || right.is_truthy())),
            Binary::And => Ok(Datum::Bool(left.is_truthy() && right.is_truthy())),
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

/// `object[key]`, where a key that is not there gives null.
fn property(object: &Object, key: &Datum) -> Result<Datum, ErrorKind> {
    let Datum::String(key) = key else { return Err(ErrorKind::KeyNotString) };
    Ok(object.get(key).cloned().unwrap_or(Datum::Null))
}

fn not_indexable() -> ErrorKind {
    ErrorKind::Operands { operator: "\"[..]\"", expected: "object, array, or string" }
}

/// The place an index means; below zero it counts from the end.
fn place(index: &Datum, length: usize) -> Result<usize, ErrorKind> {
    let index = index.as_integer().ok_or(ErrorKind::IndexNotInteger)?;
    from_either_end(&index, length).ok_or(ErrorKind::IndexOutOfBounds)
}

/// None when it lies before the beginning; places behind the end are left to the caller.
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
