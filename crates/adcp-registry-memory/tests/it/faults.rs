//! The kit finds each fault that it claims to find.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use adcp_core::{ManualClock, Registry, Timestamp};
use adcp_registry_memory::MemoryRegistry;
use adcp_registry_testkit::{Harness, OnManualClock, checks, run};
use async_trait::async_trait;

use crate::broken::{Broken, Fault};

async fn broken(fault: Fault) -> OnManualClock {
    OnManualClock::new(|clock| Broken::new(MemoryRegistry::volatile().with_clock(clock), fault))
}

/// A store that can be made to fail, and keeps what was written then.
struct Failing {
    registry: Arc<Broken>,
    clock: Arc<ManualClock>,
}

impl Failing {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_770_000_000_000_000)));
        let inner = MemoryRegistry::volatile().with_clock(Arc::clone(&clock) as _);
        Self { registry: Arc::new(Broken::new(inner, Fault::KeepsWhatFailed)), clock }
    }
}

#[async_trait]
impl Harness for Failing {
    fn registry(&self) -> Arc<dyn Registry> {
        Arc::clone(&self.registry) as _
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn fail_commits(&self, fail: bool) -> bool {
        self.registry.fail(fail);
        true
    }
}

#[test]
fn what_a_failed_write_leaves_behind() {
    macro_rules! found {
        ($($check:ident)*) => { $(
            let found = catch_unwind(AssertUnwindSafe(|| run(async || Failing::new(), checks::$check)));
            assert!(found.is_err(), "{} does not find the fault", stringify!($check));
        )* };
    }
    found!(
        a_failed_issue_leaves_no_task_and_no_reply
        a_failed_end_leaves_everything_as_it_was
        a_failed_rescue_ends_nobody
        a_failed_claim_holds_nothing
        a_failed_publication_queues_nothing
    );
}

macro_rules! faults {
    ($($name:ident: $fault:ident => $($check:ident),+;)*) => {
        $(
            #[test]
            fn $name() {
                $(
                    let found = catch_unwind(AssertUnwindSafe(|| {
                        run(async || broken(Fault::$fault).await, checks::$check);
                    }));
                    assert!(found.is_err(), "{} does not find the fault", stringify!($check));
                )+
            }
        )*
    };
}

/// Without a fault the wrapper passes, so it is the fault that a check finds.
mod without_a_fault {
    use super::{Fault, broken};

