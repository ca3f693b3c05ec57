//! Progress events, counted for the screen and written to the log.

use super::{Screen, Standing};
use catena::{Event, Progress};
use catena_model::digest::Digest;
use catena_report::escape;
use catena_verify::verification::{Fact, Need, Shape};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use tracing::{debug, trace, warn};

/// An observer of a fetcher.
pub(crate) struct Tally {
    screen: Screen,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    links: usize,
    artifacts: usize,
    bytes: u64,
    /// Pending needs, the oldest first.
    open: BTreeMap<u64, Need>,
    numbers: HashMap<Need, Asked>,
    asked: u64,
}

#[derive(Clone, Copy)]
struct Asked {
    number: u64,
    /// Bytes that were counted for the need.
    bytes: u64,
}

impl Tally {
    pub(crate) fn new(screen: Screen) -> Self {
        Self { screen, counts: Mutex::default() }
    }
}

impl Progress for Tally {
    fn event(&self, event: Event<'_>) {
        log(&event);
        let standing = {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            counts.count(&event);
            counts.standing()
        };
        self.screen.show(&standing);
    }
}

impl Counts {
    fn count(&mut self, event: &Event<'_>) {
        match event {
            Event::Asked { need } => {
                self.asked = self.asked.saturating_add(1);
                self.numbers.insert((*need).clone(), Asked { number: self.asked, bytes: 0 });
                self.open.insert(self.asked, (*need).clone());
            }
            Event::Received { need, bytes, .. } => self.received(need, *bytes),
            Event::Answered { need, fact } => self.answered(need, fact),
            Event::Started { .. } | Event::Retrying { .. } | Event::RateLimited { .. } => {}
        }
    }

    /// A body grew to this size; after a new attempt it may be smaller than before.
    fn received(&mut self, need: &Need, bytes: u64) {
        let Some(asked) = self.numbers.get_mut(need) else { return };
        self.bytes = self.bytes.saturating_sub(asked.bytes).saturating_add(bytes);
        asked.bytes = bytes;
    }

    fn answered(&mut self, need: &Need, fact: &Fact) {
        let length = length(fact);
        if let Some(length) = length {
            self.received(need, length);
        }
        if let Some(asked) = self.numbers.remove(need) {
            self.open.remove(&asked.number);
        }
        match (need, length) {
            (Need::Definition { .. }, Some(_)) => self.links = self.links.saturating_add(1),
            (need, Some(_)) if need.shape() != Shape::Body => {
                self.artifacts = self.artifacts.saturating_add(1)
            }
            _ => {}
        }
    }

    fn standing(&self) -> Standing {
        Standing {
            links: self.links,
            artifacts: self.artifacts,
            bytes: self.bytes,
            open: self.open.len(),
            waiting_for: self.open.first_key_value().map(|(_, need)| need.to_string()),
        }
    }
}

fn length(fact: &Fact) -> Option<u64> {
    match fact {
        Fact::Body(body) => Some(body.measurement.length),
        Fact::Measured(measurement) => Some(measurement.length),
        Fact::Graph(scan) => Some(scan.measurement.length),
        Fact::Recalled(fact) | Fact::Confirmed(fact) => length(fact),
        Fact::Absent { .. } | Fact::Refused { .. } | Fact::Unreachable { .. } => None,
    }
}

/// Events that the fetcher does not log itself.
fn log(event: &Event<'_>) {
    match event {
        Event::Asked { need } => trace!("asked for {}", shown(need)),
        Event::RateLimited { need, host, wait } => {
            warn!("{host} limits how often it may be asked: waiting {wait:?} for {}", shown(need));
        }
        Event::Answered { need, fact } => debug!("{}: {}", shown(need), told(fact)),
        Event::Started { .. } | Event::Received { .. } | Event::Retrying { .. } => {}
    }
}

fn shown(need: &Need) -> String {
    escape::line(&need.to_string()).into_owned()
}

fn told(fact: &Fact) -> String {
    match fact {
        Fact::Body(body) => format!("{} bytes", body.measurement.length),
        Fact::Measured(measurement) => {
            format!("{} bytes, {}", measurement.length, Digest::Sha256(measurement.sha256))
        }
        Fact::Graph(scan) => format!("a graph of {} bytes", scan.measurement.length),
        Fact::Recalled(fact) => format!("{}, out of the cache", told(fact)),
        Fact::Confirmed(fact) => told(fact),
        Fact::Absent { status, .. } => format!("absent ({status})"),
        Fact::Refused { status, .. } => format!("refused ({status})"),
        Fact::Unreachable { reason, attempts } => {
            format!("unreachable after {attempts} attempts: {}", escape::line(reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_model::task::TaskId;

    #[test]
    fn pending_requests_are_counted_and_the_oldest_named() {
        let task_id = TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap();
        let (definition, status) = (Need::Definition { task_id }, Need::Status { task_id });
        let mut counts = Counts::default();
        counts.count(&Event::Asked { need: &status });
        counts.count(&Event::Asked { need: &definition });
        assert_eq!((counts.standing().open, counts.standing().waiting_for), (2, Some(status.to_string())));
        counts.count(&Event::Received { need: &status, bytes: 500, announced: None });
        counts.count(&Event::Received { need: &status, bytes: 300, announced: None });
        assert_eq!(counts.standing().bytes, 300);
        let gone = Fact::Absent { status: 404, message: String::new() };
        counts.count(&Event::Answered { need: &status, fact: &gone });
        counts.count(&Event::Answered { need: &definition, fact: &gone });
        assert_eq!(
            (counts.standing().open, counts.standing().links, counts.standing().waiting_for),
            (0, 0, None)
        );
    }
}
