//! Callers with a token of an identity provider.

use super::key::rights_of;
use super::refusals::{Refused, RefusedCaller};
use super::{Credential, Credentials, Visit, hash_of};
use crate::kernel::ctx::{Actor, Ctx};
use crate::kernel::id::{AuthenticationEventId, IdentityProviderId, OrganizationId, PartnerId, UserId};
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::{Db, Prepared, Tx};
use crate::platform::tokens::jwt::{self, Claims, Presented};
use crate::platform::tokens::key_cache::Published;
use crate::platform::tokens::keys::KeySet;
use crate::platform::tokens::refusal::RefusalReason;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Interval, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query};
use futures_util::future::join_all;
use jsonwebtoken::Algorithm;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// For how long a token counts as proven: as long as a set of keys counts as read lately.
const PROOF: TimeDelta = TimeDelta::minutes(10);

/// Somebody whom a provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The provider.
    pub identity_provider_id: IdentityProviderId,
    /// Who it is to the provider, for good.
    pub subject: String,
    /// The e-mail address in lower case, where the provider vouches for it.
    pub email: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The partner whose person it is by the word of the organization's own provider: an id or an external id.
    pub partner: Option<String>,
}

/// Decides about somebody who was never here: after it they are known by their subject, or there is a reason why not.
pub type Welcome = fn(&mut Tx<'_>, &Ctx, &Arrival) -> Result<Option<RefusalReason>, Problem>;

#[derive(Debug, Clone, QueryableByName)]
struct ProviderRow {
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    partner_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    jwks_url: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    jwks: Option<Value>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    fetched_jwks: Option<Value>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    fetched_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Array<Text>)]
    algorithms: Vec<String>,
    #[diesel(sql_type = Text)]
    subject_claim: String,
    #[diesel(sql_type = Text)]
    email_claim: String,
    #[diesel(sql_type = Text)]
    name_claim: String,
    #[diesel(sql_type = Nullable<Text>)]
    partner_claim: Option<String>,
    #[diesel(sql_type = Array<Text>)]
    email_domains: Vec<String>,
    #[diesel(sql_type = Bool)]
    accepts_unverified_email: bool,
    #[diesel(sql_type = Array<Text>)]
    second_factor_methods: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    second_factor_classes: Vec<String>,
    #[diesel(sql_type = Bool)]
    is_active: bool,
    #[diesel(sql_type = Bool)]
    takes_audience: bool,
    #[diesel(sql_type = Interval)]
    clock_offset: TimeDelta,
}

#[derive(Debug, QueryableByName)]
struct IdentityRow {
    #[diesel(sql_type = SqlUuid)]
    user_id: Uuid,
    #[diesel(sql_type = Bool)]
    is_active: bool,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    partner_id: Option<Uuid>,
    #[diesel(sql_type = BigInt)]
    access_version: i64,
    #[diesel(sql_type = Array<Text>)]
    built_in: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    permissions: Vec<String>,
    #[diesel(sql_type = Interval)]
    clock_offset: TimeDelta,
}

fn providers(
    connection: &mut PgConnection,
    issuer: &str,
    audiences: &[String],
    organization_id: Option<OrganizationId>,
) -> QueryResult<Vec<ProviderRow>> {
    let query = sql_query(
        "SELECT organization_id, id, partner_id, jwks_url, jwks, fetched_jwks, fetched_at, algorithms, subject_claim, \
             email_claim, name_claim, partner_claim, email_domains, accepts_unverified_email, second_factor_methods, \
             second_factor_classes, is_active, takes_audience, clock_offset_of(organization_id) AS clock_offset \
         FROM identity_providers_of_token($1, $2, $3)",
    )
    .bind::<Text, _>(issuer)
    .bind::<Array<Text>, _>(audiences)
    .bind::<Nullable<SqlUuid>, _>(organization_id.map(OrganizationId::uuid));
    Prepared(query).load(connection)
}

impl ProviderRow {
    fn organization_id(&self) -> OrganizationId {
        OrganizationId::from_uuid(self.organization_id)
    }

    fn id(&self) -> IdentityProviderId {
        IdentityProviderId::from_uuid(self.id)
    }

    fn algorithms(&self) -> Vec<Algorithm> {
        self.algorithms
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect()
    }

