//! Ids: of tasks, runs and worker pools.

use std::fmt;

/// A task's id: a slugid, 22 characters of URL-safe base64 that encode a version 4 UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId([u8; 22]);

/// The text is not a slugid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a task id (22 characters of URL-safe base64 holding a version 4 UUID)")]
pub struct TaskIdError(pub String);

impl TaskId {
    /// Parses a slugid by the queue's schema:
    /// `[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]`.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, TaskIdError> {
        let wrong = || TaskIdError(text.chars().take(80).collect());
        let bytes: [u8; 22] = text.as_bytes().try_into().map_err(|_| wrong())?;
        let fits = bytes.iter().enumerate().all(|(position, byte)| match position {
            8 => matches!(byte, b'Q'..=b'T'),
            10 => b"CGKOSWaeimquy26-".contains(byte),
            21 => b"AQgw".contains(byte),
            _ => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
        });
        if fits { Ok(Self(bytes)) } else { Err(wrong()) }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The constructor accepts only ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A run of a task, numbered from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub u32);

impl fmt::Display for RunId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

/// A worker pool (task queue): `provisionerId/workerType`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerPool(String);

/// The text is not a worker pool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a worker pool (provisionerId/workerType, each 1 to 38 of a-z A-Z 0-9 _ -)")]
pub struct WorkerPoolError(pub String);

impl WorkerPool {
    /// Parses `provisionerId/workerType`.
    ///
    /// # Errors
    /// Text that is not two identifiers with one slash between.
    pub fn parse(text: &str) -> Result<Self, WorkerPoolError> {
        let valid = text.split_once('/').is_some_and(|(provisioner, worker_type)| {
            is_identifier(provisioner) && is_identifier(worker_type)
        });
        if valid { Ok(Self(text.to_owned())) } else { Err(WorkerPoolError(text.chars().take(120).collect())) }
    }

    /// The pool as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the slash.
    #[must_use]
    pub fn provisioner_id(&self) -> &str {
        self.0.split_once('/').map_or(self.0.as_str(), |(provisioner, _)| provisioner)
    }

    /// The trust domain of a pool whose provisioner is `<trust domain>-<level>`, as for decision tasks;
    /// `None` for other pools.
    #[must_use]
    pub fn trust_domain(&self) -> Option<&str> {
        let (domain, level) = self.provisioner_id().rsplit_once('-')?;
        (!domain.is_empty() && ["1", "2", "3"].contains(&level)).then_some(domain)
    }
}

impl fmt::Display for WorkerPool {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Taskcluster's identifier: 1 to 38 of letters, digits, `_` and `-`.
fn is_identifier(text: &str) -> bool {
    (1..=38).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_of_a_level_state_their_trust_domain() {
        let domain = |text: &str| WorkerPool::parse(text).unwrap().trust_domain().map(str::to_owned);
        assert_eq!(domain("app-services-3/decision"), Some("app-services".to_owned()));
        for other in ["gecko-t/t-linux", "gecko/decision", "-3/decision", "gecko-33/decision"] {
            assert_eq!(domain(other), None, "{other}");
        }
    }

    #[test]
    fn task_ids_are_slugids() {
        let id = TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap();
        assert_eq!(format!("{id:?} {}", RunId(3)), "IFn9x5gaQz-HXl2pa7Ny_w 3");
        assert_eq!(
            TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").map(|id| id.to_string()),
            Ok("IFn9x5gaQz-HXl2pa7Ny_w".to_owned())
        );
        for wrong in [
            "",
            "IFn9x5gaQz-HXl2pa7Ny_",
            "IFn9x5gaQz-HXl2pa7Ny_ww",
            "IFn9x5gaAz-HXl2pa7Ny_w", // not a version 4 UUID
            "IFn9x5gaQzAHXl2pa7Ny_w", // not its variant
            "IFn9x5gaQz-HXl2pa7Ny_x", // bits beyond the UUID
            "IFn9x5gaQz-HXl2pa7N/_w",
            "../9x5gaQz-HXl2pa7Ny_w",
            "IFn9x5gaQz-HXl2pa7Nyéw",
        ] {
            assert!(TaskId::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn worker_pools_are_two_identifiers() {
        assert_eq!(
            WorkerPool::parse("gecko-3/decision-gcp")
                .map(|pool| (pool.to_string(), pool.provisioner_id().to_owned())),
            Ok(("gecko-3/decision-gcp".to_owned(), "gecko-3".to_owned()))
        );
        let long = |length: usize| WorkerPool::parse(&format!("a/{}", "b".repeat(length)));
        assert!(long(38).is_ok() && long(39).is_err());
        assert!(WorkerPool::parse("a_b/c-D").is_ok());
        for wrong in ["gecko-3", "gecko-3/", "/decision", "a/b/c", "a b/c", "a/b\n"] {
            assert!(WorkerPool::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
