//! Drawing the tree.

use super::Chain;
use super::graph::{Graph, Need, Node};
use crate::diff::middle;
use crate::escape;
use crate::page::{Page, Paint};
use crate::proof::count;
use crate::text::TextOptions;
use catena_model::task::WorkerImplementation;
use catena_verify::verdict::LinkSummary;
use std::collections::{HashMap, HashSet};

/// Similar siblings of which nothing failed that are shown before the rest is counted.
const CLEAN: usize = 3;
/// The same, of siblings with the same failure.
const FAILED: usize = 8;
/// Levels below which a task starts a tree of its own, so that lines stay readable.
const DEPTH: usize = 12;
/// Characters of a kind or the name of a dependency.
const LABEL: usize = 40;
/// Characters of a key.
const KEY: usize = 17;
/// The narrowest column of text.
const NARROWEST: usize = 24;
/// Between the parts of a line.
const GAP: &str = "  ";

/// A part of a line, before it is escaped.
type Part = (Option<Paint>, String);

/// The lines of a tree.
struct Lines {
    fork: &'static str,
    last: &'static str,
    pass: &'static str,
}

const BOX: Lines = Lines { fork: "├─ ", last: "└─ ", pass: "│  " };
const ASCII: Lines = Lines { fork: "|- ", last: "`- ", pass: "|  " };
const BLANK: &str = "   ";

pub(super) fn draw(chain: &Chain<'_>, options: &TextOptions) -> String {
    let graph = Graph::of(chain);
    let places = vec![Place::Unseen; graph.nodes.len()];
    let lines = if options.ascii { &ASCII } else { &BOX };
    let page = Page::new(options.color, options.width);
    let mut drawing = Drawing { chain, graph: &graph, options, lines, page, places };
    for root in 0..graph.nodes.len() {
        if drawing.place(root) == Place::Unseen {
            if root > 0 {
                drawing.page.gap();
            }
            drawing.root(root);
        }
    }
    drawing.page.into_text()
}

/// Where a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    /// Nowhere yet.
    Unseen,
    /// Among the dependencies of a task whose lines are being written.
    Below,
    /// In lines that are written, or counted there.
    Above,
}

impl Place {
    fn word(self) -> &'static str {
        if self == Self::Below { "below" } else { "above" }
    }
}

/// A line below a task, with what follows from it.
enum Row<'a> {
    /// A task in full.
    Task(Need<'a>),
    /// A task that is elsewhere in full.
    Reference(Need<'a>),
    /// Tasks that are only counted.
    Counted(String),
}

/// Dependencies of one task that are alike.
struct Group<'a> {
    /// Where they are in full, if not here.
    seen: Option<Place>,
    is_clean: bool,
    needs: Vec<Need<'a>>,
}

struct Drawing<'a> {
    chain: &'a Chain<'a>,
    graph: &'a Graph<'a>,
    options: &'a TextOptions,
    lines: &'static Lines,
    page: Page,
    places: Vec<Place>,
}

impl<'a> Drawing<'a> {
    fn place(&self, node: usize) -> Place {
        self.places.get(node).copied().unwrap_or(Place::Above)
    }

    fn set(&mut self, node: usize, place: Place) {
        if let Some(own) = self.places.get_mut(node) {
            *own = place;
        }
    }

    /// A task that no line above leads to: the target, or one whose way there is not known or too long.
    fn root(&mut self, place: usize) {
        let Some(node) = self.graph.nodes.get(place) else { return };
        let label = match node.link {
            _ if node.task_id == self.chain.target => self.chain.kind.to_string(),
            Some(link) => {
                let parts: Vec<_> = link.name.parts().iter().map(|part| escape::word(part)).collect();
                parts.join(" → ")
            }
            None => "a task outside the chain".to_owned(),
        };
        self.task(place, &label, "", "", 0);
    }

    /// A task and what it depends on. Its first line begins with `start`, the others with `indent`.
    fn task(&mut self, place: usize, label: &str, start: &str, indent: &str, depth: usize) {
        let Some(node) = self.graph.nodes.get(place) else { return };
        self.set(place, Place::Above);
        let is_deep = depth >= DEPTH && !node.needs.is_empty();
        let groups = if is_deep { Vec::new() } else { self.groups(node) };
        let mut notes = Vec::new();
        if is_deep {
            notes.push("what it depends on is drawn by itself".to_owned());
        }
        if let Some(more) = node.link.map(|link| link.edges_left_out).filter(|more| *more > 0) {
            notes.push(format!("and {more} more dependencies that the verdict does not list"));
        }
        let pass = if groups.is_empty() && notes.is_empty() { BLANK } else { self.lines.pass };
        self.head(node, label, start, &format!("{indent}{pass}"));
        let ends = |position: usize, of: usize| position.saturating_add(1) == of;
        for (position, group) in groups.iter().enumerate() {
            self.group(group, indent, notes.is_empty() && ends(position, groups.len()), depth);
        }
        let number = notes.len();
        for (position, note) in notes.into_iter().enumerate() {
            self.row(Row::Counted(note), indent, ends(position, number), depth);
        }
    }