    fn published(&self) -> Option<Published> {
        Some(Published {
            organization_id: self.organization_id(),
            id: self.id(),
            partner_id: self.partner_id.map(PartnerId::from_uuid),
            url: self.jwks_url.clone()?,
            last: self.fetched_jwks.clone().zip(self.fetched_at),
        })
    }

    fn refused(&self, reason: RefusalReason, subject: Option<&str>) -> Refused {
        Refused::Caller(Box::new(RefusedCaller {
            organization_id: Some(self.organization_id()),
            identity_provider_id: Some(self.id()),
            subject: subject.map(str::to_owned),
            reason: Some(reason),
            ..RefusedCaller::default()
        }))
    }

    /// Whether the token's e-mail address, as far as it says one, is of a domain of this provider's.
    fn may_be_meant_by(&self, presented: &Presented) -> bool {
        let email = presented.text(&self.email_claim).map(str::to_ascii_lowercase);
        let domain = email.as_ref().and_then(|email| email.rsplit_once('@'));
        self.email_domains.is_empty()
            || domain.is_none_or(|(_, domain)| self.email_domains.iter().any(|one| one == domain))
    }

    /// What the claims say of whom they are about, as far as this provider may say it.
    fn arrival(&self, claims: &Claims) -> Result<Arrival, RefusalReason> {
        let subject = claims
            .text(&self.subject_claim)
            .filter(|subject| subject.len() <= 255)
            .ok_or(RefusalReason::ClaimsMalformed)?;
        // Of ASCII letters only: others fold into one another, and one address could pass for somebody else's.
        let email = claims.text(&self.email_claim).map(str::to_ascii_lowercase);
        let domain = email.as_ref().and_then(|email| email.rsplit_once('@'));
        let is_ours = |(_, domain): (&str, &str)| self.email_domains.iter().any(|one| one == domain);
        if !self.email_domains.is_empty() && domain.is_some_and(|domain| !is_ours(domain)) {
            return Err(RefusalReason::EmailDomainNotAllowed);
        }
        let vouched_for = self.accepts_unverified_email || claims.is_true("email_verified");
        let partner = match &self.partner_claim {
            Some(name) if claims.has(name) => Some(claims.text(name).ok_or(RefusalReason::PartnerUnknown)?),
            _ => None,
        };
        Ok(Arrival {
            identity_provider_id: self.id(),
            subject: subject.to_owned(),
            email: email.filter(|email| vouched_for && is_address(email)),
            name: claims.text(&self.name_claim).map(str::to_owned),
            partner: partner.map(str::to_owned),
        })
    }

    /// A partner's provider lets in that partner's people alone.
    fn lets_in(&self, identity: &IdentityRow) -> bool {
        identity.is_active && (self.partner_id.is_none() || identity.partner_id == self.partner_id)
    }

    fn has_second_factor(&self, claims: &Claims) -> bool {
        claims.has_any("amr", &self.second_factor_methods)
            || claims.has_any("acr", &self.second_factor_classes)
    }
}

/// Whether a text is an e-mail address as users have them.
fn is_address(text: &str) -> bool {
    let parts: Vec<&str> = text.split('@').collect();
    text.len() <= 254
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && parts.len() == 2
        && parts.iter().all(|part| !part.is_empty())
}

/// A token that one provider is proven to have issued.
struct Proven {
    provider: ProviderRow,
    claims: Claims,
}

impl Credentials {
    pub(super) async fn by_identity(
        &self,
        db: &Db,
        token: &str,
        presented: &Presented,
        visit: &Visit,
    ) -> Result<Credential, Problem> {
        let proven = self.prove(db, token, presented, visit).await?;
        let (provider, claims, identity) = self.identify(db, token, proven, visit).await?;
        let person = UserId::from_uuid(identity.user_id);
        Ok(Credential {
            organization_id: provider.organization_id(),
            actor: Actor::User(person),
            person: Some(person),
            session_id: None,
            identity_provider_id: Some(provider.id()),
            second_factor: provider.has_second_factor(&claims),
            access_version: identity.access_version,
            admission_id: None,
            clock_offset: identity.clock_offset,
            partner_id: identity.partner_id.map(PartnerId::from_uuid),
            expires_at: claims.expires_at(),
            seen_until: Some(visit.now + PROOF),
            rights: rights_of(&identity.built_in, &identity.permissions).into(),
            allowed_networks: Vec::new(),
            hash: hash_of(token),
        })
    }

