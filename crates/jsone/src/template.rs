//! Rendering: values with operators and `${..}` in them.

use crate::context::Scope;
use crate::datum::{Array, Datum, Members, Object};
use crate::error::{ErrorKind, Fault, LimitKind};
use crate::evaluate::Evaluator;
use crate::limits::{Budget, check};
use crate::operators::Operator;
use crate::parser::{parse, parse_until_brace};
use crate::text::{is_identifier, location_step, scalar};
use catena_json::Segment;
use std::rc::Rc;

/// Renders the parts of one template.
pub(crate) struct Renderer<'a> {
    pub(crate) budget: &'a Budget<'a>,
}

impl Renderer<'_> {
    /// The value of a template with the names of a scope; [`Datum::Deleted`] where it deletes
    /// itself. `depth` is how many templates stand around this one.
    pub(crate) fn render(&self, template: &Datum, scope: &Scope<'_>, depth: usize) -> Result<Datum, Fault> {
        self.budget.spend(1)?;
        check(LimitKind::TemplateDepth, depth, self.budget.limits.template_depth)?;
        match template {
            Datum::String(text) => self.interpolate(text, scope).map(Datum::String),
            Datum::Array(array) => self.array(array, scope, depth),
            Datum::Object(object) => self.object(object, scope, depth),
            other => Ok(other.clone()),
        }
    }

    /// Renders a template one step further inside.
    pub(crate) fn inside(&self, template: &Datum, scope: &Scope<'_>, depth: usize) -> Result<Datum, Fault> {
        self.render(template, scope, depth.saturating_add(1))
    }

    fn array(&self, array: &Array, scope: &Scope<'_>, depth: usize) -> Result<Datum, Fault> {
        let mut items = Vec::new();
        for (index, item) in array.items().iter().enumerate() {
            let located = |fault: Fault| fault.located(format!("[{index}]")).under(Segment::Index(index));
            match self.inside(item, scope, depth).map_err(located)? {
                Datum::Deleted => {}
                datum => items.push(datum),
            }
        }
        Ok(Datum::array(items, self.budget.limits)?)
    }

    fn object(&self, object: &Object, scope: &Scope<'_>, depth: usize) -> Result<Datum, Fault> {
        let mut operators = object.members().keys().filter_map(|key| Operator::of(key));
        match (operators.next(), operators.next()) {
            (None, _) => self.members(object, scope, depth),
            (Some(operator), None) => self.operate(operator, object, scope, depth),
            (Some(_), Some(_)) => Err(ErrorKind::SeveralOperators.into()),
        }
    }

    fn members(&self, object: &Object, scope: &Scope<'_>, depth: usize) -> Result<Datum, Fault> {
        let mut members = Members::with_capacity(object.members().len());
        for (key, template) in object.members() {
            let under = |fault: Fault| fault.under(Segment::Key(key.as_ref().to_owned()));
            let name = self.key(key, scope).map_err(under)?;
            let located = |fault: Fault| under(fault.located(location_step(&name)));
            match self.inside(template, scope, depth).map_err(located)? {
                Datum::Deleted => {}
                datum => {
                    members.insert(name, datum);
                }
            }
        }
        Ok(Datum::object(members, self.budget.limits)?)
    }

    fn key(&self, key: &Rc<str>, scope: &Scope<'_>) -> Result<Rc<str>, Fault> {
        self.budget.spend(1)?;
        match key.strip_prefix('$') {
            Some(rest) if rest.starts_with('$') => Ok(Rc::from(rest)),
            Some(rest) if is_identifier(rest) => Err(ErrorKind::ReservedKey.into()),
            _ => self.interpolate(key, scope),
        }
    }

    /// The text with its `${..}` replaced, and `$${` turned into `${`.
    fn interpolate(&self, text: &Rc<str>, scope: &Scope<'_>) -> Result<Rc<str>, Fault> {
        self.budget.spend_bytes(text.len())?;
        let mut rest = Text { text, offset: 0 };
        let mut out = String::new();
        let mut changed = false;
        while let Some((before, escaped)) = rest.next_opening() {
            changed = true;
            out.push_str(before);
            if escaped {
                out.push_str("${");
                continue;
            }
            let start = rest.offset;
            let (value, end) = self.replacement(text, start, scope).map_err(|fault| fault.in_text(text))?;
            self.budget.spend_bytes(value.len())?;
            let length = out.len().saturating_add(value.len());
            check(LimitKind::StringBytes, length, self.budget.limits.string_bytes)?;
            out.push_str(&value);
            rest.offset = end.saturating_add(1);
        }
        if !changed {
            return Ok(Rc::clone(text));
        }
        out.push_str(rest.remainder());
        check(LimitKind::StringBytes, out.len(), self.budget.limits.string_bytes)?;
        Ok(Rc::from(out))
    }

    /// The text of an expression that begins at an offset, and the offset of the brace behind it.
    fn replacement(&self, text: &str, start: usize, scope: &Scope<'_>) -> Result<(String, usize), Fault> {
        let (expression, end) = parse_until_brace(text, start, self.budget)?;
        let value = Evaluator { scope, budget: self.budget }.evaluate(&expression)?;
        let at = |kind: ErrorKind| Fault::from(kind).at(expression.offset);
        let replacement = match &value {
            Datum::Null => String::new(),
            Datum::Array(_) | Datum::Object(_) => {
                let expression = text.get(start..end).unwrap_or("").to_owned();
                return Err(at(ErrorKind::InterpolatedCollection { expression }));
            }
            // The reference prints an address in memory.
            Datum::Function(_) | Datum::Deleted => return Err(at(ErrorKind::UncalledFunction)),
            other => scalar(other, self.budget).map_err(at)?.unwrap_or_default(),
        };
        Ok((replacement, end))
    }

    /// The value of a text that is one expression.
    pub(crate) fn evaluate(&self, text: &str, scope: &Scope<'_>) -> Result<Datum, Fault> {
        parse(text, self.budget)
            .and_then(|expression| Evaluator { scope, budget: self.budget }.evaluate(&expression))
            .map_err(|fault| fault.in_text(text))
    }
}

/// A text being looked through for `${`.
struct Text<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Text<'a> {
    fn remainder(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or("")
    }

    /// Goes behind the next `${` or `$${`; answers what stands before it, and which it is.
    fn next_opening(&mut self) -> Option<(&'a str, bool)> {
        let (before, after) = self.remainder().split_once("${")?;
        self.offset = self.text.len().saturating_sub(after.len());
        Some(before.strip_suffix('$').map_or((before, false), |before| (before, true)))
    }
}
