//! Identity providers in Postgres. Every query takes the caller's scope.

use super::domain::{
    ClaimNames, Identity, IdentityProvider, IdentityProviderStatus, KeySource, Provisioning, SigningAlgorithm,
};
use crate::kernel::ctx::{Ctx, Scope};
use crate::kernel::id::{IdentityProviderId, PartnerId, RoleId, UserId};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{identities, identity_providers};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::pg::Pg;
use diesel::prelude::*;
use serde_json::Value;
use std::str::FromStr;
use uuid::Uuid;

/// Which providers a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct IdentityProviderFilter {
    /// In this state.
    pub status: Option<IdentityProviderStatus>,
    /// This partner's.
    pub partner_id: Option<PartnerId>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = identity_providers, treat_none_as_null = true, check_for_backend(Pg))]
struct IdentityProviderRow {
    organization_id: Uuid,
    id: Uuid,
    partner_id: Option<Uuid>,
    name: String,
    issuer: String,
    audiences: Vec<String>,
    jwks_url: Option<String>,
    jwks: Option<Value>,
    algorithms: Vec<String>,
    subject_claim: String,
    email_claim: String,
    name_claim: String,
    partner_claim: Option<String>,
    email_domains: Vec<String>,
    accepts_unverified_email: bool,
    provisioning: String,
    default_role_ids: Vec<Uuid>,
    second_factor_methods: Vec<String>,
    second_factor_classes: Vec<String>,
    status: String,
    status_reason: Option<String>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

type Read = (IdentityProviderRow, Option<DateTime<Utc>>);
type ProviderQuery<'a> = identity_providers::BoxedQuery<
    'a,
    Pg,
    diesel::dsl::SqlTypeOf<(
        diesel::dsl::AsSelect<IdentityProviderRow, Pg>,
        identity_providers::fetched_at,
    )>,
>;

/// A partner's caller sees its own partner's providers alone.
fn visible(scope: &Scope) -> ProviderQuery<'static> {
    let query = identity_providers::table
        .filter(identity_providers::organization_id.eq(scope.organization_id.uuid()))
        .select((IdentityProviderRow::as_select(), identity_providers::fetched_at))
        .into_boxed();
    match scope.partner_id {
        Some(partner_id) => query.filter(identity_providers::partner_id.eq(partner_id.uuid())),
        None => query,
    }
}

/// One provider.
pub fn find(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: IdentityProviderId,
) -> Result<Option<IdentityProvider>, Problem> {
    let query = visible(scope).filter(identity_providers::id.eq(id.uuid()));
    let row: Option<Read> = query.first(tx.connection()).optional()?;
    row.map(provider).transpose()
}

/// One provider, locked until the transaction ends.
pub fn lock(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: IdentityProviderId,
) -> Result<Option<IdentityProvider>, Problem> {
    let row: Option<Read> = identity_providers::table
        .filter(identity_providers::organization_id.eq(scope.organization_id.uuid()))
        .filter(identity_providers::id.eq(id.uuid()))
        .select((IdentityProviderRow::as_select(), identity_providers::fetched_at))
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    let is_own = |(row, _): &Read| {
        scope
            .partner_id
            .is_none_or(|own| row.partner_id == Some(own.uuid()))
    };
    row.filter(is_own).map(provider).transpose()
}

