//! Mutations by the application's own code: forms, jobs, imports. The same way as a push, so the same promises hold.

use riverrun_core::{
    Accepted, Code, IdError, Json, JsonRefused, Mutation, MutationId, Principal, Rejected, Scope, Verdict,
};

use crate::{Decision, Engine, error::Refused, kernel::Push};

/// Why the server's own mutation has no effect.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MutateError {
    /// The mutator, or the rules of access, said no. Recorded.
    #[error("{}", .0.error)]
    Rejected(Rejected),
    /// It could not be decided now, or is not decided again.
    #[error("{}", .0.error)]
    Refused(Refused),
    /// The scope or id is not one.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The arguments can't be written as JSON of the contract.
    #[error("the arguments can't be sent: {0}")]
    Args(#[from] JsonRefused),
}

impl MutateError {
    /// The code of the contract.
    pub fn code(&self) -> Code {
        match self {
            Self::Rejected(no) => no.code,
            Self::Refused(no) => no.code,
            Self::Id(_) | Self::Args(_) => Code::InvalidMutation,
        }
    }
}

impl From<Refused> for MutateError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl Engine {
    /// Runs a mutator for `who`, under an id of its own: every call is a new mutation.
    pub async fn mutate(
        &self,
        who: &Principal,
        scope: impl TryInto<Scope, Error = IdError>,
        name: &str,
        args: &(impl serde::Serialize + ?Sized),
    ) -> Result<Accepted, MutateError> {
        let id = MutationId::new(uuid::Uuid::now_v7().to_string())?;
        self.mutate_once(id, who, scope, name, args).await
    }

    /// Runs a mutator under a given id: however often it is called (a form sent twice, a job run again), it has one effect and
    /// one verdict.
    pub async fn mutate_once(
        &self,
        id: MutationId,
        who: &Principal,
        scope: impl TryInto<Scope, Error = IdError>,
        name: &str,
        args: &(impl serde::Serialize + ?Sized),
    ) -> Result<Accepted, MutateError> {
        let mutation = Mutation {
            id,
            name: name.into(),
            args: Json::of(args)?,
            scope: scope.try_into()?,
            place: None,
            schema: None,
        };
        let item = self.edge(who, mutation).await;
        let (_, decisions) = self.settle(Push { principal: who.clone(), epoch: None, items: vec![item] }).await?;
        match decisions.into_iter().next() {
            Some(Decision::Decided { verdict: Verdict::Accepted(accepted), .. }) => Ok(accepted),
            Some(Decision::Decided { verdict: Verdict::Rejected(no), .. }) => Err(MutateError::Rejected(no)),
            Some(Decision::Final { code, error } | Decision::Again { code, error }) => {
                Err(Refused::new(code, error).into())
            }
            None => Err(Refused::unavailable().into()),
        }
    }
}
