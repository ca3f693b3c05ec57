use super::*;
use crate::verdict::{Class, Code, Disposition, Finding, Outcome, Verdict, VerifiedArtifact};
use catena_model::digest::Measurement;
use catena_model::task::{Definition, Kind};
use catena_policy::{KindRole, Landed, Rule};

const CODE: Code = Code::new("a-code", Class::Tamper, "Something.").relaxable(Rule::ActionHook);

fn target() -> TaskId {
    Definition::sample_id()
}

/// A verification of a decision task, without any facts.
fn opened() -> Verification {
    let kind = Kind::parse("decision").unwrap();
    let mut product = Product::empty("p");
    product.kinds.insert(kind.clone(), KindRole::Decision);
    let target = Target { task_id: target(), kind, check_task: true, extent: Extent::default() };
    let (keys, limits) = (KeyRing::default(), Limits::default());
    Verification::new(target, Arc::new(product), keys, limits, Switches::default())
}

fn body(text: &str) -> Fact {
    let measurement = Measurement { length: 0, sha256: [0; 32], sha512: None };
    Fact::Body(Body { bytes: text.as_bytes().into(), measurement })
}

/// The same once the task is known, which depends on nothing else.
fn closed() -> Verification {
    let mut verification = opened();
    for need in verification.needs() {
        verification.supply(&need, body(Definition::SAMPLE));
    }
    verification
}

fn concluded(mut verification: Verification) -> Verdict {
    verification.conclude(Timestamp::UNIX_EPOCH).into_verdict()
}

fn finding(disposition: Disposition) -> Finding {
    Finding::new("a check", CODE, disposition, target(), "Something.")
}

/// The same, where every check has completed with this finding, and nothing is requested.
fn ended(disposition: Disposition) -> Verification {
    let mut verification = closed();
    verification.handed_out.clear();
    verification.ready.clear();
    for item in &mut verification.items {
        item.state = State::Done(vec![finding(disposition)].into());
    }
    verification
}

#[test]
fn each_need_is_handed_out_once_and_its_first_fact_stays() {
    let mut verification = opened();
    let definition = Need::Definition { task_id: target() };
    assert_eq!(verification.outstanding(), 0);
    let absent = |message: &str| Fact::Absent { status: 404, message: message.to_owned() };
    verification.supply(&definition, absent("said before it was asked"));
    assert!(!verification.evidence.knows(&definition));
    assert_eq!(verification.needs(), std::slice::from_ref(&definition));
    assert_eq!((verification.needs(), verification.outstanding()), (Vec::new(), 1));
    verification.supply(&definition, absent("first"));
    assert_eq!(verification.outstanding(), 0);
    verification.supply(&definition, absent("second"));
    assert_eq!(verification.evidence.facts().map(|(_, fact)| fact).collect::<Vec<_>>(), [&absent("first")]);
    assert_eq!(verification.needs(), []);
}

#[test]
fn needs_of_a_finished_task_are_foreseen_once() {
    let mut verification = opened();
    let (task_id, run_id) = (target(), catena_model::task::RunId(0));
    let foreseen = verification.foreseen();
    for need in
        [Need::Status { task_id }, Need::Document { task_id, run_id }, Need::Signature { task_id, run_id }]
    {
        assert!(foreseen.contains(&need), "{need}");
    }
    assert_eq!(verification.foreseen(), []);
}

#[test]
fn links_are_named_by_their_paths() {
    assert_eq!(concluded(opened()).links, []);
    let links = concluded(closed()).links;
    let told: Vec<_> = links.iter().map(|link| (link.name.to_string(), link.task_id, link.run_id)).collect();
    assert_eq!(told, [("decision".to_owned(), target(), None)]);
}

/// A relaxed finding counts after all if another check did not complete, unless that is because
/// evidence is missing.
#[test]
fn a_relaxed_finding_counts_if_another_check_depends_on_it() {
    let relaxing = |state: State| {
        let mut verification = ended(Disposition::Failed);
        Arc::make_mut(&mut verification.evidence.product).relaxed.insert(Rule::ActionHook);
        verification.items[1].state = state;
        verification
    };
    let judged = |verification: Verification| {
        let verdict = concluded(verification);
        let failed: BTreeSet<&str> = verdict.failed().map(|finding| finding.code.name).collect();
        let told = verdict.failed().all(|finding| finding.message.contains("The policy relaxes action-hook"));
        (verdict.outcome, failed.into_iter().collect::<Vec<_>>(), told)
    };
    let done = State::Done(vec![finding(Disposition::Passed)].into());
    assert_eq!(judged(relaxing(done)), (Outcome::Verified, vec![], true));
    assert_eq!(judged(relaxing(State::Blocked)), (Outcome::Rejected, vec!["a-code"], true));
    let unfinished = (Outcome::Undetermined, vec!["availability-unfinished"], false);
    for state in [State::Waiting, State::Done(Examination::default())] {
        assert_eq!(judged(relaxing(state)), unfinished);
    }
    let mut open = relaxing(State::Blocked);
    open.chain = Chain::new(&open.evidence);
    assert_eq!(judged(open), unfinished);
    // Without such a finding, no check states the reason.
    let mut nobody = ended(Disposition::Relaxed);
    nobody.items[1].state = State::Blocked;
    assert_eq!(judged(nobody), unfinished);
}

