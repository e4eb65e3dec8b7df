//! Every check as a test of its own.

/// Makes each check a test of its own.
///
/// Takes an async closure or function that makes a [`Harness`](crate::Harness) over an empty store. Each test calls
/// it once. With `ignored: "why"` in front the tests are listed as ignored, with the reason, until they are asked for.
#[macro_export]
macro_rules! registry_conformance {
    (ignored: $why:literal, $make:expr) => {
        $crate::__each_check! { [#[ignore = $why]] $make }
    };
    ($make:expr) => {
        $crate::__each_check! { [] $make }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __each_check {
    ($attributes:tt $make:expr) => {
        $crate::__tests! { $attributes $make;
            an_issued_task_reads_as_submitted
            an_id_is_issued_once
            finish_is_idempotent
            first_end_wins
            nothing_follows_an_end
            outcomes_are_kept_whole
            history_keeps_every_transition
            a_report_moves_to_working
            reports_never_push_out_a_change_of_status
            a_question_waits_until_the_task_goes_on
            a_step_outside_the_table_is_refused
            overdue_tasks_end_failed_with_their_effects
            the_longest_overdue_end_first
            deadlines_are_a_matter_of_one_tenant
            only_open_tasks_with_a_deadline_are_overdue
            a_silent_workers_task_ends_failed_with_its_effects
            a_renewed_lease_keeps_its_task
            a_lease_that_ran_out_is_neither_renewed_nor_heard
            a_token_of_another_is_refused
            an_end_by_others_answers_the_holder
            leases_hide_other_accounts_and_principals
            a_sweep_of_everywhere_reaches_every_tenant
            a_job_is_kept_whole_and_claimed
            attempts_are_counted_at_the_claim
            a_silent_workers_job_is_claimed_again
            a_lapsed_claim_is_not_heard
            a_job_without_attempts_ends_failed_with_its_effects
            a_deadline_ends_a_job
            a_released_job_is_claimed_when_its_wait_is_over
            a_release_can_take_its_attempt_back
            a_release_is_fenced
            claims_take_only_what_they_name
            claims_take_the_longest_waiting_first
            one_tenants_queue_does_not_starve_another
            an_enqueued_job_is_not_claimed
            claims_of_jobs_race_to_one_winner
            a_claim_and_an_end_race_to_one
            what_was_never_issued_is_unknown
            get_hides_other_accounts_and_principals
            writes_refuse_other_accounts_and_principals
            list_hides_other_accounts_and_principals
            events_hide_other_accounts_and_principals
            an_owner_needs_no_account
            a_principal_sees_its_tasks_of_every_account
            an_operator_sees_one_tenant
            keys_of_others_are_apart
            drafts_of_one_account_do_not_touch_another
            orders_of_others_are_apart
            drafts_belong_to_the_owner_of_the_task
            an_enqueued_task_is_hidden_from_its_buyer
            an_enqueued_task_can_go_on_and_end
            confirm_shows_the_task_and_records_the_reply
            confirm_records_the_reply_once
            confirm_with_a_stale_ticket_shows_nothing
            confirm_replaces_the_deadline
            a_task_that_ended_in_the_meantime_is_confirmed
            an_unconfirmed_task_ends_failed
            discard_frees_key_and_reservation
            discard_without_a_ticket_frees_no_key
            discard_with_a_stale_ticket_changes_nothing
            what_was_shown_or_has_ended_is_not_discarded
            issue_records_the_reply_with_the_task
            issue_with_a_stale_ticket_writes_nothing
            issue_with_a_lost_hold_writes_nothing
            issue_with_a_known_id_writes_nothing
            a_repeat_gets_the_recorded_reply
            another_request_under_the_key_conflicts
            a_released_key_is_free
            a_fenced_key_never_runs_again
            a_stale_ticket_is_refused
            expired_keys_answer_expired
            a_late_settlement_still_counts
            a_refused_effect_settles_nothing
            a_call_without_a_key_writes_its_effects
            unresolved_calls_are_listed_and_resolved
            unresolved_calls_outlive_their_time
            a_resolved_key_refuses_its_late_holder
            ends_of_tasks_leave_keys_alone
            a_draft_is_kept_whole
            a_draft_is_replaced_by_a_newer_one
            a_newer_draft_keeps_what_it_leaves_out
            a_draft_is_forgotten_after_its_time
            a_draft_waits_for_the_task_that_changes_it
            firm_proposals_are_not_redrafted
            a_commit_makes_a_draft_firm
            commit_of_several_is_all_or_nothing
            only_firm_proposals_are_reserved
            expired_proposals_are_bought_within_grace_only
            a_hold_outlives_the_expiry
            a_released_proposal_can_be_bought
            a_hold_that_expires_can_be_taken
            a_hold_that_was_taken_is_lost
            a_renewed_hold_lasts
            a_hold_whose_time_is_over_is_not_renewed
            a_late_purchase_counts_when_nobody_took_it
            a_hold_of_nothing_is_refused
            a_task_keeps_its_hold
            a_late_renewal_leaves_the_hold_to_its_task
            a_hold_belongs_to_one_task
            tokens_cannot_be_guessed
            a_purchase_keeps_the_product_of_each_package
            a_purchase_ends_with_its_task
            ending_applies_effects_once
            a_finalization_ends_with_its_task
            an_end_that_the_ledger_refuses_writes_nothing
            consumed_is_found_by_order
            the_latest_purchase_of_an_order_is_found
            a_proposal_is_bought_once
            an_offer_can_be_firm_at_once
            a_failed_issue_leaves_no_task_and_no_reply
            a_failed_end_leaves_everything_as_it_was
            a_failed_rescue_ends_nobody
            a_failed_claim_holds_nothing
            a_failed_publication_queues_nothing
            exactly_one_event_per_ending
            event_body_and_key_are_fixed
            a_task_without_registration_queues_nothing
            events_are_read_oldest_first
            a_queued_event_is_claimed_whole
            a_published_event_is_delivered_like_any_other
            publishing_again_changes_nothing
            a_claimed_event_is_claimable_when_its_lease_ends
            a_claim_that_ran_out_is_neither_recorded_nor_renewed
            a_token_of_an_earlier_claim_records_nothing
            a_claim_is_recorded_once
            a_batch_records_what_still_holds
            a_renewed_claim_lasts
            attempts_count_at_the_claim
            what_is_due_later_is_claimed_later
            a_deferred_event_counts_no_attempt
            attempts_are_kept_with_what_was_said
            attempts_of_one_event_are_bounded
            a_dead_letter_keeps_its_reason
            what_waited_too_long_is_given_up
            what_is_queued_is_heard_of
            a_tenant_with_much_does_not_delay_another
            an_endpoint_with_much_does_not_delay_another
            a_lane_gives_what_is_due_longest
            no_endpoint_has_more_in_flight_than_it_may
            every_endpoint_has_its_turn
            a_claim_reaches_every_tenant
            a_tenant_without_room_keeps_its_turn
            a_failing_endpoint_is_left_in_peace
            a_probe_that_is_lost_blocks_nobody
            refusals_pause_nothing
            a_dead_letter_is_sent_again_as_it_was
            only_dead_letters_are_redelivered
            dead_letters_are_redelivered_by_filter
            deliveries_hide_other_accounts_and_principals
            deliveries_are_listed_newest_first
            delivery_filters_agree_with_their_definition
            what_was_delivered_is_forgotten_in_two_steps
            dead_letters_outlive_their_task_and_are_refused_after_their_time
            letters_past_their_time_take_no_places_of_others
            what_is_undelivered_is_never_forgotten
            ages_tell_of_dead_letters
            events_race_to_one_claimer
            the_bound_in_flight_holds_in_a_race
            one_probe_looks_in_a_race
            records_race_to_one_write
            publications_race_to_one_event
            redeliveries_race_to_one
            lists_are_sorted_and_paged
            list_pages_are_stable_while_rows_are_added
            filters_agree_with_their_definition
            totals_count_every_match
            totals_are_left_out_when_many_match
            a_cursor_outlives_its_task
            a_document_is_kept_whole
            a_stale_revision_writes_nothing
            a_document_is_deleted_as_it_was_read
            an_oversize_document_is_refused
            documents_of_other_scopes_are_absent
            lists_of_documents_reach_as_far_as_they_say
            pages_of_documents_are_stable
            makers_of_a_document_race_to_one
            writers_of_a_document_lose_nothing
            ended_tasks_are_forgotten_after_their_retention
            a_batch_takes_the_oldest_first
            an_open_task_is_never_forgotten
            keys_are_forgotten_when_their_time_is_over_twice
            keys_without_an_outcome_are_never_forgotten
            proposals_are_forgotten_by_their_own_time
            batches_at_once_forget_each_row_once
            ages_tell_what_waits
            claims_race_to_one_winner
            reservation_race_has_one_winner
            a_lapsed_hold_is_taken_once
            ends_race_to_one_winner
            equal_ends_race_to_one_write
            a_finish_and_a_deadline_race_to_one_end
            reports_do_not_revive_a_task
            confirm_and_discard_race_to_one
            a_ticket_is_used_once
            overlapping_commits_race_to_whole_ones
            random_tasks_agree_with_a_model
            random_ledgers_agree_with_a_model
            concurrent_purchases_keep_the_ledger_whole
            claim_storms_have_one_first
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ($attributes:tt $make:expr; $($check:ident)*) => {
        $( $crate::__test! { $attributes $make; $check } )*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __test {
    ([$($attribute:tt)*] $make:expr; $check:ident) => {
        #[test]
        $($attribute)*
        fn $check() {
            $crate::run($make, $crate::checks::$check);
        }
    };
}

#[cfg(test)]
mod tests {
    /// A check that no backend runs would be a promise on paper.
    #[test]
    fn every_check_is_in_the_list() {
        let list = include_str!("list.rs");
        let files = [
            include_str!("checks/calls.rs"),
            include_str!("checks/dead.rs"),
            include_str!("checks/delivery.rs"),
            include_str!("checks/delivery_race.rs"),
            include_str!("checks/ending.rs"),
            include_str!("checks/kept.rs"),
            include_str!("checks/lanes.rs"),
            include_str!("checks/events.rs"),
            include_str!("checks/job.rs"),
            include_str!("checks/lease.rs"),
            include_str!("checks/list.rs"),
            include_str!("checks/phase.rs"),
            include_str!("checks/documents.rs"),
            include_str!("checks/draft.rs"),
            include_str!("checks/hold.rs"),
            include_str!("checks/purchase.rs"),
            include_str!("checks/race.rs"),
            include_str!("checks/retention.rs"),
            include_str!("checks/scope.rs"),
            include_str!("random/claims.rs"),
            include_str!("random/ledger.rs"),
            include_str!("random/purchase.rs"),
            include_str!("random/task.rs"),
        ];
        let mut count = 0;
        for line in files.iter().flat_map(|file| file.lines()) {
            let Some(rest) = line.strip_prefix("pub async fn ") else { continue };
            let name = rest.split('(').next().unwrap();
            if name.ends_with("_in") {
                continue;
            }
            assert!(list.lines().any(|line| line.trim() == name), "`{name}` is not in the list");
            count += 1;
        }
        assert!(count > 50, "{count}");
    }
}
