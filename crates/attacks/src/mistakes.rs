//! Operator mistakes and failures, beside the attacks: expired files, rotated keys, old workers,
//! running tasks, misspelled names. Each has the code, the class and a part of the hint that it must
//! produce, and none of them is called tampering.
//!
//! A failure that can affect any task is written once, as a circumstance, with the tasks that it is
//! tried on.

mod custody;
mod definitions;
mod documents;
mod files;
mod keys;
mod runs;
mod sources;

use crate::attacks::laid_over;
use crate::build::{AttackError, built};
use crate::scenario::{Scenario, ScenarioError};
use crate::subject::{
    ACTION, CRON, D2G, DECISION, DOCKER_WORKER, FINISHED, GENERIC_WORKER, GITHUB, IMAGE, SIGNING, Subject,
};
use catena_testbed::{Chain, Release};
use catena_verify::verdict::Class;

/// One mistake or failure, in one chain.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// A few words, unique in the catalogue.
    pub name: String,
    /// The valid chain.
    pub release: fn() -> Release,
    change: Change,
    /// The code of a finding that it must get.
    pub code: &'static str,
    /// The class of that finding.
    pub class: Class,
    /// A part of the hint for the code.
    pub hint: &'static str,
    /// A policy that lies over the one that ships, as YAML.
    policy: Option<&'static str>,
}

/// How a valid chain is changed. `None` means that the part to be changed is missing, which is a
/// mistake of the catalogue.
#[derive(Clone, Copy, Debug)]
enum Change {
    Chain(fn(&mut Chain) -> Option<()>),
    Task(fn(&Chain) -> Option<String>, fn(&mut Chain, &str) -> Option<()>),
}

/// A failure of a task, and the tasks that it is tried on.
struct Circumstance {
    name: &'static str,
    change: fn(&mut Chain, &str) -> Option<()>,
    code: &'static str,
    class: Class,
    hint: &'static str,
    of: &'static [Subject],
}

/// A mistake in one chain.
const fn mistake(
    release: fn() -> Release,
    change: fn(&mut Chain) -> Option<()>,
    code: &'static str,
    class: Class,
    hint: &'static str,
) -> One {
    One { release, change, code, class, hint, policy: None }
}

#[derive(Clone, Copy)]
struct One {
    release: fn() -> Release,
    change: fn(&mut Chain) -> Option<()>,
    code: &'static str,
    class: Class,
    hint: &'static str,
    policy: Option<&'static str>,
}

impl One {
    /// Under a policy laid over the one that ships.
    const fn under(mut self, policy: &'static str) -> Self {
        self.policy = Some(policy);
        self
    }
}

/// All of them.
#[must_use]
pub fn all() -> Vec<Mistake> {
    let circumstances =
        [definitions::CIRCUMSTANCES, documents::CIRCUMSTANCES, files::CIRCUMSTANCES, runs::CIRCUMSTANCES];
    let each = circumstances.into_iter().flatten().flat_map(|one| {
        one.of.iter().map(|subject| Mistake {
            name: format!("{}, {}", subject.name, one.name),
            release: subject.release,
            change: Change::Task(subject.task, one.change),
            code: one.code,
            class: one.class,
            hint: one.hint,
            policy: None,
        })
    });
    let ones = [custody::ONES, definitions::ONES, files::ONES, keys::ONES, runs::ONES, sources::ONES];
    let ones = ones.into_iter().flatten();
    let ones = ones.map(|(name, one)| Mistake {
        name: (*name).to_owned(),
        release: one.release,
        change: Change::Chain(one.change),
        code: one.code,
        class: one.class,
        hint: one.hint,
        policy: one.policy,
    });
    each.chain(ones).collect()
}

impl Mistake {
    /// The chain.
    ///
    /// # Errors
    /// Mistakes of the catalogue only.
    pub fn build(&self) -> Result<Chain, AttackError> {
        let mut chain = built(&(self.release)())?;
        let changed = match self.change {
            Change::Chain(change) => change(&mut chain),
            Change::Task(task, change) => task(&chain).and_then(|id| change(&mut chain, &id)),
        };
        changed.ok_or_else(|| AttackError::Lacking { name: self.name.clone() })?;
        Ok(chain)
    }

    /// Its scenario.
    ///
    /// # Errors
    /// As [`Scenario::of`]; a policy that is not sound.
    pub fn scenario(&self, chain: &Chain) -> Result<Scenario, ScenarioError> {
        match self.policy {
            Some(text) => Scenario::under(&laid_over(text)?, chain),
            None => Scenario::of(chain),
        }
    }
}
