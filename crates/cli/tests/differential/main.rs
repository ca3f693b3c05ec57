//! The catalogue of attacks and of valid chains through the real binary, over loopback: valid chains
//! are verified, and each attack is rejected with the finding that names its cause.
//!
//! A whole release is run by worker processes, and judged by both (`release`).
//!
//! `CATENA_ATTACKS` says which attacks: every N-th, 4 when unset, none at 0. (All of them are tried
//! without a network by `catena-attacks`' own tests.)
//!
//! `CATENA_SCRIPTWORKER_PYTHON` names a Python with scriptworker 63.6.1. With it both verifiers verify
//! the same chains: every valid one is accepted by both, link by link, and whatever else scriptworker
//! refuses Catena refuses too. Catena's result for an attack does not depend on scriptworker, so
//! attacks are then omitted unless `CATENA_ATTACKS` requests them. Without a Python nothing is
//! compared, and the test says so. `CATENA_DIFFERENTIAL_CHANGES` is the number of random changes, 200
//! when unset.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::arithmetic_side_effects
)]

mod random;
mod reference;
mod release;
#[path = "../support/mod.rs"]
mod support;

use catena_attacks::valid::ValidChain;
use catena_attacks::{Attack, THREATS, Wire, valid};
use catena_testbed::{Chain, Options, Site, Testbed};
use libtest_mimic::{Arguments, Failed, Trial};
use reference::{Reference, Word};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use support::{Answer, Catena, keys_file};
use tempfile::TempDir;

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
    for chain in valid::chains() {
        add(format!("honest/{}", chain.name), Box::new(move |bench| agree(bench, &chain)));
    }
    add("release/run by workers".to_owned(), Box::new(release::is_verified_by_both));
    for (number, attack) in
        attacks(number_of("CATENA_ATTACKS", if bench.reference.is_some() { 0 } else { 4 }))
    {
        add(format!("attack/{number}/{}", attack.name), Box::new(move |bench| refused(bench, attack)));
    }
    // A random change may leave a chain valid: only a second opinion tells.
    let count = if bench.reference.is_some() { number_of("CATENA_DIFFERENTIAL_CHANGES", 200) } else { 0 };
    for seed in 0..u64::try_from(count).unwrap() {
        add(format!("random/{seed:04}"), Box::new(move |bench| no_looser(bench, seed)));
    }
    trials
}

/// A number from the environment.
fn number_of(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

/// Every N-th attack with the number of its class. The command line has no options for limits, so
/// attacks with other limits are skipped.
fn attacks(every: usize) -> Vec<(u8, &'static Attack)> {
    let attacks = THREATS.iter().flat_map(|threat| threat.attacks().map(|it| (threat.number, it)));
    let attacks = attacks.filter(|(_, attack)| attack.limits.is_none());
    if every == 0 { Vec::new() } else { attacks.step_by(every).collect() }
}

/// The finding of a chain with a trigger that its product's policy does not allow.
const NOT_ALLOWED: &str = "rebuild-tasks-for";

/// Valid chains on which scriptworker fails: its GitHub library requires a member of an answer that it
/// does not use.
const UNDECIDED: &[&str] =
    &["pull request whose branch's repository has no full name", "template answer without its address"];

/// Valid chains that scriptworker rejects: it prints numbers as Python does, and the hooks service that made the
/// task prints them as JavaScript does.
const REJECTED: &[&str] = &["input with numbers that JavaScript prints in another way"];

/// Shared state of all comparisons.
struct Bench {
    reference: Option<Reference>,
    /// The CA of all sites; serves nothing itself.
    testbed: Testbed,
}

/// A served chain.
struct Served {
    testbed: Testbed,
    room: TempDir,
    target: String,
    kind: String,
    product: String,
    check_target: bool,
    artifacts: &'static str,
    /// By worker implementation.
    keys: Value,
}

/// The results of both verifiers for one chain.
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

    fn serve(&self, chain: Chain) -> Served {
        let keys = json!(chain.keys.public_keys_base64());
        let Chain { target, kind, product, check_target, artifacts, .. } = chain.clone();
        let testbed = self.testbed.start_beside(chain.into_site()).unwrap();
        let room = tempfile::tempdir().unwrap();
        Served { testbed, room, target, kind, product, check_target, artifacts, keys }
    }

    /// Asks both, or Catena alone if there is no scriptworker.
    fn ask(&self, chain: Chain) -> Both {
        let served = self.serve(chain);
        let reference = self.reference.as_ref().map(|reference| reference.ask(&served.scenario()));
        Both { reference, catena: served.under(None, &mut served.command()).run() }
    }
}

impl Served {
    /// The request in the format of scriptworker's driver.
    fn scenario(&self) -> Value {
        let port: u16 = self.testbed.root_url().rsplit(':').next().unwrap().parse().unwrap();
        json!({
            "port": port, "product": self.product, "kind": self.kind, "task_id": self.target,
            "check_task": self.check_target, "keys": self.keys, "work_dir": self.room.path().join("reference"),
        })
    }

