//! Many comparisons in one report.

use super::{Agreement, ShadowLine, object};
use crate::escape;
use catena_json::Value;
use catena_model::task::TaskId;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Tasks that are named for each number.
const EXAMPLES: usize = 5;

/// A number of tasks, and some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// The first of them, in the order of their ids.
    pub examples: Vec<TaskId>,
}

impl Tally {
    fn add(&mut self, task_id: TaskId) {
        self.count = self.count.saturating_add(1);
        if self.examples.len() < EXAMPLES {
            self.examples.push(task_id);
        }
    }

    fn to_value(&self) -> Value {
        let examples: Vec<Value> = self.examples.iter().map(|task| task.as_str().into()).collect();
        object([("tasks", self.count.into()), ("examples", examples.into())])
    }

    fn shown(&self) -> String {
        let names: Vec<&str> = self.examples.iter().map(TaskId::as_str).collect();
        let more = if self.count > 5 { " …" } else { "" };
        format!("{:>6}  {}{more}", self.count, names.join(" "))
    }
}

/// Comparisons of many tasks. A task that was compared several times counts once, as it was compared last.
#[derive(Clone, Debug, Default)]
pub struct ShadowSum {
    tasks: BTreeMap<TaskId, ShadowLine>,
}

impl ShadowSum {
    /// Adds a line.
    pub fn add(&mut self, line: ShadowLine) {
        self.tasks.insert(line.task_id, line);
    }

    /// The tasks by how the results relate.
    #[must_use]
    pub fn agreements(&self) -> BTreeMap<Agreement, Tally> {
        let mut tallies: BTreeMap<_, Tally> = Agreement::ALL.map(|one| (one, Tally::default())).into();
        for line in self.tasks.values() {
            tallies.entry(line.agreement).or_default().add(line.task_id);
        }
        tallies
    }

    /// The tasks by the check, the side it failed on, and the code.
    #[must_use]
    pub fn disagreements(&self) -> BTreeMap<(String, String, String), Tally> {
        let mut tallies: BTreeMap<_, Tally> = BTreeMap::new();
        for line in self.tasks.values() {
            for one in &line.disagreements {
                let codes = if one.codes.is_empty() { vec![String::new()] } else { one.codes.clone() };
                for code in codes {
                    let key = (one.check.clone(), one.only.clone(), code);
                    tallies.entry(key).or_default().add(line.task_id);
                }
            }
        }
        tallies
    }

    /// The report as text.
    #[must_use]
    pub fn text(&self) -> String {
        let agreements = self.agreements();
        let title = |agreement| match agreement {
            Agreement::Agree => "both agree",
            Agreement::Stricter => "only Catena rejects",
            Agreement::Laxer => "only scriptworker refuses",
            Agreement::Unknown => "not comparable",
        };
        let mut text = format!("{} tasks\n", self.tasks.len());
        for (agreement, tally) in &agreements {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {:<26}{}", title(*agreement), tally.shown());
        }
        let disagreements = self.disagreements();
        if !disagreements.is_empty() {
            text.push_str("\nchecks that failed on one side only\n");
        }
        for ((check, only, code), tally) in &disagreements {
            let side = if only == "catena" { "Catena" } else { "scriptworker" };
            let name = if code.is_empty() { check.clone() } else { format!("{check}: {code}") };
            let _ = writeln!(text, "  {:<44}{side:<14}{}", escape::line(&name), tally.shown());
        }
        text
    }

    /// The report as JSON.
    #[must_use]
    pub fn json(&self) -> String {
        let agreements = self.agreements();
        let agreements = agreements.iter().map(|(one, tally)| (one.as_str().to_owned(), tally.to_value()));
        let disagreements: Vec<Value> = self
            .disagreements()
            .iter()
            .map(|((check, only, code), tally)| {
                let code = if code.is_empty() { Value::Null } else { code.as_str().into() };
                object([
                    ("check", check.as_str().into()),
                    ("only", only.as_str().into()),
                    ("code", code),
                    ("tally", tally.to_value()),
                ])
            })
            .collect();
        let report = object([
            ("schema", "catena-shadow-report/1".into()),
            ("tasks", u64::try_from(self.tasks.len()).unwrap_or(u64::MAX).into()),
            ("agreements", Value::Object(agreements.collect())),
            ("disagreements", disagreements.into()),
        ]);
        format!("{}\n", escape::json(&report.to_pretty()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Disagreement;
    use super::*;

    fn line(task: &str, agreement: Agreement, check: Option<&str>) -> ShadowLine {
        let disagreement = |check: &str| Disagreement {
            check: check.to_owned(),
            only: "catena".to_owned(),
            codes: vec![format!("{check}-code")],
        };
        let disagreements = check.map(disagreement).into_iter().collect();
        ShadowLine { task_id: TaskId::parse(task).unwrap(), agreement, disagreements }
    }

    #[test]
    fn the_last_comparison_of_a_task_counts() {
        let (one, two) = ("IFn9x5gaQz-HXl2pa7Ny_w", "MrP01xxxQACAAAAAAAAAAA");
        let mut sum = ShadowSum::default();
        sum.add(line(one, Agreement::Unknown, None));
        sum.add(line(one, Agreement::Stricter, Some("tree")));
        sum.add(line(two, Agreement::Agree, None));
        let counts = sum.agreements().into_values().map(|tally| tally.count).collect::<Vec<_>>();
        assert_eq!(counts, [1, 1, 0, 0]);
        let text = sum.text();
        assert!(text.starts_with("2 tasks\n") && text.contains("tree: tree-code"), "{text}");
        let json = catena_json::parse(sum.json().as_bytes(), &catena_json::Limits::default()).unwrap();
        assert_eq!(json.pointer(&["agreements", "stricter", "tasks"]).and_then(Value::as_u64), Some(1));
    }
}
