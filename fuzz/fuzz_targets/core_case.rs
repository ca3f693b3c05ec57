//! Valid chains, of which answers are bent: no panic, an end, and never "verified" on the word of
//! unsigned evidence.
//!
//! This reaches what is read only inside a case: statuses, listings, push logs, what GitHub's API
//! answers, lists of projects, actions and parameters, each where the checks look at it.
#![no_main]

use catena_fuzz::{Edit, Fault, Told, ValidChain, honest, place};
use catena_json::{Limits, Value, parse};
use catena_model::digest::Digest;
use catena_verify::verdict::{Outcome, Verdict};
use catena_verify::verification::{Fact, Need};
use libfuzzer_sys::fuzz_target;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// Edits of one input; more bend the same answers again.
const MOST_EDITS: usize = 4;

type Bent = BTreeMap<Need, Told>;

fn bend(chain: &ValidChain, mut input: &[u8]) -> Bent {
    let mut bent = Bent::new();
    for _ in 0..MOST_EDITS {
        let Some((edit, rest)) = Edit::read(input) else { break };
        input = rest;
        let (need, bytes) = &chain.asked()[edit.question(chain.asked().len())];
        let told = match bent.get(&place(need)) {
            Some(Told::Bytes(again)) => edit.told(again, chain.asked()),
            _ => edit.told(bytes, chain.asked()),
        };
        bent.insert(place(need), told);
    }
    bent
}

fn verify(chain: &ValidChain, bent: &Bent, last_first: bool) -> (Verdict, BTreeSet<Need>) {
    let mut asked = BTreeSet::new();
    let verdict = chain.verify(last_first, |need| {
        let place = place(need);
        let fact = match bent.get(&place) {
            None => chain.fact(need),
            Some(Told::Bytes(bytes)) => chain.fact_of(need, bytes),
            Some(Told::Fault(fault)) => fault.fact(),
        };
        asked.insert(place);
        fact
    });
    (verdict, asked)
}

/// What the platform may have changed since a worker signed is left out.
fn signed_part(text: &[u8]) -> Option<Value> {
    let mut value = parse(text, &Limits::default()).ok()?;
    if let Value::Object(members) = &mut value {
        for key in ["priority", "projectId", "taskQueueId"] {
            members.remove(key);
        }
    }
    Some(value)
}

/// Whether these bytes, where those are honest, must keep a case from being verified.
fn must_be_noticed(chain: &ValidChain, place: &Need, honest: &[u8], told: &[u8]) -> bool {
    match place {
        // Documents, their signatures, and what they hold the digests of.
        Need::Artifact { .. } => told != honest,
        Need::Definition { task_id } => {
            let document = chain
                .asked()
                .iter()
                .any(|(need, _)| matches!(need, Need::Document { task_id: of, .. } if of == task_id));
            document && signed_part(told) != signed_part(honest)
        }
        _ => false,
    }
}

fn judge(chain: &ValidChain, bent: &Bent, verdict: &Verdict, asked: &BTreeSet<Need>) {
    let bent: Vec<_> = bent.iter().filter(|(place, _)| asked.contains(*place)).collect();
    let is_honest = |place: &Need, told: &Told| matches!(told, Told::Bytes(told) if chain.bytes(place).as_ref() == Some(told));
    let dishonest: Vec<_> = bent.into_iter().filter(|(place, told)| !is_honest(place, told)).collect();
    let unknown = |told: &Told| matches!(told, Told::Fault(Fault::Refused | Fault::Unreachable));
    if dishonest.is_empty() {
        assert_eq!(verdict.outcome, Outcome::Verified, "nothing was changed");
    } else if dishonest.iter().all(|(_, told)| unknown(told)) {
        assert_eq!(verdict.outcome, Outcome::Undetermined, "nothing is known to be wrong");
    }
    if verdict.outcome != Outcome::Verified {
        return;
    }
    for (place, told) in dishonest {
        assert!(!unknown(told), "verified without {place}");
        if let (Told::Bytes(told), Some(honest)) = (told, chain.bytes(place)) {
            assert!(!must_be_noticed(chain, place, &honest, told), "verified though {place} was changed");
        }
    }
    for artifact in &verdict.artifacts {
        let (task_id, run_id, name) = (artifact.task_id, artifact.run_id, artifact.name.clone());
        let honest = chain.fact(&Need::Artifact { task_id, run_id, name, sha512: false });
        let Fact::Measured(honest) = honest else { panic!("{artifact:?} was never there") };
        assert_eq!(artifact.digest, Digest::Sha256(honest.sha256), "{artifact:?}");
    }
}

fuzz_target!(|input: &[u8]| {
    static CHAINS: OnceLock<Vec<ValidChain>> = OnceLock::new();
    let chains = CHAINS.get_or_init(honest);
    let Some(([chain, order], edits)) = input.split_first_chunk() else { return };
    let chain = &chains[usize::from(*chain) % chains.len()];
    let bent = bend(chain, edits);
    let (verdict, asked) = verify(chain, &bent, false);
    judge(chain, &bent, &verdict, &asked);
    if order % 4 == 1 {
        assert_eq!(verify(chain, &bent, true).0, verdict, "another order, another verdict");
    }
});
