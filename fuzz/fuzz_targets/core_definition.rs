//! Any JSON as a task definition: no panic; what is read can be asked, and is kept as it was.
#![no_main]

use catena_json::{Limits, Value, parse};
use catena_model::task::{Definition, ImageInput};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = parse(bytes, &Limits { depth: 96, bytes: 1 << 20, ..Limits::default() }) else { return };
    let Ok(definition) = Definition::parse(value.clone()) else { return };
    assert_eq!(definition.value(), &value);
    assert_eq!(Some(definition.payload()), value.get("payload"));
    assert_eq!(definition.source(), value.pointer(&["metadata", "source"]).and_then(Value::as_str).unwrap());
    let listed = |key: &str| value.get(key).and_then(Value::as_array).map_or(0, Vec::len);
    assert_eq!(definition.dependencies().len(), listed("dependencies"));
    assert_eq!(definition.scopes().len(), listed("scopes"));
    let upstream = value.pointer(&["payload", "upstreamArtifacts"]).and_then(Value::as_array);
    assert_eq!(definition.upstream_artifacts().len(), upstream.map_or(0, Vec::len));
    assert!(definition.worker_pool().as_str().contains('/'));
    let _ = (definition.decision_task_id(), definition.parent_task_id(), definition.pool_contradiction());
    let _ = (definition.tasks_for(), definition.is_action(), definition.inputs());
    if let ImageInput::Task { path, .. } = definition.image() {
        assert!(!definition.payload().is_null(), "{path}");
    }
});
