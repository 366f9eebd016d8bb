//! Previews on the wire.

use super::explanation::LineExchangeView;
use crate::features::commissions::CommissionStatus;
use crate::features::commissions::exchange::Foresight;
use crate::features::commissions::preview::{Bill, BillLine, Credit, Foreseen, Question};
use crate::kernel::commission::{Component, Goods, IneligibleReason, LineKind, sentence};
use crate::kernel::exchange::{FxPolicy, LineExchange};
use crate::kernel::id::{CommissionRuleVersionId, PartnerId, ProductFamilyId, ProgramId};
use crate::kernel::money::{Currency, Money, plain_decimal};
use crate::kernel::motion::{DealType, Role};
use crate::kernel::problem::Problem;
use crate::platform::web::fields::money_code;
use crate::platform::web::{Fields, MoneyBody};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

/// A deal with invoices and payments that need not exist.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = CommissionPreviewRequest, examples(json!({"program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "won_at": "2026-03-02T09:00:00Z", "credits": [{"partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "role": "sourced", "share_basis_points": 10000}], "invoices": [{"currency": "USD", "issued_on": "2026-03-02", "lines": [{"net": "1000.00", "tax": "190.00"}], "payments": [{"amount": "1190.00", "paid_at": "2026-03-15T09:30:00Z"}]}]})))]
#[serde(deny_unknown_fields)]
pub struct PreviewBody {
    /// The program.
    pub program_id: ProgramId,
    /// When the deal is won.
    pub won_at: DateTime<Utc>,
    /// Its type; `new` when absent.
    #[schema(nullable = false)]
    pub deal_type: Option<DealType>,
    /// The customer's country, ISO 3166 alpha-2.
    #[schema(nullable = false, max_length = 2, pattern = "^[A-Z]{2}$", example = "DE")]
    pub country: Option<String>,
    /// Who has a confirmed part in it. The shares of a role add up to at most 10,000.
    #[schema(min_items = 1, max_items = 50)]
    pub credits: Vec<PreviewCreditBody>,
    /// What is billed, in order.
    #[schema(min_items = 1, max_items = 50)]
    pub invoices: Vec<PreviewInvoiceBody>,
    /// Drafts of the program to take as if they were active, in the place of what their rules say at that time.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub rule_version_ids: Vec<CommissionRuleVersionId>,
}

/// A partner's part.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = CommissionPreviewCredit, examples(json!({"partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "role": "sourced", "share_basis_points": 10000})))]
#[serde(deny_unknown_fields)]
pub struct PreviewCreditBody {
    /// The partner.
    pub partner_id: PartnerId,
    /// Its role.
    pub role: Role,
    /// Its share of the role, in basis points.
    #[schema(minimum = 0, maximum = 10000)]
    pub share_basis_points: u32,
}

/// An invoice that need not exist.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = CommissionPreviewInvoice, examples(json!({"currency": "USD", "issued_on": "2026-03-02", "lines": [{"net": "1000.00"}], "payments": [{"amount": "1000.00", "paid_at": "2026-03-15T09:30:00Z"}]})))]
#[serde(deny_unknown_fields)]
pub struct PreviewInvoiceBody {
    /// The currency of all its amounts, ISO 4217.
    #[schema(max_length = 3, pattern = "^[A-Z]{3}$", example = "USD")]
    pub currency: String,
    /// The day on it.
    pub issued_on: NaiveDate,
    /// The first day of the service that it bills; absent: `issued_on`.
    #[schema(nullable = false)]
    pub service_starts_on: Option<NaiveDate>,
    /// What it bills.
    #[schema(min_items = 1, max_items = 50)]
    pub lines: Vec<PreviewLineBody>,
    /// What comes in on it, in order.
    #[schema(min_items = 1, max_items = 50)]
    pub payments: Vec<PreviewPaymentBody>,
}

/// A line of it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = CommissionPreviewLine, examples(json!({"net": "1000.00", "tax": "190.00"})))]
#[serde(deny_unknown_fields)]
pub struct PreviewLineBody {
    /// The amount without tax.
    #[schema(
        max_length = 20,
        pattern = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$",
        example = "1000.00"
    )]
    pub net: String,
    /// The tax; nothing when absent.
    #[schema(
        nullable = false,
        max_length = 20,
        pattern = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$",
        example = "190.00"
    )]
    pub tax: Option<String>,
    /// What is sold.
    #[schema(nullable = false)]
    pub product_family_id: Option<ProductFamilyId>,
    /// What it is about: `product` (the default), `shipping` or `fee`.
    #[schema(nullable = false)]
    pub kind: Option<LineKind>,
    /// How many units; 1 when absent.
    #[schema(
        nullable = false,
        max_length = 20,
        pattern = r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,4})?$",
        example = "1"
    )]
    pub quantity: Option<String>,
    /// What it costs you.
    #[schema(
        nullable = false,
        max_length = 20,
        pattern = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$",
        example = "400.00"
    )]
    pub cost: Option<String>,
}

