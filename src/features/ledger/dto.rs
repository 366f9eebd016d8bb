//! The journal and its balances on the wire.

use super::balance_store::BalanceFilter;
use super::domain::{AccountTotal, Balance, EntryKind, LedgerAccount, LedgerEntry, Source};
use super::store::EntryFilter;
use crate::kernel::ctx::Ctx;
use crate::kernel::id::{
    AdjustmentId, ClawbackId, CommissionId, DisputeId, LedgerEntryId, PartnerId, PayoutId, ProgramId,
};
use crate::kernel::problem::Problem;
use crate::page_of;
use crate::platform::db::PageRequest;
use crate::platform::web::{MoneyBody, TotalBody};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An entry of the journal: one positive amount between two accounts.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LedgerEntry, examples(json!({"id": "led_01j9zq4y8k7m5n3p2r1s0t6v4w", "kind": "accrual", "debit_account": "commission_expense", "credit_account": "held", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "amount": {"amount": "125.00", "currency": "USD"}, "commission_id": "com_01j9zq4y8k7m5n3p2r1s0t6v4w", "payout_id": null, "clawback_id": null, "adjustment_id": null, "dispute_id": null, "step": 0, "occurred_at": "2026-03-01T08:00:00Z", "recorded_at": "2026-03-01T08:00:01Z"})))]
pub struct LedgerEntryView {
    /// Its id.
    pub id: LedgerEntryId,
    /// What it stands for.
    pub kind: EntryKind,
    /// The account that is debited.
    pub debit_account: LedgerAccount,
    /// The account that is credited.
    pub credit_account: LedgerAccount,
    /// Whose entry it is.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// How much moves; always more than nothing.
    pub amount: MoneyBody,
    /// The commission that caused it, if one did.
    #[schema(required)]
    pub commission_id: Option<CommissionId>,
    /// The payout that caused it, if one did.
    #[schema(required)]
    pub payout_id: Option<PayoutId>,
    /// The clawback that caused it, if one did.
    #[schema(required)]
    pub clawback_id: Option<ClawbackId>,
    /// The adjustment that caused it, if one did.
    #[schema(required)]
    pub adjustment_id: Option<AdjustmentId>,
    /// The dispute that caused it, if one did.
    #[schema(required)]
    pub dispute_id: Option<DisputeId>,
    /// Which step of its cause it is, counted from 0.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub step: i32,
    /// When it happened in business.
    pub occurred_at: DateTime<Utc>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

impl From<LedgerEntry> for LedgerEntryView {
    fn from(entry: LedgerEntry) -> Self {
        let (mut commission_id, mut payout_id, mut clawback_id) = (None, None, None);
        let (mut adjustment_id, mut dispute_id) = (None, None);
        match entry.source {
            Source::Commission(id) => commission_id = Some(id),
            Source::Payout(id) => payout_id = Some(id),
            Source::Clawback(id) => clawback_id = Some(id),
            Source::Adjustment(id) => adjustment_id = Some(id),
            Source::Dispute(id) => dispute_id = Some(id),
        }
        Self {
            id: entry.id,
            kind: entry.kind,
            debit_account: entry.debit,
            credit_account: entry.credit,
            partner_id: entry.partner_id,
            program_id: entry.program_id,
            amount: entry.amount.into(),
            commission_id,
            payout_id,
            clawback_id,
            adjustment_id,
            dispute_id,
            step: entry.step,
            occurred_at: entry.occurred_at,
            recorded_at: entry.recorded_at,
        }
    }
}

page_of!(LedgerEntryPage, LedgerEntryView, "entries of the ledger");

/// The order of a list of entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum LedgerEntrySort {
    /// The latest recorded first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// The first recorded first.
    #[serde(rename = "created_at")]
    Oldest,
}