    adcp_registry_testkit::registry_conformance!(async || broken(Fault::Nothing).await);
}

faults! {
    a_read_across_accounts: ReadsAcrossAccounts => get_hides_other_accounts_and_principals;
    a_list_across_accounts: ListsAcrossAccounts =>
        list_hides_other_accounts_and_principals, a_principal_sees_its_tasks_of_every_account;
    an_enqueued_task_that_is_shown: ShowsEnqueuedTasks =>
        an_enqueued_task_is_hidden_from_its_buyer, an_unconfirmed_task_ends_failed,
        random_tasks_agree_with_a_model;
    a_second_end: AcceptsASecondEnd =>
        first_end_wins, ends_race_to_one_winner, random_tasks_agree_with_a_model;
    an_end_that_counts_twice: RepeatsAnEnd =>
        finish_is_idempotent, equal_ends_race_to_one_write, random_tasks_agree_with_a_model;
    a_lost_event: LosesTheEvent =>
        exactly_one_event_per_ending, overdue_tasks_end_failed_with_their_effects,
        random_tasks_agree_with_a_model, concurrent_purchases_keep_the_ledger_whole;
    a_lost_purchase: LosesThePurchase =>
        a_task_keeps_its_hold, a_purchase_ends_with_its_task, random_ledgers_agree_with_a_model,
        concurrent_purchases_keep_the_ledger_whole;
    an_event_queued_twice: QueuesTheEventTwice =>
        exactly_one_event_per_ending, finish_is_idempotent, random_tasks_agree_with_a_model;
    an_event_rendered_again: RendersTheEventAgain => event_body_and_key_are_fixed;
    a_forgotten_history: ForgetsHistory =>
        history_keeps_every_transition, random_tasks_agree_with_a_model;
    a_reservation_that_outlives_its_discarded_task: KeepsTheReservationOfADiscardedTask =>
        discard_frees_key_and_reservation, random_tasks_agree_with_a_model;
    a_confirmation_with_a_stale_ticket: ConfirmsWithAStaleTicket =>
        confirm_with_a_stale_ticket_shows_nothing, confirm_records_the_reply_once,
        random_tasks_agree_with_a_model;
    a_reservation_in_two_steps: ReservesInTwoSteps =>
        reservation_race_has_one_winner, concurrent_purchases_keep_the_ledger_whole;
    a_claim_in_two_steps: ClaimsInTwoSteps => claims_race_to_one_winner, claim_storms_have_one_first;
    a_stale_ticket_that_settles: AcceptsAStaleTicket => a_stale_ticket_is_refused, a_ticket_is_used_once;
    a_step_half_written: WritesEffectsOneByOne =>
        commit_of_several_is_all_or_nothing, a_refused_effect_settles_nothing,
        overlapping_commits_race_to_whole_ones, random_ledgers_agree_with_a_model;
    a_reply_without_its_task: RecordsTheReplyFirst =>
        issue_with_a_lost_hold_writes_nothing, issue_with_a_known_id_writes_nothing;
    an_expired_key_that_runs_again: RunsAnExpiredKeyAgain =>
        expired_keys_answer_expired, a_fenced_key_never_runs_again;
    a_lost_hold_that_is_renewed: RenewsALostHold =>
        a_hold_that_was_taken_is_lost, a_hold_whose_time_is_over_is_not_renewed,
        random_ledgers_agree_with_a_model;
    a_release_by_anybody: ReleasesForAnybody =>
        a_hold_that_was_taken_is_lost, random_ledgers_agree_with_a_model;
    a_reservation_that_is_never_given_back: NeverReleases =>
        a_released_proposal_can_be_bought, random_ledgers_agree_with_a_model;
    a_lost_lease_that_is_renewed: RenewsALostLease =>
        a_lease_that_ran_out_is_neither_renewed_nor_heard, a_token_of_another_is_refused,
        random_tasks_agree_with_a_model;
    a_holder_of_a_lost_lease_that_is_heard: HearsALostLease =>
        a_lease_that_ran_out_is_neither_renewed_nor_heard, a_token_of_another_is_refused,
        random_tasks_agree_with_a_model;
    an_attempt_that_counts_when_it_is_over: CountsAttemptsAtTheEnd =>
        attempts_are_counted_at_the_claim, a_job_without_attempts_ends_failed_with_its_effects,
        random_tasks_agree_with_a_model;
    a_job_that_two_work_on: ClaimsWhatIsHeld =>
        a_job_is_kept_whole_and_claimed, claims_of_jobs_race_to_one_winner, a_deadline_ends_a_job,
        random_tasks_agree_with_a_model;
    a_kind_that_nobody_asked_for: ClaimsEveryKind => claims_take_only_what_they_name;
    a_tenant_that_starves: ClaimsTheOldestOfAll => one_tenants_queue_does_not_starve_another;
    a_job_whose_effects_are_lost: LosesTheEffectsOfJobs =>
        a_job_without_attempts_ends_failed_with_its_effects;
    a_job_that_anybody_gives_up: ReleasesForAnyToken => a_release_is_fenced;
    a_wait_that_is_forgotten: ForgetsTheWait =>
        a_released_job_is_claimed_when_its_wait_is_over, random_tasks_agree_with_a_model;
    a_claim_without_a_lease: ClaimsWithoutALease =>
        a_claimed_event_is_claimable_when_its_lease_ends, events_race_to_one_claimer,
        no_endpoint_has_more_in_flight_than_it_may;
    a_claim_that_never_ends: NeverForgetsAClaim =>
        a_claimed_event_is_claimable_when_its_lease_ends,
        a_claim_that_ran_out_is_neither_recorded_nor_renewed, a_probe_that_is_lost_blocks_nobody;
    attempts_that_count_when_recorded: CountsAttemptsWhenRecorded =>
        attempts_count_at_the_claim, a_claimed_event_is_claimable_when_its_lease_ends;
    a_lost_claim_that_is_recorded: RecordsALostClaim =>
        a_claim_that_ran_out_is_neither_recorded_nor_renewed, a_token_of_an_earlier_claim_records_nothing,
        a_batch_records_what_still_holds, records_race_to_one_write;
    a_claim_recorded_twice: RecordsAClaimTwice => a_claim_is_recorded_once, records_race_to_one_write;
    a_lost_claim_that_is_renewed: RenewsALostClaim =>
        a_claim_that_ran_out_is_neither_recorded_nor_renewed, a_token_of_an_earlier_claim_records_nothing;
    a_bound_in_flight_in_two_steps: BoundsWhatIsInFlightInTwoSteps => the_bound_in_flight_holds_in_a_race;
    tenants_served_one_by_one: ServesTenantsOneByOne => a_tenant_with_much_does_not_delay_another;
    an_endpoint_that_is_never_left_in_peace: PausesNothing =>
        a_failing_endpoint_is_left_in_peace, a_probe_that_is_lost_blocks_nobody, one_probe_looks_in_a_race;
    refusals_that_pause: CountsRefusalsAsFailures => refusals_pause_nothing;
    a_redelivery_under_another_key: RedeliversUnderAnotherKey =>
        a_dead_letter_is_sent_again_as_it_was, redeliveries_race_to_one;
    a_redelivery_by_a_stranger: RedeliversForAnyTenant => only_dead_letters_are_redelivered;
    a_redelivery_that_nobody_ordered: ForgetsWhoRedelivered => a_dead_letter_is_sent_again_as_it_was;
    an_event_published_twice: PublishesTwice =>
        publishing_again_changes_nothing, publications_race_to_one_event;
    a_list_of_deliveries_across_accounts: ListsDeliveriesOfOthers =>
        deliveries_hide_other_accounts_and_principals;
    a_delivery_shown_across_accounts: ShowsDeliveriesToOthers =>
        deliveries_hide_other_accounts_and_principals;
    a_bell_that_nobody_hears: RingsForNobody => what_is_queued_is_heard_of;
    overdue_tasks_that_nobody_hears_of: EndsOverdueSilently =>
        overdue_tasks_end_failed_with_their_effects, random_tasks_agree_with_a_model;
    a_document_compared_and_set_in_two_steps: ComparesAndSetsInTwoSteps =>
        makers_of_a_document_race_to_one, writers_of_a_document_lose_nothing;
    a_document_written_whatever_its_revision: IgnoresRevisions =>
        a_stale_revision_writes_nothing, writers_of_a_document_lose_nothing;
    documents_that_an_account_shares: SharesDocumentsOfAnAccount => documents_of_other_scopes_are_absent;
    a_list_of_documents_beyond_its_scope: ListsDocumentsOfOthers => documents_of_other_scopes_are_absent;
    rows_forgotten_too_early: ForgetsTooEarly =>
        ended_tasks_are_forgotten_after_their_retention;
    a_batch_without_a_bound: ForgetsWithoutABatch => a_batch_takes_the_oldest_first;
    a_dead_letter_forgotten_too_early: ForgetsDeadLetters =>
        dead_letters_outlive_their_task_and_are_refused_after_their_time;
    a_key_forgotten_before_anybody_knows: ForgetsUnresolvedCalls =>
        keys_without_an_outcome_are_never_forgotten;
    forgotten_rows_counted_twice: CountsForgottenRowsTwice =>
        batches_at_once_forget_each_row_once, a_batch_takes_the_oldest_first;
    backlogs_that_nobody_sees: LosesAges => ages_tell_what_waits;
}
