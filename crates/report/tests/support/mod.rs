//! Verdicts made by hand.
#![allow(dead_code, unreachable_pub)]

use catena_json::{Limits, Path, Value};
use catena_keys::PublicKey;
use catena_model::digest::Digest;
use catena_model::task::{
    ArtifactName, Kind, LinkName, RunId, RunState, TaskId, WorkerImplementation, WorkerPool,
};
use catena_policy::{KeyRing, KeysId, PolicyId, Rule};
use catena_verify::checks::find_code;
use catena_verify::verdict::{
    ArtifactEvidence, Authority, Claim, Class, Code, Difference, DifferenceKind, Disposition, Edge, Finding,
    LinkSummary, Location, Outcome, Relaxed, SignedDocument, Source, Verdict, VerifiedArtifact, Worker,
};
use catena_verify::verification::Extent;

pub const SIGNING: &str = "IFn9x5gaQz-HXl2pa7Ny_w";
pub const DECISION: &str = "fN1SbArXTPSVFNUvaOlinQ";
pub const BUILD: &str = "aLg2l0ZYS5OX4CItxpN0Qg";
pub const IMAGE: &str = "YFmVYcZ3TQyIiVjSeFPkvw";

pub fn id(text: &str) -> TaskId {
    TaskId::parse(text).unwrap()
}

pub fn value(text: &str) -> Value {
    catena_json::parse(text.as_bytes(), &Limits::default()).unwrap()
}

pub fn code(name: &'static str, class: Class) -> Code {
    let known = catena_verify::checks::code(name).filter(|code| code.class == class);
    known.unwrap_or(Code { name, class, passes: false, summary: "What it says.", rule: None })
}

/// A code that only tells that something passed.
pub fn passing(name: &str) -> Code {
    let (_, code) = find_code(name).unwrap();
    assert!(code.passes, "{name}");
    *code
}

pub fn finding(
    check: &'static str,
    code: Code,
    disposition: Disposition,
    task_id: &str,
    message: &str,
) -> Finding {
    Finding {
        check,
        code,
        disposition,
        task_id: id(task_id),
        message: message.to_owned(),
        location: None,
        expected: None,
        actual: None,
        differences: Vec::new(),
        authorities: None,
        origin: None,
    }
}

pub fn failed(check: &'static str, code: Code, task_id: &str, message: &str) -> Finding {
    finding(check, code, Disposition::Failed, task_id, message)
}

pub fn claim(authority: Authority, text: &str) -> Option<Claim> {
    Some(Claim { authority, speaker: None, text: text.to_owned() })
}

pub fn location(document: &str, path: Option<Path>) -> Option<Location> {
    Some(Location { document: document.to_owned(), path })
}

pub fn difference(
    path: Path,
    kind: DifferenceKind,
    expected: Option<&str>,
    actual: Option<&str>,
) -> Difference {
    Difference { path, kind, expected: expected.map(value), actual: actual.map(value) }
}

fn link(
    name: LinkName,
    task_id: &str,
    kind: &str,
    implementation: WorkerImplementation,
    title: &str,
) -> LinkSummary {
    LinkSummary {
        name,
        task_id: id(task_id),
        kind: Kind::parse(kind).unwrap(),
        run_id: Some(RunId(0)),
        run_state: Some(RunState::Completed),
        worker_pool: WorkerPool::parse(&format!("gecko-3/{kind}")).unwrap(),
        worker: Some(Worker { group: "mdc1".to_owned(), id: format!("{kind}-1") }),
        worker_implementation: Some(implementation),
        title: Some(title.to_owned()),
        document: (task_id != SIGNING).then(signed_document),
        edges: vec![Edge { name: "parent".to_owned(), task_id: id(DECISION) }],
        edges_left_out: 0,
    }
}

fn signed_document() -> SignedDocument {
    SignedDocument {
        digest: Digest::parse("sha256", &"3c".repeat(32)).unwrap(),
        signer: PublicKey::parse_base64("kni6ts7z/MRkvs7i6+SF/T6UWj0hAJoHEcrgHB8BBR0=").unwrap(),
    }
}

fn links() -> Vec<LinkSummary> {
    let target = LinkName::target(&Kind::parse("signing").unwrap());
    let build = target.dependency("build");
    vec![
        link(target.clone(), SIGNING, "signing", WorkerImplementation::Scriptworker, "signing-linux64/opt"),
        link(
            target.dependency("decision"),
            DECISION,
            "decision",
            WorkerImplementation::GenericWorker,
            "Gecko Decision Task",
        ),
        link(build.clone(), BUILD, "build", WorkerImplementation::DockerWorker, "build-linux64/opt"),
        link(
            build.dependency("docker-image"),
            IMAGE,
            "docker-image",
            WorkerImplementation::DockerWorker,
            "docker-image-debian12",
        ),
    ]
}

fn passed() -> Vec<Finding> {
    let signed = passing("signature-verified");
    let mut findings: Vec<Finding> = [DECISION, BUILD, IMAGE]
        .into_iter()
        .map(|task| {
            finding(
                "signature",
                signed,
                Disposition::Passed,
                task,
                "Signed by a key of its worker implementation.",
            )
        })
        .collect();
    findings.push(finding(
        "task-graph",
        passing("graph-agrees"),
        Disposition::Passed,
        BUILD,
        "The definition is the graph's.",
    ));
    findings
}

fn artifacts() -> Vec<VerifiedArtifact> {
    [(DECISION, "public/task-graph.json", 61_874_000), (BUILD, "public/build/target.tar.xz", 98_304_512)]
        .into_iter()
        .map(|(task, name, length)| VerifiedArtifact {
            task_id: id(task),
            run_id: RunId(0),
            name: ArtifactName::parse(name).unwrap(),
            digest: Digest::parse("sha256", &"0f".repeat(32)).unwrap(),
            length: Some(length),
            evidence: ArtifactEvidence::Measured,
        })
        .collect()
}

