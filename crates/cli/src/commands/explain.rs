//! `catena explain`: the meaning of a code.

use crate::commands::fetch::{CODES, FetchCode};
use crate::failure::Failure;
use crate::output::show;
use catena_report::code_advice;
use catena_verify::checks::{self, Check};
use catena_verify::verdict::Code;
use clap::Args;

pub(crate) const EXAMPLES: &str = "\
Examples:
  catena explain
      List every check and its codes.
  catena explain signature-unknown-key
      The page of the check that reports it.
  catena explain signature
      The page of a check.";

/// Prints the page of the check that finds CODE, or of a code of `catena fetch`; or a list of all codes.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A code as verdicts and `catena fetch` show it, or the name of a check
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

pub(crate) fn run(args: &ExplainArgs) -> Result<u8, Failure> {
    let Some(asked) = args.code.as_deref().map(str::trim) else { return show(&list()) };
    if let Some((check, code)) = checks::find_code(asked) {
        return show(&explain(check, code));
    }
    if let Some(code) = FetchCode::find(asked) {
        return show(&explain_fetch(code));
    }
    if let Some(check) = checks::ALL.iter().find(|check| check.name == asked) {
        return show(check.page);
    }
    Err(unknown(asked))
}

/// Every check with its codes.
fn list() -> String {
    let mut text = String::new();
    for check in checks::ALL {
        text.push_str(&format!("{}\n", check.name));
        for code in check.codes {
            text.push_str(&format!("  {:7} {:36} {}\n", code.meaning(), code.name, code.summary));
        }
    }
    text.push_str("fetch\n");
    for code in CODES {
        text.push_str(&format!("  {:7} {:36} {}\n", code.class.as_str(), code.name, code.summary));
    }
    text
}

fn explain_fetch(code: &FetchCode) -> String {
    let FetchCode { name, class, summary } = code;
    format!("{name} ({})\n  {summary}\n\n# {name}\n\n{}\n", class.as_str(), code.page())
}

fn explain(check: &Check, code: &Code) -> String {
    let mut text = format!("{} ({})\n  {}\n", code.name, code.meaning(), code.summary);
    if !code.passes {
        text.push_str(&format!("  what to do: {}\n", code_advice(code)));
    }
    if let Some(rule) = code.rule {
        text.push_str(&format!(
            "  a product can relax it in its policy with the rule {rule} (docs/policy.md)\n"
        ));
    }
    text.push_str(&format!("\n{}", check.page));
    text
}

fn unknown(asked: &str) -> Failure {
    let names =
        checks::ALL.iter().flat_map(|check| check.codes.iter().map(|code| code.name).chain([check.name]));
    let names = names.chain(CODES.iter().map(|code| code.name));
    let near = nearest(asked, names);
    let next = if near.is_empty() {
        "`catena explain` lists every code".to_owned()
    } else {
        format!("did you mean {}? `catena explain` lists every code", near.join(" or "))
    };
    let asked: String = asked.chars().take(80).collect();
    Failure::usage(format!("{asked:?} is not a code or a check")).next(next)
}

/// At most three similar names, the most similar first.
fn nearest<'a>(asked: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    if asked.len() > 80 || asked.is_empty() {
        return Vec::new();
    }
    let mut near: Vec<(usize, &str)> = names
        .map(|name| if name.contains(asked) { (1, name) } else { (distance(asked, name), name) })
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3))
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// The number of letters to add, drop or change between two words (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = above;
        let mut left = above.saturating_add(1);
        let mut next = vec![left];
        for (position, wanted) in other.iter().enumerate() {
            let up = row.get(position.saturating_add(1)).copied().unwrap_or(usize::MAX);
            let changed = diagonal.saturating_add(usize::from(letter != *wanted));
            left = changed.min(left.saturating_add(1)).min(up.saturating_add(1));
            diagonal = up;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser as _;

    #[test]
    fn the_commands_of_hints_can_be_run() {
        const PARTS: [(&str, &str); 6] = [
            ("POLICY", "--policy ours.yml"),
            ("CHECKS", "--no-check-task"),
            ("TARGET", "fN1SbArXTPSVFNUvaOlinQ"),
            ("KIND", "signing"),
            ("PRODUCT", "firefox"),
            ("TASK", "B1Y7D4twTB620sjIgyd3lg"),
        ];
        let causes = catena_report::hints().flat_map(|hint| hint.causes);
        let commands =
            causes.filter_map(|cause| cause.command).filter(|command| command.starts_with("catena "));
        let mut count = 0;
        for command in commands {
            let command =
                PARTS.iter().fold(command.to_owned(), |text, (name, part)| text.replace(name, part));
            // What follows a pipe is another program.
            let ours = command.split(" | ").next().unwrap_or_default();
            // `--version` and `--help` are told as errors.
            let parsed = Cli::try_parse_from(ours.split(' ')).map(drop);
            let is_fine = parsed.as_ref().map_or_else(|error| !error.use_stderr(), |()| true);
            assert!(is_fine, "{command}: {parsed:?}");
            count += 1;
        }
        assert!(count > 20, "{count}");
    }

    #[test]
    fn slips_of_the_pen_are_near() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        let names = ["signature-unknown-key", "signature-empty", "definition-differs"];
        assert_eq!(nearest("signature-unkown-key", names.into_iter()), ["signature-unknown-key"]);
        assert_eq!(nearest("differs", names.into_iter()), ["definition-differs"]);
        assert!(nearest("elephant", names.into_iter()).is_empty());
    }
}
