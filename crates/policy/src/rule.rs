//! The rules beyond the reference that a product may relax.

macro_rules! rules {
    ($($(#[$doc:meta])+ $rule:ident = $name:literal,)+) => {
        /// A rule beyond the reference that a product may relax, in the order of the names. What it asks holds
        /// unless the product's policy relaxes it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[$doc])+ $rule,)+
        }

        impl Rule {
            /// Every rule, in the order of the names.
            pub const ALL: &[Self] = &[$(Self::$rule,)+];

            /// The name that policies use.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)+
                }
            }
        }
    };
}

rules! {
    /// An action's hook, its group, permission and level fit together and are its decision task's.
    ActionHook = "action-hook",
    /// An action's input fits the action's own schema.
    ActionInput = "action-input",
    /// On GitHub, an action's parameters are those that its decision task published.
    ActionParameters = "action-parameters",
    /// The schema of an action's input has only keywords that are judged.
    ActionSchema = "action-schema",
    /// An action is for the tree and revision of its decision task.
    ActionSource = "action-source",
    /// An answer is about what was asked.
    AnswerIdentity = "answer-identity",
    /// Every artifact that is taken has a digest in the document.
    ArtifactHash = "artifact-hash",
    /// With restricted scopes, the branches that ran have the level of the target's tree.
    BranchLevel = "branch-level",
    /// A scope that satisfies a restricted one is restricted as well.
    BroadScope = "broad-scope",
    /// No task is among its own inputs.
    ChainCycle = "chain-cycle",
    /// A value that only the judged task says is in a form that no shell acts on.
    ConfirmedValues = "confirmed-values",
    /// A cron task is of a job of its tree's `.cron.yml`, with the arguments of that job.
    CronJob = "cron-job",
    /// The recorded time of signing is within the run.
    CustodyTime = "custody-time",
    /// The document is of the run the chain is about.
    DocumentRun = "document-run",
    /// The document's definition is the queue's.
    DocumentTask = "document-task",
    /// The document's worker is the one that the queue says ran the task.
    DocumentWorker = "document-worker",
    /// A parent has no empty values that the in-tree template does not render.
    EmptyValues = "empty-values",
    /// A target has no scope that only other products of the policy restrict.
    ForeignScope = "foreign-scope",
    /// A task has nothing that its graph lacks, but the platform's defaults.
    GraphAdditions = "graph-additions",
    /// A task's deadline and expiry are its graph's.
    GraphTimes = "graph-times",
    /// A prebuilt image is named by its digest.
    ImagePinned = "image-pinned",
    /// With restricted scopes, a promotion takes in tasks of the revision that it promotes.
    InputRevision = "input-revision",
    /// With restricted scopes, what a target takes in, other than images, comes from its own tree.
    InputTree = "input-tree",
    /// A task does not say itself that it is of another kind than it is declared as.
    KindTag = "kind-tag",
    /// With restricted scopes, tasks of a graph use one commit of the git mirror.
    MirrorCommit = "mirror-commit",
    /// An optional artifact may be absent, but neither wrong nor listed and not there.
    OptionalArtifact = "optional-artifact",
    /// With restricted scopes, every repository that a link names is exactly a trusted one.
    OtherSources = "other-sources",
    /// A target in a task group of its own comes from the tree of the task that made it.
    ParentTree = "parent-tree",
    /// A decision task is not created before its push: by more than a minute (Mercurial, releases), or a
    /// day (commits on GitHub).
    PushTime = "push-time",
    /// A recorded input is of a completed run with a document that a trusted worker signed.
    RecordedInput = "recorded-input",
    /// Repositories have addresses that every reader understands the same way.
    RepositoryForm = "repository-form",
    /// Revisions are full hashes.
    RevisionForm = "revision-form",
    /// The run the chain is about is the last one, and ended well.
    RunState = "run-state",
    /// With restricted scopes, schedulers have the level of the target's tree.
    SchedulerLevel = "scheduler-level",
    /// The tasks of a graph are made from the revision of its decision task.
    SiblingRevision = "sibling-revision",
    /// A status names the worker pool, task group and scheduler of the definition.
    StatusDefinition = "status-definition",
    /// A parent of a trusted tree has its template from exactly a trusted repository.
    TemplateRepository = "template-repository",
    /// With restricted scopes, all trees have the level of the target's tree in `projects.yml`.
    TreeLevel = "tree-level",
    /// A repository rule matches whole segments of a path.
    WholeSegments = "whole-segments",
    /// The ways a definition names its worker pool agree.
    WorkerPool = "worker-pool",
}

impl Rule {
    /// Reads the name that policies use.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.as_str() == name)
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_sorted_and_read_back() {
        let names: Vec<&str> = Rule::ALL.iter().map(|rule| rule.as_str()).collect();
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
        assert!(Rule::ALL.is_sorted());
        for rule in Rule::ALL {
            assert_eq!(Rule::parse(rule.as_str()), Some(*rule));
        }
        assert_eq!(["", "run-states", "Run-State"].map(Rule::parse), [None; 3]);
    }
}
