//! Comparison of a verdict with the result of scriptworker for the same task.

mod reference;
mod sum;

pub use reference::{Reference, ReferenceError, ReferenceOutcome, mapped_checks};
pub use sum::{ShadowSum, Tally};

use crate::escape;
use catena_json::{Limits, Map, Value};
use catena_model::Timestamp;
use catena_model::task::{Kind, TaskId};
use catena_verify::VERSION;
use catena_verify::verdict::{Disposition, Outcome, Verdict};
use reference::cut;
use std::collections::{BTreeMap, BTreeSet};

/// The name and version of the format of a line.
pub const SHADOW_SCHEMA: &str = "catena-shadow/1";
/// Findings that one line lists.
const MOST: usize = 50;

/// How two results relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    /// Both verify, or both refuse.
    Agree,
    /// Catena rejects what scriptworker verifies.
    Stricter,
    /// Catena verifies what scriptworker refuses.
    Laxer,
    /// One of the two has no result.
    Unknown,
}

impl Agreement {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Agree, Self::Stricter, Self::Laxer, Self::Unknown];

    /// The word that a line has.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agree => "agree",
            Self::Stricter => "stricter",
            Self::Laxer => "laxer",
            Self::Unknown => "unknown",
        }
    }

    fn of(own: Outcome, reference: ReferenceOutcome) -> Self {
        match (own, reference) {
            (Outcome::Verified, ReferenceOutcome::Passed) | (Outcome::Rejected, ReferenceOutcome::Failed) => {
                Self::Agree
            }
            (Outcome::Rejected, ReferenceOutcome::Passed) => Self::Stricter,
            (Outcome::Verified, ReferenceOutcome::Failed) => Self::Laxer,
            _ => Self::Unknown,
        }
    }
}

/// A check that failed on one side only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Disagreement {
    /// The check; `other` for an error of scriptworker that no check is known for.
    pub check: String,
    /// `catena` or `reference`: the side on which it failed.
    pub only: String,
    /// The codes of Catena's findings.
    pub codes: Vec<String>,
}

/// What is judged.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The task.
    pub task_id: TaskId,
    /// Its product.
    pub product: String,
    /// Its kind.
    pub kind: Kind,
    /// The time of the verification.
    pub time: Timestamp,
}

/// One task, verified by both.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// The verified task.
    pub subject: &'a Subject,
    /// The verdict, or why there is none.
    pub verdict: Result<&'a Verdict, &'a str>,
    /// The result of scriptworker.
    pub reference: &'a Reference,
}

