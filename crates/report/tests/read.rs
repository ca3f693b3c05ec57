//! A report that is written is read back, and what is no report is refused.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod support;

use catena_json::{Limits, Path, Segment, Value};
use catena_report::{ReadError, ReadFinding, ReadVerdict, json, json_line, json_value};
use catena_verify::schema::{self, Unsupported};
use catena_verify::verdict::{Class, Disposition, Outcome, Source, Verdict};
use support::*;

fn read(text: &str) -> Result<ReadVerdict, ReadError> {
    ReadVerdict::parse(text.as_bytes(), &Limits::default())
}

fn verdicts() -> Vec<Verdict> {
    let relaxed = Verdict { relaxed: weakened(), ..verdict(Outcome::Verified, Vec::new()) };
    let recorded = Verdict {
        keys: widened(),
        source: Source::Recording,
        ..verdict(Outcome::Rejected, vec![unknown_key()])
    };
    let mut bare = verdict(Outcome::Undetermined, vec![unreachable()]);
    bare.links.clear();
    bare.artifacts.clear();
    vec![verdict(Outcome::Verified, Vec::new()), relaxed, recorded, bare]
}

#[test]
fn reports_round_trip() {
    for verdict in verdicts() {
        for text in [json(&verdict), json_line(&verdict)] {
            let back = read(&text).unwrap();
            assert_eq!(
                (back.outcome, back.task_id, &back.kind),
                (verdict.outcome, verdict.task_id, &verdict.kind)
            );
            assert_eq!((back.check_task, back.extent), (verdict.check_task, verdict.extent));
            assert_eq!((&back.product, &back.tree), (&verdict.product, &verdict.tree));
            assert_eq!(
                (&back.policy.name, &back.policy.layers),
                (&verdict.policy.name, &verdict.policy.layers)
            );
            assert_eq!((back.policy.digest, back.keys.digest), (verdict.policy.digest, verdict.keys.digest));
            assert_eq!((&back.keys.file, &back.keys.widened), (&verdict.keys.file, &verdict.keys.widened));
            assert_eq!((back.source, back.concluded), (verdict.source, verdict.concluded));
            assert_eq!((&back.links, &back.artifacts), (&verdict.links, &verdict.artifacts));
            let rules: Vec<&str> = back.relaxed.iter().map(|relaxed| relaxed.rule.as_str()).collect();
            assert_eq!(rules, verdict.relaxed.iter().map(|relaxed| relaxed.as_str()).collect::<Vec<_>>());
            assert_eq!(back.version, catena_verify::VERSION);
            let findings = back
                .findings
                .iter()
                .map(|it| (it.code.as_str(), it.class, it.disposition, it.task_id, it.message.as_str()));
            let written = verdict.findings.iter().map(|it| {
                let class = (!it.code.passes).then_some(it.code.class);
                (it.code.name, class, it.disposition, it.task_id, it.message.as_str())
            });
            assert!(findings.eq(written));
            let failed = |it: &ReadFinding| it.disposition == Disposition::Failed;
            assert!(back.findings.iter().all(|it| it.headline.is_some() == failed(it)));
        }
    }
}

#[test]
fn reports_match_the_schema_which_lists_every_member() {
    let schema = value(include_str!("../../../docs/verdict.schema.json"));
    for verdict in verdicts() {
        let report = json_value(&verdict);
        assert_eq!(schema::misfit(&schema, &report, Unsupported::Refused, &mut |_| true), None);
        assert_eq!(undescribed(&schema, &report, &Path::new()), Vec::<String>::new());
    }
    let mut report = json_value(&verdicts().remove(0));
    report.as_object_mut().unwrap().insert("outcome", Value::from("fine"));
    assert!(schema::misfit(&schema, &report, Unsupported::Refused, &mut |_| true).is_some());
}

/// The members of a value that a schema does not describe.
fn undescribed(schema: &Value, value: &Value, path: &Path) -> Vec<String> {
    let schema = match schema.get("oneOf").and_then(Value::as_array) {
        Some(_) if value.is_null() => return Vec::new(),
        Some(alternatives) => alternatives.last().unwrap(),
        None => schema,
    };
    match value {
        Value::Object(members) if schema.get("properties").is_some() => {
            let described = |(name, value): (&String, &Value)| match schema.pointer(&["properties", name]) {
                Some(property) => undescribed(property, value, &path.key(name)),
                None => vec![path.key(name).to_string()],
            };
            members.iter().flat_map(described).collect()
        }
        Value::Array(items) => {
            let item = |(index, item)| undescribed(schema.get("items").unwrap(), item, &path.index(index));
            items.iter().enumerate().flat_map(item).collect()
        }
        _ => Vec::new(),
    }
}

/// A report with another value in one location.
fn changed(path: &[&str], to: Value) -> Result<ReadVerdict, ReadError> {
    let mut report = json_value(&verdict(Outcome::Rejected, vec![unknown_key()]));
    let (last, parents) = path.split_last().unwrap();
    let mut location = &mut report;
    for key in parents {
        location = match key.parse::<usize>() {
            Ok(index) => &mut location.as_array_mut().unwrap()[index],
            Err(_) => location.get_mut(key).unwrap(),
        };
    }
    location.as_object_mut().unwrap().insert(*last, to).unwrap();
    read(&report.to_string())
}

