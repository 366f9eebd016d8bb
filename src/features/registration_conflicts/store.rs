//! Conflicts in Postgres. Every query takes the caller's scope.

use super::domain::{ConflictKind, ConflictStatus, Decision, NewConflict, Party, RegistrationConflict, Side};
use crate::features::deal_rules::SecondRegistrant;
use crate::kernel::ctx::{ActorId, Ctx, Scope};
use crate::kernel::id::{
    AccountId, DealId, DealRegistrationId, PartnerId, ProductFamilyId, ReferralId, RegistrationConflictId,
};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::{registration_conflict_parties, registration_conflicts};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use std::collections::HashMap;
use std::str::FromStr;
use uuid::Uuid;

/// Which conflicts a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct ConflictFilter {
    /// Any of these states; empty is all.
    pub statuses: Vec<ConflictStatus>,
    /// In which this claim is a party.
    pub deal_registration_id: Option<DealRegistrationId>,
    /// Over this account; for the organization's own callers.
    pub account_id: Option<AccountId>,
}

#[derive(Debug, Clone, Queryable, QueryableByName, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = registration_conflicts, treat_none_as_null = true, check_for_backend(Pg))]
struct ConflictRow {
    organization_id: Uuid,
    id: Uuid,
    account_id: Uuid,
    product_family_id: Option<Uuid>,
    kind: String,
    policy: String,
    status: String,
    decision: Option<String>,
    reason: Option<String>,
    incumbent_registration_id: Option<Uuid>,
    deal_id: Option<Uuid>,
    referral_id: Option<Uuid>,
    winner_registration_id: Option<Uuid>,
    respond_by: DateTime<Utc>,
    decided_by: Option<Uuid>,
    decided_by_type: Option<String>,
    decided_at: Option<DateTime<Utc>>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = registration_conflict_parties, check_for_backend(Pg))]
struct PartyRow {
    organization_id: Uuid,
    registration_conflict_id: Uuid,
    deal_registration_id: Uuid,
    partner_id: Uuid,
    side: String,
    evidence: Option<String>,
    joined_at: DateTime<Utc>,
}

/// One conflict; a partner's caller sees of those in which it is a party what is said of its own side.
pub fn find(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: RegistrationConflictId,
) -> Result<Option<RegistrationConflict>, Problem> {
    let query = sql_query("SELECT * FROM seen_conflicts WHERE organization_id = $1 AND id = $2")
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<SqlUuid, _>(id.uuid());
    let row: Option<ConflictRow> = Prepared(query).get_result(tx.connection()).optional()?;
    row.map(RegistrationConflict::try_from).transpose()
}

/// One conflict, locked until the transaction ends; in house.
pub fn lock(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: RegistrationConflictId,
) -> Result<Option<RegistrationConflict>, Problem> {
    if scope.partner_id.is_some() {
        return Ok(None);
    }
    let row: Option<ConflictRow> = registration_conflicts::table
        .filter(registration_conflicts::organization_id.eq(scope.organization_id.uuid()))
        .filter(registration_conflicts::id.eq(id.uuid()))
        .select(ConflictRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    row.map(RegistrationConflict::try_from).transpose()
}

/// A page of conflicts, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &ConflictFilter,
    page: &PageRequest,
) -> Result<Page<RegistrationConflict>, Problem> {
    if scope.partner_id.is_some() {
        return list_seen(tx, scope, filter, page);
    }
    let mut query = registration_conflicts::table
        .filter(registration_conflicts::organization_id.eq(scope.organization_id.uuid()))
        .select(ConflictRow::as_select())
        .order(registration_conflicts::id.desc())
        .into_boxed();
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(registration_conflicts::status.eq_any(statuses));
    }
    if let Some(id) = filter.deal_registration_id {
        query = query.filter(registration_conflicts::id.eq_any(joined_by(scope, id)));
    }
    if let Some(id) = filter.account_id {
        query = query.filter(registration_conflicts::account_id.eq(id.uuid()));
    }
    if let Some(last) = &page.after {
        query = query.filter(registration_conflicts::id.lt(last.id));
    }
    let rows: Vec<ConflictRow> = page.rows_of(query).load(tx.connection())?;
    page_of_rows(rows, page)
}

