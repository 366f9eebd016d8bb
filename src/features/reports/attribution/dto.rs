//! Credit under models on the wire.

use super::super::domain::GroupBy;
use super::super::dto::{ReportFormat, ReportQuery};
use super::super::store::ReportFilter;
use super::domain::{Credited, Known, Pool};
use crate::features::deals::Deal;
use crate::kernel::attribution::{AttributionModel, HALF_LIFE_DAYS};
use crate::kernel::id::{AttributionId, DealId, PartnerId, ProgramId};
use crate::kernel::motion::Role;
use crate::kernel::problem::Problem;
use crate::platform::web::{MoneyBody, TotalBody, harmless};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A partner's part in a pool.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ModelCredit)]
pub struct ModelCreditView {
    /// The partner.
    pub partner_id: PartnerId,
    /// Its share of the pool, in basis points.
    #[schema(minimum = 0, maximum = 10000)]
    pub share_basis_points: u32,
    /// The share of the deal's worth; the parts of a pool add up to it under every model but full_credit.
    pub amount: TotalBody,
    /// How many touches of the partner the model counted; a credit without any counts as one, when it was claimed.
    #[schema(minimum = 1, maximum = 2_147_483_647_i64)]
    pub touches: usize,
}

/// A pool of credit under a model.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ModelPool)]
pub struct ModelPoolView {
    /// By which model.
    pub model: AttributionModel,
    /// What the credit is for; sourced_or_influenced counts whoever did either once, and is no sum of the others.
    pub pool: Pool,
    /// Who has a part in it.
    #[schema(max_items = 1000)]
    pub credits: Vec<ModelCreditView>,
}

/// A confirmed share.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ConfirmedShare)]
pub struct ConfirmedShareView {
    /// The credit.
    pub attribution_id: AttributionId,
    /// The partner.
    pub partner_id: PartnerId,
    /// What the partner did.
    pub role: Role,
    /// The share that money follows, in basis points.
    #[schema(minimum = 1, maximum = 10000)]
    pub share_basis_points: i32,
}

/// The credit for a deal under models, side by side.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DealAttribution, examples(json!({"deal_id": "deal_01j9zq4y8k7m5n3p2r1s0t6v4w", "as_of": "2026-05-19T08:00:00Z", "amount": {"amount": "48000.00", "currency": "EUR"}, "half_life_days": 30, "confirmed": [{"attribution_id": "att_01j9zq4y8k7m5n3p2r1s0t6v4w", "partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "role": "sourced", "share_basis_points": 10000}], "pools": [{"model": "linear", "pool": "sourced", "credits": [{"partner_id": "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w", "share_basis_points": 10000, "amount": {"amount": "48000.00", "currency": "EUR"}, "touches": 3}]}]})))]
pub struct DealAttributionView {
    /// The deal.
    pub deal_id: DealId,
    /// The instant at which credits and touchpoints are looked at.
    pub as_of: DateTime<Utc>,
    /// What the deal is worth now.
    pub amount: MoneyBody,
    /// Days after which time_decay counts a touch half as much as the last one.
    #[schema(minimum = 1, maximum = 3650)]
    pub half_life_days: i64,
    /// What money follows, whatever the model.
    #[schema(max_items = 1000)]
    pub confirmed: Vec<ConfirmedShareView>,
    /// The pools under each model that was asked for; pools in which nobody has a part are left out.
    #[schema(max_items = 24)]
    pub pools: Vec<ModelPoolView>,
}

impl DealAttributionView {
    /// The view of these models.
    pub fn new(
        deal: &Deal,
        known: &Known,
        as_of: DateTime<Utc>,
        only: Option<AttributionModel>,
    ) -> Result<Self, Problem> {
        let models = AttributionModel::ALL.iter().copied();
        let mut pools = Vec::new();
        for model in models.filter(|model| only.is_none_or(|only| only == *model)) {
            for pool in Pool::ALL.iter().copied() {
                let view = pool_view(deal, known, model, pool)?;
                pools.extend((!view.credits.is_empty()).then_some(view));
            }
        }
        let confirmed = known.credits.iter().map(|credit| ConfirmedShareView {
            attribution_id: credit.id,
            partner_id: credit.partner_id,
            role: credit.role,
            share_basis_points: credit.share_basis_points,
        });
        Ok(Self {
            deal_id: deal.id,
            as_of,
            amount: deal.amount.into(),
            half_life_days: HALF_LIFE_DAYS,
            confirmed: confirmed.collect(),
            pools,
        })
    }
}

