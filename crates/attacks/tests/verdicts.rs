//! Verdicts on chains and attacks, as JSON: they match the schema, and are parsed unchanged.
#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use catena_attacks::{Attack, Scenario, THREATS, valid};
use catena_json::{Limits, Value, parse};
use catena_model::task::TaskId;
use catena_report::{ReadVerdict, json, json_value};
use catena_verify::schema::{self, Unsupported};
use catena_verify::verdict::{Outcome, Verdict};
use std::collections::BTreeSet;

fn schema() -> Value {
    parse(include_bytes!("../../../docs/verdict.schema.json"), &Limits::default()).unwrap()
}

/// Compares a verdict with the schema and with its parsed form.
fn hold(schema: &Value, verdict: &Verdict, name: &str) {
    let misfit = schema::misfit(schema, &json_value(verdict), Unsupported::Refused, &mut |_| true);
    assert_eq!(misfit, None, "{name}");
    let read = ReadVerdict::parse(json(verdict).as_bytes(), &Limits::default()).unwrap();
    assert_eq!((&read.links, &read.artifacts), (&verdict.links, &verdict.artifacts), "{name}");
    assert_eq!(read.failed().count(), verdict.failed().count(), "{name}");
}

#[test]
fn verdicts_of_valid_chains_carry_their_evidence() {
    let schema = schema();
    for honest in valid::chains().into_iter().step_by(5) {
        let chain = honest.build().unwrap();
        // Validating a large verdict takes more steps than the schema of an action may.
        if chain.tasks.len() > 40 {
            continue;
        }
        let verdict = Scenario::of(&chain).unwrap().judge(chain);
        hold(&schema, &verdict, &honest.name);
    }
    let chain = valid::finished().build().unwrap();
    let verdict = Scenario::of(&chain).unwrap().judge(chain);
    assert_eq!(verdict.outcome, Outcome::Verified);
    let tasks: BTreeSet<TaskId> = verdict.links.iter().map(|link| link.task_id).collect();
    for link in &verdict.links {
        assert!(link.document.is_some() && link.worker.is_some() && link.run_id.is_some(), "{}", link.name);
        assert_eq!((link.edges.first().unwrap().name.as_str(), link.edges_left_out), ("parent", 0));
        assert!(link.edges.iter().all(|edge| tasks.contains(&edge.task_id)), "{}", link.name);
    }
}

#[test]
fn verdicts_of_attacks_are_of_the_schema() {
    let schema = schema();
    let attacks = THREATS.iter().flat_map(|threat| threat.attacks());
    let attacks = attacks.filter(|attack: &&Attack| !attack.needs_server());
    for attack in attacks.step_by(40) {
        let (chain, _) = attack.build().unwrap();
        hold(&schema, &attack.scenario(&chain).unwrap().judge(chain), attack.name);
    }
}