/// Money that comes in, in the currency of its invoice.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = CommissionPreviewPayment, examples(json!({"amount": "1190.00", "paid_at": "2026-03-15T09:30:00Z"})))]
#[serde(deny_unknown_fields)]
pub struct PreviewPaymentBody {
    /// How much.
    #[schema(
        max_length = 20,
        pattern = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$",
        example = "1190.00"
    )]
    pub amount: String,
    /// When.
    pub paid_at: DateTime<Utc>,
}

/// What each partner would earn, when, and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommissionPreview, examples(json!({"lines": [{"partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "role": "sourced", "component": "base", "invoice": 1, "line": 1, "payment": 1, "commission_rule_version_id": "rlv_01j9zq4y8k7m5n3p2r1s0t6v4w", "amount": {"amount": "100.00", "currency": "USD"}, "owed": {"amount": "100.00", "currency": "USD"}, "payout_currency": null, "fx_policy": null, "exchange": [], "waits_for_rate": false, "status": "pending", "ineligible_reason": null, "earned_at": "2026-03-15T09:30:00Z", "release_at": "2026-04-14T00:00:00Z", "sentence": "The commission under version 1 of rule rule_01j9zq4y8k7m5n3p2r1s0t6v4w is 10% of 1000.00 USD: 100.00 USD."}]})))]
pub struct PreviewView {
    /// The lines, in the order in which they would be earned.
    #[schema(max_items = 1000000)]
    pub lines: Vec<PreviewLineView>,
}

/// A line that would be earned.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CommissionPreviewResult, examples(json!({"partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "role": "sourced", "component": "base", "invoice": 1, "line": 1, "payment": 1, "commission_rule_version_id": "rlv_01j9zq4y8k7m5n3p2r1s0t6v4w", "amount": {"amount": "100.00", "currency": "USD"}, "owed": {"amount": "100.00", "currency": "USD"}, "payout_currency": null, "fx_policy": null, "exchange": [], "waits_for_rate": false, "status": "pending", "ineligible_reason": null, "earned_at": "2026-03-15T09:30:00Z", "release_at": "2026-04-14T00:00:00Z", "sentence": "The commission under version 1 of rule rule_01j9zq4y8k7m5n3p2r1s0t6v4w is 10% of 1000.00 USD: 100.00 USD."})))]
pub struct PreviewLineView {
    /// Who earns it.
    pub partner_id: PartnerId,
    /// In which role.
    pub role: Role,
    /// What it pays: base, bonus or override.
    pub component: Component,
    /// The place of the invoice in the request, from 1.
    #[schema(minimum = 1, maximum = 50)]
    pub invoice: usize,
    /// The place of the line on the invoice, from 1.
    #[schema(minimum = 1, maximum = 50)]
    pub line: usize,
    /// The place of the payment, from 1.
    #[schema(minimum = 1, maximum = 50)]
    pub payment: usize,
    /// The version that decides; `null` when none does.
    #[schema(required)]
    pub commission_rule_version_id: Option<CommissionRuleVersionId>,
    /// How much, in the currency of the invoice.
    pub amount: MoneyBody,
    /// The same as it would be owed at once: exchanged into the currency that the partner is paid in where it is exchanged
    /// as it is earned and there is a rate of that day, or of the week before it.
    pub owed: MoneyBody,
    /// The currency that the partner is paid in, where it is another one.
    #[schema(required, max_length = 3, pattern = "^[A-Z]{3}$", example = "EUR")]
    pub payout_currency: Option<String>,
    /// When it would be exchanged into that: when it is earned, or when it is paid. `null` where nothing is exchanged.
    #[schema(required)]
    pub fx_policy: Option<FxPolicy>,
    /// How it would be exchanged as it is earned; empty where it is not.
    #[schema(max_items = 1)]
    pub exchange: Vec<LineExchangeView>,
    /// Whether it would wait in the currency of the invoice, because no rate of its day is known yet.
    pub waits_for_rate: bool,
    /// Where it would stand at once.
    pub status: CommissionStatus,
    /// Why it earns nothing; `null` when it does.
    #[schema(required)]
    pub ineligible_reason: Option<IneligibleReason>,
    /// When the money comes in.
    pub earned_at: DateTime<Utc>,
    /// When the hold is over.
    pub release_at: DateTime<Utc>,
    /// How the amount comes about, in one English sentence.
    #[schema(max_length = 2000)]
    pub sentence: String,
}

