//! The catalogue of attacks and of honest chains through the real binary, over loopback: honest ones are
//! accepted, and each attack is refused with the finding that names its cause.
//!
//! `CATENA_ATTACKS` says which attacks: every N-th, 5 when unset. (All of them are tried without a
//! network by `catena-threats`' own tests.)
//!
//! `CATENA_SCRIPTWORKER_PYTHON` names a Python with scriptworker 63.6.1. With it both verifiers judge
//! the same chains: every honest one is accepted by both, and whatever scriptworker refuses Catena
//! refuses too. Without it nothing is compared, and that is said.
//! `CATENA_DIFFERENTIAL_CHANGES` is how many changes made at random are tried, 40 when unset.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::arithmetic_side_effects
)]

mod random;
mod reference;
#[path = "../support/mod.rs"]
mod support;

use catena_testbed::{Chain, Options, Site, Testbed};
use catena_threats::honest::Honest;
use catena_threats::{Attack, THREATS, Wire, honest};
use libtest_mimic::{Arguments, Failed, Trial};
use reference::{Reference, Word};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use support::{Answer, Catena, keys_file};

fn main() {
    let arguments = Arguments::from_args();
    let python = std::env::var_os("CATENA_SCRIPTWORKER_PYTHON");
    if python.is_none() {
        eprintln!("CATENA_SCRIPTWORKER_PYTHON is not set: nothing is compared with scriptworker");
    }
    let trials = trials(&Arc::new(Bench::new(python.map(Into::into))));
    libtest_mimic::run(&arguments, trials).exit();
}

type Comparison = Box<dyn FnOnce(&Bench) -> Result<(), Failed> + Send>;

fn trials(bench: &Arc<Bench>) -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut add = |name: String, run: Comparison| {
        let bench = bench.clone();
        trials.push(Trial::test(name, move || run(&bench)));
    };
    for chain in honest::chains() {
        add(format!("honest/{}", chain.name), Box::new(move |bench| agree(bench, &chain)));
    }
    let every = std::env::var("CATENA_ATTACKS").map_or(5, |text| text.parse().unwrap());
    let attacks = THREATS.iter().flat_map(|threat| threat.attacks().map(move |it| (threat.number, it)));
    // An attack with bounds or a policy of its own is not met by the command line.
    for (number, attack) in attacks.filter(|(_, attack)| attack.is_usual()).step_by(every) {
        add(format!("attack/{number}/{}", attack.name), Box::new(move |bench| refused(bench, attack)));
    }
    let count = std::env::var("CATENA_DIFFERENTIAL_CHANGES").map_or(40, |text| text.parse().unwrap());
    // A change at random may be an honest one: only a second opinion tells.
    let count = if bench.reference.is_some() { count } else { 0 };
    for seed in 0..count {
        add(format!("random/{seed:04}"), Box::new(move |bench| no_looser(bench, seed)));
    }
    trials
}

/// The finding of a chain that was made for something its product's policy does not allow.
const NOT_ALLOWED: &str = "rebuild-tasks-for";

/// What all comparisons share.
struct Bench {
    reference: Option<Reference>,
    /// Whose CA all sites have; serves nothing itself.
    testbed: Testbed,
}

/// What the two say of one chain.
struct Both {
    reference: Option<Word>,
    catena: Answer,
}

impl Bench {
    fn new(python: Option<PathBuf>) -> Self {
        let testbed = Testbed::start_blocking(Site::new(), Options::default()).unwrap();
        let reference = python.map(|python| Reference::new(python, testbed.ca_pem()));
        Self { reference, testbed }
    }

    /// Serves the chain, with faults on the wire, and asks both; scriptworker is not asked where the
    /// wire is at fault, since it does not tell an outage from a no.
    fn ask(&self, chain: Chain, faults: &[Wire]) -> Both {
        let room = tempfile::tempdir().unwrap();
        let keys = chain.keys.public_keys_base64().into_iter();
        let keys: Value = keys.map(|(name, keys)| (name.to_owned(), Value::from(keys))).collect();
        let keys_file = keys_file(room.path(), &keys);
        let Chain { target, kind, product, check_target, .. } = chain.clone();
        let testbed = self.testbed.start_beside(chain.into_site()).unwrap();
        for Wire { pattern, fault } in faults {
            testbed.fault(pattern, .., fault.clone());
        }
        let port: u16 = testbed.root_url().rsplit(':').next().unwrap().parse().unwrap();
        let question = json!({
            "port": port, "product": product, "kind": kind, "task_id": target, "check_task": check_target,
            "keys": keys, "work_dir": room.path().join("reference"),
        });
        let reference = self.reference.as_ref().filter(|_| faults.is_empty());
        let reference = reference.map(|reference| reference.ask(&question));
        let mut catena = Catena::through(&testbed, room.path());
        catena.args(["verify", "--format", "json", "--task-type", &kind, "--product", &product]);
        catena.arg(if check_target { "--check-task" } else { "--no-check-task" });
        catena.arg("--keys").arg(&keys_file).arg("--work-dir").arg(room.path().join("work"));
        Both { reference, catena: catena.args(["--", &target]).run() }
    }
}

