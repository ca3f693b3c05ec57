//! The links of a chain, found level by level from the target (specification 2.1).

use super::Stop;
use super::evidence::Evidence;
use catena_model::task::{Definition, Kind, LinkName, TaskId, TaskSet};
use catena_policy::KindRole;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A task of the chain whose definition is known.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// The path to it.
    pub(crate) name: LinkName,
    /// The task.
    pub(crate) task_id: TaskId,
    /// The kind that it is verified as.
    pub(crate) kind: Kind,
    /// The requirements of that kind; `None` for a kind that the policy does not know.
    pub(crate) role: Option<KindRole>,
    /// Its definition.
    pub(crate) definition: Arc<Definition>,
    /// Whether it is the task the verification is about.
    pub(crate) is_target: bool,
    /// Whether it has run, so that its document is verified.
    pub(crate) has_run: bool,
}

impl Link {
    /// A parent in a chain of tests.
    #[cfg(test)]
    pub(crate) fn sample(task_id: TaskId, definition: Definition) -> Self {
        let kind = Kind::unknown();
        Self {
            name: LinkName::target(&kind),
            task_id,
            kind,
            role: Some(KindRole::Decision),
            definition: Arc::new(definition),
            is_target: true,
            has_run: true,
        }
    }

    /// Whether it creates other tasks.
    pub(crate) fn is_parent(&self) -> bool {
        self.role.is_some_and(KindRole::is_parent)
    }
}

/// A place in the chain. It is a link once its definition is known.
#[derive(Clone, Debug)]
struct Slot {
    name: LinkName,
    task_id: TaskId,
    link: Option<Link>,
}

/// The chain as far as it is known. Names and kinds depend on the order in which tasks are found, so a
/// level is expanded only when all of its definitions are known: then the order in which facts arrive
/// has no effect.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    slots: Vec<Slot>,
    places: BTreeMap<TaskId, usize>,
    /// The start of the level that waits for its definitions.
    level: usize,
    /// The tasks of that level whose definitions are awaited.
    awaited: BTreeSet<TaskId>,
    closed: bool,
    too_deep: Vec<TaskId>,
    too_wide: bool,
    /// For each parent, the links that must be in its graph; known once the chain is closed.
    made_by: BTreeMap<TaskId, TaskSet>,
}

impl Chain {
    pub(crate) fn new(evidence: &Evidence) -> Self {
        let mut chain = Self::default();
        chain.place(LinkName::target(&evidence.target.kind), evidence.target.task_id);
        chain.awaited.insert(evidence.target.task_id);
        chain
    }

    /// The tasks whose definitions are awaited.
    pub(crate) fn awaited(&self) -> impl Iterator<Item = TaskId> {
        self.awaited.iter().copied()
    }

    /// The chain as far as a verification knows it, for tests.
    #[cfg(test)]
    pub(crate) fn of(evidence: &Evidence) -> Self {
        let (mut chain, target) = (Self::new(evidence), evidence.target.task_id);
        if evidence.definition(target).is_some() {
            chain.advance(evidence, target);
        }
        chain
    }

    /// Whether every link is known.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// The links that are known, in the order in which they were found.
    pub(crate) fn links(&self) -> impl Iterator<Item = &Link> {
        self.slots.iter().filter_map(|slot| slot.link.as_ref())
    }

    /// The link of a task.
    pub(crate) fn link(&self, task_id: TaskId) -> Option<&Link> {
        self.slots.get(*self.places.get(&task_id)?)?.link.as_ref()
    }

    /// The tasks in the order of the chain, with their links where these are known.
    pub(crate) fn places(&self) -> impl Iterator<Item = (TaskId, Option<&Link>)> {
        self.slots.iter().map(|slot| (slot.task_id, slot.link.as_ref()))
    }

    /// The place of a task in the order of the chain.
    pub(crate) fn place_of(&self, task_id: TaskId) -> Option<usize> {
        self.places.get(&task_id).copied()
    }

