//! A chain as a scenario: the target, the policy, the keys and the limits.

use crate::in_memory::InMemorySource;
use crate::valid::ValidChain;
use catena_model::task::{Kind, TaskId, Trigger, WorkerImplementation};
use catena_model::{Limits, Timestamp};
use catena_policy::{Diagnostic, KeyRing, Policy, PolicyError, Product};
use catena_testbed::Chain;
use catena_verify::verdict::Verdict;
use catena_verify::verification::{Extent, Switches, Target, Verification};
use std::sync::{Arc, OnceLock};

/// The time of conclusion for the testbed's chains; constant, like the chains.
pub const NOW: Timestamp = Timestamp::constant(1_777_863_721, 0);

/// The inputs of a chain's verification.
#[derive(Clone, Debug)]
pub struct Scenario {
    product: Arc<Product>,
    keys: KeyRing,
    target: Target,
    limits: Limits,
    switches: Switches,
}

/// Why there is no scenario.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScenarioError {
    /// The policy is invalid.
    #[error("the policy is invalid: {0:?}")]
    Policy(Vec<Diagnostic>),
    /// The policy has no such product.
    #[error(transparent)]
    Product(#[from] PolicyError),
    /// The target's id or kind is malformed.
    #[error("the target's {0} is malformed")]
    Target(&'static str),
}

impl Scenario {
    /// A chain under the shipped policy, with the keys of its workers.
    ///
    /// # Errors
    /// A product that the policy does not have, or a malformed target.
    pub fn of(chain: &Chain) -> Result<Self, ScenarioError> {
        Self::under(shipped()?, chain)
    }

    /// A chain under another policy. Its workers' keys come from a key file, and have the validity that
    /// the policy states; a key that the policy does not list is always valid.
    ///
    /// # Errors
    /// As [`Scenario::of`].
    pub fn under(policy: &Policy, chain: &Chain) -> Result<Self, ScenarioError> {
        let target = Target {
            task_id: TaskId::parse(&chain.target).map_err(|_| ScenarioError::Target("id"))?,
            kind: Kind::parse(&chain.kind).map_err(|_| ScenarioError::Target("kind"))?,
            check_task: chain.check_target,
            extent: Extent::parse(chain.artifacts).ok_or(ScenarioError::Target("artifacts"))?,
        };
        let keys = chain.keys.public_keys().into_iter().flat_map(|(name, keys)| {
            let implementation = WorkerImplementation::parse(name);
            keys.into_iter().filter_map(move |key| Some((implementation?, key)))
        });
        Ok(Self {
            product: Arc::new(policy.product(&chain.product)?),
            keys: policy.keys_of_file(&chain.product, "the testbed's", KeyRing::of(keys))?,
            target,
            limits: Limits::default(),
            switches: Switches::default(),
        })
    }

    /// With other limits.
    #[must_use]
    pub fn within(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// With relaxations by the caller.
    #[must_use]
    pub fn weakened(mut self, switches: Switches) -> Self {
        self.switches = switches;
        self
    }

    /// The target.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Starts the verification.
    #[must_use]
    pub fn verification(&self) -> Verification {
        let Self { product, keys, target, limits, switches } = self.clone();
        Verification::new(target, product, keys, limits, switches)
    }

    /// Verifies a chain without a network.
    #[must_use]
    pub fn judge(&self, chain: Chain) -> Verdict {
        let memory = InMemorySource::new(chain.into_site(), self.limits.clone());
        let mut verification = self.verification();
        memory.investigate(&mut verification);
        verification.conclude(NOW).into_verdict()
    }
}

impl ValidChain {
    /// Whether the shipped policy allows the chain's trigger for its product.
    ///
    /// # Errors
    /// A product that the policy does not have.
    pub fn is_allowed(&self) -> Result<bool, ScenarioError> {
        let tasks_for = shipped()?.product(self.release.product.name)?.tasks_for;
        Ok(self
            .made_for
            .iter()
            .all(|name| Trigger::parse(name).is_some_and(|trigger| tasks_for.contains(&trigger))))
    }
}

/// The shipped policy, parsed once.
fn shipped() -> Result<&'static Policy, ScenarioError> {
    static SHIPPED: OnceLock<Result<Policy, Vec<Diagnostic>>> = OnceLock::new();
    let policy = SHIPPED.get_or_init(Policy::shipped);
    policy.as_ref().map_err(|diagnostics| ScenarioError::Policy(diagnostics.clone()))
}