/// A verdict with these findings beside those that passed.
pub fn verdict(outcome: Outcome, findings: Vec<Finding>) -> Verdict {
    Verdict {
        outcome,
        task_id: id(SIGNING),
        kind: Kind::parse("signing").unwrap(),
        product: "firefox".to_owned(),
        policy: PolicyId {
            name: "ours.yml".to_owned(),
            digest: Digest::parse("sha256", &"1e".repeat(32)).unwrap(),
            layers: vec!["shipped:firefox-ci".to_owned(), "ours.yml".to_owned()],
        },
        keys: KeysId {
            digest: Digest::parse("sha256", &"2d".repeat(32)).unwrap(),
            file: None,
            widened: Vec::new(),
        },
        root_url: Some("https://tc.example".to_owned()),
        source: Source::Services,
        check_task: false,
        extent: Extent::Listed,
        tree: (outcome == Outcome::Verified).then(|| "/mozilla-central".to_owned()),
        concluded: "2026-05-04T03:02:01Z".parse().unwrap(),
        links: links(),
        findings: passed().into_iter().chain(findings).collect(),
        relaxed: Vec::new(),
        artifacts: artifacts(),
    }
}

/// The keys of a file, one of which the policy does not trust.
pub fn widened() -> KeysId {
    let ring = "docker-worker: [kni6ts7z/MRkvs7i6+SF/T6UWj0hAJoHEcrgHB8BBR0=]";
    let key = KeyRing::parse("keys.yml", ring).unwrap();
    let widened = key.iter().map(|(owner, trusted)| (owner, trusted.key.clone())).collect();
    KeysId { file: Some("keys.yml".to_owned()), widened, ..verdict(Outcome::Verified, Vec::new()).keys }
}

pub fn unknown_key() -> Finding {
    let mut found = failed(
        "signature",
        code("signature-unknown-key", Class::Invalid),
        BUILD,
        "The signature is by none of the keys of any worker implementation.",
    );
    found.location = location("public/chain-of-trust.json.sig", None);
    found.expected = claim(Authority::Policy, "a signature by one of 2 docker-worker keys");
    found.actual = claim(Authority::Storage, "64 bytes that no known key verifies");
    found
}

pub fn differing() -> Finding {
    let mut found = failed(
        "task-graph",
        code("graph-definition-differs", Class::Tamper),
        BUILD,
        "The task's definition is not the one its parent's graph has.",
    );
    let long = |middle: &str| {
        format!("\"{}{middle}{}\"", "./mach build && ".repeat(20), " && ./mach package".repeat(20))
    };
    let command = Path::of(&["payload", "command"]).index(2);
    found.authorities = Some((Authority::Graph, Authority::Queue));
    found.location = location("the queue's definition", None);
    found.origin = Some(format!("public/task-graph.json of task {DECISION}, entry {BUILD}"));
    found.differences = vec![
        difference(command, DifferenceKind::Changed, Some(&long("make")), Some(&long("evil"))),
        difference(
            Path::of(&["payload", "maxRunTime"]),
            DifferenceKind::Retyped,
            Some("7200"),
            Some("\"7200\""),
        ),
        difference(Path::of(&["payload", "env"]).key("A B"), DifferenceKind::Missing, Some("\"1\""), None),
        difference(
            Path::of(&["payload", "features"]),
            DifferenceKind::Added,
            None,
            Some("{\"interactive\":true}"),
        ),
        difference(
            Path::of(&["scopes"]),
            DifferenceKind::Reordered,
            Some("[\"a:b\",\"c:d\",\"e:f\"]"),
            Some("[\"a:b\",\"e:f\",\"c:d\"]"),
        ),
    ];
    found
}

pub fn missing_artifact(number: usize) -> Finding {
    let name = format!("public/build/part-{number}.tar.xz");
    let mut found = failed(
        "artifacts",
        code("artifact-unlisted", Class::Invalid),
        BUILD,
        &format!("The document does not name {name}."),
    );
    found.expected = claim(Authority::Task, &name);
    found.actual = claim(Authority::Worker, "no entry of that name");
    found
}

pub fn not_allowed() -> Finding {
    let mut found = failed(
        "tree",
        code("tree-scope", Class::Policy),
        SIGNING,
        "A scope that only release trees may use, and mozilla-central is not one of them.",
    );
    found.location = location("the queue's definition", Some(Path::of(&["scopes"]).index(1)));
    found.expected = claim(Authority::Policy, "one of the trees of release: mozilla-release, mozilla-esr140");
    found.actual = claim(Authority::Task, "mozilla-central");
    found
}

pub fn unconfigured() -> Finding {
    failed(
        "signature",
        code("signature-no-keys", Class::Config),
        DECISION,
        "The product has no keys for generic-worker.",
    )
}

pub fn unreachable() -> Finding {
    failed(
        "availability",
        code("availability-unreachable", Class::Infra),
        DECISION,
        ".taskcluster.yml of hg.mozilla.org/mozilla-central could not be fetched: 503 Service Unavailable (5 attempts).",
    )
}

pub fn relaxed_finding() -> Finding {
    let mut code = code("artifact-without-digest", Class::Invalid);
    code.rule = Some(Rule::ArtifactHash);
    finding(
        "artifacts",
        code,
        Disposition::Relaxed,
        IMAGE,
        "The entry of public/image.tar.zst names no digest.",
    )
}

pub fn weakened() -> Vec<Relaxed> {
    vec![Relaxed::Rule(Rule::ArtifactHash)]
}
