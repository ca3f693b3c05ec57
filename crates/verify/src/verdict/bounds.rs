//! Limits on the findings in a verdict: the authors of verified data determine how long texts are and
//! how many errors there are.

use super::{Code, Disposition, Finding};
use catena_json::{Map, Path, Segment, Value};
use catena_model::task::TaskId;
use std::collections::BTreeMap;

/// Bytes of the longest text in a finding. Longer texts are cut in the middle.
const LONGEST_TEXT: usize = 2048;
/// Bytes of the longest key in a path.
const LONGEST_KEY: usize = 256;
/// How the message of a finding ends that states the number of others.
pub(super) const NOT_LISTED: &str = " are not listed.";
/// The maximum number of listed findings of one check with one code on one link.
const MOST_ALIKE: usize = 100;
/// The maximum number of listed findings of a whole chain that failed, or were relaxed.
const MOST_FAILED: usize = 2000;

/// A text without its middle, if it is too long.
pub(crate) fn text(text: String) -> String {
    cut(&text, LONGEST_TEXT).unwrap_or(text)
}

/// A value without most of its contents, if it is too large.
pub(crate) fn value(whole: &Value) -> Value {
    part(whole, &mut LONGEST_TEXT.clone())
}

/// A path without the middles of its keys, if they are too long.
pub(crate) fn path(whole: Path) -> Path {
    let is_long = |segment: &Segment| matches!(segment, Segment::Key(key) if key.len() > LONGEST_KEY);
    if !whole.segments().iter().any(is_long) {
        return whole;
    }
    let mut shortened = Path::new();
    for segment in whole.segments() {
        shortened.push(match segment {
            Segment::Key(key) => Segment::Key(cut(key, LONGEST_KEY).unwrap_or_else(|| key.clone())),
            Segment::Index(index) => Segment::Index(*index),
        });
    }
    shortened
}

/// A text without its middle; `None` if it is short enough.
fn cut(text: &str, longest: usize) -> Option<String> {
    if text.len() <= longest {
        return None;
    }
    let half = longest / 2;
    let head = text.floor_char_boundary(half);
    let tail = text.ceil_char_boundary(text.len().saturating_sub(half));
    let (head, tail) = (text.get(..head)?, text.get(tail..)?);
    let left_out = text.len().saturating_sub(head.len()).saturating_sub(tail.len());
    Some(format!("{head}… ({left_out} bytes left out) …{tail}"))
}

/// As much of a value as `left` bytes allow, and for each list and object how much was left out.
fn part(whole: &Value, left: &mut usize) -> Value {
    /// The approximate size of a scalar.
    const SCALAR: usize = 8;
    let mut spend = |bytes: usize| *left = left.saturating_sub(bytes.saturating_add(SCALAR));
    let more = |count: usize| Value::from(format!("… ({count} more)"));
    match whole {
        Value::String(whole) => {
            let shown = cut(whole, LONGEST_TEXT).unwrap_or_else(|| whole.clone());
            spend(shown.len());
            Value::String(shown)
        }
        Value::Array(items) => {
            spend(0);
            let mut shown = Vec::new();
            for (number, item) in items.iter().enumerate() {
                if *left == 0 {
                    shown.push(more(items.len().saturating_sub(number)));
                    break;
                }
                shown.push(part(item, left));
            }
            Value::Array(shown)
        }
        Value::Object(members) => {
            spend(0);
            let mut shown = Map::new();
            for (number, (key, member)) in members.iter().enumerate() {
                if *left == 0 {
                    shown.insert("…", more(members.len().saturating_sub(number)));
                    break;
                }
                let key = cut(key, LONGEST_KEY).unwrap_or_else(|| key.clone());
                *left = left.saturating_sub(key.len());
                shown.insert(key, part(member, left));
            }
            Value::Object(shown)
        }
        scalar => {
            spend(0);
            scalar.clone()
        }
    }
}

/// Findings, of which a limited number of similar ones is kept: the same check, code and disposition on
/// the same link. One more finding states the number of the rest, so that none is lost.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    listed: Vec<Finding>,
    alike: BTreeMap<(TaskId, &'static str, &'static str, Disposition), (Code, usize)>,
}

impl Findings {
    pub(crate) fn push(&mut self, finding: Finding) {
        let key = (finding.task_id, finding.check, finding.code.name, finding.disposition);
        let (_, count) = self.alike.entry(key).or_insert((finding.code, 0));
        *count = count.saturating_add(1);
        if *count <= MOST_ALIKE {
            self.listed.push(finding);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.listed.iter()
    }

    /// The listed findings, and the number of the others.
    pub(crate) fn into_vec(self) -> Vec<Finding> {
        let Self { mut listed, alike } = self;
        for ((task_id, check, _, disposition), (code, count)) in alike {
            if let Some(more) = count.checked_sub(MOST_ALIKE).filter(|more| *more > 0) {
                let message = format!("{more} more findings of this kind{NOT_LISTED}");
                listed.push(Finding::new(check, code, disposition, task_id, message));
            }
        }
        listed
    }
}

impl Extend<Finding> for Findings {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }
}

