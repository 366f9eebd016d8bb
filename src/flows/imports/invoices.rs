//! Invoices and credit notes from rows: one row is one invoice with one line, paid in full where it says when.

use super::batch::{Batch, Outcome, Refused, Versioned, Writes};
use super::references::References;
use crate::features::imports::rows::Row;
use crate::features::imports::stored::{self, ByKey, CreditNoteRow, InvoiceLineRow, InvoiceRow, PaymentRow};
use crate::flows::accrual;
use crate::kernel::commission::Goods;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{CreditNoteId, InvoiceId, InvoiceLineId, PaymentId};
use crate::kernel::money::{Currency, Money, MoneyError};
use crate::kernel::patch::Patch;
use crate::kernel::problem::Problem;
use crate::platform::db::Tx;
use chrono::{DateTime, NaiveTime, Utc};
use rust_decimal::Decimal;
use std::collections::HashMap;
use uuid::Uuid;

const CREDIT_NOTE: &str = "credit_note";
const OPEN: &str = "open";
const PAID: &str = "paid";

/// What is known of the keys of a batch.
struct Known {
    invoices: ByKey<InvoiceRow>,
    lines: HashMap<Uuid, InvoiceLineRow>,
    payments: ByKey<PaymentRow>,
    credit_notes: ByKey<CreditNoteRow>,
}

impl Known {
    fn load(tx: &mut Tx<'_>, ctx: &Ctx, batch: &Batch<'_>) -> Result<Self, Problem> {
        let (notes, invoices): (Vec<&Row>, Vec<&Row>) =
            batch.rows().iter().partition(|row| is_credit_note(row));
        let keys = |rows: &[&'_ Row]| -> Vec<String> {
            rows.iter().map(|row| row.key("external_id").to_owned()).collect()
        };
        let (notes, invoices) = (keys(&notes), keys(&invoices));
        let notes: Vec<&str> = notes.iter().map(String::as_str).collect();
        let keys: Vec<&str> = invoices.iter().map(String::as_str).collect();
        let invoices = stored::invoices_by_key(tx, &ctx.scope, &keys)?;
        let ids: Vec<Uuid> = invoices.values().map(|invoice| invoice.id).collect();
        let lines = stored::first_lines_of(tx, &ctx.scope, &ids)?;
        Ok(Self {
            invoices,
            lines: lines.into_iter().map(|line| (line.invoice_id, line)).collect(),
            payments: stored::payments_by_key(tx, &ctx.scope, &keys)?,
            credit_notes: stored::credit_notes_by_key(tx, &ctx.scope, &notes)?,
        })
    }
}

/// Applies rows that are invoices and credit notes; what they have earned or cost is accrued.
pub fn apply(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    batch: &mut Batch<'_>,
    references: &References,
) -> Result<(), Problem> {
    let known = Known::load(tx, ctx, batch)?;
    let mut loading = Loading {
        ctx,
        references,
        invoices: Writes::new(),
        lines: Vec::new(),
        payments: Vec::new(),
        credit_notes: Vec::new(),
    };
    for row in batch.rows() {
        let outcome = if is_credit_note(row) {
            loading.credit_note(batch, row, known.credit_notes.get(row.key("external_id")))?
        } else {
            loading.invoice(batch, row, &known)?
        };
        batch.decide(outcome);
    }
    loading.write(tx)
}

fn is_credit_note(row: &Row) -> bool {
    row.text("kind") == Some(CREDIT_NOTE)
}

struct Loading<'a> {
    ctx: &'a Ctx,
    references: &'a References,
    invoices: Writes<InvoiceRow>,
    lines: Vec<InvoiceLineRow>,
    payments: Vec<PaymentRow>,
    credit_notes: Vec<CreditNoteRow>,
}

/// What the row makes of an invoice.
struct Drawn {
    invoice: InvoiceRow,
    line: InvoiceLineRow,
    payment: Option<PaymentRow>,
}