    /// The path to a task, whether or not its definition is known.
    pub(crate) fn name(&self, task_id: TaskId) -> Option<&LinkName> {
        let slot = self.slots.get(*self.places.get(&task_id)?)?;
        Some(slot.link.as_ref().map_or(&slot.name, |link| &link.name))
    }

    /// The links that name a task as their parent and are not parents themselves, once the chain is
    /// closed.
    pub(crate) fn made_by(&self, parent: TaskId) -> TaskSet {
        self.made_by.get(&parent).cloned().unwrap_or_default()
    }

    /// Tasks farther from the target than the policy allows.
    pub(crate) fn too_deep(&self) -> &[TaskId] {
        &self.too_deep
    }

    /// Whether there are more links than the limit allows.
    pub(crate) fn too_wide(&self) -> bool {
        self.too_wide
    }

    /// Takes the definition of a task. Returns the new tasks: first those whose definition must be
    /// requested, then those that have just become links.
    pub(crate) fn advance(&mut self, evidence: &Evidence, task_id: TaskId) -> (Vec<TaskId>, Vec<TaskId>) {
        let (mut asked, mut joined) = (Vec::new(), Vec::new());
        if !self.awaited.remove(&task_id) {
            return (asked, joined);
        }
        joined.extend(self.join(evidence, task_id));
        while self.awaited.is_empty() && !self.closed {
            let first = self.level;
            if self.expand(evidence, first).is_err() {
                break;
            }
            let level: Vec<TaskId> = self.slots.iter().skip(self.level).map(|slot| slot.task_id).collect();
            for task_id in level {
                if evidence.definition(task_id).is_some() {
                    joined.extend(self.join(evidence, task_id));
                } else {
                    self.awaited.insert(task_id);
                    asked.push(task_id);
                }
            }
        }
        if self.closed {
            self.made_by = made_by(&self.slots);
        }
        (asked, joined)
    }

    /// Makes a place a link, if its definition can be used.
    fn join(&mut self, evidence: &Evidence, task_id: TaskId) -> Option<TaskId> {
        let definition = evidence.definition(task_id)?.ok()?;
        let slot = self.slots.get_mut(*self.places.get(&task_id)?)?;
        slot.link = Some(make_link(evidence, &slot.name, task_id, definition));
        Some(task_id)
    }

    /// All definitions from `first` on are known: finds their dependencies.
    fn expand(&mut self, evidence: &Evidence, first: usize) -> Result<(), Stop> {
        self.level = self.slots.len();
        let level: Vec<Link> = self.slots.iter().skip(first).filter_map(|slot| slot.link.clone()).collect();
        for link in level {
            if link.name.depth() > evidence.product.max_chain_length {
                self.too_deep.push(link.task_id);
                continue;
            }
            let dependencies = dependencies(&link.definition);
            evidence.work.spend(dependencies.len())?;
            for (kind, task_id) in dependencies {
                if !self.places.contains_key(&task_id) {
                    self.place(link.name.dependency(&kind), task_id);
                }
            }
            if self.slots.len() > evidence.limits.links {
                break;
            }
        }
        if self.slots.len() > evidence.limits.links {
            self.too_wide = true;
            self.slots.truncate(self.level);
            let level = self.level;
            self.places.retain(|_, place| *place < level);
        }
        self.closed = self.slots.len() == self.level;
        Ok(())
    }

    fn place(&mut self, name: LinkName, task_id: TaskId) {
        let place = self.slots.len();
        self.places.entry(task_id).or_insert_with(|| {
            self.slots.push(Slot { name, task_id, link: None });
            place
        });
    }
}

fn made_by(slots: &[Slot]) -> BTreeMap<TaskId, TaskSet> {
    let mut made: BTreeMap<TaskId, BTreeSet<TaskId>> = BTreeMap::new();
    for link in slots.iter().filter_map(|slot| slot.link.as_ref()).filter(|link| !link.is_parent()) {
        made.entry(link.definition.parent_task_id()).or_default().insert(link.task_id);
    }
    made.into_iter().map(|(parent, tasks)| (parent, tasks.into())).collect()
}