impl Comparison<'_> {
    /// The outcome of Catena. A verification without a verdict is undetermined.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.verdict.map_or(Outcome::Undetermined, |verdict| verdict.outcome)
    }

    /// How the two results relate.
    #[must_use]
    pub fn agreement(&self) -> Agreement {
        Agreement::of(self.outcome(), self.reference.outcome)
    }

    /// The checks that failed on one side only. scriptworker stops at the first step that fails: where Catena has
    /// failed on one of its checks too, what Catena found beyond is not a disagreement.
    #[must_use]
    pub fn disagreements(&self) -> Vec<Disagreement> {
        let own = self.own_failures();
        let theirs: BTreeSet<&str> =
            self.reference.errors.iter().map(|error| error.check.unwrap_or("other")).collect();
        let is_known = self.reference.outcome == ReferenceOutcome::Passed || !theirs.is_empty();
        if !is_known || theirs.iter().any(|check| own.contains_key(check)) {
            return Vec::new();
        }
        let disagreement = |check: &str, only: &str, codes: Vec<String>| Disagreement {
            check: check.to_owned(),
            only: only.to_owned(),
            codes,
        };
        let reference = theirs.into_iter().map(|check| disagreement(check, "reference", Vec::new()));
        let catena = own.into_iter().map(|(check, codes)| {
            disagreement(check, "catena", codes.into_iter().map(str::to_owned).collect())
        });
        reference.chain(catena).collect()
    }

    fn own_failures(&self) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
        let mut failures: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let findings = self.verdict.map_or(&[][..], |verdict| verdict.findings.as_slice());
        for finding in findings.iter().filter(|finding| finding.disposition == Disposition::Failed) {
            failures.entry(finding.check).or_default().insert(finding.code.name);
        }
        failures
    }

    /// One line of JSON with its line break.
    #[must_use]
    pub fn line(&self) -> String {
        let subject = self.subject;
        let reference: Vec<Value> = self
            .reference
            .errors
            .iter()
            .map(|error| {
                let check = error.check.map_or(Value::Null, Value::from);
                object([("check", check), ("message", error.message.as_str().into())])
            })
            .collect();
        let disagreements: Vec<Value> = self.disagreements().iter().map(Disagreement::to_value).collect();
        let line = object([
            ("schema", SHADOW_SCHEMA.into()),
            ("taskId", subject.task_id.as_str().into()),
            ("product", subject.product.as_str().into()),
            ("kind", subject.kind.as_str().into()),
            ("time", subject.time.to_string().into()),
            ("agreement", self.agreement().as_str().into()),
            ("disagreements", disagreements.into()),
            (
                "catena",
                object([
                    ("version", VERSION.into()),
                    ("outcome", self.outcome().as_str().into()),
                    ("error", self.verdict.err().map_or(Value::Null, |error| cut(error).into())),
                    ("findings", self.findings().into()),
                ]),
            ),
            (
                "reference",
                object([("outcome", self.reference.outcome.as_str().into()), ("errors", reference.into())]),
            ),
        ]);
        format!("{}\n", escape::json(&line.to_string()))
    }

    fn findings(&self) -> Vec<Value> {
        let findings = self.verdict.map_or(&[][..], |verdict| verdict.findings.as_slice());
        let failed = findings.iter().filter(|finding| finding.disposition == Disposition::Failed);
        let shown = failed.take(MOST).map(|finding| {
            object([
                ("check", finding.check.into()),
                ("code", finding.code.name.into()),
                ("class", finding.code.class.as_str().into()),
                ("taskId", finding.task_id.as_str().into()),
                ("message", cut(&finding.message).into()),
            ])
        });
        shown.collect()
    }
}

impl Disagreement {
    fn to_value(&self) -> Value {
        let codes: Vec<Value> = self.codes.iter().map(|code| code.as_str().into()).collect();
        object([
            ("check", self.check.as_str().into()),
            ("only", self.only.as_str().into()),
            ("codes", codes.into()),
        ])
    }

    fn parse(value: &Value) -> Option<Self> {
        let text = |name| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let codes = value.get("codes")?.as_array()?.iter().map(|code| Some(code.as_str()?.to_owned()));
        Some(Self { check: text("check")?, only: text("only")?, codes: codes.collect::<Option<_>>()? })
    }
}

/// What a line says, as far as it is summed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowLine {
    /// The task.
    pub task_id: TaskId,
    /// How the results relate.
    pub agreement: Agreement,
    /// The checks that failed on one side only.
    pub disagreements: Vec<Disagreement>,
}

/// The text is not a line of this format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a line of {SHADOW_SCHEMA}")]
pub struct ShadowLineError;

impl ShadowLine {
    /// Reads a line.
    ///
    /// # Errors
    /// Anything but a line of this version.
    pub fn parse(text: &str) -> Result<Self, ShadowLineError> {
        let limits = Limits { depth: 16, bytes: 1 << 20, ..Limits::default() };
        let value = catena_json::parse(text.as_bytes(), &limits).map_err(|_| ShadowLineError)?;
        Self::of(&value).ok_or(ShadowLineError)
    }

    fn of(value: &Value) -> Option<Self> {
        let text = |name| value.get(name).and_then(Value::as_str);
        if text("schema") != Some(SHADOW_SCHEMA) {
            return None;
        }
        let agreement = text("agreement")?;
        let disagreements = value.get("disagreements")?.as_array()?;
        Some(Self {
            task_id: TaskId::parse(text("taskId")?).ok()?,
            agreement: Agreement::ALL.into_iter().find(|known| known.as_str() == agreement)?,
            disagreements: disagreements.iter().map(Disagreement::parse).collect::<Option<_>>()?,
        })
    }
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map>())
}
