//! Progress: bars on a terminal, which leave nothing behind, and plain lines elsewhere.

use crate::case::{Case, sha256};
use crate::support::Catena;
use catena_testbed::{Artifact, Fault};
use serde_json::json;
use std::process::Command;
use std::time::Duration;

const LARGE: &str = "public/large/big.bin";
const COLUMNS: usize = 400;

/// Runs a command whose standard error is a terminal, and prints what it writes there.
const PTY: &str = "
import fcntl, os, struct, subprocess, sys, termios
master, slave = os.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 400, 0, 0))
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=slave)
os.close(slave)
while True:
    try:
        read = os.read(master, 65536)
    except OSError: # the other side is closed
        break
    if not read:
        break
    sys.stdout.buffer.write(read)
sys.exit(process.wait())
";

/// A terminal as far as bars need one: lines, and a place in them.
#[derive(Default)]
struct Terminal {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
}

impl Terminal {
    /// What is shown at each control sequence, and at the end.
    fn frames(written: &str) -> Vec<String> {
        let (mut terminal, mut frames) = (Self::default(), Vec::new());
        let mut rest = written.chars();
        while let Some(character) = rest.next() {
            match character {
                '\r' => terminal.column = 0,
                '\n' => terminal.row += 1,
                '\u{1b}' => {
                    assert_eq!(rest.next(), Some('['), "an unknown sequence");
                    let mut sequence = String::new();
                    while !sequence.ends_with(|last: char| last.is_ascii_alphabetic()) {
                        sequence.push(rest.next().expect("a sequence that ends"));
                    }
                    frames.push(terminal.shown());
                    terminal.control(&sequence);
                }
                character => terminal.put(character),
            }
        }
        frames.push(terminal.shown());
        frames
    }

    fn put(&mut self, character: char) {
        // After the last column it goes on in the next line, once something more is written.
        if self.column == COLUMNS {
            (self.row, self.column) = (self.row + 1, 0);
        }
        if self.lines.len() <= self.row {
            self.lines.resize(self.row + 1, Vec::new());
        }
        let line = &mut self.lines[self.row];
        if line.len() <= self.column {
            line.resize(self.column + 1, ' ');
        }
        line[self.column] = character;
        self.column += 1;
    }

    fn control(&mut self, sequence: &str) {
        let (number, command) = sequence.split_at(sequence.len() - 1);
        let count = number.parse().unwrap_or(1);
        match command {
            "A" => self.row = self.row.checked_sub(count).expect("a row above"),
            "B" => self.row += count,
            "K" => match self.lines.get_mut(self.row) {
                Some(line) if number == "2" => line.clear(),
                Some(line) => line.truncate(self.column),
                None => {}
            },
            // The cursor is hidden and shown, colours change.
            "h" | "l" | "m" => {}
            _ => panic!("the sequence {sequence:?}"),
        }
    }

    fn shown(&self) -> String {
        let lines = self.lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned());
        lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }
}

/// A build with a file that is large enough for a bar, and arrives slowly enough for it to be drawn.
fn slow() -> (Case, String) {
    let content = vec![7; 6 << 20];
    let digest = sha256(&content);
    let case = Case::bent(|chain, build| {
        let large = Artifact::new(content, "application/octet-stream");
        chain.artifacts_mut(build).unwrap().insert(LARGE.to_owned(), large);
        chain.reseal(build).unwrap();
    });
    let slowly = Fault::Drip { bytes: 300_000, every: Duration::from_millis(40) };
    case.testbed.fault("/_store/*big.bin", .., slowly);
    (case, digest)
}

/// Runs it with a terminal as its standard error; what that shows at each moment.
fn on_terminal(case: &Case, catena: &mut Catena) -> Vec<String> {
    let command = catena.command();
    let mut python = Command::new("python3");
    python.arg("-c").arg(PTY).arg(command.get_program()).args(command.get_args());
    python.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("TERM", "xterm");
    python.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = python.current_dir(case.room.path()).output().unwrap();
    let written = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{written}{}", String::from_utf8_lossy(&output.stderr));
    Terminal::frames(&written)
}

#[test]
fn a_terminal_shows_a_bar_for_each_large_file_and_one_line_for_the_whole() {
    let (case, _) = slow();
    let mut catena = case.catena();
    catena.args([&case.task(), LARGE, &case.name, "--keys", "keys.json", "--dest"]).arg(case.dest());
    let frames = on_terminal(&case, &mut catena);
    let shown = |parts: &[&str]| frames.iter().any(|frame| parts.iter().all(|part| frame.contains(part)));
    assert!(shown(&["█", " MiB of 6.00 MiB", "big.bin", " of 2 files"]), "{frames:?}");
    assert!(shown(&["1 of 2 files, "]), "{frames:?}");
    assert!(!shown(&[" of 6.00 MiB", case.file()]), "a small file has a bar: {frames:?}");
    assert_eq!(frames.last().unwrap(), "", "something is left");
}

#[test]
fn the_lines_of_fetch_content_stand_above_the_bars_and_stay() {
    let (case, digest) = slow();
    let mut catena = case.catena();
    let fetches = json!([{"artifact": LARGE, "extract": false, "task": case.build}]);
    catena.args(["task-artifacts", "--keys", "keys.json", "--dest"]).arg(case.dest());
    catena.env("MOZ_FETCHES", fetches.to_string());
    let frames = on_terminal(&case, &mut catena);
    let beside = |frame: &&String| frame.starts_with("Downloading http") && frame.contains(" of 6.00 MiB");
    assert!(frames.iter().any(|frame| beside(&frame)), "{frames:?}");
    let last = frames.last().unwrap();
    for part in ["Downloading http", "resolved to 6291456", &digest, "Verified sha256", "PERFHERDER_DATA: {"]
    {
        assert!(last.contains(part), "{part}: {last}");
    }
    assert!(!last.contains(" MiB") && !last.contains(" files"), "something is left: {last}");
}

#[test]
fn elsewhere_there_are_plain_lines_alone() {
    let (case, _) = slow();
    let fetches = json!([{"artifact": LARGE, "extract": false, "task": case.build}]);
    let mut catena = case.catena();
    catena.args(["task-artifacts", "--keys", "keys.json", "--dest"]).arg(case.dest());
    let answer = catena.env("MOZ_FETCHES", fetches.to_string()).env("TERM", "xterm").run();
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(!answer.stderr.contains(['\u{1b}', '\r']), "{:?}", answer.stderr);
    let first: Vec<&str> = answer.stderr.lines().filter_map(|line| line.split([' ', ':']).next()).collect();
    assert_eq!(first, ["Downloading", "http", "Verified", "PERFHERDER_DATA"], "{}", answer.stderr);
}
