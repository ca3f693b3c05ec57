//! A list of tasks, one per line.

use super::ChainArgs;
use crate::failure::Failure;
use catena::{Kind, Target, TargetSpec, TaskId, TextFile};
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::Path;

/// The maximum size; a larger file was probably named by mistake.
const LARGEST: u64 = 16 << 20;
/// The maximum number of errors that are reported.
const MISTAKES: usize = 10;

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    /// The task.
    task_id: TaskId,
    /// The kind that it is verified as.
    kind: Kind,
    /// The product whose policy is applied.
    product: String,
}

/// Reads a list from a file, or from standard input if the name is `-`.
pub(super) fn read(file: &Path, args: &ChainArgs) -> Result<Vec<TargetSpec>, Failure> {
    let text = if file.as_os_str() == OsStr::new("-") {
        text_of(std::io::stdin().lock())
            .map_err(|cause| Failure::usage(format!("standard input: {cause}")))?
    } else {
        TextFile::read(file)?.text
    };
    let lines = parse(&text, args.task_type.as_ref(), args.product.as_deref()).map_err(|mistakes| {
        Failure::usage(format!("{} cannot be used:\n{}", file.display(), mistakes.join("\n")))
            .next("a line is TASK_ID [KIND [PRODUCT]]; --task-type and --product are the defaults")
    })?;
    let (check_task, extent) = (args.checks_task(), args.artifacts.into());
    let target_spec = |Line { task_id, kind, product }| TargetSpec {
        target: Target { task_id, kind, check_task, extent },
        product,
    };
    Ok(lines.into_iter().map(target_spec).collect())
}

/// All of it or nothing: a truncated list would leave tasks unverified without any notice.
fn text_of(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    let read = from.take(LARGEST.saturating_add(1)).read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read <= LARGEST) {
        Ok(text)
    } else {
        Err(io::Error::other(format!("longer than {LARGEST} bytes")))
    }
}

/// Empty lines and comments (`#`) are ignored.
fn parse(text: &str, kind: Option<&Kind>, product: Option<&str>) -> Result<Vec<Line>, Vec<String>> {
    let (mut lines, mut mistakes) = (Vec::new(), Vec::new());
    for (position, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        match task(&words, kind, product) {
            Ok(task) => lines.extend(task),
            Err(mistake) => mistakes.push(format!("  line {}: {mistake}", position.saturating_add(1))),
        }
    }
    if mistakes.is_empty() && lines.is_empty() {
        mistakes.push("  it names no task".to_owned());
    }
    let more = mistakes.len().saturating_sub(MISTAKES);
    if more > 0 {
        mistakes.truncate(MISTAKES);
        mistakes.push(format!("  and {more} more"));
    }
    if mistakes.is_empty() { Ok(lines) } else { Err(mistakes) }
}

fn task(words: &[&str], kind: Option<&Kind>, product: Option<&str>) -> Result<Option<Line>, String> {
    let (task_id, own_kind, own_product) = match words {
        [] => return Ok(None),
        [task_id] => (*task_id, None, None),
        [task_id, kind] => (*task_id, Some(*kind), None),
        [task_id, kind, product] => (*task_id, Some(*kind), Some(*product)),
        [_, _, _, more, ..] => return Err(format!("{more:?} is one word too many")),
    };
    let own_kind = own_kind.map(Kind::parse).transpose().map_err(|error| error.to_string())?;
    let kind = own_kind.or_else(|| kind.cloned()).ok_or("its kind is missing, and so is --task-type")?;
    let product = own_product.or(product).ok_or("its product is missing, and so is --product")?;
    let task_id = TaskId::parse(task_id).map_err(|error| error.to_string())?;
    Ok(Some(Line { task_id, kind, product: product.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "IFn9x5gaQz-HXl2pa7Ny_w";

    fn told(text: &str, kind: Option<&str>, product: Option<&str>) -> Result<Vec<String>, Vec<String>> {
        let kind = kind.map(|kind| Kind::parse(kind).unwrap());
        let lines = parse(text, kind.as_ref(), product)?;
        Ok(lines.iter().map(|q| format!("{} {} {}", q.task_id, q.kind, q.product)).collect())
    }

    #[test]
    fn a_line_overrides_the_defaults() {
        let text = format!("# a push\n\n{A}\n  {A} balrog # nightly\n{A}\tbeetmover  thunderbird\r\n");
        let expected = ["signing firefox", "balrog firefox", "beetmover thunderbird"];
        let expected = expected.map(|rest| format!("{A} {rest}")).to_vec();
        assert_eq!(told(&text, Some("signing"), Some("firefox")), Ok(expected));
    }

    #[test]
    fn a_list_is_read_whole_or_not_at_all() {
        let longest = usize::try_from(LARGEST).unwrap();
        let read = |length: usize| text_of(io::repeat(b' ').take(length as u64)).map(|text| text.len());
        assert_eq!(read(longest).unwrap(), longest);
        assert!(read(longest + 1).is_err());
        assert!(text_of(b"\xff".as_slice()).is_err(), "not UTF-8");
    }

    #[test]
    fn every_error_is_reported_with_its_line() {
        let text = format!("{A}\n{A} signing\nnonsense signing firefox\n{A} signing firefox more\n");
        let mistakes = told(&text, None, None).unwrap_err();
        assert_eq!(mistakes.len(), 4);
        for (mistake, words) in mistakes.iter().zip(["--task-type", "--product", "nonsense", "\"more\""]) {
            assert!(mistake.contains(words), "{mistake}");
        }
        assert!(mistakes[2].starts_with("  line 3: "), "{}", mistakes[2]);
        assert_eq!(told("# nothing\n", None, None), Err(vec!["  it names no task".to_owned()]));
        let many = "x\n".repeat(25);
        let mistakes = told(&many, None, None).unwrap_err();
        assert_eq!((mistakes.len(), mistakes[10].as_str()), (11, "  and 15 more"));
    }
}
