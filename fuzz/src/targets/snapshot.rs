//! The body of a snapshot: what is accepted, written out again, reads the same.

use riverrun_core::{Code, wire::SnapshotRequest};
use serde_json::json;

pub(crate) fn run(data: &[u8]) {
    match SnapshotRequest::read(data) {
        Ok(ask) => {
            let body = json!({"scope": ask.scope, "client": ask.client}).to_string();
            let again = SnapshotRequest::read(body.as_bytes());
            assert_eq!(again.expect("what was accepted is accepted again"), ask);
        }
        Err(bad) => assert!(matches!(bad.code, Code::InvalidMutation | Code::TooLarge), "{bad:?}"),
    }
}
