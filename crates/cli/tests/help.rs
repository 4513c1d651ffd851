//! The help of every command, frozen: what changes in it is seen in a review. `TRYCMD=overwrite cargo test -p riverrun-cli
//! --test help` writes it anew.

#[test]
fn the_help_of_every_command_is_what_was_reviewed() {
    trycmd::TestCases::new().env("COLUMNS", "100").env("NO_COLOR", "1").case("tests/help/*.trycmd");
}
