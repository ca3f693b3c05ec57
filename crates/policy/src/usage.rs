//! What a key may sign for, and what it signed for.

use catena_model::projects::Level;
use catena_model::task::{Definition, WorkerPool};
use std::collections::BTreeSet;
use std::fmt;

/// What a key may sign for. A part without a limit is not restricted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub(super) products: Option<BTreeSet<String>>,
    pub(super) worker_pools: Option<Vec<PairPattern>>,
    pub(super) levels: Option<BTreeSet<Level>>,
    pub(super) workers: Option<Vec<PairPattern>>,
}

/// Two names with a slash between them, in which `*` stands for any characters of a name:
/// `provisionerId/workerType` or `workerGroup/workerId`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairPattern(String);

/// One signature of a key: what it was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    pub(super) product: String,
    pub(super) worker_pool: WorkerPool,
    /// Every level that the definition states; `None` if a stated level is malformed.
    pub(super) levels: Vec<Option<Level>>,
    /// `workerGroup/workerId`, if both are known.
    pub(super) worker: Option<String>,
}

/// What a key may not sign for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotPermitted {
    /// `product`, `worker pool`, `level` or `worker`.
    pub what: &'static str,
    /// What the key may sign for.
    pub permitted: String,
    /// What it was used for.
    pub used: String,
}

impl std::fmt::Display for NotPermitted {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "it may sign for the {} {}, not {}", self.what, self.permitted, self.used)
    }
}

impl PairPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Text that is not two names with one slash between them; the message is for the author of the
    /// file.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let is_name = |name: &str| {
            (1..=38).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_*".contains(&byte))
        };
        match text.split_once('/') {
            Some((first, second)) if is_name(first) && is_name(second) => Ok(Self(text.to_owned())),
            _ => Err(format!(
                "{:?} is not two names with a slash between them (each 1 to 38 of a-z A-Z 0-9 _ - and *)",
                text.chars().take(120).collect::<String>()
            )),
        }
    }

    /// Whether a pair of names matches.
    pub(super) fn matches(&self, pair: &str) -> bool {
        match (self.0.split_once('/'), pair.split_once('/')) {
            (Some((first, second)), Some((one, other))) => glob(first, one) && glob(second, other),
            _ => false,
        }
    }
}

/// Whether a name matches a pattern in which `*` stands for any characters. The parts between stars are
/// searched from the left, so that a name is scanned once.
fn glob(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return name.ends_with(part);
        }
        let Some((_, after)) = name.split_once(part) else { return false };
        name = after;
    }
    true
}

impl fmt::Display for PairPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl KeyUse {
    /// A signature over the document of a run of this task, for a product.
    #[must_use]
    pub fn new(product: &str, task: &Definition, worker: Option<(&str, &str)>) -> Self {
        Self {
            product: product.to_owned(),
            worker_pool: task.worker_pool().clone(),
            levels: levels(task),
            worker: worker.map(|(group, id)| format!("{group}/{id}")),
        }
    }
}

/// The levels that a definition states (specification 13.6).
fn levels(task: &Definition) -> Vec<Option<Level>> {
    let pool = task.worker_pool();
    let (provisioner, worker_type) = pool.as_str().split_once('/').unwrap_or_default();
    let scheduler = task.scheduler_id().split_once("-level-").map(|(_, level)| Level::parse(level));
    let of_provisioner = provisioner.rsplit_once('-').and_then(|(_, level)| Level::parse(level)).map(Some);
    let of_worker_type = provisioner
        .starts_with("scriptworker-")
        .then(|| worker_type.split('-').skip(1).find_map(Level::parse))
        .flatten()
        .map(Some);
    [scheduler, of_provisioner, of_worker_type].into_iter().flatten().collect()
}

