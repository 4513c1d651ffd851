//! Mutations, to their effects: the template's mutators on an engine over the memory store, given pushes (a line each), or
//! the arguments of each command. Whatever they say, the log and the state agree, and a retry hears the same verdict.

use myapp::service::todo;
use riverrun_core::{
    Cursor, Json, Millis, Mutation, MutationId, Principal, Scope, Verdict, limits,
    wire::{PullRequest, PushRequest, SnapshotRequest},
};
use riverrun_engine::{Clock, Decision, Edge, Engine, Kernel, Memory, Push, PushItem};

/// A time of no meaning; the target has no use for one that goes on.
const NOW: Millis = Millis(1_795_341_600_000);

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Millis {
        NOW
    }
}

pub(crate) fn run(data: &[u8]) {
    let kernel = Engine::builder(Memory::new()).mutators(todo::mutators()).clock(Stopped).kernel();
    let kernel = kernel.expect("the template's mutators are sound");
    for line in data.split(|byte| *byte == b'\n') {
        if let Some(number) = line.strip_prefix(b"trim ") {
            let cursor = std::str::from_utf8(number).ok().and_then(|number| number.trim().parse().ok()).map(Cursor);
            // A cursor that is none of the scope's is refused, not believed.
            let _ = kernel.trim_to(&Scope::default(), cursor.unwrap_or_default());
        } else if let Ok(push) = PushRequest::read(line, limits::PUSH_BYTES) {
            settle(
                &kernel,
                Push { principal: Principal::anonymous(), epoch: push.epoch, items: items(push.mutations) },
            );
        } else if let Ok(args) =
            std::str::from_utf8(line).map_err(drop).and_then(|line| Json::parse(line).map_err(drop))
        {
            let mutators = todo::mutators();
            let mutations = mutators.names().enumerate().map(|(at, name)| mutation(at, name, args.clone())).collect();
            settle(&kernel, Push { principal: Principal::anonymous(), epoch: None, items: items(mutations) });
        }
    }
    agree(&kernel);
}

fn mutation(at: usize, name: &str, args: Json) -> Mutation {
    let id = MutationId::new(format!("args-{at}-{:x}", args.as_str().len())).expect("an id");
    Mutation { id, name: name.into(), args, scope: Scope::default(), place: None, schema: None }
}

fn items(mutations: Vec<Mutation>) -> Vec<PushItem> {
    mutations.into_iter().map(|mutation| PushItem { mutation, declared: Vec::new(), edge: Edge::Go }).collect()
}

fn settle(kernel: &Kernel, push: Push) {
    let pushes = [push];
    let first = kernel.settle(&pushes).expect("the memory store does not fail");
    let again = kernel.settle(&pushes).expect("the memory store does not fail");
    let (Ok(first), Ok(again)) = (&first.pushes[0], &again.pushes[0]) else { return };
    assert_eq!((first.len(), again.len()), (pushes[0].items.len(), pushes[0].items.len()), "an answer is missing");
    for ((first, again), item) in first.iter().zip(again).zip(&pushes[0].items) {
        let Decision::Decided { verdict, effects, .. } = first else { continue };
        match again {
            Decision::Decided { verdict: second, duplicate, effects } => {
                assert_eq!(verdict, second, "a retry of {} heard another verdict", item.mutation.id);
                assert!(*duplicate && effects.is_empty(), "{} was done twice", item.mutation.id);
            }
            other => panic!("a retry of {} heard {other:?}", item.mutation.id),
        }
        if let Verdict::Rejected(no) = verdict {
            assert!(effects.is_empty(), "{} was rejected and had an effect", item.mutation.id);
            assert!(no.error.len() <= limits::ERROR_BYTES);
            assert_ne!(no.code, riverrun_core::Code::InternalError, "{}: {}", item.mutation.name, no.error);
        }
    }
}

fn agree(kernel: &Kernel) {
    let nobody = Principal::anonymous();
    for scope in kernel.scopes(None, 100).expect("the memory store does not fail") {
        let verified = kernel.verify(&scope).expect("the memory store does not fail");
        assert!(verified.damage.is_empty(), "{scope}: {:?}", verified.damage);
        let whole = kernel.snapshot(&nobody, &SnapshotRequest { scope: scope.clone(), client: None });
        let whole = whole.expect("a snapshot of what there is");
        Json::parse(whole.data.as_str()).expect("a snapshot goes through the door");
        assert_eq!(whole.cursor, verified.cursor);
        let mut ask = PullRequest { scope, limit: Some(3), ..PullRequest::default() };
        // A log that was trimmed says so, and is read from its snapshot.
        while let Ok(page) = kernel.pull(&nobody, &ask) {
            let mut next = ask.cursor;
            for change in &page.changes {
                next = next.next();
                assert_eq!(change.cursor, next, "a gap");
            }
            assert_eq!(page.next_cursor, next);
            if !page.has_more {
                assert_eq!((page.next_cursor, page.digest), (whole.cursor, whole.digest), "two heads");
                break;
            }
            (ask.cursor, ask.digest) = (page.next_cursor, Some(page.digest));
        }
    }
}
