//! The operators: objects with one `$` key that determines their result.

use crate::context::Scope;
use crate::datum::{Datum, Members, Object};
use crate::error::{ErrorKind, Fault};
use crate::template::Renderer;
use crate::text::{is_identifier, is_plain_identifier, is_space, json};
use crate::time::from_now;
use catena_json::Segment;
use std::ops::RangeInclusive;
use std::rc::Rc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Eval,
    Flatten,
    FlattenDeep,
    FromNow,
    If,
    Json,
    Let,
    Map,
    Reduce,
    Find,
    Match,
    Switch,
    Merge,
    MergeDeep,
    Reverse,
    Sort,
}

impl Operator {
    /// The operator a key names.
    pub(crate) fn of(key: &str) -> Option<Self> {
        Some(match key {
            "$eval" => Self::Eval,
            "$flatten" => Self::Flatten,
            "$flattenDeep" => Self::FlattenDeep,
            "$fromNow" => Self::FromNow,
            "$if" => Self::If,
            "$json" => Self::Json,
            "$let" => Self::Let,
            "$map" => Self::Map,
            "$reduce" => Self::Reduce,
            "$find" => Self::Find,
            "$match" => Self::Match,
            "$switch" => Self::Switch,
            "$merge" => Self::Merge,
            "$mergeDeep" => Self::MergeDeep,
            "$reverse" => Self::Reverse,
            "$sort" => Self::Sort,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Eval => "$eval",
            Self::Flatten => "$flatten",
            Self::FlattenDeep => "$flattenDeep",
            Self::FromNow => "$fromNow",
            Self::If => "$if",
            Self::Json => "$json",
            Self::Let => "$let",
            Self::Map => "$map",
            Self::Reduce => "$reduce",
            Self::Find => "$find",
            Self::Match => "$match",
            Self::Switch => "$switch",
            Self::Merge => "$merge",
            Self::MergeDeep => "$mergeDeep",
            Self::Reverse => "$reverse",
            Self::Sort => "$sort",
        }
    }

    /// Whether a key may stand beside the operator. The reference joins the allowed keys to one
    /// pattern and anchors only the last of them: what begins with an earlier one is allowed too.
    fn allows(self, key: &str) -> bool {
        let (beginnings, last): (&[&str], Last) = match self {
            Self::If => (&["$if", "then"], Last::Word("else")),
            Self::Let => (&["$let"], Last::Word("in")),
            Self::FromNow => (&["$fromNow"], Last::Word("from")),
            Self::Map => (&["$map"], Last::Each(1..=2)),
            Self::Find => (&["$find"], Last::Each(1..=2)),
            Self::Reduce => (&["$reduce", "initial"], Last::Each(2..=3)),
            Self::Sort => (&["$sort"], Last::By),
            other => (&[], Last::Word(other.name())),
        };
        beginnings.iter().any(|beginning| key.starts_with(beginning)) || last.matches(key)
    }

    pub(crate) fn broken(self, rule: &'static str) -> Fault {
        ErrorKind::Operator { operator: self.name(), rule }.into()
    }
}

/// The last pattern of the keys an operator allows.
enum Last {
    Word(&'static str),
    /// `each(..)` with so many names.
    Each(RangeInclusive<usize>),
    /// `by(..)` with one name.
    By,
}

impl Last {
    fn matches(&self, key: &str) -> bool {
        // Python's `$` also matches before a line break at the end.
        let key = key.strip_suffix('\n').unwrap_or(key);
        let inside = |word: &str| key.strip_prefix(word)?.strip_prefix('(')?.strip_suffix(')');
        match self {
            Self::Word(word) => key == *word,
            Self::By => inside("by").is_some_and(is_plain_identifier),
            Self::Each(count) => inside("each").is_some_and(|names| {
                let mut names = names.split(',');
                names.next().is_some_and(is_plain_identifier)
                    && names.clone().all(|name| is_plain_identifier(name.trim_start_matches(is_space)))
                    && count.contains(&names.count().saturating_add(1))
            }),
        }
    }
}

/// The `each(..)` of an object: its key, the names in it, its template.
struct Each<'a> {
    key: &'a str,
    names: Vec<Rc<str>>,
    template: &'a Datum,
}

impl Each<'_> {
    fn bind(&self, scope: &mut Scope<'_>, position: usize, value: Datum) {
        if let Some(name) = self.names.get(position) {
            scope.set(Rc::clone(name), value);
        }
    }
}

