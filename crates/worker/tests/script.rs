//! Scripts: started, limited, ended, and nothing left of them. The program of these tests is also the launcher.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_http::Secret;
use catena_taskcluster::TaskclusterCredentials;
use catena_worker::descriptor::Descriptor;
use catena_worker::script::{Ended, Launcher, Script, StartError, Stop};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::sync::watch;

fn main() -> ExitCode {
    support::run(&[
        ("b038_stdin_is_empty_and_the_directory_is_the_workers", stdin_is_empty),
        ("b039_a_session_of_its_own", session),
        ("b040_only_the_first_descriptors_and_the_credentials", descriptors),
        ("b041_the_descriptor_can_be_read_by_the_script", credentials),
        ("b043_the_environment", environment),
        ("b044_exit_codes_come_back", exit_codes),
        ("b046_a_signal_is_told", signals),
        ("b047_time_limits_are_kept", time_limit),
        ("b034_a_script_that_ignores_term_is_killed", ignores_term),
        ("b027_a_stopped_script_gets_term_first", stopped),
        ("b050_long_lines_are_whole", long_lines),
        ("b051_bytes_that_are_no_text", no_text),
        ("b052_a_daemon_that_keeps_the_pipe_ends_with_the_script", daemon_with_pipe),
        ("b052_a_daemon_in_its_own_session_ends_too", daemon_with_session),
        ("processes_that_fork_away_from_their_end_end_too", forks_away),
        ("b053_closed_pipes_do_not_lift_the_limit", closed_pipes),
        ("a_flood_of_output_is_read_to_its_end", flood),
        ("a_script_that_cannot_start_says_why", not_there),
        ("a_script_cannot_read_the_key", hidden_key),
        ("a_script_cannot_write_over_the_key", written_over),
        ("a_second_name_of_the_key_beside_it_opens_nothing", second_name),
        ("a_hidden_key_leaves_all_else_readable", hidden_beside),
        ("what_belongs_to_another_slot_cannot_be_read_or_changed", kept_apart),
        ("a_script_cannot_signal_its_worker", signals_worker),
        ("no_new_privileges", privileges),
    ])
}

struct Case {
    launcher: Launcher,
    limit: Duration,
    stop: watch::Sender<Option<Stop>>,
}

struct Answer {
    ended: Result<Ended, StartError>,
    is_swept: bool,
    lines: Vec<String>,
    took: Duration,
}

impl Answer {
    fn text(&self) -> String {
        self.lines.join("\n")
    }
}

impl Case {
    fn new() -> Self {
        let program = std::env::current_exe().unwrap();
        let grace = Duration::from_millis(300);
        let sweep_limit = Duration::from_secs(10);
        let launcher =
            Launcher { program, hide: None, apart: Vec::new(), grace, sweep_limit, inherit_stdin: false };
        Self { launcher, limit: Duration::from_secs(20), stop: watch::Sender::new(None) }
    }

    fn run(&self, text: &str) -> Answer {
        self.run_with(text, &[], None)
    }

