//! What ends a fetch before it is done, and what is in place then.

use crate::case::Case;
use catena_testbed::{Artifact, Fault};
use rustix::process::{Pid, Signal, kill_process};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The time is that of the whole command, however many steps it has.
#[test]
fn a_deadline_is_that_of_all_steps() {
    let case = Case::new();
    case.testbed.fault("/api/queue/v1/task/*/status", .., Fault::Delay(Duration::from_millis(2500)));
    case.testbed.fault("/_store/*/public/build/*", .., Fault::Delay(Duration::from_millis(2500)));
    let answer = case.fetch(&[&case.task(), &case.name, "--keys", "keys.json", "--deadline", "4s"]);
    assert_eq!(answer.status, 3, "{}", answer.stdout);
    assert!(answer.stderr.contains("fetch-deadline"), "{}", answer.stderr);
    case.nothing_is_left();
}

/// What was verified is put in place as a whole, though a signal comes while it is.
#[test]
fn a_signal_does_not_end_the_moves() {
    const FILES: usize = 20_000;
    let case = Case::bent(|chain, build| {
        let mut tar = tar::Builder::new(Vec::new());
        for number in 0..FILES {
            let mut header = tar::Header::new_ustar();
            header.set_size(0);
            header.set_mode(0o644);
            tar.append_data(&mut header, format!("many/{number}"), &b""[..]).unwrap();
        }
        let artifact = Artifact::new(tar.into_inner().unwrap(), "application/x-tar");
        chain.artifacts_mut(build).unwrap().insert("public/many.tar".to_owned(), artifact);
        chain.reseal(build).unwrap();
    });
    let many = case.dest().join("many");
    // Where there is a directory already each file is moved by itself.
    std::fs::create_dir_all(&many).unwrap();
    let mut catena = case.catena();
    catena.args([&case.task(), "public/many.tar", "--extract", "--keys", "keys.json", "--dest"]);
    catena.arg(case.dest()).args(["--offline-exec", "--", "touch", "started"]);
    let child = catena.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    let count = || std::fs::read_dir(&many).unwrap().count();
    while count() == 0 {
        assert!(began.elapsed() < Duration::from_secs(120));
        std::thread::sleep(Duration::from_millis(1));
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(count(), FILES, "{told}");
    // Unless the signal came when all was done.
    if ended.status.code() == Some(3) {
        assert!(told.contains("everything was in place") && !told.contains("nothing was put"), "{told}");
        assert!(!case.room.path().join("started").exists());
    }
}
