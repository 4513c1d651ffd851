//! The contract suite of stores: each sentence of [`riverrun_engine::store`] is a case, run on any store alike. A case asks
//! only what the contract says; what it leaves open (the order in which rows are forgotten, what a misuse does) is never
//! asked here.
//!
//! ```no_run
//! riverrun_testkit::store_contract!(memory, riverrun_engine::Memory::new);
//! # fn main() {}
//! ```

mod atomicity;
mod bytes;
mod every;
mod forget;
mod isolation;
mod log;
mod make;
mod model;
mod observe;
mod order;
mod random;
mod range;
mod savepoints;
mod survey;
mod verdicts;

use riverrun_engine::Store;

/// How a case comes by a store: each call makes an empty one, apart from all others.
pub type Make<'a> = &'a dyn Fn() -> Box<dyn Store>;

/// Runs the whole suite on a store, one case after another. Panics in the first one that fails.
pub fn check(make: Make<'_>) {
    for case in CASES {
        (case.check)(make);
    }
}

/// Runs one case, by name. [`store_contract!`](crate::store_contract!) makes a test of each.
pub fn run(name: &str, make: Make<'_>) {
    let Some(case) = CASES.iter().find(|case| case.name == name) else {
        panic!("the contract suite has no case {name}");
    };
    (case.check)(make);
}

struct Case {
    name: &'static str,
    check: fn(Make<'_>),
}

macro_rules! table {
    ($($group:ident::$case:ident,)*) => { &[$(Case { name: stringify!($case), check: $group::$case },)*] };
}

static CASES: &[Case] = crate::__store_cases!([table]);

/// Makes one test of each case of the contract, in a module of this name. The second argument makes an empty store, apart
/// from all others, each time it is called.
///
/// ```no_run
/// riverrun_testkit::store_contract!(memory, riverrun_engine::Memory::new);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! store_contract {
    ($name:ident, $make:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $crate::__store_cases!([$crate::__store_tests] $make;);
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_tests {
    ($make:expr; $($group:ident::$case:ident,)*) => {
        $(
            #[test]
            fn $case() {
                let make = $make;
                $crate::store::run(stringify!($case), &|| ::std::boxed::Box::new(make()));
            }
        )*
    };
}

/// The list of all cases, handed to another macro: the one place a case is named beside its own.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    ([$($then:tt)*] $($before:tt)*) => {
        $($then)*! {
            $($before)*
            atomicity::a_commit_shows_everything_that_was_written,
            atomicity::an_error_in_the_closure_leaves_nothing_and_comes_back_as_it_was,
            atomicity::a_panic_in_the_closure_leaves_nothing_and_the_store_goes_on,
            atomicity::a_failure_behind_a_savepoint_leaves_nothing_and_no_savepoint,
            atomicity::a_scope_first_written_in_a_failed_write_was_never_there,
            bytes::json_comes_back_byte_for_byte,
            bytes::a_mebibyte_of_json_comes_back_byte_for_byte,
            bytes::the_longest_keys_are_kept_apart,
            bytes::numbers_at_their_limits_come_back,
            bytes::texts_that_look_like_code_are_texts,
            forget::verdicts_decided_before_the_moment_are_forgotten,
            forget::a_known_clients_last_places_keep_their_verdicts,
            forget::what_is_kept_of_a_client_is_counted_in_each_scope_apart,
            forget::verdicts_known_by_id_alone_are_counted,
            forget::no_more_verdicts_than_the_limit_are_forgotten_at_once,
            forget::a_forgotten_verdict_leaves_its_id_and_its_place_free,
            forget::clients_last_seen_before_the_moment_are_forgotten,
            forget::an_owner_stays_while_the_client_is_known_anywhere,
            forget::no_more_clients_than_the_limit_are_forgotten_at_once,
            forget::the_moment_of_forgetting_is_remembered,
            isolation::a_reader_amid_a_write_sees_the_last_commit_and_does_not_wait,
            isolation::a_read_stays_at_its_moment_whatever_commits_meanwhile,
            isolation::a_read_sees_every_commit_that_had_returned,
            isolation::writes_of_many_threads_are_serial,
            isolation::readers_never_see_half_of_a_commit,
            isolation::a_write_reads_what_it_wrote,
            isolation::a_closure_is_called_exactly_once,
            isolation::a_store_says_what_it_is,
            log::an_empty_store_holds_nothing,
            log::a_new_scope_stands_at_zero_and_a_head_is_kept,
            log::the_entry_at_a_cursor_is_the_one_that_holds_it,
            log::entries_after_a_cursor_inside_an_entry_begin_with_that_entry,
            log::entries_end_when_the_sink_has_enough,
            log::an_entry_keeps_where_it_came_from,
            log::trimming_removes_what_ends_at_or_below_the_cursor,
            log::scopes_are_apart,
            log::the_two_layers_are_apart,
            log::removing_an_entity_that_is_not_there_is_no_error,
            log::an_error_of_the_sink_ends_the_listing_and_comes_back,
            log::rows_can_be_written_to_a_scope_nobody_locked,
            log::the_epoch_stays_until_it_is_changed,
            order::ids_are_listed_by_their_bytes,
            order::all_entities_are_listed_by_collection_and_id,
            order::entries_are_listed_by_cursor,
            order::scopes_are_listed_by_their_bytes_and_in_pages,
            order::keys_that_only_look_alike_are_different,
            random::random_work_leaves_what_a_naive_model_says,
            range::a_prefix_means_its_own_letters,
            range::a_prefix_may_end_at_the_edge_of_its_plane,
            range::pages_follow_one_another_without_a_hole,
            range::a_limit_may_be_nothing_or_everything,
            range::a_range_stays_in_its_scope_and_collection,
            savepoints::a_rollback_undoes_every_kind_of_write,
            savepoints::a_release_keeps_every_kind_of_write,
            savepoints::a_rollback_goes_back_to_the_savepoint_and_no_further,
            savepoints::savepoints_follow_one_another,
            savepoints::what_was_rolled_back_can_be_written_again,
            savepoints::a_locked_scope_stays_locked_through_a_rollback,
            survey::pages_of_verdicts_hold_each_one_once_and_in_order,
            survey::pages_of_watermarks_hold_each_client_once_and_in_order,
            survey::pages_of_owners_hold_each_client_once_and_in_order,
            survey::entries_are_listed_with_where_they_came_from,
            survey::an_error_of_the_sink_ends_the_log_and_comes_back,
            survey::a_sound_store_has_no_defects,
            verdicts::an_accepted_verdict_comes_back_with_its_cursors,
            verdicts::a_rejected_verdict_comes_back_word_for_word,
            verdicts::a_verdict_belongs_to_one_scope_and_principal,
            verdicts::a_place_is_decided_where_a_verdict_is_kept_for_it,
            verdicts::owners_and_watermarks_are_kept,
        }
    };
}
