//! JSON-e 4.8, evaluated exactly.
//!
//! A `.taskcluster.yml` is a JSON-e template. To check that a decision task is what the
//! template says, a verifier must render it as the platform did: one operator read differently and a good
//! task is rejected, or a bad one accepted. The reference is the Python package `json-e`
//! 4.8.4; results agree with it, numbers print as it prints them (or as JavaScript's does, where a
//! [`Context`] says so), and messages are its messages.
//!
//! ```
//! use catena_json::{Value, parse};
//! use catena_jsone::{Context, Limits, render};
//!
//! let template = parse(br#"{"$map": ["a", "b"], "each(x)": "${as_slugid(x)} at ${now}"}"#, &Default::default())?;
//! let mut context = Context::new();
//! context.set("now", "2017-01-19T16:27:20.974Z");
//! context.set_function("as_slugid", |arguments| match arguments {
//!     [Value::String(label)] => Ok(Value::from(format!("id of {label}"))),
//!     _ => Err("expects one string".to_owned()),
//! });
//! let result = render(&template, &context, &Limits::default())?;
//! assert_eq!(result.to_string(), r#"["id of a at 2017-01-19T16:27:20.974Z","id of b at 2017-01-19T16:27:20.974Z"]"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it guarantees
//!
//! - All input is treated as hostile. [`Limits`] bounds depth, work and size; every cost is paid before
//!   it is incurred; no input panics or overflows a stack of 2 MiB.
//! - Expressions are parsed once, with one token of look-ahead and no backtracking: the cost is linear
//!   in the length of the text.
//! - Integers of any size stay integers, floats stay floats.
//! - An [`Error`] has the reference's message, the path into the template (through its operators,
//!   which the reference passes over) and the expression with the offset in it.
//! - No clock, no IO, no state: the time is the `now` of the [`Context`].
//!
//! # Where it differs from the reference
//!
//! Everything the reference does on purpose is the same, and so are its accidents where a
//! template could depend on them (`true == 1`; `!a.b` is `(!a).b`; the first value of `$reduce` is
//! not rendered, and what `$find` found is rendered again; keys that begin with an allowed one are
//! allowed). These are not:
//!
//! - Off-reference: without a `now` in the context, or with null for it (or for the `from` of
//!   `$fromNow`), functions that need the time fail; the reference uses the machine's clock.
//! - Off-reference: a function inside `${..}` is an error; the reference prints its address.
//! - Off-reference: integers beyond [`Limits::integer_bits`] are an error; the reference computes with
//!   them until it has to print one.
//! - Off-reference: a result with an infinite float, or one that is not a number, is an error; the
//!   reference returns values that JSON cannot represent. A negative number to a fractional power is an
//!   error; the reference continues with a complex number. Floats that are not numbers are not sorted.
//! - Off-reference: what ends the reference with a Python exception (`number('a')`, `range(1)`, `$if`
//!   with a list, a missing operand) ends with an [`Error`] here. The single argument of `min(1)` and
//!   `max(1)`, on which the reference fails too, is returned.
//! - Off-reference: digits of offsets and times, and of the text given to `number`, are ASCII; the
//!   reference also reads other scripts' digits. Which characters exist and how they change case
//!   is as in the Unicode version this is built with.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod builtins;
mod context;
mod datum;
mod error;
mod evaluate;
mod expression;
mod lexer;
mod limits;
mod number;
mod operators;
mod parser;
mod sort;
mod template;
mod text;
mod time;

pub use context::{Binding, Context, HostFunction, Numbers};
pub use error::{Error, ErrorKind, Excerpt, LimitKind};
pub use limits::{Limits, Watch};

use catena_json::Value;
use context::Scope;
use datum::Datum;
use error::Fault;
use limits::Budget;
use template::Renderer;

/// Renders a template with the names of a context. A template that deletes itself gives null, as
/// in the reference.
///
/// # Errors
/// All errors in the template for this context, with their positions; exceeded limits too.
pub fn render(template: &Value, context: &Context, limits: &Limits) -> Result<Value, Error> {
    render_watched(template, context, limits, &|_| true)
}

/// Like [`render`], and reports every step to a watch, which can end the rendering: then the error is
/// [`ErrorKind::Interrupted`].
///
/// # Errors
/// As those of [`render`].
pub fn render_watched(
    template: &Value,
    context: &Context,
    limits: &Limits,
    watch: Watch<'_>,
) -> Result<Value, Error> {
    let budget = Budget::watched(limits, watch).printing(context.numbers());
    run(context, &budget, |renderer, scope| renderer.render(&Datum::import(template, limits)?, scope, 0))
}

/// Evaluates one expression with the names of a context.
///
/// # Errors
/// All errors in the expression for this context, with their positions; exceeded limits too.
pub fn evaluate(expression: &str, context: &Context, limits: &Limits) -> Result<Value, Error> {
    let budget = Budget::new(limits).printing(context.numbers());
    run(context, &budget, |renderer, scope| renderer.evaluate(expression, scope))
}

fn run(
    context: &Context,
    budget: &Budget<'_>,
    work: impl FnOnce(&Renderer<'_>, &Scope<'_>) -> Result<Datum, Fault>,
) -> Result<Value, Error> {
    let limits = budget.limits;
    let finished = || -> Result<Value, Fault> {
        let scope = Scope::outermost(context, limits)?;
        let datum = work(&Renderer { budget }, &scope);
        budget.report()?;
        match datum? {
            Datum::Deleted => Ok(Value::Null),
            result => {
                result.check(limits)?;
                Ok(result.export()?)
            }
        }
    };
    finished().map_err(Fault::finish)
}