impl Usage {
    /// Whether a key may be used in this way.
    ///
    /// # Errors
    /// The first part of the use that is not permitted.
    pub fn permits(&self, used: &KeyUse) -> Result<(), NotPermitted> {
        let refuse = |what, permitted: String, used: String| Err(NotPermitted { what, permitted, used });
        if let Some(products) = self.products.as_ref().filter(|products| !products.contains(&used.product)) {
            return refuse("product", joined(products), used.product.clone());
        }
        let pool = used.worker_pool.as_str();
        if let Some(pools) = self.worker_pools.as_ref().filter(|pools| !any(pools, pool)) {
            return refuse("worker pool", joined(pools), pool.to_owned());
        }
        let allowed = |levels: &BTreeSet<Level>| {
            let is_in = |level: &Option<Level>| level.is_some_and(|level| levels.contains(&level));
            !used.levels.is_empty() && used.levels.iter().all(is_in)
        };
        if let Some(levels) = self.levels.as_ref().filter(|levels| !allowed(levels)) {
            return refuse("level", joined(levels), used.stated_levels());
        }
        let by =
            |workers: &Vec<PairPattern>| used.worker.as_deref().is_some_and(|worker| any(workers, worker));
        if let Some(workers) = self.workers.as_ref().filter(|workers| !by(workers)) {
            let used = used.worker.clone().unwrap_or_else(|| "an unknown worker".to_owned());
            return refuse("worker", joined(workers), used);
        }
        Ok(())
    }

    /// The limits as a trust file writes them: name and values.
    pub fn limits(&self) -> impl Iterator<Item = (&'static str, Vec<String>)> {
        let digits =
            |levels: &BTreeSet<Level>| levels.iter().map(|level| level.digit().to_string()).collect();
        let limits = [
            ("products", self.products.as_ref().map(texts)),
            ("worker-pools", self.worker_pools.as_ref().map(texts)),
            ("levels", self.levels.as_ref().map(digits)),
            ("workers", self.workers.as_ref().map(texts)),
        ];
        limits.into_iter().filter_map(|(name, values)| Some((name, values?)))
    }

    /// Whether a use that both permit can exist, as far as patterns show.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let shares = |one: Option<Vec<String>>, other: Option<Vec<String>>| match (one, other) {
            (Some(one), Some(other)) => one.iter().any(|value| other.contains(value)),
            _ => true,
        };
        let meet = |one: &Option<Vec<PairPattern>>, other: &Option<Vec<PairPattern>>| match (one, other) {
            (Some(one), Some(other)) => one.iter().any(|one| other.iter().any(|other| one.meets(other))),
            _ => true,
        };
        let products = |usage: &Self| usage.products.as_ref().map(texts);
        let levels = |usage: &Self| usage.levels.as_ref().map(texts);
        shares(products(self), products(other))
            && shares(levels(self), levels(other))
            && meet(&self.worker_pools, &other.worker_pools)
            && meet(&self.workers, &other.workers)
    }
}

impl PairPattern {
    /// Whether one matches the other's text. Two patterns with stars in different places may overlap
    /// without it; an audit that misses such a pair refuses nothing.
    fn meets(&self, other: &Self) -> bool {
        self.matches(&other.0) || other.matches(&self.0)
    }
}

impl KeyUse {
    fn stated_levels(&self) -> String {
        let text =
            |level: &Option<Level>| level.map_or("a malformed level".to_owned(), |level| level.to_string());
        let stated: BTreeSet<String> = self.levels.iter().map(text).collect();
        if stated.is_empty() { "a task that states no level".to_owned() } else { joined(&stated) }
    }
}

fn any(patterns: &[PairPattern], pair: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(pair))
}

fn texts<'a, T: ToString + 'a>(values: impl IntoIterator<Item = &'a T>) -> Vec<String> {
    values.into_iter().map(ToString::to_string).collect()
}

