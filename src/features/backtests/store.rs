//! Back-tests in Postgres. Every query takes the caller's scope.

use super::domain::{
    Backtest, BacktestError, BacktestStatus, Difference, EarlierRecalculation, Figures, Findings,
    Recalculation,
};
use crate::kernel::ctx::{ActorId, Scope};
use crate::kernel::id::{
    BacktestId, CommissionId, CommissionRuleId, CommissionRuleVersionId, CreditNoteId, DealId,
    OrganizationId, PartnerId, PaymentId, ProgramId,
};
use crate::kernel::money::{Currency, Money, Total};
use crate::kernel::problem::Problem;
use crate::kernel::time::Period;
use crate::platform::db::schema::backtests;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Interval, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::str::FromStr;
use uuid::Uuid;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = backtests, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
struct Row {
    organization_id: Uuid,
    id: Uuid,
    program_id: Uuid,
    commission_rule_id: Uuid,
    rule_version_id: Uuid,
    terms_hash: String,
    from_on: NaiveDate,
    until_on: NaiveDate,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    status: String,
    lines_done: i64,
    outcome: Option<Value>,
    error_code: Option<String>,
    created_by: Option<Uuid>,
    created_by_type: Option<String>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    recalculation_reason: Option<String>,
    author_secret_makers: Vec<Uuid>,
    adjustments_proposed: Option<i64>,
}

/// Findings as they are kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    totals: Vec<KeptFigures>,
    partners: Vec<(PartnerId, KeptFigures)>,
    largest: Vec<KeptDifference>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptFigures {
    currency: Currency,
    lines: i64,
    #[serde(with = "rust_decimal::serde::str")]
    was: Decimal,
    #[serde(with = "rust_decimal::serde::str")]
    would_be: Decimal,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptDifference {
    commission_id: CommissionId,
    deal_id: DealId,
    payment_id: Option<PaymentId>,
    credit_note_id: Option<CreditNoteId>,
    partner_id: PartnerId,
    currency: Currency,
    #[serde(with = "rust_decimal::serde::str")]
    was: Decimal,
    #[serde(with = "rust_decimal::serde::str")]
    would_be: Decimal,
    rule_version_id: Option<CommissionRuleVersionId>,
    would_be_rule_version_id: Option<CommissionRuleVersionId>,
}

/// One back-test.
pub fn find(tx: &mut Tx<'_>, scope: &Scope, id: BacktestId) -> Result<Option<Backtest>, Problem> {
    let row: Option<Row> = backtests::table
        .filter(backtests::organization_id.eq(scope.organization_id.uuid()))
        .filter(backtests::id.eq(id.uuid()))
        .select(Row::as_select())
        .first(tx.connection())
        .optional()?;
    row.map(Backtest::try_from).transpose()
}

/// The other recalculations of the program that have an outcome, the first first.
pub fn recalculations_besides(
    tx: &mut Tx<'_>,
    scope: &Scope,
    backtest: &Backtest,
) -> Result<Vec<EarlierRecalculation>, Problem> {
    let query = backtests::table
        .filter(backtests::organization_id.eq(scope.organization_id.uuid()))
        .filter(backtests::program_id.eq(backtest.program_id.uuid()))
        .filter(backtests::recalculation_reason.is_not_null())
        .filter(backtests::status.eq(BacktestStatus::Succeeded.as_str()))
        .filter(backtests::id.ne(backtest.id.uuid()))
        .order(backtests::id)
        .select(Row::as_select());
    let found: Vec<Row> = Prepared(query).load(tx.connection())?;
    Ok(found.into_iter().map(EarlierRecalculation::from).collect())
}

impl From<Row> for EarlierRecalculation {
    fn from(row: Row) -> Self {
        Self {
            id: BacktestId::from_uuid(row.id),
            days: (row.from_on, row.until_on),
            period: Period {
                from: row.starts_at,
                to: row.ends_at,
            },
            commission_rule_id: CommissionRuleId::from_uuid(row.commission_rule_id),
            rule_version_id: CommissionRuleVersionId::from_uuid(row.rule_version_id),
        }
    }
}

/// Writes a new back-test.
pub fn insert(tx: &mut Tx<'_>, scope: &Scope, backtest: &Backtest) -> Result<(), Problem> {
    let row = Row::of(scope, backtest)?;
    Prepared(diesel::insert_into(backtests::table).values(row)).execute(tx.connection())?;
    Ok(())
}

/// Writes a changed back-test and until when its worker is trusted to be at it, unless somebody else changed it since it
/// was read as `before`; says whether it did.
pub fn update(
    tx: &mut Tx<'_>,
    scope: &Scope,
    before: &Backtest,
    after: &Backtest,
    leased_until: Option<DateTime<Utc>>,
) -> Result<bool, Problem> {
    let row = Row::of(scope, after)?;
    let target = backtests::table
        .filter(backtests::organization_id.eq(scope.organization_id.uuid()))
        .filter(backtests::id.eq(after.id.uuid()))
        .filter(backtests::row_version.eq(before.row_version));
    let changed = diesel::update(target)
        .set((row, backtests::leased_until.eq(leased_until)))
        .execute(tx.connection())?;
    Ok(changed == 1)
}

#[derive(QueryableByName)]
struct RawClaim {
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Interval)]
    clock_offset: TimeDelta,
}

