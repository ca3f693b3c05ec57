//! Building a chain: trees, then graphs of plans, then tasks that ran, signed documents and pages.

use super::custody;
use super::decision::{self, Event};
use super::document::{self, Document, Machine};
use super::keyring::{Implementation, Keyring};
use super::plan::{Engine, Plan, docker_payload, generic_payload, script_payload, task_graph, upstream};
use super::product::Vcs;
use super::release::{Builders, Images, Release, Scope, Trigger};
use super::seed::Seed;
use super::status::{repeated, status};
use super::time::Time;
use super::tree::Tree;
use super::value::{Layout, extend, object, strings};
use super::{BuildError, Chain, ChainTask, github, projects};
use crate::body::{Body, SplitMix};
use crate::site::{Artifact, Page};
use catena_json::Value;
use std::collections::BTreeMap;
use std::slice;

const IMAGE: &str = "public/image.tar.zst";
/// The inputs of builds from a task that is not a link, where workers record them.
const TOOLCHAIN: &str = "public/build/clang.tar.zst";
/// Bytes of an image.
const IMAGE_SIZE: u64 = 4096;
/// Entries of the graph images come from, when that is not the target's own.
const IMAGE_GRAPH: usize = 8;

/// What a task makes, by name.
type Made = Vec<(String, Body)>;
/// What a task takes in, by the task that made it and the name.
type Inputs<'a> = &'a [(String, &'static str)];

/// A decision or action task and what it makes.
struct Group {
    /// The decision or action task.
    parent: String,
    /// The task group its tasks are in.
    task_group: String,
    tree: Tree,
    /// Tasks of the chain; the graph holds others besides.
    plans: Vec<Plan>,
    created: Time,
}

/// What a later task can use of an earlier one.
#[derive(Clone)]
struct Output {
    kind: &'static str,
    id: String,
    names: Vec<String>,
}

struct Builder<'a> {
    release: &'a Release,
    seed: Seed,
    keys: Keyring,
    tasks: BTreeMap<String, ChainTask>,
    pages: BTreeMap<String, Page>,
    /// SHA-256 of each image, by the id of the task that built it.
    image_digests: BTreeMap<String, String>,
}

/// Builds what `release` describes.
pub(super) fn chain(release: &Release) -> Result<Chain, BuildError> {
    let mut seed = Seed::new(release.seed);
    let keys = Keyring::new(&mut seed);
    let (tasks, pages, image_digests) = Default::default();
    Builder { release, seed, keys, tasks, pages, image_digests }.build()
}

impl Builder<'_> {
    fn build(mut self) -> Result<Chain, BuildError> {
        let release = self.release;
        let tree = self.main_tree()?;
        let mut decision = self.group(tree.clone(), Time::DECISION);
        let mut earlier = match release.images_from {
            Images::EarlierGraph => {
                let tree = self.repository(Time::DECISION.plus_minutes(-600))?;
                Some(self.group(tree, Time::DECISION.plus_minutes(-590)))
            }
            _ => None,
        };
        let mut action = self.action_group(&decision);

        let images = self.images(earlier.as_mut().unwrap_or(&mut decision));
        let mut outputs = self.builds(&mut decision, &images);
        let builds = outputs.iter().map(|output| output.id.clone()).collect();
        let promoted = release.trigger == Trigger::ReleasePromotion;
        for round in 0..release.depth {
            let group = action.as_mut().filter(|_| promoted).unwrap_or(&mut decision);
            outputs = self.round(group, round, &outputs, &images);
        }
        let group = action.as_mut().unwrap_or(&mut decision);
        let target = self.target(group, "linux64", &outputs);
        let siblings = self.siblings(group, &outputs);

        let action_id = action.as_ref().map(|group| group.parent.clone());
        let mut decisions = vec![decision.parent.clone()];
        decisions.extend(earlier.as_ref().map(|group| group.parent.clone()));
        let unfinished = [slice::from_ref(&target), &siblings].concat();
        self.run(decision, earlier, action, &unfinished)?;
        self.pages.insert(projects::URL.into(), Page::new(projects::yaml(), "text/plain; charset=utf-8"));
        Ok(Chain {
            product: release.product.name.to_owned(),
            target,
            siblings,
            kind: self.kind().to_owned(),
            check_target: release.finished,
            artifacts: "listed",
            decisions,
            action: action_id,
            builds,
            images,
            tasks: self.tasks,
            pages: self.pages,
            keys: self.keys,
            gzip: release.gzip,
        })
    }

    fn kind(&self) -> &'static str {
        self.release.kind.unwrap_or(self.release.product.target.0)
    }

    fn group(&mut self, tree: Tree, created: Time) -> Group {
        let id = self.seed.task_id();
        Group { parent: id.clone(), task_group: id, tree, plans: Vec::new(), created }
    }

    fn action_group(&mut self, decision: &Group) -> Option<Group> {
        let own_group = match self.release.trigger {
            Trigger::Action | Trigger::PrAction => false,
            Trigger::ReleasePromotion => true,
            _ => return None,
        };
        let mut group = self.group(decision.tree.clone(), decision.created.plus_minutes(60));
        if !own_group {
            group.task_group.clone_from(&decision.parent);
        }
        Some(group)
    }

    /// The product's repository at some trusted revision.
    fn repository(&mut self, pushed: Time) -> Result<Tree, BuildError> {
        let Release { product, trigger, vcs, .. } = *self.release;
        let unsupported = BuildError::Unsupported { product: product.name, trigger, vcs };
        let git_only = matches!(
            trigger,
            Trigger::PullRequest | Trigger::PullRequestUntrusted | Trigger::Release | Trigger::PrAction
        );
        let promoted = product.hg_release.filter(|_| trigger == Trigger::ReleasePromotion);
        let tree = match (vcs, promoted.or(product.hg), product.git) {
            (Vcs::Hg, Some(path), _) if !git_only => Tree::hg(product, path, &mut self.seed, pushed),
            (Vcs::Git, _, Some(path)) => Tree::git(product, path, &mut self.seed, pushed),
            _ => return Err(unsupported),
        };
        Ok(if self.release.ssh { tree.over_ssh() } else { tree })
    }

    /// The revision the target's graph was made from.
    fn main_tree(&mut self) -> Result<Tree, BuildError> {
        let mut tree = self.repository(Time::DECISION.plus_minutes(-5))?;
        match self.release.trigger {
            Trigger::PullRequest | Trigger::PrAction => {
                tree.branch = "faster".into();
                tree.level = 1;
            }
            Trigger::PullRequestUntrusted => {
                tree.branch = "faster".into();
                tree.level = 1;
                tree.fork = true;
                tree.repo = format!("https://github.com/contributor/{}", tree.project());
            }
            Trigger::Release => tree.tagged = Some(std::mem::replace(&mut tree.revision, "v151.0".into())),
            _ => {}
        }
        Ok(tree)
    }

    fn event(&self) -> Event {
        match self.release.trigger {
            Trigger::Push | Trigger::Action | Trigger::ReleasePromotion => Event::Push,
            Trigger::Cron => Event::Cron,
            Trigger::PullRequest | Trigger::PrAction => Event::PullRequest { untrusted: false },
            Trigger::PullRequestUntrusted => Event::PullRequest { untrusted: true },
            Trigger::Release => Event::Release,
        }
    }

    /// Bytes that differ from all others.
    fn body(&mut self, size: u64) -> Body {
        let seed = self.seed.number();
        match usize::try_from(size) {
            Ok(len) if size < self.release.generate_from => {
                let mut bytes = vec![0; len];
                SplitMix::new(seed).fill(&mut bytes);
                bytes.into()
            }
            _ => Body::Generated { seed, len: size },
        }
    }

    fn plan(&mut self, group: &Group, kind: &'static str, label: String, worker: Engine) -> Plan {
        Plan {
            id: self.seed.task_id(),
            label,
            kind,
            worker,
            scopes: Vec::new(),
            payload: Value::Null,
            extra: object! {},
            dependencies: vec![group.parent.clone()],
            artifacts: Vec::new(),
            inputs: Vec::new(),
            tree: group.tree.clone(),
        }
    }

    /// Image tasks; gives their ids, or none where images are not built by tasks.
    fn images(&mut self, group: &mut Group) -> Vec<String> {
        if matches!(self.release.images_from, Images::Indexed | Images::Prebuilt) {
            return Vec::new();
        }
        let builder = self.release.image_builder.then(|| self.image(group, "image_builder", None));
        let count = self.release.images.max(1);
        let label = |i| format!("docker-image-debian12-amd64-build-{i}");
        (0..count).map(|i| self.image(group, &label(i), builder.as_deref())).collect()
    }

    fn image(&mut self, group: &mut Group, name: &str, builder: Option<&str>) -> String {
        let mut plan = self.plan(group, "docker-image", name.to_owned(), Engine::DockerWorker);
        let image = match builder {
            Some(id) => {
                plan.dependencies = vec![id.to_owned()];
                plan.extra = object! {"chainOfTrust" => object! {"inputs" => object! {"docker-image" => id}}};
                object! {"type" => "task-image", "taskId" => id, "path" => IMAGE}
            }
            None => Value::from(format!("mozillareleases/image_builder:5.1.0@sha256:{}", self.seed.digest())),
        };
        let own = object! {
            "IMAGE_NAME" => name, "HASH" => self.seed.digest(), "CONTEXT_TASK_ID" => group.parent.as_str(),
            "CONTEXT_PATH" => format!("public/docker-contexts/{name}.tar.gz"),
        };
        plan.payload = docker_payload(&group.tree, image, "/usr/local/bin/build-image", own);
        plan.scopes = vec![format!("assume:project:taskcluster:{}:images", group.tree.product.domain)];
        plan.artifacts = vec![(IMAGE.to_owned(), self.body(IMAGE_SIZE))];
        let id = plan.id.clone();
        group.plans.push(plan);
        id
    }

    /// The image the `i`th task of a graph runs in, and what it says about it.
    fn use_image(&mut self, plan: &mut Plan, i: usize, images: &[String]) -> Value {
        let image = images.get(i % images.len().max(1));
        match (image, self.release.images_from) {
            (Some(id), _) => {
                plan.dependencies.retain(|dependency| *dependency != *id);
                plan.dependencies.push(id.clone());
                plan.inputs.push((id.clone(), IMAGE));
                let inputs = object! {"docker-image" => id.as_str()};
                extend(&mut plan.extra, object! {"chainOfTrust" => object! {"inputs" => inputs}});
                object! {"type" => "task-image", "taskId" => id.as_str(), "path" => IMAGE}
            }
            (None, Images::Indexed) => {
                let namespace =
                    format!("{}.cache.level-3.docker-images.v2.debian12.latest", plan.tree.product.domain);
                object! {"type" => "indexed-image", "namespace" => namespace, "path" => IMAGE}
            }
            (None, _) => Value::from(format!("debian:12@sha256:{}", self.seed.digest())),
        }
    }

    /// A task whose artifact builds take in without declaring it as an input of their chain.
    fn toolchain(&mut self, group: &mut Group) -> String {
        let label = "toolchain-linux64-clang".to_owned();
        let mut plan = self.plan(group, "toolchain", label, Engine::GenericWorker);
        plan.payload = generic_payload(&group.tree);
        plan.artifacts = vec![(TOOLCHAIN.to_owned(), self.body(IMAGE_SIZE))];
        let id = plan.id.clone();
        group.plans.push(plan);
        id
    }

    fn builds(&mut self, group: &mut Group, images: &[String]) -> Vec<Output> {
        let mirror = self.mirror();
        let toolchain = self.release.custody.then(|| self.toolchain(group));
        let mut outputs = Vec::new();
        for i in 0..self.release.builds.max(1) {
            let worker = match (self.release.builders, i % 3) {
                (Builders::DockerWorker, _) | (Builders::Mixed, 0) => Engine::DockerWorker,
                (Builders::D2g, _) | (Builders::Mixed, 1) => Engine::D2g,
                _ => Engine::GenericWorker,
            };
            let system = if worker == Engine::GenericWorker { "win64" } else { "linux64" };
            let mut plan = self.plan(group, "build", format!("build-{system}-shippable-{i}/opt"), worker);
            if let Some(mirror) = mirror.as_ref().filter(|_| i % 2 == 1) {
                plan.tree = mirror.clone();
            }
            plan.payload = if worker == Engine::GenericWorker {
                generic_payload(&plan.tree)
            } else {
                plan.dependencies.clear();
                let image = self.use_image(&mut plan, i, images);
                if plan.dependencies.is_empty() {
                    plan.dependencies.push(group.parent.clone());
                }
                docker_payload(
                    &plan.tree,
                    image,
                    "./build.sh",
                    object! {"MOZ_SIMPLE_PACKAGE_NAME" => "target"},
                )
            };
            plan.scopes = vec![format!("secrets:get:project/releng/{}/build/*", plan.tree.product.domain)];
            plan.artifacts = self.build_artifacts();
            if let Some(toolchain) = &toolchain {
                plan.dependencies.push(toolchain.clone());
                plan.inputs.push((toolchain.clone(), TOOLCHAIN));
            }
            outputs.push(output("build", &plan));
            group.plans.push(plan);
        }
        outputs
    }

    fn build_artifacts(&mut self) -> Vec<(String, Body)> {
        let name = |i| match i {
            0 => "public/build/target.tar.xz".to_owned(),
            1 => "public/build/target.langpack.xpi".to_owned(),
            _ => format!("public/build/target.part-{i}.zip"),
        };
        let size = self.release.artifact_size;
        (0..self.release.artifacts.max(1)).map(|i| (name(i), self.body(size))).collect()
    }

    /// The git mirror at the commit that is the push.
    fn mirror(&mut self) -> Option<Tree> {
        let path =
            self.release.product.git.filter(|_| self.release.mirrored && self.release.vcs == Vcs::Hg)?;
        let mirror = Tree::git(self.release.product, path, &mut self.seed, Time::DECISION);
        mirror.mirrored_pages(&mut self.pages);
        Some(mirror)
    }

    /// Signs what there is and repackages what was signed.
    fn round(&mut self, group: &mut Group, round: usize, from: &[Output], images: &[String]) -> Vec<Output> {
        let mut outputs = Vec::new();
        for (i, output) in from.iter().enumerate() {
            let label = format!("build-signing-{round}-{i}/opt");
            let mut signing = self.plan(group, "build-signing", label, Engine::Scriptworker);
            signing.dependencies = vec![output.id.clone()];
            signing.payload = script_payload(vec![upstream(output.kind, &output.id, output.names.clone())]);
            signing.scopes = vec![unrestricted(&group.tree)];
            signing.artifacts = output.names.iter().map(|name| (name.clone(), self.body(1500))).collect();

            let mut repackage =
                self.plan(group, "repackage", format!("repackage-{round}-{i}/opt"), Engine::D2g);
            repackage.dependencies = vec![signing.id.clone()];
            let image = self.use_image(&mut repackage, i, images);
            repackage.payload = docker_payload(&group.tree, image, "./repackage.sh", object! {});
            let mut inputs = object! {"signing" => signing.id.as_str()};
            if let Some(image) = repackage.extra.pointer(&["chainOfTrust", "inputs"]).cloned() {
                extend(&mut inputs, image);
            }
            repackage.extra = object! {"chainOfTrust" => object! {"inputs" => inputs}};
            let names = ["public/build/target.installer.exe", "public/build/target.stub-installer.exe"];
            repackage.artifacts = names.map(|name| (name.to_owned(), self.body(1500))).into();
            outputs.push(self::output("repackage", &repackage));
            group.plans.extend([signing, repackage]);
        }
        outputs
    }

    /// Further tasks of the target's kind, each with the output of one build.
    fn siblings(&mut self, group: &mut Group, from: &[Output]) -> Vec<String> {
        let each = from.chunks(1).cycle().zip(1..self.release.targets);
        each.map(|(output, i)| self.target(group, &format!("linux64-{i}"), output)).collect()
    }

    fn target(&mut self, group: &mut Group, name: &str, from: &[Output]) -> String {
        let kind = if self.kind() == "signing" { "build-signing" } else { self.kind() };
        let mut plan = self.plan(group, kind, format!("{kind}-{name}/opt"), Engine::Scriptworker);
        plan.dependencies = from.iter().map(|output| output.id.clone()).collect();
        let whole = |output: &Output| upstream(output.kind, &output.id, output.names.clone());
        let mut entries: Vec<Value> = from.iter().map(whole).collect();
        if let Some(first) = from.first().filter(|_| self.release.optional_and_globs) {
            entries.extend(optional_and_globs(first));
        }
        plan.payload = script_payload(entries);
        plan.scopes =
            vec![self.scope(&group.tree), format!("project:{}:format:gpg", group.tree.product.domain)];
        if self.release.finished {
            plan.artifacts = vec![
                ("public/build/target.tar.xz".to_owned(), self.body(2000)),
                ("public/build/target.tar.xz.asc".to_owned(), self.body(200)),
            ];
        }
        let id = plan.id.clone();
        group.plans.push(plan);
        id
    }

    fn scope(&self, tree: &Tree) -> String {
        let Release { product, trigger, images_from, .. } = *self.release;
        let pull_request =
            matches!(trigger, Trigger::PullRequest | Trigger::PullRequestUntrusted | Trigger::PrAction);
        let elsewhere = tree.vcs == Vcs::Git && !product.git_restricted;
        match &self.release.scope {
            Scope::Exactly(scope) => scope.clone(),
            Scope::Fitting if !pull_request && !elsewhere && images_from != Images::Indexed => {
                let promoted = trigger == Trigger::ReleasePromotion && tree.vcs == Vcs::Hg;
                (if promoted { product.release_scope } else { product.target.1 }).to_owned()
            }
            _ => unrestricted(tree),
        }
    }

    /// Lets everything run: tasks with documents, then the parents with what they published.
    fn run(
        &mut self,
        decision: Group,
        earlier: Option<Group>,
        action: Option<Group>,
        targets: &[String],
    ) -> Result<(), BuildError> {
        let tasks_for = self.event().tasks_for(self.release.vcs);
        if let Some(earlier) = earlier {
            let task = decision::decision(&earlier.tree, Event::Push, &earlier.parent, earlier.created)?;
            let parameters = decision::parameters(&earlier.tree, Event::Push.tasks_for(earlier.tree.vcs));
            let tree = earlier.tree.clone();
            let id = earlier.parent.clone();
            self.run_group(earlier, task, &parameters, &tree, &id, (IMAGE_GRAPH, targets))?;
            tree.pages(&mut self.pages);
        }
        let (tree, id) = (decision.tree.clone(), decision.parent.clone());
        let parameters = decision::parameters(&tree, tasks_for);
        let task = decision::decision(&tree, self.event(), &id, decision.created)?;
        let size = (self.release.graph_size, targets);
        self.run_group(decision, task, &parameters, &tree, &id, size)?;
        if let Some(action) = action {
            let name = if self.release.trigger == Trigger::ReleasePromotion {
                "release-promotion"
            } else {
                "add-new-jobs"
            };
            let asked = decision::actions().into_iter().find(|action| action.name == name);
            let asked = asked.ok_or(BuildError::Template)?;
            let pull_request = self.release.trigger == Trigger::PrAction;
            let (own, created) = (action.parent.clone(), action.created);
            let task = decision::action(&tree, &id, &asked, &parameters, &own, created, pull_request)?;
            self.run_group(action, task, &parameters, &tree, &id, size)?;
        }
        tree.pages(&mut self.pages);
        match self.event() {
            Event::PullRequest { .. } => github::pull_request_page(&tree, &mut self.pages),
            Event::Cron => tree.cron_page(&mut self.pages),
            _ => {}
        }
        Ok(())
    }

    fn run_group(
        &mut self,
        mut group: Group,
        parent: Value,
        parameters: &Value,
        tree: &Tree,
        decision: &str,
        (graph_size, targets): (usize, &[String]),
    ) -> Result<(), BuildError> {
        let created = group.created.plus_minutes(20);
        let plans = std::mem::take(&mut group.plans);
        for plan in &plans {
            let task = plan.definition(&group.parent, &group.task_group, created);
            let finished = !targets.contains(&plan.id) || self.release.finished;
            let made = (plan.artifacts.clone(), plan.inputs.as_slice());
            self.add(&plan.id, task, plan.worker, made, finished)?;
        }
        let mut graph = plans;
        self.fill(&group, graph_size, &mut graph);
        let text = |value: Value| Body::from(value.to_pretty());
        let artifacts = vec![
            ("public/task-graph.json".to_owned(), text(task_graph(&group.parent, &graph))),
            (
                "public/actions.json".to_owned(),
                text(decision::actions_json(tree, decision, parameters, self.event())),
            ),
            ("public/parameters.yml".to_owned(), decision::parameters_yml(parameters).into()),
        ];
        let worker = if self.release.builders == Builders::D2g { Engine::D2g } else { Engine::DockerWorker };
        self.add(&group.parent, parent, worker, (artifacts, &[]), true)
    }

    /// Adds tasks that have nothing to do with the chain until the graph is as large as asked for.
    fn fill(&mut self, group: &Group, size: usize, graph: &mut Vec<Plan>) {
        let image = object! {"type" => "task-image", "taskId" => group.parent.as_str(), "path" => IMAGE};
        for i in graph.len()..size {
            let label = format!("test-linux2404-64-shippable/opt-mochitest-browser-chrome-{i}");
            let mut plan = self.plan(group, "test", label, Engine::DockerWorker);
            let own = object! {
                "MOZHARNESS_SCRIPT" => "mozharness/scripts/desktop_unittest.py", "NEED_WINDOW_MANAGER" => "true",
                "MOZHARNESS_CONFIG" => "unittests/linux_unittest.py remove_executables.py", "SCCACHE_DISABLE" => "1",
            };
            plan.payload = docker_payload(&group.tree, image.clone(), "./test-linux.sh", own);
            graph.push(plan);
        }
        // Graphs are written in no order a reader could rely on.
        graph.sort_by(|a, b| a.id.cmp(&b.id));
    }

    /// Puts a task in the queue, with its artifacts and its document if it has run.
    fn add(
        &mut self,
        id: &str,
        definition: Value,
        worker: Engine,
        (artifacts, inputs): (Made, Inputs<'_>),
        finished: bool,
    ) -> Result<(), BuildError> {
        let machine = self.machine(&definition, worker);
        let status = status(id, &definition, &machine, finished);
        let (implementation, layout) = match worker {
            Engine::DockerWorker => (Implementation::DockerWorker, Layout::JavaScript),
            Engine::D2g | Engine::GenericWorker => (Implementation::GenericWorker, Layout::Go),
            Engine::Scriptworker => (Implementation::Scriptworker, Layout::Python),
        };
        let (mut run, mut document) = (BTreeMap::new(), None);
        if finished {
            let log = if worker == Engine::Scriptworker { "live_backing" } else { "certified" };
            let text = format!("[taskcluster {id}] Task ran on {}\n", machine.id);
            run.insert(format!("public/logs/{log}.log"), Artifact::new(text, "text/plain; charset=utf-8"));
            for (name, body) in artifacts {
                let content_type = content_type(&name);
                run.insert(name, Artifact::new(body, content_type));
            }
            let digests =
                document::digests(run.iter().map(|(name, artifact)| (name.as_str(), &artifact.body)))?;
            if let Some(digest) = digests.pointer(&[IMAGE, "sha256"]).and_then(Value::as_str) {
                self.image_digests.insert(id.to_owned(), digest.to_owned());
            }
            let record = if self.release.custody {
                let key = self.keys.signing_key(implementation).public_key();
                let inputs = custody::inputs(&self.tasks, inputs)?;
                Some(custody::record(&key, &definition, &machine, custody::artifacts(&run)?, inputs))
            } else {
                None
            };
            let value = document::write(id, &definition, digests, &machine, (layout, record));
            let mut signed = Document { value, layout, signature: Vec::new() };
            signed.sign(self.keys.signing_key(implementation));
            document = Some(signed);
        }
        // A run that ended in an exception leaves no more than its log.
        let log = Artifact::new("[taskcluster] Worker is shutting down\n", "text/plain; charset=utf-8");
        let log = || BTreeMap::from([("public/logs/live_backing.log".to_owned(), log.clone())]);
        let mut runs: BTreeMap<_, _> = (0..machine.run).map(|earlier| (earlier, log())).collect();
        runs.insert(machine.run, run);
        let definition_text = None;
        let repeated = repeated(&definition);
        let task =
            ChainTask { definition, definition_text, status, repeated, runs, document, implementation };
        self.tasks.insert(id.to_owned(), task);
        Ok(())
    }

    fn machine(&mut self, definition: &Value, worker: Engine) -> Machine {
        let container = matches!(worker, Engine::DockerWorker | Engine::D2g);
        let built = definition.pointer(&["payload", "image", "taskId"]).and_then(Value::as_str);
        Machine {
            run: u32::from(self.release.retried),
            id: self.seed.instance(),
            image_artifact: built.and_then(|id| self.image_digests.get(id).cloned()),
            image: container.then(|| self.seed.digest()),
        }
    }
}

fn output(kind: &'static str, plan: &Plan) -> Output {
    let names = plan.artifacts.iter().map(|(name, _)| name.clone()).collect();
    Output { kind, id: plan.id.clone(), names }
}

fn unrestricted(tree: &Tree) -> String {
    format!("project:{}:releng:signing:cert:dep-signing", tree.product.domain)
}

/// Paths that may be missing, and paths that are patterns; verifiers want patterns to be optional too.
fn optional_and_globs(from: &Output) -> Vec<Value> {
    let entry = |locale: &str, paths: Vec<&str>| {
        object! {
            "taskType" => from.kind, "taskId" => from.id.as_str(), "optional" => true, "locale" => locale,
            "paths" => strings(paths),
        }
    };
    vec![
        entry("multi", vec!["public/build/*.dmg"]),
        entry("de", vec!["public/build/target.l*.xpi", "public/build/target.missing.mar"]),
        entry("en-US", vec!["public/build/[s-t]*"]),
    ]
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("json") => "application/json",
        Some("yml") => "application/x-yaml",
        _ => "application/octet-stream",
    }
}