impl PreviewBody {
    /// The body as business speaks of it.
    pub fn question(&self) -> Result<Question, Problem> {
        let mut fields = Fields::new();
        for role in Role::ALL {
            let credits = self.credits.iter().filter(|credit| credit.role == *role);
            let sum: u64 = credits.map(|credit| u64::from(credit.share_basis_points)).sum();
            fields.require(
                sum <= 10_000,
                "/credits",
                "shares_exceed_whole",
                "The shares of one role are at most 10,000 basis points.",
            );
        }
        let credit = |credit: &PreviewCreditBody| Credit {
            partner_id: credit.partner_id,
            role: credit.role,
            basis_points: credit.share_basis_points,
        };
        let invoices = self.invoices.iter().enumerate();
        let invoices: Vec<Bill> = invoices
            .filter_map(|(index, invoice)| invoice.bill(&format!("/invoices/{index}"), &mut fields))
            .collect();
        fields.finish(Some(Question {
            program_id: self.program_id,
            won_at: self.won_at,
            deal_type: self.deal_type.unwrap_or(DealType::New),
            country: self.country.clone(),
            credits: self.credits.iter().map(credit).collect(),
            invoices,
            drafts: self.rule_version_ids.clone(),
        }))
    }
}

impl PreviewInvoiceBody {
    fn bill(&self, pointer: &str, fields: &mut Fields) -> Option<Bill> {
        let currency = fields.currency(&format!("{pointer}/currency"), &self.currency)?;
        let lines = self.lines.iter().enumerate();
        let lines: Vec<Option<BillLine>> = lines
            .map(|(index, line)| line.read(&format!("{pointer}/lines/{index}"), currency, fields))
            .collect();
        let payments = self.payments.iter().enumerate();
        let payments: Vec<Option<_>> = payments
            .map(|(index, payment)| {
                let pointer = format!("{pointer}/payments/{index}/amount");
                let amount = amount(&pointer, &payment.amount, currency, fields)?;
                Some((amount, payment.paid_at))
            })
            .collect();
        Some(Bill {
            starts_on: self.service_starts_on.unwrap_or(self.issued_on),
            lines: lines.into_iter().collect::<Option<_>>()?,
            payments: payments.into_iter().collect::<Option<_>>()?,
        })
    }
}

impl PreviewLineBody {
    fn read(&self, pointer: &str, currency: Currency, fields: &mut Fields) -> Option<BillLine> {
        let mut read = |name: &str, text: Option<&String>| match text {
            Some(text) => amount(&format!("{pointer}/{name}"), text, currency, fields).map(Some),
            None => Some(None),
        };
        let (net, tax) = (read("net", Some(&self.net))??, read("tax", self.tax.as_ref())?);
        let cost = read("cost", self.cost.as_ref())?;
        // The contract has checked the form of the quantity.
        let quantity = self
            .quantity
            .as_deref()
            .map_or(Some(Decimal::ONE), plain_decimal)?;
        Some(BillLine {
            net,
            tax: tax.unwrap_or(Money::zero(currency)),
            product_family_id: self.product_family_id,
            goods: Goods {
                kind: self.kind.unwrap_or(LineKind::Product),
                quantity: quantity.normalize(),
                cost: cost.map(Money::amount),
            },
        })
    }
}

fn amount(pointer: &str, text: &str, currency: Currency, fields: &mut Fields) -> Option<Money> {
    Money::parse(text, currency)
        .map_err(|error| fields.refuse(pointer.to_owned(), money_code(&error), error.to_string()))
        .ok()
}

impl PreviewView {
    /// What is foreseen as it goes out.
    pub fn new(foreseen: Vec<Foreseen>) -> Result<Self, Problem> {
        let lines: Result<Vec<_>, _> = foreseen.into_iter().map(PreviewLineView::new).collect();
        Ok(Self { lines: lines? })
    }
}

impl PreviewLineView {
    fn new(foreseen: Foreseen) -> Result<Self, Problem> {
        let Foreseen {
            line,
            exchange: foresight,
            places: (invoice, position, payment),
        } = foreseen;
        let exchange = foresight.as_ref().and_then(|one| one.exchange.as_ref());
        let owed = exchange.map_or(Ok(line.amount), LineExchange::result);
        let exchanged = exchange.map(LineExchange::sentence).transpose();
        let sentences = [
            Some(sentence(&line.explanation)),
            exchanged.map_err(Problem::damaged)?,
        ];
        Ok(Self {
            partner_id: line.partner_id,
            role: line.role,
            component: line.component,
            invoice,
            line: position,
            payment,
            commission_rule_version_id: line.rule_version_id,
            amount: line.amount.into(),
            owed: owed.map_err(Problem::damaged)?.into(),
            payout_currency: foresight.as_ref().map(|one| one.currency.code().to_owned()),
            fx_policy: foresight.as_ref().map(|one| one.policy),
            exchange: exchange
                .map(LineExchangeView::new)
                .transpose()?
                .into_iter()
                .collect(),
            waits_for_rate: foresight.as_ref().is_some_and(Foresight::waits_for_rate),
            status: line.status,
            ineligible_reason: line.ineligible_reason,
            earned_at: line.earned_at,
            release_at: line.release_at,
            sentence: sentences.into_iter().flatten().collect::<Vec<_>>().join(" "),
        })
    }
}