/// Takes the next back-test that waits for a worker, of any organization; with it, how far the organization's clock is
/// ahead.
pub fn claim(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    lease_seconds: i64,
) -> Result<Option<(OrganizationId, BacktestId, TimeDelta)>, Problem> {
    let query = sql_query(
        "SELECT organization_id, id, clock_offset_of(organization_id) AS clock_offset \
         FROM claim_backtest($1, $2 * interval '1 second')",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(lease_seconds);
    let claimed: Option<RawClaim> = Prepared(query).get_result(connection).optional()?;
    Ok(claimed.map(|row| {
        (
            OrganizationId::from_uuid(row.organization_id),
            BacktestId::from_uuid(row.id),
            row.clock_offset,
        )
    }))
}

/// Ends every lease.
pub fn release_all(connection: &mut PgConnection) -> Result<(), Problem> {
    sql_query("SELECT release_backtests()").execute(connection)?;
    Ok(())
}

impl Row {
    fn of(scope: &Scope, backtest: &Backtest) -> Result<Self, Problem> {
        let findings = backtest.findings.as_ref().map(Kept::from);
        let by = backtest.created_by;
        let recalculation = backtest.recalculation.as_ref();
        Ok(Self {
            organization_id: scope.organization_id.uuid(),
            id: backtest.id.uuid(),
            program_id: backtest.program_id.uuid(),
            commission_rule_id: backtest.commission_rule_id.uuid(),
            rule_version_id: backtest.rule_version_id.uuid(),
            terms_hash: backtest.terms_hash.clone(),
            from_on: backtest.from_on,
            until_on: backtest.until_on,
            starts_at: backtest.period.from,
            ends_at: backtest.period.to,
            status: backtest.status.to_string(),
            lines_done: backtest.lines_done,
            outcome: findings
                .map(serde_json::to_value)
                .transpose()
                .map_err(Problem::damaged)?,
            error_code: backtest.error.map(|error| error.to_string()),
            created_by: by.map(ActorId::uuid),
            created_by_type: by.map(|by| by.kind().to_owned()),
            started_at: backtest.started_at,
            finished_at: backtest.finished_at,
            row_version: backtest.row_version,
            created_at: backtest.created_at,
            updated_at: backtest.updated_at,
            recalculation_reason: recalculation.map(|recalculation| recalculation.reason.clone()),
            author_secret_makers: recalculation.map_or_else(Vec::new, |one| one.secret_makers.clone()),
            adjustments_proposed: recalculation.and_then(|one| one.adjustments_proposed),
        })
    }
}

impl TryFrom<Row> for Backtest {
    type Error = Problem;

    fn try_from(row: Row) -> Result<Self, Problem> {
        let kept: Option<Kept> = row
            .outcome
            .map(serde_json::from_value)
            .transpose()
            .map_err(Problem::damaged)?;
        let error = row.error_code.as_deref().map(BacktestError::from_str);
        let (secret_makers, adjustments_proposed) = (row.author_secret_makers, row.adjustments_proposed);
        let recalculation = row.recalculation_reason.map(|reason| Recalculation {
            reason,
            adjustments_proposed,
            secret_makers,
        });
        Ok(Self {
            id: BacktestId::from_uuid(row.id),
            program_id: ProgramId::from_uuid(row.program_id),
            commission_rule_id: CommissionRuleId::from_uuid(row.commission_rule_id),
            rule_version_id: CommissionRuleVersionId::from_uuid(row.rule_version_id),
            terms_hash: row.terms_hash,
            from_on: row.from_on,
            until_on: row.until_on,
            period: Period {
                from: row.starts_at,
                to: row.ends_at,
            },
            status: BacktestStatus::from_str(&row.status).map_err(Problem::damaged)?,
            lines_done: row.lines_done,
            findings: kept.map(Findings::try_from).transpose()?,
            error: error.transpose().map_err(Problem::damaged)?,
            recalculation,
            created_by: ActorId::of_columns(row.created_by_type.as_deref(), row.created_by),
            started_at: row.started_at,
            finished_at: row.finished_at,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl From<&Findings> for Kept {
    fn from(findings: &Findings) -> Self {
        let partner = |(partner_id, figures): &(PartnerId, Figures)| (*partner_id, figures.into());
        Self {
            totals: findings.totals.iter().map(KeptFigures::from).collect(),
            partners: findings.partners.iter().map(partner).collect(),
            largest: findings.largest.iter().map(KeptDifference::from).collect(),
        }
    }
}

impl TryFrom<Kept> for Findings {
    type Error = Problem;

    fn try_from(kept: Kept) -> Result<Self, Problem> {
        let partner = |(partner_id, figures): (PartnerId, KeptFigures)| Ok((partner_id, figures.figures()?));
        Ok(Self {
            totals: kept
                .totals
                .into_iter()
                .map(|figures| figures.figures())
                .collect::<Result<_, Problem>>()?,
            partners: kept
                .partners
                .into_iter()
                .map(partner)
                .collect::<Result<_, Problem>>()?,
            largest: kept
                .largest
                .into_iter()
                .map(Difference::try_from)
                .collect::<Result<_, Problem>>()?,
        })
    }
}

impl From<&Figures> for KeptFigures {
    fn from(figures: &Figures) -> Self {
        Self {
            currency: figures.was.currency(),
            lines: figures.lines,
            was: figures.was.amount(),
            would_be: figures.would_be.amount(),
        }
    }
}

impl KeptFigures {
    fn figures(&self) -> Result<Figures, Problem> {
        Ok(Figures {
            lines: self.lines,
            was: Total::new(self.was, self.currency).map_err(Problem::damaged)?,
            would_be: Total::new(self.would_be, self.currency).map_err(Problem::damaged)?,
        })
    }
}

impl From<&Difference> for KeptDifference {
    fn from(difference: &Difference) -> Self {
        Self {
            commission_id: difference.commission_id,
            deal_id: difference.deal_id,
            payment_id: difference.payment_id,
            credit_note_id: difference.credit_note_id,
            partner_id: difference.partner_id,
            currency: difference.was.currency(),
            was: difference.was.amount(),
            would_be: difference.would_be.amount(),
            rule_version_id: difference.rule_version_id,
            would_be_rule_version_id: difference.would_be_rule_version_id,
        }
    }
}

impl TryFrom<KeptDifference> for Difference {
    type Error = Problem;

    fn try_from(kept: KeptDifference) -> Result<Self, Problem> {
        let money = |amount| Money::new(amount, kept.currency).map_err(Problem::damaged);
        Ok(Self {
            was: money(kept.was)?,
            would_be: money(kept.would_be)?,
            commission_id: kept.commission_id,
            deal_id: kept.deal_id,
            payment_id: kept.payment_id,
            credit_note_id: kept.credit_note_id,
            partner_id: kept.partner_id,
            rule_version_id: kept.rule_version_id,
            would_be_rule_version_id: kept.would_be_rule_version_id,
        })
    }
}