/// A page of what a partner's caller is shown of its conflicts. The account is none of its business, and so not what it
/// finds a conflict by.
fn list_seen(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &ConflictFilter,
    page: &PageRequest,
) -> Result<Page<RegistrationConflict>, Problem> {
    let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
    let last = page.after.as_ref().map(|last| last.id);
    let query = sql_query(
        "SELECT * FROM seen_conflicts WHERE organization_id = $1 AND ($2 = '{}' OR status = ANY($2)) \
             AND ($3 IS NULL OR id IN (SELECT p.registration_conflict_id FROM registration_conflict_parties p \
                 WHERE p.organization_id = $1 AND p.deal_registration_id = $3 AND p.partner_id = $4)) \
             AND $5 IS NULL AND ($6 IS NULL OR id < $6) \
         ORDER BY id DESC LIMIT $7",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<Text>, _>(statuses)
    .bind::<Nullable<SqlUuid>, _>(filter.deal_registration_id.map(DealRegistrationId::uuid))
    .bind::<Nullable<SqlUuid>, _>(scope.partner_id.map(PartnerId::uuid))
    .bind::<Nullable<SqlUuid>, _>(filter.account_id.map(AccountId::uuid))
    .bind::<Nullable<SqlUuid>, _>(last)
    .bind::<BigInt, _>(page.fetch());
    let rows: Vec<ConflictRow> = Prepared(query).load(tx.connection())?;
    page_of_rows(rows, page)
}

fn page_of_rows(rows: Vec<ConflictRow>, page: &PageRequest) -> Result<Page<RegistrationConflict>, Problem> {
    let found = rows
        .into_iter()
        .map(RegistrationConflict::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(found, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// The parties of a conflict; to a partner's caller its own.
pub fn parties(tx: &mut Tx<'_>, scope: &Scope, id: RegistrationConflictId) -> Result<Vec<Party>, Problem> {
    Ok(parties_of(tx, scope, &[id])?.remove(&id).unwrap_or_default())
}

/// The parties of conflicts, by conflict, in the order in which they came; to a partner's caller its own.
pub fn parties_of(
    tx: &mut Tx<'_>,
    scope: &Scope,
    ids: &[RegistrationConflictId],
) -> Result<HashMap<RegistrationConflictId, Vec<Party>>, Problem> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let mut query = registration_conflict_parties::table
        .filter(registration_conflict_parties::organization_id.eq(scope.organization_id.uuid()))
        .filter(registration_conflict_parties::registration_conflict_id.eq_any(ids))
        .order((
            registration_conflict_parties::joined_at,
            registration_conflict_parties::side.desc(),
            registration_conflict_parties::deal_registration_id,
        ))
        .select(PartyRow::as_select())
        .into_boxed();
    if let Some(own) = scope.partner_id {
        query = query.filter(registration_conflict_parties::partner_id.eq(own.uuid()));
    }
    let rows: Vec<PartyRow> = query.load(tx.connection())?;
    let mut found: HashMap<RegistrationConflictId, Vec<Party>> = HashMap::new();
    for row in rows {
        let id = RegistrationConflictId::from_uuid(row.registration_conflict_id);
        found.entry(id).or_default().push(Party::try_from(row)?);
    }
    Ok(found)
}

/// The last conflict in which this claim is a party.
pub fn of_party(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: DealRegistrationId,
) -> Result<Option<RegistrationConflict>, Problem> {
    let row: Option<ConflictRow> = registration_conflicts::table
        .filter(registration_conflicts::organization_id.eq(scope.organization_id.uuid()))
        .filter(registration_conflicts::id.eq_any(joined_by(scope, id)))
        .order(registration_conflicts::id.desc())
        .select(ConflictRow::as_select())
        .first(tx.connection())
        .optional()?;
    row.map(RegistrationConflict::try_from).transpose()
}

/// The open conflicts between this claim and a deal, locked until the transaction ends.
pub fn lock_open_with_deal(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: DealRegistrationId,
    deal_id: DealId,
) -> Result<Vec<RegistrationConflict>, Problem> {
    let rows: Vec<ConflictRow> = registration_conflicts::table
        .filter(registration_conflicts::organization_id.eq(scope.organization_id.uuid()))
        .filter(registration_conflicts::deal_id.eq(deal_id.uuid()))
        .filter(registration_conflicts::status.eq(ConflictStatus::Open.as_str()))
        .filter(registration_conflicts::id.eq_any(joined_by(scope, id)))
        .order(registration_conflicts::id)
        .select(ConflictRow::as_select())
        .for_no_key_update()
        .load(tx.connection())?;
    rows.into_iter().map(RegistrationConflict::try_from).collect()
}

/// The conflict that is known already: the open one over the same, or the one in which this claim was refused for the
/// same.
pub fn same(
    tx: &mut Tx<'_>,
    scope: &Scope,
    new: &NewConflict<'_>,
) -> Result<Option<RegistrationConflict>, Problem> {
    let incumbent = new.incumbent.map(|incumbent| incumbent.id.uuid());
    let mut query = registration_conflicts::table
        .filter(registration_conflicts::organization_id.eq(scope.organization_id.uuid()))
        .filter(registration_conflicts::kind.eq(new.kind.as_str()))
        .filter(registration_conflicts::incumbent_registration_id.is_not_distinct_from(incumbent))
        .filter(registration_conflicts::deal_id.is_not_distinct_from(new.deal_id.map(DealId::uuid)))
        .filter(
            registration_conflicts::referral_id.is_not_distinct_from(new.referral_id.map(ReferralId::uuid)),
        )
        .order(registration_conflicts::id.desc())
        .select(ConflictRow::as_select())
        .into_boxed();
    query = if new.is_refused {
        query.filter(registration_conflicts::decided_by.is_null())
    } else {
        query.filter(registration_conflicts::status.eq(ConflictStatus::Open.as_str()))
    };
    if new.kind == ConflictKind::SimilarAccount {
        let claim = new.challenger.or(new.incumbent);
        let account_id = claim.map(|claim| claim.account_id.uuid());
        query = query.filter(
            registration_conflicts::account_id
                .nullable()
                .is_not_distinct_from(account_id),
        );
    }
    // Where nobody stands in the way but the account itself, each claim is a case of its own; so is a refused one.
    let is_own_case = new.is_refused || new.kind == ConflictKind::ExistingCustomer;
    if let Some(challenger) = new.challenger.filter(|_| is_own_case) {
        query = query.filter(registration_conflicts::id.eq_any(challenged_by(scope, challenger.id)));
    }
    let row: Option<ConflictRow> = query.first(tx.connection()).optional()?;
    row.map(RegistrationConflict::try_from).transpose()
}

/// Writes a new conflict.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, conflict: &RegistrationConflict) -> Result<(), Problem> {
    let row = ConflictRow::of(scope, conflict);
    Prepared(diesel::insert_into(registration_conflicts::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed conflict.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, conflict: &RegistrationConflict) -> Result<(), Problem> {
    let row = ConflictRow::of(scope, conflict);
    let target = registration_conflicts::table
        .filter(registration_conflicts::organization_id.eq(scope.organization_id.uuid()))
        .filter(registration_conflicts::id.eq(conflict.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

#[derive(QueryableByName)]
struct Moved {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Moves an account's conflicts, or those of these that it still has, to another account; which they were.
pub fn move_to_account(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    from: AccountId,
    to: AccountId,
    only: Option<&[Uuid]>,
) -> Result<Vec<Uuid>, Problem> {
    let query = sql_query(
        "UPDATE registration_conflicts SET account_id = $3, row_version = row_version + 1, updated_at = $4 \
         WHERE organization_id = $1 AND account_id = $2 AND ($5 IS NULL OR id = ANY($5)) RETURNING id",
    )
    .bind::<SqlUuid, _>(ctx.organization_id().uuid())
    .bind::<SqlUuid, _>(from.uuid())
    .bind::<SqlUuid, _>(to.uuid())
    .bind::<Timestamptz, _>(ctx.now)
    .bind::<Nullable<Array<SqlUuid>>, _>(only);
    let rows: Vec<Moved> = query.load(tx.connection())?;
    Ok(rows.iter().map(|row| row.id).collect())
}

/// Writes a party down; whether it was none before.
pub fn join(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: RegistrationConflictId,
    party: &Party,
) -> Result<bool, Problem> {
    let row = PartyRow {
        organization_id: scope.organization_id.uuid(),
        registration_conflict_id: id.uuid(),
        deal_registration_id: party.deal_registration_id.uuid(),
        partner_id: party.partner_id.uuid(),
        side: party.side.as_str().to_owned(),
        evidence: party.evidence.clone(),
        joined_at: party.joined_at,
    };
    let written = diesel::insert_into(registration_conflict_parties::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(tx.connection())?;
    Ok(written > 0)
}

/// Writes what a party brought forward.
pub fn add_evidence(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: RegistrationConflictId,
    registration_id: DealRegistrationId,
    evidence: &str,
) -> Result<(), Problem> {
    let target = registration_conflict_parties::table
        .filter(registration_conflict_parties::organization_id.eq(scope.organization_id.uuid()))
        .filter(registration_conflict_parties::registration_conflict_id.eq(id.uuid()))
        .filter(registration_conflict_parties::deal_registration_id.eq(registration_id.uuid()));
    diesel::update(target)
        .set(registration_conflict_parties::evidence.eq(evidence))
        .execute(tx.connection())?;
    Ok(())
}

type Ids<'a> = registration_conflict_parties::BoxedQuery<'a, Pg, diesel::sql_types::Uuid>;

/// The conflicts in which a claim is a party.
fn joined_by<'a>(scope: &Scope, id: DealRegistrationId) -> Ids<'a> {
    registration_conflict_parties::table
        .filter(registration_conflict_parties::organization_id.eq(scope.organization_id.uuid()))
        .filter(registration_conflict_parties::deal_registration_id.eq(id.uuid()))
        .select(registration_conflict_parties::registration_conflict_id)
        .into_boxed()
}

/// The conflicts in which a claim is a challenger.
fn challenged_by<'a>(scope: &Scope, id: DealRegistrationId) -> Ids<'a> {
    joined_by(scope, id).filter(registration_conflict_parties::side.eq(Side::Challenger.as_str()))
}

impl ConflictRow {
    fn of(scope: &Scope, conflict: &RegistrationConflict) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: conflict.id.uuid(),
            account_id: conflict.account_id.uuid(),
            product_family_id: conflict.product_family_id.map(ProductFamilyId::uuid),
            kind: conflict.kind.as_str().to_owned(),
            policy: conflict.policy.as_str().to_owned(),
            status: conflict.status.as_str().to_owned(),
            decision: conflict.decision.map(|decision| decision.as_str().to_owned()),
            reason: conflict.reason.clone(),
            incumbent_registration_id: conflict.incumbent_registration_id.map(DealRegistrationId::uuid),
            deal_id: conflict.deal_id.map(DealId::uuid),
            referral_id: conflict.referral_id.map(ReferralId::uuid),
            winner_registration_id: conflict.winner_registration_id.map(DealRegistrationId::uuid),
            respond_by: conflict.respond_by,
            decided_by: conflict.decided_by.map(ActorId::uuid),
            decided_by_type: conflict.decided_by.map(|by| by.kind().to_owned()),
            decided_at: conflict.decided_at,
            row_version: conflict.row_version,
            created_at: conflict.created_at,
            updated_at: conflict.updated_at,
        }
    }
}

impl TryFrom<ConflictRow> for RegistrationConflict {
    type Error = Problem;

    fn try_from(row: ConflictRow) -> Result<Self, Problem> {
        let decision = row.decision.as_deref().map(Decision::from_str).transpose();
        Ok(Self {
            id: RegistrationConflictId::from_uuid(row.id),
            account_id: AccountId::from_uuid(row.account_id),
            product_family_id: row.product_family_id.map(ProductFamilyId::from_uuid),
            kind: ConflictKind::from_str(&row.kind).map_err(Problem::damaged)?,
            policy: SecondRegistrant::from_str(&row.policy).map_err(Problem::damaged)?,
            status: ConflictStatus::from_str(&row.status).map_err(Problem::damaged)?,
            decision: decision.map_err(Problem::damaged)?,
            reason: row.reason,
            incumbent_registration_id: row.incumbent_registration_id.map(DealRegistrationId::from_uuid),
            deal_id: row.deal_id.map(DealId::from_uuid),
            referral_id: row.referral_id.map(ReferralId::from_uuid),
            winner_registration_id: row.winner_registration_id.map(DealRegistrationId::from_uuid),
            respond_by: row.respond_by,
            decided_by: ActorId::of_columns(row.decided_by_type.as_deref(), row.decided_by),
            decided_at: row.decided_at,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl TryFrom<PartyRow> for Party {
    type Error = Problem;

    fn try_from(row: PartyRow) -> Result<Self, Problem> {
        Ok(Self {
            deal_registration_id: DealRegistrationId::from_uuid(row.deal_registration_id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            side: Side::from_str(&row.side).map_err(Problem::damaged)?,
            evidence: row.evidence,
            joined_at: row.joined_at,
        })
    }
}