fn pool_view(
    deal: &Deal,
    known: &Known,
    model: AttributionModel,
    pool: Pool,
) -> Result<ModelPoolView, Problem> {
    let touches = known.touches_of(pool);
    let parts = known
        .parts(model, pool, deal.amount.into())
        .map_err(Problem::damaged)?;
    let shares = known.shares(model, pool);
    let credits = parts.into_iter().map(|(partner_id, amount)| ModelCreditView {
        partner_id,
        share_basis_points: shares.get(&partner_id).copied().unwrap_or(0),
        amount: amount.into(),
        touches: touches
            .iter()
            .filter(|touch| touch.partner_id == partner_id)
            .count(),
    });
    Ok(ModelPoolView {
        model,
        pool,
        credits: credits.collect(),
    })
}

/// How the credit for a deal is looked at.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DealAttributionQuery {
    /// Only by this model; all of them side by side when left out.
    #[param(inline)]
    pub model: Option<AttributionModel>,
    /// With what stood confirmed and recorded at this instant; now when left out.
    pub as_of: Option<DateTime<Utc>>,
}

/// The deal that the path names.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DealPath {
    /// The deal.
    pub deal_id: DealId,
}

/// The figures of one group in one currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AttributionReportRow)]
pub struct AttributionRowView {
    /// What the group is: an id, a word or a month (`YYYY-MM`); empty where it has none, and in totals.
    #[schema(max_length = 128, example = "ptn_01j9zq4y8k7m5n3p2r1s0t6v4w")]
    pub group_key: String,
    /// Its name for a person.
    #[schema(max_length = 255, example = "Nordlicht Consulting")]
    pub group_label: String,
    /// Deals opened in the period that are sourced or influenced, each once.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub deals: i64,
    /// Worth of the sourced deals among them.
    pub sourced_pipeline: TotalBody,
    /// Worth of the influenced deals among them.
    pub influenced_pipeline: TotalBody,
    /// Worth of those that are sourced or influenced, each once: no sum of the two.
    pub sourced_or_influenced_pipeline: TotalBody,
    /// Money that came in in the period for sourced deals, net of tax, less refunds and credit notes.
    pub sourced_revenue: TotalBody,
    /// Money that came in in the period for influenced deals.
    pub influenced_revenue: TotalBody,
    /// Money that came in in the period for deals that are sourced or influenced, each once: no sum of the two.
    pub sourced_or_influenced_revenue: TotalBody,
}

impl AttributionRowView {
    fn new(row: Credited) -> Self {
        let [sourced, influenced, either] = row.pipeline.map(TotalBody::from);
        let [sourced_revenue, influenced_revenue, either_revenue] = row.revenue.map(TotalBody::from);
        Self {
            group_key: row.group.key,
            group_label: row.group.label,
            deals: row.deals,
            sourced_pipeline: sourced,
            influenced_pipeline: influenced,
            sourced_or_influenced_pipeline: either,
            sourced_revenue,
            influenced_revenue,
            sourced_or_influenced_revenue: either_revenue,
        }
    }

