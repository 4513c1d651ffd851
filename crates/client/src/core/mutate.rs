//! The door: a new mutation is checked against everything the server would refuse at its own, run on the view, and put on
//! its way to the storage. Nothing is repaired, and what is refused leaves no trace.

use riverrun_core::{
    Json, MutationId, limits,
    planted::{Bug, is},
};

use super::{Core, cx::Cx};
use crate::{
    event::News,
    limits::{ARGS_BYTES, ARGS_DEPTH, QUEUE_MUTATIONS},
    saved::Write,
    words::{Entry, Refused},
};

impl Core {
    pub(super) fn mutate(&mut self, id: MutationId, name: String, args: Json, cx: &mut Cx<'_>) {
        let checked = self.check(&id, &name, &args).and_then(|args| {
            let (created, schema, order) = (cx.now, self.config.schema, self.replica.next_order());
            let id = id.clone();
            let entry = Entry { order, id, name, args, schema, created, seq: None, accepted: None };
            self.replica.mutate(entry.clone()).map(|()| entry)
        });
        match checked {
            Ok(entry) => {
                cx.writes.push(Write::Append(entry));
                self.storing.entry(self.next_store).or_default().push(id.clone());
                if self.volatile {
                    self.storing.clear();
                    if let Some(item) = self.replica.item(&id) {
                        item.saved = true;
                    }
                    self.push_soon(cx);
                }
            }
            Err(no) => cx.tell(News::Refused(id, no)),
        }
    }

    /// Takes a mutation back, unless it has a place already: that leaves no hole.
    pub(super) fn undo(&mut self, id: MutationId, cx: &mut Cx<'_>) {
        let unsent = self
            .replica
            .item(&id)
            .is_some_and(|item| (item.entry.seq.is_none() || is(Bug::ClientUndoSent)) && item.is_open());
        if unsent {
            self.replica.undo(&id);
        }
        cx.tell(News::Undo(id, unsent));
    }

    fn check(&mut self, id: &MutationId, name: &str, args: &Json) -> Result<Json, Refused> {
        let invalid = |error: &str| Refused::new("invalid_mutation", error);
        if self.replica.item(id).is_some() {
            return Err(invalid("a mutation with this id is pending already"));
        }
        if self.replica.items.len() >= QUEUE_MUTATIONS {
            return Err(Refused::new("too_large", &format!("{QUEUE_MUTATIONS} mutations are waiting already")));
        }
        if name.is_empty()
            || name.len() > limits::TYPE_BYTES
            || name.contains(char::is_control)
            || name.starts_with('_')
        {
            let max = limits::TYPE_BYTES;
            return Err(invalid(&format!("a type is 1 to {max} bytes, no control characters, no leading underscore")));
        }
        if args.as_str().len() > ARGS_BYTES {
            return Err(Refused::new("too_large", &format!("arguments are at most {ARGS_BYTES} bytes of JSON")));
        }
        // It may be text that never passed the door.
        let args =
            Json::parse(args.as_str()).map_err(|error| invalid(&format!("the arguments can't travel: {error}")))?;
        if depth(args.as_str()) > ARGS_DEPTH {
            return Err(invalid(&format!("the arguments are nested deeper than {ARGS_DEPTH} levels")));
        }
        Ok(args)
    }
}

/// How deep a JSON text is nested.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::depth;

    #[test]
    fn depth_counts_brackets_and_not_what_strings_hold() {
        for (text, expected) in [("1", 0), ("{}", 1), (r#"{"a":[1,{"b":2}],"c":[]}"#, 3), (r#"["[[\"[[","]"]"#, 1)] {
            assert_eq!(depth(text), expected, "{text}");
        }
    }
}
