//! An agent that holds a key, asked over its socket.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at what it does not expect"
)]

use catena_keys::SigningKey;
use catena_signing::{Agent, AgentEvent, AgentSigner, Signer, SocketAccess, bind_agent};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// An agent that lives until the tests end, and what it does.
struct Started {
    _temp: TempDir,
    path: PathBuf,
    events: Receiver<AgentEvent>,
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn own_user() -> u32 {
    std::fs::metadata(".").map(|_| rustix::process::geteuid().as_raw()).unwrap()
}

fn start(users: &[u32], limit: Duration) -> Started {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("agent.sock");
    let listener = bind_agent(&path, SocketAccess::Owner).unwrap();
    let (sender, events) = channel();
    let sender = Mutex::new(sender);
    let agent = Agent::new(key(), users.iter().copied().collect::<BTreeSet<_>>(), limit);
    std::thread::spawn(move || {
        agent.serve(&listener, &|event| drop(sender.lock().unwrap().send(event.clone())));
    });
    Started { _temp: temp, path, events }
}

fn usual() -> Started {
    start(&[own_user()], Duration::from_secs(20))
}

fn signer(agent: &Started) -> AgentSigner {
    AgentSigner::new(&agent.path, Duration::from_secs(20))
}

/// Sends bytes as they are, and gives what is answered.
fn raw(path: &Path, request: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).unwrap();
    let _ = stream.write_all(request);
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn an_agent_tells_its_key_and_signs() {
    let agent = usual();
    assert_eq!(signer(&agent).public_key().unwrap(), key().public_key());
    for message in [b"".to_vec(), b"message".to_vec(), vec![b'x'; 3 << 20]] {
        let (public, signature) = signer(&agent).sign(&message).unwrap();
        assert_eq!((public.clone(), public.verify(&message, &signature)), (key().public_key(), true));
    }
    let events: Vec<_> = agent.events.try_iter().collect();
    assert!(matches!(events[0], AgentEvent::Told { user } if user == own_user()));
    assert!(matches!(events[3], AgentEvent::Signed { length, .. } if length == 3 << 20), "{events:?}");
}

#[test]
fn many_ask_at_once() {
    let agent = usual();
    let signer = signer(&agent);
    std::thread::scope(|scope| {
        for number in 0..32_u32 {
            let signer = &signer;
            scope.spawn(move || signer.sign(&number.to_be_bytes()).unwrap());
        }
    });
}

#[test]
fn other_users_get_nothing() {
    let agent = start(&[own_user().wrapping_add(1)], Duration::from_secs(20));
    let refused = signer(&agent).sign(b"message").unwrap_err();
    assert!(refused.to_string().contains("may not use this agent"), "{refused}");
    assert!(signer(&agent).public_key().is_err());
    assert!(matches!(agent.events.recv().unwrap(), AgentEvent::Refused(_)));
}

#[test]
fn only_the_protocol_is_answered() {
    let agent = usual();
    for request in [
        "",
        "\n",
        "hello\n",
        "catena-agent 2 public-key\n",
        "catena-agent 1 sign 67108865\n",
        "catena-agent 1 sign x\n",
        "catena-agent 1 sign 10\nshort",
        "catena-agent 1 public-key",
        &format!("{}\n", "x".repeat(1000)),
    ] {
        let answer = raw(&agent.path, request.as_bytes());
        assert!(answer.starts_with("error ") && answer.ends_with('\n'), "{request:?}: {answer:?}");
        assert_eq!(answer.lines().count(), 1, "{answer:?}");
    }
    assert!(raw(&agent.path, b"catena-agent 1 public-key\n").starts_with("ok\n"));
}

#[test]
fn who_does_not_go_on_is_cut_off() {
    let agent = start(&[own_user()], Duration::from_millis(200));
    let started = Instant::now();
    let mut slow = UnixStream::connect(&agent.path).unwrap();
    slow.write_all(b"catena-agent 1 sign 10\nabc").unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "error the request took too long\n");
    // Four that say nothing at all hold up others no longer than that.
    let _idle: Vec<_> = (0..4).map(|_| UnixStream::connect(&agent.path).unwrap()).collect();
    assert!(signer(&agent).sign(b"message").is_ok());
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn an_agent_that_is_not_there_or_says_nothing_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("agent.sock");
    let signer = AgentSigner::new(&path, Duration::from_millis(200));
    assert!(signer.sign(b"message").unwrap_err().to_string().contains("agent.sock"));
    // It listens, and accepts no connection.
    let _listener = bind_agent(&path, SocketAccess::Owner).unwrap();
    let started = Instant::now();
    assert!(signer.sign(b"message").is_err() && signer.public_key().is_err());
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn an_answer_must_fit_the_question() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("agent.sock");
    let listener = bind_agent(&path, SocketAccess::Owner).unwrap();
    let public = key().public_key();
    let other = key().sign(b"other").to_base64();
    let answers = [
        format!("ok\n{public}\n{other}\n"),
        format!("ok\n{public}\n"),
        format!("ok\n{public}\n{other}\n\n"),
        format!("ok\n{public}\n{}", key().sign(b"message").to_base64()),
        "ok\nx\ny\n".to_owned(),
        "yes\n".to_owned(),
        String::new(),
    ];
    let count = answers.len();
    let server = std::thread::spawn(move || {
        for answer in answers {
            let mut stream = listener.accept().unwrap().0;
            stream.read_exact(&mut [0; 29]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let signer = AgentSigner::new(&path, Duration::from_secs(20));
    for number in 0..count {
        assert!(signer.sign(b"message").is_err(), "answer {number}");
    }
    server.join().unwrap();
}

#[test]
fn a_socket_has_its_mode_and_replaces_only_a_dead_one() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("agent.sock");
    let mode = || std::fs::metadata(&path).unwrap().mode() & 0o777;
    let first = bind_agent(&path, SocketAccess::Owner).unwrap();
    assert_eq!(mode(), 0o600);
    assert_eq!(bind_agent(&path, SocketAccess::Owner).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    drop(first);
    let _second = bind_agent(&path, SocketAccess::Group).unwrap();
    assert_eq!(mode(), 0o660);
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 1);
    let file = temp.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(bind_agent(&file, SocketAccess::Owner).is_err());
    assert_eq!(std::fs::read(&file).unwrap(), b"");
    let open = temp.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let refused = bind_agent(&open.join("agent.sock"), SocketAccess::Owner).unwrap_err();
    assert!(refused.to_string().contains("chmod go-w"), "{refused}");
}
