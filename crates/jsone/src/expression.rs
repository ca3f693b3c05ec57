//! Expressions as trees, and the parser that builds them.
//!
//! A tree is an innermost part and the steps applied to it, one after the other: `a.b + c` is
//! `a`, then `.b`, then `+ c`. Chains of any length are so flat; only what stands in brackets or
//! to the right of an operator nests, and that is limited. The parser looks one token ahead,
//! never back, and holds waiting operators on a stack of its own.
//!
//! It reads the reference's grammar, down to its corners: signs and `!` bind tighter than
//! anything, so `-2 ** 2` is 4 and `!a.b` is `(!a).b`; an operand may be missing as long as it
//! is not evaluated (`true || * 2`); `a[1 2]` reads as `a[1]`.

use crate::error::{ErrorKind, Fault, LimitKind};
use crate::lexer::{Lexer, Token, TokenKind};
use crate::limits::{Budget, check};
use crate::number::{Arithmetic, Number, parse_float};
use indexmap::IndexMap;
use num_bigint::BigInt;
use std::rc::Rc;

#[derive(Debug)]
pub(crate) struct Expression {
    pub(crate) head: Head,
    /// Where the head stands in the text.
    pub(crate) offset: usize,
    pub(crate) steps: Vec<Step>,
    depth: usize,
}

#[derive(Debug)]
pub(crate) enum Head {
    Null,
    Bool(bool),
    Number(Number),
    String(Rc<str>),
    Name(String),
    List(Vec<Expression>),
    Object(IndexMap<Rc<str>, Expression>),
    /// Nothing, before this token; an error when it is evaluated.
    Missing(String),
}

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) action: Action,
    /// Where its operator stands in the text.
    pub(crate) offset: usize,
}