    /// The dependencies of a task by what is said of them, in the order of the first of each.
    fn groups(&mut self, node: &Node<'a>) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        let mut known: HashMap<(Option<Place>, String), usize> = HashMap::new();
        for need in &node.needs {
            let Some(needed) = self.graph.nodes.get(need.node) else { continue };
            let seen = Some(self.place(need.node)).filter(|place| *place != Place::Unseen);
            if seen.is_none() {
                self.set(need.node, Place::Below);
            }
            let number = *known.entry((seen, shape(need, needed, seen.is_some()))).or_insert(groups.len());
            match groups.get_mut(number) {
                Some(group) => group.needs.push(*need),
                None => groups.push(Group { seen, is_clean: needed.state.is_clean, needs: vec![*need] }),
            }
        }
        groups
    }

    /// The first of a group, and the number of the others if they are many and hide nothing.
    fn group(&mut self, group: &Group<'a>, indent: &str, is_last: bool, depth: usize) {
        let row = if group.seen.is_some() { Row::Reference } else { Row::Task };
        let most = if group.seen.is_some() || group.is_clean { CLEAN } else { FAILED };
        let is_short = self.options.verbose || group.needs.len() <= most.saturating_add(1);
        let shown = if is_short { group.needs.len() } else { most };
        let (first, rest) = group.needs.split_at_checked(shown).unwrap_or((&group.needs, &[]));
        let ends = |position: usize, of: usize| is_last && position.saturating_add(1) == of;
        for (position, need) in first.iter().enumerate() {
            self.row(row(*need), indent, rest.is_empty() && ends(position, first.len()), depth);
        }
        // What the first ones depend on is drawn by now, so that the others hide only what is their own.
        let (mut rows, mut counted, mut hidden) = (Vec::new(), Vec::new(), 0_usize);
        for need in rest {
            match if group.seen.is_some() { Some(0) } else { self.hidden(need.node) } {
                Some(tasks) => {
                    counted.push(need);
                    hidden = hidden.saturating_add(tasks);
                }
                None => rows.push(row(*need)),
            }
        }
        if let Some(first) = counted.first() {
            rows.push(Row::Counted(self.counted(group, first, counted.len(), hidden)));
        }
        let number = rows.len();
        for (position, row) in rows.into_iter().enumerate() {
            self.row(row, indent, ends(position, number), depth);
        }
    }

    /// The number of tasks that only a task leads to, which count as drawn from then on. None if something
    /// failed or is missing there.
    fn hidden(&mut self, task: usize) -> Option<usize> {
        let graph = self.graph;
        let (mut found, mut known) = (vec![task], HashSet::from([task]));
        let mut next = 0_usize;
        while let Some(node) = found.get(next).and_then(|place| graph.nodes.get(*place)) {
            let is_whole = node.link.is_none_or(|link| link.edges_left_out == 0);
            if !is_whole || (next > 0 && !node.state.is_clean) {
                return None;
            }
            let new = |need: &&Need<'_>| self.place(need.node) == Place::Unseen && known.insert(need.node);
            found.extend(node.needs.iter().filter(new).map(|need| need.node));
            next = next.saturating_add(1);
        }
        for node in &found {
            self.set(*node, Place::Above);
        }
        Some(found.len().saturating_sub(1))
    }

    /// `and 298 more build tasks, verified (-v lists them)`.
    fn counted(&self, group: &Group<'a>, first: &Need<'a>, number: usize, hidden: usize) -> String {
        let Some(node) = self.graph.nodes.get(first.node) else { return String::new() };
        let state = match group.seen {
            Some(place) => format!(" ({})", place.word()),
            None => format!(", {}", node.state.words),
        };
        let below = match hidden {
            0 => String::new(),
            tasks => format!(", with {} below", count(tasks, "task")),
        };
        let tasks = if number == 1 { "task" } else { "tasks" };
        format!("and {number} more {} {tasks}{state}{below} (-v lists all)", label(first, node))
    }