/// The context in which one operator is evaluated.
pub(crate) struct Place<'a> {
    pub(crate) operator: Operator,
    pub(crate) object: &'a Object,
    pub(crate) scope: &'a Scope<'a>,
    depth: usize,
}

impl<'a> Place<'a> {
    fn part(&self, key: &str) -> Option<&'a Datum> {
        self.object.get(key)
    }

    /// The value of the operator's own key.
    fn operand(&self) -> &'a Datum {
        self.part(self.operator.name()).unwrap_or(&Datum::Null)
    }

    fn check_members(&self) -> Result<(), Fault> {
        let keys = self.object.members().keys().map(AsRef::as_ref);
        let mut unknown: Vec<&str> = keys.filter(|key| !self.operator.allows(key)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        unknown.sort_unstable();
        let properties = unknown.join(" ");
        Err(ErrorKind::UndefinedProperties { operator: self.operator.name(), properties }.into())
    }

    /// The only `each(..)`.
    fn each(&self) -> Option<Each<'a>> {
        let mut found = self.object.members().iter().filter(|(key, _)| key.starts_with("each("));
        let (Some((key, template)), None) = (found.next(), found.next()) else { return None };
        Some(Each { key: key.as_ref(), names: names(key, "each("), template })
    }
}

/// The names between `each(` or `by(` and the last character, as the reference cuts them out.
pub(crate) fn names(key: &str, opening: &str) -> Vec<Rc<str>> {
    let mut inside = key.strip_prefix(opening).unwrap_or(key).chars();
    inside.next_back();
    inside.as_str().split(',').map(|name| Rc::from(name.trim_matches(is_space))).collect()
}

fn key(key: &str) -> Segment {
    Segment::Key(key.to_owned())
}