#[test]
fn errors_of_a_definition_are_reported() {
    let mut verification = opened();
    for need in verification.needs() {
        verification.supply(&need, Fact::Absent { status: 404, message: "no such task".to_owned() });
    }
    let verdict = concluded(verification);
    let failed: Vec<_> = verdict.failed().map(|finding| (finding.code.name, finding.task_id)).collect();
    assert_eq!(failed, [("task-unknown", target())]);
}

#[test]
fn incomplete_evidence_prevents_verified() {
    let judged = |verification: Verification| {
        let verdict = concluded(verification);
        let failed = verdict.failed().map(|finding| finding.code.name).collect::<BTreeSet<_>>();
        (verdict.outcome, failed.into_iter().collect::<Vec<_>>())
    };
    let unfinished = (Outcome::Undetermined, vec!["availability-unfinished"]);
    assert_eq!(judged(opened()), unfinished);
    for disposition in [Disposition::Passed, Disposition::Relaxed] {
        assert_eq!(judged(ended(disposition)), (Outcome::Verified, Vec::new()));
        for state in [State::Waiting, State::Blocked, State::Done(Examination::default())] {
            for number in 0..ended(disposition).items.len() {
                let mut verification = ended(disposition);
                verification.items[number].state = state.clone();
                assert_eq!(judged(verification), unfinished, "{disposition:?} {state:?} {number}");
            }
        }
        let mut verification = ended(disposition);
        verification.chain = Chain::new(&verification.evidence);
        assert_eq!(judged(verification), unfinished);
        let mut verification = ended(disposition);
        verification.ready.insert(Need::Status { task_id: target() });
        assert_eq!(judged(verification), unfinished);
        let mut verification = ended(disposition);
        verification.handed_out.insert(Need::Status { task_id: target() });
        assert_eq!(judged(verification), unfinished);
    }
    assert_eq!(judged(ended(Disposition::Failed)), (Outcome::Rejected, vec!["a-code"]));
}

#[test]
fn only_the_policy_relaxes_and_it_is_reported() {
    let relaxing = |rule: Rule| {
        let mut verification = ended(Disposition::Passed);
        let mut product = Product::empty("p");
        product.relaxed.insert(rule);
        verification.evidence.product = Arc::new(product);
        verification.evidence.switches.danger_allow_http = true;
        verification.items[0].state = State::Done(vec![finding(Disposition::Failed)].into());
        let verdict = concluded(verification);
        let relaxed = verdict.relaxed.iter().map(|one| format!("{} {}", one.as_str(), one.by().as_str()));
        (verdict.outcome, verdict.findings[0].disposition, relaxed.collect::<Vec<_>>())
    };
    let told = |rule: Rule| vec![format!("{rule} policy"), "danger-allow-http switch".to_owned()];
    assert_eq!(relaxing(Rule::ActionHook), (Outcome::Verified, Disposition::Relaxed, told(Rule::ActionHook)));
    assert_eq!(
        relaxing(Rule::ActionInput),
        (Outcome::Rejected, Disposition::Failed, told(Rule::ActionInput))
    );
}

#[test]
fn only_a_verified_target_is_cleared() {
    let cleared =
        |mut verification: Verification| verification.conclude(Timestamp::UNIX_EPOCH).clearance().is_some();
    assert!(cleared(ended(Disposition::Passed)));
    for disposition in [Disposition::Failed, Disposition::Passed] {
        let mut verification = ended(disposition);
        // Any outcome but "verified": a failed check, then one that did not complete.
        if disposition == Disposition::Passed {
            verification.items[0].state = State::Waiting;
        }
        let conclusion = verification.conclude(Timestamp::UNIX_EPOCH);
        assert!(conclusion.clearance_despite_switches().is_none(), "{:?}", conclusion.verdict().outcome);
        assert!(conclusion.clearance().is_none());
    }
    let mut twice = ended(Disposition::Passed);
    assert!(twice.conclude(Timestamp::UNIX_EPOCH).clearance().is_some());
    assert!(twice.conclude(Timestamp::UNIX_EPOCH).clearance_despite_switches().is_none());
    let mut recorded = ended(Disposition::Passed);
    recorded.judge_recording();
    let conclusion = recorded.conclude(Timestamp::UNIX_EPOCH);
    assert_eq!(conclusion.verdict().outcome, Outcome::Verified);
    assert_eq!(conclusion.verdict().source, Source::Recording);
    assert!(conclusion.clearance_despite_switches().is_none());
}

