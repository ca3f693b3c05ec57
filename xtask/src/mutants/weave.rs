//! All mutants of a file in one text: which of them is alive is chosen when the program runs.
//!
//! A condition `a && b` becomes `(match crate::mutant::chosen(&[7]) { 7 => a || b, _ => a && b })`. Comments
//! around what is added say to which mutants it belongs, so that a mistake the compiler tells of can be
//! traced to the mutant that does not compile.

use super::mutant::{Genre, Mutant};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// What is put at the end of the crate's root: which mutant is alive, and, where `CATENA_REACHED` names
/// a file, a line in it for each mutant that a thread comes to.
pub(super) const CHOICE: &str = r#"
/// Which mutant is alive.
#[allow(missing_docs, reason = "made for one run")]
pub mod mutant {
    use std::cell::RefCell;
    use std::collections::HashSet;
    use std::fs::File;
    use std::sync::LazyLock;
    static CHOSEN: LazyLock<u32> = LazyLock::new(|| {
        std::env::var("CATENA_MUTANT").ok().and_then(|id| id.parse().ok()).unwrap_or(0)
    });
    static NOTE: LazyLock<Option<File>> = LazyLock::new(|| {
        let path = std::env::var_os("CATENA_REACHED")?;
        File::options().append(true).open(path).ok()
    });
    std::thread_local! {
        static SEEN: RefCell<HashSet<u32>> = RefCell::default();
    }
    fn note(mut file: &File, ids: &[u32]) {
        use std::io::Write as _;
        for id in ids {
            if SEEN.with(|seen| seen.borrow_mut().insert(*id)) {
                let thread = std::thread::current();
                let line = format!("{id}\t{}\n", thread.name().unwrap_or("?"));
                _ = file.write_all(line.as_bytes());
            }
        }
    }
    pub fn chosen(ids: &[u32]) -> u32 {
        if let Some(file) = &*NOTE {
            note(file, ids);
        }
        *CHOSEN
    }
    pub fn is(id: u32) -> bool {
        chosen(&[id]) == id
    }
}
"#;

/// What `impl Iterator` is replaced with: of another type than the function's own, and a function has one.
const ITERATOR: &str = "::std::iter::";

/// One place that is changed, and the mutants there.
#[derive(Debug)]
struct Site {
    range: Range<usize>,
    change: Change,
}

#[derive(Debug)]
enum Change {
    /// In front of a function's statements: for each mutant, what to return at once.
    Body(Vec<(u32, String)>),
    /// An expression: for each mutant, its text.
    Expression(Vec<(u32, String)>),
    /// The guard of an arm; its mutants that are true and false, and the one without the arm.
    Guard { yes: Option<u32>, no: Option<u32>, gone: Option<u32> },
    /// After the pattern of an arm without a guard: the mutant without the arm.
    Arm(u32),
}

/// A file's text with its mutants in it, and the mutants that found no place.
pub(super) fn weave(text: &str, mutants: &[&Mutant]) -> Result<(String, BTreeSet<u32>), syn::Error> {
    let file = syn::parse_file(text)?;
    let starts = line_starts(text);
    let mut finder = Finder { text, mutants: BTreeMap::new(), sites: Vec::new() };
    let mut bodies: BTreeMap<usize, Vec<(u32, String)>> = BTreeMap::new();
    for mutant in mutants {
        let at = offset(text, &starts, mutant.line, mutant.column);
        if mutant.genre == Genre::Body && !mutant.replacement.contains(ITERATOR) {
            bodies.entry(at).or_default().push((mutant.id, mutant.replacement.clone()));
        } else {
            finder.mutants.entry((mutant.genre, at)).or_default().push(mutant);
        }
    }
    finder.visit_file(&file);
    let mut sites = finder.sites;
    let bodies =
        bodies.into_iter().map(|(at, mutants)| Site { range: at..at, change: Change::Body(mutants) });
    sites.extend(bodies);
    let left = finder.mutants.into_values().flatten().map(|mutant| mutant.id).collect();
    // The outer one first, where two begin in one place; what is inserted comes before both.
    sites.sort_by_key(|site| (site.range.start, !site.range.is_empty(), std::cmp::Reverse(site.range.end)));
    let mut woven = String::with_capacity(text.len().saturating_mul(2));
    render(text, 0..text.len(), &mut sites.iter().peekable(), &mut woven);
    Ok((woven, left))
}

