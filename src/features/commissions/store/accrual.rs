//! What accrual needs to know, in one query per source, and what it writes, in one statement per batch.

use super::super::accrual::Source;
use super::super::domain::{CommissionStatus, Earned};
use crate::kernel::commission::IneligibleReason;
use crate::kernel::ctx::{Ctx, Scope};
use crate::kernel::id::{
    AttributionId, CreditNoteId, DealId, InvoiceId, InvoiceLineId, PartnerId, PaymentId, ProductFamilyId,
    ProgramId,
};
use crate::kernel::money::{Currency, Money, Rounding};
use crate::kernel::motion::{Motion, Role};
use crate::kernel::problem::Problem;
use crate::kernel::time::ProgramZone;
use crate::platform::db::{Prepared, Tx};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;
use uuid::Uuid;

/// Rows written in one statement at most.
const BATCH: usize = 5_000;

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
        match self.partner_status.as_str() {
            "approved" if self.enrolled => Ok(()),
            "suspended" => Err(IneligibleReason::PartnerSuspended),
            "terminated" => Err(IneligibleReason::PartnerTerminated),
            _ => Err(IneligibleReason::EnrollmentNotActive),
        }
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

    /// What rules ask of the line.
    pub fn facts_of_line(&self) -> (Option<ProductFamilyId>, Currency) {
        (self.product_family_id, self.net.currency())
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
    has_earned: bool,
}

impl CreditRow {
    /// Whether two rows share a pool.
    pub fn same_pool(&self, other: &Self) -> bool {
        self.credit_note_id == other.credit_note_id && self.party.role == other.party.role
    }

    /// What was earned is taken back whatever became of the partner; who never earned has nothing to give back.
    pub fn eligible(&self) -> Result<(), IneligibleReason> {
        if self.has_earned {
            Ok(())
        } else {
            self.party.eligible()
        }
    }
}

#[derive(QueryableByName)]
struct RawPayment {
    #[diesel(sql_type = SqlUuid)]
    payment_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    invoice_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    invoice_line_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    deal_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    program_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    product_family_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    won_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    paid_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    net: Decimal,
    #[diesel(sql_type = Numeric)]
    invoice_total: Decimal,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Numeric)]
    paid_after: Decimal,
    #[diesel(embed)]
    party: RawParty,
    #[diesel(sql_type = Bool)]
    is_new: bool,
}

#[derive(QueryableByName)]
struct RawCredit {
    #[diesel(sql_type = SqlUuid)]
    credit_note_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    deal_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    program_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    product_family_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    won_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    issued_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    credit: Decimal,
    #[diesel(embed)]
    party: RawParty,
    #[diesel(sql_type = Bool)]
    is_new: bool,
    #[diesel(sql_type = Bool)]
    has_earned: bool,
}

#[derive(QueryableByName)]
struct RawParty {
    #[diesel(sql_type = SqlUuid)]
    attribution_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Integer)]
    basis_points: i32,
    #[diesel(sql_type = Integer)]
    rank: i32,
    #[diesel(sql_type = Text)]
    partner_status: String,
    #[diesel(sql_type = Bool)]
    enrolled: bool,
}

#[derive(QueryableByName)]
struct RawProgram {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    motion: String,
    #[diesel(sql_type = Text)]
    time_zone: String,
    #[diesel(sql_type = Text)]
    rounding: String,
    #[diesel(sql_type = Bool)]
    approves_by_itself: bool,
    #[diesel(sql_type = Bool)]
    locks_when_paid: bool,
}

/// The credit's columns, in both queries.
const PARTY: &str = "a.id AS attribution_id, a.partner_id, a.role, a.share_basis_points AS basis_points, \
    a.allocation_rank AS rank, n.status AS partner_status, \
    EXISTS (SELECT FROM enrollments e WHERE e.organization_id = $1 AND e.partner_id = a.partner_id \
        AND e.program_id = d.program_id AND e.status = 'active') AS enrolled";

/// The deal's credits, in both queries: money follows the confirmed shares.
const CREDITS: &str = "JOIN programs g ON g.organization_id = $1 AND g.id = d.program_id \
    JOIN attributions a ON a.organization_id = $1 AND a.deal_id = d.id AND a.status = 'confirmed' \
    JOIN partners n ON n.organization_id = $1 AND n.id = a.partner_id";