impl Renderer<'_> {
    pub(crate) fn operate(
        &self,
        operator: Operator,
        object: &Object,
        scope: &Scope<'_>,
        depth: usize,
    ) -> Result<Datum, Fault> {
        let place = Place { operator, object, scope, depth };
        place.check_members()?;
        match operator {
            Operator::Eval => self.eval(&place),
            Operator::Flatten => self.flatten(&place),
            Operator::FlattenDeep => self.flatten_deep(&place),
            Operator::FromNow => self.time(&place),
            Operator::If => self.choose(&place),
            Operator::Json => self.json(&place),
            Operator::Let => self.bind(&place),
            Operator::Map => self.map(&place),
            Operator::Reduce => self.reduce(&place),
            Operator::Find => self.find(&place),
            Operator::Match => self.matches(&place),
            Operator::Switch => self.switch(&place),
            Operator::Merge => self.merge(&place),
            Operator::MergeDeep => self.merge_deep(&place),
            Operator::Reverse => self.reverse(&place),
            Operator::Sort => self.sort(&place),
        }
    }

    /// Renders a part of an operator's object.
    fn part(
        &self,
        place: &Place<'_>,
        name: &str,
        template: &Datum,
        scope: &Scope<'_>,
    ) -> Result<Datum, Fault> {
        self.inside(template, scope, place.depth).map_err(|fault| fault.under(key(name)))
    }

    /// Renders the value of the operator's own key.
    pub(crate) fn operand(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        self.part(place, place.operator.name(), place.operand(), place.scope)
    }

    /// Evaluates the expression under a key.
    pub(crate) fn expression(&self, text: &str, name: &str, scope: &Scope<'_>) -> Result<Datum, Fault> {
        self.evaluate(text, scope).map_err(|fault| fault.under(key(name)))
    }

    pub(crate) fn new_array(&self, items: Vec<Datum>) -> Result<Datum, Fault> {
        Ok(Datum::array(items, self.budget.limits)?)
    }

    fn new_object(&self, members: Members) -> Result<Datum, Fault> {
        Ok(Datum::object(members, self.budget.limits)?)
    }

    fn eval(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        let Datum::String(text) = place.operand() else {
            return Err(place.operator.broken("$eval must be given a string expression"));
        };
        self.expression(text, "$eval", place.scope)
    }

    fn flatten(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        let Datum::Array(array) = self.operand(place)? else {
            return Err(place.operator.broken("$flatten value must evaluate to an array"));
        };
        let mut flat = Vec::new();
        for item in array.items() {
            match item {
                Datum::Array(inner) => {
                    self.budget.spend(inner.items().len())?;
                    flat.extend_from_slice(inner.items());
                }
                other => flat.push(other.clone()),
            }
        }
        self.new_array(flat)
    }

    fn flatten_deep(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        let value = self.operand(place)?;
        if !matches!(value, Datum::Array(_)) {
            return Err(place.operator.broken("$flattenDeep value must evaluate to an array"));
        }
        self.budget.spend_bytes(value.bytes())?;
        let mut flat = Vec::new();
        flatten_into(&value, &mut flat);
        self.new_array(flat)
    }

    fn time(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        let offset = self.operand(place)?;
        let reference = match place.part("from") {
            Some(from) => self.part(place, "from", from, place.scope)?,
            None => place.scope.now().cloned().unwrap_or(Datum::Null),
        };
        let Datum::String(offset) = offset else {
            return Err(place.operator.broken("$fromNow expects a string"));
        };
        let reference = match reference {
            Datum::String(reference) => reference,
            // The reference takes the clock of the machine.
            Datum::Null => return Err(ErrorKind::NoClock.into()),
            _ => return Err(place.operator.broken("$fromNow expects `from` to be a string")),
        };
        self.budget.spend_bytes(offset.len().saturating_add(reference.len()))?;
        Ok(Datum::string(from_now(&offset, &reference)?))
    }

    fn choose(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        let Datum::String(text) = place.operand() else {
            return Err(place.operator.broken("$if must be given a string expression"));
        };
        let condition = self.expression(text, "$if", place.scope)?.is_truthy();
        let branch = if condition { "then" } else { "else" };
        match place.part(branch) {
            Some(template) => self.part(place, branch, template, place.scope),
            None => Ok(Datum::Deleted),
        }
    }

    fn json(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        let value = self.operand(place)?;
        if value.holds_functions() {
            return Err(ErrorKind::UncalledFunction.into());
        }
        Ok(Datum::string(json(&value, self.budget)?))
    }

    fn bind(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        let refused = || place.operator.broken("$let value must be an object");
        if !matches!(place.operand(), Datum::Object(_)) {
            return Err(refused());
        }
        let Datum::Object(names) = self.operand(place)? else { return Err(refused()) };
        let mut scope = place.scope.inner();
        for (name, value) in names.members() {
            if !is_identifier(name) {
                let rule = "top level keys of $let must follow /[a-zA-Z_][a-zA-Z0-9_]*/";
                return Err(place.operator.broken(rule));
            }
            scope.set(Rc::clone(name), value.clone());
        }
        match place.part("in") {
            Some(template) => self.part(place, "in", template, &scope),
            None => Err(place.operator.broken("$let operator requires an `in` clause")),
        }
    }

    fn map(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        let value = self.operand(place)?;
        if !matches!(value, Datum::Array(_) | Datum::Object(_)) {
            return Err(place.operator.broken("$map value must evaluate to an array or object"));
        }
        let each = place
            .each()
            .ok_or_else(|| place.operator.broken("$map requires exactly one other property, each(..)"))?;
        match value {
            Datum::Object(object) => self.map_object(place, &object, &each),
            Datum::Array(array) => {
                let mut scope = place.scope.inner();
                let mut results = Vec::new();
                for (index, item) in array.items().iter().enumerate() {
                    each.bind(&mut scope, 0, item.clone());
                    each.bind(&mut scope, 1, Datum::Number(index.into()));
                    match self.part(place, each.key, each.template, &scope)? {
                        Datum::Deleted => {}
                        result => results.push(result),
                    }
                }
                self.new_array(results)
            }
            _ => Ok(Datum::Null),
        }
    }

    fn map_object(&self, place: &Place<'_>, object: &Object, each: &Each<'_>) -> Result<Datum, Fault> {
        let mut scope = place.scope.inner();
        let mut results = Members::new();
        for (name, value) in object.members() {
            if each.names.len() > 1 {
                each.bind(&mut scope, 0, value.clone());
                each.bind(&mut scope, 1, Datum::String(Rc::clone(name)));
            } else {
                let pair = [("key", Datum::String(Rc::clone(name))), ("val", value.clone())];
                let pair = pair.into_iter().map(|(key, value)| (Rc::from(key), value)).collect();
                each.bind(&mut scope, 0, self.new_object(pair)?);
            }
            match self.part(place, each.key, each.template, &scope)? {
                Datum::Deleted => {}
                Datum::Object(result) => self.update(&mut results, &result)?,
                _ => return Err(ErrorKind::MapOnObject { each: each.key.to_owned() }.into()),
            }
        }
        self.new_object(results)
    }

    /// Puts the members of one object into another.
    fn update(&self, members: &mut Members, from: &Object) -> Result<(), Fault> {
        self.budget.spend(from.members().len())?;
        for (key, value) in from.members() {
            members.insert(Rc::clone(key), value.clone());
        }
        Ok(())
    }

    fn reduce(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        let Datum::Array(array) = self.operand(place)? else {
            return Err(place.operator.broken("$reduce value must evaluate to an array"));
        };
        if place.object.members().len() != 3 {
            return Err(place.operator.broken("$reduce must have exactly three properties"));
        }
        let each = place.each().ok_or_else(|| place.operator.broken("$reduce requires each(..)"))?;
        let initial =
            place.part("initial").ok_or_else(|| place.operator.broken("$reduce requires initial"))?;
        // The first value is taken as it stands, not rendered.
        let mut result = initial.clone();
        let mut scope = place.scope.inner();
        for (index, item) in array.items().iter().enumerate() {
            each.bind(&mut scope, 0, result.clone());
            each.bind(&mut scope, 1, item.clone());
            each.bind(&mut scope, 2, Datum::Number(index.into()));
            match self.part(place, each.key, each.template, &scope)? {
                Datum::Deleted => {}
                next => result = next,
            }
        }
        Ok(result)
    }

    fn find(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        let Datum::Array(array) = self.operand(place)? else {
            return Err(place.operator.broken("$find value must evaluate to an array"));
        };
        let each = place
            .each()
            .ok_or_else(|| place.operator.broken("$find requires exactly one other property, each(..)"))?;
        let Datum::String(condition) = each.template else {
            return Err(place.operator.broken("each can evaluate string expressions only"));
        };
        let mut scope = place.scope.inner();
        for (index, item) in array.items().iter().enumerate() {
            each.bind(&mut scope, 0, item.clone());
            each.bind(&mut scope, 1, Datum::Number(index.into()));
            if self.expression(condition, each.key, &scope)?.is_truthy() {
                // What was found is rendered once more, as a template.
                return self.part(place, "$find", item, &scope);
            }
        }
        Ok(Datum::Deleted)
    }

    fn matches(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        let Datum::Object(cases) = place.operand() else {
            return Err(place.operator.broken("$match can evaluate objects only"));
        };
        let mut sorted: Vec<_> = cases.members().iter().collect();
        sorted.sort_unstable_by_key(|(condition, _)| *condition);
        let mut results = Vec::new();
        for (condition, template) in sorted {
            if let Some(result) = self.case(place, condition, template)? {
                results.push(result);
            }
        }
        self.new_array(results)
    }

    /// What a case of `$match` or `$switch` gives, if its condition holds.
    fn case(&self, place: &Place<'_>, condition: &str, template: &Datum) -> Result<Option<Datum>, Fault> {
        let under = |fault: Fault| fault.under(key(place.operator.name()));
        if !self.expression(condition, condition, place.scope).map_err(under)?.is_truthy() {
            return Ok(None);
        }
        self.part(place, condition, template, place.scope).map(Some).map_err(under)
    }

    fn switch(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        let Datum::Object(cases) = place.operand() else {
            return Err(place.operator.broken("$switch can evaluate objects only"));
        };
        let mut results = Vec::new();
        for (condition, template) in cases.members() {
            if condition.as_ref() != "$default"
                && let Some(result) = self.case(place, condition, template)?
            {
                results.push(result);
            }
        }
        if results.len() > 1 {
            return Err(place.operator.broken("$switch can only have one truthy condition"));
        }
        match (results.pop(), cases.get("$default")) {
            (Some(result), _) => Ok(result),
            (None, Some(template)) => {
                let under = |fault: Fault| fault.under(key("$switch"));
                self.part(place, "$default", template, place.scope).map_err(under)
            }
            (None, None) => Ok(Datum::Deleted),
        }
    }

    /// The operand as objects, for the two operators that merge them.
    fn objects(&self, place: &Place<'_>, rule: &'static str) -> Result<Vec<Rc<Object>>, Fault> {
        let refused = || place.operator.broken(rule);
        let Datum::Array(array) = self.operand(place)? else { return Err(refused()) };
        let object = |item: &Datum| match item {
            Datum::Object(object) => Ok(Rc::clone(object)),
            _ => Err(refused()),
        };
        array.items().iter().map(object).collect()
    }

    fn merge(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        let mut merged = Members::new();
        for object in self.objects(place, "$merge value must evaluate to an array of objects")? {
            self.update(&mut merged, &object)?;
        }
        self.new_object(merged)
    }

    fn merge_deep(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        let objects = self.objects(place, "$mergeDeep value must evaluate to an array of objects")?;
        let mut objects = objects.into_iter().map(Datum::Object);
        let Some(first) = objects.next() else { return self.new_object(Members::new()) };
        objects.try_fold(first, |left, right| self.merged(&left, &right))
    }

    /// Lists are joined, objects merged, anything else replaced. As deep as the values are.
    fn merged(&self, left: &Datum, right: &Datum) -> Result<Datum, Fault> {
        match (left, right) {
            (Datum::Array(left), Datum::Array(right)) => {
                self.budget.spend(left.items().len().saturating_add(right.items().len()))?;
                self.new_array([left.items(), right.items()].concat())
            }
            (Datum::Object(left), Datum::Object(right)) => {
                self.budget.spend(left.members().len().saturating_add(right.members().len()))?;
                let mut merged = left.members().clone();
                for (key, value) in right.members() {
                    let value = match left.get(key) {
                        Some(old) => self.merged(old, value)?,
                        None => value.clone(),
                    };
                    merged.insert(Rc::clone(key), value);
                }
                self.new_object(merged)
            }
            (_, right) => Ok(right.clone()),
        }
    }

    fn reverse(&self, place: &Place<'_>) -> Result<Datum, Fault> {
        let Datum::Array(array) = self.operand(place)? else {
            return Err(place.operator.broken("$reverse value must evaluate to an array of objects"));
        };
        self.budget.spend(array.items().len())?;
        self.new_array(array.items().iter().rev().cloned().collect())
    }
}

fn flatten_into(value: &Datum, flat: &mut Vec<Datum>) {
    match value {
        Datum::Array(array) => array.items().iter().for_each(|item| flatten_into(item, flat)),
        other => flat.push(other.clone()),
    }
}
