//! What a deal and its payments would earn, whether they exist or not. Nothing is written.

use super::accrual::{Pool, work_out};
use super::domain::Earned;
use super::exchange::{self, Foresight};
use super::store;
use super::store::accrual::{Candidates, ClosedGates, Details, PaymentRow, ProgramTerms};
use crate::features::commission_rules;
use crate::kernel::commission::Goods;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{
    AttributionId, CommissionRuleVersionId, DealId, InvoiceId, InvoiceLineId, PartnerId, PaymentId,
    ProductFamilyId, ProgramId,
};
use crate::kernel::money::Money;
use crate::kernel::motion::{DealType, Role};
use crate::kernel::problem::{FieldProblem, Problem};
use crate::platform::db::Tx;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::{BTreeSet, HashMap};

/// A deal that need not exist.
#[derive(Debug, Clone)]
pub struct Question {
    /// Its program.
    pub program_id: ProgramId,
    /// When it is won.
    pub won_at: DateTime<Utc>,
    /// Its type.
    pub deal_type: DealType,
    /// The customer's country.
    pub country: Option<String>,
    /// Who has a part in it.
    pub credits: Vec<Credit>,
    /// What is billed.
    pub invoices: Vec<Bill>,
    /// Drafts to take as if they were active.
    pub drafts: Vec<CommissionRuleVersionId>,
}

/// A confirmed share.
#[derive(Debug, Clone, Copy)]
pub struct Credit {
    /// Whose it is.
    pub partner_id: PartnerId,
    /// In which role.
    pub role: Role,
    /// How much.
    pub basis_points: u32,
}

/// An invoice that need not exist.
#[derive(Debug, Clone)]
pub struct Bill {
    /// The first day of the service.
    pub starts_on: NaiveDate,
    /// Its lines.
    pub lines: Vec<BillLine>,
    /// What comes in on it, and when, in order.
    pub payments: Vec<(Money, DateTime<Utc>)>,
}

/// A line of it.
#[derive(Debug, Clone, Copy)]
pub struct BillLine {
    /// Without tax.
    pub net: Money,
    /// The tax.
    pub tax: Money,
    /// What was sold.
    pub product_family_id: Option<ProductFamilyId>,
    /// How many, and at which cost.
    pub goods: Goods,
}

/// A line that would be earned, with the places of what it comes from, counted from 1.
#[derive(Debug, Clone)]
pub struct Foreseen {
    /// The line.
    pub line: Earned,
    /// How it would be exchanged, where its partner is paid in another currency.
    pub exchange: Option<Foresight>,
    /// The invoice, its line, and its payment.
    pub places: (usize, usize, usize),
}

/// Works out what the deal would earn, from where its partners stand now.
pub fn preview(tx: &mut Tx<'_>, ctx: &Ctx, question: &Question) -> Result<Vec<Foreseen>, Problem> {
    let partners: Vec<PartnerId> = question.credits.iter().map(|credit| credit.partner_id).collect();
    let program_id = question.program_id;
    let programs = store::accrual::programs(tx, &ctx.scope, BTreeSet::from([program_id.uuid()]))?;
    let Some(program) = programs.get(&program_id) else {
        return Err(Problem::field(
            "/program_id",
            "unknown_reference",
            "There is no such record.",
        ));
    };
    let points = lock_points(question, program);
    let candidates = store::accrual::candidates(tx, &ctx.scope, program_id, &partners, points.clone())?;
    let unknown = |(index, credit): (usize, &Credit)| {
        let pointer = format!("/credits/{index}/partner_id");
        (!candidates.know(credit.partner_id))
            .then(|| FieldProblem::new(pointer, "unknown_reference", "There is no such record."))
    };
    let mut unknown: Vec<FieldProblem> = question.credits.iter().enumerate().filter_map(unknown).collect();
    unknown.extend(unknown_families(tx, ctx, question)?);
    if !unknown.is_empty() {
        return Err(Problem::fields(unknown));
    }
    let rules = commission_rules::rules_with_drafts(tx, ctx, question.program_id, &question.drafts)?;
    let closed = closed_gates(tx, ctx, question, program, (&candidates, &points))?;
    let (payments, details, places) = rows(question, program, (&candidates, &closed), ctx.now)?;
    let mut pools = Vec::new();
    for rows in payments.chunk_by(PaymentRow::same_pool) {
        let Some(first) = rows.first() else { continue };
        pools.push(Pool::of_payment(program, &rules, first, rows, &details, ctx.now));
    }
    let keys = pools.iter().flat_map(Pool::standings).collect();
    let mut standings = store::standings::read(tx, &ctx.scope, keys)?;
    let earned = work_out(&pools, &mut standings)?;
    let exchanges = exchange::foresee(tx, ctx, program, &earned)?;
    let foreseen = earned.into_iter().zip(exchanges).filter_map(|(line, exchange)| {
        let places = places.get(&line.origin.paid?).copied()?;
        Some(Foreseen {
            line,
            exchange,
            places,
        })
    });
    Ok(foreseen.collect())
}

/// The instants whose rules and tiers decide about the payments, and one at least.
fn lock_points(question: &Question, program: &ProgramTerms) -> BTreeSet<DateTime<Utc>> {
    let paid = question.invoices.iter().flat_map(|bill| &bill.payments);
    let of_payments = paid.map(|(_, paid_at)| program.lock_point(Some(question.won_at), *paid_at));
    of_payments.chain([question.won_at]).collect()
}

