//! Parsing an answer where it arrives.

use super::evidence::{Json, NoDefinition, ParsedDocument};
use super::{Fact, Need};
use catena_json::ParseError;
use catena_model::Limits;
use catena_model::document::Document;
use catena_model::projects::Projects;
use catena_model::task::{Definition, ListingError, ListingPage, Status, StatusError};
use std::sync::Arc;

/// Parses facts: everything that can be done with an answer before its context is known. Facts can be
/// parsed anywhere, for example many in parallel.
#[derive(Clone, Debug)]
pub struct FactParser {
    limits: catena_json::Limits,
    yaml: catena_yaml::Limits,
}

/// The fact for a need, and its parsed contents. Only a [`FactParser`] creates one, so that the
/// contents are those of the fact.
#[derive(Clone, Debug)]
pub struct ParsedFact {
    need: Need,
    fact: Fact,
    reading: Parsed,
}

/// The parsed contents of a fact.
#[derive(Clone, Debug)]
pub(super) enum Parsed {
    Definition(Result<Arc<Definition>, NoDefinition>),
    Status(Result<Status, StatusError>),
    Document(ParsedDocument),
    Listing(Result<ListingPage, ListingError>),
    Json(Json),
    Projects(Result<Projects, String>),
    /// Its bytes are used unparsed, if there are any.
    Bytes,
}

impl FactParser {
    /// A parser within the limits of a verification.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { limits: limits.json(), yaml: limits.yaml }
    }

    /// Parses the fact for a need.
    #[must_use]
    pub fn read(&self, need: Need, fact: Fact) -> ParsedFact {
        let read = match (&need, fact.observed()) {
            (Need::Document { .. }, Fact::Body(body)) => {
                Ok(Parsed::Document(Document::parse(&body.bytes, &self.limits).map(Arc::new)))
            }
            (Need::Projects { .. }, Fact::Body(body)) => {
                Ok(Parsed::Projects(Projects::parse(&body.bytes, self.yaml)))
            }
            (need, Fact::Body(body)) if need.is_json_answer() => {
                answer(need, catena_json::parse(&body.bytes, &self.limits))
            }
            (Need::Definition { .. }, Fact::Absent { message, .. }) => {
                Ok(Parsed::Definition(Err(NoDefinition::Absent(message.clone()))))
            }
            (Need::Definition { .. }, _) => Ok(Parsed::Definition(Err(NoDefinition::Unknown))),
            _ => Ok(Parsed::Bytes),
        };
        match read {
            Ok(reading) => ParsedFact { need, fact, reading },
            // It says nothing about the chain: a service that sends this is broken, and its real answer
            // is unknown.
            Err(error) => {
                let reason = format!("the answer is beyond the limits: {error}");
                self.read(need, Fact::Unreachable { reason, attempts: 1 })
            }
        }
    }
}

/// JSON that a service computed, unless it exceeds the limits.
fn answer(need: &Need, json: Result<catena_json::Value, ParseError>) -> Result<Parsed, ParseError> {
    if let Err(error) = &json
        && error.kind.is_beyond_limits()
    {
        return Err(error.clone());
    }
    Ok(match need {
        Need::Definition { .. } => {
            let parsed = json
                .map_err(NoDefinition::Json)
                .and_then(|json| Definition::parse(json).map_err(NoDefinition::Malformed));
            Parsed::Definition(parsed.map(Arc::new))
        }
        Need::Status { .. } => {
            let json = json.map_err(|error| StatusError(error.to_string()));
            Parsed::Status(json.and_then(|json| Status::parse(&json)))
        }
        // Only the names are kept of a page that may have thousands of entries.
        Need::Listing { .. } => {
            let json = json.map_err(|error| ListingError::Json(error.to_string()));
            Parsed::Listing(json.and_then(|json| ListingPage::parse(&json)))
        }
        _ => Parsed::Json(json.map(Arc::new)),
    })
}

impl ParsedFact {
    /// The need.
    #[must_use]
    pub fn need(&self) -> &Need {
        &self.need
    }

    /// The fact as it was given to the parser, except that an answer beyond the limits is unreachable.
    #[must_use]
    pub fn fact(&self) -> &Fact {
        &self.fact
    }

    /// Whether it arrived, and is not of the form that every answer to its need has.
    pub(super) fn is_malformed(&self) -> bool {
        let is_bytes = self.fact.measurement().is_some();
        is_bytes
            && match &self.reading {
                Parsed::Definition(definition) => definition.is_err(),
                Parsed::Status(status) => status.is_err(),
                Parsed::Document(document) => document.is_err(),
                Parsed::Listing(page) => page.is_err(),
                Parsed::Json(json) => json.is_err(),
                Parsed::Projects(projects) => projects.is_err(),
                Parsed::Bytes => matches!(self.fact.observed(), Fact::Graph(scan) if scan.entries.is_err()),
            }
    }

    pub(super) fn into_parts(self) -> (Need, Fact, Parsed) {
        (self.need, self.fact, self.reading)
    }
}