    fn run_with(
        &self,
        text: &str,
        variables: &[(&'static str, String)],
        descriptor: Option<&Descriptor>,
    ) -> Answer {
        let words = ["/bin/bash", "-c", text].map(str::to_owned);
        self.run_words(&words, variables, descriptor)
    }

    fn run_words(
        &self,
        words: &[String],
        variables: &[(&'static str, String)],
        descriptor: Option<&Descriptor>,
    ) -> Answer {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let script = Script { words, variables, descriptor, limit: self.limit };
        let mut lines = Vec::new();
        let begun = Instant::now();
        let mut write = |line: &str| lines.push(line.to_owned());
        let ended = runtime.block_on(self.launcher.run(&script, &mut self.stop.subscribe(), &mut write));
        let took = begun.elapsed();
        let is_swept = ended.as_ref().is_ok_and(|ran| ran.is_swept);
        if self.launcher.sweep_limit > Duration::ZERO {
            assert_eq!(children(), 0, "a process is left");
        }
        Answer { ended: ended.map(|ran| ran.ended), is_swept, lines, took }
    }
}

/// Children of this process.
fn children() -> usize {
    let own = std::process::id().to_string();
    let stats = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("stat")).ok());
    stats
        .filter(|stat| {
            stat.rsplit_once(')').is_some_and(|(_, rest)| rest.split_whitespace().nth(1) == Some(&own))
        })
        .count()
}

fn exited(answer: &Answer) -> i32 {
    match &answer.ended {
        Ok(Ended::Exited(code)) => *code,
        other => panic!("{other:?} {}", answer.text()),
    }
}

fn stdin_is_empty() {
    let answer = Case::new().run("cat; pwd");
    assert_eq!(exited(&answer), 0);
    assert_eq!(answer.lines, [std::env::current_dir().unwrap().to_str().unwrap()]);
}

fn session() {
    let answer = Case::new().run("echo $$; ps -o pid=,pgid=,sid= -p $$");
    assert_eq!(exited(&answer), 0);
    let numbers: Vec<&str> = answer.lines.iter().flat_map(|line| line.split_whitespace()).collect();
    assert!(numbers.len() == 4 && numbers.iter().all(|number| *number == numbers[0]), "{numbers:?}");
}

fn credential(client: &str) -> TaskclusterCredentials {
    TaskclusterCredentials::new(client.to_owned(), Secret::new("token".to_owned()), None).unwrap()
}

fn descriptors() {
    let folder = tempfile::tempdir().unwrap();
    let descriptor = Descriptor::new(folder.path(), &credential("me")).unwrap();
    // A descriptor that this process was started with, as it were.
    let leaked = std::fs::File::open("/dev/null").unwrap();
    rustix::io::fcntl_setfd(&leaked, rustix::io::FdFlags::empty()).unwrap();
    let answer = Case::new().run_with("ls -1 /proc/$$/fd; true", &[], Some(&descriptor));
    assert_eq!(exited(&answer), 0);
    let mut numbers: Vec<i32> = answer.lines.iter().map(|line| line.parse().unwrap()).collect();
    // Bash keeps its own copy of the script's standard error, or none.
    numbers.retain(|number| *number != 255);
    assert_eq!(numbers, [0, 1, 2, descriptor.number()]);
}

fn credentials() {
    let folder = tempfile::tempdir().unwrap();
    let descriptor = Descriptor::new(folder.path(), &credential("task-client/x")).unwrap();
    let number = descriptor.number().to_string();
    let variables = [("TASKCLUSTER_CREDENTIALS_FD", number)];
    let python = "import os,json\nfd=int(os.environ['TASKCLUSTER_CREDENTIALS_FD'])\nfor _ in range(2): print(json.loads(os.pread(fd,65536,0))['clientId'])";
    let words = ["python3", "-c", python].map(str::to_owned);
    let answer = Case::new().run_words(&words, &variables, Some(&descriptor));
    assert_eq!(exited(&answer), 0, "{}", answer.text());
    assert_eq!(answer.lines, ["task-client/x", "task-client/x"]);
}

fn environment() {
    // This process has PATH; a script has what it has, and what is added.
    let variables = [("TASK_ID", "x".to_owned()), ("RUN_ID", "10".to_owned())];
    let answer = Case::new().run_with("echo $TASK_ID $RUN_ID ${PATH:+path}", &variables, None);
    assert_eq!((exited(&answer), answer.text().as_str()), (0, "x 10 path"));
}

fn exit_codes() {
    for code in [0, 1, 2, 7, 245] {
        assert_eq!(exited(&Case::new().run(&format!("exit {code}"))), code);
    }
}

fn signals() {
    assert_eq!(Case::new().run("kill -SEGV $$").ended.unwrap(), Ended::Signaled(11));
}

fn time_limit() {
    let answer = Case { limit: Duration::from_millis(300), ..Case::new() }.run("echo begun; sleep 60");
    assert_eq!((answer.ended.unwrap(), answer.lines), (Ended::TimedOut, vec!["begun".to_owned()]));
    assert!(answer.took < Duration::from_secs(30), "{:?}", answer.took);
    // No time at all is over at once.
    let answer = Case { limit: Duration::ZERO, ..Case::new() }.run("sleep 60");
    assert_eq!(answer.ended.unwrap(), Ended::TimedOut);
}

fn ignores_term() {
    let case = Case { limit: Duration::from_millis(300), ..Case::new() };
    let answer = case.run("trap 'echo ignored' TERM; while true; do sleep 0.05; done");
    assert_eq!((answer.ended.as_ref().unwrap(), answer.text().contains("ignored")), (&Ended::TimedOut, true));
    assert!(
        answer.took > Duration::from_millis(550) && answer.took < Duration::from_secs(30),
        "{:?}",
        answer.took
    );
}

fn stopped() {
    for why in [Stop::Shutdown, Stop::ClaimLost] {
        let case = Case::new();
        let stop = case.stop.clone();
        let teller = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(400));
            stop.send_replace(Some(why));
        });
        let answer = case.run("trap 'echo told; exit 0' TERM; while true; do sleep 0.05; done");
        teller.join().unwrap();
        // Bash may say of its child that it was terminated too.
        assert!(answer.lines.iter().any(|line| line == "told"), "{:?}", answer.lines);
        assert_eq!(answer.ended.unwrap(), Ended::Stopped(why));
    }
}