/// The gates that would be closed, where the program has some before earning.
fn closed_gates(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    question: &Question,
    program: &ProgramTerms,
    (candidates, lock_points): (&Candidates, &BTreeSet<DateTime<Utc>>),
) -> Result<ClosedGates, Problem> {
    if !program.has_gates {
        return Ok(ClosedGates::default());
    }
    let lines = question.invoices.iter().flat_map(|bill| &bill.lines);
    let families = lines.map(|line| line.product_family_id.map(ProductFamilyId::uuid));
    store::accrual::closed_gates(
        tx,
        &ctx.scope,
        program.id,
        &candidates.partners(),
        lock_points,
        (families.collect(), question.country.as_deref()),
    )
}

/// Product families that there are not, each at its line.
fn unknown_families(tx: &mut Tx<'_>, ctx: &Ctx, question: &Question) -> Result<Vec<FieldProblem>, Problem> {
    let mut named = Vec::new();
    for (invoice, bill) in question.invoices.iter().enumerate() {
        for (line, billed) in bill.lines.iter().enumerate() {
            named.extend(billed.product_family_id.map(|id| (invoice, line, id)));
        }
    }
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let families: Vec<ProductFamilyId> = named.iter().map(|(.., id)| *id).collect();
    let known = store::accrual::known_families(tx, &ctx.scope, &families)?;
    let unknown = named.into_iter().filter(|(.., id)| !known.contains(id));
    let problem = |(invoice, line, _)| {
        let pointer = format!("/invoices/{invoice}/lines/{line}/product_family_id");
        FieldProblem::new(pointer, "unknown_reference", "There is no such record.")
    };
    Ok(unknown.map(problem).collect())
}

type Places = HashMap<(InvoiceId, InvoiceLineId, PaymentId), (usize, usize, usize)>;

/// Payments × lines × credits as accrual would read them, in its order.
fn rows(
    question: &Question,
    program: &ProgramTerms,
    (candidates, closed): (&Candidates, &ClosedGates),
    now: DateTime<Utc>,
) -> Result<(Vec<PaymentRow>, Details, Places), Problem> {
    let (mut rows, mut details, mut places) = (Vec::new(), Details::default(), HashMap::new());
    let deal_id = DealId::new(now);
    let credits: Vec<(Credit, AttributionId, i32)> = (1..)
        .zip(&question.credits)
        .map(|(rank, credit)| (*credit, AttributionId::new(now), rank))
        .collect();
    for (invoice_index, bill) in question.invoices.iter().enumerate() {
        let invoice_id = InvoiceId::new(now);
        let Some(first) = bill.lines.first() else { continue };
        let total = bill
            .lines
            .iter()
            .try_fold(Money::zero(first.net.currency()), |total, line| {
                total.checked_add(line.net)?.checked_add(line.tax)
            });
        let total = total.map_err(Problem::damaged)?;
        let line_ids: Vec<InvoiceLineId> = bill.lines.iter().map(|_| InvoiceLineId::new(now)).collect();
        let mut paid_before = Money::zero(first.net.currency());
        for (payment_index, (amount, paid_at)) in bill.payments.iter().enumerate() {
            let payment_id = PaymentId::new(now);
            let paid_after = paid_before.checked_add(*amount).map_err(Problem::damaged)?;
            let lock_point = program.lock_point(Some(question.won_at), *paid_at);
            for (line_index, (line, line_id)) in bill.lines.iter().zip(&line_ids).enumerate() {
                let place = (invoice_index + 1, line_index + 1, payment_index + 1);
                places.insert((invoice_id, *line_id, payment_id), place);
                for role in Role::ALL {
                    for (credit, attribution_id, rank) in
                        credits.iter().filter(|(credit, ..)| credit.role == *role)
                    {
                        let Some(candidate) = candidates.get(credit.partner_id, lock_point) else {
                            continue;
                        };
                        let mut detail = candidate.detail(line.goods, question.country.clone());
                        detail.starts_on = Some(bill.starts_on);
                        detail.is_first_invoice = invoice_index == 0;
                        closed.note(&mut detail, credit.partner_id, lock_point, line.product_family_id);
                        details.insert((payment_id.uuid(), line_id.uuid()), *attribution_id, detail);
                        rows.push(PaymentRow {
                            payment_id,
                            invoice_id,
                            invoice_line_id: *line_id,
                            deal_id,
                            program_id: question.program_id,
                            product_family_id: line.product_family_id,
                            deal_type: question.deal_type,
                            other_goods: !line.goods.is_plain(),
                            won_at: Some(question.won_at),
                            paid_at: *paid_at,
                            net: line.net,
                            invoice_total: total,
                            paid_before,
                            paid_after,
                            party: candidate.party(*attribution_id, credit.role, credit.basis_points, *rank),
                            is_new: true,
                        });
                    }
                }
            }
            paid_before = paid_after;
        }
    }
    // A stable sort: lines and credits of one payment stay in their order.
    rows.sort_by_key(|row| {
        (
            row.paid_at,
            places
                .get(&(row.invoice_id, row.invoice_line_id, row.payment_id))
                .map(|place| place.0),
        )
    });
    Ok((rows, details, places))
}