    /// Who it is by the first of these providers that knows them or lets them in; those who are known already first. An
    /// organization may have several with one issuer and audience, of its own and of its partners.
    async fn identify(
        &self,
        db: &Db,
        token: &str,
        proven: Vec<Proven>,
        visit: &Visit,
    ) -> Result<(ProviderRow, Claims, IdentityRow), Problem> {
        let mut unknown = Vec::new();
        for Proven { provider, claims } in proven {
            match provider.arrival(&claims) {
                Ok(arrival) => match known(db, token, &provider, &arrival.subject, visit).await? {
                    Some(identity) if provider.lets_in(&identity) => return Ok((provider, claims, identity)),
                    Some(_) => self.note(
                        db,
                        &provider,
                        RefusalReason::UserNotActive,
                        Some(&arrival.subject),
                        visit,
                    ),
                    None => unknown.push((provider, claims, arrival)),
                },
                Err(reason) => {
                    let subject = claims.text(&provider.subject_claim);
                    self.note(db, &provider, reason, subject, visit);
                }
            }
        }
        for (provider, claims, arrival) in unknown {
            match self.introduce(db, token, &provider, &arrival, visit).await? {
                Ok(identity) if provider.lets_in(&identity) => return Ok((provider, claims, identity)),
                Ok(_) => self.note(
                    db,
                    &provider,
                    RefusalReason::UserNotActive,
                    Some(&arrival.subject),
                    visit,
                ),
                Err(reason) => self.note(db, &provider, reason, Some(&arrival.subject), visit),
            }
        }
        Err(Problem::new(Code::Unauthorized))
    }

    fn note(
        &self,
        db: &Db,
        provider: &ProviderRow,
        reason: RefusalReason,
        subject: Option<&str>,
        visit: &Visit,
    ) {
        self.refusals.note(db, provider.refused(reason, subject), visit);
    }

    /// The providers of one organization that are proven to have issued the token.
    async fn prove(
        &self,
        db: &Db,
        token: &str,
        presented: &Presented,
        visit: &Visit,
    ) -> Result<Vec<Proven>, Problem> {
        let unauthorized = || Problem::new(Code::Unauthorized);
        let issuer = presented.issuer().ok_or_else(unauthorized)?.to_owned();
        let (audiences, organization_id) = (presented.audiences(), visit.organization_id);
        let found = db
            .outside(move |connection| Ok(providers(connection, &issuer, &audiences, organization_id)?))
            .await?;
        let (found, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|provider| provider.takes_audience);
        if found.is_empty() {
            for provider in &others {
                self.note(db, provider, RefusalReason::AudienceNotAllowed, None, visit);
            }
            return Err(unauthorized());
        }
        let found = of_first_tenants(found, presented);
        let checks = found
            .iter()
            .map(|provider| self.check(db, token, presented, provider, visit.now));
        let outcomes = join_all(checks).await;
        let mut proven = Vec::new();
        for (provider, outcome) in found.into_iter().zip(outcomes) {
            match outcome {
                Ok(claims) => proven.push(Proven { provider, claims }),
                Err(reason) => self.note(db, &provider, reason, None, visit),
            }
        }
        let organizations: HashSet<Uuid> = proven.iter().map(|one| one.provider.organization_id).collect();
        if organizations.len() > 1 {
            for one in &proven {
                let refused = one.provider.refused(RefusalReason::OrganizationAmbiguous, None);
                self.refusals.note(db, refused, visit);
            }
            let detail = "Several organizations take this token: name the one you mean in the header \
                Copartner-Organization.";
            return Err(unauthorized().because(detail));
        }
        if proven.is_empty() {
            return Err(unauthorized());
        }
        Ok(proven)
    }

