//! What accrual needs to know, in one query per source, and what it writes, in one statement per batch.

mod details;
mod earned_before;
mod gates;
mod inputs;
mod insert;
mod preview;
mod refunded;
mod replay;

pub use details::details;
pub use earned_before::{EarnedBefore, MoneyBefore};
pub use gates::{ClosedGates, closed_gates};
pub use inputs::{inputs, program, programs};
pub use insert::insert;
pub use preview::{Candidates, candidates, known_families};
pub use refunded::{RefundBefore, refunds_before};
pub use replay::{BATCH, earned_before, kept, last_of};

use crate::kernel::commission::{Component, Goods, IneligibleReason};
use crate::kernel::id::{
    AttributionId, CreditNoteId, DealId, InvoiceId, InvoiceLineId, PartnerId, PaymentId, ProductFamilyId,
    ProgramId,
};
use crate::kernel::money::{Money, Rounding};
use crate::kernel::motion::{DealType, Motion, Role};
use crate::kernel::problem::Problem;
use crate::kernel::time::ProgramZone;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::HashMap;
use uuid::Uuid;

/// Everything that a piece of accrual starts from.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Payments × invoice lines × credits, ordered by pool and rank.
    pub payments: Vec<PaymentRow>,
    /// Credit notes × credits, ordered by pool and rank.
    pub credits: Vec<CreditRow>,
    /// The programs that they belong to.
    pub programs: HashMap<ProgramId, ProgramTerms>,
}

impl Inputs {
    /// Whether some line is for something else than one unit of a product.
    pub fn have_other_goods(&self) -> bool {
        self.payments.iter().any(|row| row.other_goods)
    }

    /// Whether some program has gates before earning.
    pub fn have_gates(&self) -> bool {
        self.programs.values().any(|program| program.has_gates)
    }

    /// The terms of one program.
    pub fn program(&self, id: ProgramId) -> Result<&ProgramTerms, Problem> {
        self.programs.get(&id).ok_or_else(Problem::internal)
    }
}

/// What accrual asks of a program.
#[derive(Debug, Clone)]
pub struct ProgramTerms {
    /// The program.
    pub id: ProgramId,
    /// Its motion.
    pub motion: Motion,
    /// Its time zone.
    pub zone: ProgramZone,
    /// Its rounding.
    pub rounding: Rounding,
    /// Whether lines are approved without a person.
    pub approves_by_itself: bool,
    /// Whether the rule is chosen when the invoice is paid rather than when the deal was won.
    pub locks_when_paid: bool,
    /// Whether partners must have something on file before they earn.
    pub has_gates: bool,
}

impl ProgramTerms {
    /// The instant whose rules and tiers decide about money that moved at another one.
    pub fn lock_point(&self, won_at: Option<DateTime<Utc>>, moved_at: DateTime<Utc>) -> DateTime<Utc> {
        won_at.filter(|_| !self.locks_when_paid).unwrap_or(moved_at)
    }
}

/// One credit in a pool.
#[derive(Debug, Clone)]
pub struct PoolParty {
    /// The credit.
    pub attribution_id: AttributionId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// In which role.
    pub role: Role,
    /// Its share.
    pub basis_points: u32,
    /// Its rank in ties.
    pub rank: i32,
    partner_status: String,
    enrolled: bool,
}

impl PoolParty {
    /// Whether the partner may earn now.
    pub fn eligible(&self) -> Result<(), IneligibleReason> {
        may_earn(&self.partner_status, self.enrolled)
    }
}

fn may_earn(partner_status: &str, enrolled: bool) -> Result<(), IneligibleReason> {
    match partner_status {
        "approved" if enrolled => Ok(()),
        "suspended" => Err(IneligibleReason::PartnerSuspended),
        "terminated" => Err(IneligibleReason::PartnerTerminated),
        _ => Err(IneligibleReason::EnrollmentNotActive),
    }
}

/// What some rules ask about lines, by payment or credit note, line and credit.
#[derive(Debug, Default)]
pub struct Details {
    by_line: HashMap<(Uuid, Uuid, AttributionId), Detail>,
}