/// Reads what the source earned; lines that exist already come along with `is_new` false, because they have a share.
pub fn inputs(tx: &mut Tx<'_>, scope: &Scope, source: Source<'_>) -> Result<Inputs, Problem> {
    let uuids = |ids: &mut dyn Iterator<Item = Uuid>| ids.collect::<Vec<_>>();
    let mut inputs = match source {
        Source::Payments(ids) => payments(
            tx,
            scope,
            "p.id = ANY($2)",
            &uuids(&mut ids.iter().map(|id| id.uuid())),
        )?,
        Source::Deals(ids) => payments(
            tx,
            scope,
            "d.id = ANY($2)",
            &uuids(&mut ids.iter().map(|id| id.uuid())),
        )?,
        Source::CreditNotes(ids) => credits(tx, scope, &uuids(&mut ids.iter().map(|id| id.uuid())))?,
    };
    inputs.programs = programs(tx, scope, &inputs)?;
    Ok(inputs)
}

fn payments(tx: &mut Tx<'_>, scope: &Scope, which: &str, ids: &[Uuid]) -> Result<Inputs, Problem> {
    let text = format!(
        "SELECT p.id AS payment_id, p.invoice_id, l.id AS invoice_line_id, i.deal_id, d.program_id, \
             coalesce(l.product_family_id, d.product_family_id) AS product_family_id, d.won_at, p.paid_at, i.currency, \
             l.net_amount AS net, i.total_amount AS invoice_total, p.amount, p.cumulative_amount AS paid_after, {PARTY}, \
             NOT EXISTS (SELECT FROM commissions c WHERE c.organization_id = $1 AND c.payment_id = p.id \
                 AND c.invoice_line_id = l.id AND c.attribution_id = a.id) AS is_new \
         FROM payments p \
         JOIN invoices i ON i.organization_id = $1 AND i.id = p.invoice_id \
         JOIN invoice_lines l ON l.organization_id = $1 AND l.invoice_id = i.id \
         JOIN deals d ON d.organization_id = $1 AND d.id = i.deal_id {CREDITS} \
         WHERE p.organization_id = $1 AND {which} AND (d.status = 'won' OR g.lock_point = 'invoice_paid') \
         ORDER BY p.paid_at, p.id, l.position, a.role, a.allocation_rank"
    );
    let query = sql_query(text)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Array<SqlUuid>, _>(ids);
    let rows: Vec<RawPayment> = Prepared(query).load(tx.connection())?;
    let payments = rows
        .into_iter()
        .map(PaymentRow::try_from)
        .collect::<Result<_, _>>()?;
    Ok(Inputs {
        payments,
        ..Inputs::default()
    })
}

fn credits(tx: &mut Tx<'_>, scope: &Scope, ids: &[Uuid]) -> Result<Inputs, Problem> {
    let text = format!(
        "SELECT k.id AS credit_note_id, k.deal_id, d.program_id, d.product_family_id, d.won_at, k.issued_at, k.currency, \
             k.amount AS credit, {PARTY}, \
             NOT EXISTS (SELECT FROM commissions c WHERE c.organization_id = $1 AND c.credit_note_id = k.id \
                 AND c.attribution_id = a.id) AS is_new, \
             EXISTS (SELECT FROM commissions c WHERE c.organization_id = $1 AND c.deal_id = d.id \
                 AND c.attribution_id = a.id AND c.amount > 0) AS has_earned \
         FROM credit_notes k \
         JOIN deals d ON d.organization_id = $1 AND d.id = k.deal_id {CREDITS} \
         WHERE k.organization_id = $1 AND k.id = ANY($2) AND k.invoice_id IS NULL \
             AND (d.status = 'won' OR g.lock_point = 'invoice_paid') \
         ORDER BY k.issued_at, k.id, a.role, a.allocation_rank"
    );
    let query = sql_query(text)
        .bind::<SqlUuid, _>(scope.organization_id.uuid())
        .bind::<Array<SqlUuid>, _>(ids);
    let rows: Vec<RawCredit> = Prepared(query).load(tx.connection())?;
    let credits = rows
        .into_iter()
        .map(CreditRow::try_from)
        .collect::<Result<_, _>>()?;
    Ok(Inputs {
        credits,
        ..Inputs::default()
    })
}

fn programs(
    tx: &mut Tx<'_>,
    scope: &Scope,
    inputs: &Inputs,
) -> Result<HashMap<ProgramId, ProgramTerms>, Problem> {
    let of_payments = inputs.payments.iter().map(|row| row.program_id);
    let of_credits = inputs.credits.iter().map(|row| row.program_id);
    let ids: BTreeSet<Uuid> = of_payments.chain(of_credits).map(ProgramId::uuid).collect();
    let query = sql_query(
        "SELECT id, motion, time_zone, rounding, commission_approval = 'automatic' AS approves_by_itself, \
             lock_point = 'invoice_paid' AS locks_when_paid \
         FROM programs WHERE organization_id = $1 AND id = ANY($2)",
    )
    .bind::<SqlUuid, _>(scope.organization_id.uuid())
    .bind::<Array<SqlUuid>, _>(ids.into_iter().collect::<Vec<_>>());
    let rows: Vec<RawProgram> = Prepared(query).load(tx.connection())?;
    rows.into_iter()
        .map(|row| ProgramTerms::try_from(row).map(|terms| (terms.id, terms)))
        .collect()
}

