//! Any bytes as what a worker is given before it signs: a task definition, the description of its machine, a
//! private key. What is read is written in both workers' ways as strict JSON of the same value; a key is read
//! again from each of its written forms.
#![no_main]

use catena_json::{Limits, Value, parse};
use catena_keys::SigningKey;
use catena_signing::{Document, Environment, Run, Style, TaskDefinition};
use libfuzzer_sys::fuzz_target;

fn written(task: TaskDefinition, environment: Environment, style: Style) -> Value {
    let run = Run {
        task_id: "IFn9x5gaQz-HXl2pa7Ny_w".to_owned(),
        run_id: 0,
        worker_group: "g".to_owned(),
        worker_id: "w".to_owned(),
        worker_type: "t".to_owned(),
    };
    let document = Document { task, run, artifacts: Default::default(), environment, custody: None };
    let limits = Limits { depth: 200, bytes: 64 << 20, ..Limits::default() };
    parse(&document.to_bytes(style), &limits).expect("a document is strict JSON")
}

fuzz_target!(|data: &[u8]| {
    if let Ok(key) =
        std::str::from_utf8(data).map_err(drop).and_then(|text| SigningKey::parse(text).map_err(drop))
    {
        let pem = key.to_pkcs8_pem().expect("every key has a PEM");
        for text in [key.to_base64(), pem] {
            let read = SigningKey::parse(&text).expect("what is written reads again");
            assert_eq!(read.public_key(), key.public_key());
        }
    }
    let environment = Environment::parse(data).unwrap_or_default();
    let Ok(task) = TaskDefinition::parse(data) else { return };
    let python = written(task.clone(), environment.clone(), Style::Scriptworker);
    assert_eq!(python.get("task"), Some(task.value()));
    let go = written(task.clone(), environment, Style::GenericWorker);
    for member in ["payload", "extra", "scopes", "schedulerId", "retries"] {
        if let Some(value) = task.value().get(member) {
            assert_eq!(go.pointer(&["task", member]), Some(value), "{member}");
        }
    }
});