/// The mutants that the text at a place of a woven file belongs to: one, or all of its site.
pub(super) fn owners(woven: &str, at: usize) -> (Vec<u32>, bool) {
    let mut open: Vec<&str> = Vec::new();
    let before = woven.get(..at).unwrap_or(woven);
    for (from, _) in before.match_indices("/*~") {
        let mark = before.get(from.saturating_add(3)..).unwrap_or_default();
        let mark = mark.split_once("*/").map_or("", |(mark, _)| mark);
        match mark {
            "" => _ = open.pop(),
            _ => open.push(mark),
        }
    }
    let Some(mark) = open.last() else { return (Vec::new(), false) };
    let ids = mark.get(1..).unwrap_or_default().split(',').filter_map(|id| id.parse().ok()).collect();
    (ids, mark.starts_with('m'))
}

struct Finder<'a> {
    text: &'a str,
    /// By genre and where the mutant begins.
    mutants: BTreeMap<(Genre, usize), Vec<&'a Mutant>>,
    sites: Vec<Site>,
}

impl Finder<'_> {
    fn text(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// The guard's mutant of that value, taken out.
    fn guard(&mut self, at: usize, value: &str) -> Option<u32> {
        let there = self.mutants.get_mut(&(Genre::Guard, at))?;
        let index = there.iter().position(|mutant| mutant.replacement == value)?;
        Some(there.remove(index).id)
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_expr_binary(&mut self, expression: &'ast syn::ExprBinary) {
        let operator = expression.op.span().byte_range();
        // `let` in a chain of conditions stands nowhere else.
        if !has_let(expression)
            && let Some(there) = self.mutants.remove(&(Genre::Operator, operator.start))
        {
            let range = expression.span().byte_range();
            let (left, right) = (range.start..operator.start, operator.end..range.end);
            let texts = there.iter().map(|mutant| {
                let (left, right) = (self.text(left.clone()), self.text(right.clone()));
                (mutant.id, format!("{left}{}{right}", mutant.replacement))
            });
            let change = Change::Expression(texts.collect());
            self.sites.push(Site { range, change });
        }
        visit::visit_expr_binary(self, expression);
    }

    fn visit_expr_unary(&mut self, expression: &'ast syn::ExprUnary) {
        let range = expression.span().byte_range();
        if let Some(there) = self.mutants.remove(&(Genre::Negation, range.start)) {
            let operand = self.text(expression.expr.span().byte_range()).to_owned();
            let texts = there.iter().map(|mutant| (mutant.id, operand.clone())).collect();
            self.sites.push(Site { range, change: Change::Expression(texts) });
        }
        visit::visit_expr_unary(self, expression);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        let gone = self.mutants.remove(&(Genre::Arm, arm.span().byte_range().start));
        let gone = gone.and_then(|there| there.first().map(|mutant| mutant.id));
        if let Some((_, guard)) = &arm.guard {
            let range = guard.span().byte_range();
            let (yes, no) = (self.guard(range.start, "true"), self.guard(range.start, "false"));
            self.sites.push(Site { range, change: Change::Guard { yes, no, gone } });
        } else if let Some(gone) = gone {
            let end = arm.pat.span().byte_range().end;
            self.sites.push(Site { range: end..end, change: Change::Arm(gone) });
        }
        visit::visit_arm(self, arm);
    }
}

fn has_let(expression: &syn::ExprBinary) -> bool {
    [&expression.left, &expression.right].into_iter().any(|side| match side.as_ref() {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(inner) => has_let(inner),
        _ => false,
    })
}

type Sites<'a> = std::iter::Peekable<std::slice::Iter<'a, Site>>;

fn render(text: &str, range: Range<usize>, sites: &mut Sites<'_>, into: &mut String) {
    let mut at = range.start;
    while let Some(site) = sites.next_if(|site| site.range.start < range.end) {
        into.push_str(text.get(at..site.range.start).unwrap_or_default());
        at = site.range.end;
        let inner = |sites: &mut Sites<'_>| {
            let mut inner = String::new();
            render(text, site.range.clone(), sites, &mut inner);
            inner
        };
        into.push_str(&match &site.change {
            Change::Body(mutants) => {
                let arms =
                    mutants.iter().map(|(id, value)| format!("{id} => /*~m{id}*/return {value}/*~*/, "));
                choice(mutants, &arms.collect::<String>(), "{}")
            }
            Change::Expression(mutants) => {
                let arms = mutants.iter().map(|(id, text)| format!("{id} => /*~m{id}*/{text}/*~*/, "));
                format!("({})", choice(mutants, &arms.collect::<String>(), &inner(sites)))
            }
            Change::Guard { yes, no, gone } => {
                let is =
                    |id: &Option<u32>| id.map_or("false".to_owned(), |id| format!("crate::mutant::is({id})"));
                let guard = inner(sites);
                if yes.or(*no).or(*gone).is_none() {
                    guard
                } else {
                    format!("(!{} && ({} || (!{} && ({guard}))))", is(gone), is(yes), is(no))
                }
            }
            Change::Arm(id) => format!("/*~m{id}*/ if !crate::mutant::is({id})/*~*/"),
        });
    }
    into.push_str(text.get(at..range.end).unwrap_or_default());
}

