//! The rules beyond the reference that a product may relax.

macro_rules! rules {
    ($($(#[$doc:meta])+ $rule:ident = $name:literal,)+) => {
        /// A rule beyond the reference that a product may relax, in the order of the names. It applies
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
    /// An action's hook, its group, permission and level agree, and are its decision task's.
    ActionHook = "action-hook",
    /// An action's input matches the action's own schema.
    ActionInput = "action-input",
    /// On GitHub, an action's parameters are those that its decision task published.
    ActionParameters = "action-parameters",
    /// The schema of an action's input has only keywords that are supported.
    ActionSchema = "action-schema",
    /// An action is for the tree and revision of its decision task.
    ActionSource = "action-source",
    /// An answer is about what was requested.
    AnswerIdentity = "answer-identity",
    /// Every required artifact has a digest in the document.
    ArtifactHash = "artifact-hash",
    /// With restricted scopes, the branches of all links have the level of the target's tree.
    BranchLevel = "branch-level",
    /// A scope that satisfies a restricted one is restricted as well.
    BroadScope = "broad-scope",
    /// No task is among its own inputs.
    ChainCycle = "chain-cycle",
    /// A value that only the task itself states is in a form without shell characters.
    ConfirmedValues = "confirmed-values",
    /// A cron task is of a job of its tree's `.cron.yml`, with the arguments of that job.
    CronJob = "cron-job",
    /// The recorded time of signing is within the run.
    CustodyTime = "custody-time",
    /// The document is of the run that the chain is about.
    DocumentRun = "document-run",
    /// The document's definition is the queue's.
    DocumentTask = "document-task",
    /// The document's worker is the one that ran the task according to the queue.
    DocumentWorker = "document-worker",
    /// A parent has no empty values that the in-tree template does not render.
    EmptyValues = "empty-values",
    /// A target has no scope that only other products of the policy restrict.
    ForeignScope = "foreign-scope",
    /// A task has nothing that its graph lacks, except the platform's defaults.
    GraphAdditions = "graph-additions",
    /// A task's deadline and expiry are its graph's.
    GraphTimes = "graph-times",
    /// A prebuilt image is named by its digest.
    ImagePinned = "image-pinned",
    /// With restricted scopes, a promotion uses tasks of the revision that it promotes.
    InputRevision = "input-revision",
    /// With restricted scopes, a target's inputs other than images come from its own tree.
    InputTree = "input-tree",
    /// A task's own kind tag does not contradict the kind that it is declared as.
    KindTag = "kind-tag",
    /// With restricted scopes, tasks of a graph use one commit of the git mirror.
    MirrorCommit = "mirror-commit",
    /// An optional artifact may be absent, but neither wrong nor listed and missing.
    OptionalArtifact = "optional-artifact",
    /// With restricted scopes, every repository that a link names is exactly a trusted one.
    OtherSources = "other-sources",
    /// A target in its own task group comes from the tree of the task that created it.
    ParentTree = "parent-tree",
    /// A decision task is not created before its push: by more than a minute (Mercurial, releases), or a
    /// day (commits on GitHub).
    PushTime = "push-time",
    /// A recorded input is of a completed run with a document that a trusted worker signed.
    RecordedInput = "recorded-input",
    /// Repository addresses have a form that every reader interprets in the same way.
    RepositoryForm = "repository-form",
    /// Revisions are full hashes.
    RevisionForm = "revision-form",
    /// The run that the chain is about is the last one, and has completed.
    RunState = "run-state",
    /// With restricted scopes, schedulers have the level of the target's tree.
    SchedulerLevel = "scheduler-level",
    /// The tasks of a graph are made from the revision of its decision task.
    SiblingRevision = "sibling-revision",
    /// A status names the worker pool, task group and scheduler of the definition.
    StatusDefinition = "status-definition",
    /// The template of a parent of a trusted tree comes from exactly a trusted repository.
    TemplateRepository = "template-repository",
    /// With restricted scopes, all trees have the level of the target's tree in `projects.yml`.
    TreeLevel = "tree-level",
    /// A repository rule matches whole segments of a path.
    WholeSegments = "whole-segments",
    /// All fields of a definition that name its worker pool agree.
    WorkerPool = "worker-pool",
}

impl Rule {
    /// Parses the name that policies use.
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
