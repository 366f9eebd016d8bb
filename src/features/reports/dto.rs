//! Reports on the wire, as JSON and as CSV.

use super::domain::{Figures, GroupBy, Report};
use super::store::ReportFilter;
use crate::kernel::id::{PartnerId, ProgramId};
use crate::kernel::money::Currency;
use crate::kernel::problem::Problem;
use crate::platform::web::{Fields, TotalBody, harmless};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The figures of one group in one currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReportRow)]
pub struct ReportRowView {
    /// What the group is: an id, a word or a month (`YYYY-MM`); empty where it has none, and in totals.
    #[schema(max_length = 128, example = "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w")]
    pub group_key: String,
    /// Its name for a person.
    #[schema(max_length = 255, example = "Nordlicht Consulting")]
    pub group_label: String,
    /// Deals won in the period.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub deals_won: i64,
    /// Money received in the period, net of tax, less refunds and credit notes.
    pub net_revenue: TotalBody,
    /// The part of it from deals with a confirmed sourced credit.
    pub sourced_revenue: TotalBody,
    /// The part of it from deals with a confirmed influenced credit.
    pub influenced_revenue: TotalBody,
    /// The part of it from deals with a confirmed delivered credit.
    pub delivered_revenue: TotalBody,
    /// Commission earned in the period.
    pub commission_earned: TotalBody,
    /// Commission taken back in the period.
    pub commission_clawed_back: TotalBody,
    /// Earned less taken back.
    pub commission_net: TotalBody,
    /// What people gave to partners in the period, less what they took from them.
    pub adjusted: TotalBody,
    /// The part of it that was given up of what partners owed.
    pub written_off: TotalBody,
    /// Commission paid in the period, less what came back.
    pub commission_paid: TotalBody,
    /// In a running hold at the end of the period.
    pub commission_held: TotalBody,
    /// Waiting for approval at the end of the period.
    pub commission_due: TotalBody,
    /// Approved and not in a payout at the end of the period; negative where more was taken back than is left.
    pub commission_approved: TotalBody,
    /// In a payout that is not settled at the end of the period; negative where it was paid at an earlier time than its run was
    /// approved, and the end lies between the two.
    pub commission_in_payout: TotalBody,
    /// Everything still to come at the end of the period.
    pub open_balance: TotalBody,
    /// What resellers kept of the list price of what payments were for, less refunds: a price, and no part of any commission.
    /// A credit note without an invoice takes nothing from it. By partner it counts for whoever sourced the deal.
    pub reseller_margin: TotalBody,
    /// What was exchanged in the period into the currency of the row, less what was exchanged out of it: commission that is
    /// earned in one currency and paid in another leaves the row of the one and comes into that of the other.
    pub exchanged: TotalBody,
}

impl ReportRowView {
    /// The figures as they go out.
    fn new(figures: &Figures) -> Result<Self, Problem> {
        Ok(Self {
            group_key: figures.key.clone(),
            group_label: figures.label.clone(),
            deals_won: figures.deals_won,
            net_revenue: figures.net_revenue.into(),
            sourced_revenue: figures.sourced_revenue.into(),
            influenced_revenue: figures.influenced_revenue.into(),
            delivered_revenue: figures.delivered_revenue.into(),
            commission_earned: figures.earned.into(),
            commission_clawed_back: figures.clawed_back.into(),
            commission_net: figures.net_earned().map_err(Problem::damaged)?.into(),
            adjusted: figures.adjusted.into(),
            written_off: figures.written_off.into(),
            commission_paid: figures.paid.into(),
            commission_held: figures.held.into(),
            commission_due: figures.due.into(),
            commission_approved: figures.approved.into(),
            commission_in_payout: figures.in_payout.into(),
            open_balance: figures.open_balance().map_err(Problem::damaged)?.into(),
            reseller_margin: figures.reseller_margin.into(),
            exchanged: figures.exchanged.into(),
        })
    }