fn long_lines() {
    let answer = Case::new().run("head -c 300000 /dev/zero | tr '\\0' x; echo; echo end");
    assert_eq!(exited(&answer), 0);
    assert_eq!(answer.lines.iter().map(String::len).collect::<Vec<_>>(), [300_000, 3]);
}

fn no_text() {
    let answer = Case::new().run("printf 'caf\\xe9\\n'; printf unfinished");
    assert_eq!(answer.lines, ["caf\u{fffd}", "unfinished"]);
}

fn daemon_with_pipe() {
    let answer = Case::new().run("sleep 300 & echo done");
    assert_eq!((exited(&answer), answer.text().as_str()), (0, "done"));
    assert!(answer.took < Duration::from_secs(30), "{:?}", answer.took);
}

fn daemon_with_session() {
    let text = "(setsid bash -c 'setsid sleep 300 & sleep 300' </dev/null &>/dev/null &) ; echo done";
    let answer = Case::new().run(text);
    assert_eq!((exited(&answer), answer.text().as_str()), (0, "done"));
    let left = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    assert_eq!(left.filter(|line| line.as_slice() == b"sleep\x00300\x00").count(), 0);
}

/// Processes that are always new ones, in sessions of their own: whoever kills them by their numbers may be too late.
fn forks_away() {
    let folder = tempfile::tempdir().unwrap();
    let alive = folder.path().join("alive");
    let text = "import os, sys, time\nend = time.monotonic() + 60\n\
        if all(os.fork() for _ in range(4)): sys.exit(0)\n\
        while time.monotonic() < end:\n    if os.fork(): os._exit(0)\n    os.setsid()\n\
        \x20   open(sys.argv[1], 'w').write(str(os.getpid()))\n";
    let words = ["python3", "-c", text, alive.to_str().unwrap()].map(str::to_owned);
    let answer = Case::new().run_words(&words, &[], None);
    assert_eq!((exited(&answer), answer.is_swept), (0, true), "{}", answer.text());
    assert!(alive.exists(), "it did not fork");
    let pid = std::fs::read_to_string(&alive).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(std::fs::read_to_string(&alive).unwrap(), pid, "it still forks");
}

fn closed_pipes() {
    let case = Case { limit: Duration::from_millis(500), ..Case::new() };
    let answer = case.run("exec >&- 2>&-; sleep 60");
    assert_eq!(answer.ended.unwrap(), Ended::TimedOut);
    assert!(answer.took < Duration::from_secs(30), "{:?}", answer.took);
}

fn flood() {
    let answer = Case::new().run("seq 1 200000; seq 1 50000 >&2");
    assert_eq!((exited(&answer), answer.lines.len()), (0, 250_000));
}

fn not_there() {
    let answer = Case::new().run_words(&["/nowhere/script".to_owned()], &[], None);
    let told = answer.ended.unwrap_err().to_string();
    assert!(told.contains("/nowhere/script") && told.contains("No such file"), "{told}");
}

fn key(folder: &Path) -> PathBuf {
    let file = folder.join("etc/catena/key");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "secret").unwrap();
    file
}

fn hiding(file: &Path) -> Case {
    let case = Case::new();
    Case { launcher: Launcher { hide: Some(file.to_owned()), ..case.launcher.clone() }, ..case }
}

fn hidden_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = key(folder.path());
    let case = hiding(&file);
    let path = file.display();
    let folder = folder.path().display();
    // Under its name, another name, a moved one, and what the worker's process has of it.
    let text = format!(
        "cat {path}; ln {path} {path}2; cat {path}2; mv {path} {folder}/moved; cat {folder}/moved; \
         mkdir -p {folder}/etc/other; ln {path} {folder}/etc/other/key; cat {folder}/etc/other/key; \
         cat /proc/$PPID/root{path}; dd if={path} 2>/dev/null; true"
    );
    let answer = case.run(&text);
    assert_eq!(exited(&answer), 0);
    assert!(!answer.text().contains("secret"), "{}", answer.text());
    assert!(answer.text().contains("ermission denied"), "{}", answer.text());
}