/// What a list of entries is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LedgerEntriesQuery {
    /// Only entries of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only entries of this program.
    pub program_id: Option<ProgramId>,
    /// Only entries of one of these kinds; repeat for several.
    #[serde(default)]
    #[param(max_items = 20)]
    pub kind: Vec<EntryKind>,
    /// Only entries in this currency, ISO 4217.
    #[param(max_length = 3, pattern = "^[A-Z]{3}$")]
    pub currency: Option<String>,
    /// Only entries that this commission caused.
    pub commission_id: Option<CommissionId>,
    /// Only entries that this payout caused.
    pub payout_id: Option<PayoutId>,
    /// Only entries that this clawback caused.
    pub clawback_id: Option<ClawbackId>,
    /// Only entries that this adjustment caused.
    pub adjustment_id: Option<AdjustmentId>,
    /// Only what happened at or after this instant.
    pub occurred_at_gte: Option<DateTime<Utc>>,
    /// Only what happened before this instant.
    pub occurred_at_lt: Option<DateTime<Utc>>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    pub sort: LedgerEntrySort,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl LedgerEntriesQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> EntryFilter {
        let sources = [
            self.commission_id.map(CommissionId::uuid),
            self.payout_id.map(PayoutId::uuid),
            self.clawback_id.map(ClawbackId::uuid),
            self.adjustment_id.map(AdjustmentId::uuid),
        ];
        EntryFilter {
            partner_id: self.partner_id,
            program_id: self.program_id,
            kinds: self.kind.clone(),
            currency: self.currency.clone(),
            source_ids: sources.into_iter().flatten().collect(),
            occurred_at_gte: self.occurred_at_gte,
            occurred_at_lt: self.occurred_at_lt,
            oldest_first: self.sort == LedgerEntrySort::Oldest,
        }
    }
}

/// The entry that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct LedgerEntryPath {
    /// The entry of the ledger.
    pub ledger_entry_id: LedgerEntryId,
}

/// Where a partner stands in a program, in one currency.
///
/// `earned` - `reversed` + `adjusted` + `exchanged` - `paid` is always `held` + `released` + `payable` + `disputed` + `in_payout`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Balance, examples(json!({"partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "program_id": "prg_01j9zq4y8k7m5n3p2r1s0t6v4w", "currency": "USD", "held": {"amount": "125.00", "currency": "USD"}, "released": {"amount": "0.00", "currency": "USD"}, "payable": {"amount": "75.00", "currency": "USD"}, "disputed": {"amount": "0.00", "currency": "USD"}, "in_payout": {"amount": "0.00", "currency": "USD"}, "earned": {"amount": "300.00", "currency": "USD"}, "reversed": {"amount": "0.00", "currency": "USD"}, "adjusted": {"amount": "0.00", "currency": "USD"}, "exchanged": {"amount": "0.00", "currency": "USD"}, "paid": {"amount": "100.00", "currency": "USD"}})))]
pub struct BalanceView {
    /// The partner.
    pub partner_id: PartnerId,
    /// The program.
    pub program_id: ProgramId,
    /// The currency of every amount here, ISO 4217.
    #[schema(max_length = 3, pattern = "^[A-Z]{3}$")]
    pub currency: String,
    /// Earned, within the hold.
    pub held: TotalBody,
    /// Earned, the hold is over, not yet approved.
    pub released: TotalBody,
    /// Approved and not yet set aside for a payout; negative when more was taken back than earned.
    pub payable: TotalBody,
    /// Approved, but held up by a dispute.
    pub disputed: TotalBody,
    /// Set aside for a payout.
    pub in_payout: TotalBody,
    /// Everything that was ever earned.
    pub earned: TotalBody,
    /// Everything that was taken back.
    pub reversed: TotalBody,
    /// What people gave to the partner, less what they took from it.
    pub adjusted: TotalBody,
    /// What came into the currency by exchange, less what left it.
    pub exchanged: TotalBody,
    /// Everything that was paid out and did not come back.
    pub paid: TotalBody,
}

impl From<Balance> for BalanceView {
    fn from(balance: Balance) -> Self {
        Self {
            partner_id: balance.partner_id,
            program_id: balance.program_id,
            currency: balance.held.currency().code().to_owned(),
            held: balance.held.into(),
            released: balance.released.into(),
            payable: balance.payable.into(),
            disputed: balance.disputed.into(),
            in_payout: balance.in_payout.into(),
            earned: balance.earned.into(),
            reversed: balance.reversed.into(),
            adjusted: balance.adjusted.into(),
            exchanged: balance.exchanged.into(),
            paid: balance.paid.into(),
        }
    }
}

