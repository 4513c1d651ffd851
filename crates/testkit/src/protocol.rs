//! The protocol's promises as cases, run over any store: identity and order of a mutation, push, pull, snapshot, live
//! subscriptions, retention, verification. Most cases talk to the kernel, which blocks and takes its time from the case;
//! those that are about concurrency talk to the engine. They reach below the engine only to plant damage, and never assert
//! on how long anything takes.
//!
//! [`protocol_contract!`](crate::protocol_contract) makes one test of every case:
//!
//! ```
//! riverrun_testkit::protocol_contract!(memory, riverrun_engine::Memory::new);
//! # fn main() {}
//! ```

#![allow(clippy::unwrap_used, reason = "every case is a test: what is not there is what it fails on")]

mod app;
pub mod crowd;
pub mod edge;
mod faulty;
mod front;
pub mod history;
pub mod identity;
pub mod live;
pub mod machine;
pub mod order;
pub mod pull;
pub mod random;
pub mod refusals;
mod replica;
pub mod retention;
pub mod scopes;
mod shared;
pub mod snapshot;
pub mod transaction;
pub mod upkeep;
pub mod verify;
mod world;

pub use shared::Shared;

/// Makes a new, empty store at every call.
pub type Make<'a> = &'a dyn Fn() -> Shared;

