//! Referral links and clicks in Postgres. Every query takes the caller's scope.

use super::domain::{Click, ReferralLink, ReferralLinkStatus, ReportedClick, Tally};
use crate::kernel::ctx::Scope;
use crate::kernel::id::{ClickId, PartnerId, ProgramId, ReferralId, ReferralLinkId};
use crate::kernel::problem::{Code, Problem};
use crate::platform::db::schema::{clicks, referral_links};
use crate::platform::db::{Page, PageRequest, Position, Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use std::str::FromStr;
use uuid::Uuid;

/// How many clicks of a visitor are looked at.
const MOST_CANDIDATES: i64 = 100;

/// Which links a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct ReferralLinkFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// In this program.
    pub program_id: Option<ProgramId>,
    /// In any of these states; empty is all.
    pub statuses: Vec<ReferralLinkStatus>,
    /// With this code.
    pub code: Option<String>,
}

/// Which clicks a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct ClickFilter {
    /// By this link.
    pub referral_link_id: Option<ReferralLinkId>,
    /// By links of this partner.
    pub partner_id: Option<PartnerId>,
    /// In this program.
    pub program_id: Option<ProgramId>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = referral_links, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct LinkRow {
    organization_id: Uuid,
    id: Uuid,
    partner_id: Uuid,
    program_id: Uuid,
    code: String,
    target_url: String,
    status: String,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = clicks, check_for_backend(diesel::pg::Pg))]
struct ClickRow {
    id: Uuid,
    referral_link_id: Uuid,
    partner_id: Uuid,
    program_id: Uuid,
    visitor: String,
    clicked_at: DateTime<Utc>,
    last_clicked_at: DateTime<Utc>,
    referral_id: Option<Uuid>,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    known: i64,
    #[diesel(sql_type = BigInt)]
    recorded: i64,
}

/// One link.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: ReferralLinkId) -> Result<Option<ReferralLink>, Problem> {
    let row = referral_links::table
        .filter(referral_links::organization_id.eq(scope.organization_id.uuid()))
        .filter(referral_links::id.eq(id.uuid()))
        .select(LinkRow::as_select())
        .first(tx.connection())
        .optional()?;
    within(scope, row)
}

/// One link, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, scope: &Scope, id: ReferralLinkId) -> Result<Option<ReferralLink>, Problem> {
    let row = referral_links::table
        .filter(referral_links::organization_id.eq(scope.organization_id.uuid()))
        .filter(referral_links::id.eq(id.uuid()))
        .select(LinkRow::as_select())
        .for_no_key_update()
        .first(tx.connection())
        .optional()?;
    within(scope, row)
}