impl TryFrom<RawParty> for PoolParty {
    type Error = Problem;

    fn try_from(raw: RawParty) -> Result<Self, Problem> {
        Ok(Self {
            attribution_id: AttributionId::from_uuid(raw.attribution_id),
            partner_id: PartnerId::from_uuid(raw.partner_id),
            role: Role::from_str(&raw.role).map_err(Problem::damaged)?,
            basis_points: u32::try_from(raw.basis_points).map_err(Problem::damaged)?,
            rank: raw.rank,
            partner_status: raw.partner_status,
            enrolled: raw.enrolled,
        })
    }
}

impl TryFrom<RawPayment> for PaymentRow {
    type Error = Problem;

    fn try_from(raw: RawPayment) -> Result<Self, Problem> {
        let money = |amount: Decimal| super::money(amount, &raw.currency);
        let paid_after = money(raw.paid_after)?;
        let paid_before = paid_after
            .checked_sub(money(raw.amount)?)
            .map_err(Problem::damaged)?;
        Ok(Self {
            payment_id: PaymentId::from_uuid(raw.payment_id),
            invoice_id: InvoiceId::from_uuid(raw.invoice_id),
            invoice_line_id: InvoiceLineId::from_uuid(raw.invoice_line_id),
            deal_id: DealId::from_uuid(raw.deal_id),
            program_id: ProgramId::from_uuid(raw.program_id),
            product_family_id: raw.product_family_id.map(ProductFamilyId::from_uuid),
            won_at: raw.won_at,
            paid_at: raw.paid_at,
            net: money(raw.net)?,
            invoice_total: money(raw.invoice_total)?,
            paid_before,
            paid_after,
            party: raw.party.try_into()?,
            is_new: raw.is_new,
        })
    }
}

impl TryFrom<RawCredit> for CreditRow {
    type Error = Problem;

    fn try_from(raw: RawCredit) -> Result<Self, Problem> {
        Ok(Self {
            credit_note_id: CreditNoteId::from_uuid(raw.credit_note_id),
            deal_id: DealId::from_uuid(raw.deal_id),
            program_id: ProgramId::from_uuid(raw.program_id),
            product_family_id: raw.product_family_id.map(ProductFamilyId::from_uuid),
            won_at: raw.won_at,
            issued_at: raw.issued_at,
            credit: super::money(raw.credit, &raw.currency)?,
            party: raw.party.try_into()?,
            is_new: raw.is_new,
            has_earned: raw.has_earned,
        })
    }
}

impl TryFrom<RawProgram> for ProgramTerms {
    type Error = Problem;

    fn try_from(raw: RawProgram) -> Result<Self, Problem> {
        Ok(Self {
            id: ProgramId::from_uuid(raw.id),
            motion: Motion::from_str(&raw.motion).map_err(Problem::damaged)?,
            zone: raw.time_zone.parse().map_err(Problem::damaged)?,
            rounding: Rounding::from_str(&raw.rounding).map_err(Problem::damaged)?,
            approves_by_itself: raw.approves_by_itself,
            locks_when_paid: raw.locks_when_paid,
        })
    }
}

/// New lines turned by ninety degrees, as `unnest` wants them.
#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    kinds: Vec<&'static str>,
    partners: Vec<Uuid>,
    programs: Vec<Uuid>,
    deals: Vec<Uuid>,
    attributions: Vec<Uuid>,
    roles: Vec<&'static str>,
    components: Vec<&'static str>,
    invoices: Vec<Option<Uuid>>,
    invoice_lines: Vec<Option<Uuid>>,
    payments: Vec<Option<Uuid>>,
    credit_notes: Vec<Option<Uuid>>,
    rule_versions: Vec<Option<Uuid>>,
    statuses: Vec<&'static str>,
    reasons: Vec<Option<&'static str>>,
    currencies: Vec<&'static str>,
    bases: Vec<Decimal>,
    amounts: Vec<Decimal>,
    earned: Vec<DateTime<Utc>>,
    released: Vec<DateTime<Utc>>,
    approved: Vec<Option<DateTime<Utc>>>,
    explanations: Vec<String>,
}

