//! Somebody arrives for the first time whom an identity provider vouches for.

use crate::features::identity_providers::{self, IdentityProvider, Provisioning};
use crate::features::partners::{self, PartnerStatus};
use crate::features::users::{self, NewUser, User, UserStatus};
use crate::kernel::ctx::Ctx;
use crate::kernel::id::PartnerId;
use crate::kernel::problem::Problem;
use crate::platform::credentials::Arrival;
use crate::platform::db::Tx;
use crate::platform::tokens::refusal::RefusalReason;

/// Where somebody belongs by the word of the provider.
enum Belonging {
    /// To this partner, or to the organization.
    To(Option<PartnerId>),
    /// The organization's provider does not say.
    Anywhere,
}

/// Finds the user by the e-mail address that the provider vouches for, or makes one where the provider's setting says
/// so, and makes it known by the provider's subject. Gives the reason when nobody is let in.
pub fn run(tx: &mut Tx<'_>, ctx: &Ctx, arrival: &Arrival) -> Result<Option<RefusalReason>, Problem> {
    let provider = identity_providers::lock(tx, ctx, arrival.identity_provider_id)?;
    if identity_providers::is_linked(tx, ctx, &provider, &arrival.subject)? {
        return Ok(None);
    }
    let Some(belonging) = belonging(tx, ctx, &provider, arrival)? else {
        return Ok(Some(RefusalReason::PartnerUnknown));
    };
    let Some(email) = &arrival.email else {
        return Ok(Some(RefusalReason::EmailNotVerified));
    };
    let mut found = users::with_email(tx, ctx, email)?;
    if let Belonging::To(partner_id) = belonging {
        found.retain(|user| user.partner_id == partner_id);
    }
    let user = match (found.pop(), found.is_empty()) {
        (Some(user), true) if user.status == UserStatus::Active => user,
        (Some(_), true) => return Ok(Some(RefusalReason::UserNotActive)),
        (None, _) if !may_make(&provider, &belonging) => return Ok(Some(RefusalReason::UserUnknown)),
        (None, _) if identity_providers::has_brought_enough(tx, ctx, &provider)? => {
            return Ok(Some(RefusalReason::NewcomersTooMany));
        }
        (None, _) => make(tx, ctx, &provider, &belonging, arrival, email)?,
        _ => return Ok(Some(RefusalReason::UserUnknown)),
    };
    let linked = identity_providers::link(tx, ctx, &provider, &user, &arrival.subject)?;
    Ok((!linked).then_some(RefusalReason::UserUnknown))
}

/// Whether a user is made for somebody unknown. Where partners' people come by the same provider, somebody of whom it does
/// not say where they belong is nobody's person.
fn may_make(provider: &IdentityProvider, belonging: &Belonging) -> bool {
    let is_placed = matches!(belonging, Belonging::To(_)) || provider.claims.partner.is_none();
    provider.provisioning == Provisioning::JustInTime && is_placed
}

/// Where the person belongs; `None` when the partner that the token names is unknown or out.
fn belonging(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    provider: &IdentityProvider,
    arrival: &Arrival,
) -> Result<Option<Belonging>, Problem> {
    if let Some(partner_id) = provider.partner_id {
        return Ok(Some(Belonging::To(Some(partner_id))));
    }
    let Some(named) = &arrival.partner else {
        return Ok(Some(Belonging::Anywhere));
    };
    let partner = partners::named(tx, ctx, named)?;
    let is_in =
        |status: PartnerStatus| !matches!(status, PartnerStatus::Suspended | PartnerStatus::Terminated);
    let partner = partner.filter(|partner| is_in(partner.status));
    Ok(partner.map(|partner| Belonging::To(Some(partner.id))))
}

/// A user of the partner that is known, or of the organization.
fn make(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    provider: &IdentityProvider,
    belonging: &Belonging,
    arrival: &Arrival,
    email: &str,
) -> Result<User, Problem> {
    let partner_id = match belonging {
        Belonging::To(partner_id) => *partner_id,
        Belonging::Anywhere => None,
    };
    let role_ids = identity_providers::default_roles(tx, ctx, provider, partner_id)?;
    let name: String = arrival
        .name
        .iter()
        .flat_map(|name| name.chars())
        .filter(|one| !one.is_control())
        .take(255)
        .collect();
    let name = if name.trim().is_empty() {
        email.to_owned()
    } else {
        name
    };
    let new = NewUser {
        partner_id,
        external_id: None,
        email: email.to_owned(),
        name,
        role_ids,
    };
    users::create(tx, ctx, new)
}