/// What some rules ask about a line and its partner.
#[derive(Debug, Clone)]
pub struct Detail {
    /// What was sold.
    pub goods: Goods,
    /// The first day of the service; of a credit note it is the day of its issue.
    pub starts_on: Option<NaiveDate>,
    /// Whether the invoice is the first of its deal.
    pub is_first_invoice: bool,
    /// The customer's country.
    pub country: Option<String>,
    /// The partner's enrollment.
    pub holder: Holder,
    /// The gates before earning that are closed to the partner.
    pub closed_gates: Vec<String>,
    /// Who is right above the partner.
    pub distributor: Option<Distributor>,
}

/// What an enrollment says.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Its tier at the lock point.
    pub tier: Option<String>,
    /// When it became active.
    pub enrolled_at: Option<DateTime<Utc>>,
}

/// The partner right above another one, who may earn an override.
#[derive(Debug, Clone)]
pub struct Distributor {
    /// Who it is.
    pub partner_id: PartnerId,
    /// Its enrollment.
    pub holder: Holder,
    /// The gates before earning that are closed to it.
    pub closed_gates: Vec<String>,
    partner_status: String,
    enrolled: bool,
}

impl Distributor {
    /// Whether it may earn now.
    pub fn eligible(&self) -> Result<(), IneligibleReason> {
        may_earn(&self.partner_status, self.enrolled)
    }
}

impl Details {
    /// The details of a line and a credit.
    pub fn get(&self, (source, line): (Uuid, Uuid), attribution_id: AttributionId) -> Option<&Detail> {
        self.by_line.get(&(source, line, attribution_id))
    }

    /// Takes details as they were read.
    pub fn insert(&mut self, (source, line): (Uuid, Uuid), attribution_id: AttributionId, detail: Detail) {
        self.by_line.insert((source, line, attribution_id), detail);
    }
}

/// A payment × an invoice line × a credit.
#[derive(Debug, Clone)]
pub struct PaymentRow {
    /// The payment.
    pub payment_id: PaymentId,
    /// Its invoice.
    pub invoice_id: InvoiceId,
    /// The line.
    pub invoice_line_id: InvoiceLineId,
    /// The deal.
    pub deal_id: DealId,
    /// The deal's program.
    pub program_id: ProgramId,
    /// What the line is about, or else the deal.
    pub product_family_id: Option<ProductFamilyId>,
    /// The type of the deal.
    pub deal_type: DealType,
    /// Whether the line is for something else than one unit of a product.
    pub other_goods: bool,
    /// When the deal was won.
    pub won_at: Option<DateTime<Utc>>,
    /// When the money came in.
    pub paid_at: DateTime<Utc>,
    /// The line's net amount.
    pub net: Money,
    /// The invoice's total.
    pub invoice_total: Money,
    /// What had been paid before this payment.
    pub paid_before: Money,
    /// What has been paid with it.
    pub paid_after: Money,
    /// The credit.
    pub party: PoolParty,
    /// Whether the line was not written before.
    pub is_new: bool,
}

impl PaymentRow {
    /// Whether two rows share a pool.
    pub fn same_pool(&self, other: &Self) -> bool {
        self.payment_id == other.payment_id
            && self.invoice_line_id == other.invoice_line_id
            && self.party.role == other.party.role
    }
}

/// A credit note × a credit.
#[derive(Debug, Clone)]
pub struct CreditRow {
    /// The credit note.
    pub credit_note_id: CreditNoteId,
    /// The deal.
    pub deal_id: DealId,
    /// The deal's program.
    pub program_id: ProgramId,
    /// What the deal is about.
    pub product_family_id: Option<ProductFamilyId>,
    /// The type of the deal.
    pub deal_type: DealType,
    /// When the deal was won.
    pub won_at: Option<DateTime<Utc>>,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// What is credited, as a positive amount.
    pub credit: Money,
    /// The credit of the partner.
    pub party: PoolParty,
    /// Whether the line was not written before.
    pub is_new: bool,
    /// What the credit earned on the deal before, in this currency.
    pub before: Vec<Before>,
}

/// What a component of a credit earned somebody before.
#[derive(Debug, Clone)]
pub struct Before {
    /// The component.
    pub component: Component,
    /// Who earned it.
    pub partner_id: PartnerId,
    /// Whether anything was earned.
    pub has_earned: bool,
    /// What is left of it.
    pub kept: Money,
    /// Whether some money came in while the partner could not earn.
    pub was_barred: bool,
}

impl CreditRow {
    /// Whether two rows share a pool.
    pub fn same_pool(&self, other: &Self) -> bool {
        self.credit_note_id == other.credit_note_id && self.party.role == other.party.role
    }
}