fn written_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = key(folder.path());
    let path = file.display();
    let text = format!("echo forged > {path}; echo forged >> {path}; truncate -s 0 {path}; echo ran");
    let answer = hiding(&file).run(&text);
    assert!(exited(&answer) == 0 && answer.lines.contains(&"ran".to_owned()), "{}", answer.text());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "secret", "{}", answer.text());
}

fn second_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = key(folder.path());
    let path = file.display();
    let linked = hiding(&file).run(&format!("ln {path} {path}2"));
    assert_ne!(exited(&linked), 0, "{}", linked.text());
    // A name that stands beside the key when the script starts.
    std::fs::hard_link(&file, format!("{path}2")).unwrap();
    let answer = hiding(&file).run(&format!("cat {path} {path}2; echo ran"));
    assert!(exited(&answer) == 0 && answer.lines.contains(&"ran".to_owned()), "{}", answer.text());
    assert!(!answer.text().contains("secret"), "{}", answer.text());
}

fn hidden_beside() {
    let folder = tempfile::tempdir().unwrap();
    let file = key(folder.path());
    let (work, beside) = (folder.path().join("work"), file.with_file_name("config"));
    std::fs::create_dir(&work).unwrap();
    std::fs::write(&beside, "configuration\n").unwrap();
    let (work, beside) = (work.display(), beside.display());
    let text = format!(
        "set -e; cat {beside}; mkdir -p {work}/a/b {work}/c; echo made > {work}/a/b/x; mv {work}/a/b/x {work}/c/y; cat {work}/c/y; ls /etc > /dev/null; \
         t=$(mktemp -d -p {work}); echo temporary > $t/x; cat $t/x; rm -r $t"
    );
    let answer = hiding(&file).run(&text);
    assert_eq!(
        (exited(&answer), answer.lines.join(" ").as_str()),
        (0, "configuration made temporary"),
        "{}",
        answer.text()
    );
}

fn kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["1/work", "2/work"] {
        std::fs::create_dir_all(path(name)).unwrap();
        std::fs::write(path(name).join("file"), "content\n").unwrap();
    }
    // The second is not there yet.
    let apart = vec![path("2/work"), path("2/artifacts"), path("3/work")];
    let case = Case::new();
    let case = Case { launcher: Launcher { apart, ..case.launcher.clone() }, ..case };
    let attempts = [
        "cat 2/work/file",
        "echo forged > 2/work/file",
        "echo forged > 2/work/other",
        "mkdir 2/work/directory",
        "ln -s /etc/passwd 2/work/link",
        "ln 1/work/file 2/work/hard",
        "mv 1/work/file 2/work/moved",
        "rm 2/work/file",
        "mv 2/work 1/work/theirs",
        "mv 2 4",
        "mkdir 2/artifacts",
        "mkdir 3",
    ];
    let attempts: String =
        attempts.iter().map(|attempt| format!("{attempt} && echo \"done: {attempt}\"; ")).collect();
    let text = format!("cd {}; {attempts} echo own > 1/work/own; cat 1/work/own", folder.path().display());
    let answer = case.run(&text);
    assert_eq!(exited(&answer), 0);
    assert!(
        !answer.text().contains("done: ") && answer.lines.contains(&"own".to_owned()),
        "{}",
        answer.text()
    );
    assert_eq!(std::fs::read_dir(path("2/work")).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(path("2/work/file")).unwrap(), "content\n");
}

fn signals_worker() {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(['.', '-']).map(|number| number.trim().parse::<u32>().unwrap_or(0));
    if (numbers.next(), numbers.next()) < (Some(6), Some(12)) {
        return eprintln!("skipped: Linux {release} does not keep signals from a worker");
    }
    let folder = tempfile::tempdir().unwrap();
    let answer =
        hiding(&key(folder.path())).run("kill -0 $PPID && echo reached; sleep 60 & kill $! && echo own");
    assert!(answer.lines.contains(&"own".to_owned()), "{}", answer.text());
    assert!(!answer.text().contains("reached"), "{}", answer.text());
}

fn privileges() {
    let answer = Case::new().run("grep NoNewPrivs /proc/self/status");
    assert_eq!(answer.text().split_whitespace().last(), Some("1"));
}