fn make_link(evidence: &Evidence, name: &LinkName, task_id: TaskId, definition: Arc<Definition>) -> Link {
    let last = name.parts().last().map_or("", String::as_str);
    // Whether a parent is a decision or action task shows in the parent itself (specification 2.4).
    let last = match last {
        "parent" if definition.is_action() => "action",
        "parent" => "decision",
        other => other,
    };
    let parsed = Kind::parse(last).ok();
    let role = parsed.as_ref().and_then(|kind| evidence.product.role(kind));
    let kind = parsed.unwrap_or_else(Kind::unknown);
    let is_target = task_id == evidence.target.task_id;
    // A decision task is its own parent, so its own graph is always checked, and so it has run.
    let is_own_parent = definition.parent_task_id() == task_id;
    Link {
        name: if role.is_some() { name.clone().resolved(&kind) } else { name.clone() },
        task_id,
        kind,
        role,
        is_target,
        has_run: !is_target || evidence.target.check_task || is_own_parent,
        definition,
    }
}

/// The dependencies of a task: its parent first, then its declared inputs and upstream artifacts,
/// sorted by kind and id as one text, like the reference (specification 2.2).
pub(crate) fn dependencies(definition: &Definition) -> Vec<(String, TaskId)> {
    let inputs = definition.inputs().iter().cloned();
    let upstream =
        definition.upstream_artifacts().iter().map(|entry| (entry.task_type.clone(), entry.task_id));
    let mut dependencies: Vec<(String, TaskId)> = inputs.chain(upstream).collect();
    dependencies.sort_by_cached_key(|(kind, task_id)| format!("{kind}_{task_id}"));
    dependencies.dedup();
    dependencies.insert(0, ("parent".to_owned(), definition.parent_task_id()));
    dependencies
}

#[cfg(test)]
mod tests {
    use super::super::cycle::cycle;
    use super::*;
    use catena_policy::Product;

    const A: &str = "IFn9x5gaQz-HXl2pa7Ny_w";
    const B: &str = "B1Y7D4twTB620sjIgyd3lg";

    fn id(text: &str) -> TaskId {
        TaskId::parse(text).unwrap()
    }

