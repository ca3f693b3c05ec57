//! What an answer says, read where it arrives.

use super::case::{Json, NoDefinition, Parsed};
use super::{Fact, Need};
use crate::Limits;
use crate::document::Document;
use crate::projects::Projects;
use crate::task::{Definition, ListingError, ListingPage, Status, StatusError};
use catena_json::ParseError;
use std::sync::Arc;

/// Reads facts: all that can be done with an answer before it is known what it is held against. It may
/// be done anywhere, so that a driver can do it for many answers at the same time.
#[derive(Clone, Debug)]
pub struct Reader {
    limits: catena_json::Limits,
    yaml: catena_yaml::Limits,
}

/// What was seen for a need, and what it says. Only a [`Reader`] makes one, so that what was read is what
/// was seen.
#[derive(Clone, Debug)]
pub struct Seen {
    need: Need,
    fact: Fact,
    reading: Reading,
}

/// What a fact says by itself.
#[derive(Clone, Debug)]
pub(super) enum Reading {
    Definition(Result<Arc<Definition>, NoDefinition>),
    Status(Result<Status, StatusError>),
    Document(Parsed),
    Listing(Result<ListingPage, ListingError>),
    Json(Json),
    Projects(Result<Projects, String>),
    /// Its bytes are looked at as they are, if there are any.
    Bytes,
}

impl Reader {
    /// A reader within the limits of an inquiry.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { limits: limits.json(), yaml: limits.yaml }
    }

    /// Reads what was seen for a need.
    #[must_use]
    pub fn read(&self, need: Need, fact: Fact) -> Seen {
        let read = match (&need, &fact) {
            (Need::Document { .. }, Fact::Body(body)) => {
                Ok(Reading::Document(Document::parse(&body.bytes, &self.limits).map(Arc::new)))
            }
            (Need::Projects { .. }, Fact::Body(body)) => {
                Ok(Reading::Projects(Projects::parse(&body.bytes, self.yaml)))
            }
            (need, Fact::Body(body)) if need.is_json_answer() => {
                answer(need, catena_json::parse(&body.bytes, &self.limits))
            }
            (Need::Definition { .. }, Fact::Absent { message, .. }) => {
                Ok(Reading::Definition(Err(NoDefinition::Absent(message.clone()))))
            }
            (Need::Definition { .. }, _) => Ok(Reading::Definition(Err(NoDefinition::Unknown))),
            _ => Ok(Reading::Bytes),
        };
        match read {
            Ok(reading) => Seen { need, fact, reading },
            // It says nothing of the chain: a service that sends such a thing is broken, and nobody
            // knows what it would have said.
            Err(error) => {
                let reason = format!("the answer is beyond the limits: {error}");
                self.read(need, Fact::Unreachable { reason, attempts: 1 })
            }
        }
    }
}

/// What a service computed as JSON, unless it is beyond what is read.
fn answer(need: &Need, json: Result<catena_json::Value, ParseError>) -> Result<Reading, ParseError> {
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
            Reading::Definition(parsed.map(Arc::new))
        }
        Need::Status { .. } => {
            let json = json.map_err(|error| StatusError(error.to_string()));
            Reading::Status(json.and_then(|json| Status::parse(&json)))
        }
        // Of a page that may be thousands of entries nothing is kept but their names.
        Need::Listing { .. } => {
            let json = json.map_err(|error| ListingError::Json(error.to_string()));
            Reading::Listing(json.and_then(|json| ListingPage::parse(&json)))
        }
        _ => Reading::Json(json.map(Arc::new)),
    })
}

impl Seen {
    /// For which need.
    #[must_use]
    pub fn need(&self) -> &Need {
        &self.need
    }

    /// What was seen: as it was given to the reader, but that an answer beyond the limits is unreachable.
    #[must_use]
    pub fn fact(&self) -> &Fact {
        &self.fact
    }

    pub(super) fn into_parts(self) -> (Need, Fact, Reading) {
        (self.need, self.fact, self.reading)
    }
}