#[test]
fn a_clearance_lists_relaxations_and_a_switch_withholds_it() {
    let relaxing = || {
        let mut verification = ended(Disposition::Failed);
        Arc::make_mut(&mut verification.evidence.product).relaxed.insert(Rule::ActionHook);
        verification
    };
    let weakened = |clearance: &Clearance| {
        clearance.weakened().iter().map(|one| one.as_str().to_owned()).collect::<Vec<_>>()
    };
    let conclusion = relaxing().conclude(Timestamp::UNIX_EPOCH);
    let clearance = conclusion.clearance().unwrap();
    assert_eq!(
        (weakened(clearance), clearance.is_weakened_by_switch()),
        (vec!["action-hook".to_owned()], false)
    );
    assert_eq!((clearance.task_id(), clearance.product()), (target(), "p"));
    for switch in ["danger-allow-http", "danger-skip-signatures", "offline"] {
        let mut verification = relaxing();
        verification.evidence.switches = Switches {
            danger_allow_http: switch == "danger-allow-http",
            danger_skip_signatures: switch == "danger-skip-signatures",
            offline: switch == "offline",
        };
        let conclusion = verification.conclude(Timestamp::UNIX_EPOCH);
        assert!(conclusion.clearance().is_none(), "{switch}");
        let clearance = conclusion.clearance_despite_switches().unwrap();
        assert!(clearance.is_weakened_by_switch());
        assert_eq!(weakened(clearance), ["action-hook", switch]);
    }
}

#[test]
fn assumptions_count_as_weakened() {
    let relaxed = |landed: Landed| {
        let mut verification = ended(Disposition::Passed);
        Arc::make_mut(&mut verification.evidence.product).landed = landed;
        let relaxed = concluded(verification).relaxed;
        relaxed.into_iter().map(|one| format!("{} {}", one.as_str(), one.by().as_str())).collect::<Vec<_>>()
    };
    assert_eq!(relaxed(Landed::Assumed), ["landed-assumed policy"]);
    assert_eq!([relaxed(Landed::Compare), relaxed(Landed::BranchCommits)], [[""; 0]; 2]);
}

#[test]
fn findings_are_ordered_by_link_and_failed_ones_come_first() {
    let mut verification = ended(Disposition::Passed);
    let other = TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap();
    let said =
        |check, disposition, task_id, message: &str| Finding::new(check, CODE, disposition, task_id, message);
    let findings = vec![
        said("a", Disposition::Failed, other, "of no link"),
        said("b", Disposition::Passed, target(), "2"),
        said("b", Disposition::Passed, target(), "1"),
        said("a", Disposition::Passed, target(), "3"),
        said("c", Disposition::Relaxed, target(), "4"),
        said("d", Disposition::Failed, target(), "5"),
    ];
    verification.items.truncate(1);
    verification.items[0].state = State::Done(findings.into());
    let verdict = concluded(verification);
    let told = verdict.findings.iter().filter(|finding| finding.code == CODE);
    let told: Vec<_> = told.map(|finding| finding.message.as_str()).collect();
    assert_eq!(told, ["5", "4", "3", "1", "2", "of no link"]);
}

#[test]
fn artifacts_are_listed_once_and_in_order() {
    let mut verification = ended(Disposition::Passed);
    let made = |name: &str, length| VerifiedArtifact {
        task_id: target(),
        run_id: catena_model::task::RunId(0),
        name: catena_model::task::ArtifactName::parse(name).unwrap(),
        digest: catena_model::digest::Digest::Sha256([0; 32]),
        length: Some(length),
        evidence: crate::verdict::ArtifactEvidence::Measured,
    };
    let artifacts = vec![made("public/b", 1), made("public/a", 2), made("public/b", 1)];
    verification.items[0].state = State::Done(Examination {
        findings: vec![finding(Disposition::Passed)],
        artifacts,
        ..Examination::default()
    });
    let told = concluded(verification).artifacts;
    assert_eq!(told, [made("public/a", 2), made("public/b", 1)]);
}
