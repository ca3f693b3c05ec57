//! `catena explain`: the meaning of a code, or of a stored verdict.

use crate::cli::OutputOptions;
use crate::commands::fetch::{CODES, FetchCode};
use crate::commands::verify::text_options;
use crate::failure::Failure;
use crate::output::{Output, show};
use catena_json::Limits;
use catena_report::{ReadVerdict, code_causes, escape};
use catena_verify::checks::{self, Check};
use catena_verify::verdict::Code;
use clap::Args;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

pub(crate) const EXAMPLES: &str = "\
Examples:
  catena explain
      List every check and its codes.
  catena explain signature-unknown-key
      The page of the check that reports it.
  catena explain signature
      The page of a check.
  catena explain verdict.json
      What a stored verdict says: its failed findings, its chain, and the pages of the checks.

The exit status is 0 if the code or the file was explained. It says nothing about the task of a
stored verdict: only `catena verify` does.";

/// Between the pages of several checks.
const RULE: &str = "----------------------------------------";

/// Prints the page of the check that finds a code, or of a code of `catena fetch`; what a stored verdict says;
/// or a list of all codes.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A code as verdicts and `catena fetch` show it, the name of a check, or a file that
    /// `catena verify --format json` wrote (`-` is standard input)
    #[arg(value_name = "CODE|FILE")]
    asked: Option<String>,
}

pub(crate) fn run(args: &ExplainArgs, output_options: &OutputOptions) -> Result<u8, Failure> {
    let Some(asked) = args.asked.as_deref().map(str::trim) else { return show(&list()) };
    if let Some((check, code)) = checks::find_code(asked) {
        return show(&explain(check, code));
    }
    if let Some(code) = FetchCode::find(asked) {
        return show(&explain_fetch(code));
    }
    if let Some(check) = checks::ALL.iter().find(|check| check.name == asked) {
        return show(check.page);
    }
    if is_file(asked) {
        return show(&stored(asked, output_options)?);
    }
    Err(unknown(asked))
}

/// Whether a file is meant: no code has a dot or a slash.
fn is_file(asked: &str) -> bool {
    asked == "-" || asked.contains(['.', '/']) || Path::new(asked).is_file()
}

/// What a verdict in a file says, and the pages of the checks that failed. The file is not evidence.
fn stored(name: &str, output_options: &OutputOptions) -> Result<String, Failure> {
    let next = "name a file that `catena verify --format json` wrote, or a code";
    let bytes = read(name).map_err(|cause| Failure::usage(format!("{name}: {cause}")).next(next))?;
    let verdict = ReadVerdict::parse(&bytes, &Limits::default())
        .map_err(|error| Failure::usage(format!("{name}: {error}")).next(next))?;
    let options = text_options(output_options.color.on_stdout(), &Output::Stdout, output_options);
    let (text, tree, pages) =
        (verdict.text(&options), verdict.tree(&options), pages(&verdict.failed_codes()));
    Ok(format!("{text}\n{tree}{pages}"))
}

/// All of a file or of standard input. One byte more than the limit is read, so that the parser rejects it.
fn read(name: &str) -> io::Result<Vec<u8>> {
    let most = u64::try_from(Limits::default().bytes).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    if name == "-" {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(name)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The meaning of each code, and the page of its check once.
pub(crate) fn pages(codes: &[&str]) -> String {
    let mut text = String::new();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for code in codes {
        let Some((check, _)) = checks::find_code(code) else {
            let code = escape::line(code);
            text.push_str(&format!("\n{RULE}\n{code}\n  This version of catena does not know the code.\n"));
            continue;
        };
        if done.insert(check.name) {
            let known = codes.iter().filter_map(|code| checks::find_code(code));
            let heads = known.filter(|(other, _)| other.name == check.name).map(|(_, code)| head(code));
            text.push_str(&format!("\n{RULE}\n{}\n{}", heads.collect::<String>(), check.page));
        }
    }
    text
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
    format!("{}\n{}", head(code), check.page)
}

/// What a code means and what to do, before the page.
fn head(code: &Code) -> String {
    let mut text = format!("{} ({})\n  {}\n", code.name, code.meaning(), code.summary);
    if !code.passes {
        text.push_str("  what to do:\n");
        for (cause, command) in code_causes(code) {
            text.push_str(&wrapped(cause));
            if let Some(command) = command {
                text.push_str(&format!("      $ {command}\n"));
            }
        }
    }
    if let Some(rule) = code.rule {
        text.push_str(&format!(
            "  a product can relax it in its policy with the rule {rule} (docs/policy.md)\n"
        ));
    }
    text
}

/// An item of a list, in lines as long as those of the pages.
fn wrapped(text: &str) -> String {
    let mut lines = String::from("  -");
    let mut length = lines.len();
    for word in text.split(' ') {
        let after = length.saturating_add(1).saturating_add(word.chars().count());
        if after > 88 {
            lines.push_str("\n   ");
            length = 4;
        }
        length = length.saturating_add(1).saturating_add(word.chars().count());
        lines.push(' ');
        lines.push_str(word);
    }
    lines.push('\n');
    lines
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
    Failure::usage(format!("{asked:?} is not a code, a check or a file")).next(next)
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
    fn the_page_of_a_check_is_printed_once() {
        let text = pages(&["signature-unknown-key", "a-\u{1b}code", "artifact-altered", "signature-empty"]);
        assert_eq!((text.matches("\n# signature").count(), text.matches("\n# artifacts").count()), (1, 1));
        let place = |word: &str| text.find(word).unwrap();
        assert!(place("\nsignature-unknown-key (") < place("\nsignature-empty ("));
        assert!(place("\nsignature-empty (") < place("\n# signature"));
        assert!(place("\n# signature") < place("a-\\u{1b}code"));
        assert!(place("a-\\u{1b}code") < place("\n# artifacts"));
        assert_eq!(pages(&[]), "");
    }

    #[test]
    fn each_cause_and_command_has_its_own_lines() {
        let (_, code) = checks::find_code("artifact-altered").unwrap();
        let text = head(code);
        let (_, advice) = text.split_once("  what to do:\n").unwrap();
        let causes = code_causes(code);
        assert_eq!(advice.lines().filter(|line| line.starts_with("  - ")).count(), causes.len());
        for command in causes.into_iter().filter_map(|(_, command)| command) {
            assert!(advice.lines().any(|line| line == format!("      $ {command}")), "{advice}");
        }
        assert!(advice.lines().filter(|line| !line.contains(" $ ")).all(|line| line.len() <= 88), "{advice}");
        assert_eq!(wrapped("one two"), "  - one two\n");
        assert_eq!(wrapped(&format!("{} b", "a".repeat(84))), format!("  - {}\n    b\n", "a".repeat(84)));
    }

    #[test]
    fn names_of_files_are_not_names_of_codes() {
        assert!(["-", "verdict.json", "./verdict", "/nowhere"].into_iter().all(is_file));
        assert!(!is_file("signature-unkown-key"));
        let codes = checks::ALL.iter().flat_map(|check| check.codes.iter().map(|code| code.name));
        assert!(codes.chain(CODES.iter().map(|code| code.name)).all(|code| !code.contains(['.', '/'])));
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
