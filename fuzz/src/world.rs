//! Valid chains of the testbed, answered from memory.

use catena_attacks::{InMemorySource, NOW, Scenario};
use catena_policy::Policy;
use catena_testbed::chain::{Builders, Images, Vcs};
use catena_testbed::{Body, Release, Trigger};
use catena_verify::verdict::{Outcome, Verdict};
use catena_verify::verification::{Fact, Need};
use std::collections::BTreeMap;

/// A chain that is verified when nothing is changed.
pub struct ValidChain {
    question: Scenario,
    memory: InMemorySource,
    /// What was asked when nothing was changed, in that order.
    asked: Vec<(Need, Vec<u8>)>,
    /// The facts of it, so that nothing is measured again.
    facts: BTreeMap<Need, Fact>,
}

/// Every way the testbed has to start a graph, small.
pub fn honest() -> Vec<ValidChain> {
    let policy = Policy::shipped().unwrap();
    let small = |product: &str, trigger| {
        let release = Release::new(product, trigger).unwrap();
        Release { builds: 1, artifacts: 1, artifact_size: 40, graph_size: 3, image_builder: false, ..release }
    };
    let own = |release| Release { images_from: Images::OwnGraph, ..release };
    let push = own(small("firefox", Trigger::Push));
    [
        push.clone(),
        Release { optional_and_globs: true, builders: Builders::D2g, ..push.clone() },
        Release { finished: true, builders: Builders::GenericWorker, ..push.clone() },
        Release { vcs: Vcs::Git, ..push },
        small("thunderbird", Trigger::Push),
        own(small("firefox", Trigger::Cron)),
        own(small("firefox", Trigger::Action)),
        own(small("thunderbird", Trigger::ReleasePromotion)),
        own(small("mozillavpn", Trigger::Push)),
        own(small("mozillavpn", Trigger::Release)),
        own(small("mobile", Trigger::Cron)),
        own(small("xpi", Trigger::PullRequest)),
        own(small("enterprise", Trigger::PrAction)),
    ]
    .iter()
    .map(|release| ValidChain::new(release, &policy))
    .collect()
}

/// What a need is about, however much of it is wanted: what is sent is the same.
pub fn place(need: &Need) -> Need {
    match need.clone() {
        Need::Listing { task_id, run_id, .. } => Need::Listing { task_id, run_id, continuation: None },
        Need::Tags { repository, .. } => Need::Tags { repository, page: 1 },
        need => match need.artifact() {
            Some((task_id, run_id, name)) => Need::Artifact { task_id, run_id, name, sha512: false },
            None => need,
        },
    }
}

impl ValidChain {
    fn new(release: &Release, policy: &Policy) -> Self {
        let chain = release.build().unwrap();
        let question = Scenario::under(policy, &chain).unwrap().within(|limits| {
            limits.answer_bytes = 1 << 20;
            limits.pages = 5;
            limits.links = 50;
        });
        let memory = InMemorySource::new(chain.into_site(), question.limits().clone());
        let mut honest = Self { question, memory, asked: Vec::new(), facts: BTreeMap::new() };
        let mut seen = Vec::new();
        let verdict = honest.verify(false, |need| {
            seen.push(need.clone());
            honest.fact(need)
        });
        assert_eq!(verdict.outcome, Outcome::Verified, "{release:?} {:?}", verdict.findings);
        honest.facts = seen.iter().map(|need| (need.clone(), honest.fact(need))).collect();
        honest.asked =
            seen.into_iter().filter_map(|need| Some((need.clone(), honest.bytes(&need)?))).collect();
        honest
    }

    /// What is asked and exists, in the order it is asked in.
    pub fn asked(&self) -> &[(Need, Vec<u8>)] {
        &self.asked
    }

    /// The answer when nothing is changed.
    pub fn fact(&self, need: &Need) -> Fact {
        self.facts.get(need).cloned().unwrap_or_else(|| self.memory.answer(need))
    }

    /// What a driver makes of these bytes.
    pub fn fact_of(&self, need: &Need, bytes: &[u8]) -> Fact {
        self.memory.fact(need, &Body::from(bytes.to_vec()))
    }

    /// Asks and answers until nothing is missing: what is needed at once is answered at once, or, if
    /// told so, one by one and the last first.
    pub fn verify(&self, last_first: bool, mut answer: impl FnMut(&Need) -> Fact) -> Verdict {
        let mut verification = self.question.verification();
        let mut open = Vec::new();
        loop {
            open.extend(verification.needs());
            if open.is_empty() {
                assert_eq!(verification.outstanding(), 0);
                return verification.conclude(NOW).into_verdict();
            }
            let now = if last_first { open.split_off(open.len() - 1) } else { std::mem::take(&mut open) };
            for need in now {
                verification.supply(&need, answer(&need));
            }
        }
    }

    /// What the world has at a need's place.
    pub fn bytes(&self, need: &Need) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let copied = self.memory.body(need)?.for_each(|chunk| {
            bytes.extend_from_slice(chunk);
            Ok(())
        });
        copied.is_ok().then_some(bytes)
    }
}
