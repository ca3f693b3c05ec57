//! Project Wycheproof's vectors for Ed25519 verification, each of them: what it calls valid is
//! accepted, what it calls invalid is refused. Of version 1 of its set, 88 are valid and 63 invalid;
//! none is "acceptable", and should one ever be, somebody has to decide what it is here.

use catena_keys::{PublicKey, Signature};
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

#[test]
fn every_vector_has_the_result_it_should() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        let bytes: &[u8; 32] = group.key.pk[..].try_into().unwrap();
        let key = PublicKey::from_bytes(bytes).unwrap();
        for test in &group.tests {
            let what = format!("{} {} {:?}", test.tc_id, test.comment, test.flags);
            let accepted = Signature::parse(&test.sig).is_ok_and(|made| key.verify(&test.msg, &made));
            match test.result {
                TestResult::Valid => {
                    assert!(accepted, "{what}");
                    valid += 1;
                }
                TestResult::Invalid => {
                    assert!(!accepted, "{what}");
                    invalid += 1;
                }
                TestResult::Acceptable => panic!("this case is undecided: {what}"),
            }
        }
    }
    assert_eq!((valid, invalid), (88, 63));
}
