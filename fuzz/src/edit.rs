//! What may happen to one answer.

use catena_json::{Limits, Value, parse};
use catena_verify::verification::{Fact, Need};

/// One answer, bent.
///
/// As bytes: the number of the question, the kind of edit, a place in the answer (two bytes, little
/// end first), the length of what is put there (two bytes), and that; the last may be cut short.
pub struct Edit<'a> {
    question: usize,
    kind: u8,
    at: usize,
    put: &'a [u8],
}

/// The replacement of a valid answer.
pub enum Told {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing.
    Fault(Fault),
}

/// Ways to tell nothing.
#[derive(Clone, Copy, PartialEq)]
pub enum Fault {
    /// It is said not to be there.
    Absent,
    /// It is refused.
    Refused,
    /// It cannot be reached.
    Unreachable,
}

impl Fault {
    /// As a driver tells it.
    pub fn fact(self) -> Fact {
        let message = String::new();
        match self {
            Self::Absent => Fact::Absent { status: 404, message },
            Self::Refused => Fact::Refused { status: 403, message },
            Self::Unreachable => Fact::Unreachable { reason: message, attempts: 5 },
        }
    }
}

impl<'a> Edit<'a> {
    /// The next edit of an input, and what is left of it.
    pub fn read(input: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let ([question, kind, at, at_high, length, length_high], rest) = input.split_first_chunk()?;
        let number = |low: &u8, high: &u8| usize::from(u16::from_le_bytes([*low, *high]));
        let (put, rest) = rest.split_at(number(length, length_high).min(rest.len()));
        Some((Self { question: usize::from(*question), kind: *kind, at: number(at, at_high), put }, rest))
    }

    /// Which of so many answers it bends.
    pub fn question(&self, questions: usize) -> usize {
        self.question % questions
    }

    /// What becomes of an answer, given all of them.
    pub fn told(&self, bytes: &[u8], all: &[(Need, Vec<u8>)]) -> Told {
        let text = match self.kind % 7 {
            0 => self.put.to_vec(),
            1 => match self.put.first().map_or(0, |first| first % 3) {
                0 => return Told::Fault(Fault::Absent),
                1 => return Told::Fault(Fault::Refused),
                _ => return Told::Fault(Fault::Unreachable),
            },
            2 => all[self.at % all.len()].1.clone(),
            3 => self.spliced(bytes),
            kind => {
                let Ok(mut value) = parse(bytes, &Limits::default()) else {
                    return Told::Bytes(self.spliced(bytes));
                };
                let mut number = self.at % count(&value);
                self.bend(&mut value, &mut number, kind);
                value.to_string().into_bytes()
            }
        };
        Told::Bytes(text)
    }

    /// As many bytes taken out as the first of `put` says, and the others put there.
    fn spliced(&self, bytes: &[u8]) -> Vec<u8> {
        let start = self.at % (bytes.len() + 1);
        let (gone, new) = self.put.split_first().unwrap_or((&1, &[]));
        let end = (start + usize::from(*gone)).min(bytes.len());
        [&bytes[..start], new, &bytes[end..]].concat()
    }

    /// JSON to insert; anything else is a string.
    fn value(&self) -> Value {
        let string = || Value::from(String::from_utf8_lossy(self.put).into_owned());
        parse(self.put, &Limits::default()).unwrap_or_else(|_| string())
    }

    /// Changes one value of many, counted in the order they are written in.
    fn bend(&self, value: &mut Value, number: &mut usize, kind: u8) -> bool {
        if *number == 0 {
            match (kind, &mut *value) {
                (4, _) => *value = self.value(),
                // Without the member or item that `put` names by its place.
                (5, Value::Array(items)) if !items.is_empty() => {
                    let gone = usize::from(*self.put.first().unwrap_or(&0)) % items.len();
                    items.remove(gone);
                }
                (5, Value::Object(members)) if !members.is_empty() => {
                    let gone = usize::from(*self.put.first().unwrap_or(&0)) % members.len();
                    let key = members.iter().nth(gone).map(|(key, _)| key.clone()).unwrap_or_default();
                    members.remove(&key);
                }
                (_, Value::Array(items)) => items.push(self.value()),
                (_, Value::Object(members)) => match self.value() {
                    Value::Object(more) => more.iter().for_each(|(key, value)| {
                        members.insert(key.clone(), value.clone());
                    }),
                    other => {
                        members.insert("added", other);
                    }
                },
                _ => *value = self.value(),
            }
            return true;
        }
        *number -= 1;
        match value {
            Value::Array(items) => items.iter_mut().any(|item| self.bend(item, number, kind)),
            Value::Object(members) => members.iter_mut().any(|(_, member)| self.bend(member, number, kind)),
            _ => false,
        }
    }
}

/// How many values a value is made of, itself one of them.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(count).sum::<usize>(),
        _ => 1,
    }
}