    fn row(&mut self, row: Row<'a>, indent: &str, is_last: bool, depth: usize) {
        let fork = if is_last { self.lines.last } else { self.lines.fork };
        let start = format!("{indent}{fork}");
        let deeper = format!("{indent}{}", if is_last { BLANK } else { self.lines.pass });
        match row {
            Row::Counted(text) => self.wrapped(&[(None, text)], &start, &deeper),
            Row::Reference(need) => {
                let Some(node) = self.graph.nodes.get(need.node) else { return };
                let word = format!("({})", self.place(need.node).word());
                let parts = [
                    (Some(Paint::Bold), label(&need, node)),
                    (Some(Paint::Dim), node.task_id.to_string()),
                    (Some(Paint::Dim), word),
                ];
                self.wrapped(&parts, &start, &deeper);
            }
            Row::Task(need) => {
                let Some(node) = self.graph.nodes.get(need.node) else { return };
                self.task(need.node, &label(&need, node), &start, &deeper, depth.saturating_add(1));
            }
        }
    }

    /// What is known of a task: its state first.
    fn head(&mut self, node: &Node<'a>, label: &str, start: &str, indent: &str) {
        let parts = [
            (Some(Paint::Bold), label.to_owned()),
            (Some(Paint::Dim), node.task_id.to_string()),
            (Some(node.state.paint), node.state.words.clone()),
        ];
        self.wrapped(&parts, start, indent);
        let Some(link) = node.link else { return };
        self.wrapped(&self.particulars(link), indent, indent);
        if let Some(title) = link.title.as_ref().filter(|title| !title.is_empty()) {
            // In quotation marks, so that it does not look like a line of the tree.
            self.wrapped(&[(None, format!("\"{title}\""))], indent, indent);
        }
    }

    /// `docker-worker`, `gecko-3/b-linux`, `run 0 completed`, `ed25519 kni6ts7z…BHB8BBR0=`.
    fn particulars(&self, link: &LinkSummary) -> Vec<Part> {
        let implementation = match link.worker_implementation {
            Some(implementation) => implementation.to_string(),
            None => "unknown worker implementation".to_owned(),
        };
        let mut parts = vec![implementation, link.worker_pool.to_string()];
        let is_ahead = link.task_id == self.chain.target && !self.chain.check_task;
        match (link.run_id, link.run_state) {
            (Some(run_id), Some(state)) => parts.push(format!("run {run_id} {}", state.as_str())),
            (Some(run_id), None) => parts.push(format!("run {run_id}")),
            (None, _) if is_ahead => parts.push("about to run".to_owned()),
            (None, _) => parts.push("run unknown".to_owned()),
        }
        match &link.document {
            Some(document) => {
                let key = document.signer.to_string();
                let key = if self.options.verbose { key } else { middle(&key, KEY) };
                parts.push(format!("{} {key}", document.signer.scheme().as_str()));
            }
            None if is_ahead => {}
            None => parts.push("no signature verified".to_owned()),
        }
        parts.into_iter().map(|part| (Some(Paint::Dim), part)).collect()
    }

    /// Parts of a line, two spaces apart; those that do not fit go to further lines, and one that is too long
    /// for a line loses its middle.
    fn wrapped(&mut self, parts: &[Part], start: &str, indent: &str) {
        let width = self.options.width.unwrap_or(usize::MAX);
        let room = width.saturating_sub(indent.chars().count()).max(NARROWEST);
        let mut line: Vec<Part> = vec![(None, start.to_owned())];
        let mut used = 0_usize;
        for (paint, text) in parts {
            // Escaped before it is measured.
            let text = middle(&escape::line(text), room);
            let length = text.chars().count();
            if used > 0 && used.saturating_add(length).saturating_add(GAP.len()) > room {
                self.line(&std::mem::replace(&mut line, vec![(None, indent.to_owned())]));
                used = 0;
            }
            if used > 0 {
                line.push((None, GAP.to_owned()));
                used = used.saturating_add(GAP.len());
            }
            used = used.saturating_add(length);
            line.push((*paint, text));
        }
        self.line(&line);
    }

    fn line(&mut self, parts: &[Part]) {
        let words: Vec<(Option<Paint>, &str)> =
            parts.iter().map(|(paint, text)| (*paint, text.as_str())).collect();
        self.page.words(&words);
    }
}

/// The name of a dependency, and the kind that the task is verified as where that is another.
fn label(need: &Need<'_>, node: &Node<'_>) -> String {
    let Some(link) = node.link else { return middle(&escape::word(need.name), LABEL) };
    let kind = link.kind.as_str();
    let name = middle(&escape::word(need.name), LABEL);
    match need.name {
        "parent" => kind.to_owned(),
        own if own == kind => name,
        _ => format!("{name} ({kind})"),
    }
}

/// What siblings that are counted together have in common.
fn shape(need: &Need<'_>, node: &Node<'_>, is_reference: bool) -> String {
    let label = label(need, node);
    if is_reference {
        return label;
    }
    let implementation =
        node.link.and_then(|link| link.worker_implementation).map(WorkerImplementation::as_str);
    format!("{label} {} {}", implementation.unwrap_or_default(), node.state.words)
}
