//! The catalogue of attacks, a file for each class of the threat model.

mod absence;
mod artifacts;
mod availability;
mod chain;
mod documents;
mod edges;
mod images;
mod parents;
mod signatures;
mod task_graph;
mod trees;
mod workers;

pub(crate) use documents::{TOOLCHAIN, toolchain};

use crate::scenario::{Scenario, ScenarioError};
use crate::subject::Subject;
use catena_model::Limits;
use catena_policy::{FIREFOX_CI, Policy};
use catena_testbed::{Chain, Fault, Release};
use catena_verify::checks::find_code;
use catena_verify::verdict::{Class, Outcome, Verdict};
use std::sync::LazyLock;

/// Who attacks (docs/threat-model.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attacker {
    /// Changes stored artifacts and redirects, and holds no key.
    Storage,
    /// Makes the queue, or a proxy before it, answer as they like.
    Queue,
    /// Creates tasks or shapes their definitions.
    TaskAuthor,
    /// Holds one compromised worker with its key.
    Worker,
    /// A version control host, mirror or API that lies or is broken.
    VersionControl,
}

pub(crate) use Attacker::{Queue as Q, Storage as S, TaskAuthor as T, VersionControl as V, Worker as W};

impl Attacker {
    /// The letter the threat model has for it.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Storage => 'S',
            Self::Queue => 'Q',
            Self::TaskAuthor => 'T',
            Self::Worker => 'W',
            Self::VersionControl => 'V',
        }
    }
}

/// One class of the threat model.
#[derive(Clone, Copy, Debug)]
pub struct Threat {
    /// Its number in the threat model, from 1.
    pub number: u8,
    /// Its name there.
    pub name: &'static str,
    parts: &'static [&'static [Attack]],
    spreads: &'static [&'static [Spread]],
}

impl Threat {
    /// Its attacks.
    pub fn attacks(&self) -> impl Iterator<Item = &'static Attack> + use<> {
        let own = self.number;
        let spread = SPREAD.iter().filter(move |(number, _)| *number == own).map(|(_, attack)| attack);
        self.parts.iter().copied().flatten().chain(spread)
    }
}

/// All classes, in the order of the threat model.
pub const THREATS: &[Threat] = &[
    Threat { number: 1, name: "Signatures", parts: signatures::PARTS, spreads: signatures::SPREADS },
    Threat { number: 2, name: "The signed document", parts: documents::PARTS, spreads: documents::SPREADS },
    Threat { number: 3, name: "Artifacts", parts: artifacts::PARTS, spreads: &[] },
    Threat { number: 4, name: "Task graph", parts: task_graph::PARTS, spreads: &[] },
    Threat { number: 5, name: "Parents", parts: parents::PARTS, spreads: &[] },
    Threat { number: 6, name: "Images", parts: images::PARTS, spreads: &[] },
    Threat { number: 7, name: "Workers", parts: &[workers::ATTACKS], spreads: &[] },
    Threat { number: 8, name: "Trees and scopes", parts: trees::PARTS, spreads: &[] },
    Threat { number: 9, name: "The chain itself", parts: &[chain::ATTACKS, edges::ATTACKS], spreads: &[] },
    Threat {
        number: 10,
        name: "The outside",
        parts: &[availability::ATTACKS, absence::ATTACKS],
        spreads: &[],
    },
];

/// The attacks of mutations that are tried on several subjects, with the number of their class.
static SPREAD: LazyLock<Vec<(u8, Attack)>> = LazyLock::new(|| {
    let all = THREATS
        .iter()
        .flat_map(|threat| threat.spreads.iter().copied().flatten().map(|spread| (threat.number, spread)));
    all.flat_map(|(number, spread)| spread.attacks().map(move |attack| (number, attack))).collect()
});

/// A sentence about a subject, with its article.
fn about(what: &str, subject: &str) -> String {
    let n = if subject.starts_with(['a', 'e', 'i', 'o', 'u']) { "n" } else { "" };
    let what = what.replace("a {}", &format!("a{n} {subject}"));
    what.replace("A {}", &format!("A{n} {subject}")).replace("{}", subject)
}

/// One mutation, and the tasks that it is tried on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    /// What is changed, as a noun: `signature with a bit flipped`.
    pub(crate) name: &'static str,
    pub(crate) by: &'static [Attacker],
    /// What is changed, as a sentence. `{}` stands for the subject.
    pub(crate) what: &'static str,
    pub(crate) change: fn(&mut Chain, &str) -> Option<()>,
    pub(crate) code: &'static str,
    pub(crate) of: &'static [Subject],
}

