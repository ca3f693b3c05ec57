//! What a passing fault may have altered, requested again before a failure counts (specification 11.11).

use super::{Evidence, Examination, Fact, Item, Need, State, Subject, Verification};
use crate::verdict::{Class, Disposition, Source};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// How often an answer is requested again whose bytes differ each time.
const MOST_REPEATS: u32 = 3;
/// How often a case begins anew. What a passing fault hid can be doubtful too.
const MOST_ROUNDS: u32 = 5;

/// What was requested again so far.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    rounds: u32,
    of: HashMap<Need, u32>,
}

impl Repeats {
    /// What counts after a second answer: the same bytes twice, or else the second answer; of bytes that
    /// differ each time nothing.
    fn settle(&mut self, need: &Need, first: &Fact, second: Fact) -> Fact {
        let count = self.of.entry(need.clone()).or_default();
        *count = count.saturating_add(1);
        let counts = first.again(second);
        let is_settled = matches!(counts, Fact::Confirmed(_)) || counts.measurement().is_none();
        if is_settled || *count < MOST_REPEATS {
            return counts;
        }
        let reason = "its bytes differed between requests".to_owned();
        Fact::Unreachable { reason, attempts: count.saturating_add(1) }
    }
}

impl Verification {
    /// What a passing fault may have altered, where a finding failed because of it, and that was seen only once:
    /// answers that are malformed, artifacts that do not have the expected digest, documents without a
    /// verified signature, and files that nothing proves. A driver that can reach the services requests each
    /// once more, past caches, and gives the answers to [`reconsider`](Self::reconsider).
    #[must_use]
    pub fn doubted(&self) -> BTreeSet<Need> {
        if self.source == Source::Recording || self.has_stopped() || self.repeats.rounds >= MOST_ROUNDS {
            return BTreeSet::new();
        }
        let failed = self.items.iter().filter(|item| self.has_failed(item));
        let doubted = failed.flat_map(|item| &item.doubted).chain(self.evidence.malformed());
        doubted.filter(|need| self.evidence.is_seen_once(need)).cloned().collect()
    }

    /// Takes the second answers to what is [doubted](Self::doubted). The case begins anew with what was known
    /// and with these: the same bytes twice count as what they are, other bytes take the place of the first.
    pub fn reconsider(&mut self, answers: impl IntoIterator<Item = (Need, Fact)>) {
        let mut anew = self.anew();
        anew.repeats.rounds = anew.repeats.rounds.saturating_add(1);
        let mut facts = std::mem::replace(self, anew).evidence.into_facts();
        for (need, second) in answers {
            let Some(first) = facts.get(&need) else { continue };
            let counts = self.repeats.settle(&need, first, second);
            // What is known of the same file by another need must be of the same answer.
            if let (false, Some(artifact)) = (matches!(counts, Fact::Confirmed(_)), need.artifact()) {
                facts.retain(|other, _| other.artifact().as_ref() != Some(&artifact));
            }
            facts.insert(need, counts);
        }
        self.recall(&mut facts);
    }

    /// The same case, of which nothing is known.
    fn anew(&mut self) -> Self {
        let Evidence { target, product, keys, limits, switches, work, .. } = &self.evidence;
        let (target, product, keys) = (target.clone(), Arc::clone(product), keys.clone());
        let mut anew = Self::judged_by(self.registry, target, product, keys, limits.clone(), *switches);
        anew.evidence.work.cancel_when(work.cancel());
        anew.source = self.source;
        anew.root_url.clone_from(&self.root_url);
        anew.repeats = std::mem::take(&mut self.repeats);
        anew
    }

    /// Supplies what is known already, until something else is needed.
    fn recall(&mut self, facts: &mut HashMap<Need, Fact>) {
        loop {
            let known: Vec<Need> =
                self.ready.iter().filter(|need| facts.contains_key(need)).cloned().collect();
            if known.is_empty() || self.has_stopped() {
                return;
            }
            for need in known {
                self.ready.remove(&need);
                self.handed_out.insert(need.clone());
                self.outstanding = self.outstanding.saturating_add(1);
                if let Some(fact) = facts.remove(&need) {
                    self.supply(&need, fact);
                }
            }
        }
    }

    fn has_failed(&self, item: &Item) -> bool {
        let State::Done(examination) = &item.state else { return false };
        examination.findings.iter().any(|finding| {
            finding.disposition == Disposition::Failed
                && finding.code.class != Class::Infra
                && !finding.code.rule.is_some_and(|rule| self.evidence.relaxes(rule))
        })
    }

    /// Has failed findings say what they rest on that was seen twice.
    pub(super) fn tell_confirmed(
        &self,
        subject: Subject,
        confirmed: &BTreeSet<Need>,
        examination: &mut Examination,
    ) {
        let definition = match subject {
            Subject::Task(task_id, _) => Some(Need::Definition { task_id }),
            Subject::Link(..) | Subject::Chain(_) => None,
        };
        let definition = definition.filter(|need| self.evidence.is_confirmed(need));
        if confirmed.is_empty() && definition.is_none() {
            return;
        }
        for finding in &mut examination.findings {
            if finding.disposition != Disposition::Failed {
                continue;
            }
            let concerns = |need: &&Need| match need {
                Need::Content { name, .. } | Need::Artifact { name, .. } => {
                    finding.message.contains(name.as_str())
                }
                Need::TaskGraph { .. } => finding.message.contains("task-graph.json"),
                _ => true,
            };
            let told: Vec<String> =
                confirmed.iter().chain(&definition).filter(concerns).take(2).map(Need::to_string).collect();
            if !told.is_empty() {
                let told = told.join(" and ");
                finding.message.push_str(&format!("\nTwo requests for {told} had the same answer."));
            }
        }
    }
}