#[derive(Debug)]
pub(crate) enum Action {
    Sign(char),
    Not,
    /// With the operand on the right.
    Binary(Binary, Expression),
    /// With the base: the exponent is evaluated first.
    Raise(Expression),
    /// `.name`
    Member(String),
    /// `[index]`; whatever else stands in the brackets is evaluated for its errors.
    Index(Expression, Option<Expression>),
    /// `[from:to]`
    Slice(Option<Expression>, Option<Expression>),
    Call(Vec<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Or,
    And,
    In,
    Equal,
    Unequal,
    Compare(Comparison),
    Calculate(Arithmetic),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

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
pub(crate) fn parse(text: &str, budget: &Budget<'_>) -> Result<Expression, Fault> {
    let mut parser = Parser::new(text, 0, budget)?;
    let expression = parser.expression(0)?;
    match parser.token {
        Some(token) => Err(unexpected(token, OPERATORS)),
        None => parser.complete(expression),
    }
}

/// Reads an expression that begins at an offset of a text and ends before a `}`; answers the
/// offset of that too.
pub(crate) fn parse_until_brace(
    text: &str,
    offset: usize,
    budget: &Budget<'_>,
) -> Result<(Expression, usize), Fault> {
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
    left: Expression,
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
    fn required(&self, operand: Option<Expression>) -> Result<Expression, Fault> {
        match operand {
            Some(expression) => Ok(expression),
            None => Err(unexpected(self.current()?, OPERANDS)),
        }
    }

    /// The operand, or one that is missing before the current token.
    fn complete(&self, operand: Option<Expression>) -> Result<Expression, Fault> {
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
    fn expression(&mut self, depth: usize) -> Result<Option<Expression>, Fault> {
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
    fn complete_or_end(&self, operand: Option<Expression>) -> Expression {
        operand.unwrap_or_else(|| {
            let (found, offset) = self.token.map_or(("", self.end), |token| (token.text, token.start));
            Expression::new(Head::Missing(found.to_owned()), offset)
        })
    }

    fn join(&self, waiting: Waiting<'_>, right: Expression) -> Result<Expression, Fault> {
        let Waiting { left, operator, token, .. } = waiting;
        if operator == Binary::Calculate(Arithmetic::Power) {
            return self.extend(right, Action::Raise(left), token);
        }
        self.extend(left, Action::Binary(operator, right), token)
    }

    /// Adds a step to an expression, unless that makes it too deep.
    fn extend(
        &self,
        mut expression: Expression,
        action: Action,
        token: Token<'_>,
    ) -> Result<Expression, Fault> {
        expression.depth = expression.depth.max(action.depth().saturating_add(1));
        check(LimitKind::ExpressionDepth, expression.depth, self.budget.limits.expression_depth)
            .map_err(|kind| Fault::from(kind).at(token.start))?;
        expression.steps.push(Step { action, offset: token.start });
        Ok(expression)
    }

    /// Signs, then a unit, then members, indices and calls. None, and nothing read, when the
    /// current token begins none of them.
    fn operand(&mut self, depth: usize) -> Result<Option<Expression>, Fault> {
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

    fn unit(&mut self, token: Token<'a>, depth: usize) -> Result<Option<Expression>, Fault> {
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

    fn inside(&mut self, depth: usize) -> Result<Option<Expression>, Fault> {
        self.expression(depth.saturating_add(1))
    }

    fn group(&mut self, depth: usize) -> Result<Expression, Fault> {
        self.take_symbol("(")?;
        let inside = self.inside(depth)?;
        let inside = self.required(inside)?;
        self.take_symbol(")")?;
        Ok(inside)
    }

    fn list(&mut self, depth: usize) -> Result<Expression, Fault> {
        let start = self.take_symbol("[")?.start;
        let mut items = Vec::new();
        match self.inside(depth)? {
            Some(first) => items.push(first),
            None if self.is(",") => return Err(unexpected(self.current()?, OPERANDS)),
            None => {}
        }
        while self.is(",") {
            self.advance()?;
            let item = self.inside(depth)?;
            items.push(self.required(item)?);
        }
        self.take_symbol("]")?;
        self.nested(Head::List(items), start)
    }

    fn object(&mut self, depth: usize) -> Result<Expression, Fault> {
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
            members.insert(Rc::from(key), self.required(value)?);
            if self.is("}") {
                break;
            }
            self.take_symbol(",")?;
        }
        self.take_symbol("}")?;
        self.nested(Head::Object(members), start)
    }

    /// A list or object, unless it is too deep.
    fn nested(&self, head: Head, start: usize) -> Result<Expression, Fault> {
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
            arguments.push(self.complete_or_end(first));
            while self.is(",") {
                self.advance()?;
                let argument = self.inside(depth)?;
                if argument.is_none() && self.is(",") {
                    return Err(unexpected(self.current()?, OPERANDS));
                }
                arguments.push(self.complete_or_end(argument));
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
    Ok(Number::Integer(value).within(budget).map_err(|kind| Fault::from(kind).at(token.start))?)
}

/// The text between the quotes; there are no escapes.
fn unquoted(text: &str) -> &str {
    text.get(1..text.len().saturating_sub(1)).unwrap_or("")
}

impl Expression {
    fn new(head: Head, offset: usize) -> Self {
        let depth = match &head {
            Head::List(items) => deepest(items.iter()),
            Head::Object(members) => deepest(members.values()),
            _ => 0,
        };
        Self { head, offset, steps: Vec::new(), depth }
    }
}

impl Action {
    fn depth(&self) -> usize {
        match self {
            Self::Sign(_) | Self::Not | Self::Member(_) => 0,
            Self::Binary(_, operand) | Self::Raise(operand) => operand.depth,
            Self::Index(left, right) => left.depth.max(deepest(right.iter()).saturating_sub(1)),
            Self::Slice(left, right) => deepest(left.iter().chain(right)).saturating_sub(1),
            Self::Call(arguments) => deepest(arguments.iter()).saturating_sub(1),
        }
    }
}

/// The depth of what encloses these.
fn deepest<'a>(parts: impl Iterator<Item = &'a Expression>) -> usize {
    parts.map(|part| part.depth.saturating_add(1)).max().unwrap_or(1)
}
