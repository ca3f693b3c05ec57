//! The functions every expression can call.

use crate::context::Scope;
use crate::datum::Datum;
use crate::error::ErrorKind;
use crate::limits::Budget;
use crate::number::{Number, parse_float};
use crate::text::{is_space, python_str, scalar};
use crate::time::from_now;
use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};
use std::cmp::Ordering;
use std::rc::Rc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    Min,
    Max,
    Sqrt,
    Abs,
    Ceil,
    Floor,
    Range,
    Lowercase,
    Uppercase,
    Len,
    Str,
    Number,
    Strip,
    Rstrip,
    Lstrip,
    Join,
    Split,
    FromNow,
    Typeof,
    Defined,
}

impl Builtin {
    pub(crate) const ALL: [Self; 20] = [
        Self::Min,
        Self::Max,
        Self::Sqrt,
        Self::Abs,
        Self::Ceil,
        Self::Floor,
        Self::Range,
        Self::Lowercase,
        Self::Uppercase,
        Self::Len,
        Self::Str,
        Self::Number,
        Self::Strip,
        Self::Rstrip,
        Self::Lstrip,
        Self::Join,
        Self::Split,
        Self::FromNow,
        Self::Typeof,
        Self::Defined,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
            Self::Sqrt => "sqrt",
            Self::Abs => "abs",
            Self::Ceil => "ceil",
            Self::Floor => "floor",
            Self::Range => "range",
            Self::Lowercase => "lowercase",
            Self::Uppercase => "uppercase",
            Self::Len => "len",
            Self::Str => "str",
            Self::Number => "number",
            Self::Strip => "strip",
            Self::Rstrip => "rstrip",
            Self::Lstrip => "lstrip",
            Self::Join => "join",
            Self::Split => "split",
            Self::FromNow => "fromNow",
            Self::Typeof => "typeof",
            Self::Defined => "defined",
        }
    }
}

/// A call of a built-in.
pub(crate) struct Call<'a> {
    pub(crate) scope: &'a Scope<'a>,
    pub(crate) budget: &'a Budget<'a>,
    pub(crate) arguments: &'a [Datum],
}

impl<'a> Call<'a> {
    pub(crate) fn perform(&self, builtin: Builtin) -> Result<Datum, ErrorKind> {
        let name = builtin.name();
        let refused = || ErrorKind::Arguments { function: name };
        let number = || self.number().ok_or_else(refused);
        let string = || self.string().ok_or_else(refused);
        match builtin {
            Builtin::Min => self.extreme(name, Ordering::Less),
            Builtin::Max => self.extreme(name, Ordering::Greater),
            Builtin::Sqrt => number()?.root().map(Datum::Number),
            Builtin::Abs => Ok(Datum::Number(number()?.absolute())),
            Builtin::Ceil => number()?.rounded(f64::ceil).map(Datum::Number),
            Builtin::Floor => number()?.rounded(f64::floor).map(Datum::Number),
            Builtin::Range => self.range(),
            Builtin::Lowercase => self.text(string()?, str::to_lowercase),
            Builtin::Uppercase => self.text(string()?, str::to_uppercase),
            Builtin::Len => self.length(),
            Builtin::Str => self.str(),
            Builtin::Number => self.parse_number(),
            Builtin::Strip => self.text(string()?, |text| text.trim_matches(is_space).to_owned()),
            Builtin::Rstrip => self.text(string()?, |text| text.trim_end_matches(is_space).to_owned()),
            Builtin::Lstrip => self.text(string()?, |text| text.trim_start_matches(is_space).to_owned()),
            Builtin::Join => self.join(),
            Builtin::Split => self.split(),
            Builtin::FromNow => self.time(),
            Builtin::Typeof => self.type_name(),
            Builtin::Defined => {
                let name = string()?;
                // The reference always has a time.
                Ok(Datum::Bool(name.as_ref() == "now" || self.scope.get(name).is_some()))
            }
        }
    }