    /// The columns of the CSV form, amounts in the currency of the row.
    fn columns(&self) -> [(&'static str, String); 21] {
        let amount = |money: &TotalBody| money.amount.clone();
        [
            ("group_key", self.group_key.clone()),
            ("group_label", harmless(&self.group_label)),
            ("currency", self.net_revenue.currency.clone()),
            ("deals_won", self.deals_won.to_string()),
            ("net_revenue", amount(&self.net_revenue)),
            ("sourced_revenue", amount(&self.sourced_revenue)),
            ("influenced_revenue", amount(&self.influenced_revenue)),
            ("delivered_revenue", amount(&self.delivered_revenue)),
            ("commission_earned", amount(&self.commission_earned)),
            ("commission_clawed_back", amount(&self.commission_clawed_back)),
            ("commission_net", amount(&self.commission_net)),
            ("commission_paid", amount(&self.commission_paid)),
            ("commission_held", amount(&self.commission_held)),
            ("commission_due", amount(&self.commission_due)),
            ("commission_approved", amount(&self.commission_approved)),
            ("commission_in_payout", amount(&self.commission_in_payout)),
            ("open_balance", amount(&self.open_balance)),
            ("adjusted", amount(&self.adjusted)),
            ("written_off", amount(&self.written_off)),
            ("reseller_margin", amount(&self.reseller_margin)),
            ("exchanged", amount(&self.exchanged)),
        ]
    }
}

/// A report: a row per group and currency, and the totals per currency. Nothing is ever added up across currencies.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Report)]
pub struct ReportView {
    /// The first day of the period; `null` is from the beginning.
    #[schema(required)]
    pub from_on: Option<NaiveDate>,
    /// The day after the period's last; `null` is until now.
    #[schema(required)]
    pub until_on: Option<NaiveDate>,
    /// What the rows stand for.
    pub group_by: GroupBy,
    /// When the report was made.
    pub generated_at: DateTime<Utc>,
    /// The groups, at most 10,000.
    #[schema(max_items = 10000)]
    pub rows: Vec<ReportRowView>,
    /// One row per currency over everything, each deal counted once.
    #[schema(max_items = 200)]
    pub totals: Vec<ReportRowView>,
}

impl ReportView {
    /// The report as it goes out.
    pub fn new(
        report: &Report,
        query: &ReportQuery,
        group_by: GroupBy,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        let views = |rows: &[Figures]| rows.iter().map(ReportRowView::new).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            from_on: query.from_on,
            until_on: query.until_on,
            group_by,
            generated_at: now,
            rows: views(&report.rows)?,
            totals: views(&report.totals)?,
        })
    }

    /// The rows as CSV (RFC 4180) with a header; totals are left to the reader's own tools.
    pub fn csv(&self) -> Result<Vec<u8>, Problem> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        let header = self.totals.first().or(self.rows.first());
        if let Some(row) = header {
            writer
                .write_record(row.columns().map(|(name, _)| name))
                .map_err(Problem::damaged)?;
        }
        for row in &self.rows {
            writer
                .write_record(row.columns().map(|(_, value)| value))
                .map_err(Problem::damaged)?;
        }
        writer.into_inner().map_err(Problem::damaged)
    }
}

/// The form of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportFormat {
    /// An object.
    #[default]
    Json,
    /// Comma-separated values with a header.
    Csv,
}

/// What a report is about.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// The first day of the period, in the organization's time zone. Absent: from the beginning.
    pub from_on: Option<NaiveDate>,
    /// The day after the period's last. Absent: until now.
    pub until_on: Option<NaiveDate>,
    /// Only this program.
    pub program_id: Option<ProgramId>,
    /// Only this partner.
    pub partner_id: Option<PartnerId>,
    /// Only this currency, ISO 4217.
    #[param(max_length = 3, pattern = "^[A-Z]{3}$", example = "GBP")]
    pub currency: Option<String>,
    /// What the rows stand for.
    #[param(inline)]
    pub group_by: Option<GroupBy>,
    /// The form of the answer.
    #[serde(default)]
    #[param(inline)]
    pub format: ReportFormat,
}

impl ReportQuery {
    /// The filter as the store knows it. Groups of partners count revenue for each credited partner.
    pub fn filter(&self, group_by: GroupBy) -> Result<ReportFilter, Problem> {
        let mut fields = Fields::new();
        if let (Some(from), Some(until)) = (self.from_on, self.until_on) {
            fields.require(
                from < until,
                "?until_on",
                "empty_period",
                "The period must end after it begins.",
            );
        }
        let currency: Option<Currency> = self
            .currency
            .as_deref()
            .and_then(|code| fields.currency("?currency", code));
        fields.finish(Some(ReportFilter {
            from: self.from_on,
            to: self.until_on,
            program_id: self.program_id,
            partner_id: self.partner_id,
            currency,
            group_by: Some(group_by),
            per_partner: matches!(group_by, GroupBy::Partner | GroupBy::Tier | GroupBy::Region),
        }))
    }
}