const INSERT: &str = "INSERT INTO commissions (organization_id, id, kind, partner_id, program_id, deal_id, attribution_id, \
     role, component, invoice_id, invoice_line_id, payment_id, credit_note_id, rule_version_id, status, \
     ineligible_reason, currency, base_amount, amount, reversed_amount, netted_amount, earned_at, release_at, \
     approved_at, explanation, row_version, created_at, updated_at) \
     SELECT $1, n.id, n.kind, n.partner_id, n.program_id, n.deal_id, n.attribution_id, n.role, n.component, \
         n.invoice_id, n.invoice_line_id, n.payment_id, n.credit_note_id, n.rule_version_id, n.status, n.reason, \
         n.currency, n.base, n.amount, 0, 0, n.earned_at, n.release_at, n.approved_at, n.explanation::jsonb, 1, $2, $2 \
     FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24) \
         AS n (id, kind, partner_id, program_id, deal_id, attribution_id, role, component, invoice_id, invoice_line_id, \
             payment_id, credit_note_id, rule_version_id, status, reason, currency, base, amount, earned_at, \
             release_at, approved_at, explanation)";

/// Writes new lines.
pub fn insert(tx: &mut Tx<'_>, ctx: &Ctx, earned: &[Earned]) -> Result<(), Problem> {
    for batch in earned.chunks(BATCH) {
        Columns::of(batch, ctx.now)?.insert(tx, ctx)?;
    }
    Ok(())
}

impl Columns {
    fn of(batch: &[Earned], now: DateTime<Utc>) -> Result<Self, Problem> {
        let mut columns = Self::default();
        for line in batch {
            columns.push(line, now)?;
        }
        Ok(columns)
    }

    fn push(&mut self, line: &Earned, now: DateTime<Utc>) -> Result<(), Problem> {
        let (invoice, invoice_line, payment) = match line.origin.paid {
            Some((invoice, line, payment)) => (Some(invoice.uuid()), Some(line.uuid()), Some(payment.uuid())),
            None => (None, None, None),
        };
        self.ids.push(line.id.uuid());
        self.kinds.push(line.kind.as_str());
        self.partners.push(line.partner_id.uuid());
        self.programs.push(line.origin.program_id.uuid());
        self.deals.push(line.origin.deal_id.uuid());
        self.attributions.push(line.attribution_id.uuid());
        self.roles.push(line.role.as_str());
        self.components.push(line.component.as_str());
        self.invoices.push(invoice);
        self.invoice_lines.push(invoice_line);
        self.payments.push(payment);
        self.credit_notes
            .push(line.origin.credit_note_id.map(CreditNoteId::uuid));
        self.rule_versions.push(
            line.rule_version_id
                .map(crate::kernel::id::CommissionRuleVersionId::uuid),
        );
        self.statuses.push(line.status.as_str());
        self.reasons
            .push(line.ineligible_reason.map(IneligibleReason::as_str));
        self.currencies.push(line.amount.currency().code());
        self.bases.push(line.base.amount());
        self.amounts.push(line.amount.amount());
        self.earned.push(line.earned_at);
        self.released.push(line.release_at);
        self.approved
            .push((line.status == CommissionStatus::Approved).then_some(now));
        self.explanations
            .push(serde_json::to_string(&line.explanation).map_err(Problem::damaged)?);
        Ok(())
    }

    fn insert(&self, tx: &mut Tx<'_>, ctx: &Ctx) -> Result<(), Problem> {
        let statement = sql_query(INSERT)
            .bind::<SqlUuid, _>(ctx.organization_id().uuid())
            .bind::<Timestamptz, _>(ctx.now)
            .bind::<Array<SqlUuid>, _>(&self.ids)
            .bind::<Array<Text>, _>(&self.kinds)
            .bind::<Array<SqlUuid>, _>(&self.partners)
            .bind::<Array<SqlUuid>, _>(&self.programs)
            .bind::<Array<SqlUuid>, _>(&self.deals)
            .bind::<Array<SqlUuid>, _>(&self.attributions)
            .bind::<Array<Text>, _>(&self.roles)
            .bind::<Array<Text>, _>(&self.components)
            .bind::<Array<Nullable<SqlUuid>>, _>(&self.invoices)
            .bind::<Array<Nullable<SqlUuid>>, _>(&self.invoice_lines)
            .bind::<Array<Nullable<SqlUuid>>, _>(&self.payments)
            .bind::<Array<Nullable<SqlUuid>>, _>(&self.credit_notes)
            .bind::<Array<Nullable<SqlUuid>>, _>(&self.rule_versions)
            .bind::<Array<Text>, _>(&self.statuses)
            .bind::<Array<Nullable<Text>>, _>(&self.reasons)
            .bind::<Array<Text>, _>(&self.currencies)
            .bind::<Array<Numeric>, _>(&self.bases)
            .bind::<Array<Numeric>, _>(&self.amounts)
            .bind::<Array<Timestamptz>, _>(&self.earned)
            .bind::<Array<Timestamptz>, _>(&self.released)
            .bind::<Array<Nullable<Timestamptz>>, _>(&self.approved)
            .bind::<Array<Text>, _>(&self.explanations);
        Prepared(statement).execute(tx.connection())?;
        Ok(())
    }
}
