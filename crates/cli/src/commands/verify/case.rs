//! What is asked, and what it is judged by: from the command line or from a recording.

use super::VerifyArgs;
use crate::failure::Failure;
use crate::policy_files::{self, PolicyTexts};
use crate::recording::{KeysText, RecordedInquiry};
use catena_core::Limits;
use catena_core::inquiry::{Cancel, Inquiry, Switches, Target};
use catena_core::policy::{KeyRing, Policy, Product};
use std::path::Path;
use std::sync::Arc;

/// A question that can be put to a driver.
pub(super) struct Case {
    /// What a recording of it says.
    pub(super) asked: RecordedInquiry,
    target: Target,
    product: Arc<Product>,
    keys: KeyRing,
}

impl Case {
    /// From the command line.
    pub(super) fn asked(args: &VerifyArgs) -> Result<Self, Failure> {
        let (Some(task_id), Some(kind), Some(product)) =
            (args.task_id, args.task_type.clone(), args.product.clone())
        else {
            return Err(Failure::usage("TASK_ID, --task-type and --product are needed")
                .next("see `catena verify --help`"));
        };
        let extent = args.artifacts.into();
        let target = Target { task_id, kind, check_task: args.checks_task(), extent };
        let mut asked = RecordedInquiry::about(&target, product);
        asked.danger_skip_signatures = args.danger_skip_signatures;
        asked.danger_allow_http = args.danger_allow_http;
        asked.offline = args.offline;
        asked.policy = PolicyTexts::read(&args.policy)?;
        if let Some(file) = &args.keys {
            asked.keys =
                Some(KeysText { name: file.display().to_string(), text: policy_files::text_of(file)? });
        }
        asked.root_url = args.root_url.clone().unwrap_or_default();
        Self::judged_by(asked, target)
    }

    /// From a recording.
    pub(super) fn recorded(folder: &Path) -> Result<Self, Failure> {
        let asked = RecordedInquiry::read(folder)?;
        let target = asked.target()?;
        Self::judged_by(asked, target)
    }

    fn judged_by(mut asked: RecordedInquiry, target: Target) -> Result<Self, Failure> {
        let policy = asked.policy.load()?;
        for warning in policy.warnings() {
            tracing::info!("{warning}");
        }
        let product = Arc::new(policy_files::product(&policy, &asked.product)?);
        let file = asked.keys.as_ref().map(|file| (file.name.as_str(), file.text.as_str()));
        let keys = policy_files::keys(&policy, &asked.product, file)?;
        if asked.root_url.is_empty() {
            asked.root_url = root_url(&policy)?;
        }
        Ok(Self { asked, target, product, keys })
    }

    /// The task it is about.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// The inquiry, until something cancels it.
    pub(super) fn open(&self, limits: Limits, cancel: Cancel) -> Inquiry {
        let switches = Switches {
            danger_skip_signatures: self.asked.danger_skip_signatures,
            danger_allow_http: self.asked.danger_allow_http,
            offline: self.asked.offline,
        };
        let (target, product, keys) = (self.target.clone(), Arc::clone(&self.product), self.keys.clone());
        let mut inquiry = Inquiry::new(target, product, keys, limits, switches);
        inquiry.cancel_when(cancel);
        inquiry
    }
}

pub(super) fn root_url(policy: &Policy) -> Result<String, Failure> {
    policy.root_url().map(str::to_owned).ok_or_else(|| {
        Failure::usage("it is not known where Taskcluster is")
            .next("say so with --root-url URL or TASKCLUSTER_ROOT_URL, or in the policy (root-url)")
    })
}