impl Spread {
    /// An attack on each subject. Their texts live as long as the program, as those of all attacks.
    fn attacks(&self) -> impl Iterator<Item = Attack> + use<> {
        let Self { name, by, what, change, code, of } = *self;
        of.iter().map(move |subject| Attack {
            name: format!("{}, {name}", subject.name).leak(),
            by,
            what: about(what, subject.name).leak(),
            release: subject.release,
            mutation: Mutation::Task(subject.task, change),
            code,
            limits: None,
            policy: None,
        })
    }
}

/// One way to be dishonest: a valid chain, and one thing that is changed.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// A few words, unique in the catalogue.
    pub name: &'static str,
    /// The attackers who can carry it out.
    pub by: &'static [Attacker],
    /// The change, as a sentence for readers.
    pub what: &'static str,
    /// The valid chain.
    pub release: fn() -> Release,
    /// How it is changed.
    pub mutation: Mutation,
    /// The code of the finding that names the cause.
    pub code: &'static str,
    /// Limits that differ from the defaults, so that a chain need not be huge to exceed them.
    pub limits: Option<fn(&mut Limits)>,
    /// A policy over the shipped one, as YAML.
    pub policy: Option<&'static str>,
}

/// How a valid chain is changed. `None` means that the part to be changed is missing, which is a
/// mistake of the catalogue.
#[derive(Clone, Copy, Debug)]
pub enum Mutation {
    /// The data is changed.
    Chain(fn(&mut Chain) -> Option<()>),
    /// The same, of one task: which one, and how it is changed.
    Task(fn(&Chain) -> Option<String>, fn(&mut Chain, &str) -> Option<()>),
    /// What it holds stays; something goes wrong on the wire, which only a real server can show.
    Wire(fn(&Chain) -> Option<Vec<Wire>>),
}

/// A fault on the wire, on every attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire {
    /// Where it applies, in the format of [`catena_testbed::Testbed::fault`].
    pub pattern: String,
    /// The fault.
    pub fault: Fault,
}

impl Attack {
    /// The scenario of a chain under this attack.
    ///
    /// # Errors
    /// An invalid policy or target: mistakes of the catalogue.
    pub fn scenario(&self, chain: &Chain) -> Result<Scenario, ScenarioError> {
        let question = match self.policy {
            Some(text) => Scenario::under(&laid_over(text)?, chain)?,
            None => Scenario::of(chain)?,
        };
        Ok(self.limits.map_or_else(|| question.clone(), |limits| question.clone().within(limits)))
    }

    /// The expected outcome: tampering and policy violations are rejected, an outage is undetermined.
    /// `None` if no check has such a code, which is a mistake of the catalogue.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        let (_, code) = find_code(self.code)?;
        Some(match code.class {
            Class::Tamper | Class::Invalid | Class::Policy => Outcome::Rejected,
            Class::Infra => Outcome::Undetermined,
            Class::Config => Outcome::Misconfigured,
        })
    }

    /// Whether a verdict has the expected outcome and names the cause.
    #[must_use]
    pub fn is_met_by(&self, verdict: &Verdict) -> bool {
        let named = verdict.failed().any(|finding| finding.code.name == self.code);
        named && self.outcome() == Some(verdict.outcome)
    }

    /// Whether something goes wrong on the wire, which only a real server can show.
    #[must_use]
    pub fn needs_server(&self) -> bool {
        matches!(self.mutation, Mutation::Wire(_))
    }

    /// Whether the command line can meet it: it has the usual bounds and the policy that ships.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        self.limits.is_none() && self.policy.is_none()
    }

    /// With other limits than the default ones.
    pub(crate) const fn within(mut self, limits: fn(&mut Limits)) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Under a policy over the shipped one.
    pub(crate) const fn under(mut self, policy: &'static str) -> Self {
        self.policy = Some(policy);
        self
    }
}

/// A policy that lies over the one that ships.
pub(crate) fn laid_over(text: &str) -> Result<Policy, ScenarioError> {
    let shipped = ("shipped:firefox-ci", FIREFOX_CI);
    let nothing = |_: &str| Err("it extends nothing".to_owned());
    Policy::load_all(&[shipped, ("laid over", text)], &nothing).map_err(ScenarioError::Policy)
}

/// An attack that changes the chain.
pub(crate) const fn attack(
    name: &'static str,
    by: &'static [Attacker],
    what: &'static str,
    release: fn() -> Release,
    change: fn(&mut Chain) -> Option<()>,
    code: &'static str,
) -> Attack {
    Attack { name, by, what, release, mutation: Mutation::Chain(change), code, limits: None, policy: None }
}

/// An attack that leaves the chain valid and injects faults on the wire.
pub(crate) const fn wire(
    name: &'static str,
    by: &'static [Attacker],
    what: &'static str,
    release: fn() -> Release,
    faults: fn(&Chain) -> Option<Vec<Wire>>,
    code: &'static str,
) -> Attack {
    Attack { name, by, what, release, mutation: Mutation::Wire(faults), code, limits: None, policy: None }
}
