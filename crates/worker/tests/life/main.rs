//! The life of tasks: a worker with a queue that plays a story. The program of these tests is also the launcher.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod chains;
mod claims;
mod documents;
mod harness;
mod reports;
mod scripts;
#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

fn main() -> ExitCode {
    support::run(&[
        ("b019_the_log_directory_is_kept", claims::log_directory_is_kept),
        ("b021_and_b022_no_task_and_errors_are_waited_out", claims::errors_are_waited_out),
        ("b023_after_a_task_the_next_is_claimed_at_once", claims::next_at_once),
        ("b024_two_tasks_run_in_order_and_both_claims_are_kept", claims::two_tasks),
        ("b026_told_to_end_an_idle_worker_ends", claims::idle_ends),
        ("b027_and_b068_told_to_end_a_script_is_stopped", scripts::script_is_stopped),
        ("b028_told_to_end_a_verification_is_stopped", chains::verification_is_stopped),
        ("b029_told_to_end_an_upload_is_finished", documents::upload_is_finished),
        ("b031_drained_a_task_is_finished", scripts::drained),
        ("b036_a_path_that_leads_out_never_runs", scripts::path_leads_out),
        ("b037_a_malformed_time_never_runs", scripts::malformed_time),
        ("b043_and_b044_a_task_that_works", scripts::works),
        ("b044_and_b049_exit_codes_become_resolutions", scripts::exit_codes),
        ("b046_a_crash_is_a_failure", scripts::crash),
        ("b047_too_long_is_a_failure_without_a_document", scripts::too_long),
        ("b048_the_workers_limit_counts_too", scripts::workers_limit),
        ("b054_claims_are_renewed", claims::renewed),
        ("b055_a_lost_claim_stops_the_script", claims::lost_in_script),
        ("b056_a_claim_lost_in_verification_never_runs", claims::lost_in_verification),
        ("b056_a_claim_lost_just_before_the_start_never_runs", claims::lost_before_start),
        ("b057_renewals_that_fail_are_tried_until_the_claim_ends", claims::renewals_fail),
        ("b057_a_renewal_that_is_never_answered_ends_with_the_claim", claims::renewal_hangs),
        ("b058_claims_are_renewed_while_artifacts_are_uploaded", claims::renewed_in_upload),
        ("b059_a_rejected_chain_is_told_in_both_logs", chains::rejected),
        ("b060_a_task_that_did_not_run_ends_alike_though_its_logs_are_refused", chains::logs_refused),
        ("b062_an_undetermined_chain_runs_another_time", chains::undetermined),
        ("b063_a_good_chain_is_told_and_its_log_is_signed", chains::good),
        ("b067_a_failed_script_is_signed_too", documents::failed_is_signed),
        ("b069_without_signing_there_is_no_signature", documents::unsigned),
        ("b072_a_document_of_the_script_counts_for_nothing", documents::stale_document),
        ("b082_a_link_that_leads_out_is_not_signed", documents::link_leads_out),
        ("b083_a_conflict_when_reporting_is_nothing", reports::report_conflict),
        ("b084_reports_that_fail_are_tried_again", reports::report_fails),
        ("b085_the_next_task_finds_nothing_of_the_last", claims::clean_start),
        ("b086_the_worse_status_counts", reports::worse_status),
        ("a_worker_whose_policy_is_at_fault_claims_nothing_more", chains::misconfigured),
        ("a_worker_whose_script_cannot_start_claims_nothing_more", scripts::cannot_start),
        ("a_worker_that_cannot_end_what_a_script_left_ends_itself", scripts::left_behind),
        ("a_mode_that_does_not_enforce_runs_a_refused_task", chains::unenforced),
        ("a_mode_that_does_not_enforce_runs_no_malformed_task", chains::unenforced_malformed),
    ])
}
