//! Any bytes as an entry of a cache, and as what an entry of ours holds: no panic, and what is read
//! has one way to be written.
#![no_main]

use catena_fetch::cache::{Payload, Snapshot, decode, encode};
use catena_model::task::{ArtifactName, RunId, TaskId};
use catena_store::{Key, open, seal};
use catena_verify::verification::{Fact, Need};
use libfuzzer_sys::fuzz_target;

/// A need of each shape.
fn need(kind: u8) -> Option<Need> {
    let task_id = TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").ok()?;
    let other = TaskId::parse("fN1SbArXTPSVFUUvaOlinQ").ok()?;
    let (run_id, name) = (RunId(0), ArtifactName::parse("public/a").ok()?);
    Some(match kind % 3 {
        0 => Need::Definition { task_id },
        1 => Need::Artifact { task_id, run_id, name, sha512: true },
        _ => Need::TaskGraph { task_id, run_id, wanted: [task_id, other].into(), sha512: false },
    })
}

fuzz_target!(|input: &[u8]| {
    let [kind, length, rest @ ..] = input else { return };
    let (address, bytes) = rest.split_at(usize::from(*length).min(rest.len()));
    let key = Key::of([7; 32]);
    if let Ok(payload) = open(&key, address, bytes) {
        assert_eq!(seal(&key, address, payload), bytes);
    }
    assert_eq!(open(&key, address, &seal(&key, address, bytes)), Ok(bytes));
    let _ = Snapshot::decode(bytes);
    let Some(need) = need(*kind) else { return };
    let fact = match decode(&need, bytes) {
        Some(Payload::Measured(measurement)) => Fact::Measured(measurement),
        Some(Payload::Graph(scan)) => Fact::Graph(scan),
        Some(Payload::Absent { status, message }) => Fact::Absent { status, message: message.to_owned() },
        Some(Payload::Body(body)) => {
            assert_eq!(Some(body), bytes.get(1..));
            return;
        }
        None => return,
    };
    assert_eq!(encode(&fact).as_deref(), Some(bytes));
});
