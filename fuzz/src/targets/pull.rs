//! The body of a pull: what is accepted is within the limits, and written out again it reads the same.

use riverrun_core::{Code, limits, wire::PullRequest};
use serde_json::json;

pub(crate) fn run(data: &[u8]) {
    let ask = match PullRequest::read(data) {
        Ok(ask) => ask,
        Err(bad) => return assert!(matches!(bad.code, Code::InvalidMutation | Code::TooLarge), "{bad:?}"),
    };
    assert!((1..=limits::PULL_MAX).contains(&ask.page()), "a page of {}", ask.page());
    assert!(ask.patience() <= limits::WAIT_SECONDS, "a wait of {}", ask.patience());
    assert!(ask.cursor.0 <= limits::MAX_SAFE_INTEGER, "cursor {}", ask.cursor);
    let body = json!({
        "scope": ask.scope, "cursor": ask.cursor, "limit": ask.limit, "epoch": ask.epoch, "digest": ask.digest,
        "client": ask.client, "wait": ask.wait,
    });
    let again = PullRequest::read(body.to_string().as_bytes());
    assert_eq!(again.expect("what was accepted is accepted again"), ask);
}