    async fn check(
        &self,
        db: &Db,
        token: &str,
        presented: &Presented,
        provider: &ProviderRow,
        now: DateTime<Utc>,
    ) -> Result<Claims, RefusalReason> {
        if !provider.is_active {
            return Err(RefusalReason::ProviderNotActive);
        }
        let algorithms = provider.algorithms();
        if !presented.is_signed_by_any(&algorithms) {
            return Err(RefusalReason::AlgorithmNotAllowed);
        }
        let keys = match (provider.published(), &provider.jwks) {
            (Some(published), _) => {
                let is_there = |keys: &KeySet| presented.may_be_signed_by(keys);
                self.keys.keys(db, published, now, is_there).await
            }
            (None, Some(document)) => KeySet::read(document).map(Arc::new),
            (None, None) => None,
        };
        let keys = keys.ok_or(RefusalReason::KeyUnknown)?;
        jwt::verify(token, presented, &keys, &algorithms, now)
    }

    /// Who it is here from now on, where that is how the provider was set up.
    async fn introduce(
        &self,
        db: &Db,
        token: &str,
        provider: &ProviderRow,
        arrival: &Arrival,
        visit: &Visit,
    ) -> Result<Result<IdentityRow, RefusalReason>, Problem> {
        let ctx = Ctx {
            request_id: visit.request_id,
            address: visit.address.map(|address| address.to_string()),
            ..Ctx::system(provider.organization_id(), visit.now).ahead_by(provider.clock_offset)
        };
        let (welcome, newcomer) = (self.welcome, arrival.clone());
        let circumstances = ctx.clone();
        let refusal = db
            .write(&ctx, move |tx| welcome(tx, &circumstances, &newcomer))
            .await;
        match refusal {
            Ok(None) => {}
            Ok(Some(reason)) => return Ok(Err(reason)),
            // Somebody else took the address in the same moment.
            Err(problem) if problem.code == Code::AlreadyExists => {
                return Ok(Err(RefusalReason::UserUnknown));
            }
            Err(problem) => return Err(problem),
        }
        let identity = known(db, token, provider, &arrival.subject, visit).await?;
        Ok(identity.ok_or(RefusalReason::UserUnknown))
    }
}

/// Of the providers with the token's issuer and audience, those of whoever connected these first in each organization, for
/// the domain of the token's e-mail address: the organization itself before any partner, even while its provider is
/// suspended. Whoever connects somebody else's comes by nobody's people.
fn of_first_tenants(found: Vec<ProviderRow>, presented: &Presented) -> Vec<ProviderRow> {
    let (found, others): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|provider| provider.may_be_meant_by(presented));
    if found.is_empty() {
        return others;
    }
    let mut first: HashMap<Uuid, Option<Uuid>> = HashMap::new();
    for provider in found.iter().filter(|provider| provider.partner_id.is_none()) {
        first.insert(provider.organization_id, None);
    }
    // Active ones come first, and of those the oldest.
    for provider in &found {
        first
            .entry(provider.organization_id)
            .or_insert(provider.partner_id);
    }
    let is_first =
        |provider: &ProviderRow| first.get(&provider.organization_id) == Some(&provider.partner_id);
    found.into_iter().filter(is_first).collect()
}

/// Who has this subject, where somebody has; the login is noted.
async fn known(
    db: &Db,
    token: &str,
    provider: &ProviderRow,
    subject: &str,
    visit: &Visit,
) -> Result<Option<IdentityRow>, Problem> {
    let (organization, provider, visit) = (provider.organization_id, provider.id, *visit);
    let (subject, hash) = (subject.to_owned(), hash_of(token));
    let event = AuthenticationEventId::new(visit.now).uuid();
    db.outside(move |connection| {
        let query = sql_query(
            "SELECT user_id, is_active, partner_id, access_version, built_in, permissions, \
                 clock_offset_of($1) AS clock_offset \
             FROM authenticate_identity($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind::<SqlUuid, _>(organization)
        .bind::<SqlUuid, _>(provider)
        .bind::<Text, _>(&subject)
        .bind::<Binary, _>(hash.to_vec())
        .bind::<SqlUuid, _>(event)
        .bind::<Nullable<Text>, _>(visit.address.map(|address| address.to_string()))
        .bind::<SqlUuid, _>(visit.request_id.uuid())
        .bind::<Timestamptz, _>(visit.now);
        Ok(Prepared(query).get_result(connection).optional()?)
    })
    .await
}
