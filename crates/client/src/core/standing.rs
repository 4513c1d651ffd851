//! How the link stands, told from what happened: never from what a machine believes about its network. It decides
//! nothing and retries nothing.

use crate::words::{Failed, Status};

/// What a question was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Reading,
    Pushing,
}

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Standing {
    pub(super) now: Status,
    live: bool,
    answers: bool,
    denied: [Option<Failed>; 2],
}

impl Standing {
    /// The subscription is live, or no longer.
    pub(super) fn live(&mut self, is: bool) {
        self.live = is;
        if is {
            self.denied[0] = None;
            self.answers = true;
        }
    }

    /// Whether the last word from the server was an answer.
    pub(super) fn answers(&self) -> bool {
        self.answers
    }

    /// A question ended; `None` where it was answered.
    pub(super) fn heard(&mut self, about: About, failed: Option<&Failed>) {
        // Changes arrive by themselves: a question that failed on its way says nothing, and no later one would take it back.
        if about == About::Reading && self.live && failed.is_some() {
            return;
        }
        // A push that fails says little about reading; one that works says the server is there.
        if about == About::Reading || failed.is_none() {
            self.answers = failed.is_none();
        }
        let denied = &mut self.denied[usize::from(about == About::Pushing)];
        match failed {
            None => *denied = None,
            Some(failed) if failed.is_denial() => *denied = Some(failed.clone()),
            Some(_) => {}
        }
    }

    /// The status, if it is another one than it was.
    pub(super) fn news(&mut self) -> Option<Status> {
        let next = match self.denied.iter().flatten().next() {
            Some(no) => Status::Unauthorized { code: no.code.clone(), error: no.error.clone() },
            None if self.live => Status::Live,
            None if self.answers => Status::Polling,
            None => Status::Offline,
        };
        (next != self.now).then(|| {
            self.now = next.clone();
            next
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_no_to_a_question_does_not_stay_while_the_subscription_is_live() {
        let no = Failed::of_code("unauthenticated", "who is it?");
        let mut standing = Standing::default();
        standing.heard(About::Reading, Some(&no));
        assert!(matches!(standing.news(), Some(Status::Unauthorized { .. })));
        standing.live(true);
        standing.heard(About::Reading, Some(&no));
        assert_eq!(standing.news(), Some(Status::Live));
        standing.live(false);
        standing.heard(About::Reading, Some(&no));
        assert!(matches!(standing.news(), Some(Status::Unauthorized { .. })));
    }
}