/// The findings of a whole chain in order, of which a limited number that did not pass is listed. For
/// the rest of each code, one finding on the first link concerned states their number. So the size of a
/// verdict, and the time to write it, do not grow with the number of errors in a chain.
pub(crate) fn chain(findings: Vec<Finding>) -> Vec<Finding> {
    let mut failed = 0_usize;
    let mut more: BTreeMap<(&'static str, &'static str, Disposition), (Code, TaskId, usize)> =
        BTreeMap::new();
    let mut listed = Vec::with_capacity(findings.len());
    for finding in findings {
        failed = failed.saturating_add(usize::from(finding.disposition != Disposition::Passed));
        if finding.disposition == Disposition::Passed || failed <= MOST_FAILED {
            listed.push(finding);
            continue;
        }
        let key = (finding.check, finding.code.name, finding.disposition);
        let (_, _, count) = more.entry(key).or_insert((finding.code, finding.task_id, 0));
        *count = count.saturating_add(1);
    }
    listed.extend(more.into_iter().map(|((check, _, disposition), (code, task_id, count))| {
        let message = format!("{count} more findings of this kind, on this link and others,{NOT_LISTED}");
        Finding::new(check, code, disposition, task_id, message)
    }));
    listed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Class;
    use catena_json::{Limits, parse};

    #[test]
    fn short_texts_are_unchanged() {
        let short = "é".repeat(LONGEST_TEXT / 2);
        assert_eq!(text(short.clone()), short);
        let read = parse(br#"{"a":[1,"b",{"c":null}],"d":1.5}"#, &Limits::default()).unwrap();
        assert_eq!(value(&read), read);
        let short = Path::of(&["a"]).key(&"k".repeat(LONGEST_KEY)).index(3);
        assert_eq!(path(short.clone()), short);
    }

    #[test]
    fn long_texts_lose_their_middle() {
        let long = format!("begin{}end", "é".repeat(1 << 20));
        let cut = text(long.clone());
        assert!(cut.starts_with("beginé") && cut.ends_with("éend") && cut.len() < LONGEST_TEXT + 60, "{cut}");
        let left_out: usize = cut.split(['(', ' ']).find_map(|word| word.parse().ok()).unwrap();
        let marks = cut.chars().filter(|one| *one == '…').count();
        assert_eq!(marks, 2);
        assert_eq!(
            left_out
                + cut
                    .split('…')
                    .map(|part| part.trim_start_matches('('))
                    .filter(|part| !part.contains("left out"))
                    .map(str::len)
                    .sum::<usize>(),
            long.len()
        );
        let path = path(Path::of(&["a"]).key(&long).index(3));
        assert!(path.to_string().len() < LONGEST_KEY + 80, "{path}");
    }

    #[test]
    fn of_large_values_a_part_is_shown() {
        let numbers = Value::Array((0..1_000_000_i64).map(Value::from).collect());
        let shown = value(&numbers);
        let items = shown.as_array().unwrap();
        assert!((100..1000).contains(&items.len()));
        let more = format!("… ({} more)", 1_000_000 - (items.len() - 1));
        assert_eq!(items.last().unwrap().as_str(), Some(more.as_str()));
        let mut map = Map::new();
        (0..100_000)
            .for_each(|number| drop(map.insert(format!("key {number}"), Value::from("x".repeat(50)))));
        let shown = value(&Value::Object(map));
        let members = shown.as_object().unwrap();
        assert!(members.contains_key("key 0") && members.contains_key("…") && members.len() < 100);
        let text = value(&Value::from("x".repeat(1 << 20)));
        assert!(text.as_str().unwrap().len() < LONGEST_TEXT + 60);
    }

    #[test]
    fn findings_that_are_alike_are_counted() {
        let code = |name| Code::new(name, Class::Tamper, "Something.");
        let ids = ["IFn9x5gaQz-HXl2pa7Ny_w", "B1Y7D4twTB620sjIgyd3lg"].map(|id| TaskId::parse(id).unwrap());
        let mut findings = Findings::default();
        for number in 0..MOST_ALIKE + 7 {
            for id in ids {
                findings.push(Finding::new("c", code("a"), Disposition::Failed, id, number.to_string()));
            }
        }
        findings
            .extend((0..MOST_ALIKE).map(|_| Finding::new("c", code("b"), Disposition::Passed, ids[0], "x")));
        let listed = findings.into_vec();
        assert_eq!(listed.len(), 3 * MOST_ALIKE + 2);
        let more: Vec<_> = listed.iter().filter(|finding| finding.message.starts_with("7 more")).collect();
        assert_eq!(more.len(), 2);
        assert!(more.iter().all(|more| more.code == code("a") && more.disposition == Disposition::Failed));
    }

    #[test]
    fn a_chain_lists_so_many_failures_and_counts_the_others() {
        let code = |name| Code::new(name, Class::Tamper, "Something.");
        let ids = ["IFn9x5gaQz-HXl2pa7Ny_w", "B1Y7D4twTB620sjIgyd3lg"].map(|id| TaskId::parse(id).unwrap());
        let of = |name, disposition, id| Finding::new("check", code(name), disposition, id, "Something.");
        let mut findings = vec![of("a", Disposition::Failed, ids[0]); MOST_FAILED];
        assert_eq!(chain(findings.clone()), findings);
        findings.extend(vec![of("a", Disposition::Failed, ids[1]); 3]);
        findings.push(of("b", Disposition::Passed, ids[1]));
        findings.push(of("b", Disposition::Relaxed, ids[1]));
        let listed = chain(findings);
        assert_eq!(listed.len(), MOST_FAILED + 3);
        let told: Vec<_> = listed.iter().skip(MOST_FAILED).collect();
        let counted = |number: usize| {
            format!("{number} more findings of this kind, on this link and others, are not listed.")
        };
        assert_eq!((told[0].code.name, told[0].disposition), ("b", Disposition::Passed));
        assert_eq!(
            (told[1].code.name, told[1].disposition, told[1].task_id),
            ("a", Disposition::Failed, ids[1])
        );
        assert_eq!((told[2].code.name, told[2].disposition), ("b", Disposition::Relaxed));
        assert_eq!([&told[1].message, &told[2].message], [&counted(3), &counted(1)]);
    }
}