    /// The only argument, if it is a number.
    fn number(&self) -> Option<&'a Number> {
        if let [Datum::Number(number)] = self.arguments { Some(number) } else { None }
    }

    /// The only argument, if it is a string.
    fn string(&self) -> Option<&'a Rc<str>> {
        if let [Datum::String(text)] = self.arguments { Some(text) } else { None }
    }

    fn text(&self, text: &str, change: impl Fn(&str) -> String) -> Result<Datum, ErrorKind> {
        self.budget.spend_bytes(text.len())?;
        let changed = change(text);
        self.budget.spend_string(changed.len())?;
        Ok(Datum::string(changed))
    }

    /// The first argument that no other comes before (or after).
    fn extreme(&self, function: &'static str, wanted: Ordering) -> Result<Datum, ErrorKind> {
        if self.arguments.is_empty() {
            return Err(ErrorKind::TooFewArguments { function, minimum: 1 });
        }
        let mut best: Option<&Number> = None;
        for argument in self.arguments {
            let Datum::Number(number) = argument else { return Err(ErrorKind::Arguments { function }) };
            if best.is_none_or(|best| number.partial_cmp(best) == Some(wanted)) {
                best = Some(number);
            }
        }
        best.cloned().map(Datum::Number).ok_or(ErrorKind::TooFewArguments { function, minimum: 1 })
    }

    fn range(&self) -> Result<Datum, ErrorKind> {
        let refused = || ErrorKind::Arguments { function: "range" };
        let integer = |datum: &Datum| datum.as_integer().ok_or_else(refused);
        let (start, stop, step) = match self.arguments {
            [start, stop] => (integer(start)?, integer(stop)?, BigInt::from(1)),
            [start, stop, step] => (integer(start)?, integer(stop)?, integer(step)?),
            _ => return Err(refused()),
        };
        if step.is_zero() {
            return Err(refused());
        }
        self.budget.spend(range_length(&start, &stop, &step))?;
        let mut items = Vec::new();
        let mut next = start;
        while if step.is_positive() { next < stop } else { next > stop } {
            items.push(Datum::Number(Number::Integer(next.clone())));
            next = advance(next, &step);
        }
        Datum::array(items, self.budget.limits)
    }

    fn length(&self) -> Result<Datum, ErrorKind> {
        match self.arguments {
            [Datum::String(text)] => {
                self.budget.spend_bytes(text.len())?;
                Ok(Datum::Number(text.chars().count().into()))
            }
            [Datum::Array(array)] => Ok(Datum::Number(array.items().len().into())),
            _ => Err(ErrorKind::Arguments { function: "len" }),
        }
    }

    fn str(&self) -> Result<Datum, ErrorKind> {
        let refused = || ErrorKind::Arguments { function: "str" };
        let [argument] = self.arguments else { return Err(refused()) };
        scalar(argument, self.budget)?.map(Datum::string).ok_or_else(refused)
    }

    fn parse_number(&self) -> Result<Datum, ErrorKind> {
        let function = "number";
        match self.arguments {
            [] => Err(ErrorKind::TooFewArguments { function, minimum: 1 }),
            [Datum::String(text)] => {
                self.budget.spend_bytes(text.len())?;
                let value = parse_float(text).ok_or(ErrorKind::Arguments { function })?;
                Ok(Datum::Number(Number::Float(value)))
            }
            _ => Err(ErrorKind::Arguments { function }),
        }
    }

    /// Items and separator are written as Python writes them.
    fn join(&self) -> Result<Datum, ErrorKind> {
        let [Datum::Array(array), separator @ (Datum::String(_) | Datum::Number(_))] = self.arguments else {
            return Err(ErrorKind::Arguments { function: "join" });
        };
        let separator = python_str(separator, self.budget)?;
        let mut joined = String::new();
        for (position, item) in array.items().iter().enumerate() {
            let item = python_str(item, self.budget)?;
            let separator = if position == 0 { "" } else { separator.as_str() };
            let added = separator.len().saturating_add(item.len());
            // The length is checked before the text is made longer, what was added is paid once.
            crate::limits::check(
                crate::error::LimitKind::StringBytes,
                joined.len().saturating_add(added),
                self.budget.limits.string_bytes,
            )?;
            self.budget.spend_bytes(added)?;
            joined.push_str(separator);
            joined.push_str(&item);
        }
        Ok(Datum::string(joined))
    }

    fn split(&self) -> Result<Datum, ErrorKind> {
        let [Datum::String(text), separator @ (Datum::String(_) | Datum::Number(_))] = self.arguments else {
            return Err(ErrorKind::Arguments { function: "split" });
        };
        self.budget.spend_bytes(text.len())?;
        let parts: Vec<Datum> = if separator.is_truthy() {
            let separator = scalar(separator, self.budget)?.unwrap_or_default();
            self.budget.spend(text.matches(separator.as_str()).count())?;
            text.split(separator.as_str()).map(Datum::string).collect()
        } else {
            self.budget.spend(text.len())?;
            text.chars().map(|character| Datum::string(character.to_string())).collect()
        };
        Datum::array(parts, self.budget.limits)
    }

    fn time(&self) -> Result<Datum, ErrorKind> {
        let function = "fromNow";
        let refused = || ErrorKind::Arguments { function };
        let (offset, reference) = match self.arguments {
            [] => return Err(ErrorKind::TooFewArguments { function, minimum: 1 }),
            [Datum::String(offset)] => (offset, None),
            [Datum::String(offset), Datum::String(reference)] => (offset, Some(reference)),
            _ => return Err(refused()),
        };
        // An empty time stands for the time of the context.
        let reference = match reference.filter(|reference| !reference.is_empty()) {
            Some(reference) => reference,
            None => match self.scope.now() {
                Some(Datum::String(now)) => now,
                _ => return Err(ErrorKind::NoClock),
            },
        };
        self.budget.spend_bytes(offset.len().saturating_add(reference.len()))?;
        from_now(offset, reference).map(Datum::string)
    }

    fn type_name(&self) -> Result<Datum, ErrorKind> {
        let [argument] = self.arguments else { return Err(ErrorKind::Arguments { function: "typeof" }) };
        Ok(Datum::string(match argument {
            Datum::Null => "null",
            Datum::Bool(_) => "boolean",
            Datum::Number(_) => "number",
            Datum::String(_) => "string",
            Datum::Array(_) => "array",
            Datum::Object(_) => "object",
            Datum::Function(_) | Datum::Deleted => "function",
        }))
    }
}

