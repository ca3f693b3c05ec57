//! The same faults for `catena fetch`, at every phase: the right file, or none and a status that says why.

use crate::faults::{Effect, Expected, Trouble, expected, troubles};
use crate::kinds::{ANSWERED, KINDS, Kind, Proof, World};
use crate::run::{Served, TimeLimits, files};
use crate::{Bench, GENEROUS};
use libtest_mimic::Failed;
use std::sync::Arc;
use std::time::Duration;

/// The route of the index that leads to the build.
pub(crate) const ROUTE: &str = "a.b.c";

/// What is asked for on the way to a file that a signed document vouches for, in that order.
const BY_SIGNATURE: &[&str] =
    &["index", "status", "definition", "document", "signature", "way-to-an-artifact", "artifact"];
/// Some of what a chain needs beside it: the verifier asks, and all of its needs have trials of their own.
const BY_CHAIN: &[&str] = &["definition", "task-graph", "push"];

const INDEX: Kind =
    Kind { name: "index", world: World::Hg, address: |_| format!("/api/index/v1/task/{ROUTE}"), ..ANSWERED };

/// A fault at a phase.
pub(crate) struct Strike {
    kind: &'static Kind,
    trouble: Arc<Trouble>,
    /// Whether the maker is verified by its chain, or by the signature of its document alone.
    by_chain: bool,
    passing: bool,
}

/// Every fault at every phase.
pub(crate) fn struck() -> Vec<Strike> {
    let mut all = Vec::new();
    for (phases, by_chain) in [(BY_SIGNATURE, false), (BY_CHAIN, true)] {
        for phase in phases {
            let kind = KINDS.iter().find(|kind| kind.name == *phase).unwrap_or(&INDEX);
            for trouble in troubles().into_iter().filter(|trouble| trouble.strikes(kind)) {
                let trouble = Arc::new(trouble);
                if expected(kind, &trouble).passes {
                    all.push(Strike { kind, trouble: trouble.clone(), by_chain, passing: true });
                }
                all.push(Strike { kind, trouble, by_chain, passing: false });
            }
        }
    }
    all
}

impl Strike {
    pub(crate) fn name(&self) -> String {
        let how = if self.by_chain { "fetch-by-chain" } else { "fetch" };
        let length = if self.passing { "passing" } else { "persistent" };
        format!("{how}/{}/{}/{length}", self.kind.name, self.trouble.name)
    }

    /// The exit status.
    fn status(&self, expected: &Expected) -> i32 {
        let Self { kind, trouble, by_chain, passing } = self;
        // Absence is not asked for again, whatever its form.
        let is_absence = ["404", "410"].iter().any(|status| trouble.name.contains(status));
        match trouble.effect {
            Effect::None => 0,
            _ if *by_chain => {
                if *passing {
                    0
                } else {
                    expected.said.status
                }
            }
            _ if *passing && !is_absence => 0,
            // The rest of an object ends early, so that there is nothing to compare.
            Effect::Other if trouble.name == "changed-after-a-break" => 3,
            // Stored bytes that are not those of a digest or a signature.
            Effect::Other if kind.proof == Proof::Digest => 1,
            _ => 3,
        }
    }

    pub(crate) fn run(&self, bench: &Bench) -> Result<(), Failed> {
        let expected = expected(self.kind, &self.trouble);
        let served = bench.serve(World::Hg);
        let address = (self.kind.address)(&bench.chains[&World::Hg]);
        let place = served.place(address.clone(), self.trouble.tls);
        served.lay(self.trouble.laid(&place), self.passing);
        let (deadline, stall) = match (expected.deadline, self.trouble.is_slow()) {
            // What is endless is written to the disk until then.
            (true, _) => (Duration::from_secs(1), GENEROUS.stall),
            (_, true) => (GENEROUS.deadline, Duration::from_secs(2)),
            _ => (GENEROUS.deadline, GENEROUS.stall),
        };
        let attempts = if self.passing { 5 } else { GENEROUS.attempts };
        let limits = TimeLimits { deadline, attempts, stall, tls: self.trouble.tls };
        let is_indexed = self.kind.name == INDEX.name;
        let ending = served.fetch(&limits, is_indexed, self.by_chain);
        bench.note(&ending, || self.name());
        let fail = |why: &str| {
            let left = files(&served.work_dir());
            let (out, err) = (&ending.stdout, &ending.stderr);
            Err(Failed::from(format!("{why}\nexit status {:?}\n{out}{err}\nleft: {left:?}", ending.status)))
        };
        if let Err(why) = crate::bounded(&ending, &limits) {
            return fail(&why);
        }
        if served.asked(&address) == 0 {
            return fail(&format!("nothing was asked at {address}"));
        }
        if ending.status != Some(self.status(&expected)) {
            return fail(&format!("not exit status {}", self.status(&expected)));
        }
        if !files(&served.temporary_dir()).is_empty() {
            return fail("temporary files are left");
        }
        left(&served, ending.status == Some(0)).or_else(fail)
    }
}

/// The right file alone, or nothing.
fn left(served: &Served, is_done: bool) -> Result<(), &'static str> {
    let (name, content) = served.wanted();
    let (found, name) = (files(&served.work_dir()), name.rsplit('/').next().unwrap_or_default());
    match found.as_slice() {
        [] if !is_done => Ok(()),
        [file] if is_done && file == name => {
            let right = std::fs::read(served.work_dir().join(file)).is_ok_and(|read| read == content);
            if right { Ok(()) } else { Err("the file has other bytes") }
        }
        _ => Err("not exactly the files that the exit status says"),
    }
}
