//! A dispute as a row.

use crate::features::disputes::domain::{
    Amounts, Dispute, DisputeReason, DisputeStatus, DisputedId, SubjectType,
};
use crate::kernel::ctx::{ActorId, Scope};
use crate::kernel::id::{AdjustmentId, DisputeId, PartnerId, ProgramId};
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use crate::platform::db::schema::disputes;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde_json::Value;
use std::str::FromStr;
use uuid::Uuid;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = disputes, treat_none_as_null = true, check_for_backend(diesel::pg::Pg))]
pub struct DisputeRow {
    organization_id: Uuid,
    id: Uuid,
    pub partner_id: Uuid,
    program_id: Option<Uuid>,
    subject_type: String,
    subject_ids: Vec<Uuid>,
    status: String,
    status_reason: Option<String>,
    reason_code: String,
    statement: String,
    evidence: Value,
    currency: Option<String>,
    computed_amount: Option<Decimal>,
    claimed_amount: Option<Decimal>,
    claimed_share_basis_points: Option<i32>,
    respond_by: DateTime<Utc>,
    overdue_at: Option<DateTime<Utc>>,
    decided_at: Option<DateTime<Utc>>,
    adjustment_id: Option<Uuid>,
    created_by: Uuid,
    created_by_type: String,
    row_version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl DisputeRow {
    /// The row of a dispute.
    pub fn of(scope: &Scope, dispute: &Dispute) -> Result<Self, Problem> {
        let amounts = dispute.amounts;
        Ok(Self {
            organization_id: scope.organization_id.uuid(),
            id: dispute.id.uuid(),
            partner_id: dispute.partner_id.uuid(),
            program_id: dispute.program_id.map(ProgramId::uuid),
            subject_type: dispute.subject_type.as_str().to_owned(),
            subject_ids: dispute.subject_ids.iter().map(|subject| subject.id).collect(),
            status: dispute.status.as_str().to_owned(),
            status_reason: dispute.status_reason.clone(),
            reason_code: dispute.reason_code.as_str().to_owned(),
            statement: dispute.statement.clone(),
            evidence: serde_json::to_value(&dispute.evidence).map_err(Problem::damaged)?,
            currency: amounts.map(|amounts| amounts.claimed.currency().code().to_owned()),
            computed_amount: amounts.map(|amounts| amounts.computed.amount()),
            claimed_amount: amounts.map(|amounts| amounts.claimed.amount()),
            claimed_share_basis_points: dispute.claimed_share_basis_points,
            respond_by: dispute.respond_by,
            overdue_at: dispute.overdue_at,
            decided_at: dispute.decided_at,
            adjustment_id: dispute.adjustment_id.map(AdjustmentId::uuid),
            created_by: dispute.created_by.uuid(),
            created_by_type: dispute.created_by.kind().to_owned(),
            row_version: dispute.row_version,
            created_at: dispute.created_at,
            updated_at: dispute.updated_at,
        })
    }
}

impl TryFrom<DisputeRow> for Dispute {
    type Error = Problem;

    fn try_from(row: DisputeRow) -> Result<Self, Problem> {
        let author = ActorId::of_columns(Some(&row.created_by_type), Some(row.created_by));
        let ids = row.subject_ids.iter();
        let subject_ids = ids.map(|id| DisputedId::of_columns(&row.subject_type, *id));
        let amounts = match (&row.currency, row.computed_amount, row.claimed_amount) {
            (Some(currency), Some(computed), Some(claimed)) => Some(Amounts {
                computed: money(computed, currency)?,
                claimed: money(claimed, currency)?,
            }),
            _ => None,
        };
        Ok(Self {
            id: DisputeId::from_uuid(row.id),
            partner_id: PartnerId::from_uuid(row.partner_id),
            program_id: row.program_id.map(ProgramId::from_uuid),
            subject_type: SubjectType::from_str(&row.subject_type).map_err(Problem::damaged)?,
            subject_ids: subject_ids.collect::<Result<_, _>>()?,
            status: DisputeStatus::from_str(&row.status).map_err(Problem::damaged)?,
            status_reason: row.status_reason,
            reason_code: DisputeReason::from_str(&row.reason_code).map_err(Problem::damaged)?,
            statement: row.statement,
            evidence: serde_json::from_value(row.evidence).map_err(Problem::damaged)?,
            amounts,
            claimed_share_basis_points: row.claimed_share_basis_points,
            respond_by: row.respond_by,
            overdue_at: row.overdue_at,
            decided_at: row.decided_at,
            adjustment_id: row.adjustment_id.map(AdjustmentId::from_uuid),
            created_by: author.ok_or_else(|| Problem::damaged("a dispute lacks its author"))?,
            row_version: row.row_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// A stored amount as money.
pub fn money(amount: Decimal, currency: &str) -> Result<Money, Problem> {
    let currency = Currency::from_code(currency).map_err(Problem::damaged)?;
    Money::new(amount, currency).map_err(Problem::damaged)
}