/// A page of providers, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &IdentityProviderFilter,
    page: &PageRequest,
) -> Result<Page<IdentityProvider>, Problem> {
    let mut query = visible(scope).order(identity_providers::id.desc());
    if let Some(status) = filter.status {
        query = query.filter(identity_providers::status.eq(status.as_str()));
    }
    if let Some(partner_id) = filter.partner_id {
        query = query.filter(identity_providers::partner_id.eq(partner_id.uuid()));
    }
    if let Some(last) = &page.after {
        query = query.filter(identity_providers::id.lt(last.id));
    }
    let rows: Vec<Read> = page.rows_of(query).load(tx.connection())?;
    let providers: Vec<IdentityProvider> = rows.into_iter().map(provider).collect::<Result<_, _>>()?;
    Ok(page.page(providers, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new provider.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, provider: &IdentityProvider) -> Result<(), Problem> {
    let row = IdentityProviderRow::of(scope, provider);
    Prepared(diesel::insert_into(identity_providers::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed provider.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, provider: &IdentityProvider) -> Result<(), Problem> {
    let target = identity_providers::table
        .filter(identity_providers::organization_id.eq(scope.organization_id.uuid()))
        .filter(identity_providers::id.eq(provider.id.uuid()));
    let row = IdentityProviderRow::of(scope, provider);
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// Whether somebody is known by this identity.
pub fn is_known(tx: &mut Tx<'_>, scope: &Scope, identity: &Identity) -> Result<bool, Problem> {
    let found = identities::table
        .filter(identities::organization_id.eq(scope.organization_id.uuid()))
        .filter(identities::identity_provider_id.eq(identity.identity_provider_id.uuid()))
        .filter(identities::subject.eq(&identity.subject));
    Ok(diesel::select(exists(found)).get_result(tx.connection())?)
}

/// Whether a user has an identity at this provider.
pub fn has_identity(
    tx: &mut Tx<'_>,
    scope: &Scope,
    user_id: UserId,
    id: IdentityProviderId,
) -> Result<bool, Problem> {
    let found = identities::table
        .filter(identities::organization_id.eq(scope.organization_id.uuid()))
        .filter(identities::identity_provider_id.eq(id.uuid()))
        .filter(identities::user_id.eq(user_id.uuid()));
    Ok(diesel::select(exists(found)).get_result(tx.connection())?)
}

/// How many subjects of a provider became known since an instant.
pub fn linked_since(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: IdentityProviderId,
    instant: DateTime<Utc>,
) -> Result<i64, Problem> {
    let found = identities::table
        .filter(identities::organization_id.eq(scope.organization_id.uuid()))
        .filter(identities::identity_provider_id.eq(id.uuid()))
        .filter(identities::created_at.gt(instant));
    Ok(found.count().get_result(tx.connection())?)
}

/// Writes that a user is known by an identity.
pub fn link(tx: &mut Tx<'_>, ctx: &Ctx, user_id: UserId, identity: &Identity) -> Result<(), Problem> {
    let values = (
        identities::organization_id.eq(ctx.organization_id().uuid()),
        identities::identity_provider_id.eq(identity.identity_provider_id.uuid()),
        identities::subject.eq(identity.subject.clone()),
        identities::user_id.eq(user_id.uuid()),
        identities::created_at.eq(ctx.wall_now),
    );
    Prepared(diesel::insert_into(identities::table).values(values)).execute(tx.connection())?;
    Ok(())
}

impl IdentityProviderRow {
    fn of(scope: &Scope, provider: &IdentityProvider) -> Self {
        let (jwks_url, jwks) = match &provider.keys {
            KeySource::JwksUrl(url) => (Some(url.clone()), None),
            KeySource::Jwks(document) => (None, Some(document.clone())),
        };
        Self {
            organization_id: scope.organization_id.uuid(),
            id: provider.id.uuid(),
            partner_id: provider.partner_id.map(PartnerId::uuid),
            name: provider.name.clone(),
            issuer: provider.issuer.clone(),
            audiences: provider.audiences.clone(),
            jwks_url,
            jwks,
            algorithms: provider
                .algorithms
                .iter()
                .map(|one| one.as_str().to_owned())
                .collect(),
            subject_claim: provider.claims.subject.clone(),
            email_claim: provider.claims.email.clone(),
            name_claim: provider.claims.name.clone(),
            partner_claim: provider.claims.partner.clone(),
            email_domains: provider.email_domains.clone(),
            accepts_unverified_email: provider.accepts_unverified_email,
            provisioning: provider.provisioning.as_str().to_owned(),
            default_role_ids: provider.default_role_ids.iter().map(|id| id.uuid()).collect(),
            second_factor_methods: provider.second_factor_methods.clone(),
            second_factor_classes: provider.second_factor_classes.clone(),
            status: provider.status.as_str().to_owned(),
            status_reason: provider.status_reason.clone(),
            row_version: provider.row_version,
            created_at: provider.created_at,
            updated_at: provider.updated_at,
        }
    }
}

fn provider((row, keys_read_at): Read) -> Result<IdentityProvider, Problem> {
    let algorithms = row.algorithms.iter().map(|one| SigningAlgorithm::from_str(one));
    let keys = match (row.jwks_url, row.jwks) {
        (Some(url), _) => KeySource::JwksUrl(url),
        (None, Some(document)) => KeySource::Jwks(document),
        (None, None) => return Err(Problem::damaged("a provider without keys")),
    };
    Ok(IdentityProvider {
        id: IdentityProviderId::from_uuid(row.id),
        partner_id: row.partner_id.map(PartnerId::from_uuid),
        name: row.name,
        issuer: row.issuer,
        audiences: row.audiences,
        keys,
        algorithms: algorithms.collect::<Result<_, _>>().map_err(Problem::damaged)?,
        claims: ClaimNames {
            subject: row.subject_claim,
            email: row.email_claim,
            name: row.name_claim,
            partner: row.partner_claim,
        },
        email_domains: row.email_domains,
        accepts_unverified_email: row.accepts_unverified_email,
        provisioning: Provisioning::from_str(&row.provisioning).map_err(Problem::damaged)?,
        default_role_ids: row.default_role_ids.into_iter().map(RoleId::from_uuid).collect(),
        second_factor_methods: row.second_factor_methods,
        second_factor_classes: row.second_factor_classes,
        status: IdentityProviderStatus::from_str(&row.status).map_err(Problem::damaged)?,
        status_reason: row.status_reason,
        keys_read_at,
        row_version: row.row_version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
