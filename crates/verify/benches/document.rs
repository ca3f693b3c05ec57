//! What is done for every link: its document verified and read, its definition compared.
#![allow(clippy::unwrap_used, reason = "a bench of what it made itself")]

use catena_json::{Map, Value, parse};
use catena_keys::{Signature, SigningKey};
use catena_model::Limits;
use catena_model::document::Document;
use catena_verify::compare::differences;
use divan::Bencher;
use divan::counter::BytesCount;

/// One entry of a push of Firefox, as decision tasks write it: its `task` stands for a definition.
const ENTRY: &str = include_str!("../../model/benches/graph-entry.json");

fn main() {
    divan::main();
}

fn definition() -> Value {
    let entry = parse(ENTRY.as_bytes(), &Limits::default().json()).unwrap();
    entry.get("task").unwrap().clone()
}

/// A document of a build that made this many artifacts.
fn document(artifacts: usize) -> Vec<u8> {
    let object = |members: Vec<(String, Value)>| Value::Object(members.into_iter().collect::<Map>());
    let digest = || object(vec![("sha256".into(), "5f".repeat(32).into())]);
    let listed = (0..artifacts).map(|i| (format!("public/build/target.part-{i}.zip"), digest()));
    let members = vec![
        ("chainOfTrustVersion".into(), Value::from(1_i64)),
        ("artifacts".into(), object(listed.collect())),
        ("task".into(), definition()),
        ("taskId".into(), "IFn9x5gaQz-HXl2pa7Ny_w".into()),
        ("runId".into(), Value::from(0_i64)),
        ("workerGroup".into(), "us-central1".into()),
        ("workerId".into(), "3141592653589793238".into()),
        ("environment".into(), object(vec![("instanceId".into(), "3141592653589793238".into())])),
    ];
    object(members).to_pretty().into_bytes()
}

/// The signature over a document.
#[divan::bench(args = [2, 200])]
fn signature(bencher: Bencher<'_, '_>, artifacts: usize) {
    let bytes = document(artifacts);
    let key = SigningKey::from_seed(&[7; 32]);
    let (public, text) = (key.public_key(), key.sign(&bytes).as_bytes().to_vec());
    bencher.counter(BytesCount::of_slice(&bytes)).bench(|| {
        let signature = Signature::parse(&text).unwrap();
        assert!(public.verify(&bytes, &signature));
    });
}

/// A document read.
#[divan::bench(args = [2, 200])]
fn parsed(bencher: Bencher<'_, '_>, artifacts: usize) {
    let (bytes, limits) = (document(artifacts), Limits::default().json());
    bencher
        .counter(BytesCount::of_slice(&bytes))
        .bench(|| Document::parse(divan::black_box(&bytes), &limits).unwrap());
}

/// A definition that is the same twice.
#[divan::bench]
fn compared(bencher: Bencher<'_, '_>) {
    let (one, other) = (definition(), definition());
    bencher.bench(|| {
        let found = differences(divan::black_box(&one), divan::black_box(&other), 20);
        assert!(found.is_empty());
    });
}

/// A definition that differs deep inside.
#[divan::bench]
fn told_apart(bencher: Bencher<'_, '_>) {
    let (one, mut other) = (definition(), definition());
    let payload = other.as_object_mut().unwrap().get_mut("payload").unwrap();
    payload.as_object_mut().unwrap().insert("maxRunTime".to_owned(), Value::from(1_i64));
    bencher.bench(|| {
        let found = differences(divan::black_box(&one), divan::black_box(&other), 20);
        assert_eq!(found.len(), 1);
        found
    });
}
