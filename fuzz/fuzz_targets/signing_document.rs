//! Any bytes as what a worker is given before it signs: a task definition, the description of its machine, what it
//! knows itself, what the task adds, a private key. What is read is written in both workers' ways as strict JSON of
//! the same value; what the task adds never replaces what the worker says; a key is read again from each of its
//! written forms.
#![no_main]

use catena_json::{Limits, Value, parse};
use catena_keys::SigningKey;
use catena_model::custody::{Custody, PinnedInputs};
use catena_signing::{Document, Environment, Facts, Run, Style, TaskDefinition};
use libfuzzer_sys::fuzz_target;

const TASK: &[u8] = include_bytes!("../corpus/signing_document/seed-definition");

fn document(task: TaskDefinition, environment: Environment) -> Document {
    let run = Run {
        task_id: "IFn9x5gaQz-HXl2pa7Ny_w".to_owned(),
        run_id: 0,
        worker_group: "g".to_owned(),
        worker_id: "w".to_owned(),
        worker_type: "t".to_owned(),
    };
    Document { task, run, artifacts: Default::default(), environment, custody: None }
}

/// With the worker's facts and what the task adds, each of these bytes if they are such.
fn recorded(data: &[u8]) {
    let facts = Facts::parse(data);
    let adds = Environment::default().with_additional_data(data);
    if facts.is_err() && adds.is_err() {
        return;
    }
    let environment = adds.unwrap_or_default();
    let task = TaskDefinition::parse(TASK).expect("the seed is a definition");
    let key = SigningKey::from_seed(&[7; 32]).public_key();
    let facts = facts.unwrap_or_default();
    let document = document(task, environment).with_custody(
        &facts,
        PinnedInputs::default(),
        &key,
        jiff::Timestamp::UNIX_EPOCH,
    );
    let Ok(document) = document else { return };
    for style in [Style::GenericWorker, Style::Scriptworker] {
        let value = read(&document.to_bytes(style));
        assert_eq!(value.get("taskId").and_then(Value::as_str), Some("IFn9x5gaQz-HXl2pa7Ny_w"));
        let custody =
            Custody::parse(value.get("custody").expect("a record")).expect("what is written is read");
        assert_eq!(Some(&custody), document.custody.as_ref());
        assert!(!custody.is_claim("/taskId") && !custody.is_claim("/custody"));
    }
}

fn read(bytes: &[u8]) -> Value {
    let limits = Limits { depth: 200, bytes: 64 << 20, ..Limits::default() };
    parse(bytes, &limits).expect("a document is strict JSON")
}

fn written(task: TaskDefinition, environment: Environment, style: Style) -> Value {
    read(&document(task, environment).to_bytes(style))
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
    recorded(data);
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
