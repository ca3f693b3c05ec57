//! The mutants, as cargo-mutants names them.

use serde_json::Value;

/// What is changed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Genre {
    /// A function returns at once.
    Body,
    /// One operator between two operands is another.
    Operator,
    /// An operator before an operand is not there.
    Negation,
    /// The condition of an arm is always so.
    Guard,
    /// An arm of a match is not there.
    Arm,
    /// Anything else.
    #[default]
    Other,
}

/// One change of the code.
#[derive(Debug, Default, Clone)]
pub(super) struct Mutant {
    /// Its number in this run, from 1.
    pub(super) id: u32,
    /// The name, which begins with the place.
    pub(super) name: String,
    /// The file, from the repository's folder.
    pub(super) file: String,
    pub(super) genre: Genre,
    /// Where the text that is replaced begins, counted from 1.
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) replacement: String,
}

/// Reads what `cargo mutants --list --json` prints.
pub(super) fn read(list: &str) -> Result<Vec<Mutant>, serde_json::Error> {
    let list: Vec<Value> = serde_json::from_str(list)?;
    Ok((1..).zip(&list).map(|(id, value)| mutant(id, value)).collect())
}

fn mutant(id: u32, value: &Value) -> Mutant {
    let text = |name| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |path| {
        let number = value.pointer(path).and_then(Value::as_u64);
        number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
    };
    let genre = match text("genre").as_str() {
        "FnValue" => Genre::Body,
        "BinaryOperator" => Genre::Operator,
        "UnaryOperator" => Genre::Negation,
        "MatchArmGuard" => Genre::Guard,
        "MatchArm" => Genre::Arm,
        _ => Genre::Other,
    };
    Mutant {
        id,
        name: text("name"),
        file: text("file"),
        genre,
        line: number("/span/start/line"),
        column: number("/span/start/column"),
        replacement: text("replacement"),
    }
}
