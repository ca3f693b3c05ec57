//! The parser of expressions.
//!
//! It looks one token ahead, never back, and holds waiting operators on a stack of its own. It
//! reads the reference's grammar, down to its corners: signs and `!` bind tighter than
//! anything, so `-2 ** 2` is 4 and `!a.b` is `(!a).b`; an operand may be missing as long as it
//! is not evaluated (`true || * 2`); `a[1 2]` reads as `a[1]`.

use crate::error::{ErrorKind, Fault, LimitKind};
use crate::expression::{Action, Binary, Comparison, Expression, Head, Step};
use crate::lexer::{Lexer, Token, TokenKind};
use crate::limits::{Budget, check};
use crate::number::{Arithmetic, Number, parse_float};
use indexmap::IndexMap;
use num_bigint::BigInt;
use std::rc::Rc;

/// The operator a token stands for, and how tightly it binds.
fn binary(kind: TokenKind) -> Option<(Binary, u8)> {
    Some(match kind {
        TokenKind::Symbol("||") => (Binary::Or, 0),
        TokenKind::Symbol("&&") => (Binary::And, 1),
        TokenKind::In => (Binary::In, 2),
        TokenKind::Symbol("==") => (Binary::Equal, 3),
        TokenKind::Symbol("!=") => (Binary::Unequal, 3),
        TokenKind::Symbol("<") => (Binary::Compare(Comparison::Less), 4),
        TokenKind::Symbol(">") => (Binary::Compare(Comparison::Greater), 4),
        TokenKind::Symbol("<=") => (Binary::Compare(Comparison::LessOrEqual), 4),
        TokenKind::Symbol(">=") => (Binary::Compare(Comparison::GreaterOrEqual), 4),
        TokenKind::Symbol("+") => (Binary::Calculate(Arithmetic::Add), 5),
        TokenKind::Symbol("-") => (Binary::Calculate(Arithmetic::Subtract), 5),
        TokenKind::Symbol("*") => (Binary::Calculate(Arithmetic::Multiply), 6),
        TokenKind::Symbol("/") => (Binary::Calculate(Arithmetic::Divide), 6),
        TokenKind::Symbol("**") => (Binary::Calculate(Arithmetic::Power), POWER),
        _ => return None,
    })
}

/// The tightest level, and the only one that groups to the right.
const POWER: u8 = 7;

/// What an expression can begin with, as messages list it.
pub(crate) const OPERANDS: &str = "!, (, +, -, [, false, identifier, null, number, string, true, {";

/// What can follow an operand, as messages list it.
const OPERATORS: &str = "!=, &&, (, *, **, +, -, ., /, <, <=, ==, >, >=, [, in, ||";

/// Reads a text that is one expression.
pub(crate) fn parse(text: &str, budget: &Budget<'_>) -> Result<Box<Expression>, Fault> {
    let mut parser = Parser::new(text, 0, budget)?;
    let expression = parser.expression(0)?;
    match parser.token {
        Some(token) => Err(unexpected(token, OPERATORS)),
        None => parser.complete(expression),
    }
}

/// Reads an expression that begins at an offset of a text and ends before a `}`; returns the
/// offset of that too.
pub(crate) fn parse_until_brace(
    text: &str,
    offset: usize,
    budget: &Budget<'_>,
) -> Result<(Box<Expression>, usize), Fault> {
    let mut parser = Parser::new(text, offset, budget)?;
    let expression = parser.expression(0)?;
    let Some(token) = parser.token else { return Err(Fault::from(ErrorKind::Unterminated).at(text.len())) };
    if token.kind != TokenKind::Symbol("}") {
        return Err(unexpected(token, OPERATORS));
    }
    Ok((parser.complete(expression)?, token.start))
}

fn unexpected(token: Token<'_>, expected: &str) -> Fault {
    let found = token.text.to_owned();
    Fault::from(ErrorKind::UnexpectedToken { found, expected: expected.to_owned() }).at(token.start)
}