    /// A verification whose target has two inputs.
    fn evidence() -> Evidence {
        let inputs = format!(r#""extra":{{"chainOfTrust":{{"inputs":{{"a":"{A}","b":"{B}"}}}}}}"#);
        let target = Definition::sample_id();
        Evidence::sample(Product::empty("p")).knowing(target, &[(r#""extra":{}"#, &inputs)])
    }

    #[test]
    fn a_task_joins_once() {
        let evidence = evidence();
        let target = evidence.target.task_id;
        let mut chain = Chain::new(&evidence);
        assert_eq!(chain.advance(&evidence, target), (vec![id(A), id(B)], vec![target]));
        let evidence = evidence.knowing(id(A), &[]);
        assert_eq!(chain.advance(&evidence, id(A)), (vec![], vec![id(A)]));
        assert_eq!(chain.advance(&evidence, id(A)), (vec![], vec![]));
        assert_eq!(chain.awaited().collect::<Vec<_>>(), [id(B)]);
        assert!(!chain.is_closed());
        let evidence = evidence.knowing(id(B), &[]);
        assert_eq!(chain.advance(&evidence, id(B)), (vec![], vec![id(B)]));
        assert!(chain.is_closed());
        assert_eq!([target, id(A), id(B)].map(|id| chain.place_of(id)), [Some(0), Some(1), Some(2)]);
        assert_eq!(chain.name(id(B)).map(ToString::to_string).as_deref(), Some("unknown → b"));
    }

    #[test]
    fn a_level_that_is_too_wide_is_left_out_as_a_whole() {
        let mut evidence = evidence();
        evidence.limits.links = 3;
        assert!(!Chain::of(&evidence).too_wide());
        evidence.limits.links = 2;
        let chain = Chain::of(&evidence);
        assert!(chain.too_wide() && chain.is_closed());
        assert_eq!([id(A), id(B)].map(|id| chain.place_of(id)), [None, None]);
        assert_eq!(chain.place_of(evidence.target.task_id), Some(0));
    }

    #[test]
    fn a_link_is_as_far_as_the_policy_allows() {
        let mut product = Product::empty("p");
        product.max_chain_length = 1;
        let inputs = |of: &str| format!(r#""extra":{{"chainOfTrust":{{"inputs":{{"a":"{of}"}}}}}}"#);
        let target = Definition::sample_id();
        let near = Evidence::sample(product.clone()).knowing(target, &[(r#""extra":{}"#, &inputs(A))]);
        let near = near.knowing(id(A), &[(r#""extra":{}"#, &inputs(B))]).knowing(id(B), &[]);
        assert_eq!(Chain::of(&near).too_deep(), [id(B)]);
        product.max_chain_length = 2;
        let mut far = near;
        far.product = Arc::new(product);
        assert!(Chain::of(&far).too_deep().is_empty());
    }

    #[test]
    fn a_parent_is_an_action_if_it_says_so() {
        let mut product = Product::empty("p");
        for (name, role) in [("action", KindRole::Action), ("decision", KindRole::Decision)] {
            product.kinds.insert(Kind::parse(name).unwrap(), role);
        }
        let (target, own) = (Definition::sample_id(), Definition::sample_id().to_string());
        let parent = |payload: &str| {
            let evidence = Evidence::sample(product.clone()).knowing(target, &[(&own, A)]);
            let evidence = evidence.knowing(id(A), &[(&own, A), (r#""payload":{}"#, payload)]);
            let chain = Chain::of(&evidence);
            let link = chain.link(id(A)).unwrap();
            (link.name.to_string(), link.kind.to_string(), link.role)
        };
        let told = |name: &str, role| (format!("unknown → {name}"), name.to_owned(), Some(role));
        assert_eq!(parent(r#""payload":{}"#), told("decision", KindRole::Decision));
        let action = r#""payload":{"env":{"ACTION_CALLBACK":"retrigger"}}"#;
        assert_eq!(parent(action), told("action", KindRole::Action));
    }

    #[test]
    fn only_a_decision_task_depends_on_itself() {
        let (target, own) = (Definition::sample_id(), Definition::sample_id().to_string());
        let cycle_of = |changes: &[(&str, &str)]| {
            let evidence = Evidence::sample(Product::empty("p")).knowing(target, changes);
            let evidence = evidence.knowing(id(A), &[(&own, A)]);
            cycle(&Chain::of(&evidence), &evidence.work).unwrap()
        };
        let extra = r#""extra":{}"#;
        let input = |of: &str| format!(r#""extra":{{"chainOfTrust":{{"inputs":{{"a":"{of}"}}}}}}"#);
        let upstream = |of: &str| {
            let entry = format!(r#"{{"taskId":"{of}","taskType":"a","paths":[]}}"#);
            format!(r#""payload":{{"upstreamArtifacts":[{entry}]}}"#)
        };
        assert_eq!(cycle_of(&[]), None);
        assert_eq!(cycle_of(&[(extra, &input(A))]), None);
        assert_eq!(cycle_of(&[(extra, &input(&own))]), Some(target));
        assert_eq!(cycle_of(&[(r#""payload":{}"#, &upstream(A))]), None);
        assert_eq!(cycle_of(&[(r#""payload":{}"#, &upstream(&own))]), Some(target));
        // A is the decision task, which depends on a task that it created.
        let evidence = Evidence::sample(Product::empty("p"));
        let evidence =
            evidence.knowing(target, &[(&own, A)]).knowing(id(A), &[(&own, A), (extra, &input(&own))]);
        assert_eq!(cycle(&Chain::of(&evidence), &evidence.work).unwrap(), Some(target));
        // Only A is in the cycle, not the target that depends on it.
        let evidence = Evidence::sample(Product::empty("p"));
        let evidence = evidence.knowing(target, &[(extra, &input(A))]);
        let evidence = evidence.knowing(id(A), &[(&own, A), (extra, &input(A))]);
        assert_eq!(cycle(&Chain::of(&evidence), &evidence.work).unwrap(), Some(id(A)));
    }
}