impl Loading<'_> {
    fn write(self, tx: &mut Tx<'_>) -> Result<(), Problem> {
        self.invoices.write(tx)?;
        stored::insert(tx, &self.lines)?;
        stored::insert(tx, &self.payments)?;
        stored::insert(tx, &self.credit_notes)?;
        let payments: Vec<PaymentId> = self
            .payments
            .iter()
            .map(|payment| PaymentId::from_uuid(payment.id))
            .collect();
        let credit_notes: Vec<CreditNoteId> = self
            .credit_notes
            .iter()
            .map(|note| CreditNoteId::from_uuid(note.id))
            .collect();
        if !payments.is_empty() {
            accrual::of_payments(tx, self.ctx, &payments)?;
        }
        if !credit_notes.is_empty() {
            accrual::of_credit_notes(tx, self.ctx, &credit_notes)?;
        }
        Ok(())
    }

    fn invoice(
        &mut self,
        batch: &mut Batch<'_>,
        row: &Row,
        known: &Known,
    ) -> Result<Result<Outcome, Vec<Refused>>, Problem> {
        let mut refused = Vec::new();
        let key = row.key("external_id");
        let before = known.invoices.get(key);
        let line = before.and_then(|invoice| known.lines.get(&invoice.id));
        let mut drawn = self.drawn(row, before, line, &mut refused);
        if let Some(before) = before {
            refuse_frozen(before, line, &drawn, &mut refused);
        }
        // What cannot be drawn up cannot be paid either, and is said once.
        if let Some(paid_at) = row.instant("paid_at").filter(|_| refused.is_empty()) {
            self.pay(&mut drawn, paid_at, known.payments.get(key), &mut refused);
        }
        if !refused.is_empty() {
            return Ok(Err(refused));
        }
        self.keep(batch, before, drawn).map(Ok)
    }

    fn keep(
        &mut self,
        batch: &mut Batch<'_>,
        before: Option<&InvoiceRow>,
        drawn: Drawn,
    ) -> Result<Outcome, Problem> {
        let Drawn {
            mut invoice,
            line,
            payment,
        } = drawn;
        let concerned = self.references.partner_of_deal(invoice.deal_id);
        let outcome = match before {
            None => {
                batch.happened.created("invoice.created", &invoice, concerned)?;
                self.invoices.created.push(invoice);
                self.lines.push(line);
                Outcome::Created
            }
            Some(before) if *before == invoice && payment.is_none() => Outcome::Unchanged,
            Some(before) => {
                invoice.touch(self.ctx.now);
                batch
                    .happened
                    .updated("invoice.updated", before, &invoice, concerned)?;
                self.invoices.updated.push(invoice);
                Outcome::Updated
            }
        };
        if let Some(payment) = payment {
            batch.happened.created("payment.recorded", &payment, concerned)?;
            self.payments.push(payment);
        }
        Ok(outcome)
    }

    /// The invoice and its line as the row says they are.
    fn drawn(
        &self,
        row: &Row,
        before: Option<&InvoiceRow>,
        line: Option<&InvoiceLineRow>,
        refused: &mut Vec<Refused>,
    ) -> Drawn {
        let mut invoice = before.cloned().unwrap_or_else(|| self.issued(row));
        if let Some(deal) = self.references.find(row, "deal", refused) {
            invoice.deal_id = deal;
        }
        let (net, tax) = (row.amount("amount"), row.amount("tax"));
        for (field, amount) in [("amount", net), ("tax", tax)] {
            if amount < Decimal::ZERO {
                let message = "An invoice has no negative amounts; a credit note is a row of that kind.";
                refused.push(Refused::new(field, "negative_amount", message));
            }
        }
        row.key("currency").clone_into(&mut invoice.currency);
        refuse_beyond_range(&invoice.currency, net + tax, refused);
        invoice.net_amount = net;
        invoice.total_amount = net + tax;
        if let Patch::Set(day) = row.date_change("issued_on") {
            invoice.issued_on = day;
        }
        row.date_change("due_on").apply_to(&mut invoice.due_on);
        let days = |invoice: &InvoiceRow| (invoice.issued_on, invoice.due_on);
        let is_said_now = before.is_none_or(|before| days(before) != days(&invoice));
        let issued_on = row.date("issued_on").filter(|_| is_said_now);
        if issued_on.is_some_and(|issued_on| invoice.due_on.is_some_and(|day| day < issued_on)) {
            let message = "An invoice is not due before it is issued.";
            refused.push(Refused::new("due_on", "before_issued_on", message));
        }
        let mut product_family = line.and_then(|line| line.product_family_id);
        self.references
            .change(row, "product_family", refused)
            .apply_to(&mut product_family);
        let (cost, list) = known_prices(row, line, refused);
        let goods = Goods::default();
        let line = InvoiceLineRow {
            kind: goods.kind.as_str().to_owned(),
            quantity: goods.quantity,
            cost_amount: cost,
            list_amount: list,
            organization_id: invoice.organization_id,
            id: line.map_or_else(|| InvoiceLineId::new(self.ctx.now).uuid(), |line| line.id),
            invoice_id: invoice.id,
            position: 1,
            product_family_id: product_family,
            description: None,
            net_amount: net,
            tax_amount: tax,
        };
        Drawn {
            invoice,
            line,
            payment: None,
        }
    }

    fn issued(&self, row: &Row) -> InvoiceRow {
        let now = self.ctx.now;
        InvoiceRow {
            organization_id: self.ctx.organization_id().uuid(),
            id: InvoiceId::new(now).uuid(),
            external_id: Some(row.key("external_id").to_owned()),
            deal_id: Uuid::nil(),
            status: OPEN.to_owned(),
            currency: String::new(),
            total_amount: Decimal::ZERO,
            net_amount: Decimal::ZERO,
            paid_amount: Decimal::ZERO,
            refunded_amount: Decimal::ZERO,
            credited_amount: Decimal::ZERO,
            issued_on: row.date("issued_on").unwrap_or_else(|| now.date_naive()),
            due_on: None,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// Pays what is open, unless it is paid already.
    fn pay(
        &self,
        drawn: &mut Drawn,
        paid_at: DateTime<Utc>,
        known: Option<&PaymentRow>,
        refused: &mut Vec<Refused>,
    ) {
        let invoice = &mut drawn.invoice;
        match known {
            Some(payment) if payment.invoice_id != invoice.id => {
                let message = "Another invoice has a payment with this external_id.";
                refused.push(Refused::new("external_id", "external_id_taken", message));
                return;
            }
            Some(payment) if payment.paid_at != paid_at => {
                let message = "The payment is recorded with another instant.";
                refused.push(Refused::new("paid_at", "immutable_field", message));
                return;
            }
            Some(_) => return,
            None if invoice.status == PAID => return,
            None => {}
        }
        if let Some(ahead) = Refused::if_in_future("paid_at", paid_at, self.ctx.now) {
            refused.push(ahead);
            return;
        }
        let open = invoice.total_amount - invoice.paid_amount - invoice.credited_amount;
        if invoice.status == "void" || open < Decimal::ZERO {
            let message = format!("The invoice is {} and cannot be paid.", invoice.status);
            refused.push(Refused::new("paid_at", "wrong_state", message));
            return;
        }
        invoice.paid_amount += open;
        PAID.clone_into(&mut invoice.status);
        let now = self.ctx.now;
        drawn.payment = Some(PaymentRow {
            organization_id: invoice.organization_id,
            id: PaymentId::new(now).uuid(),
            external_id: invoice.external_id.clone(),
            invoice_id: invoice.id,
            currency: invoice.currency.clone(),
            amount: open,
            cumulative_amount: invoice.paid_amount,
            refunded_amount: Decimal::ZERO,
            paid_at,
            row_version: 1,
            created_at: now,
            updated_at: now,
        });
    }

    fn credit_note(
        &mut self,
        batch: &mut Batch<'_>,
        row: &Row,
        before: Option<&CreditNoteRow>,
    ) -> Result<Result<Outcome, Vec<Refused>>, Problem> {
        let mut refused = Vec::new();
        let deal = self.references.find(row, "deal", &mut refused);
        let amount = credited(row, batch.layout().credit_notes_negative(), &mut refused);
        let note = self.note(row, deal.unwrap_or_default(), amount);
        match before {
            Some(before) => refuse_other_note(before, &note, &mut refused),
            None => {
                let is_day = row.instant("paid_at").is_none();
                let field = if is_day { "issued_on" } else { "paid_at" };
                refused.extend(Refused::if_in_future(field, note.issued_at, self.ctx.now));
            }
        }
        if !refused.is_empty() {
            return Ok(Err(refused));
        }
        if before.is_some() {
            return Ok(Ok(Outcome::Unchanged));
        }
        let concerned = self.references.partner_of_deal(note.deal_id);
        batch.happened.created("credit_note.issued", &note, concerned)?;
        self.credit_notes.push(note);
        Ok(Ok(Outcome::Created))
    }

    fn note(&self, row: &Row, deal: Uuid, amount: Decimal) -> CreditNoteRow {
        let now = self.ctx.now;
        let issued_on = row.date("issued_on").unwrap_or_else(|| now.date_naive());
        CreditNoteRow {
            organization_id: self.ctx.organization_id().uuid(),
            id: CreditNoteId::new(now).uuid(),
            external_id: Some(row.key("external_id").to_owned()),
            deal_id: deal,
            invoice_id: None,
            currency: row.key("currency").to_owned(),
            amount,
            reason: None,
            issued_at: row
                .instant("paid_at")
                .unwrap_or_else(|| issued_on.and_time(NaiveTime::MIN).and_utc()),
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }
}

/// An invoice comes to an amount, as each of its lines does.
fn refuse_beyond_range(currency: &str, total: Decimal, refused: &mut Vec<Refused>) {
    let total = Currency::from_code(currency).and_then(|currency| Money::new(total, currency));
    if matches!(total, Err(MoneyError::OutOfRange)) {
        let message = "The amount and its tax come to more than an amount can be.";
        refused.push(Refused::new("amount", "out_of_range", message));
    }
}

/// What the line cost, and what it costs by the price list, where that is known.
fn known_prices(
    row: &Row,
    line: Option<&InvoiceLineRow>,
    refused: &mut Vec<Refused>,
) -> (Option<Decimal>, Option<Decimal>) {
    let (mut cost, mut list) = line.map_or((None, None), |line| (line.cost_amount, line.list_amount));
    row.amount_change("cost").apply_to(&mut cost);
    row.amount_change("list").apply_to(&mut list);
    if cost.is_some_and(|cost| cost < Decimal::ZERO) {
        let message = "What something cost is not below nothing.";
        refused.push(Refused::new("cost", "negative_amount", message));
    }
    if list.is_some_and(|list| list < row.amount("amount")) {
        let message = "What is bought for less than the price list says costs at least as much by the list.";
        refused.push(Refused::new("list", "below_net", message));
    }
    (cost, list)
}

/// The amount of a credit note, above nothing.
fn credited(row: &Row, is_negative: bool, refused: &mut Vec<Refused>) -> Decimal {
    let written = row.amount("amount");
    let amount = if is_negative { -written } else { written };
    if amount <= Decimal::ZERO {
        let message = if is_negative {
            "The mapping says that credit notes are written as negative amounts."
        } else {
            "The amount of a credit note is above nothing, unless the mapping declares another sign."
        };
        refused.push(Refused::new("amount", "wrong_sign", message));
    }
    amount
}

/// Lines and amounts of an invoice never change once it is there, and nothing does once it is paid.
fn refuse_frozen(
    before: &InvoiceRow,
    line: Option<&InvoiceLineRow>,
    drawn: &Drawn,
    refused: &mut Vec<Refused>,
) {
    let after = &drawn.invoice;
    let is_open = before.status == OPEN;
    let is_same_line =
        |same: fn(&InvoiceLineRow, &InvoiceLineRow) -> bool| line.is_some_and(|line| same(line, &drawn.line));
    let fields = [
        ("deal", before.deal_id == after.deal_id),
        ("currency", before.currency == after.currency),
        ("amount", before.net_amount == after.net_amount),
        (
            "tax",
            before.total_amount - before.net_amount == after.total_amount - after.net_amount,
        ),
        (
            "product_family",
            is_same_line(|one, other| one.product_family_id == other.product_family_id),
        ),
        (
            "cost",
            is_same_line(|one, other| one.cost_amount == other.cost_amount),
        ),
        (
            "list",
            is_same_line(|one, other| one.list_amount == other.list_amount),
        ),
        ("issued_on", is_open || before.issued_on == after.issued_on),
        ("due_on", is_open || before.due_on == after.due_on),
    ];
    refuse_changed(&fields, refused);
}

fn refuse_other_note(before: &CreditNoteRow, after: &CreditNoteRow, refused: &mut Vec<Refused>) {
    let fields = [
        ("deal", before.deal_id == after.deal_id),
        ("currency", before.currency == after.currency),
        ("amount", before.amount == after.amount),
        ("issued_on", before.issued_at == after.issued_at),
    ];
    refuse_changed(&fields, refused);
}

fn refuse_changed(fields: &[(&'static str, bool)], refused: &mut Vec<Refused>) {
    for (field, _) in fields.iter().filter(|(_, is_same)| !is_same) {
        let message = "The record is there with another value, which cannot be changed any more.";
        refused.push(Refused::new(field, "immutable_field", message));
    }
}
