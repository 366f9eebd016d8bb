//! Answers about authorization.

use super::domain::{Person, Question, Rule, Subject};
use super::store;
use crate::features::api_keys;
use crate::features::partners::{self, PartnerStatus};
use crate::features::users::{self, UserStatus};
use crate::kernel::ctx::{ActorId, Ctx};
use crate::kernel::id::{PartnerId, UserId};
use crate::kernel::problem::Problem;
use crate::kernel::subject;
use crate::platform::db::Tx;

/// The rule that decides. An actor or a record that the caller does not see is no record at all.
pub fn explain(tx: &mut Tx<'_>, ctx: &Ctx, question: &Question) -> Result<Rule, Problem> {
    let actor = actor(tx, ctx, question.actor_id)?;
    let reaches = match &question.record_id {
        Some(text) => reaches(tx, ctx, actor.partner_id, text)?,
        None => true,
    };
    Ok(actor.decide(question.permission, ctx.wall_now, reaches))
}

fn actor(tx: &mut Tx<'_>, ctx: &Ctx, id: ActorId) -> Result<Subject, Problem> {
    let unknown = |problem: Problem| {
        let message = "There is no such user or key.";
        problem.or_if_missing(Problem::field("/actor_id", "unknown_reference", message))
    };
    match id {
        ActorId::User(user_id) => {
            let user = users::get(tx, ctx, user_id).map_err(unknown)?;
            Ok(Subject {
                partner_id: user.partner_id,
                partner_is_out: is_out(tx, ctx, user.partner_id)?,
                revoked_at: None,
                expires_at: None,
                scopes: None,
                person: Some(person(tx, ctx, user_id)?),
            })
        }
        ActorId::ApiKey(key_id) => {
            let key = api_keys::get(tx, ctx, key_id).map_err(unknown)?;
            Ok(Subject {
                partner_id: key.partner_id,
                partner_is_out: is_out(tx, ctx, key.partner_id)?,
                revoked_at: key.revoked_at,
                expires_at: key.expires_at,
                scopes: Some(key.permissions),
                person: key.owner_id.map(|owner| person(tx, ctx, owner)).transpose()?,
            })
        }
    }
}

fn person(tx: &mut Tx<'_>, ctx: &Ctx, id: UserId) -> Result<Person, Problem> {
    let user = users::get(tx, ctx, id)?;
    Ok(Person {
        is_active: user.status == UserStatus::Active,
        rights: users::rights(tx, ctx, &user)?,
    })
}

fn is_out(tx: &mut Tx<'_>, ctx: &Ctx, partner_id: Option<PartnerId>) -> Result<bool, Problem> {
    let Some(partner_id) = partner_id else {
        return Ok(false);
    };
    let status = partners::get(tx, ctx, partner_id)?.status;
    Ok(matches!(
        status,
        PartnerStatus::Suspended | PartnerStatus::Terminated
    ))
}

/// Whether the record is within the actor's reach: Postgres is asked with the actor's own scope.
fn reaches(tx: &mut Tx<'_>, ctx: &Ctx, partner_id: Option<PartnerId>, text: &str) -> Result<bool, Problem> {
    let unknown = || Problem::field("/record_id", "unknown_reference", "There is no such record.");
    let (noun, id) = subject::parse(text).ok_or_else(unknown)?;
    if !store::sees(tx, &ctx.scope, noun, id)? {
        return Err(unknown());
    }
    match partner_id {
        // A partner that is out sees nothing at all, and the rule that says so comes first.
        Some(partner_id) if !is_out(tx, ctx, Some(partner_id))? => {
            store::confine(tx, partner_id)?;
            store::sees(tx, &ctx.scope, noun, id)
        }
        _ => Ok(true),
    }
}