    /// The columns of the CSV form, amounts in the currency of the row.
    fn columns(&self) -> [(&'static str, String); 10] {
        let amount = |money: &TotalBody| money.amount.clone();
        [
            ("group_key", self.group_key.clone()),
            ("group_label", harmless(&self.group_label)),
            ("currency", self.sourced_pipeline.currency.clone()),
            ("deals", self.deals.to_string()),
            ("sourced_pipeline", amount(&self.sourced_pipeline)),
            ("influenced_pipeline", amount(&self.influenced_pipeline)),
            (
                "sourced_or_influenced_pipeline",
                amount(&self.sourced_or_influenced_pipeline),
            ),
            ("sourced_revenue", amount(&self.sourced_revenue)),
            ("influenced_revenue", amount(&self.influenced_revenue)),
            (
                "sourced_or_influenced_revenue",
                amount(&self.sourced_or_influenced_revenue),
            ),
        ]
    }
}

/// A report of sourced and influenced business under a model.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AttributionReport)]
pub struct AttributionReportView {
    /// The first day of the period; `null` is from the beginning.
    #[schema(required)]
    pub from_on: Option<NaiveDate>,
    /// The day after the period's last; `null` is until now.
    #[schema(required)]
    pub until_on: Option<NaiveDate>,
    /// By which model.
    pub model: AttributionModel,
    /// What the rows stand for.
    pub group_by: GroupBy,
    /// When the report was made.
    pub generated_at: DateTime<Utc>,
    /// The groups.
    #[schema(max_items = 100000)]
    pub rows: Vec<AttributionRowView>,
    /// One row per currency over everything, each deal counted once.
    #[schema(max_items = 200)]
    pub totals: Vec<AttributionRowView>,
}

impl AttributionReportView {
    /// The report as it goes out.
    pub fn new(
        (rows, totals): (Vec<Credited>, Vec<Credited>),
        query: &AttributionReportQuery,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            from_on: query.from_on,
            until_on: query.until_on,
            model: query.model(),
            group_by: query.group_by(),
            generated_at: now,
            rows: rows.into_iter().map(AttributionRowView::new).collect(),
            totals: totals.into_iter().map(AttributionRowView::new).collect(),
        }
    }

    /// The rows as CSV (RFC 4180) with a header.
    pub fn csv(&self) -> Result<Vec<u8>, Problem> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        if let Some(row) = self.rows.first() {
            let names = row.columns().map(|(name, _)| name);
            writer.write_record(names).map_err(Problem::damaged)?;
        }
        for row in &self.rows {
            let values = row.columns().map(|(_, value)| value);
            writer.write_record(values).map_err(Problem::damaged)?;
        }
        writer.into_inner().map_err(Problem::damaged)
    }
}

/// What a report is about.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AttributionReportQuery {
    /// By which model; full_credit when left out.
    #[param(inline)]
    pub model: Option<AttributionModel>,
    /// The first day of the period, in the organization's time zone. Absent: from the beginning.
    pub from_on: Option<NaiveDate>,
    /// The day after the period's last. Absent: until now.
    pub until_on: Option<NaiveDate>,
    /// Only this program.
    pub program_id: Option<ProgramId>,
    /// Only what this partner has.
    pub partner_id: Option<PartnerId>,
    /// Only this currency, ISO 4217.
    #[param(max_length = 3, pattern = "^[A-Z]{3}$", example = "GBP")]
    pub currency: Option<String>,
    /// What the rows stand for; partners when left out.
    #[param(inline)]
    pub group_by: Option<GroupBy>,
    /// The form of the answer.
    #[serde(default)]
    #[param(inline)]
    pub format: ReportFormat,
}

impl AttributionReportQuery {
    /// The model that is asked for.
    pub fn model(&self) -> AttributionModel {
        self.model.unwrap_or(AttributionModel::FullCredit)
    }

    /// What the rows stand for.
    pub fn group_by(&self) -> GroupBy {
        self.group_by.unwrap_or(GroupBy::Partner)
    }

    /// The filter as the store knows it.
    pub fn filter(&self) -> Result<ReportFilter, Problem> {
        let query = ReportQuery {
            from_on: self.from_on,
            until_on: self.until_on,
            program_id: self.program_id,
            partner_id: self.partner_id,
            currency: self.currency.clone(),
            group_by: self.group_by,
            format: self.format,
        };
        query.filter(self.group_by())
    }
}