fn joined<'a, T: ToString + 'a>(values: impl IntoIterator<Item = &'a T>) -> String {
    texts(values).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_json::{Limits, parse};

    fn task(pool: &str, scheduler: &str) -> Definition {
        let (provisioner, worker_type) = pool.split_once('/').unwrap();
        let plain = Definition::sample("", "").value().clone();
        let mut task = plain;
        for (name, value) in
            [("provisionerId", provisioner), ("workerType", worker_type), ("schedulerId", scheduler)]
        {
            task.as_object_mut().unwrap().insert(name, value.into());
        }
        task.as_object_mut().unwrap().remove("taskQueueId");
        Definition::parse(parse(task.to_string().as_bytes(), &Limits::default()).unwrap()).unwrap()
    }

    fn stated(pool: &str, scheduler: &str) -> String {
        KeyUse::new("firefox", &task(pool, scheduler), None).stated_levels()
    }

    #[test]
    fn stars_match_within_one_name() {
        let matches = |pattern: &str, pair: &str| PairPattern::parse(pattern).unwrap().matches(pair);
        for (pattern, pair) in [
            ("a/b", "a/b"),
            ("a/*", "a/b"),
            ("*/*", "a/b"),
            ("gecko-*/b-*", "gecko-3/b-linux"),
            ("*-3/*-x*", "gecko-3/b-x-y"),
            ("a*b*c/x", "abbc/x"),
            ("a**/x", "a/x"),
        ] {
            assert!(matches(pattern, pair), "{pattern} {pair}");
        }
        for (pattern, pair) in [
            ("a/b", "a/bc"),
            ("a/*", "aa/b"),
            ("*a/x", "ab/x"),
            ("ab*b/x", "ab/x"),
            ("a*b*b/x", "ab/x"),
            ("*", "a/b"),
        ] {
            let read = PairPattern::parse(pattern);
            assert!(read.is_err() || !matches(pattern, pair), "{pattern} {pair}");
        }
        for wrong in ["a", "a/b/c", "/b", "a/", "a b/c", "é/a", &format!("{}/a", "a".repeat(39))] {
            assert!(PairPattern::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_definition_states_its_level_in_up_to_three_places() {
        assert_eq!(stated("gecko-3/b-linux", "gecko-level-3"), "level 3");
        assert_eq!(stated("gecko-3/b-linux", "gecko-level-1"), "level 1, level 3");
        assert_eq!(stated("gecko-t/t-linux-2", "gecko-level-3"), "level 3");
        assert_eq!(stated("mobile-1/decision", "taskcluster-github"), "level 1");
        assert_eq!(stated("scriptworker-k8s/gecko-3-signing", "x"), "level 3");
        assert_eq!(stated("gecko-t/t-linux", "gecko-level-4"), "a malformed level");
        assert_eq!(stated("gecko-t/t-linux", "x"), "a task that states no level");
    }

    #[test]
    fn each_limit_refuses_by_itself() {
        let used = KeyUse::new("firefox", &task("gecko-3/b-linux", "gecko-level-3"), Some(("g", "w1")));
        let patterns = |text| Some(vec![PairPattern::parse(text).unwrap()]);
        let levels = |digit| Level::parse(digit).map(|level| BTreeSet::from([level]));
        let refused = |usage: Usage| usage.permits(&used).err().map(|refused| refused.what);
        assert_eq!(refused(Usage::default()), None);
        let product =
            |name: &str| Usage { products: Some(BTreeSet::from([name.to_owned()])), ..Usage::default() };
        assert_eq!([refused(product("firefox")), refused(product("xpi"))], [None, Some("product")]);
        let pool = |text| Usage { worker_pools: patterns(text), ..Usage::default() };
        assert_eq!([refused(pool("gecko-3/*")), refused(pool("gecko-1/*"))], [None, Some("worker pool")]);
        let level = |digit| Usage { levels: levels(digit), ..Usage::default() };
        assert_eq!([refused(level("3")), refused(level("1"))], [None, Some("level")]);
        let worker = |text| Usage { workers: patterns(text), ..Usage::default() };
        assert_eq!([refused(worker("g/*")), refused(worker("h/*"))], [None, Some("worker")]);
        let unknown = KeyUse { worker: None, levels: vec![], ..used.clone() };
        assert_eq!(worker("*/*").permits(&unknown).unwrap_err().what, "worker");
        assert_eq!(level("3").permits(&unknown).unwrap_err().what, "level");
        let two = KeyUse { levels: vec![Level::parse("3"), Level::parse("1")], ..used.clone() };
        assert_eq!(level("3").permits(&two).unwrap_err().used, "level 1, level 3");
    }

    #[test]
    fn usages_overlap_where_a_use_can_be_of_both() {
        let pools =
            |text| Usage { worker_pools: Some(vec![PairPattern::parse(text).unwrap()]), ..Usage::default() };
        let product =
            |name: &str| Usage { products: Some(BTreeSet::from([name.to_owned()])), ..Usage::default() };
        assert!(pools("a/*").overlaps(&pools("a/b")) && pools("a/b").overlaps(&pools("a/*")));
        assert!(!pools("a/*").overlaps(&pools("b/*")));
        assert!(Usage::default().overlaps(&pools("b/*")));
        assert!(!product("one").overlaps(&product("two")) && product("one").overlaps(&pools("a/*")));
    }
}
