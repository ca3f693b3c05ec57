//! JSON-e.
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
mod sort;
mod template;
mod text;
mod time;

pub use context::{Binding, Context, HostFunction};
pub use error::{Error, ErrorKind, Excerpt, LimitKind};
pub use limits::Limits;

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
/// Whatever is wrong with the template for this context, with its place; reached limits too.
pub fn render(template: &Value, context: &Context, limits: &Limits) -> Result<Value, Error> {
    run(context, limits, |renderer, scope| renderer.render(&Datum::import(template, limits)?, scope, 0))
}

/// Evaluates one expression with the names of a context.
///
/// # Errors
/// Whatever is wrong with the expression for this context, with its place; reached limits too.
pub fn evaluate(expression: &str, context: &Context, limits: &Limits) -> Result<Value, Error> {
    run(context, limits, |renderer, scope| renderer.evaluate(expression, scope))
}

fn run(
    context: &Context,
    limits: &Limits,
    work: impl FnOnce(&Renderer<'_>, &Scope<'_>) -> Result<Datum, Fault>,
) -> Result<Value, Error> {
    let budget = Budget::new(limits);
    let finished = || -> Result<Value, Fault> {
        let scope = Scope::outermost(context, limits)?;
        match work(&Renderer { budget: &budget }, &scope)? {
            Datum::Deleted => Ok(Value::Null),
            result if result.holds_functions() => Err(ErrorKind::UncalledFunction.into()),
            result => {
                result.check(limits)?;
                Ok(result.export()?)
            }
        }
    };
    finished().map_err(Fault::finish)
}