/// A page of links, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &ReferralLinkFilter,
    page: &PageRequest,
) -> Result<Page<ReferralLink>, Problem> {
    let mut query = referral_links::table
        .filter(referral_links::organization_id.eq(scope.organization_id.uuid()))
        .select(LinkRow::as_select())
        .order(referral_links::id.desc())
        .into_boxed();
    for partner_id in scope.partner_id.iter().chain(&filter.partner_id) {
        query = query.filter(referral_links::partner_id.eq(partner_id.uuid()));
    }
    if let Some(program_id) = filter.program_id {
        query = query.filter(referral_links::program_id.eq(program_id.uuid()));
    }
    if !filter.statuses.is_empty() {
        let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        query = query.filter(referral_links::status.eq_any(statuses));
    }
    if let Some(code) = &filter.code {
        query = query.filter(referral_links::code.eq(code));
    }
    if let Some(last) = &page.after {
        query = query.filter(referral_links::id.lt(last.id));
    }
    let rows: Vec<LinkRow> = page.rows_of(query).load(tx.connection())?;
    let links = rows
        .into_iter()
        .map(ReferralLink::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(links, |last| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Writes a new link.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, link: &ReferralLink) -> Result<(), Problem> {
    let row = LinkRow::of(scope, link);
    Prepared(diesel::insert_into(referral_links::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed link.
pub fn update(tx: &mut Tx<'_>, scope: &Scope, link: &ReferralLink) -> Result<(), Problem> {
    let row = LinkRow::of(scope, link);
    let target = referral_links::table
        .filter(referral_links::organization_id.eq(scope.organization_id.uuid()))
        .filter(referral_links::id.eq(link.id.uuid()));
    Prepared(diesel::update(target).set(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes clicks in one statement, each visitor's of a half hour as one, in an order in which two reports never wait
/// for each other. Those by a code that no link has, or had when it was clicked, are counted only: a retired link changes no
/// more, so that it was retired when it changed last.
pub fn record(
    tx: &mut Tx<'_>,
    scope: &Scope,
    reported: &[ReportedClick],
    now: DateTime<Utc>,
) -> Result<Tally, Problem> {
    let query = sql_query(
        "WITH reported AS ( \
             SELECT l.id AS referral_link_id, l.partner_id, l.program_id, r.visitor, \
                 date_bin('30 minutes', r.clicked_at, TIMESTAMPTZ '2000-01-01 00:00:00Z') AS window_starts_at, \
                 (array_agg(r.id))[1] AS id, min(r.clicked_at) AS clicked_at, max(r.clicked_at) AS last_clicked_at, \
                 count(*) AS times \
             FROM unnest($2, $3, $4, $5) AS r (id, code, visitor, clicked_at) \
             JOIN referral_links l ON l.organization_id = $1 AND l.code = r.code \
                 AND (l.status = 'active' OR r.clicked_at < l.updated_at) \
             GROUP BY 1, 2, 3, 4, 5), \
         written AS ( \
             INSERT INTO clicks AS c (organization_id, id, referral_link_id, partner_id, program_id, visitor, \
                 window_starts_at, clicked_at, last_clicked_at) \
             SELECT $1, id, referral_link_id, partner_id, program_id, visitor, window_starts_at, clicked_at, \
                 last_clicked_at FROM reported ORDER BY referral_link_id, visitor, window_starts_at \
             ON CONFLICT ON CONSTRAINT clicks_window_key DO UPDATE \
             SET clicked_at = least(c.clicked_at, EXCLUDED.clicked_at), \
                 last_clicked_at = greatest(c.last_clicked_at, EXCLUDED.last_clicked_at) \
             WHERE c.clicked_at > EXCLUDED.clicked_at OR c.last_clicked_at < EXCLUDED.last_clicked_at \
             RETURNING c.xmax = 0 AS is_new) \
         SELECT (SELECT coalesce(sum(times), 0)::bigint FROM reported) AS known, \
             (SELECT count(*) FROM written WHERE is_new) AS recorded",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(each(reported, |_| ClickId::new(now).uuid()))
    .bind::<Array<Text>, _>(each(reported, |click| click.code.clone()))
    .bind::<Array<Text>, _>(each(reported, |click| click.visitor.clone()))
    .bind::<Array<Timestamptz>, _>(each(reported, |click| click.clicked_at));
    let counted: Vec<Counted> = Prepared(query).load(tx.connection())?;
    let counted = counted.first().ok_or_else(Problem::internal)?;
    let all = i64::try_from(reported.len()).map_err(Problem::damaged)?;
    Ok(Tally {
        recorded: counted.recorded,
        repeated: counted.known - counted.recorded,
        bots: 0,
        unknown: all - counted.known,
    })
}

/// A page of clicks, newest first.
pub fn clicks(
    tx: &mut Tx<'_>,
    scope: &Scope,
    filter: &ClickFilter,
    page: &PageRequest,
) -> Result<Page<Click>, Problem> {
    let mut query = clicks::table
        .filter(clicks::organization_id.eq(scope.organization_id.uuid()))
        .select(ClickRow::as_select())
        .order(clicks::id.desc())
        .into_boxed();
    for partner_id in scope.partner_id.iter().chain(&filter.partner_id) {
        query = query.filter(clicks::partner_id.eq(partner_id.uuid()));
    }
    if let Some(id) = filter.referral_link_id {
        query = query.filter(clicks::referral_link_id.eq(id.uuid()));
    }
    if let Some(program_id) = filter.program_id {
        query = query.filter(clicks::program_id.eq(program_id.uuid()));
    }
    if let Some(last) = &page.after {
        query = query.filter(clicks::id.lt(last.id));
    }
    let rows: Vec<ClickRow> = page.rows_of(query).load(tx.connection())?;
    let found = rows.into_iter().map(Click::from).collect();
    Ok(page.page(found, |last: &Click| Position {
        key: String::new(),
        id: last.id.uuid(),
    }))
}

/// Whether the visitor became a referral in the program.
pub fn has_converted(
    tx: &mut Tx<'_>,
    scope: &Scope,
    program_id: ProgramId,
    visitor: &str,
) -> Result<bool, Problem> {
    let converted = clicks::table
        .filter(clicks::organization_id.eq(scope.organization_id.uuid()))
        .filter(clicks::program_id.eq(program_id.uuid()))
        .filter(clicks::visitor.eq(visitor))
        .filter(clicks::referral_id.is_not_null());
    Ok(diesel::select(exists(converted)).get_result(tx.connection())?)
}

/// The visitor's clicks in the program since an instant: the first ones first, or the last ones.
pub fn candidates(
    tx: &mut Tx<'_>,
    scope: &Scope,
    program_id: ProgramId,
    visitor: &str,
    since: DateTime<Utc>,
    first_ones_first: bool,
) -> Result<Vec<Click>, Problem> {
    let query = clicks::table
        .filter(clicks::organization_id.eq(scope.organization_id.uuid()))
        .filter(clicks::program_id.eq(program_id.uuid()))
        .filter(clicks::visitor.eq(visitor))
        .filter(clicks::last_clicked_at.ge(since))
        .select(ClickRow::as_select())
        .limit(MOST_CANDIDATES)
        .into_boxed();
    let query = if first_ones_first {
        query.order((clicks::clicked_at.asc(), clicks::id.asc()))
    } else {
        query.order((clicks::last_clicked_at.desc(), clicks::id.asc()))
    };
    let rows: Vec<ClickRow> = query.load(tx.connection())?;
    Ok(rows.into_iter().map(Click::from).collect())
}

/// Writes that a click became a referral. Nobody else was faster, or the work is done again and finds it converted.
pub fn convert(tx: &mut Tx<'_>, scope: &Scope, id: ClickId, referral_id: ReferralId) -> Result<(), Problem> {
    let target = clicks::table
        .filter(clicks::organization_id.eq(scope.organization_id.uuid()))
        .filter(clicks::id.eq(id.uuid()))
        .filter(clicks::referral_id.is_null());
    let set = clicks::referral_id.eq(referral_id.uuid());
    let written = diesel::update(target).set(set).execute(tx.connection())?;
    if written == 1 {
        Ok(())
    } else {
        Err(Problem::new(Code::WriteConflict))
    }
}

/// A partner's caller meets its own links alone.
fn within(scope: &Scope, row: Option<LinkRow>) -> Result<Option<ReferralLink>, Problem> {
    let row = row.filter(|row| scope.partner_id.is_none_or(|own| own.uuid() == row.partner_id));
    row.map(ReferralLink::try_from).transpose()
}

fn each<T>(reported: &[ReportedClick], of: impl Fn(&ReportedClick) -> T) -> Vec<T> {
    reported.iter().map(of).collect()
}

impl LinkRow {
    fn of(scope: &Scope, link: &ReferralLink) -> Self {
        Self {
            organization_id: scope.organization_id.uuid(),
            id: link.id.uuid(),
            partner_id: link.partner_id.uuid(),
            program_id: link.program_id.uuid(),
            code: link.code.clone(),
            target_url: link.target_url.clone(),
            status: link.status.as_str().to_owned(),
            row_version: link.row_version,
            created_at: link.created_at,
            updated_at: link.updated_at,
        }
    }
}

impl TryFrom<LinkRow> for ReferralLink {
    type Error = Problem;

    fn try_from(row: LinkRow) -> Result<Self, Problem> {
        Ok(Self {
            id: ReferralLinkId::from_uuid(row.id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: ProgramId::from_uuid(row.program_id),
            code: row.code,
            target_url: row.target_url,
            status: ReferralLinkStatus::from_str(&row.status).map_err(Problem::damaged)?,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl From<ClickRow> for Click {
    fn from(row: ClickRow) -> Self {
        Self {
            id: ClickId::from_uuid(row.id),
            referral_link_id: ReferralLinkId::from_uuid(row.referral_link_id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: ProgramId::from_uuid(row.program_id),
            visitor: row.visitor,
            clicked_at: row.clicked_at,
            last_clicked_at: row.last_clicked_at,
            referral_id: row.referral_id.map(ReferralId::from_uuid),
        }
    }
}
