//! Honest chains of the testbed, answered from memory.

use catena_core::digest::Measurement;
use catena_core::graph::Scanner;
use catena_core::inquiry::{Body, Fact, Inquiry, Need, Shape, Switches, Target};
use catena_core::policy::{KeyRing, Policy, Product};
use catena_core::task::{ArtifactName, Kind, TaskId};
use catena_core::verdict::{Outcome, Verdict};
use catena_core::{Limits, checks};
use catena_testbed::chain::{Builders, Images, Vcs};
use catena_testbed::{Body as Served, Release, Site, Trigger};
use sha2::{Digest as _, Sha256, Sha512};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A chain that is verified when nothing is changed.
pub struct Honest {
    target: Target,
    product: Arc<Product>,
    keys: KeyRing,
    limits: Limits,
    site: Site,
    /// What was asked when nothing was changed, in that order.
    asked: Vec<(Need, Vec<u8>)>,
    /// The facts of it, so that nothing is measured again.
    facts: BTreeMap<Need, Fact>,
}

/// Every way the testbed has to start a graph, small.
pub fn honest() -> Vec<Honest> {
    let policy = Policy::shipped(checks::RULES).unwrap();
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
    .map(|release| Honest::new(release, &policy))
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

impl Honest {
    fn new(release: &Release, policy: &Policy) -> Self {
        let chain = release.build().unwrap();
        let keys: Vec<String> = chain
            .keys
            .public_keys_base64()
            .into_iter()
            .map(|(name, keys)| format!("{name}: [{}]\n", keys.join(", ")))
            .collect();
        let mut honest = Self {
            target: Target {
                task_id: TaskId::parse(&chain.target).unwrap(),
                kind: Kind::parse(&chain.kind).unwrap(),
                check_task: chain.check_target,
            },
            product: Arc::new(policy.product(&chain.product).unwrap()),
            keys: KeyRing::parse("keys", &keys.concat()).unwrap(),
            limits: Limits { answer_bytes: 1 << 20, pages: 5, links: 50, ..Limits::default() },
            site: chain.into_site(),
            asked: Vec::new(),
            facts: BTreeMap::new(),
        };
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
        if let Some(fact) = self.facts.get(need) {
            return fact.clone();
        }
        match self.bytes(need) {
            Some(bytes) => self.fact_of(need, &bytes),
            None => Fact::Absent { status: 404, message: "not here".to_owned() },
        }
    }

    /// What a driver makes of these bytes.
    pub fn fact_of(&self, need: &Need, bytes: &[u8]) -> Fact {
        let measurement = Measurement {
            length: bytes.len() as u64,
            sha256: Sha256::digest(bytes).into(),
            sha512: Some(Sha512::digest(bytes).into()),
        };
        match (need.shape(), need) {
            (Shape::Measurement, _) => Fact::Measured(measurement),
            (_, Need::TaskGraph { wanted, .. }) => {
                let mut scanner = Scanner::new(wanted.clone(), &self.limits);
                bytes.chunks(1000).for_each(|chunk| scanner.write(chunk));
                Fact::Graph(scanner.finish(measurement))
            }
            _ => Fact::Body(Body { bytes: Arc::from(bytes), measurement }),
        }
    }

    /// Asks and answers until nothing is missing: what is needed at once is answered at once, or, if
    /// told so, one by one and the last first.
    pub fn verify(&self, last_first: bool, mut answer: impl FnMut(&Need) -> Fact) -> Verdict {
        let (target, product, keys) = (self.target.clone(), self.product.clone(), self.keys.clone());
        let mut inquiry = Inquiry::new(target, product, keys, self.limits.clone(), Switches::default());
        let mut open = Vec::new();
        loop {
            open.extend(inquiry.needs());
            if open.is_empty() {
                assert_eq!(inquiry.outstanding(), 0);
                return inquiry.conclude("2026-11-21T00:00:00Z");
            }
            let now = if last_first { open.split_off(open.len() - 1) } else { std::mem::take(&mut open) };
            for need in now {
                inquiry.supply(&need, answer(&need));
            }
        }
    }

    /// What the world has at a need's place.
    pub fn bytes(&self, need: &Need) -> Option<Vec<u8>> {
        if let Some((task_id, run_id, name)) = need.artifact() {
            return self.artifact(task_id, run_id.0, &name);
        }
        match need {
            Need::Definition { task_id } => Some(self.site.tasks.get(task_id.as_str())?.definition.to_vec()),
            Need::Status { task_id } => Some(self.site.tasks.get(task_id.as_str())?.status.to_vec()),
            Need::Listing { task_id, run_id, .. } => {
                let run = self.site.tasks.get(task_id.as_str())?.runs.get(&run_id.0)?;
                let entries: Vec<String> = run
                    .artifacts
                    .keys()
                    .map(|name| {
                        format!("{{\"storageType\":\"s3\",\"name\":{name:?},\"contentType\":\"x/y\"}}")
                    })
                    .collect();
                Some(format!("{{\"artifacts\":[{}]}}", entries.join(",")).into_bytes())
            }
            other => {
                let page = self.site.pages.get(&address(other)).filter(|page| page.status == 200)?;
                Some(held(&page.body))
            }
        }
    }

    fn artifact(&self, task_id: TaskId, run_id: u32, name: &ArtifactName) -> Option<Vec<u8>> {
        let run = self.site.tasks.get(task_id.as_str())?.runs.get(&run_id)?;
        Some(held(&run.artifacts.get(name.as_str())?.body))
    }
}

fn held(body: &Served) -> Vec<u8> {
    let mut bytes = Vec::new();
    body.for_each(|chunk| {
        bytes.extend_from_slice(chunk);
        Ok(())
    })
    .unwrap();
    bytes
}

/// verification.md section 7, "Addresses".
fn address(need: &Need) -> String {
    let api = "https://api.github.com/repos";
    match need {
        Need::Projects { url } => url.clone(),
        Need::Push { repository, revision } => {
            format!("{repository}/json-pushes?changeset={revision}&version=2&full=1")
        }
        Need::HgTemplate { repository, revision } => {
            format!("{repository}/raw-file/{revision}/.taskcluster.yml")
        }
        Need::GithubTemplate { repository, reference } => {
            format!("{api}/{repository}/contents/.taskcluster.yml?ref={}", reference.as_str())
        }
        Need::Repository { repository } => format!("{api}/{repository}"),
        Need::Commit { repository, revision } => format!("{api}/{repository}/commits/{revision}"),
        Need::PullRequest { repository, number } => format!("{api}/{repository}/pulls/{number}"),
        Need::Release { repository, tag } => format!("{api}/{repository}/releases/tags/{tag}"),
        Need::Tags { repository, .. } => format!("{api}/{repository}/tags?per_page=100"),
        Need::BranchCommits { repository, revision } => {
            format!("https://github.com/{repository}/branch_commits/{revision}")
        }
        Need::Compare { repository, branch, revision } => {
            format!("{api}/{repository}/compare/{branch}...{revision}")
        }
        other => panic!("{other} has no address"),
    }
}