/// One `#[test]` per case, in a module of the given name, over the stores a factory makes: `Fn() -> impl Store`, each
/// empty and apart from the others.
#[macro_export]
macro_rules! protocol_contract {
    ($name:ident, $make:expr) => {
        $crate::protocol_contract! { @cases $name, $make,
            identity::a_known_id_gets_its_recorded_verdict_before_anything_else_is_looked_at,
            identity::a_duplicate_carries_no_effects_and_tells_nobody,
            identity::an_id_used_again_for_something_else_is_invalid_and_runs_nothing,
            identity::args_of_one_meaning_are_one_mutation,
            identity::an_id_is_unique_per_principal_and_scope,
            identity::a_mutation_that_comes_twice_in_one_commit_has_one_effect,
            identity::a_void_is_recorded_as_rejected_and_speaks_for_its_id,
            identity::a_verdict_outlives_the_engine_that_gave_it,
            identity::a_push_for_a_foreign_epoch_is_refused_whole_and_runs_nothing,
            order::a_hole_before_a_mutation_keeps_it_waiting_and_records_nothing,
            order::a_seq_decided_for_another_id_is_a_conflict_and_renumbering_goes_on,
            order::an_unknown_client_can_only_begin_at_one,
            order::a_new_client_whose_first_mutation_must_wait_waits_as_a_whole,
            order::a_foreign_client_id_is_forbidden_and_its_owner_keeps_its_place,
            order::a_client_id_claimed_twice_in_one_commit_belongs_to_the_first,
            order::each_scope_counts_by_itself,
            order::a_mutation_by_id_alone_moves_no_watermark,
            order::an_id_used_again_for_something_else_consumes_its_place,
            order::a_known_id_under_a_new_number_takes_that_place,
            order::a_place_taken_by_a_known_mutation_is_in_conflict_for_another_and_not_expired,
            refusals::every_refusal_consumes_its_place_and_is_repeated_word_for_word,
            refusals::what_failed_inside_stays_inside,
            refusals::a_newer_schema_is_asked_to_come_again_and_an_older_one_is_refused_for_good,
            refusals::access_that_could_not_be_checked_is_no_verdict,
            refusals::a_mutation_that_changed_nothing_is_accepted_at_the_head,
            retention::a_clients_verdicts_are_kept_thirty_days_and_its_last_thousand_for_longer,
            retention::a_client_is_forgotten_180_days_after_it_was_last_seen,
            retention::a_forgotten_clients_old_first_mutation_is_expired_and_a_fresh_one_is_not,
            retention::an_id_alone_is_remembered_thirty_days_and_never_run_again_after,
            retention::a_forgotten_mutation_that_comes_back_without_its_place_is_not_run_again,
            retention::a_forgotten_mutation_that_comes_back_under_the_next_place_is_not_run_again,
            retention::an_old_id_runs_where_nothing_was_ever_forgotten,
            retention::a_log_is_trimmed_by_count_and_by_age_at_a_mutations_end,
            transaction::a_rejection_rolls_its_writes_back_and_its_neighbours_stand,
            transaction::a_panic_is_rolled_back_and_its_neighbours_stand,
            transaction::a_mutator_sees_its_own_writes_and_those_before_it,
            transaction::a_store_that_fails_anywhere_leaves_nothing_and_a_retry_has_exactly_one_effect,
            transaction::a_commit_that_was_applied_and_answered_with_an_error_is_found_by_the_retry,
            transaction::a_failure_in_a_table_of_the_applications_own_commits_nothing,
            transaction::a_commit_tells_its_readers_one_stretch_per_scope,
            scopes::a_mutation_over_declared_scopes_is_one_effect_and_names_their_cursors,
            scopes::a_declared_scope_that_was_not_written_to_stays_as_it_was,
            scopes::a_mutation_that_only_wrote_elsewhere_is_accepted_at_its_own_head,
            scopes::touching_a_scope_that_was_not_declared_is_forbidden_and_undone,
            scopes::a_rejection_undoes_what_was_written_in_every_scope,
            pull::pages_are_gapless_and_never_end_inside_a_mutation,
            pull::a_cursor_inside_a_mutation_is_answered_with_the_rest_of_it,
            pull::a_limit_has_a_default_and_a_bound,
            pull::a_heavy_page_ends_early_and_the_next_goes_on,
            pull::a_reader_at_the_head_gets_an_empty_answer,
            pull::a_reader_of_another_history_is_told_so_at_every_cursor,
            pull::a_log_trimmed_to_its_head_answers_at_its_head_alone,
            pull::a_watermark_is_of_the_same_moment_as_the_data,
            pull::a_change_reads_as_the_contract_writes_it,
            snapshot::a_snapshot_of_collections_is_written_as_the_contract_says,
            snapshot::a_snapshot_and_the_changes_after_it_make_the_later_snapshot,
            snapshot::a_snapshot_shows_its_scope_alone,
            machine::a_machine_sees_what_came_before_it_in_the_same_commit,
            machine::a_machines_state_is_rebuilt_from_base_and_log,
            machine::a_machines_snapshot_and_what_follows_make_the_later_snapshot,
            machine::a_fold_that_panics_is_a_verdict_and_the_state_is_intact,
            machine::a_working_copy_is_not_seen_before_its_commit,
            machine::a_machines_snapshot_is_of_its_cursor_while_commits_go_on,
            machine::state_in_memory_is_not_believed_over_another_log,
            history::a_file_copied_back_is_noticed_by_its_digest_at_the_same_cursor,
            history::equal_data_of_two_histories_has_two_digests,
            history::pending_mutations_after_a_resync_are_decided_once,
            history::a_new_epoch_ends_every_old_cursor,
            history::an_epoch_of_a_write_that_failed_is_not_the_logs,
            random::random_histories_agree_with_their_model_and_with_every_reader,
            verify::each_planted_damage_is_found_and_named,
            verify::a_forged_entry_is_found_by_its_digest,
            edge::a_withdrawn_permission_changes_no_verdict,
            edge::a_declared_scope_one_may_not_write_to_is_forbidden,
            edge::changes_are_shown_only_of_scopes_the_caller_may_read,
            edge::results_read_as_the_contract_writes_them,
            edge::a_push_off_the_wire_is_decided_as_it_says,
            edge::a_foreign_epoch_refuses_the_whole_push,
            edge::a_panic_while_scopes_are_declared_is_a_verdict,
            edge::who_may_not_read_gets_nothing,
            edge::a_mutation_of_the_servers_own_runs_once_under_its_id,
            edge::a_failing_store_makes_a_push_come_again_and_holds_up_nobody_else,
            upkeep::closing_settles_what_waits_and_refuses_what_comes_after,
            upkeep::a_pull_that_waits_is_answered_by_a_commit_or_by_its_end,
            upkeep::a_pull_that_waits_loses_its_right_with_everyone_else,
            upkeep::a_client_that_only_reads_is_not_forgotten,
            upkeep::a_log_that_grows_is_trimmed_by_itself,
            upkeep::a_state_that_no_longer_replays_stops_its_own_scope_only,
            upkeep::an_engine_without_rules_or_access_does_not_start,
            live::a_subscription_begins_with_an_ack_catches_up_and_stays_live,
            live::a_subscription_without_a_cursor_begins_with_a_snapshot,
            live::a_snapshot_too_large_for_a_frame_is_fetched_over_http,
            live::a_reader_that_cannot_be_followed_is_told_to_start_over,
            live::losing_the_right_to_read_ends_a_subscription_at_once,
            live::losing_the_right_to_read_ends_a_catch_up_too,
            live::a_reader_that_stops_taking_is_told_that_it_lagged_and_catches_up,
            live::a_commit_too_large_to_carry_is_read_from_the_log,
            live::a_commit_answered_with_an_error_still_reaches_subscribers,
            live::a_log_exchanged_under_a_live_reader_ends_it,
            live::a_reader_that_is_interrupted_loses_nothing,
            crowd::sixty_four_senders_of_the_same_mutations_leave_one_effect_each,
            crowd::sixteen_clients_with_many_hands_are_decided_in_their_order,
            crowd::readers_that_come_and_go_amid_ten_thousand_mutations_see_each_once,
        }
    };
    (@cases $name:ident, $make:expr, $($group:ident::$case:ident,)*) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $(#[test]
            fn $case() {
                let make = $make;
                $crate::protocol::$group::$case(&|| $crate::protocol::Shared::new(make()));
            })*
        }
    };
}
