//! Actions whose input does not match the schema that they were offered with.

use super::ways::{git_action, input, offer, wrapped};
use crate::attacks::{Attack, T, W, attack};
use crate::change::{json, set};
use crate::valid::{action, pr_action, promotion, promotion_of_rounds};
use catena_testbed::Chain;

/// Changes an action's schema, and starts it with another input.
fn against(chain: &mut Chain, schema: &str, text: &str) -> Option<()> {
    let schema = json(schema)?;
    offer(chain, |offer| set(offer, &["schema"], schema))?;
    input(chain, text)
}

/// A schema with more alternatives than the limit, of which the last matches anything.
fn too_large() -> String {
    let schema = wrapped("false", 16, |schema| format!("{{\"anyOf\":[{schema},{schema}]}}"));
    format!("{{\"anyOf\":[{schema},true]}}")
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "input of another type",
        &[T],
        "An action is started with a list, where its schema wants an object.",
        action,
        |c| input(c, "[1]"),
        "rebuild-action-input",
    ),
    attack(
        "input that is a string",
        &[T],
        "An action on a pull request is started with a string, where its schema wants an object.",
        pr_action,
        |c| input(c, "\"all\""),
        "rebuild-action-input",
    ),
    attack(
        "input outside a list of choices",
        &[T],
        "A release promotion is started with a flavour that its schema does not list.",
        promotion,
        |c| {
            against(
                c,
                r#"{"type":"object","properties":{"release_promotion_flavor":{"enum":["promote","push"]}}}"#,
                r#"{"release_promotion_flavor":"ship"}"#,
            )
        },
        "rebuild-action-input",
    ),
    attack(
        "input below its minimum",
        &[T],
        "A release promotion is started with a build number below the minimum of its schema.",
        promotion_of_rounds,
        |c| {
            against(
                c,
                r#"{"type":"object","properties":{"build_number":{"type":"integer","minimum":1}}}"#,
                r#"{"build_number":0,"release_promotion_flavor":"promote"}"#,
            )
        },
        "rebuild-action-input",
    ),
    attack(
        "input without a required member",
        &[T],
        "A release promotion is started without the build number that its schema requires.",
        promotion,
        |c| {
            against(
                c,
                r#"{"type":"object","required":["build_number"]}"#,
                r#"{"release_promotion_flavor":"promote","version":"151.0"}"#,
            )
        },
        "rebuild-action-input",
    ),
    attack(
        "input with an extra member",
        &[T],
        "An action on GitHub is started with a member that its schema does not allow.",
        git_action,
        |c| {
            against(
                c,
                r#"{"type":"object","properties":{"tasks":{"type":"array"}},"additionalProperties":false}"#,
                r#"{"skip":true,"tasks":[]}"#,
            )
        },
        "rebuild-action-input",
    ),
    attack(
        "input with an invalid item",
        &[T],
        "One label of an action's input is a number, where its schema wants strings.",
        action,
        |c| {
            against(
                c,
                r#"{"type":"object","properties":{"tasks":{"type":"array","items":{"type":"string"}}}}"#,
                r#"{"tasks":["a",1]}"#,
            )
        },
        "rebuild-action-input",
    ),
    attack(
        "schema too large to evaluate",
        &[T, W],
        "An action's schema is so large that its evaluation exceeds the limit.",
        action,
        |c| against(c, &too_large(), "{\"tasks\":[]}"),
        "rebuild-action-input",
    ),
    attack(
        "input too large to evaluate",
        &[T],
        "A release promotion is started with so long a list that its evaluation exceeds the limit.",
        promotion,
        |c| {
            let builds = (0..3_000).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
            let schema = r#"{"type":"object","properties":{"builds":{"type":"array","uniqueItems":true}}}"#;
            against(c, schema, &format!("{{\"builds\":[{builds}],\"release_promotion_flavor\":\"promote\"}}"))
        },
        "rebuild-action-input",
    ),
    attack(
        "input that two alternatives allow",
        &[T],
        "An action's schema requires exactly one of two alternatives, and its input matches both.",
        action,
        |c| {
            against(
                c,
                r##"{"oneOf":[{"type":"object"},{"properties":{"tasks":{"type":"array"}}}]}"##,
                r#"{"tasks":[]}"#,
            )
        },
        "rebuild-action-input",
    ),
    attack(
        "input that its schema excludes",
        &[T],
        "An action's schema excludes inputs with `skip`, and the action is started with one.",
        git_action,
        |c| against(c, r##"{"type":"object","not":{"required":["skip"]}}"##, r#"{"skip":true,"tasks":[]}"#),
        "rebuild-action-input",
    ),
    attack(
        "input without an email address",
        &[T],
        "An action's schema requires an email address, and its input has a command.",
        action,
        |c| {
            against(
                c,
                r##"{"type":"object","properties":{"notify":{"type":"string","format":"email"}}}"##,
                r#"{"notify":"$(id)@example.com","tasks":[]}"#,
            )
        },
        "rebuild-action-input",
    ),
    attack(
        "input with a property name against its schema",
        &[T],
        "A member of an action's input has a name for which the schema requires another type.",
        action,
        |c| {
            against(
                c,
                r##"{"type":"object","patternProperties":{"^tasks":{"type":"array"}}}"##,
                r#"{"tasks":"all"}"#,
            )
        },
        "rebuild-action-input",
    ),
    attack(
        "schema with a reference",
        &[T, W],
        "An action's schema refers to a definition, which a reader that ignores references would \
         not check.",
        action,
        |c| {
            against(
                c,
                r##"{"$ref":"#/definitions/input","definitions":{"input":{"type":"string"}}}"##,
                r#"{"tasks":[]}"#,
            )
        },
        "rebuild-action-schema",
    ),
    attack(
        "schema with a condition",
        &[T, W],
        "An action's schema has a condition, which is not supported.",
        promotion,
        |c| {
            against(
                c,
                r##"{"type":"object","if":{"required":["release_promotion_flavor"]},"then":{"required":["build_number"]}}"##,
                r#"{"release_promotion_flavor":"promote","version":"151.0"}"#,
            )
        },
        "rebuild-action-schema",
    ),
    attack(
        "schema with a lookahead pattern",
        &[T, W],
        "A pattern in an action's schema uses lookahead, which is not supported.",
        git_action,
        |c| {
            against(
                c,
                r##"{"type":"object","properties":{"level":{"type":"string","pattern":"^(?!3)"}}}"##,
                r#"{"level":"3","tasks":[]}"#,
            )
        },
        "rebuild-action-schema",
    ),
    attack(
        "schema of a type that does not exist",
        &[T, W],
        "An action's schema names a type that JSON does not have.",
        pr_action,
        |c| against(c, r##"{"type":"object","properties":{"tasks":{"type":"strings"}}}"##, r#"{"tasks":[]}"#),
        "rebuild-action-schema",
    ),
    attack(
        "schema with a string as a bound",
        &[T, W],
        "An action's schema has a string as the bound of a number.",
        promotion_of_rounds,
        |c| {
            against(
                c,
                r##"{"type":"object","properties":{"build_number":{"maximum":"3"}}}"##,
                r#"{"build_number":4,"release_promotion_flavor":"promote"}"#,
            )
        },
        "rebuild-action-schema",
    ),
];