#[allow(clippy::arithmetic_side_effects, reason = "big integers cannot overflow; the step is not zero")]
fn range_length(start: &BigInt, stop: &BigInt, step: &BigInt) -> usize {
    let distance = if step.is_positive() { stop - start } else { start - stop };
    if !distance.is_positive() {
        return 0;
    }
    (distance / step.abs()).to_usize().unwrap_or(usize::MAX).saturating_add(1)
}

#[allow(clippy::arithmetic_side_effects, reason = "big integers cannot overflow")]
fn advance(value: BigInt, step: &BigInt) -> BigInt {
    value + step
}

#[cfg(test)]
mod tests {
    use super::Builtin;
    use crate::{Context, Limits, evaluate};

    fn value(text: &str) -> String {
        let mut context = Context::new();
        context.set("now", "2017-01-19T16:27:20.974Z").set("word", " \u{1c}Straße\u{a0}");
        match evaluate(text, &context, &Limits::default()) {
            Ok(value) => value.to_string(),
            Err(error) => error.message(),
        }
    }

    /// Every result is that of the reference.
    #[test]
    fn values() {
        for (text, result) in [
            ("min(2, 1.0, 1)", "1.0"),
            ("max(1, 1.0, 2 ** 70)", "1180591620717411303424"),
            ("sqrt(4)", "2.0"),
            ("abs(-5) + abs(-1.5)", "6.5"),
            ("[ceil(1.2), floor(-1.2), ceil(7)]", "[2,-2,7]"),
            ("range(0, 5, 2)", "[0,2,4]"),
            ("range(3, 0, -1)", "[3,2,1]"),
            ("range(3, 0)", "[]"),
            ("range(true, 3)", "[1,2]"),
            ("lowercase(word)", "\" \\u001cstraße\u{a0}\""),
            ("uppercase(strip(word))", "\"STRASSE\""),
            ("lstrip(word) + rstrip(word)", "\"Straße\u{a0} \\u001cStraße\""),
            ("[len('é'), len([1, 2])]", "[1,2]"),
            ("[str(1.0), str(true), str(null), str('a')]", "[\"1.0\",\"true\",\"null\",\"a\"]"),
            ("number(' 1_0.5 ')", "10.5"),
            ("join([true, null, [1, 'a'], 1.0], 0)", "\"True0None0[1, 'a']01.0\""),
            ("join([], ',')", "\"\""),
            ("split('a1b', 1)", "[\"a\",\"b\"]"),
            ("split('aé', '')", "[\"a\",\"é\"]"),
            ("split('a0b', 0)", "[\"a\",\"0\",\"b\"]"),
            ("fromNow('1 day')", "\"2017-01-20T16:27:20.974Z\""),
            ("fromNow('1 day', '')", "\"2017-01-20T16:27:20.974Z\""),
            ("fromNow('1 day', '2020-02-28T00:00:00.0Z')", "\"2020-02-29T00:00:00.000Z\""),
            (
                "[typeof(1), typeof(''), typeof([]), typeof({}), typeof(null), typeof(true), typeof(len)]",
                "[\"number\",\"string\",\"array\",\"object\",\"null\",\"boolean\",\"function\"]",
            ),
            ("[defined('word'), defined('len'), defined('now'), defined('x')]", "[true,true,true,false]"),
        ] {
            assert_eq!(value(text), result, "{text}");
        }
    }

    #[test]
    fn every_builtin_refuses_arguments_it_is_not_for() {
        for builtin in Builtin::ALL {
            let name = builtin.name();
            let refused = format!("BuiltinError: invalid arguments to builtin: {name}");
            assert!(value(&format!("{name}()")).starts_with(&refused), "{name}");
            let wrong = if builtin == Builtin::Typeof { "1, 2" } else { "{}" };
            assert_eq!(value(&format!("{name}({wrong})")), refused, "{name}");
        }
        assert_eq!(
            value("min()"),
            "BuiltinError: invalid arguments to builtin: min: expected at least 1 arguments"
        );
        for text in
            ["range(0, 5, 0)", "range(0, 1.5)", "split('a')", "join([1], true)", "number('a')", "len({})"]
        {
            assert!(value(text).starts_with("BuiltinError: invalid arguments"), "{text}");
        }
    }

    #[test]
    fn without_now_time_functions_fail() {
        let error = evaluate("fromNow('1 day')", &Context::new(), &Limits::default()).unwrap_err();
        assert_eq!(error.kind, crate::ErrorKind::NoClock);
        let defined = evaluate("defined('now')", &Context::new(), &Limits::default());
        assert_eq!(defined, Ok(catena_json::Value::Bool(true)));
    }
}