struct Parser<'a, 'b> {
    lexer: Lexer<'a>,
    token: Option<Token<'a>>,
    /// Where the text ends.
    end: usize,
    budget: &'b Budget<'b>,
}

/// An operator waiting for its right operand.
struct Waiting<'a> {
    left: Box<Expression>,
    operator: Binary,
    level: u8,
    token: Token<'a>,
}

impl<'a, 'b> Parser<'a, 'b> {
    fn new(text: &'a str, offset: usize, budget: &'b Budget<'b>) -> Result<Self, Fault> {
        let mut parser = Self { lexer: Lexer::new(text, offset), token: None, end: text.len(), budget };
        parser.advance()?;
        Ok(parser)
    }

    /// Pays for the current token and reads the next.
    fn advance(&mut self) -> Result<(), Fault> {
        let bytes = self.token.map_or(0, |token| token.text.len());
        self.budget.spend_bytes(bytes)?;
        self.token = self.lexer.next()?;
        Ok(())
    }

    fn current(&self) -> Result<Token<'a>, Fault> {
        self.token.ok_or_else(|| Fault::from(ErrorKind::UnexpectedEnd).at(self.end))
    }

    fn is(&self, symbol: &'static str) -> bool {
        self.token.is_some_and(|token| token.kind == TokenKind::Symbol(symbol))
    }

    fn take(&mut self, kind: TokenKind) -> Result<Token<'a>, Fault> {
        let token = self.current()?;
        if token.kind != kind {
            return Err(unexpected(token, kind.name()));
        }
        self.advance()?;
        Ok(token)
    }

    fn take_symbol(&mut self, symbol: &'static str) -> Result<Token<'a>, Fault> {
        self.take(TokenKind::Symbol(symbol))
    }

    /// The operand that had to be there.
    fn required(&self, operand: Option<Box<Expression>>) -> Result<Box<Expression>, Fault> {
        match operand {
            Some(expression) => Ok(expression),
            None => Err(unexpected(self.current()?, OPERANDS)),
        }
    }

    /// The operand, or one that is missing before the current token.
    fn complete(&self, operand: Option<Box<Expression>>) -> Result<Box<Expression>, Fault> {
        operand.map_or_else(
            || {
                let token = self.current()?;
                Ok(Expression::new(Head::Missing(token.text.to_owned()), token.start))
            },
            Ok,
        )
    }

    /// Operands with operators between them. None, and nothing read, when the current token can
    /// neither begin an operand nor join two.
    fn expression(&mut self, depth: usize) -> Result<Option<Box<Expression>>, Fault> {
        check(LimitKind::ExpressionDepth, depth, self.budget.limits.expression_depth)
            .map_err(|kind| Fault::from(kind).at(self.token.map_or(self.end, |token| token.start)))?;
        let mut waiting: Vec<Waiting<'a>> = Vec::new();
        loop {
            let operand = self.operand(depth)?;
            let Some((operator, level, token)) = self
                .token
                .and_then(|token| binary(token.kind).map(|(operator, level)| (operator, level, token)))
            else {
                if waiting.is_empty() && operand.is_none() {
                    return Ok(None);
                }
                let mut right = self.complete_or_end(operand);
                while let Some(outer) = waiting.pop() {
                    right = self.join(outer, right)?;
                }
                return Ok(Some(right));
            };
            let mut left = self.complete_or_end(operand);
            let done =
                |outer: &mut Waiting<'_>| outer.level > level || (outer.level == level && level != POWER);
            while let Some(outer) = waiting.pop_if(done) {
                left = self.join(outer, left)?;
            }
            self.advance()?;
            waiting.push(Waiting { left, operator, level, token });
        }
    }

    /// As [`Self::complete`], where the text may have ended.
    fn complete_or_end(&self, operand: Option<Box<Expression>>) -> Box<Expression> {
        operand.unwrap_or_else(|| {
            let (found, offset) = self.token.map_or(("", self.end), |token| (token.text, token.start));
            Expression::new(Head::Missing(found.to_owned()), offset)
        })
    }

    fn join(&self, waiting: Waiting<'_>, right: Box<Expression>) -> Result<Box<Expression>, Fault> {
        let Waiting { left, operator, token, .. } = waiting;
        if operator == Binary::Calculate(Arithmetic::Power) {
            return self.extend(right, Action::Raise(left), token);
        }
        self.extend(left, Action::Binary(operator, right), token)
    }

    /// Adds a step to an expression, unless that makes it too deep.
    fn extend(
        &self,
        mut expression: Box<Expression>,
        action: Action,
        token: Token<'_>,
    ) -> Result<Box<Expression>, Fault> {
        expression.depth = expression.depth.max(action.depth().saturating_add(1));
        check(LimitKind::ExpressionDepth, expression.depth, self.budget.limits.expression_depth)
            .map_err(|kind| Fault::from(kind).at(token.start))?;
        expression.steps.push(Step { action, offset: token.start });
        Ok(expression)
    }

    /// Signs, then a unit, then members, indices and calls. None, and nothing read, when the
    /// current token begins none of them.
    fn operand(&mut self, depth: usize) -> Result<Option<Box<Expression>>, Fault> {
        let mut signs = Vec::new();
        let unit = loop {
            let token = self.current()?;
            let action = match token.kind {
                TokenKind::Symbol("!") => Action::Not,
                TokenKind::Symbol("-") => Action::Sign('-'),
                TokenKind::Symbol("+") => Action::Sign('+'),
                _ => break self.unit(token, depth)?,
            };
            self.advance()?;
            signs.push((action, token));
        };
        let mut operand = match unit {
            None if signs.is_empty() && !self.is(".") => return Ok(None),
            unit => self.complete_or_end(unit),
        };
        for (action, token) in signs.into_iter().rev() {
            operand = self.extend(operand, action, token)?;
        }
        while let Some(token) = self.token {
            let action = match token.kind {
                TokenKind::Symbol(".") => self.member()?,
                TokenKind::Symbol("[") => self.brackets(depth)?,
                TokenKind::Symbol("(") => self.arguments(depth)?,
                _ => break,
            };
            operand = self.extend(operand, action, token)?;
        }
        Ok(Some(operand))
    }

    fn unit(&mut self, token: Token<'a>, depth: usize) -> Result<Option<Box<Expression>>, Fault> {
        let head = match token.kind {
            TokenKind::Null => Head::Null,
            TokenKind::True => Head::Bool(true),
            TokenKind::False => Head::Bool(false),
            TokenKind::Number => Head::Number(number(token, self.budget)?),
            TokenKind::String => Head::String(Rc::from(unquoted(token.text))),
            TokenKind::Identifier => Head::Name(token.text.to_owned()),
            TokenKind::Symbol("(") => return self.group(depth).map(Some),
            TokenKind::Symbol("[") => return self.list(depth).map(Some),
            TokenKind::Symbol("{") => return self.object(depth).map(Some),
            _ => return Ok(None),
        };
        self.advance()?;
        Ok(Some(Expression::new(head, token.start)))
    }

    fn inside(&mut self, depth: usize) -> Result<Option<Box<Expression>>, Fault> {
        self.expression(depth.saturating_add(1))
    }

    fn group(&mut self, depth: usize) -> Result<Box<Expression>, Fault> {
        self.take_symbol("(")?;
        let inside = self.inside(depth)?;
        let inside = self.required(inside)?;
        self.take_symbol(")")?;
        Ok(inside)
    }

    fn list(&mut self, depth: usize) -> Result<Box<Expression>, Fault> {
        let start = self.take_symbol("[")?.start;
        let mut items = Vec::new();
        match self.inside(depth)? {
            Some(first) => items.push(*first),
            None if self.is(",") => return Err(unexpected(self.current()?, OPERANDS)),
            None => {}
        }
        while self.is(",") {
            self.advance()?;
            let item = self.inside(depth)?;
            items.push(*self.required(item)?);
        }
        self.take_symbol("]")?;
        self.nested(Head::List(items), start)
    }

    fn object(&mut self, depth: usize) -> Result<Box<Expression>, Fault> {
        let start = self.take_symbol("{")?.start;
        let mut members = IndexMap::new();
        while let Some(token) = self.token {
            let key = match token.kind {
                TokenKind::String => unquoted(token.text),
                TokenKind::Identifier => token.text,
                _ => break,
            };
            self.advance()?;
            self.take_symbol(":")?;
            let value = self.inside(depth)?;
            members.insert(Rc::from(key), *self.required(value)?);
            if self.is("}") {
                break;
            }
            self.take_symbol(",")?;
        }
        self.take_symbol("}")?;
        self.nested(Head::Object(members), start)
    }

    /// A list or object, unless it is too deep.
    fn nested(&self, head: Head, start: usize) -> Result<Box<Expression>, Fault> {
        let expression = Expression::new(head, start);
        check(LimitKind::ExpressionDepth, expression.depth, self.budget.limits.expression_depth)
            .map_err(|kind| Fault::from(kind).at(start))?;
        Ok(expression)
    }

    fn member(&mut self) -> Result<Action, Fault> {
        self.take_symbol(".")?;
        Ok(Action::Member(self.take(TokenKind::Identifier)?.text.to_owned()))
    }

    fn brackets(&mut self, depth: usize) -> Result<Action, Fault> {
        self.take_symbol("[")?;
        let token = self.current()?;
        if token.kind == TokenKind::Symbol("]") {
            return Err(unexpected(token, OPERANDS));
        }
        let left = if self.is(":") { None } else { self.inside(depth)? };
        self.current()?;
        let slice = self.is(":");
        if slice {
            self.advance()?;
        }
        let token = self.current()?;
        let closed = |parser: &Self| parser.is("]");
        let right = if closed(self) { None } else { self.inside(depth)? };
        if slice && right.is_none() && !closed(self) {
            return Err(unexpected(token, OPERANDS));
        }
        self.take_symbol("]")?;
        if slice {
            return Ok(Action::Slice(left, right));
        }
        Ok(Action::Index(self.required(left)?, right))
    }

    fn arguments(&mut self, depth: usize) -> Result<Action, Fault> {
        self.take_symbol("(")?;
        let mut arguments = Vec::new();
        self.current()?;
        if !self.is(")") {
            let first = self.inside(depth)?;
            if first.is_none() && self.is(",") {
                return Err(unexpected(self.current()?, OPERANDS));
            }
            arguments.push(*self.complete_or_end(first));
            while self.is(",") {
                self.advance()?;
                let argument = self.inside(depth)?;
                if argument.is_none() && self.is(",") {
                    return Err(unexpected(self.current()?, OPERANDS));
                }
                arguments.push(*self.complete_or_end(argument));
            }
        }
        self.take_symbol(")")?;
        Ok(Action::Call(arguments))
    }
}

