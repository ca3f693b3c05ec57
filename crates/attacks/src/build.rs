//! From an entry of the catalogue to a chain.

use crate::attacks::{Attack, Mutation, Wire};
use crate::valid::ValidChain;
use catena_testbed::chain::BuildError;
use catena_testbed::{Chain, Release};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Why a chain cannot be built: a mistake of the catalogue.
#[derive(Debug, thiserror::Error)]
pub enum AttackError {
    /// The testbed cannot build the release.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The part of the chain that is to be changed is missing.
    #[error("the chain of {name:?} lacks what is to be changed")]
    Lacking {
        /// The entry.
        name: String,
    },
}

impl Attack {
    /// The chain under this attack, and the faults on the wire.
    ///
    /// # Errors
    /// Mistakes of the catalogue only.
    pub fn build(&self) -> Result<(Chain, Vec<Wire>), AttackError> {
        let mut chain = built(&(self.release)())?;
        let faults = match self.mutation {
            Mutation::Chain(change) => change(&mut chain).map(|()| Vec::new()),
            Mutation::Task(task, change) => {
                task(&chain).and_then(|id| change(&mut chain, &id)).map(|()| Vec::new())
            }
            Mutation::Wire(faults) => faults(&chain),
        };
        let lacking = || AttackError::Lacking { name: self.name.to_owned() };
        Ok((chain, faults.ok_or_else(lacking)?))
    }
}

impl ValidChain {
    /// The chain.
    ///
    /// # Errors
    /// Mistakes of the list only.
    pub fn build(&self) -> Result<Chain, AttackError> {
        let mut chain = built(&self.release)?;
        let lacking = || AttackError::Lacking { name: self.name.clone() };
        (self.change)(&mut chain).ok_or_else(lacking)?;
        Ok(chain)
    }
}

/// Builds a release once: hundreds of attacks start with the same few.
pub(crate) fn built(release: &Release) -> Result<Chain, BuildError> {
    static BUILT: LazyLock<Mutex<HashMap<String, Chain>>> = LazyLock::new(Mutex::default);
    let name = format!("{release:?}");
    if let Some(chain) = BUILT.lock().unwrap_or_else(PoisonError::into_inner).get(&name) {
        return Ok(chain.clone());
    }
    let chain = release.build()?;
    BUILT.lock().unwrap_or_else(PoisonError::into_inner).insert(name, chain.clone());
    Ok(chain)
}