page_of!(BalancePage, BalanceView, "balances");

/// What a list of balances is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BalancesQuery {
    /// Only balances of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only balances in this program.
    pub program_id: Option<ProgramId>,
    /// Only balances in this currency, ISO 4217.
    #[param(max_length = 3, pattern = "^[A-Z]{3}$")]
    pub currency: Option<String>,
    /// As of this instant: what had been posted by then, itself included, whenever it had happened in business. Absent is now.
    pub as_of: Option<DateTime<Utc>>,
    /// How many to answer.
    #[param(minimum = 1, maximum = 100, default = 25)]
    pub limit: Option<u8>,
    /// Where to read on: `next_cursor` of the page before.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl BalancesQuery {
    /// The page that is asked for; its cursor is bound to everything that is serialized of this query.
    pub fn page(&self, ctx: &Ctx) -> Result<PageRequest, Problem> {
        PageRequest::new(ctx, self.limit, self.cursor.as_deref(), self)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> BalanceFilter {
        BalanceFilter {
            partner_id: self.partner_id,
            program_id: self.program_id,
            currency: self.currency.clone(),
            as_of: self.as_of,
        }
    }
}

/// What every account moved. The balances of each currency add up to zero.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TrialBalance, examples(json!({"accounts": [{"account": "commission_expense", "currency": "USD", "debits": {"amount": "125.00", "currency": "USD"}, "credits": {"amount": "0.00", "currency": "USD"}, "balance": {"amount": "125.00", "currency": "USD"}}, {"account": "held", "currency": "USD", "debits": {"amount": "0.00", "currency": "USD"}, "credits": {"amount": "125.00", "currency": "USD"}, "balance": {"amount": "-125.00", "currency": "USD"}}]})))]
pub struct TrialBalanceView {
    /// The accounts, by currency and name.
    #[schema(max_items = 2000)]
    pub accounts: Vec<AccountTotalView>,
}

/// What one account moved in one currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AccountTotal, examples(json!({"account": "held", "currency": "USD", "debits": {"amount": "0.00", "currency": "USD"}, "credits": {"amount": "125.00", "currency": "USD"}, "balance": {"amount": "-125.00", "currency": "USD"}})))]
pub struct AccountTotalView {
    /// The account.
    pub account: LedgerAccount,
    /// The currency, ISO 4217.
    #[schema(max_length = 3, pattern = "^[A-Z]{3}$")]
    pub currency: String,
    /// Everything that it was debited.
    pub debits: TotalBody,
    /// Everything that it was credited.
    pub credits: TotalBody,
    /// Debits less credits.
    pub balance: TotalBody,
}

impl TryFrom<AccountTotal> for AccountTotalView {
    type Error = Problem;

    fn try_from(total: AccountTotal) -> Result<Self, Problem> {
        let balance = total
            .debits
            .checked_sub(total.credits)
            .map_err(Problem::damaged)?;
        Ok(Self {
            account: total.account,
            currency: balance.currency().code().to_owned(),
            debits: total.debits.into(),
            credits: total.credits.into(),
            balance: balance.into(),
        })
    }
}

/// What a trial balance is narrowed to.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TrialBalanceQuery {
    /// Only entries of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only entries of this program.
    pub program_id: Option<ProgramId>,
    /// Only entries in this currency, ISO 4217.
    #[param(max_length = 3, pattern = "^[A-Z]{3}$")]
    pub currency: Option<String>,
    /// As of this instant: what had been posted by then, itself included, whenever it had happened in business. Absent is now.
    pub as_of: Option<DateTime<Utc>>,
}

impl TrialBalanceQuery {
    /// The filter as the store knows it.
    pub fn filter(&self) -> BalanceFilter {
        BalanceFilter {
            partner_id: self.partner_id,
            program_id: self.program_id,
            currency: self.currency.clone(),
            as_of: self.as_of,
        }
    }
}