impl Both {
    /// Fails with what both said.
    fn fail(&self, why: &str) -> Failed {
        let Answer { status, stderr, .. } = &self.catena;
        let failed = self.catena.failed();
        format!("{why}\nscriptworker: {:?}\ncatena: exit status {status}\n{failed}{stderr}", self.reference)
            .into()
    }
}

/// An honest chain: both accept it, link by link, or neither does because the product does not allow
/// what made it.
fn agree(bench: &Bench, honest: &Honest) -> Result<(), Failed> {
    let (chain, allowed) = (honest.build()?, honest.is_allowed()?);
    let both = bench.ask(chain.clone(), &[]);
    let named = both.catena.status == 1 && both.catena.codes().iter().any(|code| code == NOT_ALLOWED);
    let links = match &both.reference {
        Some(Word::Accepted { links }) => Some(links),
        Some(Word::Rejected { .. }) if !allowed && named => return Ok(()),
        Some(_) if !allowed && !named => {
            return Err(both.fail("catena does not refuse what made the chain, and scriptworker does"));
        }
        Some(_) => return Err(both.fail("scriptworker did not accept an honest chain")),
        None if !allowed && named => return Ok(()),
        None => None,
    };
    if !allowed {
        return Err(both.fail("the policy that ships does not allow what scriptworker does"));
    }
    if both.catena.status != 0 {
        return Err(both.fail("catena did not accept an honest chain"));
    }
    let ours = ours(&both.catena, &chain);
    let mut theirs = links.map_or_else(|| ours.clone(), Clone::clone);
    theirs.sort();
    if theirs != ours {
        return Err(both.fail(&format!("the links differ: {ours:?}")));
    }
    Ok(())
}

/// The links of a JSON verdict as scriptworker names them: whatever made a task is its parent there, and
/// a target that is about to run is no link.
fn ours(answer: &Answer, chain: &Chain) -> Vec<(String, String)> {
    let verdict: Value = serde_json::from_str(&answer.stdout).unwrap();
    let name = |link: &Value| {
        let kinds = link["name"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap());
        let theirs = |kind| if matches!(kind, "decision" | "action") { "parent" } else { kind };
        kinds.map(theirs).collect::<Vec<_>>().join(":")
    };
    let links = verdict["links"].as_array().unwrap().iter();
    let links = links.map(|link| (name(link), link["taskId"].as_str().unwrap().to_owned()));
    let mut links: Vec<_> = links.filter(|(_, id)| chain.check_target || *id != chain.target).collect();
    links.sort();
    links
}

/// An attack: Catena refuses it, or tells that it could not be determined, and names the cause.
fn refused(bench: &Bench, attack: &Attack) -> Result<(), Failed> {
    let (chain, faults) = attack.build()?;
    let both = bench.ask(chain, &faults);
    let expected = attack.outcome().ok_or("no check has such a code")?.exit_status();
    let expected = i32::from(expected);
    if both.catena.status != expected {
        return Err(both.fail(&format!("the exit status is not {expected}")));
    }
    match both.catena.codes().iter().any(|code| code == attack.code) {
        true => Ok(()),
        false => Err(both.fail(&format!("{} was not found", attack.code))),
    }
}

/// A chain with any change at all: when scriptworker refuses it, so does Catena.
fn no_looser(bench: &Bench, seed: u64) -> Result<(), Failed> {
    let (chain, change) = random::changed(seed);
    let both = bench.ask(chain, &[]);
    match (&both.reference, both.catena.status) {
        (Some(Word::Rejected { .. }), 0) => {
            Err(both.fail(&format!("catena accepts what scriptworker refuses: {change}")))
        }
        (_, 0 | 1) => Ok(()),
        _ => Err(both.fail(&format!("catena came to no decision: {change}"))),
    }
}