fn choice(mutants: &[(u32, String)], arms: &str, unchanged: &str) -> String {
    let ids = mutants.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>().join(",");
    format!("/*~s{ids}*/match crate::mutant::chosen(&[{ids}]) {{ {arms}_ => {unchanged} }}/*~*/")
}

/// Where each line begins.
fn line_starts(text: &str) -> Vec<usize> {
    let after = text.match_indices('\n').map(|(at, _)| at.saturating_add(1));
    std::iter::once(0).chain(after).collect()
}

/// Where a line and a column are, both counted from 1 and the latter in characters.
fn offset(text: &str, starts: &[usize], line: usize, column: usize) -> usize {
    let start = starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
    let line = text.get(start..).unwrap_or_default();
    let inside = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    start.saturating_add(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutant(id: u32, genre: Genre, line: usize, column: usize, replacement: &str) -> Mutant {
        Mutant { id, genre, line, column, replacement: replacement.to_owned(), ..Mutant::default() }
    }

    #[test]
    fn each_genre_is_woven() {
        let text = "fn a(b: bool, c: bool) -> bool {\n    !b && c\n}\nfn d(e: u8) {\n    match e {\n        \
            1 if e == 1 => {}\n        2 => {}\n        _ => {}\n    }\n}\n";
        let mutants = [
            mutant(1, Genre::Body, 2, 5, "true"),
            mutant(2, Genre::Operator, 2, 8, "||"),
            mutant(3, Genre::Negation, 2, 5, ""),
            mutant(4, Genre::Guard, 6, 14, "true"),
            mutant(5, Genre::Operator, 6, 16, "!="),
            mutant(6, Genre::Arm, 7, 9, ""),
            mutant(7, Genre::Other, 1, 1, ""),
        ];
        let (woven, left) = weave(text, &mutants.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(left, BTreeSet::from([7]));
        let marks = |text: &str| {
            let mut rest = text;
            let mut plain = String::new();
            while let Some((before, after)) = rest.split_once("/*~") {
                plain.push_str(before);
                rest = after.split_once("*/").unwrap().1;
            }
            plain + rest
        };
        let plain = marks(&woven);
        let negated = "(match crate::mutant::chosen(&[3]) { 3 => b, _ => !b })";
        let both = format!("(match crate::mutant::chosen(&[2]) {{ 2 => !b || c, _ => {negated} && c }})");
        let at_once = "match crate::mutant::chosen(&[1]) { 1 => return true, _ => {} }";
        assert!(plain.contains(&format!("{at_once}{both}")), "{plain}");
        let equal = "(match crate::mutant::chosen(&[5]) { 5 => e != 1, _ => e == 1 })";
        let guard = format!("1 if (!false && (crate::mutant::is(4) || (!false && ({equal})))) =>");
        assert!(plain.contains(&guard), "{plain}");
        assert!(plain.contains("2 if !crate::mutant::is(6) =>"), "{plain}");
        assert_eq!(woven.lines().count(), text.lines().count());
        assert_eq!(owners(&woven, woven.find("!b || c").unwrap()), (vec![2], true));
        assert_eq!(owners(&woven, woven.find("match crate").unwrap()), (vec![1], false));
        assert_eq!(owners(&woven, 3), (vec![], false));
    }
}