fn number(token: Token<'_>, budget: &Budget<'_>) -> Result<Number, Fault> {
    if token.text.contains('.') {
        return Ok(Number::Float(parse_float(token.text).unwrap_or(f64::NAN)));
    }
    let too_large = || {
        let kind = ErrorKind::Limit { limit: LimitKind::IntegerBits, allowed: budget.limits.integer_bits };
        Fault::from(kind).at(token.start)
    };
    // Reading digits costs the square of their number; a digit is more than three bits.
    let bits = u64::try_from(token.text.len()).unwrap_or(u64::MAX).saturating_sub(1).saturating_mul(3);
    if bits > budget.limits.integer_bits {
        return Err(too_large());
    }
    budget.spend(token.text.len().saturating_mul(token.text.len()) / 4096)?;
    let value = token.text.parse::<BigInt>().map_err(|_| too_large())?;
    Number::Integer(value).within(budget).map_err(|kind| Fault::from(kind).at(token.start))
}

/// The text between the quotes; there are no escapes.
fn unquoted(text: &str) -> &str {
    text.get(1..text.len().saturating_sub(1)).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    /// The tree in a writing of its own: steps in brackets behind what they are applied to.
    fn shape(expression: &Expression) -> String {
        let list = |items: &[Expression]| items.iter().map(shape).collect::<Vec<_>>().join(",");
        let optional = |part: &Option<Box<Expression>>| part.as_deref().map(shape).unwrap_or_default();
        let mut out = match &expression.head {
            Head::Null => "null".to_owned(),
            Head::Bool(value) => value.to_string(),
            Head::Number(number) => number.to_string(),
            Head::String(text) => format!("'{text}'"),
            Head::Name(name) => name.clone(),
            Head::List(items) => format!("list({})", list(items)),
            Head::Object(members) => {
                let members: Vec<_> =
                    members.iter().map(|(key, value)| format!("{key}:{}", shape(value))).collect();
                format!("object({})", members.join(","))
            }
            Head::Missing(found) => format!("missing({found})"),
        };
        for step in &expression.steps {
            let step = match &step.action {
                Action::Sign(sign) => sign.to_string(),
                Action::Not => "!".to_owned(),
                Action::Binary(operator, right) => format!("{operator:?} {}", shape(right)),
                Action::Raise(base) => format!("raises {}", shape(base)),
                Action::Member(name) => format!(".{name}"),
                Action::Index(index, _) => format!("at {}", shape(index)),
                Action::Slice(from, to) => format!("{}:{}", optional(from), optional(to)),
                Action::Call(arguments) => format!("({})", list(arguments)),
            };
            out = format!("{out}[{step}]");
        }
        out
    }

    fn parsed(text: &str) -> Result<String, ErrorKind> {
        let limits = Limits::default();
        match parse(text, &Budget::new(&limits)) {
            Ok(expression) => Ok(shape(&expression)),
            Err(fault) => Err(fault.finish().kind),
        }
    }

    #[test]
    fn operators_bind_and_group() {
        for (text, tree) in [
            ("a + b * c", "a[Calculate(Add) b[Calculate(Multiply) c]]"),
            ("a * b + c", "a[Calculate(Multiply) b][Calculate(Add) c]"),
            ("a - b - c", "a[Calculate(Subtract) b][Calculate(Subtract) c]"),
            ("a - (b - c)", "a[Calculate(Subtract) b[Calculate(Subtract) c]]"),
            ("a ** b ** c", "c[raises b][raises a]"),
            (
                "a || b && c in d == e < f + g * h ** i",
                "a[Or b[And c[In d[Equal e[Compare(Less) f[Calculate(Add) g[Calculate(Multiply) i[raises h]]]]]]]]",
            ),
            ("a ** b * c", "b[raises a][Calculate(Multiply) c]"),
            ("-a ** b", "b[raises a[-]]"),
            ("!a.b", "a[!][.b]"),
            ("-+!a", "a[!][+][-]"),
            ("a.b[0](1, c)[:2]", "a[.b][at 0][(1,c)][:2]"),
            ("(a + b).c", "a[Calculate(Add) b][.c]"),
            ("{a: 1, 'b': [], a: 2,}", "object(a:2,b:list())"),
            ("a[1 2]", "a[at 1]"),
            ("f()", "f[()]"),
        ] {
            assert_eq!(parsed(text).as_deref(), Ok(tree), "{text}");
        }
    }

    #[test]
    fn operands_may_be_missing_until_they_are_evaluated() {
        assert_eq!(parsed("* 2").as_deref(), Ok("missing(*)[Calculate(Multiply) 2]"));
        assert_eq!(parsed(".a").as_deref(), Ok("missing(.)[.a]"));
        assert_eq!(parsed("a || * 2").as_deref(), Ok("a[Or missing(*)[Calculate(Multiply) 2]]"));
        assert_eq!(parsed("f(1,)").as_deref(), Ok("f[(1,missing()))]"));
    }

    #[test]
    fn unexpected_tokens_are_named() {
        let unexpected = |found: &str, expected: &str| {
            Err(ErrorKind::UnexpectedToken { found: found.to_owned(), expected: expected.to_owned() })
        };
        for text in ["", " ", "1 +", "(", "f(", "a[", "a[1", "a[1:", "a.", "-", "[1,", "{a:", "{a:1"] {
            assert_eq!(parsed(text), Err(ErrorKind::UnexpectedEnd), "{text:?}");
        }
        assert_eq!(parsed("1 2"), unexpected("2", OPERATORS));
        assert_eq!(parsed("()"), unexpected(")", OPERANDS));
        assert_eq!(parsed("[1,]"), unexpected("]", OPERANDS));
        assert_eq!(parsed("[,1]"), unexpected(",", OPERANDS));
        assert_eq!(parsed("[1 2]"), unexpected("2", "]"));
        assert_eq!(parsed("f(,)"), unexpected(",", OPERANDS));
        assert_eq!(parsed("a[]"), unexpected("]", OPERANDS));
        assert_eq!(parsed("a[0:1:2]"), unexpected(":", "]"));
        assert_eq!(parsed("a.true"), unexpected("true", "identifier"));
        assert_eq!(parsed("{true: 1}"), unexpected("true", "}"));
        assert_eq!(parsed("{a 1}"), unexpected("1", ":"));
        assert_eq!(parsed("{a: 1 b: 2}"), unexpected("b", ","));
    }

    #[test]
    fn reading_costs_as_much_as_the_text_is_long() {
        let limits = Limits { expression_depth: 40, ..Limits::default() };
        let cost = |text: &str| {
            let budget = Budget::new(&limits);
            parse(text, &budget).map_err(Fault::finish).unwrap();
            budget.spent()
        };
        for (before, repeated, middle, after) in [
            ("", "(", "1", ")"),
            ("", "[", "1", "]"),
            ("", "f(", "1", ")"),
            ("", "a[", "1", "]"),
            ("", "{a:", "1", "}"),
            ("", "1 + (", "1", ")"),
            ("a", " + a ** b", "", ""),
            ("a", ".b", "", ""),
            ("", "-!", "a", ""),
        ] {
            let text =
                |count: usize| format!("{before}{}{middle}{}", repeated.repeat(count), after.repeat(count));
            let (single, double) = (cost(&text(16)), cost(&text(32)));
            assert!(double <= 2 * single, "{repeated}: {single} then {double}");
        }
    }

    #[test]
    fn depth_is_limited_and_length_is_not() {
        let limit = Err(ErrorKind::Limit { limit: LimitKind::ExpressionDepth, allowed: 100 });
        let nested = |open: &str, close: &str, count: usize| {
            parsed(&format!("{}1{}", open.repeat(count), close.repeat(count))).map(|_| ())
        };
        for (open, close) in
            [("(", ")"), ("[", "]"), ("{a:", "}"), ("f(", ")"), ("a[", "]"), ("1 + (", ")"), ("a[:", "]")]
        {
            assert_eq!(nested(open, close, 98), Ok(()), "{open}");
            assert_eq!(nested(open, close, 101), limit, "{open}");
            assert_eq!(nested(open, close, 100_000), limit, "{open}");
        }
        for (first, repeated) in
            [("1", "+1"), ("1", "**1"), ("a", ".a"), ("a", "[0]"), ("a", "()"), ("1", "||1")]
        {
            assert!(parsed(&format!("{first}{}", repeated.repeat(20_000))).is_ok(), "{repeated}");
        }
        assert!(parsed(&format!("{}1", "-".repeat(20_000))).is_ok());
    }

    #[test]
    fn long_digits_are_refused_before_they_are_read() {
        let limit = Err(ErrorKind::Limit { limit: LimitKind::IntegerBits, allowed: 14_284 });
        assert_eq!(parsed(&"9".repeat(4299)).as_deref(), Ok("9".repeat(4299).as_str()));
        assert_eq!(parsed(&"9".repeat(4301)), limit);
        assert_eq!(parsed(&"9".repeat(1_000_000)), limit);
    }
}