#[test]
fn malformed_members_are_refused_with_their_path() {
    let null = || Value::Null;
    for (path, to) in [
        (&["program", "version"][..], null()),
        (&["outcome"], Value::from("yes")),
        (&["target", "taskId"], Value::from("task")),
        (&["target", "checkTask"], Value::from("true")),
        (&["target", "artifacts"], Value::from("some")),
        (&["policy", "digest"], Value::from("sha1:00")),
        (&["policy", "layers"], Value::from("a.yml")),
        (&["keys", "widened"], null()),
        (&["source"], Value::from("hearsay")),
        (&["concluded"], Value::from("yesterday")),
        (&["links", "0", "name"], Value::Array(Vec::new())),
        (&["links", "0", "runId"], Value::from(-1_i64)),
        (&["links", "0", "runState"], Value::from("asleep")),
        (&["links", "0", "workerPool"], Value::from("gecko-3")),
        (&["links", "1", "document", "signer", "scheme"], Value::from("rot13")),
        (&["links", "1", "document", "signer", "key"], Value::from("AAAA")),
        (&["links", "1", "edgesLeftOut"], null()),
        (&["findings", "0", "disposition"], Value::from("ignored")),
        (&["findings", "0", "class"], Value::from("harmless")),
        (&["findings", "0", "headline"], Value::from(1_u64)),
        (&["findings", "0", "followsFrom"], Value::from(-1_i64)),
        (&["artifacts", "0", "name"], Value::from("")),
        (&["artifacts", "0", "evidence"], Value::from("guessed")),
    ] {
        let expected = path.iter().fold(Path::new(), |location, key| {
            let segment = key.parse().map_or_else(|_| Segment::Key((*key).to_owned()), Segment::Index);
            location.child(segment)
        });
        match changed(path, to) {
            Err(ReadError::Malformed { path: found, .. }) => assert_eq!(found, expected),
            other => panic!("{path:?}: {other:?}"),
        }
    }
    assert_eq!(changed(&["schema"], Value::from("other/1")), Err(ReadError::Schema("other/1".to_owned())));
    assert!(matches!(read("{"), Err(ReadError::Json(_))));
    assert!(matches!(read("{}"), Err(ReadError::Malformed { .. })));
}

#[test]
fn contradictions_are_refused() {
    let refused = |read: Result<ReadVerdict, ReadError>| matches!(read, Err(ReadError::Contradiction(_)));
    assert!(refused(changed(&["exitStatus"], Value::from(0_u64))));
    let verified = Verdict { outcome: Outcome::Verified, ..verdict(Outcome::Rejected, vec![unknown_key()]) };
    assert!(refused(read(&json(&verified))));
    assert!(refused(read(&json(&verdict(Outcome::Rejected, Vec::new())))));
    let mut passing_code = unknown_key();
    passing_code.code = passing("signature-verified");
    assert!(refused(read(&json(&verdict(Outcome::Rejected, vec![passing_code])))));
    // The last finding is the failed one: it follows from itself, from one that passed, from one that is not there.
    let last = json_value(&verdict(Outcome::Rejected, vec![unknown_key()]));
    let last = last.get("findings").and_then(Value::as_array).unwrap().len() - 1;
    for cause in [last, 0, last + 1] {
        let to = Value::from(u64::try_from(cause).unwrap());
        assert!(refused(changed(&["findings", &last.to_string(), "followsFrom"], to)), "{cause}");
    }
    // Only a failed finding follows from another.
    assert!(refused(changed(&["findings", "0", "followsFrom"], Value::from(u64::try_from(last).unwrap()))));
}

#[test]
fn the_example_of_the_page_is_a_report() {
    let page = include_str!("../../../docs/verdict-json.md");
    let (_, behind) = page.split_once("```json\n").unwrap();
    let (example, _) = behind.split_once("\n```").unwrap();
    let schema = value(include_str!("../../../docs/verdict.schema.json"));
    assert_eq!(schema::misfit(&schema, &value(example), Unsupported::Refused, &mut |_| true), None);
    assert_eq!(read(example).unwrap().version, catena_verify::VERSION);
}

#[test]
fn members_of_later_versions_are_ignored() {
    let mut report = json_value(&verdict(Outcome::Rejected, vec![unknown_key()]));
    report.as_object_mut().unwrap().insert("later", Value::from(true));
    let mut later = unknown_key();
    later.code = code("a-later-code", Class::Policy);
    let findings = json_value(&verdict(Outcome::Rejected, vec![later])).get("findings").unwrap().clone();
    report.as_object_mut().unwrap().insert("findings", findings);
    let back = read(&report.to_string()).unwrap();
    let failed: Vec<_> = back.failed().map(|finding| (finding.code.as_str(), finding.disposition)).collect();
    assert_eq!(failed, [("a-later-code", Disposition::Failed)]);
}
