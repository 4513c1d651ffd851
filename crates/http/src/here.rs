//! Who is here, on the topic of a scope: the words of a connection become a seat in the live server's presence, for as long
//! as the engine says that it may read the scope. Nothing of it is logged, and the engine never hears of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use riverrun_core::{
    Code, Json, Principal, Scope,
    wire::{BadRequest, PresenceWord, ServerFrame},
};
use riverrun_engine::{Engine, Refused, Right};
use riverrun_live::{Presence, PresenceRefused, Seat, Session, Told};
use serde_json::value::RawValue;

use crate::join::{Member, say};

/// 32: scopes a connection is present or looks in. A page shows a handful; with the names and the state each may have, this
/// bounds what one connection makes the server hold to half a MiB.
const MAX_SEATS: usize = 32;

/// The seats of one connection.
#[derive(Clone, Default)]
pub(crate) struct Seats(Arc<Mutex<HashMap<Scope, Seat>>>);

impl Seats {
    fn lock(&self) -> MutexGuard<'_, HashMap<Scope, Seat>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, scope: &Scope) -> Option<Seat> {
        self.lock().get(scope).filter(|seat| !seat.is_gone()).cloned()
    }

    /// Keeps a seat, if there is room for one more.
    fn keep(&self, scope: &Scope, seat: Seat) -> Result<(), No> {
        let mut seats = self.lock();
        seats.retain(|_, seat| !seat.is_gone());
        if seats.len() >= MAX_SEATS {
            let error = format!("one connection is present or looks in at most {MAX_SEATS} scopes");
            return Err(No { code: Code::TooLarge, error });
        }
        seats.insert(scope.clone(), seat);
        Ok(())
    }
}

/// A refusal.
struct No {
    code: Code,
    error: String,
}

impl From<PresenceRefused> for No {
    fn from(refused: PresenceRefused) -> Self {
        let code = match refused {
            PresenceRefused::NotAnObject => Code::InvalidMutation,
            PresenceRefused::StateTooLarge | PresenceRefused::NameTooLong | PresenceRefused::TooManyNames => {
                Code::TooLarge
            }
            _ => Code::Unavailable,
        };
        Self { code, error: refused.to_string() }
    }
}

impl From<BadRequest> for No {
    fn from(bad: BadRequest) -> Self {
        Self { code: bad.code, error: bad.error }
    }
}

impl From<Refused> for No {
    fn from(refused: Refused) -> Self {
        Self { code: refused.code, error: refused.error }
    }
}

/// Where a word was said.
pub(crate) struct Place<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) presence: &'a Presence,
    pub(crate) session: &'a Session<Member>,
    pub(crate) topic: &'a Arc<str>,
    pub(crate) scope: &'a Scope,
}

impl Place<'_> {
    /// Deals with a word about who is here.
    pub(crate) async fn hear(&self, data: &Json, reference: Option<String>) {
        let Err(no) = self.word(data).await else { return };
        let ended = self.session.auth().seats().get(self.scope).is_none();
        let frame = ServerFrame::Presence { reference, code: no.code, error: no.error, ended };
        say(self.session, self.topic, &frame).await;
    }

    async fn word(&self, data: &Json) -> Result<(), No> {
        let word = PresenceWord::read(data)?;
        if let Some(seat) = self.session.auth().seats().get(self.scope) {
            match take(&seat, &word) {
                // Given up a moment ago: as if there had been none.
                Err(PresenceRefused::Gone) => {}
                done => return Ok(done?),
            }
        }
        let comes = word.look == Some(true) || (word.state.is_some() && !word.leaves());
        if !comes {
            return Ok(());
        }
        let principal = self.session.auth().principal();
        let right = self.engine.right_to_read(principal, self.scope).await?;
        let user = (*principal != Principal::anonymous()).then(|| principal.as_str());
        let (seat, told) = self.presence.enter(self.topic, user);
        take(&seat, &word)?;
        self.session.auth().seats().keep(self.scope, seat)?;
        let (session, topic) = (self.session.clone(), Arc::clone(self.topic));
        self.session.spawn(async move { tell(&session, &topic, told, right).await });
        Ok(())
    }
}

fn take(seat: &Seat, word: &PresenceWord) -> Result<(), PresenceRefused> {
    // First, so that whoever leaves and looks does not give the seat up in between.
    if word.look == Some(true) {
        seat.look()?;
    }
    match &word.state {
        Some(_) if word.leaves() => seat.leave(&word.name)?,
        Some(state) => {
            let state: &RawValue = serde_json::from_str(state.as_str()).map_err(|_| PresenceRefused::NotAnObject)?;
            seat.set(&word.name, state)?;
        }
        None => {}
    }
    if word.look == Some(false) { seat.look_away() } else { Ok(()) }
}

/// Tells a session who is here, as long as it may read the scope.
async fn tell(session: &Session<Member>, topic: &str, mut told: Told, mut right: Right) {
    let telling = async {
        while let Some(frame) = told.next().await {
            if session.send(frame).await.is_err() {
                return;
            }
        }
    };
    let lost = tokio::select! {
        () = telling => return,
        lost = right.lost() => lost,
    };
    // First of all nobody sees it here any more.
    drop(told);
    let frame = ServerFrame::Presence { reference: None, code: lost.code, error: lost.error, ended: true };
    say(session, topic, &frame).await;
}