    fn command(&self) -> Catena {
        let mut catena = Catena::through(&self.testbed, self.room.path());
        catena.args(["verify", "--format", "json", "--task-type", &self.kind, "--product", &self.product]);
        catena.arg(if self.check_target { "--check-task" } else { "--no-check-task" });
        catena.args(["--artifacts", self.artifacts]);
        catena.arg("--work-dir").arg(self.room.path().join("work"));
        catena
    }

    /// With the chain's own keys, under the shipped policy or one over it. That policy may state the
    /// validity of a key, whichever file lists the key.
    fn under<'a>(&self, policy: Option<&str>, catena: &'a mut Catena) -> &'a mut Catena {
        let room = self.room.path();
        if let Some(policy) = policy {
            let file = room.join("policy.yml");
            std::fs::write(&file, policy).unwrap();
            catena.args(["--policy", "shipped:firefox-ci", "--policy"]).arg(file);
        }
        catena.arg("--keys").arg(keys_file(room, &self.keys)).args(["--", &self.target])
    }
}

impl Both {
    /// Fails with the results of both.
    fn fail(&self, why: &str) -> Failed {
        failed(&format!("{why}\nscriptworker: {:?}", self.reference), &self.catena)
    }
}

/// Fails with Catena's result.
fn failed(why: &str, answer: &Answer) -> Failed {
    format!("{why}\ncatena: exit status {}\n{}{}", answer.status, answer.failed(), answer.stderr).into()
}

/// A valid chain: both accept it, link by link, or neither does because the product does not allow its
/// trigger.
fn agree(bench: &Bench, honest: &ValidChain) -> Result<(), Failed> {
    let (chain, allowed) = (honest.build()?, honest.is_allowed()?);
    let both = bench.ask(chain.clone());
    let named = both.catena.status == 1 && both.catena.codes().iter().any(|code| code == NOT_ALLOWED);
    let links = match &both.reference {
        Some(Word::Accepted { links }) => Some(links),
        Some(Word::Rejected { .. }) if !allowed && named => return Ok(()),
        Some(_) if !allowed && !named => {
            return Err(both.fail("catena does not refuse what made the chain, and scriptworker does"));
        }
        Some(Word::Crashed { .. }) if UNDECIDED.contains(&honest.name.as_str()) => None,
        Some(Word::Rejected { .. }) if REJECTED.contains(&honest.name.as_str()) => None,
        Some(_) => return Err(both.fail("scriptworker did not accept a valid chain")),
        None if !allowed && named => return Ok(()),
        None => None,
    };
    if !allowed {
        return Err(both.fail("the policy that ships does not allow what scriptworker does"));
    }
    if both.catena.status != 0 {
        return Err(both.fail("catena did not accept a valid chain"));
    }
    let ours = ours(&both.catena, &chain);
    let mut theirs = links.map_or_else(|| ours.clone(), Clone::clone);
    theirs.sort();
    if theirs != ours {
        return Err(both.fail(&format!("the links differ: {ours:?}")));
    }
    Ok(())
}

/// The links of a JSON verdict in scriptworker's terms: the task that created a task is its parent
/// there, and a target that is about to run is not a link.
fn ours(answer: &Answer, chain: &Chain) -> Vec<(String, String)> {
    let verdict: Value = serde_json::from_str(&answer.stdout).unwrap();
    let name = |link: &Value| {
        let kinds = link["name"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap());
        // The target is what it was called.
        let theirs = |(place, kind)| match kind {
            "decision" | "action" if place > 0 => "parent",
            kind => kind,
        };
        kinds.enumerate().map(theirs).collect::<Vec<_>>().join(":")
    };
    let links = verdict["links"].as_array().unwrap().iter();
    let links = links.map(|link| (name(link), link["taskId"].as_str().unwrap().to_owned()));
    let mut links: Vec<_> = links.filter(|(_, id)| chain.check_target || *id != chain.target).collect();
    links.sort();
    links
}

/// An attack: Catena rejects it, or reports it as undetermined, and names the cause.
fn refused(bench: &Bench, attack: &Attack) -> Result<(), Failed> {
    let (chain, faults) = attack.build()?;
    let served = bench.serve(chain);
    let mut catena = served.command();
    for Wire { pattern, fault } in &faults {
        served.testbed.fault(pattern, .., fault.clone());
    }
    if !faults.is_empty() {
        catena.args(["--attempts", "2", "--stall", "1s"]);
    }
    let answer = served.under(attack.policy, &mut catena).run();
    let expected = attack.outcome().ok_or("no check has such a code")?.exit_status();
    if answer.status != i32::from(expected) {
        return Err(failed(&format!("the exit status is not {expected}"), &answer));
    }
    match answer.codes().iter().any(|code| code == attack.code) {
        true => Ok(()),
        false => Err(failed(&format!("{} was not found", attack.code), &answer)),
    }
}

/// A chain with any change: if scriptworker refuses it, so does Catena.
fn no_looser(bench: &Bench, seed: u64) -> Result<(), Failed> {
    let (chain, change) = random::changed(seed);
    let both = bench.ask(chain);
    match (&both.reference, both.catena.status) {
        (Some(Word::Rejected { .. }), 0) => {
            Err(both.fail(&format!("catena accepts what scriptworker refuses: {change}")))
        }
        (_, 0 | 1) => Ok(()),
        _ => Err(both.fail(&format!("catena came to no decision: {change}"))),
    }
}
